"""Which policy packs a command checks with: the options that say it, and what is wrong with them."""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from twokeys.errors import Refusal
from twokeys.options import FOLDER, InputPath

_Command = TypeVar("_Command", bound=Callable[..., Any])


def policy_options(command: _Command) -> _Command:
    """`--policy-pack`, `--policy-pack-config` and `--no-policies`: what `chosen_packs` takes."""
    for option in (
        click.option("--no-policies", is_flag=True, help="Check with no policy pack."),
        click.option(
            "--policy-pack-config",
            "pack_configs",
            multiple=True,
            type=InputPath(path_type=Path, dir_okay=False),
            help="A JSON file with the configuration of the policy pack in the same place.",
        ),
        click.option(
            "--policy-pack",
            "packs",
            multiple=True,
            type=FOLDER,
            help="A policy pack to check with; may be repeated. Default: policies/ in the project.",
        ),
    ):
        command = option(command)
    return command


def chosen_packs(
    root: Path, packs: tuple[Path, ...], configs: tuple[Path, ...], *, no_policies: bool
) -> tuple[tuple[Path, Mapping[str, Any]], ...]:
    """The folders of the packs, each with its configuration; none with `--no-policies`.

    Args:
        root: the project's folder, whose `policies/` is the pack when none is named.

    Raises:
        click.UsageError: the options contradict each other.
        Refusal: a folder holds no pack, or a configuration cannot be read.
    """
    if len(configs) > max(len(packs), 1):
        raise click.UsageError("there are more --policy-pack-config than --policy-pack")
    if no_policies and (packs or configs):
        raise click.UsageError("--no-policies goes with no other policy option")
    if no_policies:
        return ()
    folders = [pack.resolve() for pack in packs] or [root / "policies"]
    for folder in folders:
        if not (folder / "PulumiPolicy.yaml").is_file():
            raise Refusal(
                "there is no policy pack to check with",
                where=str(folder),
                why="it has no PulumiPolicy.yaml",
                next_step="name another folder with --policy-pack, or say --no-policies",
            )
    loaded = [load_config(path) for path in configs]
    return tuple((folder, loaded[index] if index < len(loaded) else {}) for index, folder in enumerate(folders))


def load_config(path: Path) -> dict[str, Any]:
    """A `--policy-pack-config` file.

    Raises:
        Refusal: it is not there or not a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8")
        config = json.loads(text) if text.strip() else {}
        if not isinstance(config, dict):
            raise ValueError("it is not a JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise Refusal(
            "the policy pack's configuration cannot be read",
            where=os.fspath(path),
            why=getattr(error, "strerror", None) or str(error),
            next_step="give a JSON object of policy names, as `pulumi up --policy-pack-config` takes it",
        ) from error
    return config
