"""
The last resort: what could not be handed over is written to files for a person.

A run becomes ``unsent/ID.json`` in the data folder, the whole run as
:func:`rigbridge.convert.to_document` writes it, with its attachments in a folder
``unsent/ID`` beside it, each by its SHA-256. A record that could not even be translated
becomes a JSON record as OpenHTF writes it, which ``rigbridge import`` reads.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from rigbridge.convert import to_document
from rigbridge.machine.folders import make_folder, share
from rigbridge.model import Run
from rigbridge.outbox import write_unsent
from rigbridge_openhtf.live.inlining import InlinedFiles

__all__ = ["keep_record", "keep_run"]

_LOGGER = logging.getLogger("rigbridge.openhtf")


def keep_run(run: Run, data: Path) -> Path:
    """
    Write a run and its attachments; complete once the JSON file is there.

    Returns:
        The JSON file: in the data folder, or in the system's temporary folder where
        that cannot be written.

    Raises:
        OSError: neither can be written.
    """
    return write_unsent(data, lambda folder: _write_run(run, folder))


def keep_record(record: Any, data: Path) -> Path:
    """
    Write a live record as OpenHTF's own JSON, its attachments inline.

    Returns:
        The file, as for :func:`keep_run`.

    Raises:
        OSError: neither folder can be written.
    """
    files = InlinedFiles()
    plain = dict(record.as_base_types())
    live = list(record.phases)
    given: list[Any] = list(plain.get("phases") or ())
    phases = [
        # OpenHTF caches what it gave: it is copied, never changed.
        {**phase, "attachments": files.described(live[index].attachments)}
        if index < len(live)
        else phase
        for index, phase in enumerate(given)
    ]
    if len(live) != len(given):
        # A phase that came or went meanwhile: what both know is whole.
        _LOGGER.warning(
            "the record has %d phases, its plain form %d", len(live), len(given)
        )
        phases.extend(_late(phase, files) for phase in live[len(given) :])
    text = json.dumps({**plain, "phases": phases}, default=str)
    name = f"{uuid4()}.openhtf.json"
    return write_unsent(data, lambda folder: _write(folder / name, files.put_in(text)))


def _late(phase: Any, files: InlinedFiles) -> dict[str, Any]:
    return {**phase.as_base_types(), "attachments": files.described(phase.attachments)}


def _write_run(run: Run, folder: Path) -> Path:
    files = folder / str(run.id)
    try:
        _write_files(run, files)
        content = msgspec.json.format(msgspec.json.encode(to_document(run)))
        return _write(folder / f"{run.id}.json", [content])
    except BaseException:
        # Where there is too little room, half a run is not to take more of it.
        shutil.rmtree(files, ignore_errors=True)
        raise


def _write_files(run: Run, files: Path) -> None:
    for attachment in run.attachments:
        if attachment.opener is None or attachment.sha256 is None:
            continue
        make_folder(files)
        path = files / attachment.sha256
        with attachment.opener() as source, path.open("wb") as target:
            share(path)
            shutil.copyfileobj(source, target, 1 << 20)
            target.flush()
            os.fsync(target.fileno())


def _write(path: Path, pieces: Iterable[bytes]) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            share(partial)
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        return partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
