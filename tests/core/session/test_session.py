"""A session: what a program records arrives, whatever becomes of the program."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import rigbridge
from rigbridge import Instrument, Run, Session, Unit
from rigbridge.adapters import ConversionReport, Spool
from rigbridge.errors import FileUnreadableError, ModelError
from rigbridge.outbox.incoming import IncomingFolder, OngoingRuns, read_run
from rigbridge.session import RunRecorder


def handed_over(data: Path) -> list[Run]:
    """Read the runs that were handed over in a data folder."""
    items = IncomingFolder(data).items()
    return [read_run(item, ConversionReport()) for item in items]


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Give a session that sends nothing, so that its runs can be looked at."""
    return Session(
        data=tmp_path / "data", station="bench-1", operator="ann", send=False
    )


@pytest.fixture
def last(session: Session) -> Callable[[], Run]:
    """Read the one run that was handed over."""

    def read() -> Run:
        (run,) = handed_over(session.data)
        return run

    return read


def test_a_file_may_say_where_runs_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings come from it, and an argument goes over them."""
    monkeypatch.delenv("RIGBRIDGE_DATA")
    file = tmp_path / "bench.toml"
    file.write_text(f"data = '{tmp_path / 'bench'}'\n")
    assert Session(configuration=str(file), send=False).data == tmp_path / "bench"
    other = Session(configuration=file, data=tmp_path / "other", send=False)
    assert other.data == tmp_path / "other"


def test_a_run_has_what_was_recorded(session: Session, last: Callable[[], Run]) -> None:
    """Unit, procedure, phases with paths, measurements, logs, and times in order."""
    with session.run("SN-1", "Final test", docstring="why") as run:
        run.metadata["fixture"] = "F7"
        run.add_sub_unit("SUB-1")
        with run.phase("power", docstring="on") as power:
            assert power.measure("vcc", 3.3, unit="V", low=3.1, high=3.5)
            with power.phase("rails") as rails:
                rails.attributes["group"] = "a"
                rails.measure("fw", "1.2", equal="1.2")
        run.log("done", "WARNING")
    found = last()
    assert found.id == run.id
    assert (found.outcome, found.station, found.operator) == ("PASS", "bench-1", "ann")
    assert found.unit.serial_number == "SN-1"
    assert found.procedure.name == "Final test"
    assert found.metadata == {"fixture": "F7"}
    assert [unit.serial_number for unit in found.sub_units] == ["SUB-1"]
    assert [(phase.name, phase.path) for phase in found.phases] == [
        ("power", ()),
        ("rails", ("power",)),
    ]
    (vcc,) = found.phases[0].measurements
    assert (vcc.value, vcc.unit, vcc.outcome) == (3.3, "V", "PASS")
    assert [(entry.level, entry.message) for entry in found.logs] == [
        ("WARNING", "done")
    ]
    times = [found.started_at, *(phase.started_at for phase in found.phases)]
    assert None not in times
    assert found.started_at is not None
    assert found.ended_at is not None
    assert found.started_at <= found.ended_at


class TestInstruments:
    """What a run was measured with."""

    def test_they_are_of_the_run_and_of_its_values(
        self, tmp_path: Path, last: Callable[[], Run]
    ) -> None:
        """Those of the session count, unless the run has its own; more may follow."""
        dmm = Instrument(name="dmm", serial_number="MY53", calibration_due="2027-03-01")
        scope = Instrument(name="scope")
        with Session(data=tmp_path / "data", instruments=[dmm], send=False) as session:
            with session.run("SN-1", "P") as run, run.phase("power") as phase:
                run.add_instrument(scope)
                phase.measure("vcc", 3.3, instrument="dmm")
            found = last()
            assert found.instruments == (dmm, scope)
            assert found.phases[0].measurements[0].instrument == "dmm"
            assert not found.logs
            own = session.run("SN-1", "P", instruments=[scope])
            with pytest.raises(ModelError, match="another instrument is called"):
                own.add_instrument(Instrument(name="scope", serial_number="7"))

    def test_one_that_is_not_listed_is_kept_and_said(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """A wrong name costs no value; the log of the run warns of it."""
        listed = [Instrument(name="dmm")]
        run = session.run("SN-1", "P", instruments=listed)
        with run, run.phase("power") as phase:
            phase.measure("vcc", 3.3, instrument="dnm")
        found = last()
        assert found.phases[0].measurements[0].instrument == "dnm"
        (entry,) = found.logs
        assert entry.level == "WARNING"
        assert "'dnm'" in entry.message


class TestVerdict:
    """The verdict of phases and runs."""

    def test_a_failing_measurement_fails_all_around_it(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """Its phase, the phase around that, and the run; not its neighbour."""
        with session.run("SN-1", "P") as run:
            with run.phase("outer") as outer, outer.phase("inner") as inner:
                assert not inner.measure("x", 2, high=1)
            with run.phase("other"):
                pass
        found = last()
        assert found.outcome == "FAIL"
        assert [phase.outcome for phase in found.phases] == ["FAIL", "FAIL", "PASS"]

    def test_an_exception_is_an_error_and_goes_on(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """The run arrives with its traceback, once."""
        with (
            pytest.raises(ZeroDivisionError),
            session.run("SN-1", "P") as run,
            run.phase("outer") as outer,
            outer.phase("inner"),
        ):
            _ = 1 / 0
        found = last()
        assert found.outcome == "ERROR"
        assert [phase.outcome for phase in found.phases] == ["ERROR", "ERROR"]
        (entry,) = found.logs
        assert entry.message.startswith("inner: Traceback")
        assert "ZeroDivisionError" in entry.message

    def test_an_assertion_is_a_verdict_on_the_unit(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """FAIL, not ERROR."""
        with (
            pytest.raises(AssertionError),
            session.run("SN-1", "P") as run,
            run.phase("a"),
        ):
            raise AssertionError("too hot")
        found = last()
        assert found.outcome == "FAIL"
        assert found.phases[0].outcome == "FAIL"

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    def test_who_ends_the_program_aborts_the_run(
        self, session: Session, last: Callable[[], Run], kind: type[BaseException]
    ) -> None:
        """Which is handed over nevertheless."""
        with pytest.raises(kind), session.run("SN-1", "P"):
            raise kind
        assert last().outcome == "ABORTED"

    def test_an_error_that_the_program_handles_still_counts(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """A phase that broke makes the run an ERROR."""
        with session.run("SN-1", "P") as run:
            try:
                with run.phase("a"):
                    raise OSError("no instrument")  # noqa: TRY301 - as a test has it
            except OSError:
                run.log("went on")
            with run.phase("b"):
                pass
        found = last()
        assert found.outcome == "ERROR"
        assert [phase.outcome for phase in found.phases] == ["ERROR", "PASS"]

    @pytest.mark.parametrize("verdict", ["fail", "skip", "error"])
    def test_a_phase_may_say_its_verdict(
        self, session: Session, last: Callable[[], Run], verdict: str
    ) -> None:
        """With a reason, which is logged."""
        with session.run("SN-1", "P") as run, run.phase("a") as phase:
            getattr(phase, verdict)("because")
        found = last()
        assert found.phases[0].outcome == verdict.upper()
        assert found.outcome == {"skip": "PASS"}.get(verdict, verdict.upper())
        assert found.logs[0].message == "a: because"

    @pytest.mark.parametrize(
        ("verdict", "outcome"),
        [("fail", "FAIL"), ("error", "ERROR"), ("abort", "ABORTED")],
    )
    def test_a_run_may_say_its_verdict(
        self,
        session: Session,
        last: Callable[[], Run],
        verdict: str,
        outcome: str,
    ) -> None:
        """Whatever its phases say."""
        with session.run("SN-1", "P") as run:
            getattr(run, verdict)("because")
        assert last().outcome == outcome


class TestFiles:
    """Attachments."""

    def test_a_file_is_taken_as_it_is_at_that_moment(
        self, session: Session, tmp_path: Path, last: Callable[[], Run]
    ) -> None:
        """The next measurement may overwrite it, or delete it."""
        picture = tmp_path / "scope.png"
        with session.run("SN-1", "P") as run, run.phase("a") as phase:
            picture.write_bytes(b"first")
            phase.attach(picture)
            picture.write_bytes(b"second")
            run.attach(str(picture), name="b.bin")
            picture.unlink()
            run.attach_bytes(b"third", name="c.txt")
        found = last()
        contents: list[tuple[str, bytes]] = []
        for attachment in found.attachments:
            assert attachment.opener is not None
            with attachment.opener() as stream:
                contents.append((attachment.name, stream.read()))
        assert contents == [
            ("scope.png", b"first"),
            ("b.bin", b"second"),
            ("c.txt", b"third"),
        ]
        assert found.attachments[0].media_type == "image/png"

    def test_a_missing_file_is_named(self, session: Session, tmp_path: Path) -> None:
        """And the run is still handed over."""
        with pytest.raises(FileUnreadableError, match="gone"):  # noqa: SIM117 - as a program has it
            with session.run("SN-1", "P") as run:
                run.attach(tmp_path / "gone.png")
        assert [found.outcome for found in handed_over(session.data)] == ["ERROR"]

    @pytest.mark.parametrize("refused", ["data", "both"])
    def test_a_folder_that_refuses_costs_no_verdict(
        self,
        session: Session,
        last: Callable[[], Run],
        monkeypatch: pytest.MonkeyPatch,
        refused: str,
    ) -> None:
        """The temporary folder takes the bytes; without that, the log says so."""
        renamed = Path.replace

        def refuse(path: Path, target: Path) -> Path:
            if refused == "both" or "spool" in path.parts:
                raise OSError(errno.EPERM, "refused", str(path))
            return renamed(path, target)

        with session.run("SN-1", "P") as run, monkeypatch.context() as patched:
            patched.setattr(Path, "replace", refuse)
            run.attach_bytes(b"1,2", name="trace.csv")
        found = last()
        assert found.outcome == "PASS"
        if refused == "data":
            (attachment,) = found.attachments
            assert attachment.opener is not None
            with attachment.opener() as stream:
                assert stream.read() == b"1,2"
        else:
            (line,) = found.logs
            assert "attachment 'trace.csv' could not be kept" in line.message
            assert "refused" in line.message


class TestNoRoom:
    """Neither the data folder nor its stand-in can be written."""

    def test_the_test_goes_on_and_the_loss_is_said(
        self,
        session: Session,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """On stderr, with the serial number and the reason."""

        def refuse(*_: object, **__: object) -> None:
            raise OSError("no space left")

        monkeypatch.setattr(IncomingFolder, "write", refuse)
        # Nor the journal, which would keep it.
        monkeypatch.setattr(OngoingRuns, "begin", lambda *_: None)
        with session.run("SN-1", "P"):
            pass
        said = capsys.readouterr().err
        assert "the run of SN-1 (PASS) could be kept nowhere" in said
        assert "no space left" in said


class TestRecorders:
    """What recorders take and refuse."""

    def test_the_unit_may_be_scanned_later(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """In the first phase, say."""
        with session.run("unknown", "P") as run:
            run.unit = "SN-9"
        assert last().unit == Unit(serial_number="SN-9")

    def test_low_and_limits_together(self, session: Session) -> None:
        """They contradict each other."""
        limits = rigbridge.Limit(lower=1)
        with session.run("SN-1", "P") as run, run.phase("a") as phase:
            with pytest.raises(ModelError, match="together with limits"):
                phase.measure("x", 1, low=0, limits=limits)
            phase.measure("x", 1, limits=limits)

    def test_a_phase_that_has_ended_takes_nothing(self, session: Session) -> None:
        """A value measured too late is not lost silently."""
        with session.run("SN-1", "P") as run:
            with run.phase("a") as phase:
                pass
            with pytest.raises(ModelError, match="has ended"):
                phase.measure("x", 1)

    def test_a_run_ends_once(self, session: Session, last: Callable[[], Run]) -> None:
        """With finish, without a block, in two functions."""
        run = session.run("SN-1", "P")
        run.finish()
        run.finish()
        assert last().id == run.id

    def test_a_phase_that_still_goes_on_ends_with_the_run(self) -> None:
        """Programs without blocks forget it."""
        runs: list[Run] = []
        run = RunRecorder("SN-1", "P", hand_over=runs.append, spool=Spool())
        run.phase("a").__enter__()
        run.finish()
        assert runs[0].phases[0].ended_at is not None

    def test_texts_that_no_encoding_can_write_do_not_cost_the_run(
        self, session: Session, last: Callable[[], Run]
    ) -> None:
        """Wherever they stand."""
        with session.run("SN\udc80", "P\udc80", docstring="\udc80") as run:
            with run.phase("\udc80", docstring="\udc80") as phase:
                phase.measure("\udc80", "\udc80")
            run.log("\udc80")
        assert last().phases[0].measurements[0].value == "\ufffd"


class TestDelivery:
    """From the session into a store."""

    def test_the_run_is_stored_when_the_session_has_ended(self, tmp_path: Path) -> None:
        """In the embedded store."""
        with Session(data=tmp_path / "data") as session:
            unit = Unit(serial_number="SN-1", part_number="P-1")
            with session.run(unit, "Final test") as run:
                pass
            assert session.flush(60) == 0
            entry = session.entry(run.id)
        assert entry is not None
        assert entry.state == "done"
        assert handed_over(tmp_path / "data") == []

    def test_folders_are_those_of_its_beginning(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A test that changes the working folder sends nothing elsewhere."""
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        session = Session(data="runs", send=False)
        os.chdir("elsewhere")
        with session.run("SN-1", "P"):
            pass
        assert len(handed_over(tmp_path / "runs")) == 1

    def test_sessions_without_sending_leave_it_to_others(
        self, session: Session
    ) -> None:
        """The run waits in the data folder, and is counted."""
        with session.run("SN-1", "P"):
            pass
        assert session.flush(0) == 1
        session.close()
        session.close()
        assert len(handed_over(session.data)) == 1

    def test_a_program_that_forgets_to_close_loses_nothing(
        self, tmp_path: Path
    ) -> None:
        """Nor does one that ends by an exception; nothing of ours is printed."""
        program = textwrap.dedent(
            f"""
            import rigbridge
            session = rigbridge.Session(data={str(tmp_path / "data")!r})
            with session.run("SN-1", "P") as run:
                raise RuntimeError("boom")
            """
        )
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1] == "RuntimeError: boom"
        assert "rigbridge." not in done.stderr.replace("rigbridge.Session", "")
        with Session(data=tmp_path / "data") as session:
            # A lease that a slow machine was left with lasts for a minute.
            assert session.flush(90) == 0


def test_an_attribute_that_cannot_be_leaves_the_phase_alone(session: Session) -> None:
    """The end of the run says so; what is noted for a kill says nothing."""
    run = session.run("SN-1", "P")
    with run.phase("power") as phase:
        phase.attributes["fixture"] = object()  # type: ignore[assignment]
    with pytest.raises(ModelError, match="fixture"):
        run.finish()
