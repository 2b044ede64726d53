"""The v2 calls about reports that are sent as files, and about deployments."""

from __future__ import annotations

from litestar.params import FromPath, JSONBody
from msgspec import UNSET

from rigbridge.errors import RigbridgeError
from rigbridge_store.refusals import FieldIssue, bad_request, invalid, not_found
from rigbridge_store.server.calls import ApiCall, FromCall, get, post
from rigbridge_store.server.importing import import_report
from rigbridge_store.server.v2.bodies import files as bodies
from rigbridge_store.server.v2.bodies.shared import Meta

__all__: list[str] = []

_MAX_ITEMS = 100


@post("/imports/structured")
def import_reports(
    data: JSONBody[bodies.ImportReports], call: FromCall
) -> bodies.ImportResults:
    """
    Make the runs of uploaded reports, each for itself.

    A report that was imported before answers its runs: they are never there twice.
    """
    if not 1 <= len(data.items) <= _MAX_ITEMS:
        raise invalid([FieldIssue("items", f"must be 1 to {_MAX_ITEMS}")])
    return bodies.ImportResults(results=[_import(call, item) for item in data.items])


def _import(call: ApiCall, item: bodies.ImportItem) -> bodies.ImportResult:
    upload = item.upload_id
    try:
        done = import_report(call.door, upload, item.importer, call.principal)
    except RigbridgeError as error:
        # One bad report does not keep the others out; its sender is told.
        return bodies.ImportResult(upload_id=upload, success=False, error=str(error))
    return bodies.ImportResult(
        upload_id=upload,
        success=True,
        id=done.ids[0],
        ids=list(done.ids) if len(done.ids) > 1 else UNSET,
        already_imported=not done.created,
        warnings=done.warnings or UNSET,
    )


@post("/imports/tabular")
def import_table() -> bodies.ImportResult:
    """Import a table by a mapping within the call, which this store does not do."""
    raise bad_request(
        "This store reads tables by the profiles in its settings. Send the upload to "
        "POST /api/v1/import with the importer CSV and the name of a profile."
    )


@get("/deployments")
def list_deployments() -> bodies.NoDeployments:
    """List deployments: this store builds and deploys nothing."""
    return bodies.NoDeployments(data=[], meta=Meta(has_more=False, next_cursor=None))


@get("/deployments/{deployment_id:str}")
def get_deployment(deployment_id: FromPath[str]) -> bodies.NoDeployments:
    """Give one deployment: there is none."""
    raise not_found(f"Deployment with ID {deployment_id} does not exist.")
