"""People and machines of identity providers: whom a trust policy lets in, and whose providers are refused.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity
"""

from typing import Any

import pytest

from tests.access.world import DEPLOYER, HUB, OUTSIDE, PROD, STAGE, World, arn, document, grants, trusts, two_keys
from twokeys.access.federated import GUESTS
from twokeys.access.paths import paths_from
from twokeys.doors.who import CARRIERS, ROLES_ANYWHERE, Who
from twokeys.iam import UNKNOWN, Outcome

HOST = "token.actions.githubusercontent.com"
SUB, AUD, OWNER = f"{HOST}:sub", f"{HOST}:aud", f"{HOST}:repository_owner_id"
STS = {"StringEquals": {AUD: "sts.amazonaws.com"}}
# https://learn.microsoft.com/en-us/azure/sentinel/connect-aws: one tenant of Microsoft's for all workspaces
SENTINEL = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d/"
MAIN = "repo:acme/app:ref:refs/heads/main"
WORKFLOW = {f"{HOST}:job_workflow_ref": "acme/ci/.github/workflows/deploy.yml@refs/heads/main"}


def admits(
    condition: Any = None, provider: object = None, action: object = "sts:AssumeRoleWithWebIdentity", **more: Any
) -> dict[str, Any]:
    named = arn(STAGE, f"oidc-provider/{HOST}") if provider is None else provider
    statement = {"Effect": "Allow", "Principal": {"Federated": named}, "Action": action, **more}
    return statement if condition is None else {**statement, "Condition": condition}


def trusting(*statements: dict[str, Any]) -> World:
    world = two_keys()
    world.role("gh", world.stage, document(*statements))
    return world


@pytest.mark.parametrize("condition", [
    {"StringEquals": {AUD: "sts.amazonaws.com", SUB: MAIN}},
    {"StringEqualsIgnoreCase": {SUB: MAIN.upper()}, **STS},
    {"StringLike": {SUB: "repo:acme/*"}, **STS},
    {"StringLike": {SUB: ["repo:acme/app:*", "repo:acme@42/*"]}, **STS},
    {"ForAnyValue:StringLike": {SUB: "repo:acme/*"}},
    {"StringLike": {SUB: "repo:*"}, "StringEquals": {OWNER: "42"}},
    {"StringLike": {SUB: "repo:*"}, "ForAnyValue:StringEquals": {SUB: MAIN}},
    {"StringEquals": {**WORKFLOW, OWNER: "42"}},
    {"StringEquals": {**WORKFLOW, f"{HOST}:repository": "acme/app"}},
])  # fmt: skip
def test_a_subject_of_ones_own_at_a_shared_provider_is_accepted(condition: object) -> None:
    """IAM asks for `sub` or for `job_workflow_ref`: so says its MalformedPolicyDocument."""
    assert not trusting(admits(condition)).refused


@pytest.mark.parametrize(
    ("host", "condition", "less"),
    [
        (HOST, {"StringLike": {SUB: "repo:acme/*"}, **STS}, "repo:acme/app:ref:refs/heads/main"),
        (HOST, {"StringLike": {SUB: [MAIN, "repo:acme/*"]}}, "repo:acme/app:ref:refs/heads/main"),
        ("gitlab.com", {"StringLike": {"gitlab.com:sub": "project_path:acme/*"}},
         "project_path:acme/app:ref_type:branch:ref:main"),
        (HOST, {"StringLike": {SUB: "repo:acme/app:*"}}, None),
        (HOST, {"StringLike": {SUB: "repo:acme/*:environment:prod"}}, None),
        (HOST, {"StringLike": {SUB: "repo:acme/*"}, "StringEquals": {f"{HOST}:repository_id": "42"}}, None),
        (HOST, {"StringEquals": {SUB: MAIN}}, None),
    ],
)  # fmt: skip
def test_a_trust_in_everything_that_an_owner_has_is_accepted_with_advice(
    host: str, condition: object, less: str | None
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html#idp_oidc_Create_GitHub"""
    checked = trusting(admits(condition, GITHUB.replace(HOST, host))).check()
    said = [one.next_step for one in checked.advisory if "owner has there" in one.message]
    assert said == ([f"name what needs the role, as in {less}"] if less else [])
    assert not checked.mandatory


@pytest.mark.parametrize("condition", [
    None,
    STS,
    {"StringLike": {SUB: "repo:*"}, **STS},
    {"StringLike": {SUB: "repo:acme*"}, **STS},
    {"StringLike": {SUB: ["repo:acme/*", "repo:*/app:*"]}, **STS},
    {"StringLike": {SUB: ["acme/app:*", "repo:*"]}, **STS},
    {"StringLike": {SUB: "environment:prod:*"}, **STS},
    {"StringLike": {SUB: "repo:${aws:PrincipalTag/owner}/*"}, **STS},
    {"StringEquals": {OWNER: "42"}},
    {"StringEquals": {f"{HOST}:actor": "me"}, **STS},
    {"StringLike": {"token.actions.githubusercontent.com.evil:sub": "repo:acme/*"}},
])  # fmt: skip
def test_a_shared_provider_without_ones_own_subject_is_refused(condition: object) -> None:
    (found,) = trusting(admits(condition)).check().mandatory
    without_subject = condition == {"StringEquals": {OWNER: "42"}}
    said = "cannot work as it stands with GitHub: " if without_subject else "is open to others by "
    assert (found.rule, said in found.message) == ("federated-trust", True)
    assert f"as in {MAIN}" in found.next_step


@pytest.mark.parametrize("first", ["StringEquals", "StringEqualsIgnoreCase"])
def test_of_two_statements_that_let_the_same_one_in_the_more_open_counts_in_either_order(first: str) -> None:
    """Each statement of a policy allows by itself; one without regard to case leaves open which case a token has.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    operators = sorted(("StringEquals", "StringEqualsIgnoreCase"), key=lambda each: each != first)
    world = trusting(*(admits({each: {SUB: MAIN}}) for each in operators))
    assert [door.outcome for door in world.graph.doors if door.source.kind == "web-identity"] == [Outcome.ALLOW]


def test_a_workflow_is_called_by_others_where_its_repository_is_public() -> None:
    """https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations"""
    (found,) = trusting(admits({"StringEquals": WORKFLOW})).check().mandatory
    assert "job_workflow_ref names a workflow, which others may call if it is public" in found.message


@pytest.mark.parametrize(("operator", "subjects", "dead", "step"), [
    ("StringEquals", [MAIN, "repo:acme/web:main"], "repo:acme/web:main", f"write it as in {MAIN}"),
    ("StringEquals", [MAIN, "repo:acme/*"], "repo:acme/*", "write StringLike, or the whole value"),
    ("StringEquals", ["acme/app:ref:refs/heads/main"], "acme/app:ref:refs/heads/main", f"write it as in {MAIN}"),
    ("StringLike", ["acme/app:*"], "acme/app:*", f"write it as in {MAIN}"),
    ("StringLike", ["repo:https://github.com/acme/app:*"], "repo:https://github", f"write it as in {MAIN}"),
])  # fmt: skip
def test_a_subject_that_no_token_has_lets_nobody_in_and_is_advice_with_what_is_meant(
    operator: str, subjects: list[str], dead: str, step: str
) -> None:
    """https://docs.github.com/en/actions/reference/security/oidc#example-subject-claims"""
    checked = trusting(admits({**STS, f"ForAnyValue:{operator}": {SUB: subjects}})).check()
    assert not checked.mandatory
    (advice,) = (one for one in checked.advisory if one.rule == "policy-lint" and SUB in one.message)
    assert dead in advice.message
    assert advice.next_step.startswith(f"{step};")
    assert "open to others" not in advice.message


@pytest.mark.parametrize(("provider", "condition"), [
    ("cognito-identity.amazonaws.com", {"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "auth*"}}),
    ("accounts.google.com", None),
    ("www.amazon.com", None),
    ("gitlab.com", {"StringLike": {"gitlab.com:sub": "project_path:*"}}),
    ("app.terraform.io", {"StringLike": {"app.terraform.io:sub": "organization:acme*"}}),
    ("api.pulumi.com/oidc", {"StringLike": {"api.pulumi.com/oidc:sub": "pulumi:deploy:org:acme:*"}}),
    ("agent.buildkite.com", {"StringEquals": {"agent.buildkite.com:aud": "sts.amazonaws.com"}}),
    ("identity.depot.dev", {"StringEquals": {"identity.depot.dev:aud": "sts.amazonaws.com"}}),
    ("oidc.modal.com", {"StringEquals": {"oidc.modal.com:aud": "oidc.modal.com"}}),
    ("api.prefect.cloud/oidc-provider", {"StringEquals": {"api.prefect.cloud/oidc-provider:aud": "prefect-cloud"}}),
    ("login.app.env0.com/", {"StringEquals": {"login.app.env0.com/:aud": "hoMiq9PdkRh9LUvVpH4wIErWg50VSG1b"}}),
    ("api.pulumi.com/oidc/v2", {"StringEquals": {"api.pulumi.com/oidc/v2:aud": "sts.amazonaws.com"}}),
    (SENTINEL, {"StringEquals": {f"{SENTINEL}:aud": "api://1462b192-27f7-4cb9-8523-0f4ecb54b47e"}}),
    (SENTINEL, {"StringLike": {"sts:RoleSessionName": "MicrosoftSentinel_*"}}),
])  # fmt: skip
def test_each_shared_provider_has_its_own_claim(provider: str, condition: object) -> None:
    built_in = provider in ("cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com")
    named = provider if built_in else arn(STAGE, f"oidc-provider/{provider}")
    assert trusting(admits(condition, named)).refused == ["federated-trust"]


@pytest.mark.parametrize(("provider", "condition"), [
    ("cognito-identity.amazonaws.com", {"StringEquals": {"cognito-identity.amazonaws.com:aud": "eu-west-1:1-2"}}),
    ("accounts.google.com", {"StringEquals": {"accounts.google.com:sub": "109876543210987654321"}}),
    (arn(STAGE, "oidc-provider/api.pulumi.com/oidc"), {"StringEquals": {"api.pulumi.com/oidc:aud": "acme"}}),
    (arn(STAGE, "oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB"), None),
    (arn(STAGE, "oidc-provider/idp.example.com"), None),
    (arn(STAGE, "oidc-provider/acme.auth0.com/"), {"StringEquals": {"acme.auth0.com/:aud": "sts.amazonaws.com"}}),
    (arn(STAGE, "oidc-provider/login.app.env0.com/"), {"StringEquals": {"login.app.env0.com/:sub": "auth0|62e8f1"}}),
    (arn(STAGE, "oidc-provider/login.app.env0.com/"), {"StringEquals": {"aws:RequestTag/organizationId": "1a-2b"}}),
    (arn(STAGE, f"oidc-provider/{SENTINEL}"), {"StringEquals": {"sts:RoleSessionName": "MicrosoftSentinel_1a2b"}}),
])  # fmt: skip
def test_a_claim_of_ones_own_and_a_provider_of_ones_own_are_accepted(provider: str, condition: object) -> None:
    assert not trusting(admits(condition, provider)).refused


OWN, CLIENT = "idp.example.com/realms/acme", {"StringEquals": {"idp.example.com/realms/acme:aud": "0oa1b2c3"}}
ALL_OF_OWN = [None, {"StringEquals": {f"{OWN}:aud": "sts.amazonaws.com"}}, {"StringLike": {f"{OWN}:sub": "*"}}]
LESS_OF_OWN = [CLIENT, {"StringEquals": {f"{OWN}:sub": "alice"}}, {"StringEquals": {"aws:RequestTag/team": "ops"}}]


@pytest.mark.parametrize("condition", [*ALL_OF_OWN, *LESS_OF_OWN])
def test_that_everybody_with_a_token_of_an_issuer_outside_the_table_comes_in_is_advice(condition: object) -> None:
    """An app's id as the audience is what AWS's console asks for, and a private issuer needs no claim.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
    """
    checked = trusting(admits(condition, arn(STAGE, f"oidc-provider/{OWN}"))).check()
    advice = [one for one in checked.advisory if one.rule == "federated-trust"]
    assert [f"lets in whoever can have a token of {OWN}" in one.message for one in advice] == [True] * (
        condition in ALL_OF_OWN
    )
    assert not checked.mandatory


COGNITO = "cognito-identity.amazonaws.com"
OF_POOL = {"StringEquals": {f"{COGNITO}:aud": "us-east-1:12345678-dead-beef-cafe-123456790ab"}}
ADMINISTRATOR = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
GUEST_GIVES_ITSELF = [{"Effect": "Allow", "Action": "iam:Put*", "Resource": arn(STAGE, "role/gh")}]
OF_AN_APP = [{"Effect": "Allow", "Action": ["mobileanalytics:PutEvents", "cognito-sync:*"], "Resource": "*"}]


def test_guests_whom_the_trust_policy_denies_stay_out() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html"""
    guests = {"ForAnyValue:StringEquals": {f"{COGNITO}:amr": "unauthenticated"}}
    world = trusting(admits(OF_POOL, COGNITO), {**admits(guests, COGNITO), "Effect": "Deny"})
    world.add("RolePolicy", "more", world.stage, role="gh", name="more", policy=document(*ADMINISTRATOR))
    assert world.refused == []


@pytest.mark.parametrize(("amr", "permissions", "guests", "refuses"), [
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"}}, ADMINISTRATOR, True, True),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"}}, GUEST_GIVES_ITSELF, True, True),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"}}, [grants("*")], True, True),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"}}, [], True, True),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "unauthenticated"}}, OF_AN_APP, True, False),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "*authenticated"}}, ADMINISTRATOR, True, True),
    ({}, ADMINISTRATOR, True, True),
    ({}, OF_AN_APP, True, False),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "authenticated"}}, ADMINISTRATOR, False, False),
    ({"ForAnyValue:StringLike": {f"{COGNITO}:amr": "graph.facebook.com"}}, ADMINISTRATOR, False, False),
])  # fmt: skip
def test_guests_of_an_identity_pool_are_anybody_and_refused_where_their_role_leads_on(
    amr: dict[str, Any], permissions: Any, guests: bool, refuses: bool
) -> None:
    """A guest's token has amr "unauthenticated" alone; one of a login has "authenticated" and the login's provider.

    https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
    An app's guest role writes analytics and its own data sets: https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
    """
    world = trusting(admits({**OF_POOL, **amr}, COGNITO))
    if permissions:
        world.add("RolePolicy", "more", world.stage, role="gh", name="more", policy=document(*permissions))
    else:
        world.role("next", world.stage, document(trusts(arn(STAGE, "role/gh"))))
    (found,) = world.graph.federated
    assert [found.open_by(one) for one in found.sources] == [GUESTS if guests else None]
    said = [one.message for one in world.check().mandatory if one.rule == "federated-trust"]
    assert ["guests of the identity pool come in, whom nobody signed in" in one for one in said] == [True] * refuses


@pytest.mark.parametrize("pool", [
    "cognito-identity-us-gov.amazonaws.com",
    "cognito-identity.us-gov-east-1.amazonaws.com",
    "cognito-identity.cn-north-1.amazonaws.com.cn",
])  # fmt: skip
def test_an_identity_pool_of_another_partition_is_one_too(pool: str) -> None:
    """https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html"""
    of_pool = {"StringEquals": {f"{pool}:aud": "us-gov-west-1:12345678-dead-beef-cafe-123456790ab"}}
    guests = trusting(admits({**of_pool, "ForAnyValue:StringLike": {f"{pool}:amr": "unauthenticated"}}, pool))
    assert [one.open_by(subject) for one in guests.graph.federated for subject in one.sources] == [GUESTS]
    assert not guests.refused
    assert trusting(admits({}, pool)).refused == ["federated-trust"]


@pytest.mark.parametrize("statement", [
    admits(provider="*"),
    admits(provider=arn(OUTSIDE, f"oidc-provider/{HOST}"), condition={"StringEquals": {SUB: MAIN}}),
    admits(provider=arn(OUTSIDE, "saml-provider/corp"), action="sts:AssumeRoleWithSAML"),
    admits(provider=f"arn:aws-cn:iam::{STAGE}:saml-provider/corp", action="sts:AssumeRoleWithSAML"),
    admits(provider=arn(HUB, "saml-provider/corp"), action="sts:AssumeRoleWithSAML"),
    {"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": "sts:AssumeRole"},
])  # fmt: skip
def test_every_provider_and_one_of_another_account_are_refused(statement: dict[str, Any]) -> None:
    assert trusting(statement).refused == ["federated-trust"]


@pytest.mark.parametrize("provider", [
    "x y",
    "accounts.google.com.evil",
    arn(STAGE, "oidc-provider/"),
    "arn:aws:iam::*:oidc-provider/gitlab.com",
    arn(STAGE, "saml-provider/*"),
    "arn:aws:s3:::bucket",
    "arn:aws:iam::aws:oidc-provider/gitlab.com",
])  # fmt: skip
@pytest.mark.parametrize("action", ["sts:*", ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"]])
def test_what_names_no_provider_is_refused_once(provider: str, action: object) -> None:
    assert [one.rule for one in trusting(admits(None, provider, action)).check().mandatory] == ["federated-trust"]


@pytest.mark.parametrize(("anchors", "refused"), [
    ("*", True), ("arn:aws:rolesanywhere:*:*:trust-anchor/*", True), ("arn:aws:s3:::bucket", True),
    (f"arn:aws:rolesanywhere:eu-west-1:{STAGE}:trust-anchor/1", False),
    ([f"arn:aws:rolesanywhere:eu-west-1:{STAGE}:trust-anchor/{one}" for one in "1*"], True),
])  # fmt: skip
def test_roles_anywhere_by_whatever_trust_anchor_is_refused_and_by_one_is_not(
    anchors: object, *, refused: bool
) -> None:
    """https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html"""
    statement = {"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": "sts:AssumeRole"}
    by_anchor = {**statement, "Condition": {"ArnLike": {"aws:SourceArn": anchors}}}
    tagged = {**statement, "Action": "sts:TagSession"}
    assert trusting(by_anchor, tagged).refused == ["federated-trust"] * refused


def test_a_trust_anchor_that_is_not_known_yet_is_one() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/rolesanywhere/trustanchor/#arn_python"""
    statement = {**ANYWHERE, "Condition": {"ArnEquals": {"aws:SourceArn": UNKNOWN}}}
    world = two_keys()
    world.role("by-anchor", world.stage, {"Version": "2012-10-17", "Statement": [statement]})
    assert world.refused == []


def test_a_trust_in_every_service_is_refused_and_asks_which_one_is_meant() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services"""
    (finding,) = trusting(EVERY_SERVICE).findings()
    assert (finding.rule, finding.next_step) == ("federated-trust", ONE_SERVICE)
    assert "open to others by every AWS service" in finding.message


ONE_SERVICE = "name the one service that is to have the role, such as ec2.amazonaws.com"
CLUSTER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"


@pytest.mark.parametrize(("condition", "advice"), [
    (None, ["federated-trust"]),
    ({"StringEquals": {f"{CLUSTER}:aud": "sts.amazonaws.com"}}, ["federated-trust"]),
    ({"StringLike": {f"{CLUSTER}:sub": "system:serviceaccount:*:ebs"}}, ["federated-trust"]),
    ({"StringLike": {f"{CLUSTER}:sub": "system:serviceaccount:kube-system:*"}}, []),
    ({"StringEquals": {f"{CLUSTER}:sub": "system:serviceaccount:kube-system:ebs"}}, []),
])  # fmt: skip
def test_pods_of_every_namespace_of_a_cluster_of_one_s_own_are_advice(condition: Any, advice: list[str]) -> None:
    """https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html"""
    found = trusting(admits(condition, arn(STAGE, f"oidc-provider/{CLUSTER}"))).check()
    assert ([one.rule for one in found.mandatory], [one.rule for one in found.advisory]) == ([], advice)


GITHUB, CORP = arn(STAGE, f"oidc-provider/{HOST}"), arn(STAGE, "saml-provider/corp")
BOTH = ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"]
OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
OPEN, FROM_OFFICE = (Outcome.ALLOW,), (Outcome.CONDITIONAL, "aws:SourceIp")
FOR_STS, ONE_OF = (Outcome.CONDITIONAL, AUD), (Outcome.CONDITIONAL, "")
ANYWHERE = {"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": "sts:AssumeRole"}
PODS = {**ANYWHERE, "Principal": {"Service": "pods.eks.amazonaws.com"}}
EVERY_SERVICE = {**ANYWHERE, "Principal": {"Service": "*"}}
ANCHOR = {"ArnEquals": {"aws:SourceArn": f"arn:aws:rolesanywhere:eu-west-1:{STAGE}:trust-anchor/1"}}
OTHERS = {"StringNotEquals": {"aws:PrincipalAccount": STAGE}}
HANDING = {
    "access-grants.s3.amazonaws.com": (
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-grants-location-register.html"
    ),
    "account-access.amazonaws.com": "https://docs.aws.amazon.com/IAM/latest/UserGuide/aam-prepare-roles.html",
    "appstream.amazonaws.com": (
        "https://docs.aws.amazon.com/appstream2/latest/developerguide/how-to-use-iam-role-with-streaming-instances.html"
    ),
    "chatbot.amazonaws.com": "https://docs.aws.amazon.com/chatbot/latest/adminguide/understanding-permissions.html",
    "codecatalyst-runner.amazonaws.com": "https://docs.aws.amazon.com/codecatalyst/latest/userguide/trust-model.html",
    "codecatalyst.amazonaws.com": "https://docs.aws.amazon.com/codecatalyst/latest/userguide/trust-model.html",
    "credentials.deadline.amazonaws.com": (
        "https://docs.aws.amazon.com/deadline-cloud/latest/userguide/security-iam-service-roles.html"
    ),
    "credentials.iot.amazonaws.com": "https://docs.aws.amazon.com/iot/latest/developerguide/authorizing-direct-aws.html",
    "datazone.amazonaws.com": "https://docs.aws.amazon.com/datazone/latest/APIReference/API_GetEnvironmentCredentials.html",
    "drs.amazonaws.com": "https://docs.aws.amazon.com/drs/latest/userguide/getting-started-initializing.html",
    "ds.amazonaws.com": "https://docs.aws.amazon.com/directoryservice/latest/admin-guide/edit_trust.html",
    "lakeformation.amazonaws.com": "https://docs.aws.amazon.com/lake-formation/latest/dg/registration-role.html",
    "mgn.amazonaws.com": "https://docs.aws.amazon.com/mgn/latest/ug/mgn-initialize-api.html",
    "partnercentral-account-management.amazonaws.com": (
        "https://docs.aws.amazon.com/partner-central/latest/getting-started/user-role-mapping.html"
    ),
    "pods.eks.amazonaws.com": "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html",
    "rolesanywhere.amazonaws.com": "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html",
    "ssm.amazonaws.com": (
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/hybrid-multicloud-service-role.html"
    ),
}
"""The services that hand a role to others, and the page that says so."""


@pytest.mark.parametrize(("key", "value"), [("ID", "o-a1b2c3d4e5"), ("Paths", "o-a1b2c3d4e5/*")])
def test_a_service_is_of_no_organization(key: str, value: str) -> None:
    """Both keys are there only for a principal that is a member; without one ForAnyValue is false.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    admitted = trusts("*", condition={"ForAnyValue:StringLike": {f"aws:PrincipalOrg{key}": value}})
    assert {one.source.kind for one in trusting(admitted).graph.doors if one.target.name == "gh"} == {"outsider"}


def test_every_service_that_hands_a_role_to_others_has_a_page_that_says_so_and_is_called_by_whom() -> None:
    new, gone = sorted(CARRIERS.keys() - HANDING), sorted(HANDING.keys() - CARRIERS)
    assert not new, f"give HANDING the page of AWS's that shows the trust policy for each of {new}"
    assert not gone, f"CARRIERS in twokeys/doors/who.py lacks {gone}, which AWS documents"
    assert Who("service", "", "ds.amazonaws.com").label == "AWS service ds.amazonaws.com (people of a directory)"
    assert Who("service", "", "ec2.amazonaws.com").label == "AWS service ec2.amazonaws.com"


@pytest.mark.parametrize(("statements", "expected"), [
    ([admits({"StringLike": {SUB: [MAIN, "repo:acme/web:*"]}, **STS})],
        {f"{GITHUB} {one}": (f"GitHub {one}", *FOR_STS) for one in (MAIN, "repo:acme/web:*")}),
    ([admits({"StringEquals": {SUB: MAIN}, **OFFICE})], {f"{GITHUB} {MAIN}": (f"GitHub {MAIN}", *FROM_OFFICE)}),
    ([admits({"StringEquals": {SUB: MAIN}})], {f"{GITHUB} {MAIN}": (f"GitHub {MAIN}", *OPEN)}),
    ([admits({"StringEqualsIgnoreCase": {SUB: MAIN}})],
        {f"{GITHUB} {MAIN}": (f"GitHub {MAIN}", Outcome.CONDITIONAL, SUB)}),
    ([admits({"StringEquals": {SUB: "repo:acme/*"}})],
        {f"{GITHUB} repo:acme/*": ("GitHub repo:acme/*", Outcome.CONDITIONAL, SUB)}),
    ([admits({"StringLikeIfExists": {SUB: "repo:acme/*"}})], {f"{GITHUB} *": ("GitHub *", Outcome.CONDITIONAL, SUB)}),
    ([admits({"StringEquals": {SUB: MAIN}}), {**admits({"StringEquals": {SUB: MAIN}}), "Effect": "Deny"}], {}),
    ([admits({"StringEquals": {SUB: [MAIN, "x"]}}), {**admits({"StringEquals": {SUB: MAIN}}), "Effect": "Deny"}],
        {f"{GITHUB} x": ("GitHub x", *OPEN)}),
    ([admits({"StringEquals": {SUB: MAIN, AUD: "a"}, "StringNotEquals": {SUB: "x", AUD: "b"}})],
        {f"{GITHUB} {MAIN}": (f"GitHub {MAIN}", *FOR_STS, AUD)}),
    *(([admits({"StringEquals": {SUB: MAIN}, "StringLike": {AUD: audiences}}),
        {**admits({"StringEquals": {AUD: "a"}, **OFFICE}), "Effect": "Deny"}],
        {f"{GITHUB} {MAIN}": (f"GitHub {MAIN}", *FOR_STS, "")}) for audiences in (["a", "b"], ["a", "b*"])),
    *(([admits({"StringEquals": {SUB: MAIN, AUD: one}, **more}) for one, more in (("a", {}), ("b", OFFICE))][::way],
        {f"{GITHUB} {MAIN}": (f"GitHub {MAIN}", *ONE_OF)}) for way in (1, -1)),
    ([admits({"StringEquals": {"www.amazon.com:user_id": "me", "www.amazon.com:app_id": "a"}}, "www.amazon.com")],
        {"www.amazon.com me": ("Login with Amazon me", Outcome.CONDITIONAL, "www.amazon.com:app_id")}),
    ([admits({"StringEquals": {"saml:sub": "ann", "saml:aud": "https://signin.aws.amazon.com/saml"}}, CORP, BOTH[1])],
        {f"{CORP} ann": ("corp ann", Outcome.CONDITIONAL, "saml:aud")}),
    *(([{"Effect": "Allow", "Principal": named, "Action": action}], {"* *": ("any identity provider *", *OPEN)})
        for named in ({"Federated": "*"}, {"AWS": "*"}) for action in (*BOTH, BOTH)),
    ([{**ANYWHERE, "Condition": ANCHOR}],
        {"rolesanywhere.amazonaws.com": ("rolesanywhere.amazonaws.com", Outcome.CONDITIONAL, "aws:SourceArn")}),
    ([PODS], {"pods.eks.amazonaws.com": ("pods.eks.amazonaws.com", *OPEN)}),
    ([EVERY_SERVICE, {**ANYWHERE, "Effect": "Deny"}], {one: (one, *OPEN) for one in CARRIERS if one != ROLES_ANYWHERE}),
    ([PODS, {**PODS, "Effect": "Deny"}], {}),
    ([trusts("*"), trusts("*", effect="Deny", condition=OTHERS | {"Bool": {"aws:PrincipalIsAWSService": "false"}})],
        {"*": ("*", *OPEN)}),
    ([trusts("*"), trusts("*", effect="Deny", condition=OTHERS)], {}),
])  # fmt: skip
def test_who_comes_in_by_a_provider_or_a_service_needs_no_grant(
    statements: list[dict[str, Any]], expected: dict[str, tuple[object, ...]]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif"""
    doors = [one for one in trusting(*statements).graph.doors if one.target.name == "gh" and one.open]
    assert {
        one.source.arn: (one.source.name, one.outcome, *(needed.key for needed in one.trust.requirements))
        for one in doors
    } == expected
    for door in doors:
        assert (door.source.account, door.grant_key.value, door.asked) == ("", "not needed", True)
        assert door.trust.decisions


OF_IDENTITY_CENTER = "AWSSSO_0123456789abcdef_DO_NOT_DELETE"
LATER = "(not known yet)"
WEB, SAML = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"


@pytest.mark.parametrize(("provider", "action", "called", "of_identity_center"), [
    (arn(STAGE, f"oidc-provider/{HOST}"), WEB, "GitHub", False),
    (arn(STAGE, "oidc-provider/id.example.com/x"), WEB, "id.example.com/x", False),
    (arn(STAGE, f"oidc-provider/{OF_IDENTITY_CENTER}"), WEB, OF_IDENTITY_CENTER, False),
    (arn(STAGE, f"saml-provider/{OF_IDENTITY_CENTER}"), SAML, OF_IDENTITY_CENTER, True),
    (arn(STAGE, "saml-provider/AWSSSO_corp_DO_NOT_DELETE"), SAML, "AWSSSO_corp_DO_NOT_DELETE", False),
    (arn(STAGE, "saml-provider/corp"), SAML, "corp", False),
    ("*", WEB, "any identity provider", False),
    (UNKNOWN, WEB, "an identity provider that is not known yet", False),
])  # fmt: skip
def test_who_comes_by_a_provider_is_called_after_it(
    provider: object, action: str, called: str, of_identity_center: bool
) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html"""
    world = two_keys()
    world.role("people", world.stage, {"Version": "2012-10-17", "Statement": [admits({}, provider, action)]})
    (found,) = world.graph.federated
    (source,) = found.sources.values()
    assert found.of_identity_center == of_identity_center
    said = f"{called} (not known yet)" if provider is UNKNOWN else f"{called} *"
    assert (source.name, source.arn) == (said, said.replace(called, LATER if provider is UNKNOWN else str(provider)))
    assert source.kind == ("saml" if action == SAML else "web-identity")


@pytest.mark.parametrize(("statement", "action"), [
    (admits({"StringEquals": {SUB: MAIN}}), "sts:AssumeRoleWithWebIdentity"), (PODS, "sts:AssumeRole"),
])  # fmt: skip
def test_a_resource_control_policy_keeps_out_whom_a_trust_lets_in(statement: dict[str, Any], action: str) -> None:
    """One that is not known yet can only do the same: until then the door counts as one under conditions.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html
    """
    denial = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}
    for content, outcome in (document(denial), Outcome.DENY), (UNKNOWN, Outcome.CONDITIONAL):
        world = trusting(statement)
        world.add("ControlPolicy", "p", world.hub, id="p-1", type="RESOURCE_CONTROL_POLICY", content=content)
        world.add("ControlPolicyAttachment", "a", world.hub, policyId="p-1", targetId=STAGE)
        assert {one.outcome for one in world.graph.doors if one.target.name == "gh"} == {outcome}


def test_a_way_goes_on_from_the_role_of_a_web_identity() -> None:
    world = World()
    provider = arn(HUB, f"oidc-provider/{HOST}")
    world.role("ci", world.hub, document(admits({"StringEquals": {SUB: MAIN}}, provider)))
    world.role("deployer", world.stage, document(trusts(arn(HUB, "role/ci"))))
    world.grant("ci", world.hub, DEPLOYER)
    ways = [str(path) for path in paths_from(world.graph, lambda one: one.kind == "web-identity")]
    assert any(way.endswith(f"{MAIN} -> {arn(HUB, 'role/ci')} -> {DEPLOYER}") for way in ways)


@pytest.mark.parametrize("statement", [
    admits({"StringEquals": {SUB: UNKNOWN}}),
    admits({"StringLike": {SUB: [UNKNOWN, "repo:acme/*"]}}),
    admits(UNKNOWN),
    admits({"StringEquals": {SUB: MAIN}}, UNKNOWN),
])  # fmt: skip
def test_a_tenant_that_is_not_known_yet_is_not_proved(statement: dict[str, Any]) -> None:
    world = two_keys()
    world.role("gh", world.stage, {"Version": "2012-10-17", "Statement": [statement]})
    assert world.refused == ["unproved-door"]


@pytest.mark.parametrize("provider", ["oidc", "saml"])
@pytest.mark.parametrize(("account", "outcome"), [(STAGE, Outcome.ALLOW), (HUB, Outcome.DENY)])
def test_nobody_comes_in_by_a_provider_of_another_account(provider: str, account: str, outcome: Outcome) -> None:
    """Both have to be in the account of the role that trusts them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html
    """
    world = World()
    trust = admits({"StringEquals": {SUB: MAIN}}, arn(account, f"oidc-provider/{HOST}"))
    if provider == "saml":
        trust = admits({"StringEquals": {"saml:sub": "ann"}}, arn(account, "saml-provider/Corp"), BOTH[1])
    world.role("in", world.stage, document(trust))
    assert [one.outcome for one in world.graph.doors] == [outcome]


def test_a_provider_of_an_account_that_nothing_tells_is_not_said_to_be_foreign() -> None:
    world = World()
    trust = document(admits({"StringEquals": {"saml:sub": "ann"}}, CORP, BOTH[1]))
    world.role("people", world.add("Provider", "unpinned"), trust)
    assert world.refused == ["provider-enters-its-account"]


def test_an_unknown_that_only_narrows_a_provider_of_ones_own_is_no_matter() -> None:
    world = two_keys()
    own = arn(STAGE, "oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/AB")
    trust = admits({"StringEquals": {"oidc.eks.eu-west-1.amazonaws.com/id/AB:sub": UNKNOWN}}, own)
    world.role("pod", world.stage, {"Version": "2012-10-17", "Statement": [trust]})
    assert not world.refused


ORG, UNIT = "o-a1b2c3d4e5", "ou-ab12-11111111"
CORP, GITHUB_PROVIDER = arn(STAGE, "saml-provider/corp"), arn(STAGE, f"oidc-provider/{HOST}")
ABSENT, FREE = "absent", "free"
MEETS: dict[str, dict[str, bool]] = {
    # operator: whether it is met where the key is absent, has the value, has another one
    "StringEquals": {ABSENT: False, "same": True, "other": False},
    "StringEqualsIfExists": {ABSENT: True, "same": True, "other": False},
    "StringNotEquals": {ABSENT: True, "same": False, "other": True},
    "StringNotEqualsIfExists": {ABSENT: True, "same": False, "other": True},
    "ForAllValues:StringEquals": {ABSENT: True, "same": True, "other": False},
    "ForAnyValue:StringEquals": {ABSENT: False, "same": True, "other": False},
    "ForAnyValue:StringNotEquals": {ABSENT: False, "same": False, "other": True},
    "Null": {ABSENT: True, "same": False, "other": False},
}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""


@pytest.mark.parametrize(("provider", "key", "value", "has"), [
    # "included in the request context for all signed requests": AssumeRoleWith... is not signed
    (GITHUB_PROVIDER, "aws:PrincipalArn", arn(STAGE, "role/gh"), ABSENT),
    (GITHUB_PROVIDER, "aws:PrincipalIsAWSService", "false", ABSENT),
    # "only if the calling principal is a member of an organization. This is not the case with federated users"
    (GITHUB_PROVIDER, "aws:PrincipalOrgID", ORG, ABSENT),
    (CORP, "aws:PrincipalOrgPaths", f"{ORG}/r-ab12/", ABSENT),
    # "using an IAM user with attached tags ... an IAM role with attached tags or session tags"
    (CORP, "aws:PrincipalTag/team", "blue", ABSENT),
    # "always included in the request context for IAM users"; "when the call is made by an AWS service principal"
    (CORP, "aws:username", "anna", ABSENT),
    (GITHUB_PROVIDER, "aws:SourceAccount", STAGE, ABSENT),
    # "This condition key is not present for federated identities"
    (CORP, "aws:MultiFactorAuthPresent", "true", ABSENT),
    (GITHUB_PROVIDER, "aws:MultiFactorAuthPresent", "false", ABSENT),
    # "only when the principal uses temporary credentials to make the request"
    (GITHUB_PROVIDER, "aws:TokenIssueTime", "2026-01-01T00:00:00Z", ABSENT),
    # "for all requests, including anonymous requests": no page says with which value
    (GITHUB_PROVIDER, "aws:PrincipalAccount", STAGE, FREE),
    (CORP, "aws:PrincipalType", "AssumedRole", FREE),
    (GITHUB_PROVIDER, "aws:userid", "AROAX:me", FREE),
    # "in the role-trust policy when an OIDC provider is used to call AssumeRoleWithWebIdentity"
    (GITHUB_PROVIDER, "aws:FederatedProvider", GITHUB_PROVIDER, "same"),
    (GITHUB_PROVIDER, "aws:FederatedProvider", CORP, "other"),
    (CORP, "aws:FederatedProvider", CORP, ABSENT),
    # keys of another issuer: AWS's data perimeter for STS asks for them with Null
    (GITHUB_PROVIDER, "accounts.google.com:aud", "x", ABSENT),
    (GITHUB_PROVIDER, "saml:sub", "_abc", ABSENT),
    (CORP, SUB, MAIN, ABSENT),
    (GITHUB_PROVIDER, f"{HOST}:repository", "acme/app", FREE),
    (GITHUB_PROVIDER, AUD, "sts.amazonaws.com", FREE),
    (CORP, "saml:doc", f"{STAGE}/corp", "same"),
    (CORP, "saml:doc", f"{PROD}/corp", "other"),
    *((CORP, f"saml:{claim}", "x", FREE) for claim in ("aud", "iss", "sub_type", "namequalifier", "uid")),
    # of the role
    (GITHUB_PROVIDER, "aws:ResourceTag/team", "blue", "same"),
    (GITHUB_PROVIDER, "iam:ResourceTag/Team", "red", "other"),
    (CORP, "aws:ResourceTag/stage", "x", ABSENT),
    (CORP, "aws:ResourceAccount", STAGE, "same"),
    (GITHUB_PROVIDER, "aws:ResourceOrgID", ORG, "same"),
    (GITHUB_PROVIDER, "aws:ResourceOrgPaths", f"{ORG}/r-ab12/{UNIT}/", "same"),
    (GITHUB_PROVIDER, "aws:ResourceOrgPaths", f"{ORG}/r-ab12/", "other"),
    # of the call; tags and a source identity only where the trust policy lets them be passed
    (GITHUB_PROVIDER, "aws:SecureTransport", "true", "same"),
    (GITHUB_PROVIDER, "aws:RequestTag/team", "blue", ABSENT),
    (CORP, "aws:TagKeys", "team", ABSENT),
    (CORP, "sts:SourceIdentity", "anna", ABSENT),
    (CORP, "sts:RoleSessionName", "anna", FREE),
    (GITHUB_PROVIDER, "aws:SourceVpc", "vpc-1", FREE),
])  # fmt: skip
def test_what_is_known_of_a_federated_call_decides_its_door(provider: str, key: str, value: str, has: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    https://github.com/aws-samples/data-perimeter-policy-examples/blob/main/resource_control_policies/README.md
    """
    action = "sts:AssumeRoleWithSAML" if provider == CORP else "sts:AssumeRoleWithWebIdentity"
    subject = {"StringEquals": {"saml:sub": "_abc"} if provider == CORP else {SUB: MAIN}}
    for operator, met in MEETS.items():
        condition = {operator: {key: "true" if operator == "Null" else value}}
        outcomes = [Outcome.CONDITIONAL] * 2 if has == FREE else [Outcome.DENY, Outcome.ALLOW][:: 1 if met[has] else -1]
        denial = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": action, "Condition": condition}
        allowing = admits(
            {**subject, **{operator: {**subject.get(operator, {}), **condition[operator]}}}, provider, action
        )
        for outcome, statements in zip(
            outcomes, ([admits(subject, provider, action), denial], [allowing]), strict=True
        ):
            assert entering(*statements) == {outcome} - {Outcome.DENY}, (operator, statements)


def entering(*statements: dict[str, Any]) -> set[Outcome]:
    """How the doors of federated people into a tagged role of a unit of the organization are open, if any is."""
    world = two_keys()
    world.add("Organization", "org", world.hub, id=ORG, masterAccountId=HUB, roots=[{"id": "r-ab12"}])
    world.add("OrganizationalUnit", "unit", world.hub, id=UNIT, name="unit", parentId="r-ab12")
    world.add("Account", "stage", world.hub, id=STAGE, name="stage", parentId=UNIT)
    world.role("gh", world.stage, document(*statements), tags={"team": "blue"})
    doors = [
        one for one in world.graph.doors if one.target.name == "gh" and one.source.kind in ("saml", "web-identity")
    ]
    return {one.outcome for one in doors if one.open}


@pytest.mark.parametrize(("action", "key", "value"), [
    ("sts:TagSession", "aws:RequestTag/team", "blue"),
    ("sts:TagSession", "aws:TagKeys", "team"),
    ("sts:TagSession", "aws:PrincipalTag/team", "blue"),
    ("sts:SetSourceIdentity", "sts:SourceIdentity", "anna"),
])  # fmt: skip
def test_what_a_trust_lets_a_federated_person_pass_is_a_condition(action: str, key: str, value: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required"""
    condition = {"StringEquals": {SUB: MAIN}, "ForAnyValue:StringEquals": {key: value}}
    web = "sts:AssumeRoleWithWebIdentity"
    assert entering(admits(condition, action=[web, action])) == {Outcome.CONDITIONAL}
    assert not entering(admits(condition, action=web), admits(action=action, provider=CORP))


@pytest.mark.parametrize("tagging", [True, False])
def test_a_certificate_s_attributes_are_tags_that_roles_anywhere_passes(*, tagging: bool) -> None:
    """https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html"""
    anchor = f"arn:aws:rolesanywhere:eu-west-1:{STAGE}:trust-anchor/1a2b"
    condition = {"StringEquals": {"aws:PrincipalTag/x509Subject/CN": "ci"}, "ArnEquals": {"aws:SourceArn": anchor}}
    trust = {"Effect": "Allow", "Principal": {"Service": ROLES_ANYWHERE}, "Condition": condition}
    world = trusting({**trust, "Action": ["sts:AssumeRole", *(["sts:TagSession"] if tagging else [])]})
    assert [one.outcome for one in world.graph.doors if one.target.name == "gh" and one.open] == (
        [Outcome.CONDITIONAL] if tagging else []
    )


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"Federated": "*"}, {"Federated": GITHUB_PROVIDER}])
def test_a_deny_of_everyone_is_one_of_federated_people(principal: object) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous"""
    trust = admits({"StringEquals": {SUB: MAIN}})
    denial = {"Effect": "Deny", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
    assert not entering(trust, denial)
    assert entering(trust, {**denial, "Principal": {"AWS": arn(STAGE, "root")}}) == {Outcome.ALLOW}
