"""Folders of other machines: what the system says of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["is_on_network"]

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ncpfs", "vboxsf"}


def is_on_network(folder: Path) -> bool:
    """Tell whether a folder is another machine's, as far as the system says."""
    here = os.path.realpath(folder)
    # A share of Windows.
    if here.startswith("\\\\"):
        return True
    if sys.platform != "linux":
        return False
    try:
        mounts = Path("/proc/mounts").read_text(errors="surrogateescape").splitlines()
    except OSError:
        return False
    best, kind = "", ""
    for mount in mounts:
        _, place, form, *_ = mount.split(" ")
        # Blanks in a name are written as a number.
        place = place.replace("\\040", " ")
        # The mount that is nearest counts, and the last of several at one place.
        if len(place) >= len(best) and f"{here}/".startswith(f"{place.rstrip('/')}/"):
            best, kind = place, form
    # Behind FUSE may be anything, also what tells nothing of changes (sshfs, rclone).
    return kind in _NETWORK or kind.startswith("fuse.")
