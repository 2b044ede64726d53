"""
Readers of NI TestStand's reports.

``native`` reads TestStand's own XML, ``atml`` reads ATML test results (IEEE 1636.1).
Both build on ``xml``, from the bytes of a file to the elements of its reports, and on
the modules beside it.
"""

__all__: list[str] = []
