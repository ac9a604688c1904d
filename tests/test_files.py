"""A person's file is replaced whole or not at all, and everything about it stays as it was."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from twokeys import files
from twokeys.errors import Refusal

DRAFT = ".config.twokeys.tmp"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config"
    file.write_text("old")
    return file


def replace(path: Path, new: str, old: str | None = None) -> None:
    with files.locked(path):
        files.replace_text(path, files.read_text(path) if old is None else old, new)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_the_mode_stays(config: Path, mode: int) -> None:
    config.chmod(mode)
    replace(config, "new")
    assert config.read_text() == "new"
    assert stat.S_IMODE(config.stat().st_mode) == mode


def test_a_new_file_and_its_new_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / ".aws" / "config"
    replace(file, "new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_owner_stays_when_somebody_else_writes(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    owner = config.stat()
    monkeypatch.setattr(os, "geteuid", lambda: owner.st_uid + 1)
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    replace(config, "new")
    assert given == [(owner.st_uid, owner.st_gid)]


def test_a_link_keeps_being_a_link_and_what_it_leads_to_is_replaced(config: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link"
    link.symlink_to("../config")
    replace(link, "new")
    assert link.is_symlink()
    assert os.readlink(link) == "../config"
    assert config.read_text() == "new"
    assert not (tmp_path / "elsewhere" / DRAFT).exists()


def test_a_link_that_leads_to_nothing_yet_gets_its_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "dotfiles-config")
    replace(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "dotfiles-config").read_text() == "new"


def test_bytes_that_are_not_utf8_survive(config: Path) -> None:
    config.write_bytes(b"# \xff\xfe caf\xe9\r\n")
    replace(config, files.read_text(config) + "new")
    assert config.read_bytes() == b"# \xff\xfe caf\xe9\r\nnew"


def test_a_read_only_file_is_refused_also_for_root(config: Path) -> None:
    config.chmod(0o400)
    with pytest.raises(Refusal, match=f"read-only.*Next step: chmod u\\+w {config}$"):
        replace(config, "new")
    assert config.read_text() == "old"


def test_a_file_that_somebody_else_changed_meanwhile_is_refused_and_kept(config: Path) -> None:
    with pytest.raises(Refusal, match="no longer what this command read"):
        replace(config, "new", old="what it was before")
    assert config.read_text() == "old"
    assert not (config.parent / DRAFT).exists()


def test_folders_devices_circles_and_missing_parents_are_refused(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    (tmp_path / "file").write_text("")
    for path in (tmp_path, Path("/dev/null"), circle, tmp_path / "file" / "config"):
        with pytest.raises(Refusal):
            files.write_output(path, "new")
        with pytest.raises(Refusal):
            replace(path, "new", old="")


def test_a_full_disk_leaves_the_old_text_and_no_draft(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refusal, match="No space left"):
        replace(config, "new")
    assert config.read_text() == "old"
    assert not (config.parent / DRAFT).exists()


@pytest.mark.parametrize("moment", ["write", "fsync", "replace"])
def test_a_run_that_is_killed_at_any_moment_leaves_the_old_text_and_the_next_one_works(
    config: Path, moment: str
) -> None:
    script = f"""
import os, signal
from pathlib import Path
from twokeys import files
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
path = Path({str(config)!r})
if {moment!r} == "write":
    os.fdopen = die
else:
    setattr(os, {moment!r}, die)
with files.locked(path):
    files.replace_text(path, "old", "new")
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert config.read_text() == "old"
    assert (config.parent / DRAFT).exists()
    replace(config, "new")
    assert config.read_text() == "new"
    assert not (config.parent / DRAFT).exists()


def test_a_file_that_another_run_holds_is_refused_after_a_while(config: Path) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with files.locked(config):
            held.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    held.wait(30)
    try:
        with pytest.raises(Refusal, match="another run"), files.locked(config, seconds=0.1):
            raise AssertionError("the lock was given twice")
    finally:
        done.set()
        other.join()
    with files.locked(config, seconds=0.1):
        pass
    assert [one for one in config.parent.iterdir() if one.name.endswith(".lock")] == []


def test_where_no_lock_can_be_made_no_other_run_is_said_to_hold_the_file() -> None:
    with pytest.raises(Refusal, match="no lock can be made beside it"), files.locked(Path("/proc/none"), seconds=0.1):
        raise AssertionError("there are no files of one's own in it")


def test_an_output_replaces_an_older_one_with_the_mode_that_the_umask_gives(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    before = os.umask(0o027)
    try:
        files.write_output(page, "one")
        files.write_output(page, "two")
    finally:
        os.umask(before)
    assert page.read_text() == "two"
    assert stat.S_IMODE(page.stat().st_mode) == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["page.html"]


def test_of_several_files_none_is_replaced_when_one_cannot_be_written(tmp_path: Path) -> None:
    first = tmp_path / "first.yaml"
    first.write_text("old")
    with pytest.raises(Refusal, match="No such file or directory"):
        files.write_outputs({first: "new", tmp_path / "nowhere" / "second.yaml": "new"})
    assert first.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["first.yaml"]
    second = tmp_path / "second.yaml"
    files.write_outputs({first: "1", second: "2"})
    assert (first.read_text(), second.read_text()) == ("1", "2")
