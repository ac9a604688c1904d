"""The environment of `twokeys sandbox shell`, with a script in place of the CLI; tests marked engine have the CLI."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.conftest import Run
from twokeys.project.config import load_project, read_mapping
from twokeys.sandbox.get_pulumi import find_pulumi
from twokeys.sandbox.pulumi_box import PulumiBox, place_plugins
from twokeys.sandbox.run_pulumi import command

RECORDER = """#!/bin/sh
printf '%s\\n' "$@" > "$(dirname "$0")/asked"
"""


@pytest.fixture
def box(project: Path) -> PulumiBox:
    return PulumiBox(load_project(project), project / ".twokeys")


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A `pulumi` that writes down what it is asked, before everything else on PATH."""
    folder = tmp_path / "recorder"
    folder.mkdir()
    folder.joinpath("pulumi").write_text(RECORDER)
    folder.joinpath("pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return folder


def test_the_mirror_has_stack_files_of_its_own_and_links_to_everything_else(box: PulumiBox, project: Path) -> None:
    before = {path.name: path.read_bytes() for path in project.glob("Pulumi*.yaml")}
    mirror = box.reflect()
    assert (mirror / "components").readlink() == project / "components"
    assert not (mirror / "Pulumi.stage.yaml").is_symlink()
    assert read_mapping(mirror / "Pulumi.stage.yaml")["config"] == read_mapping(project / "Pulumi.stage.yaml")["config"]
    assert {path.name: path.read_bytes() for path in project.glob("Pulumi*.yaml")} == before
    assert (mirror / "Pulumi.stage.yaml").stat().st_mode & 0o077 == 0


def test_a_plugin_of_ours_is_named_in_the_mirror_unless_the_project_names_plugins(
    box: PulumiBox, project: Path
) -> None:
    """https://www.pulumi.com/docs/iac/concepts/projects/project-file/#plugins: the CLI warns of one from PATH alone."""
    assert "plugins" not in read_mapping(box.reflect() / "Pulumi.yaml")
    box.binaries.mkdir(parents=True)
    (box.binaries / "pulumi-resource-aws").touch()
    named = {"providers": [{"name": "aws", "path": str(box.binaries)}]}
    assert read_mapping(box.reflect() / "Pulumi.yaml")["plugins"] == named
    theirs = project / "Pulumi.yaml"
    theirs.write_text(f"{theirs.read_text()}plugins: {{providers: [{{name: mine, path: mine}}]}}\n")
    assert read_mapping(box.reflect() / "Pulumi.yaml")["plugins"] == {"providers": [{"name": "mine", "path": "mine"}]}


def test_the_salt_of_the_sandbox_is_kept_and_that_of_a_real_account_is_left_out(box: PulumiBox, project: Path) -> None:
    """https://www.pulumi.com/docs/iac/concepts/secrets/#changing-the-secrets-provider-for-a-stack"""
    stage = project / "Pulumi.stage.yaml"
    stage.write_text(stage.read_text() + "secretsprovider: awskms://alias/real\nencryptedkey: cmVhbA==\n")
    mirrored = box.reflect() / "Pulumi.stage.yaml"
    assert set(read_mapping(mirrored)) == {"config"}
    mirrored.write_text(mirrored.read_text() + "encryptionsalt: v1:sandbox\n")
    stage.write_text(stage.read_text().replace("monthly: 500", "monthly: 501"))
    box.reflect()
    assert read_mapping(mirrored)["encryptionsalt"] == "v1:sandbox"
    assert read_mapping(mirrored)["config"]["twokeys:accounts"]["stage"]["budget"]["monthly"] == 501


def test_an_override_is_merged_as_what_it_is_and_not_as_text(box: PulumiBox) -> None:
    """The CLI checks values against the types in Pulumi.yaml, and refuses text where an object is declared."""
    doors = {"stage-deployer": {"keys": ["trust"]}}
    mirror = box.reflect({"stage": {"twokeys:doors": doors, "twokeys:accountsAtOnce": 3}})
    config = read_mapping(mirror / "Pulumi.stage.yaml")["config"]
    assert config["twokeys:doors"] == doors
    assert config["twokeys:accountsAtOnce"] == 3
    assert read_mapping(mirror / "Pulumi.prod.yaml")["config"]["twokeys:doors"] != doors


def test_a_command_runs_in_the_mirror_and_its_files_are_where_it_was_called(box: PulumiBox, project: Path) -> None:
    folder = project / "policies"
    asked = ["preview", "-s", "stage", "--policy-pack", ".", "--save-plan=plan.json"]
    assert command(Path("/bin/pulumi"), box, folder, asked) == [
        "/bin/pulumi",
        "--cwd",
        str(box.mirror),
        "preview",
        "-s",
        "stage",
        "--policy-pack",
        str(folder),
        f"--save-plan={folder / 'plan.json'}",
    ]


def test_config_is_set_in_the_projects_own_file(box: PulumiBox, project: Path) -> None:
    asked = ["config", "set", "twokeys:region", "eu-west-1"]
    for selected, first in (("stage", ["env", "PULUMI_STACK=stage"]), ("", [])):
        pulumi = project / "pulumi"
        pulumi.write_text(f'#!/bin/sh\n[ "$*" = "--cwd {box.mirror} stack --show-name" ] && echo {selected}\n')
        pulumi.chmod(0o755)
        assert command(pulumi, box, project, asked) == [*first, str(pulumi), *asked]


def test_another_project_is_left_alone(box: PulumiBox, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "Pulumi.yaml").write_text("name: other\nruntime: python\n")
    assert command(Path("/bin/pulumi"), box, other, ["up"]) == ["/bin/pulumi", "up"]
    assert command(Path("/bin/pulumi"), box, box.project.root, ["-C", "x", "up"]) == ["/bin/pulumi", "-C", "x", "up"]


def test_the_shell_gives_pulumi_and_hides_every_real_account(
    twokeys: Run, project: Path, recorder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "pul-secret")
    run = twokeys("sandbox", "shell")
    assert run.returncode == 0, run.stderr
    assert {"AWS_PROFILE", "PULUMI_ACCESS_TOKEN"} <= set(run.stdout.splitlines()[0].split())
    script = f"{run.stdout}\npulumi preview -s stage --policy-pack policies\nenv -0 > seen\nwhich pulumi"
    done = subprocess.run(["sh", "-c", script], cwd=project, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(project / ".twokeys" / "pulumi" / "bin" / "pulumi")
    asked = (recorder / "asked").read_text().splitlines()
    assert asked[:3] == ["--cwd", str(project / ".twokeys" / "pulumi" / "project"), "preview"]
    seen = dict(one.split("=", 1) for one in (project / "seen").read_text().split("\0") if one)
    assert seen["PULUMI_BACKEND_URL"] == f"file://{project}/.twokeys/pulumi/backend"
    assert seen["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert not {"AWS_PROFILE", "PULUMI_ACCESS_TOKEN"} & seen.keys()
    assert not Path(seen["AWS_SHARED_CREDENTIALS_FILE"]).exists()


@pytest.mark.usefixtures("recorder")
def test_a_project_without_a_stack_has_a_place_for_the_first_one(twokeys: Run, project: Path) -> None:
    """The CLI refuses a file:// backend whose folder is not there."""
    for stack in project.glob("Pulumi.*.yaml"):
        stack.unlink()
    backend = json.loads(twokeys("sandbox", "shell", "--json").stdout)["PULUMI_BACKEND_URL"]
    assert Path(backend.removeprefix("file://")).is_dir()


@pytest.mark.usefixtures("recorder")
def test_a_shell_in_a_shell_finds_the_real_pulumi_and_not_its_own(
    twokeys: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = json.loads(twokeys("sandbox", "shell", "--json").stdout)
    wrapper = (project / ".twokeys" / "pulumi" / "bin" / "pulumi").read_text()
    monkeypatch.setenv("PATH", first["PATH"])
    assert json.loads(twokeys("sandbox", "shell", "--json").stdout)["PATH"] == first["PATH"]
    assert (project / ".twokeys" / "pulumi" / "bin" / "pulumi").read_text() == wrapper


def test_the_vendors_plugin_is_used_where_it_is_installed(twokeys: Run, project: Path, recorder: Path) -> None:
    binaries = project / ".twokeys" / "pulumi" / "bin"
    ours = json.loads(twokeys("sandbox", "shell", "--json").stdout)
    assert (binaries / "pulumi-resource-aws").exists()
    assert "HTTP_PROXY" not in ours
    for name in ("pulumi-resource-aws", "pulumi-language-python", "pulumi-resource-pulumi-python"):
        (recorder / name).write_text("#!/bin/sh\n")
        (recorder / name).chmod(0o755)
    variables = json.loads(twokeys("sandbox", "shell", "--json").stdout)
    assert sorted(path.name for path in binaries.iterdir()) == ["pulumi"]
    assert variables["HTTP_PROXY"] == variables["AWS_ENDPOINT_URL"]


def test_our_own_plugin_on_path_is_not_the_vendors(
    twokeys: Run, project: Path, recorder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place_plugins(tmp_path, recorder / "pulumi", "/nowhere")
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), os.environ["PATH"])))
    variables = json.loads(twokeys("sandbox", "shell", "--json").stdout)
    assert "HTTP_PROXY" not in variables
    assert (project / ".twokeys" / "pulumi" / "bin" / "pulumi-resource-aws").exists()


def test_without_a_pulumi_cli_it_is_the_aws_clis_environment_and_says_how_to_get_one(
    twokeys: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run = twokeys("sandbox", "shell", "--json")
    assert "AWS_ENDPOINT_URL" in json.loads(run.stdout)
    assert "twokeys sandbox get-pulumi" in run.stderr


def test_the_newest_pulumi_of_the_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_pulumi() is None
    for version in ("3.9.0", "3.274.1"):
        made = tmp_path / "twokeys" / "pulumi" / version / "bin" / "pulumi"
        made.parent.mkdir(parents=True)
        made.write_text("#!/bin/sh\n")
        made.chmod(0o755)
    found = find_pulumi()
    assert found is not None
    assert found.parent.parent.name == "3.274.1"
    # The CLI warns of a host of its own languages that is on PATH and not beside it (GetPluginPath of pulumi/pulumi).
    assert place_plugins(tmp_path, found, "/nowhere") == ["pulumi-resource-aws"]
    assert found.with_name("pulumi-language-python").exists()
    assert found.with_name("pulumi-resource-pulumi-python").exists()
