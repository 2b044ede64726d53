"""
The sidecar: what the v1 payload of a run has no field for, as one JSON document.

It holds the difference between the run and what :func:`read_plain` makes of the
payload alone, so that it is exactly what would be lost, and the two restore the whole.

Keys: ``rigbridge`` (the version of this format), ``run_id``, ``overlay`` (see
:mod:`rigbridge.convert.overlay`), ``attachments`` (descriptions) and ``report``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

import attrs

from rigbridge.convert import overlay
from rigbridge.convert.differences import as_nodes, encoded, lost_in_plain
from rigbridge.convert.document import describe_attachment, from_document, to_document
from rigbridge.convert.plain import read_plain
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.model import Attachment, JSONObject, Run
from rigbridge.model.report import ConversionReport
from rigbridge.wire import CreateRun

__all__ = ["SIDECAR_NAME", "SIDECAR_VERSION", "load", "lost_without", "make_sidecar"]

SIDECAR_NAME = "rigbridge.json"
"""The name of the attachment that a sidecar travels as."""

SIDECAR_VERSION = 1
"""The version of the format; also of the rules of :func:`read_plain`."""


def _without_attachments(run: Run) -> dict[str, Any]:
    return to_document(attrs.evolve(run, attachments=()))


def make_sidecar(
    run: Run, body: CreateRun, report: ConversionReport, *, dense: bool = False
) -> dict[str, Any] | None:
    """
    Make the sidecar of a run, or None when the payload alone restores the run.

    Args:
        run: the run.
        body: its payload.
        report: travels in the sidecar.
        dense: hold what is said of phases and log lines as encoded JSON.
    """
    missing = lost_in_plain(run, body, encoded if dense else as_nodes)
    # v1 has no attachment without bytes, so a reference is told by the sidecar alone.
    references = not all(attachment.embedded for attachment in run.attachments)
    if missing is None and not references:
        return None
    return {
        "rigbridge": SIDECAR_VERSION,
        "run_id": str(run.id),
        "overlay": missing,
        "attachments": [describe_attachment(item) for item in run.attachments],
        "report": report.as_document(),
    }


def load(
    body: CreateRun,
    *,
    run_id: UUID,
    sidecar: Mapping[str, Any] | None = None,
    attachments: Iterable[Attachment] | None = None,
) -> Run:
    """
    Restore a run from its payload.

    With the sidecar the run equals the one that was dumped. Without it the run is
    what v1 can say: flat phase names, inclusive limits, times in milliseconds.

    Args:
        run_id: the id to give to a run without a sidecar; a sidecar has the run's own.
        sidecar: what :func:`rigbridge.convert.dump` made, or None.
        attachments: the run's files; by default those that the sidecar describes,
            without their bytes.

    Raises:
        RunProblemsError: the payload or the sidecar does not make a run.
    """
    run = read_plain(body, run_id=run_id)
    # Without a sidecar the store's own list of files is all there is.
    described: Iterable[Attachment] = ()
    if sidecar is not None:
        run, described = _restore(run, sidecar)
    files = tuple(described if attachments is None else attachments)
    return attrs.evolve(run, attachments=files)


def _restore(
    plain: Run, sidecar: Mapping[str, Any]
) -> tuple[Run, tuple[Attachment, ...]]:
    version = sidecar.get("rigbridge")
    if version != SIDECAR_VERSION:
        problem = ModelError(
            f"is of format {version!r}, known is {SIDECAR_VERSION}",
            path="$.rigbridge",
            remedy="update rigbridge",
        )
        raise RunProblemsError("the sidecar cannot be read", [problem])
    try:
        document = _without_attachments(plain)
        whole = cast("JSONObject", overlay.apply(document, sidecar["overlay"]))
        whole = {
            **whole,
            "id": sidecar["run_id"],
            "attachments": sidecar["attachments"],
        }
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        # The sidecar of another payload names places that this one does not have.
        problem = ModelError(
            f"does not belong to this payload ({type(error).__name__}: {error})",
            path="$.overlay",
        )
        raise RunProblemsError("the sidecar cannot be read", [problem]) from error
    run = from_document(whole)
    # The attachments travel apart, since only the caller knows how to open them.
    return attrs.evolve(run, attachments=()), run.attachments


def lost_without(sidecar: Mapping[str, Any]) -> tuple[str, ...]:
    """
    Name what a store that is not given the sidecar does not learn.

    Returns:
        Paths in the run (``$.phases[3].attributes``), in document order.
    """
    references = tuple(
        f"$.attachments[{index}]"
        for index, item in enumerate(sidecar["attachments"])
        if item["size"] is None
    )
    return (*overlay.paths(sidecar["overlay"]), *references)
