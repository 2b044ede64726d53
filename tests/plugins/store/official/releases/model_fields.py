"""
What one release of the official v2 client demands of answers, and what it sends.

A program of its own, run by the interpreter of the release's environment: it prints one
JSON object with the required fields of each answer and the fields of each request, as
the typed models of the release have them.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pydantic

os.environ["DISABLE_TELEMETRY"] = "true"

KINDS = {"response": "answers", "request": "requests"}


def fields_of(kind: Any, path: str, *, required: bool) -> Iterator[str]:
    """Name the fields of a model, also those of models within it."""
    for part in typing.get_args(kind):
        inner = f"{path}[]" if typing.get_origin(kind) is list else path
        yield from fields_of(part, inner, required=required)
    if not (inspect.isclass(kind) and issubclass(kind, pydantic.BaseModel)):
        return
    for name, field in kind.model_fields.items():
        if required and not field.is_required():
            continue
        place = f"{path}.{field.alias or name}".lstrip(".")
        yield place
        yield from fields_of(field.annotation, place, required=required)


def described() -> dict[str, dict[str, list[str]]]:
    """Give the fields by operation: ``run_get answers``."""
    models = importlib.import_module("tofupilot.v2.models")
    found: dict[str, dict[str, list[str]]] = {}
    for item in pkgutil.iter_modules(models.__path__):
        if not item.name.endswith("op"):
            continue
        module = importlib.import_module(f"tofupilot.v2.models.{item.name}")
        operation = item.name.removesuffix("op")
        for suffix, called in KINDS.items():
            wanted = operation.replace("_", "") + suffix
            for name, kind in vars(module).items():
                if name.lower() == wanted:
                    fields = fields_of(kind, "", required=suffix == "response")
                    found.setdefault(called, {})[operation] = sorted(set(fields))
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(described()))
