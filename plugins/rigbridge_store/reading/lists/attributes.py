"""What runs keep in their sidecars, of single phases and measurements."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

import msgspec
import sqlalchemy as sa

from rigbridge.convert import overlay
from rigbridge.model import JSONObject, JSONValue
from rigbridge_store.tables.packing import DamagedTextError, unpack
from rigbridge_store.tables.schema import run_documents

__all__ = ["SidecarReader"]


class SidecarReader:
    """
    Looks into the sidecars of some runs, without restoring those.

    Args:
        connection: the transaction.
    """

    def __init__(self, connection: sa.Connection, keys: Collection[int]) -> None:
        statement = sa.select(run_documents.c.run_key, run_documents.c.sidecar).where(
            # A page of measurements names the same run again and again.
            run_documents.c.run_key.in_(set(keys)),
            run_documents.c.sidecar.is_not(None),
        )
        self._overlays: dict[int, JSONValue] = {}
        for key, packed in connection.execute(statement):
            # What is damaged says nothing; it does not keep the others from a list.
            with suppress(DamagedTextError):
                document = msgspec.json.decode(unpack(packed))
                # The rest is let go: the documents of a page may be long.
                self._overlays[key] = document.get("overlay")

    def run_metadata(self, run: int) -> Mapping[str, JSONValue]:
        """Give the metadata of a run."""
        return self._object_at(run, "metadata")

    def phase_name(self, run: int, phase: int) -> str | None:
        """Give the own name of a phase where its stored one has its path before it."""
        name = self._value_at(run, "phases", str(phase), "name")
        return name if isinstance(name, str) else None

    def of_phase(self, run: int, phase: int) -> Mapping[str, JSONValue]:
        """Give the attributes of a phase."""
        return self._object_at(run, "phases", str(phase), "attributes")

    def of_measurement(self, run: int, phase: int, number: int) -> JSONObject:
        """Give the attributes of a measurement."""
        path = ("phases", str(phase), "measurements", str(number), "attributes")
        return self._object_at(run, *path)

    def _object_at(self, run: int, *path: str) -> JSONObject:
        found = self._value_at(run, *path)
        return found if isinstance(found, dict) else {}

    def _value_at(self, run: int, *path: str) -> JSONValue:
        try:
            found: JSONValue = overlay.added_at(self._overlays.get(run), *path)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            # A sidecar that is not ours says nothing that v2 could show.
            return None
        return found
