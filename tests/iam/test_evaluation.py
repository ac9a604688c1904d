"""Who is let in, by which policies, beside the cases of the corpus."""

import pytest

from tests.iam.policies import CI, SOURCE, TARGET, admits, grant, request, trust
from twokeys.iam import UNKNOWN, Outcome, Policies, PolicyKind, evaluate, evaluate_grant, evaluate_trust

ALLOW, DENY = Outcome.ALLOW, Outcome.DENY
NARROW = grant({"Action": "s3:*"}, kind=PolicyKind.BOUNDARY)


def test_the_context_can_say_otherwise():
    asked = request(keys={"aws:principalarn": "arn:aws:iam::333333333333:role/x"})
    trusting = trust(admits(SOURCE, Condition={"ArnLike": {"aws:PrincipalArn": CI}}))
    assert evaluate(asked, Policies((grant({}),), trusting)).outcome is DENY


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
    own = evaluate(request(action="sts:AssumeRoot", to=f"arn:aws:iam::{SOURCE}:root"), policies).outcome
    assert (own is ALLOW) is (resource in ("*", "arn:aws:iam::*:root", f"arn:aws:iam::{SOURCE}:root")), (
        "of a delegated administrator, which is a member account itself"
    )
    denied = Policies(identity=(*policies.identity, grant({"Effect": "Deny", "Action": "sts:AssumeRoot"})))
    assert evaluate(asked, denied).outcome is DENY
