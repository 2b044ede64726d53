"""
The groups and subtests around each phase of a live record.

A record does not say in which phase group a phase ran, nor does its JSON. While OpenHTF
calls its output callbacks, though, the test itself is at hand, and with it the tree of
its phases; a phase of the record knows its node there by id.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

__all__ = ["group_paths"]

_PARTS = ("setup", "main", "teardown")
_REPEATING = ("force_repeat", "repeat_on_timeout", "repeat_on_measurement_fail")

_Path = tuple[str, ...]


def group_paths(record: Any) -> list[_Path]:
    """
    Give the names of the groups and subtests around each phase, outermost first.

    Empty where there are none, where the test is not at hand any more, and where one
    node stands in several places and the record does not tell which of them ran: a
    round more in one place looks like the round of the next.
    """
    places: dict[int, list[_Path]] = defaultdict(list)
    for node, path in _nodes(_tree(record), ()):
        places[id(node)].append(path)
    ran: dict[int, list[int]] = defaultdict(list)
    for index, phase in enumerate(record.phases):
        ran[getattr(phase, "descriptor_id", 0)].append(index)
    paths: list[_Path] = [()] * len(record.phases)
    for node_id, indices in ran.items():
        found = places.get(node_id, [()])
        if len(set(found)) == 1:
            found = found[:1] * len(indices)
        elif any(_may_repeat(record.phases[index]) for index in indices):
            continue
        if len(found) == len(indices):
            for index, path in zip(indices, found, strict=True):
                paths[index] = path
    return paths


def _may_repeat(phase: Any) -> bool:
    """Whether the next round of a phase may be in the same place as this one."""
    asked = getattr(getattr(phase, "result", None), "is_repeat", False)
    options = getattr(phase, "options", None)
    return asked or any(getattr(options, name, False) for name in _REPEATING)


def _tree(record: Any) -> Any:
    """Give the tree of the running test that a record belongs to, or None."""
    # A program that has no such module runs no test.
    module = sys.modules.get("openhtf.core.test_descriptor")
    running = getattr(getattr(module, "Test", None), "TEST_INSTANCES", {})
    for test in list(running.values()):
        state = test.state
        if state is not None and state.test_record is record:
            return test.descriptor.phase_sequence
    return None


def _nodes(node: Any, path: _Path) -> Iterator[tuple[Any, _Path]]:
    """Walk a tree in the order of execution; gives its leaves."""
    if node is None:
        return
    within = path
    kinds = {kind.__name__ for kind in type(node).__mro__}
    if kinds & {"PhaseGroup", "Subtest"} and node.name:
        within = (*path, str(node.name))
    if "PhaseGroup" in kinds:
        for part in _PARTS:
            yield from _nodes(getattr(node, part), within)
    elif hasattr(node, "nodes"):
        for member in node.nodes:
            yield from _nodes(member, within)
    else:
        yield node, path
