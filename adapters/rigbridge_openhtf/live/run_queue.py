"""
Where the callback's runs go: into an outbox, from which a background thread sends.

The outbox stands before every destination, the embedded store too: what a test waits
for is then the same, whether the store is near, busy or gone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from rigbridge.adapters import ConversionReport
from rigbridge.model import Run
from rigbridge_openhtf.adapter import OpenHTFJSONAdapter
from rigbridge_openhtf.live.requeueing import KeptRuns
from rigbridge_openhtf.settings import OpenHTFSettings

if TYPE_CHECKING:
    from rigbridge.adapters.identity import IdentityRules
    from rigbridge.configuration import Configuration
    from rigbridge.machine.plugins import PluginLoader
    from rigbridge.outbox import Outbox, OutboxEntry

__all__ = ["Route"]

# A test waits no longer for others who hold the outbox: its run is then kept in a file,
# and queued from there.
_PATIENCE = 1.0
# Seconds that closing waits for a run which is just being queued from its file.
_GRACE = 2.0


class Route:
    """
    An open way for runs.

    Args:
        configuration: what the way was made from.
        settings: how records are read.
        outbox: where runs go.
        identity: the rules that complete a run's identity.
        owned: whether the outbox is closed with the route.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: OpenHTFSettings,
        outbox: Outbox,
        *,
        identity: IdentityRules,
        owned: bool = True,
    ) -> None:
        self.data = configuration.data
        self.settings = settings
        self.folder = outbox.folder
        self.store = (
            f"the embedded store in {configuration.data}"
            if configuration.is_local
            else configuration.to
        )
        self._identity = identity
        self._outbox = outbox
        self._owned = owned
        self._kept = KeptRuns(configuration.data, self._submit)

    @classmethod
    def open(
        cls,
        *,
        to: str | None,
        data: Path | None,
        api_key: str | None,
        settings: OpenHTFSettings | None,
        identity: IdentityRules | None,
        outbox: Outbox | None,
        plugins: PluginLoader | None = None,
    ) -> Route:
        """
        Read the configuration and open what it names.

        Args:
            to: ``local``, or the URL of a run store; by configuration if None.
            data: the data folder, likewise.
            api_key: the key for the store, likewise.
            settings: how records are read, likewise.
            identity: the rules that complete a run's identity, likewise.
            outbox: an outbox of the caller's own, or None.
            plugins: what :meth:`load` gave, or None.

        Raises:
            RigbridgeError: a setting is wrong, or a folder cannot be used.
        """
        # Imported here: a test program should start without waiting for this.
        from rigbridge.configuration import load_configuration  # noqa: PLC0415 - see above
        from rigbridge.opening import open_outbox  # noqa: PLC0415 - likewise

        configuration = load_configuration(to=to, data=data, api_key=api_key)
        chosen = settings or _configured_settings(configuration)
        rules = configuration.identity if identity is None else identity
        if outbox is not None:
            return cls(configuration, chosen, outbox, identity=rules, owned=False)
        opened = open_outbox(configuration, loader=plugins)
        opened.start()
        return cls(configuration, chosen, opened, identity=rules)

    @staticmethod
    def load(*, to: str | None, data: Path | None, api_key: str | None) -> PluginLoader:
        """
        Load the code of what the configuration names; nothing is opened yet.

        Done before a test, nobody waits for it at the end of one.

        Returns:
            What was found, for :meth:`open`.

        Raises:
            RigbridgeError: a setting is wrong.
        """
        from rigbridge.configuration import load_configuration  # noqa: PLC0415 - as above
        from rigbridge.opening import load_outbox  # noqa: PLC0415 - likewise

        return load_outbox(load_configuration(to=to, data=data, api_key=api_key))

    def deliver(self, run: Run, report: ConversionReport) -> Run:
        """
        Complete the identity of a run by the site's rules, and hand it over.

        Returns:
            The run as it was handed over.

        Raises:
            RigbridgeError: it was not taken, for instance since other processes hold
                the outbox for too long.
            OSError: the outbox cannot be written.
        """
        run = self._submit(run, report, patience=_PATIENCE)
        # What could not be queued before may find its way now.
        self._kept.queue()
        return run

    def _submit(
        self, run: Run, report: ConversionReport, patience: float | None = None
    ) -> Run:
        # The caller's report stays as it is: where this fails the run is kept with it,
        # and the rules are applied once more when it is queued from its file.
        extended = ConversionReport()
        extended.merge(report)
        run = self._identity.apply(run, name="", report=extended)
        self._outbox.submit(run, extended, patience=patience)
        return run

    def handing_over(self) -> AbstractContextManager[None]:
        """Keep the background thread from sending while a test waits for us."""
        return self._outbox.handing_over()

    def flush(self, deadline: float) -> int:
        """Wait until everything is sent, at most some seconds; say what waits."""
        return self._outbox.flush(deadline)

    def entry(self, run_id: UUID) -> OutboxEntry | None:
        """Say how a run stands, or None if the outbox does not know it."""
        return self._outbox.entry(run_id)

    def close(self) -> None:
        """Release files and threads; what waits stays in the outbox."""
        self._kept.join(_GRACE)
        if self._owned:
            self._outbox.close()


def _configured_settings(configuration: Configuration) -> OpenHTFSettings:
    from rigbridge.opening import (  # noqa: PLC0415 - as above
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
