"""A trust in a principal that was deleted and made anew under its name is none.

"When you save the policy, the ARN is transformed to the unique principal ID ... the principal does not match":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.access.world import CI, DEPLOYER, HUB, World, arn, document, grants, trusts, two_keys
from twokeys.access.reading.since import NOT_KNOWN, Since

T = datetime(2026, 3, 1, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
AT_ONCE = Since(T, T)


def dated(world: World, name: str, since: Since, *, by_aws: bool = True) -> None:
    found = next(one for one in world.resources if one.name == name)
    outputs = {**found.outputs, "createDate": "2026-03-01T00:00:00Z"} if by_aws else found.outputs
    world.change(found, since=since, outputs=outputs)


@pytest.mark.parametrize(("made", "written", "by_aws", "refused"), [
    (AT_ONCE, AT_ONCE, True, []),
    (Since(T + SECOND, T + SECOND), AT_ONCE, True, ["door-needs-trust"]),  # both by AWS's clock
    (Since(T + SECOND, T + SECOND), AT_ONCE, False, []),  # the engine's, which may be of two machines
    (Since(T + 6 * MINUTE, T + 6 * MINUTE), AT_ONCE, True, ["door-needs-trust"]),
    (Since(T + 6 * MINUTE, T + 6 * MINUTE), AT_ONCE, False, []),  # it may have been imported
    (Since(T + 6 * MINUTE, T + 6 * MINUTE), Since(T, T + 7 * MINUTE), True, []),  # written again since
    (Since(T + 6 * MINUTE, T + 6 * MINUTE), Since(T, T + 2 * MINUTE), True, []),
    (Since(T + 6 * MINUTE, T + 6 * MINUTE), NOT_KNOWN, True, []),
    (Since(None, T + 6 * MINUTE), AT_ONCE, True, []),  # imported
])  # fmt: skip
def test_a_trust_that_was_written_before_its_principal_was_made_is_no_key(
    made: Since, written: Since, by_aws: bool, refused: list[str]
) -> None:
    world = two_keys()
    dated(world, "ci", made, by_aws=by_aws)
    dated(world, "deployer", written, by_aws=by_aws)
    assert world.refused == refused
    for said in world.check().mandatory:
        assert "names it as it was before it was made anew on 2026-03-01 00:0" in said.message
        assert "`pulumi up --refresh`" in said.next_step


@pytest.mark.parametrize("statement", [
    trusts(arn(HUB, "root")),
    trusts(arn(HUB, "root"), condition={"ArnEquals": {"aws:PrincipalArn": CI}}),
])  # fmt: skip
def test_a_trust_in_an_account_or_by_a_condition_keeps_no_unique_id(statement: dict[str, object]) -> None:
    world = two_keys(document(statement))
    dated(world, "ci", Since(T + SECOND, T + SECOND))
    dated(world, "deployer", AT_ONCE)
    assert world.rules() == []


def test_of_a_group_each_member_who_was_made_anew_is_named_and_the_group_is_not() -> None:
    world = World()
    world.add("Group", "developers", world.hub, name="developers")
    world.add("GroupPolicy", "enter", world.hub, group="developers", name="enter", policy=document(grants(DEPLOYER)))
    for user in ("alice", "bob"):
        made = world.add("User", user, world.hub, name=user)
        world.change(made, since=replace(AT_ONCE, first=T + 6 * MINUTE if user == "bob" else T))
        world.add("UserGroupMembership", user, world.hub, user=user, groups=["developers"])
    named = (arn(HUB, f"user/{user}") for user in ("alice", "bob"))
    world.change(world.role("deployer", world.stage, document(trusts(*named))), since=AT_ONCE)
    (said,) = (one for one in world.check().advisory if one.rule == "unproved-door")
    assert "is older than user bob, made or imported on 2026-03-01 00:06 UTC: if made anew" in said.message
    assert "`pulumi up --refresh`" in said.next_step
