"""The checks that make up the conformance suite, in the order that they run in."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.checks import (
    accounts,
    content,
    contract,
    damage,
    process,
    repetition,
    size,
)

__all__ = ["CHECKS", "Check"]


@attrs.frozen
class Check:
    """
    One behaviour that every adapter has.

    Attributes:
        name: what it is called in results.
        run: tries it; raises NonconformityError where the adapter fails, and
            NotTriedError where the samples give nothing to try.
    """

    name: str
    run: Callable[[Bench], None]

    @property
    def promise(self) -> str:
        """The behaviour, as a sentence."""
        return (self.run.__doc__ or "").strip()


_RUN: tuple[Callable[[Bench], None], ...] = (
    # First: what an adapter does to the process only once must be seen here.
    process.changes_no_state,
    process.writes_no_output,
    process.asks_nothing_of_the_system,
    contract.protocol,
    contract.claims_its_own,
    contract.leaves_the_foreign,
    contract.detection_never_raises,
    contract.detection_keeps_nothing,
    contract.reads_every_run,
    contract.identity,
    accounts.accounts,
    accounts.every_form,
    accounts.attachments,
    accounts.reads_gzip,
    accounts.zones,
    accounts.encodings,
    accounts.line_ends,
    content.every_line,
    content.every_cell,
    content.every_byte,
    content.repeated_lines,
    content.long_texts,
    content.source_order,
    content.serial_numbers_are_text,
    content.nothing_invented,
    content.unknown_is_none,
    content.verdicts_of_the_source,
    damage.clear_errors,
    damage.one_bad_run,
    repetition.keeps_nothing,
    repetition.reads_at_once,
    repetition.reads_in_threads,
    size.streams,
    size.keeps_no_memory,
    size.closes_its_streams,
    process.same_everywhere,
)

CHECKS: tuple[Check, ...] = tuple(
    Check(run.__name__.replace("_", "-"), run) for run in _RUN
)
"""Every check."""
