"""
The contract of a destination: where runs go, and are seen again.

Two ship with rigbridge, offered in the entry-point group ``rigbridge.destinations``:
``local``, the embedded store in process, and ``http``, any run store of the v1
contract. What a store that we host ourselves offers beyond it is
:class:`rigbridge.hosting.HostedDestination`.
"""

from rigbridge.destinations.contract import (
    DESTINATION_GROUP,
    BatchDestination,
    BulkDestination,
    CountingDestination,
    Destination,
    MeasurementRow,
    Preparer,
    ReadableDestination,
    ReplacingDestination,
    ResumableDestination,
    RunSize,
    ShowingDestination,
)
from rigbridge.destinations.deliveries import (
    AttachmentFailure,
    Claims,
    Consignment,
    FileProgress,
    Outcome,
    PreparedItem,
    Progress,
    ProgressKeeper,
    Receipt,
    SentRun,
)
from rigbridge.destinations.failures import delivery_failure, foreign_failures
from rigbridge.destinations.settings import (
    ConnectionSettings,
    DestinationSettings,
    Linking,
    Sidecar,
)

__all__ = [
    "DESTINATION_GROUP",
    "AttachmentFailure",
    "BatchDestination",
    "BulkDestination",
    "Claims",
    "ConnectionSettings",
    "Consignment",
    "CountingDestination",
    "Destination",
    "DestinationSettings",
    "FileProgress",
    "Linking",
    "MeasurementRow",
    "Outcome",
    "PreparedItem",
    "Preparer",
    "Progress",
    "ProgressKeeper",
    "ReadableDestination",
    "Receipt",
    "ReplacingDestination",
    "ResumableDestination",
    "RunSize",
    "SentRun",
    "ShowingDestination",
    "Sidecar",
    "delivery_failure",
    "foreign_failures",
]
