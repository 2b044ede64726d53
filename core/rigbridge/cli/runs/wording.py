"""Values, criteria and sizes of runs in the words of a terminal."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from typing import TYPE_CHECKING

from rigbridge.cli.output import count_of

if TYPE_CHECKING:
    from rigbridge.destinations.administration import DeletionPlan
    from rigbridge.model import Attachment, Limit, Measurement

__all__ = ["criterion_of", "deletion_words", "size_of", "value_of"]


def value_of(value: object) -> str:
    """Write a measured value in a few words."""
    if value is None:
        return ""
    from rigbridge.model import Series

    if isinstance(value, Series):
        return f"{count_of(len(value), 'point')}, {count_of(len(value.axes), 'column')}"
    return str(value)


def criterion_of(measurement: Measurement) -> str:
    """Write what a measurement was judged by: its range, then its validators."""
    return "; ".join((*_range(measurement.limits), *measurement.validators))


def _range(limits: Limit | None) -> tuple[str, ...]:
    if limits is None:
        return ()
    left = "" if limits.lower is None else f"{limits.lower} "
    right = "" if limits.upper is None else f" {limits.upper}"
    below = "<=" if limits.lower_inclusive else "<"
    above = "<=" if limits.upper_inclusive else "<"
    if not left and not right:
        return ()
    return (f"{left}{below if left else ''} x {above if right else ''}{right}".strip(),)


def size_of(attachment: Attachment) -> str:
    """Say how long an attachment is, or that the store holds no bytes of it."""
    if attachment.size is None:
        return "by reference"
    return count_of(attachment.size, "byte")


def deletion_words(plan: DeletionPlan | None) -> str:
    """Say what goes with a run, and what stays."""
    if plan is None:
        return "this store does not say what goes with it"
    words = (
        f"with {count_of(plan.phases, 'phase')}, "
        f"{count_of(plan.measurements, 'measurement')} and "
        f"{count_of(len(plan.deleted), 'attachment')}"
    )
    if plan.deleted:
        words += f" ({', '.join(plan.deleted)})"
    if plan.kept:
        stays = "stays" if len(plan.kept) == 1 else "stay"
        words += f"; {', '.join(plan.kept)} {stays}, since other runs have the same"
    return words
