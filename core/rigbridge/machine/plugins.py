"""
The loader of plugins: by name, lazily, and so that no plugin can break another.

Stevedore loads; this module takes the precautions that real installations need. A
plugin that raises, asserts or exits while it is imported is contained, two plugins of
one name are refused with both distributions named, and an installation made a moment
ago is seen at once (stevedore's own cache on disk is bypassed). A distribution whose
metadata are damaged costs its own plugins only.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import (
    Distribution,
    EntryPoint,
    EntryPoints,
    distributions,
    entry_points,
)
from pathlib import Path

import attrs

from rigbridge.errors import (
    AdapterUnavailableError,
    DuplicatePluginError,
    PluginError,
    PluginLoadError,
    UnknownPluginError,
)
from rigbridge.machine.close_names import did_you_mean

__all__ = ["PluginLoader", "PluginRecord", "PluginStatus"]

_LOGGER = logging.getLogger("rigbridge.plugins")


class PluginStatus(StrEnum):
    """What came of loading a plugin."""

    LOADED = "loaded"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class PluginRecord:
    """
    One installed plugin, for a listing.

    Attributes:
        distribution: the distribution (or both, for a duplicate) that offers it.
        status: whether it loads.
        reason: why it does not, or None.
    """

    name: str
    distribution: str
    version: str
    status: PluginStatus
    reason: str | None = None


def _owner(entry: EntryPoint) -> tuple[str, str]:
    # An entry point without a distribution comes from a test or a frozen program, one
    # without a name from an uninstallation that was interrupted.
    return ("unknown", "unknown") if entry.dist is None else _described(entry.dist)


# One distribution offers many plugins, and its metadata takes milliseconds to read.
@lru_cache(maxsize=64)
def _described(distribution: Distribution) -> tuple[str, str]:
    metadata = distribution.metadata
    return metadata["Name"] or "unknown", metadata["Version"] or "unknown"


def _discover(group: str) -> Iterable[EntryPoint]:
    try:
        return _select(tuple(_searched()))(group=group)
    except Exception:  # noqa: BLE001 - whatever a damaged file makes of the parser
        return _discover_one_by_one(group)


def _searched() -> Iterator[tuple[str, int]]:
    # An installation changes the time of the folder that it writes to, so that a
    # program that runs on sees it, as the import system itself does.
    for folder in sys.path:
        try:
            yield folder, Path(folder).stat().st_mtime_ns
        except (OSError, ValueError):
            yield folder, -1


# Python reads the metadata of all distributions at each question for one group: 25 ms
# where two hundred are installed. A command asks for three groups, and a program that
# reads a thousand reports asks a thousand times.
@lru_cache(maxsize=1)
def _select(_of: tuple[tuple[str, int], ...]) -> Callable[..., EntryPoints]:
    return entry_points().select


def _discover_one_by_one(group: str) -> Iterator[EntryPoint]:
    # Slower, since it reads the metadata of everything that is installed.
    # Of a distribution that is found twice, Python imports the first.
    seen: set[str] = set()
    for distribution in distributions():
        name = distribution.metadata["Name"] or "unknown"
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution.entry_points.select(group=group)
        except Exception as error:
            _LOGGER.warning(
                "the entry points of %s cannot be read: %r",
                name,
                error,
                exc_info=_LOGGER.isEnabledFor(logging.DEBUG),
            )
            continue
        yield from found


class PluginLoader:
    """
    Loads the plugins of one entry-point group.

    Args:
        group: the group's name (``rigbridge.adapters``).
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self._entries: dict[str, list[EntryPoint]] = {}
        found = _discover(group)
        # Sorted, so that a conflict is told in the same order on every machine.
        for entry in sorted(found, key=lambda entry: (entry.name, entry.value)):
            known = self._entries.setdefault(entry.name, [])
            # One distribution seen through two path entries is no conflict.
            if not any(
                entry.value == other.value and _owner(entry) == _owner(other)
                for other in known
            ):
                known.append(entry)
        # Only what loaded is kept: a failure may be gone at the next try.
        self._loaded: dict[str, object] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all installed plugins of the group, sorted."""
        return tuple(self._entries)

    def owner(self, name: str) -> tuple[str, str]:
        """Name the distribution that offers a plugin, and its version."""
        return _owner(self._entries[name][0])

    def value(self, name: str) -> str:
        """Give where the code of a plugin is: ``module:name``."""
        return self._entries[name][0].value

    def load(self, name: str) -> object:
        """
        Load one plugin; the others are not touched.

        Raises:
            UnknownPluginError: no distribution offers that name.
            DuplicatePluginError: more than one does.
            AdapterUnavailableError: its vendor library is missing.
            PluginLoadError: it failed while it was imported.
        """
        if name in self._loaded:
            return self._loaded[name]
        entries = self._entries.get(name)
        if entries is None:
            known = ", ".join(self.names) or "none"
            meant = did_you_mean(name, self.names)
            raise UnknownPluginError(
                f"no plugin {name!r} is installed in {self.group}",
                remedy=f"{meant} installed: {known}"
                if meant
                else f"installed: {known}",
            )
        if len(entries) > 1:
            raise DuplicatePluginError(
                f"{name!r} is offered by {_both(entries)}",
                remedy="uninstall one of them",
            )
        self._loaded[name] = plugin = self._import(entries[0])
        return plugin

    def _import(self, entry: EntryPoint) -> object:
        # Imported here: stevedore costs more than the rest of the core together.
        from stevedore import DriverManager

        class OneEntry(DriverManager[object]):
            """Sees one entry, and neither its neighbours nor the cache on disk."""

            def list_entry_points(self) -> list[EntryPoint]:
                return [entry]

        distribution, version = _owner(entry)
        try:
            manager = OneEntry(self.group, entry.name)
        # A plugin that says itself what it lacks (AdapterUnavailableError) is believed.
        except PluginError:
            raise
        # SystemExit too: a module that exits on import must not end our process.
        except (Exception, SystemExit) as error:
            words = f"{type(error).__name__}: {error}" if str(error) else repr(error)
            raise PluginLoadError(
                f"{entry.name!r} of {distribution} {version} failed to load: {words}",
                remedy=f"update or uninstall {distribution}",
            ) from error
        return manager.driver

    def listing(self) -> tuple[PluginRecord, ...]:
        """Try to load every plugin, and say what came of each."""
        return tuple(self._record(name) for name in self.names)

    def _record(self, name: str) -> PluginRecord:
        entries = self._entries[name]
        distribution, version = _owner(entries[0])
        status, reason = PluginStatus.LOADED, None
        try:
            self.load(name)
        except AdapterUnavailableError as error:
            status, reason = PluginStatus.UNAVAILABLE, str(error)
        except DuplicatePluginError as error:
            distribution = _both(entries)
            status, reason = PluginStatus.FAILED, str(error)
        except PluginError as error:
            status, reason = PluginStatus.FAILED, str(error)
        return PluginRecord(
            name=name,
            distribution=distribution,
            version=version,
            status=status,
            reason=reason,
        )


def _both(entries: Iterable[EntryPoint]) -> str:
    return " and ".join(" ".join(_owner(entry)) for entry in entries)
