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
        # Sizes and versions, which follow from what they are of; signs in names.
        names = [
            content.index(f"'{name}'".encode()) for name in ("vcc", "count", "words")
        ]
        sizes = [content.index(b"\0\0\0", at) - 1 for at in names]
        sizes += [sizes[-1] + 20, content.index(b"onoff") - 4]
        blank = content.index(b"Serial Number") + len("Serial")
        quote = content.index(b"/'Log'") + len("/'Log")
        padding = [(4, 12), *((at, at + 4) for at in sizes)]
        padding += [(at, at + 1) for at in (blank, quote)]
        samples = (Sample(name="log.tdms", content=content, runs=1, padding=padding),)
        return AdapterCase(adapter=TDMSAdapter(), samples=samples)
