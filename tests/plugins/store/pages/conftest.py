"""A store worth looking at, and visitors to it."""

from __future__ import annotations

import math
import struct
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import pytest

from rigbridge.wire import CreateRun, InitializeUpload, from_builtins
from rigbridge_store import RunStore
from rigbridge_store.reading.one_run import read_in_context
from rigbridge_store.server import StoreServer

_BASE = 1_705_314_900_000
_DAY = 86_400_000


def _png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        checked = kind + body
        return (
            struct.pack(">I", len(body))
            + checked
            + struct.pack(">I", zlib.crc32(checked))
        )

    width, height = 160, 90
    rows = b"".join(
        b"\0" + bytes(value for x in range(width) for value in (x, 2 * y, 160))
        for y in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _run(number: int) -> dict[str, object]:
    begin = _BASE + number * _DAY // 2
    voltage = round(3.3 + 0.1 * math.sin(number * 1.7), 4)
    failed = number % 7 == 3
    if failed:
        voltage = 3.71
    curve = [[step / 100, round(math.sin(step / 9), 4)] for step in range(300)]
    verdict = "FAIL" if failed else "PASS"
    return {
        "unit_under_test": {
            "serial_number": f"SN-{number // 2:04}",
            "part_number": "PCB-7",
            "revision": "B",
            "batch_number": "2024-03",
        },
        "run_passed": not failed,
        "procedure_name": "Final <test>" if number % 4 else "Burn-in",
        "started_at": _iso(begin),
        "duration": "PT42S",
        "phases": [
            {
                "name": "Power",
                "outcome": verdict,
                "start_time_millis": begin,
                "end_time_millis": begin + 1500,
                "measurements": [
                    {
                        "name": "Voltage",
                        "outcome": verdict,
                        "measured_value": voltage,
                        "units": "V",
                        "lower_limit": 3,
                        "upper_limit": 3.6,
                    },
                    {
                        "name": "Firmware",
                        "outcome": "PASS",
                        "measured_value": "1.2.<b>3</b>",
                    },
                ],
            },
            {
                "name": "Sweep",
                "outcome": "PASS",
                "start_time_millis": begin + 1500,
                "end_time_millis": begin + 9000,
                "measurements": [
                    {
                        "name": "Response",
                        "outcome": "PASS",
                        "measured_value": curve,
                        "units": ["s", "V"],
                    }
                ],
            },
        ],
        "logs": [
            {
                "level": level,
                "timestamp": _iso(begin),
                "message": f"<script>alert(1)</script> {level}",
                "source_file": "rig.py",
                "line_number": 12,
            }
            for level in ("DEBUG", "INFO", "WARNING")
        ],
        "rigbridge": _instruments(begin),
    }


def _instruments(begin: int) -> dict[str, object]:
    """Make the sidecar of a run whose first value names an overdue instrument."""
    due = datetime.fromtimestamp(begin / 1000, UTC).date() - timedelta(days=1)
    named = [
        {"name": "dmm <1>", "serial_number": "MY53", "calibration_due": str(due)},
        {"name": "scope", "calibration_due": "2999-12-31"},
    ]
    by = ("dmm <1>", "probe")
    measured = {str(i): {"~": {"instrument": {"=": name}}} for i, name in enumerate(by)}
    power = {"~": {"measurements": {"~": measured}}}
    return {
        "rigbridge": 1,
        "run_id": "00000000-0000-4000-8000-000000000000",
        "overlay": {
            "~": {"instruments": {"=": named}, "phases": {"~": {"0": power}}},
        },
        "attachments": [],
        "report": {},
    }


def _iso(millis: int) -> str:
    seconds = millis // 1000
    return datetime.fromtimestamp(seconds, UTC).isoformat()


_FILES = {
    "shot.png": ("image/png", _png()),
    "evil.html": ("text/html", b"<script>document.title='run'</script>"),
    "evil.svg": (
        "image/svg+xml",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    ),
    'a"b\r\nSet-Cookie: x=1.txt': ("text/plain", "Grüße\n".encode()),
}


@attrs.frozen(kw_only=True)
class Site:
    """
    A served store with runs.

    Attributes:
        url: its origin.
        key: a user's key.
        station_key: a station's key.
        run: the id of a failed run with files.
        serial: the serial number of its unit.
        procedure: the id of its procedure.
        files: the ids of the run's files by name.
        contents: the bytes of the run's files by name.
        store: the store behind it.
    """

    url: str
    key: str
    station_key: str
    run: str
    serial: str
    procedure: str
    files: dict[str, str]
    contents: dict[str, bytes]
    store: RunStore


def _filled(store: RunStore) -> str:
    ids = [
        store.create_run(from_builtins(_run(number), CreateRun)).id
        for number in range(60)
    ]
    run = ids[59 - 59 % 7 + 3 - 7]
    uploads = []
    for name, (kind, content) in _FILES.items():
        ticket = store.uploads.initialize(InitializeUpload(name=name))
        store.uploads.store(ticket.id, ticket.token, [content], mime_type=kind)
        uploads.append(ticket.id)
    store.link_uploads(run, uploads)
    return run


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Serve a store with sixty runs, one of which has files, of either database."""
    data: Path = tmp_path_factory.mktemp("pages") / "store"
    database = None
    if request.param == "postgresql":
        database = request.getfixturevalue("new_database")()
    with RunStore.open(data, database=database) as store:
        run = _filled(store)
        with store.reading() as connection:
            details = read_in_context(connection, store.contents, run)
        server = StoreServer(store, port=0)
        up = threading.Event()
        thread = threading.Thread(target=server.run, args=(lambda _: up.set(),))
        thread.start()
        try:
            assert up.wait(30), "the server did not come up"
            yield Site(
                url=server.url,
                key=store.create_user_key("Jane <Doe>"),
                station_key=store.create_station_key("rig-7"),
                run=run,
                serial=details.serial,
                procedure=details.procedure_id,
                files={file.name or "": file.id for file in details.stored.files},
                contents={name: content for name, (_, content) in _FILES.items()},
                store=store,
            )
        finally:
            server.stop()
            thread.join(30)


@pytest.fixture
def visitor(site: Site) -> Iterator[httpx.Client]:
    """Give a client that is signed in."""
    with httpx.Client(base_url=site.url, follow_redirects=True, timeout=30) as client:
        form = client.get("/sign-in").text
        token = form.split('name="form_token" value="')[1].split('"')[0]
        answer = client.post("/sign-in", data={"key": site.key, "form_token": token})
        assert answer.status_code == 200, answer.text
        yield client
