"""The context manager for stations: flushed at the end, and the operator is told."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rigbridge_openhtf
from rigbridge.testing.run_store.server import RunStoreServer

htf = pytest.importorskip("openhtf")

MakeTest = Callable[..., Any]


@pytest.fixture(autouse=True)
def _project_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder without a configuration of its own."""
    monkeypatch.chdir(tmp_path)
    # OpenHTF reads the arguments of the program when a test is made.
    monkeypatch.setattr("sys.argv", ["station.py"])


def _attach(test: Any) -> None:
    test.attach("trace.bin", b"12")


def _execute(test: Any, serial: str = "SN-1") -> None:
    test.execute(test_start=lambda: serial)


class TestStation:
    """A block in which the records of its tests are sent."""

    def test_a_store_within_reach(
        self, tmp_path: Path, run_store_server: RunStoreServer
    ) -> None:
        """When the block ends, the run is stored and the operator knows where."""
        test, stream = htf.Test(_attach, test_name="Board"), io.StringIO()
        with rigbridge_openhtf.station(
            test,
            to=run_store_server.url,
            api_key=run_store_server.api_key,
            data=tmp_path / "data",
            stream=stream,
        ):
            _execute(test)
        (run,) = run_store_server.runs
        assert [
            content
            for name, content in run_store_server.attachments(run.id)
            if name == "trace.bin"
        ] == [b"12"]
        line = stream.getvalue()
        assert line.count("\n") == 1
        assert f"SN-1 PASS is stored in {run_store_server.url} as run {run.id}" in line

    def test_a_store_out_of_reach(
        self, tmp_path: Path, run_store_server: RunStoreServer
    ) -> None:
        """At the deadline the block ends; what waits is named, and sent later."""
        test, stream = htf.Test(test_name="Board"), io.StringIO()
        options: dict[str, Any] = {
            "to": run_store_server.url,
            "api_key": run_store_server.api_key,
            "data": tmp_path / "data",
            "stream": stream,
        }
        with run_store_server.refusing():
            with rigbridge_openhtf.station(test, deadline=0.2, **options):
                _execute(test)
            assert "safe in" in stream.getvalue()
            assert str(tmp_path / "data") in stream.getvalue()
            assert f"outbox flush --to {run_store_server.url}" in stream.getvalue()
        with rigbridge_openhtf.station(test, deadline=30, **options):
            pass
        assert len(run_store_server.runs) == 1

    def test_the_block_of_a_test(self, tmp_path: Path) -> None:
        """Executed after the block, or in the next one, a test is sent once."""
        test, stream = htf.Test(test_name="Board"), io.StringIO()
        for _ in range(2):
            with rigbridge_openhtf.station(
                test, data=tmp_path / "data", stream=stream
            ) as callback:
                _execute(test)
            _execute(test)
        assert test.get_option("output_callbacks") == []
        assert stream.getvalue().count("is stored in") == 2
        assert f"as run {callback.last_run_id}" in stream.getvalue()

    def test_a_script_that_exchanges_the_callbacks(self, tmp_path: Path) -> None:
        """A test whose callbacks were exchanged in the block ends it as any other."""
        test, stream = htf.Test(test_name="Board"), io.StringIO()
        with rigbridge_openhtf.station(test, data=tmp_path / "data", stream=stream):
            _execute(test)
            test.configure(output_callbacks=[])
        assert "is stored in" in stream.getvalue()

    def test_standard_error(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The line goes to standard error where no stream is given."""
        test = htf.Test(test_name="Board")
        with rigbridge_openhtf.station(test, data=tmp_path / "data"):
            _execute(test)
        assert "rigbridge: SN-1 PASS is stored in" in capsys.readouterr().err

    def test_no_console(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program without standard error loses the line, and nothing else."""
        test = htf.Test(test_name="Board")
        with rigbridge_openhtf.station(test, data=tmp_path / "data") as callback:
            _execute(test)
            monkeypatch.setattr("sys.stderr", None)
        monkeypatch.undo()
        assert callback.last_run_id is not None

    def test_a_stream_that_fails(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An error of the stream is logged, and does not reach the script."""
        test, stream = htf.Test(test_name="Board"), io.StringIO()
        stream.close()
        with rigbridge_openhtf.station(test, data=tmp_path / "data", stream=stream):
            _execute(test)
        assert "the operator could not be told" in caplog.text

    def test_a_bad_configuration(self, tmp_path: Path) -> None:
        """A wrong setting costs no record, and the operator is told the file."""
        test, stream = htf.Test(test_name="Board"), io.StringIO()
        with rigbridge_openhtf.station(
            test, to="nonsense", data=tmp_path / "data", stream=stream
        ):
            _execute(test)
        (path,) = (tmp_path / "data/incoming").iterdir()
        assert f"run {path.name}, safe in {tmp_path / 'data'}" in stream.getvalue()
        assert "'nonsense' is neither 'local' nor a URL" in stream.getvalue()

    def test_an_error_of_the_script(self, tmp_path: Path) -> None:
        """What the block raises is raised, after the records are sent."""
        test, stream = htf.Test(test_name="Board"), io.StringIO()

        def script() -> None:
            with rigbridge_openhtf.station(test, data=tmp_path / "data", stream=stream):
                _execute(test)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            script()
        assert "is stored in" in stream.getvalue()
