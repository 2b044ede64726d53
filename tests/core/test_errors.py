"""The tree of errors: its drawing, its one line, and its way between processes."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from rigbridge import errors
from rigbridge.errors import (
    AdapterUnavailableError,
    DeliveryError,
    MalformedSourceError,
    ModelError,
    RigbridgeError,
    RunProblemsError,
    ServerUnavailableError,
)

CLASSES: dict[str, type[BaseException]] = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind)
    and issubclass(kind, BaseException)
    and kind.__module__ == errors.__name__
}
DRAWN = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>\w+Error)\b *(?:\((?P<also>\w+)\))?")


def drawing() -> dict[str, tuple[str | None, str | None]]:
    """Read the drawing: the parent and the other base of each class by its name."""
    found: dict[str, tuple[str | None, str | None]] = {}
    above: list[str] = []
    lines = (errors.__doc__ or "").partition("::\n")[2].splitlines()
    for line in lines:
        match = DRAWN.match(line.removeprefix("    "))
        if match is None:
            continue
        # Four signs a level: a branch, two strokes, a blank.
        depth = len(match["indent"]) // 4
        del above[depth:]
        found[match["name"]] = (above[-1] if above else None, match["also"])
        above.append(match["name"])
    return found


def samples() -> dict[str, BaseException]:
    """Make an error of each class, with everything that it can hold."""
    where: dict[str, Any] = {
        "source": "a.xml",
        "place": "line 3",
        "remedy": "export it again",
    }
    answer: dict[str, Any] = {
        "status": 503,
        "code": "SERVICE_UNAVAILABLE",
        "issues": ("phases[0].name", "phases[1].name"),
        "retry_after": 2.5,
    }
    problem = ModelError("must not be blank", path="$.unit", remedy="name it")
    special: dict[str, BaseException] = {
        "AdapterUnavailableError": AdapterUnavailableError("openhtf", extra="openhtf"),
        "ModelError": problem,
        "RunProblemsError": RunProblemsError(
            "cannot\nbe sent", [problem, ModelError("is gone", path="$.id")], source="a"
        ),
    }
    made: dict[str, BaseException] = {}
    for name, kind in CLASSES.items():
        further = answer if issubclass(kind, DeliveryError) else {}
        made[name] = special.get(name) or kind("went wrong", **where, **further)
    return made


SAMPLES = samples()


def contents(error: BaseException) -> Any:
    """Give what an error holds, in a form that can be compared."""
    state = dict(vars(error))
    state.pop("__notes__", None)
    children = getattr(error, "exceptions", ())
    inner = [contents(child) for child in children]
    words = [arg for arg in error.args if isinstance(arg, str)]
    return type(error), str(error), words, state, inner


class TestTree:
    """The module's docstring draws the tree as it is."""

    def test_every_class_is_drawn_and_exported(self) -> None:
        """Drawing, exports and classes are the same names."""
        assert set(drawing()) == set(CLASSES) == set(errors.__all__)

    @pytest.mark.parametrize("name", sorted(CLASSES))
    def test_stands_where_it_is_drawn(self, name: str) -> None:
        """A class descends from the one above it, and from what stands in brackets."""
        parent, also = drawing()[name]
        bases = {base.__name__.partition("[")[0] for base in CLASSES[name].__bases__}
        assert bases == {parent or "Exception", also} - {None}

    def test_every_name_ends_in_error(self) -> None:
        """A reader knows an error by its name."""
        assert all(name.endswith("Error") for name in CLASSES)

    def test_every_class_says_what_it_is_for(self) -> None:
        """Each class has a docstring of its own."""
        assert all(vars(kind).get("__doc__") for kind in CLASSES.values())


@pytest.mark.parametrize("name", sorted(SAMPLES))
class TestEveryError:
    """What holds for each class."""

    def test_is_one_line(self, name: str) -> None:
        """An error is shown in one line."""
        assert str(SAMPLES[name])
        assert "\n" not in str(SAMPLES[name])

    def test_is_caught_as_ours(self, name: str) -> None:
        """A single except clause catches everything that we raise on purpose."""
        with pytest.raises(RigbridgeError):
            raise SAMPLES[name]

    @pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
    def test_survives_a_pickle(self, name: str, protocol: int) -> None:
        """An error comes back from another process with all that it held."""
        again = pickle.loads(pickle.dumps(SAMPLES[name], protocol))  # noqa: S301 - ours
        assert contents(again) == contents(SAMPLES[name])

    def test_survives_a_copy(self, name: str) -> None:
        """A copy of an error holds the same, too."""
        assert contents(copy.copy(SAMPLES[name])) == contents(SAMPLES[name])


class TestLine:
    """The line says where, what, and the remedy."""

    def test_all_parts(self) -> None:
        """Source, place, message and remedy stand in this order."""
        error = MalformedSourceError(
            "is no number", source="a.csv", place="line 3", remedy="correct the cell"
        )
        assert str(error) == "a.csv: line 3: is no number (correct the cell)"
        assert error.message == "is no number"

    def test_the_message_alone(self) -> None:
        """Parts that are unknown leave nothing behind."""
        assert str(RigbridgeError("is no number")) == "is no number"

    def test_line_breaks_are_folded(self) -> None:
        """Words of others, line breaks and tabs included, become one line."""
        error = RigbridgeError("first\n  second\tthird", source="a\nb")
        assert str(error) == "a b: first second third"

    def test_a_missing_library(self) -> None:
        """The remedy is the command, for our extras and for those of others."""
        ours = AdapterUnavailableError("openhtf", extra="openhtf")
        other = AdapterUnavailableError("rig", extra="acme[rig]")
        assert ours.remedy == "pip install 'rigbridge[openhtf]'"
        assert other.remedy == "pip install 'acme[rig]'"

    def test_the_problems_of_a_run(self) -> None:
        """All problems of a run stand in its line, with their paths."""
        assert str(SAMPLES["RunProblemsError"]) == (
            "a: cannot be sent: $.unit: must not be blank (name it); $.id: is gone"
        )


class TestKinds:
    """Errors that are something else beside."""

    def test_a_model_error_is_a_value_error(self) -> None:
        """Who makes a model by hand may catch what Python would raise."""
        error = ModelError("must not be blank", path="Unit.serial_number")
        assert isinstance(error, ValueError)
        assert (error.path, error.place) == ("Unit.serial_number",) * 2

    def test_problems_can_be_split(self) -> None:
        """A group of problems keeps its type and source when it is split."""
        group = SAMPLES["RunProblemsError"]
        assert isinstance(group, RunProblemsError)
        part = group.subgroup(lambda error: getattr(error, "path", None) == "$.id")
        assert isinstance(part, RunProblemsError)
        assert part.source == "a"
        assert [str(error) for error in part.exceptions] == ["$.id: is gone"]

    def test_problems_can_be_caught_by_kind(self) -> None:
        """The problems of a run can be handled one by one."""
        caught: list[ModelError] = []
        try:
            raise SAMPLES["RunProblemsError"]
        except* ModelError as group:
            caught += [
                error for error in group.exceptions if isinstance(error, ModelError)
            ]
        assert [error.path for error in caught] == ["$.unit", "$.id"]

    def test_an_answer_is_kept(self) -> None:
        """What the server said is there for who decides."""
        error = ServerUnavailableError(
            "is busy", status=503, code="X", issues=["one"], retry_after=1.5
        )
        assert (error.status, error.code, error.issues) == (503, "X", ("one",))
        assert error.retry_after == 1.5
