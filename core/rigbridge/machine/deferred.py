"""
Packages whose names are imported when they are first asked for.

A package lists its names in ``__all__``, imports them where only types are checked, and
has ``__getattr__ = deferred_names(__name__, {module: "its names"})``. Each name is then
looked up once; from then on it is an attribute of the package like any other.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module

__all__ = ["deferred_names"]


def deferred_names(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """
    Make what a package has for ``__getattr__``.

    A command that reads nothing then pays for no reader, and a worker that reads pays
    for nothing that stores.

    Args:
        modules: the names that a module defines, with blanks between them, by the
            module as seen from the package: a dot before it means that it stands beside
            the package.

    Returns:
        A function that imports a name, and raises AttributeError for one that the
        package does not offer.
    """
    homes = {name: home for home, names in modules.items() for name in names.split()}

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f".{homes[name]}", package), name)
        setattr(sys.modules[package], name, value)
        return value

    return find
