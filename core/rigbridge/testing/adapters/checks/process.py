"""Checks that an adapter leaves the process and the machine as they are."""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
import threading
from typing import Any

from rigbridge.adapters import HEAD_SIZE
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.checks.foreign import FOREIGN
from rigbridge.testing.adapters.observation import NonconformityError, NotTriedError
from rigbridge.testing.adapters.watching import Watched, watch

__all__ = [
    "asks_nothing_of_the_system",
    "changes_no_state",
    "same_everywhere",
    "writes_no_output",
]


def _watched(bench: Bench) -> Watched:
    """Let the adapter do all that it does, once, under the watch."""
    with watch(bench.folder) as watched:
        adapter = type(bench.adapter)()
        adapter = bench.fresh()
        for name, head in FOREIGN.items():
            adapter.detect(head, name)
        for sample in bench.case.samples:
            adapter.detect(sample.content[:HEAD_SIZE], sample.name)
            for content in (sample.content, sample.content[: len(sample.content) // 2]):
                bench.read(content, sample.name, "under watch", adapter=adapter)
    return watched


def changes_no_state(bench: Bench) -> None:
    """Environment, locale, logging and whatever else all share stay as they are."""
    for changed in bench.once(_watched).state:
        raise NonconformityError(
            f"it changes {changed}, for the whole process",
            "do without; what the site chooses is a setting of the adapter",
        )


def writes_no_output(bench: Bench) -> None:
    """Nothing is printed: standard output belongs to the program."""
    output = bench.once(_watched).output
    if output:
        raise NonconformityError(
            f"it prints {output[:80]!r}",
            "record it with context.report; log by logging.getLogger(__name__)",
        )


def asks_nothing_of_the_system(bench: Bench) -> None:
    """No file is written, no thread or process started, no network asked."""
    for call in bench.once(_watched).calls:
        raise NonconformityError(
            f"it asks the system for {call[:160]}",
            "read source.open() and nothing else; give bytes to context.spool",
        )


_PROGRAM = r"""
import base64, importlib, importlib.util, json, pickle, sys
from pathlib import Path
given = json.load(sys.stdin)
sys.path[:] = given["path"]
try:
    importlib.import_module(given["module"])
except ImportError:
    spec = importlib.util.spec_from_file_location(given["module"], given["file"])
    module = importlib.util.module_from_spec(spec)
    sys.modules[given["module"]] = module
    spec.loader.exec_module(module)
from rigbridge.adapters import Source, Spool
from rigbridge.testing.adapters.observation import observe
adapter = pickle.loads(base64.b64decode(given["adapter"]))
found = []
with Spool(Path(given["folder"])) as spool:
    for name, content in given["samples"]:
        source = Source.from_bytes(base64.b64decode(content), name)
        found.append(observe(adapter, source, spool=spool, trial=name).trace)
Path(sys.argv[1]).write_text(json.dumps(found), encoding="utf-8")
"""
# Two machines that differ in all that nobody thinks of.
_MACHINES = (
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONUTF8": "0"},
    {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C.UTF-8"},
)
_LONGEST = 120


def same_everywhere(bench: Bench) -> None:
    """Another process, hash seed, zone and locale give the same."""
    given = _parcel(bench)
    results: list[Any] = [None] * len(_MACHINES)
    # Not by standard output: the adapter may print.
    files = [bench.folder / f"machine-{at}.json" for at in range(len(_MACHINES))]

    def run(at: int) -> None:
        results[at] = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _PROGRAM, str(files[at])],
            input=given,
            capture_output=True,
            check=False,
            cwd=bench.folder,
            env={**os.environ, "PYTHONCOERCECLOCALE": "0", **_MACHINES[at]},
            timeout=_LONGEST,
        )

    # Both at a time: starting takes longest.
    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(_MACHINES))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [found.trace for _, found in bench.samples()]
    for machine, result, file in zip(_MACHINES, results, files, strict=True):
        if result is None or result.returncode:
            words = "" if result is None else result.stderr.decode(errors="replace")
            raise NonconformityError(
                f"in a process of its own it fails: {words.strip()[-300:]}",
                "let its module be importable without the test",
            )
        given_there = json.loads(file.read_text(encoding="utf-8"))
        for (sample, _), wanted, found in zip(
            bench.samples(), expected, given_there, strict=True
        ):
            if wanted != found:
                raise NonconformityError(
                    f"{sample.name} gives something else under {machine}: "
                    f"{_difference(wanted, found)}",
                    "iterate over lists and dicts, not over sets; give hash(), the "
                    "zone, the locale and the clock of the machine no part in it",
                )


def _parcel(bench: Bench) -> bytes:
    adapter = bench.fresh()
    module = type(adapter).__module__
    try:
        packed = pickle.dumps(adapter)
    except (pickle.PickleError, TypeError, AttributeError) as error:
        raise NotTriedError(f"the adapter cannot be pickled: {error}") from error
    file = getattr(sys.modules.get(module), "__file__", None)
    return json.dumps(
        {
            "path": sys.path,
            "module": module,
            "file": file,
            "adapter": base64.b64encode(packed).decode(),
            "folder": str(bench.folder),
            "samples": [
                (sample.name, base64.b64encode(sample.content).decode())
                for sample in bench.case.samples
            ],
        }
    ).encode()


def _difference(one: str, other: str) -> str:
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            around = slice(max(at - 30, 0), at + 30)
            return f"...{one[around]!r}, ...{other[around]!r}"
    return "one is longer"
