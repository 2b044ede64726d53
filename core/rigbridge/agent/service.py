"""The agent: sends from the outbox until it is told to stop."""

from __future__ import annotations

import logging
import threading
from typing import Self

import attrs

from rigbridge.agent.metrics import CONTENT_TYPE, Metrics
from rigbridge.agent.page import AgentHealth, AgentPage
from rigbridge.configuration import Configuration
from rigbridge.opening import open_outbox
from rigbridge.outbox import DeliveryResult
from rigbridge.watching import Watching, watch_rules

__all__ = ["Agent"]

_LOGGER = logging.getLogger("rigbridge.agent")
_ROUND = 60.0
# systemd kills a service that needs more than 90 s to stop.
_GRACE = 20.0


class Agent:
    """
    Sends what the outbox of a data folder holds, and shows how it stands.

    It also imports what comes in the folders that the settings name (``[[watch]]``).
    Use it in a ``with`` statement: it sends and answers from the beginning to the end
    of it.

    Args:
        port: the port of its page; 0 takes any that is free.
        open_page: whether others than this machine may read the page, which asks for
            no key.

    Raises:
        ConfigurationError: a setting is wrong, the folder cannot be used, the address
            cannot be listened on, or is reachable from elsewhere without
            ``open_page``.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        host: str,
        port: int,
        open_page: bool = False,
    ) -> None:
        self._configuration = configuration
        self._watching = Watching(tuple(watch_rules(configuration)))
        self._stopping = threading.Event()
        self._outbox = open_outbox(configuration, observe=self._observe)
        # Made after the outbox, which calls _observe only once it sends.
        self._metrics = Metrics(self._outbox.status)
        try:
            self._page = AgentPage(
                host,
                port,
                health=self.health,
                metrics=lambda: (self._metrics.text(), CONTENT_TYPE),
                is_open=open_page,
            )
        except BaseException:
            self._outbox.close()
            raise

    def _observe(self, result: DeliveryResult) -> None:
        self._metrics.observe(result)

    def __enter__(self) -> Self:
        self._outbox.start()
        self._page.start()
        self._watching.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        # Before the outbox, to which it may hand over what it imports.
        self._watching.__exit__(*error)
        # The page first: its answers would need the closed outbox.
        self._page.close()
        self._outbox.close(grace=_GRACE)

    @property
    def url(self) -> str:
        """The address of its page."""
        return self._page.url

    def run(self) -> None:
        """Repeat the upkeep until :meth:`stop`: forget what was delivered long ago."""
        while True:
            try:
                self._keep_house()
            except Exception:
                # A full disk or the like: what can be sent is still sent.
                _LOGGER.exception("keeping house failed, it is tried again")
            if self._stopping.wait(_ROUND):
                return

    def stop(self) -> None:
        """End :meth:`run`; may be called from a signal handler."""
        self._stopping.set()

    def health(self) -> AgentHealth:
        """
        Tell how it is.

        It is well while it can send and take runs, also while the store cannot.
        """
        status = self._outbox.status()
        trouble = self._outbox.trouble
        return AgentHealth(
            well=self._outbox.is_sending and trouble is None,
            facts={
                "to": self._configuration.to,
                "waiting": status.waiting,
                "parked": status.parked,
                "delivered": status.delivered,
                "oldest": status.oldest,
                "held": status.held,
                "stuck": status.stuck,
                "trouble": trouble,
                "others": dict(status.others),
                "watching": [attrs.asdict(each) for each in self._watching.states],
            },
        )

    def _keep_house(self) -> None:
        self._outbox.take_up_ended()
        self._outbox.prune()
