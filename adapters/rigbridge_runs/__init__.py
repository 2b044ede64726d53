"""Runs that rigbridge exported as JSON lines: the adapter ``rigbridge-runs``."""

from rigbridge_runs.adapter import RunLinesAdapter, RunLinesSettings

__all__ = ["RunLinesAdapter", "RunLinesSettings"]
