"""The application: the routes, the errors and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Sequence

import litestar
from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from rigbridge import __version__
from rigbridge.errors import RigbridgeError
from rigbridge_store.pages import NAME, Site, page_or, page_router
from rigbridge_store.server.bodies import ServerCapabilities, ServerHealth
from rigbridge_store.server.calls import PROVIDED, STRICT, get, handlers_in
from rigbridge_store.server.door import Door, require_key
from rigbridge_store.server.failures import (
    answer_any,
    answer_deep,
    answer_disk,
    answer_encoding,
    answer_http,
    answer_large,
    answer_ours,
)
from rigbridge_store.server.reference import show_reference
from rigbridge_store.server.routing import prepared
from rigbridge_store.server.settings import ServerSettings
from rigbridge_store.server.v1 import administration, reading
from rigbridge_store.server.v1 import files as v1_files
from rigbridge_store.server.v1 import runs as v1_runs
from rigbridge_store.server.v2 import (
    catalog,
    details,
    files,
    procedures,
    runs,
    stations,
    units,
)
from rigbridge_store.store import RunStore

__all__ = ["build_routes", "create_app"]

_V2 = (catalog, details, files, procedures, runs, stations, units)


def create_app(
    store: RunStore,
    settings: ServerSettings | None = None,
) -> Litestar:
    """
    Make the application.

    Args:
        store: the store behind it; closed by whoever opened it.
        settings: how it behaves; the defaults by default.
    """
    door = Door(store, settings or ServerSettings())
    app = build_routes(door.settings.max_body)
    # The handlers find the store by what the application holds.
    site = Site(store=store, wrong_keys=door.wrong_keys)
    app.state = State({**door.state, NAME: site})
    return app


def build_routes(max_body: int) -> Litestar:
    """
    Make an application that has its routes and no store yet.

    Args:
        max_body: the longest body that it reads, in bytes.
    """
    v1 = [*handlers_in(v1_runs, v1_files), show_capabilities]
    # The secret in the URL of an upload is its grant, and takes the place of a key.
    granted = Router(path="/api/v1", route_handlers=[v1_files.receive_upload])
    # Likewise the signature in the URL of a file: v2 clients fetch those bare.
    signed = Router(path="/api/v2", route_handlers=[files.download_file])
    app = Litestar(
        route_handlers=[
            _keyed("/api/v1", v1, PROVIDED),
            # Strict, since the callers of these are our own: a parameter that is not
            # known is a mistake.
            _keyed("/api/v1", handlers_in(administration, reading), STRICT),
            granted,
            _keyed("/api/v2", handlers_in(*_V2), STRICT),
            signed,
            show_health,
            show_reference,
            page_router(),
        ],
        exception_handlers={
            RigbridgeError: answer_ours,
            HTTPException: page_or(answer_http),
            # A decoder that recurses; it must come before what catches anything.
            RecursionError: answer_deep,
            UnicodeDecodeError: answer_encoding,
            MemoryError: answer_large,
            OSError: answer_disk,
            Exception: answer_any,
        },
        # The framework refuses what is larger before any of it is decoded.
        request_max_body_size=max_body,
        openapi_config=_openapi(),
        # Logging belongs to the program that runs us.
        logging_config=None,
    )
    # Around the routing itself, which no middleware of the framework is.
    app.asgi_handler = prepared(app.asgi_handler)
    return app


def _keyed(
    path: str, handlers: Sequence[HTTPRouteHandler], provided: dict[str, Provide]
) -> Router:
    """Make the routes that take a key."""
    return Router(
        path=path,
        route_handlers=handlers,
        guards=[require_key],
        dependencies=provided,
        security=[{"key": []}],
    )


@get("/capabilities")
def show_capabilities() -> ServerCapabilities:
    """Tell what this server can do beyond the contract."""
    return ServerCapabilities(
        store="rigbridge",
        version=__version__,
        sidecar="inline",
        # A client that is not told would look for its run by unit and start time, and
        # take another run of the same second for it.
        idempotency_key=True,
        # Whole runs can be read back, and runs, stations and procedures looked after.
        reading=True,
        administration=True,
    )


@litestar.get("/health", sync_to_thread=False)
def show_health() -> ServerHealth:
    """Tell that the server is up."""
    return ServerHealth(status="ok")


def _openapi() -> OpenAPIConfig:
    bearer = SecurityScheme(type="http", scheme="bearer")
    return OpenAPIConfig(
        title="rigbridge run store",
        description=(
            "The v1 and v2 contract of a TofuPilot-compatible run store, and what is "
            "beyond it."
        ),
        version=__version__,
        path="/api",
        render_plugins=[JsonRenderPlugin(path="/openapi.json")],
        components=Components(security_schemes={"key": bearer}),
        use_handler_docstrings=True,
    )
