"""
Every call of one release of the official v2 client, against a server that is running.

A program of its own, since each release needs an environment of its own: run by its
interpreter with the server's origin, the key of a user, the key of a station and the
id of a procedure to which that is linked. It prints one JSON object: what became of
each call, ``works``, ``absent`` in this release, or the error.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

os.environ["DISABLE_TELEMETRY"] = "true"

START = datetime(2026, 1, 15, 10, 35, tzinfo=UTC)
SENT: dict[str, Any] = {
    "outcome": "PASS",
    "started_at": START,
    "ended_at": START + timedelta(minutes=5),
    "procedure_version": "1.2.3",
    "revision_number": "B",
    "batch_number": "2026-01",
    "sub_units": [],
    "client_run_ref": "run-of-every-call",
    "execution_id": "E-1",
    "slot_key": "1",
    "slot_name": "left",
    "docstring": "all fields",
    "metadata": {"fixture": "F1", "cycles": 7},
    "unit_metadata": {"colour": "red"},
    "config": [{"key": "gain", "value": 1.5, "version": 3, "source": "station"}],
    "secrets": [{"key": "token", "variable_id": "v-1", "source": "organization"}],
    "logs": [
        {
            "level": "INFO",
            "timestamp": START,
            "message": "begun",
            "source_file": "test.py",
            "line_number": 3,
        }
    ],
    "sequences": [{"path": "Main", "name": "Main", "outcome": "PASS"}],
    "phases": [
        {
            "name": "Power",
            "outcome": "PASS",
            "started_at": START,
            "ended_at": START + timedelta(seconds=2),
            "retry_count": 0,
            "measurements": [
                {
                    "name": "Voltage",
                    "outcome": "PASS",
                    "measured_value": 3.3,
                    "units": "V",
                    "lower_limit": 3.0,
                    "upper_limit": 3.6,
                },
                {
                    "name": "Curve",
                    "outcome": "PASS",
                    "x_axis": {"data": [1.0, 2.0], "units": "s"},
                    "y_axis": [{"data": [3.0, 4.0], "units": "V"}],
                },
            ],
        }
    ],
}
"""What a run is created with; a release is sent those fields that it knows."""


class _AbsentError(Exception):
    """The release has no such call."""


class EveryCall:
    """
    Makes every call once, in an order in which each finds what it needs.

    Args:
        url: the server's origin.
        user: the key of a user.
        station: the key of a station.
        procedure: the id of a procedure to which the station is linked.
    """

    def __init__(self, url: str, user: str, station: str, procedure: str) -> None:
        sdk = importlib.import_module("tofupilot.v2")
        self.models = importlib.import_module("tofupilot.v2.models")
        self.user = sdk.TofuPilot(api_key=user, server_url=url + "/api")
        self.station = sdk.TofuPilot(api_key=station, server_url=url + "/api")
        self.procedure = procedure
        self.became: dict[str, str] = {}
        self.made: dict[str, Any] = {}

    def call(self, name: str, /, client: Any = None, **values: Any) -> Any:
        """Make a call with those of the values that the release knows."""
        owner: Any = client or self.user
        for part in name.split("."):
            owner = getattr(owner, part, None)
            if owner is None:
                raise _AbsentError(name)
        while True:
            try:
                return owner(**values)
            except TypeError as error:
                words = str(error)
                unknown = words.rpartition("argument ")[2].strip("'")
                if "unexpected keyword" not in words or unknown not in values:
                    raise
                del values[unknown]

    def known_fields(self, model: str, values: dict[str, Any]) -> dict[str, Any]:
        """Keep those values that a body of the release has fields for."""
        fields = getattr(self.models, model).model_fields
        return {name: value for name, value in values.items() if name in fields}

    def try_all(self) -> dict[str, str]:
        """Make the calls; tell what became of each."""
        for name, make in CALLS:
            try:
                make(self)
            except _AbsentError:
                self.became[name] = "absent"
            # A client raises many kinds of error for an answer it cannot read.
            except Exception as error:  # noqa: BLE001
                words = " ".join(str(error).split())
                self.became[name] = f"{type(error).__name__}: {words[:300]}"
            else:
                self.became[name] = "works"
        return self.became

    def upload(self, name: str, content: bytes) -> str:
        """Upload a file the way that every release can."""
        grant = self.call("attachments.initialize", name=name)
        answer = httpx.put(grant.upload_url, content=content)
        answer.raise_for_status()
        return str(grant.id)


def _run_of(self: EveryCall, serial: str, **values: Any) -> str:
    sent = {**SENT, "procedure_id": self.procedure, "part_number": "PART-1", **values}
    sent["serial_number"] = serial
    return str(
        self.call("runs.create", **self.known_fields("RunCreateRequest", sent)).id
    )


def _create_part(self: EveryCall) -> None:
    self.call("parts.create", number="PART-1", name="Board", revision_number="B")


def _create_revision(self: EveryCall) -> None:
    self.call("parts.revisions.create", part_number="PART-1", number="C")


def _create_units(self: EveryCall) -> None:
    for serial in ("PARENT", "CHILD", "SPARE"):
        made = self.call(
            "units.create",
            serial_number=serial,
            part_number="PART-1",
            revision_number="B",
        )
        self.made[serial] = made.id


def _create_run(self: EveryCall) -> None:
    self.made["run"] = _run_of(self, "SN-1")


def _get_run(self: EveryCall) -> None:
    run = self.call("runs.get", id=self.made["run"])
    assert run.outcome == "PASS"
    assert run.phases[0].measurements[0].measured_value == 3.3
    if hasattr(run, "config"):
        (config,), (secret,) = run.config, run.secrets
        assert (config.key, config.value, config.version) == ("gain", 1.5, 3)
        assert (secret.key, secret.variable_id) == ("token", "v-1")


def _list_runs(self: EveryCall) -> None:
    page = self.call("runs.list", serial_numbers=["SN-1"], include_metadata=True)
    assert [run.id for run in page.data] == [self.made["run"]]


def _update_run(self: EveryCall) -> None:
    upload = self.upload("scope.txt", b"trace")
    self.call("runs.update", id=self.made["run"], attachments=[upload])


def _attach_to_run(self: EveryCall) -> None:
    self.call("runs.create_attachment", id=self.made["run"], name="photo.png")


def _change_metadata(self: EveryCall) -> None:
    changes = {"fixture": None, "line": "L2"}
    self.call("runs.update_metadata", id=self.made["run"], metadata=changes)


def _delete_run(self: EveryCall) -> None:
    doomed = _run_of(self, "SN-2", client_run_ref="doomed", execution_id="E-2")
    gone = self.call("runs.delete", ids=[doomed])
    assert list(getattr(gone, "id", None) or gone.ids) == [doomed]


def _listed(name: str, /, **values: Any) -> Callable[[EveryCall], None]:
    def make(self: EveryCall) -> None:
        given = {
            key: self.procedure if value == "procedure" else value
            for key, value in values.items()
        }
        page = self.call(name, **given)
        data = page if isinstance(page, list) else page.data
        assert data, "the list is empty"
        self.made[name] = data[0].id

    return make


def _gotten(name: str, listed: str) -> Callable[[EveryCall], None]:
    def make(self: EveryCall) -> None:
        if listed not in self.made:
            raise _AbsentError(name)
        assert self.call(name, id=self.made[listed]).id == self.made[listed]

    return make


def _plain(name: str, /, **values: Any) -> Callable[[EveryCall], None]:
    def make(self: EveryCall) -> None:
        self.call(name, **values)

    return make


def _get_unit(self: EveryCall) -> None:
    assert self.call("units.get", serial_number="sn-1").serial_number == "SN-1"


def _add_child(self: EveryCall) -> None:
    answer = self.call(
        "units.add_child", serial_number="PARENT", child_serial_number="CHILD"
    )
    assert answer.id == self.made["CHILD"], "answers another id than the child's"


def _remove_child(self: EveryCall) -> None:
    answer = self.call(
        "units.remove_child", serial_number="PARENT", child_serial_number="CHILD"
    )
    assert answer.id == self.made["CHILD"], "answers another id than the child's"


def _delete_unit(self: EveryCall) -> None:
    gone = self.call("units.delete", serial_numbers=["SPARE"])
    assert list(getattr(gone, "id", None) or gone.ids) == [self.made["SPARE"]]


def _attach_to_unit(self: EveryCall) -> None:
    upload = self.upload("unit.txt", b"unit")
    known = "attachments" in self.models.UnitUpdateRequestBody.model_fields
    if not known:
        raise _AbsentError("attachments of units")
    self.call("units.update", serial_number="SN-1", attachments=[upload])
    (file,) = self.call("units.get", serial_number="SN-1").attachments
    self.made["unit file"] = file.id


def _detach_from_unit(self: EveryCall) -> None:
    ids = [self.made.get("unit file", "")]
    self.call("units.delete_attachment", serial_number="SN-1", ids=ids)


def _get_procedure(self: EveryCall) -> None:
    assert self.call("procedures.get", id=self.procedure).id == self.procedure


def _create_procedure(self: EveryCall) -> None:
    self.made["procedure"] = self.call("procedures.create", name="Burn-in").id


def _update_procedure(self: EveryCall) -> None:
    self.call("procedures.update", id=self.made["procedure"], name="Burn-in 2")


def _create_version(self: EveryCall) -> None:
    made = self.made["procedure"]
    self.call("procedures.versions.create", procedure_id=made, tag="2.0")


def _get_version(self: EveryCall) -> None:
    made = self.made["procedure"]
    found = self.call("procedures.versions.get", procedure_id=made, tag="2.0")
    assert found.tag == "2.0"


def _delete_version(self: EveryCall) -> None:
    made = self.made["procedure"]
    self.call("procedures.versions.delete", procedure_id=made, tag="2.0")


def _delete_procedure(self: EveryCall) -> None:
    self.call("procedures.delete", id=self.made["procedure"])


def _create_station(self: EveryCall) -> None:
    made = self.call("stations.create", name="Line 9", procedure_id=self.procedure)
    self.made["station"] = made.id


def _get_station(self: EveryCall) -> None:
    found = self.call("stations.get", id=self.made["station"])
    assert found.name == "Line 9"


def _update_station(self: EveryCall) -> None:
    self.call("stations.update", id=self.made["station"], name="Line 10")


def _remove_station(self: EveryCall) -> None:
    self.call("stations.remove", id=self.made["station"])


def _current_station(self: EveryCall) -> None:
    self.call("stations.get_current", client=self.station)


def _list_users(self: EveryCall) -> None:
    group = "users" if hasattr(self.user, "users") else "user"
    assert self.call(group + ".list")


def _list_current_user(self: EveryCall) -> None:
    group = "users" if hasattr(self.user, "users") else "user"
    assert len(self.call(group + ".list", current=True)) == 1


def _finalize(self: EveryCall) -> None:
    upload = self.upload("finalized.txt", b"bytes")
    finalize = "finalize" if hasattr(self.user.attachments, "finalize") else "confirm"
    assert self.call("attachments." + finalize, id=upload).url


def _delete_upload(self: EveryCall) -> None:
    upload = self.upload("unused.txt", b"unused")
    assert self.call("attachments.delete", ids=[upload]).id == [upload]


def _import_report(self: EveryCall) -> None:
    upload = self.upload("report.json", b"{}")
    items = [{"upload_id": upload, "importer": "OPENHTF"}]
    (result,) = self.call("imports.structured", items=items).results
    assert not result.success
    assert result.error


def _import_table(self: EveryCall) -> None:
    table = (
        b"SN,Start,End,Verdict,VDD\n"
        b"TABLE-1,2026-03-14T09:12:05Z,2026-03-14T09:12:06Z,PASS,3.3\n"
    )
    columns = {
        "serial_number": "SN",
        "started_at": "Start",
        "ended_at": "End",
        "outcome": "Verdict",
    }
    fields: dict[str, Any] = {key: {"column": name} for key, name in columns.items()}
    fields["part_number"] = {"value": "PART-1"}
    mapping = {
        "fields": fields,
        "measurements": {"layout": "wide", "columns": [{"column": "VDD"}]},
    }
    upload = self.upload("table.csv", table)
    made = self.call(
        "imports.tabular",
        upload_id=upload,
        procedure_id=self.procedure,
        mapping=mapping,
    )
    assert made.id
    assert made.file_import_id == upload


def _refused(status: int, name: str, /, **values: Any) -> Callable[[EveryCall], None]:
    def make(self: EveryCall) -> None:
        try:
            self.call(name, **values)
        except _AbsentError:
            raise
        except Exception as error:
            if getattr(error, "status_code", None) != status:
                raise
        else:
            raise AssertionError(f"is not refused with {status}")

    return make


Call = tuple[str, Callable[[EveryCall], None]]

CALLS: list[Call] = [
    ("parts.create", _create_part),
    ("parts.revisions.create", _create_revision),
    ("units.create", _create_units),
    ("batches.create", _plain("batches.create", number="EMPTY")),
    ("runs.create", _create_run),
    ("runs.get", _get_run),
    ("runs.list", _list_runs),
    ("runs.update", _update_run),
    ("runs.create_attachment", _attach_to_run),
    ("runs.update_metadata", _change_metadata),
    ("runs.delete", _delete_run),
    ("phases.list", _listed("phases.list", procedure_id="procedure")),
    ("phases.get", _gotten("phases.get", "phases.list")),
    ("measurements.list", _listed("measurements.list", procedure_id="procedure")),
    ("measurements.get", _gotten("measurements.get", "measurements.list")),
    ("logs.list", _listed("logs.list", levels=["INFO"])),
    ("logs.get", _gotten("logs.get", "logs.list")),
    ("units.get", _get_unit),
    ("units.list", _listed("units.list", include_metadata=True)),
    ("units.update", _plain("units.update", serial_number="CHILD", batch_number="B7")),
    ("units.update attachments", _attach_to_unit),
    ("units.delete_attachment", _detach_from_unit),
    (
        "units.create_attachment",
        _plain("units.create_attachment", serial_number="SN-1", name="unit.png"),
    ),
    ("units.add_child", _add_child),
    ("units.remove_child", _remove_child),
    ("units.delete", _delete_unit),
    ("parts.get", _plain("parts.get", number="PART-1")),
    ("parts.list", _listed("parts.list")),
    ("parts.update", _plain("parts.update", number="PART-1", name="Board 2")),
    (
        "parts.revisions.get",
        _plain("parts.revisions.get", part_number="PART-1", revision_number="B"),
    ),
    (
        "parts.revisions.update",
        _plain(
            "parts.revisions.update",
            part_number="PART-1",
            revision_number="C",
            number="D",
        ),
    ),
    (
        "parts.revisions.delete",
        _plain("parts.revisions.delete", part_number="PART-1", revision_number="D"),
    ),
    ("batches.get", _plain("batches.get", number="2026-01")),
    ("batches.list", _listed("batches.list")),
    ("batches.update", _plain("batches.update", number="EMPTY", new_number="NONE")),
    ("batches.delete", _plain("batches.delete", number="NONE")),
    ("procedures.create", _create_procedure),
    ("procedures.get", _get_procedure),
    ("procedures.list", _listed("procedures.list")),
    ("procedures.update", _update_procedure),
    ("procedures.versions.create", _create_version),
    ("procedures.versions.get", _get_version),
    ("procedures.versions.delete", _delete_version),
    ("procedures.delete", _delete_procedure),
    ("stations.create", _create_station),
    ("stations.get", _get_station),
    ("stations.list", _listed("stations.list", include_metadata=True)),
    ("stations.get_current", _current_station),
    ("stations.update", _update_station),
    ("stations.remove", _remove_station),
    ("users.list", _list_users),
    ("users.list current", _list_current_user),
    ("users.get_current", _plain("users.get_current")),
    ("identity.whoami", _plain("identity.whoami")),
    ("attachments.initialize", _plain("attachments.initialize", name="x.txt")),
    ("attachments.finalize", _finalize),
    ("attachments.delete", _delete_upload),
    ("imports.structured", _import_report),
    (
        "imports.tabular",
        _import_table,
    ),
    ("deployments.list", _plain("deployments.list")),
    ("deployments.get", _refused(404, "deployments.get", id="x")),
]
"""The calls, by the name that a script gives them."""


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        result = EveryCall(*sys.argv[1:5]).try_all()
    sys.stdout.write(json.dumps(result))
