"""The rules' configuration from a file, for commands."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twokeys.access.configuration import OTHER_STACKS, read_configuration
from twokeys.access.findings import Rule
from twokeys.policy_packs import load_config


def rules_config(file: Path | None, rules: Sequence[Rule[Any]]) -> dict[str, dict[str, object]]:
    """The policy pack's configuration in a file; empty where none is named.

    Raises Refusal when it cannot be read, or names a rule, level or setting that there is not.
    """
    return {} if file is None else read_configuration(load_config(file), rules, where=str(file), others=(OTHER_STACKS,))
