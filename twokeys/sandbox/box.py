"""Where a sandbox keeps its states and its local AWS, and what programs see of it."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from twokeys.project.config import Project
from twokeys.sandbox.local_aws import LocalAws
from twokeys.sandbox.states import stack_outputs

ORGANIZATION: Final = "organization"
"""The organization in full stack names, as self-managed backends call it."""
_OURS: Final = ("aws", "stacks", "pulumi", "answers", "organization.svg", "shell")


@dataclass(frozen=True)
class Sandbox:
    """Where the sandbox keeps things: in `directory`, by default `.twokeys` in the project."""

    project: Project
    directory: Path

    @property
    def stacks(self) -> Path:
        """The folder of the states."""
        return self.directory / "stacks"

    @contextmanager
    def local_aws(self) -> Iterator[LocalAws]:
        """The local AWS: the one that runs already, else one that ends with us.

        Meanwhile the user's own AWS settings are hidden from this process, so that boto3 finds none of them.
        """
        with surroundings(self._nowhere), LocalAws.start(self.directory / "aws") as aws:
            yield aws

    def environment(self, aws: LocalAws) -> dict[str, str]:
        """The environment of programs and policy packs: ours, with the local AWS in place of any real one."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PULUMI_"))}
        return kept | self._nowhere | aws.environment()

    @property
    def _nowhere(self) -> dict[str, str]:
        """Variables that keep the AWS SDKs from the user's files and from a machine's own credentials."""
        missing = str(self.directory / "no-aws-config")
        files = {"AWS_CONFIG_FILE": missing, "AWS_SHARED_CREDENTIALS_FILE": missing}
        return files | {"AWS_EC2_METADATA_DISABLED": "true"}

    def stack_outputs(self, name: str) -> dict[str, Any] | None:
        """The outputs of a stack of this project, by short or full name; None when it is not up."""
        *of, stack = name.split("/")
        if of not in ([], [self.project.name], [ORGANIZATION, self.project.name]):
            return None
        return stack_outputs(self.stacks / f"{stack}.json")

    @property
    def up(self) -> list[str]:
        """The stacks that are up, in the order in which they were made."""
        states = [path for path in self.stacks.glob("*.json") if not path.name.endswith(".holder.json")]
        return [path.stem for path in sorted(states, key=lambda path: path.stat().st_mtime_ns)]

    def remove(self) -> None:
        """End the local AWS and forget everything in it, its folder too; never touches what no sandbox put there."""
        if not self.directory.is_dir():
            return
        running = LocalAws.attach(self.directory / "aws")
        if running is not None:
            running.stop()
        for name in _OURS:
            there = self.directory / name
            if there.is_dir():
                shutil.rmtree(there)
            else:
                there.unlink(missing_ok=True)
        if not any(self.directory.iterdir()):
            self.directory.rmdir()

    def take_place_of(self, old: Self) -> None:
        """Take the place of another one, whose local AWS ends; ours has ended."""
        old.remove()
        for there in self.directory.iterdir():
            there.rename(old.directory / there.name)
        self.directory.rmdir()


@contextmanager
def surroundings(instead: Mapping[str, str]) -> Iterator[None]:
    """What AWS's tools read is only this."""
    before = dict(os.environ)
    for name in before:
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ.update(instead)
    try:
        yield
    finally:
        for name in instead:
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if name.startswith("AWS_")})
