"""Which ways exports tell of, and who has which: exactly those."""

import json
from typing import Any

import pytest

from tests.profiles.doors import MANAGEMENT, PROD, STAGE, deployment, door, outputs, people, resource
from twokeys.doors import Who
from twokeys.errors import Refusal
from twokeys.exports import parse_exports
from twokeys.profiles.reading import read_ways, with_states
from twokeys.profiles.ways import AssignmentWay, RoleWay, Way, beyond, own_ways, reached, unsaid, ways_of, who_is_behind
from twokeys.profiles.ways import people as people_of


def names_of(
    who: str, *contents: dict[str, Any], kind: str = "user", account: str = "", groups: tuple[str, ...] = ()
) -> list[str]:
    ways, members = told(*contents)
    return [way.name for way in ways_of(ways, members, Who(kind, account, who), groups)]


def told(*contents: dict[str, Any]) -> tuple[tuple[Way, ...], Any]:
    exports = [parse_exports(json.dumps(each).encode(), f"file {i}") for i, each in enumerate(contents)]
    said = read_ways(with_states(exports))
    return said.ways, said.members


def only(*contents: dict[str, Any]) -> RoleWay:
    (way,), _ = told(*contents)
    assert isinstance(way, RoleWay)
    return way


def test_a_person_has_the_doors_that_name_them_and_no_others() -> None:
    exported = outputs(door("a"), door("b", names=("bob",)), door("c", names=("ada", "bob"), target=PROD))
    assert names_of("ada", exported) == ["a", "c"]
    assert names_of("bob", exported) == ["b", "c"]
    assert names_of("eve", exported) == []


def test_a_role_of_the_same_name_is_somebody_else_and_so_is_a_person_of_another_account() -> None:
    exported = outputs(door("a", kind="role", names=("ci",)), door("b", names=("ci",)))
    assert names_of("ci", exported) == names_of("ci", exported, account=MANAGEMENT) == ["b"]
    assert names_of("ci", exported, kind="role") == ["a"]
    assert names_of("ci", exported, account=PROD) == []


def test_a_path_is_no_part_of_a_name() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: names are unique without the path
    exported = outputs(door("a", names=("ops/ada",), role="deploy/blue/deployer"))
    assert names_of("ada", exported) == ["a"]
    assert only(exported).role_arn == f"arn:aws:iam::{STAGE}:role/deploy/blue/deployer"


def test_members_of_a_group_have_its_doors_when_another_stack_tells_who_they_are() -> None:
    exported = outputs(door("a", kind="group", names=("developers",), trusted=[f"arn:aws:iam::{MANAGEMENT}:root"]))
    members = deployment(*people({"developers": ["ada", "bob"]}))
    assert names_of("ada", exported, members) == ["a"]
    assert names_of("eve", exported, members) == []


def test_user_group_memberships_and_the_output_group_members_count_too() -> None:
    exported = outputs(door("a", kind="group", names=("developers",), documents=False))
    provider = people({})
    reference = f"{provider[0]['urn']}::p1"
    membership = resource(
        "aws:iam/userGroupMembership:UserGroupMembership", "ada", {"user": "ada", "groups": ["developers"]}, reference
    )
    assert names_of("ada", exported, deployment(*provider, membership)) == ["a"]
    by_output = {"parent_account_id": MANAGEMENT, "group_members": {"developers": ["bob"]}}
    assert names_of("bob", exported, by_output) == ["a"]
    assert names_of("ada", exported, by_output) == []


def test_a_group_of_another_account_is_another_group() -> None:
    exported = outputs(door("a", kind="group", names=("developers",), documents=False))
    elsewhere = deployment(*people({"developers": ["ada"]}, account=PROD))
    with pytest.raises(Refusal, match="developers"):
        names_of("ada", exported, elsewhere)


def test_a_group_whose_members_nobody_tells_is_refused_and_not_guessed() -> None:
    exported = outputs(door("a", kind="group", names=("developers",), documents=False))
    with pytest.raises(Refusal) as refused:
        names_of("ada", exported)
    assert refused.value.where == "door a"
    assert "--group" in refused.value.next_step
    assert names_of("ada", exported, groups=("developers",)) == ["a"]
    assert names_of("ada", exported, groups=("none",)) == []


def test_a_member_whom_the_trust_does_not_name_cannot_come_in() -> None:
    # A trust cannot name a group, so it names its users:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    users = [f"arn:aws:iam::{MANAGEMENT}:user/ada"]
    exported = outputs(door("a", kind="group", names=("developers",), trusted=users))
    assert names_of("ada", exported) == ["a"]
    assert names_of("bob", exported) == []
    members = deployment(*people({"developers": ["bob"]}))
    assert names_of("ada", exported, members) == []
    assert names_of("bob", exported, members) == []


def test_a_door_for_a_whole_account_belongs_to_whom_its_grant_names() -> None:
    exported = door("a", kind="root", names=(), trusted=[f"arn:aws:iam::{MANAGEMENT}:root"])
    assert names_of("ada", outputs(exported)) == []
    grant = {
        "type": "aws:iam/userPolicy:UserPolicy",
        "name": "a-grant",
        "account": MANAGEMENT,
        "property": "policy",
        "properties": {"name": "assume-stage-reader", "user": "ada"},
        "document": {"Version": "2012-10-17", "Statement": []},
    }
    exported["documents"].append(grant)
    assert names_of("ada", outputs(exported)) == ["a"]


def test_the_same_door_told_by_two_stacks_is_one_and_knows_what_either_knows() -> None:
    grant_side = door("a", external_id="x-1", documents=False)
    grant_side["door"]["requires"]["externalId"] = True
    way = only(outputs(grant_side), outputs(door("a", external_id="x-1")))
    assert way.external_id == "x-1"


def test_each_source_of_a_door_keeps_the_external_id_and_the_end_that_are_its_own() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html: one a customer."""
    entries = [
        door("a", external_id="for-ada"),
        door("a", names=("bob",), external_id="for-bob", expires="2999-01-31"),
        door("a", names=("eve",)),
    ]
    ways, members = told(outputs(*entries), outputs(*reversed(entries)))
    had = {who: ways_of(ways, members, Who("user", "", who))[0] for who in ("ada", "bob", "eve")}
    assert [getattr(way, "external_id", "") for way in had.values()] == ["for-ada", "for-bob", None]
    assert [way.expires is None for way in had.values()] == [True, False, True]


def test_somebody_with_two_ways_through_one_door_takes_the_one_that_asks_for_less() -> None:
    grouped = door("a", kind="group", names=("developers",), documents=False)
    ways, members = told(outputs(door("a", mfa=True), grouped, group_members={"developers": ["ada"]}))
    (way,) = ways_of(ways, members, Who("user", "", "ada"))
    assert isinstance(way, RoleWay)
    assert not way.mfa
    shut = door("a", expires="2026-01-31T15:00Z", documents=False)
    grouped["door"]["requires"]["externalId"] = True  # which somebody can give; nobody opens what is over
    ways, members = told(outputs(shut, grouped, group_members={"developers": ["ada"]}))
    (way,) = ways_of(ways, members, Who("user", "", "ada"))
    assert not way.expires


def test_a_door_is_called_as_a_profile_can_be() -> None:
    """https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html: letters, digits and _ . / % @ : + -"""
    names = ["my door", "my-door", "[x] 'y'", "team/a:b", "default", "日本"]
    doors = [door(name, role=f"r{at}") for at, name in enumerate(names)]
    assert names_of("ada", outputs(*doors)) == [
        "door",
        "stage-default",
        "stage-my-door-r0",
        "stage-my-door-r1",
        "team/a:b",
        "x-y",
    ]


@pytest.mark.parametrize(
    ("doors", "why"),
    [
        ([door("a", target="account:stage")], "account:stage"),
        ("[secret]", "show-secrets"),
        ([{"name": "b"}], r"file 0: doors\[0\].*door: it is missing.*ask whoever publishes it"),
        ([door("a", source={"kind": "user", "account": MANAGEMENT, "names": "ada"})], 'should be a list, not "ada"'),
        # What AssumeRole takes: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        ([door("a", seconds=-1)], "maxSessionSeconds: it should be greater than or equal to 900, not -1"),
        ([door("a", seconds=True)], "greater than or equal to 900, not true"),
        ([door("a", seconds=43_201)], "less than or equal to 43200, not 43201"),
        (None, "it is not a list"),
    ],
)
def test_doors_that_cannot_be_told_apart_or_read_are_refused(doors: object, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        told({"doors": doors})


def test_a_role_behind_a_way_leads_on_by_what_opens_to_it_without_mfa() -> None:
    """Role chaining: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining"""
    from_role = {"kind": "role", "account": STAGE}
    ways, _ = told(
        outputs(
            door("a", role="ops/hub"),
            door("b", target=PROD, source={**from_role, "names": ["ops/hub"]}),
            door("c", target=PROD, role="c", mfa=True, source={**from_role, "names": ["ops/hub"]}),
            door("d", target=PROD, role="d", source={**from_role, "account": MANAGEMENT, "names": ["hub"]}),
            door("e", role="hub", source={"kind": "role", "account": PROD, "names": ["reader"]}),
            door("f", role="f", source={**from_role, "names": ["AWSReservedSSO_Ops_0123456789abcdef"]}),
        )
    )
    own = [way for way in ways if way.name == "a"]
    assert {way.name: first.name for way, first in beyond(ways, own).items()} == {"b": "a", "e": "b"}
    own = [way for way in ways if way.name in {"a", "b"}]
    assert [way.name for way in beyond(ways, own)] == ["e"], "what is theirs is behind nothing"
    assigned = AssignmentWay(
        name="x", source=Who("user", "", "ada"), account=STAGE, account_name="stage", permission_set="Ops"
    )
    assert [way.name for way in beyond(ways, [assigned])] == ["f"]


def test_a_field_that_a_newer_twokeys_added_is_passed_over_and_another_format_is_refused() -> None:
    newer = door("a", newer={"x": 1})
    newer["door"]["source"]["newer"] = newer["documents"][0]["newer"] = 1
    assert names_of("ada", {**outputs(newer), "doors_format": 1}) == ["a"]
    with pytest.raises(Refusal, match=r"newer TwoKeys.*update TwoKeys"):
        told({**outputs(newer), "doors_format": 2})


def identity_center() -> dict[str, Any]:
    sso, store = "aws:ssoadmin", "aws:identitystore"
    arn = "arn:aws:sso:::permissionSet/ssoins-1234567890abcdef/ps-1234567890abcdef"
    return deployment(
        resource(f"{sso}/permissionSet:PermissionSet", "ro", {"arn": arn, "name": "ReadOnly", "region": "eu-west-1"}),
        resource(f"{store}/user:User", "ada", {"userId": "u-1", "userName": "ada", "identityStoreId": "d-1234567890"}),
        resource(f"{store}/user:User", "bob", {"userId": "u-2", "userName": "bob", "identityStoreId": "d-1234567890"}),
        resource(f"{store}/group:Group", "dev", {"groupId": "g-1", "displayName": "developers"}),
        resource(f"{store}/groupMembership:GroupMembership", "m", {"groupId": "g-1", "memberId": "u-1"}),
        resource(
            f"{sso}/accountAssignment:AccountAssignment",
            "a",
            {"targetId": STAGE, "permissionSetArn": arn, "principalType": "GROUP", "principalId": "g-1"},
        ),
        resource(
            f"{sso}/accountAssignment:AccountAssignment",
            "b",
            {"targetId": PROD, "permissionSetArn": arn, "principalType": "USER", "principalId": "u-2"},
        ),
        outputs=outputs(),
    )


def test_within_a_door_s_session_it_is_known_whose_doors_of_identity_center_are() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html (a session has its name)"""
    ways, members = told(outputs(door("a")), identity_center())
    session = f"arn:aws:sts::{STAGE}:assumed-role/reader/ada"
    person = who_is_behind(ways, session, members)
    assert person == Who("user", MANAGEMENT, "ada")
    assert unsaid(ways, person, members) == []
    assert unsaid(ways, Who.named(session), members) == ["prod-ReadOnly", "stage-ReadOnly"]
    job = Who.named(f"arn:aws:sts::{MANAGEMENT}:assumed-role/gh-shop/ci")  # by web identity: nobody else comes in
    assert unsaid(ways, job, members) == []


def test_of_a_session_by_identity_center_it_is_known_whose_it_is_and_what_leads_on_from_its_role() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html"""
    role = "AWSReservedSSO_ReadOnly_"
    on = door("on", role="on", source={"kind": "role", "account": STAGE, "names": [f"{role}{'?' * 16}"]})
    ways, members = told(outputs(on, door("a")), identity_center())
    session = f"arn:aws:sts::{STAGE}:assumed-role/{role}1234567890abcdef/ada"
    person = who_is_behind(ways, session, members)
    assert person == Who("identity-center-user", "", "ada")
    had = {way.name: before and before.name for way, before in reached(ways, person, members).items()}
    assert (had, unsaid(ways, person, members)) == ({"stage-ReadOnly": None, "on": "stage-ReadOnly"}, [])
    assert [way.name for way in own_ways(ways, Who.named(session), members)] == ["on"]
    newcomer = session.replace("/ada", "/zoe")  # assigned since the file was written: AWS let them in
    zoe = who_is_behind(ways, newcomer, members)
    assert [way.name for way in reached(ways, zoe, members, newcomer)] == ["stage-ReadOnly", "on"]
    assert reached(ways, zoe, members) == {}
    elsewhere = Who.named(session.replace(STAGE, PROD))
    assert own_ways(ways, elsewhere, members) == []


def test_everybody_who_has_a_way_is_listed_once() -> None:
    users = [f"arn:aws:iam::{MANAGEMENT}:user/{name}" for name in ("ada", "bob")]
    ways, members = told(
        outputs(door("a"), door("b", kind="group", names=("developers",), trusted=users)),
        outputs(door("c", kind="group", names=("others",), documents=False), door("d", kind="role", names=("ci",))),
    )
    found = {who.name: [way.name for way in had] for who, had in people_of(ways, members).items()}
    assert found == {"ada": ["a", "b"], "bob": ["b"], "ci": ["d"], "others": ["c"]}
