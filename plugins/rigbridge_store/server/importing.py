"""Imports an uploaded report with the installed adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rigbridge.adapters import ADAPTER_GROUP, Source, Spool
from rigbridge.configuration import Configuration
from rigbridge.errors import (
    ConfigurationError,
    DeliveryError,
    RigbridgeError,
    RunProblemsError,
    UnrecognizedSourceError,
)
from rigbridge.imports.detection import AdapterSet, InstalledAdapter
from rigbridge.imports.reading import ReadRun, read_source
from rigbridge.machine.plugins import PluginLoader
from rigbridge.model import JSONValue, ProcedureRef
from rigbridge_store.access.principals import Principal
from rigbridge_store.preparer import SUBMISSION, prepare_submission
from rigbridge_store.refusals import FieldIssue, bad_request, invalid
from rigbridge_store.server.door import Door
from rigbridge_store.submission import submit_prepared

__all__ = ["ImportedReport", "import_report"]

ANY_IMPORTER = "AUTO"
"""Stands for the adapter that claims the report, as ``rigbridge import`` chooses it."""


@attrs.frozen(kw_only=True)
class ImportedReport:
    """
    What became of a report.

    Attributes:
        created: whether any of them is new.
    """

    ids: Sequence[str]
    created: bool
    problems: Sequence[RigbridgeError]

    @property
    def warnings(self) -> list[str]:
        """The problems as lines."""
        return [str(problem) for problem in self.problems]


def import_report(
    door: Door,
    upload_id: str,
    importer: str,
    principal: Principal,
    profile: str | None = None,
    *,
    mapping: Mapping[str, JSONValue] | None = None,
    procedure: ProcedureRef | None = None,
) -> ImportedReport:
    """
    Read an uploaded report and store its runs.

    The same report again answers the same runs. What one run refers to is created,
    since nothing in this call could name what exists; a station still needs its link,
    and a new unit its part number, as at every other call.

    Args:
        importer: the name of an importer, or of an adapter.
        profile: the name of the profile to read it by, of those in the settings.
        mapping: in place of that: a column mapping, for the importer of tables.
        procedure: what its runs are runs of, whatever the report says.

    Raises:
        NotFoundError: there is no such upload.
        BadRequestError: its bytes have not come, there is no such importer or
            profile, or it holds no run that can be stored.
        ConfigurationError, PluginError: the adapter cannot be used.
        ForbiddenError: a station that is not linked to the procedure.
    """
    upload = door.store.uploads.completed(upload_id, principal)
    configuration = _with_profile(door.settings.reading(door.store.data), profile)
    if mapping is not None:
        names = _importers(door, importer)
        configuration = _with_mapping(configuration, names, mapping)
    source = Source(
        name=upload.name,
        uri=upload.name,
        opener=door.store.contents.opener(upload.content.sha256),
    )
    installed = _chosen(door, importer, configuration, source)
    strict = door.settings.policy
    policy = attrs.evolve(
        SUBMISSION, part_numbers=strict.part_numbers, identity=strict.identity
    )
    ids: list[str] = []
    created = False
    problems: list[RigbridgeError] = []
    # Attachments within the report are spooled to disk until their run is stored.
    with Spool() as spool:
        for item in read_source(source, installed, configuration, spool):
            if not isinstance(item, ReadRun):
                problems.append(item)
                continue
            report = item.report
            run = item.run
            if procedure is not None:
                run = attrs.evolve(run, procedure=procedure)
            # Handed over: what prepares a large run lets go of it on the way.
            given = [run]
            del run, item
            try:
                submission = prepare_submission(
                    door.store.contents,
                    given.pop(),
                    report,
                    principal=principal,
                    policy=policy,
                )
                receipt = submit_prepared(door.store, submission)
            except (DeliveryError, RunProblemsError) as error:
                # Its neighbours in the file are stored all the same.
                problems.append(error)
                continue
            ids.append(receipt.stored_id)
            created = created or receipt.created
            problems.extend(failure.error for failure in receipt.failures)
    if ids:
        return ImportedReport(ids=ids, created=created, problems=problems)
    # A single problem keeps its own kind, and with that its status.
    if len(problems) == 1:
        raise problems[0]
    lines = [str(problem) for problem in problems]
    raise bad_request("No run of the report could be stored.", *lines)


def _chosen(
    door: Door, importer: str, configuration: Configuration, source: Source
) -> InstalledAdapter:
    """Find the adapter of an importer; of several, the one that claims the report."""
    if importer.upper() == ANY_IMPORTER:
        return AdapterSet(configuration).choose(source)
    names = _importers(door, importer)
    if len(names) == 1:
        return AdapterSet(configuration, only=names[0]).choose(source)
    claims = [
        claim
        for claim in AdapterSet(configuration).claims(source)
        if claim.name in names
    ]
    if not claims:
        raise UnrecognizedSourceError(
            f"is no report of the importer {importer}", source=source.uri
        )
    return claims[0].installed


def _importers(door: Door, importer: str) -> list[str]:
    """Name the installed adapters behind an importer."""
    present = PluginLoader(ADAPTER_GROUP).names
    wanted = door.settings.importers.get(importer.upper(), (importer,))
    names = [name for name in wanted if name in present]
    if not names:
        known = sorted({ANY_IMPORTER, *door.settings.importers, *present})
        raise bad_request(
            f"There is no importer {importer!r}. Known: {', '.join(known)}.",
            FieldIssue("importer", "is not known here"),
        )
    return names


_MAPPED = "mapping"
_MAPPED_PLACE = "profiles[0].column_mapping"


def _with_mapping(
    configuration: Configuration, names: Sequence[str], mapping: Mapping[str, JSONValue]
) -> Configuration:
    """Make a column mapping the only profile, and have it checked by its adapter."""
    declared: dict[str, JSONValue] = {"name": _MAPPED, "column_mapping": mapping}
    settings: dict[str, JSONValue] = {"profiles": [declared], "profile": _MAPPED}
    made = attrs.evolve(
        configuration,
        adapters={**configuration.adapters, **dict.fromkeys(names, settings)},
    )
    # Made once to be checked: a wrong mapping is the sender's mistake and is to be told
    # before anything is read.
    for name in names:
        try:
            AdapterSet(made, only=name)
        except ConfigurationError as error:
            path = (error.place or "").partition(_MAPPED_PLACE)[2]
            remedy = f" ({error.remedy})" if error.remedy else ""
            issue = FieldIssue(f"{_MAPPED}{path}", f"{error.message}{remedy}")
            raise invalid([issue]) from error
    return made


def _with_profile(configuration: Configuration, profile: str | None) -> Configuration:
    """Keep only the profile of that name among those of the adapters' settings."""
    if profile is None:
        return configuration
    chosen: dict[str, Mapping[str, Any]] = {}
    for name, settings in configuration.adapters.items():
        profiles = settings.get("profiles")
        named = [
            item
            for item in (profiles if isinstance(profiles, list) else ())
            if isinstance(item, Mapping) and item.get("name") == profile
        ]
        if named:
            chosen[name] = {**settings, "profile": profile}
    if not chosen:
        raise bad_request(
            f"There is no profile {profile!r} in the server's settings.",
            FieldIssue("profile", "is not known here"),
        )
    return attrs.evolve(configuration, adapters={**configuration.adapters, **chosen})
