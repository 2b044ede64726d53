"""The command line; start at :mod:`rigbridge.cli.main`."""

__all__: list[str] = []
