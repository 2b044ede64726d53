"""
The web pages of the store: rendered by the server, readable without scripts.

Nothing in them comes from elsewhere, and nothing that a rig sent can run in them: the
content security policy allows our own files only, no inline script and no inline
style.
"""

from rigbridge_store.pages.error_pages import page_or
from rigbridge_store.pages.routes import page_router
from rigbridge_store.pages.site import NAME, Site

__all__ = ["NAME", "Site", "page_or", "page_router"]
