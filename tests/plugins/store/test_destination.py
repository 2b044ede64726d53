"""The destination in process."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

import attrs
import pytest
from hypothesis import HealthCheck, given, settings

from rigbridge.convert import to_document
from rigbridge.destinations import DestinationSettings
from rigbridge.errors import (
    BadRequestError,
    ConfigurationError,
    NoAnswerError,
    NotFoundError,
    RunProblemsError,
    UnprocessableError,
)
from rigbridge.model import (
    Attachment,
    FileOpener,
    Limit,
    Measurement,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Run,
    RunOutcome,
    Series,
    SubUnit,
    Unit,
)
from rigbridge.model.report import ConversionReport
from rigbridge.testing.adapters.strategies import runs
from rigbridge_store.destination import LocalDestination
from rigbridge_store.tables.packing import unpack
from rigbridge_store.tables.schema import run_documents

_START = datetime(2024, 1, 15, 10, 35, 0, 123456, tzinfo=UTC)


@pytest.fixture
def local(data: Path) -> Iterator[LocalDestination]:
    """Make a destination of a new folder."""
    destination = LocalDestination(DestinationSettings(data=data))
    yield destination
    destination.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDestination]:
    """Make a destination for many runs."""
    folder = tmp_path_factory.mktemp("shared")
    destination = LocalDestination(DestinationSettings(data=folder))
    yield destination
    destination.close()


def _run(*attachments: Attachment, run_id: UUID | None = None) -> Run:
    return Run(
        id=run_id or uuid4(),
        outcome=RunOutcome.FAIL,
        procedure=ProcedureRef(id="FVT4", name="Battery", version="1.0 beta"),
        unit=Unit(serial_number="0001", revision="B"),
        started_at=_START,
        ended_at=_START + timedelta(microseconds=1),
        operator="jane@example.com",
        station="Line 1",
        phases=(
            Phase(
                name="Charge",
                path=("Main", "Loop"),
                outcome=PhaseOutcome.SKIP,
                attributes={"loop": 3},
                measurements=(
                    Measurement(
                        name="Curve",
                        value=Series.from_rows(
                            [(0.0, 1.5), (1.0, float("nan"))],
                            names=["t", "U"],
                            units=["s", None],
                        ),
                    ),
                    Measurement(
                        name="Count",
                        value=2**70,
                        limits=Limit(lower=2**60 + 1, lower_inclusive=False),
                    ),
                ),
            ),
        ),
        attachments=attachments,
        metadata={"b": 1, "a": [1.0, None]},
    )


def _held(content: bytes, name: str = "scope.png") -> Attachment:
    return Attachment(
        name=name,
        media_type="image/png",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        opener=lambda: io.BytesIO(content),
    )


def _read(attachment: Attachment) -> bytes:
    assert attachment.opener is not None
    with attachment.opener() as stream:
        return stream.read()


class TestSubmit:
    """Storing runs."""

    def test_whole_run(self, local: LocalDestination) -> None:
        """A run comes back equal, whatever v1 has no field for."""
        run = _run()
        receipt = local.submit(run)
        assert (receipt.stored_id, receipt.created) == (str(run.id), True)
        restored = local.get_run(receipt.stored_id)
        assert restored == run
        assert repr(to_document(restored)) == repr(to_document(run))

    @settings(
        max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(run=runs())
    def test_any_run(self, shared: LocalDestination, run: Run) -> None:
        """Every run that can be stored comes back equal, and is listed."""
        # Examples share a store, and shrinking keeps the id.
        run = attrs.evolve(run, id=uuid4())
        receipt = shared.submit(run)
        assert receipt.failures == ()
        assert shared.get_run(receipt.stored_id) == run
        listed = shared.list_runs((run.unit.serial_number or "").swapcase())
        assert str(run.id) in [item.id for item in listed]
        shown = next(item for item in listed if item.id == str(run.id))
        assert shown.outcome == run.outcome
        assert len(shown.phases or ()) == len(run.phases)
        assert len(shown.attachments or ()) == len(run.attachments)

    def test_twice(self, local: LocalDestination) -> None:
        """The same run twice is stored once."""
        run = _run()
        local.submit(run)
        receipt = local.submit(run)
        assert (receipt.created, receipt.warnings) == (False, ())
        assert len(local.recent_runs(5)) == 1

    def test_other_content(self, local: LocalDestination) -> None:
        """Another content under the same id is kept out, and that is said."""
        run = _run()
        local.submit(run)
        receipt = local.submit(attrs.evolve(run, outcome=RunOutcome.PASS))
        assert "other content" in receipt.warnings[0]
        assert local.get_run(str(run.id)).outcome is RunOutcome.FAIL

    def test_report(self, local: LocalDestination) -> None:
        """The conversion report is kept with the run, once."""
        report = ConversionReport()
        report.dropped("widget", "no such thing")
        local.submit(_run(), report)
        with local.store._database.reading() as connection:
            (row,) = connection.execute(run_documents.select()).all()
        assert '"widget"' in unpack(row.report)
        assert "widget" not in unpack(row.sidecar)

    def test_impossible_run(self, local: LocalDestination) -> None:
        """A run without a serial number is refused."""
        with pytest.raises(RunProblemsError) as caught:
            local.submit(attrs.evolve(_run(), unit=Unit()))
        assert "no serial number" in str(caught.value)

    def test_sub_units(self, local: LocalDestination) -> None:
        """Sub-units that are new are created; a unit within itself is refused."""
        run = attrs.evolve(_run(), sub_units=(SubUnit(serial_number="S1"),))
        assert local.get_run(local.submit(run).stored_id) == run
        with pytest.raises(BadRequestError, match="cycle"):
            local.submit(
                attrs.evolve(
                    _run(),
                    unit=Unit(serial_number="s1"),
                    sub_units=(SubUnit(serial_number="0001"),),
                )
            )


class TestAttachments:
    """Files of runs."""

    def test_bytes(self, local: LocalDestination) -> None:
        """Attachments come back with their bytes, in order, equal ones included."""
        same = _held(b"same")
        run = _run(same, _held(b"1"), _held(b"2"), same, Attachment(name="far.bin"))
        receipt = local.submit(run)
        assert receipt.attached == ("scope.png",) * 4
        restored = local.get_run(receipt.stored_id)
        assert restored == run
        found = [_read(item) for item in restored.attachments[:-1]]
        assert found == [b"same", b"1", b"2", b"same"]
        assert not restored.attachments[-1].embedded

    def test_open_attachment(self, local: LocalDestination) -> None:
        """The bytes of a listed attachment can be opened by its id."""
        local.submit(_run(_held(b"1")))
        (file,) = list(local.recent_runs(1)[0].attachments or ())
        with local.open_attachment(file.id) as stream:
            assert stream.read() == b"1"

    def test_unreadable(self, local: LocalDestination, tmp_path: Path) -> None:
        """A file that cannot be read now is named, and supplied by a later attempt."""
        path = tmp_path / "scope.png"
        lost = attrs.evolve(_held(b"1"), opener=FileOpener(path))
        run = _run(lost, _held(b"2", "b.png"))
        receipt = local.submit(run)
        assert receipt.created
        assert receipt.attached == ("b.png",)
        (failure,) = receipt.failures
        assert failure.name == "scope.png"
        assert isinstance(failure.error, NoAnswerError)
        assert not local.get_run(receipt.stored_id).attachments[0].embedded
        path.write_bytes(b"1")
        again = local.submit(run)
        assert (again.created, again.failures) == (False, ())
        restored = local.get_run(again.stored_id)
        assert restored == run
        assert [_read(item) for item in restored.attachments] == [b"1", b"2"]

    def test_changed(self, local: LocalDestination) -> None:
        """Bytes that are not those described are refused."""

        def opener() -> IO[bytes]:
            return io.BytesIO(b"other")

        receipt = local.submit(_run(attrs.evolve(_held(b"1"), opener=opener)))
        assert isinstance(receipt.failures[0].error, UnprocessableError)

    def test_attach(self, local: LocalDestination) -> None:
        """A file that is added later is linked once."""
        stored = local.submit(_run()).stored_id
        for _ in range(2):
            local.attach(stored, _held(b"1"))
        (attachment,) = local.get_run(stored).attachments
        assert _read(attachment) == b"1"

    def test_attach_a_reference(self, local: LocalDestination) -> None:
        """A file without bytes cannot be added."""
        stored = local.submit(_run()).stored_id
        with pytest.raises(UnprocessableError, match="without bytes"):
            local.attach(stored, Attachment(name="far.bin"))

    def test_attach_to_nothing(self, local: LocalDestination) -> None:
        """A file cannot be added to a run that does not exist."""
        local.submit(_run())
        with pytest.raises(NotFoundError):
            local.attach(str(uuid4()), _held(b"1"))

    def test_supplied_reference(self, local: LocalDestination) -> None:
        """A file that a run only refers to gets its bytes when they come."""
        stored = local.submit(_run(Attachment(name="far.bin"))).stored_id
        local.attach(stored, _held(b"1", "far.bin"))
        (attachment,) = local.get_run(stored).attachments
        assert _read(attachment) == b"1"


_SUBMIT = """
import sys, uuid
from datetime import UTC, datetime
from pathlib import Path
from rigbridge.destinations import DestinationSettings
from rigbridge.model import ProcedureRef, Run, RunOutcome, Unit
from rigbridge_store.destination import LocalDestination

destination = LocalDestination(DestinationSettings(data=Path(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
for number in range(50):
    receipt = destination.submit(Run(
        id=uuid.UUID(int=number), outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name=f"P{number % 5}"),
        unit=Unit(serial_number=f"SN{number}"),
    ))
    print(receipt.created)
"""


class TestTogether:
    """Several users of one data folder."""

    def test_processes(self, data: Path, local: LocalDestination) -> None:
        """Processes that submit the same runs store each once."""
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", _SUBMIT, str(data)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        answers = "".join(process.communicate()[0] for process in processes)
        assert [process.returncode for process in processes] == [0, 0]
        assert answers.count("True") == 50
        assert answers.count("False") == 50
        assert len(local.recent_runs(100)) == 50

    def test_threads(self, local: LocalDestination) -> None:
        """Threads that submit the same run store it once."""
        run = _run(_held(b"1"))
        created: list[bool] = []
        threads = [
            threading.Thread(target=lambda: created.append(local.submit(run).created))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(created) == [False] * 5 + [True]
        assert local.get_run(str(run.id)) == run

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
    def test_fork(self, data: Path) -> None:
        """A process that was forked from one that uses the store may use it too."""
        script = (
            "import os, sys, uuid, pathlib\n"
            "from rigbridge_store import RunStore\n"
            "store = RunStore.open(pathlib.Path(sys.argv[1]))\n"
            "store.recent_runs(1)\n"
            "child = os.fork()\n"
            "if not child:\n"
            "    store.create_user_key('child')\n"
            "    os._exit(0)\n"
            "assert os.waitpid(child, 0)[1] == 0\n"
            "store.create_user_key('parent')\n"
            "print(store.keys.exist())\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(data)],
            capture_output=True,
            check=True,
            text=True,
        )
        assert done.stdout == "True\n"

    def test_preparer_without_tables(self) -> None:
        """A process that prepares runs does not load the library of the tables."""
        script = (
            "import sys, rigbridge_store.preparer\nprint('sqlalchemy' in sys.modules)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        )
        assert done.stdout == "False\n"

    def test_unusable_folder(self, tmp_path: Path) -> None:
        """A folder that cannot be used is a matter of configuration."""
        path = tmp_path / "file"
        path.write_bytes(b"")
        destination = LocalDestination(DestinationSettings(data=path))
        with pytest.raises(ConfigurationError):
            destination.recent_runs(1)


def test_a_run_that_differs_is_named_in_parts_and_makes_way(
    local: LocalDestination,
) -> None:
    """Its times, values, files and what v1 has no field for, each by its name."""
    first = Run(
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="P"),
        unit=Unit(serial_number="SN", part_number="A"),
        started_at=_START,
        phases=[
            Phase(
                name="a",
                outcome=PhaseOutcome.PASS,
                measurements=[
                    Measurement(name=name, outcome="PASS", value=1.5) for name in "xyz"
                ],
            )
        ],
    )
    values = first.phases[0].measurements
    other = attrs.evolve(
        first,
        unit=Unit(serial_number="SN", part_number="B"),
        # Earlier: what the first told of the unit must not outlast it.
        started_at=_START - timedelta(hours=2),
        station="rig",
        phases=[
            attrs.evolve(
                first.phases[0],
                measurements=[
                    values[0],
                    attrs.evolve(values[1], value=2.5),
                    attrs.evolve(values[2], unit="V"),
                ],
            )
        ],
    )
    local.submit(first)
    receipt = local.submit(other)
    assert receipt.differs
    assert set(receipt.differences) >= {
        "started_at",
        "unit_under_test.part_number",
        "station",
        "2 measurements",
    }
    assert local.get_run(str(first.id)).started_at == _START
    local.begin_replacing()
    replaced = local.submit(other)
    assert (replaced.stored_id, replaced.replaced) == (str(first.id), True)
    assert to_document(local.get_run(str(first.id))) == to_document(other)
    (listed,) = local.list_runs("SN")
    assert listed.unit is not None
    assert listed.unit.part is not None
    assert local.submit(other).differs is False
