"""From the bytes of a file to its records, in STDF and in ATDF alike."""

__all__: list[str] = []
