"""Which adapter reads a source: the best claim wins, and says why."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cached_property

import attrs

from rigbridge.adapters import ADAPTER_GROUP, Adapter, Match, Source, is_blank
from rigbridge.configuration import Configuration
from rigbridge.errors import (
    NoRunError,
    PluginError,
    UnrecognizedSourceError,
)
from rigbridge.machine.plugins import PluginLoader
from rigbridge.opening import check_adapters, make_adapter

__all__ = ["AdapterSet", "Claim", "InstalledAdapter"]

_PACKED = (
    (b"PK\x03\x04", "a zip archive or a workbook"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd"),
)
"""How packed files begin that are not read as they are, and what they are."""

_LOGGER = logging.getLogger("rigbridge.imports")


@attrs.frozen(kw_only=True)
class InstalledAdapter:
    """An adapter, made with its settings, and the version of its distribution."""

    adapter: Adapter
    version: str


@attrs.frozen(kw_only=True)
class Claim:
    """The claim of an adapter on a source."""

    installed: InstalledAdapter
    match: Match

    @property
    def name(self) -> str:
        """The name of the adapter."""
        return self.installed.adapter.name


class AdapterSet:
    """
    The adapters of an installation, loaded when the first source is looked at.

    Args:
        only: the name of the one adapter to use, instead of detection.

    Raises:
        PluginError: the adapter asked for by name does not load. One that was not
            asked for is left out and can be seen in ``unusable``; where workers read,
            none is loaded here.
        ConfigurationError: an adapter's settings are wrong.
    """

    def __init__(
        self, configuration: Configuration, *, only: str | None = None
    ) -> None:
        self._loader = PluginLoader(ADAPTER_GROUP)
        self._only = only
        self._configuration = configuration
        # A misspelled table would otherwise be settings that nobody reads.
        check_adapters(configuration)
        if only is not None or configuration.adapters:
            # What a person has written is looked at here, not by a worker.
            _ = self._loaded

    @cached_property
    def _loaded(self) -> tuple[list[InstalledAdapter], dict[str, PluginError]]:
        """Those that load, and why the others do not."""
        loader, only = self._loader, self._only
        installed: list[InstalledAdapter] = []
        unusable: dict[str, PluginError] = {}
        for name in loader.names if only is None else (only,):
            try:
                adapter = make_adapter(name, self._configuration, loader)
            except PluginError as error:
                if only is not None:
                    raise
                unusable[name] = error
                _LOGGER.debug("adapter %s is left out: %s", name, error)
                continue
            installed.append(
                InstalledAdapter(adapter=adapter, version=loader.owner(name)[1])
            )
        return installed, unusable

    @property
    def _installed(self) -> list[InstalledAdapter]:
        return self._loaded[0]

    @property
    def unusable(self) -> dict[str, PluginError]:
        """The adapters that do not load, by name, each with its reason."""
        return self._loaded[1]

    def __reduce__(self) -> tuple[Callable[..., AdapterSet], tuple[object, ...]]:
        # Another process loads the adapters itself; a reader may hold what cannot be
        # sent.
        return _made_again, (self._configuration.for_reading(), self._only)

    def claims(self, source: Source) -> tuple[Claim, ...]:
        """
        Ask every adapter about a source, the best claim first.

        Raises:
            SourceUnreadableError: the source is missing or cannot be read.
        """
        head = source.head
        # The head is unpacked already, so the name is shown without its .gz as well.
        name = source.content_name
        claims: list[Claim] = []
        for installed in self._installed:
            try:
                match = installed.adapter.detect(head, name)
            except Exception as error:
                # An adapter's mistake on one file must not cost the others theirs.
                _LOGGER.warning(
                    "adapter %s failed to look at %s: %r",
                    installed.adapter.name,
                    source.uri,
                    error,
                    exc_info=_LOGGER.isEnabledFor(logging.DEBUG),
                )
                continue
            if match is not None:
                claims.append(Claim(installed=installed, match=match))
        # By name second, so that a tie is told in the same order everywhere.
        claims.sort(key=lambda claim: (-claim.match.score, claim.name))
        return tuple(claims)

    def choose(self, source: Source) -> InstalledAdapter:
        """Choose the adapter that reads a source; raises what :meth:`claim` does."""
        return self.claim(source).installed

    def claim(self, source: Source) -> Claim:
        """
        Choose the adapter that reads a source, and say why.

        Raises:
            SourceUnreadableError: the source is missing or cannot be read.
            NoRunError: it is empty.
            UnrecognizedSourceError: nobody claims it, or two with the same score.
        """
        # Before the adapters are asked: to most of them an empty file looks like one of
        # another format.
        if is_blank(source.head):
            raise NoRunError(
                "the file is empty",
                source=source.uri,
                remedy="if it should hold a report, write that again",
            )
        if self._only is not None:
            match = Match(score=1.0, reason="named with --adapter")
            return Claim(installed=self._installed[0], match=match)
        claims = self.claims(source)
        if not claims:
            raise self._unclaimed(source)
        best = claims[0]
        # A tie is an error: picking one would depend on what else is installed.
        rivals = [claim for claim in claims if claim.match.score == best.match.score]
        if len(rivals) > 1:
            raise _tied(source, rivals)
        return best

    def _unclaimed(self, source: Source) -> UnrecognizedSourceError:
        names = ", ".join(item.adapter.name for item in self._installed) or "none"
        missing = f"; not loaded: {', '.join(self.unusable)}" if self.unusable else ""
        packed = _packed_form(source.head)
        if packed is not None:
            return UnrecognizedSourceError(
                f"is {packed}, which no adapter reads",
                source=source.uri,
                remedy="unpack it, and import what is in it",
            )
        return UnrecognizedSourceError(
            f"no adapter knows this format (asked: {names}{missing})",
            source=source.uri,
            remedy="name one with --adapter, or declare a profile for a CSV log",
        )


def _made_again(configuration: Configuration, only: str | None) -> AdapterSet:
    return AdapterSet(configuration, only=only)


def _packed_form(head: bytes) -> str | None:
    return next((form for start, form in _PACKED if head.startswith(start)), None)


def _tied(source: Source, rivals: Sequence[Claim]) -> UnrecognizedSourceError:
    reasons = "; ".join(f"{claim.name}: {claim.match.reason}" for claim in rivals)
    return UnrecognizedSourceError(
        f"{len(rivals)} adapters claim it with the same score ({reasons})",
        source=source.uri,
        remedy="name one with --adapter",
    )
