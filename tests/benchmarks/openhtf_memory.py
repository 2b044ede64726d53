"""
How much memory large attachments of OpenHTF take, read from JSON and live.

Writes a JSON record of 500 MB with its attachments inline, as ``OutputToJSON`` does,
and reads it: by our adapter, by the whole ``rigbridge import``, and, to compare, by the
standard library as a whole. Then executes a real test, puts 1 GB into the file of its
attachment and hands its record to the output callback, which sends it to the embedded
store. Each is measured in a process of its own; printed is the peak over what the
process had before.

Run it as ``python tests/benchmarks/openhtf_memory.py [--megabytes N] [--live N]``.
Linux only.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

_ATTACHMENTS = 2
_PIECE = 3 << 20


def write_record(path: Path, megabytes: int) -> None:
    """Write a record whose attachments make it so large, without holding it."""
    head = {
        "dut_id": "SN-1",
        "station_id": "rig",
        "start_time_millis": 1_700_000_000_000,
        "end_time_millis": 1_700_000_001_000,
        "outcome": "PASS",
        "metadata": {"test_name": "Large"},
    }
    pieces = megabytes * 1_000_000 // _ATTACHMENTS // (_PIECE // 3 * 4)
    with path.open("w") as stream:
        stream.write(json.dumps(head)[:-1])
        stream.write(', "phases": [{"name": "p", "outcome": "PASS", "attachments": {')
        for number in range(_ATTACHMENTS):
            stream.write(", " if number else "")
            stream.write(f'"trace_{number}.bin": {{"mimetype": null, "data": "')
            for _ in range(pieces):
                stream.write(base64.b64encode(os.urandom(_PIECE)).decode())
            stream.write('"}')
        stream.write("}}]}")


def peak() -> float:
    """Give the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def now() -> float:
    """Give the memory that this process has, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def with_the_standard_library(path: Path, _: Path) -> None:
    """Read the record as a whole, and decode its attachments one by one."""
    record = json.loads(path.read_bytes())
    for attachment in record["phases"][0]["attachments"].values():
        base64.b64decode(attachment["data"])


def with_the_adapter(path: Path, folder: Path) -> None:
    """Read the record by our adapter, its attachments into a spool."""
    from rigbridge.adapters import Source, Spool  # measured
    from rigbridge.testing import read_all
    from rigbridge_openhtf.adapter import OpenHTFJSONAdapter

    with Spool(folder) as spool:
        read_all(OpenHTFJSONAdapter(), Source.from_path(path), spool=spool)


def with_the_import(path: Path, folder: Path) -> None:
    """Import the record into the embedded store."""
    from typer.testing import CliRunner  # measured

    from rigbridge.cli.main import app

    done = CliRunner().invoke(app, ["import", str(path), "--data", str(folder)])
    assert done.exit_code == 0, done.output


def live(path: Path, folder: Path) -> None:
    """Hand over a record with one large attachment, and send it."""
    import openhtf as htf  # measured

    import rigbridge_openhtf

    def phase(test: Any) -> None:
        test.attach("small.bin", b"small")

    sys.argv = sys.argv[:1]
    records: list[Any] = []
    test = htf.Test(phase, test_name="Large")
    callback = rigbridge_openhtf.output_callback(to="local", data=folder)
    test.add_output_callbacks(records.append, callback)
    test.execute(test_start=lambda: "SN-1")
    assert callback.flush(60) == 0
    # OpenHTF itself takes attachments as bytes in memory; the file behind is exchanged
    # for the large one, so that what is seen is what we take.
    (attachment,) = records[0].phases[1].attachments.values()
    path.replace(attachment._filename)
    before = now()
    callback(records[0])
    handed_over = peak()
    assert callback.flush(600) == 0
    print(f"handed over: +{handed_over - before:.1f} MB,", end=" ")
    print(f"delivered to the embedded store: +{peak() - before:.1f} MB")
    callback.close()


_WAYS = {
    "standard library": with_the_standard_library,
    "adapter": with_the_adapter,
    "import": with_the_import,
}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--live", type=int, default=1000)
    parser.add_argument("--way", nargs=3, metavar=("NAME", "FILE", "FOLDER"))
    given = parser.parse_args()
    if given.way:
        name, file, folder = given.way
        if name == "live":
            live(Path(file), Path(folder))
            return
        before, start = now(), time.perf_counter()
        _WAYS[name](Path(file), Path(folder))
        seconds = time.perf_counter() - start
        print(f"{name}: +{peak() - before:.0f} MB, {seconds:.1f} s")
        return
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "record.json"
        write_record(path, given.megabytes)
        print(f"a record of {path.stat().st_size / 1e6:.0f} MB", flush=True)
        command = [sys.executable, __file__, "--way"]
        for name in _WAYS:
            # From the import's folder nothing is left that the next would find.
            folder = Path(temporary) / name.replace(" ", "-")
            folder.mkdir()
            subprocess.run([*command, name, str(path), str(folder)], check=True)
        large = Path(temporary) / "large.bin"
        with large.open("wb") as stream:
            for _ in range(given.live):
                stream.write(os.urandom(1_000_000))
        print(f"a live attachment of {given.live} MB", flush=True)
        subprocess.run(
            [*command, "live", str(large), str(Path(temporary) / "live")], check=True
        )


if __name__ == "__main__":
    main()
