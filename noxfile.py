"""
The same tests and checks as the Makefile, in environments of their own.

``nox`` runs the tests on every Python that is installed and the checks once; ``nox -s
wheel`` tries what a user installs, without any development tool; ``nox -s openhtf``
tries the oldest and the newest OpenHTF; ``nox -s coverage`` reports what the tests do
not reach.
"""

from __future__ import annotations

import nox

LOCK = "requirements-dev.lock"
PYTHONS = ["3.11", "3.12", "3.13"]
OPENHTF = {
    # The oldest that installs on Python 3.11; it does not say what it needs besides.
    "oldest": ["openhtf==1.5.2", "setuptools<81", "six"],
    "newest": ["--upgrade", "openhtf"],
}
SOURCES = ["core", "adapters", "plugins"]
SHOW_OPENHTF = (
    # Imported as well: tests are skipped where it cannot be.
    "import openhtf, importlib.metadata as m; print('openhtf', m.version('openhtf'))"
)

nox.options.sessions = ["tests", "checks", "wheel"]
nox.options.error_on_missing_interpreters = False


def install(session: nox.Session) -> None:
    """Install what the lock pins, then the project itself, editable."""
    session.install("--no-deps", "--requirement", LOCK)
    session.install("--no-deps", "--no-build-isolation", "--editable", ".")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests; arguments after ``--`` go to pytest."""
    install(session)
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
@nox.parametrize("release", list(OPENHTF))
def openhtf(session: nox.Session, release: str) -> None:
    """Run the tests of the OpenHTF adapter on its oldest and newest release."""
    install(session)
    session.install(*OPENHTF[release])
    session.run("python", "-c", SHOW_OPENHTF)
    session.run("pytest", "tests/adapters/openhtf", *session.posargs)


@nox.session(python=PYTHONS[0])
def checks(session: nox.Session) -> None:
    """Run formatter, linter, type checkers and the docstring check."""
    install(session)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("pyright", "--pythonpath", f"{session.bin}/python")
    session.run("interrogate", "--quiet", *SOURCES, "tests", "noxfile.py")


@nox.session(python=PYTHONS[0])
def wheel(session: nox.Session) -> None:
    """Install the wheel as a user does, without extras, and run the demo."""
    # Installing the folder, not editable, builds the wheel and installs that.
    session.install(".")
    session.run("rigbridge", "demo", "--data", f"{session.create_tmp()}/demo")


@nox.session(python=PYTHONS[0])
def coverage(session: nox.Session) -> None:
    """Run the tests under coverage and report lines and branches that lack tests."""
    install(session)
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "report", "--show-missing", "--skip-covered")
