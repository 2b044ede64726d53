"""The checks of the model: wrong values are refused by the name of the field."""

from __future__ import annotations

import errno
import math
import os
import pickle
from array import array
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given, settings

from rigbridge.errors import FileUnreadableError, ModelError
from rigbridge.model import (
    Attachment,
    Axis,
    Instrument,
    Limit,
    LogEntry,
    LogLevel,
    Measurement,
    MeasurementOutcome,
    Phase,
    PhaseOutcome,
    ProcedureRef,
    Provenance,
    Run,
    RunOutcome,
    Series,
    SubUnit,
    Unit,
    run_id,
)
from rigbridge.testing.adapters.strategies import runs

DIGEST = "a" * 64


def a_run(**changes: Any) -> Run:
    """Make a small valid run."""
    run = Run(
        id=UUID(int=1),
        outcome=RunOutcome.PASS,
        procedure=ProcedureRef(name="FVT"),
        unit=Unit(serial_number="0001"),
    )
    return attrs.evolve(run, **changes)


class TestByHand:
    """What a program may write instead of the exact objects."""

    def test_a_run_gets_an_id(self) -> None:
        """By default it is a new one; a text is read."""
        parts: dict[str, Any] = {
            "outcome": "PASS",
            "procedure": ProcedureRef(name="FVT"),
            "unit": Unit(serial_number="0001"),
        }
        assert Run(**parts).id != Run(**parts).id
        given = UUID(int=7)
        assert Run(id=str(given), **parts).id == given
        with pytest.raises(ModelError, match=r"Run\.id: 'seven' is no UUID"):
            Run(id="seven", **parts)

    def test_outcomes_and_levels_are_plain_words(self) -> None:
        """They become members of their enumerations."""
        assert a_run(outcome="ABORTED").outcome is RunOutcome.ABORTED
        phase = Phase(name="a", outcome="SKIP")
        assert phase.outcome is PhaseOutcome.SKIP
        measurement = Measurement(name="a", outcome="FAIL")
        assert measurement.outcome is MeasurementOutcome.FAIL
        assert LogEntry(level="INFO", message="").level is LogLevel.INFO

    @pytest.mark.parametrize(
        ("make", "allowed"),
        [
            (
                lambda: Phase(name="a", outcome="OK"),
                "Phase.outcome: .*PASS, FAIL, SKIP",
            ),
            (
                lambda: Measurement(name="a", outcome="ERROR"),
                "Measurement.outcome: .*PASS, FAIL, UNSET, not 'ERROR'",
            ),
            (
                lambda: LogEntry(level="info", message=""),
                "LogEntry.level: .*DEBUG, INFO, WARNING, ERROR, CRITICAL",
            ),
        ],
    )
    def test_another_word_is_refused(
        self, make: Callable[[], object], allowed: str
    ) -> None:
        """The error names the field and lists what is allowed."""
        with pytest.raises(ModelError, match=allowed):
            make()

    def test_lists_become_tuples(self) -> None:
        """What is held cannot be changed."""
        measurement = Measurement(name="a", validators=["x != 5"])
        phase = Phase(
            name="a", outcome="PASS", path=["Setup"], measurements=[measurement]
        )
        run = a_run(phases=[phase], sub_units=[SubUnit(serial_number="1")])
        assert (phase.path, phase.measurements) == (("Setup",), (measurement,))
        assert (run.phases, len(run.sub_units)) == ((phase,), 1)

    def test_a_text_is_one_member(self) -> None:
        """It never becomes a list of its letters."""
        assert Phase(name="a", outcome="PASS", path="Setup").path == ("Setup",)
        assert Measurement(name="a", validators="x != 5").validators == ("x != 5",)
        with pytest.raises(ModelError, match=r"Run\.phases: member 0 must be Phase"):
            a_run(phases=7)
        with pytest.raises(ModelError, match=r"Run\.phases: must be a list .*None"):
            a_run(phases=None)

    @pytest.mark.parametrize("values", ["123", b"123", 3.0, None, {"a": 1}])
    def test_points_are_a_list(self, values: Any) -> None:
        """A text is no list of its letters, a number no list of one."""
        with pytest.raises(ModelError, match=r"Axis\.values: must be a list of"):
            Axis(name="time", values=values)

    def test_a_file_that_cannot_be_read_is_an_error_of_ours(
        self, tmp_path: Path
    ) -> None:
        """It is an OSError as well, and names the path and a remedy."""
        with pytest.raises(FileUnreadableError) as caught:
            Attachment.from_file(tmp_path / "missing.png")
        error: object = caught.value
        assert isinstance(error, OSError)
        assert error.errno == errno.ENOENT
        wanted = f"{tmp_path / 'missing.png'}: there is no such file (check the path)"
        assert str(error) == wanted
        with pytest.raises(FileUnreadableError, match=r"is a folder, .* one by one"):
            Attachment.from_file(tmp_path)

    def test_paths_are_taken_where_files_are_meant(self, tmp_path: Path) -> None:
        """A path may be a text or an object."""
        file = tmp_path / "a.txt"
        file.write_bytes(b"abc")
        assert Attachment.from_file(str(file)) == Attachment.from_file(file)
        entry = LogEntry(level="INFO", message="", source_file=file)
        assert entry.source_file == str(file)
        assert Provenance(adapter="a", uri=file).uri == str(file)


class TestRefusals:
    """What does not fit is refused, and the error names class and field."""

    def test_a_blank_text_is_refused(self) -> None:
        """Unknown is None; a blank serial number is a mistake."""
        with pytest.raises(ModelError, match=r"Unit\.serial_number: must not be blank"):
            Unit(serial_number="  ")

    def test_a_naive_time_is_refused(self) -> None:
        """A time without a zone means nothing."""
        with pytest.raises(ModelError, match=r"Run\.started_at: .* has no time zone"):
            a_run(started_at=datetime(2024, 1, 1))  # noqa: DTZ001 - the point

    @pytest.mark.parametrize("outcome", ["pass", PhaseOutcome.PASS, None])
    def test_an_outcome_must_be_of_its_kind(self, outcome: object) -> None:
        """No other spelling and no other kind of verdict; the error lists all words."""
        allowed = r"Run\.outcome: must be one of RUNNING, PASS, FAIL, ERROR"
        with pytest.raises(ModelError, match=allowed):
            a_run(outcome=outcome)

    def test_a_wrong_member_is_named_by_its_position(self) -> None:
        """Among many phases the wrong one can be found."""
        phase = Phase(name="a", outcome=PhaseOutcome.PASS)
        with pytest.raises(ModelError, match=r"Run\.phases: member 1 must be Phase"):
            a_run(phases=(phase, "b"))

    @pytest.mark.parametrize("bound", [math.nan, math.inf, True, "3"])
    def test_a_bound_is_a_finite_number(self, bound: object) -> None:
        """A side without a limit is None, never infinite."""
        with pytest.raises(ModelError, match=r"Limit\.lower"):
            Limit(lower=bound)  # type: ignore[arg-type]  # the point

    @pytest.mark.parametrize(
        ("lower", "upper", "side"), [(math.nan, 1, "lower"), (1.5, math.nan, "upper")]
    )
    def test_the_side_with_the_wrong_bound_is_named(
        self, lower: float, upper: float, side: str
    ) -> None:
        """Not the other one, whose number is sound."""
        with pytest.raises(ModelError, match=rf"Limit\.{side}: is nan"):
            Limit(lower=lower, upper=upper)

    def test_metadata_is_strict_json(self) -> None:
        """A NaN in free data is refused with the place in it."""
        with pytest.raises(ModelError, match=r"\['a'\]\[0\] is nan"):
            a_run(metadata={"a": [math.nan]})

    def test_metadata_keys_are_text(self) -> None:
        """JSON has no other keys."""
        with pytest.raises(ModelError, match="a key that is no text: 1"):
            a_run(metadata={1: "a"})

    def test_metadata_cannot_be_bottomless(self) -> None:
        """Nesting without end is refused instead of overflowing the stack."""
        deep: list[object] = []
        for _ in range(5000):
            deep = [deep]
        with pytest.raises(ModelError, match="nested deeper than 64"):
            a_run(metadata={"deep": deep})

    def test_a_measured_value_is_no_object_of_python(self) -> None:
        """A vendor's number type must be converted by the adapter."""
        with pytest.raises(ModelError, match=r"Measurement\.value: must be .* not set"):
            Measurement(name="a", value={1})  # type: ignore[arg-type]  # the point

    def test_a_digest_is_a_sha256(self) -> None:
        """Anything else cannot find the bytes again."""
        with pytest.raises(ModelError, match=r"Attachment\.sha256"):
            Attachment(name="a", sha256="abc")

    def test_a_log_line_is_counted(self) -> None:
        """A negative line number is refused."""
        with pytest.raises(ModelError, match=r"LogEntry\.line"):
            LogEntry(level=LogLevel.INFO, message="", line=-1)

    def test_a_sub_unit_has_a_serial_number(self) -> None:
        """Without one it could not be linked."""
        with pytest.raises(ModelError, match=r"SubUnit\.serial_number"):
            SubUnit(serial_number="")


class TestInstruments:
    """What a run was measured with, and until when to trust it."""

    def test_a_day_is_a_date_or_its_text(self) -> None:
        """Both are the same; a time is none, since its day depends on the zone."""
        day = date(2027, 3, 1)
        assert Instrument(name="a", calibration_due=day) == Instrument(
            name="a", calibration_due="2027-03-01"
        )
        for wrong in ("2027-02-30", "soon", datetime(2027, 3, 1, tzinfo=UTC), 7):
            with pytest.raises(ModelError, match=r"Instrument\.calibration_due"):
                Instrument(name="a", calibration_due=wrong)  # type: ignore[arg-type]  # the point

    def test_each_has_a_name_of_its_own(self) -> None:
        """Else a measurement would name two."""
        twice = [Instrument(name="dmm"), Instrument(name="dmm", serial_number="7")]
        with pytest.raises(ModelError, match=r"Run\.instruments: member 1 .* 'dmm'"):
            a_run(instruments=twice)

    @pytest.mark.parametrize(
        ("moment", "overdue"),
        [
            (datetime(2027, 3, 1, 23, 59, tzinfo=UTC), False),
            (datetime(2027, 3, 2, tzinfo=UTC), True),
            (datetime(2027, 3, 2, 1, tzinfo=timezone(timedelta(hours=2))), False),
            (None, None),
        ],
    )
    def test_the_due_day_is_the_last(
        self, moment: datetime | None, overdue: bool | None
    ) -> None:
        """The day after it is overdue, in UTC; an unknown time tells nothing."""
        instrument = Instrument(name="dmm", calibration_due="2027-03-01")
        assert instrument.is_overdue(moment) is overdue
        assert Instrument(name="dmm").is_overdue(moment) is None


class TestSeries:
    """Many points, held compactly and compared by value."""

    def test_floats_are_held_as_an_array(self) -> None:
        """A point costs eight bytes."""
        assert isinstance(Axis(values=[1.0, 2.5]).values, array)

    def test_integers_stay_integers(self) -> None:
        """A count does not become a float."""
        axis = Axis(values=[1, 2])
        assert isinstance(axis.values, array)
        assert axis.values.typecode == "q"

    @pytest.mark.parametrize("values", [[1, 2.5], [1, True], ["a", 1], [2**70]])
    def test_mixed_values_keep_their_types(self, values: list[object]) -> None:
        """What no array can hold is kept as it is."""
        assert Axis(values=values).values == tuple(values)

    def test_nan_equals_nan(self) -> None:
        """A round trip that keeps a NaN is seen as one."""
        assert Axis(values=[math.nan, 1.0]) == Axis(values=[math.nan, 1.0])

    def test_one_is_not_true(self) -> None:
        """A round trip that changes a type is seen as a change."""
        assert Measurement(name="a", value=1) != Measurement(name="a", value=True)

    def test_axes_are_of_equal_length(self) -> None:
        """A ragged series is refused with the lengths."""
        with pytest.raises(ModelError, match=r"equal length, not \[1, 2\]"):
            Series(axes=(Axis(values=[1]), Axis(values=[1, 2])))

    def test_a_series_has_an_axis(self) -> None:
        """Nothing measured is no series."""
        with pytest.raises(ModelError, match="at least one axis"):
            Series(axes=())

    def test_rows_have_the_measured_value_last(self) -> None:
        """Rows come in and go out as the v1 payload has them."""
        rows = [(0, 1.5), (1, 2.5)]
        made = Series.from_rows(rows, names=["t", None], units=["s", "V"])
        assert list(made.rows()) == rows
        assert made.measured.unit == "V"
        assert [axis.name for axis in made.dimensions] == ["t"]

    def test_a_row_of_another_width_is_refused(self) -> None:
        """The row is named."""
        with pytest.raises(ModelError, match="row 1 has 1 values, not 2"):
            Series.from_rows([(0, 1), (1,)], names=["t", "y"], units=["s", "V"])


class TestAttachment:
    """Files are described, never held."""

    def test_a_file_is_measured_and_hashed(self, tmp_path: Path) -> None:
        """Size, digest and media type come from the file."""
        file = tmp_path / "scope.png"
        file.write_bytes(b"pixels")
        attachment = Attachment.from_file(file)
        assert (attachment.size, attachment.media_type) == (6, "image/png")
        assert attachment.opener is not None
        with attachment.opener() as stream:
            assert stream.read() == b"pixels"

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
    def test_a_name_of_any_bytes_is_text(self, tmp_path: Path) -> None:
        """What of a name is no UTF-8 is spelled, so that everything can hold it."""
        file = tmp_path / os.fsdecode(b"gr\xf6\xdfe.png")
        file.write_bytes(b"pixels")
        assert Attachment.from_file(file).name == "gr\\xf6\\xdfe.png"

    @pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
    def test_a_pipe_is_refused(self, tmp_path: Path) -> None:
        """A pipe, which would wait for ever, is no file to be attached."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with pytest.raises(OSError, match="is no regular file"):
            Attachment.from_file(pipe)

    def test_a_reference_has_no_bytes(self) -> None:
        """A file that the source only names is kept by reference."""
        assert not Attachment(name="trace.tdms").embedded


class TestIdentity:
    """The id of a run follows from where it stands."""

    def test_the_same_place_gives_the_same_id(self) -> None:
        """Any machine makes the same id; this value must never change."""
        assert run_id(DIGEST, "csv", 0) == UUID("c813a1ff-99e7-5eb9-bbb7-6b406e6dcb2e")

    @pytest.mark.parametrize(("adapter", "index"), [("csv", 1), ("openhtf-json", 0)])
    def test_another_place_gives_another_id(self, adapter: str, index: int) -> None:
        """Neither another run of the file nor another reading of it collides."""
        assert run_id(DIGEST, adapter, index) != run_id(DIGEST, "csv", 0)

    def test_a_live_run_has_no_derived_id(self) -> None:
        """Without a file there is nothing to derive from."""
        with pytest.raises(ModelError, match="only if its source is a file"):
            _ = Provenance(adapter="openhtf").run_id
        with pytest.raises(ModelError, match="source is a file"):
            _ = Provenance(adapter="openhtf", digest=DIGEST).run_id

    def test_a_place_in_a_file_gives_the_id(self) -> None:
        """The digest and the index do; the content of a run goes over them."""
        known = Provenance(adapter="csv", digest=DIGEST, index=0)
        assert known.run_id == run_id(DIGEST, "csv", 0)
        assert attrs.evolve(known, content=DIGEST).run_id != known.run_id


class TestWholeRuns:
    """Runs as a whole."""

    @settings(max_examples=40, deadline=None)
    @given(runs(storable=False))
    def test_a_run_survives_a_pickle(self, run: Run) -> None:
        """Runs travel between processes unchanged."""
        assert pickle.loads(pickle.dumps(run)) == run  # noqa: S301 - our own

    def test_a_run_cannot_be_changed(self) -> None:
        """Frozen means frozen."""
        run = a_run(started_at=datetime(2024, 1, 1, tzinfo=UTC))
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            run.outcome = RunOutcome.FAIL  # type: ignore[misc]  # the point
