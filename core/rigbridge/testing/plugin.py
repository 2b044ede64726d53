"""
The pytest plugin of rigbridge.

It makes a failed assertion in the shipped suite as readable as one in the author's own
tests.
"""

from __future__ import annotations

import pytest

__all__: list[str] = []

pytest.register_assert_rewrite("rigbridge.testing.suites")
