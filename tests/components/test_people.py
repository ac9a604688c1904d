"""Principals that doors start from."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws

from components.people import People, trust_of
from tests.components.mock_engine import MANAGEMENT, Run, run
from twokeys.settings.models import PeopleSettings, PrincipalRoleSettings

GITHUB = "token.actions.githubusercontent.com"


def make(**roles: Any) -> Run:
    def program() -> None:
        parent = aws.Provider("management", region="us-east-1")
        made = People(
            "people",
            PeopleSettings.model_validate(
                {
                    "users": ["alice", "bob"],
                    "groups": {"developers": ["alice"]},
                    "roles": roles or {"ci": {"description": "Deploys"}},
                }
            ),
            MANAGEMENT,
            "aws",
            pulumi.ResourceOptions(provider=parent),
        )
        pulumi.export("people", [made.user_arns, made.group_members, made.role_arns])

    return run(program, stack="management")


def test_users_groups_and_roles_are_made_and_told_and_nobody_gets_an_access_key_or_a_password() -> None:
    done = make()
    assert done.exports["people"] == [
        {"alice": "arn:aws:iam::111111111111:user/alice", "bob": "arn:aws:iam::111111111111:user/bob"},
        {"developers": ["alice"]},
        {"ci": "arn:aws:iam::111111111111:role/ci"},
    ]
    memberships = done.of("aws:iam/userGroupMembership:UserGroupMembership")
    assert [each.inputs for each in memberships.values()] == [{"user": "alice", "groups": ["developers"]}]
    kinds = {each.type for each in done.resources}
    assert not kinds & {"aws:iam/accessKey:AccessKey", "aws:iam/userLoginProfile:UserLoginProfile"}
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-accounts
    trust = json.loads(done.one("aws:iam/role:Role", "ci").inputs["assumeRolePolicy"])
    assert trust["Statement"] == [
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "sts:AssumeRole"}
    ]


def test_a_role_for_tokens_names_issuer_audience_and_subjects() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
    oidc = {"issuer": GITHUB, "audience": "sts.amazonaws.com", "subjects": ["repo:company/app:ref:refs/heads/main"]}
    role = PrincipalRoleSettings.model_validate({"oidc": oidc})
    assert trust_of(role, MANAGEMENT, "aws")["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::111111111111:oidc-provider/{GITHUB}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"},
                "StringLike": {f"{GITHUB}:sub": ["repo:company/app:ref:refs/heads/main"]},
            },
        }
    ]


def test_roles_of_one_issuer_share_its_provider_and_wait_for_it() -> None:
    one = {"issuer": GITHUB, "audience": "sts.amazonaws.com", "subjects": ["a"]}
    two = {"issuer": GITHUB, "audience": "other", "subjects": ["b"]}
    done = make(one={"oidc": one}, two={"oidc": two})
    (provider,) = done.of("aws:iam/openIdConnectProvider:OpenIdConnectProvider").values()
    assert provider.inputs == {"url": f"https://{GITHUB}", "clientIdLists": ["other", "sts.amazonaws.com"]}
    assert all(provider.urn in role.dependencies for role in done.of("aws:iam/role:Role").values())
