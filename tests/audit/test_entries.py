"""Who can enter an account, as the access graph has it, with where each key stands and since when."""

from __future__ import annotations

from datetime import date

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    PROD,
    STAGE,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from twokeys.audit.entries import picture
from twokeys.audit.model import Entry, Picture
from twokeys.errors import Refusal

EARLY, LATE, LATER = "2026-01-01T08:00:00.5Z", "2026-03-01T08:00:00Z", "2026-05-01T08:00:00Z"


def dated(world: World, kind: str, name: str, created: str, modified: str | None = None) -> None:
    (found,) = [one for one in world.resources if one.type.endswith(f":{kind}") and one.name == name]
    world.change(found, created=created, modified=modified or created)


def seen(world: World, target: str | None = None) -> Picture:
    return picture(world.graph, target)


def only(found: Picture) -> Entry:
    (entry,) = [one for one in found.entries if one.name != "AWS's own access role"]
    return entry


def test_a_door_is_told_with_both_keys_their_statements_and_resources() -> None:
    entry = only(seen(two_keys(), STAGE))
    assert (entry.who.key, entry.role_arn, entry.verdict) == (("role", HUB, "ci"), DEPLOYER, "ALLOW")
    (step,) = entry.steps
    assert step.trust is not None
    assert (step.trust.urn, step.trust.statement) == ("urn:pulumi:stage::twokeys::aws:iam/role:Role::deployer", 0)
    (grant,) = step.grants
    assert (grant.urn, grant.statement) == ("urn:pulumi:stage::twokeys::aws:iam/rolePolicy:RolePolicy::ci-grant", 0)


def test_the_statement_that_turns_the_key_is_named_among_others() -> None:
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(arn(OUTSIDE, "role/x")), trusts(CI) | {"Sid": "Ci"}))
    world.grant("ci", world.hub, arn(PROD, "role/other"), DEPLOYER)
    step = only(seen(world, STAGE)).steps[0]
    assert step.trust is not None
    assert (step.trust.statement, step.trust.sid) == (1, "Ci")


def test_a_door_is_there_since_the_later_of_its_keys() -> None:
    world = two_keys()
    dated(world, "Role", "deployer", EARLY)
    half = only(seen(world, STAGE))
    assert (half.since, half.not_before) == (None, EARLY), "the grant's time is not told"
    dated(world, "RolePolicy", "ci-grant", LATE)
    entry = only(seen(world, STAGE))
    assert (entry.since, entry.changed) == (LATE, None)
    dated(world, "Role", "deployer", EARLY, LATER)
    assert only(seen(world, STAGE)).changed == LATER


def test_a_members_key_is_the_groups_policy_and_the_membership() -> None:
    world = World()
    world.add("Group", "people", world.hub, name="people")
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserGroupMembership", "ann-in", world.hub, user="ann", groups=["people"])
    world.add("GroupPolicy", "enter", world.hub, group="people", name="enter", policy=document(grants(DEPLOYER)))
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/ann"), condition=MFA)))
    for kind, name, time in (("Role", "deployer", EARLY), ("GroupPolicy", "enter", EARLY)):
        dated(world, kind, name, time)
    dated(world, "UserGroupMembership", "ann-in", LATE)
    entry = only(seen(world, STAGE))
    assert entry.who.key == ("user", HUB, "ann")
    assert entry.conditions == ("MFA",)
    assert [grant.document for grant in entry.steps[0].grants] == [
        "inline policy enter of group people",
        "membership of user ann in group people",
    ]
    assert entry.since == LATE


def test_an_attached_managed_policy_is_a_key_since_it_was_attached() -> None:
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(CI)))
    policy = arn(HUB, "policy/enter")
    world.add("Policy", "enter", world.hub, name="enter", arn=policy, policy=document(grants(DEPLOYER)))
    world.add("RolePolicyAttachment", "ci-enter", world.hub, role="ci", policyArn=policy)
    for kind, name in (("Role", "deployer"), ("Policy", "enter")):
        dated(world, kind, name, EARLY)
    dated(world, "RolePolicyAttachment", "ci-enter", LATE)
    entry = only(seen(world, STAGE))
    assert entry.since == LATE
    assert [grant.document for grant in entry.steps[0].grants] == [
        "managed policy enter",
        "attachment of managed policy enter to role ci",
    ]


def chained() -> World:
    """ann -> deployer in stage -> root of nothing else -> reader in prod."""
    world = World()
    prod = world.provider("prod", PROD)
    world.add("User", "ann", world.hub, name="ann")
    world.add("UserPolicy", "ann-grant", world.hub, user="ann", name="g", policy=document(grants(DEPLOYER)))
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/ann"), condition=MFA)), maxSessionDuration=14400)
    world.grant("deployer", world.stage, arn(PROD, "role/reader"))
    world.role("reader", prod, document(trusts(DEPLOYER)), maxSessionDuration=14400)
    return world


def test_ways_through_other_roles_are_told_with_every_key_and_the_limit_of_role_chaining() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining: one hour at most."""
    direct, chain = [one for one in seen(chained(), PROD).entries if one.name != "AWS's own access role"]
    assert (direct.who.key, direct.max_session_seconds) == (("role", STAGE, "deployer"), 3600)
    assert chain.who.key == ("user", HUB, "ann")
    assert [role.key for role in chain.through] == [("role", STAGE, "deployer")]
    assert chain.conditions == ("MFA",)
    assert chain.max_session_seconds == 3600
    assert [len(step.keys) for step in chain.steps] == [2, 2]


def test_a_users_session_is_as_long_as_the_role_allows() -> None:
    assert only(seen(chained(), STAGE)).max_session_seconds == 14400


def test_awss_own_access_role_is_a_way_in_of_the_management_account() -> None:
    world = World()
    world.add("Account", "prod", world.hub, name="prod", outputs={"id": PROD, "name": "prod"})
    (entry,) = seen(world, "prod").entries
    assert entry.who.key == ("root", HUB, "")
    assert entry.role_arn == arn(PROD, "role/OrganizationAccountAccessRole")


def test_awss_own_access_role_is_told_also_where_nobody_knows_the_management_account() -> None:
    world = World()
    world.resources = [world.stage]
    (entry,) = seen(world, STAGE).entries
    assert entry.role_arn == arn(STAGE, "role/OrganizationAccountAccessRole")
    assert "not told" in str(entry.who)


def test_a_way_expires_with_the_first_of_its_doors() -> None:
    world = chained()
    for name, source, account, role, day in (
        ("ann-in", {"kind": "user", "account": HUB, "names": ["ann"]}, STAGE, "deployer", "2026-12-01"),
        ("on-to-prod", {"kind": "role", "account": STAGE, "names": ["deployer"]}, PROD, "reader", "2027-12-01"),
    ):
        door = {"name": name, "source": source, "target": {"account": account, "role": role}, "expires": day}
        world.add("Component", name, door={**door, "owner": "platform"})
    direct, chain = [one for one in seen(world, PROD).entries if one.name != "AWS's own access role"]
    assert (direct.expires.date(), chain.expires.date(), chain.name) == (
        date(2027, 12, 2),
        date(2026, 12, 2),
        "on-to-prod",
    )


def test_an_account_is_found_by_id_name_environment_and_stack() -> None:
    world = two_keys()
    tags = {"Environment": "production"}
    world.add("Account", "acc", world.hub, name="payments", outputs={"id": PROD, "name": "payments", "tags": tags})
    for target in (PROD, "payments", "Production", "prod"):
        assert list(seen(world, target).accounts) == [PROD]
    assert PROD in seen(world, "stage").accounts, "the stack that makes the account is called stage"
    assert set(seen(world).accounts) == {HUB, STAGE, PROD}
    with pytest.raises(Refusal, match="no account is called dev") as refused:
        seen(world, "dev")
    assert "payments" in refused.value.why


def test_a_door_that_is_shut_is_no_way_in() -> None:
    world = two_keys()
    world.resources = [one for one in world.resources if one.name != "ci-grant"]
    found = seen(world, STAGE)
    assert [one for one in found.entries if one.role == "deployer"] == []


def test_what_nobody_here_can_prove_shut_is_told() -> None:
    world = World()
    world.role("partner", world.stage, document(trusts(arn(OUTSIDE, "role/agent"))))
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    world.role("open", world.stage, document(trusts("*")))
    told = {(str(one.source), one.target.name) for one in seen(world, STAGE).not_proved if one.source and one.target}
    assert told == {
        (f"role agent of {OUTSIDE}", "partner"),
        (f"account {OUTSIDE} as a whole", "vendor"),
        ("everyone in AWS", "open"),
    }


def test_identity_providers_that_roles_trust_are_told() -> None:
    world = World()
    provider = arn(STAGE, "oidc-provider/token.actions.githubusercontent.com")
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    world.role("ci", world.stage, document(statement))
    assert [one.name for one in seen(world, STAGE).federated] == [f"{provider} as role ci"]
    assert seen(world, HUB).federated == ()
