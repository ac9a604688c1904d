"""Where the pulumi CLI runs a project's stacks against a local AWS: its environment, and a mirror of the project.

The CLI writes into the files of stacks (the salt of the passphrase), and what it finds there may belong to another
passphrase or to a key of a real account. So it runs in a folder of links to everything in the project, with project and
stack files of its own, which are made from the project's at every command.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from twokeys.errors import Refusal
from twokeys.project.config import Project, read_mapping
from twokeys.project.stack_yaml import dumped
from twokeys.sandbox.get_pulumi import HOSTS, find_pulumi, is_ours, place_host, wrap
from twokeys.sandbox.local_aws import LocalAws

PASSPHRASE: Final = "sandbox"  # noqa: S105 - protects nothing: what the stacks hold is invented
_NOT_MIRRORED: Final = {"pyproject.toml", ".git", ".twokeys"}
_SECRETS: Final = {"encryptionsalt", "encryptedkey", "secretsprovider"}
_THEIRS: Final = ("AWS_", "PULUMI_")
_AWS: Final = "pulumi-resource-aws"
_OURS: Final = {**HOSTS, _AWS: "twokeys.sandbox.plugins.resource_aws"}
"""What is used where the vendor's is not there."""


@dataclass(frozen=True)
class PulumiBox:
    """The stacks of one project as the pulumi CLI has them, in the folder `pulumi` of the sandbox's folder."""

    project: Project
    directory: Path

    @property
    def mirror(self) -> Path:
        """The folder that the CLI runs in."""
        return self.directory / "pulumi" / "project"

    @property
    def binaries(self) -> Path:
        """The folder that goes before the rest of PATH."""
        return self.directory / "pulumi" / "bin"

    @property
    def backend(self) -> Path:
        """The folder of the states."""
        return self.directory / "pulumi" / "backend"

    def aws_files(self, who: str) -> dict[str, str]:
        """Variables that name files of the AWS CLI for somebody here, in place of the user's own."""
        folder = self.directory / "shell" / who
        return {"AWS_CONFIG_FILE": f"{folder / 'config'}", "AWS_SHARED_CREDENTIALS_FILE": f"{folder / 'credentials'}"}

    def local_aws(self) -> LocalAws:
        """The local AWS of these stacks, which outlives the command that starts it."""
        return LocalAws.start(self.directory / "aws", detached=True)

    def open(self, aws: LocalAws, account: str = "") -> dict[str, str]:
        """Make everything ready, and give the variables with which `pulumi` and the AWS CLI work on the local AWS.

        Where there is no pulumi CLI they are the AWS CLI's alone, which is the administrator of `account`; "" is the
        management account. Raises Refusal when a file cannot be read, or the CLI cannot create a stack.
        """
        path = os.environ.get("PATH", os.defpath).split(os.pathsep)
        others = os.pathsep.join(folder for folder in path if folder != str(self.binaries))
        variables = (aws.environment(account) if account else aws.environment()) | self.aws_files(account)
        pulumi = find_pulumi(others)
        if pulumi is None:
            return variables
        vendors = self._fill_binaries(pulumi, others)
        variables |= {
            "PATH": f"{self.binaries}{os.pathsep}{others}",
            "PULUMI_BACKEND_URL": self.backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_HOME": str(self.directory / "pulumi" / "home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        if vendors:
            # The vendor's plugin calls S3 Control at ACCOUNT.127.0.0.1, which no resolver knows; asked as a proxy, the
            # local AWS answers for every name. Names of loopback itself are never sent through a proxy.
            variables |= {"HTTP_PROXY": aws.endpoint, "NO_PROXY": "127.0.0.1,localhost"}
        self.reflect()
        self._create_stacks(clean_environment() | variables)
        return variables

    def reflect(self, overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
        """Make the mirror as the project is now; `overrides` (stack to key to value, parsed) win over stack files."""
        root = self.project.root
        self.mirror.mkdir(parents=True, exist_ok=True)
        own = {path.name for path in self.project.stacks().values() if path.parent == root} | {"Pulumi.yaml"}
        wanted = {path.name: path for path in root.iterdir() if path.name not in own | _NOT_MIRRORED}
        for link in self.mirror.iterdir():
            if link.is_symlink() and link.name not in wanted:
                link.unlink()
        for name, path in wanted.items():
            link = self.mirror / name
            if not os.path.lexists(link):
                link.symlink_to(path)
        settings = read_mapping(root / "Pulumi.yaml")
        options = settings.get("runtime", {}).get("options", {}) if isinstance(settings.get("runtime"), dict) else {}
        # Without pyproject.toml toolchain uv installs nothing: the program runs in the environment that is there.
        theirs = root / str(options.get("virtualenv") or ".venv")
        environment = str(theirs) if theirs.exists() else sys.prefix
        settings["runtime"] = {"name": "python", "options": {"toolchain": "uv", "virtualenv": environment}}
        settings.pop("stackConfigDir", None)
        if (self.binaries / _AWS).exists():  # of one that is named here the CLI does not warn, as of one from PATH
            named = {"name": "aws", "path": str(self.binaries.resolve())}
            settings.setdefault("plugins", {"providers": [named]})
        self._write("Pulumi.yaml", settings)
        for stack, path in self.project.stacks().items():
            name = f"Pulumi.{stack}.yaml"
            kept = {key: value for key, value in read_mapping(path).items() if key not in _SECRETS}
            if overrides and stack in overrides:
                kept["config"] = {**(kept.get("config") or {}), **overrides[stack]}
            mine = self.mirror / name
            salt = read_mapping(mine).get("encryptionsalt") if mine.is_file() and not mine.is_symlink() else None
            self._write(name, {**kept, **({"encryptionsalt": salt} if salt else {})})
        return self.mirror

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        """A file in place of a link, whole or not at all; what a link leads to is never written."""
        draft = self.mirror / f".{name}.new"
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(dumped(data), encoding="utf-8")
        draft.replace(self.mirror / name)

    def _fill_binaries(self, pulumi: Path, path: str) -> bool:
        """Put what goes before the rest of PATH into place; whether the aws plugin is the vendor's."""
        self.binaries.mkdir(parents=True, exist_ok=True)
        plugins = self.directory / "pulumi" / "home" / "plugins"
        plugins.parent.mkdir(parents=True, exist_ok=True)
        theirs = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi") / "plugins"
        if theirs.is_dir() and theirs != plugins and not os.path.lexists(plugins):
            plugins.symlink_to(theirs)
        wrap(self.binaries / "pulumi", "twokeys.sandbox.run_pulumi", pulumi, self.project.root, self.directory)
        vendors = any(plugins.glob(f"resource-aws-v{version('pulumi-aws')}*"))
        ours = place_plugins(self.binaries, pulumi, path)
        if vendors:
            (self.binaries / _AWS).unlink(missing_ok=True)
        return vendors or _AWS not in ours

    def _create_stacks(self, environment: Mapping[str, str]) -> None:
        """Create each stack that is not there, so that it needs no `pulumi stack init`, and an only one no `-s`."""
        self.backend.mkdir(parents=True, exist_ok=True)
        stacks = self.project.stacks()
        for stack in stacks:
            state = self.backend / ".pulumi" / "stacks" / self.project.name / f"{stack}.json"
            if state.exists():
                continue
            command = [str(self.binaries / "pulumi"), "stack", "init", f"organization/{self.project.name}/{stack}"]
            done = subprocess.run(  # noqa: S603 - the CLI that the user installed
                [*command, "--non-interactive", *(["--no-select"] if len(stacks) > 1 else [])],
                cwd=self.project.root,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise Refusal(
                    f"the stack {stack} cannot be created in the sandbox",
                    where=str(self.backend),
                    why=f"the pulumi CLI said: {(done.stderr or done.stdout).strip()}",
                    next_step="mend what it says; to start anew, remove that folder",
                )


def place_plugins(folder: Path, pulumi: Path, path: str) -> list[str]:
    """Put our plugins into a folder that goes before this PATH, but for those that are there; the names of ours."""
    made = []
    place_host(pulumi)
    for name, module in _OURS.items():
        found = shutil.which(name, path=path)
        there = pulumi.resolve().with_name(name).exists() or (found and not is_ours(Path(found)))
        (folder / name).unlink(missing_ok=True)
        if not there:
            wrap(folder / name, module)
            made.append(name)
    return made


def clean_environment() -> dict[str, str]:
    """This process's environment without anything of AWS's or Pulumi's: what is left leads to no real account."""
    return {key: value for key, value in os.environ.items() if not key.startswith(_THEIRS)}


def inherited(variables: Iterable[str]) -> list[str]:
    """The variables of AWS and Pulumi in this process's environment that are none of `variables`."""
    return sorted(key for key in os.environ if key.startswith(_THEIRS) and key not in set(variables))
