"""The unit under test and the procedure it went through."""

from __future__ import annotations

import attrs

from rigbridge.model.values import optional_text, text

__all__ = ["ProcedureRef", "SubUnit", "Unit"]


@attrs.frozen(kw_only=True)
class Unit:
    """
    The unit under test.

    A run without a serial number is a valid run that no store takes: conversion to
    the payload refuses it, and no made-up number ever stands in for it.

    Attributes:
        serial_number: as the source spells it, leading zeros kept; None if unknown.
        part_number: the number of its part, or None.
        part_name: the name of its part, or None.
        revision: the revision of its part, or None.
        batch_number: the production batch, or None.

    Raises:
        ModelError: a blank text; unknown is None.
    """

    serial_number: str | None = attrs.field(default=None, validator=optional_text)
    part_number: str | None = attrs.field(default=None, validator=optional_text)
    part_name: str | None = attrs.field(default=None, validator=optional_text)
    revision: str | None = attrs.field(default=None, validator=optional_text)
    batch_number: str | None = attrs.field(default=None, validator=optional_text)


@attrs.frozen(kw_only=True)
class SubUnit:
    """
    A unit that is built into the unit under test.

    Attributes:
        serial_number: its serial number; not blank.

    Raises:
        ModelError: a blank serial number.
    """

    serial_number: str = attrs.field(validator=text)


@attrs.frozen(kw_only=True)
class ProcedureRef:
    """
    The test procedure, by the store's id, by name, or both.

    Attributes:
        id: a UUID or human identifier (``FVT1``) that the store knows, or None.
        name: its name, or None.
        version: the version of the test program, or None.

    Raises:
        ModelError: a blank text; unknown is None.
    """

    id: str | None = attrs.field(default=None, validator=optional_text)
    name: str | None = attrs.field(default=None, validator=optional_text)
    version: str | None = attrs.field(default=None, validator=optional_text)
