"""What was delivered is forgotten by age and size, what was not never."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.configuration import load_configuration
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, Run
from rigbridge.opening import open_outbox
from rigbridge.outbox import EntryState, Outbox, Retention
from rigbridge.testing.run_store.faults import Dialect, Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]
OpenOutbox = Callable[..., Outbox]
Serve = Callable[..., RunStoreServer]


def _age(outbox: Outbox, days: float) -> None:
    with outbox._database.writing() as connection:
        connection.execute(
            "UPDATE entry SET finished_at = finished_at - ?,"
            " submitted_at = submitted_at - ?",
            (days * 86_400, days * 86_400),
        )


def test_old_deliveries_are_forgotten(
    server: RunStoreServer, outbox: Outbox, make_run: MakeRun
) -> None:
    """After 90 days, and still counted; what is parked or waits stays for ever."""
    server.inject(Fault.UNPROCESSABLE, on=Operation.CREATE)
    for _ in range(3):
        outbox.submit(make_run())
    outbox.flush(60)
    outbox.submit(make_run())
    _age(outbox, 89)
    assert outbox.prune() == 0
    _age(outbox, 2)
    assert outbox.prune() == 2
    states = {entry.state for entry in outbox.entries(tuple(EntryState))}
    assert states == {EntryState.PARKED, EntryState.PENDING}
    assert outbox.status().delivered == 2


def test_a_forgotten_run_that_is_handed_over_again_is_not_sent_again(
    server: RunStoreServer, outbox: Outbox, make_run: MakeRun
) -> None:
    """Its id stays, so that a store without idempotency keys does not get it twice."""
    runs = [make_run() for _ in range(3)]
    for run in runs:
        outbox.submit(run)
    assert outbox.flush(60) == 0
    _age(outbox, 91)
    assert outbox.prune() == 3
    for run in runs:
        assert outbox.submit(run) == run.id
    assert outbox.entries(tuple(EntryState)) == []
    assert outbox.status().delivered == 3
    assert len(server.runs) == 3
    with pytest.raises(ConfigurationError, match="delivered and no longer here"):
        outbox.run(runs[0].id)


def test_a_dropped_run_that_is_handed_over_again_goes_on_where_it_was(
    serve: Serve, open_outbox: OpenOutbox, make_run: MakeRun, make_file: MakeFile
) -> None:
    """The store knew it already, but for a file that it refused then."""
    server = serve(max_upload=4)
    outbox = open_outbox(server)
    run = make_run(attachments=[make_file("small", b"1"), make_file("large", b"12345")])
    outbox.submit(run)
    assert outbox.flush(60) == 0
    outbox.drop(run.id)
    server.contents.dialect = Dialect()
    outbox.submit(run)
    assert outbox.flush(60) == 0
    (stored,) = server.runs
    assert server.attachments(stored.id) == [("small", b"1"), ("large", b"12345")]
    assert outbox.status().parked == 0


def test_a_dropped_run_that_was_never_sent_is_as_new(
    server: RunStoreServer, outbox: Outbox, make_run: MakeRun
) -> None:
    """Nothing of it is remembered, and it is sent like any other."""
    run = make_run()
    outbox.submit(run)
    outbox.drop(run.id)
    outbox.submit(run)
    assert outbox.flush(60) == 0
    assert len(server.runs) == 1
    assert server.count(Operation.CREATE) == 1


def test_what_waits_is_kept_where_newer_ones_are_forgotten_for_want_of_room(
    server: RunStoreServer, outbox: Outbox, make_run: MakeRun
) -> None:
    """Room is made by the delivered alone, however old what waits is."""
    waiting, delivered = make_run(), make_run()
    outbox.submit(waiting)
    with outbox._database.writing() as connection:
        connection.execute("UPDATE entry SET destination = 'elsewhere'")
    outbox.submit(delivered)
    while outbox.status().delivered == 0:
        outbox.flush(0.2)
    outbox._retention = Retention(keep_megabytes=1e-9)
    assert outbox.prune() == 1
    (left,) = outbox.entries(tuple(EntryState))
    assert (left.id, left.state) == (waiting.id, EntryState.PENDING)
    assert [run.serial_number for run in server.runs] == [delivered.unit.serial_number]


def test_the_oldest_go_where_there_is_no_room(
    server: RunStoreServer, folder: Path, make_run: MakeRun
) -> None:
    """Of the memories so many stay as fit, the newest."""
    settings = DestinationSettings(data=folder, url=server.url, api_key=server.api_key)
    runs = [make_run() for _ in range(8)]
    with Outbox.open(
        folder,
        partial(HTTPDestination, settings),
        retention=Retention(keep_megabytes=0.003),
    ) as outbox:
        for run in runs:
            outbox.submit(run)
        outbox.flush(60)
        gone = outbox.prune()
        left = [entry.id for entry in outbox.entries(tuple(EntryState))]
    assert 0 < gone < 8
    assert left == [run.id for run in runs[gone:]]


def test_the_settings_are_read_and_checked(tmp_path: Path) -> None:
    """The table ``outbox`` sets both limits, and a wrong one is named."""
    file = tmp_path / "rigbridge.toml"
    file.write_text("[outbox]\nkeep_days = 0\n")
    with pytest.raises(ConfigurationError, match="keep_days must be a number above 0"):
        open_outbox(load_configuration(file=file, data=tmp_path))
    file.write_text("[outbox]\nkeep_days = 7\nkeep_megabytes = 1.5\n")
    with open_outbox(load_configuration(file=file, data=tmp_path)) as outbox:
        assert outbox._retention == Retention(keep_days=7, keep_megabytes=1.5)
