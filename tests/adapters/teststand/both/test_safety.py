"""What is refused for safety, in either kind of report and on either way of reading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rigbridge.errors import UnsafeSourceError
from rigbridge_teststand.xml import report_files

FIXTURES = Path(__file__).parent / "fixtures"
FILES = ("native-every-step.xml", "atml-2.02-latin.xml", "atml-6.01-every-step.xml")
ENTITY = b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]>"


@pytest.fixture(params=[1 << 24, 16], ids=["whole", "stream"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read files as a whole, and as a stream."""
    monkeypatch.setattr(report_files, "STREAMED_ABOVE", request.param)


@pytest.fixture(params=FILES)
def report(request: pytest.FixtureRequest) -> bytes:
    """Give a report."""
    content: bytes = (FIXTURES / request.param).read_bytes()
    return content


def before_root(content: bytes, inserted: bytes) -> bytes:
    """Put bytes right before the root element."""
    at = content.index(b"<Reports") if b"<Reports" in content else content.index(b"<tr")
    return content[:at] + inserted + content[at:]


@pytest.mark.usefixtures("way")
class TestDoctype:
    """Case 88: entities are neither expanded nor fetched."""

    @pytest.mark.parametrize("before", [b"", b"<!-- a -->\n<?b c?>", b"\n" * 5000])
    def test_it_is_refused(
        self, report: bytes, before: bytes, tmp_path: Path, read_report: Any
    ) -> None:
        """Wherever it stands before the root."""
        path = tmp_path / "a.xml"
        path.write_bytes(before_root(report, before + ENTITY))
        with pytest.raises(UnsafeSourceError, match="DOCTYPE"):
            read_report(path)

    @pytest.mark.parametrize("around", [b"<!--%b-->", b"<?a %b?>"])
    def test_its_letters_in_a_comment_are_harmless(
        self, report: bytes, around: bytes, tmp_path: Path, read_report: Any
    ) -> None:
        """Comments and instructions declare nothing."""
        path = tmp_path / "a.xml"
        path.write_bytes(before_root(report, around % ENTITY))
        assert read_report(path).runs
