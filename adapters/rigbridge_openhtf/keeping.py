"""
The last resort: what could not be handed over is written to files for a person.

A run becomes ``unsent/ID.json`` in the data folder, the whole run as
:func:`rigbridge.convert.to_document` writes it, with its attachments in a folder
``unsent/ID`` beside it, each by its SHA-256. A record that could not even be translated
becomes a JSON record as OpenHTF writes it, which ``rigbridge import`` reads.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from rigbridge.convert import to_document
from rigbridge.model import Run
from rigbridge.outbox import unsent_folders

__all__ = ["keep_record", "keep_run"]


def keep_run(run: Run, data: Path) -> Path:
    """
    Write a run and its attachments; complete once the JSON file is there.

    Returns:
        The JSON file: in the data folder, or in the system's temporary folder where
        that cannot be written.

    Raises:
        OSError: neither can be written.
    """
    return _in_one_of(data, lambda folder: _write_run(run, folder))


def keep_record(record: Any, data: Path) -> Path:
    """
    Write a live record as OpenHTF's own JSON, its attachments inline.

    Returns:
        The file, as for :func:`keep_run`.

    Raises:
        OSError: neither folder can be written.
    """
    plain = dict(record.as_base_types())
    phases: list[Any] = []
    for phase, live in zip(plain.get("phases", ()), record.phases, strict=False):
        # OpenHTF caches what it gave: it is copied, never changed.
        attachments = {name: _inline(item) for name, item in live.attachments.items()}
        phases.append({**phase, "attachments": attachments})
    content = json.dumps({**plain, "phases": phases}, default=str).encode()
    name = f"{uuid4()}.openhtf.json"
    return _in_one_of(data, lambda folder: _write(folder / name, content))


def _inline(attachment: Any) -> dict[str, Any]:
    described = {"mimetype": attachment.mimetype, "sha1": attachment.sha1}
    try:
        content = base64.b64encode(attachment.data).decode()
    except Exception:  # noqa: BLE001 - a closed attachment must not cost the record
        return described
    return {**described, "data": content}


def _in_one_of(data: Path, write: Callable[[Path], Path]) -> Path:
    folder, stand_in = unsent_folders(data)
    try:
        return write(folder)
    except OSError:
        return write(stand_in)


def _write_run(run: Run, folder: Path) -> Path:
    files = folder / str(run.id)
    try:
        _write_files(run, files)
        content = msgspec.json.format(msgspec.json.encode(to_document(run)))
        return _write(folder / f"{run.id}.json", content)
    except BaseException:
        # Where there is too little room, half a run is not to take more of it.
        shutil.rmtree(files, ignore_errors=True)
        raise


def _write_files(run: Run, files: Path) -> None:
    for attachment in run.attachments:
        if attachment.opener is None or attachment.sha256 is None:
            continue
        files.mkdir(parents=True, exist_ok=True)
        with (
            attachment.opener() as source,
            (files / attachment.sha256).open("wb") as target,
        ):
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        return partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
