"""Attachments: their contents, their uploads, and the rows that name them."""

__all__: list[str] = []
