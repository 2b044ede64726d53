"""
The ``rigbridge`` command, also as ``python -m rigbridge``.

Little is imported here: until the command begins, and once it has ended, Ctrl-C ends
the process as the system does it, without the place where Python happened to be.
"""

import signal
import sys

__all__ = ["run"]


def run() -> None:
    """Run the command line; ends the process with the exit code."""
    handler = signal.getsignal(signal.SIGINT)
    # A shell lets what it starts in the background ignore Ctrl-C; that stays.
    is_python = handler is signal.default_int_handler
    if is_python:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from rigbridge.cli.main import run as run_command

    try:
        if is_python:
            signal.signal(signal.SIGINT, handler)
        run_command()
    except KeyboardInterrupt:
        # It came between two commands of ours; 128 + SIGINT, as shells have it.
        sys.exit(130)
    finally:
        if is_python:
            signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    run()
