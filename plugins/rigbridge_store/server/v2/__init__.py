"""
The v2 calls, with the bodies that the typed models of ``tofupilot.v2`` define.

A v2 run becomes a run of the model like any other: what v1 has no field for (structured
validators, aggregations, axes, sequences) is kept in attributes and metadata, so that
exports and pages know it as well, and v2 gives it back as it came.
"""

__all__: list[str] = []
