"""Who is let in, by which policies.

Expectations are those of these pages, where a test names no other:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from typing import Any

import pytest

from tests.iam.policies import CI, ROLE, SOURCE, TARGET, admits, document, grant, request, trust
from twokeys.iam import (
    UNKNOWN,
    ArnError,
    Caller,
    CallerKind,
    Outcome,
    Policies,
    PolicyKind,
    evaluate,
    evaluate_grant,
    evaluate_trust,
)

ALLOW, DENY = Outcome.ALLOW, Outcome.DENY
SESSION = f"arn:aws:sts::{SOURCE}:assumed-role/ci/build"
USER = f"arn:aws:iam::{SOURCE}:user/anna"
LOCAL_ROLE = f"arn:aws:iam::{TARGET}:role/ci"
LOCAL_SESSION = f"arn:aws:sts::{TARGET}:assumed-role/ci/build"
LOCAL_USER = f"arn:aws:iam::{TARGET}:user/anna"
NARROW = grant({"Action": "s3:*"}, kind=PolicyKind.BOUNDARY)
SHUT = grant({"Effect": "Deny"})
FULL = grant({"Action": "*"}, kind=PolicyKind.SCP)


def outcome(caller: str | Caller, trusting: Any, *identity: Any, rcps: Any = (), **more: Any) -> Outcome:
    return evaluate(request(caller), Policies(identity=identity, **more).on(trusting, rcps)).outcome


@pytest.mark.parametrize("name", [SOURCE, f"arn:aws:iam::{SOURCE}:root", CI, "*"])
def test_across_accounts_both_keys_are_needed(name: str):
    assert outcome(CI, trust(admits(name)), grant({})) is ALLOW
    assert outcome(CI, trust(admits(name))) is DENY
    assert outcome(CI, None, grant({})) is DENY


@pytest.mark.parametrize(("caller", "name", "expected"), [
    (SESSION, CI, ALLOW), (SESSION, SESSION, ALLOW), (SESSION, f"{SESSION}2", DENY), (SESSION, USER, DENY),
    (USER, USER, ALLOW), (USER, USER.upper(), DENY), (USER, f"arn:aws:iam::{SOURCE}:user/Anna", DENY),
    (CI, f"{CI}2", DENY), (CI, f"arn:aws:iam::{SOURCE}:role/*", DENY), (CI, f"arn:aws:iam::{SOURCE}:group/ci", DENY),
    (CI, "333333333333", DENY), (CI, f"arn:aws-cn:iam::{SOURCE}:root", DENY), (CI, "AROAEXAMPLEEXAMPLEAAA", DENY),
    (Caller(CI, unique_id="AROAEXAMPLEEXAMPLEAAA"), "AROAEXAMPLEEXAMPLEAAA", ALLOW),
])  # fmt: skip
def test_a_principal_names_a_caller_exactly(caller: str | Caller, name: str, expected: Outcome):
    if name.startswith("ARN"):
        name = name.replace("ARN:AWS:IAM", "arn:aws:iam")
    assert outcome(caller, trust(admits(name)), grant({})) is expected


def test_a_session_knows_the_path_of_its_role_only_when_told():
    role = f"arn:aws:iam::{SOURCE}:role/team/ci"
    assert outcome(SESSION, trust(admits(role)), grant({})) is DENY
    assert outcome(Caller(SESSION, role_arn=role), trust(admits(role)), grant({})) is ALLOW


@pytest.mark.parametrize(("caller", "name", "expected"), [
    (LOCAL_USER, LOCAL_USER, ALLOW), (LOCAL_SESSION, LOCAL_SESSION, ALLOW), (LOCAL_SESSION, LOCAL_ROLE, ALLOW),
    (LOCAL_ROLE, LOCAL_ROLE, ALLOW), (LOCAL_ROLE, "*", ALLOW), (LOCAL_ROLE, TARGET, DENY), (LOCAL_USER, TARGET, DENY),
])  # fmt: skip
def test_within_an_account_a_trust_that_names_the_caller_needs_no_grant(caller: str, name: str, expected: Outcome):
    assert outcome(caller, trust(admits(name))) is expected
    assert outcome(caller, trust(admits(name), admits(TARGET))) is expected
    assert outcome(caller, trust(admits(name)), grant({})) is ALLOW
    assert outcome(caller, None, grant({})) is DENY


@pytest.mark.parametrize(("caller", "name", "expected"), [
    (LOCAL_USER, LOCAL_USER, ALLOW), (LOCAL_SESSION, LOCAL_SESSION, ALLOW), (LOCAL_SESSION, "*", ALLOW),
    (LOCAL_SESSION, LOCAL_ROLE, DENY), (LOCAL_ROLE, LOCAL_ROLE, DENY), (LOCAL_USER, TARGET, DENY),
])  # fmt: skip
def test_an_implicit_denial_of_a_boundary_limits_a_role_but_not_a_user_or_session_that_is_named(
    caller: str, name: str, expected: Outcome
):
    assert outcome(caller, trust(admits(name)), grant({}), boundary=NARROW) is expected
    assert outcome(caller, trust(admits(name)), grant({}), session=(NARROW,)) is expected


@pytest.mark.parametrize("name", [LOCAL_USER, "*"])
def test_an_explicit_denial_overrides_every_allow(name: str):
    allowing = trust(admits(name))
    assert outcome(LOCAL_USER, allowing, SHUT) is DENY
    assert outcome(LOCAL_USER, allowing, boundary=SHUT) is DENY
    assert outcome(LOCAL_USER, allowing, session=(SHUT,)) is DENY
    assert outcome(LOCAL_USER, allowing, scps=((FULL, SHUT),)) is DENY
    assert outcome(LOCAL_USER, trust(admits(name), admits(TARGET, Effect="Deny"))) is DENY


def test_across_accounts_a_boundary_and_session_policies_limit_the_grant():
    wide = grant({}, kind=PolicyKind.BOUNDARY)
    for key in ("boundary", "session"):
        limits = {key: NARROW if key == "boundary" else (NARROW,)}
        assert outcome(SESSION, trust(admits(SESSION)), grant({}), **limits) is DENY
    assert outcome(SESSION, trust(admits(SESSION)), grant({}), boundary=wide, session=(NARROW, wide)) is ALLOW


def test_every_level_of_scps_must_allow_and_one_policy_of_a_level_is_enough():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"""
    both = trust(admits(SOURCE))
    assert outcome(CI, both, grant({}), scps=()) is ALLOW
    assert outcome(CI, both, grant({}), scps=((FULL,), (NARROW, FULL))) is ALLOW
    assert outcome(CI, both, grant({}), scps=((FULL,), (NARROW,))) is DENY
    assert outcome(CI, both, grant({}), scps=((FULL,), ())) is DENY
    assert outcome(LOCAL_USER, trust(admits(LOCAL_USER)), scps=((NARROW,),)) is DENY
    limited = Policies(trust=trust(admits(LOCAL_USER)), scps=((FULL,),), boundary=grant({}, kind=PolicyKind.BOUNDARY))
    assert "SCP 1 at level 1" in evaluate(request(LOCAL_USER), limited).explain()


def test_scps_and_rcps_do_not_bind_service_linked_roles():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
    """
    linked = f"arn:aws:iam::{SOURCE}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    assert outcome(linked, trust(admits(linked)), grant({}), scps=((NARROW,), (SHUT,)), rcps=((rcp(),),)) is ALLOW


def rcp(**statement: Any) -> Any:
    filled = {"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Resource": "*", **statement}
    return document(filled, kind=PolicyKind.RCP)


def test_rcps_deny_and_need_not_list_full_access():
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html"""
    both = trust(admits(SOURCE))
    assert outcome(CI, both, grant({}), rcps=((rcp(Effect="Allow", Action="*"),),)) is ALLOW
    assert outcome(CI, both, grant({}), rcps=((), (rcp(Action="s3:*"),))) is ALLOW
    assert outcome(CI, both, grant({}), rcps=((rcp(Effect="Allow", Action="*"),), (rcp(),))) is DENY


def test_an_rcp_binds_services_and_federated_people_as_well():
    keys = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    both = document(
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        kind=PolicyKind.TRUST,
    )
    assert outcome("ec2.amazonaws.com", both, rcps=((rcp(Condition=keys),),)) is ALLOW
    assert outcome("ec2.amazonaws.com", both, rcps=((rcp(),),)) is DENY
    assert outcome(CI, trust(admits(CI)), grant({}), rcps=((rcp(Condition=keys),),)) is DENY


def test_a_service_needs_the_trust_alone():
    service = document(
        {"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"},
        kind=PolicyKind.TRUST,
    )
    assert outcome("ec2.amazonaws.com", service) is ALLOW
    assert outcome("lambda.amazonaws.com", service) is DENY
    assert outcome("ec2.amazonaws.com", trust(admits(TARGET))) is DENY
    assert outcome("ec2.amazonaws.com", service, SHUT, scps=((SHUT,),)) is ALLOW


SAML = f"arn:aws:iam::{TARGET}:saml-provider/corp"
OIDC = f"arn:aws:iam::{TARGET}:oidc-provider/token.actions.githubusercontent.com"


@pytest.mark.parametrize(("caller", "action", "expected"), [
    (SAML, "sts:AssumeRoleWithSAML", ALLOW), (SAML, "sts:AssumeRoleWithWebIdentity", DENY),
    (SAML, "sts:AssumeRole", DENY),
    (OIDC, "sts:AssumeRoleWithWebIdentity", ALLOW), (OIDC, "sts:AssumeRoleWithSAML", DENY),
    ("accounts.google.com", "sts:AssumeRoleWithWebIdentity", ALLOW), (CI, "sts:AssumeRoleWithSAML", DENY),
    ("cognito-identity.amazonaws.com", "sts:AssumeRoleWithWebIdentity", DENY), (OIDC, "sts:TagSession", ALLOW),
])  # fmt: skip
def test_a_federated_person_comes_by_the_operation_of_its_provider(caller: str, action: str, expected: Outcome):
    trusting = document(
        {"Effect": "Allow", "Principal": {"Federated": [SAML, OIDC, "accounts.google.com"]}, "Action": "sts:*"},
        kind=PolicyKind.TRUST,
    )
    assert evaluate(request(caller, action=action), Policies(trust=trusting)).outcome is expected


def test_a_root_user_cannot_assume_a_role():
    """https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""
    root = f"arn:aws:iam::{SOURCE}:root"
    assert outcome(root, trust(admits(SOURCE)), grant({})) is DENY
    assert evaluate_trust(request(root), trust(admits(SOURCE))).outcome is ALLOW


def test_nobody_crosses_a_partition():
    caller = f"arn:aws-cn:iam::{SOURCE}:role/ci"
    assert outcome(caller, trust(admits(SOURCE, caller)), grant({})) is DENY
    assert evaluate_trust(request(caller), trust(admits(SOURCE, caller))).outcome is DENY


@pytest.mark.parametrize("action", ["sts:TagSession", "sts:SetSourceIdentity", "STS:tagsession"])
def test_tagging_and_source_identity_need_both_keys_too(action: str):
    trusting, granting = trust(admits(CI, Action=[action])), grant({"Action": [action]})
    asked = request(action=action)
    assert evaluate(asked, Policies((granting,), trusting)).outcome is ALLOW
    assert evaluate(asked, Policies((granting,), trust(admits(CI)))).outcome is DENY
    assert evaluate(asked, Policies((grant({}),), trusting)).outcome is DENY


@pytest.mark.parametrize(("change", "expected"), [
    ({"Action": "STS:assumerole"}, ALLOW), ({"Action": "sts:Assume*"}, ALLOW), ({"Action": "sts:AssumeRol?"}, ALLOW),
    ({"Action": "*"}, ALLOW), ({"Action": "sts:AssumeRoleWithSAML"}, DENY), ({"NotAction": "iam:*"}, ALLOW),
    ({"NotAction": ["iam:*", "sts:*"]}, DENY), ({"Resource": ROLE}, ALLOW), ({"Resource": f"{ROLE}2"}, DENY),
    ({"Resource": f"arn:aws:iam::{TARGET}:role/*"}, ALLOW), ({"Resource": "arn:aws:iam::*:role/deployer"}, ALLOW),
    ({"NotResource": ROLE}, DENY), ({"NotResource": f"{ROLE}2"}, ALLOW),
    ({"Resource": f"arn:aws:iam::{TARGET}:role/${{aws:username}}"}, DENY),
    ({"Resource": f"arn:aws:iam::{TARGET}:role/${{aws:username, 'deployer'}}"}, ALLOW),
])  # fmt: skip
def test_a_grant_covers_actions_and_resources(change: dict[str, Any], expected: Outcome):
    assert outcome(CI, trust(admits(CI)), grant(change)) is expected


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_variables_are_literal_in_an_older_document(version: str | None):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html"""
    named = {"Resource": f"arn:aws:iam::{TARGET}:role/${{aws:username}}"}
    asked = request(USER, to=f"arn:aws:iam::{TARGET}:role/anna")
    assert evaluate(asked, Policies((grant(named),), trust(admits(USER)))).outcome is ALLOW
    assert evaluate(asked, Policies((grant(named, version=version),), trust(admits(USER)))).outcome is DENY


@pytest.mark.parametrize(("condition", "expected"), [
    ({"ArnEquals": {"aws:PrincipalArn": CI}}, ALLOW), ({"ArnEquals": {"aws:PrincipalArn": SESSION}}, DENY),
    ({"StringEquals": {"AWS:PRINCIPALACCOUNT": SOURCE}}, ALLOW),
    ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, ALLOW),
    ({"Null": {"aws:username": "true"}}, ALLOW), ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, ALLOW),
    ({"StringEquals": {"aws:ResourceAccount": TARGET}}, ALLOW), ({"StringLike": {"aws:userid": "AROAX:build"}}, ALLOW),
    ({"StringEquals": {"aws:SourceAccount": SOURCE}}, DENY), ({"Null": {"aws:SourceOrgID": "true"}}, ALLOW),
])  # fmt: skip
def test_what_follows_from_the_caller_is_in_the_context(condition: dict[str, Any], expected: Outcome):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
    caller = Caller(SESSION, unique_id="AROAX")
    assert outcome(caller, trust(admits(SOURCE, Condition=condition)), grant({})) is expected


def test_the_context_can_say_otherwise():
    asked = request(keys={"aws:principalarn": "arn:aws:iam::333333333333:role/x"})
    trusting = trust(admits(SOURCE, Condition={"ArnLike": {"aws:PrincipalArn": CI}}))
    assert evaluate(asked, Policies((grant({}),), trusting)).outcome is DENY


def resource_policy(*statements: Any) -> Any:
    filled = [{"Action": "sts:*", "Effect": "Deny", **one} for one in statements]
    return document({"Effect": "Allow", "Principal": "*", "Action": "*"}, *filled, kind=PolicyKind.RESOURCE)


@pytest.mark.parametrize(("caller", "names", "expected"), [
    (USER, [USER, SOURCE], ALLOW), (USER, [USER], DENY), (USER, [SOURCE], DENY), (USER, ["333333333333"], DENY),
    (SESSION, [SESSION, CI, f"arn:aws:iam::{SOURCE}:root"], ALLOW), (SESSION, [CI, SOURCE], DENY),
    (SESSION, [SESSION], DENY),
])  # fmt: skip
def test_not_principal_spares_only_whom_it_names_with_role_and_account(
    caller: str, names: list[str], expected: Outcome
):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    policy = resource_policy({"NotPrincipal": {"AWS": names}})
    assert outcome(caller, policy, grant({})) is expected
    assert evaluate_trust(request(caller), policy).outcome is expected


def test_not_principal_always_denies_a_caller_with_a_permissions_boundary():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html"""
    policy = resource_policy({"NotPrincipal": {"AWS": [USER, SOURCE]}})
    assert outcome(USER, policy, grant({}), boundary=grant({}, kind=PolicyKind.BOUNDARY)) is DENY


def test_symbols_give_the_verdicts_that_ids_give():
    role = "arn:aws:iam::account:stage:role/deployer"
    granting = grant({"Resource": role})
    assert evaluate(request(to=role), Policies((granting,), trust(admits(SOURCE)))).outcome is ALLOW
    other = "arn:aws:iam::account:prod:role/deployer"
    assert evaluate(request(to=other), Policies((granting,), trust(admits(SOURCE)))).outcome is DENY
    inside = request("arn:aws:iam::account:stage:user/anna", to=role)
    assert evaluate(inside, Policies(trust=trust(admits("arn:aws:iam::account:stage:user/anna")))).outcome is ALLOW
    assert evaluate(inside, Policies(trust=trust(admits("account:stage")))).outcome is DENY


def test_each_key_can_be_judged_alone():
    asked = request()
    assert evaluate_trust(asked, trust(admits(SOURCE))).outcome is ALLOW
    assert evaluate_trust(asked, trust(admits(TARGET))).outcome is DENY
    assert evaluate_trust(asked, None).outcome is DENY
    assert evaluate_trust(asked, UNKNOWN).outcome is Outcome.UNKNOWN
    assert evaluate_grant(asked, Policies((grant({}),))).outcome is ALLOW
    assert evaluate_grant(asked, Policies((grant({}),), boundary=NARROW)).outcome is DENY
    assert evaluate_grant(asked, Policies((grant({}),), scps=((NARROW,),))).outcome is DENY
    assert evaluate_grant(request("ec2.amazonaws.com"), Policies()).outcome is ALLOW


def test_a_verdict_names_the_statements_that_decided_in_order():
    named = Policies(
        (grant({"Action": "s3:*"}), grant({"Sid": "Go"})), trust(admits("333333333333"), admits(CI, Sid="In"))
    )
    verdict = evaluate(request(), named)
    assert [(one.document, one.statement, one.sid, one.effect) for one in verdict.decisions] == [
        ("trust policy", 1, "In", "Allow"),
        ("identity-based policy 2", 0, "Go", "Allow"),
    ]
    denied = evaluate(request(), Policies((grant({}), grant({"Sid": "No", "Effect": "Deny"})), named.trust))
    assert [(one.document, one.sid, one.effect) for one in denied.decisions] == [
        ("identity-based policy 2", "No", "Deny")
    ]
    missing = evaluate(request(), Policies((grant({}),), trust(admits(TARGET))))
    assert [(one.document, one.effect) for one in missing.decisions] == [("trust policy", "implicit deny")]
    assert missing.explain().startswith("DENY\n  implicit deny: trust policy")


@pytest.mark.parametrize(("text", "kind"), [
    (CI, CallerKind.ROLE), (SESSION, CallerKind.SESSION), (USER, CallerKind.USER),
    (f"arn:aws:iam::{SOURCE}:root", CallerKind.ROOT),
    (SAML, CallerKind.FEDERATED), (f"arn:aws:sts::{SOURCE}:federated-user/x", CallerKind.FEDERATED_USER),
    ("lambda.amazonaws.com", CallerKind.SERVICE), ("accounts.google.com", CallerKind.FEDERATED),
])  # fmt: skip
def test_a_caller_is_known_by_its_arn(text: str, kind: CallerKind):
    assert Caller(text).kind is kind


@pytest.mark.parametrize("text", ["", "anna", "arn:aws:iam::111111111111:group/x", "arn:aws:s3:::bucket",
    "arn:aws:sts::111111111111:assumed-role/x", "arn:aws:iam::aws:role/x"])  # fmt: skip
def test_what_cannot_make_a_request_is_no_caller(text: str):
    with pytest.raises(ArnError):
        Caller(text)


# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html


@pytest.mark.parametrize(("resource", "action", "expected"), [
    (f"arn:aws:iam::{TARGET}:root", "sts:AssumeRoot", ALLOW), ("*", "*", ALLOW),
    ("arn:aws:iam::*:root", "sts:Assume*", ALLOW),
    (f"arn:aws:iam::{SOURCE}:root", "sts:AssumeRoot", DENY),
    (f"arn:aws:iam::{TARGET}:role/*", "sts:AssumeRoot", DENY),
    (f"arn:aws:iam::{TARGET}:root", "sts:AssumeRole", DENY),
])  # fmt: skip
def test_a_root_session_needs_a_grant_on_the_root_of_the_account_and_no_trust(
    resource: str, action: str, expected: Outcome
):
    asked = request(action="sts:AssumeRoot", to=f"arn:aws:iam::{TARGET}:root")
    policies = Policies(identity=(grant({"Action": action, "Resource": resource}),))
    assert evaluate(asked, policies).outcome is expected
    assert evaluate_grant(asked, policies).outcome is expected
    denied = Policies(identity=(*policies.identity, grant({"Effect": "Deny", "Action": "sts:AssumeRoot"})))
    assert evaluate(asked, denied).outcome is DENY
