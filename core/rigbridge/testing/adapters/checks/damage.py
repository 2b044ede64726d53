"""Checks of what damage costs: a clear error, and one run of many."""

from __future__ import annotations

import random

from rigbridge.adapters import Disposition
from rigbridge.errors import NoRunError
from rigbridge.testing.adapters.anatomy import SampleText, spread
from rigbridge.testing.adapters.bench import Bench, Trial
from rigbridge.testing.adapters.checks.foreign import FOREIGN
from rigbridge.testing.adapters.observation import (
    NonconformityError,
    NotTriedError,
    Observation,
)

__all__ = ["clear_errors", "one_bad_run"]

_CUTS = (0.1, 0.2, 0.5, 0.7, 0.9)
_GARBAGE = ("#bad#", "1e999", "")
_MOST = 20


def clear_errors(bench: Bench) -> None:
    """A bad source gives runs or an error that names file, place and remedy."""
    for name, content in FOREIGN.items():
        found = bench.read(content, name, "(of another kind)")
        if not found.failures:
            raise NonconformityError(
                f"{name}, which is of another kind, is read without an error",
                "raise MalformedSourceError, or NoRunError for an empty one",
            )
        _check_errors(found, name)
    chance = random.Random(1)  # noqa: S311 - not for secrets
    for sample in bench.case.samples:
        size = len(sample.content)
        cuts = [*(int(size * part) for part in _CUTS), size - 1]
        for cut in cuts:
            found = bench.read(sample.content[:cut], sample.name, f"cut at byte {cut}")
            _check_errors(found, f"{sample.name} cut at byte {cut}")
        for _ in range(20):
            damaged = bytearray(sample.content)
            for _ in range(chance.randrange(1, 6)):
                damaged[chance.randrange(size)] = chance.randrange(256)
            found = bench.read(bytes(damaged), sample.name, "with damaged bytes")
            _check_errors(found, f"{sample.name} with damaged bytes")


def _check_errors(found: Observation, trial: str) -> None:
    if not found.runs and not found.failures:
        raise NonconformityError(
            f"{trial}: neither a run nor an error",
            "raise NoRunError('holds no unit', source=source.uri)",
        )
    for error in found.failures:
        named = isinstance(error, NoRunError) or error.place or error.remedy
        if not error.source or not named:
            raise NonconformityError(
                f"{trial}: the error does not say where: {error}",
                "raise MalformedSourceError(message, source=source.uri, "
                "place='line N', remedy='...')",
            )


def one_bad_run(bench: Bench) -> None:
    """A run that cannot be read is a failure, and costs its neighbours nothing."""
    tried = False
    for text, base in bench.texts():
        if len(base.runs) < 2:  # it takes neighbours
            continue
        trials = [
            (number, trial)
            for number, trial in bench.of_one_run(text)
            if trial.cell is not None
            and trial.cell.free
            # A cell that tells runs apart makes others, whatever stands there.
            and trial.found.positions == base.positions
        ]
        for number, mild in spread(trials, _MOST):
            for garbage in _GARBAGE:
                assert mild.cell is not None
                trial = bench.try_cell(text, mild.cell, garbage)
                _check_neighbours(text, base, number, trial)
                _check_errors(trial.found, f"{text.sample.name} {trial.change}")
                tried = True
    if not tried:
        raise NotTriedError("no sample that is text holds two runs")


def _check_neighbours(
    text: SampleText, base: Observation, number: int, trial: Trial
) -> None:
    found, said = trial.found, f"{text.sample.name} {trial.change}"
    if found.raised:
        raise NonconformityError(
            f"{said}: the error ends the reading of all runs",
            "catch it for each run, give it to context.failed(error), and go on with "
            "the next one",
        )
    there = dict(zip(found.texts, found.positions, strict=True))
    for other, (run, position) in enumerate(
        zip(base.texts, base.positions, strict=True)
    ):
        if other == number:
            continue
        if run not in there:
            raise NonconformityError(
                f"{said}: run {other} is another one, or not there",
                "keep runs apart: what is wrong in one must not touch the next",
            )
        if there[run] != position:
            raise NonconformityError(
                f"{said}: run {other} has the index {there[run]}, not {position}",
                "count the index of a run that fails, too: ids must not move",
            )
    if len(found.runs) < len(base.runs) and not found.admits(base):
        raise NonconformityError(
            f"{said}: its run is missing, and nothing says so",
            "call context.failed(error) for it",
        )
    if found.failures:
        _check_account(base, found, said)


def _measurements(found: Observation) -> int:
    return sum(len(phase.measurements) for run in found.runs for phase in run.phases)


def _check_account(base: Observation, found: Observation, said: str) -> None:
    mapped = found.report.count(Disposition.MAPPED, "measurement")
    exact = base.report.count(Disposition.MAPPED, "measurement") == _measurements(base)
    if exact and mapped > _measurements(found):
        raise NonconformityError(
            f"{said}: what was recorded of the run that failed is still in the report",
            "read each run within 'with context.run():'",
        )
