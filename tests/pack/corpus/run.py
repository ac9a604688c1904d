"""Previews public programs with the pack on the pulumi CLI, and says which it refuses: none of them opens an account.

    python -m tests.pack.corpus.run WORK [--source 'https://github.com/{}'] [--node-modules DIR] [--virtualenv DIR]
        [--only TEXT]

The programs of `programs.txt` are fetched into WORK. Their languages' hosts, `pulumi` and the plugins of their packages
are those of PATH, AWS is that of the environment (a local one will do): without one, a trust in one's own account is
refused. Programs find their modules in the DIR of their language.
Exits with 1 when a program is refused; those that end before the policies are asked are listed with what ended them.
"""

import argparse
import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CONFIG = {"aws:region": "us-east-1"}
_MANDATORY = re.compile(r"^\s*- \[mandatory\].*$", re.MULTILINE)
_ADVISORY = re.compile(r"^\s*- \[advisory\].*$", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """One line of the list."""

    language: str
    repository: str
    commit: str
    folder: str
    config: tuple[str, ...] = ()


def programs() -> list[Program]:
    """The list."""
    lines = Path(__file__).with_name("programs.txt").read_text().splitlines()
    fields = [line.split() for line in lines if line and not line.startswith("#")]
    return [Program(*some[:4], tuple(some[4:])) for some in fields]


def fetch(program: Program, source: str, work: Path) -> Path:
    """The program's folder, as it is at its commit."""
    bare = work / "fetched" / program.repository
    url = source.format(program.repository, dashed=program.repository.replace("/", "+"))
    if not bare.exists():
        git = ["git", "clone", "--quiet", "--bare", "--filter=blob:none", url, str(bare)]
        subprocess.run(
            git if "://" in url else ["git", "clone", "--quiet", "--bare", "--shared", url, str(bare)], check=True
        )
    git = ["git", "-C", str(bare), "archive", program.commit, program.folder]
    archive = subprocess.run(git, check=True, capture_output=True).stdout
    place = work / "programs" / program.repository
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(place, filter="data")
    project = place / program.folder / "Pulumi.yaml"  # of a template, its name is still to be given
    named = project.read_text().replace("${PROJECT}", "try").replace("${DESCRIPTION}", "A public program.")
    project.write_text(named)
    return place / program.folder


def link_modules(program: Program, folder: Path, modules: Mapping[str, Path | None]) -> None:
    """Put what its language imports where the program looks for it."""
    names = {"nodejs": ["node_modules"], "python": ["venv", ".venv"]}
    place = modules.get(program.language)
    for name in names.get(program.language, []):
        if place is not None and not (folder / name).exists():
            (folder / name).symlink_to(place.resolve())


def preview(program: Program, folder: Path, work: Path) -> str:
    """What the CLI says of the program with the pack."""
    state = work / "state" / program.repository.replace("/", "-") / program.folder.replace("/", "-")
    state.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": ""}
    settings = [f"{key}={value}" for key, value in CONFIG.items()] + list(program.config)
    said = ""
    for command in (
        ["stack", "init", "try"],
        *(["config", "set", *setting.split("=", 1)] for setting in settings),
        ["preview", "--color", "never", "--policy-pack", str(ROOT / "policies")],
    ):
        where = ["--stack", "try"] if command[0] != "stack" else []
        done = subprocess.run(
            ["pulumi", *command, *where],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        said = done.stdout + done.stderr
    return said


def main() -> int:
    """Run the list."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", type=Path)
    parser.add_argument("--source", default="https://github.com/{}")
    parser.add_argument("--node-modules", type=Path)
    parser.add_argument("--virtualenv", type=Path)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    count = {"passed": 0, "refused": 0, "did not run": 0}
    for program in programs():
        if given.only not in f"{program.language} {program.folder}":
            continue
        folder = fetch(program, given.source, given.work)
        link_modules(program, folder, {"nodejs": given.node_modules, "python": given.virtualenv})
        said = preview(program, folder, given.work)
        asked = "✅ twokeys" in said or "⚠️ twokeys" in said or "❌ twokeys" in said
        found = _MANDATORY.findall(said)
        ended = "refused" if found else "passed" if asked and "error:" not in said else "did not run"
        count[ended] += 1
        print(f"{ended}: {program.repository}/{program.folder} ({program.language})", flush=True)
        for line in found + _ADVISORY.findall(said):
            print(f"    {line.strip()}")
        if ended == "did not run":
            print("    " + next((line.strip() for line in said.splitlines() if "error" in line.lower()), said[-200:]))
    print(", ".join(f"{number} {ended}" for ended, number in count.items()))
    return 1 if count["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
