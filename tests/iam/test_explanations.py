"""What findings, refusals and verdicts say to the reader: which rule, where, what, why, and what to do."""

import json
import re
from typing import Any

import pytest

from tests.iam.cases import Case, corpus, judged, policies_of, raw_document, request_of
from twokeys.iam.documents import PolicyKind
from twokeys.iam.evaluation import evaluate, evaluate_grant, evaluate_trust
from twokeys.iam.lint import lint
from twokeys.iam.operators import OPERATORS
from twokeys.iam.parsing import PolicyError, parse_policy
from twokeys.iam.principals import Caller
from twokeys.iam.request import Context, Request
from twokeys.iam.verdict import Decision, Outcome, Requirement, Verdict

GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
TARGET = "arn:aws:iam::222222222222:role/deployer"
MINE = "222222222222"
IDENTITY, RCP = PolicyKind.IDENTITY, PolicyKind.RCP
USER_NAME = "arn:aws:iam::222222222222:role/${aws:username}"


def spoken(message: str) -> bool:
    """Whether it is a sentence as the house speaks: no capital but of a name, no full stop, no shouting."""
    said = re.sub(r"'[^']*'|RCPFullAWSAccess", "''", message)
    return bool(said) and said == said.strip() and said[-1] != "." and not re.search(r"[A-Z]{2}[a-z]|[A-Z]{5}", said)


FINDINGS = [case for case in corpus() if "finding" in case]


@pytest.mark.parametrize("case", FINDINGS, ids=[case.it for case in FINDINGS])
def test_a_finding_names_rule_place_remedy_and_page(case: Case):
    kind = PolicyKind[case["kind"].upper()]
    read = parse_policy(raw_document(case["lint"], kind, TARGET), kind)
    found = lint(read, kind, account=MINE, organization=["111111111111"])
    error = f"{case.page}#access-analyzer-reference-policy-checks-error-"
    pages = [one.url.replace(error, "#").replace(GUIDE, "") for one in found]
    wanted = [re.fullmatch(r"(.+?)(?:: (.+))?( <.+>)", each).groups("") for each in case["finding"]]
    said = [f"{one.severity.value} {one.rule} {one.path} <{page}>" for one, page in zip(found, pages, strict=True)]
    assert said == [head + page for head, _, page in wanted]
    for one, (_, value, _) in zip(found, wanted, strict=True):
        assert value in one.message
        assert f"Statement[{one.statement}]" in one.path
        assert one.next_step


@pytest.mark.parametrize("said", [
    {"Resource": USER_NAME}, {"Resource": ["*", TARGET]}, {"NotResource": USER_NAME},
    {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::222222222222:role/$x"}},
], ids=str)  # fmt: skip
def test_a_variable_in_its_place_is_no_finding(said: Any):
    assert lint(parse_policy(raw_document(said, IDENTITY, TARGET), IDENTITY), IDENTITY) == ()


@pytest.mark.parametrize(("element", "negated"), [("Resource", False), ("NotResource", True)])
def test_a_resource_with_a_free_variable_is_required_as_data(element: str, negated: bool):
    name = "arn:aws:iam::222222222222:role/${aws:PrincipalTag/role}"
    verdict = _standing(grant={element: [name, "arn:aws:iam::333333333333:role/x"]}, free="true")
    assert verdict.outcome is Outcome.CONDITIONAL
    assert verdict.requirements == (Requirement("Resource", TARGET, (name,), negated=negated),)


def test_every_refusal_of_the_corpus_is_spoken():
    for case in corpus():
        if "refused_at" in case:
            with pytest.raises(PolicyError) as refused:
                parse_policy(case["text"], PolicyKind[case["kind"].upper()])
            assert spoken(refused.value.message), refused.value.message
            assert refused.value.message in str(refused.value)
            assert (refused.value.path or "the document") in str(refused.value)


def _decisions(verdict: Verdict) -> list[tuple[str, int | None, str]]:
    return [(one.document, one.statement, one.effect) for one in verdict.decisions]


def _standing(**said: Any) -> Verdict:
    case = next(case for case in corpus() if case.it == "two keys open the door")
    return judged(type(case)(case.file, case.page, case.it, {**case.said, **said}))


def test_a_verdict_names_the_deciding_statement_of_every_policy_in_order():
    everything = {"Action": "*", "Resource": "*"}
    full = _standing(boundary=everything, session=everything, scps=[[everything], [everything]])
    assert _decisions(full) == [
        ("trust policy", 0, "Allow"),
        ("SCP 1 at level 1", 0, "Allow"),
        ("SCP 1 at level 2", 0, "Allow"),
        ("identity-based policy 1", 0, "Allow"),
        ("permissions boundary", 0, "Allow"),
        ("session policy 1", 0, "Allow"),
    ]
    assert all(spoken(one.why) for one in full.decisions)
    assert full.explain().splitlines() == ["ALLOW", *(f"  {one}" for one in full.decisions)]


def test_a_statement_that_names_the_caller_twice_is_named_once():
    verdict = _standing(trust={"Principal": {"AWS": ["111111111111", "arn:aws:iam::111111111111:role/ci"]}})
    assert [one.document for one in verdict.decisions] == ["trust policy", "identity-based policy 1"]


@pytest.mark.parametrize(("value", "text"), [(True, "true"), (False, "false"), (300, "300"), (10.5, "10.5")])
def test_numbers_and_booleans_of_a_condition_are_read_as_json_writes_them(value: object, text: str):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": value}},
    }
    for source in ({"Statement": statement}, json.dumps({"Statement": statement})):
        (clause,) = parse_policy(source).statements[0].conditions
        assert clause.values == (text,)


@pytest.mark.parametrize(("said", "document"), [
    ({"trust": "null"}, "trust policy"),
    ({"grant": []}, "identity-based policies"),
    ({"boundary": {"Action": "s3:*"}}, "permissions boundary"),
    ({"session": {"Action": "s3:*"}}, "session policies"),
    ({"scps": [[{"Action": "*", "Resource": "*"}], [{"Action": "s3:*"}]]}, "SCPs at level 2"),
], ids=str)  # fmt: skip
def test_a_denial_names_the_policy_that_should_have_allowed(said: dict[str, Any], document: str):
    verdict = _standing(**said)
    assert _decisions(verdict) == [(document, None, "implicit deny")]
    assert verdict.decisions[0].why == f"no statement of the {document} allows the request"


@pytest.mark.parametrize(("layer", "document"), [
    ("trust", "trust policy"), ("grant", "identity-based policy 1"), ("boundary", "permissions boundary"),
    ("session", "session policy 1"), ("rcps", "RCP 1 at level 1"), ("scps", "SCP 1 at level 1"),
])  # fmt: skip
def test_an_explicit_denial_names_its_statement(layer: str, document: str):
    allow: dict[str, Any] = {"Principal": "*"} if layer == "trust" else {"Action": "*", "Resource": "*"}
    statements = [allow, {**allow, "Effect": "Deny", "Sid": "No"}]
    verdict = _standing(**{layer: [[statements]] if layer.endswith("cps") else statements})
    (decision,) = verdict.decisions
    assert (decision.document, decision.statement, decision.sid, decision.effect) == (document, 1, "No", "Deny")
    assert spoken(decision.why)
    assert f"{document}, statement 1 (No)" in verdict.explain()


def test_each_key_alone_explains_itself_in_the_same_words():
    case = next(case for case in corpus() if case.it == "two keys open the door")
    asked, held = request_of(case), policies_of(case)
    assert evaluate_trust(asked, held.trust).decisions[0].document == "trust policy"
    assert evaluate_grant(asked, held).decisions[0].document == "identity-based policy 1"
    lost = evaluate_trust(asked, None)
    assert lost.decisions == (
        Decision("trust policy", None, None, "implicit deny", "no statement of the trust policy allows the request"),
    )
    service = Request(Caller("lambda.amazonaws.com"), "sts:AssumeRole", TARGET, Context({}, complete=True))
    free = evaluate_grant(service, held)
    assert free.outcome is Outcome.ALLOW
    assert free.decisions == (
        Decision("caller", None, None, "Allow", "a service principal needs no identity-based policy"),
    )


@pytest.mark.parametrize(("caller", "action", "why"), [
    ("arn:aws:iam::111111111111:root", "sts:AssumeRole", "root user"),
    ("arn:aws:iam::111111111111:root", "sts:AssumeRoot", "root user"),
    ("arn:aws:sts::111111111111:federated-user/bob", "sts:AssumeRole", "GetFederationToken"),
    ("accounts.google.com", "sts:AssumeRoleWithSAML", "AssumeRoleWithSAML is for people of a SAML provider"),
    (TARGET.replace("role/", "saml-provider/"), "sts:AssumeRoleWithWebIdentity",
     "AssumeRoleWithWebIdentity is for people of an OIDC or web identity provider"),
    ("accounts.google.com", "sts:AssumeRole", "AssumeRoleWithSAML or AssumeRoleWithWebIdentity"),
    ("arn:aws:iam::111111111111:role/ci", "sts:AssumeRoleWithSAML", "federated"),
    ("arn:aws-cn:iam::111111111111:role/ci", "sts:AssumeRole", "partition"),
])  # fmt: skip
def test_what_sts_refuses_whatever_the_policies_say_is_explained(caller: str, action: str, why: str):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
    """
    case = next(case for case in corpus() if case.it == "two keys open the door")
    asked = Request(Caller(caller), action, TARGET, Context({}, complete=True))
    verdict = evaluate(asked, policies_of(case))
    assert verdict.outcome is Outcome.DENY
    (decision,) = verdict.decisions
    assert (decision.document, decision.statement, decision.effect) == ("STS", None, "Deny")
    assert why in decision.why
    assert spoken(decision.why)


def test_the_operators_are_the_ones_that_aws_documents():
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    plain = {
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
        "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
        "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
        "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
        "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
    }  # fmt: skip
    assert set(OPERATORS) == plain, "add it here, if AWS's page has it"
    assert [name for name, one in OPERATORS.items() if (one.pattern is None) == (one.test is None)] == ["Null"]
