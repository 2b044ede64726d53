"""The checks that make up the conformance suite."""

from rigbridge.testing.adapters.checks.order import CHECKS, Check

__all__ = ["CHECKS", "Check"]
