"""The newest release of the day (``make peers``): does it work, what has changed?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PINNED = "2.26.1"
"""The newest release that the tests know."""

Fields = dict[str, dict[str, list[str]]]


def _changes(before: Fields, after: Fields) -> list[str]:
    lines: list[str] = []
    for kind in ("answers", "requests"):
        old, new = before[kind], after[kind]
        lines += [f"{kind}: new {name}" for name in sorted(new.keys() - old.keys())]
        lines += [f"{kind}: no {name}" for name in sorted(old.keys() - new.keys())]
        for name in sorted(old.keys() & new.keys()):
            for field in sorted(set(old[name]) ^ set(new[name])):
                sign = "+" if field in new[name] else "-"
                lines.append(f"{kind}: {name} {sign}{field}")
    return lines


def test_newest(
    newest_release: Any,
    release_of: Callable[[str], Any],
    try_calls: Callable[[Any], dict[str, str]],
) -> None:
    """It makes all of its calls; what differs from the pinned release is printed."""
    before = release_of(PINNED).run("model_fields.py")
    after = newest_release.run("model_fields.py")
    print(f"\ntofupilot {newest_release.version}; the tests know {PINNED}")
    for line in _changes(before, after) or ["its models are the same"]:
        print(f"  {line}")
    became = try_calls(newest_release)
    failed = {name: words for name, words in became.items() if ":" in words}
    assert failed == {}


def test_changes_are_told() -> None:
    """A new call, a field that came and one that went are told by their names."""
    before: Fields = {"answers": {"run_get": ["id", "a"]}, "requests": {"x": []}}
    after: Fields = {"answers": {"run_get": ["id", "b"], "y": []}, "requests": {}}
    assert _changes(before, after) == [
        "answers: new y",
        "answers: run_get -a",
        "answers: run_get +b",
        "requests: no x",
    ]
