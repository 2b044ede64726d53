"""
The v1 contract of the run store as types: the one place where it stands.

Used alike by the client, by :mod:`rigbridge.convert` and by the embedded server.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.wire.codec import decode, encode, from_builtins, to_builtins
    from rigbridge.wire.create import (
        Created,
        CreateRun,
        WireLog,
        WireMeasurement,
        WirePhase,
        WireStep,
        WireSubUnit,
        WireUnit,
    )
    from rigbridge.wire.failures import CODES, Issue, PrintedError, Problem
    from rigbridge.wire.listing import (
        ListedAttachment,
        ListedBatch,
        ListedPart,
        ListedProcedure,
        ListedRevision,
        ListedRun,
        ListedStation,
        ListedUnit,
        ListedUser,
        ListedVersion,
    )
    from rigbridge.wire.reading import (
        RowsOfPhase,
        RowsOfRun,
        RowsOfRuns,
        SentCell,
        WholeRun,
        WholeRuns,
    )
    from rigbridge.wire.uploads import (
        Identified,
        ImportRun,
        InitializeUpload,
        SyncUpload,
        UpdateRun,
        UpdateUnit,
        UploadGrant,
    )

__all__ = [
    "CODES",
    "CreateRun",
    "Created",
    "Identified",
    "ImportRun",
    "InitializeUpload",
    "Issue",
    "ListedAttachment",
    "ListedBatch",
    "ListedPart",
    "ListedProcedure",
    "ListedRevision",
    "ListedRun",
    "ListedStation",
    "ListedUnit",
    "ListedUser",
    "ListedVersion",
    "PrintedError",
    "Problem",
    "RowsOfPhase",
    "RowsOfRun",
    "RowsOfRuns",
    "SentCell",
    "SyncUpload",
    "UpdateRun",
    "UpdateUnit",
    "UploadGrant",
    "WholeRun",
    "WholeRuns",
    "WireLog",
    "WireMeasurement",
    "WirePhase",
    "WireStep",
    "WireSubUnit",
    "WireUnit",
    "decode",
    "encode",
    "from_builtins",
    "to_builtins",
]

__getattr__ = deferred_names(
    __name__,
    {
        "codec": "decode encode from_builtins to_builtins",
        "create": (
            "CreateRun Created WireLog WireMeasurement WirePhase WireStep WireSubUnit "
            "WireUnit"
        ),
        "failures": "CODES Issue PrintedError Problem",
        "listing": (
            "ListedAttachment ListedBatch ListedPart ListedProcedure ListedRevision "
            "ListedRun ListedStation ListedUnit ListedUser ListedVersion"
        ),
        "reading": "RowsOfPhase RowsOfRun RowsOfRuns SentCell WholeRun WholeRuns",
        "uploads": (
            "Identified ImportRun InitializeUpload SyncUpload UpdateRun UpdateUnit "
            "UploadGrant"
        ),
    },
)
