"""
Charts as geometry, which a template draws as SVG.

No packaged library draws for a policy that forbids inline styles and scripts (pygal,
the nearest, embeds both in every image and cannot follow the page's colours), and what
is needed is little: a scale, ticks, and the reduction of many points to those seen.
"""

from rigbridge_store.pages.charts.control import control_chart
from rigbridge_store.pages.charts.distribution import histogram_chart
from rigbridge_store.pages.charts.figure import Figure
from rigbridge_store.pages.charts.limit_bar import LimitBar, limit_bar
from rigbridge_store.pages.charts.series import series_chart
from rigbridge_store.pages.charts.yields import Spark, spark, yield_chart

__all__ = [
    "Figure",
    "LimitBar",
    "Spark",
    "control_chart",
    "histogram_chart",
    "limit_bar",
    "series_chart",
    "spark",
    "yield_chart",
]
