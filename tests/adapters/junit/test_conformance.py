"""The suite that every adapter passes."""

from __future__ import annotations

import pytest

from rigbridge.testing import AdapterCase, AdapterSuite, Sample
from rigbridge_junit import JUnitAdapter, JUnitSettings

REPORT = """<?xml version="1.0" encoding="{}"?>
<testsuites name="Final test">
  <testsuite name="power" hostname="rig-4" tests="3" failures="1" errors="0"
      timestamp="2026-03-04T05:06:07" time="1.5">
    <properties><property name="serial_number" value="SN-0042"/></properties>
    <testcase classname="test_power" name="test_vcc" time="0.5">
      <properties><property name="vcc" value="3.3"/></properties>
      <system-out>für</system-out>
    </testcase>
    <testcase classname="test_power" name="test_idd" time="1,000.0">
      <failure message="too high" type="AssertionError">trace</failure>
    </testcase>
    <testcase name="test_none"><skipped message="no board"/></testcase>
  </testsuite>
  <testsuite name="radio"><testcase name="test_tx"/></testsuite>
</testsuites>
"""


class TestConformance(AdapterSuite):
    """The reader of JUnit XML is an adapter as the contract wants it."""

    @pytest.fixture(params=["file", "suite"])
    def case(self, request: pytest.FixtureRequest) -> AdapterCase:
        """Give a report in several encodings, read as one run or as two."""
        runs = 1 if request.param == "file" else 2
        return AdapterCase(
            adapter=JUnitAdapter(JUnitSettings(run=request.param)),
            samples=tuple(
                Sample(
                    name=f"{name}.xml",
                    content=REPORT.format(name).encode(name),
                    runs=runs,
                )
                for name in ("utf-8", "iso-8859-1", "utf-16")
            ),
        )
