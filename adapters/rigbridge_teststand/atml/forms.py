"""
What the readers understand of a document, as tables, and a search for everything else.

Each reader declares, beside its code, the attributes, children and texts that it reads
of an element. What no table names is recorded as dropped, so that nothing of a document
is lost by forgetting it: also text behind a child, a second child where one is read,
and attributes of foreign namespaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import attrs

from rigbridge_teststand.atml.account import RunAccount
from rigbridge_teststand.atml.local_names import (
    LOCAL_NAMES,
    attributes_of,
    child_elements,
)
from rigbridge_teststand.xml.elements import Element

__all__ = [
    "SCHEMA_TYPE",
    "Form",
    "content_of",
    "drop_text",
    "drop_unread",
    "record_unread",
]

SCHEMA_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
"""The attribute that names the type of a value."""

UNREAD = "the reader does not know it"
"""The reason for dropping what no table names."""

_BY_NAME = "of an unknown namespace, read by its local name"
_OF_ATML = re.compile(
    r"\{[^}]*(?:1636|1671|ATML|ieee\.org|ni\.com)[^}]*\}", re.IGNORECASE
)
# An entry shows the beginning of what was dropped.
_SHOWN = 1_000
_MANY = 10_000
_FEW = 8


@attrs.frozen(eq=False, kw_only=True)
class Form:
    """
    What is read of an element.

    Attributes:
        attributes: the names of its attributes, with their namespaces if they have any.
        children: its children by local name, each with its own form; None where all of
            a child is read, or is searched on its own.
        once: the local names of children of which only the first is read.
        has_text: whether its text is read.
        unless: the attributes and children in whose presence the text is not read.
        others: whether children of any other name are read whole.
        any_attribute: whether every attribute without a namespace is read.
    """

    attributes: frozenset[str] = frozenset()
    children: Mapping[str, Form | None] = attrs.field(factory=dict[str, "Form | None"])
    once: frozenset[str] = frozenset()
    has_text: bool = False
    unless: frozenset[str] = frozenset()
    others: bool = False
    any_attribute: bool = False
    # The names of the attributes of elements so far that are all read, as they stood.
    known: list[list[str]] = attrs.field(
        init=False, repr=False, factory=list[list[str]]
    )
    # What was found of the tags of children so far: the form, and the local name of
    # those of which only the first is read. Only tags that need no entry are in it.
    met: dict[str, tuple[Form | None, str | None]] = attrs.field(
        init=False, repr=False, factory=dict[str, tuple["Form | None", "str | None"]]
    )


class _Foreign(dict[str, bool]):
    """Whether a tag is of a namespace that is neither ATML's nor TestStand's."""

    def __missing__(self, tag: str) -> bool:
        is_foreign = tag.startswith("{") and _OF_ATML.match(tag) is None
        if len(self) < _MANY:  # a file may invent names without end
            self[tag] = is_foreign
        return is_foreign


_FOREIGN = _Foreign()


def record_unread(element: Element, form: Form, account: RunAccount) -> None:
    """
    Record all that a form does not name of an element and of what is below it.

    Args:
        account: takes an entry for each attribute, text and child.
    """
    for texts in account.texts.get(element, {}).values():
        for behind in texts:
            drop_text(element, behind, account)
    # A stack instead of recursion: collections nest as deep as they like.
    pending = [(element, form)]
    while pending:
        node, form = pending.pop()
        keys = node.keys()
        # A quick look first: nearly all elements have just the attributes that are
        # known, and in the same order.
        if keys and keys not in form.known:
            _record_attributes(node, form, account)
        text = node.text
        if text and not text.isspace() and not _is_read(form, node, keys):
            _drop(account, "text", node, text)
        if len(node):
            _record_children(node, form, account, pending)


def _record_attributes(node: Element, form: Form, account: RunAccount) -> None:
    given = attributes_of(node)
    if given.keys() <= form.attributes and len(form.known) < _FEW:
        form.known.append([*given])
    for key, value in given.items():
        if key in form.attributes or not value.strip():
            continue
        if key.startswith("{") or not form.any_attribute:
            _drop(account, "attribute", node, f"{key} = {value!r}")


def _is_read(form: Form, node: Element, keys: Iterable[object]) -> bool:
    """Tell whether the text of an element is read."""
    unless = form.unless
    if not unless or not form.has_text:
        return form.has_text
    # An attribute that replaces the text is asked for only where the element has one.
    if not len(node) and unless.isdisjoint(keys):
        return True
    given = {key for key, value in attributes_of(node).items() if value.strip()}
    given.update(LOCAL_NAMES[below.tag] for below in child_elements(node))
    return unless.isdisjoint(given)


def _record_children(
    node: Element,
    form: Form,
    account: RunAccount,
    pending: list[tuple[Element, Form]],
) -> None:
    """Record the unknown children of an element, and let the others be searched."""
    met = form.met
    seen: set[str] = set()
    for below in child_elements(node):
        if below.tail is not None:
            drop_text(node, below.tail, account)
        inner, single = met.get(below.tag) or _meet(node, below, form, account)
        if single is not None:
            if single in seen:
                drop_unread(below, account)
                continue
            seen.add(single)
        if inner is not None:
            pending.append((below, inner))


def _meet(
    node: Element, below: Element, form: Form, account: RunAccount
) -> tuple[Form | None, str | None]:
    """Look up a child of a tag that is not known yet, or that needs an entry."""
    tag = below.tag
    name = LOCAL_NAMES[tag]
    if name not in form.children:
        if not form.others:
            drop_unread(below, account)
        return None, None
    found = form.children[name], name if name in form.once else None
    if not _FOREIGN[tag]:
        # A file may invent namespaces without end.
        if len(form.met) < _MANY:
            form.met[tag] = found
    elif _FOREIGN[node.tag] is False:
        # Named once for each boundary: the children of a foreign element are foreign as
        # well.
        account.coerced("element", _BY_NAME, below, tag)
    return found


def drop_text(element: Element, text: str, account: RunAccount) -> None:
    """Record a text that stands in an element as dropped, unless it is blank."""
    if text and not text.isspace():
        _drop(account, "text", element, text)


def drop_unread(element: Element, account: RunAccount) -> None:
    """Record an element with all that is in it as dropped."""
    _drop(account, "element", element, content_of(element))


def content_of(element: Element) -> str:
    """Spell an element: its name, and the attributes and texts in it."""
    parts = [str(element.tag) if _FOREIGN[element.tag] else LOCAL_NAMES[element.tag]]
    length = 0
    for node in element.iter("*"):
        given = attributes_of(node)
        found = [f"{key} = {value!r}" for key, value in given.items() if value.strip()]
        texts = (node.text, None if node is element else node.tail)
        found += [text.strip() for text in texts if text and not text.isspace()]
        parts += found
        length += sum(map(len, found))
        # Enough to recognize it; what was dropped may be a megabyte.
        if length > _SHOWN:
            break
    return " ".join(parts)


def _drop(account: RunAccount, item: str, element: Element, detail: str) -> None:
    shown = detail.strip()
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]} ({len(shown)} characters)"
    account.dropped(item, UNREAD, element, shown)
