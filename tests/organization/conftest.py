"""A project whose local AWS holds an organization that TwoKeys did not make."""

from collections.abc import Iterator
from functools import partial
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
def anew(bare: Existing) -> Existing:
    """The organization that years left, to be changed."""
    return grown(bare)


@pytest.fixture(scope="module")
def _left_by_years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Existing]:
    with LocalAws.start(tmp_path_factory.mktemp("existing") / "aws") as aws:
        yield grown(Existing(aws))


@pytest.fixture
def existing(
    project: Path,  # noqa: F811 - the fixture
    _left_by_years: Existing,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Existing]:
    """The organization that years left, which the tests of a file share: none of them changes it."""
    for name, value in _left_by_years.aws.environment(MANAGEMENT).items():
        monkeypatch.setenv(name, value)
    place = project / ".twokeys" / "aws"
    place.parent.mkdir()
    place.symlink_to(_left_by_years.aws.directory)
    yield _left_by_years
    place.unlink()


@pytest.fixture
def adopt(twokeys: Run) -> Run:  # noqa: F811 - the fixture
    """Run `twokeys adopt`."""
    return partial(twokeys, "adopt")
