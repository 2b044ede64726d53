"""
pytest as a source of runs: a test session is a run, each of its tests a phase.

pytest loads :mod:`rigbridge_pytest.plugin` by its entry point. It records nothing
unless ``--rigbridge`` is given, or ``rigbridge = true`` stands in the ini file.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rigbridge_pytest.notes import MeasureFixture

__all__ = ["MeasureFixture"]


def __getattr__(name: str) -> object:
    # Every pytest of an installation loads this package, and most need no model.
    if name != "MeasureFixture":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rigbridge_pytest.notes import MeasureFixture

    globals()[name] = MeasureFixture
    return MeasureFixture
