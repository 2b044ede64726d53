"""The suite that every adapter passes."""

from __future__ import annotations

from typing import Any

import pytest

from rigbridge.testing import AdapterCase, AdapterSuite, Sample
from rigbridge_stdf import STDFAdapter

ASCII = """FAR:A|4|2|U
MIR:LOT7|CHIP|prog|tester-3|T9|22:12:20 14-NOV-2023|22:13:20 14-NOV-2023|eve|P|1
PIR:1|0
PTR:10|1|0|1.5|P||Supply||LH|V|1.0|2.0
FTR:20|1|0|F||checker
PRR:1|0|SN-0001|2|F|5|5
PIR:1|0
PTR:11|1|0|1.6|P||Ripple||LH|V|1.0|2.0
PRR:1|0|SN-0002|1|P|1|1
MRR:23:13:20 14-NOV-2023
"""


class TestConformance(AdapterSuite):
    """The reader of STDF is an adapter as the contract wants it."""

    @pytest.fixture
    def case(self, lot: type[Any]) -> AdapterCase:
        """Give a lot in both byte orders and as text."""
        samples = [
            Sample(name="c.atdf", content=ASCII.encode(), runs=2, unread=("^FAR",))
        ]
        for order in "<>":
            made = lot(order).mir()
            made.pir().ptr(10, 1.5, text="Supply", rest=made.limits(1.0, 2.0))
            # The hint to a scale of print, and the signs of a NaN.
            scale = made.content.index(b"\x06Supply") + len(b"\x06Supply\0")
            made.dtr("a note").add(15, 20, made.pack("IBBB", 20, 1, 0, 0x80))
            made.prr("SN-0001", flags=8, bins=(5, 5), time=1500)
            made.pir().ptr(10, float("nan")).prr("SN-0002")
            counts = len(made.content)
            made.hbr(1, "P", "good").sbr(5, "F", "leak").mrr()
            content, nan = made.content, made.pack("f", float("nan"))
            padding = [(scale, scale + 1), (content.index(nan), content.index(nan) + 4)]
            # The counts of a lot are left out: they follow from its parts.
            padding.append((counts, len(content)))
            name = f"lot{order == '<'}.stdf"
            samples.append(Sample(name=name, content=content, runs=2, padding=padding))
        return AdapterCase(
            adapter=STDFAdapter(),
            samples=tuple(samples),
        )
