"""The pack behaves over the engine's own protocol as its rules do in memory."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2

from tests.access.states import write_state
from tests.access.test_declared import declared_door
from tests.access.test_keys import CORRECT, WRONG, world_of
from tests.access.test_rules import CHANGES
from tests.access.test_translation import made, native, put, stack, template
from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    TYPES,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from tests.pack.engine_requests import Engine, RefusedError
from twokeys.access.reading.snapshot import Resource
from twokeys.access.rules import RULES
from twokeys.iam import UNKNOWN
from twokeys.pack import analyzer, own_account
from twokeys.pack.analyzer import Analyzer
from twokeys.pack.changed import DOORS_CHANGED
from twokeys.pack.deferral import DEFERRED
from twokeys.pack.policies import FAIL_CLOSED
from twokeys.pack.relevance import may_say_who

LEFT_TO_THE_UPDATE = {"attachment of something not known yet", "list of a known policy and of one that is not known"}
"""Nothing else of the stack hangs on it, and it waits for no account."""


@pytest.mark.parametrize(("kind", "statement"), [
    ("RolePolicy", {"Action": "sts:AssumeRole"}),
    ("RolePolicy", {"Action": "sqs:SendMessage", "Resource": []}),
    ("RolePolicy", {"Action": "sqs:SendMessage", "Resource": ["*", None]}),
    ("RolePolicy", {"Action": "", "Resource": "*"}),
    ("Role", {"Action": "sts:AssumeRole", "Principal": {"AWS": [""]}}),
    ("inline", {"NotAction": "iam:*"}),
])  # fmt: skip
def test_a_name_that_a_plain_look_up_leaves_out_in_preview_is_left_to_the_update(
    kind: str, statement: dict[str, object]
) -> None:
    """IAM takes none of these: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html."""
    world, text = World(), document({"Effect": "Allow", **statement})
    inline = {"inlinePolicies": [{"name": "x", "policy": text}]} if kind == "inline" else {}
    world.role("worker", world.stage, **{"trust": text} if kind == "Role" else {}, **inline)
    if kind == "RolePolicy":
        world.add("RolePolicy", "x", world.stage, role="worker", name="x", policy=text)
    assert [one.policyName for one in Engine().analyze(world.resources)] == [DEFERRED]
    assert set(Engine(preview=False).rules(world.resources)) == {"unproved-door"}
    world.role("target", world.hub, document(trusts(arn(STAGE, "role/worker"))))
    if kind != "Role":  # half a door hangs on it
        assert "unproved-door" in Engine().rules(world.resources)


def test_a_document_with_an_element_that_iam_does_not_know_waits_for_nothing() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""
    world, lower = World(), {"effect": "Allow", "principal": {"AWS": "*"}, "action": "sts:AssumeRole"}
    world.role("worker", world.stage, document(lower))
    assert "unproved-door" in Engine().rules(world.resources)


@pytest.mark.parametrize("kind", ["role", "user", "group", "permission set", "permission set of aws-native"])
def test_an_inline_policy_that_names_a_bucket_to_come_is_left_to_the_update_whatever_holds_it(kind: str) -> None:
    world = World()
    if kind == "permission set":
        put(world, "aws:ssoadmin/permissionSet:PermissionSet", "x", world.hub, name="x", arn="ps")
        inline = "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"
        put(world, inline, "i", world.hub, permissionSetArn="ps", inlinePolicy=UNKNOWN)
    elif kind == "permission set of aws-native":
        set_ = put(world, "aws-native:sso:PermissionSet", "x", native(world, HUB), name="x", inlinePolicy=UNKNOWN)
        world.change(set_, outputs={**set_.outputs, "permissionSetArn": "ps"})
    else:
        said = {f"{kind}Name": "x", "policies": [{"policyName": "p", "policyDocument": UNKNOWN}]}
        trust = {"assumeRolePolicyDocument": SERVICE} if kind == "role" else {}
        put(world, f"aws-native:iam:{kind.capitalize()}", "x", native(world, HUB), **said, **trust)
    if "set" in kind:
        people = {"permissionSetArn": "ps", "principalId": "g-1", "principalType": "GROUP", "targetId": HUB}
        put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", "a", world.hub, **people)
    assert [one.policyName for one in Engine().analyze(world.resources)] == [DEFERRED]


@pytest.mark.parametrize("beside", ["inlinePolicies", "managedPolicyArns", "permissionsBoundary", "description"])
@pytest.mark.parametrize("known", ["trust", "grant"])
def test_what_is_known_and_not_proved_is_refused_whatever_else_of_its_role_is_not_known(
    known: str, beside: str
) -> None:
    world, grant = World(), document(grants(arn(PROD, "role/elsewhere")))
    values: dict[str, Any] = {beside: UNKNOWN if beside == "description" else [UNKNOWN]}
    if known == "trust":
        values["trust"] = document(trusts("AROAEXAMPLEID1234567"))
    else:
        values["inlinePolicies"] = [{"name": "x", "policy": grant}, *values.get("inlinePolicies", [])]
    world.role("worker", world.stage, **values)
    assert "unproved-door" in Engine().rules(world.resources)
    deleted = {"Version": "2012-10-17", "Statement": [trusts("AROAEXAMPLEID1234567")]}
    of_template = template(role=made("AWS::IAM::Role", RoleName="r", AssumeRolePolicyDocument=deleted))
    world = World()
    stack(world, of_template, world.stage, parameters={"OfAnother": UNKNOWN})
    assert "unproved-door" in Engine().rules(world.resources)


def test_a_template_that_opens_what_nobody_can_prove_is_refused_whatever_its_tags_are() -> None:
    world = World()
    who = {"Effect": "Allow", "Principal": {"AWS": {"Fn::ImportValue": "x"}}, "Action": "sts:AssumeRole"}
    role = made("AWS::IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [who]})
    topics = {"tags": {"of": UNKNOWN}, "notificationArns": [UNKNOWN], "iamRoleArn": UNKNOWN}
    stack(world, template(role=role), world.hub, **topics)
    assert Engine().rules(world.resources) == ["unproved-door"]
    assert not any(may_say_who(world.resources[-1], key) for key in topics)
    other = replace(world.resources[-1], type="aws:iam/role:Role")
    assert [key for key in topics if may_say_who(other, key)] == ["notificationArns", "iamRoleArn"]


@pytest.mark.parametrize(("unknown", "rules"), [
    ("principalId", [DEFERRED]), ("targetId", [DEFERRED]), ("permissionSetArn", ["unproved-door"]),
])  # fmt: skip
def test_an_assignment_of_people_or_in_an_account_that_is_looked_up_is_left_to_the_update(
    unknown: str, rules: list[str]
) -> None:
    """An assignment needs all of them: API_CreateAccountAssignment of Identity Center's API reference."""
    world = World()
    put(world, "aws:ssoadmin/permissionSet:PermissionSet", "mine", world.hub, name="mine", arn="ps")
    said = {"permissionSetArn": "ps", "principalId": "g-1", "principalType": "GROUP", "targetId": PROD}
    put(world, "aws:ssoadmin/accountAssignment:AccountAssignment", "a", world.hub, **{**said, unknown: UNKNOWN})
    assert [one.policyName for one in Engine().analyze(world.resources)] == rules
    assert set(Engine(preview=False).rules(world.resources)) == {"unproved-door"}
    world.new_account()  # from which, as nobody tells, the account may come, but nobody's id
    assert ("unproved-door" in Engine().rules(world.resources)) is (unknown != "principalId")


@pytest.mark.parametrize(("waits_for", "rules"), [("the role", [DEFERRED]), ("a key", ["unproved-door"])])
@pytest.mark.parametrize("unknown", ["grant", "trust"])
@pytest.mark.parametrize("named", [True, False])
def test_an_unknown_half_that_is_made_from_the_role_at_the_other_end_is_left_to_the_update(
    unknown: str, waits_for: str, rules: list[str], *, named: bool
) -> None:
    """A role's ARN is an output: until the role is there, what is made from it is not known, whoever gives its name.

    Nor does IAM take a trust in a role that is not there, so whoever writes the ARN makes the role first:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    world = World()
    key = put(world, "aws:kms/key:Key", "key", world.hub)
    names = {} if named else {{"trust": "ci", "grant": "deployer"}[unknown]: {"namePrefix": "late-"}}
    ci = world.add("Role", "ci", world.hub, assumeRolePolicy=SERVICE, **names.get("ci", {"name": "ci"}))
    trust = {"assumeRolePolicy": [ci if waits_for == "the role" else key]}
    kept = {"made_from": trust} if unknown == "trust" else {"assumeRolePolicy": document(trusts(CI))}
    kept |= names.get("deployer", {"name": "deployer"})
    deployer = world.add("Role", "deployer", world.stage, **kept)  # type: ignore[arg-type]
    grant = {"policy": [deployer if waits_for == "the role" else key]} if unknown == "grant" else {}
    given = {} if unknown == "grant" else {"policy": document(grants(DEPLOYER))}
    world.add("RolePolicy", "grant", world.hub, made_from={"role": [ci], **grant}, name="grant", **given)
    (found,) = Engine().analyze(world.resources)
    assert [found.policyName] == rules
    assert ("`depends_on` the role" in found.message) is (unknown == "trust" and waits_for == "the role")


@pytest.mark.parametrize("made_from", ["Role", "bucket"])
@pytest.mark.parametrize(("limit", "rules"), [(None, {DEFERRED}), (UNKNOWN, {"unproved-door"})])
def test_a_policy_that_is_not_known_beside_the_grant_of_a_door_is_left_to_the_update(
    made_from: str, limit: object, rules: set[str]
) -> None:
    """It may deny, and lets nobody in; a boundary that is not known may leave the trust alone.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    world = World()
    bounded = {} if limit is None else {"permissionsBoundary": limit}
    world.role("ci", world.hub, **bounded)
    world.role("deployer", world.stage, document(trusts(CI)))
    world.add("RolePolicy", "enter", world.hub, role="ci", name="enter", policy=document(grants(DEPLOYER)))
    if made_from == "Role":
        late = world.add("Role", "auditor", world.stage, assumeRolePolicy=document(trusts(CI)))
    else:
        late = put(world, "aws:s3/bucket:Bucket", "b", world.hub)
    world.add("RolePolicy", "late", world.hub, role="ci", name="late", made_from={"policy": [late]})
    assert {one.policyName for one in Engine().analyze(world.resources)} == rules


@pytest.mark.parametrize("of_group", ["user", "somebody else"])
def test_a_trust_made_from_a_user_whose_group_holds_the_grant_is_left_to_the_update(of_group: str) -> None:
    """No trust can name a group, so that it names the member, whose ARN is an output.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    world = World()
    user = world.add("User", "ann", world.hub, name="ann")
    group = world.add("Group", "deploy", world.hub, name="deploy")
    world.add("GroupPolicy", "enter", world.hub, group="deploy", name="enter", policy=document(grants(DEPLOYER)))
    member = {"user": [user]} if of_group == "user" else {}
    joined = {"groups": UNKNOWN} if of_group == "user" else {"user": "bob", "groups": ["deploy"]}
    world.add("UserGroupMembership", "joins", world.hub, made_from={**member, "groups": [group]}, **joined)
    made_from = {"assumeRolePolicy": [user]}
    world.add("Role", "deployer", world.stage, name="deployer", made_from=made_from)
    expected = [DEFERRED] if of_group == "user" else ["unproved-door"]
    assert [one.policyName for one in Engine().analyze(world.resources)] == expected


@pytest.mark.parametrize("made_from", ["a role there", "a queue there", "a role there, as a control policy is"])
def test_all_that_waits_for_an_account_to_come_asks_for_that_at_once_in_an_update_of_its_own(made_from: str) -> None:
    """No program can write an ARN there, which holds an id that AWS has still to give.

    https://www.pulumi.com/docs/iac/cli/commands/pulumi_up/: `--target` makes what it names alone, `**` stands for all.
    """
    world = World()
    inside = world.new_account()
    account = next(one for one in world.resources if one.type == TYPES["Account"])
    unit = put(world, "aws:organizations/organizationalUnit:OrganizationalUnit", "unit", world.hub, name="unit")
    world.change(account, dependencies=(unit.urn,))
    world.role("ci", world.hub)
    if made_from.startswith("a role there"):
        behind = world.role("deployer", inside, document(trusts(CI)))
    else:
        behind = put(world, "aws:sqs/queue:Queue", "jobs", inside, name="jobs")
    targets = "--target '**aws:organizations/*:*::**'"
    if made_from.endswith("control policy is"):
        guard = put(world, "aws:organizations/policy:Policy", "guard", world.hub, name="guard", type="BACKUP_POLICY")
        world.change(guard, dependencies=(behind.urn,))
        targets = f"--target '{account.urn}' --target '{unit.urn}'"
    for name in ("enter", "again"):
        world.add("RolePolicy", name, world.hub, role="ci", name=name, made_from={"policy": [behind]})
    (found,) = Engine().analyze(world.resources)
    assert found.policyName == "unproved-door"
    assert "before the accounts to come are made: RolePolicy again, RolePolicy enter." in found.message
    assert f"make the accounts first (`pulumi up -s stage {targets}`)" in found.message


def test_a_trust_in_an_account_to_come_that_is_made_from_a_role_elsewhere_is_to_write_its_arn_out() -> None:
    """That ARN follows from what the program says: its account, path and name."""
    world = World()
    ci = world.role("ci", world.hub, managedPolicyArns=[WIDE])
    world.add("Role", "late", world.new_account(), name="late", made_from={"assumeRolePolicy": [ci]})
    (found,) = [one for one in Engine().analyze(world.resources) if one.policyName == "unproved-door"]
    assert "such as an ARN that is written out" in found.message


WIDE, READS = "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.mark.parametrize(("given", "account", "refused"), [
    ([], "stage", True),
    ([{"managedPolicyArns": [READS]}], "stage", True),
    ([{"managedPolicyArns": [WIDE]}], "stage", False),  # which allows sts:AssumeRole on everything
    ([{"inlinePolicies": [{"name": "x", "policy": UNKNOWN}]}], "stage", False),
    ([], "hub", False),  # within an account the trust alone lets in
    ([], "any", False),  # which may be that account
    ([{}, {"managedPolicyArns": [WIDE]}], "stage", False),
])  # fmt: skip
def test_a_trust_that_is_not_known_is_refused_in_preview_where_nobody_whom_it_is_made_from_holds_a_grant(
    given: list[dict[str, Any]], account: str, *, refused: bool
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html"""
    world = World()
    roles = [
        world.add("Role", f"ci{number}", world.hub, name=f"ci{number}", assumeRolePolicy=SERVICE, **values)
        for number, values in enumerate(given or [{}])
    ]
    made_from = {"assumeRolePolicy": [*roles, put(world, "random:index/randomId:RandomId", "external-id", None)]}
    where = world.provider("unpinned", STAGE, assume=False, pin=False) if account == "any" else getattr(world, account)
    world.add("Role", "late", where, name="late", made_from=made_from)
    found = {one.policyName: one.message for one in Engine().analyze(world.resources)}
    assert ("unproved-door" in found, DEFERRED in found) == (refused, not refused)
    said = "nothing here grants sts:AssumeRole to role ci0 of "
    assert (said + HUB in found.get("unproved-door", "")) is refused


@pytest.mark.parametrize(("keys", "pinned", "answers", "refused"), [
    (("AKIA1", "AKIA2"), None, {}, True),
    (("AKIA1", "AKIA2"), HUB, {}, True),
    (("AKIA1", "AKIA2"), HUB, {"AKIA2": STAGE}, False),  # as the update asks, too
    (("AKIA1", "AKIA1"), None, {}, False),
    ((None, None), None, {}, False),
])  # fmt: skip
def test_a_trust_made_from_a_role_of_another_provider_is_refused_in_preview_as_in_the_update_where_one_is_not_pinned(
    keys: tuple[str | None, str | None],
    pinned: str | None,
    answers: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    refused: bool,
) -> None:
    """Each set of credentials belongs to one account, which GetCallerIdentity tells:
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    monkeypatch.setattr(own_account, "_caller", lambda credentials, *_: answers.get(credentials[1]))
    world = World()
    given = [{"accessKey": key} if key else {} for key in keys]
    allowed = {"allowedAccountIds": json.dumps([pinned])} if pinned else {}
    first, second = world.add("Provider", "first", **given[0], **allowed), world.add("Provider", "second", **given[1])
    ci = world.role("ci", first)
    late = world.add("Role", "late", second, name="late", made_from={"assumeRolePolicy": [ci]})
    world.add("RolePolicy", "enter", first, role="ci", name="enter", made_from={"policy": [late]})
    found = {one.policyName: one.message for one in Engine().analyze(world.resources)}
    assert ("unproved-door" in found) is refused
    assert ("provider first, provider second work" in found.get("unproved-door", "")) is refused
    assert ("set allowed_account_ids" in found.get("unproved-door", "")) is refused


@pytest.mark.parametrize("preview", [True, False])
def test_it_is_said_once_of_all_providers_that_they_are_not_pinned(preview: bool) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/provider/#allowedaccountids_python"""
    world = two_keys()
    for name in ("third", "fourth"):
        world.role(f"of-{name}", world.add("Provider", name, profile=name))
    (found,) = Engine(preview=preview).analyze(world.resources)
    assert found.policyName == "provider-enters-its-account"
    message = "Each of the providers fourth, third is not pinned to its account"
    assert message in found.message
    assert [one.message for one in world.findings()] == [message]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(("boundary", "denied", "why"), [
    (document(grants("*", action="s3:*")), None, "permissions boundary does not allow it"),
    (document(grants(arn(HUB, "role/late"))), None, None),
    ({"Version": "2012-10-17", "Statement": [{**grants(), "Resource": [UNKNOWN]}]}, None, None),
    (UNKNOWN, None, None),
    (None, "sts:*", f"SCP guard at account {STAGE} denies it"),
    (None, "s3:*", None),
])  # fmt: skip
def test_a_trust_that_is_not_known_is_refused_in_preview_where_a_boundary_or_an_scp_lets_no_grant_count(
    boundary: object, denied: str | None, why: str | None, *, named: bool
) -> None:
    """A name that is still to be made up may be one that the SCP does not deny.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    world, limit = World(), {}
    if boundary is not None:
        limit = {"permissionsBoundary": [world.add("Policy", "limit", world.stage, name="limit", policy=boundary)]}
    if denied is not None:
        content = document(grants("*", effect="Deny", action=denied))
        guard = world.add("ControlPolicy", "guard", world.hub, name="guard", content=content)
        world.add("ControlPolicyAttachment", "a", world.hub, made_from={"policyId": [guard]}, targetId=STAGE)
    ci = world.add("Role", "ci", world.stage, name="ci", assumeRolePolicy=SERVICE, made_from=limit)
    name = {"name": "late"} if named else {}
    late = world.add("Role", "late", world.hub, **name, made_from={"assumeRolePolicy": [ci]})
    world.add("RolePolicy", "enter", world.stage, role="ci", name="enter", made_from={"policy": [late]})
    found = {one.policyName: one.message for one in Engine().analyze(world.resources)}
    refused = why is not None and (named or denied is None)
    assert DEFERRED in found
    assert ("unproved-door" in found) is refused
    assert not refused or f"cannot be granted sts:AssumeRole on it: {why}" in found["unproved-door"]


@pytest.mark.parametrize("holder", ["Role", "User", "Group"])
@pytest.mark.parametrize("attached", [False, True])
def test_a_grant_without_its_trust_is_refused_in_preview_where_its_holder_is_known_by_its_resource_only(
    holder: str, *, attached: bool
) -> None:
    """A name that nobody gives is made up by the provider: https://www.pulumi.com/docs/iac/concepts/resources/names/."""
    world, grant = World(), document(grants(arn(OUTSIDE, "role/deployer")))
    values = {"assumeRolePolicy": SERVICE} if holder == "Role" else {"path": "/"}
    made = world.add(holder, "late", world.hub, **values)
    who = {holder.lower(): [made]}
    if attached:
        policy = world.add("Policy", "p", world.hub, name="p", policy=grant)
        world.add(f"{holder}PolicyAttachment", "a", world.hub, made_from={**who, "policyArn": [policy]})
    else:
        world.add(f"{holder}Policy", "p", world.hub, made_from=who, policy=grant)
    assert [one.policyName for one in Engine().analyze(world.resources)] == ["unproved-door"]


def test_of_an_unknown_trust_preview_says_that_it_may_be_refused_and_what_to_write() -> None:
    """OpenIdConnectProviderArn: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html"""
    world, bucket = World(), "aws:s3/bucket:Bucket"
    world.add("RolePolicy", "reads", world.hub, role="ci", made_from={"policy": [put(world, bucket, "b", world.hub)]})
    said = Engine().analyze(world.resources)[0].message
    assert "unjudged: RolePolicy reads" in said
    assert "nothing has to be done" in said
    kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    github = put(world, kind, "github", world.stage, url="https://token.actions.githubusercontent.com")
    world.add("Role", "jobs", world.stage, name="jobs", made_from={"assumeRolePolicy": [github]})
    (found,) = Engine().analyze(world.resources)
    assert found.policyName == DEFERRED
    assert analyzer.proto.PolicySeverity.Name(found.severity) == "POLICY_SEVERITY_MEDIUM"
    assert "unjudged: RolePolicy reads. Whom the trust policy of Role jobs lets in" in found.message
    assert "may be refused in the update" in found.message
    assert "nothing has to be done" not in found.message
    assert "judged now, write ARNs that are known already (that of an OIDC provider follows" in found.message


@pytest.mark.parametrize("condition", [{}, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}])
@pytest.mark.parametrize(("crosses", "allowed"), [(True, False), (True, True), (False, False), (False, True)])
def test_what_waits_for_a_bucket_is_proved_in_preview_only_beside_a_trust_in_all_of_another_account(
    condition: dict[str, object], *, crosses: bool, allowed: bool
) -> None:
    """A refused trust is not made; within its account one in everyone is open without a grant.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """
    world = World()
    world.resources.clear()  # without members, and so without an access role, which the trust would admit
    here, there = world.provider("here", HUB, assume=False), world.provider("there", STAGE, assume=False)
    account = there if crosses else here
    bucket = put(world, "aws:s3/bucket:Bucket", "assets", account)
    world.role("worker", account)
    world.add("RolePolicy", "x", account, role="worker", name="x", made_from={"policy": [bucket]})
    world.role("open", here, document(trusts("*", condition=condition)))
    excuse = {"door": f"* -> {arn(HUB, 'role/open')}", "reason": "x", "owner": "x", "expires": "2999-01-01"}
    engine = Engine({"wildcard-trust": {"exceptions": [excuse]}} if allowed else {})
    found = {one.policyName for one in engine.analyze(world.resources)} & {"unproved-door", "wildcard-trust", DEFERRED}
    assert found == ({"unproved-door" if crosses else DEFERRED} if allowed else {"wildcard-trust", DEFERRED})


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_stack_passes_the_pack_in_silence(name: str) -> None:
    assert Engine().rules(world_of(CORRECT[name]).resources) == []


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_stack_is_refused_by_the_pack_as_by_the_rules(name: str) -> None:
    build, rules = WRONG[name]
    assert Engine().rules(world_of(build).resources) == ([] if name in LEFT_TO_THE_UPDATE else rules)


def test_a_declared_door_into_a_new_account_passes_although_the_engine_shows_nothing_of_it() -> None:
    world, _ = declared_door()
    assert Engine().rules(world.resources) == []


def test_a_pack_that_analyses_twice_judges_the_second_stack_anew() -> None:
    engine = Engine()
    assert engine.rules(two_keys().resources) == []
    assert engine.rules(two_keys().resources[:-1]) == ["door-needs-grant"]
    assert engine.rules(two_keys().resources) == []


def test_more_than_three_pieces_of_advice_are_one_a_rule() -> None:
    """What stops the operation is said each."""
    world = two_keys()
    for name in ("migrate", "seed", "warm"):
        world.add("Command", name, create="true")
    assert len(Engine().analyze(world.resources)) == 3
    world.add("Command", "notify", create="true")
    world.add("Command", "notify-again", create="true")
    (found,) = Engine().analyze(world.resources)
    assert found.urn.endswith("Command::migrate")
    assert "is not proved, and 4 more of this rule: seed, warm, notify, notify-again." in found.message
    stops = Engine({"code-not-read": {}}).analyze(world.resources)
    assert [one.enforcementLevel for one in stops] == [analyzer_pb2.MANDATORY] * 5


@pytest.mark.parametrize(("code", "rule"), [
    (b"\x80\x04\x8c\x04mine\x94\x8c\x01P\x94\x93.", "not-read"),
    (b"\x80\x04\x8c\x09of.others\x94\x8c\x01P\x94\x93.", "code-not-read"),
    (b"\x80\x04\x8c\x04gone\x94\x8c\x01P\x94\x93.", "not-read"),
    (b"\x80\x04\x8c\x0c_create_code\x94\x8c\x04mine\x94.", "not-read"),
    (b"\x80\x04\x8c\x06helped\x94\x8c\x01P\x94\x93.", "not-read"),
    (b"\x80\x04\x8c\x05named\x94\x8c\x01P\x94\x93.", "code-not-read"),
    ("exports.handler = () => iam.createRole()", "not-read"),
    ("exports.handler = () => 1", "code-not-read"),
])  # fmt: skip
def test_code_of_a_dynamic_provider_is_read_where_the_engine_shows_it(
    code: bytes | str, rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where Python's SDK names a module of the program. Analyze gets no `__provider`: `SkipInternalKeys` in
    https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/plugin/analyzer_plugin.go.
    """
    monkeypatch.chdir(tmp_path)
    Path("of/others").mkdir(parents=True)
    Path("mine.py").write_text("def create(self, props):\n    boto3.client('iam').create_role(**props)\n")
    Path("of/others/__init__.py").write_text("def create(self, props):\n    pass\n")
    Path("of/help.py").write_text("from .. import mine, beyond\nfrom . import help, others\n")
    Path("helped.py").write_text("import of.help\n\n\ndef create(self, props):\n    pass\n")
    Path("named.py").write_text("import json, roles\n\n\ndef create(self, props):\n    pass\n")
    Path("roles.py").write_text("import pulumi_aws as aws\naws.iam.Role('deployer', assume_role_policy='')\n")
    world, given = two_keys(), code if isinstance(code, str) else base64.b64encode(code).decode()
    put(world, "pulumi-nodejs:dynamic:Resource", "x", world.stage, __provider=given)
    assert Engine().rules(world.resources) == [rule]


def worlds() -> Iterator[tuple[str, World]]:
    for name, build in CORRECT.items():
        yield name, world_of(build)
    for name, (build, _) in WRONG.items():
        yield name, world_of(build)
    for name, (change, _) in CHANGES.items():
        world = two_keys()
        change(world)
        yield name, world
    yield "declared", declared_door()[0]


def unknown_at(resource: Resource, key: str) -> Resource:
    return replace(
        resource, inputs={**(resource.inputs or {}), key: UNKNOWN}, outputs={**resource.outputs, key: UNKNOWN}
    )


@pytest.mark.parametrize(("name", "world"), list(worlds()), ids=lambda value: value if isinstance(value, str) else "")
def test_an_unknown_at_any_property_is_judged_and_never_escapes(name: str, world: World) -> None:
    """The SDK turns an escaped UnknownValueError into an advisory notice "can't run policy"."""
    engine = Engine()
    for place, resource in enumerate(world.resources):
        for key in {*(resource.inputs or {}), *resource.outputs}:
            changed = list(world.resources)
            changed[place] = unknown_at(resource, key)
            for diagnostic in engine.analyze(changed):
                assert "can't run policy" not in diagnostic.message, (name, resource.urn, key)
                assert diagnostic.policyName != FAIL_CLOSED, (name, resource.urn, key, diagnostic.message)


KEYS = [name for name, (_, rules) in WRONG.items() if {"door-needs-grant", "door-needs-trust"} & set(rules)]


@pytest.mark.parametrize("name", KEYS)
def test_an_unknown_never_turns_a_missing_key_into_silence(name: str) -> None:
    """It is refused, or the update is named as the one that judges it."""
    world = world_of(WRONG[name][0])
    for place, resource in enumerate(world.resources):
        for key in resource.inputs or {}:
            changed = list(world.resources)
            changed[place] = unknown_at(resource, key)
            assert Engine().analyze(changed), (resource.urn, key)


def test_a_rule_that_fails_is_a_mandatory_violation_of_its_own() -> None:
    def broken(*_: object) -> list[object]:
        raise RuntimeError("boom")

    rules = (replace(RULES[0], check=broken), *RULES[1:])
    (found,) = Engine(analyzer=Analyzer(rules)).analyze(two_keys().resources)
    assert found.policyName == FAIL_CLOSED
    assert "RuntimeError: boom" in found.message
    assert "Next step" in found.message


def test_a_stack_that_cannot_be_read_is_a_mandatory_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(analyzer, "graph_of", broken)
    (found,) = Engine().analyze(two_keys().resources)
    assert found.policyName == FAIL_CLOSED
    assert "cannot be read" in found.message


def test_a_wrong_configuration_is_refused_and_the_key_named() -> None:
    with pytest.raises(RefusedError, match="door-needs-grant: exception"):
        Engine({"door-needs-grant": {"exception": []}})


def test_the_doors_that_a_preview_gains_and_loses_are_advice(tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    write_state(before, two_keys())
    engine = Engine({DOORS_CHANGED: {"state": str(before)}})
    assert engine.rules(two_keys().resources) == []
    found = {one.policyName: one.message for one in engine.analyze(two_keys().resources[:-1])}
    assert "- role ci of management -> role deployer of 222222222222" in found[DOORS_CHANGED]
    assert "\nNext step: " in found[DOORS_CHANGED]
    waits = two_keys()
    bucket = put(waits, "aws:s3/bucket:Bucket", "b", waits.hub)
    waits.add("RolePolicy", "late", waits.hub, role="ci", name="late", made_from={"policy": [bucket]})
    found = {one.policyName: one.message for one in engine.analyze(waits.resources)}
    assert "\n? may change: inline policy late of role ci is not known (role ci of " in found[DOORS_CHANGED]
    assert "\n- " not in found[DOORS_CHANGED]


@pytest.mark.parametrize(("account", "gained"), [
    ({"id": PROD}, []),
    ({"id": UNKNOWN}, ["+ account management as a whole -> role OrganizationAccountAccessRole of prod"]),
])  # fmt: skip
def test_the_access_role_of_an_account_that_is_there_is_not_gained(
    account: dict[str, Any], gained: list[str], tmp_path: Path
) -> None:
    """AWS makes it with the account; an import, or a provider, enters what is there, whose id a preview shows.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
    """
    nothing, world = World(), two_keys()  # whose provider `stage` enters by that role
    nothing.resources = []
    world.add("Account", "prod", world.hub, name="prod", outputs={**account, "name": "prod"})
    engine = Engine({DOORS_CHANGED: {"state": str(write_state(tmp_path / "before.json", nothing))}})
    (found,) = (one.message for one in engine.analyze(world.resources) if one.policyName == DOORS_CHANGED)
    assert [line.partition(" (")[0] for line in found.splitlines() if "AccessRole" in line] == gained


@pytest.mark.parametrize(("role", "trusts_hub", "severity"), [
    ("ci", [], "LOW"),  # it may deny what the grant beside it allows, and nothing else
    ("ci", ["ReadOnlyAccess"], "LOW"),
    ("ci", ["AdministratorAccess"], "HIGH"),
    ("deployer", [], "HIGH"),
])  # fmt: skip
def test_a_document_that_is_not_known_weighs_as_much_as_it_may_open(
    role: str, trusts_hub: list[str], severity: str, tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html"""
    world = two_keys()
    for policy in trusts_hub:  # which `cd` may enter already
        world.role("open", world.stage, document(trusts(HUB)), managedPolicyArns=[f"arn:aws:iam::aws:policy/{policy}"])
        world.role("cd", world.hub)
        world.grant("cd", world.hub, arn(STAGE, "role/open"))
    engine = Engine({DOORS_CHANGED: {"state": str(write_state(tmp_path / "before.json", world))}})
    bucket = put(world, "aws:s3/bucket:Bucket", "b", world.hub)
    where = world.hub if role == "ci" else world.stage
    world.add("RolePolicy", "late", where, role=role, name="late", made_from={"policy": [bucket]})
    (found,) = [one for one in engine.analyze(world.resources) if one.policyName == DOORS_CHANGED]
    assert analyzer.proto.PolicySeverity.Name(found.severity) == f"POLICY_SEVERITY_{severity}"


@pytest.mark.parametrize(("policy", "severity"), [("AdministratorAccess", "HIGH"), ("ReadOnlyAccess", "LOW")])
def test_a_new_role_whose_trust_is_not_known_weighs_as_much_as_what_it_may_do(
    policy: str, severity: str, tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html"""
    world = two_keys()
    engine = Engine({DOORS_CHANGED: {"state": str(write_state(tmp_path / "before.json", world))}})
    kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    github = put(world, kind, "github", world.stage, url="https://token.actions.githubusercontent.com")
    may, waits = [f"arn:aws:iam::aws:policy/{policy}"], {"assumeRolePolicy": [github]}
    world.add("Role", "gh", world.stage, name="gh", managedPolicyArns=may, made_from=waits)
    (found,) = [one for one in engine.analyze(world.resources) if one.policyName == DOORS_CHANGED]
    assert f"\n? possible: somebody who is not named -> role gh of {STAGE} (" in found.message
    assert "), if trust policy of role gh allows it" in found.message
    assert analyzer.proto.PolicySeverity.Name(found.severity) == f"POLICY_SEVERITY_{severity}"


def test_what_a_profile_of_the_state_before_entered_was_in_the_account_of_that_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    monkeypatch.setattr(own_account, "_caller", lambda credentials, *_: {"old": PROD, "new": STAGE}[credentials[0]])
    before, after = two_keys(), two_keys()
    for world, profile in ((before, "old"), (after, "new")):
        there = world.add("Provider", "there", profile=profile)
        world.change(world.resources[3], provider=there.urn)
    engine = Engine({DOORS_CHANGED: {"state": str(write_state(tmp_path / "before.json", before))}})
    (found,) = (one.message for one in engine.analyze(after.resources) if one.policyName == DOORS_CHANGED)
    assert f"-> role deployer of {STAGE}" in found


def strong(policy: str) -> World:
    world = two_keys()
    by = {"role": "deployer", "policyArn": f"arn:aws:iam::aws:policy/{policy}"}
    world.add("RolePolicyAttachment", "may", world.stage, **by)
    return world


def with_key() -> World:
    world = two_keys()
    world.add("User", "ann", world.hub, name="ann")
    world.add("AccessKey", "ann", world.hub, user="ann")
    return world


@pytest.mark.parametrize(("before", "after", "severity"), [
    (World(), strong("AdministratorAccess"), "HIGH"),
    (strong("ReadOnlyAccess"), strong("AdministratorAccess"), "HIGH"),
    (strong("ReadOnlyAccess"), strong("PowerUserAccess"), "MEDIUM"),
    (strong("PowerUserAccess"), strong("ReadOnlyAccess"), "LOW"),
    (strong("AdministratorAccess"), World(), "LOW"),
    (two_keys(), with_key(), "HIGH"),
    (with_key(), two_keys(), "LOW"),
])  # fmt: skip
def test_what_changes_weighs_as_much_as_it_may_let_in(
    before: World, after: World, severity: str, tmp_path: Path
) -> None:
    """https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html"""
    state = write_state(tmp_path / "before.json", before)
    engine = Engine({DOORS_CHANGED: {"state": str(state)}})
    (found,) = (one for one in engine.analyze(after.resources) if one.policyName == DOORS_CHANGED)
    assert analyzer.proto.PolicySeverity.Name(found.severity) == f"POLICY_SEVERITY_{severity}"


def test_a_state_that_cannot_be_read_is_said_and_not_taken_for_no_change(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")
    engine = Engine({DOORS_CHANGED: {"state": str(tmp_path / "bad.json")}})
    (found,) = engine.analyze(two_keys().resources)
    assert "cannot be told" in found.message


def test_the_rules_import_nothing_of_pulumi_or_of_commands(project_root: Path) -> None:
    modules = "twokeys.access.rules, twokeys.access.reading.state"
    code = f"import sys, {modules}; print([m for m in sys.modules if 'pulumi' in m or m == 'click'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project_root, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("shown", "rule"), [(False, "unproved-door"), (True, "door-needs-grant")])
def test_a_role_that_the_program_only_reads_may_have_the_grant(shown: bool, rule: str) -> None:
    """The engine names it among the dependencies and shows nothing of it (measured with the CLI 3.274.1)."""
    world = World()
    ci = world.role("ci", world.hub)
    deployer = world.role("deployer", world.stage, document(trusts(CI)))
    world.change(deployer, property_dependencies={"assumeRolePolicy": (ci.urn,)})
    resources = world.resources if shown else [one for one in world.resources if one is not ci]
    (found,) = [one for one in Engine().analyze(resources) if one.policyName != "judged-in-the-update"]
    assert found.policyName == rule
    assert ("this program only reads" in found.message) is not shown


@pytest.mark.parametrize(("rule", "inputs", "granted"), [
    ("unproved-door", {}, True),
    ("wildcard-trust", {"assumeRolePolicy": document(trusts("*"))}, False),
    ("external-id", {"assumeRolePolicy": document(trusts(arn(OUTSIDE, "role/ci")))}, False),
])  # fmt: skip
@pytest.mark.parametrize(("named", "pattern", "drawn"), [
    ({}, None, ("task-ffb0256", "task-0ec1e4e")),
    ({}, "${stack}-${name}-${alphanum(4)}", ("stage-task-x7yb", "stage-task-0ka9")),
    ({"namePrefix": "task-"}, None, ("task-20261128170000123400000001", "task-20261128170100123400000002")),
])  # fmt: skip
def test_an_exception_for_a_role_whose_name_is_made_up_is_printed_in_preview_and_holds_in_the_update(
    rule: str,
    inputs: dict[str, object],
    named: dict[str, object],
    pattern: str | None,
    drawn: tuple[str, str],
    *,
    granted: bool,
) -> None:
    """Each run draws other digits: https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming"""

    def made(name: str | None, **outputs: object) -> list[Resource]:
        world = World()
        given = {"assumeRolePolicy": SERVICE, **inputs, **named} | ({"name": name} if name else {})
        role = world.add("Role", "task", world.hub, **given)
        if granted:
            policy = document(grants(arn(OUTSIDE, "role/reader")))
            world.add("RolePolicy", "task", world.hub, role=name or UNKNOWN, policy=policy, made_from={"role": [role]})
        world.change(role, outputs={**(role.inputs or {}), **outputs})
        return world.resources

    of_stack = {"pulumi:autonaming": json.dumps({"pattern": pattern})} if pattern else {}
    engine = partial(Engine, of_stack=of_stack)
    for name in (None, drawn[0]):
        (refused,) = (one for one in engine().analyze(made(name)) if one.policyName == rule)
        assert drawn[0] not in refused.message
        (door,) = set(re.findall(r'"door": "([^"]*)"', refused.message))
        excuse = {"door": door, "reason": "x", "owner": "x", "expires": "2999-01-01"}
        config = {rule: {"exceptions": [excuse]}}
        assert rule not in engine(config).rules(made(name))
        update, there = engine(config, preview=False), made(drawn[1], id=drawn[1], arn=arn(HUB, f"role/{drawn[1]}"))
        assert update.rules(there) == []
        (again,) = (one for one in engine().analyze(there) if one.policyName == rule)
        assert drawn[1] in again.message, "what is there already has its name"
        assert rule in engine(config).rules(made(f"{drawn[1]}1")), "no other name is excused"
        alike = World()
        alike.role(drawn[1], alike.hub, inputs.get("assumeRolePolicy", SERVICE))
        if granted:
            alike.grant(drawn[1], alike.hub, arn(OUTSIDE, "role/reader"))
        assert rule in engine(config).rules(alike.resources), "nor a name that the program gives"


def test_what_the_state_before_has_keeps_the_name_that_was_made_up_for_it(tmp_path: Path) -> None:
    """Not every plugin shows the id of what is there; what is replaced is drawn anew.

    https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
    """

    def world(name: str) -> World:
        found = two_keys()
        denied = document(grants(DEPLOYER, effect="Deny"))
        found.add("RolePolicy", "task", found.hub, role="ci", name=name, policy=denied)
        return found

    state = str(write_state(tmp_path / "before.json", world("task-ffb0256")))
    for name, said in (("task-ffb0256", "task-ffb0256"), ("task-0ec1e4e", "task-???????")):
        messages = [one.message for one in Engine({DOORS_CHANGED: {"state": state}}).analyze(world(name).resources)]
        assert any(said in one for one in messages), messages
