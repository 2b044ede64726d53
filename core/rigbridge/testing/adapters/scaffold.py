"""A distribution with a new adapter, complete and ready to be changed."""

from __future__ import annotations

import keyword
import re
import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from rigbridge.adapters import ADAPTER_GROUP
from rigbridge.errors import ConfigurationError
from rigbridge.machine.plugins import PluginLoader

__all__ = ["write_distribution"]

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 60
_GREATEST_MARK = 12


def write_distribution(name: str, folder: Path) -> tuple[Path, ...]:
    """
    Write a distribution with an adapter that reads a log of an invented rig.

    It installs and passes its own tests; its author replaces the reading.

    Args:
        name: what users type for the adapter: words of small letters and digits with
            hyphens between them.
        folder: where to write it; missing or empty.

    Returns:
        The files that were written.

    Raises:
        ConfigurationError: the name is none, is taken, or the folder is not empty.
        OSError: the folder cannot be written.
    """
    _check_name(name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} is not empty",
            place="--to",
            remedy="name a new folder: nothing there is overwritten",
        )
    words = {
        "NAME": name,
        "DISTRIBUTION": f"rigbridge-{name}",
        "MODULE": _module_of(name),
        "CLASS": "".join(part.capitalize() for part in name.split("-")),
        "MARK": name.replace("-", "").upper()[:_GREATEST_MARK],
    }
    templates = files("rigbridge.testing.adapters").joinpath("templates")
    return tuple(_write(templates, folder, words))


def _module_of(name: str) -> str:
    return f"rigbridge_{name.replace('-', '_')}"


def _check_name(name: str) -> None:
    remedy = "use small letters and digits with single hyphens, such as burn-in-bench"
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        raise ConfigurationError(
            f"{name!r} is no name of an adapter", place="NAME", remedy=remedy
        )
    taken = PluginLoader(ADAPTER_GROUP).names
    module = _module_of(name)
    used = module in sys.stdlib_module_names or keyword.iskeyword(module)
    ours = {"rigbridge_testing", "rigbridge_store", "rigbridge_pytest"}
    if name in taken or used or module in ours or _is_importable(module):
        raise ConfigurationError(
            f"the name {name!r} is taken by an installed adapter or package",
            place="NAME",
            remedy="choose another one, such as the name of your rig",
        )


def _is_importable(module: str) -> bool:
    from importlib.util import find_spec  # only a command asks

    return find_spec(module) is not None


def _write(templates: Traversable, folder: Path, words: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for template in sorted(templates.iterdir(), key=lambda each: each.name):
        if template.is_dir():
            written += _write(template, folder / template.name, words)
            continue
        name = _named(template.name.removesuffix(".txt"), words)
        text = template.read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        path = folder / name
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def _named(name: str, words: dict[str, str]) -> str:
    # Such names would mean something to tools in our own tree.
    named = {
        "gitignore": ".gitignore",
        "module.py": f"{words['MODULE']}.py",
        "sample.log": f"{words['NAME']}.log",
    }
    return named.get(name, name)
