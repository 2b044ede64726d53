"""
OpenHTF for rigbridge: one line in a test, and a reader of OpenHTF's JSON records.

In a test::

    test.add_output_callbacks(rigbridge_openhtf.output_callback())

or, with a word to the operator at the end::

    with rigbridge_openhtf.station(test):
        test.execute()

The adapter ``openhtf-json`` reads the records that ``OutputToJSON`` wrote, and
:func:`to_run` makes a run of a live record. Neither imports OpenHTF.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge_openhtf.live.callback import OutputCallback, output_callback
    from rigbridge_openhtf.live.hand_over import HandOver
    from rigbridge_openhtf.live.records import to_run
    from rigbridge_openhtf.live.station import station
    from rigbridge_openhtf.settings import OpenHTFSettings

__all__ = [
    "HandOver",
    "OpenHTFSettings",
    "OutputCallback",
    "output_callback",
    "station",
    "to_run",
]

__getattr__ = deferred_names(
    __name__,
    {
        "live.callback": "OutputCallback output_callback",
        "live.hand_over": "HandOver",
        "live.records": "to_run",
        "live.station": "station",
        "settings": "OpenHTFSettings",
    },
)
