"""
The adapter contract: everything that the author of an adapter needs.

An adapter is a class with ``detect`` and ``read`` (see :class:`Adapter`), offered by
its distribution in the entry-point group ``rigbridge.adapters``. It imports this
package, :mod:`rigbridge.model`, :mod:`rigbridge.errors` and its vendor library, and
passes the suite in :mod:`rigbridge.testing`.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.adapters.context import ReadContext
    from rigbridge.adapters.contract import ADAPTER_GROUP, Adapter, Match
    from rigbridge.adapters.handed_over import HandedOverRecord, RecordAdapter
    from rigbridge.adapters.source import HEAD_SIZE, Source, is_blank
    from rigbridge.adapters.spool import Spool
    from rigbridge.adapters.time_zones import ASSUMED_ZONE, TimeZonePolicy
    from rigbridge.model.report import ConversionReport, Disposition, Place, ReportEntry

__all__ = [
    "ADAPTER_GROUP",
    "ASSUMED_ZONE",
    "HEAD_SIZE",
    "Adapter",
    "ConversionReport",
    "Disposition",
    "HandedOverRecord",
    "Match",
    "Place",
    "ReadContext",
    "RecordAdapter",
    "ReportEntry",
    "Source",
    "Spool",
    "TimeZonePolicy",
    "is_blank",
]

__getattr__ = deferred_names(
    __name__,
    {
        ".model.report": "ConversionReport Disposition Place ReportEntry",
        "context": "ReadContext",
        "contract": "ADAPTER_GROUP Adapter Match",
        "handed_over": "HandedOverRecord RecordAdapter",
        "source": "HEAD_SIZE Source is_blank",
        "spool": "Spool",
        "time_zones": "ASSUMED_ZONE TimeZonePolicy",
    },
)
