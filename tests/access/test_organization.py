"""Which control policies bind an account.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

import json

import pytest

from tests.access.test_accounts import Empty
from tests.access.world import HUB, OUTSIDE, PROD, STAGE, arn, document, grants  # fmt: skip
from twokeys.access.judge import Judge
from twokeys.access.model.documents import Documents
from twokeys.access.model.exports import Exported
from twokeys.access.model.organization import Guards
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN, Outcome, PolicyDocument, PolicyKind, parse_policy


def _tree() -> tuple[Empty, Resource]:
    """HUB manages; STAGE is in unit ou-inner below ou-outer below the root, PROD below the root, one account is new."""
    world = Empty()
    hub = world.provide("hub", allowedAccountIds=json.dumps([HUB]))
    organization = world.add("Organization", "o", hub, masterAccountId=HUB)
    outer = world.add("OrganizationalUnit", "outer", hub, made_from={"parentId": [organization]}, id="ou-outer")
    world.add("OrganizationalUnit", "inner", hub, id="ou-inner", parentId="ou-outer")
    world.add("OrganizationalUnit", "loop", hub, id="ou-loop", parentId="ou-loop")
    early = world.add("OrganizationalUnit", "early", hub, parentId="r-1")
    world.add("Account", "stage", hub, id=STAGE, parentId="ou-inner")
    world.add("Account", "prod", hub, id=PROD, parentId="r-1")
    world.add("Account", "new", hub, made_from={"parentId": [early]})
    world.add("Account", "loop", hub, id=OUTSIDE, parentId="ou-loop")
    assert outer.urn
    return world, hub


def _control(world: Empty, hub: Resource, name: str, **values: object) -> Resource:
    said = document({"Sid": name, "Effect": "Deny", "Action": "*", "Resource": "*"})
    return world.add("ControlPolicy", name, hub, **{"id": f"p-{name}", "content": said, **values})


NEW = "account:new"
BOUND: list[tuple[dict[str, object], dict[str, list[list[str]]]]] = [
    ({"targetId": "r-1"}, {STAGE: [["p"], [], [], []], PROD: [["p"], []], NEW: [["p"], [], []], "8" * 12: [["p"], []]}),
    ({"targetId": "ou-outer"}, {STAGE: [[], ["p"], [], []], PROD: [[], []]}),
    ({"targetId": "ou-inner"}, {STAGE: [[], [], ["p"], []]}),
    ({"targetId": STAGE}, {STAGE: [[], [], [], ["p"]], PROD: [[], []], HUB: []}),
    ({"targetId": HUB}, {HUB: []}),
    ({"targetId": "ou-loop"}, {OUTSIDE: [[], ["p"], []]}),
    ({"made_from": "o"}, {STAGE: [["p"], [], [], []]}),
    ({"made_from": "outer"}, {STAGE: [[], ["p"], [], []]}),
    ({"made_from": "early"}, {NEW: [[], ["p"], []], PROD: [[], []]}),
    ({"made_from": "new"}, {NEW: [[], [], ["p"]]}),
    ({"made_from": "prod"}, {PROD: [[], ["p"]]}),
    ({"targetId": UNKNOWN}, {PROD: [["?"], []], STAGE: [["?"], [], [], []], HUB: []}),
    ({"targetId": UNKNOWN, "policyId": "p-elsewhere"}, {PROD: [], STAGE: []}),
]


@pytest.mark.parametrize("kind", [PolicyKind.SCP, PolicyKind.RCP])
@pytest.mark.parametrize(("attached", "expected"), BOUND)
def test_control_policies_bind_whoever_is_below_what_they_are_attached_to(
    attached: dict[str, object], expected: dict[str, list[list[str]]], kind: PolicyKind
) -> None:
    """Beside AWS's own, which allow everything: each level has to allow, and the management account is bound by none.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    everything: dict[str, object] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    said: dict[str, object] = {"Sid": "p", "Effect": "Deny", "Action": "*", "Resource": "*"}
    if kind is PolicyKind.RCP:
        everything["Principal"] = said["Principal"] = "*"
    full = parse_policy({"Version": "2012-10-17", "Statement": [everything]}, kind)
    for by_id in (True, False):
        world, hub = _tree()
        type_ = {} if kind is PolicyKind.SCP else {"type": "RESOURCE_CONTROL_POLICY"}
        policy = _control(world, hub, "p", content=document(said), **type_)
        _control(world, hub, "of-another-kind", type="TAG_POLICY")
        values = dict(attached)
        target = values.pop("made_from", None)
        made_from = {"targetId": [one for one in world.resources if one.name == target and one.type != policy.type]}
        if not by_id and "policyId" not in values:
            made_from["policyId"] = [policy]
            values["policyId"] = UNKNOWN
        values.setdefault("policyId", "p-p")
        world.add("ControlPolicyAttachment", "other", hub, targetId="r-1", policyId="p-of-another-kind")
        world.add("ControlPolicyAttachment", "a", hub, made_from={k: v for k, v in made_from.items() if v}, **values)
        accounts = world.accounts()
        guards = Guards(world.snapshot, accounts, Documents(world.snapshot, accounts), Exported(world.snapshot))
        asked, other = (guards.scps, guards.rcps) if kind is PolicyKind.SCP else (guards.rcps, guards.scps)
        for account, levels in expected.items():
            found = asked(account)
            assert [
                ["?" if one is UNKNOWN else one.statements[0].sid for one in level[1:]] for level in found
            ] == levels
            assert all(level[0] == full for level in found)
            assert (other(account), asked(account)) == ((), found)


def test_an_account_above_which_live_accounts_show_no_full_access_has_what_its_own_scps_allow() -> None:
    """An action has to be allowed at each level: an allow list takes FullAWSAccess away and attaches SCPs of its own.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    world, hub = _tree()
    _control(world, hub, "FullAWSAccess", awsManaged=True)
    _control(world, hub, "own", content=document(grants("*", action="s3:*")))
    for policy, targets in (("p-FullAWSAccess", ("r-1", "ou-outer", STAGE)), ("p-own", ("ou-inner",))):
        for target in targets:
            world.add("ControlPolicyAttachment", f"{policy} {target}", hub, policyId=policy, targetId=target)
    accounts = world.accounts()
    guards = Guards(world.snapshot, accounts, Documents(world.snapshot, accounts), Exported(world.snapshot))
    titles = [[one.title for one in level if isinstance(one, PolicyDocument)] for level in guards.scps(STAGE)]
    assert titles == [[None], [None], ["SCP own at unit outer/inner"], [None]]
    assert [one.title for one in guards.bind(STAGE)] == ["SCP own at unit outer/inner"]
    judge, role = Judge(guards, accounts), arn(HUB, "role/x")
    assert judge.bound(STAGE, "sts:AssumeRole", role).outcome is Outcome.DENY
    assert judge.bound(STAGE, "s3:GetObject", role).outcome is Outcome.ALLOW


def test_a_control_policy_that_two_resources_have_the_id_of_or_none_is_not_attached() -> None:
    world, hub = _tree()
    for name in ("first", "second"):
        _control(world, hub, name, id="p-same")
    world.add("ControlPolicyAttachment", "a", hub, policyId="p-same", targetId="r-1")
    world.add("ControlPolicyAttachment", "b", hub, policyId=UNKNOWN, targetId="r-1")
    accounts = world.accounts()
    assert (
        Guards(world.snapshot, accounts, Documents(world.snapshot, accounts), Exported(world.snapshot)).scps(STAGE)
        == ()
    )
