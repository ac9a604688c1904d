"""A program can give a property any shape: it is refused or read, and never ends in a traceback."""

import json

import pytest

from tests.access.test_translation import put
from tests.access.world import STAGE, two_keys
from twokeys.iam import UNKNOWN

SHAPES: tuple[object, ...] = (None, [], {}, "x", 5, True, UNKNOWN, [UNKNOWN], {"a": UNKNOWN}, [None], [[{}]])
ROLE_SET = json.dumps({"Resources": {"R": {"Type": "AWS::IAM::Role"}}})
ASSIGNED = {"principalId": "g", "targetId": STAGE, "permissionSetArn": "p", "principalType": "GROUP"}
TYPES: dict[str, dict[str, object]] = {
    "aws:cloudcontrol/resource:Resource": {"typeName": "AWS::IAM::Role", "desiredState": "{}"},
    "aws-native:index:ExtensionResource": {"type": "AWS::IAM::Role", "properties": {}},
    "aws:cloudformation/stack:Stack": {"templateBody": ROLE_SET, "capabilities": ["CAPABILITY_IAM"], "parameters": {}},
    "aws:cloudformation/stackSet:StackSet": {"templateBody": ROLE_SET, "autoDeployment": {"enabled": True}},
    "aws:cloudformation/stackSetInstance:StackSetInstance": {"stackSetName": "s", "deploymentTargets": {}},
    "aws-native:iam:Role": {"assumeRolePolicyDocument": {}, "policies": [], "managedPolicyArns": [], "roleName": "r"},
    "aws-native:iam:ManagedPolicy": {"policyDocument": {}, "roles": [], "users": []},
    "aws-native:iam:User": {"groups": [], "policies": [], "userName": "u"},
    "aws-native:sso:PermissionSet": {
        "managedPolicies": [],
        "inlinePolicy": {},
        "customerManagedPolicyReferences": [],
        "permissionsBoundary": {},
    },
    "aws-native:organizations:Account": {"parentIds": [], "tags": [], "accountName": "a"},
    "aws:ssoadmin/accountAssignment:AccountAssignment": ASSIGNED,
    "aws:ssoadmin/permissionSet:PermissionSet": {"name": "n", "arn": "p", "sessionDuration": "PT1H"},
    "aws:ssoadmin/customerManagedPolicyAttachment:CustomerManagedPolicyAttachment": {
        "customerManagedPolicyReference": {},
        "permissionSetArn": "p",
    },
    "aws:accountaccess/entitlement:Entitlement": {"entitlement": {}},
    "aws:iam/organizationsFeatures:OrganizationsFeatures": {"enabledFeatures": []},
    "aws:organizations/delegatedAdministrator:DelegatedAdministrator": {"accountId": "1", "servicePrincipal": "s"},
    "aws:identitystore/groupMembership:GroupMembership": {"groupId": "g", "memberId": "u"},
    "command:local:Command": {"create": "x", "environment": {}},
    "pulumi-nodejs:dynamic:Resource": {"__provider": "x"},
}
TEMPLATES: tuple[object, ...] = (
    [],
    {"R": []},
    {"R": {"Type": 5}},
    {"R": {"Type": "AWS::IAM::Role", "Properties": []}},
    {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Ref": "R"}}}},
    {"R": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::Sub": ["${a}", {"a": {"Fn::GetAtt": "R"}}]}}}},
    {"R": {"Type": "AWS::IAM::Role", "Condition": "Itself"}},
    {"R": {"Type": "AWS::IAM::Policy", "Properties": {"Roles": {"Ref": "x"}, "PolicyDocument": 5}}},
    {
        "A": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::GetAtt": ["B", "Arn"]}}},
        "B": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": {"Fn::GetAtt": ["A", "Arn"]}}},
    },
)


@pytest.mark.parametrize("type_", TYPES)
def test_a_property_of_any_shape_is_judged(type_: str) -> None:
    for key in TYPES[type_]:
        for shape in SHAPES:
            world = two_keys()
            put(world, type_, "x", world.hub, **{**TYPES[type_], key: shape})
            failed = [one.message for one in world.check().mandatory if "it has proved nothing" in one.message]
            assert not failed, (key, shape)


@pytest.mark.parametrize("resources", TEMPLATES, ids=str)
def test_a_template_of_any_shape_is_judged(resources: object) -> None:
    world = two_keys()
    body = {"Resources": resources, "Conditions": {"Itself": {"Condition": "Itself"}}, "Parameters": 5}
    put(world, "aws:cloudformation/stack:Stack", "x", world.hub, templateBody=json.dumps(body))
    assert not [one for one in world.check().mandatory if "it has proved nothing" in one.message]
