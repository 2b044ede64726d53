"""The certificate of an adapter: every check, and what came of it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

import attrs

from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.cases import AdapterCase
from rigbridge.testing.adapters.checks import CHECKS
from rigbridge.testing.adapters.observation import NonconformityError, NotTriedError

__all__ = ["Certificate", "Result", "TriedCheck", "certify"]

_LOGGER = logging.getLogger("rigbridge.testing")


class Result(StrEnum):
    """What came of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@attrs.frozen(kw_only=True)
class TriedCheck:
    """
    What came of one check.

    Attributes:
        message: what the adapter did, or why nothing was tried; None if it passed.
        remedy: what its author does about it; None unless it failed.
    """

    check: str
    promise: str
    result: Result
    message: str | None = None
    remedy: str | None = None


@attrs.frozen(kw_only=True)
class Certificate:
    """
    What came of all checks of an adapter.

    Attributes:
        samples: the names of the samples that it was tried on.
    """

    adapter: str
    version: str
    samples: tuple[str, ...]
    results: tuple[TriedCheck, ...]

    def count(self, result: Result) -> int:
        """Count the checks with a result."""
        return sum(each.result is result for each in self.results)

    @property
    def conforms(self) -> bool:
        """Whether no check failed."""
        return self.count(Result.FAILED) == 0


def certify(
    case: AdapterCase,
    version: str,
    *,
    on_result: Callable[[TriedCheck], None] | None = None,
) -> Certificate:
    """
    Run every check.

    Args:
        on_result: is told of each result as soon as it is there.
    """
    results: list[TriedCheck] = []
    with tempfile.TemporaryDirectory(prefix="rigbridge-check-") as folder:
        bench = Bench(case, Path(folder))
        try:
            for check in CHECKS:
                found = TriedCheck(
                    check=check.name, promise=check.promise, result=Result.PASSED
                )
                try:
                    bench.run(check.name, check.run)
                except NonconformityError as error:
                    found = attrs.evolve(
                        found,
                        result=Result.FAILED,
                        message=error.message,
                        remedy=error.remedy,
                    )
                except NotTriedError as reason:
                    found = attrs.evolve(
                        found, result=Result.NOT_TRIED, message=str(reason)
                    )
                # The adapter's detect() or its making may break down in a check.
                except Exception as error:
                    _LOGGER.debug("check %s broke down", check.name, exc_info=True)
                    found = attrs.evolve(
                        found,
                        result=Result.FAILED,
                        message=f"the adapter broke down: {error!r}",
                        remedy="raise nothing but a SourceError in read(), and nothing "
                        "in detect()",
                    )
                results.append(found)
                if on_result is not None:
                    on_result(found)
        finally:
            bench.close()
    return Certificate(
        adapter=case.adapter.name,
        version=version,
        samples=tuple(sample.name for sample in case.samples),
        results=tuple(results),
    )
