"""``adapters list`` and ``adapters detect``: who reads what, and why."""

# ruff: noqa: PLC0415 - each command imports what it needs: --help must stay fast

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rigbridge.cli import options
from rigbridge.cli.output import error_document, say, say_error, say_json, say_table
from rigbridge.errors import SourceError

if TYPE_CHECKING:
    from rigbridge.imports import Claim

__all__ = ["app"]

app = typer.Typer(
    help="The readers of report formats.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
def list_adapters(*, as_json: options.AsJSON = False) -> None:
    """List the installed adapters, and why one does not load."""
    import attrs

    from rigbridge.adapters import ADAPTER_GROUP
    from rigbridge.machine.plugins import PluginLoader

    records = PluginLoader(ADAPTER_GROUP).listing()
    if as_json:
        say_json([attrs.asdict(record) for record in records])
        return
    say_table(
        ("Name", "Distribution", "Version", "Status", "Reason"),
        [[str(value or "") for value in attrs.astuple(record)] for record in records],
    )


@app.command("detect")
def detect(
    files: options.SourceFiles,
    *,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Say which adapters claim a file, with scores and reasons."""
    from rigbridge.adapters import Source
    from rigbridge.configuration import load_configuration
    from rigbridge.imports import AdapterSet

    adapters = AdapterSet(load_configuration(file=config))
    documents: list[dict[str, object]] = []
    failed = False
    for file in files:
        source = Source.from_path(file)
        error: SourceError | None = None
        claims: tuple[Claim, ...] = ()
        try:
            claims = adapters.claims(source)
            adapters.choose(source)
        except SourceError as raised:
            error, failed = raised, True
        documents.append(
            {
                "source": source.uri,
                "claims": [
                    {
                        "adapter": claim.name,
                        "score": claim.match.score,
                        "reason": claim.match.reason,
                    }
                    for claim in claims
                ],
                "error": None if error is None else error_document(error),
            }
        )
        if not as_json:
            for claim in claims:
                match = claim.match
                say(f"{source.uri}: {claim.name} ({match.score:.2f}, {match.reason})")
        if error is not None:
            say_error(error)
    if as_json:
        say_json(documents)
    if failed:
        raise typer.Exit(1)
