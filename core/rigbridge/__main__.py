"""``python -m rigbridge`` is the ``rigbridge`` command."""

from rigbridge.cli.main import run

__all__: list[str] = []

if __name__ == "__main__":
    run()
