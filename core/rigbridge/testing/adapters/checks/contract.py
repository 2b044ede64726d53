"""Checks of the contract: the class, its detection, and the identity of its runs."""

from __future__ import annotations

import random
import re
from importlib.metadata import entry_points
from typing import Any, cast

import attrs

from rigbridge.adapters import ADAPTER_GROUP, HEAD_SIZE, Adapter, Match
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.checks.foreign import FOREIGN, NOTHING
from rigbridge.testing.adapters.observation import NonconformityError

__all__ = [
    "claims_its_own",
    "detection_keeps_nothing",
    "detection_never_raises",
    "identity",
    "leaves_the_foreign",
    "protocol",
    "reads_every_run",
]

_MEMBERS = ("name", "settings_type", "detect", "read")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_GUESS = 0.5


def protocol(bench: Bench) -> None:
    """An adapter has a name, settings with defaults, and an entry point of its name."""
    adapter: Any = bench.adapter
    kind = cast("type[object]", type(adapter))  # whatever it is
    if not isinstance(adapter, Adapter):
        raise NonconformityError(
            f"{kind.__name__} is no adapter: it lacks "
            + ", ".join(member for member in _MEMBERS if not hasattr(adapter, member)),
            "give it name, settings_type, detect and read",
        )
    if not _NAME.fullmatch(adapter.name):
        raise NonconformityError(
            f"the name {adapter.name!r} cannot be typed well",
            "use lower-case words with hyphens, such as 'burn-in-bench'",
        )
    if not attrs.has(adapter.settings_type):
        raise NonconformityError(
            "settings_type is no attrs class", "make it one with @attrs.frozen"
        )
    try:
        kind()
    except Exception as error:
        raise NonconformityError(
            f"{kind.__name__}() without settings ended with {error!r}",
            "give every setting a default",
        ) from error
    value = f"{kind.__module__}:{kind.__qualname__}"
    for entry in entry_points(group=ADAPTER_GROUP):
        if entry.value == value and entry.name != adapter.name:
            raise NonconformityError(
                f"its entry point is {entry.name!r}, its name is {adapter.name!r}",
                f"name it {adapter.name!r} in pyproject.toml, too, and install again",
            )


def claims_its_own(bench: Bench) -> None:
    """Detection claims each sample, with a score and a reason."""
    for sample in bench.case.samples:
        match: Any = bench.adapter.detect(sample.content[:HEAD_SIZE], sample.name)
        if not isinstance(match, Match) or not match.reason:
            raise NonconformityError(
                f"detect() gives {match!r} for {sample.name}",
                "give Match(score, 'what you saw')",
            )


def leaves_the_foreign(bench: Bench) -> None:
    """Detection is not sure of a source of another kind, and claims no empty one."""
    for name, content in FOREIGN.items():
        match = bench.adapter.detect(content[:HEAD_SIZE], name)
        most = 0 if name in NOTHING else _GUESS
        if match is not None and match.score > most:
            raise NonconformityError(
                f"detect() claims {name} with {match.score} ({match.reason})",
                "look for a mark that only this format has; for a likely shape give at "
                "most 0.5, and for an empty file None",
            )


def detection_never_raises(bench: Bench) -> None:
    """Detection answers whatever the bytes are, cut anywhere."""
    chance = random.Random(0)  # noqa: S311 - not for secrets
    for sample in bench.case.samples:
        for _ in range(50):
            head = bytearray(sample.content[: chance.randrange(4096)])
            for _ in range(min(len(head), 8)):
                head[chance.randrange(len(head))] = chance.randrange(256)
            try:
                match = bench.adapter.detect(bytes(head), sample.name)
            except Exception as error:
                raise NonconformityError(
                    f"detect() ended with {error!r} for {sample.name}, damaged",
                    "give None for what it does not understand; decode with "
                    "errors='replace'",
                ) from error
            assert match is None or 0 < match.score <= 1


def detection_keeps_nothing(bench: Bench) -> None:
    """What detection says follows from its arguments, whatever it was asked before."""
    heads = {
        **FOREIGN,
        **{sample.name: sample.content[:HEAD_SIZE] for sample in bench.case.samples},
    }
    first = {name: bench.fresh().detect(head, name) for name, head in heads.items()}
    used = bench.fresh()
    bench.read(bench.case.samples[0].content, "first", "", adapter=used)
    # Each comes after others than before, and once right after itself.
    order = [*reversed(heads), *heads, *[name for name in heads for _ in range(2)]]
    for name in order:
        if used.detect(heads[name], name) != first[name]:
            raise NonconformityError(
                f"detect() says of {name} what it did not say at first",
                "let it follow from head and name alone; keep nothing on the instance "
                "or in the module",
            )


def reads_every_run(bench: Bench) -> None:
    """Reading gives the runs that a sample holds, and no failure."""
    for sample, found in bench.samples():
        if found.failures:
            raise NonconformityError(
                f"{sample.name} fails: {found.failures[0]}",
                "read it, or give another sample: a sample is well formed",
            )
        count = len(found.runs)
        expected = f"{sample.runs} runs" if sample.runs is not None else "a run"
        if count != (sample.runs or max(count, 1)):
            raise NonconformityError(
                f"{sample.name} gives {count} runs and not {expected}",
                "yield each run of the file; correct the number of the sample if it is "
                "wrong",
            )


def identity(bench: Bench) -> None:
    """A run is named by what it or its source holds, wherever the file lies."""
    for sample, found in bench.samples():
        digest = sample.source().digest
        ids = [run.id for run in found.runs]
        for index, run in enumerate(found.runs):
            source = run.source
            if (
                source is None
                or source.adapter != bench.adapter.name
                or source.uri != sample.name
                or source.digest != digest
                or run.id != source.run_id
            ):
                raise NonconformityError(
                    f"run {index} of {sample.name} has no id that follows from the "
                    "file, or another source",
                    "provenance = context.provenance(source, index); "
                    "Run(id=provenance.run_id, source=provenance, ...)",
                )
        if len(set(ids)) != len(ids):
            raise NonconformityError(
                f"two runs of {sample.name} have the same id",
                "count the index up for each run of the file",
            )
        again = bench.read(sample.content, f"copy of {sample.name}", "")
        if [run.id for run in again.runs] != ids:
            raise NonconformityError(
                f"a copy of {sample.name} gives other ids: the runs would be stored "
                "twice",
                "let the id be provenance.run_id, and nothing else go into it",
            )
