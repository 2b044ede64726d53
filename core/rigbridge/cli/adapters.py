"""``adapters``: lists and tries adapters, and creates and checks a new one."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rigbridge.cli import options
from rigbridge.cli.output import (
    error_document,
    is_quiet,
    say,
    say_error,
    say_ids,
    say_json,
    say_table,
)
from rigbridge.cli.places import with_quiet
from rigbridge.errors import SourceError

if TYPE_CHECKING:
    from rigbridge.imports import Claim
    from rigbridge.testing.adapters.certificate import Certificate

__all__ = ["app"]

app = typer.Typer(
    help="The readers of report formats.", no_args_is_help=True, rich_markup_mode=None
)


@app.command("list")
@with_quiet
def list_adapters(*, as_json: options.AsJSON = False) -> None:
    """List the installed adapters, and why one does not load."""
    import attrs

    from rigbridge.adapters import ADAPTER_GROUP
    from rigbridge.machine.plugins import PluginLoader

    records = PluginLoader(ADAPTER_GROUP).listing()
    if as_json:
        say_json([attrs.asdict(record) for record in records])
        return
    if is_quiet():
        say_ids(record.name for record in records)
    say_table(
        ("Name", "Distribution", "Version", "Status", "Reason"),
        [[str(value or "") for value in attrs.astuple(record)] for record in records],
    )


@app.command("detect")
@with_quiet
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
        # The other files are still to be told of.
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


@app.command("new")
@with_quiet
def write_new(
    name: Annotated[str, typer.Argument(help="Name of the adapter.", metavar="NAME")],
    *,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", help="Folder to write; by default its name.", metavar="DIR"
        ),
    ] = None,
    as_json: options.AsJSON = False,
) -> None:
    """Write a distribution with a new adapter, ready to be changed."""
    from rigbridge.testing.adapters.scaffold import write_distribution

    folder = Path(f"rigbridge-{name}") if to is None else to
    written = write_distribution(name, folder)
    if as_json:
        say_json({"folder": str(folder), "files": [str(path) for path in written]})
        return
    for path in written:
        say(str(path))
    say(f"Next: cd {folder}; pip install . pytest; python -m pytest")


@app.command("check")
@with_quiet
def check(
    name: Annotated[
        str,
        typer.Argument(
            help="Name of an installed adapter.",
            metavar="NAME",
            autocompletion=options.complete_adapters,
        ),
    ],
    *,
    samples: Annotated[
        Path,
        typer.Option("--samples", help="File or folder of reports.", metavar="DIR"),
    ],
    config: options.ConfigFile = None,
    as_json: options.AsJSON = False,
) -> None:
    """Try an adapter on samples, and print a certificate."""
    import attrs

    from rigbridge.adapters import ADAPTER_GROUP
    from rigbridge.configuration import load_configuration
    from rigbridge.errors import ConfigurationError
    from rigbridge.machine.plugins import PluginLoader
    from rigbridge.opening import make_adapter
    from rigbridge.testing.adapters.cases import AdapterCase, Sample
    from rigbridge.testing.adapters.certificate import certify

    loader = PluginLoader(ADAPTER_GROUP)
    adapter = make_adapter(name, load_configuration(file=config), loader)
    paths = sorted(samples.rglob("*")) if samples.is_dir() else [samples]
    # Systems leave files of their own in a folder, such as .DS_Store.
    files = [path for path in paths if path.is_file() and path.name[:1] != "."]
    if not files:
        raise ConfigurationError(
            f"{samples} holds no file",
            place="--samples",
            remedy="name a folder with reports that the adapter reads",
        )
    case = AdapterCase(
        adapter=adapter,
        samples=tuple(Sample.from_path(path, runs=None) for path in files),
    )
    certificate = certify(case, loader.owner(name)[1])
    if as_json:
        document = attrs.asdict(certificate)
        say_json({**document, "conforms": certificate.conforms})
    else:
        _say_certificate(certificate)
    if not certificate.conforms:
        raise typer.Exit(1)


def _say_certificate(certificate: Certificate) -> None:
    from rigbridge.testing.adapters.certificate import Result

    say(f"Adapter {certificate.adapter} {certificate.version}")
    say(f"Samples: {', '.join(certificate.samples)}")
    for found in certificate.results:
        say(f"{found.result:9}  {found.check}: {found.promise}")
        if found.message:
            say(f"           {found.message}")
        if found.remedy:
            say(f"           What to do: {found.remedy}")
    counts = [f"{certificate.count(result)} {result}" for result in Result]
    verdict = "conforms" if certificate.conforms else "does not conform"
    say(f"{', '.join(counts)}: {certificate.adapter} {verdict}")
