"""
Where reports come from: folders, patterns, archives and URLs.

:class:`Scan` goes through what a person named and gives a :class:`FoundSource` for each
report, which can be sent to another process and is opened there.
"""

from typing import TYPE_CHECKING

from rigbridge.machine.deferred import deferred_names

if TYPE_CHECKING:
    from rigbridge.sources.archives import is_archive
    from rigbridge.sources.counts import ScanCounts
    from rigbridge.sources.folders import FolderWalk
    from rigbridge.sources.found import FoundSource
    from rigbridge.sources.named_folders import NamedFolders
    from rigbridge.sources.patterns import Selection
    from rigbridge.sources.remote import has_secret, is_url
    from rigbridge.sources.scanning import Scan

__all__ = [
    "FolderWalk",
    "FoundSource",
    "NamedFolders",
    "Scan",
    "ScanCounts",
    "Selection",
    "has_secret",
    "is_archive",
    "is_url",
]

__getattr__ = deferred_names(
    __name__,
    {
        "archives": "is_archive",
        "counts": "ScanCounts",
        "folders": "FolderWalk",
        "found": "FoundSource",
        "named_folders": "NamedFolders",
        "patterns": "Selection",
        "remote": "has_secret is_url",
        "scanning": "Scan",
    },
)
