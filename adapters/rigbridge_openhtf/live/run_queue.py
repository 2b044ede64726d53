"""
The queue that the callback puts runs into: the outbox, with the site's rules applied.

A background thread sends from there. Every destination has the outbox in front of it,
the embedded store too: so a test waits equally long whether the store is near, busy or
gone.
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

__all__ = ["RunQueue"]

# Seconds that a test waits for others who hold the outbox. After that its run is kept
# in a file, and queued from there later.
_PATIENCE = 1.0
# Seconds that closing waits for a run that is being queued from its file.
_GRACE = 2.0


class RunQueue:
    """
    An open outbox, and the settings and rules for what goes into it.

    Args:
        configuration: what it was made from.
        settings: how records are read.
        outbox: where runs go.
        identity: rules that complete a run before it is queued; None leaves that to
            the outbox, whose rules a site can mend later.
        owned: whether the outbox is closed together with this.
    """

    def __init__(
        self,
        configuration: Configuration,
        settings: OpenHTFSettings,
        outbox: Outbox,
        *,
        identity: IdentityRules | None,
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
    ) -> RunQueue:
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
        # Imported here: a test program must start without waiting for these imports.
        from rigbridge.configuration import load_configuration  # noqa: PLC0415 - see above
        from rigbridge.opening import open_outbox  # noqa: PLC0415 - likewise

        configuration = load_configuration(to=to, data=data, api_key=api_key)
        chosen = settings or _configured_settings(configuration)
        if outbox is not None:
            rules = configuration.identity if identity is None else identity
            return cls(configuration, chosen, outbox, identity=rules, owned=False)
        opened = open_outbox(configuration, loader=plugins)
        # Starts the thread that sends; an outbox of the caller's own has its own.
        opened.start()
        return cls(configuration, chosen, opened, identity=identity)

    @staticmethod
    def load(*, to: str | None, data: Path | None, api_key: str | None) -> PluginLoader:
        """
        Load the code that the configuration needs; nothing is opened yet.

        Called before a test, so that nobody waits for it at the end of one.

        Returns:
            The plugins, for :meth:`open`.

        Raises:
            RigbridgeError: a setting is wrong.
        """
        from rigbridge.configuration import load_configuration  # noqa: PLC0415 - as above
        from rigbridge.opening import load_outbox  # noqa: PLC0415 - likewise

        return load_outbox(load_configuration(to=to, data=data, api_key=api_key))

    def submit(self, run: Run, report: ConversionReport) -> None:
        """
        Queue a run durably, completed by the rules of the program itself.

        Raises:
            RigbridgeError: it was not taken, for instance because other processes hold
                the outbox for too long.
            OSError: the outbox cannot be written.
        """
        self._submit(run, report, patience=_PATIENCE)
        # The outbox works: now the runs that were kept in files can be queued too.
        self._kept.queue()

    def _submit(
        self, run: Run, report: ConversionReport, patience: float | None = None
    ) -> None:
        # The caller's report stays as it is: where this fails the run is kept with it,
        # and the rules are applied once more when it is queued from its file.
        extended = ConversionReport()
        extended.merge(report)
        if self._identity is not None:
            run = self._identity.apply(run, name="", report=extended)
        self._outbox.submit(run, extended, patience=patience)

    def handing_over(self) -> AbstractContextManager[None]:
        """Stop the background thread from sending while a test waits for us."""
        return self._outbox.handing_over()

    def flush(self, deadline: float) -> int:
        """Wait until everything is sent, at most some seconds; say how many wait."""
        return self._outbox.flush(deadline)

    def entry(self, run_id: UUID) -> OutboxEntry | None:
        """Give the entry of a run, or None if the outbox does not know it."""
        return self._outbox.entry(run_id)

    def close(self) -> None:
        """Release files and threads; what waits stays in the outbox."""
        self._kept.join(_GRACE)
        if self._owned:
            self._outbox.close()


def _configured_settings(configuration: Configuration) -> OpenHTFSettings:
    from rigbridge.opening import make_settings  # noqa: PLC0415 - as above

    name = OpenHTFJSONAdapter.name
    settings: OpenHTFSettings = make_settings(
        OpenHTFSettings,
        configuration.adapters.get(name, {}),
        place=f"adapters.{name}",
        source=configuration.origins.get("adapters"),
    )
    return settings
