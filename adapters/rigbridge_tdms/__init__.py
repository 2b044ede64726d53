"""Reader of NI TDMS files: a group is a phase, a channel a series; needs an extra."""

from rigbridge_tdms.adapter import TDMSAdapter
from rigbridge_tdms.settings import TDMSSettings

__all__ = ["TDMSAdapter", "TDMSSettings"]
