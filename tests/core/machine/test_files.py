"""Bringing the names in a folder to the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rigbridge.machine.files import sync_folder


def _answer(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)


class TestSyncFolder:
    """What a system says that knows no such call, and what it says of a fault."""

    @pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.ENOTSUP])
    def test_a_share_may_know_no_sync_of_a_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        """Its server decides when names reach the disk; nothing else can be done."""
        _answer(monkeypatch, number)
        sync_folder(tmp_path)

    @pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
    def test_a_fault_is_raised(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        """The names may not be there after a power cut."""
        _answer(monkeypatch, number)
        with pytest.raises(OSError, match=os.strerror(number)):
            sync_folder(tmp_path)
