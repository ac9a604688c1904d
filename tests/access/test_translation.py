"""IAM that other types make than those of pulumi-aws: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create.html

Template functions: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

import json
from dataclasses import replace
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
    TODAY,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.translation import translate
from twokeys.access.reading.since import Since
from twokeys.access.reading.snapshot import Resource
from twokeys.access.reading.templates import Place, Reference, TemplateError, read_template
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


OPEN_ROLE = {"RoleName": "o", "AssumeRolePolicyDocument": json.loads(OPEN)}


@pytest.mark.parametrize(("type_", "inputs"), [
    ("aws-native:iam:Role", {"roleName": "o", "assumeRolePolicyDocument": json.loads(OPEN)}),
    ("aws:cloudcontrol/resource:Resource", {"typeName": "AWS::IAM::Role", "desiredState": json.dumps(OPEN_ROLE)}),
    # https://www.pulumi.com/registry/packages/aws-native/api-docs/extensionresource/
    ("aws-native:index:ExtensionResource", {"type": "AWS::IAM::Role", "properties": OPEN_ROLE}),
    ("aws:cloudformation/stackSet:StackSet", {
        "templateBody": json.dumps(template(R=made("AWS::IAM::Role", **OPEN_ROLE))),
        "autoDeployment": {"enabled": True},
    }),
])  # fmt: skip
def test_a_role_that_admits_everyone_is_refused_whatever_makes_it(type_: str, inputs: dict[str, Any]) -> None:
    world = two_keys()
    put(world, type_, "o", native(world, STAGE) if "native" in type_ else world.stage, **inputs)
    assert "wildcard-trust" in world.refused


@pytest.mark.parametrize("as_text", [True, False])
def test_both_keys_may_be_made_by_aws_native(*, as_text: bool) -> None:
    """Each property by which a role has a policy is a row of test_cloudformation.py."""
    world = World()
    trust, grant = (json.dumps(one) if as_text else one for one in (TRUST, GRANT))
    role, there = "aws-native:iam:Role", native(world, STAGE)
    put(world, role, "deployer", there, roleName="deployer", assumeRolePolicyDocument=trust)
    policies = [{"policyName": "g", "policyDocument": grant}]
    services = json.loads(SERVICE)
    put(world, role, "ci", native(world, HUB), roleName="ci", assumeRolePolicyDocument=services, policies=policies)
    assert open_doors(world) == {f"{CI} -> {DEPLOYER}"}
    assert not world.refused


# Cloud Control: https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-types.html


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


@pytest.mark.parametrize("principal", [
    "*", {"AWS": {"Fn::Join": ["", ["*"]]}}, {"AWS": [CI, {"Fn::If": ["Maybe", "*", {"Ref": "AWS::NoValue"}]}]},
    {"AWS": {"Fn::ImportValue": "who"}}, {"AWS": "{{resolve:ssm:who}}"}, {"Federated": {"Fn::ImportValue": "who"}},
])  # fmt: skip
def test_a_role_of_a_template_that_may_admit_anybody_is_refused(principal: object) -> None:
    world = two_keys()
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:*"}]}
    body = template(R=made("AWS::IAM::Role", AssumeRolePolicyDocument=trust)) | {
        "Parameters": {"P": {"Type": "String"}}
    }
    stack(world, body | {"Conditions": {"Maybe": {"Fn::Equals": [{"Ref": "P"}, "x"]}}}, world.stage)
    assert world.refused


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


WHERE = Place("roles", STAGE, "aws", "eu-west-1")
RESOURCES = {
    "Role": made("AWS::IAM::Role", RoleName="r", Path="/p/"),
    "Unnamed": made("AWS::IAM::Role"),
    "Elsewhere": made("AWS::IAM::Role", RoleName="e", Path={"Fn::ImportValue": "x"}),
    "Circle": made("AWS::IAM::Role", RoleName={"Ref": "Circle"}),
    "User": made("AWS::IAM::User", UserName={"Ref": "Text"}),
    "Group": made("AWS::IAM::Group", GroupName="g"),
    "Policy": made("AWS::IAM::ManagedPolicy", ManagedPolicyName="m"),
    "UnnamedPolicy": made("AWS::IAM::ManagedPolicy"),
    "Oidc": made("AWS::IAM::OIDCProvider", Url="https://example.com/id"),
    "Saml": made("AWS::IAM::SAMLProvider", Name="s"),
    "Set": made("AWS::SSO::PermissionSet", Name="Admin"),
    "Topic": made("AWS::SNS::Topic", TopicName="t"),
    "Later": made("AWS::IAM::Role", RoleName={"Ref": "Nothing"}),
}
PARAMETERS = {
    "Text": {"Type": "String", "Default": "text"},
    "Untyped": {"Default": "untyped"},
    "Number": {"Type": "Number", "Default": 5},
    "Float": {"Type": "Number", "Default": 5.0},
    "Half": {"Type": "Number", "Default": 0.5},
    "Flag": {"Type": "String", "Default": True},
    "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
    "Numbers": {"Type": "List<Number>", "Default": "1,2"},
    "Whole": {"Type": "CommaDelimitedList"},
    "Given": {"Type": "String", "Default": "no"},
    "Nothing": {"Type": "String"},
    "Null": {"Type": "String", "Default": None},
    "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/x"},
}
MAPPINGS = {"M": {"a": {"b": "found", "l": ["x", {"Ref": "Text"}]}, "flat": "fx"}}
ABOUT_R, ABOUT_M = arn(STAGE, "role/p/r"), arn(STAGE, "policy/m")


def read(value: object, conditions: dict[str, object] | None = None) -> object:
    """What a value in a template becomes."""
    document = {
        "Parameters": PARAMETERS,
        "Mappings": MAPPINGS,
        "Conditions": {
            "Yes": {"Fn::Equals": ["a", "a"]},
            "No": {"Fn::Equals": ["a", "b"]},
            "Maybe": {"Fn::Equals": [{"Ref": "Nothing"}, "a"]},
            **(conditions or {}),
        },
        "Resources": {"X": made("AWS::SNS::Topic", Value=value), **RESOURCES},
    }
    (first, *_) = read_template(document, WHERE, {"Given": "given", "Whole": ["w"]}).resources
    return first.properties.get("Value")


@pytest.mark.parametrize(("value", "expected"), [
    ("plain", "plain"), (5, 5), ("a{{resolve:ssm:x}}", UNKNOWN), ({"Other": 1}, {"Other": 1}), ({5: "x"}, {5: "x"}),
    ({"a": [{"Ref": "Text"}], "b": 1}, {"a": ["text"], "b": 1}), ({"Fn::New": 1}, UNKNOWN),
    ({"Fn::New": 1, "b": 2}, {"Fn::New": 1, "b": 2}),
    ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}), ([1, {"Ref": "AWS::NoValue"}], [1]),
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html
    ({"Ref": "AWS::AccountId"}, STAGE), ({"Ref": "AWS::Partition"}, "aws"), ({"Ref": "AWS::Region"}, "eu-west-1"),
    ({"Ref": "AWS::StackName"}, "roles"), ({"Ref": "AWS::URLSuffix"}, "amazonaws.com"),
    ({"Ref": "AWS::StackId"}, UNKNOWN),
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
    ({"Ref": 5}, UNKNOWN), ({"Ref": "Absent"}, UNKNOWN), ({"Ref": "Text"}, "text"), ({"Ref": "Untyped"}, "untyped"),
    ({"Ref": "Number"}, "5"), ({"Ref": "Float"}, "5"), ({"Ref": "Half"}, "0.5"), ({"Ref": "Flag"}, "true"),
    ({"Ref": "List"}, ["a", "b"]), ({"Ref": "Numbers"}, ["1", "2"]), ({"Ref": "Whole"}, ["w"]),
    ({"Ref": "Given"}, "given"), ({"Ref": "Nothing"}, UNKNOWN), ({"Ref": "Null"}, UNKNOWN),
    ({"Ref": "Stored"}, UNKNOWN),
    # what Ref and Fn::GetAtt give is on the page of each type, such as
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-role.html
    ({"Ref": "Role"}, "r"), ({"Ref": "Unnamed"}, Reference("Unnamed")), ({"Ref": "Circle"}, Reference("Circle")),
    ({"Ref": "User"}, "text"), ({"Ref": "Group"}, "g"), ({"Ref": "Policy"}, ABOUT_M),
    ({"Ref": "Topic"}, Reference("Topic")),
    ({"Ref": "UnnamedPolicy"}, Reference("UnnamedPolicy")),
    ({"Ref": "Oidc"}, arn(STAGE, "oidc-provider/example.com/id")),
    ({"Ref": "Saml"}, arn(STAGE, "saml-provider/s")),
    ({"Fn::GetAtt": ["Role", "Arn"]}, ABOUT_R), ({"Fn::GetAtt": "Role.Arn"}, ABOUT_R),
    ({"Fn::GetAtt": "Role.RoleId"}, UNKNOWN),
    ({"Fn::GetAtt": ["Role"]}, UNKNOWN), ({"Fn::GetAtt": [{"Ref": "Text"}, "Arn"]}, UNKNOWN),
    ({"Fn::GetAtt": 5}, UNKNOWN),
    ({"Fn::GetAtt": "Absent.Arn"}, UNKNOWN), ({"Fn::GetAtt": "Elsewhere.Arn"}, Reference("Elsewhere")),
    ({"Fn::GetAtt": "Topic.Arn"}, Reference("Topic")), ({"Fn::GetAtt": "Topic.Outputs.Arn"}, UNKNOWN),
    ({"Fn::GetAtt": "User.Arn"}, arn(STAGE, "user/text")), ({"Fn::GetAtt": "Group.Arn"}, arn(STAGE, "group/g")),
    ({"Fn::GetAtt": "Policy.PolicyArn"}, ABOUT_M), ({"Fn::GetAtt": "Set.PermissionSetArn"}, Reference("Set")),
    ({"Fn::GetAtt": "Unnamed.Arn"}, Reference("Unnamed")), ({"Fn::GetAtt": "Later.Arn"}, Reference("Later")),
    ({"Ref": "Later"}, Reference("Later")),
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html
    ({"Fn::Sub": "a${Text}b"}, "atextb"), ({"Fn::Sub": "${Role.Arn}/x"}, f"{ABOUT_R}/x"),
    ({"Fn::Sub": "${ Text }"}, "text"),
    ({"Fn::Sub": "${!Text}-${Text}"}, "${Text}-text"), ({"Fn::Sub": "${Unnamed}"}, Reference("Unnamed")),
    ({"Fn::Sub": "x${Unnamed}"}, UNKNOWN), ({"Fn::Sub": "${Unnamed.Arn}"}, Reference("Unnamed")),
    ({"Fn::Sub": "${Nothing}"}, UNKNOWN), ({"Fn::Sub": ["${A}-${Text}", {"A": {"Ref": "Number"}}]}, "5-text"),
    ({"Fn::Sub": ["${A.B}", {"A.B": "x"}]}, "x"), ({"Fn::Sub": 5}, UNKNOWN), ({"Fn::Sub": ["a"]}, UNKNOWN),
    ({"Fn::Sub": "${AWS::AccountId}"}, STAGE), ({"Fn::Sub": ["x", "y", "z"]}, UNKNOWN), ({"Fn::Sub": "xy"}, "xy"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Text"}]]}, "a-text"), ({"Fn::Join": ["-", {"Ref": "List"}]}, "a-b"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Nothing"}]]}, UNKNOWN), ({"Fn::Join": ["-"]}, UNKNOWN),
    ({"Fn::Join": "ab"}, UNKNOWN),
    ({"Fn::Join": ["-", "ab"]}, UNKNOWN), ({"Fn::Join": ["-", ["a", {"Ref": "AWS::NoValue"}]]}, "a"),
    ({"Fn::Split": ["|", "a|b"]}, ["a", "b"]), ({"Fn::Split": ["", "ab"]}, UNKNOWN), ({"Fn::Split": ["|"]}, UNKNOWN),
    ({"Fn::Split": ["|", {"Ref": "Nothing"}]}, UNKNOWN), ({"Fn::Split": "ab"}, UNKNOWN),
    ({"Fn::Split": ["e", {"Ref": "Text"}]}, ["t", "xt"]),
    ({"Fn::Select": [1, ["a", "b"]]}, "b"), ({"Fn::Select": ["0", {"Ref": "List"}]}, "a"),
    ({"Fn::Select": [0]}, UNKNOWN),
    ({"Fn::Select": [2, ["a", "b"]]}, UNKNOWN), ({"Fn::Select": [-1, ["a", "b"]]}, UNKNOWN),
    ({"Fn::Select": "ab"}, UNKNOWN),
    ({"Fn::Select": ["\N{SUPERSCRIPT TWO}", ["a", "b", "c"]]}, UNKNOWN), ({"Fn::Select": [0, "ab"]}, UNKNOWN),
    ({"Fn::Select": [{"Ref": "Number"}, ["a", "b", "c", "d", "e", "f"]]}, "f"),
    ({"Fn::Select": [{"Ref": "Nothing"}, ["a"]]}, UNKNOWN), ({"Fn::Select": [0, ["a", {"Ref": "Nothing"}]]}, "a"),
    ({"Fn::FindInMap": ["M", "a", "b"]}, "found"), ({"Fn::FindInMap": ["M", "a", "l"]}, ["x", "text"]),
    ({"Fn::FindInMap": [{"Fn::Sub": "M"}, "a", "b", {"DefaultValue": "d"}]}, "found"),
    ({"Fn::FindInMap": "Mab"}, UNKNOWN),
    ({"Fn::FindInMap": ["M", "a", "z"]}, UNKNOWN), ({"Fn::FindInMap": ["M", "a"]}, UNKNOWN),
    ({"Fn::FindInMap": ["M", {"Ref": "Nothing"}, "b"]}, UNKNOWN), ({"Fn::FindInMap": ["M", "a", ["b"]]}, UNKNOWN),
    ({"Fn::FindInMap": ["M", "flat", "x"]}, UNKNOWN),
    ({"Fn::If": ["Yes", "a", "b"]}, "a"), ({"Fn::If": ["No", "a", "b"]}, "b"),
    ({"Fn::If": ["Maybe", "a", "b"]}, UNKNOWN),
    ({"Fn::If": ["Maybe", {"Ref": "Text"}, "text"]}, "text"), ({"Fn::If": ["Maybe", "text", {"Ref": "Text"}]}, "text"),
    ({"Fn::If": ["Yes", "a"]}, UNKNOWN), ({"Fn::If": [["Yes"], "a", "b"]}, UNKNOWN), ({"Fn::If": "Yab"}, UNKNOWN),
    ({"Fn::If": ["Absent", "a", "b"]}, UNKNOWN), ({"Fn::If": ["Yes", {"Ref": "AWS::NoValue"}, "b"]}, None),
    ({"Fn::ToJsonString": {"a": {"Ref": "Text"}}}, {"a": "text"}),
], ids=str)  # fmt: skip
def test_a_function_of_a_template_is_resolved_as_far_as_the_template_tells(value: object, expected: object) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(("test", "holds"), [
    ({"Fn::Equals": [{"Ref": "Number"}, 5]}, True), ({"Fn::Equals": [{"Ref": "Flag"}, "true"]}, True),
    ({"Fn::Equals": [True, "true"]}, True), ({"Fn::Equals": [1.0, "1"]}, True), ({"Fn::Equals": ["1", 2]}, False),
    ({"Fn::Equals": ["a", {"Ref": "Nothing"}]}, None), ({"Fn::Equals": [{"Ref": "Unnamed"}, "a"]}, None),
    ({"Fn::Equals": ["a"]}, None), ({"Fn::Equals": "aa"}, None), ({"Fn::Equals": [["a"], ["a"]]}, None),
    ({"Condition": "Yes"}, True), ({"Condition": "No"}, False), ({"Condition": ["Yes"]}, None),
    ({"Condition": "Tested"}, None),
    ({"Fn::Not": [{"Condition": "Yes"}]}, False), ({"Fn::Not": [{"Condition": "No"}]}, True),
    ({"Fn::Not": [{"Condition": "Maybe"}]}, None), ({"Fn::Not": [{"Condition": "No"}] * 2}, None),
    ({"Fn::Not": "x"}, None), ({"Fn::And": 5}, None),
    ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "Yes"}]}, True),
    ({"Fn::And": [{"Condition": "Maybe"}, {"Condition": "No"}]}, False),
    ({"Fn::And": [{"Condition": "Yes"}, {"Condition": "Maybe"}]}, None), ({"Fn::And": []}, None),
    ({"Fn::Or": [{"Condition": "Maybe"}, {"Condition": "Yes"}]}, True), ({"Fn::Or": [{"Condition": "No"}]}, False),
    ({"Fn::Or": [{"Condition": "No"}, {"Condition": "Maybe"}]}, None), ({"Fn::Or": []}, None),
    ({"Fn::New": [{"Condition": "Yes"}]}, None), ("text", None),
    ({"Fn::Equals": ["a", "a"], "more": 1}, None),
], ids=str)  # fmt: skip
def test_a_condition_of_a_template_holds_does_not_or_is_not_known(test: object, holds: bool | None) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-conditions.html"""
    answer = {True: "yes", False: "no", None: UNKNOWN}[holds]
    assert read({"Fn::If": ["Tested", "yes", "no"]}, {"Tested": test}) == answer


def test_a_pseudo_parameter_hangs_on_where_the_stack_is() -> None:
    told = {"Suffix": {"Ref": "AWS::URLSuffix"}, "Region": {"Ref": "AWS::Region"}, "Policy": {"Ref": "P"}}
    body = template(X=made("T", **told), P=made("AWS::IAM::ManagedPolicy", ManagedPolicyName="p"))
    one, _ = read_template(body, Place("s", STAGE, "aws-cn")).resources
    policy = f"arn:aws-cn:iam::{STAGE}:policy/p"
    assert one.properties == {"Suffix": "amazonaws.com.cn", "Region": UNKNOWN, "Policy": policy}


@pytest.mark.parametrize(("text", "value"), [
    ("!Ref Text", "text"), ("!GetAtt Role.Arn", ABOUT_R), ("!Sub ['${A}', {A: !Ref Text}]", "text"),
    ("!Join ['-', [a, !Select [0, [b]]]]", "a-b"), ("!If [Yes, [a], b]", ["a"]),
    ("!ToJsonString {a: [!Ref Text]}", {"a": ["text"]}),
    ("0123", "0123"), ("yes", "yes"), ("!New x", UNKNOWN), ("!If [Named, a, b]", "a"),
])  # fmt: skip
def test_a_short_form_of_yaml_is_its_function(text: str, value: object) -> None:
    body = f"""
Parameters: {json.dumps(PARAMETERS)}
Conditions: {{Yes: !Equals [a, a], Named: !And [!Condition Yes, !Condition Yes]}}
Resources: {{X: {{Type: T, Properties: {{Value: {text}}}}}, Role: {json.dumps(RESOURCES["Role"])}}}
"""
    assert read_template(body, WHERE).resources[0].properties == {"Value": value}


@pytest.mark.parametrize(("text", "why"), [
    ("{", "it is neither JSON nor YAML (JSONDecodeError)"),
    ("Resources: [", "it is neither JSON nor YAML (ParserError)"),
    ("[1]", "it has no Resources"),
    ('{"Resources": 5}', "it has no Resources"),
    ("Resources: {A: &a {Type: T}, B: *a}", "it has a YAML alias, which CloudFormation does not take"),
    ('{"Resources": {"A": {}}}', "its resource A has no Type"),
    ('{"Resources": {"A": "x"}}', "its resource A has no Type"),
    ('{"Resources": {"A": {"Type": 5}}}', "its resource A has no Type"),
])  # fmt: skip
def test_what_is_no_template_says_why(text: str, why: str) -> None:
    with pytest.raises(TemplateError) as wrong:
        read_template(text, WHERE)
    assert str(wrong.value) == why


@pytest.mark.parametrize(("more", "expands"), [
    ({}, None),
    ({"Transform": "AWS::Serverless-2016-10-31"}, "the transform AWS::Serverless-2016-10-31"),
    ({"Transform": ["AWS::Include", "Own"]}, "the transform AWS::Include, Own"),
    ({"Fn::ForEach::Loop": ["X", ["a"], {"R${X}": {"Type": "T"}}]}, "Fn::ForEach::Loop"),
    ({"Fn::Transform": {"Name": "AWS::Include", "Parameters": {}}}, "Fn::Transform"),
    ({"B": made("T", List=[{"Fn::Transform": {"Name": "Own"}}])}, "Fn::Transform"),
    ({"B": made("T", Map={"a": {"Fn::Transform": {"Name": "Own"}}})}, "Fn::Transform"),
])  # fmt: skip
def test_what_cloudformation_changes_before_it_deploys_is_named(more: dict[str, Any], expands: str | None) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-transform.html"""
    transform = {key: value for key, value in more.items() if key == "Transform"}
    resources = {key: value for key, value in more.items() if key != "Transform"}
    found = read_template({**transform, **template(A=made("T"), **resources, Z=made("T"))}, WHERE)
    assert found.expands == expands
    assert [one.logical_id for one in found.resources if one.logical_id != "B"] == ["A", "Z"]


def test_a_resource_whose_condition_is_known_not_to_hold_is_not_made() -> None:
    conditional = {name: {"Type": "T", "Condition": name} for name in ("No", "Yes", "Maybe", "Absent")}
    body = {"Conditions": {"No": {"Fn::Equals": ["a", "b"]}, "Yes": {"Fn::Equals": ["a", "a"]}}} | template(
        **conditional
    )
    body["Resources"]["Odd"] = {"Type": "T", "Condition": ["No"], "Properties": {"Fn::Transform": {}}}
    made_of = read_template("\n" + json.dumps(body, indent="\t"), WHERE).resources
    assert [(one.logical_id, one.properties) for one in made_of] == [
        (name, {}) for name in ("Yes", "Maybe", "Absent", "Odd")
    ]


URL, IAM_BY_IT = "https://example.com/t.json", ["CAPABILITY_IAM"]
SERVERLESS = json.dumps({"Transform": "AWS::Serverless-2016-10-31", **template()})
EXTENDED = json.dumps({"Transform": "AWS::LanguageExtensions", **template(T=made("AWS::SNS::Topic"))})


def of(type_: str, **properties: object) -> str:
    return json.dumps(template(N=made(type_, **properties)))


@pytest.mark.parametrize(("inputs", "said"), [
    ({"typeName": "AWS::RolesAnywhere::Profile", "desiredState": "{}"}, ["not-read"]),
    ({"typeName": "AWS::IAM::Role", "desiredState": UNKNOWN}, ["unproved-door"]),
    ({"typeName": "AWS::Logs::LogGroup", "desiredState": UNKNOWN}, []),
    ({"templateBody": UNKNOWN, "capabilities": ["CAPABILITY_NAMED_IAM"]}, ["unproved-door"]),
    ({"templateUrl": URL, "capabilities": UNKNOWN}, ["not-read"]),
    ({"templateBody": "Resources: [", "capabilities": IAM_BY_IT}, ["not-read"]),
    ({"templateBody": "just text"}, ["not-read"]),
    ({"templateBody": "{" * 5000}, ["not-read"]),
    ({"templateBody": "Resources: {A: &a {Type: AWS::SNS::Topic}, B: *a}"}, ["not-read"]),
    ({"templateBody": of("AWS::ServiceCatalog::CloudFormationProvisionedProduct")}, ["not-read"]),
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
    assert world.refused == said


CONTROL, STACK = "aws:cloudcontrol/resource:Resource", "aws:cloudformation/stack:Stack"
APPLICATION = "aws:serverlessrepository/cloudFormationStack:CloudFormationStack"
BY_URL = "deploys a template by its URL, and has the capability to make IAM by it"
NEW = "is a type of a service that decides who may enter, and this version does not know it"
ACCEPT = "or make an exception in the pack's configuration, with reason, owner and expiry"
MAKE_IT, SEE = f"make it with resources of pulumi-aws, {ACCEPT}", f"see what the code may do, {ACCEPT}"
GIVE = f"give the template itself as its body, without transforms and nested templates, {ACCEPT}"
DEEP = json.dumps(template(A=made("T", P="DEEP"))).replace('"DEEP"', "[" * 700 + "]" * 700)


def nested(times: int) -> str:
    body = template(R=made("AWS::IAM::Role", RoleName="deep", AssumeRolePolicyDocument=TRUST))
    for _ in range(times):
        body = template(N=made("AWS::CloudFormation::Stack", TemplateBody=json.dumps(body)))
    return json.dumps(body)


def left(type_: str, **inputs: object) -> list[tuple[str, str, str, str, bool, bool]]:
    """What is not read of a resource: its name, its type, why, the next step, whether it is certain, or unknown."""
    world = World()
    put(world, type_, "s", world.stage, **inputs)
    found = translate(world.snapshot, Accounts(world.snapshot)).not_read
    return [(one.resource.name, one.resource.type, one.why, one.next_step, one.certain, one.unknown) for one in found]


@pytest.mark.parametrize(("type_", "inputs", "why", "step", "unknown"), [
    (
        "aws-native:iam:UserLoginProfile", {},
        "is of type aws-native:iam:UserLoginProfile, which is read of pulumi-aws only", MAKE_IT, False,
    ),
    (CONTROL, {"typeName": UNKNOWN}, "makes a resource of a type that is not known yet", MAKE_IT, True),
    (
        CONTROL, {"typeName": "Acme::Iam::Role"},
        "makes a resource of type Acme::Iam::Role, which is nobody's that is known here", MAKE_IT, False,
    ),
    (CONTROL, {"typeName": "AWS::IAM::New"}, NEW, MAKE_IT, False),
    (
        CONTROL, {"typeName": "AWS::IAM::Role", "desiredState": UNKNOWN},
        "makes a resource of type AWS::IAM::Role, whose desired state is not known yet", MAKE_IT, True,
    ),
    *((
        CONTROL, {"typeName": "AWS::IAM::Role", "desiredState": state},
        "makes a resource of type AWS::IAM::Role, whose desired state is no JSON object that has each key once",
        MAKE_IT, False,
    ) for state in ("{", "[1]", "[" * 5000, '{"RoleName": "o", "RoleName": "p"}')),
    (
        CONTROL,
        {
            "typeName": "AWS::CloudFormation::Stack", "templateBody": "{}",
            "desiredState": json.dumps({"TemplateURL": URL, "Capabilities": IAM_BY_IT}),
        },
        BY_URL, GIVE, False,
    ),
    (STACK, {"templateUrl": URL, "capabilities": IAM_BY_IT}, BY_URL, GIVE, False),
    (
        STACK, {"templateBody": UNKNOWN, "capabilities": IAM_BY_IT},
        "deploys a template that is not known yet, and has the capability to make IAM by it", GIVE, True,
    ),
    (
        APPLICATION, {"applicationId": "a", "capabilities": IAM_BY_IT},
        "deploys a template of an application of the Serverless Application Repository, and has the capability to make"
        " IAM by it", GIVE, False,
    ),
    (STACK, {"templateBody": "[1]"}, "deploys a template that cannot be read: it has no Resources", GIVE, False),
    (STACK, {"templateBody": DEEP}, "deploys a template that cannot be read: it is nested too deeply", GIVE, False),
    (
        STACK, {"templateBody": SERVERLESS, "capabilities": IAM_BY_IT},
        "deploys a template that the transform AWS::Serverless-2016-10-31 changes before it is deployed", GIVE, False,
    ),
])  # fmt: skip
def test_what_is_not_read_of_a_resource_is_said_with_the_next_step(
    type_: str, inputs: dict[str, object], why: str, step: str, unknown: bool
) -> None:
    assert left(type_, **inputs) == [("s", type_, why, step, True, unknown)]


@pytest.mark.parametrize(("type_", "inputs"), [
    (CONTROL, {"typeName": "Alexa::ASK::Skill"}),
    (CONTROL, {"typeName": "AWS::Logs"}),
    (CONTROL, {"typeName": "AWS::EKS::Addon", "desiredState": '{"AddonName": "vpc-cni"}'}),
    (STACK, {"templateBody": of("AWS::EKS::Addon", AddonName="vpc-cni")}),
    (STACK, {"templateBody": SERVERLESS}),
    (STACK, {"templateBody": nested(5)}),
])  # fmt: skip
def test_of_what_is_read_or_makes_no_iam_nothing_is_said(type_: str, inputs: dict[str, object]) -> None:
    assert left(type_, **inputs) == []


@pytest.mark.parametrize(("type_", "properties", "why", "step", "certain"), [
    ("Acme::Iam::Thing", {}, "is of type Acme::Iam::Thing, which is nobody's that is known here", MAKE_IT, True),
    ("AWS::IAM::New", {}, NEW, MAKE_IT, True),
    (
        "AWS::IAM::UserLoginProfile", {}, "is of type AWS::IAM::UserLoginProfile, which is read of pulumi-aws only",
        MAKE_IT, True,
    ),
    (
        "AWS::Serverless::Application", {}, "deploys a template of the Serverless Application Repository", MAKE_IT,
        True,
    ),
    ("Custom::Thing", {}, "runs code that is not read", SEE, False),
    ("AWS::CloudFormation::CustomResource", {}, "runs code that is not read", SEE, False),
    ("AWS::CloudFormation::Stack", {"TemplateURL": URL}, BY_URL, GIVE, True),
    ("AWS::CloudFormation::StackSet", {"TemplateURL": URL}, BY_URL, GIVE, True),
])  # fmt: skip
def test_what_is_not_read_in_a_template_is_said_of_its_resource(
    type_: str, properties: dict[str, object], why: str, step: str, certain: bool
) -> None:
    assert left(STACK, templateBody=of(type_, **properties)) == [("s-N", type_, why, step, certain, False)]


def test_a_template_is_not_read_below_five_others() -> None:
    (said,) = left(STACK, templateBody=nested(6))
    assert said[2:] == ("is a template in a template, too deep to be read", GIVE, True, False)
    in_sets = json.dumps(template(S=made("AWS::CloudFormation::StackSet", TemplateBody=nested(4))))
    assert left(STACK, templateBody=in_sets) == []
    in_sets = json.dumps(template(S=made("AWS::CloudFormation::StackSet", TemplateBody=nested(5))))
    assert [one[2] for one in left(STACK, templateBody=in_sets)] == [said[2]]


def test_a_template_that_holds_a_secret_is_not_quoted() -> None:
    world = World()
    stack_of_it = put(world, STACK, "s", world.stage, templateBody="[1]")
    world.change(stack_of_it, secrets=frozenset({"templateBody"}))
    (said,) = translate(world.snapshot, Accounts(world.snapshot)).not_read
    assert said.why == "deploys a template that cannot be read: it holds a secret, so nothing of it is quoted"


def test_a_role_that_a_template_gives_no_name_is_called_as_cloudformation_calls_it() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html:
    `stack123123123123-s3bucket-abcdefghijk1`, the name of the stack, the logical id and something random.
    """
    world = World()
    put(world, STACK, "s", world.stage, name="network", templateBody=json.dumps(template(R=made("AWS::IAM::Role"))))
    assert arn(STAGE, "role/network-R-RANDOM") in {one.arn for one in world.graph.principals}


def test_a_role_of_a_template_says_of_which_stack_it_is_and_lives_where_that_does() -> None:
    world = World()
    china = world.add("Provider", "china", region="cn-north-1", allowedAccountIds=json.dumps([STAGE]))
    named = {"Fn::Sub": "${AWS::StackName}-${AWS::Region}-${AWS::Partition}-${P}"}
    body = template(R=made("AWS::IAM::Role", RoleName=named)) | {"Parameters": {"P": {"Type": "String"}}}
    inner = made(
        "AWS::CloudFormation::Stack", TemplateBody=json.dumps(template(Q=made("AWS::IAM::Role", RoleName="q")))
    )
    body["Resources"]["N"] = inner
    parameters = [5, {"Odd": 1}, {"ParameterKey": "P", "ParameterValue": "p"}]
    one = stack(world, body, china, parameters=parameters)
    when = {"source": "a.py:1", "since": Since(TODAY, TODAY)}
    one = world.change(one, parent="urn:above", secrets=frozenset({"x"}), **when)
    after = translate(world.snapshot, Accounts(world.snapshot)).snapshot
    expected = Resource(
        urn=f"{one.urn}#R",
        type="aws:iam/role:Role",
        name="roles-R",
        inputs={"name": "roles-cn-north-1-aws-cn-p"},
        outputs={"name": "roles-cn-north-1-aws-cn-p"},
        provider=china.urn,
        parent="urn:above",
        secrets=frozenset({"name"}),
        account=STAGE,
        autoname="roles-R-RANDOM",
        made_by=one.urn,
        **when,
    )
    inner_name, given = {"name": "roles-N-Q", "autoname": "roles-N-Q-RANDOM"}, {"name": "q"}
    deeper = replace(expected, urn=f"{one.urn}#N#Q", inputs=given, outputs=given, **inner_name)
    assert list(after.of_type("aws:iam/role:Role")) == [expected, deeper]
    by_region = world.change(one, inputs={**(one.inputs or {}), "region": "us-gov-west-1"}, outputs={})
    role = next(translate(world.snapshot, Accounts(world.snapshot)).snapshot.of_type("aws:iam/role:Role"))
    assert role.text("name") == "roles-us-gov-west-1-aws-us-gov-p"
    nowhere = world.change(by_region, provider=None, inputs=one.inputs)
    role = next(translate(world.snapshot, Accounts(world.snapshot)).snapshot.of_type("aws:iam/role:Role"))
    assert (role.get("name"), role.provider) == (UNKNOWN, nowhere.provider)


def test_a_snapshot_without_other_makers_is_itself() -> None:
    world = two_keys()
    snapshot = world.snapshot
    assert translate(snapshot, Accounts(snapshot)).snapshot is snapshot


# StackSets: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-concepts.html

IN_EVERY_ACCOUNT = template(R=made("AWS::IAM::Role", RoleName="deployer", AssumeRolePolicyDocument=TRUST))
STACK_SET = "aws:cloudformation/stackSet:StackSet"


def stack_set(world: World, body: object = IN_EVERY_ACCOUNT, **inputs: object) -> Resource:
    return put(world, STACK_SET, "set", world.hub, name="set", templateBody=json.dumps(body), **inputs)


ANY, BOTH = Accounts.of_stack_set("logical"), {STAGE, PROD}
IN_STAGE = {"stackSetName": "named", "accountId": STAGE}
AUTOMATIC = "autoDeployment"


@pytest.mark.parametrize(("of_set", "instances", "accounts"), [
    ({}, [], {ANY}),
    ({}, [IN_STAGE], {STAGE}),
    ({}, [{**IN_STAGE, "stackSetName": "logical"}], {STAGE}),
    ({}, [{**IN_STAGE, "stackSetName": "set-id"}], {STAGE}),
    ({}, [{**IN_STAGE, "stackSetName": "named:0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"}], {STAGE}),
    ({}, [{**IN_STAGE, "stackSetName": "other"}], {ANY}),
    ({}, [{**IN_STAGE, "stackSetName": UNKNOWN}], {ANY}),
    ({}, [{"stackSetName": "named", "accounts": [STAGE, PROD]}], BOTH),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"accounts": [STAGE]}}], {STAGE}),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"organizationalUnitIds": ["ou-2"]}}], {PROD, ANY}),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"organizationalUnitIds": ["ou-1"]}}], {*BOTH, ANY}),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"organizationalUnitIds": ["r-1"]}}], {*BOTH, ANY}),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"organizationalUnitIds": ["ou-9"]}}], {OUTSIDE, ANY}),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"organizationalUnitIds": ["ou-3"]}}], {ANY}),
    ({}, [{"stackSetName": "named", "deploymentTargets": {"organizationalUnitIds": ["ou-7"]}}], {"account:new", ANY}),
    ({}, [{"stackSetName": "named"}], {ANY}),
    ({}, [{"stackSetName": "named", "accountId": UNKNOWN}], {ANY}),
    ({}, [{"stackSetName": "named", "accountId": UNKNOWN}, IN_STAGE], {STAGE, ANY}),
    ({}, [IN_STAGE, {"stackSetName": "named", "accounts": UNKNOWN}], {STAGE, ANY}),
    ({AUTOMATIC: {"enabled": True}}, [IN_STAGE], {STAGE, ANY}),
    ({AUTOMATIC: {"enabled": UNKNOWN}}, [IN_STAGE], {STAGE, ANY}),
    ({AUTOMATIC: {"enabled": False}}, [IN_STAGE], {STAGE}),
    ({AUTOMATIC: {"enabled": "false"}}, [IN_STAGE], {STAGE}),
    ({"stackInstancesGroup": [{"DeploymentTargets": {"Accounts": [STAGE]}}]}, [], {STAGE}),
    ({"stackInstancesGroup": UNKNOWN}, [], {ANY}),
])  # fmt: skip
def test_the_accounts_that_a_stack_set_deploys_to(of_set: Any, instances: list[Any], accounts: set[str]) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeploymentTargets.html"""
    world = World()
    for unit, above in (("ou-2", "ou-1"), ("ou-1", "r-1"), ("ou-9", "ou-9")):
        world.add("OrganizationalUnit", unit, world.hub, id=unit, parentId=above)
    for account, above in ((PROD, "ou-2"), (STAGE, "ou-1"), (OUTSIDE, "ou-9")):
        world.add("Account", account, world.hub, name=account, email=f"{account}@x.com", id=account, parentId=above)
    world.add("Account", "new", world.hub, name="new", email="new@x.com", parentId="ou-7")
    body = json.dumps(IN_EVERY_ACCOUNT)
    put(world, STACK_SET, "logical", world.hub, name="named", id="set-id", templateBody=body, **of_set)
    for number, one in enumerate(instances):
        put(world, "aws:cloudformation/stackSetInstance:StackSetInstance", str(number), world.hub, **one)
    roles = list(translate(world.snapshot, Accounts(world.snapshot)).snapshot.of_type("aws:iam/role:Role"))
    assert {role.account for role in roles} == accounts
    urn = f"urn:pulumi:stage::twokeys::{STACK_SET}::logical"
    assert {role.urn for role in roles} == {f"{urn}#{account}/R" for account in accounts}


@pytest.mark.parametrize(("overrides", "rules"), [
    (None, []),
    ({"Whom": OUTSIDE}, ["external-id"]),
    ([{"ParameterKey": "Whom", "ParameterValue": OUTSIDE}], ["external-id"]),
    ([{"ParameterKey": UNKNOWN, "ParameterValue": OUTSIDE}], ["unproved-door"]),
    (UNKNOWN, ["unproved-door"]),
])  # fmt: skip
def test_an_instance_of_a_stack_set_may_override_its_parameters(overrides: object, rules: list[str]) -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stackinstances-override.html"""
    trust = document(trusts({"Fn::Sub": "arn:aws:iam::${Whom}:root"}))
    body = template(R=made("AWS::IAM::Role", RoleName="o", AssumeRolePolicyDocument=json.loads(trust)))
    body["Parameters"] = {"Whom": {"Type": "String", "Default": STAGE}}
    world = two_keys()
    stack_set(world, body)
    type_ = "aws:cloudformation/stackSetInstance:StackSetInstance"
    put(world, type_, "i", world.hub, stackSetName="set", accountId=STAGE, parameterOverrides=overrides)
    assert world.refused == rules


def test_a_stack_set_of_cloud_control_or_of_a_template_deploys_to_its_accounts_too() -> None:
    world = World()
    groups = [{"DeploymentTargets": {"Accounts": [STAGE, PROD]}}]
    properties = {"TemplateBody": json.dumps(IN_EVERY_ACCOUNT), "StackInstancesGroup": groups}
    type_, state = "AWS::CloudFormation::StackSet", json.dumps(properties)
    control = put(world, "aws:cloudcontrol/resource:Resource", "c", world.hub, typeName=type_, desiredState=state)
    inside = put(world, STACK, "s", world.hub, templateBody=of(type_, **properties))
    roles = list(translate(world.snapshot, Accounts(world.snapshot)).snapshot.of_type("aws:iam/role:Role"))
    assert {(role.account, role.urn) for role in roles} == {
        (account, f"{urn}#{account}/R") for account in BOTH for urn in (control.urn, f"{inside.urn}#N")
    }


def test_a_stack_set_instance_may_know_its_set_by_what_it_is_made_from() -> None:
    world = World()
    one = stack_set(world)
    made_from = {"stackSetName": [one]}
    type_ = "aws:cloudformation/stackSetInstance:StackSetInstance"
    put(world, type_, "i", world.hub, stackSetName=UNKNOWN, accountId=STAGE, made_from=made_from)
    roles = translate(world.snapshot, Accounts(world.snapshot)).snapshot.of_type("aws:iam/role:Role")
    assert {role.account for role in roles} == {STAGE}


def test_an_instance_of_a_stack_set_that_is_not_shown_is_not_read() -> None:
    world = two_keys()
    put(world, "aws:cloudformation/stackInstances:StackInstances", "i", world.hub, stackSetName="elsewhere")
    (finding,) = world.check().mandatory
    assert finding.rule == "not-read"
    assert "deploys a StackSet that is not shown, whose template may make IAM" in finding.message


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
    assert "wildcard-trust" in world.refused
    by_url = two_keys()
    put(by_url, STACK_SET, "set", by_url.hub, templateUrl="https://x", capabilities=["CAPABILITY_NAMED_IAM"])
    assert by_url.refused == ["not-read"]


def test_a_stack_set_of_roles_for_services_is_no_door_wherever_it_goes() -> None:
    world = two_keys()
    body = template(R=made("AWS::IAM::Role", AssumeRolePolicyDocument=json.loads(SERVICE)))
    stack_set(world, body, permissionModel="SERVICE_MANAGED", autoDeployment={"enabled": True})
    assert not world.refused
