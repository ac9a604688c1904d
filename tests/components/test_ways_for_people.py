"""Ways for people beside ordinary doors: the role for emergencies, and IAM Identity Center."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pulumi
import pulumi_aws as aws
import pytest

from components.account_baseline import AccountBaseline
from components.break_glass import BreakGlass
from components.identity_center import IdentityCenter
from components.identity_center_access import IdentityCenterAccess
from components.refusing import ProgramRefusal
from tests.components.mock_engine import MANAGEMENT, MEMBER, Run, run
from twokeys.doors import ExportedDoor
from twokeys.doors.switch_role import switch_role_url
from twokeys.settings import parse
from twokeys.settings.baseline import AccountBaselineSettings, PasswordPolicySettings
from twokeys.settings.people import BreakGlassSettings, IdentityCenterSettings, IdentityUserSettings

INSTANCES = "aws:ssoadmin/getInstances:getInstances"
INSTANCE = "arn:aws:sso:::instance/ssoins-1234567890abcdef"


def break_glass() -> Run:
    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        BreakGlass(
            "break-glass",
            BreakGlassSettings(users=("alice", "bob"), notify=("security@company.com",)),
            MANAGEMENT,
            "aws",
            pulumi.ResourceOptions(provider=parent),
        )

    return run(program, stack="management")


def identity_center(arns: list[str]) -> Run:
    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        made = IdentityCenter(
            "identity-center",
            IdentityCenterSettings(
                users={"alice": IdentityUserSettings(given_name="Alice", family_name="Example", email="a@company.com")},
                groups={"developers": ("alice",)},
            ),
            pulumi.ResourceOptions(provider=parent),
        )
        pulumi.export("instance", made.instance_arn)

    answer = {"arns": arns, "identityStoreIds": ["d-1234567890" for _ in arns], "id": "x"}
    return run(program, stack="management", calls={INSTANCES: lambda _, __: answer})


def access(**permissions: Any) -> Run:
    door = {
        "via": "identity-center",
        "from": {"group": "developers"},
        "to": {"role": "developer"},
        "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], **permissions},
        "sessionSeconds": 14400,
        "reason": "Looking",
        "owner": "platform",
        "expires": "2027-01-31",
    }
    base = {"managementAccountId": MANAGEMENT, "rootEmail": "example@company.com", "accounts": {"stage": {}}}
    settings = parse("stage", {**base, "doors": {"stage-developer": door}})

    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        made = IdentityCenterAccess(
            "stage-developer",
            settings=settings,
            source_id="g-1",
            instance_arn=INSTANCE,
            target_account_id=MEMBER,
            opts=pulumi.ResourceOptions(provider=parent),
        )
        pulumi.export("door", made.door)

    return run(program)


def test_only_the_named_users_with_mfa_may_break_the_glass() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    role = break_glass().one("aws:iam/role:Role", "break-glass")
    (statement,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {
        "AWS": ["arn:aws:iam::111111111111:user/alice", "arn:aws:iam::111111111111:user/bob"]
    }
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_every_use_in_whichever_account_is_reported() -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
    done = break_glass()
    rule = done.one("aws:cloudwatch/eventRule:EventRule", "break-glass").inputs
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html
    assert rule["state"] == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    pattern = json.loads(rule["eventPattern"])
    assert pattern["detail-type"] == ["AWS API Call via CloudTrail"]
    assert pattern["detail"]["eventName"] == ["AssumeRole"]
    assert pattern["detail"]["requestParameters"] == {"roleArn": [{"wildcard": "arn:aws:iam::*:role/break-glass"}]}
    (subscription,) = done.of("aws:sns/topicSubscription:TopicSubscription").values()
    assert (subscription.inputs["protocol"], subscription.inputs["endpoint"]) == ("email", "security@company.com")


def test_only_the_alarm_s_rule_publishes() -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    def arn(kind: str) -> Any:
        return lambda name, _: {"arn": f"arn:aws:{kind}:us-east-1:111111111111:{name}"}

    from tests.components import mock_engine

    computed = {"aws:sns/topic:Topic": arn("sns"), "aws:cloudwatch/eventRule:EventRule": arn("events")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mock_engine, "COMPUTED", mock_engine.COMPUTED | computed)
        done = break_glass()
    policy = done.one("aws:sns/topicPolicy:TopicPolicy", "break-glass").inputs["policy"]
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Resource"] == "arn:aws:sns:us-east-1:111111111111:break-glass"
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:111111111111:break-glass"}
    }


def test_people_of_identity_center_are_made_in_its_store() -> None:
    done = identity_center([INSTANCE])
    user = done.one("aws:identitystore/user:User", "identity-alice").inputs
    assert (user["identityStoreId"], user["userName"], user["displayName"]) == (
        "d-1234567890",
        "alice",
        "Alice Example",
    )
    assert user["emails"] == {"value": "a@company.com", "primary": True}
    assert "identity-developers-alice" in done.of("aws:identitystore/groupMembership:GroupMembership")
    assert done.exports["instance"] == INSTANCE


def test_identity_center_that_is_not_switched_on_is_refused_with_the_next_step() -> None:
    with pytest.raises(ProgramRefusal, match="switch IAM Identity Center on"):
        identity_center([])


def test_a_door_through_identity_center_is_a_permission_set_and_its_assignment() -> None:
    # https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
    done = access(statements=[{"Effect": "Allow", "Action": "logs:StartQuery", "Resource": "*"}])
    permission_set = done.one("aws:ssoadmin/permissionSet:PermissionSet", "stage-developer").inputs
    assert (permission_set["name"], permission_set["sessionDuration"]) == ("stage-developer", "PT4H")
    assignment = done.one("aws:ssoadmin/accountAssignment:AccountAssignment", "stage-developer").inputs
    assert (assignment["principalType"], assignment["principalId"]) == ("GROUP", "g-1")
    assert (assignment["targetType"], assignment["targetId"]) == ("AWS_ACCOUNT", "222222222222")
    inline = done.one("aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy", "stage-developer")
    assert json.loads(inline.inputs["inlinePolicy"])["Statement"][0]["Action"] == "logs:StartQuery"
    assert "aws:iam/role:Role" not in {each.type for each in done.resources}


def test_a_door_through_identity_center_is_exported_like_any_other() -> None:
    # https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    door = ExportedDoor.model_validate(access().exports["door"])
    assert door.documents == ()
    assert (door.door.source.kind, door.door.source.names) == ("identity-center-group", ("developers",))
    assert door.door.target.account == "222222222222"
    assert door.door.target.role == "aws-reserved/sso.amazonaws.com/AWSReservedSSO_stage-developer"
    assert door.door.expires == datetime(2027, 2, 1, tzinfo=UTC)


def test_an_account_gets_of_the_baseline_what_it_asks_for() -> None:
    def program() -> None:
        member = aws.Provider("stage", region="us-east-1")
        AccountBaseline(
            "stage",
            AccountBaselineSettings(
                alias="company-stage",
                password_policy=PasswordPolicySettings(minimum_length=16, reuse_prevention=5),
                block_public_s3=True,
                encrypt_ebs=True,
                close_default_vpc=True,
            ),
            pulumi.ResourceOptions(provider=member),
        )

    done = run(program)
    assert done.one("aws:iam/accountAlias:AccountAlias", "stage").inputs == {"accountAlias": "company-stage"}
    password = done.one("aws:iam/accountPasswordPolicy:AccountPasswordPolicy", "stage").inputs
    assert (password["minimumPasswordLength"], password["requireSymbols"]) == (16, True)
    assert "maxPasswordAge" not in password
    public = done.one("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "stage").inputs
    assert len(public) == 4
    assert all(public.values())
    assert done.one("aws:ebs/encryptionByDefault:EncryptionByDefault", "stage").inputs == {"enabled": True}
    # A default security group without rules lets nothing in or out:
    # https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2
    group = done.one("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "stage").inputs
    assert set(group) == {"vpcId"}
    assert all("::stage::" in each.provider for each in done.resources if each.type.startswith("aws:"))


@pytest.mark.parametrize(
    ("environment", "colour"),
    [("prod", "F2B0A9"), ("prod-001", "F2B0A9"), ("stage", "FAD791"), ("web-live", "F2B0A9"), ("elsewhere", "99BCE3")],
)
def test_a_link_names_account_role_and_colour_and_a_name_of_as_many_characters_as_the_console_takes(
    environment: str, colour: str
) -> None:
    url = urlsplit(switch_role_url("222222222222", "deploy/x", display_name="x" * 70, environment=environment))
    assert (url.scheme, url.netloc, url.path) == ("https", "signin.aws.amazon.com", "/switchrole")
    query = {"account": ["222222222222"], "roleName": ["deploy/x"], "displayName": ["x" * 64], "color": [colour]}
    assert parse_qs(url.query) == query
    elsewhere = switch_role_url("222222222222", "r", display_name="d", environment="dev", partition="aws-us-gov")
    assert urlsplit(elsewhere).netloc == "signin.amazonaws-us-gov.com"
