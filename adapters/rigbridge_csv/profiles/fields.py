"""What a column of a delimited log can hold: our names for it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["MEASUREMENT_FIELDS", "PHASE_FIELDS", "RUN_FIELDS", "Field"]


class Field(StrEnum):
    """
    A field that a column may be declared for.

    ``LIMITS`` is one cell that holds both limits; its form is the profile's
    ``limit_pair``. All others are named for the model's attributes.
    """

    SERIAL_NUMBER = "serial_number"
    PART_NUMBER = "part_number"
    PART_NAME = "part_name"
    REVISION = "revision"
    BATCH_NUMBER = "batch_number"
    PROCEDURE = "procedure"
    PROCEDURE_ID = "procedure_id"
    PROCEDURE_VERSION = "procedure_version"
    STATION = "station"
    OPERATOR = "operator"
    STARTED_AT = "started_at"
    ENDED_AT = "ended_at"
    RUN_OUTCOME = "run_outcome"
    PHASE = "phase"
    PHASE_OUTCOME = "phase_outcome"
    PHASE_STARTED_AT = "phase_started_at"
    PHASE_ENDED_AT = "phase_ended_at"
    MEASUREMENT = "measurement"
    VALUE = "value"
    UNIT = "unit"
    LOWER_LIMIT = "lower_limit"
    UPPER_LIMIT = "upper_limit"
    LIMITS = "limits"
    COMPARATOR = "comparator"
    OUTCOME = "outcome"
    DOCSTRING = "docstring"


PHASE_FIELDS = (
    Field.PHASE,
    Field.PHASE_OUTCOME,
    Field.PHASE_STARTED_AT,
    Field.PHASE_ENDED_AT,
)
"""The fields that say one thing of a phase."""

MEASUREMENT_FIELDS = (
    Field.MEASUREMENT,
    Field.VALUE,
    Field.UNIT,
    Field.LOWER_LIMIT,
    Field.UPPER_LIMIT,
    Field.LIMITS,
    Field.COMPARATOR,
    Field.OUTCOME,
    Field.DOCSTRING,
)
"""The fields of one measurement."""

RUN_FIELDS = tuple(
    field for field in Field if field not in (*PHASE_FIELDS, *MEASUREMENT_FIELDS)
)
"""The fields that say one thing of a whole run: all others."""
