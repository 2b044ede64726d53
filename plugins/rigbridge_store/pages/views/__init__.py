"""The pages, one module for each subject: what an address asks for and what it gets."""

__all__: list[str] = []
