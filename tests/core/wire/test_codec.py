"""Wire objects are read by several threads from the first one on."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: what is tried here ended the process by SIGSEGV.
_PROGRAM = """
import sys, threading
import attrs
from rigbridge.wire import decode, encode, from_builtins

def outer():
    fields = {f"a{n}": attrs.field(type="int | None", default=None) for n in range(12)}
    inner = attrs.make_class("Inner", fields)
    fields = {f"b{n}": attrs.field(type=inner) for n in range(6)}
    return attrs.make_class("Outer", fields)

sys.setswitchinterval(1e-6)
document = {f"b{n}": {"a3": n} for n in range(6)}
for _ in range(100):
    kind = outer()
    read = (
        lambda: from_builtins(document, kind),
        lambda: decode(encode(document), kind),
    )
    found, start = [], threading.Barrier(4)

    def work(turn):
        start.wait()
        found.append(read[turn % 2]().b5.a3)

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [5] * 4, found
"""

_FORKS = """
import os, sys, threading
import attrs
from rigbridge.wire import from_builtins

sys.setswitchinterval(1e-6)
codes = []
for _ in range(30):
    fields = {f"a{n}": attrs.field(type="int | None", default=None) for n in range(40)}
    kind = attrs.make_class("Kind", fields)
    begun = threading.Event()
    def work():
        begun.set()
        from_builtins({}, kind)
    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    child = os.fork()
    if not child:
        from_builtins({}, kind)
        os._exit(0)
    codes.append(os.waitpid(child, 0)[1])
    thread.join()
assert not any(codes), codes
"""


def _run(program: str) -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", program]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_threads_that_read_a_class_for_the_first_time() -> None:
    """They wait for the one that has it described."""
    _run(_PROGRAM)


def test_a_fork_while_a_class_is_described() -> None:
    """The child reads the class as its parent does."""
    _run(_FORKS)
