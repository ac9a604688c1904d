"""The pulumi CLI and our reader, asked the same: what does a program get?"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.project.test_stack_yaml import MEANT
from twokeys.project.config import load_config, load_project


@pytest.mark.engine
def test_a_program_gets_what_the_cli_gives_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"  proj:a{number}: {text}" for number, (text, _) in enumerate(MEANT)]
    lines += [f"  proj:o{number}: {{inner: [{text}]}}" for number, (text, _) in enumerate(MEANT)]
    lines += ["  plain: x", "  proj:keys: {1: x, true: y, 2012-10-17: z, b: 1, a: 2}"]
    (tmp_path / "Pulumi.yaml").write_text("{name: proj, runtime: python}")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}")
    (tmp_path / "backend").mkdir()
    for name, value in {
        "PULUMI_BACKEND_URL": (tmp_path / "backend").as_uri(),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }.items():
        monkeypatch.setenv(name, value)
    subprocess.run(["pulumi", "stack", "init", "dev"], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "Pulumi.dev.yaml").write_text("\n".join(["config:", *lines]))
    expected = load_config(load_project(tmp_path), "dev")  # the CLI writes the file anew
    done = subprocess.run(
        ["pulumi", "config", "--json", "-s", "dev"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert expected == {key: told["value"] for key, told in json.loads(done.stdout).items()}
