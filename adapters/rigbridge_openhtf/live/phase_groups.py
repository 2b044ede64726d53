"""
The groups and subtests around each phase of a live record.

A record does not say in which phase group a phase ran, nor does its JSON. But while
OpenHTF calls its output callbacks, the test itself can be found, and with it the tree
of its phases. A phase of the record knows its node in that tree by id.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rigbridge_openhtf.live.openhtf_types import LivePhase, LiveRecord

__all__ = ["group_paths"]

_PARTS = ("setup", "main", "teardown")
_REPEATING = ("force_repeat", "repeat_on_timeout", "repeat_on_measurement_fail")

_Path: TypeAlias = tuple[str, ...]


def group_paths(record: LiveRecord) -> list[_Path]:
    """
    Give the names of the groups and subtests around each phase, outermost first.

    Empty where there are none, where the test cannot be found any more, and where one
    node is in several places and the record does not tell which of them ran: another
    round in one place looks like the round of the next.
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
        # A branch that was not taken leaves fewer records than places: then no path.
        if len(found) == len(indices):
            for index, path in zip(indices, found, strict=True):
                paths[index] = path
    return paths


def _may_repeat(phase: LivePhase) -> bool:
    """Whether the next round of a phase may be in the same place as this one."""
    # An option or a result that a release does not have is not set.
    asked = getattr(getattr(phase, "result", None), "is_repeat", False)
    options = getattr(phase, "options", None)
    return bool(asked or any(getattr(options, name, False) for name in _REPEATING))


def _tree(record: LiveRecord) -> Any:
    """Give the tree of the running test that a record belongs to, or None."""
    # Never imported here: a program without this module runs no test.
    module = sys.modules.get("openhtf.core.test_descriptor")
    running = getattr(getattr(module, "Test", None), "TEST_INSTANCES", {})
    # A copy: other threads may start and end tests meanwhile.
    for test in list(running.values()):
        state = test.state
        if state is not None and state.test_record is record:
            return test.descriptor.phase_sequence
    return None


def _nodes(node: Any, path: _Path) -> Iterator[tuple[object, _Path]]:
    """Walk a tree in the order of execution; gives its leaves."""
    if node is None:
        return
    within = path
    # By name, since OpenHTF is not imported; a subclass counts as well.
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
