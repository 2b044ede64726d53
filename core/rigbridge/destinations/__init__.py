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
        "AttachmentFailure": "deliveries",
        "BatchDestination": "contract",
        "BulkDestination": "contract",
        "Claims": "deliveries",
        "ConnectionSettings": "settings",
        "Consignment": "deliveries",
        "CountingDestination": "contract",
        "DESTINATION_GROUP": "settings",
        "Destination": "contract",
        "DestinationSettings": "settings",
        "FileProgress": "deliveries",
        "Linking": "settings",
        "MeasuredValue": "measured_rows",
        "MeasurementKind": "measured_rows",
        "MeasurementRow": "measured_rows",
        "Outcome": "deliveries",
        "MeasuredPhase": "measured_rows",
        "PreparedItem": "deliveries",
        "Preparer": "contract",
        "Progress": "deliveries",
        "ProgressKeeper": "deliveries",
        "ReadableDestination": "contract",
        "Receipt": "deliveries",
        "ReplacingDestination": "contract",
        "ResumableDestination": "contract",
        "RunRows": "measured_rows",
        "RunSize": "contract",
        "SentRun": "deliveries",
        "ShowingDestination": "contract",
        "Sidecar": "settings",
        "delivery_failure": "failures",
        "foreign_failures": "failures",
    },
)
