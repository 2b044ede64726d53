"""
The contract of a destination: where runs go, and are seen again.

Two ship with rigbridge, offered in the entry-point group ``rigbridge.destinations``:
``local``, the embedded store in process, and ``http``, any run store of the v1
contract. What a store that we host ourselves offers beyond it is
:class:`rigbridge.hosting.HostedDestination`.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.destinations.contract import (
        BatchDestination,
        BulkDestination,
        CountingDestination,
        Destination,
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
    from rigbridge.destinations.measured_rows import (
        MeasuredPhase,
        MeasuredValue,
        MeasurementKind,
        MeasurementRow,
        RunRows,
    )
    from rigbridge.destinations.settings import (
        DESTINATION_GROUP,
        LOCAL,
        ConnectionSettings,
        DestinationSettings,
        Linking,
        Sidecar,
    )

__all__ = [
    "DESTINATION_GROUP",
    "LOCAL",
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
    "MeasuredPhase",
    "MeasuredValue",
    "MeasurementKind",
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
    "RunRows",
    "RunSize",
    "SentRun",
    "ShowingDestination",
    "Sidecar",
    "delivery_failure",
    "foreign_failures",
]

__getattr__ = deferred_names(
    __name__,
    {
        "contract": (
            "BatchDestination BulkDestination CountingDestination Destination "
            "Preparer ReadableDestination ReplacingDestination ResumableDestination "
            "RunSize ShowingDestination"
        ),
        "deliveries": (
            "AttachmentFailure Claims Consignment FileProgress Outcome PreparedItem "
            "Progress ProgressKeeper Receipt SentRun"
        ),
        "failures": "delivery_failure foreign_failures",
        "measured_rows": (
            "MeasuredPhase MeasuredValue MeasurementKind MeasurementRow RunRows"
        ),
        "settings": (
            "ConnectionSettings DESTINATION_GROUP DestinationSettings LOCAL Linking "
            "Sidecar"
        ),
    },
)
