"""Next steps that work in a shard of an environment (docs/fleet.md)."""

from __future__ import annotations

from dataclasses import replace

from tests.organization.life.test_decisions import facts
from twokeys.organization.life.changes import remaining


def test_what_remains_after_a_new_address_names_commands_for_the_shard() -> None:
    known = replace(facts(), stack="prod-001", file="Pulumi.prod.yaml", environment="prod")
    assert remaining(known, "stage", "new@company.com") == [
        "write `email: new@company.com` under `twokeys:accounts.stage` in Pulumi.prod.yaml",
        "let the state learn it: `pulumi -C shards refresh -s prod-001`",
        "see that nothing changes: `twokeys fleet split prod && twokeys fleet preview prod --shard prod-001`",
    ]
