"""
What authors of adapters test with, and what rigbridge itself is tested with.

- :class:`AdapterSuite`, the conformance suite: inherit it, override one fixture,
- :func:`read_all`, reading a source in a test of one's own,
- :mod:`rigbridge.testing.adapters.strategies`, hypothesis strategies for whole runs.

Needs pytest, and hypothesis for the strategies.
"""

from rigbridge.testing.adapters.reading import Reading, read_all
from rigbridge.testing.adapters.suites import AdapterCase, AdapterSuite, Sample

__all__ = ["AdapterCase", "AdapterSuite", "Reading", "Sample", "read_all"]
