"""Driving flows: blocking, or as tasks of an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from rigbridge.client.operations import Flow, Step
from rigbridge.errors import DeliveryError

__all__ = ["drive", "drive_async", "in_tasks"]

_T = TypeVar("_T")


def drive(flow: Flow[_T], take: Callable[[Step], Any]) -> _T:
    """
    Take the steps of a flow until it ends.

    Args:
        flow: the flow; a :class:`~rigbridge.errors.DeliveryError` is thrown into it,
            anything else ends it.
        take: takes one step and gives its answer.
    """
    try:
        step = next(flow)
        while True:
            try:
                answer = take(step)
            except DeliveryError as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as end:
        result: _T = end.value
        return result
    finally:
        flow.close()


async def drive_async(flow: Flow[_T], take: Callable[[Step], Awaitable[Any]]) -> _T:
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


async def in_tasks(
    flows: Sequence[Flow[Any]],
    run: Callable[[Flow[Any]], Awaitable[Any]],
    width: int,
) -> list[Any]:
    """Run flows beside each other as tasks; a failure ends the others first."""
    places = asyncio.Semaphore(max(1, width))

    async def work(flow: Flow[Any]) -> Any:
        """Run one flow when there is room."""
        async with places:
            return await run(flow)

    tasks = [asyncio.ensure_future(work(flow)) for flow in flows]
    try:
        return list(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
