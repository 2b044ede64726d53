"""A run that nobody understands is kept as it came, and harms no other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigbridge.wire import CreateRun
from rigbridge_store import RunStore

Serving = Callable[..., Any]
BodyMaker = Callable[..., CreateRun]

_OURS: dict[str, Any] = {
    "rigbridge": 1,
    "run_id": None,
    "overlay": None,
    "attachments": [],
}
SIDECARS: dict[str, dict[str, Any]] = {
    "newer": {"rigbridge": 2, "overlay": [], "attachments": 5},
    "foreign": {"something": "else"},
    "no overlay": {**_OURS, "overlay": [1]},
    "broken overlay": {**_OURS, "overlay": {"~": {"phases": 1}}},
    "deep overlay": {**_OURS, "overlay": {"~": {"phases": {"~": {"9": {"=": 1}}}}}},
    "foreign attachments": {**_OURS, "attachments": [1, {"name": 2}]},
    "foreign report": {**_OURS, "report": {"dropped": [{"x": 1}], "mapped": [1]}},
    "report of texts": {**_OURS, "report": {"entries": ["x"], "coerced": "y"}},
}


@pytest.fixture(params=SIDECARS.values(), ids=list(SIDECARS))
def sidecar(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Give something that stands in our own field, but is none of ours."""
    given: dict[str, Any] = request.param
    return given


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_reader_goes_on(
    store: RunStore, make_body: BodyMaker, serving: Serving, sidecar: dict[str, Any]
) -> None:
    """Pages, lists and single answers show it, and the sidecar as it came."""
    sound = store.create_run(make_body()).id
    poison = store.create_run(make_body(rigbridge=sidecar)).id
    assert store.get_run(sound).phases
    assert store.get_run(poison).phases
    # Without any key the pages are open to this machine.
    with serving(store) as visitor:
        for path in ("/", "/runs", f"/runs/{poison}", "/units?serial=SN-1"):
            assert visitor.get(path).status_code == 200, path
    with serving(store, store.create_user_key("Jane")) as api:
        for path in (
            "/v1/runs?serial_number=SN-1",
            "/v2/runs?include_sequences=true&include_metadata=true",
            f"/v2/runs/{poison}",
            f"/v2/phases/{poison}.p0",
        ):
            assert api.get(f"/api{path}").status_code == 200, path
        procedure = api.get(f"/api/v1/runs/{poison}").json()["procedure"]["id"]
        for name in ("phases", "measurements"):
            answer = api.get(f"/api/v2/{name}", params={"procedure_id": procedure})
            assert len(answer.json()["data"]) == 2, name
        assert api.get(f"/api/v1/runs/{poison}").json()["rigbridge"] == sidecar


def test_it_is_named(
    store: RunStore, make_body: BodyMaker, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the run is told that something of it is left out."""
    poison = store.create_run(make_body(rigbridge=SIDECARS["newer"])).id
    with caplog.at_level(logging.WARNING):
        store.get_run(poison)
    assert poison in caplog.text
    assert "format 2" in caplog.text


def test_the_id_of_another_run(store: RunStore, make_body: BodyMaker) -> None:
    """A sidecar that claims another run's id gives the run its own all the same."""
    victim = store.create_run(make_body()).id
    thief = store.create_run(make_body(rigbridge={**_OURS, "run_id": victim})).id
    assert str(store.get_run(thief).id) == thief


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    sidecar=st.dictionaries(
        st.sampled_from(["rigbridge", "run_id", "overlay", "attachments", "report"]),
        st.recursive(
            st.none() | st.integers(0, 3) | st.sampled_from(["x", "metadata"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["~", "=", "phases", "metadata", "0", "dropped"]),
                    inner,
                    max_size=3,
                )
            ),
            max_leaves=8,
        ),
    )
)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_any_sidecar(
    store: RunStore, make_body: BodyMaker, sidecar: dict[str, Any]
) -> None:
    """Whatever is sent, the run is read back, and so is what was sent."""
    made = store.create_run(make_body(rigbridge=sidecar)).id
    assert str(store.get_run(made).id) == made
    shown = store.show_run(made)
    assert shown.rigbridge == sidecar


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_the_edges_of_the_calendar(
    store: RunStore, make_body: BodyMaker, serving: Serving, moment: str
) -> None:
    """The first and the last time that there is are shown like any other."""
    store.create_run(make_body())
    run = store.create_run(make_body(started_at=moment, duration=...)).id
    procedure = store.show_run(run).procedure
    assert procedure is not None
    with serving(store) as visitor:
        for period in ("", "?period=all", "?period=7"):
            for path in ("/", f"/procedures/{procedure.id}"):
                answer: httpx.Response = visitor.get(path + period)
                assert answer.status_code == 200, path + period
        measured = visitor.get(
            f"/procedures/{procedure.id}/measurement",
            params={"phase": "Power", "name": "Voltage", "period": "all"},
        )
        assert measured.status_code == 200
