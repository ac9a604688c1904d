"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.iam.policies import TARGET, request, trust
from twokeys.iam import UNKNOWN, Caller, Federation, Outcome, Policies, evaluate, federations
from twokeys.iam.admission import Admitted
from twokeys.iam.documents import PolicyDocument

HOST = "token.actions.githubusercontent.com"
GITHUB = f"arn:aws:iam::{TARGET}:oidc-provider/{HOST}"
CORP = f"arn:aws:iam::{TARGET}:saml-provider/corp"
WEB, SAML = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"
SUB, AUD = f"{HOST}:sub", f"{HOST}:aud"
MAIN, ALL = "repo:acme/app:ref:refs/heads/main", "repo:acme/app:*"


def admitting(condition: Any = None, **more: Any) -> dict[str, Any]:
    statement = {"Principal": {"Federated": GITHUB}, "Action": WEB, **more}
    return statement if condition is None else {**statement, "Condition": condition}


def only(policy: PolicyDocument) -> Federation:
    (found,) = federations(policy)
    return found


def asked_for(found: Admitted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The values that must be equal, as written, and those that are patterns."""
    exact, patterns = ([one.text for one in found.values if one.wild is wild] for wild in (False, True))
    return tuple(exact), tuple(patterns)


@pytest.mark.parametrize(("condition", "exact", "patterns"), [
    ({"StringEquals": {SUB: MAIN}}, (MAIN,), ()), ({"StringEquals": {SUB.upper(): MAIN}}, (MAIN,), ()),
    ({"StringEquals": {SUB: ["a", "b"]}}, ("a", "b"), ()), ({"StringLike": {SUB: ALL}}, (), (ALL,)),
    ({"StringLike": {SUB: [MAIN, "repo:acme/*"]}}, (MAIN,), ("repo:acme/*",)),
    ({"StringEquals": {SUB: "repo:acme/*"}}, ("repo:acme/*",), ()),
    ({"StringEqualsIgnoreCase": {SUB: "Repo:*"}}, ("Repo:*",), ()),
    ({"ForAnyValue:StringLike": {SUB: ALL}}, (), (ALL,)),
    ({"ForAllValues:StringLike": {SUB: ALL}, "Null": {SUB: "false"}}, (), (ALL,)),
    ({"StringLikeIfExists": {SUB: ALL}, "Null": {SUB: False}}, (), (ALL,)),
    ({"StringLike": {SUB: "repo:*"}, "StringEquals": {SUB: MAIN}}, (MAIN,), ()),
    ({"StringLike": {SUB: ALL}, "ForAnyValue:StringLike": {SUB: "repo:*"}}, (), (ALL,)),
    ({"StringLike": {SUB: [MAIN, "repo:acme/x:*"]}, "StringNotLike": {SUB: "*:ref:*"}}, (), ("repo:acme/x:*",)),
    ({"StringEquals": {SUB: "a"}, "StringLike": {SUB: "b*"}}, (), ()),
    ({"StringLike": {SUB: "repo:acme/*"}, "StringLikeIfExists": {SUB: "repo:other/*"}}, (), ()),
    ({"StringEquals": {SUB: []}}, (), ()),
])  # fmt: skip
def test_a_condition_demands_certain_subjects(condition: Any, exact: tuple[str, ...], patterns: tuple[str, ...]):
    subject = only(trust(admitting(condition))).subject
    assert asked_for(subject) == (exact, patterns)
    assert subject.demanded
    assert not subject.anybody
    assert subject.nobody is (not exact and not patterns)


@pytest.mark.parametrize("condition", [
    None, {"StringEquals": {AUD: "sts.amazonaws.com"}}, {"StringLike": {SUB: "*"}}, {"StringLike": {SUB: "?*"}},
    {"StringLike": {SUB: [MAIN, "**"]}}, {"ForAllValues:StringEquals": {SUB: MAIN}},
    {"StringEqualsIfExists": {SUB: MAIN}}, {"StringNotEquals": {SUB: MAIN}}, {"StringNotLike": {SUB: ALL}},
    {"Null": {SUB: "false"}}, {"ForAllValues:StringEquals": {SUB: MAIN}, "ForAllValues:Null": {SUB: "false"}},
    {"StringLike": {SUB: "${" + SUB + "}"}}, {"Bool": {SUB: "true"}}, {"StringEquals": {"other.example:sub": MAIN}},
], ids=str)  # fmt: skip
def test_a_condition_that_demands_no_subject_lets_anybody_of_the_provider_in(condition: Any):
    assert only(trust(admitting(condition))).subject.anybody


def test_a_subject_that_is_not_known_yet_is_neither_anybody_nor_nobody():
    for condition in ({"StringEquals": {SUB: UNKNOWN}}, UNKNOWN):
        subject = only(trust(admitting(condition))).subject
        assert (subject.anybody, subject.nobody, subject.unresolved) == (False, False, True)


@pytest.mark.parametrize(("denied", "exact", "patterns", "anybody"), [
    ({"StringNotLike": {SUB: ALL}}, (), (ALL,), False), ({"StringNotLikeIfExists": {SUB: ALL}}, (), (ALL,), False),
    ({"ForAnyValue:StringNotLike": {SUB: ALL}}, (), (), True), ({"StringEquals": {SUB: MAIN}}, (), (), True),
    ({"StringNotLike": {SUB: ALL}, "Bool": {"aws:SecureTransport": "true"}}, (), (), True),
])  # fmt: skip
def test_a_denial_of_all_others_demands_too(
    denied: Any, exact: tuple[str, ...], patterns: tuple[str, ...], anybody: bool
):
    found = only(trust(admitting(), admitting(denied, Effect="Deny")))
    assert (*asked_for(found.subject), found.subject.anybody) == (exact, patterns, anybody)


def test_who_is_denied_without_conditions_is_no_federation():
    assert federations(trust(admitting(), admitting(Effect="Deny"))) == ()
    assert federations(trust(admitting(), admitting(Effect="Deny", Principal={"AWS": "*"}, Action="sts:*"))) == ()
    assert len(federations(trust(admitting(), admitting(Effect="Deny", Action=SAML)))) == 1


def test_a_deny_that_may_be_an_allow_leaves_the_federation():
    (found,) = federations(trust(admitting(Effect=UNKNOWN)))
    assert found.unresolved
    certain, _ = federations(trust(admitting(), admitting({"StringNotLike": {SUB: ALL}}, Effect=UNKNOWN)))
    assert certain.subject.anybody


def test_a_denial_of_any_value_demands_one_where_the_statement_demands_that_the_key_is_there():
    denial = admitting({"ForAnyValue:StringNotLike": {SUB: ALL}}, Effect="Deny")
    found = only(trust(admitting({"Null": {SUB: "false"}}), denial))
    assert asked_for(found.subject) == ((), (ALL,))


def test_each_provider_of_a_statement_is_read_by_itself():
    both = {"Principal": {"Federated": [CORP, GITHUB, "accounts.google.com"]}}
    web = federations(trust({**both, "Action": WEB}))
    assert [one.provider for one in web] == [GITHUB, "accounts.google.com"]
    denial = {"Effect": "Deny", "Principal": {"Federated": GITHUB}, "Action": "sts:*"}
    denied = federations(trust({**both, "Action": "sts:*"}, denial))
    assert [(one.provider, one.action) for one in denied] == [("accounts.google.com", WEB), (CORP, SAML)]


@pytest.mark.parametrize(("principal", "providers"), [
    ({"Federated": "*"}, []), ({"Federated": GITHUB}, []), ({"Federated": CORP}, [GITHUB]), ({"AWS": "*"}, []),
    ({"Service": "ec2.amazonaws.com"}, [GITHUB]), ({"Federated": UNKNOWN}, [GITHUB]),
])  # fmt: skip
def test_a_denial_counts_for_the_providers_that_it_certainly_names(principal: Any, providers: list[str]):
    found = federations(trust(admitting(), admitting(Effect="Deny", Principal=principal)))
    assert [one.provider for one in found] == providers


@pytest.mark.parametrize(("provider", "action", "prefix", "found"), [
    (GITHUB, WEB, HOST, True), (GITHUB, "sts:*", HOST, True), (GITHUB, "sts:AssumeRole", "", False),
    (GITHUB, SAML, "", False), (CORP, SAML, "saml", True), (CORP, WEB, "", False),
    ("accounts.google.com", WEB, "accounts.google.com", True),
    (f"arn:aws-cn:iam::{TARGET}:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/AB", WEB,
     "oidc.eks.cn-north-1.amazonaws.com.cn/id/AB", True),
])  # fmt: skip
def test_each_kind_of_provider_has_its_action_and_its_keys(provider: str, action: str, prefix: str, found: bool):
    all_of = federations(trust({"Principal": {"Federated": provider}, "Action": action}))
    assert [one.prefix for one in all_of] == ([prefix] if found else [])


def test_other_claims_are_read_too():
    keys = {AUD: "sts.amazonaws.com", f"{HOST}:repository_owner_id": "42"}
    found = only(trust(admitting({"StringEquals": keys, "ForAllValues:StringEquals": {f"{HOST}:actor": "me"}})))
    assert asked_for(found.admits("repository_owner_id")) == (("42",), ())
    assert found.admits("actor").anybody
    assert asked_for(found.admits(AUD)) == (("sts.amazonaws.com",), ())


@pytest.mark.parametrize(("provider", "subject"), [
    ("graph.facebook.com", "id"), ("www.amazon.com", "user_id"), ("cognito-identity.amazonaws.com", "sub"),
])  # fmt: skip
def test_some_web_identity_providers_call_the_subject_otherwise(provider: str, subject: str):
    condition = {"StringEquals": {f"{provider}:{subject}": "me"}}
    found = only(trust({"Principal": {"Federated": provider}, "Action": WEB, "Condition": condition}))
    assert asked_for(found.subject) == (("me",), ())


@pytest.mark.parametrize("principal", [{"Federated": "*"}, {"AWS": "*"}])
def test_a_star_is_every_provider(principal: Any):
    assert [(one.provider, one.action) for one in federations(trust({"Principal": principal, "Action": "sts:*"}))] == [
        ("*", WEB),
        ("*", SAML),
    ]


def test_a_provider_or_an_action_that_is_not_known_yet_is_unresolved():
    assert only(trust(admitting(Action=UNKNOWN))).unresolved
    for principal in (UNKNOWN, {"Federated": UNKNOWN}):
        found = federations(trust(admitting(Principal=principal)))
        assert {(one.provider, one.unresolved) for one in found} == {(UNKNOWN, True)}
    assert only(trust(admitting(UNKNOWN))).unresolved
    partly = federations(trust(admitting(Principal={"Federated": [GITHUB, UNKNOWN]})))
    assert [one.provider for one in partly] == [GITHUB, UNKNOWN]
    assert not only(trust(admitting())).unresolved


POSITIVE = ("StringEquals", "StringLike", "StringEqualsIgnoreCase")
operators = st.sampled_from((*POSITIVE, "StringNotEquals", "StringNotLike"))
names = st.tuples(st.sampled_from(("", "ForAllValues:", "ForAnyValue:")), operators, st.sampled_from(("", "IfExists")))
texts = st.text("ab*?", max_size=4)
conditions = st.dictionaries(names.map("".join), st.lists(texts, max_size=2), max_size=3)


@given(conditions, st.none() | conditions, st.text("abA*", min_size=1, max_size=4))
def test_whoever_gets_in_is_among_those_admitted(allowed: Any, denied: Any, subject: str):
    """A subject that the evaluation lets in is never left out by what is read from the conditions."""

    def clauses(drawn: Any) -> dict[str, Any]:
        return {operator: {SUB: values} for operator, values in drawn.items()}

    statements = [admitting(clauses(allowed))]
    if denied is not None:
        statements.append(admitting(clauses(denied), Effect="Deny"))
    policy = trust(*statements)
    asked = request(Caller(GITHUB), action=WEB, keys={SUB: subject})
    passes = evaluate(asked, Policies(trust=policy)).outcome is Outcome.ALLOW
    found = federations(policy)
    assert any(one.subject.admits(subject) for one in found) or not passes


def test_leaving_out_texts_of_one_letter_leaves_the_longer_ones_in():
    found = only(trust(admitting({"StringLike": {SUB: "*"}, "StringNotLike": {SUB: "?"}})))
    assert found.subject.anybody
    assert found.subject.admits("AA")


@given(st.sampled_from(POSITIVE), st.lists(texts, max_size=3), st.text("abA*", min_size=1, max_size=4))
def test_just_those_who_get_in_are_admitted_by_one_condition(operator: str, values: list[str], subject: str):
    policy = trust(admitting({operator: {SUB: values}}))
    verdict = evaluate(request(Caller(GITHUB), action=WEB, keys={SUB: subject}), Policies(trust=policy))
    assert only(policy).subject.admits(subject) is (verdict.outcome is Outcome.ALLOW)
