"""The folder for the attachment bytes of runs that are on their way."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rigbridge.adapters import Spool


class TestExpectedFiles:
    """Files that are read side by side before they are adopted."""

    def test_each_is_adopted_as_if_it_had_not_been_expected(
        self, tmp_path: Path
    ) -> None:
        """Size, digest and bytes are its own."""
        paths = [tmp_path / f"trace_{number}.bin" for number in range(5)]
        for number, path in enumerate(paths):
            path.write_bytes(bytes([number]) * (number * 300_000))
        with Spool(tmp_path) as spool:
            spool.expect(paths)
            for path in paths:
                attachment = spool.adopt(path, name=path.name)
                content = path.read_bytes()
                assert attachment.size == len(content)
                assert attachment.sha256 == hashlib.sha256(content).hexdigest()
                assert attachment.opener is not None
                with attachment.opener() as stream:
                    assert stream.read() == content

    def test_one_that_is_missing_fails_alone(self, tmp_path: Path) -> None:
        """Its error names it, when it is its turn."""
        there, missing = tmp_path / "there.bin", tmp_path / "missing.bin"
        there.write_bytes(b"bytes")
        with Spool(tmp_path) as spool:
            spool.expect([missing, there])
            assert spool.adopt(there, name="there.bin").size == 5
            with pytest.raises(FileNotFoundError) as caught:
                spool.adopt(missing, name="missing.bin")
        assert caught.value.filename == str(missing)
