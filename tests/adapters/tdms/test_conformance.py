"""The suite that every adapter passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rigbridge.testing import AdapterCase, AdapterSuite, Sample
from rigbridge_tdms import TDMSAdapter


class TestConformance(AdapterSuite):
    """The reader of TDMS is an adapter as the contract wants it."""

    @pytest.fixture
    def case(self, write: Callable[..., bytes]) -> AdapterCase:
        """Give a file of two groups."""
        np = pytest.importorskip("numpy")
        wave = {"wf_increment": 0.5, "wf_start_offset": 0.0, "unit_string": "V"}
        content = write(
            {
                ("Power", "vcc"): (np.array([3.3, 3.4]), wave),
                ("Power", "count"): (np.array([1, 2], dtype="int32"), {}),
                ("Log", "words"): (np.array(["on", "off"]), {"note": "as heard"}),
            },
            root={"Serial Number": "A-1", "Outcome": "PASS", "Procedure": "Burn-in"},
            groups={"Power": {"load": 2.5}},
        )
        samples = (Sample(name="log.tdms", content=content, runs=1),)
        return AdapterCase(adapter=TDMSAdapter(), samples=samples)
