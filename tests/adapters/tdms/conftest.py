"""TDMS files that are written in the test itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rigbridge.adapters import Source
from rigbridge.testing import Reading, read_all
from rigbridge_tdms import TDMSAdapter, TDMSSettings

nptdms = pytest.importorskip("nptdms")


def written(
    channels: Mapping[tuple[str, str], tuple[Any, Mapping[str, Any]]],
    *,
    root: Mapping[str, Any] | None = None,
    groups: Mapping[str, Mapping[str, Any]] | None = None,
    segments: int = 1,
) -> bytes:
    """Write a file: its channels by group and name, with points and properties."""
    stream = io.BytesIO()
    with nptdms.TdmsWriter(stream) as writer:
        for _ in range(segments):
            writer.write_segment(
                [
                    nptdms.RootObject(properties=dict(root or {})),
                    *(
                        nptdms.GroupObject(name, properties=dict(properties))
                        for name, properties in (groups or {}).items()
                    ),
                    *(
                        nptdms.ChannelObject(*key, points, properties=dict(properties))
                        for key, (points, properties) in channels.items()
                    ),
                ]
            )
    return stream.getvalue()


@pytest.fixture(name="write", scope="session")
def _write() -> Callable[..., bytes]:
    """Give what writes a file."""
    return written


@pytest.fixture(name="read", scope="session")
def _read() -> Callable[..., Reading]:
    """Read the bytes of a file with the settings given."""

    def read(content: bytes, name: str = "log.tdms", **settings: Any) -> Reading:
        adapter = TDMSAdapter(TDMSSettings(**settings))
        return read_all(adapter, Source.from_bytes(content, name))

    return read
