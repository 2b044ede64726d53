"""Long attachments lie aside while the rest of a record is parsed."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigbridge.adapters import Disposition, Source
from rigbridge.errors import MalformedSourceError
from rigbridge.testing import read_all
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter
from rigbridge_openhtf.documents import long_texts
from rigbridge_openhtf.documents.long_texts import LongText, LongTexts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "attachments", "a", 'x"data', "\\", "é"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def _restored(value: Any) -> Any:
    if isinstance(value, LongText):
        return value.text()
    if isinstance(value, dict):
        return {key: _restored(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_restored(member) for member in value]
    return value


@pytest.fixture(autouse=True)
def _much_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take eight bytes for long, and read aside in pieces of seven."""
    monkeypatch.setattr(long_texts, "_LONG", 8)
    monkeypatch.setattr(long_texts, "_CHUNK", 7)


class TestTakingOut:
    """What is taken out and put back is the document that was written."""

    @pytest.mark.usefixtures("_much_is_long")
    @given(document=JSON, step=st.integers(1, 50), ascii_only=st.booleans())
    def test_any_document_in_any_pieces(
        self, document: Any, step: int, *, ascii_only: bool
    ) -> None:
        """Wherever the pieces are cut, the document is the same."""
        content = json.dumps(document, ensure_ascii=ascii_only).encode()
        chunks = [content[at : at + step] for at in range(0, len(content), step)]
        texts = LongTexts(io.BytesIO())
        kept = texts.take_out(chunks)
        assert _restored(texts.put_back(json.loads(kept))) == document
        if not texts:
            assert kept == content

    def test_an_attachment_lies_aside(self) -> None:
        """Only what stands in an attachment is left aside, all else is text again."""
        long = "0123456789" * 3
        document = {
            "attachments": {"a.bin": {"data": long}, "data": {"data": long}},
            "data": long,
            "measurements": {"m": {"measured_value": {"data": long}}},
        }
        texts = LongTexts(io.BytesIO())
        kept = texts.take_out([json.dumps(document).encode()])
        assert long.encode() not in kept
        found: Any = texts.put_back(json.loads(kept))
        for name in ("a.bin", "data"):
            aside = found["attachments"][name]["data"]
            assert isinstance(aside, LongText)
            assert b"".join(aside.pieces()) == long.encode()
        del found["attachments"]
        del document["attachments"]
        assert found == document

    def test_escapes(self) -> None:
        """The escapes that encoders write into base64 are undone, piece by piece."""
        texts = LongTexts(io.BytesIO())
        content = rb'{"attachments": {"a": {"data": "AAA\/\nBBB\r\tCCC\u002b"}}}'
        found: Any = texts.put_back(json.loads(texts.take_out([content])))
        aside = found["attachments"]["a"]["data"]
        assert b"".join(aside.pieces()) == b"AAA/\nBBB\r\tCCC\\u002b"
        assert aside.text() == "AAA/\nBBB\r\tCCC+"


def _record(data: str) -> bytes:
    attachment = {"mimetype": "application/x", "data": data}
    phase = {"name": "p", "outcome": "PASS", "attachments": {"a.bin": attachment}}
    record = {"dut_id": "1", "station_id": "s", "outcome": "PASS", "phases": [phase]}
    return json.dumps(record).encode()


class TestReading:
    """Records with long attachments, read as a whole."""

    @pytest.mark.parametrize("size", [0, 1, 2, 3, 100, 101, 102, 1000])
    @pytest.mark.parametrize("wrapped", [False, True])
    def test_the_bytes_are_the_same(self, size: int, *, wrapped: bool) -> None:
        """Attachments of any length have their bytes, with line ends in them or not."""
        content = bytes(number % 251 for number in range(size))
        encode = base64.encodebytes if wrapped else base64.b64encode
        source = Source.from_bytes(_record(encode(content).decode()), "r.json")
        reading = read_all(OpenHTFJSONAdapter(), source)
        (attachment,) = reading.runs[0].attachments
        assert attachment.opener is not None
        with attachment.opener() as stream:
            assert stream.read() == content
        reading.spool.close()

    @pytest.mark.parametrize(
        "data", ["AAAA" * 9 + "!AAA", "AAA=" * 9, "AAAAA", "é" * 40, "A" * 41]
    )
    def test_damaged_bytes(self, data: str) -> None:
        """An attachment that is no base64 is left out, and that is recorded."""
        source = Source.from_bytes(_record(data), "r.json")
        reading = read_all(OpenHTFJSONAdapter(), source)
        (attachment,) = reading.runs[0].attachments
        assert attachment.opener is None
        assert reading.report.count(Disposition.DROPPED, "attachment bytes") == 1
        reading.spool.close()

    def test_a_record_that_is_cut_off(self) -> None:
        """A file that ends within an attachment is damaged, and says where."""
        content = _record("AAAA" * 100)[:-80]
        source = Source.from_bytes(content, "r.json")
        with pytest.raises(MalformedSourceError) as caught:
            read_all(OpenHTFJSONAdapter(), source)
        assert "line 1" in str(caught.value)

    def test_damage_behind_an_attachment(self) -> None:
        """The column is said to be that of the record without its attachments."""
        content = _record("AAAA" * 100)[:-1] + b", }"
        source = Source.from_bytes(content, "r.json")
        with pytest.raises(MalformedSourceError) as caught:
            read_all(OpenHTFJSONAdapter(), source)
        assert "long attachments not counted" in str(caught.value)
