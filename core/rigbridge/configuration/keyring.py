"""API keys out of the keyring of the system, where one is installed."""

from __future__ import annotations

import logging

__all__ = ["SERVICE", "key_from_keyring"]

SERVICE = "rigbridge"
"""The service under which keys stand; the user name is the origin of the store."""

_LOGGER = logging.getLogger("rigbridge.configuration")


def key_from_keyring(url: str) -> str | None:
    """
    Look the key for a store up; no keyring means no key, and is no error.

    Args:
        url: the store, as the user configured it.

    Raises:
        ConfigurationError: the address is none.
    """
    try:
        import keyring  # noqa: PLC0415 - an extra, and slow to import
        import keyring.errors  # noqa: PLC0415 - likewise
    except ImportError:
        return None
    # The client needs what this imports in any case, once there is a URL.
    from rigbridge.client.transport.address import api_address  # noqa: PLC0415

    try:
        return keyring.get_password(SERVICE, api_address(url).removesuffix("/api"))
    except keyring.errors.NoKeyringError:
        return None
    except keyring.errors.KeyringError as error:
        _LOGGER.warning("the keyring gives no key: %s", error)
        return None
