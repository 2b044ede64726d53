"""
Reader of JUnit XML, the report that test runners of every language write.

``document`` goes from the bytes of a file to its elements, ``cases`` from a test case
to a phase, ``reports`` from a report to runs.
"""

from rigbridge_junit.adapter import JUnitAdapter
from rigbridge_junit.settings import JUnitSettings

__all__ = ["JUnitAdapter", "JUnitSettings"]
