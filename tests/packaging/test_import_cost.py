"""What importing rigbridge brings along, seen in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEAVY = {
    "httpx",
    "litestar",
    "lxml",
    "openhtf",
    "rich",
    "sqlalchemy",
    "stevedore",
    "typer",
}


def loaded_by(statement: str) -> set[str]:
    """Name the top-level modules that a statement loads."""
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


class TestImportCost:
    """A test program that imports us starts without waiting for us."""

    def test_rigbridge_is_light(self) -> None:
        """The core loads no vendor library, no server, no client and no CLI."""
        assert loaded_by("import rigbridge") & HEAVY == set()

    def test_a_name_is_imported_when_it_is_asked_for(self) -> None:
        """``import rigbridge`` loads the model no earlier than its first use."""
        assert "attrs" not in loaded_by("import rigbridge")
        assert "attrs" in loaded_by("from rigbridge import Run")

    def test_the_command_line_waits_for_its_parts(self) -> None:
        """Help is there without model, client, store or terminal drawing."""
        heavy = HEAVY - {"typer"} | {"attrs", "msgspec"}
        assert loaded_by("import rigbridge.cli.main") & heavy == set()

    def test_help_loads_no_command_of_others(self) -> None:
        """Commands that are offered by entry points are named, not loaded."""
        statement = (
            "from rigbridge.cli.main import app; import contextlib, io\n"
            "with contextlib.redirect_stdout(io.StringIO()) as out:\n"
            "    app(['--help'], standalone_mode=False)\n"
            "assert '  csv ' in out.getvalue()\n"
            "import sys"
        )
        light = loaded_by(statement)
        assert light & (HEAVY - {"typer"} | {"attrs", "rigbridge_csv"}) == set()

    def test_an_import_that_finds_nothing_new_loads_no_reader(
        self, tmp_path: Path
    ) -> None:
        """It reads settings, ledger and folder, and needs nothing else."""
        report = tmp_path / "reports" / "report.xml"
        report.parent.mkdir()
        report.write_bytes(b"")
        # What was changed just now may be changed again within one tick of the clock.
        os.utime(report, (0, 0))
        words = ["import", str(report.parent), "--data", str(tmp_path / "data")]
        statement = (
            "from rigbridge.cli.main import app; import contextlib, io, sys\n"
            "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress("
            "SystemExit):\n"
            f"    app({words!r})"
        )
        assert "sqlalchemy" in loaded_by(statement)
        heavy = HEAVY - {"typer"} | {"msgspec", "pydantic", "rigbridge_csv"}
        assert loaded_by(statement) & heavy == set()

    def test_every_exported_name_is_there(self) -> None:
        """What the package lists can be imported from it."""
        assert loaded_by("from rigbridge import *") >= {"rigbridge"}

    def test_the_adapter_contract_is_light(self) -> None:
        """An adapter's author gets the contract without our own dependencies."""
        assert loaded_by("import rigbridge.adapters") & HEAVY == set()

    def test_the_openhtf_callback_is_light(self) -> None:
        """A test program that adds the callback imports nothing heavy of ours."""
        assert loaded_by("import rigbridge_openhtf") & HEAVY == set()
