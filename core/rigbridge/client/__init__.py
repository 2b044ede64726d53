"""
The client of a run store: any server of the v1 contract, hosted or one's own.

:class:`Client` and :class:`AsyncClient` make the calls; the destinations in
:mod:`rigbridge.client.destination` and :mod:`rigbridge.client.async_destination` put
whole runs together from them, exactly once, one by one or many at a time.
"""

from rigbridge.client.async_client import AsyncClient
from rigbridge.client.client import Client
from rigbridge.client.listing import ReceivedRun
from rigbridge.destinations import ConnectionSettings
from rigbridge.destinations.address import api_address

__all__ = ["AsyncClient", "Client", "ConnectionSettings", "ReceivedRun", "api_address"]
