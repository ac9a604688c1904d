"""Each AWS resource type that is read, with every property of it that is read, as the resources of pulumi-aws.

Names on the left: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html and the pages
beside it; on the right: https://www.pulumi.com/registry/packages/aws/api-docs/
"""

from typing import Any

import pytest

from tests.access.world import TODAY
from twokeys.access.reading.cloudformation import Native, as_pulumi, lowered
from twokeys.access.reading.since import Since
from twokeys.access.reading.snapshot import Resource
from twokeys.access.reading.templates import Reference
from twokeys.iam import UNKNOWN

URN = "urn:pulumi:stage::twokeys::aws-native:any:Type::it"
OTHER = "urn:pulumi:stage::twokeys::aws:iam/role:Role::other"
POLICY = {"Statement": []}
SET = "arn:aws:sso:::permissionSet/ssoins-1/ps-1"
Made = tuple[str, str, dict[str, Any], dict[str, tuple[str, ...]]]


def _attached(kind: str, number: int, policy: object, **behind: tuple[str, ...]) -> Made:
    type_ = f"iam/{kind}PolicyAttachment:{kind.capitalize()}PolicyAttachment"
    return (f"attachment-{number}", type_, {kind: "it", "policyArn": policy}, {kind: (URN,), **behind})


def _inline(kind: str, number: int, **inputs: object) -> Made:
    type_ = f"iam/{kind}Policy:{kind.capitalize()}Policy"
    return (f"policy-{number}", type_, {kind: "it", **inputs}, {kind: (URN,)})


CASES: list[tuple[str, dict[str, Any], list[Made]]] = [
    ("iam::role", {
        "RoleName": "it", "Path": "/p/", "AssumeRolePolicyDocument": POLICY, "PermissionsBoundary": "b",
        "MaxSessionDuration": 3600, "Policies": [{"PolicyName": "a", "PolicyDocument": POLICY}, UNKNOWN, {}],
        "ManagedPolicyArns": ["arn:a", UNKNOWN], "Arn": "arn:it",
    }, [
        ("", "iam/role:Role", {
            "name": "it", "path": "/p/", "assumeRolePolicy": POLICY, "permissionsBoundary": "b",
            "maxSessionDuration": 3600,
        }, {}),
        _inline("role", 0, name="a", policy=POLICY), _inline("role", 1, name=UNKNOWN, policy=UNKNOWN),
        _inline("role", 2, policy=UNKNOWN),
        _attached("role", 0, "arn:a"), _attached("role", 1, UNKNOWN, policyArn=(OTHER,)),
    ]),
    ("iam::user", {"UserName": "it", "Path": "/p/", "PermissionsBoundary": "b", "Groups": ["g"], "LoginProfile": {}}, [
        ("", "iam/user:User", {"name": "it", "path": "/p/", "permissionsBoundary": "b"}, {}),
        ("groups", "iam/userGroupMembership:UserGroupMembership", {"user": "it", "groups": ["g"]}, {"user": (URN,)}),
        ("login", "iam/userLoginProfile:UserLoginProfile", {"user": "it"}, {"user": (URN,)}),
    ]),
    ("iam::user", {"Groups": ["g"]}, [
        ("", "iam/user:User", {}, {}),
        ("groups", "iam/userGroupMembership:UserGroupMembership", {"user": UNKNOWN, "groups": ["g"]}, {"user": (URN,)}),
    ]),
    ("iam::user", {"UserName": "it", "Policies": [{"PolicyName": "a", "PolicyDocument": POLICY}]}, [
        ("", "iam/user:User", {"name": "it"}, {}), _inline("user", 0, name="a", policy=POLICY),
    ]),
    ("iam::group", {"GroupName": None, "Path": UNKNOWN, "Policies": [{}]}, [
        ("", "iam/group:Group", {"path": UNKNOWN}, {"path": (OTHER,)}),
        ("policy-0", "iam/groupPolicy:GroupPolicy", {"group": UNKNOWN, "policy": UNKNOWN}, {"group": (URN,)}),
    ]),
    ("iam::managedpolicy", {"PolicyArn": UNKNOWN}, [("", "iam/policy:Policy", {}, {})]),
    ("organizations::account", {"AccountId": UNKNOWN}, [("", "organizations/account:Account", {"tags": {}}, {})]),
    ("iam::group", {"GroupName": "it", "ManagedPolicyArns": ["arn:a"]}, [
        ("", "iam/group:Group", {"name": "it"}, {}), _attached("group", 0, "arn:a"),
    ]),
    ("iam::managedpolicy", {
        "ManagedPolicyName": "it", "Path": "/p/", "PolicyDocument": POLICY, "Roles": ["r", UNKNOWN], "Users": ["u"],
        "Groups": [UNKNOWN], "PolicyArn": "arn:it",
    }, [
        ("", "iam/policy:Policy", {"name": "it", "path": "/p/", "policy": POLICY}, {}),
        ("role-0", "iam/rolePolicyAttachment:RolePolicyAttachment", {"role": "r", "policyArn": UNKNOWN}, {
            "policyArn": (URN,),
        }),
        ("role-of-0", "iam/rolePolicyAttachment:RolePolicyAttachment", {"role": UNKNOWN, "policyArn": UNKNOWN}, {
            "role": (OTHER,), "policyArn": (URN,),
        }),
        ("user-0", "iam/userPolicyAttachment:UserPolicyAttachment", {"user": "u", "policyArn": UNKNOWN}, {
            "policyArn": (URN,),
        }),
        ("group-0", "iam/groupPolicyAttachment:GroupPolicyAttachment", {"group": UNKNOWN, "policyArn": UNKNOWN}, {
            "policyArn": (URN,),
        }),
    ]),
    ("iam::policy", {"PolicyName": "it", "PolicyDocument": POLICY, "Roles": ["r"]}, [
        ("role-0", "iam/rolePolicy:RolePolicy", {"role": "r", "name": "it", "policy": POLICY}, {}),
    ]),
    ("iam::rolepolicy", {"RoleName": UNKNOWN, "PolicyName": "it", "PolicyDocument": POLICY}, [
        ("", "iam/rolePolicy:RolePolicy", {"role": UNKNOWN, "name": "it", "policy": POLICY}, {"role": (OTHER,)}),
    ]),
    ("iam::userpolicy", {"UserName": "u"}, [("", "iam/userPolicy:UserPolicy", {"user": "u", "policy": UNKNOWN}, {})]),
    ("iam::grouppolicy", {"GroupName": UNKNOWN}, [
        ("", "iam/groupPolicy:GroupPolicy", {"group": UNKNOWN, "policy": UNKNOWN}, {}),
    ]),
    ("iam::usertogroupaddition", {"GroupName": "g", "Users": ["u", Reference("other")]}, [
        ("", "iam/groupMembership:GroupMembership", {"group": "g", "users": ["u", UNKNOWN]}, {"users": (OTHER,)}),
    ]),
    ("iam::accesskey", {"UserName": "u"}, [("", "iam/accessKey:AccessKey", {"user": "u"}, {})]),
    ("iam::oidcprovider", {"Url": "https://x", "Tags": []}, [
        ("", "iam/openIdConnectProvider:OpenIdConnectProvider", {"url": "https://x"}, {}),
    ]),
    ("iam::samlprovider", {"Name": "it"}, [
        ("", "iam/samlProvider:SamlProvider", {"name": "it"}, {}),
    ]),
    ("ssoadmin::permissionset", {
        "Name": "it", "InstanceArn": "i", "SessionDuration": "PT1H",
        "PermissionSetArn": SET, "ManagedPolicies": ["arn:a"], "InlinePolicy": POLICY,
        "CustomerManagedPolicyReferences": [{"Name": "n", "Path": "/"}],
        "PermissionsBoundary": {"CustomerManagedPolicyReference": {"Name": "b"}},
    }, [
        ("", "ssoadmin/permissionSet:PermissionSet", {
            "name": "it", "instanceArn": "i", "sessionDuration": "PT1H",
        }, {}),
        *((f"part-{number}", f"ssoadmin/{type_}", {"instanceArn": "i", "permissionSetArn": SET, **more}, {
            "permissionSetArn": (URN,),
        }) for number, (type_, more) in enumerate((
            ("managedPolicyAttachment:ManagedPolicyAttachment", {"managedPolicyArn": "arn:a"}),
            ("permissionSetInlinePolicy:PermissionSetInlinePolicy", {"inlinePolicy": POLICY}),
            ("customerManagedPolicyAttachment:CustomerManagedPolicyAttachment", {
                "customerManagedPolicyReference": {"name": "n", "path": "/"},
            }),
            ("permissionsBoundaryAttachment:PermissionsBoundaryAttachment", {
                "permissionsBoundary": {"customerManagedPolicyReference": {"name": "b"}},
            }),
        ))),
    ]),
    ("ssoadmin::permissionset", {"InlinePolicy": "", "ManagedPolicies": UNKNOWN}, [
        ("", "ssoadmin/permissionSet:PermissionSet", {}, {}),
        ("part-0", "ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment", {
            "permissionSetArn": UNKNOWN, "managedPolicyArn": UNKNOWN,
        }, {"permissionSetArn": (URN,)}),
    ]),
    ("ssoadmin::assignment", {
        "InstanceArn": "i", "PermissionSetArn": SET, "PrincipalId": "p", "PrincipalType": "GROUP", "TargetId": "1",
        "TargetType": "AWS_ACCOUNT",
    }, [("", "ssoadmin/accountAssignment:AccountAssignment", {
        "instanceArn": "i", "permissionSetArn": SET, "principalId": "p", "principalType": "GROUP", "targetId": "1",
        "targetType": "AWS_ACCOUNT",
    }, {})]),
    ("identitystore::group", {"DisplayName": "it", "IdentityStoreId": "d-1", "GroupId": "g"}, [
        ("", "identitystore/group:Group", {"displayName": "it", "identityStoreId": "d-1", "groupId": "g"}, {}),
    ]),
    ("organizations::account", {
        "AccountName": "it", "Email": "a@x", "RoleName": "R", "ParentIds": ["ou-1", "ou-2"],
        "Tags": [{"Key": "k", "Value": "v"}, UNKNOWN], "AccountId": "111111111111",
    }, [("", "organizations/account:Account", {
        "name": "it", "email": "a@x", "roleName": "R", "parentId": "ou-1", "tags": {"k": "v"},
    }, {})]),
    ("organizations::organization", {"Id": "o-1"}, [
        ("", "organizations/organization:Organization", {"id": "o-1"}, {}),
    ]),
    ("organizations::organizationalunit", {"Name": "it", "ParentId": "r", "Id": "ou"}, [
        ("", "organizations/organizationalUnit:OrganizationalUnit", {"name": "it", "parentId": "r", "id": "ou"}, {}),
    ]),
    ("organizations::policy", {"Name": "it", "Type": "SERVICE_CONTROL_POLICY", "Content": POLICY, "TargetIds": ["1"]}, [
        ("", "organizations/policy:Policy", {"name": "it", "type": "SERVICE_CONTROL_POLICY", "content": POLICY}, {}),
        ("target-0", "organizations/policyAttachment:PolicyAttachment", {"policyId": UNKNOWN, "targetId": "1"}, {
            "policyId": (URN,),
        }),
    ]),
]  # fmt: skip
OUTPUTS = {
    "iam::role": {"arn": "arn:it"},
    "iam::managedpolicy": {"arn": "arn:it"},
    "ssoadmin::permissionset": {"arn": SET},
    "organizations::account": {"id": "111111111111"},
}
MADE_FROM = dict.fromkeys(("managedPolicyArns", "roles", "roleName", "path"), (OTHER,))


@pytest.mark.parametrize(("type_", "properties", "expected"), CASES)
def test_a_type_of_aws_says_the_same_as_resources_of_pulumi_aws(
    type_: str, properties: dict[str, Any], expected: list[Made]
) -> None:
    base = Resource(
        URN, "aws-native:any:Type", "it", {}, {}, "provider", "parent", ("before",), MADE_FROM,
        protect=True, source="a.py", since=Since(TODAY, TODAY), secrets=frozenset({"x"}),
        account="111111111111", made_by=None,
    )  # fmt: skip
    made = as_pulumi(Native(type_, lowered(properties), base, {"other": OTHER}))
    assert made is not None
    whole = [(one.urn.removeprefix(URN).lstrip("#"), one.type, one.inputs, one.property_dependencies) for one in made]
    assert whole == [(part, f"aws:{of}", inputs, behind) for part, of, inputs, behind in expected]
    for one in made:
        part = one.urn != URN
        assert one.name == one.urn.replace(URN, "it").replace("#", "-")
        assert one.outputs == {
            **one.inputs,
            **({} if part else OUTPUTS.get(type_, {}) if len(expected[0][2]) > 1 else {}),
        }
        assert one.made_by == (URN if part else None)
        assert one.secrets == one.inputs.keys()
        kept = ("provider", "parent", "dependencies", "protect", "source", "since", "account")
        assert all(getattr(one, name) == getattr(base, name) for name in kept)


def test_a_type_that_is_not_read_is_none() -> None:
    base = Resource(URN, "aws-native:any:Type", "it", {}, {}, made_by="urn:stack")
    assert as_pulumi(Native("s3::bucket", {}, base)) is None
    (made,) = as_pulumi(Native("iam::accesskey", {"username": UNKNOWN}, base)) or ()
    assert (made.secrets, made.made_by, made.property_dependencies) == (frozenset(), "urn:stack", {})
