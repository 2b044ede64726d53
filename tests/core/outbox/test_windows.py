"""
What holds on Windows, simulated by its rules for open files.

Nothing that is open can be renamed, replaced or removed there; a rename does not
replace what is there; no folder can be opened, hence none be synced; calls of POSIX are
missing.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import openhtf
import pytest

import rigbridge
import rigbridge_openhtf
from rigbridge.adapters import ConversionReport
from rigbridge.errors import ModelError, RunProblemsError
from rigbridge.imports.quarantine import Quarantine
from rigbridge.machine import files, folders
from rigbridge.model import Attachment, ProcedureRef, Run, Unit
from rigbridge.outbox import EntryState, Outbox
from rigbridge.outbox.incoming import draft
from rigbridge.testing.run_store.server import RunStoreServer
from rigbridge_store.files import contents

PICTURE = b"picture"
DESCRIPTORS = Path("/proc/self/fd")
MISSING = ("chown", "fork", "geteuid", "getuid", "statvfs", "fchmod", "pread", "pwrite")

pytestmark = pytest.mark.skipif(
    not DESCRIPTORS.is_dir(), reason="open files are found by Linux's /proc"
)


class _WindowsNamed:
    """The module ``os`` under its name on Windows, without the calls of POSIX."""

    name = "nt"

    def __getattr__(self, name: str) -> Any:
        if name in MISSING:
            raise AttributeError(name)
        return getattr(os, name)


def open_below(path: Path) -> list[str]:
    """List the open files of this process that are a path, or lie below it."""
    found: list[str] = []
    for descriptor in DESCRIPTORS.iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:
            continue  # It was that of the listing itself.
        if Path(target) == path or path in Path(target).parents:
            found.append(target)
    return found


def _refuse(path: object) -> None:
    if found := open_below(Path(os.path.abspath(os.fspath(path)))):  # type: ignore[call-overload]  # noqa: PTH100
        raise PermissionError(errno.EACCES, f"WinError 32: in use: {found}", path)


def _rename(real: Callable[..., None], source: Path, target: Path) -> None:
    _refuse(source)
    if Path(target).exists():
        raise FileExistsError(errno.EEXIST, "WinError 183: exists", target)
    real(source, target)


def _replace(real: Callable[..., None], source: Path, target: Path) -> None:
    _refuse(source)
    _refuse(target)
    real(source, target)


def _remove(real: Callable[..., None], path: Path, **named: Any) -> None:
    _refuse(path)
    if not Path(path).lstat().st_mode & stat.S_IWRITE:
        raise PermissionError(errno.EACCES, "read-only", path)
    real(path, **named)


def _open(real: Callable[..., int], path: Any, *rest: Any, **named: Any) -> int:
    if not isinstance(path, int) and Path(path).is_dir():
        raise PermissionError(errno.EACCES, "no folder can be opened", path)
    return real(path, *rest, **named)


@pytest.fixture(name="windows")
def _windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply the rules of Windows to the files of this process."""
    for module in (draft, files, folders, contents):
        monkeypatch.setattr(module, "os", _WindowsNamed())
    # It would remove a tree by descriptors of its folders.
    monkeypatch.setattr(shutil, "_use_fd_functions", False)
    rules: dict[str, Callable[..., Any]] = {
        "open": _open,
        "rename": _rename,
        "replace": _replace,
        "unlink": _remove,
        "remove": _remove,
        "rmdir": _remove,
    }
    for name, rule in rules.items():
        monkeypatch.setattr(os, name, partial(rule, getattr(os, name)))


def a_run(*attachments: Attachment) -> Run:
    """Make a run with files."""
    return Run(
        unit=Unit(serial_number="SN-1"),
        procedure=ProcedureRef(name="Final"),
        outcome="PASS",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        attachments=attachments,
    )


class TestTheRules:
    """The simulation refuses what Windows refuses."""

    @pytest.mark.usefixtures("windows")
    def test_what_is_open_stays(self, tmp_path: Path) -> None:
        """An open file is not removed, and its folder not renamed."""
        folder = tmp_path / "a"
        folder.mkdir()
        with (folder / "b").open("wb"):
            with pytest.raises(PermissionError):
                (folder / "b").unlink()
            with pytest.raises(PermissionError):
                folder.rename(tmp_path / "c")
        with pytest.raises(PermissionError):
            os.open(folder, os.O_RDONLY)
        folder.rename(tmp_path / "c")


@pytest.fixture(name="scope")
def _scope(tmp_path: Path) -> Attachment:
    path = tmp_path / "scope.png"
    path.write_bytes(PICTURE)
    return Attachment.from_file(path)


def copies_below(folder: Path) -> list[Path]:
    """List the copies of the picture that are left in a folder."""
    kept = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in kept if path.read_bytes() == PICTURE]


@pytest.mark.usefixtures("windows")
class TestHandOver:
    """A run reaches the store with its files, and leaves none behind."""

    def test_into_the_embedded_store(self, tmp_path: Path, scope: Attachment) -> None:
        """Handed over, sent, stored and swept, without a refusal of the system."""
        data = tmp_path / "data"
        with rigbridge.open_outbox(data=data, to="local") as outbox:
            run_id = outbox.submit(a_run(scope))
            assert outbox.flush(60) == 0
            (entry,) = outbox.entries([EntryState.DONE])
        assert entry.id == run_id
        assert len(copies_below(data)) == 1

    def test_over_http(
        self,
        folder: Path,
        open_outbox: Callable[..., Outbox],
        server: RunStoreServer,
        scope: Attachment,
    ) -> None:
        """Its file is uploaded and removed."""
        outbox = open_outbox(server)
        outbox.submit(a_run(scope))
        assert outbox.flush(60) == 0
        outbox.close()
        (stored,) = server.runs
        assert server.attachments(stored.id) == [("scope.png", PICTURE)]
        assert copies_below(folder) == []

    def test_while_a_scanner_holds_each_new_file(
        self, tmp_path: Path, scope: Attachment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it refuses the first time is done at the second."""
        seen: set[str] = set()

        def scanned(real: Callable[..., None], source: Path, target: Path) -> None:
            if str(source) not in seen:
                seen.add(str(source))
                raise PermissionError(errno.EACCES, "WinError 32: in use", source)
            real(source, target)

        for name in ("rename", "replace"):
            monkeypatch.setattr(os, name, partial(scanned, getattr(os, name)))
        data = tmp_path / "data"
        with rigbridge.Session(to="local", data=data) as session:
            session.submit(a_run(scope))
        assert [path for path in seen if "incoming" in path]
        with rigbridge.open_outbox(data=data, to="local") as outbox:
            # On a loaded machine the end of the session did not wait for it.
            assert outbox.flush(60) == 0
            assert len(outbox.entries([EntryState.DONE])) == 1
        assert not list((data / "incoming").iterdir())

    def test_a_test_of_openhtf(self, tmp_path: Path) -> None:
        """The callback takes a file that OpenHTF still has, and one of the user's."""
        picture = tmp_path / "picture.png"
        picture.write_bytes(PICTURE)

        def measure(test: Any) -> None:
            test.attach("trace", b"1,2,3", "text/csv")
            test.attach_from_file(str(picture))

        data = tmp_path / "data"
        test = openhtf.Test(measure, test_name="Final")
        callback = rigbridge_openhtf.output_callback(to="local", data=data)
        test.add_output_callbacks(callback)
        assert test.execute(test_start=lambda: "SN-2")
        assert callback.flush(60) == 0
        callback.close()
        with rigbridge.open_outbox(data=data, to="local") as outbox:
            assert outbox.flush(60) == 0
            assert len(outbox.entries([EntryState.DONE])) == 1

    def test_a_damaged_queue(self, tmp_path: Path, scope: Attachment) -> None:
        """What can be read of it is written anew, and put into its place."""
        data = tmp_path / "data"
        outbox = rigbridge.open_outbox(data=data, to="http://127.0.0.1:9")
        outbox.submit(a_run(scope))
        while not outbox.entries()[0].reason:
            outbox.flush(0.5)
        # Until its delivery has ended: a log that is left open would mend the page.
        outbox.close(grace=30.0)
        (queue,) = data.rglob("outbox.sqlite")
        # Its last page is cut short.
        queue.write_bytes(queue.read_bytes()[:-100])
        with rigbridge.open_outbox(data=data, to="local") as again:
            assert len(again.entries()) + len(again.entries([EntryState.DONE])) == 1
        assert list(data.rglob("outbox.sqlite.damaged-*"))


@pytest.mark.usefixtures("windows")
class TestQuarantine:
    """A run that no store takes as it is."""

    def test_kept_and_released(self, tmp_path: Path, scope: Attachment) -> None:
        """Its folder is made, and removed once the run is stored."""
        quarantine = Quarantine(tmp_path)
        run = a_run(scope)
        problem = ModelError("no serial number", path="unit")
        reason = RunProblemsError("is odd", [problem])
        path = quarantine.keep(run, ConversionReport(), reason, destination="local")
        assert path.is_file()
        quarantine.release(run.id)
        assert not path.exists()
