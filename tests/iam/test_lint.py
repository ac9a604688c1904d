"""Each rule cites its AWS page in the finding's `url`; the pages fix what is found here and what is not."""

import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.iam.policies import SOURCE, TARGET, admits, trust
from twokeys.iam import UNKNOWN, PolicyKind, Severity, lint, parse_policy

VENDOR = "333333333333"


def found(*statements: Any) -> list[str]:
    findings = lint(trust(*statements), PolicyKind.TRUST, account=TARGET, organization=[SOURCE])
    assert all(finding.url.startswith("https://docs.aws.amazon.com/") and finding.message for finding in findings)
    return [finding.rule for finding in findings]


def service(name: str, **more: Any) -> dict[str, Any]:
    return {"Principal": {"Service": name}, **more}


@pytest.mark.parametrize(("statement", "rules"), [
    (admits(UNKNOWN), []),
    ({"Principal": "*"}, ["bare-star-principal", "open-trust"]),
    (admits("*", Condition={"StringLike": {"aws:PrincipalOrgID": "*"}}), ["open-trust"]),
    (admits("*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{SOURCE}:role/*"}}), []),
    (admits(VENDOR, Condition={"StringEqualsIfExists": {"sts:ExternalId": "x"}}), ["third-party-without-external-id"]),
    (admits(f"arn:aws:iam::{VENDOR}:role/ci"), ["third-party-without-external-id"]),
    (admits("account:prod"), []), (admits("arn:aws:iam::account:prod:role/ci"), []),
    (admits(f"arn:aws:iam::{SOURCE}:role/c?"), ["wildcard-principal"]),
    (admits("*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), ["open-trust"]),
    (admits("*", Condition={"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),
     ["open-trust", "for-all-values-allow"]),
    (service("config.amazonaws.com"), ["service-without-source"]), (service("ec2.amazonaws.com"), []),
    (service("config.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": TARGET}}), []),
    (service("config.amazonaws.com", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:config:*:1:*"}}), []),
    (admits(SOURCE, Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "203.0.113.7/24"]}}), ["host-bits"]),
    (admits(SOURCE, Condition={"IpAddress": {"aws:SourceIp": ["203.0.113.7", "2001:DB8::/32", "192.0.2.7/32"]}}), []),
    (admits(SOURCE, Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}, "Null": {"AWS:tagkeys": "false"}}),
     []),
    (admits(SOURCE, Condition={f"For{each}:StringEquals": {"aws:TagKeys": "a"} for each in ("AllValues", "AnyValue")}),
     []),
    (admits(SOURCE, Condition={"NumericLessThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}), ["mfa-if-exists"]),
])  # fmt: skip
def test_a_statement_of_a_trust_policy(statement: dict[str, Any], rules: list[str]):
    """Beside the cases of corpus/findings.yaml."""
    assert found(statement) == rules


def test_every_rule_is_in_a_case_of_the_corpus_or_in_a_test():
    modules = [importlib.import_module(f"twokeys.iam.{name}") for name in ("lint", "analyzer", "never")]
    named = r'(?:error\(|warning\(|return |yield |\n {8,})\s*"([a-z]+(?:-[a-z]+)*)",'
    names = {name for module in modules for name in re.findall(named, inspect.getsource(module))}
    assert names >= {"open-trust", "private-address", "key-type", "wildcard-principal"}
    here = [file.read_text() for file in Path(__file__).parent.rglob("*") if file.suffix in (".py", ".yaml")]
    missing = sorted(names - set(re.findall(r"[\w-]+", "\n".join(here))))
    assert not missing, f"a case of corpus/findings.yaml, from AWS's page, for each of {missing}"


def test_a_finding_says_where():
    (finding,) = lint(trust(admits(SOURCE), admits(SOURCE, f"arn:aws:iam::{SOURCE}:role/*")), PolicyKind.TRUST)
    assert (finding.statement, finding.path) == (1, "Statement[1].Principal.AWS[1]")
    assert finding.severity is Severity.ERROR


def test_nobody_is_a_third_party_of_an_unknown_organization():
    assert lint(trust(admits(VENDOR)), PolicyKind.TRUST, account=TARGET) == ()


@pytest.mark.parametrize(("kind", "more", "expected"), [
    (PolicyKind.IDENTITY, {"Action": "*", "Resource": "*"}, [("id", "Id")]),
    (PolicyKind.TRUST, {"Action": "sts:AssumeRole", "Principal": {"AWS": SOURCE}}, []),
])  # fmt: skip
def test_an_id_is_for_resource_based_policies(kind: PolicyKind, more: dict[str, Any], expected: list[tuple[str, str]]):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_id.html"""
    source = {"Version": "2012-10-17", "Id": "x", "Statement": [{"Effect": "Allow", **more}]}
    assert [(finding.rule, finding.path) for finding in lint(parse_policy(source, kind), kind)] == expected
