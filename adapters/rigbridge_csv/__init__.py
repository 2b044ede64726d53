"""
Delimited logs by declared profiles: the adapter ``csv``.

- :class:`~rigbridge_csv.adapter.CSVAdapter` reads,
- :class:`~rigbridge_csv.settings.CSVSettings` holds what a site declares,
- :class:`~rigbridge_csv.profiles.profile.CSVProfile` declares a kind of log.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rigbridge_csv.adapter import CSVAdapter
    from rigbridge_csv.profiles.profile import CSVProfile
    from rigbridge_csv.settings import CSVSettings

__all__ = ["CSVAdapter", "CSVProfile", "CSVSettings"]

_HOMES = {
    "CSVAdapter": "adapter",
    "CSVProfile": "profiles.profile",
    "CSVSettings": "settings",
}


def __getattr__(name: str) -> object:
    # Detection of a file that is no log pays for no part that it does not use.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value
