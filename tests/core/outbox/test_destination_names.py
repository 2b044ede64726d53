"""Entries know where they go, and nobody else gets them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from rigbridge.client.destination import HTTPDestination
from rigbridge.destinations import Destination, DestinationSettings
from rigbridge.errors import ConfigurationError
from rigbridge.model import Attachment, Run, SubUnit, Unit
from rigbridge.outbox import EntryState, Outbox
from rigbridge.outbox.incoming import IncomingFolder, IncomingIntake, write_run
from rigbridge.testing.run_store.faults import Fault, Operation
from rigbridge.testing.run_store.server import RunStoreServer

MakeRun = Callable[..., Run]
MakeFile = Callable[..., Attachment]


def _unused() -> Destination:
    pytest.fail("nothing is to be sent here")


def _to(server: RunStoreServer, folder: Path) -> Callable[[], Destination]:
    settings = DestinationSettings(data=folder, url=server.url, api_key=server.api_key)
    return partial(HTTPDestination, settings)


def test_a_run_goes_to_the_destination_that_it_was_handed_over_for(
    server: RunStoreServer, folder: Path, make_run: MakeRun
) -> None:
    """An outbox for another store does not send it, and says that it is there."""
    run = make_run()
    with Outbox.open(folder, _unused, name="https://a") as outbox:
        outbox.submit(run)
    with Outbox.open(folder, _unused, name="https://b") as outbox:
        assert outbox.flush(60) == 0
        status = outbox.status()
        assert (status.waiting, status.others) == (1, {"https://a": 1})
    with Outbox.open(folder, _to(server, folder), name="https://a") as outbox:
        assert outbox.status().others == {}
        assert outbox.flush(60) == 0
    assert len(server.runs) == 1


def test_what_is_not_queued_yet_counts_for_its_destination_as_well(
    folder: Path, make_run: MakeRun
) -> None:
    """Who closes before anything is taken in still hears that it goes elsewhere."""
    incoming = IncomingFolder(folder)
    write_run(incoming, make_run(), destination="https://a")
    write_run(incoming, make_run(), destination="https://b")
    write_run(incoming, make_run())
    intake = IncomingIntake(incoming)
    with Outbox.open(folder, _unused, name="https://a") as outbox:
        outbox.submit(make_run())
    with Outbox.open(folder, _unused, name="https://b", incoming=intake) as outbox:
        status = outbox.status()
        assert (status.waiting, status.others) == (4, {"https://a": 2})


def test_an_outbox_without_a_name_sends_nothing_that_has_one(
    folder: Path, make_run: MakeRun
) -> None:
    """It cannot know that its destination is the one that is meant."""
    with Outbox.open(folder, _unused, name="https://a") as outbox:
        outbox.submit(make_run())
    with Outbox.open(folder, _unused) as outbox:
        assert outbox.flush(60) == 0
        assert outbox.status().others == {"https://a": 1}


def test_a_run_without_a_destination_is_bound_by_who_first_sends_it(
    server: RunStoreServer,
    folder: Path,
    make_run: MakeRun,
    until: Callable[[Callable[[], object]], None],
) -> None:
    """From then on the store may know it, so that no other one gets it."""
    run = make_run()
    with Outbox.open(folder, _unused) as outbox:
        outbox.submit(run)
    server.inject(Fault.UNAVAILABLE, on=Operation.CREATE, times=10_000)
    with Outbox.open(folder, _to(server, folder), name="https://a") as outbox:
        outbox.start()
        until(lambda: server.requests)
        entry = outbox.entry(run.id)
        assert entry is not None
        assert entry.destination == "https://a"
    with Outbox.open(folder, _unused, name="https://b") as outbox:
        assert outbox.flush(60) == 0
        assert outbox.status().others == {"https://a": 1}


def test_a_dead_store_holds_nobody_else(
    server: RunStoreServer,
    folder: Path,
    make_run: MakeRun,
    until: Callable[[Callable[[], object]], None],
) -> None:
    """The circuit of one destination is not that of another."""
    dead = DestinationSettings(data=folder, url="http://127.0.0.1:9", api_key="k")
    with Outbox.open(folder, partial(HTTPDestination, dead), name="dead") as outbox:
        for _ in range(4):
            outbox.submit(make_run())
        until(lambda: outbox.flush(1) == 4 and outbox.status().held)
    with Outbox.open(folder, _to(server, folder), name="alive") as outbox:
        assert outbox.status().held is None
        outbox.submit(make_run())
        assert outbox.flush(60) == 0
    assert len(server.runs) == 1


def test_moved_entries_are_looked_up_and_not_sent_twice(
    server: RunStoreServer, folder: Path, make_run: MakeRun, make_file: MakeFile
) -> None:
    """A store that is reached under a new name has what the old name was told."""
    new_url = server.url.replace("127.0.0.1", "localhost")
    settings = DestinationSettings(data=folder, url=new_url, api_key=server.api_key)
    server.inject(Fault.UNAVAILABLE, on=Operation.INITIALIZE, times=1000)
    run = make_run(attachments=(make_file("a", b"1"),))
    with Outbox.open(folder, _to(server, folder), name=server.url) as outbox:
        outbox.submit(run)
        while not server.runs:
            outbox.flush(0.2)
    server.heal()
    with Outbox.open(folder, partial(HTTPDestination, settings), name=new_url) as box:
        assert box.move(server.url, new_url) == 1
        assert box.flush(60) == 0
    assert len(server.runs) == 1


def test_parked_entries_move_as_well(folder: Path, make_run: MakeRun) -> None:
    """Whatever is not delivered goes to the new name."""
    waiting, parked = make_run(), make_run()
    with Outbox.open(folder, _unused, name="old") as outbox:
        outbox.submit(waiting)
        outbox.submit(parked)
        with outbox._database.writing() as connection:
            connection.execute(
                "UPDATE entry SET state = 'parked' WHERE run_id = ?", (str(parked.id),)
            )
        assert outbox.move("old", "new") == 2
        entries = outbox.entries((EntryState.PENDING, EntryState.PARKED))
        assert [entry.destination for entry in entries] == ["new", "new"]


def test_an_unknown_name_is_no_move(folder: Path, make_run: MakeRun) -> None:
    """The names that there are stand in the error."""
    with Outbox.open(folder, _unused, name="https://a") as outbox:
        outbox.submit(make_run())
        with pytest.raises(ConfigurationError, match="known: https://a"):
            outbox.move("https://c", "https://b")


def test_a_second_hand_over_for_another_store_is_said(
    folder: Path, make_run: MakeRun, caplog: pytest.LogCaptureFixture
) -> None:
    """One run has one entry; that it does not go to the other store is no secret."""
    run = make_run()
    with Outbox.open(folder, _unused, name="https://a") as outbox:
        outbox.submit(run)
    with Outbox.open(folder, _unused, name="https://b") as outbox:
        outbox.submit(run)
    assert "for https://a, and does not go to https://b" in caplog.text


def test_parts_wait_only_for_parts_of_the_same_store(
    server: RunStoreServer, folder: Path, make_run: MakeRun
) -> None:
    """A part that goes to another store does not keep the whole waiting."""
    part = make_run(unit=Unit(serial_number="PART"))
    whole = make_run(sub_units=(SubUnit(serial_number="PART"),))
    with Outbox.open(folder, _unused, name="other") as outbox:
        outbox.submit(part)
    with Outbox.open(folder, _to(server, folder), name="this") as outbox:
        outbox.submit(whole)
        taken = outbox._leases.take()
    assert taken is not None
    assert taken.id == whole.id
