"""Measured values that are kept apart from their measurements, since they are large."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from rigbridge.errors import ModelError, RunProblemsError
from rigbridge_store.tables.packing import DamagedTextError, is_shortened, unpack
from rigbridge_store.tables.schema import large_values

__all__ = ["LargeValues"]

_OF_RUN = sa.select(
    large_values.c.phase_position, large_values.c.position, large_values.c.value
).where(large_values.c.run_key == sa.bindparam("run"))


class LargeValues:
    """
    Gives the JSON of measured values, wherever they are.

    Those of one run are looked up at a time, when the first is asked for, and unpacked
    one by one: most runs have none, and those of several may not fit into memory.

    Args:
        connection: the transaction.
    """

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._run: int | None = None
        self._packed: Mapping[tuple[int, int], bytes] = {}

    def text(self, value: str, *, run: int, phase: int, position: int) -> str:
        """
        Give the whole JSON of what a measurement's row has as its value.

        Raises:
            RunProblemsError: it has been damaged in the store.
        """
        if not is_shortened(value):
            return value
        # The rows come run by run, so that one run is enough to remember.
        if run != self._run:
            rows = self._connection.execute(_OF_RUN, {"run": run})
            self._packed = {(at, number): packed for at, number, packed in rows}
            self._run = run
        try:
            return unpack(self._packed[phase, position])
        except (KeyError, DamagedTextError) as error:
            problem = ModelError(
                "has been damaged in the store",
                path=f"$.phases[{phase}].measurements[{position}].measured_value",
                remedy="'rigbridge store check' tells what else is; restore a backup",
            )
            raise RunProblemsError("a measured value is lost", [problem]) from error
