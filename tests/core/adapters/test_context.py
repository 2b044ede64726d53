"""The account of one run among others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rigbridge.adapters import Disposition, ReadContext, Spool
from rigbridge.errors import MalformedSourceError


@pytest.fixture(name="context")
def _context() -> Iterator[ReadContext]:
    """Give a context as a reader gets it."""
    with Spool() as spool:
        yield ReadContext(adapter="rig", spool=spool)


def _fail_within(context: ReadContext) -> None:
    with context.run():
        context.report.mapped("phase")
        raise MalformedSourceError("no more")


class TestRun:
    """What is recorded within a block belongs to its run."""

    def test_a_run_that_succeeds_is_accounted_for(self, context: ReadContext) -> None:
        """After the block the counts stand in the reader's account."""
        context.report.mapped("heading")
        with context.run():
            context.report.mapped("phase")
        assert context.report.count(Disposition.MAPPED) == 2

    def test_a_run_that_fails_leaves_nothing(self, context: ReadContext) -> None:
        """What was recorded before and after the failure is discarded."""
        with context.run():
            context.report.mapped("phase")
            context.failed(MalformedSourceError("hot is no number"))
            context.report.mapped("measurement")
        with context.run():
            context.report.mapped("phase")
        assert context.report.as_document()["mapped"] == {"phase": 1}
        assert len(context.failures) == 1

    def test_an_error_that_leaves_the_block(self, context: ReadContext) -> None:
        """An error discards the account as well."""
        with pytest.raises(MalformedSourceError):
            _fail_within(context)
        assert context.report.items() == frozenset()

    def test_a_failure_outside_keeps_the_account(self, context: ReadContext) -> None:
        """Without a block nothing is known of the run, and nothing is discarded."""
        context.report.mapped("heading")
        context.failed(MalformedSourceError("no unit"))
        assert context.report.count(Disposition.MAPPED, "heading") == 1
