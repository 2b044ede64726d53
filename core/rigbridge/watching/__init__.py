"""
Folders that are watched: a report is imported once it is written completely.

:class:`Watching` does it, by a :class:`WatchRule` for each folder.
"""

from rigbridge.watching.folder_watch import FolderWatch, WatchState
from rigbridge.watching.rules import WatchRule, watch_rules
from rigbridge.watching.service import Watching

__all__ = [
    "FolderWatch",
    "WatchRule",
    "WatchState",
    "Watching",
    "watch_rules",
]
