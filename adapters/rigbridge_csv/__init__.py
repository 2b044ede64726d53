"""
Delimited logs by declared profiles: the adapter ``csv``.

- :class:`~rigbridge_csv.adapter.CSVAdapter` reads,
- :class:`~rigbridge_csv.settings.CSVSettings` holds what a site declares,
- :class:`~rigbridge_csv.profiles.profile.CSVProfile` declares a kind of log.
"""

from rigbridge_csv.adapter import CSVAdapter
from rigbridge_csv.profiles.profile import CSVProfile, Layout, ProfileMatch, Undeclared
from rigbridge_csv.settings import BUILT_IN, CSVSettings

__all__ = [
    "BUILT_IN",
    "CSVAdapter",
    "CSVProfile",
    "CSVSettings",
    "Layout",
    "ProfileMatch",
    "Undeclared",
]
