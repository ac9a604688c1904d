"""What needs no API: names, defaults, refusals in preview, and what a change does.

Replacements and defaults: https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/ and the pages beside it;
automatic names: https://www.pulumi.com/docs/iac/concepts/resources/names/.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sandbox.aws.conftest import grant, trust, urn
from twokeys.sandbox.aws import AwsPlugin
from twokeys.sandbox.engine.plugin import CheckFailure, Diff
from twokeys.sandbox.engine.values import UNKNOWN

ROLE = "aws:iam/role:Role"
TRUST = trust("111111111111")


@pytest.fixture
def plugin() -> AwsPlugin:
    return AwsPlugin({})


def check(plugin: AwsPlugin, type: str, news: dict[str, Any], olds: dict[str, Any] | None = None, seed: bytes = b"1"):
    return plugin.check(type, urn(type, "deployer"), olds or {}, news, seed)


def diff(plugin: AwsPlugin, type: str, old: dict[str, Any], new: dict[str, Any], *ignore: str) -> Diff:
    return plugin.diff(type, urn(type, "deployer"), "id", old, {}, new, ignore)


def test_a_role_gets_the_providers_defaults_and_an_automatic_name(plugin: AwsPlugin) -> None:
    checked, failures = check(plugin, ROLE, {"assumeRolePolicy": TRUST})
    assert failures == ()
    assert re.fullmatch(r"deployer-[0-9a-f]{7}", checked.pop("name"))
    assert checked == {
        "assumeRolePolicy": TRUST,
        "forceDetachPolicies": False,
        "maxSessionDuration": 3600,
        "path": "/",
    }


def test_an_automatic_name_hangs_on_the_seed_and_is_kept(plugin: AwsPlugin) -> None:
    news = {"assumeRolePolicy": TRUST}
    first, again = (check(plugin, ROLE, news)[0]["name"] for _ in range(2))
    assert first == again
    assert check(plugin, ROLE, news, seed=b"2")[0]["name"] != first
    assert check(plugin, ROLE, news, {"name": first}, seed=b"2")[0]["name"] == first


def test_a_name_or_a_prefix_of_the_program_is_used(plugin: AwsPlugin) -> None:
    assert check(plugin, ROLE, {"assumeRolePolicy": TRUST, "name": "mine"})[0]["name"] == "mine"
    assert "name" not in check(plugin, ROLE, {"assumeRolePolicy": TRUST, "namePrefix": "mine-"})[0]


def test_an_automatic_name_fits_what_iam_takes(plugin: AwsPlugin) -> None:
    checked, failures = plugin.check(ROLE, urn(ROLE, "x" * 100), {}, {"assumeRolePolicy": TRUST}, b"1")
    assert failures == ()
    assert len(checked["name"]) == 64


def test_a_bucket_name_is_lower_case(plugin: AwsPlugin) -> None:
    checked, failures = plugin.check("aws:s3/bucket:Bucket", urn("aws:s3/bucket:Bucket", "Trail"), {}, {}, b"1")
    assert failures == ()
    assert checked["bucket"].startswith("trail-")


@pytest.mark.parametrize(
    ("type", "news", "failure"),
    [
        pytest.param(
            ROLE,
            {"assumeRolePolicy": TRUST, "colour": "red"},
            CheckFailure("colour", "aws:iam/role:Role has no property colour in the sandbox"),
            id="property",
        ),
        pytest.param(
            "aws:iam/accessKey:AccessKey",
            {"user": "ci", "pgpKey": "keybase:me"},
            CheckFailure("pgpKey", "the sandbox keeps the key as a secret output and encrypts it with no PGP key"),
            id="known but unsupported property",
        ),
        pytest.param(
            ROLE,
            {},
            CheckFailure("assumeRolePolicy", "aws:iam/role:Role needs the property assumeRolePolicy"),
            id="gap",
        ),
        pytest.param(
            ROLE,
            {"assumeRolePolicy": TRUST, "maxSessionDuration": 60},
            CheckFailure("maxSessionDuration", "expected 3600 to 43200, not 60"),
            id="session length",
        ),
        pytest.param(
            ROLE,
            {"assumeRolePolicy": TRUST, "name": "a b"},
            CheckFailure("name", "expected 1 to 64 letters, digits or characters of +=,.@-_, not 'a b'"),
            id="name",
        ),
        pytest.param(
            ROLE,
            {"assumeRolePolicy": TRUST, "path": "people"},
            CheckFailure("path", "expected a path that begins and ends with /, not 'people'"),
            id="path",
        ),
        pytest.param(
            ROLE,
            {"assumeRolePolicy": "[]"},
            CheckFailure("assumeRolePolicy", "contains JSON that is no object"),
            id="document that is no policy",
        ),
        pytest.param(
            "aws:cloudtrail/trail:Trail",
            {"name": "trail", "s3BucketName": "logs", "insightSelectors": []},
            CheckFailure("insightSelectors", "the local AWS has no CloudTrail Insights"),
            id="a trail's insights",
        ),
        pytest.param(
            "aws:cloudtrail/trail:Trail",
            {"s3BucketName": "logs", "kmsKeyId": "alias/logs"},
            CheckFailure("kmsKeyId", "expected the ARN of a key, not 'alias/logs'"),
            id="a trail's key",
        ),
        pytest.param(
            "aws:kms/key:Key",
            {"deletionWindowInDays": 3},
            CheckFailure("deletionWindowInDays", "expected 7 to 30, not 3"),
            id="a key's end",
        ),
        pytest.param(
            "aws:kms/alias:Alias",
            {"name": "alias/aws/logs", "targetKeyId": "k"},
            CheckFailure("name", "expected alias/ and 1 to 250 letters, digits or /_-, not 'alias/aws/logs'"),
            id="AWS's own alias",
        ),
        pytest.param(
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            {"bucket": "logs", "timeouts": {}},
            CheckFailure(
                "timeouts",
                "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
                " has no property timeouts in the sandbox",
            ),
            id="unsupported property of a new type",
        ),
        pytest.param(
            "aws:budgets/budget:Budget",
            {"budgetType": "COST", "timeUnit": "MONTHLY", "limitAmount": "much"},
            CheckFailure("limitAmount", "expected a number, not 'much'"),
            id="a budget's limit",
        ),
        pytest.param(
            "aws:iam/organizationsFeatures:OrganizationsFeatures",
            {"enabledFeatures": ["RootUser"]},
            CheckFailure("enabledFeatures", "expected RootCredentialsManagement and RootSessions, not RootUser"),
            id="a feature that is none",
        ),
        pytest.param(
            "aws:ssoadmin/permissionSet:PermissionSet",
            {"instanceArn": "arn:aws:sso:::instance/ssoins-1", "sessionDuration": "4h"},
            CheckFailure(
                "sessionDuration",
                "expected a duration of ISO 8601 in hours, minutes and seconds, as in PT4H, not '4h'",
            ),
            id="a permission set's sessions",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_preview(
    plugin: AwsPlugin, type: str, news: dict[str, Any], failure: CheckFailure
) -> None:
    assert check(plugin, type, news)[1] == (failure,)


def test_invalid_json_is_refused_with_its_position(plugin: AwsPlugin) -> None:
    (failure,) = check(plugin, ROLE, {"assumeRolePolicy": '{"Version": }'})[1]
    assert failure.property == "assumeRolePolicy"
    assert "line 1 column 13" in failure.reason


def test_what_is_not_known_yet_is_never_refused(plugin: AwsPlugin) -> None:
    news = {"assumeRolePolicy": UNKNOWN, "name": UNKNOWN, "tags": {"a": UNKNOWN}, "permissionsBoundary": UNKNOWN}
    checked, failures = check(plugin, ROLE, news)
    assert failures == ()
    assert news.items() <= checked.items()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"AWS": "arn:aws:iam::111111111111:root"}, id="an account is its root"),
        pytest.param({"AWS": ["111111111111"]}, id="a list of one is its element"),
    ],
)
def test_a_document_that_means_the_same_changes_nothing(plugin: AwsPlugin, other: dict[str, Any]) -> None:
    document = json.loads(TRUST)
    document["Statement"] = [{**document["Statement"][0], "Principal": other}]
    new = {"assumeRolePolicy": json.dumps(document, indent=2)}
    assert diff(plugin, ROLE, {"assumeRolePolicy": TRUST}, new) == Diff(())


def test_a_document_that_means_something_else_is_a_change(plugin: AwsPlugin) -> None:
    new = {"assumeRolePolicy": trust("222222222222")}
    assert diff(plugin, ROLE, {"assumeRolePolicy": TRUST}, new) == Diff(("assumeRolePolicy",))


def test_the_order_of_actions_means_nothing_and_of_statements_neither(plugin: AwsPlugin) -> None:
    type = "aws:iam/rolePolicy:RolePolicy"
    old, new = (
        grant("arn:aws:iam::1:role/a", "arn:aws:iam::1:role/b"),
        grant("arn:aws:iam::1:role/b", "arn:aws:iam::1:role/a"),
    )
    assert diff(plugin, type, {"policy": old}, {"policy": new}) == Diff(())


def test_an_unknown_new_value_counts_as_changed(plugin: AwsPlugin) -> None:
    assert diff(plugin, ROLE, {"assumeRolePolicy": TRUST}, {"assumeRolePolicy": UNKNOWN}) == Diff(("assumeRolePolicy",))


def test_ignored_changes_are_ignored(plugin: AwsPlugin) -> None:
    old, new = {"description": "a", "tags": {"a": "b"}}, {"description": "b", "tags": {"a": "c"}}
    assert diff(plugin, ROLE, old, new, "description", 'tags["a"]') == Diff(())


def test_empty_tags_are_no_tags(plugin: AwsPlugin) -> None:
    assert diff(plugin, ROLE, {}, {"tags": {}}) == Diff(())


@pytest.mark.parametrize(
    ("type", "changed"),
    [
        (ROLE, "name"),
        (ROLE, "path"),
        ("aws:iam/instanceProfile:InstanceProfile", "name"),
        ("aws:iam/instanceProfile:InstanceProfile", "path"),
        ("aws:iam/policy:Policy", "name"),
        ("aws:iam/policy:Policy", "path"),
        ("aws:iam/policy:Policy", "description"),
        ("aws:iam/rolePolicy:RolePolicy", "name"),
        ("aws:iam/rolePolicy:RolePolicy", "role"),
        ("aws:iam/groupPolicy:GroupPolicy", "group"),
        ("aws:iam/userPolicy:UserPolicy", "user"),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role"),
        ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn"),
        ("aws:iam/policyAttachment:PolicyAttachment", "policyArn"),
        ("aws:iam/groupMembership:GroupMembership", "group"),
        ("aws:iam/userGroupMembership:UserGroupMembership", "user"),
        ("aws:iam/accessKey:AccessKey", "user"),
        ("aws:iam/accountAlias:AccountAlias", "accountAlias"),
        ("aws:iam/samlProvider:SamlProvider", "name"),
        ("aws:organizations/policy:Policy", "type"),
        ("aws:organizations/policyAttachment:PolicyAttachment", "targetId"),
        ("aws:organizations/policyAttachment:PolicyAttachment", "policyId"),
        ("aws:organizations/delegatedAdministrator:DelegatedAdministrator", "accountId"),
        ("aws:account/alternativeContact:AlternativeContact", "alternateContactType"),
        ("aws:account/alternativeContact:AlternativeContact", "accountId"),
        ("aws:s3/bucket:Bucket", "bucket"),
        ("aws:s3/bucketPolicy:BucketPolicy", "bucket"),
        ("aws:s3/bucket:Bucket", "objectLockEnabled"),
        ("aws:s3/bucketVersioning:BucketVersioning", "bucket"),
        ("aws:cloudtrail/trail:Trail", "name"),
        ("aws:kms/key:Key", "multiRegion"),
        ("aws:kms/key:Key", "keyUsage"),
        ("aws:kms/alias:Alias", "name"),
        ("aws:sns/topic:Topic", "name"),
        ("aws:sns/topicSubscription:TopicSubscription", "endpoint"),
        ("aws:cloudwatch/eventRule:EventRule", "eventBusName"),
        ("aws:cloudwatch/eventTarget:EventTarget", "targetId"),
        ("aws:cloudwatch/metricAlarm:MetricAlarm", "name"),
        ("aws:budgets/budget:Budget", "name"),
        ("aws:cur/reportDefinition:ReportDefinition", "timeUnit"),
        ("aws:costexplorer/costAllocationTag:CostAllocationTag", "tagKey"),
        ("aws:costexplorer/anomalyMonitor:AnomalyMonitor", "monitorType"),
        ("aws:costexplorer/anomalySubscription:AnomalySubscription", "name"),
        ("aws:accessanalyzer/analyzer:Analyzer", "type"),
        ("aws:guardduty/organizationAdminAccount:OrganizationAdminAccount", "adminAccountId"),
        ("aws:ssoadmin/permissionSet:PermissionSet", "name"),
        ("aws:ssoadmin/accountAssignment:AccountAssignment", "principalId"),
        ("aws:identitystore/user:User", "userName"),
        ("aws:identitystore/groupMembership:GroupMembership", "memberId"),
        ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "vpcId"),
    ],
)
def test_this_change_replaces_the_object(plugin: AwsPlugin, type: str, changed: str) -> None:
    assert diff(plugin, type, {changed: "a"}, {changed: "b"}).replaces == (changed,)


@pytest.mark.parametrize(
    ("type", "changed"),
    [
        (ROLE, "description"),
        (ROLE, "maxSessionDuration"),
        (ROLE, "permissionsBoundary"),
        (ROLE, "forceDetachPolicies"),
        ("aws:iam/user:User", "name"),
        ("aws:iam/user:User", "path"),
        ("aws:iam/group:Group", "name"),
        ("aws:iam/instanceProfile:InstanceProfile", "role"),
        ("aws:iam/accessKey:AccessKey", "status"),
        ("aws:organizations/policy:Policy", "name"),
        ("aws:organizations/policyAttachment:PolicyAttachment", "skipDestroy"),
        ("aws:cloudtrail/trail:Trail", "kmsKeyId"),
        ("aws:kms/key:Key", "description"),
        ("aws:kms/key:Key", "deletionWindowInDays"),
        ("aws:sns/topic:Topic", "displayName"),
        ("aws:cloudwatch/eventRule:EventRule", "description"),
        ("aws:cur/reportDefinition:ReportDefinition", "s3Prefix"),
        ("aws:ssoadmin/permissionSet:PermissionSet", "sessionDuration"),
        ("aws:identitystore/user:User", "displayName"),
        ("aws:identitystore/group:Group", "displayName"),
    ],
)
def test_this_change_is_made_in_place(plugin: AwsPlugin, type: str, changed: str) -> None:
    assert diff(plugin, type, {changed: "a"}, {changed: "b"}) == Diff((changed,))


@pytest.mark.parametrize(
    ("type", "old", "new"),
    [
        pytest.param(
            "aws:kms/alias:Alias",
            {"targetKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"},
            {"targetKeyId": "arn:aws:kms:us-east-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"},
            id="a key's id and its ARN",
        ),
        pytest.param(
            "aws:budgets/budget:Budget",
            {"limitAmount": "100"},
            {"limitAmount": "100.0"},
            id="two ways to say a hundred",
        ),
        pytest.param(
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            {"rules": [{"id": "a", "status": "Enabled", "filter": {"prefix": ""}, "expiration": {"days": 1}}]},
            {"rules": [{"id": "a", "status": "Enabled", "expiration": {"days": 1}}]},
            id="an empty filter and none",
        ),
        pytest.param(
            "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
            {"ingress": [{"protocol": "tcp", "fromPort": 1, "toPort": 2, "cidrBlocks": ["10.0.0.0/8", "11.0.0.0/8"]}]},
            {
                "ingress": [
                    {"protocol": "tcp", "fromPort": 1, "toPort": 2, "cidrBlocks": ["11.0.0.0/8"]},
                    {"protocol": "TCP", "fromPort": 1, "toPort": 2, "cidrBlocks": ["10.0.0.0/8"]},
                ]
            },
            id="one rule in two",
        ),
    ],
)
def test_two_ways_to_say_the_same_change_nothing(
    plugin: AwsPlugin, type: str, old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert diff(plugin, type, old, new) == Diff(())


def test_an_alias_is_named_after_its_resource_as_kms_wants_it(plugin: AwsPlugin) -> None:
    """https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html: it begins with alias/."""
    checked, failures = check(plugin, "aws:kms/alias:Alias", {"targetKeyId": "k"})
    assert failures == ()
    assert re.fullmatch(r"alias/deployer-[0-9a-f]{7}", checked["name"])


def test_a_replacement_that_keeps_its_name_removes_the_old_object_first(plugin: AwsPlugin) -> None:
    fixed = diff(plugin, ROLE, {"name": "mine", "path": "/"}, {"name": "mine", "path": "/a/"})
    assert fixed.delete_before_replace
    automatic = diff(
        plugin, ROLE, {"name": "deployer-0a1b2c3", "path": "/"}, {"name": "deployer-0a1b2c3", "path": "/a/"}
    )
    assert not automatic.delete_before_replace


def test_a_preview_of_a_create_knows_the_inputs_only(plugin: AwsPlugin) -> None:
    assert plugin.preview("aws:iam/group:Group", urn("aws:iam/group:Group", "g"), {"name": "g", "path": "/"}, None) == {
        "name": "g",
        "path": "/",
        "arn": UNKNOWN,
        "uniqueId": UNKNOWN,
    }


def test_a_preview_of_an_update_keeps_what_an_update_keeps(plugin: AwsPlugin) -> None:
    old = {"name": "u", "path": "/", "arn": "arn:old", "uniqueId": "AIDA1", "tagsAll": {}}
    assert plugin.preview("aws:iam/user:User", urn("aws:iam/user:User", "u"), {"name": "v", "path": "/"}, old) == {
        "name": "v",
        "path": "/",
        "arn": UNKNOWN,
        "uniqueId": "AIDA1",
        "tagsAll": {},
    }
