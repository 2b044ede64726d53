"""
Where the callback's runs go: right into the embedded store, or into an outbox.

The embedded store is durable by itself. Before a store behind a URL stands the outbox
of the data folder, from which a background thread sends.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from rigbridge.adapters import ConversionReport
from rigbridge.model import Run
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge.configuration import Configuration
    from rigbridge.destinations import Destination
    from rigbridge.outbox import Outbox

__all__ = ["Route"]

_LOGGER = logging.getLogger("rigbridge.openhtf")


class Route:
    """
    An open way for runs.

    Args:
        configuration: what the way was made from.
        settings: how records are read.
        outbox: where runs go, or None.
        owned: whether the outbox is closed with the route.
        destination: where runs go if there is no outbox.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: OpenHTFSettings,
        *,
        outbox: Outbox | None = None,
        owned: bool = True,
        destination: Destination | None = None,
    ) -> None:
        self.data = configuration.data
        self.settings = settings
        self._identity = configuration.identity
        self._outbox = outbox
        self._owned = owned
        self._destination = destination

    @classmethod
    def open(
        cls,
        *,
        to: str | None,
        data: Path | None,
        api_key: str | None,
        settings: OpenHTFSettings | None,
        outbox: Outbox | None,
    ) -> Route:
        """
        Read the configuration and open what it names.

        Raises:
            RigbridgeError: a setting is wrong, or a folder cannot be used.
        """
        # Imported here: a test program should start without waiting for this.
        from rigbridge.configuration import (  # noqa: PLC0415 - see above
            load_configuration,
            open_destination,
            open_outbox,
        )

        configuration = load_configuration(to=to, data=data, api_key=api_key)
        chosen = settings or _configured_settings(configuration)
        if outbox is not None:
            return cls(configuration, chosen, outbox=outbox, owned=False)
        if configuration.is_local:
            destination = open_destination(configuration)
            return cls(configuration, chosen, destination=destination)
        opened = open_outbox(configuration)
        opened.start()
        return cls(configuration, chosen, outbox=opened)

    def deliver(self, run: Run, report: ConversionReport) -> None:
        """
        Complete the identity of a run by the site's rules, and hand it over.

        Raises:
            RigbridgeError: it was not taken.
            ExceptionGroup: it was, but not all of its attachments.
        """
        run = self._identity.apply(run, name="", report=report)
        if self._outbox is not None:
            self._outbox.submit(run, report)
        elif self._destination is not None:
            _store(run, report, self._destination)

    def flush(self, deadline: float) -> int:
        """Wait until everything is sent, at most some seconds; say what waits."""
        return 0 if self._outbox is None else self._outbox.flush(deadline)

    def close(self) -> None:
        """Release files and threads; what waits stays in the outbox."""
        if self._outbox is not None and self._owned:
            self._outbox.close()
        if self._destination is not None:
            self._destination.close()


def _store(run: Run, report: ConversionReport, destination: Destination) -> None:
    receipt = destination.submit(run, report)
    if receipt.failures:
        names = ", ".join(failure.name for failure in receipt.failures)
        raise ExceptionGroup(
            f"the run is stored, but not its attachments {names}",
            [failure.error for failure in receipt.failures],
        )
    for warning in receipt.warnings:
        _LOGGER.warning("run %s: %s", run.id, warning)
    _LOGGER.info("run %s is stored as %s", run.id, receipt.stored_id)


def _configured_settings(configuration: Configuration) -> OpenHTFSettings:
    from rigbridge.configuration.opening import (  # noqa: PLC0415 - as above
        make_settings,
    )

    name = OpenHTFJSONAdapter.name
    settings: OpenHTFSettings = make_settings(
        OpenHTFSettings,
        configuration.adapters.get(name, {}),
        place=f"adapters.{name}",
        source=configuration.origins.get("adapters"),
    )
    return settings
