"""What the conformance suite says to authors of adapters that break down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import attrs
import pytest

from rigbridge.adapters import Match, ReadContext, Source
from rigbridge.errors import ModelError
from rigbridge.model import Run
from rigbridge.testing import AdapterCase, Sample
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.checks import CHECKS
from rigbridge.testing.adapters.observation import NonconformityError

BY_NAME = {check.name: check.run for check in CHECKS}


@attrs.frozen
class NoSettings:
    """There are none."""


class BreakingAdapter:
    """Breaks down with an error of the author's choice."""

    name: ClassVar[str] = "breaking"
    settings_type: ClassVar[type[NoSettings]] = NoSettings
    error: ClassVar[Exception | None] = None

    def __init__(self, settings: NoSettings | None = None) -> None:
        self.settings = settings

    def detect(self, head: bytes, name: str) -> Match | None:
        """Decode whatever comes."""
        return Match(0.9, name) if head.decode().startswith("RIG") else None

    def read(self, source: Source, context: ReadContext) -> Iterator[Run]:
        """Break down."""
        yield from self._broken(source, context)

    def _broken(self, *_: object) -> NoReturn:
        assert self.error is not None
        raise self.error


@pytest.mark.parametrize("check", ["reads-every-run", "streams", "closes-its-streams"])
@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ModelError("is no UUID", path="Run.id"), "context.provenance"),
        (FileNotFoundError(2, "none"), "source.open()"),
        (TypeError("missing argument"), "mend the code there"),
        (IndexError("out of range"), "MalformedSourceError"),
    ],
)
def test_reading(
    error: Exception,
    remedy: str,
    check: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is raised, the failure names the author's line and a remedy."""
    monkeypatch.setattr(BreakingAdapter, "error", error)
    sample = Sample(name="a.rig", content=b"RIG;1\n")
    bench = Bench(AdapterCase(adapter=BreakingAdapter(), samples=(sample,)), tmp_path)
    with pytest.raises(NonconformityError) as caught:
        bench.run(check, BY_NAME[check])
    assert remedy in caught.value.remedy
    assert Path(__file__).name in caught.value.message


def test_detecting(tmp_path: Path) -> None:
    """An error of detection is one of detection, in every check that asks it."""
    sample = Sample(name="a.rig", content=b"RIG;1\n")
    bench = Bench(AdapterCase(adapter=BreakingAdapter(), samples=(sample,)), tmp_path)
    with pytest.raises(NonconformityError, match=r"detect\(\) ended with Unicode"):
        bench.run("leaves-the-foreign", BY_NAME["leaves-the-foreign"])


def test_what_is_lacking_is_named(tmp_path: Path) -> None:
    """A class without one of the four is told which."""

    class Bare:
        name = "bare"

    adapter: Any = Bare()
    sample = Sample(name="a.rig", content=b"RIG;1\n")
    bench = Bench(AdapterCase(adapter=adapter, samples=(sample,)), tmp_path)
    with pytest.raises(NonconformityError, match="lacks settings_type, detect, read"):
        bench.run("protocol", BY_NAME["protocol"])
