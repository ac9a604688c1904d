"""Refusals, lost connections, half-made objects and deletes, as a provider meets them."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import Driver, grant, trust, urn
from twokeys.sandbox.aws.catalogue import resource_type
from twokeys.sandbox.aws.client import ProviderError
from twokeys.sandbox.aws.provider import configured
from twokeys.sandbox.local_aws import LocalAws

ROLE, USER, GROUP = "aws:iam/role:Role", "aws:iam/user:User", "aws:iam/group:Group"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_a_refusal_says_what_was_done_and_what_the_api_said(management: Driver) -> None:
    management.up(USER, "ci", name="ci")
    with pytest.raises(ProviderError) as refusal:
        management.up(USER, "ci", name="ci")
    assert refusal.value.message == "creating aws:iam/user:User ci was refused by the local AWS"
    assert refusal.value.reasons == ("CreateUser: EntityAlreadyExists: User with name ci already exists.",)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[LocalAws]:
    """A local AWS of the test's own, to be killed."""
    with LocalAws.start(tmp_path / "aws") as running:
        yield running


def test_a_local_aws_that_is_killed_in_the_middle_is_a_clear_error(mortal: LocalAws, fresh_account: str) -> None:
    provider = configured({}, mortal.environment(fresh_account))
    inputs = resource_type(USER).check(urn(USER, "a"), {}, {"name": "a"}, b"1")
    provider.create(USER, urn(USER, "a"), inputs)
    os.kill(mortal.pid, signal.SIGKILL)
    lost = r"creating aws:iam/user:User b did not finish.*\n(.*\n)*.*starts anew"
    with pytest.raises(ProviderError, match=lost):
        provider.create(USER, urn(USER, "b"), {**inputs, "name": "b"})
    provider.close()


def test_a_role_with_policies_of_others_is_removed_only_with_force_detach(management: Driver) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html: DeleteConflict."""
    inputs = management.check(ROLE, "r", {"name": "r", "assumeRolePolicy": trust("111111111111")})
    management.provider.create(ROLE, urn(ROLE, "r"), inputs)
    management.up("aws:iam/instanceProfile:InstanceProfile", "p", name="p", role="r")
    management.api("iam").attach_role_policy(RoleName="r", PolicyArn=READ_ONLY)
    with pytest.raises(ProviderError, match="DeleteConflict"):
        management.provider.delete(ROLE, urn(ROLE, "r"), "r", inputs)
    management.provider.delete(ROLE, urn(ROLE, "r"), "r", {**inputs, "forceDetachPolicies": True})
    assert management.api("iam").list_roles()["Roles"] == []


def test_policies_that_a_role_does_not_declare_are_left_alone(management: Driver) -> None:
    inputs = management.check(ROLE, "r", {"name": "r", "assumeRolePolicy": trust("111111111111")})
    identifier, outputs = management.provider.create(ROLE, urn(ROLE, "r"), inputs)
    management.api("iam").attach_role_policy(RoleName="r", PolicyArn=READ_ONLY)
    read = management.provider.read(ROLE, urn(ROLE, "r"), identifier, inputs, outputs)
    assert read is not None
    assert (read[1], read[2]["managedPolicyArns"]) == (inputs, [READ_ONLY])
    changed = {**inputs, "description": "Deploys."}
    management.provider.update(ROLE, urn(ROLE, "r"), identifier, inputs, read[2], changed)
    attached = management.api("iam").list_attached_role_policies(RoleName="r")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [READ_ONLY]


def test_descriptions_and_tags_may_hold_any_character(management: Driver) -> None:
    text = {"description": 'R&D <"red">', "tags": {"Team & area": "R&D <x>"}}
    inputs = management.check(ROLE, "r", {"name": "r", "assumeRolePolicy": trust("111111111111"), **text})
    identifier, outputs = management.provider.create(ROLE, urn(ROLE, "r"), inputs)
    assert text.items() <= outputs.items()
    cleared = management.check(ROLE, "r", {"name": "r", "assumeRolePolicy": trust("111111111111")})
    after = management.provider.update(ROLE, urn(ROLE, "r"), identifier, inputs, outputs, cleared)
    assert (after.get("description"), after["tagsAll"]) == (None, {})


def test_a_user_with_keys_is_removed_only_with_force_destroy(management: Driver) -> None:
    inputs = management.check(USER, "ci", {"name": "ci"})
    management.provider.create(USER, urn(USER, "ci"), inputs)
    management.up(GROUP, "g", name="g")
    management.up("aws:iam/userGroupMembership:UserGroupMembership", "m", user="ci", groups=["g"])
    management.up("aws:iam/accessKey:AccessKey", "k", user="ci")
    management.api("iam").create_login_profile(UserName="ci", Password="correct horse battery 1A!")
    with pytest.raises(ProviderError, match="DeleteConflict"):
        management.provider.delete(USER, urn(USER, "ci"), "ci", inputs)
    management.provider.delete(USER, urn(USER, "ci"), "ci", {**inputs, "forceDestroy": True})
    assert management.api("iam").list_users()["Users"] == []


def test_a_group_or_user_that_something_hangs_on_is_not_deleted(management: Driver) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html and API_DeleteUser.html."""
    iam, document = management.api("iam"), grant("arn:aws:iam::111111111111:role/r")
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="g")
    mfa = iam.create_virtual_mfa_device(VirtualMFADeviceName="ann")["VirtualMFADevice"]["SerialNumber"]
    user, group = {"UserName": "ann"}, {"GroupName": "g"}
    hung: list[tuple[Callable[..., object], Callable[..., object], dict[str, str]]] = [
        (iam.add_user_to_group, iam.remove_user_from_group, {**group, **user}),
        (iam.attach_group_policy, iam.detach_group_policy, {**group, "PolicyArn": READ_ONLY}),
        (partial(iam.put_group_policy, PolicyDocument=document), iam.delete_group_policy, {**group, "PolicyName": "p"}),
        (partial(iam.put_user_policy, PolicyDocument=document), iam.delete_user_policy, {**user, "PolicyName": "p"}),
        (partial(iam.create_login_profile, Password="correct horse battery 1A!"), iam.delete_login_profile, user),
        (
            partial(iam.enable_mfa_device, AuthenticationCode1="000000", AuthenticationCode2="000000"),
            iam.deactivate_mfa_device,
            {**user, "SerialNumber": mfa},
        ),
    ]
    for hang, take_away, named in hung:
        hang(**named)
        for delete, of in ((iam.delete_user, user), (iam.delete_group, group)):
            if of.items() <= named.items():
                with pytest.raises(ClientError, match="DeleteConflict"):
                    delete(**of)
        take_away(**named)
    iam.delete_user(**user)
    iam.delete_group(**group)


def test_a_renamed_user_keeps_its_groups_and_keys(management: Driver) -> None:
    inputs = management.check(USER, "ci", {"name": "ci"})
    identifier, outputs = management.provider.create(USER, urn(USER, "ci"), inputs)
    management.up(GROUP, "g", name="g")
    management.up("aws:iam/userGroupMembership:UserGroupMembership", "m", user="ci", groups=["g"])
    management.up("aws:iam/accessKey:AccessKey", "k", user="ci")
    renamed = {**inputs, "name": "robot"}
    after = management.provider.update(USER, urn(USER, "ci"), identifier, inputs, outputs, renamed)
    iam = management.api("iam")
    assert after["uniqueId"] == outputs["uniqueId"]
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName="robot")["Groups"]] == ["g"]
    assert len(iam.list_access_keys(UserName="robot")["AccessKeyMetadata"]) == 1
    management.provider.delete(USER, urn(USER, "ci"), identifier, {**renamed, "forceDestroy": True})
    assert iam.list_users()["Users"] == []


def test_a_managed_policy_keeps_five_versions_and_the_newest_counts(management: Driver) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html: at most five."""
    type, where = "aws:iam/policy:Policy", urn("aws:iam/policy:Policy", "p")
    inputs = management.check(type, "p", {"name": "p", "policy": grant("arn:aws:iam::111111111111:role/r0")})
    identifier, outputs = management.provider.create(type, where, inputs)
    for number in range(1, 8):
        changed = {**inputs, "policy": grant(f"arn:aws:iam::111111111111:role/r{number}")}
        outputs = management.provider.update(type, where, identifier, inputs, outputs, changed)
        inputs = changed
    versions = management.api("iam").list_policy_versions(PolicyArn=identifier)["Versions"]
    assert len(versions) == 5
    assert outputs["policy"] == inputs["policy"]
    management.provider.delete(type, where, identifier, inputs)


def test_a_look_up_of_a_role_tells_what_the_resource_tells(management: Driver) -> None:
    _, role = management.up(ROLE, "r", name="r", assumeRolePolicy=trust("111111111111"), tags={"a": "b"})
    found = management.provider.invoke("aws:iam/getRole:getRole", {"name": "r"})
    assert (found["arn"], found["uniqueId"], found["tags"]) == (role["arn"], role["uniqueId"], {"a": "b"})
    with pytest.raises(ProviderError, match="there is no role nobody"):
        management.provider.invoke("aws:iam/getRole:getRole", {"name": "nobody"})


def test_look_ups_of_policy_and_partition(management: Driver) -> None:
    invoke = management.provider.invoke
    arn, _ = management.up("aws:iam/policy:Policy", "p", name="p", policy=grant("*"))
    assert invoke("aws:iam/getPolicy:getPolicy", {"name": "p"})["arn"] == arn
    assert invoke("aws:iam/getPolicy:getPolicy", {"arn": ADMINISTRATOR})["name"] == "AdministratorAccess"
    assert invoke("aws:index/getPartition:getPartition", {})["partition"] == "aws"
    with pytest.raises(ProviderError, match="no IAM policy matches"):
        invoke("aws:iam/getPolicy:getPolicy", {"name": "other"})


def test_a_policy_document_is_written_as_the_provider_writes_it(management: Driver) -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/iam/getpolicydocument/."""
    import json

    statement = {
        "sid": "Enter",
        "actions": ["sts:AssumeRole"],
        "principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::111111111111:user/&{aws:username}"]}],
        "conditions": [{"test": "Bool", "variable": "aws:MultiFactorAuthPresent", "values": ["true"]}],
    }
    override = {"Statement": [{"Sid": "Enter", "Effect": "Deny", "Action": "*", "Principal": "*"}]}
    args = {"statements": [statement, {"effect": "Deny", "notActions": ["iam:*"], "resources": ["*"]}]}
    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    assert json.loads(management.provider.invoke(token, args)["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Enter",
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"AWS": "arn:aws:iam::111111111111:user/${aws:username}"},
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            },
            {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"},
        ],
    }
    late = {"actions": ["sqs:*"], "resources": [None]}  # what an engine sends of a name that is not known in preview
    bare = management.provider.invoke(token, {"statements": [late]})
    assert json.loads(bare["json"])["Statement"] == [{"Effect": "Allow", "Action": "sqs:*"}]
    merged = management.provider.invoke(token, {**args, "overridePolicyDocuments": [json.dumps(override)]})
    assert json.loads(merged["minifiedJson"])["Statement"][-1] == override["Statement"][0]
