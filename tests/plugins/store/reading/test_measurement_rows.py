"""Rows of measurements from the tables, against those of the restored runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings

from rigbridge.adapters import Source, Spool
from rigbridge.configuration import load_configuration
from rigbridge.convert import from_document
from rigbridge.destinations.selection import RunSelection
from rigbridge.errors import RigbridgeError
from rigbridge.export import measurement_rows
from rigbridge.imports.detection import AdapterSet
from rigbridge.imports.reading import ReadRun, read_source
from rigbridge.kept.rows import rows_from_wire, rows_to_wire
from rigbridge.model import Measurement, Run
from rigbridge.testing.adapters.strategies import runs
from rigbridge.wire import CreateRun
from rigbridge_store import RunStore
from rigbridge_store.reading.rows import FoundRows
from rigbridge_store.submission import submit_run
from rigbridge_store.tables.packing import pack
from rigbridge_store.tables.schema import run_documents

SAMPLES = Path(__file__).parents[4] / "../shared/samples"
EXAMPLES = Path(__file__).parents[4] / "core/rigbridge/examples"


def is_nan(cell: object) -> bool:
    """Whether a cell is no number."""
    return isinstance(cell, float) and math.isnan(cell)


def told(rows: Any) -> list[tuple[object, ...]]:
    """Give rows that can be compared: what is no number differs from itself."""
    return [
        tuple((type(cell), "nan" if is_nan(cell) else cell) for cell in row)
        for row in rows
    ]


def compare(store: RunStore) -> int:
    """Compare the rows of every run of a store; gives how many runs there are."""
    count = 0
    for found in store.read_rows(RunSelection()):
        assert found.rows is not None
        restored = measurement_rows(store.get_run(found.id))
        assert told(found.rows) == told(restored)
        assert told(rows_from_wire(rows_to_wire(found.id, restored))) == told(restored)
        count += 1
    return count


def submit_reports(store: RunStore, files: Iterator[Path]) -> None:
    """Store the runs of report files that can be stored."""
    configuration = load_configuration(data=store.data)
    adapters = AdapterSet(configuration)
    for file in files:
        source = Source.from_path(file)
        try:
            installed = adapters.choose(source)
            with Spool() as spool:
                for item in read_source(source, installed, configuration, spool):
                    if isinstance(item, ReadRun):
                        submit_run(store, item.run, item.report)
        except RigbridgeError:
            continue


class TestEquality:
    """Both ways say the same."""

    def test_of_the_examples(self, store: RunStore) -> None:
        """Every kind of report that we bundle."""
        submit_reports(store, iter(sorted(EXAMPLES.iterdir())))
        assert compare(store) > 4

    @pytest.mark.skipif(not SAMPLES.is_dir(), reason="the real samples are not here")
    def test_of_real_reports(self, store: RunStore) -> None:
        """Real reports of each kind, the small ones."""
        files = (
            path
            for path in sorted(SAMPLES.rglob("*"))
            if path.is_file() and path.stat().st_size < 100_000
        )
        submit_reports(
            store, (path for index, path in enumerate(files) if index % 4 == 0)
        )
        assert compare(store) > 3

    def test_of_any_run(self, store: RunStore) -> None:
        """Whatever a model can hold: unknown times, nesting, series, long integers."""

        @settings(
            max_examples=20,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(run=runs())
        def store_it(run: Run) -> None:
            submit_run(store, run)

        store_it()
        assert compare(store) > 3


class TestUnusual:
    """Runs whose rows cannot be had the short way."""

    @pytest.fixture
    def run(self, store: RunStore, make_body: Callable[..., CreateRun]) -> str:
        """Store a run of a foreign client."""
        return store.create_run(make_body()).id

    def spoil(self, store: RunStore, sidecar: bytes) -> FoundRows:
        """Give a run another sidecar, and read its rows."""
        with store.writing() as (connection, _):
            key = connection.execute(sa.text("select key from runs")).scalar_one()
            connection.execute(
                run_documents.insert(), {"run_key": key, "sidecar": sidecar}
            )
        (found,) = store.read_rows(RunSelection())
        return found

    @pytest.mark.parametrize(
        "overlay",
        [
            {"?": 1},
            {"~": {"station": {"=": 7}}},
            {"~": {"phases": {"=": 7}}},
            {"~": {"phases": {"~": {"0": {"~": {"path": {"=": 7}}}}}}},
        ],
    )
    def test_a_sidecar_that_does_not_fit(
        self, store: RunStore, run: str, overlay: dict[str, Any]
    ) -> None:
        """What was sent in the fields of v1 counts, as it does for the restored run."""
        sidecar = {"rigbridge": 1, "run_id": run, "overlay": overlay, "attachments": []}
        found = self.spoil(store, pack(json.dumps(sidecar).encode()))
        assert told(found.rows) == told(measurement_rows(store.get_run(run)))

    def test_a_damaged_sidecar(self, store: RunStore, run: str) -> None:
        """Likewise."""
        found = self.spoil(store, b"no packed text")
        assert told(found.rows) == told(measurement_rows(store.get_run(run)))

    def test_a_run_without_measurements(
        self, store: RunStore, make_body: Callable[..., CreateRun]
    ) -> None:
        """It is there, and has no row."""
        store.create_run(make_body(phases=[]))
        (found,) = store.read_rows(RunSelection())
        assert found.rows is not None
        assert list(found.rows) == []


def test_a_value_that_is_no_number_can_be_sent() -> None:
    """JSON has no such number: it is spelled, and read again."""
    run = from_document(
        {
            "outcome": "PASS",
            "procedure": {"name": "P"},
            "unit": {"serial_number": "S"},
            "phases": [{"name": "a", "outcome": "PASS"}],
        }
    )
    phase = attrs.evolve(
        run.phases[0], measurements=[Measurement(name="m", value=math.nan)]
    )
    rows = measurement_rows(attrs.evolve(run, phases=[phase]))
    assert told(rows_from_wire(rows_to_wire("id", rows))) == told(rows)
