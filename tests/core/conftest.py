"""
What the tests of the core share: distributions to load, and a run store that fails.

The distributions are thrown away. Each is a single module with entry points, built once
a session by hatchling and installed by pip into a folder that a test puts on the path
of a new Python. The run store fails on demand, and there are runs and files for it.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias
from uuid import uuid4

import attrs
import pytest
from hatchling.builders.wheel import WheelBuilder

from rigbridge.model import Attachment, ProcedureRef, Run, RunOutcome, Unit
from rigbridge.testing.run_store.faults import Dialect
from rigbridge.testing.run_store.server import RunStoreServer

Serve: TypeAlias = Callable[..., RunStoreServer]

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")

GROUP = "rigbridge.adapters"

ADAPTER = """
import attrs
from rigbridge.adapters import Match


@attrs.frozen
class Settings:
    "No settings."


class Adapter:
    name = "{name}"
    settings_type = Settings

    def __init__(self, settings=None):
        self.settings = settings

    def detect(self, head, name):
        return Match(0.1, "a guess")

    def read(self, source, context):
        yield from ()
"""


@attrs.frozen(kw_only=True)
class Project:
    """
    A distribution to be built.

    Attributes:
        name: the distribution's name.
        module: the source of its only module.
        plugins: the names that it offers in the group of adapters.
        version: its version.
    """

    name: str
    module: str
    plugins: tuple[str, ...]
    version: str = "1.0"

    @property
    def package(self) -> str:
        """The name of the module."""
        return self.name.replace("-", "_")


def _good(name: str, *plugins: str, version: str = "1.0") -> Project:
    """Describe a distribution whose adapter loads."""
    module = ADAPTER.format(name=plugins[0])
    return Project(name=name, module=module, plugins=plugins, version=version)


def _bad(name: str, module: str) -> Project:
    """Describe a distribution whose module does something else."""
    return Project(name=name, module=module, plugins=(name,))


NEIGHBOURS = (
    _good("acme-good", "acme-good"),
    _good("acme-witness", "zz-witness"),
    _bad("acme-raises", "raise RuntimeError('no rig\\nis attached')"),
    _bad("acme-asserts", "assert False, 'not on this machine'"),
    _bad("acme-exits", "import sys\nsys.exit(3)"),
    _bad("acme-lacks", "import a_module_that_nobody_has"),
    _bad("acme-syntax", "def ("),
    _bad(
        "acme-vendor",
        "from rigbridge.errors import AdapterUnavailableError\n"
        "raise AdapterUnavailableError('acmelib', extra='acme-vendor[acmelib]')",
    ),
    _bad("acme-empty", "'Holds no Adapter.'"),
    _good("acme-one", "acme-twice"),
    _good("acme-two", "acme-twice", version="2.0"),
    # A name of ours, with one of its own before it in the alphabet.
    _good("acme-csv", "csv", "bread"),
)


@pytest.fixture(scope="session")
def good() -> Callable[..., Project]:
    """Describe a distribution whose adapter loads: its name, its plugins."""
    return _good


@pytest.fixture(scope="session")
def bad() -> Callable[..., Project]:
    """Describe a distribution whose module does something else: name, source."""
    return _bad


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Project], Path]:
    """Build the wheel of a distribution; each once."""
    built: dict[Project, Path] = {}
    folder = tmp_path_factory.mktemp("projects")

    def make(project: Project) -> Path:
        if project not in built:
            home = folder / f"{project.name}-{project.version}"
            home.mkdir()
            offers = "\n".join(
                f'{plugin} = "{project.package}:Adapter"' for plugin in project.plugins
            )
            (home / "pyproject.toml").write_text(
                f'[project]\nname = "{project.name}"\nversion = "{project.version}"\n'
                '[build-system]\nrequires = ["hatchling"]\n'
                'build-backend = "hatchling.build"\n'
                f'[project.entry-points."{GROUP}"]\n{offers}\n'
                f'[tool.hatch.build]\nonly-include = ["{project.package}.py"]\n'
            )
            (home / f"{project.package}.py").write_text(project.module)
            builder = WheelBuilder(str(home))
            (wheel,) = builder.build(directory=str(folder), versions=["standard"])
            built[project] = Path(wheel)
        return built[project]

    return make


@pytest.fixture(scope="session")
def install(
    build: Callable[[Project], Path],
) -> Callable[[Path, Iterable[Project]], None]:
    """Install distributions into a folder with pip, without an index."""

    def into(target: Path, projects: Iterable[Project]) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index"]
        command += ["--no-deps", "--disable-pip-version-check", "--upgrade"]
        command += ["--target", str(target), *(str(build(item)) for item in projects)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return into


@pytest.fixture(scope="session")
def neighbours(
    tmp_path_factory: pytest.TempPathFactory,
    install: Callable[[Path, Iterable[Project]], None],
) -> Path:
    """Give a folder with a good plugin among all kinds of bad ones."""
    target = tmp_path_factory.mktemp("neighbours")
    install(target, NEIGHBOURS)
    return target


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a new Python that also sees some folders."""

    def run(program: str, *folders: Path) -> subprocess.CompletedProcess[str]:
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join(map(str, folders))
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def ask(
    run_python: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., Any]:
    """Run a program likewise, and give the JSON that it prints."""

    def answer(program: str, *folders: Path) -> Any:
        done = run_python(program, *folders)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return answer


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(name="opened")
def _opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(name="serve")
def _serve(opened: ExitStack) -> Serve:
    """Start stores of any dialect, and stop them with the test."""

    def serve(**dialect: Any) -> RunStoreServer:
        return opened.enter_context(RunStoreServer(Dialect(**dialect)))

    return serve


@pytest.fixture(name="server")
def _server(serve: Serve) -> RunStoreServer:
    return serve()


@pytest.fixture(name="make_run")
def _make_run() -> Callable[..., Run]:
    """Make runs that v1 carries whole, each with a start of its own."""
    start = datetime(2026, 3, 4, 5, 6, 7, 891_000, tzinfo=UTC)
    numbers = count()

    def make_run(**fields: Any) -> Run:
        given = {
            "id": uuid4(),
            "outcome": RunOutcome.PASS,
            "procedure": ProcedureRef(name="Final test"),
            "unit": Unit(serial_number="SN-0001"),
            "started_at": start + timedelta(seconds=next(numbers)),
            **fields,
        }
        return Run(**given)

    return make_run


@pytest.fixture(name="make_file")
def _make_file() -> Callable[..., Attachment]:
    """Make attachments of bytes in memory."""

    def make_file(name: str, content: bytes, **fields: Any) -> Attachment:
        given = {"size": len(content), "opener": lambda: io.BytesIO(content), **fields}
        return Attachment(name=name, **given)

    return make_file
