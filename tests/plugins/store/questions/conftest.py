"""The store of a small factory, and a browser that looks at it as a person does."""

from __future__ import annotations

import math
import os
import random
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from selenium import webdriver
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from rigbridge.wire import CreateRun, from_builtins
from rigbridge_store import RunStore
from rigbridge_store.preparer import SUBMISSION
from rigbridge_store.reading.run_search import named_procedures
from rigbridge_store.server import StoreServer

_FIRST = datetime(2024, 3, 4, 6, tzinfo=UTC)
_STATIONS = ("EOL-1", "EOL-2", "EOL-3")
_HOSTILE = "<img src=x onerror=alert(1)>\u202e" + "x" * 10_000
# Three for each of two weeks' days and station.
_RUNS = 126
PHASES = 600


def _phase(
    name: str, begin: datetime, measured: list[dict[str, Any]]
) -> dict[str, Any]:
    failed = any(item["outcome"] == "FAIL" for item in measured)
    start = int(begin.timestamp() * 1000)
    return {
        "name": name,
        "outcome": "FAIL" if failed else "PASS",
        "start_time_millis": start,
        "end_time_millis": start + 4000,
        "measurements": measured,
    }


def _number(name: str, value: float, low: float, high: float) -> dict[str, Any]:
    return {
        "name": name,
        "outcome": "PASS" if low <= value <= high else "FAIL",
        "measured_value": round(value, 4),
        "units": "V",
        "lower_limit": low,
        "upper_limit": high,
    }


def _naming(station: str) -> dict[str, Any]:
    """Make the sidecar of a run of a station, each of which has a meter."""
    meter = {
        "name": "dmm",
        "serial_number": f"MY53-{station[-1]}",
        "calibration_due": "2024-03-10" if station == "EOL-3" else "2025-01-31",
    }
    return {
        "rigbridge": 1,
        "run_id": "00000000-0000-4000-8000-000000000000",
        "overlay": {"~": {"station": {"=": station}, "instruments": {"=": [meter]}}},
        "attachments": [],
        "report": {},
    }


def _line(moment: datetime, level: str, message: str) -> dict[str, Any]:
    return {
        "level": level,
        "timestamp": moment.isoformat(),
        "message": message,
        "source_file": "eol.py",
        "line_number": 42,
    }


def _body(number: int, chance: random.Random, **changes: Any) -> dict[str, Any]:
    """Make a run of the end of the line; the second station drifts upwards."""
    begin = _FIRST + timedelta(hours=number * 8 / 3)
    station = _STATIONS[number % 3]
    drift = 0.004 * number if station == "EOL-2" else 0.0
    supply = 3.3 + drift / 2 + chance.gauss(0, 0.02)
    firmware = "2.1.0" if number % 29 else "2.0.9"
    phases = [
        _phase("Power", begin, [_number("Supply", supply, 3.0, 3.5)]),
        _phase(
            "Program",
            begin + timedelta(seconds=4),
            [
                {
                    "name": "Firmware",
                    "outcome": "PASS" if firmware == "2.1.0" else "FAIL",
                    "measured_value": firmware,
                    "validators": ['"x" matches /^2\\.1\\./'],
                }
            ],
        ),
        _phase(
            "Ripple",
            begin + timedelta(seconds=8),
            [_number("Peak", 0.04 + 0.01 * math.sin(number), 0.0, 0.06)],
        ),
    ]
    failed = any(phase["outcome"] != "PASS" for phase in phases)
    body: dict[str, Any] = {
        "unit_under_test": {
            "serial_number": f"PB24-{700 + number:05}",
            "part_number": "PB-24",
            "revision": "A" if number < _RUNS // 2 else "B",
            "batch_number": f"W{10 + number // 42}",
        },
        "run_passed": not failed,
        "procedure_name": "End of line",
        "procedure_version": "4.2",
        "operated_by": ("ana@plant.example", "bo@plant.example")[number % 2],
        "started_at": begin.isoformat(),
        "duration": f"PT{20 + number % 7}S",
        "phases": phases,
        "logs": [_line(begin, "INFO", "started")],
        "rigbridge": _naming(station),
    }
    return body | changes


def _one_more(number: int) -> CreateRun:
    """Make one more run."""
    chance = random.Random(number)  # noqa: S311 - the same factory each time
    return from_builtins(_body(number, chance), CreateRun)


def _with_error(number: int, chance: random.Random) -> dict[str, Any]:
    body = _body(number, chance)
    begin = datetime.fromisoformat(body["started_at"])
    body["phases"][2] |= {"outcome": "ERROR", "measurements": []}
    body["logs"].append(
        _line(
            begin + timedelta(seconds=9),
            "ERROR",
            "VISA timeout: no answer from the scope at GPIB0::7\nTraceback follows",
        )
    )
    return body | {"run_passed": False, "outcome": "ERROR"}


def _aborted(number: int, chance: random.Random) -> dict[str, Any]:
    body = _body(number, chance)
    begin = datetime.fromisoformat(body["started_at"])
    body["phases"] = body["phases"][:1]
    body["logs"].append(
        _line(begin, "WARNING", "Operator pressed the stop button, door was open")
    )
    return body | {"run_passed": False, "outcome": "ABORTED"}


def _long(number: int, chance: random.Random) -> dict[str, Any]:
    begin = _FIRST + timedelta(hours=number * 8 / 3)
    phases = [
        _phase(
            f"Step {step:03}",
            begin + timedelta(seconds=4 * step),
            [_number(f"Pin {step:03}", 1.0 + chance.gauss(0, 0.01), 0.9, 1.1)],
        )
        for step in range(PHASES)
    ]
    phases[411]["measurements"][0] |= {"outcome": "FAIL", "measured_value": 1.31}
    phases[411]["outcome"] = "FAIL"
    for step in range(100, 140):
        phases[step] |= {"outcome": "SKIP", "measurements": []}
    return _body(number, chance) | {
        "procedure_name": "Bed of nails",
        "phases": phases,
        "run_passed": False,
    }


@attrs.frozen(kw_only=True)
class Factory:
    """
    A served store.

    Attributes:
        url: its origin.
        key: a user's key.
        store: the store behind it.
        runs: ids of runs worth a look, by what is special about them.
        procedures: ids of the procedures by name.
    """

    url: str
    key: str
    store: RunStore
    runs: dict[str, str]
    procedures: dict[str, str]

    def finish_run(self, number: int) -> None:
        """Let a station finish a run."""
        self.store.create_run(_one_more(number), policy=SUBMISSION)

    def retest(self, number: int) -> None:
        """Let a unit of which the firmware was wrong pass."""
        body = _body(number, random.Random(number))  # noqa: S311 - as above
        body["phases"][1] |= {"outcome": "PASS", "measurements": []}
        body["started_at"] = (_FIRST + timedelta(days=13)).isoformat()
        body["run_passed"] = True
        run = from_builtins(body, CreateRun)
        self.store.create_run(run, policy=SUBMISSION)


def fill(store: RunStore) -> dict[str, str]:
    """Store the runs, and name those that are worth a look."""
    chance = random.Random(24)  # noqa: S311 - the same factory each time
    found: dict[str, str] = {}

    def add(body: dict[str, Any]) -> str:
        return store.create_run(from_builtins(body, CreateRun), policy=SUBMISSION).id

    for number in range(_RUNS):
        if number == 50:
            found["error"] = add(_with_error(number, chance))
        elif number == 60:
            found["aborted"] = add(_aborted(number, chance))
        else:
            run = add(_body(number, chance))
            found["text"] = run if number == 58 else found.get("text", "")
            found["drifted"] = run if number == 124 else found.get("drifted", "")
    # What failed is tested again, at the end, and passes.
    again = _body(72, chance)
    again["started_at"] = (_FIRST + timedelta(days=14, hours=1)).isoformat()
    found["again"] = add(again)
    found["long"] = add(_long(130, chance))
    hostile = _body(131, chance, procedure_name=_HOSTILE[:250])
    hostile["unit_under_test"]["serial_number"] = _HOSTILE[:250]
    hostile["rigbridge"] = _naming(_HOSTILE)
    hostile["phases"][0]["name"] = _HOSTILE
    hostile["phases"][0]["measurements"][0] |= {"name": _HOSTILE, "outcome": "FAIL"}
    hostile["logs"].append(_line(_FIRST, "ERROR", _HOSTILE))
    found["hostile"] = add(hostile | {"run_passed": False})
    return found


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    """Serve the store of the factory."""
    data: Path = tmp_path_factory.mktemp("factory") / "store"
    with RunStore.open(data) as store:
        found = fill(store)
        with store.reading() as connection:
            procedures = {item.name: item.id for item in named_procedures(connection)}
        server = StoreServer(store, port=0)
        up = threading.Event()
        thread = threading.Thread(target=server.run, args=(lambda _: up.set(),))
        thread.start()
        try:
            assert up.wait(30), "the server did not come up"
            yield Factory(
                url=server.url,
                key=store.create_user_key("Ana"),
                store=store,
                runs=found,
                procedures=procedures,
            )
        finally:
            server.stop()
            thread.join(30)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Name the folder that the browser saves to."""
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def person(factory: Factory, downloads: Path) -> Iterator[webdriver.Chrome]:
    """Start a browser and sign in."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no browser: install Debian's chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Its sandbox does not work for root.
        options.add_argument("--no-sandbox")
    options.add_argument("--window-size=1280,900")
    options.add_experimental_option(
        "prefs", {"download.default_directory": str(downloads)}
    )
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        browser.get(factory.url)
        browser.find_element("id", "key").send_keys(factory.key, Keys.ENTER)
        WebDriverWait(browser, 15).until(
            lambda found: found.find_elements("id", "find")
        )
        yield browser
    finally:
        browser.quit()
