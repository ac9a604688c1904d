"""One grant in the management stack, a trust in every account of every shard: on disk. For real: test_engine.py.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html: both keys open;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: why there is one grant for all.
"""

from pathlib import Path
from typing import Any

from tests.fleet.conftest import environment_of, write_stack
from tests.fleet.test_environment import split
from twokeys.fleet.layout import account_sizes
from twokeys.project.environment import load, stored_config

GRANT = {"from": {"role": "auditor"}, "to": {"role": "auditor"}, "reason": "The audit", "owner": "security"}
AUDITOR: dict[str, Any] = {
    "from": {"role": "auditor"},
    "to": {"account": "*", "role": "auditor"},
    "keys": ["trust"],
    "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/SecurityAudit"]},
    "reason": "The audit",
    "owner": "security",
}


def environment(project: Path, names: list[str], **door: object) -> None:
    write_stack(project, "prod", {**environment_of(names, doors=False), "twokeys:doors": {"auditor": AUDITOR | door}})


def test_a_door_into_every_account_is_in_every_shard_and_counted_for_each_account(project: Path) -> None:
    environment(project, ["one", "two", "three"])
    assert account_sizes(load(project, "prod").settings) == {"one": 6, "two": 6, "three": 6}
    split(project)
    shards = load(project, "prod").shards
    assert [shard.accounts for shard in shards] == [("one", "two"), ("three",)]
    assert [stored_config(shard.file)["twokeys:doors"] for shard in shards] == [{"auditor": AUDITOR}] * 2
