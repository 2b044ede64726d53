"""``agent``: send from the outbox as a service."""

# Each command imports what it needs: --help must stay fast.

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import Annotated

import typer

from rigbridge.cli.options import AsJSON
from rigbridge.cli.output import say, say_json
from rigbridge.cli.places import StorePlace, with_place

__all__ = ["agent"]


@with_place()
def agent(
    place: StorePlace,
    *,
    host: Annotated[str, typer.Option(help="Address of its page.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Port; 0 takes any.", min=0, max=65535)
    ] = 9817,
    open_page: Annotated[
        bool,
        typer.Option("--open-page", help="Let others than this machine read the page."),
    ] = False,
    as_json: AsJSON = False,
) -> None:
    """Send what the outbox holds, until SIGTERM or Ctrl-C; a service manager's job."""
    from rigbridge.agent import Agent

    # To standard error, where service managers collect it.
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO
    )
    # One line a request would bury what matters.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    configuration = place.configuration()
    service = Agent(configuration, host=host, port=port, open_page=open_page)

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        service.stop()

    # SIGBREAK is how Windows ends a service that runs in a console.
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
    with service:
        if as_json:
            say_json({"url": service.url, "to": configuration.to})
        else:
            say(f"sending to {configuration.to}, see {service.url} (end with Ctrl-C)")
        service.run()
