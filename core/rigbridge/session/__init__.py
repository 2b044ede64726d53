"""
Recording a test that runs in a program of one's own: no report file, no framework.

:class:`Session` is opened once in a program. It gives a :class:`RunRecorder` for each
run, which gives a :class:`PhaseRecorder` for each phase.
"""

from rigbridge.session.phase_recorder import PhaseRecorder
from rigbridge.session.run_recorder import RunRecorder
from rigbridge.session.session import Session

__all__ = ["PhaseRecorder", "RunRecorder", "Session"]
