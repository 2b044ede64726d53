"""
The agent: a service that sends what the outbox holds, and shows its state.

:class:`Agent` runs in the foreground until it is told to stop; a service manager starts
it (``docs/how-to/run-the-agent.md``).
"""

from rigbridge.agent.service import Agent

__all__ = ["Agent"]
