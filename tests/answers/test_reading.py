"""Who can enter an account, as the access graph has it, with where each key stands and since when."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.access.states import write_state
from tests.access.test_graph import OURS_ONLY, THEIRS, control, perimeter
from tests.access.test_identity_center import center
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
from twokeys.access.graph import build
from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import Evidence, NotAnswered, Snapshot
from twokeys.access.reading.state import parse_state
from twokeys.answers.model import Answers, Time, Way
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.answers.summary import scope, summary
from twokeys.answers.words import conditions, facts, keys, not_now, since
from twokeys.doors import Who
from twokeys.doors.expiry import until
from twokeys.errors import Refusal

EARLY, LATE, LATER = (datetime(2026, month, 1, 8, tzinfo=UTC) for month in (1, 3, 5))


def dated(world: World, kind: str, name: str, first: datetime, last: datetime | None = None) -> None:
    (found,) = [one for one in world.resources if one.type.endswith(f":{kind}") and one.name == name]
    world.change(found, since=Since(first, last or first))


def seen(world: World, target: str | None = None) -> Answers:
    return into(read(world.graph), target)


def declared_ways(found: Answers) -> list[Way]:
    return [way for way in found.ways if not way.by_access_role]


def only(found: Answers) -> Way:
    (way,) = declared_ways(found)
    return way


def test_a_door_is_told_with_both_keys_their_statements_and_resources() -> None:
    way = only(seen(two_keys(), STAGE))
    assert (way.source.who, way.target.arn, way.verdict) == (Who("role", HUB, "ci"), DEPLOYER, "ALLOW")
    (step,) = way.steps
    assert step.trust is not None
    assert (step.trust.urn, step.trust.statement) == ("urn:pulumi:stage::twokeys::aws:iam/role:Role::deployer", 0)
    (grant,) = step.grants
    assert (grant.urn, grant.statement) == ("urn:pulumi:stage::twokeys::aws:iam/rolePolicy:RolePolicy::ci-grant", 0)


def test_the_states_of_two_projects_whose_stacks_have_one_name_each_have_their_own_time(tmp_path: Path) -> None:
    """A stack is named within its project: https://www.pulumi.com/docs/iac/concepts/stacks/#create-stack."""
    parts = []
    for project, role, time in (("network", "netadmin", EARLY), ("apps", "app", LATE)):
        world = World()
        world.role(role, world.stage, document(trusts(CI)))
        if project == "apps":  # holds policies of the other's role
            world.grant("netadmin", world.stage, DEPLOYER)
        state = json.loads(write_state(tmp_path / project, world).read_text().replace("::twokeys::", f"::{project}::"))
        state["deployment"]["manifest"] = {"time": time.isoformat()}
        parts.append(parse_state(json.dumps(state), project))
    written = read(build(Snapshot.together(parts, "both"))).written
    assert written == {(STAGE, "role", "netadmin"): EARLY, (STAGE, "role", "app"): LATE, (STAGE, "", ""): LATE}


def test_the_statement_that_turns_the_key_is_named_among_others() -> None:
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(arn(OUTSIDE, "role/x")), trusts(CI) | {"Sid": "Ci"}))
    world.grant("ci", world.hub, arn(PROD, "role/other"), DEPLOYER)
    (step,) = [way.steps[0] for way in declared_ways(seen(world, STAGE)) if way.source.arn == CI]
    assert step.trust is not None
    assert (step.trust.statement, step.trust.sid) == (1, "Ci")


def test_a_door_is_there_since_the_later_of_its_keys() -> None:
    world = two_keys()
    dated(world, "Role", "deployer", EARLY)
    assert only(seen(world, STAGE)).since == Since(EARLY), "the grant's time is not told"
    dated(world, "RolePolicy", "ci-grant", LATE)
    assert only(seen(world, STAGE)).since == Since(LATE, LATE)
    dated(world, "Role", "deployer", EARLY, LATER)
    assert only(seen(world, STAGE)).since == Since(LATE, LATER)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (NOT_KNOWN, ""),
        (Since(EARLY), "2026-01-01 08:00 UTC or later"),
        (Since(EARLY, None, EARLY), "2026-01-01 08:00 UTC or later"),
        (Since(EARLY, None, LATE), "2026-01-01 08:00 UTC or later, changed 2026-03-01 08:00 UTC"),
        (Since(None, EARLY), "2026-01-01 08:00 UTC or earlier"),
        (Since(EARLY, EARLY), "2026-01-01 08:00 UTC"),
        (Since(EARLY, LATE), "between 2026-01-01 08:00 UTC and 2026-03-01 08:00 UTC"),
        (
            Since.all_of([Since(EARLY, EARLY), Since(None, LATE)]),
            "between 2026-01-01 08:00 UTC and 2026-03-01 08:00 UTC",
        ),
        (Since.all_of([Since(LATE, LATE), Since(None, EARLY)]), "2026-03-01 08:00 UTC"),
        (Since.all_of([Since(LATE, LATE), NOT_KNOWN]), "2026-03-01 08:00 UTC or later"),
    ],
)
def test_what_is_known_of_since_when_is_said_and_no_more(found: Since, said: str) -> None:
    assert since(found) == said


def test_a_way_to_the_root_user_is_not_there_before_the_account() -> None:
    world = two_keys()
    world.add("Organization", "org", world.hub, id="o-ours000000", masterAccountId=HUB)
    world.add("Account", "stage", world.hub, name="stage", email="a@x.com", id=STAGE)
    world.add("OrganizationsFeatures", "features", world.hub, enabledFeatures=["RootSessions"])
    policy = document(grants(arn(STAGE, "root"), action="sts:AssumeRoot"))
    world.add("RolePolicy", "root", world.hub, role="ci", name="root", policy=policy)
    dated(world, "RolePolicy", "root", EARLY)
    dated(world, "Account", "stage", LATE)
    dated(world, "OrganizationsFeatures", "features", EARLY)
    (way,) = [way for way in seen(world, STAGE).ways if way.target.who.kind == "root-user"]
    assert way.since == Since(LATE, LATE)
    dated(world, "OrganizationsFeatures", "features", EARLY, LATER)
    (way,) = [way for way in seen(world, STAGE).ways if way.target.who.kind == "root-user"]
    assert way.since == Since(LATE, LATER)


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
    way = only(seen(world, STAGE))
    assert way.source.who == Who("user", HUB, "ann")
    assert way.conditions == ("MFA",)
    assert [grant.document for grant in way.steps[0].grants] == [
        "inline policy enter of group people",
        "membership of user ann in group people",
    ]
    assert way.since == Since(LATE, LATE)


def test_an_attached_managed_policy_is_a_key_since_it_was_attached_and_no_namesake_of_aws_s() -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ReadOnlyAccess.html"""
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(CI)))
    policy = arn(HUB, "policy/ReadOnlyAccess")
    world.add("Policy", "enter", world.hub, name="ReadOnlyAccess", arn=policy, policy=document(grants(DEPLOYER)))
    world.add("RolePolicyAttachment", "ci-enter", world.hub, role="ci", policyArn=policy)
    world.add(
        "RolePolicyAttachment", "namesake", world.hub, role="ci", policyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    for kind, name in (("Role", "deployer"), ("Policy", "enter")):
        dated(world, kind, name, EARLY)
    dated(world, "RolePolicyAttachment", "ci-enter", LATE)
    way = only(seen(world, STAGE))
    assert way.since == Since(LATE, LATE)
    assert [grant.document for grant in way.steps[0].grants] == [
        "managed policy ReadOnlyAccess",
        "attachment of managed policy ReadOnlyAccess to role ci",
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
    direct, chain = declared_ways(seen(chained(), PROD))
    assert (direct.source.who, direct.max_session_seconds) == (Who("role", STAGE, "deployer"), 3600)
    assert chain.source.who == Who("user", HUB, "ann")
    assert [role.who for role in chain.through] == [Who("role", STAGE, "deployer")]
    assert chain.conditions == ("MFA",)
    assert chain.max_session_seconds == 3600
    assert [len(step.keys) for step in chain.steps] == [2, 2]


def test_a_users_session_is_as_long_as_the_role_allows_whatever_its_door_was_written_for() -> None:
    world = chained()
    source, target = {"kind": "user", "account": HUB, "names": ["ann"]}, {"account": STAGE, "role": "deployer"}
    world.add(
        "Component", "ann-in", door={"name": "ann-in", "source": source, "target": target, "maxSessionSeconds": 3600}
    )
    way = only(seen(world, STAGE))
    assert way.declared is not None
    assert way.max_session_seconds == 14400


def test_awss_own_access_role_is_a_way_in_of_the_management_account() -> None:
    world = World()
    world.add("Account", "prod", world.hub, name="prod", outputs={"id": PROD, "name": "prod"})
    (way,) = seen(world, "prod").ways
    assert way.source.who == Who("root", HUB, "")
    assert way.target.arn == arn(PROD, "role/OrganizationAccountAccessRole")


def test_awss_own_access_role_is_told_also_where_nobody_knows_the_management_account() -> None:
    world = World()
    world.resources = [world.stage]
    (way,) = seen(world, STAGE).ways
    assert way.target.arn == arn(STAGE, "role/OrganizationAccountAccessRole")
    assert "is not known" in str(way.source)


def test_a_way_expires_with_the_first_of_its_doors() -> None:
    world = chained()
    for name, source, account, role, day in (
        ("ann-in", {"kind": "user", "account": HUB, "names": ["ann"]}, STAGE, "deployer", "2026-12-01"),
        ("on-to-prod", {"kind": "role", "account": STAGE, "names": ["deployer"]}, PROD, "reader", "2027-12-01"),
    ):
        door = {"name": name, "source": source, "target": {"account": account, "role": role}, "expires": day}
        world.add("Component", name, door={**door, "owner": "platform"})
    direct, chain = declared_ways(seen(world, PROD))
    assert [until(one.expires) for one in (direct, chain) if one.expires] == ["2027-12-01", "2026-12-01"]
    long_after = datetime(2030, 1, 1, tzinfo=UTC)
    assert direct.at(long_after) is Time.NOW, "a declaration closes nothing"
    assert "declared until 2027-12-01, but its keys do not end then" in facts([direct], long_after)
    same, _, each = facts([direct, chain], long_after).rpartition(" · ")
    assert same == "always, MFA · up to 1 h", "what both have is said once"
    assert all(way.why in each for way in (direct, chain))
    assert chain.declared is None
    assert chain.why == "by the door on-to-prod of role deployer"


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2026-11-26T13:20:00+00:00", "closes in 1 h 40 min"),
        ("2026-11-24T11:00:59+00:00", "closes in 2 d 3 h"),
        ("2026-11-26T14:59:30+00:00", "closes in less than a minute"),
        ("2026-11-26T15:00:00+00:00", "closed since 2026-11-26 15:00 UTC"),
    ],
)
def test_what_is_left_of_a_door_is_said_by_its_trust_also_where_nothing_declares_it(now: str, said: str) -> None:
    """DateLessThan on aws:CurrentTime holds before the moment, and no longer at it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
    """
    until_three = {**MFA, "DateLessThan": {"aws:CurrentTime": "2026-11-26T15:00:00Z"}}
    way = only(seen(two_keys(document(trusts(CI, condition=until_three))), STAGE))
    assert set(way.conditions) == {"MFA", "until 2026-11-26 15:00 UTC"}
    assert said in facts([way], datetime.fromisoformat(now))


@pytest.mark.parametrize(
    ("changed", "time"),
    [({}, Time.OVER), ({"Action": "s3:*"}, Time.NOW), ({"Effect": "Allow"}, Time.NOW), ({"Condition": MFA}, Time.NOW)],
    ids=str,
)
def test_a_role_whose_policy_denies_everything_after_a_date_is_closed_by_it(
    changed: dict[str, object], time: Time
) -> None:
    """So a permission set ends, whose role's trust AWS writes itself.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    after = {"DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-26T15:00:00Z"}}
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": after} | changed
    world = two_keys()
    world.add("RolePolicy", "closed", world.stage, role="deployer", name="closed", policy=document(denied))
    way = only(seen(world, STAGE))
    assert way.at(datetime(2026, 11, 26, 15, tzinfo=UTC)) is time
    assert way.at(datetime(2026, 11, 26, 14, tzinfo=UTC)) is Time.NOW


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ("2027-01-30", ""),
        ("2027-01-31", "closed since 2027-01-31 00:00 UTC, opens 2027-06-01"),
        ("2027-05-31", "closed since 2027-01-31 00:00 UTC, opens 2027-06-01"),
        ("2027-06-01", ""),
    ],
)
def test_a_way_is_shut_between_an_alternative_that_is_over_and_one_that_is_not_open_yet(now: str, said: str) -> None:
    """Of several statements one has to allow it, each by its own dates.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    dates = {"DateLessThan": "2027-01-31", "DateGreaterThanEquals": "2027-06-01"}
    admits = (trusts(CI, condition={operator: {"aws:CurrentTime": day}}) for operator, day in dates.items())
    world = two_keys(document(*admits))
    way, moment = only(seen(world, STAGE)), datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert (way.at(moment) is Time.NOW, not_now(way, moment)) == (not said, said)


def test_a_way_whose_subject_no_token_has_says_so() -> None:
    """https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims"""
    issuer, world = "token.actions.githubusercontent.com", World()
    for role, subject in (("dead", "acme/app:ref:refs/heads/main"), ("living", "repo:acme/app:ref:refs/heads/main")):
        principal = {"Federated": arn(STAGE, f"oidc-provider/{issuer}")}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
        condition = {"StringEquals": {f"{issuer}:sub": subject}}
        world.role(role, world.stage, document({**statement, "Condition": condition}))
    asked = {way.target.who.name: way.conditions for way in seen(world, STAGE).ways}
    assert (asked["dead"], asked["living"]) == (("a subject which no token of GitHub has",), ())


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
    assert declared_ways(seen(two_keys(granted=False), STAGE)) == []


def test_whoever_comes_from_outside_is_among_the_ways() -> None:
    world = World()
    world.role("partner", world.stage, document(trusts(arn(OUTSIDE, "role/agent"))))
    world.role("vendor", world.stage, document(trusts(arn(OUTSIDE, "root"))))
    world.role("open", world.stage, document(trusts("*")))
    told = {(str(way.source), way.target.who.name) for way in declared_ways(seen(world, STAGE))}
    assert told >= {
        (f"role agent of {OUTSIDE}", "partner"),
        (f"account {OUTSIDE} as a whole", "vendor"),
        ("anybody in AWS", "open"),
    }


def test_what_a_way_leads_into_is_among_the_accounts_also_where_nobody_knows_which_it_is() -> None:
    """Otherwise the way would stand under no account of a report."""
    world = World()
    unpinned = world.provider("elsewhere", PROD, assume=False, pin=False)
    world.role("open", unpinned, document(trusts("*")))
    found = seen(world)
    assert found.ways
    assert {way.account for way in found.ways} <= found.accounts.keys()


def test_an_account_that_only_another_stack_names_is_called_as_there_without_its_id_twice() -> None:
    world = World()
    world.role("reader", world.stage)
    outputs = {
        "parent_account_id": HUB,
        "member_account_ids": {"archive": PROD},
        "access_role_arns": {"archive": arn(PROD, "role/OrganizationAccountAccessRole")},
    }
    world.other_stack("management", "org/twokeys/management", outputs)
    assert seen(world).accounts[PROD].name == "archive"


@pytest.mark.parametrize(
    ("listed", "key", "value", "more"),
    [
        ((HUB, STAGE), "ID", "o-a1b2c3d4e5", False),
        ((HUB, STAGE, PROD), "ID", "o-a1b2c3d4e5", True),
        ((HUB, STAGE, PROD), "Paths", "o-a1b2c3d4e5/*", True),
        ((), "ID", "o-a1b2c3d4e5", True),
    ],
)
def test_a_trust_in_the_whole_organization_is_for_its_accounts_that_nothing_shows_too(
    listed: tuple[str, ...], key: str, value: str, more: bool
) -> None:
    """And whoever comes in by it goes on from there, as a session of the role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
    """
    world = two_keys()
    accounts = [{"id": account, "name": account} for account in listed]
    world.add("Organization", "org", world.hub, outputs={"id": "o-a1b2c3d4e5", "accounts": accounts})
    admitted = {"ForAnyValue:StringLike": {f"aws:PrincipalOrg{key}": value}}
    world.role("shared", world.stage, document(trusts("*", condition=admitted)))
    world.role("behind", world.hub, document(trusts(arn(STAGE, "role/shared"))))
    world.grant("shared", world.stage, arn(HUB, "role/behind"))
    found = seen(world)
    ways = [way for way in found.ways if way.source.who.kind == "outsider"]
    names = [[step.target.who.name for step in way.steps] for way in ways]
    assert names == [one for one in (["shared"], ["shared", "behind"]) if more]
    said = ("anybody of organization o-a1b2c3d4e5", "grant not shown", None)
    assert {(way.source.short, way.lacks, way.third_party) for way in ways} == ({said} if more else set())
    assert summary(found, datetime.now(UTC)).may_be_more is more


OF_CI = {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": CI}}}
OTHERS_ONLY = {"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": THEIRS}}}


def test_a_way_by_the_access_role_of_an_account_that_was_not_read_has_a_trust_that_is_not_shown() -> None:
    """AFT gives its accounts another one: https://docs.aws.amazon.com/controltower/latest/userguide/aft-required-roles.html"""
    world, auditor = World(), arn(HUB, "user/auditor")
    world.role("break-glass", world.hub)
    world.grant("break-glass", world.hub, arn(STAGE, "role/OrganizationAccountAccessRole"))
    unread = NotAnswered(f"the IAM of account {STAGE}", "sts:AssumeRole", "AccessDenied", auditor, STAGE)
    live = replace(world.snapshot, evidence=(Evidence("live", not_answered=(unread,), accounts=(HUB,)),))
    found = read(build(live))
    (way,) = found.ways
    assert (way.lacks, *keys(way.steps[0]))[:2] == ("trust not shown", "trust key: not shown: the account was not read")
    assert summary(found, datetime.now(UTC)).ways_in == "1 way in (1 with a key not shown)"


@pytest.mark.parametrize(("rcp", "comes_in"), [
    (OURS_ONLY, True),
    (perimeter(), True),
    (perimeter(HUB, operator="StringNotEquals"), True),
    (OF_CI, True),
    (OTHERS_ONLY, False),
])  # fmt: skip
def test_a_control_policy_that_shuts_the_role_that_aws_made_shuts_out_its_holders_and_the_provider(
    rcp: dict[str, Any], comes_in: bool
) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    world, access_role = control(World(), rcp), "role/OrganizationAccountAccessRole"
    assert [way.lacks for way in seen(world, STAGE).ways] == (["grant not shown"] if comes_in else [])
    world.role("ci", world.hub)
    world.grant("ci", world.hub, arn("*", access_role))
    found = seen(world, STAGE)
    assert [way.lacks for way in found.ways] == (["both keys"] if comes_in else [])
    assert [(one.source.arn, one.trust.value) for one in found.doors] == [(CI, "present" if comes_in else "denied")]
    refused = [one.message for one in world.findings() if one.rule == "provider-enters-its-account"]
    said = f"Provider stage assumes role {arn(STAGE, access_role)} in account stage-account ({STAGE}), but "
    assert refused == ([] if comes_in else [said + f"RCP rcp at account stage-account ({STAGE}) denies it"])


def test_a_member_whom_the_trust_policy_does_not_name_has_no_trust_key() -> None:
    """Another member has, so nothing is missing of the group's grant: IAM user guide, evaluation logic across accounts.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    world = World()
    world.add("Group", "people", world.hub, name="people")
    for name in ("ann", "bob"):
        world.add("User", name, world.hub, name=name)
        world.add("UserGroupMembership", f"{name}-in", world.hub, user=name, groups=["people"])
    world.add("GroupPolicy", "enter", world.hub, group="people", name="enter", policy=document(grants(DEPLOYER)))
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/ann"))))
    doors = {door.source.who.name: door.lacks for door in read(world.graph).doors}
    assert doors == {"ann": "both keys", "bob": "no trust"}


def test_a_declared_door_of_identity_center_says_its_reason_and_owner() -> None:
    """Its users and groups belong to no account: https://docs.aws.amazon.com/singlesignon/latest/userguide/what-is.html."""
    world = center()
    source = {"kind": "identity-center-group", "account": HUB, "names": ["admins"]}
    target = {"account": STAGE, "role": "aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin"}
    declared = {"name": "on-call", "source": source, "target": target, "reason": "Incidents", "owner": "platform"}
    world.add("Component", "on-call", door=declared)
    ways = [way for way in seen(world, STAGE).ways if way.source.who.kind == "identity-center-group"]
    (why,) = {way.why for way in ways}
    # https://docs.aws.amazon.com/singlesignon/latest/userguide/mfa-configure.html: a setting that no key tells
    assert {conditions(way) for way in ways} == {"as its sign-in asks"}
    assert why == "on-call; Incidents; owner platform"


def test_what_is_compared_says_of_when_both_states_are() -> None:
    old, new = (
        replace(seen(two_keys()), from_states=True, evidence=(Evidence("prod.json", f"2026-{month}-30T20:00:00Z"),))
        for month in ("09", "10")
    )
    said = "From states as of 2026-10-30 20:00 UTC, compared to states as of 2026-09-30 20:00 UTC: only "
    assert (scope(new, old) or "").startswith(said)
    assert "compared" not in (scope(new, new) or "")
