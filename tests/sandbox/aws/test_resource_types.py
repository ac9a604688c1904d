"""What needs no API: names, defaults, refusals in preview, and what a change does.

Replacements and defaults: https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/ and the pages beside it;
automatic names: https://www.pulumi.com/docs/iac/concepts/resources/names/.
"""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from tests.sandbox.aws.conftest import Driver, trust, urn
from twokeys.iam import UNKNOWN
from twokeys.sandbox.aws.catalogue import RESOURCE_TYPES, is_kept, resource_type
from twokeys.sandbox.aws.resource_type import Diff, ResourceType
from twokeys.sandbox.aws.schema import schema

ROLE, ACCOUNT = "aws:iam/role:Role", "aws:organizations/account:Account"
BUCKET, RULE = "aws:s3/bucket:Bucket", "aws:cloudwatch/eventRule:EventRule"
GROUP = "aws:identitystore/group:Group"
PERSON, QUEUE = "aws:identitystore/user:User", "aws:sqs/queue:Queue"
NAME = {"familyName": "Example", "givenName": "Alice"}
TRUST = trust("111111111111")


def check(type: str, news: dict[str, Any], olds: dict[str, Any] | None = None, seed: bytes = b"1"):
    return resource_type(type).check(urn(type, "deployer"), olds or {}, news, seed)


def diff(type: str, old: dict[str, Any], new: dict[str, Any], *ignore: str) -> Diff:
    return resource_type(type).diff(urn(type, "deployer"), old, new, ignore)


def test_a_role_gets_the_providers_defaults_and_an_automatic_name() -> None:
    checked = check(ROLE, {"assumeRolePolicy": TRUST})
    assert re.fullmatch(r"deployer-[0-9a-f]{7}", checked.pop("name"))
    assert checked == {"assumeRolePolicy": TRUST, "forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"}


def test_an_automatic_name_hangs_on_the_seed_and_is_kept() -> None:
    news = {"assumeRolePolicy": TRUST}
    first, again = (check(ROLE, news)["name"] for _ in range(2))
    assert first == again
    assert check(ROLE, news, seed=b"2")["name"] != first
    assert check(ROLE, news, {"name": first}, seed=b"2")["name"] == first


@pytest.mark.parametrize(("type", "named"), [(GROUP, {"displayName": "a"}), (PERSON, {"userName": "a"})])
def test_whom_identity_center_assigns_has_the_same_id_in_each_run(type: str, named: dict[str, str]) -> None:
    """A stack that reads another's knows a group by its id alone."""
    aws: Any = SimpleNamespace(region="us-east-1", account="111111111111")
    inputs = {"identityStoreId": "d-1234567890", "displayName": "A", **named}
    made = [resource_type(type).create(aws, inputs) for _ in range(2)]
    assert made[0] == made[1]


def _policy(text: str) -> dict[str, str]:
    return {"assumeRolePolicy": text}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(TRUST, json.dumps(json.loads(TRUST), indent=2, sort_keys=True), True, id="written otherwise"),
        pytest.param('{"Action":["a","b"]}', '{"Action":["b","a"]}', True, id="the order of actions"),
        pytest.param('{"Action":["a"]}', '{"Action":"a"}', True, id="a list of one is its element"),
        pytest.param(
            '{"Principal":{"AWS":"111111111111"}}',
            '{"Principal":{"AWS":"arn:aws:iam::111111111111:root"}}',
            True,
            id="an account is its root",
        ),
        pytest.param('{"a":true}', '{"a":"true"}', True, id="a boolean is its text"),
        pytest.param('{"a":1}', '{"a":true}', False, id="one is not true"),
        pytest.param('{"a":"b"}', '{"a":"c"}', False, id="another value"),
        pytest.param('{"a":' * 100_000, '{"b":' * 100_000, False, id="too deep to be read"),
        pytest.param("1e3", "1000.0", False, id="names that are numbers"),
    ],
)
def test_a_document_changes_when_it_means_something_else(one: str, other: str, same: bool) -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
    assert diff(ROLE, _policy(one), _policy(other)) == Diff(() if same else ("assumeRolePolicy",))
    assert diff(ROLE, {"managedPolicyArns": [one]}, {"managedPolicyArns": [other]}).changed == (
        () if same else ("managedPolicyArns",)
    )


def test_ignored_changes_are_ignored() -> None:
    old, new = {"description": "a", "tags": {"a": "b"}}, {"description": "b", "tags": {"a": "c"}}
    assert diff(ROLE, old, new, "description", 'tags["a"]') == Diff(())


@pytest.mark.parametrize(
    ("type", "old", "new", "replaces"),
    [
        (ROLE, {"path": "a"}, {"path": "b"}, True),
        (ROLE, {"assumeRolePolicy": "a"}, {"assumeRolePolicy": "b"}, False),
        ("aws:iam/user:User", {"name": "a"}, {"name": "b"}, False),
        ("aws:iam/policy:Policy", {"description": "a"}, {"description": "b"}, True),
        ("aws:iam/policy:Policy", {"policy": "a"}, {"policy": "b"}, False),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": "a"}, {"policyArn": "b"}, True),
        ("aws:organizations/organizationalUnit:OrganizationalUnit", {"parentId": "a"}, {"parentId": "b"}, True),
        (ACCOUNT, {"email": "a"}, {"email": "b"}, True),
        (ACCOUNT, {"roleName": "a"}, {"roleName": "b"}, True),
        (ACCOUNT, {"name": "a"}, {"name": "b"}, False),
        (ACCOUNT, {"parentId": "a"}, {"parentId": "b"}, False),
        (BUCKET, {"objectLockEnabled": False}, {"objectLockEnabled": True}, True),
        (BUCKET, {"bucket": "a"}, {"bucket": "b"}, True),
        (BUCKET, {"forceDestroy": False}, {"forceDestroy": True}, False),
        (RULE, {"state": "ENABLED"}, {"state": "DISABLED"}, False),
        (RULE, {"name": "a"}, {"name": "b"}, True),
        (PERSON, {"name": NAME}, {"name": {**NAME, "givenName": "Alicia"}}, False),
        (PERSON, {"userName": "alice"}, {"userName": "alicia"}, True),
        (GROUP, {"displayName": "a"}, {"displayName": "b"}, False),
        ("aws:identitystore/groupMembership:GroupMembership", {"memberId": "a"}, {"memberId": "b"}, True),
        ("aws:budgets/budget:Budget", {"limitAmount": "5"}, {"limitAmount": "6"}, False),
    ],
)
def test_a_change_replaces_or_updates(type: str, old: dict[str, Any], new: dict[str, Any], replaces: bool) -> None:
    """As `ForceNew` has it in the schemas of terraform-provider-aws 6.48."""
    assert diff(type, old, new) == Diff(tuple(new), tuple(new) if replaces else ())


@pytest.mark.parametrize(
    ("type", "defaults"),
    [
        (
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), False),
        ),
        (ACCOUNT, {"closeOnDeletion": False, "createGovcloud": False}),
        (PERSON, {}),
    ],
)
def test_what_a_program_leaves_out_is_filled_in(type: str, defaults: dict[str, Any]) -> None:
    assert check(type, {"name": "it"}) == {"name": "it", **defaults}


@pytest.mark.parametrize("known", RESOURCE_TYPES.values(), ids=RESOURCE_TYPES)
def test_what_is_said_of_a_type_is_what_the_sdk_has(known: ResourceType) -> None:
    sdk = schema(known.type)
    assert known.computed <= sdk.computed.keys()
    assert known.replaces | known.documents | known.unordered | known.shown | known.defaults.keys() <= sdk.inputs.keys()
    assert known.taggable == ("tagsAll" in sdk.computed)


def test_every_other_type_is_kept_as_declared_with_what_is_computed_made_up(management: Driver) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html: a bucket's ARN has no region."""
    identifier, outputs = management.up("aws:s3/bucket:Bucket", "Trail", forceDestroy=True)
    assert outputs["forceDestroy"] is True
    assert outputs["arn"] == f"arn:aws:s3:::{identifier}"
    assert outputs["bucket"] == identifier == identifier.lower()
    identifier, outputs = management.up("aws:kms/key:Key", "key", tags={"a": "b"})
    assert outputs["arn"] == f"arn:aws:kms:us-east-1:{management.account}:key/{identifier}"
    assert outputs["tagsAll"] == {"a": "b"}
    assert outputs["keyId"] == identifier
    instance = "arn:aws:sso:::instance/ssoins-0123456789abcdef"
    _, outputs = management.up("aws:ssoadmin/permissionSet:PermissionSet", "set", name="Admin", instanceArn=instance)
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycenter.html
    assert re.fullmatch(r"arn:aws:sso:::permissionSet/ssoins-0123456789abcdef/ps-[0-9a-f]{16}", outputs["arn"])
    assert is_kept("aws:kms/key:Key")
    assert not is_kept(ROLE)
    assert not is_kept("pulumi:pulumi:Stack")


def test_a_kept_type_is_changed_in_place_and_read_as_it_was_declared(management: Driver) -> None:
    inputs = {"name": "jobs", "visibilityTimeoutSeconds": 30}
    new = {**inputs, "visibilityTimeoutSeconds": 60}
    assert management.diff(QUEUE, "jobs", inputs, inputs) == Diff(())
    assert management.diff(QUEUE, "jobs", inputs, new) == Diff(("visibilityTimeoutSeconds",))
    identifier, outputs = management.up(QUEUE, "jobs", **inputs)
    assert outputs["arn"] == f"arn:aws:sqs:us-east-1:{management.account}:jobs"
    after = management.provider.update(QUEUE, urn(QUEUE, "jobs"), identifier, inputs, outputs, new)
    assert (after["visibilityTimeoutSeconds"], after["arn"]) == (60, outputs["arn"])
    found = management.provider.read(QUEUE, urn(QUEUE, "jobs"), identifier, new, after)
    assert found == (identifier, new, after)
    assert management.provider.read(QUEUE, urn(QUEUE, "jobs"), "jobs", {}, {}) is None  # nothing to be imported


def test_a_type_that_no_version_of_the_sdk_has_is_kept_too(management: Driver) -> None:
    identifier, outputs = management.up("aws:tomorrow/thing:Thing", "it", size=3)
    assert outputs == {"size": 3, "arn": f"arn:aws:tomorrow:us-east-1:{management.account}:thing/{identifier}"}


def test_a_replacement_that_keeps_its_name_removes_the_old_object_first() -> None:
    fixed = diff(ROLE, {"name": "mine", "path": "/"}, {"name": "mine", "path": "/a/"})
    assert fixed.delete_before_replace
    automatic = diff(ROLE, {"name": "deployer-0a1b2c3", "path": "/"}, {"name": "deployer-0a1b2c3", "path": "/a/"})
    assert not automatic.delete_before_replace


def test_a_preview_of_an_update_keeps_what_an_update_keeps() -> None:
    old = {"name": "u", "path": "/", "arn": "arn:old", "uniqueId": "AIDA1", "tagsAll": {}}
    assert resource_type("aws:iam/user:User").preview({"name": "v", "path": "/"}, old) == {
        "name": "v",
        "path": "/",
        "arn": UNKNOWN,
        "uniqueId": "AIDA1",
        "tagsAll": {},
    }


def test_the_inputs_of_a_type_are_its_own_also_where_a_property_has_its_name() -> None:
    """`aws.s3.BucketVersioningArgs` are those of a bucket's property; the resource's are `BucketVersioningInitArgs`."""
    assert schema("aws:s3/bucketVersioning:BucketVersioning").inputs["bucket"] == "str"
