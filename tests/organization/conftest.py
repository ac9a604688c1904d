"""A project whose local AWS holds an organization that TwoKeys did not make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.organization.existing import MANAGEMENT, Existing, grown
from tests.sandbox.conftest import Run, project, twokeys  # noqa: F401 - fixtures
from twokeys.sandbox.local_aws import LocalAws


@pytest.fixture
def bare(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Existing]:  # noqa: F811 - the fixture
    """A local AWS without an organization; the environment has its management account's credentials."""
    with LocalAws.start(project / ".twokeys" / "aws") as aws:
        for name, value in aws.environment(MANAGEMENT).items():
            monkeypatch.setenv(name, value)
        yield Existing(aws)


@pytest.fixture
def existing(bare: Existing) -> Existing:
    """The organization that years left."""
    return grown(bare)


@pytest.fixture
def adopt(twokeys: Run) -> Run:  # noqa: F811 - the fixture
    """Run `twokeys adopt`, with an address that the local AWS's own is not."""

    def run(*arguments: str) -> object:
        return twokeys("adopt", "--root-email", "example@company.com", *arguments)

    return run  # type: ignore[return-value]
