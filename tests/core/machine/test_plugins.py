"""The loader of plugins, on distributions that are really installed."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rigbridge.adapters import Adapter
from rigbridge.errors import (
    AdapterUnavailableError,
    DuplicatePluginError,
    PluginError,
    PluginLoadError,
    UnknownPluginError,
)
from rigbridge.machine.plugins import PluginLoader, PluginStatus

GROUP = "rigbridge.adapters"

LISTING = f"""
import json
from rigbridge.machine.plugins import PluginLoader
records = PluginLoader("{GROUP}").listing()
print(json.dumps({{
    record.name: [record.status, record.distribution, record.version, record.reason]
    for record in records
}}))
"""

NAMES = f"""
import json
from rigbridge.machine.plugins import PluginLoader
print(json.dumps(PluginLoader("{GROUP}").names))
"""


Project = Callable[..., Any]
"""Describes a distribution; the fixtures ``good`` and ``bad`` do."""


@pytest.fixture(name="loader")
def _loader(
    neighbours: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[PluginLoader]:
    """Give a loader in this process that sees the neighbours."""
    monkeypatch.syspath_prepend(str(neighbours))
    before = set(sys.modules)
    yield PluginLoader(GROUP)
    for name in set(sys.modules) - before:
        if name.startswith("acme_"):
            del sys.modules[name]


class TestLoad:
    """One plugin is loaded by its name."""

    def test_a_third_party_adapter(self, loader: PluginLoader) -> None:
        """A distribution's adapter is found, with its owner."""
        kind: Any = loader.load("acme-good")
        assert isinstance(kind(), Adapter)
        assert loader.owner("acme-good") == ("acme-good", "1.0")

    def test_twice_gives_the_same(self, loader: PluginLoader) -> None:
        """A plugin is imported once."""
        assert loader.load("acme-good") is loader.load("acme-good")

    def test_what_is_installed_meanwhile_is_found(
        self, loader: PluginLoader, neighbours: Path, tmp_path: Path
    ) -> None:
        """A program that runs on sees a new distribution, and one that went."""
        here = tmp_path / "site"
        here.mkdir()
        sys.path.insert(0, str(here))
        try:
            assert "acme-late" not in PluginLoader(GROUP).names
            late = here / "acme_late-1.0.dist-info"
            shutil.copytree(neighbours / "acme_good-1.0.dist-info", late)
            (late / "METADATA").write_text("Name: acme-late\nVersion: 1.0\n")
            (late / "entry_points.txt").write_text(f"[{GROUP}]\nacme-late = acme:L\n")
            assert PluginLoader(GROUP).owner("acme-late") == ("acme-late", "1.0")
            shutil.rmtree(late)
            assert "acme-late" not in PluginLoader(GROUP).names
        finally:
            sys.path.remove(str(here))
        assert loader.names == PluginLoader(GROUP).names

    def test_no_such_plugin(self, loader: PluginLoader) -> None:
        """An unknown name is an error that lists the known ones."""
        with pytest.raises(UnknownPluginError, match=r"installed: .*acme-good"):
            loader.load("acme-godo")

    def test_an_empty_group(self) -> None:
        """A group without plugins has no names, and says so."""
        loader = PluginLoader("rigbridge.no_such_group")
        assert loader.names == ()
        with pytest.raises(UnknownPluginError, match="installed: none"):
            loader.load("anything")

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("acme-raises", "RuntimeError: no rig is attached"),
            ("acme-asserts", "AssertionError: not on this machine"),
            ("acme-exits", "SystemExit: 3"),
            ("acme-lacks", "No module named 'a_module_that_nobody_has'"),
            ("acme-syntax", "SyntaxError"),
            ("acme-empty", "has no attribute 'Adapter'"),
        ],
    )
    def test_a_plugin_that_fails(
        self, loader: PluginLoader, name: str, words: str
    ) -> None:
        """A failure of any kind is one error with cause, owner and remedy."""
        with pytest.raises(PluginLoadError) as caught:
            loader.load(name)
        assert words in str(caught.value)
        assert f"{name!r} of {name} 1.0 failed to load" in str(caught.value)
        assert str(caught.value).endswith(f"(update or uninstall {name})")
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is not None

    def test_a_vendor_library_that_is_missing(self, loader: PluginLoader) -> None:
        """A plugin that says what it lacks is believed, and the command shown."""
        with pytest.raises(AdapterUnavailableError) as caught:
            loader.load("acme-vendor")
        assert str(caught.value) == (
            "the library 'acmelib' is not installed "
            "(pip install 'acme-vendor[acmelib]')"
        )

    def test_two_of_one_name(self, loader: PluginLoader) -> None:
        """Two distributions that claim one name are both named, with versions."""
        with pytest.raises(
            DuplicatePluginError, match=r"offered by acme-one 1\.0 and acme-two 2\.0"
        ):
            loader.load("acme-twice")

    def test_one_of_ours_claimed_by_another(self, loader: PluginLoader) -> None:
        """A third party cannot take the place of an adapter of ours unseen."""
        with pytest.raises(DuplicatePluginError, match=r"acme-csv 1\.0 and rigbridge"):
            loader.load("csv")
        bread: Any = loader.load("bread")
        assert bread.name == "csv"

    def test_imports_none_of_the_others(
        self, ask: Callable[..., Any], neighbours: Path
    ) -> None:
        """Loading by name imports that plugin and no neighbour of it."""
        program = f"""
import json, sys
from rigbridge.machine.plugins import PluginLoader
PluginLoader("{GROUP}").load("acme-good")
ours = ("acme_", "rigbridge_")
print(json.dumps([name for name in sys.modules if name.startswith(ours)]))
"""
        assert ask(program, neighbours) == ["acme_good"]

    def test_imports_nothing_to_know_the_names(
        self, ask: Callable[..., Any], neighbours: Path
    ) -> None:
        """Names and owners are known without importing a plugin, or stevedore."""
        program = f"""
import json, sys
from rigbridge.machine.plugins import PluginLoader
loader = PluginLoader("{GROUP}")
owners = [loader.owner(name) for name in loader.names]
heavy = ("acme_", "rigbridge_", "stevedore")
print(json.dumps([name for name in sys.modules if name.startswith(heavy)]))
"""
        assert ask(program, neighbours) == []


class TestListing:
    """A listing tries every plugin, and none of them can stop it."""

    def test_everyone_is_reported(
        self, ask: Callable[..., Any], neighbours: Path
    ) -> None:
        """Each plugin has its state and its reason; good neighbours are up."""
        found = ask(LISTING, neighbours)
        states = {name: record[0] for name, record in found.items()}
        expected = {
            "acme-asserts": "failed",
            "acme-empty": "failed",
            "acme-exits": "failed",
            "acme-good": "loaded",
            "acme-lacks": "failed",
            "acme-raises": "failed",
            "acme-syntax": "failed",
            "acme-twice": "failed",
            "acme-vendor": "unavailable",
            "bread": "loaded",
            "csv": "failed",
            "teststand-xml": "loaded",
            "zz-witness": "loaded",
        }
        assert {name: states.get(name) for name in expected} == expected
        assert list(found) == sorted(found)
        assert all(
            (record[0] == "loaded") == (not record[3]) for record in found.values()
        )
        assert found["acme-twice"][1] == "acme-one 1.0 and acme-two 2.0"
        assert found["zz-witness"][1:3] == ["acme-witness", "1.0"]

    def test_in_this_process(self, loader: PluginLoader) -> None:
        """The listing is the same where other plugins are loaded already."""
        loader.load("acme-good")
        records = {record.name: record for record in loader.listing()}
        assert records["acme-good"].status is PluginStatus.LOADED
        assert records["acme-exits"].status is PluginStatus.FAILED
        assert records["csv"].distribution.startswith("acme-csv 1.0 and rigbridge ")

    def test_an_interrupt_is_not_swallowed(
        self,
        run_python: Callable[..., subprocess.CompletedProcess[str]],
        install: Callable[..., None],
        bad: Project,
        tmp_path: Path,
    ) -> None:
        """Control-C during an import ends the program, as a user expects."""
        install(tmp_path / "target", [bad("acme-key", "raise KeyboardInterrupt")])
        done = run_python(LISTING, tmp_path / "target")
        assert done.returncode != 0
        assert done.stderr.rstrip().endswith("KeyboardInterrupt")

    def test_a_plugin_that_loads_others(
        self,
        ask: Callable[..., Any],
        install: Callable[..., None],
        bad: Project,
        good: Project,
        tmp_path: Path,
    ) -> None:
        """A plugin may itself look at what is installed while it is imported."""
        module = f"""
from rigbridge.machine.plugins import PluginLoader
Adapter = PluginLoader("{GROUP}").load("acme-good")
"""
        plugins = [
            good("acme-good", "acme-good"),
            bad("acme-chooser", module),
        ]
        install(tmp_path / "target", plugins)
        found = ask(LISTING, tmp_path / "target")
        assert found["acme-chooser"][0] == found["acme-good"][0] == "loaded"


class TestInstallation:
    """What is installed is seen as it is, at once."""

    def test_a_new_distribution_is_seen_at_once(
        self,
        ask: Callable[..., Any],
        install: Callable[..., None],
        good: Project,
        tmp_path: Path,
    ) -> None:
        """A second installation within the same minute is seen, as is its removal."""
        target = tmp_path / "target"
        install(target, [good("acme-good", "acme-good")])
        assert "acme-good" in ask(NAMES, target)
        install(target, [good("acme-witness", "zz-witness")])
        assert {"acme-good", "zz-witness"} <= set(ask(NAMES, target))
        shutil.rmtree(target / "acme_good-1.0.dist-info")
        assert "acme-good" not in ask(NAMES, target)

    def test_a_new_version_is_seen_at_once(
        self,
        ask: Callable[..., Any],
        install: Callable[..., None],
        good: Project,
        tmp_path: Path,
    ) -> None:
        """A reinstalled distribution has its new names, and not its old ones."""
        target = tmp_path / "target"
        install(target, [good("acme-good", "acme-good")])
        before = ask(LISTING, target)
        shutil.rmtree(target / "acme_good-1.0.dist-info")
        install(target, [good("acme-good", "acme-better", version="1.1")])
        after = ask(LISTING, target)
        assert before["acme-good"][2] == "1.0"
        assert "acme-good" not in after
        assert after["acme-better"][:3] == ["loaded", "acme-good", "1.1"]

    def test_in_this_process_as_well(
        self,
        install: Callable[..., None],
        good: Project,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """A loader that is made after an installation sees it."""
        target = tmp_path / "target"
        monkeypatch.syspath_prepend(str(target))
        assert "acme-good" not in PluginLoader(GROUP).names
        install(target, [good("acme-good", "acme-good")])
        assert "acme-good" in PluginLoader(GROUP).names

    def test_one_distribution_seen_twice(
        self, ask: Callable[..., Any], neighbours: Path, tmp_path: Path
    ) -> None:
        """One distribution that two folders of the path hold is no conflict."""
        copy = tmp_path / "copy"
        shutil.copytree(neighbours, copy)
        assert ask(LISTING, neighbours, copy)["acme-good"][0] == "loaded"

    def test_metadata_that_are_gone(
        self,
        ask: Callable[..., Any],
        install: Callable[..., None],
        good: Project,
        tmp_path: Path,
    ) -> None:
        """What an interrupted uninstallation leaves behind breaks nothing."""
        target = tmp_path / "target"
        plugins = [
            good("acme-good", "acme-good"),
            good("acme-witness", "zz-witness"),
        ]
        install(target, plugins)
        (target / "acme_good-1.0.dist-info/METADATA").unlink()
        found = ask(LISTING, target)
        assert found["acme-good"][1:3] == ["unknown", "unknown"]
        assert found["zz-witness"][0] == "loaded"

    def test_entry_points_that_are_garbage(
        self,
        install: Callable[..., None],
        good: Project,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A distribution with damaged entry points is named and left out."""
        target = tmp_path / "target"
        plugins = [
            good("acme-good", "acme-good"),
            good("acme-witness", "zz-witness"),
        ]
        install(target, plugins)
        damaged = target / "acme_good-1.0.dist-info/entry_points.txt"
        damaged.write_text(f"[{GROUP}]\nnothing of the kind\n")
        monkeypatch.syspath_prepend(str(target))
        with caplog.at_level(logging.WARNING, "rigbridge.machine.plugins"):
            loader = PluginLoader(GROUP)
        assert "zz-witness" in loader.names
        assert "csv" in loader.names
        assert "acme-good" not in loader.names
        assert "acme-good" in caplog.text


def test_every_failure_is_a_plugin_error() -> None:
    """Who loads plugins needs to catch one kind of error only."""
    kinds = (AdapterUnavailableError, DuplicatePluginError, PluginLoadError)
    assert all(issubclass(kind, PluginError) for kind in kinds)
