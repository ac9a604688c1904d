"""Random organizations made in a local AWS: its AssumeRole answers as the graph says.

The local AWS enforces trust policies, identity-based policies and permissions boundaries; not SCPs, so callers of the
accounts that have one are left out. Within one account it asks for a grant also of whom the trust policy names, which
AWS does not: there only whom it lets in is compared.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.access.random_worlds import OUTSIDE, Organization, Policy, Who, answer_to_a_plain_request, make
from twokeys.access.graph import build
from twokeys.iam import Arn, Outcome
from twokeys.sandbox.local_aws import LocalAws

SEEDS = range(20261200, 20261203)
LONG = range(20261300, 20261340)
Client = Callable[..., Any]


def _text(policy: Policy) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": policy})


_ANYBODY = _text([{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}])


def _name(who: Who) -> dict[str, str]:
    return {f"{who.kind.capitalize()}Name": who.name}


def _is_made(who: Who) -> bool:
    return "?" not in who.arn


def _make(organization: Organization, client: Client) -> dict[str, Any]:
    """Make everybody, first with trust in all, so that each role has a session; the callers' STS clients by ARN."""
    callers: dict[str, Any] = {}
    client("iam", OUTSIDE).create_role(RoleName="vendor", AssumeRolePolicyDocument=_ANYBODY)
    people = [who for who in organization.people if _is_made(who)]
    for who in people:
        iam, path = client("iam", who.account), (Arn.parse(who.arn) or Arn.root(who.account)).path
        if who.kind == "user":
            iam.create_user(UserName=who.name, Path=path)
            key = iam.create_access_key(UserName=who.name)["AccessKey"]
            callers[who.arn] = client("sts", key["AccessKeyId"], key["SecretAccessKey"])
        else:
            iam.create_role(RoleName=who.name, Path=path, AssumeRolePolicyDocument=_ANYBODY)
            session = client("sts", who.account).assume_role(RoleArn=who.arn, RoleSessionName="world")["Credentials"]
            keys = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
            callers[who.arn] = client("sts", *keys)
    for who in people:
        iam = client("iam", who.account)
        for number, policy in enumerate(who.policies):
            if policy is not None:
                put = getattr(iam, f"put_{who.kind}_policy")
                put(**_name(who), PolicyName=f"p{number}", PolicyDocument=_text(policy))
        if who.boundary is not None:
            made = iam.create_policy(PolicyName=f"boundary-{who.kind}-{who.name}", PolicyDocument=_text(who.boundary))
            bound = getattr(iam, f"put_{who.kind}_permissions_boundary")
            bound(**_name(who), PermissionsBoundary=made["Policy"]["Arn"])
        if who.trust is not None:
            iam.update_assume_role_policy(RoleName=who.name, PolicyDocument=_text(who.trust))
    return callers


def _differences(seed: int, directory: Path) -> Iterator[str]:
    organization = make(seed)
    graph = build(organization.snapshot)
    doors = {(door.source.arn, door.target.arn): door.outcome for door in (*graph.doors, *graph.steps)}
    with LocalAws.start(directory) as aws:
        callers = _make(organization, aws.client)
        for source in organization.people:
            for target in organization.people:
                expected = answer_to_a_plain_request(organization, source, target)
                left_out = (
                    not _is_made(source)
                    or not _is_made(target)
                    or organization.scps[source.account]
                    or organization.rcps[target.account]
                    or _is_asked_otherwise(source, target)
                )
                if left_out or expected is None or source is target or target.kind != "role":
                    continue
                answer = _enters(callers[source.arn], target.arn)
                outcome = doors.get((source.arn, target.arn), Outcome.DENY)
                if not answer and source.account == target.account:
                    continue
                if answer is not expected or (answer and outcome is Outcome.DENY):
                    yield f"{seed}: {source.arn} -> {target.arn}: it answers {answer}, the graph {outcome.value}"


def _is_asked_otherwise(source: Who, target: Who) -> bool:
    """Whether a key counts that the local AWS fills otherwise: the ARN of a session in place of its role's
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn),
    and the id of the organization that it made itself.
    """
    asked = f"{target.trust} {source.policies} {source.boundary}"
    return "aws:PrincipalOrgID" in asked or (source.kind == "role" and "aws:PrincipalArn" in asked)


def _enters(sts: Any, role: str) -> bool:
    try:
        sts.assume_role(RoleArn=role, RoleSessionName="world")
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_local_aws_answers_as_the_graph_says(seed: int, tmp_path: Path) -> None:
    assert list(_differences(seed, tmp_path / "aws")) == []


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_the_local_aws_answers_as_the_graph_says_in_40_worlds(tmp_path: Path) -> None:
    assert [one for seed in LONG for one in _differences(seed, tmp_path / str(seed))] == []
