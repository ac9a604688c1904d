"""A pack for somebody else's project: https://www.pulumi.com/docs/insights/policy/policy-packs/"""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import grpc
import pytest
import yaml
from google.protobuf import empty_pb2
from packaging.utils import parse_wheel_filename
from pulumi.runtime.proto import analyzer_pb2_grpc

from twokeys.access.rules import RULES
from twokeys.errors import Refusal
from twokeys.pack.folder import write_pack


def test_the_folder_of_this_repository_is_what_everybody_gets(
    tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    write_pack(tmp_path / "policies")
    for name in ("PulumiPolicy.yaml", "__main__.py"):
        assert (tmp_path / "policies" / name).read_text() == (project_root / "policies" / name).read_text()


def test_an_environment_elsewhere_is_named_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "elsewhere"))
    write_pack(tmp_path / "project" / "policies")
    written = yaml.safe_load((tmp_path / "project" / "policies" / "PulumiPolicy.yaml").read_text())
    assert written["runtime"]["options"] == {"virtualenv": str((tmp_path / "elsewhere").resolve())}


def test_a_pack_whose_extra_is_not_installed_says_which_it_is() -> None:
    program = "import sys; sys.modules['grpc'] = None; from twokeys.pack.serving import serve; serve()"
    command = [sys.executable, "-P", "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert "pip install '../twokeys[policies]'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("mine")
    with pytest.raises(Refusal, match="already"):
        write_pack(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["__main__.py"]
    assert write_pack(tmp_path / "again")
    assert write_pack(tmp_path / "again") == [], "what is there as it is to be stays"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refusal, match="cannot be written"):
        write_pack(tmp_path / "file" / "policies")


def test_a_written_pack_answers_the_engine_and_ends_with_it(tmp_path: Path) -> None:
    write_pack(tmp_path / "policies")
    pack = subprocess.Popen([sys.executable, "policies"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert pack.stdout is not None
    try:
        with grpc.insecure_channel(f"127.0.0.1:{pack.stdout.readline().strip()}") as channel:
            info = analyzer_pb2_grpc.AnalyzerStub(channel).GetAnalyzerInfo(empty_pb2.Empty())  # type: ignore[no-untyped-call]
        assert {rule.name for rule in RULES} < {policy.name for policy in info.policies}
        assert info.supportsConfig
    finally:
        pack.terminate()
        pack.wait()
        pack.stdout.close()


def test_a_pack_to_publish_names_what_another_machine_has_to_install(tmp_path: Path) -> None:
    """Pulumi Cloud hands out the folder without what .gitignore names; the CLI there installs requirements.txt."""
    write_pack(tmp_path / "policies", publishable=True)
    written = yaml.safe_load((tmp_path / "policies" / "PulumiPolicy.yaml").read_text())
    assert written["runtime"]["options"] == {"virtualenv": "venv"}
    assert (tmp_path / "policies" / ".gitignore").read_text() == "venv\n"
    wheel, _, extra = (tmp_path / "policies" / "requirements.txt").read_text().strip().partition("[")
    name, released, _, _ = parse_wheel_filename(wheel.removeprefix("./"))
    assert (name, str(released), extra) == ("twokeys", version("twokeys"), "policies]")
