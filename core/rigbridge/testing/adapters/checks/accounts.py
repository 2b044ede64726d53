"""Checks of the report, and of the forms that runs and sources take."""

from __future__ import annotations

import gzip
import pickle
import re

import msgspec

from rigbridge.adapters import Disposition
from rigbridge.convert import dump, from_document, load, to_document
from rigbridge.errors import RigbridgeError
from rigbridge.model import Run
from rigbridge.testing.adapters.anatomy import SampleText, spread
from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.observation import NonconformityError, NotTriedError
from rigbridge.wire import CreateRun, decode, encode

__all__ = [
    "accounts",
    "attachments",
    "encodings",
    "every_form",
    "line_ends",
    "reads_gzip",
    "zones",
]

_EPOCH_YEAR = 1970
_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252")
_FEW = 4
_CLOCK = re.compile(r"(\d{2}:\d{2})(?::\d{2}(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2})?")


def accounts(bench: Bench) -> None:
    """The report counts what each run holds; other entries have reason and place."""
    for sample, found in bench.samples():
        for run, account in zip(found.runs, found.accounts, strict=False):
            holds = {
                "phase": len(run.phases),
                "measurement": sum(len(phase.measurements) for phase in run.phases),
            }
            for item, count in holds.items():
                said = account.count(Disposition.MAPPED, item)
                said += account.count(Disposition.COERCED, item)
                if said < count:
                    raise NonconformityError(
                        f"{sample.name}: of {count} {item}s of a run, {said} are "
                        "recorded before it is given",
                        f"call context.report.mapped({item!r}) for each, while you "
                        "read its run",
                    )
        for entry in found.report.entries:
            if not entry.rule or not str(entry.place):
                raise NonconformityError(
                    f"{sample.name}: without reason or place: {entry}",
                    "give place=Place(line=N) or Place(path=...)",
                )


def reads_gzip(bench: Bench) -> None:
    """A compressed source gives the same runs."""
    for sample, found in bench.samples():
        packed = gzip.compress(sample.content)
        again = bench.read(packed, sample.name + ".gz", "(compressed)")
        if again.texts != found.texts:
            raise NonconformityError(
                f"{sample.name} compressed by gzip gives other runs",
                "read by source.open(), which unpacks; never by source.path",
            )


def every_form(bench: Bench) -> None:
    """A run comes back unchanged from its document, its payload and a pickle."""
    for sample, found in bench.samples():
        for run in found.runs:
            try:
                same = _comes_back(run)
            except (RigbridgeError, ValueError, TypeError, pickle.PickleError) as error:
                raise NonconformityError(
                    f"{sample.name}: a run cannot be written down: {error}",
                    "give values of the model's kinds, and texts that are Unicode",
                ) from error
            if not same:
                raise NonconformityError(
                    f"{sample.name}: a run does not come back as it was",
                    "give plain values: str, int, float, bool, None, Series",
                )


def _comes_back(run: Run) -> bool:
    document = msgspec.json.decode(msgspec.json.encode(to_document(run)))
    forms = [from_document(document), pickle.loads(pickle.dumps(run))]  # noqa: S301 - our own
    if run.unit.serial_number is not None:
        payload = dump(run)
        body = decode(encode(payload.body), CreateRun)
        forms.append(
            load(
                body,
                run_id=run.id,
                sidecar=payload.sidecar,
                attachments=run.attachments,
            )
        )
    return all(form == run for form in forms)


def attachments(bench: Bench) -> None:
    """An embedded attachment has the size and the digest that it states."""
    for sample, found in bench.samples():
        for attachment in (each for run in found.runs for each in run.attachments):
            if attachment.opener is None:
                continue
            with attachment.opener() as stream:
                again = bench.spool.add(
                    iter(lambda: stream.read(65536), b""),
                    name=attachment.name,
                )
            if (again.size, again.sha256) != (attachment.size, attachment.sha256):
                raise NonconformityError(
                    f"{sample.name}: {attachment.name!r} has other bytes",
                    "make it by context.spool.add(chunks, name=...)",
                )


def zones(bench: Bench) -> None:
    """A time without a zone has the one that the site has set."""
    for sample, found in bench.samples():
        times = [
            time
            for run in found.runs
            for time in (
                run.started_at,
                run.ended_at,
                *(phase.started_at for phase in run.phases),
                *(phase.ended_at for phase in run.phases),
            )
            if time is not None
        ]
        if any(time.year <= _EPOCH_YEAR for time in times):
            raise NonconformityError(
                f"{sample.name}: a time is in 1970 or before",
                "give None for a time that the source does not tell",
            )
        text = SampleText.of(sample)
        clocks = [] if text is None else _CLOCK.findall(text.text)
        # The hours that the text shows as they stand, without a zone behind them.
        bare = {clock for clock, zone in clocks if not zone}
        printed = any(format(time, "%H:%M") in bare for time in times)
        elsewhere = bench.read(sample.content, sample.name, "", zone="Asia/Kathmandu")
        if printed and elsewhere.texts == found.texts:
            raise NonconformityError(
                f"{sample.name}: its times have no zone, and are the same whatever "
                "zone the site has set",
                "context.time_zone.localize(wall, report=context.report, "
                "place=Place(line=N))",
            )


def encodings(bench: Bench) -> None:
    """A text in another encoding gives the same runs, or says what is amiss."""
    tried = False
    for text, base in bench.texts():
        for trial in spread(bench.kept_words(text), _FEW):
            assert trial.cell is not None
            changed = text.with_cell(trial.cell, trial.cell.changed("é"))
            plain = changed.removeprefix("\ufeff")
            for encoding in _ENCODINGS:
                try:
                    content = plain.encode(encoding)
                except UnicodeEncodeError:
                    continue  # it holds what this encoding does not have
                said = f"with é in line {trial.line}, in {encoding}"
                found = bench.read(content, text.sample.name, said)
                tried = True
                kept = any("é" in run for run in found.texts)
                if not kept and not found.admits(base):
                    raise NonconformityError(
                        f"{text.sample.name} {said}: the é is lost without a word",
                        "decode strictly, and let what is no text fail its run; or "
                        "read by rigbridge.adapters.text.read_lines",
                    )
                if any("\ufeff" in run for run in found.texts):
                    raise NonconformityError(
                        f"{text.sample.name} {said}: the byte order mark is data",
                        "decode by utf-8-sig, or read by read_lines",
                    )
    if not tried:
        raise NotTriedError("no word of a sample is kept as it stands")


def line_ends(bench: Bench) -> None:
    """The ends of lines, and a last line without one, change nothing."""
    for text, base in bench.texts():
        unix = text.text.replace("\r\n", "\n")
        forms = {
            "with lines that end as in DOS": unix.replace("\n", "\r\n"),
            "without its last line end": unix.rstrip("\n"),
            "with a blank line behind": unix.rstrip("\n") + "\n\n",
        }
        expected = _unix(base.texts)
        for trial, content in forms.items():
            found = bench.read(content, text.sample.name, trial)
            if _unix(found.texts) != expected:
                raise NonconformityError(
                    f"{text.sample.name} {trial} gives other runs",
                    "take off every line end with rstrip('\\r\\n'), and read the last "
                    "line like any other",
                )


def _unix(texts: tuple[str, ...]) -> list[str]:
    return [text.replace("\\r\\n", "\\n") for text in texts]
