"""How strict a creation is; the doors differ in it."""

from __future__ import annotations

from enum import StrEnum

import attrs

__all__ = ["CreationPolicy", "PartNumbers"]


class PartNumbers(StrEnum):
    """Whether a new unit needs a part number."""

    REQUIRED = "required"
    OPTIONAL = "optional"


@attrs.frozen(kw_only=True)
class CreationPolicy:
    """
    What a creation demands.

    Attributes:
        part_numbers: whether a run of a unit without a part must name one.
        create_missing: create the procedures, operators and sub-units that a run
            refers to, instead of refusing the run. In process nobody else could:
            there is no app to create them in first.
    """

    part_numbers: PartNumbers = PartNumbers.OPTIONAL
    create_missing: bool = False
