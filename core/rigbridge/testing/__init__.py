"""
What authors of adapters test with, and what rigbridge itself is tested with.

- :class:`AdapterSuite`, the conformance suite: inherit it, override one fixture,
- :func:`read_all`, reading a source in a test of one's own,
- :mod:`rigbridge.testing.adapters.strategies`, hypothesis strategies for whole runs,
- :mod:`rigbridge.testing.run_store`, a run store that fails on demand.

The suite needs pytest, and the strategies need hypothesis; the run store needs neither.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rigbridge.testing.adapters.cases import AdapterCase, Sample
    from rigbridge.testing.adapters.reading import Reading, read_all
    from rigbridge.testing.adapters.suites import AdapterSuite

__all__ = ["AdapterCase", "AdapterSuite", "Reading", "Sample", "read_all"]

_HOMES = {
    "AdapterCase": "cases",
    "AdapterSuite": "suites",
    "Reading": "reading",
    "Sample": "cases",
    "read_all": "reading",
}


def __getattr__(name: str) -> object:
    # The suite imports pytest, which who tests against the run store may not have.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = f"{__name__}.adapters.{_HOMES[name]}"
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
