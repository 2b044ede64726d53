"""Whether an address is reachable from this machine alone."""

from __future__ import annotations

import ipaddress

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """
    Whether what listens on an address is reachable from this machine alone.

    Args:
        host: an IP address or a name; every name but ``localhost`` may lead anywhere.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
