"""What AWS takes of names, documents and attachments, refused in config with the number and the page.

IAM https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
  A role's trust policy 2,048 characters, white space not counted; 10 managed policies a role; 10 groups a
  user; names of users, groups and roles are not distinguished by case.
KEYS https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
BUDGETS https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/billing-limits.html
TAGS https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
ARNS https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

import json
from typing import Any

import pytest
from botocore.loaders import Loader

from components.accounts import door_args
from tests.test_settings import DOOR, MANAGEMENT, STAGE, changed, refused
from twokeys.aws_reference import unknown_names
from twokeys.doors.documents import trust_document
from twokeys.errors import Refusal
from twokeys.iam import PolicyKind, Severity, parse_policy
from twokeys.settings import parse
from twokeys.settings.limits import trust_characters

MANAGED = "doors.ci.permissions.managedPolicies"


def refused_at(key: str, value: object) -> Refusal:
    return refused(changed(MANAGEMENT, key, value))


def refused_from(config: dict[str, Any], source: dict[str, Any]) -> Refusal:
    return refused(config | {"doors": {"d": DOOR | {"from": source}}})


def members(count: int) -> dict[str, Any]:
    """Stage with a door whose trust names so many people."""
    listed = [f"firstname.lastname{number:02}@company.com" for number in range(count)]
    return changed(STAGE, "doors", {"people": DOOR | {"from": {"group": "developers", "members": listed}}})


def test_a_trust_policy_that_is_longer_than_aws_takes_is_refused_with_the_number_and_what_to_do() -> None:
    refusal = refused(members(40))
    assert refusal.what == "twokeys:doors.people.from = 2804 characters"
    assert "at most 2048" in refusal.why
    assert "reference_iam-quotas" in refusal.why
    assert "two doors" in refusal.next_step
    assert parse("stage", members(20))


def test_a_longer_trust_policy_is_taken_where_aws_has_raised_the_quota() -> None:
    assert parse("stage", members(40) | {"quotas": {"trustPolicyCharacters": 4096}})
    assert "at most 4096" in refused(members(80) | {"quotas": {"trustPolicyCharacters": 4096}}).why


@pytest.mark.parametrize(
    "more",
    [
        {"from": {"role": "deploy/ci"}},
        {"from": {"user": "alice"}, "mfa": False},
        {"from": {"root": True, "grantTo": {"group": "ops"}}, "externalId": "abc-123"},
        {"from": {"group": "developers", "members": ["alice", "bob"]}},
        {"from": {"role": "ci"}, "conditions": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}},
    ],
)
def test_a_trust_policy_is_counted_as_the_component_writes_it(more: dict[str, Any]) -> None:
    settings = parse("stage", changed(STAGE, "doors", {"door": DOOR | more}))
    door = settings.doors["door"]
    args = door_args(
        settings,
        door,
        target_account_id="222222222222",
        source_account_id=settings.management_account_id,
        source_provider=None,  # type: ignore[arg-type]
        target_provider=None,  # type: ignore[arg-type]
        members=list(door.source.members or ()),
    )
    from components.cross_account_access import _plan

    written = json.dumps(trust_document(_plan("door", args, list(door.source.members or ()))), separators=(",", ":"))
    assert trust_characters(settings, door) == len(written)


def test_a_group_whose_members_only_the_management_stack_knows_is_not_counted() -> None:
    settings = parse("stage", changed(STAGE, "doors", {"door": DOOR | {"from": {"group": "developers"}}}))
    assert trust_characters(settings, settings.doors["door"]) is None


def test_a_role_takes_ten_managed_policies_unless_the_quota_is_raised() -> None:
    def with_policies(count: int) -> dict[str, Any]:
        arns = [f"arn:aws:iam::222222222222:policy/p{number}" for number in range(count)]
        return changed(STAGE, "doors.ci.permissions", {"managedPolicies": arns})

    assert parse("stage", with_policies(10))
    assert "at most 10 managed policies" in refused(with_policies(11)).why
    assert parse("stage", with_policies(20) | {"quotas": {"managedPoliciesPerRole": 20}})


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("people.groups", {"developers": ["alice"], "Developers": ["alice"]}, "Developers"),
        ("people.roles", {"ci": {}, "CI": {}}, "CI"),
        (
            "people",
            {"users": ["a"], "roles": {"Break-Glass": {}}, "breakGlass": {"users": ["a"], "notify": ["a@company.com"]}},
            "break-glass",
        ),
        ("people.identityCenter", {"groups": {"ops": [], "OPS": []}}, "OPS"),
    ],
)
def test_names_that_differ_by_case_alone_are_refused(key: str, value: object, name: str) -> None:
    said = str(refused(changed(MANAGEMENT, key, value)))
    assert f"= {name}" in said
    assert "does not tell names apart by case" in said


def test_a_user_is_in_ten_groups_at_most() -> None:
    groups = {f"group{number}": ["alice"] for number in range(11)}
    assert "in 11 groups" in refused_at("people.groups", groups).why
    assert parse("management", changed(MANAGEMENT, "people.groups", dict(list(groups.items())[:10])))


def test_a_resource_control_policy_is_read_as_aws_reads_it() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html"""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = {"type": "RESOURCE_CONTROL_POLICY", "document": {"Version": "2012-10-17", "Statement": [statement]}}
    refusal = refused_at("organization.policies", {"only-https": policy | {"targets": []}})
    assert "a resource control policy denies" in refusal.why
    assert "rcps_syntax" in refusal.next_step


CONTACT = {"name": "Security", "title": "On call", "email": "security@company.com", "phone": "1"}


def budget_with(notifications: int) -> dict[str, Any]:
    """A budget with so many notifications, the last one for its forecast."""
    actual, forecast = list(range(1, notifications)), [100] if notifications else []
    return {"monthly": 10, "notify": ["a@company.com"], "actual": actual, "forecast": forecast}


@pytest.mark.parametrize(
    ("service", "shape", "key", "one"),
    [
        ("iam", "roleMaxSessionDurationType", "doors.ci.sessionSeconds", 1),
        ("sts", "roleDurationSecondsType", "accounts.stage.access.sessionSeconds", 1),
        ("iam", "roleNameType", "doors.ci.to.role", "r"),
        ("iam", "roleDescriptionType", "doors.ci.reason", "r"),
        ("sts", "externalIdType", "doors.ci.externalId", "e"),
        ("iam", "tagKeyType", "tags", lambda size: {"k" * size: "v"}),
        ("iam", "tagValueType", "tags", lambda size: {"k": "v" * size}),
        ("iam", "tagListType", "tags", lambda size: {f"k{number}": "v" for number in range(size)}),
        ("iam", "minimumPasswordLengthType", "baseline.passwordPolicy.minimumLength", 1),
        ("iam", "passwordReusePreventionType", "baseline.passwordPolicy.reusePrevention", 1),
        ("iam", "maxPasswordAgeType", "baseline.passwordPolicy.maxAgeDays", 1),
        ("iam", "accountAliasType", "accounts.stage.baseline.alias", "a"),
        ("organizations", "Email", "accounts.stage.email", lambda size: "a" * (size - len("@b.co")) + "@b.co"),
        ("account", "Name", "accounts.stage.contacts.security", lambda size: CONTACT | {"name": "n" * size}),
        ("account", "Title", "accounts.stage.contacts.security", lambda size: CONTACT | {"title": "n" * size}),
        ("account", "PhoneNumber", "accounts.stage.contacts.security", lambda size: CONTACT | {"phone": "1" * size}),
        ("budgets", "NotificationWithSubscribersList", "accounts.stage.budget", budget_with),
    ],
)
def test_bounds_are_those_of_the_service_s_own_model(service: str, shape: str, key: str, one: Any) -> None:
    """As botocore ships it; each refusal says the page."""
    bounds = Loader().load_service_model(service, "service-2")["shapes"][shape]
    low, high = bounds.get("min", 0), bounds["max"]
    make = one if callable(one) else lambda size: one * size
    config = changed(STAGE, "doors.ci.from", {"user": "alice"})  # a person's session may be long
    for size in {max(low, 1), high}:
        assert parse("stage", changed(config, key, make(size)))
    for size in {low - 1, high + 1} - {0, -1}:
        assert "https://docs.aws.amazon.com/" in refused(changed(config, key, make(size))).why


def test_the_path_of_a_role_has_512_characters_with_both_slashes() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""
    assert parse("stage", changed(STAGE, "doors.ci.to.role", "p" * 510 + "/r"))
    assert "511 characters" in refused(changed(STAGE, "doors.ci.to.role", "p" * 511 + "/r")).why


def test_tags_of_a_stack_and_of_an_account_add_up() -> None:
    stack, own = {f"s{number}": "v" for number in range(30)}, {f"a{number}": "v" for number in range(20)}
    assert parse("stage", changed(STAGE | {"tags": stack}, "accounts.stage.tags", own))
    assert (
        "the 50 that AWS takes"
        in refused(changed(STAGE | {"tags": stack}, "accounts.stage.tags", {**own, "x": "v"})).why
    )


def test_tags_whose_keys_differ_by_case_alone_are_refused() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"""
    assert "does not tell them apart by case" in refused(STAGE | {"tags": {"Team": "a", "team": "b"}}).why


def test_an_account_has_5000_users_and_300_groups() -> None:
    users = [*MANAGEMENT["people"]["users"], *(f"user{number}" for number in range(5_000))]
    assert "at most 5000" in refused_at("people.users", users).why
    groups: dict[str, list[str]] = {f"group{number}": [] for number in range(301)}
    assert "at most 300" in refused_at("people.groups", groups).why
    assert parse("management", changed(MANAGEMENT, "people.groups", groups) | {"quotas": {"groupsPerAccount": 500}})


def test_subjects_of_a_role_s_tokens_fit_into_its_trust_policy() -> None:
    def with_subjects(count: int) -> dict[str, Any]:
        subjects = [f"repo:company/application:ref:refs/heads/{number:03}" for number in range(count)]
        return {"oidc": {"issuer": "token.actions.githubusercontent.com", "subjects": subjects}}

    refusal = refused_at("people.roles", {"ci": {}, "deployer": with_subjects(50)})
    assert "at most 2048" in refusal.why
    assert parse("management", changed(MANAGEMENT, "people.roles", {"ci": {}, "deployer": with_subjects(20)}))


def test_the_reason_of_a_permission_set_has_700_characters() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html"""
    door = DOOR | {"via": "identity-center", "from": {"group": "developers"}}
    assert parse("stage", changed(STAGE, "doors", {"d": door | {"reason": "r" * 700}}))
    assert "at most 700" in refused(changed(STAGE, "doors", {"d": door | {"reason": "r" * 701}})).why


@pytest.mark.parametrize("key", ["notify", "actual", "forecast"])
def test_what_a_budget_says_twice_is_refused(key: str) -> None:
    budget = budget_with(1) | {key: ["a@company.com"] * 2 if key == "notify" else [80, 80]}
    assert "listed twice" in refused(changed(STAGE, "accounts.stage.budget", budget)).why


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("permissions.managedPolicies", ["arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess"]),
        ("permissions.boundary", "arn:aws-cn:iam::222222222222:policy/limits"),
        ("conditions", {"ArnLike": {"aws:PrincipalArn": "arn:aws-cn:iam::111111111111:role/ci"}}),
        (
            "permissions.statements",
            [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws-cn:s3:::bucket/*"]}],
        ),
    ],
)
def test_an_arn_of_another_partition_than_the_region_s_is_refused(key: str, value: object) -> None:
    refusal = refused(changed(STAGE, f"doors.ci.{key}", value))
    assert "region us-east-1 is in aws" in refusal.why
    assert "write it as arn:aws:" in refusal.next_step


@pytest.mark.parametrize(
    ("arn", "nearest"),
    [
        ("ReadOnlyAcces", "write arn:aws:iam::aws:policy/ReadOnlyAccess,"),
        ("readonlyaccess", "write arn:aws:iam::aws:policy/ReadOnlyAccess,"),
        # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ViewOnlyAccess.html
        ("ViewOnlyAccess", "write arn:aws:iam::aws:policy/job-function/ViewOnlyAccess,"),
        ("Zzz", "if AWS has added it since"),
    ],
)
@pytest.mark.parametrize("key", ["managedPolicies", "boundary"])
def test_a_managed_policy_that_aws_does_not_have_is_refused_with_the_nearest(key: str, arn: str, nearest: str) -> None:
    whole = f"arn:aws:iam::aws:policy/{arn}"
    config = changed(STAGE, f"doors.ci.permissions.{key}", [whole] if key != "boundary" else whole)
    refusal = refused(config)
    assert "AWS had no managed policy of this path and name on 20" in refusal.why
    assert refusal.next_step.startswith(nearest)
    assert parse("stage", config | {"newerAwsPolicies": [whole]})


def test_a_policy_of_a_service_linked_role_is_refused_for_a_door() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html (PolicyNotAttachable)"""
    arn = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
    assert "service-linked role" in refused(changed(STAGE, MANAGED, [arn])).why


def test_policies_of_other_partitions_are_not_on_the_list() -> None:
    config = changed(STAGE, MANAGED, ["arn:aws-cn:iam::aws:policy/SomethingOfChina"])
    assert parse("stage", config | {"region": "cn-north-1"})


@pytest.mark.parametrize(
    ("conditions", "why", "next_step"),
    [
        ({"IpAddress": {"aws:SourceIpp": "203.0.113.0/24"}}, "no condition key of AWS", "aws:SourceIp"),
        ({"IpAddress": {"aws:SourceIp": ["203.0.113.0/33"]}}, "not an IP address or a range", "operators"),
        ({"NotIpAddressIfExists": {"aws:SourceIp": "here"}}, "not an IP address or a range", "operators"),
        ({"DateLessThan": {"aws:CurrentTime": "tomorrow"}}, "not a date", "operators"),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "soon"}}, "not a number", "operators"),
        ({"NumericLessThan": {"aws:SourceIp": 3}}, "aws:SourceIp is an IP address", "condition-keys"),
        ({"Bool": {"aws:SecureTransport": "yes"}}, "not true or false", "operators"),
        ({"ArnLike": {"aws:PrincipalArn": "role/ci"}}, "not an ARN", "operators"),
        ({"StringEquals": {"aws:username": []}}, "lists no value", "list a value"),
        ({"StringEquals": {"aws:PrincipalTag/team": "\u0416"}}, "up to U+00FF", "without them"),
        ({"StringEquals": {"sts:RoleSesionName": "x"}}, "no condition key of AWS", "sts:RoleSessionName"),
        ({"StringEqual": {"aws:username": "x"}}, "not a policy that IAM takes", "elements"),
        ({"StringEquals": {"aws:PrincipalTag/": "x"}}, "names no tag", "write aws:PrincipalTag/the-tag"),
        ({"StringEquals": {"aws:PrincipalTgs/team": "x"}}, "no condition key of AWS", "write aws:PrincipalTag/team,"),
        ({"StringEquals": {"aws:RequestTags/team": "x"}}, "no condition key of AWS", "write aws:RequestTag/team,"),
        ({"StringEquals": {"iam:ResourceTgs/team": "x"}}, "no condition key of AWS", "write iam:ResourceTag/team,"),
        ({"StringEquals": {"iam:PasedToService": "x"}}, "no condition key of AWS", "write iam:PassedToService,"),
        ({"StringEquals": {"sts:RequestContxt/x": "x"}}, "no condition key of AWS", "write sts:RequestContext/x,"),
        (
            {"IpAddress": {"aws:SourceIp": "203.0.113.1/24"}},
            "means the range",
            "write 203.0.113.0/24 for the range, or 203.0.113.1",
        ),
        (
            {"IpAddress": {"aws:SourceIp": "2001:db8::1/32"}},
            "means the range",
            "write 2001:db8::/32 for the range, or 2001:db8::1",
        ),
    ],
)
def test_condition_keys_operators_and_addresses_are_checked(
    conditions: dict[str, Any], why: str, next_step: str
) -> None:
    refusal = refused(changed(STAGE, "doors.ci.conditions", conditions))
    assert why in refusal.why
    assert next_step in refusal.next_step


@pytest.mark.parametrize(
    "conditions",
    [
        {"StringEquals": {"AWS:PRINCIPALTAG/Team": "web"}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.7", "2001:db8::/32"]}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"}},
        {"StringEquals": {"ec2:SourceInstanceArn": "arn:aws:ec2:us-east-1:111111111111:instance/i-1"}},
        {"StringEquals": {"sts:RequestContext/one": "x", "sts:RoleAuthorizedByIdp": "true", "new:Key": "x"}},
    ],
)
def test_conditions_that_aws_takes_are_taken(conditions: dict[str, Any]) -> None:
    assert parse("stage", changed(STAGE, "doors.ci.conditions", conditions))


@pytest.mark.parametrize(
    ("action", "meant"),
    [
        ("logs:StartQurey", "logs:StartQuery"),  # two letters swapped
        ("ec2:DescribeInstance", "ec2:DescribeInstances"),  # one missing
        ("S3:GettObject", "s3:GetObject"),  # one too many
        ("iam:PassRile", "iam:PassRole"),  # another one
        ("lgos:StartQuery", "logs:StartQuery"),
        ("dynamdb:*", "dynamodb:*"),
        ("s3:Gte*", "s3:Get*"),
        ("logs:Strat*Query", "logs:Start*Query"),
    ],
)
@pytest.mark.parametrize("element", ["Action", "NotAction"])
def test_an_action_that_is_one_slip_away_from_one_of_aws_is_refused(action: str, meant: str, element: str) -> None:
    """https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""
    statement = {"Effect": "Deny", element: ["s3:*", action], "Resource": "*"}
    policy = {"targets": ["Workloads"], "document": {"Version": "2012-10-17", "Statement": [statement]}}
    for refusal in (
        refused(changed(STAGE, "doors.ci.permissions.statements", [{**statement, "Effect": "Allow"}])),
        refused(changed(MANAGEMENT, "organization.serviceControlPolicies.stay", policy), "management"),
    ):
        assert f"Statement[0].{element}: {action!r} is no action of" in refusal.why
        assert f"write {meant}, if that is meant; if AWS has added it since 202" in refusal.next_step


@pytest.mark.parametrize(
    "action",
    ["logs:startQUERY", "*", "*:*", "a?s:Get*", "logs:EnrichQuery", "newservice:Do", "s3:V*", "organizations:Get*"],
)
def test_an_action_that_may_be_newer_than_the_list_is_taken(action: str) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    assert parse("stage", changed(STAGE, "doors.ci.permissions.statements", [statement]))


@pytest.mark.parametrize(
    ("said", "path", "surely", "meant"),
    [
        ("s3:Zap", "NotAction", False, None),
        ("logs:StartQueryAgain", "NotAction", False, "logs:StartQuery"),
        ("lo*:StartQurey", "NotAction", None, None),
        ("ec2:Desribe*", "NotAction", True, "ec2:Describe*"),  # one letter missing in the part before the wildcard
        ("ec2:Desccribe*", "NotAction", True, "ec2:Describe*"),  # and one too many
        ("s3:Zi*", "NotAction", False, None),
        ({"StringEquals": {"aws:Qqqq": "x"}}, "Condition.StringEquals.aws:Qqqq", False, None),
        ({"StringEquals": {"STS:Qqqq": "x"}}, "Condition.StringEquals.STS:Qqqq", False, None),
        ({"Null": {"aws:SourceVpceArn": "true"}}, "Condition.Null.aws:SourceVpceArn", True, "aws:SourceVpcArn"),
        ({"Null": {"aws:PrncplTg/a:b": "true"}}, "Condition.Null.aws:PrncplTg/a:b", True, "aws:PrincipalTag/a:b"),
        ({"StringEquals": {"iam:RsrcTg/t": "x"}}, "Condition.StringEquals.iam:RsrcTg/t", False, None),
        ({"Null": {"iam:ResourceTags/": "true"}}, "Condition.Null.iam:ResourceTags/", True, "iam:ResourceTag/the-tag"),
        ({"StringEquals": {"ec2:Qqqq": "x"}}, "Condition.StringEquals.ec2:Qqqq", False, None),
        ({"StringEquals": {"kms:EncryptionContext:a:b": "x", "ec2:ResourceTag/x": "x"}}, "", None, None),
    ],
)
def test_what_is_no_name_of_aws_is_an_error_only_where_it_is_surely_misspelt(
    said: Any, path: str, surely: bool | None, meant: str | None
) -> None:
    statement = {"Effect": "Deny", "NotAction": ["s3:*", said] if isinstance(said, str) else "*", "Resource": "*"}
    condition = {} if isinstance(said, str) else {"Condition": said}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement | condition]}, PolicyKind.SCP)
    found = list(unknown_names(policy))
    step = f"write {meant}, if that is meant; if AWS" if meant else "correct it, or leave it out; if AWS"
    assert [(one.rule, one.statement, one.path, one.severity is Severity.ERROR) for one in found] == (
        [] if surely is None else [("unknown-name", 0, f"Statement[0].{path}", surely)]
    )
    assert all(one.next_step.startswith(step) and "service-authorization" in one.url for one in found)


@pytest.mark.parametrize(
    ("condition", "principal", "meant", "surely"),
    [
        ({"StringEquals": {"aws:RequestedRegion": "us-eats-1"}}, None, "us-east-1", True),
        ({"StringEquals": {"aws:RequestedRegion": "us-east1"}}, None, "us-east-1", True),
        ({"StringLike": {"aws:RequestedRegion": ["eu-*", "ue-*"]}}, None, "", True),
        ({"StringEquals": {"aws:RequestedRegion": "eu-central-9"}}, None, "eu-central-", False),  # perhaps a newer one
        ({"StringNotEquals": {"aws:RequestedRegion": ["cn-north-1", "unspecified", "${a:b}"]}}, None, None, None),
        ({"StringEquals": {"iam:PassedToService": "lamda.amazonaws.com"}}, None, "lambda.amazonaws.com", True),
        ({"StringLike": {"iam:PassedToService": "ec2.amazonaws.com*"}}, None, None, None),
        ({}, ["ec2.amazonaws.com", "ec2.amazonws.com"], "ec2.amazonaws.com", True),
        ({}, "lamda.amazonaws.com.cn", "lambda.amazonaws.com.cn", True),
        ({}, "ec2.amazonaws", "ec2.amazonaws.com", True),
        ({}, ["ops.emr-serverless.amazonaws.com", "macie.amazonaws.com", "eks.amazonaws.com"], None, None),
        ({}, ["alexa-appkit.amazon.com", "s3.us-east-2.amazonaws.com", "ecs-tasks.amazonaws.com"], None, None),
        ({}, [], None, None),
    ],
)
def test_regions_and_services_are_held_to_those_that_aws_has(
    condition: dict[str, Any], principal: Any, meant: str | None, surely: bool | None
) -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": condition}
    whom = {"Service": principal} if principal else {"AWS": "111111111111"}
    policy = parse_policy({"Version": "2012-10-17", "Statement": [statement | {"Principal": whom}]}, PolicyKind.TRUST)
    found = list(unknown_names(policy))
    assert [one.severity is Severity.ERROR for one in found] == ([] if surely is None else [surely])
    assert all(one.next_step.startswith(f"write {meant}") for one in found)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("ec2:instnace", "ec2:instance"),
        ("dynamdb:table", "dynamodb:table"),
        # https://docs.aws.amazon.com/organizations/latest/userguide/supported-resources-enforcement.html
        *((each, None) for each in ("apigateway:restapis", "rds:cluster-pg", "elasticloadbalancing:loadbalancer")),
        *((each, None) for each in ("secretsmanager:*", "athena:workgroup", "newservice:thing")),
    ],
)
def test_a_type_of_resource_that_is_one_slip_away_from_one_of_aws_is_refused(said: str, meant: str | None) -> None:
    config = MANAGEMENT | {"tags": {"team": "a"}, "bill": {"tags": {"team": {"enforcedFor": [said]}}}}
    config = changed(config, "organization.policyTypes", ["SERVICE_CONTROL_POLICY", "TAG_POLICY"])
    if meant is None:
        assert parse("management", config)
    else:
        assert f"write {meant}, if that is meant" in refused(config, "management").next_step


def test_a_misspelt_service_principal_is_refused() -> None:
    config = changed(MANAGEMENT, "organization.trustedServices", ["cloudtrial.amazonaws.com"])
    assert refused(config, "management").next_step == "write cloudtrail.amazonaws.com, if that is meant"


@pytest.mark.parametrize(
    ("tags", "taken"), [({"Kostenstelle": "Büro 1/2"}, True), ({"a": "b;c"}, False), ({"a#": ""}, False)]
)
def test_tags_are_written_as_every_service_takes_them(tags: dict[str, str], taken: bool) -> None:
    config = STAGE | {"tags": tags}
    assert parse("stage", config) if taken else "letters, digits, spaces" in refused(config).why


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("accounts.stage.organisationalUnit", "organizationalUnit"),
        ("accounts.stage.access.externalid", "externalId"),
        ("doors.ci.to.roel", "role"),
        ("doors.ci.session_secs", "sessionSeconds"),
        ("acounts", "accounts"),
        ("baseline.passwordPolcy", "passwordPolicy"),
    ],
)
def test_an_unknown_key_gets_the_nearest_known_one(key: str, nearest: str) -> None:
    assert nearest in refused(changed(STAGE, key, {})).next_step


def test_an_unknown_key_that_is_like_none_is_only_refused() -> None:
    assert refused(changed(STAGE, "doors.ci.zzz", 1)).next_step == "remove it, or correct its spelling"


@pytest.mark.parametrize(
    ("source", "next_step"),
    [
        ({"role": "cl"}, "write ci, if that is meant"),
        ({"group": "developer"}, "write developers"),
        ({"root": True, "grantTo": {"role": "nobody"}}, "exists: true"),
        ({"user": "zoe"}, "people.users"),
    ],
)
def test_a_door_of_the_management_stack_from_somebody_who_is_not_there_is_refused(
    source: dict[str, Any], next_step: str
) -> None:
    config = MANAGEMENT | {"accounts": {"stage": {}}}
    refusal = refused_from(config, source)
    assert "of `people` has this name" in refusal.why
    assert next_step in refusal.next_step
    assert parse("management", config | {"doors": {"d": DOOR | {"from": source | {"exists": True}}}})


HUB = STAGE | {"accounts": {"stage": {}, "hub": {}}}


def test_a_door_may_start_in_another_account_of_the_stack() -> None:
    source = {"role": "runner", "account": "stage"}
    door = DOOR | {"from": source | {"exists": True}, "to": {"role": "reader", "account": "hub"}}
    settings = parse("stage", HUB | {"doors": {"d": door}})
    assert settings.doors["d"].source.account == "stage"
    assert "a grant to one, that is not there" in refused(HUB | {"doors": {"d": door | {"from": source}}}).why
    every = DOOR | {
        "from": {"role": "scanner", "account": "hub", "exists": True},
        "to": {"role": "scanned", "account": "*"},
    }
    assert set(parse("stage", HUB | {"doors": {"d": every}}).doors) == {"stage-d"}, "never into its own account"


@pytest.mark.parametrize(
    ("source", "more", "why"),
    [
        ({"role": "runner", "account": "stage", "stack": "shared"}, {}, "by a key that this stack does not have"),
        ({"role": "runner", "stack": "shared"}, {}, "it is the stack of the account that they come from"),
        ({"group": "developers", "account": "tools"}, {}, "the members of its own groups"),
        ({"role": "runner", "account": "hub"}, {}, "within one account a role needs no door"),
        ({"group": "developers", "account": "stage"}, {}, "the members of its own groups"),
        ({"user": "alice", "account": "stage"}, {"via": "identity-center"}, "belong to no account"),
        ({"role": "scanner", "account": "777788889999"}, {"keys": ["trust"]}, "Next step: add an `externalId`; an"),
        ({"role": "scanner", "account": "777788889999"}, {"externalId": "x-1"}, "Next step: add `keys: [trust]`; an"),
    ],
)
def test_a_source_account_that_cannot_be_meant_is_refused(
    source: dict[str, Any], more: dict[str, Any], why: str
) -> None:
    door = DOOR | more | {"from": source, "to": {"role": "reader", "account": "hub"}}
    assert why in str(refused(HUB | {"doors": {"d": door}}))


@pytest.mark.parametrize(
    ("source", "people", "account", "stack"),
    [
        ({"role": "ci"}, {}, "management", None),
        ({"role": "ci"}, {"account": "identity"}, "identity", "management"),
        ({"role": "ci", "account": "management"}, {"account": "identity"}, "management", None),
        ({"role": "ci", "account": "stage"}, {"account": "identity"}, "stage", None),
        ({"role": "ci", "account": "tools"}, {}, "tools", "management"),
        ({"role": "ci", "account": "tools", "stack": "shared"}, {"account": "identity"}, "tools", "shared"),
        ({"role": "ci", "account": "777788889999"}, {"account": "identity"}, "777788889999", None),
    ],
)
def test_a_door_starts_where_it_says_else_where_people_live(
    source: dict[str, Any], people: dict[str, Any], account: str, stack: str | None
) -> None:
    outside = {"keys": ["trust"], "externalId": "x-1"} if source.get("account") == "777788889999" else {}
    door = DOOR | outside | {"from": source | {"exists": True}, "to": {"role": "reader", "account": "hub"}}
    settings = parse("stage", HUB | {"people": people, "doors": {"d": door}})
    found = settings.doors["d"]
    assert (settings.source_account_of(found), settings.source_stack_of(found)) == (account, stack)


def test_in_the_management_stack_an_account_of_another_stack_is_named_with_its_stack() -> None:
    config = MANAGEMENT | {"accounts": {"stage": {}}}
    assert "say the `stack` that it belongs to" in str(refused_from(config, {"role": "runner", "account": "tools"}))
    source = {"role": "runner", "account": "tools", "stack": "shared", "exists": True}
    assert parse("management", config | {"doors": {"d": DOOR | {"from": source}}})


def test_who_lives_in_the_account_of_people_is_known_in_the_management_stack() -> None:
    config = MANAGEMENT | {"accounts": {"stage": {}, "identity": {}}}
    config["people"] = {**config["people"], "account": "identity"}
    into = {"to": {"role": "reader", "account": "stage"}}
    for source in ({"role": "nobody"}, {"role": "nobody", "account": "identity"}):
        refusal = refused(config | {"doors": {"d": DOOR | into | {"from": source}}})
        assert refusal.why == "no role of `people` has this name"
    elsewhere = DOOR | into | {"from": {"role": "nobody", "account": "management", "exists": True}}
    assert parse("management", config | {"doors": {"d": elsewhere}})
