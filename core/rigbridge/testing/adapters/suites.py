"""
The conformance suite that every adapter passes, ours and third parties' alike.

An author inherits :class:`AdapterSuite` in a test module and overrides one fixture::

    class TestConformance(AdapterSuite):
        @pytest.fixture
        def case(self) -> AdapterCase:
            sample = Sample(name="rig.log", content=RIG_LOG, runs=2)
            return AdapterCase(adapter=RigAdapter(), samples=(sample,))

Needs pytest and hypothesis, which the author of an adapter has.
"""

from __future__ import annotations

import gzip
import pickle
import random
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import msgspec
import pytest

from rigbridge.adapters import (
    HEAD_SIZE,
    Adapter,
    Disposition,
    Match,
    ReadContext,
    Source,
    Spool,
    TimeZonePolicy,
)
from rigbridge.convert import dump, from_document, load, to_document
from rigbridge.errors import NoRunError, SourceError
from rigbridge.model import Attachment, Run, run_id
from rigbridge.testing.adapters.reading import Reading, read_all
from rigbridge.wire import CreateRun, decode, encode

__all__ = ["AdapterCase", "AdapterSuite", "Sample"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FOREIGN: dict[str, bytes] = {
    "empty.txt": b"",
    "blank.txt": b" \r\n\t\n",
    "zeros.bin": bytes(4096),
    "picture.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "other.xml": b'<?xml version="1.0"?><shopping><item>bread</item></shopping>',
    "other.json": b'{"shopping": ["bread", 1, null]}',
    "other.csv": b"bread,butter\n1,2\n",
    "text.txt": "Grüße aus der Werkstatt\n".encode("utf-16"),
}
_CUTS = (0.1, 0.2, 0.7, 1.0)
_GUESS = 0.5
_EPOCH_YEAR = 1970


@attrs.frozen(kw_only=True)
class Sample:
    """
    A well-formed source that an adapter must read.

    Attributes:
        name: its file name.
        content: its bytes.
        runs: how many runs it holds.
    """

    name: str
    content: bytes = attrs.field(repr=False)
    runs: int = 1

    @classmethod
    def from_path(cls, path: Path, *, runs: int = 1) -> Sample:
        """Make a sample of a file."""
        return cls(name=path.name, content=path.read_bytes(), runs=runs)

    def source(self) -> Source:
        """Make a source of it."""
        return Source.from_bytes(self.content, self.name)


@attrs.frozen(kw_only=True)
class AdapterCase:
    """
    An adapter and what it is tried on.

    Attributes:
        adapter: an instance, with the settings that the samples need.
        samples: at least one well-formed source.
    """

    adapter: Adapter
    samples: tuple[Sample, ...] = attrs.field(
        converter=tuple[Sample, ...], validator=attrs.validators.min_len(1)
    )


class AdapterSuite:
    """The behaviours that every adapter has; see the module for its use."""

    @pytest.fixture
    def case(self) -> AdapterCase:
        """Give the adapter and its samples; an author overrides this one."""
        pytest.fail("override the fixture 'case' of AdapterSuite")

    @pytest.fixture
    def spool(self, tmp_path: Path) -> Iterator[Spool]:
        """Give a spool that is closed after the test."""
        with Spool(tmp_path) as spool:
            yield spool

    @staticmethod
    def _readings(case: AdapterCase, spool: Spool) -> Iterator[tuple[Sample, Reading]]:
        for sample in case.samples:
            yield sample, read_all(case.adapter, sample.source(), spool=spool)

    def test_satisfies_the_protocol(self, case: AdapterCase) -> None:
        """An adapter has a name that can be typed, settings, detect and read."""
        assert isinstance(case.adapter, Adapter)
        assert _NAME.fullmatch(case.adapter.name)
        assert attrs.has(case.adapter.settings_type)

    def test_works_with_default_settings(self, case: AdapterCase) -> None:
        """An adapter can be made without settings."""
        assert isinstance(type(case.adapter)(), Adapter)

    def test_claims_its_own(self, case: AdapterCase) -> None:
        """Detection claims each sample, with a score and a reason."""
        for sample in case.samples:
            match = case.adapter.detect(sample.content[:HEAD_SIZE], sample.name)
            assert isinstance(match, Match), sample.name
            assert match.reason

    def test_leaves_the_foreign(self, case: AdapterCase) -> None:
        """Detection is not sure of a source of another kind."""
        for name, content in _FOREIGN.items():
            match = case.adapter.detect(content, name)
            assert match is None or match.score <= _GUESS, name

    def test_detection_never_raises(self, case: AdapterCase) -> None:
        """Detection answers whatever the bytes are, cut anywhere."""
        chance = random.Random(0)  # noqa: S311 - not for secrets
        for sample in case.samples:
            for _ in range(50):
                head = bytearray(sample.content[: chance.randrange(4096)])
                for _ in range(min(len(head), 8)):
                    head[chance.randrange(len(head))] = chance.randrange(256)
                match = case.adapter.detect(bytes(head), sample.name)
                assert match is None or 0 < match.score <= 1

    def test_reads_every_run(self, case: AdapterCase, spool: Spool) -> None:
        """Reading gives the runs that a sample holds, and no failure."""
        for sample, reading in self._readings(case, spool):
            assert reading.failures == (), sample.name
            assert len(reading.runs) == sample.runs, sample.name

    def test_identity_follows_from_content(
        self, case: AdapterCase, spool: Spool
    ) -> None:
        """The ids of a file's runs differ, and are the same wherever it is read."""
        for sample, reading in self._readings(case, spool):
            elsewhere = attrs.evolve(sample.source(), uri="/elsewhere/" + sample.name)
            again = read_all(case.adapter, elsewhere, spool=spool)
            ids = [run.id for run in reading.runs]
            assert ids == [run.id for run in again.runs]
            assert len(set(ids)) == len(ids)

    def test_provenance_is_complete(self, case: AdapterCase, spool: Spool) -> None:
        """Each run says its adapter, source, digest and position, and fits its id."""
        for sample, reading in self._readings(case, spool):
            for run in reading.runs:
                source = run.source
                assert source is not None
                assert source.adapter == case.adapter.name
                assert source.uri == sample.name
                assert source.digest == sample.source().digest
                assert run.id == source.run_id

    def test_reading_twice_gives_the_same(
        self, case: AdapterCase, spool: Spool
    ) -> None:
        """Reading keeps no state from one source to the next."""
        for sample, reading in self._readings(case, spool):
            again = read_all(case.adapter, sample.source(), spool=spool)
            assert again.runs == reading.runs
            assert again.report.as_document() == reading.report.as_document()

    def test_reads_gzip(self, case: AdapterCase, spool: Spool) -> None:
        """A compressed source gives the same content."""
        for sample, reading in self._readings(case, spool):
            packed = Source.from_bytes(
                gzip.compress(sample.content), sample.name + ".gz"
            )
            again = read_all(case.adapter, packed, spool=spool)
            assert [_content(run) for run in again.runs] == [
                _content(run) for run in reading.runs
            ]

    def test_accounts_for_what_it_read(self, case: AdapterCase, spool: Spool) -> None:
        """The report counts at least each phase and measurement of the runs."""
        for sample, reading in self._readings(case, spool):
            count = reading.report.count
            phases = sum(len(run.phases) for run in reading.runs)
            measurements = sum(
                len(phase.measurements) for run in reading.runs for phase in run.phases
            )
            carried = {
                item: count(Disposition.MAPPED, item) + count(Disposition.COERCED, item)
                for item in ("phase", "measurement")
            }
            assert carried["phase"] >= phases, sample.name
            assert carried["measurement"] >= measurements, sample.name

    def test_drops_have_reason_and_place(self, case: AdapterCase, spool: Spool) -> None:
        """What was coerced or dropped has a reason and can be found in the source."""
        for sample, reading in self._readings(case, spool):
            for entry in reading.report.entries:
                assert entry.rule, sample.name
                assert str(entry.place), f"{sample.name}: {entry}"

    def test_runs_survive_every_form(self, case: AdapterCase, spool: Spool) -> None:
        """A run comes back unchanged from its document, its payload and a pickle."""
        for _, reading in self._readings(case, spool):
            for run in reading.runs:
                document = msgspec.json.decode(msgspec.json.encode(to_document(run)))
                assert from_document(document) == run
                assert pickle.loads(pickle.dumps(run)) == run  # noqa: S301 - our own
                if run.unit.serial_number is not None:
                    payload = dump(run)
                    body = decode(encode(payload.body), CreateRun)
                    restored = load(
                        body,
                        run_id=run.id,
                        sidecar=payload.sidecar,
                        attachments=run.attachments,
                    )
                    assert restored == run

    def test_attachments_can_be_opened(self, case: AdapterCase, spool: Spool) -> None:
        """An embedded attachment has the size and the digest that it states."""
        for _, reading in self._readings(case, spool):
            for run in reading.runs:
                for attachment in run.attachments:
                    if attachment.opener is not None:
                        again = _reread(attachment, spool)
                        assert again.size == attachment.size
                        assert again.sha256 == attachment.sha256

    def test_times_know_their_zone(self, case: AdapterCase, spool: Spool) -> None:
        """A time is unknown or lies in a plausible year; never 1970 for unknown."""
        for _, reading in self._readings(case, spool):
            for run in reading.runs:
                times = [run.started_at, run.ended_at]
                times += [phase.started_at for phase in run.phases]
                assert all(time is None or time.year > _EPOCH_YEAR for time in times)

    @pytest.mark.parametrize("part", _CUTS)
    def test_a_cut_source_is_no_surprise(
        self, case: AdapterCase, spool: Spool, part: float
    ) -> None:
        """A truncated source gives runs or a clear error, nothing else."""
        for sample in case.samples:
            length = min(int(len(sample.content) * part), len(sample.content) - 1)
            _expect_clear_error(case, sample.name, sample.content[:length], spool)

    @pytest.mark.parametrize("name", sorted(_FOREIGN))
    def test_a_foreign_source_is_a_clear_error(
        self, case: AdapterCase, spool: Spool, name: str
    ) -> None:
        """Reading what is no such source ends in an error that names it."""
        error = _expect_clear_error(case, name, _FOREIGN[name], spool)
        assert error is not None

    def test_damaged_bytes_are_no_surprise(
        self, case: AdapterCase, spool: Spool
    ) -> None:
        """Bytes that are changed at random give runs or a clear error."""
        chance = random.Random(1)  # noqa: S311 - not for secrets
        for sample in case.samples:
            for _ in range(20):
                content = bytearray(sample.content)
                for _ in range(chance.randrange(1, 6)):
                    content[chance.randrange(len(content))] = chance.randrange(256)
                _expect_clear_error(case, sample.name, bytes(content), spool)


def _content(run: Run) -> Run:
    """Take away what depends on how the source was stored."""
    return attrs.evolve(run, id=run_id("", "", 0), source=None)


def _reread(attachment: Attachment, spool: Spool) -> Attachment:
    assert attachment.opener is not None
    with attachment.opener() as stream:
        return spool.add(iter(lambda: stream.read(65536), b""), name=attachment.name)


def _expect_clear_error(
    case: AdapterCase, name: str, content: bytes, spool: Spool
) -> SourceError | None:
    """Read a bad source; give the error if there was one, fail for a surprise."""
    context = ReadContext(
        adapter=case.adapter.name,
        spool=spool,
        time_zone=TimeZonePolicy(default="UTC"),
    )
    error: SourceError | None = None
    try:
        runs = list(case.adapter.read(Source.from_bytes(content, name), context))
    except SourceError as raised:
        error, runs = raised, []
    if error is None and not runs:
        assert context.failures, f"{name}: neither run nor error"
        error = context.failures[0]
    if error is not None:
        assert error.message
        assert error.source == name, f"the error does not name the file: {error}"
        assert isinstance(error, NoRunError) or error.place or error.remedy, (
            f"neither place nor remedy: {error}"
        )
    return error
