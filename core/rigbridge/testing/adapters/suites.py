"""
The conformance suite that every adapter passes, ours and third parties' alike.

An author inherits :class:`AdapterSuite` in a test module and overrides one fixture::

    class TestConformance(AdapterSuite):
        @pytest.fixture
        def case(self) -> AdapterCase:
            sample = Sample(name="rig.log", content=RIG_LOG, runs=3)
            return AdapterCase(adapter=RigAdapter(), samples=(sample,))

Needs pytest, which the author of an adapter has.
"""

from __future__ import annotations

import pytest

from rigbridge.testing.adapters.bench import Bench
from rigbridge.testing.adapters.cases import AdapterCase
from rigbridge.testing.adapters.checks import CHECKS, Check
from rigbridge.testing.adapters.observation import NonconformityError, NotTriedError

__all__ = ["AdapterSuite"]

_BENCHES = pytest.StashKey[dict[str, Bench]]()


class AdapterSuite:
    """The behaviours that every adapter has; see the module for its use."""

    @pytest.fixture
    def case(self) -> AdapterCase:
        """Give the adapter and its samples; an author overrides this one."""
        pytest.fail("override the fixture 'case' of AdapterSuite")

    @pytest.fixture
    def bench(
        self,
        case: AdapterCase,
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> Bench:
        """Give the bench at which the adapter is tried, one for all checks."""
        suite = request.node.getparent(pytest.Class)
        assert suite is not None
        benches: dict[str, Bench] = suite.stash.setdefault(_BENCHES, {})
        key = repr([case.adapter.name, *(sample.name for sample in case.samples)])
        if key not in benches:
            benches[key] = Bench(case, tmp_path_factory.mktemp("bench"))
            suite.addfinalizer(benches[key].close)
        return benches[key]

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
    def test_conforms(self, bench: Bench, check: Check) -> None:
        """The adapter does what the check says."""
        found: NonconformityError | NotTriedError | None = None
        try:
            bench.run(check.name, check.run)
        except (NonconformityError, NotTriedError) as error:
            found = error
        if isinstance(found, NonconformityError):
            pytest.fail(f"{check.promise}\n{found}", pytrace=False)
        if found is not None:
            # No skip: a machine that lacks something is another matter, and a project
            # may count skipped tests as failed.
            pytest.xfail(f"{check.name} was not tried: {found}")
