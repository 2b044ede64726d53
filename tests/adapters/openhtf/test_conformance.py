"""The suite that every adapter passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rigbridge
from rigbridge.testing import AdapterCase, AdapterSuite, Sample
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter
from rigbridge_openhtf.settings import OpenHTFSettings

EXAMPLE = Path(rigbridge.__file__).parent / "examples/openhtf-with-attachment.json"

# Options of a phase that have their default, and names: those of measurements and of
# phases stand twice.
_UNREAD = (
    r'^\s*"\w+": false,?$',
    '"phase_name_case": "KEEP"',
    r'^ {8}"\w+": \{$',
    r'^\s*"name": ',
)


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
        both = [record, {**record, "dut_id": "SN-2"}]
        several = json.dumps(both, indent=2).encode()
        # The framework's own phase and lines would be omitted by rule as a whole.
        settings = OpenHTFSettings(framework_phases=True, framework_logs=True)
        return AdapterCase(
            adapter=OpenHTFJSONAdapter(settings),
            samples=(
                Sample.from_path(EXAMPLE, unread=_UNREAD),
                Sample(name="list.json", content=several, runs=2, unread=_UNREAD),
                Sample(name="2016.json", content=_old(record), unread=_UNREAD),
            ),
        )
