"""
Flows: the order of calls, written once for blocking and for asynchronous programs.

A flow is a generator. It yields a step, most often a call, and is sent the answer or
thrown the error. Whoever drives it decides how a step is taken: in this thread, or as
a task of an event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import IO, Any, TypeAlias, TypeVar

import attrs

from rigbridge.client.transport.calls import Call, Put
from rigbridge.destinations import Progress
from rigbridge.errors import DeliveryError

__all__ = [
    "AskClaims",
    "Flow",
    "Keep",
    "Measure",
    "ProgressStep",
    "Recall",
    "Step",
    "Together",
    "drive",
    "drive_async",
    "run_in_tasks",
]

_T = TypeVar("_T")


@attrs.frozen
class Keep:
    """
    The step that makes progress durable before the flow goes on.

    Attributes:
        change: makes the new progress of the one that counts now.
    """

    change: Callable[[Progress], Progress]


@attrs.frozen
class AskClaims:
    """
    The step that asks to whom stored runs belong; answered with :class:`Claims`.

    Attributes:
        key: the key of the run that looks for itself.
    """

    stored_ids: tuple[str, ...]
    key: str


@attrs.frozen
class Recall:
    """The step that goes on from what is remembered of the run, where it is."""


@attrs.frozen
class Together:
    """
    The step of flows that need not wait for each other.

    It is answered with the list of their results. None of them may raise a
    :class:`~rigbridge.errors.DeliveryError`.
    """

    flows: Sequence[Flow[object]]


@attrs.frozen
class Measure:
    """The step that counts the bytes of a file whose size nobody gave."""

    name: str
    opener: Callable[[], IO[bytes]]


ProgressStep: TypeAlias = "Keep | AskClaims | Recall"
"""What whoever keeps the progress of a delivery is asked for."""

Step: TypeAlias = "Call[Any] | Put | Measure | Together | ProgressStep"
"""What a flow may ask for."""

# A generator has one type for all that it is sent, and each step has its own answer.
Flow: TypeAlias = Generator["Step", Any, _T]
"""Yields steps, is sent their answers, and returns what came of them."""


def drive(flow: Flow[_T], take: Callable[[Step], object]) -> _T:
    """
    Take the steps of a flow until it ends.

    Args:
        flow: the flow; a :class:`~rigbridge.errors.DeliveryError` is thrown into it,
            anything else ends it.
    """
    try:
        step = next(flow)
        while True:
            try:
                answer = take(step)
            except DeliveryError as error:
                # Only errors of delivery are for the flow to handle. Any other is a
                # defect, and ends it.
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        # Closing runs the flow's own finally blocks now, not whenever the garbage
        # collector comes by.
        flow.close()


async def drive_async(flow: Flow[_T], take: Callable[[Step], Awaitable[object]]) -> _T:
    """Take the steps of a flow likewise, without blocking the event loop."""
    try:
        step = next(flow)
        while True:
            try:
                answer = await take(step)
            except DeliveryError as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        flow.close()


async def run_in_tasks(
    flows: Sequence[Flow[_T]],
    run: Callable[[Flow[_T]], Awaitable[_T]],
    width: int,
) -> list[_T]:
    """
    Run flows concurrently as tasks; a failure cancels the others first.

    Args:
        width: how many at once.
    """
    slots = asyncio.Semaphore(max(1, width))

    async def work(flow: Flow[_T]) -> _T:
        """Run one flow when there is room."""
        async with slots:
            return await run(flow)

    tasks = [asyncio.ensure_future(work(flow)) for flow in flows]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        # Also CancelledError and KeyboardInterrupt, which are no Exception.
        for task in tasks:
            task.cancel()
        # Nothing of this run may still be sent once its error is known.
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
