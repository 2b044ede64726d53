"""Whether there is anything new: a short answer that a page asks for repeatedly."""

from __future__ import annotations

from litestar import MediaType, Response, get

from rigbridge_store.pages.security import PAGE_HEADERS, AnyRequest
from rigbridge_store.pages.site import Site
from rigbridge_store.reading.run_search import newest_key

__all__ = ["show_state"]

_UNCHANGED = 304


@get("/state", sync_to_thread=True, include_in_schema=False)
def show_state(request: AnyRequest) -> Response[bytes]:
    """Tell a number that grows with each run; nothing to who knows it already."""
    with Site.of(request).store.reading() as connection:
        newest = newest_key(connection)
    tag = f'"{newest}"'
    # The browser asks each time, and is answered without a body.
    headers = {**PAGE_HEADERS, "Cache-Control": "no-cache", "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=_UNCHANGED, headers=headers)
    return Response(
        b'{"newest": %d}' % newest, media_type=MediaType.JSON, headers=headers
    )
