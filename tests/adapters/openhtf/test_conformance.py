"""The suite that every adapter passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rigbridge
from rigbridge.testing import AdapterCase, AdapterSuite, Sample
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter

EXAMPLE = Path(rigbridge.__file__).parent / "examples/openhtf-with-attachment.json"


def _old(record: dict[str, Any]) -> bytes:
    """Write a record as 2016 did: no outcomes of phases, the values apart."""
    phase = record["phases"][0]
    del phase["outcome"]
    phase["measurements"] = {"v": {"name": "v", "outcome": "PASS"}}
    phase["measured_values"] = {"v": 4.5}
    return json.dumps(record, indent=2, sort_keys=True).encode()


class TestConformance(AdapterSuite):
    """The reader of OpenHTF's JSON is an adapter as the contract wants it."""

    @pytest.fixture
    def case(self, record: dict[str, Any]) -> AdapterCase:
        """Give the bundled example, two records in a list, and an old record."""
        several = [record, {**record, "dut_id": "SN-2"}]
        return AdapterCase(
            adapter=OpenHTFJSONAdapter(),
            samples=(
                Sample.from_path(EXAMPLE),
                Sample(name="list.json", content=json.dumps(several).encode(), runs=2),
                Sample(name="2016.json", content=_old(record)),
            ),
        )
