"""IAM that other types make than those of pulumi-aws: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create.html

Template functions: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from twokeys.access.snapshot import Resource
from twokeys.iam import UNKNOWN

OPEN = document(trusts("*"))
NATIVE = "pulumi:providers:aws-native"


def put(world: World, type_: str, name: str, provider: Resource | None = None, /, **inputs: object) -> Resource:
    """A resource of any type, with what it is made from under `made_from`."""
    behind = {key: tuple(one.urn for one in ones) for key, ones in dict(inputs.pop("made_from", {})).items()}  # type: ignore[call-overload]
    resource = Resource(
        urn=f"urn:pulumi:stage::twokeys::{type_}::{name}",
        type=type_,
        name=name,
        inputs=inputs,
        outputs=inputs,
        provider=provider.urn if provider else None,
        property_dependencies=behind,
    )
    world.resources.append(resource)
    return resource


def native(world: World, account: str) -> Resource:
    return put(
        world, NATIVE, f"native-{account}", assumeRole={"roleArn": arn(account, "role/OrganizationAccountAccessRole")}
    )


def refused(world: World) -> set[str]:
    return {finding.rule for finding in world.check().mandatory}


def open_doors(world: World) -> set[str]:
    return {door.id for door in world.graph.doors if door.open}


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


def made(type_: str, **properties: object) -> dict[str, Any]:
    return {"Type": type_, "Properties": properties}


def stack(world: World, body: object, provider: Resource, **inputs: object) -> Resource:
    text = body if isinstance(body, str) else json.dumps(body)
    return put(world, "aws:cloudformation/stack:Stack", "roles", provider, templateBody=text, **inputs)


GRANT = {"Version": "2012-10-17", "Statement": [grants(DEPLOYER)]}
TRUST = {"Version": "2012-10-17", "Statement": [trusts(CI)]}


# aws-native: https://www.pulumi.com/registry/packages/aws-native/api-docs/iam/


def test_a_role_of_aws_native_that_admits_everyone_is_refused() -> None:
    world = two_keys()
    put(
        world, "aws-native:iam:Role", "o", native(world, STAGE), roleName="o", assumeRolePolicyDocument=json.loads(OPEN)
    )
    assert "wildcard-trust" in refused(world)


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("way", ["policies", "managedPolicyArns", "RolePolicy", "Policy", "ManagedPolicy", "attached"])
def test_both_keys_may_be_made_by_aws_native(way: str, *, as_text: bool) -> None:
    world = World()
    hub, there = native(world, HUB), native(world, STAGE)
    trust: object = json.dumps(TRUST) if as_text else TRUST
    grant: object = json.dumps(GRANT) if as_text else GRANT
    put(world, "aws-native:iam:Role", "deployer", there, roleName="deployer", assumeRolePolicyDocument=trust)
    more: dict[str, object] = {}
    if way == "policies":
        more = {"policies": [{"policyName": "g", "policyDocument": grant}]}
    if way in ("managedPolicyArns", "attached"):
        put(
            world,
            "aws-native:iam:ManagedPolicy",
            "g",
            hub,
            managedPolicyName="g",
            policyDocument=grant,
            policyArn=arn(HUB, "policy/g"),
        )
    if way == "managedPolicyArns":
        more = {"managedPolicyArns": [arn(HUB, "policy/g")]}
    ci = put(
        world, "aws-native:iam:Role", "ci", hub, roleName="ci", assumeRolePolicyDocument=json.loads(SERVICE), **more
    )
    if way == "RolePolicy":
        put(world, "aws-native:iam:RolePolicy", "g", hub, roleName="ci", policyName="g", policyDocument=grant)
    if way == "Policy":
        put(world, "aws-native:iam:Policy", "g", hub, roles=["ci"], policyName="g", policyDocument=grant)
    if way == "ManagedPolicy":
        values = {"managedPolicyName": "g", "policyDocument": grant, "roles": [UNKNOWN], "made_from": {"roles": [ci]}}
        put(world, "aws-native:iam:ManagedPolicy", "g", hub, **values)
    if way == "attached":
        put(
            world,
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            "a",
            hub,
            role="ci",
            policyArn=arn(HUB, "policy/g"),
        )
    assert open_doors(world) == {f"{CI} -> {DEPLOYER}"}
    assert not refused(world)


def test_a_role_of_aws_native_without_its_grant_is_half_a_door() -> None:
    world = World()
    world.role("ci", world.hub)
    put(world, "aws-native:iam:Role", "d", native(world, STAGE), roleName="deployer", assumeRolePolicyDocument=TRUST)
    assert refused(world) == {"door-needs-grant"}


def test_users_and_groups_of_aws_native_hold_grants() -> None:
    world = World()
    hub = native(world, HUB)
    world.role("deployer", world.stage, document(trusts(arn(HUB, "user/ann"))))
    put(world, "aws-native:iam:User", "ann", hub, userName="ann")
    put(
        world,
        "aws-native:iam:Group",
        "devs",
        hub,
        groupName="devs",
        policies=[{"policyName": "g", "policyDocument": GRANT}],
    )
    put(world, "aws-native:iam:UserToGroupAddition", "in", hub, groupName="devs", users=["ann"])
    assert f"{arn(HUB, 'user/ann')} -> {DEPLOYER}" in open_doors(world)


# Cloud Control: https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-types.html


def test_a_role_that_cloud_control_makes_is_read() -> None:
    world = two_keys()
    state = json.dumps({"RoleName": "o", "AssumeRolePolicyDocument": json.loads(OPEN)})
    put(world, "aws:cloudcontrol/resource:Resource", "o", world.stage, typeName="AWS::IAM::Role", desiredState=state)
    assert "wildcard-trust" in refused(world)


def test_a_role_that_an_extension_resource_of_aws_native_makes_is_read() -> None:
    """https://www.pulumi.com/registry/packages/aws-native/api-docs/extensionresource/."""
    world = two_keys()
    properties = {"RoleName": "o", "AssumeRolePolicyDocument": json.loads(OPEN)}
    made_by = {"type": "AWS::IAM::Role", "properties": properties}
    put(world, "aws-native:index:ExtensionResource", "o", native(world, STAGE), **made_by)
    assert "wildcard-trust" in refused(world)


def test_cloud_control_tells_the_arn_of_what_it_made_beside_what_was_asked_for() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/cloudcontrol/resource/#properties_python"""
    world, permission_set = two_keys(), "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
    shared = {"InstanceArn": "arn:aws:sso:::instance/ssoins-1"}
    assigned = {"PermissionSetArn": permission_set, "PrincipalType": "GROUP", "PrincipalId": "g", "TargetId": HUB}
    for name, values, came in (
        (
            "PermissionSet",
            {"Name": "Admin", "InlinePolicy": json.loads(document(grants(DEPLOYER)))},
            {"PermissionSetArn": permission_set},
        ),
        ("Assignment", {**assigned, "TargetType": "AWS_ACCOUNT"}, {}),
    ):
        state, told = json.dumps({**shared, **values}), json.dumps({**shared, **values, **came})
        put(
            world,
            "aws:cloudcontrol/resource:Resource",
            name,
            world.hub,
            typeName=f"AWS::SSO::{name}",
            desiredState=state,
            properties=told,
        )
    (assignment,) = world.graph.identity_center.assignments
    assert (assignment.permission_set.name if assignment.permission_set else None) == "Admin"


# CloudFormation

YAML = """
Parameters:
  Source: {Type: String, Default: ci}
Conditions:
  Never: !Equals [!Ref Source, nobody]
Resources:
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Name}"
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {AWS: !Join [":", [arn, !Ref "AWS::Partition", iam, "", "111111111111", !Sub "role/${Source}"]]}
            Action: [sts:AssumeRole]
  Own:
    Type: AWS::IAM::Role
    Properties:
      RoleName: own
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: {Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: sts:AssumeRole}
  Gone:
    Type: AWS::IAM::Role
    Condition: Never
    Properties:
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: "*", Action: sts:AssumeRole}]
"""


def test_a_template_in_yaml_is_read_with_its_functions() -> None:
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)
    body = YAML.replace("Parameters:", "Parameters:\n  Name: {Type: String}")
    stack(world, body, world.stage, capabilities=["CAPABILITY_NAMED_IAM"], parameters={"Name": "deployer"})
    assert open_doors(world) == {f"{CI} -> {DEPLOYER}"}
    assert not refused(world)


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": {"Fn::Join": ["", ["*"]]}},
        {"AWS": [CI, {"Fn::If": ["Maybe", "*", {"Ref": "AWS::NoValue"}]}]},
        {"AWS": {"Fn::FindInMap": ["Who", "May", "Enter"]}},
        {"AWS": {"Fn::Select": [1, {"Fn::Split": ["|", "a|*"]}]}},
        {"AWS": {"Fn::ImportValue": "who"}},
        {"AWS": "{{resolve:ssm:who}}"},
        {"AWS": {"Ref": "Who"}},
        {"Federated": {"Fn::ImportValue": "who"}},
    ],
)
def test_a_role_of_a_template_that_may_admit_anybody_is_refused(principal: object) -> None:
    world = two_keys()
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:*"}],
    }
    body = template(R=made("AWS::IAM::Role", AssumeRolePolicyDocument=trust))
    body["Mappings"] = {"Who": {"May": {"Enter": "*"}}}
    body["Parameters"] = {"Who": {"Type": "AWS::SSM::Parameter::Value<String>"}, "P": {"Type": "String"}}
    body["Conditions"] = {"Maybe": {"Fn::Equals": [{"Ref": "P"}, "x"]}}
    stack(world, body, world.stage)
    assert refused(world)


def test_a_template_joins_its_resources_by_reference() -> None:
    world = World()
    world.role("deployer", world.stage, document(trusts(CI)))
    body = template(
        Ci=made(
            "AWS::IAM::Role",
            RoleName="ci",
            AssumeRolePolicyDocument=json.loads(SERVICE),
            ManagedPolicyArns=[{"Ref": "G"}],
        ),
        G=made("AWS::IAM::ManagedPolicy", PolicyDocument=GRANT),
    )
    stack(world, body, world.hub)
    assert open_doors(world) == {f"{CI} -> {DEPLOYER}"}


def test_an_inline_policy_of_a_template_finds_a_role_without_a_name() -> None:
    world = two_keys()
    admin = {"Version": "2012-10-17", "Statement": [grants("*")]}
    body = template(
        R=made("AWS::IAM::Role", AssumeRolePolicyDocument=json.loads(SERVICE)),
        P=made("AWS::IAM::Policy", PolicyName="p", PolicyDocument=admin, Roles=[{"Ref": "R"}]),
    )
    stack(world, body, world.hub)
    assert refused(world) == {"wildcard-grant"}


URL, IAM_BY_IT = "https://example.com/t.json", ["CAPABILITY_IAM"]
SERVERLESS = json.dumps({"Transform": "AWS::Serverless-2016-10-31", **template()})
EXTENDED = json.dumps({"Transform": "AWS::LanguageExtensions", **template(T=made("AWS::SNS::Topic"))})


def of(type_: str, **properties: object) -> str:
    return json.dumps(template(N=made(type_, **properties)))


@pytest.mark.parametrize(("inputs", "said"), [
    ({"typeName": "AWS::IAM::Role", "desiredState": "{"}, ["not-read"]),
    ({"typeName": "AWS::IAM::SomethingNew", "desiredState": "{}"}, ["not-read"]),
    ({"typeName": "Acme::Iam::Role", "desiredState": "{}"}, ["not-read"]),
    ({"typeName": "AWS::RolesAnywhere::Profile", "desiredState": "{}"}, ["not-read"]),
    ({"typeName": "AWS::IAM::Role", "desiredState": UNKNOWN}, ["unproved-door"]),
    ({"typeName": UNKNOWN, "desiredState": "{}"}, ["unproved-door"]),
    ({"typeName": "AWS::Logs::LogGroup", "desiredState": UNKNOWN}, []),
    ({"templateBody": UNKNOWN, "capabilities": ["CAPABILITY_NAMED_IAM"]}, ["unproved-door"]),
    ({"templateUrl": URL, "capabilities": IAM_BY_IT}, ["not-read"]),
    ({"templateUrl": URL, "capabilities": UNKNOWN}, ["not-read"]),
    ({"templateBody": "Resources: [", "capabilities": IAM_BY_IT}, ["not-read"]),
    ({"templateBody": "just text"}, ["not-read"]),
    ({"templateBody": "{" * 5000}, ["not-read"]),
    ({"templateBody": "Resources: {A: &a {Type: AWS::SNS::Topic}, B: *a}"}, ["not-read"]),
    ({"templateBody": SERVERLESS, "capabilities": IAM_BY_IT}, ["not-read"]),
    ({"templateBody": of("AWS::CloudFormation::Stack", TemplateURL="https://x")}, ["not-read"]),
    ({"templateBody": of("AWS::ServiceCatalog::CloudFormationProvisionedProduct")}, ["not-read"]),
    ({"templateBody": of("AWS::IAM::SomethingNew")}, ["not-read"]),
    ({"templateBody": of("Acme::Iam::Thing")}, ["not-read"]),
    ({"templateUrl": URL}, []),
    ({"templateUrl": URL, "capabilities": ["CAPABILITY_AUTO_EXPAND"]}, []),
    ({"templateBody": of("AWS::SNS::Topic")}, []),
    ({"templateBody": EXTENDED}, []),
    ({"templateBody": "Resources:\n  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !ImportValue x}}"}, []),
])  # fmt: skip
def test_what_cannot_be_read_whole_and_may_make_iam_is_said(inputs: dict[str, object], said: list[str]) -> None:
    """Of what Cloud Control makes, and of a stack; without the capability to make IAM a template is harmless."""
    world = two_keys()
    type_ = "aws:cloudcontrol/resource:Resource" if "typeName" in inputs else "aws:cloudformation/stack:Stack"
    put(world, type_, "s", world.stage, **inputs)
    assert sorted(refused(world)) == said


# StackSets: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html

IN_EVERY_ACCOUNT = template(R=made("AWS::IAM::Role", RoleName="deployer", AssumeRolePolicyDocument=TRUST))
STACK_SET = "aws:cloudformation/stackSet:StackSet"


def stack_set(world: World, body: object = IN_EVERY_ACCOUNT, **inputs: object) -> Resource:
    return put(world, STACK_SET, "set", world.hub, name="set", templateBody=json.dumps(body), **inputs)


def test_a_stack_set_makes_its_roles_in_the_accounts_of_its_instances() -> None:
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER, arn(PROD, "role/deployer"))
    stack_set(world)
    put(
        world,
        "aws:cloudformation/stackSetInstance:StackSetInstance",
        "i",
        world.hub,
        stackSetName="set",
        accountId=STAGE,
    )
    put(world, "aws:cloudformation/stackInstances:StackInstances", "j", world.hub, stackSetName="set", accounts=[PROD])
    assert open_doors(world) == {f"{CI} -> {arn(account, 'role/deployer')}" for account in (STAGE, PROD)}
    assert not refused(world)


def test_a_stack_set_reaches_the_accounts_below_its_units() -> None:
    world = World()
    world.role("ci", world.hub)
    world.add("Account", "prod", world.hub, protect=True, name="prod", email="a@x.com", id=PROD, parentId="ou-1")
    stack_set(world)
    targets = {"organizationalUnitIds": ["ou-1"]}
    put(
        world,
        "aws:cloudformation/stackSetInstance:StackSetInstance",
        "i",
        world.hub,
        stackSetName="set",
        deploymentTargets=targets,
    )
    assert "door-needs-grant" in refused(world)
    assert {role.account for role in world.graph.roles if role.name == "deployer"} >= {PROD}


def test_a_stack_set_that_deploys_by_itself_with_an_open_role_is_refused() -> None:
    world = two_keys()
    body = template(R=made("AWS::IAM::Role", RoleName="o", AssumeRolePolicyDocument=json.loads(OPEN)))
    stack_set(world, body, permissionModel="SERVICE_MANAGED", autoDeployment={"enabled": True})
    assert "wildcard-trust" in refused(world)


def test_a_role_in_accounts_of_a_stack_set_that_are_not_shown_is_not_proved() -> None:
    world = two_keys()
    stack_set(world, permissionModel="SERVICE_MANAGED", autoDeployment={"enabled": True})
    (finding,) = world.check().mandatory
    assert finding.rule == "unproved-door"
    assert "account unknown (any that StackSet set deploys to)" in finding.message
    assert "instances of the StackSet" in finding.next_step


def test_a_stack_set_whose_instances_are_not_shown_may_have_some_anywhere() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stackinstances-create.html"""
    world = two_keys()
    body = template(R=made("AWS::IAM::Role", RoleName="o", AssumeRolePolicyDocument=json.loads(OPEN)))
    stack_set(world, body)
    assert "wildcard-trust" in refused(world)
    by_url = two_keys()
    put(by_url, STACK_SET, "set", by_url.hub, templateUrl="https://x", capabilities=["CAPABILITY_NAMED_IAM"])
    assert refused(by_url) == {"not-read"}


def test_a_stack_set_of_roles_for_services_is_no_door_wherever_it_goes() -> None:
    world = two_keys()
    body = template(R=made("AWS::IAM::Role", AssumeRolePolicyDocument=json.loads(SERVICE)))
    stack_set(world, body, permissionModel="SERVICE_MANAGED", autoDeployment={"enabled": True})
    assert not refused(world)


def test_a_finding_about_a_template_names_the_resource_of_the_stack() -> None:
    world = two_keys()
    put(
        world,
        "aws:cloudformation/stack:Stack",
        "s",
        world.stage,
        templateBody=json.dumps(template(N=made("AWS::IAM::New"))),
    )
    (finding,) = world.check().mandatory
    assert finding.urn == world.resources[-1].urn
    excuse = {"door": finding.door, "reason": "r", "owner": "o", "expires": "9999-12-31"}
    assert not world.check({"not-read": {"exceptions": [excuse]}}).mandatory


def test_a_foreign_account_in_a_template_is_an_outsider() -> None:
    world = two_keys()
    trust = {"Version": "2012-10-17", "Statement": [trusts(arn(OUTSIDE, "root"))]}
    stack(world, template(R=made("AWS::IAM::Role", RoleName="v", AssumeRolePolicyDocument=trust)), world.stage)
    assert "external-id" in refused(world)
