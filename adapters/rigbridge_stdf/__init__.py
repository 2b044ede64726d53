"""
Reader of STDF V4 and ATDF, the test data formats of the semiconductor industry.

``records`` goes from the bytes of a file to the fields of its records, ``parts`` from
these to the runs of the parts that were tested.
"""

from rigbridge_stdf.adapter import STDFAdapter
from rigbridge_stdf.settings import STDFSettings

__all__ = ["STDFAdapter", "STDFSettings"]
