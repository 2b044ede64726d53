"""
Connects the web framework with the calls: the caller, and what the caller may do.

A handler is declared by :func:`get`, :func:`post`, :func:`put`, :func:`patch` or
:func:`delete` of this module, and takes ``call: FromCall``. The guard of its router has
authenticated the caller before, and measured the call by
:mod:`rigbridge_store.access.matrix`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Annotated, Any, TypeAlias, TypeVar, get_type_hints

import attrs
import litestar
from litestar.di import NamedDependency, Provide
from litestar.handlers import HTTPRouteHandler
from litestar.params import QueryParameter

from rigbridge_store.access.matrix import action_of
from rigbridge_store.access.principals import Principal
from rigbridge_store.reading.lists.query import LIMITS
from rigbridge_store.refusals import FieldIssue, invalid
from rigbridge_store.results import UploadTicket
from rigbridge_store.server.bodies import PROBLEMS
from rigbridge_store.server.door import ACTION, AnyConnection, Door
from rigbridge_store.store import RunStore

__all__ = [
    "PROVIDED",
    "STRICT",
    "ApiCall",
    "FromCall",
    "Ids",
    "delete",
    "get",
    "handlers_in",
    "patch",
    "post",
    "put",
]

_T = TypeVar("_T", bound=attrs.AttrsInstance)

QUERY = "query"
"""The option of a handler that names its parameters."""

Ids: TypeAlias = Annotated[list[str], QueryParameter(min_items=1, max_items=1000)]
"""What a call deletes several of."""


@attrs.frozen
class ApiCall:
    """One call of the API."""

    connection: AnyConnection

    @property
    def door(self) -> Door:
        """The door that it came through."""
        return Door.of(self.connection)

    @property
    def store(self) -> RunStore:
        """The store behind the door."""
        return self.door.store

    @property
    def principal(self) -> Principal:
        """Whose key it shows, as the guard of the router has found."""
        principal: Principal = self.connection.auth
        return principal

    @property
    def origin(self) -> str:
        """Where the client reaches us, which is where it will reach us again."""
        # The name that the client used: behind a proxy ours is not reachable from
        # there.
        host = self.connection.headers.get("host") or self.connection.url.netloc
        return f"{self.connection.url.scheme}://{host}"

    def file_url(self, public: str) -> str:
        """Give the URL under which a file can be had for a while, without a key."""
        return self.origin + self.door.links.path(public)

    def page_url(self, run_id: str) -> str:
        """Give the URL of the page that shows a run."""
        return f"{self.origin}/runs/{run_id}"

    def upload_url(self, ticket: UploadTicket) -> str:
        """Give the URL that an upload's bytes are PUT to; the grant is within it."""
        return f"{self.origin}/api/v1/uploads/{ticket.id}/{ticket.token}"


FromCall: TypeAlias = NamedDependency[ApiCall]
"""The annotation of the parameter ``call`` of a handler."""


def _call_of(request: litestar.Request[Any, Any, Any]) -> ApiCall:
    return ApiCall(request)


def _strict_call_of(request: litestar.Request[Any, Any, Any]) -> ApiCall:
    # A filter that is not known would be a list of other rows than were asked for.
    known: frozenset[str] = request.route_handler.opt[QUERY]
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise invalid([FieldIssue(name, "is no parameter here") for name in unknown])
    return ApiCall(request)


PROVIDED = {"call": Provide(_call_of, sync_to_thread=False)}
"""The dependencies of a router whose calls take a key."""

STRICT = {"call": Provide(_strict_call_of, sync_to_thread=False)}
"""The same where a parameter of the query that is not known is refused."""


def _declared(
    route: Callable[..., Callable[..., HTTPRouteHandler]],
    path: str,
    *,
    query: type[attrs.AttrsInstance] | None = None,
    answers: dict[int, Any] | None = None,
) -> Callable[[Callable[..., object]], HTTPRouteHandler]:
    """
    Declare a handler.

    Args:
        query: the class of its parameter ``wanted``, made of the query string.
        answers: what the OpenAPI document says of answers, beside the usual.
    """

    def declare(function: Callable[..., object]) -> HTTPRouteHandler:
        return route(
            path,
            # The contract answers 200 to all; the framework would say 201 or 204.
            status_code=200,
            # Each waits for the database, which must not hold up the event loop.
            sync_to_thread=True,
            responses={**PROBLEMS, **(answers or {})},
            dependencies=None if query is None else {"wanted": _from_query(query)},
            # Read before the body is.
            opt={
                ACTION: action_of(route.__name__, path),
                QUERY: _parameters_of(function, query),
            },
        )(function)

    return declare


def _parameters_of(
    function: Callable[..., object], query: type[attrs.AttrsInstance] | None
) -> frozenset[str]:
    """Name what a handler takes, its query among them."""
    fields = () if query is None else (field.name for field in attrs.fields(query))
    return frozenset([*inspect.signature(function).parameters, *fields])


def handlers_in(*modules: ModuleType) -> tuple[HTTPRouteHandler, ...]:
    """Give the handlers that modules declare, without those that take no key."""
    return tuple(
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, HTTPRouteHandler) and ACTION in value.opt
    )


get = partial(_declared, litestar.get)
post = partial(_declared, litestar.post)
put = partial(_declared, litestar.put)
patch = partial(_declared, litestar.patch)
delete = partial(_declared, litestar.delete)


def _from_query(kind: type[_T]) -> Provide:
    """
    Make the dependency that reads an attrs class from the query string.

    The framework reads parameters off a function's signature, so this makes one: a
    keyword parameter for each field, with the limits that the field declares.
    """

    # One function for every class: the framework sees the parameters of its signature,
    # set below.
    def read(**values: Any) -> _T:
        return kind(**values)

    hints = get_type_hints(kind, include_extras=True)
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=(
                inspect.Parameter.empty
                if field.default is attrs.NOTHING
                else field.default
            ),
            # Subscripted as a call, since the type is only known here.
            annotation=Annotated.__class_getitem__(  # type: ignore[attr-defined]
                (hints[field.name], QueryParameter(**field.metadata.get(LIMITS, {})))
            ),
        )
        for field in attrs.fields(kind)
    ]
    read.__annotations__ = {item.name: item.annotation for item in parameters}
    read.__annotations__["return"] = kind
    signature = inspect.Signature(parameters, return_annotation=kind)
    read.__signature__ = signature  # type: ignore[attr-defined]  # PEP 362
    return Provide(read, sync_to_thread=False)
