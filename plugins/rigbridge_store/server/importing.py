"""An uploaded report to runs, by the installed adapters."""

from __future__ import annotations

from rigbridge.adapters import Source, Spool
from rigbridge.errors import DeliveryError, RigbridgeError, RunProblemsError
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import ReadRun, read_source
from rigbridge.wire import ImportRun
from rigbridge_store.principals import Principal
from rigbridge_store.refusals import bad_request
from rigbridge_store.server.bodies import Imported
from rigbridge_store.server.door import Door
from rigbridge_store.submission import submit_run

__all__ = ["import_upload"]

_IMPORTERS = {
    "OPENHTF": "openhtf-json",
    "TESTSTAND_XML": "teststand-xml",
    "CSV": "csv",
}
"""The contract's names of importers that go by another name here."""


def import_upload(door: Door, body: ImportRun, principal: Principal) -> Imported:
    """
    Read an uploaded report and store its runs.

    The same report again answers the same runs. What one run refers to is created,
    since nothing in this call could name what exists; a station still needs its link.

    Raises:
        NotFoundError: there is no such upload.
        BadRequestError: its bytes have not come, or it holds no run that can be
            stored.
        ConfigurationError, PluginError: there is no such adapter.
        ForbiddenError: a station that is not linked to the procedure.
    """
    upload = door.store.completed_upload(body.upload_id)
    configuration = door.settings.reading(door.store.data)
    name = _IMPORTERS.get(body.importer.upper(), body.importer)
    installed = AdapterSet(configuration, only=name).choose(
        source := Source(
            name=upload.name,
            uri=upload.name,
            opener=door.store.blobs.opener(upload.blob.sha256),
        )
    )
    ids: list[str] = []
    problems: list[RigbridgeError] = []
    with Spool() as spool:
        for item in read_source(source, installed, configuration, spool):
            if not isinstance(item, ReadRun):
                problems.append(item)
                continue
            try:
                receipt = submit_run(
                    door.store, item.run, item.report, principal=principal
                )
            except (DeliveryError, RunProblemsError) as error:
                problems.append(error)
                continue
            ids.append(receipt.stored_id)
            problems.extend(failure.error for failure in receipt.failures)
    return _answer(ids, problems)


def _answer(ids: list[str], problems: list[RigbridgeError]) -> Imported:
    lines = [str(problem) for problem in problems]
    if ids:
        if lines:
            return Imported(id=ids[0], ids=ids, warnings=lines)
        return Imported(id=ids[0], ids=ids)
    if len(problems) == 1:
        raise problems[0]
    raise bad_request("No run of the report could be stored.", *lines)
