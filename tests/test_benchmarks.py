"""Every benchmark runs, at its smallest size: what is not run is soon broken."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = {
    "access_graph.py": ["--largest", "100", "--without-peer"],
    "pack.py": ["--doors", "10", "--served", "10"],
    "evaluation.py": ["--requests", "40", "--rounds", "1", "--without-simulator"],
}


def run(project_root: Path, script: str, *arguments: str) -> str:
    command = [sys.executable, project_root / "benchmarks" / script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=590, cwd=project_root)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.timeout(300)
@pytest.mark.parametrize("script", BENCHMARKS)
def test_a_benchmark_prints_its_table(script: str, project_root: Path) -> None:
    assert "|---|" in run(project_root, script, *BENCHMARKS[script])


@pytest.mark.engine
@pytest.mark.timeout(600)
def test_a_fleet_is_measured_beside_one_stack(project_root: Path) -> None:
    assert "| shards, 2 at once |" in run(project_root, "fleet.py", "--accounts", "1")
