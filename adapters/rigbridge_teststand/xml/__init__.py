"""The bytes of a file to the element trees of its reports, safely."""

__all__: list[str] = []
