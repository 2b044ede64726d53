"""``adapters list`` and ``adapters detect``: who reads what, and why."""

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
    import attrs  # noqa: PLC0415 - start fast

    from rigbridge.adapters import ADAPTER_GROUP  # noqa: PLC0415 - likewise
    from rigbridge.machine.plugins import PluginLoader  # noqa: PLC0415 - likewise

    records = PluginLoader(ADAPTER_GROUP).listing()
    if as_json:
        say_json([attrs.asdict(record) for record in records])
        return
    say_table(
        ("Name", "Distribution", "Version", "Status", "Reason"),
        [
            (
                record.name,
                record.distribution,
                record.version,
                record.status.value,
                record.reason or "",
            )
            for record in records
        ],
    )


@app.command("detect")
def detect(
    files: options.SourceFiles,
    *,
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Say which adapters claim a file, with scores and reasons."""
    from rigbridge.adapters import Source  # noqa: PLC0415 - start fast
    from rigbridge.configuration import load_configuration  # noqa: PLC0415 - likewise
    from rigbridge.imports import AdapterSet  # noqa: PLC0415 - likewise

    adapters = AdapterSet(load_configuration(file=config))
    documents = []
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
