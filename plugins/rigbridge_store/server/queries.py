"""
Query strings as attrs classes: one field, one parameter.

The framework reads parameters off a function's signature. Lists of thirty filters are
better kept as a class, from which :func:`query` makes that function.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, get_type_hints

import attrs
from litestar.di import Provide
from litestar.params import QueryParameter

__all__ = ["parameter", "query", "utc"]

_T = TypeVar("_T")

_LIMITS = "limits"


def parameter(default: Any = None, **limits: Any) -> Any:
    """
    Declare a parameter that must keep limits.

    Args:
        default: its value where the query string has none.
        limits: what :class:`litestar.params.QueryParameter` takes (``ge``, ``le``,
            ``max_length``, ``description``).
    """
    return attrs.field(default=default, metadata={_LIMITS: limits})


def query(kind: type[_T]) -> Provide:
    """Make the dependency that reads an attrs class from the query string."""

    def read(**values: Any) -> _T:
        return kind(**values)

    hints = get_type_hints(kind, include_extras=True)
    parameters: list[inspect.Parameter] = []
    for field in attrs.fields(kind):  # type: ignore[arg-type]  # any attrs class
        limits = field.metadata.get(_LIMITS, {})
        # Subscripted as a call, since the type is only known here.
        hint = Annotated.__class_getitem__(  # type: ignore[attr-defined]  # typing
            (hints[field.name], QueryParameter(**limits))
        )
        parameters.append(
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=(
                    inspect.Parameter.empty
                    if field.default is attrs.NOTHING
                    else field.default
                ),
                annotation=hint,
            )
        )
    made: Callable[..., _T] = read
    made.__annotations__ = {item.name: item.annotation for item in parameters}
    made.__annotations__["return"] = kind
    made.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # PEP 362
        parameters, return_annotation=kind
    )
    return Provide(made, sync_to_thread=False)


def utc(moment: datetime | None) -> datetime | None:
    """Take a time without a zone as UTC, which is what v2 clients send."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
