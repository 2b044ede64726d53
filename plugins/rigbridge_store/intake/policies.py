"""How strict a creation is: v1, v2 and calls in process differ in it."""

from __future__ import annotations

from enum import StrEnum

import attrs

from rigbridge.adapters.identity import IdentityRules

__all__ = ["CreationPolicy", "PartNumbers", "Repetition"]


class Repetition(StrEnum):
    """What becomes of a key that comes again with another body."""

    REFUSED = "refused"
    """It names one body and no other."""

    OF_ONE_TEST = "of one test"
    """The first body stays, where sender and unit are the same; else refused."""

    WARNED = "warned"
    """The first body stays, with a warning: a rule made another of the same run."""

    REPLACED = "replaced"
    """The first body makes way, in the transaction that stores the other one."""


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
        declared_operators: keep the name of an operator who is no user, instead of
            refusing the run.
        default_revision: give a unit of a part the part's first revision where none
            is named, as v2 has it.
        identity: what a serial number tells of the part, revision and batch.
    """

    part_numbers: PartNumbers = PartNumbers.OPTIONAL
    create_missing: bool = False
    declared_operators: bool = False
    default_revision: bool = False
    identity: IdentityRules = attrs.field(factory=IdentityRules)
