"""Work side by side in threads."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import pytest

from rigbridge.machine.threads import run_in_threads, start_in_threads


class TestRunBeside:
    """What comes of it, whichever thread did it."""

    @pytest.mark.parametrize("width", [1, 3, 20])
    def test_results_keep_the_order(self, width: int) -> None:
        """Of as many items as there are, and of none."""
        assert run_in_threads(range(10), lambda item: item**2, width) == [
            item**2 for item in range(10)
        ]
        assert run_in_threads([], str, width) == []

    def test_as_many_run_at_once_as_are_allowed(self) -> None:
        """All three meet; a fourth would have to wait for one of them."""
        meeting = threading.Barrier(3, timeout=60)
        assert len(run_in_threads(range(3), lambda _: meeting.wait(), 3)) == 3

    def test_an_error_ends_what_has_not_begun(self) -> None:
        """The first error comes out, and nothing begins after it."""
        begun: list[int] = []

        def work(item: int) -> None:
            """Fail at the second."""
            begun.append(item)
            if item == 1:
                raise ValueError("the second")

        with pytest.raises(ValueError, match="the second"):
            run_in_threads(range(100), work, 1)
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
        assert (
            run_in_threads(range(5), lambda _: threading.get_ident(), 3) == [caller] * 5
        )


class TestBeginBeside:
    """Work that goes on while the caller does something else."""

    def test_it_is_under_way_before_it_is_asked_for(self) -> None:
        """The caller does its own work, and collects what came of it in the end."""
        meeting = threading.Barrier(2, timeout=60)
        finish = start_in_threads([1], lambda item: (meeting.wait(), item)[1], 1)
        meeting.wait()
        assert finish() == [1]

    def test_the_caller_does_what_has_not_begun(self) -> None:
        """One thread is held up by the first item, so the second is the caller's."""
        meeting = threading.Barrier(2, timeout=60)

        def work(_: int) -> int:
            """Meet the other; say who did it."""
            meeting.wait()
            return threading.get_ident()

        doers = start_in_threads(range(2), work, 1)()
        assert doers[1] == threading.get_ident() != doers[0]

    def test_an_error_comes_out_in_the_end(self) -> None:
        """Beginning never raises it."""
        finish = start_in_threads([0], lambda item: 1 // item, 1)
        with pytest.raises(ZeroDivisionError):
            finish()


class TestEndOfAProcess:
    """No thread is within a library while the interpreter is taken down."""

    PROGRAM = textwrap.dedent(
        """
        import atexit, threading
        from rigbridge.machine.threads import end_with_process, prepare_for_the_end
        prepare_for_the_end()
        atexit.register(lambda: print("flushed", flush=True))
        told = threading.Event()
        def work():
            told.wait()
            print("ended", flush=True)
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        end_with_process(thread, told.set)
        hanging = threading.Thread(target=threading.Event().wait, daemon=True)
        hanging.start()
        end_with_process(hanging, lambda: None)
        """
    )

    def test_threads_end_after_what_they_are_needed_for(self) -> None:
        """One that hangs keeps the process for a moment only."""
        done = subprocess.run(
            [sys.executable, "-c", self.PROGRAM],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stdout.split() == ["flushed", "ended"]
        assert done.stderr == ""
