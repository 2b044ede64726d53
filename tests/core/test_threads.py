"""Work side by side in threads."""

from __future__ import annotations

import threading

import pytest

from rigbridge.threads import run_beside


class TestRunBeside:
    """What comes of it, whichever thread did it."""

    @pytest.mark.parametrize("width", [1, 3, 20])
    def test_results_keep_the_order(self, width: int) -> None:
        """Of as many items as there are, and of none."""
        assert run_beside(range(10), lambda item: item**2, width) == [
            item**2 for item in range(10)
        ]
        assert run_beside([], str, width) == []

    def test_as_many_run_at_once_as_are_allowed(self) -> None:
        """All three meet; a fourth would have to wait for one of them."""
        meeting = threading.Barrier(3, timeout=10)
        assert len(run_beside(range(3), lambda _: meeting.wait(), 3)) == 3

    def test_an_error_ends_what_has_not_begun(self) -> None:
        """The first error comes out, and nothing begins after it."""
        begun: list[int] = []

        def work(item: int) -> None:
            """Fail at the second."""
            begun.append(item)
            if item == 1:
                raise ValueError("the second")

        with pytest.raises(ValueError, match="the second"):
            run_beside(range(100), work, 1)
        assert begun == [0, 1]

    def test_without_threads_the_caller_does_it_all(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As when the interpreter ends, and gives none any more."""

        def start(_: threading.Thread) -> None:
            """Refuse."""
            raise RuntimeError("can't create new thread at interpreter shutdown")

        monkeypatch.setattr(threading.Thread, "start", start)
        caller = threading.get_ident()
        assert run_beside(range(5), lambda _: threading.get_ident(), 3) == [caller] * 5
