"""Next steps that work in a shard of an environment (docs/fleet.md)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.lifecycle.test_decisions import facts
from twokeys.lifecycle.changes import remaining


@pytest.mark.parametrize(
    ("sandbox", "engine"),
    [(True, " --engine sandbox"), (False, "")],
)
def test_what_remains_after_a_rename_names_commands_for_the_shard(sandbox: bool, engine: str) -> None:
    known = replace(facts(), stack="prod-001", file="Pulumi.prod.yaml", environment="prod", sandbox=sandbox)
    assert remaining(known, "stage", "name", "Staging") == [
        "write `name: Staging` under `twokeys:accounts.stage` in Pulumi.prod.yaml",
        "let the state learn it: `pulumi -C shards refresh -s prod-001`",
        f"see that nothing changes: `twokeys fleet split prod && twokeys fleet preview prod --shard prod-001{engine}`",
    ]
