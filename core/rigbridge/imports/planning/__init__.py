"""
Plans of imports: what would come of each source, saved to be followed later.

A plan is a file of JSON lines: a heading, a line for each source, and the sums. It is
written and read line by line, since an archive has millions of files.
"""

from rigbridge.imports.planning.forecast import PlanForecast
from rigbridge.imports.planning.plan_file import PlanReader, PlanWriter
from rigbridge.imports.planning.planned_scan import PlannedScan

__all__ = ["PlanForecast", "PlanReader", "PlanWriter", "PlannedScan"]
