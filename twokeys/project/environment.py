"""An environment and its shards on disk: one config for people, and one that is made of it for each stack.

`Pulumi.prod.yaml` says everything about environment prod. Once it is split, `shards/Pulumi.prod-001.yaml` and so on
hold the same, each for its own accounts and their doors, and are the record of where an account is. `shards/` is a
Pulumi project of the same name, whose program is the one above it: `pulumi -C shards preview -s prod-001` previews one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from twokeys.errors import Refusal
from twokeys.project.config import read_config
from twokeys.project.shards import SHARDS, shard_files, shard_name
from twokeys.project.stack_yaml import as_text
from twokeys.settings import PROJECT, parse
from twokeys.settings.models import EVERY_ACCOUNT, MANAGEMENT, Settings
from twokeys.shown import listed

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]+")
"""https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack"""
_ACCOUNTS, _DOORS = f"{PROJECT}:accounts", f"{PROJECT}:doors"
_AT_ONCE: Final = f"{PROJECT}:accountsAtOnce"
_ONCE: Final = ("organization", "people", "audit", "bill")


@dataclass(frozen=True)
class Shard:
    """One stack of an environment.

    Attributes:
        stack: the stack's name: `prod-001`, or `prod` for the only one of an environment that is not split.
        folder: the folder of the Pulumi project that it is run in.
        accounts: the config keys of its accounts.
    """

    stack: str
    folder: Path
    accounts: tuple[str, ...]

    @property
    def file(self) -> Path:
        """The stack's config."""
        return self.folder / f"Pulumi.{self.stack}.yaml"


@dataclass(frozen=True)
class Environment:
    """An environment's config as it is written, and as it is understood.

    `root` is the project's folder, `config` the `config` section of its file, keys in full.
    """

    root: Path
    name: str
    config: Mapping[str, Any]
    settings: Settings

    @property
    def file(self) -> Path:
        """The file that people edit."""
        return self.root / f"Pulumi.{self.name}.yaml"

    @property
    def folder(self) -> Path:
        """Where the shards' config is."""
        return self.root / SHARDS

    @property
    def management(self) -> str:
        """The stack that its shards read from, by its short name."""
        return (self.settings.management_stack or MANAGEMENT).rpartition("/")[2]

    def recorded(self) -> dict[int, tuple[str, ...]]:
        """The accounts of each shard as its file has them, by number; empty for an environment that is not split.

        Raises Refusal when a shard's file cannot be read.
        """
        found = {}
        for number, path in shard_files(self.root, self.name).items():
            accounts = stored_config(path).get(_ACCOUNTS)
            if not isinstance(accounts, dict):
                raise Refusal(
                    f"{path.name} does not say which accounts are in the shard",
                    where=str(path),
                    why=f"it has no mapping `{_ACCOUNTS}`, and it is the only record of that",
                    next_step="take the file back from version control; a shard without accounts has `{}` there",
                )
            found[number] = tuple(accounts)
        return found

    def recorded_once(self) -> dict[int, tuple[str, ...]]:
        """As `recorded`; raises Refusal when an account is in two shards, too."""
        recorded = self.recorded()
        times = Counter(account for accounts in recorded.values() for account in accounts)
        if twice := sorted(account for account in times if times[account] > 1):
            raise Refusal(
                f"an account in two shards: {', '.join(twice)}",
                where=str(self.folder),
                why="two stacks would manage one account, and each would undo what the other does",
                next_step="take it out of the file of the shard whose state does not have it, then split again",
            )
        return recorded

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """The stacks of the environment, in the order of their numbers; the environment itself when it is not split.

        Raises Refusal when the files do not say what the environment says; `twokeys fleet split` brings them up to
        date.
        """
        recorded = self.recorded_once()
        if not recorded:
            return (Shard(self.name, self.root, tuple(self.settings.accounts)),)
        self._check(recorded)
        return tuple(
            Shard(shard_name(self.name, number), self.folder, accounts) for number, accounts in sorted(recorded.items())
        )

    @property
    def accounts_at_once(self) -> int:
        """How many accounts each shard creates at once: one, unless config says more; the others are other shards'."""
        return self.settings.accounts_at_once if _AT_ONCE in self.config else 1

    def shard_config(self, accounts: Iterable[str]) -> dict[str, Any]:
        """The config of a shard with these accounts: the environment's, less the other accounts and their doors.

        A door into every account is in each shard, where it leads into every account of the shard.
        """
        chosen = set(accounts)
        doors = {
            name: door
            for name, door in (self.config.get(_DOORS) or {}).items()
            if door["to"].get("account") == EVERY_ACCOUNT
            or self.settings.target_account_of(self.settings.doors[name]) in chosen
        }
        members = {name: one for name, one in (self.config.get(_ACCOUNTS) or {}).items() if name in chosen}
        return {**self.config, _AT_ONCE: str(self.accounts_at_once), _ACCOUNTS: members, _DOORS: doors}

    def shard_file(self, number: int) -> Path:
        """Where the config of a shard is."""
        return self.folder / f"Pulumi.{shard_name(self.name, number)}.yaml"

    def _check(self, recorded: Mapping[int, tuple[str, ...]]) -> None:
        differing = [
            number
            for number, accounts in recorded.items()
            if stored_config(self.shard_file(number)) != self.shard_config(accounts)
        ]
        missing = sorted(set(self.settings.accounts).difference(*recorded.values()))
        if differing or missing:
            why = f"{listed(missing)} in none of them" if missing else f"{len(differing)} differ from {self.file.name}"
            raise Refusal(
                f"the shards of {self.name} are not up to date",
                where=str(self.folder),
                why=why,
                next_step=f"run `twokeys fleet split {self.name}`, look at the difference, and commit it",
            )


def load(root: Path, name: str) -> Environment:
    """Read an environment.

    Raises Refusal when that is no name, the file is missing or malformed, its settings are not accepted, or it is the
    management stack's, or a shard's.
    """
    if not _NAME.fullmatch(name):
        raise Refusal(
            f"{name!r} as the name of an environment",
            where=str(root),
            why="it is the name of a stack, which has letters, digits, hyphens, underscores and periods",
            next_step="name an environment by its file: `prod` for Pulumi.prod.yaml",
        )
    path = root / f"Pulumi.{name}.yaml"
    if (root / SHARDS / path.name).exists():
        raise Refusal(
            f"{name} is a shard",
            where=str(root / SHARDS / path.name),
            why="a fleet is run by its environment",
            next_step=f"run `twokeys fleet ... {name.rpartition('-')[0]} --shard {name}`",
        )
    config = stored_config(path)
    secret = [key for key, value in config.items() if isinstance(value, dict) and "secure" in value]
    if secret:
        raise Refusal(
            f"an encrypted value, {secret[0]}, in an environment",
            where=str(path),
            why="it is encrypted for one stack, and each shard is a stack with secrets of its own",
            next_step="write it in plain text, or set it on each shard with `pulumi -C shards config set --secret`",
        )
    settings = parse(name, config)
    # Without `organization`, `people` only say where doors start.
    once = _ONCE if settings.organization else tuple(key for key in _ONCE if key != "people")
    own = [key for key in once if config.get(f"{PROJECT}:{key}")]
    if own:
        raise Refusal(
            f"stack {name} as an environment",
            where=str(path),
            why=f"it has `{own[0]}`, which is there once for the whole organization",
            next_step=f"run it as one stack (`pulumi up -s {name}`), and keep the accounts of an environment apart",
        )
    return Environment(root, name, config, settings)


def stored_config(path: Path) -> dict[str, Any]:
    """The `config` section of a stack's file, its keys in full and its values as the pulumi CLI stores them.

    Whenever it opens a stack the CLI may write the file anew, and then every value that is no object is text. A file
    says the same before and after that. Raises Refusal when there is no such file, or it is not a stack's.
    """
    config = read_config(path)
    return {
        key if ":" in key else f"{PROJECT}:{key}": value if isinstance(value, dict | list) else as_text(value)
        for key, value in config.items()
    }
