"""What becomes of report files once their runs are stored."""

from rigbridge.imports.finishing.afterwards import (
    After,
    AfterCounts,
    Afterwards,
    FileStep,
)
from rigbridge.imports.finishing.remembered import remembered

__all__ = ["After", "AfterCounts", "Afterwards", "FileStep", "remembered"]
