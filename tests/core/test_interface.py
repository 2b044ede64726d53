"""``rigbridge.read`` and ``rigbridge.open_outbox``: what a program begins with."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

import rigbridge
from rigbridge.errors import (
    ConfigurationError,
    MalformedSourceError,
    NoRunError,
    SourceError,
    SourceUnreadableError,
    UnknownPluginError,
    UnrecognizedSourceError,
)
from rigbridge.kept.documents import encode_run
from rigbridge.model import Attachment, Run

EXAMPLES = Path(rigbridge.__file__).parent / "examples"
TESTSTAND = EXAMPLES / "teststand-batch-of-two.xml"
OPENHTF = EXAMPLES / "openhtf-with-attachment.json"


def content(attachment: Attachment) -> bytes:
    """Read the bytes of an attachment."""
    assert attachment.opener is not None
    with attachment.opener() as stream:
        return stream.read()


def run_line() -> str:
    """Write a run as a line of an export."""
    run = Run(
        outcome="PASS",
        procedure=rigbridge.ProcedureRef(name="Final test"),
        unit=rigbridge.Unit(serial_number="SN-1"),
    )
    return encode_run(run).decode().strip()


class TestRead:
    """Reading report files."""

    @pytest.mark.parametrize("given", [str, Path])
    def test_it_takes_text_and_paths(self, given: type) -> None:
        """Both runs of the file come, one after the other."""
        runs = rigbridge.read(given(TESTSTAND))
        first = next(runs)
        assert isinstance(first, Run)
        assert len([first, *runs]) == 2

    def test_the_command_line_reads_the_same(self, tmp_path: Path) -> None:
        """The id of a run follows from the file, whoever reads it."""
        copy = tmp_path / "copy.xml"
        copy.write_bytes(TESTSTAND.read_bytes())
        ids = [run.id for run in rigbridge.read(copy)]
        assert ids == [run.id for run in rigbridge.read(TESTSTAND)]

    def test_the_rules_of_the_site_complete_each_run(self, tmp_path: Path) -> None:
        """Identity rules count as they do in an import."""
        (bare,) = rigbridge.read(OPENHTF)
        configuration = tmp_path / "site.toml"
        name = json.dumps(bare.procedure.name)
        configuration.write_text(f'[identity.procedures]\n{name} = "FVT1"\n')
        (run,) = rigbridge.read(OPENHTF, configuration=configuration)
        assert (bare.procedure.id, run.procedure.id) == (None, "FVT1")

    def test_settings_are_those_of_the_adapter(self) -> None:
        """A wrong key is named; without an adapter nobody knows whose they are."""
        with pytest.raises(ConfigurationError, match=r"nonsense: is no known setting"):
            rigbridge.read(TESTSTAND, adapter="teststand-xml", settings={"nonsense": 1})
        with pytest.raises(ConfigurationError, match="adapter="):
            rigbridge.read(TESTSTAND, settings={"nonsense": 1})

    def test_the_report_takes_what_is_recorded(self) -> None:
        """It accounts for all runs of the file."""
        report = rigbridge.ConversionReport()
        runs = list(rigbridge.read(TESTSTAND, report=report))
        phases = sum(len(run.phases) for run in runs)
        assert len(runs) == 2
        assert phases > 0
        assert report.items()

    def test_attachments_outlive_the_reading(self) -> None:
        """They can be opened during the loop, after it, and by who holds no run."""
        (run,) = rigbridge.read(OPENHTF)
        attachments = [item for item in run.attachments if item.embedded]
        assert attachments
        before = [content(item) for item in attachments]
        del run
        gc.collect()
        assert [content(item) for item in attachments] == before

    def test_their_folder_goes_with_the_last_of_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A program that reads many files fills no disk."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        runs = list(rigbridge.read(OPENHTF))
        assert list(tmp_path.glob("rigbridge-*"))
        del runs
        gc.collect()
        assert not list(tmp_path.glob("rigbridge-*"))

    def test_a_missing_file_is_an_error_at_once(self) -> None:
        """It names the file and what to do, before anything is read."""
        with pytest.raises(SourceUnreadableError) as caught:
            rigbridge.read("missing.xml")
        assert (caught.value.source, caught.value.remedy) == (
            "missing.xml",
            "check the path",
        )

    def test_an_unknown_format_says_how_to_name_an_adapter(
        self, tmp_path: Path
    ) -> None:
        """The remedy is one for a program, not for the command line."""
        path = tmp_path / "noise.bin"
        path.write_bytes(b"\x01\x02\x03" * 9)
        with pytest.raises(UnrecognizedSourceError, match="adapter="):
            rigbridge.read(path)
        with pytest.raises(UnknownPluginError, match="teststand-xml"):
            rigbridge.read(path, adapter="nonsense")
        (tmp_path / "empty").write_bytes(b"")
        with pytest.raises(NoRunError):
            rigbridge.read(tmp_path / "empty")

    def test_a_damaged_file_names_the_place(self, tmp_path: Path) -> None:
        """What cannot be read is said with its line."""
        path = tmp_path / "damaged.json"
        path.write_bytes(OPENHTF.read_bytes()[:-200])
        with pytest.raises(SourceError) as caught:
            list(rigbridge.read(path))
        assert caught.value.source == str(path)
        assert caught.value.place

    def test_a_bad_run_does_not_cost_the_others(self, tmp_path: Path) -> None:
        """The readable runs come first, then the error, with the further ones noted."""
        path = tmp_path / "runs.jsonl"
        good, bad = run_line(), run_line().replace("PASS", "NONSENSE")
        path.write_text(f"{good}\n{bad}\n{run_line()}\n{bad}\n", "utf-8")
        seen: list[Run] = []
        with pytest.raises(MalformedSourceError) as caught:
            seen.extend(rigbridge.read(path, adapter="rigbridge-runs"))
        assert len(seen) == 2
        assert len(caught.value.__notes__) == 1

    def test_strict_refuses_what_would_be_missing(self, tmp_path: Path) -> None:
        """It is an error as with ``--strict``, and names a remedy for a program."""
        assert list(rigbridge.read(OPENHTF, strict=True))
        with pytest.raises(SourceError, match=r"3 left out, .* without strict"):
            list(rigbridge.read(OPENHTF, strict="all"))
        with pytest.raises(ConfigurationError, match="strict is 'some'"):
            rigbridge.read(OPENHTF, strict="some")  # type: ignore[arg-type]
        cut = tmp_path / "cut.xml"
        cut.write_bytes(TESTSTAND.read_bytes()[:-400])
        runs = list(rigbridge.read(cut))
        assert any(run.metadata.get("partial") for run in runs)
        with pytest.raises(SourceError):
            list(rigbridge.read(cut, strict=True))

    def test_wrong_arguments_say_what_is_right(self, tmp_path: Path) -> None:
        """The remedies are those of a program, not of the command line."""
        with pytest.raises(ConfigurationError, match="read takes the path of a file"):
            rigbridge.read(3)  # type: ignore[arg-type]
        with pytest.raises(SourceUnreadableError, match="in it one by one"):
            rigbridge.read(tmp_path)
        with pytest.raises(ConfigurationError, match=r"check configuration="):
            rigbridge.read(OPENHTF, configuration="nix.toml")
        with pytest.raises(UnknownPluginError, match="did you mean 'teststand-xml'"):
            rigbridge.read(OPENHTF, adapter="teststand-xm")


class TestOpenOutbox:
    """The queue of the data folder."""

    def test_a_run_is_stored(self, tmp_path: Path) -> None:
        """What is submitted arrives in the store of the data folder."""
        data = tmp_path / "elsewhere"
        with rigbridge.open_outbox(data) as outbox:
            for run in rigbridge.read(OPENHTF):
                outbox.submit(run)
            assert outbox.flush(60) == 0
        assert (data / "outbox").is_dir()

    def test_it_may_leave_the_sending_to_others(self) -> None:
        """The run then waits for a flush or for the agent."""
        with rigbridge.open_outbox(send=False) as outbox:
            (run,) = rigbridge.read(OPENHTF)
            assert outbox.submit(run) == run.id
            assert not outbox.is_sending
            assert outbox.status().waiting == 1

    def test_ids_are_taken_as_text(self) -> None:
        """What is no id, and what is no run, is an error that says so."""
        with rigbridge.open_outbox(send=False) as outbox:
            (run,) = rigbridge.read(OPENHTF)
            outbox.submit(run)
            outbox.retry(str(run.id))
            outbox.drop(str(run.id))
            assert outbox.entries() == []
            with pytest.raises(ConfigurationError, match="no id of a run"):
                outbox.retry("SN-1")
            with pytest.raises(ConfigurationError, match=r"rigbridge\.read"):
                outbox.submit("report.xml")  # type: ignore[arg-type]
