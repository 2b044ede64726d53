"""A session of pytest as a run: real sessions in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TypeAlias

import pytest
from typer.testing import CliRunner

import rigbridge
from rigbridge import Instrument, Phase, Run
from rigbridge.adapters import ConversionReport
from rigbridge.cli.main import app
from rigbridge.outbox.incoming import IncomingFolder, read_run, take_up_ended

Done: TypeAlias = "subprocess.CompletedProcess[str]"

BOARD = '''
    import logging
    import pytest

    @pytest.fixture
    def broken():
        raise OSError("no instrument")

    @pytest.fixture
    def sticky():
        yield
        raise OSError("stuck")

    def test_power(measure, tmp_path):
        """Powers up."""
        logging.getLogger("dut").warning("warm")
        assert measure("vcc", 3.3, unit="V", low=3.1, high=3.5, instrument="dmm")
        picture = tmp_path / "scope.png"
        picture.write_bytes(b"first")
        measure.attach(picture)
        picture.write_bytes(b"second")
        measure.attribute("fixture", "F7")

    class TestRails:
        @pytest.mark.parametrize("rail", ["a::µ"])
        def test_rail(self, measure, rail):
            assert not measure("x", 2, high=1)
            measure("y", 1)

    def test_assertion():
        assert 1 == 2

    def test_exception():
        raise ValueError("odd")

    def test_setup(broken):
        pass

    def test_teardown(sticky):
        pass

    @pytest.mark.skip(reason="no fixture yet")
    def test_skipped():
        pass

    @pytest.mark.xfail
    def test_expected():
        assert False
'''


def start(
    folder: Path,
    test: str,
    *arguments: str,
    conftest: str = "",
    finds_plugins: bool = False,
) -> Done:
    """Run pytest in a folder with one test file, with our plugins alone by default."""
    folder.mkdir(exist_ok=True)
    (folder / "test_board.py").write_text(textwrap.dedent(test))
    (folder / "conftest.py").write_text(textwrap.dedent(conftest))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    given = [f"--rootdir={folder}", "--rigbridge-data", str(folder / "data")]
    environment = dict(os.environ)
    if not finds_plugins:
        # The others that are installed here take three seconds to import.
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        command += ["-p", "rigbridge", "-p", "rigbridge-source", "-p", "xdist"]
    return subprocess.run(
        [*command, *given, *arguments, str(folder)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=folder,
        env=environment,
    )


def stored(folder: Path) -> list[Run]:
    """Read the runs that are in the store of a folder."""
    lines = folder / "runs.jsonl"
    words = [
        "runs",
        "export",
        "--overwrite",
        "--data",
        str(folder / "data"),
        str(lines),
    ]
    CliRunner().invoke(app, words, catch_exceptions=False)
    return list(rigbridge.read(lines))


UNIT = ("--rigbridge", "--rigbridge-unit=SN-1", "--rigbridge-part-number=P-1")


@pytest.fixture(scope="module", params=["one", "two"])
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Done, Run]:
    """Record a session with tests of every fate, in one process and in two."""
    folder = tmp_path_factory.mktemp(request.param)
    workers = ["-n2"] if request.param == "two" else []
    done = start(
        folder,
        BOARD,
        *UNIT,
        "--rigbridge-procedure=Final test",
        "--rigbridge-station=bench-1",
        "--rigbridge-operator=ann",
        "--override-ini=rigbridge_instruments=dmm, MY53, 2027-03-01",
        *workers,
    )
    (run,) = stored(folder)
    return done, run


def phase_of(run: Run, name: str) -> Phase:
    """Give the one phase of a name."""
    (phase,) = (phase for phase in run.phases if phase.name == name)
    return phase


class TestRun:
    """The run of a whole session."""

    def test_it_is_of_the_unit_that_was_given(self, recorded: tuple[Done, Run]) -> None:
        """With procedure, station and operator."""
        _, run = recorded
        assert (run.unit.serial_number, run.unit.part_number) == ("SN-1", "P-1")
        assert run.procedure.name == "Final test"
        assert run.outcome == "ERROR"
        assert run.metadata.get("operator", run.operator) == "ann"

    def test_it_has_the_instruments_of_the_ini_file(
        self, recorded: tuple[Done, Run]
    ) -> None:
        """And each value names what it was measured with."""
        _, run = recorded
        dmm = Instrument(name="dmm", serial_number="MY53", calibration_due="2027-03-01")
        assert run.instruments == (dmm,)
        (vcc,) = phase_of(run, "test_power").measurements
        assert vcc.instrument == "dmm"

    def test_the_end_says_where_it_is(self, recorded: tuple[Done, Run]) -> None:
        """In one line."""
        done, run = recorded
        (line,) = (x for x in done.stdout.splitlines() if x.startswith("rigbridge:"))
        assert line == f"rigbridge: SN-1 ERROR is stored as run {run.id}"

    def test_the_verdict_of_pytest_is_its_own(self, recorded: tuple[Done, Run]) -> None:
        """Recording changes no exit code; a failing measurement fails its test."""
        done, _ = recorded
        assert done.returncode == 1
        assert "measurement x = 2 fails: limits ..1" in done.stdout


class TestPhases:
    """Each test is a phase."""

    @pytest.mark.parametrize(
        ("name", "outcome"),
        [
            ("test_power", "PASS"),
            ("test_rail[a::µ]", "FAIL"),
            ("test_assertion", "FAIL"),
            ("test_exception", "ERROR"),
            ("test_setup", "ERROR"),
            ("test_teardown", "ERROR"),
            ("test_skipped", "SKIP"),
            ("test_expected", "SKIP"),
        ],
    )
    def test_its_verdict(
        self, recorded: tuple[Done, Run], name: str, outcome: str
    ) -> None:
        """An assertion judges the unit; any other exception is an error."""
        assert phase_of(recorded[1], name).outcome == outcome

    def test_its_measurements(self, recorded: tuple[Done, Run]) -> None:
        """With unit, limits and verdict, those after a failing one as well."""
        (vcc,) = phase_of(recorded[1], "test_power").measurements
        assert (vcc.name, vcc.value, vcc.unit, vcc.outcome) == ("vcc", 3.3, "V", "PASS")
        assert vcc.limits is not None
        assert (vcc.limits.lower, vcc.limits.upper) == (3.1, 3.5)
        rail = phase_of(recorded[1], "test_rail[a::µ]")
        assert [each.outcome for each in rail.measurements] == ["FAIL", "UNSET"]

    def test_its_place_and_words(self, recorded: tuple[Done, Run]) -> None:
        """File and class are the path, the docstring and attributes come along."""
        assert phase_of(recorded[1], "test_rail[a::µ]").path == (
            "test_board.py",
            "TestRails",
        )
        power = phase_of(recorded[1], "test_power")
        assert power.docstring == "Powers up."
        assert power.attributes["fixture"] == "F7"
        assert power.started_at is not None

    def test_its_log_and_failure(self, recorded: tuple[Done, Run]) -> None:
        """Records of logging and the texts of failures are lines of the log."""
        texts = [entry.message for entry in recorded[1].logs]
        assert "warm" in texts
        assert any("ValueError: odd" in text for text in texts)
        assert any("no fixture yet" in text for text in texts)
        assert any("stuck" in text for text in texts)

    def test_its_files(self, recorded: tuple[Done, Run]) -> None:
        """As they were when they were attached."""
        (picture,) = (x for x in recorded[1].attachments if x.name == "scope.png")
        assert picture.opener is not None
        with picture.opener() as stream:
            assert stream.read() == b"first"


class TestUnits:
    """Which unit a run is of."""

    def test_a_fixture_may_give_it(self, tmp_path: Path) -> None:
        """It wins over the command line; each unit gets a run of its own."""
        conftest = """
            import pytest
            @pytest.fixture
            def rigbridge_unit(request):
                return request.param
        """
        test = """
            import pytest
            @pytest.mark.parametrize("rigbridge_unit", ["SN-7", "SN-8"], indirect=True)
            def test_it(measure, rigbridge_unit):
                assert measure("serial", rigbridge_unit, equal="SN-7")
        """
        done = start(tmp_path / "a", test, "--rigbridge", conftest=conftest)
        assert done.returncode == 1
        runs = {run.unit.serial_number: run for run in stored(tmp_path / "a")}
        assert {key: str(run.outcome) for key, run in runs.items()} == {
            "SN-7": "PASS",
            "SN-8": "FAIL",
        }

    def test_without_one_the_run_is_kept(self, tmp_path: Path) -> None:
        """And the end says what is missing."""
        done = start(tmp_path / "a", "def test_it(): pass", "--rigbridge")
        assert done.returncode == 0
        (line,) = (x for x in done.stdout.splitlines() if x.startswith("rigbridge:"))
        assert "without a serial number" in line
        assert "is kept in" in line


class TestInert:
    """Without being asked, the plugin does nothing."""

    def test_nothing_is_written(self, tmp_path: Path) -> None:
        """Yet measure judges, so that tests run at a desk as on the line."""
        done = start(
            tmp_path / "a",
            """
            def test_good(measure):
                assert measure("x", 1, low=0)
            def test_bad(measure):
                measure("x", 1, low=2)
            """,
            finds_plugins=True,
        )
        assert done.returncode == 1
        assert "1 failed, 1 passed" in done.stdout
        assert "measurement x = 1 fails: limits 2.." in done.stdout
        assert not (tmp_path / "a" / "data").exists()

    def test_listing_tests_records_nothing(self, tmp_path: Path) -> None:
        """``--collect-only`` is no run."""
        done = start(tmp_path / "a", "def test_it(): pass", *UNIT, "--collect-only")
        assert done.returncode == 0
        assert not (tmp_path / "a" / "data").exists()


class TestBadEnds:
    """Sessions that end badly."""

    def test_a_file_that_cannot_be_imported(self, tmp_path: Path) -> None:
        """The run of the others is an ERROR, and says why."""
        folder = tmp_path / "a"
        folder.mkdir()
        (folder / "test_other.py").write_text("import no_such_module\n")
        test = "def test_it(): pass"
        start(folder, test, *UNIT, "--continue-on-collection-errors")
        (run,) = stored(folder)
        assert run.outcome == "ERROR"
        assert any("no_such_module" in entry.message for entry in run.logs)

    def test_ctrl_c(self, tmp_path: Path) -> None:
        """What was tested until then is kept, as ABORTED."""
        test = """
            def test_good(): pass
            def test_stopped(measure):
                measure("vcc", 3.3)
                raise KeyboardInterrupt("operator")
            def test_never(): pass
        """
        done = start(tmp_path / "a", test, *UNIT)
        assert done.returncode == 2
        (run,) = stored(tmp_path / "a")
        assert run.outcome == "ABORTED"
        assert phase_of(run, "test_good").outcome == "PASS"
        stopped = phase_of(run, "test_stopped")
        assert [m.name for m in stopped.measurements] == ["vcc"]
        assert stopped.attributes["stopped"] == "operator"

    def test_a_wrong_setting(self, tmp_path: Path) -> None:
        """A usage error, before any test has run."""
        done = start(
            tmp_path / "a", "def test_it(): pass", *UNIT, "--rigbridge-to=ftp://x"
        )
        assert done.returncode == 4
        assert "rigbridge:" in done.stderr


class TestKilled:
    """The process is gone in the middle of the session."""

    @pytest.mark.parametrize("workers", [[], ["-n1"]], ids=["one", "two"])
    def test_what_was_tested_is_handed_over(
        self, tmp_path: Path, workers: list[str]
    ) -> None:
        """As ABORTED; the test in which the process died is an ERROR."""
        # With xdist the process of the tests kills the one that collects the reports,
        # once that has the report of the setup.
        test = """
            import os, signal, time
            from pathlib import Path

            def is_noted():
                journals = Path("data/spool").glob("pytest-*/*.jsonl")
                try:
                    return any("test_fatal" in path.read_text() for path in journals)
                except FileNotFoundError:
                    return False

            def test_good(measure, tmp_path):
                measure.set_unit("SN-2")
                measure("vcc", 3.3, unit="V", low=3.1)
                (tmp_path / "scope.png").write_bytes(b"picture")
                measure.attach(tmp_path / "scope.png")

            def test_fatal(measure, request):
                measure.set_unit("SN-2")
                if hasattr(request.config, "workerinput"):
                    while not is_noted():
                        time.sleep(0.01)
                    os.kill(os.getppid(), signal.SIGKILL)
                os._exit(9)
        """
        folder = tmp_path / "a"
        done = start(folder, test, *UNIT, *workers)
        assert done.returncode in (9, -9)
        incoming = IncomingFolder(folder / "data")
        take_up_ended(incoming)
        runs = [read_run(item, ConversionReport()) for item in incoming.items()]
        (run,) = (each for each in runs if each.unit.serial_number == "SN-2")
        assert run.outcome == "ABORTED"
        (vcc,) = phase_of(run, "test_good").measurements
        assert (vcc.name, vcc.value) == ("vcc", 3.3)
        (picture,) = run.attachments
        assert picture.opener is not None
        with picture.opener() as stream:
            assert stream.read() == b"picture"
        # Its unit was known to the killed process alone.
        (other,) = (each for each in runs if each.unit.serial_number == "SN-1")
        assert phase_of(other, "test_fatal").outcome == "ERROR"

    def test_what_a_long_test_had_measured(self, tmp_path: Path) -> None:
        """It measures for an hour, say: what it has so far is in the journal."""
        test = """
            import os, time

            def test_fatal(measure):
                measure.set_unit("SN-2")
                measure("first", 1)
                time.sleep(1.1)
                measure("second", 2)
                os._exit(9)
        """
        folder = tmp_path / "a"
        start(folder, test, *UNIT)
        incoming = IncomingFolder(folder / "data")
        take_up_ended(incoming)
        (item,) = incoming.items()
        run = read_run(item, ConversionReport())
        assert run.unit.serial_number == "SN-2"
        fatal = phase_of(run, "test_fatal")
        assert [each.name for each in fatal.measurements] == ["first", "second"]

    def test_the_next_session_hands_it_over_once(self, tmp_path: Path) -> None:
        """And leaves no journal, of itself neither."""
        folder = tmp_path / "a"
        start(folder, "import os\ndef test_fatal(): os._exit(9)", *UNIT)
        start(folder, "def test_good(): pass", *UNIT)
        fatal, good = sorted(stored(folder), key=lambda run: run.outcome)
        assert (str(fatal.outcome), str(good.outcome)) == ("ABORTED", "PASS")
        assert phase_of(fatal, "test_fatal").outcome == "ERROR"
        assert any("was gone before" in entry.message for entry in fatal.logs)
        assert list((folder / "data" / "spool").iterdir()) == []
