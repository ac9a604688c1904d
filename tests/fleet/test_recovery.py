"""Whatever is killed, and whenever: the next run converges, no account is made twice, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fleet.trial import KINDS, prepare, try_once


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, project_root: Path) -> Path:
    return prepare(tmp_path_factory.mktemp("recovery"), project_root)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(len(KINDS)))
def test_after_a_kill_at_a_random_moment_the_next_run_converges(seed: int, prepared: Path, tmp_path: Path) -> None:
    assert try_once(prepared, tmp_path, seed).wrong == ()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(len(KINDS), 60))
def test_after_many_kills_the_next_run_converges(seed: int, prepared: Path, tmp_path: Path) -> None:
    assert try_once(prepared, tmp_path, seed).wrong == ()
