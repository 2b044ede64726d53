"""What runs keep beside the fields of v1, of single phases and measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from rigbridge.convert import overlay
from rigbridge_store.tables.schema import run_documents

__all__ = ["BesideRuns"]


class BesideRuns:
    """
    Looks into the sidecars of some runs, without restoring those.

    Args:
        connection: the transaction.
        keys: the keys of the runs.
    """

    def __init__(self, connection: sa.Connection, keys: Sequence[int]) -> None:
        statement = sa.select(run_documents.c.run_key, run_documents.c.sidecar).where(
            run_documents.c.run_key.in_(set(keys)),
            run_documents.c.sidecar.is_not(None),
        )
        self._overlays = {
            key: msgspec.json.decode(sidecar).get("overlay")
            for key, sidecar in connection.execute(statement)
        }

    def phase_name(self, run: int, phase: int) -> str | None:
        """Give the own name of a phase where its stored one has its path before it."""
        node = self._node(run, "phases", str(phase), "name")
        name = node.get("=") if node is not None else None
        return name if isinstance(name, str) else None

    def of_phase(self, run: int, phase: int) -> Mapping[str, Any]:
        """Give the attributes of a phase."""
        return self._applied(self._node(run, "phases", str(phase), "attributes"))

    def of_measurement(self, run: int, phase: int, number: int) -> Mapping[str, Any]:
        """Give the attributes of a measurement."""
        path = ("phases", str(phase), "measurements", str(number), "attributes")
        return self._applied(self._node(run, *path))

    def _node(self, run: int, *path: str) -> Mapping[str, Any] | None:
        node = self._overlays.get(run)
        for step in path:
            within = node.get("~") if isinstance(node, Mapping) else None
            node = within.get(step) if isinstance(within, Mapping) else None
        return node if isinstance(node, Mapping) else None

    @staticmethod
    def _applied(node: Mapping[str, Any] | None) -> Mapping[str, Any]:
        try:
            found = overlay.apply({}, node)
        except (KeyError, IndexError, TypeError, ValueError):
            # A sidecar that is not ours says nothing that v2 could show.
            return {}
        return found if isinstance(found, Mapping) else {}
