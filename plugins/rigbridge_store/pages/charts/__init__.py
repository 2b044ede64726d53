"""
Charts as geometry, which a template draws as SVG.

``docs/explanation/design.md`` says which libraries were tried, and why none is used.
"""

__all__: list[str] = []
