"""What Access Analyzer reports as an error is one here, and what AWS takes is none.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from typing import Any

import pytest

from tests.iam.policies import SOURCE, TARGET, admits, document, grant, trust
from twokeys.iam import UNKNOWN, PolicyKind, Severity, lint, policy_size
from twokeys.iam.finding import PolicyFinding

GITHUB = "token.actions.githubusercontent.com"
ROLE = f"arn:aws:iam::{TARGET}:role/x"


def found_in(statement: dict[str, Any]) -> tuple[PolicyFinding, ...]:
    return lint(grant(statement), PolicyKind.IDENTITY)


@pytest.mark.parametrize(("operator", "key", "value"), [
    ("Bool", "aws:SecureTransport", "True"), ("Bool", "aws:SecureTransport", True), ("Null", "aws:TagKeys", "true"),
    ("NumericLessThan", "s3:max-keys", 10), ("DateLessThan", "aws:CurrentTime", "2026-12-01T00:00:00Z"),
    ("IpAddress", "aws:SourceIp", ["54.240.143.0/24", "2001:DB8:1234:5678::/64"]),
    ("BinaryEquals", "a:k", "QmluYXJ5"), ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x"),
    ("ArnEquals", "aws:PrincipalArn", ROLE), ("StringEquals", "aws:userid", "${aws:userid}"),
    ("ForAnyValue:StringEquals", "aws:TagKeys", "a"), ("Null", "aws:PrincipalOrgPaths", "true"),
    ("NumericLessThan", "aws:CurrentTime", "1600000000"), ("StringLike", "aws:SourceIp", "203.0.113.*"),
    ("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/x"), ("Null", "aws:MultiFactorAuthAge", "true"),
    ("StringEquals", "aws:PrincipalTag/team", "x"), ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "54.240.143.0/24"]), ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"),
    ("StringEquals", "aws:userid", "${aws:userid, 'anonymous'}"),
    ("StringEquals", "aws:userid", "${aws:PrincipalTag/my team}"), ("StringLike", "a:k", "${*}"),
    ("StringEquals", "aws:userid", UNKNOWN), ("Bool", "a:k", UNKNOWN), ("IpAddress", "aws:SourceIp", UNKNOWN),
    ("ArnLike", "a:k", "arn:${x}"), ("BinaryEquals", "a:k", ""),
])  # fmt: skip
def test_a_condition_that_aws_takes_is_no_finding(operator: str, key: str, value: Any):
    """What it does not take is in corpus/findings.yaml."""
    assert not found_in({"Condition": {operator: {key: value}}})


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html says what each key holds
@pytest.mark.parametrize(("condition", "rule", "step"), [
    ({"StringEquals": {"aws:PrincipalArn": f"arn:aws:iam::{SOURCE}:role/*"}}, "literal-wildcard", "StringLike"),
    ({"ForAnyValue:StringNotEqualsIfExists": {"aws:PrincipalTag/a": "a?"}}, "literal-wildcard",
     "ForAnyValue:StringNotLikeIfExists"),
    ({"StringEqualsIgnoreCase": {"sts:ExternalId": "a*"}}, "literal-wildcard", "write StringLike,"),
    ({"StringEquals": {"aws:CurrentTime": "2026-12-01T00:00:00Z"}}, "key-type", "DateLessThan"),
    ({"StringEquals": {"aws:SourceIp": "203.0.113.0/24"}}, "value-form", "write IpAddress"),
    ({"StringNotEquals": {"aws:VpcSourceIp": "10.0.0"}}, "value-form", "or NotIpAddress"),
    ({"IpAddress": {"aws:SourceVpc": "10.0.0.0/8"}}, "key-type", "write a string operator"),
    ({"StringEquals": {"aws:SourceVpc": "1a2b3c4d"}}, "value-form", "in that form"),
    ({"StringLike": {"aws:SourceVpce": "vpc-*"}}, "value-form", "in that form"),
    ({"StringLike": {"aws:SourceVpc": "vpc-1a2b/x"}}, "value-form", "in that form"),
    ({"StringEquals": {"aws:PrincipalAccount": ["anonymous", "1111-1111-1111"]}}, "value-form", "12 digits"),
    ({"StringEquals": {"aws:PrincipalOrgID": "r-ab12"}}, "value-form", "in that form"),
    ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12"}}, "value-form", "in that form"),
    ({"NumericEquals": {"aws:ViaAWSService": 1}}, "key-type", "write Bool with true or false"),
    ({"IpAddress": {"aws:CurrentTime": "10.0.0.0/8"}}, "key-type", "write a date operator"),
    ({"Bool": {"aws:MultiFactorAuthAge": "true"}}, "key-type", "write a numeric operator"),
    ({"DateLessThan": {"aws:SourceArn": "2027"}}, "key-type", "write ArnLike"),
    ({"StringEquals": {"aws:PrincipalType": "role"}}, "value-form", "write AssumedRole"),
    ({"StringEquals": {"aws:SecureTransport": "yes"}}, "value-form", "Bool"),
    ({"StringLike": {"aws:PrincipalArn": "role/ci*"}}, "value-form", "in that form"),
    ({"StringEquals": {f"{GITHUB}:sub": "repo:acme/app:refs/heads/main"}}, "value-form",
     "write it as in repo:acme/app:ref:refs/heads/main"),
    ({"ForAnyValue:StringLike": {f"{GITHUB}:Sub": ["repo:acme/*", "repo:acme/app:ref:main*"]}}, "value-form",
     "write it as in repo:acme/app:ref:refs/heads/main"),
    ({"StringEquals": {"a:k": "x"}, "StringLike": {"A:K": "y*"}}, "contradiction", "remove one"),
    ({"DateGreaterThan": {"aws:CurrentTime": "2028-01-01T00:00:00Z"},
      "DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, "contradiction", "remove one"),
    ({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "NotIpAddress": {"aws:SourceIp": "203.0.0.0/16"}},
     "contradiction", "remove one"),
    ({"Null": {"aws:SourceVpc": "true"}, "StringLike": {"aws:SourceVpc": "vpc-*"}}, "contradiction", "remove one"),
])  # fmt: skip
def test_a_condition_that_no_request_meets_is_found_with_what_to_write(condition: dict[str, Any], rule: str, step: str):
    (found,) = found_in({"Condition": condition})
    assert (found.rule, found.severity) == (rule, Severity.ERROR)
    assert step in found.next_step
    assert found.next_step.startswith(("write ", "remove "))


@pytest.mark.parametrize("condition", [
    {"StringEquals": {"aws:SourceIp": "203.0.113.4", "aws:SourceVpc": "vpc-1a2b3c4d", "aws:PrincipalType": "User"}},
    {"StringEqualsIgnoreCase": {"aws:PrincipalType": "user"}, "StringLike": {"aws:PrincipalType": "U*"}},
    {"StringLike": {"aws:SourceVpce": "v*", "aws:PrincipalAccount": "1111*", "aws:PrincipalArn": "*"}},
    {"StringEquals": {"aws:PrincipalAccount": ["account:stage", "${aws:ResourceAccount}"], "aws:Referer": "*"}},
    {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/*", "o-a1b2c3d4e5/r-ab12/"]}},
    {"StringEquals": {"a:k": ["x", "y"]}, "StringLike": {"a:k": "y*"}, "StringNotEquals": {"a:k": "x"}},
    {"StringEquals": {"a:k": UNKNOWN}, "StringLike": {"a:k": "y*"}},
    {"StringEquals": {f"{GITHUB}:sub": ["repo:acme/app:ref:refs/heads/main", "repo:acme/app:environment:prod"]}},
    {"StringLike": {f"{GITHUB}:sub": ["repo:acme/app:*", "repo:acme/app:ref:refs/*", "repo:acme/app:ref:*"]}},
    {"StringLike": {f"{GITHUB}:sub": ["repo:acme/app:ref:r*", "repo:acme/app:ref:ref?/heads/main"]}},
    {"StringLike": {f"{GITHUB}:sub": ["repo:acme@42/app@7:pull_request", "repo:acme/app:r*"]}},
    {"StringNotLike": {f"{GITHUB}:sub": "repo:acme/app:ref:main*"}, "StringEquals": {"a:sub": "repo:a/b:refs/x"}},
    {"StringEquals": {"a:k": "${aws:username}"}, "StringNotEquals": {"a:k": "alice"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
     "DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:01Z"}},
])  # fmt: skip
def test_a_condition_that_some_request_meets_is_none(condition: dict[str, Any]):
    rules = {one.rule for one in found_in({"Condition": condition})}
    assert not rules & {"literal-wildcard", "value-form", "key-type", "contradiction"}


@pytest.mark.parametrize("change", [
    {"Action": ["sts:assumerole", "sts:Assume*"]}, {"Action": "sts:AssumeRoot"}, {"Action": "s3:GetObject"},
    {"Action": UNKNOWN}, {"Resource": "arn:aws:iam::*"}, {"Resource": "arn:aws-us-gov:iam::111111111111:role/x"},
    {"Resource": "arn:*:iam::1*:role/x"}, {"Resource": "arn:aws:iam::account:stage:role/x"},
    {"Resource": "arn:aws:iam::aws:policy/x"}, {"Resource": "arn:aws:s3:::x"}, {"Resource": UNKNOWN},
    {"Resource": "arn:aws:iam:*:111111111111:role/x"},
    {"Resource": f"{ROLE}/${{aws:username}}"},
])  # fmt: skip
def test_an_action_or_a_resource_that_aws_takes_is_no_finding(change: dict[str, Any]):
    assert not found_in(change)


@pytest.mark.parametrize(("action", "rules"), [
    ("sts:AssumeRole", []), (["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"], []), ("sts:*", []),
    ("*", []), ("s3:GetObject", ["action-in-trust-policy"]),
])  # fmt: skip
def test_a_trust_policy_has_actions_of_sts_only(action: Any, rules: list[str]):
    """CreateRole answers: AssumeRole policy may only specify STS AssumeRole actions."""
    assert [one.rule for one in lint(trust(admits(SOURCE, Action=action)), PolicyKind.TRUST)] == rules


def test_iam_takes_everybody_in_a_trust_policy_only_under_aws():
    bare = document({"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}, kind=PolicyKind.TRUST)
    (found,) = lint(bare, PolicyKind.TRUST)
    assert (found.rule, found.path, found.severity) == ("bare-star-principal", "Statement[0].Principal", Severity.ERROR)
    assert lint(trust(admits("*", Effect="Deny")), PolicyKind.TRUST) == ()


# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length


def test_white_space_does_not_count():
    assert policy_size('{ "a" :\n\t"b c" }') == len('{"a":"bc"}')
    assert policy_size({"a": "b"}) == len('{"a":"b"}')
    assert policy_size({"a": UNKNOWN}) is None
    assert policy_size({"\u00fc": ["a", "b c"]}) == len('{"\u00fc":["a","bc"]}')


@pytest.mark.parametrize(("principal", "rules"), [
    ({"Service": "lambda"}, ["principal-format"]),
    ({"Service": ["Lambda.amazonaws.com", "ec2.amazonaws.com.cn"]}, ["principal-format"]),
    ({"Service": ["delivery.logs.amazonaws.com", "s3.us-east-2.amazonaws.com", UNKNOWN]}, []),
    ({"Service": "${aws:PrincipalServiceName}"}, ["variable-in-element"]),
    ({"Federated": f"arn:aws:iam::{TARGET}:saml-provider/okta"}, []),
    ({"Federated": ["cognito-identity.amazonaws.com", f"arn:aws:iam::{TARGET}:oidc-provider/a.example/b"]}, []),
    ({"Federated": ROLE}, ["principal-format"]),
    ({"Federated": "Okta"}, ["principal-format"]),
])  # fmt: skip
def test_a_principal_is_a_name_of_its_type(principal: dict[str, Any], rules: list[str]):
    actions = ["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
    found = lint(trust({"Principal": principal, "Action": actions}), PolicyKind.TRUST)
    assert [one.rule for one in found if one.severity is Severity.ERROR] == rules
