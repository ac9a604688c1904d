"""Next steps that work in a shard of an environment (docs/fleet.md)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.lifecycle.test_decisions import facts
from twokeys.lifecycle.changes import remaining


@pytest.mark.parametrize(
    ("sandbox", "refresh", "engine"),
    [
        (
            True,
            "twokeys sandbox refresh prod-001 --project shards --state .twokeys --policy-pack policies",
            " --engine sandbox",
        ),
        (False, "pulumi -C shards refresh -s prod-001", ""),
    ],
)
def test_what_remains_after_a_rename_names_commands_for_the_shard(sandbox: bool, refresh: str, engine: str) -> None:
    known = replace(facts(), stack="prod-001", file="Pulumi.prod.yaml", environment="prod", sandbox=sandbox)
    assert remaining(known, "stage", "name", "Staging") == [
        "write `name: Staging` under `twokeys:accounts.stage` in Pulumi.prod.yaml",
        f"let the state learn it: `{refresh}`",
        f"see that nothing changes: `twokeys fleet split prod && twokeys fleet preview prod --shard prod-001{engine}`",
    ]
