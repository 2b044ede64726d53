"""Options read plainly are what Typer makes of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from rigbridge.cli.options import read_plainly


class _Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def _values(words: list[str], *, plainly: bool) -> object:
    """Give what a command gets for its words, or what Typer says of them."""
    app, got = typer.Typer(rich_markup_mode=None), dict[str, Any]()

    @app.command()
    def command(  # noqa: PLR0917 - one option of each kind
        names: list[str] | None = None,
        paths: Annotated[list[Path] | None, typer.Option()] = None,
        folder: Annotated[Path | None, typer.Option(file_okay=False)] = None,
        there: Annotated[Path | None, typer.Option(exists=True)] = None,
        text: str | None = None,
        colour: _Colour = _Colour.RED,
        shade: Annotated[_Colour | None, typer.Option()] = None,
        count: Annotated[int | None, typer.Option(min=1)] = None,
        loud: Annotated[bool, typer.Option("--loud")] = False,
    ) -> None:
        got.update(locals())

    made = typer.main.get_command(app)
    if plainly:
        read_plainly(made)
    try:
        made(words, standalone_mode=False)
    except Exception as error:  # noqa: BLE001 - click's classes, or Typer's own
        return type(error).__name__, str(error)
    return {name: (type(got[name]), got[name]) for name in sorted(got) if name != "got"}


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--names", "a", "--names", "", "--text", "ä"],
        ["--paths", "no such", "--paths", "."],
        ["--folder", "."],
        ["--folder", __file__],
        ["--there", "no such"],
        ["--there", __file__],
        ["--colour", "blue", "--shade", "red", "--loud"],
        ["--colour", "Blue"],
        ["--count", "3"],
        ["--count", "0"],
        ["--count", "x"],
        ["--text"],
        ["--no-such"],
    ],
    ids=" ".join,
)
def test_values_are_those_of_typer(words: list[str]) -> None:
    """Also what is wrong is said in the same words."""
    assert _values(words, plainly=True) == _values(words, plainly=False)
