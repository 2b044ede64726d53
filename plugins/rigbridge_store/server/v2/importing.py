"""The v2 calls about reports that are sent as files, and about deployments."""

from __future__ import annotations

from typing import Any

import attrs
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, UnsetType

from rigbridge.errors import RigbridgeError
from rigbridge_store.refusals import FieldIssue, bad_request, invalid, not_found
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import Door
from rigbridge_store.server.importing import import_report
from rigbridge_store.server.v2.run_answers import Meta

__all__ = ["HANDLERS"]

_MAX_ITEMS = 100


@attrs.frozen(kw_only=True)
class ImportItem:
    """An uploaded report, and by which importer to read it."""

    upload_id: str
    importer: str


@attrs.frozen(kw_only=True)
class ImportReports:
    """``POST /v2/imports/structured``."""

    items: list[ImportItem]
    allow_duplicate: bool | UnsetType | None = UNSET


@attrs.frozen(kw_only=True)
class ImportResult:
    """What became of one report."""

    upload_id: str
    success: bool
    id: str | UnsetType = UNSET
    ids: list[str] | UnsetType = UNSET
    already_imported: bool | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET
    error: str | UnsetType = UNSET


@attrs.frozen(kw_only=True)
class ImportResults:
    """What became of the reports, in their order."""

    results: list[ImportResult]


@attrs.frozen(kw_only=True)
class NoDeployments:
    """A page of deployments, of which there are none here."""

    data: list[Any]
    meta: Meta


@post("/imports/structured", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def import_reports(
    data: JSONBody[ImportReports], request: Request[Any, Any, Any]
) -> ImportResults:
    """
    Make the runs of uploaded reports, each for itself.

    A report that was imported before answers its runs: they are never there twice.
    """
    door = Door.of(request)
    principal = door.caller(request)
    if not 1 <= len(data.items) <= _MAX_ITEMS:
        raise invalid([FieldIssue("items", f"must be 1 to {_MAX_ITEMS}")])
    results: list[ImportResult] = []
    for item in data.items:
        try:
            done = import_report(door, item.upload_id, item.importer, principal)
        except RigbridgeError as error:
            results.append(
                ImportResult(upload_id=item.upload_id, success=False, error=str(error))
            )
            continue
        results.append(
            ImportResult(
                upload_id=item.upload_id,
                success=True,
                id=done.ids[0],
                ids=list(done.ids) if len(done.ids) > 1 else UNSET,
                already_imported=not done.created,
                warnings=done.warnings or UNSET,
            )
        )
    return ImportResults(results=results)


@post("/imports/tabular", status_code=200, sync_to_thread=True, responses=PROBLEMS)
def import_table(request: Request[Any, Any, Any]) -> ImportResult:
    """Import a table by a mapping within the call, which this store does not do."""
    Door.of(request).caller(request)
    raise bad_request(
        "This store reads tables by the profiles in its settings. Send the upload to "
        "POST /api/v1/import with the importer CSV and the name of a profile."
    )


@get("/deployments", sync_to_thread=True, responses=PROBLEMS)
def list_deployments(request: Request[Any, Any, Any]) -> NoDeployments:
    """List deployments: this store builds and deploys nothing."""
    Door.of(request).caller(request)
    return NoDeployments(data=[], meta=Meta(has_more=False, next_cursor=None))


@get("/deployments/{deployment_id:str}", sync_to_thread=True, responses=PROBLEMS)
def get_deployment(
    deployment_id: FromPath[str], request: Request[Any, Any, Any]
) -> NoDeployments:
    """Give one deployment: there is none."""
    Door.of(request).caller(request)
    raise not_found(f"Deployment with ID {deployment_id} does not exist.")


HANDLERS: tuple[HTTPRouteHandler, ...] = (
    import_reports,
    import_table,
    list_deployments,
    get_deployment,
)
"""The handlers, relative to ``/api/v2``."""
