"""
How long ``import rigbridge`` and ``rigbridge --help`` take, over bare Python.

Run it by hand: ``python tests/benchmarks/import_time.py``. Whole processes, medians.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

_ROUNDS = 15
_COMMANDS = {
    "python": ["-c", "pass"],
    "import rigbridge": ["-c", "import rigbridge"],
    "rigbridge --help": ["-m", "rigbridge", "--help"],
}


def measure(arguments: list[str]) -> float:
    """Time one process, in milliseconds."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1000


def main() -> None:
    """Measure the commands in turn, so that drift hits all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(_ROUNDS):
        for name, arguments in _COMMANDS.items():
            times[name].append(measure(arguments))
    bare = statistics.median(times["python"])
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:<20} {median:7.1f} ms  {median - bare:+7.1f} ms over bare Python")


if __name__ == "__main__":
    main()
