"""Whom a trust policy names, what a policy grants, and what of them is not known yet.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from typing import Any

import pytest

from tests.access.test_callers import NIGHTLY, ROOT
from tests.access.world import CI, DEPLOYER, HUB, MFA, PROD, STAGE, arn, grants, trusts
from twokeys.access.model.names import admits_everyone, could_be_role, granted_resources, open_leaves, trusted_names
from twokeys.iam import UNKNOWN, PolicyKind, parse_policy

ORGANIZATION = "o-a1b2c3d4e5"
IN_PROD = arn(PROD, "role/x")
BOTH = [arn(HUB, "role/*"), arn(PROD, "role/*")]


def many(of: str = "*", **condition: Any) -> dict[str, Any]:
    return trusts(of, condition={"StringLike": {f"aws:Principal{key}": value for key, value in condition.items()}})


ADMITTED: list[tuple[dict[str, Any], list[str]]] = [
    (trusts(CI), [CI]), (trusts(CI, NIGHTLY, CI), [CI, NIGHTLY]), (trusts("*"), ["*"]), (trusts(HUB), [HUB]),
    ({**trusts(CI), "Action": "sts:*"}, [CI]), ({**trusts(CI), "Action": "sts:TagSession"}, []),
    ({**trusts(CI), "NotAction": "sts:TagSession", "Action": None}, [CI]), (trusts(CI, effect="Deny"), []),
    ({**trusts(CI), "Principal": {"Service": "ec2.amazonaws.com"}}, []),
    (trusts(CI, condition=MFA), [CI]), (many(CI, Arn=NIGHTLY), [CI]),
    (many(Arn=[CI, NIGHTLY]), [CI, NIGHTLY]), (many(ROOT, Arn=[CI, IN_PROD]), [CI]), (many(ROOT, Arn=IN_PROD), [ROOT]),
    (many(Arn=arn(HUB, "user/ann")), [arn(HUB, "user/ann")]), (many(Arn=arn(HUB, "group/staff")), [HUB]),
    (many(Arn=BOTH), [HUB, PROD]), (many(Arn=BOTH[::-1], Account=PROD), [PROD]), (many(ROOT, Arn=BOTH), [ROOT]),
    (many(Arn=[BOTH[0], CI]), [HUB]), (many(Arn=arn(HUB, "role/c?")), [HUB]),
    (many(Arn=arn(HUB, "role/${aws:x}")), [HUB]),
    (many(Arn=arn("*", "role/ci")), ["*"]), (many(Arn=[CI, arn("*", "role/ci")]), ["*", HUB]), (many(Arn="ci"), ["*"]),
    (many(Account=[PROD, HUB]), [HUB, PROD]), (many(Account=[PROD, "1*"]), ["*", PROD]),
    (many(HUB, Account=PROD), [HUB]),
    (many(Account=[PROD, HUB], OrgID=ORGANIZATION), [HUB, PROD]),
    (many(Account=["${aws:ResourceAccount}", PROD]), ["${aws:ResourceAccount}", PROD]),
    (many(Account="${aws:ResourceAccount}", Arn=[CI, "ci"]), ["${aws:ResourceAccount}"]),
    (many(OrgID=[ORGANIZATION, "o-b"]), [ORGANIZATION, "o-b"]),
    (many(OrgID="o-*"), ["*"]), (many(OrgPaths=f"{ORGANIZATION}/r-ab12/*"), [ORGANIZATION]),
    (many(HUB, OrgID="o-b"), [HUB]),
    (many(Arn=UNKNOWN), ["*"]), (many(Arn=[CI, UNKNOWN]), ["*", HUB]), (many(Account=UNKNOWN), ["*"]),
    (many(Tag="x"), ["*"]),
    ({**trusts(CI), "Principal": {"AWS": [CI, UNKNOWN]}}, [CI]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), ADMITTED)
def test_a_statement_of_a_trust_policy_admits_those_whom_its_principal_and_conditions_leave(
    statement: dict[str, Any], expected: list[str]
) -> None:
    """Each value of a condition that says who the caller is stands for itself; one that says nobody leaves everyone.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
    """
    trust = parse_policy(policy_of(statement), PolicyKind.TRUST)
    assert list(trusted_names(trust)) == expected
    everyone = statement["Principal"] == {"AWS": ["*"]} and statement["Effect"] == "Allow"
    assert admits_everyone(trust) is everyone


def policy_of(*statements: Any) -> dict[str, Any]:
    known = [{key: value for key, value in one.items() if value is not None} for one in statements]
    return {"Version": "2012-10-17", "Statement": known}


GRANTED: list[tuple[dict[str, Any], list[str]]] = [
    (grants(DEPLOYER, CI), [DEPLOYER, CI]), (grants("*", action="s3:*"), []), (grants("*", effect="Deny"), []),
    ({"Effect": "Allow", "Action": "sts:*", "NotResource": DEPLOYER}, ["*"]),
    ({"Effect": "Allow", "NotAction": "iam:*", "Resource": DEPLOYER}, [DEPLOYER]),
    (grants("arn:aws:iam"), ["arn:aws:iam", "arn:aws:iam:*:*:*"]),
    ({"Effect": "Allow", "Action": UNKNOWN, "Resource": [DEPLOYER, UNKNOWN]}, [DEPLOYER]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), GRANTED)
def test_a_policy_grants_the_roles_that_its_statements_allow(statement: dict[str, Any], expected: list[str]) -> None:
    policy = parse_policy(policy_of(grants(IN_PROD), statement), PolicyKind.IDENTITY)
    assert list(granted_resources(policy, "aws")) == [IN_PROD, *expected]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("*", True), (DEPLOYER, True), ("arn:aws:*", True), ("arn:aws:*:::role/x", True),
        ("arn:aws:i*::1:role/x", True),
        ("arn:aws:?am::1:role/x", True), ("arn:aws:s3:::bucket/*", False), ("arn:aws:s3:eu:1:a:b", False),
    ],
)  # fmt: skip
def test_only_what_may_be_of_iam_may_be_a_role(resource: str, expected: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html"""
    assert could_be_role(resource) is expected


def trust_of(**elements: Any) -> dict[str, Any]:
    return {**trusts(CI), **elements}


def grant_of(**elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", **elements}


BUCKET = "arn:aws:s3:::bucket/*"
LEAVES: list[tuple[dict[str, Any], list[str]]] = [
    (trust_of(Principal=UNKNOWN), ["Principal"]), (trust_of(Principal={"AWS": [CI, UNKNOWN]}), ["Principal"]),
    (trust_of(Action=UNKNOWN), ["Action"]), (trust_of(Action=[UNKNOWN, "sts:AssumeRole"]), []),
    (trust_of(Principal=UNKNOWN, Action=UNKNOWN), ["Principal"]),
    (trust_of(Principal="*", Action=UNKNOWN), ["Action"]),
    (trust_of(Principal={"AWS": [UNKNOWN]}, Action=UNKNOWN), ["Principal", "Action"]),
    (trust_of(Action=None, NotAction=["sts:TagSession", UNKNOWN]), ["NotAction"]),
    (trust_of(Principal={"Service": "ec2.amazonaws.com"}, Action=UNKNOWN), []), (trust_of(Sid=UNKNOWN), []),
    (trust_of(Effect=UNKNOWN), ["Effect"]), (trust_of(Effect=UNKNOWN, Action="sts:TagSession"), []),
    (trust_of(Effect=UNKNOWN, Principal="*"), ["Effect"]),
    (trust_of(Effect=UNKNOWN, Principal=UNKNOWN), ["Effect", "Principal"]),
    *((trust_of(Effect=UNKNOWN, Principal={"Federated": "p"}, Action=f"sts:AssumeRoleWith{way}"), ["Effect"])
      for way in ("SAML", "WebIdentity")),
    *((trust_of(Effect=UNKNOWN, Principal={"Service": name}), found)
      for name, found in (("pods.eks.amazonaws.com", ["Effect"]), ("ec2.amazonaws.com", []), ("*", ["Effect"]))),
    (trust_of(Effect="Deny", Principal=UNKNOWN, Action=UNKNOWN), []),
    (grant_of(Action="sts:AssumeRole", Resource=[DEPLOYER, UNKNOWN]), ["Resource"]),
    (grant_of(Action="sts:AssumeRole", NotResource=UNKNOWN), ["NotResource"]),
    (grant_of(Action=UNKNOWN, Resource=UNKNOWN), ["Resource", "Action"]),
    (grant_of(NotAction=UNKNOWN, Resource=[BUCKET, DEPLOYER]), ["NotAction"]),
    (grant_of(Action=UNKNOWN, Resource=BUCKET), []), (grant_of(Action="s3:*", Resource=UNKNOWN), []),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRoot", Resource=arn(STAGE, "root")), ["Effect"]),
    *((grant_of(Action="sts:AssumeRoot", **{element: UNKNOWN}), [element]) for element in ("Resource", "NotResource")),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRole", Resource=BUCKET), []),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRoleWithSAML", Resource="*"), []),
    (grant_of(Effect=UNKNOWN, Action="sts:AssumeRole", NotResource=BUCKET), ["Effect"]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expected"), LEAVES)
def test_what_is_not_known_counts_where_it_may_let_somebody_in(statement: dict[str, Any], expected: list[str]) -> None:
    trust = "Principal" in statement
    kind = PolicyKind.TRUST if trust else PolicyKind.IDENTITY
    leaves = [f"Statement[0].{element}" for element in expected]
    for version in ("2012-10-17", UNKNOWN):  # without a version nothing but what `${...}` means is open
        policy = parse_policy({"Version": version, "Statement": [*policy_of(statement)["Statement"], UNKNOWN]}, kind)
        assert sorted(open_leaves(policy, trust=trust)) == sorted([*leaves, "Statement[1]"])
