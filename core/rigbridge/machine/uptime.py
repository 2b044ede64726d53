"""Time since this machine was booted, which nobody sets, and the name of the boot."""

from __future__ import annotations

import os
import time
from pathlib import Path
from uuid import uuid4

__all__ = ["boot_name", "uptime"]

_BOOT = Path("/proc/sys/kernel/random/boot_id")
# Clocks of a container may be shifted against those of the machine.
_TIME_NAMESPACE = "/proc/self/ns/time"
_PROCESS = uuid4().hex


def uptime() -> float:
    """
    Give the seconds since some moment that is the same for all processes of a boot.

    Setting the clock does not change it, and the time that a machine sleeps counts.
    """
    # Linux has a clock of its own that counts sleep; the others' monotonic one does.
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def boot_name() -> str:
    """
    Name the boot for which :func:`uptime` counts.

    Where the system does not tell, each process counts as a boot of its own.
    """
    try:
        boot = _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        # With the process id, since a child of a fork shares the constant but not the
        # moment of its start.
        return f"process-{_PROCESS}-{os.getpid()}"
    try:
        return f"{boot} {Path(_TIME_NAMESPACE).readlink()}"
    except OSError:
        return boot
