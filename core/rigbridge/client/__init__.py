"""
The client of a run store: any server of the v1 contract, hosted or one's own.

:class:`Client` makes the calls; :class:`rigbridge.client.destination.HTTPDestination`
puts whole runs together from them, exactly once.
"""

from rigbridge.client.address import api_address
from rigbridge.client.client import Client
from rigbridge.client.listing import ReceivedRun

__all__ = ["Client", "ReceivedRun", "api_address"]
