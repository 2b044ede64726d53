"""The routes of the pages, to be made part of an application."""

from __future__ import annotations

from litestar import Router
from litestar.handlers import BaseRouteHandler

from rigbridge_store.pages.assets import send_asset
from rigbridge_store.pages.error_pages import PAGE_ERRORS
from rigbridge_store.pages.security import Connection
from rigbridge_store.pages.site import Site
from rigbridge_store.pages.views import (
    attachments,
    compare,
    exporting,
    measurement,
    procedures,
    run,
    runs,
    signing_in,
)

__all__ = ["page_router"]


def page_router() -> Router:
    """Make the routes of the pages; they find their site in the application."""
    # Signing in and the style sheet are open to all; every other page asks who it is.
    closed = Router(
        path="/",
        route_handlers=[
            procedures.list_procedures,
            procedures.show_procedure,
            procedures.show_process,
            measurement.show_measurement,
            runs.show_runs,
            runs.show_unit,
            runs.list_instruments,
            run.show_run,
            run.show_phase,
            compare.show_comparison,
            procedures.show_state,
            exporting.export_list,
            attachments.download_file,
            attachments.show_image,
        ],
        guards=[_require_visitor],
    )
    return Router(
        path="/",
        route_handlers=[
            closed,
            signing_in.show_sign_in,
            signing_in.sign_in,
            signing_in.sign_out,
            send_asset,
        ],
        exception_handlers=PAGE_ERRORS,
        include_in_schema=False,
    )


async def _require_visitor(connection: Connection, handler: BaseRouteHandler) -> None:
    await Site.of(connection).require_visitor(connection, handler)
