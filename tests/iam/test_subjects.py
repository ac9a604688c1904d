"""Subjects of identity providers, by the pages that the tests cite.

Those that people write by mistake are from public reports of trust policies that let nobody in.
"""

import pytest

from twokeys.iam import Wanted
from twokeys.iam.subjects import misspelt_subject

GITHUB, GITLAB, HCP, BUILDKITE = (
    "token.actions.githubusercontent.com",
    "gitlab.com",
    "app.terraform.io",
    "agent.buildkite.com",
)
BITBUCKET = "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
CIRCLECI = "oidc.circleci.com/org/c7f1b9a2-0000-4000-8000-000000000001"
EKS = "oidc.eks.eu-central-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
REPOSITORY = "{1de489be-ce6a-42a0-a8c8-eadbf1174ac7}"
STEP = "{759de0c6-eaee-4eaa-b7a6-c507eec759a7}"


def wanted(text: str) -> Wanted:
    return Wanted(text, wild="*" in text or "?" in text)


LIVE = [
    # https://docs.github.com/en/actions/reference/security/oidc: default, immutable and customized ones
    (GITHUB, "repo:octo-org/octo-repo:environment:Production"),
    (GITHUB, "repo:octo-org/octo-repo:environment:Production%3AV1"),
    (GITHUB, "repo:octo-org/octo-repo:pull_request"),
    (GITHUB, "repo:octo-org/octo-repo:ref:refs/heads/demo-branch"),
    (GITHUB, "repo:octo-org/octo-repo:ref:refs/tags/demo-tag"),
    (GITHUB, "repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main"),
    (GITHUB, "repository_owner:monalisa:repository_visibility:private"),
    (GITHUB, "job_workflow_ref:octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main"),
    (
        GITHUB,
        "repo:octo-org/octo-repo:environment:prod:job_workflow_ref:octo-org/a/.github/workflows/oidc.yml@refs/heads/main",
    ),
    (GITHUB, "repo:octo-org/octo-repo"),
    (GITHUB, "repository_id:1234"),
    (GITHUB, "repo:octo-org/octo-repo:repo_property_team:platform"),
    (f"{GITHUB}/octocat-inc", "repo:octocat-inc/private-server:ref:refs/heads/main"),
    ("token.actions.octocorp.ghe.com", "repo:octocorp/app:pull_request"),
    (GITHUB, "repo:octo-org/*"),
    (GITHUB, "repo:octo-org/octo-*:ref:refs/heads/*"),
    (GITHUB, "repo:octo-org*:*"),
    (GITHUB, "repo:octo-org/octo-repo:ref:*"),
    (GITHUB, "repo:octo-org/octo-repo:ref:r*"),
    (GITHUB, "repo:octo-org/octo-repo:e*"),
    (GITHUB, "*octo-org/octo-repo*"),
    (GITHUB, "*"),
    # https://docs.gitlab.com/ci/secrets/id_token_authentication/
    (GITLAB, "project_path:mygroup/subgroup/my-project:ref_type:branch:ref:feature-branch-1"),
    (GITLAB, "project_path:mygroup/my-project:ref_type:tag:ref:v4.2.0"),
    (GITLAB, "project_path:mygroup/my-project:ref:main"),
    (GITLAB, "project_path:mygroup/my-project:ref_type:branch:ref:release/1:environment_protected:true"),
    (GITLAB, "project_path:mygroup/*:ref_type:branch:ref:main"),
    (GITLAB, "project_id:42:ref_type:branch:ref:main"),
    (GITLAB, "source_project_id:42"),
    # https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/workload-identity-tokens
    (HCP, "organization:my-org:project:Default Project:workspace:my-workspace:run_phase:apply"),
    (HCP, "organization:my-org:module:terraform-aws-vpc:operation:test_run"),
    (HCP, "organization:my-org:project:Default Project:stack:my-stack:*"),
    ("app.eu.terraform.io", "organization:my-org:project:*:workspace:*:run_phase:*"),
    (HCP, "organization:my-org*"),
    # https://www.pulumi.com/docs/deployments/deployments/oidc/ and
    # https://www.pulumi.com/docs/esc/environments/customizing-oidc-claims/
    ("api.pulumi.com/oidc", "pulumi:deploy:org:contoso:project:core:stack:development:operation:update:scope:write"),
    ("api.pulumi.com/oidc", "pulumi:deploy:org:contoso:*"),
    ("api.pulumi.com/oidc", "pulumi:environments:org:contoso:env:core"),
    ("api.pulumi.com/oidc", "pulumi:environments:org:contoso:env:project/development"),
    (
        "api.pulumi.com/oidc",
        "pulumi:environments:pulumi.organization.login:contoso:currentEnvironment.name:project/development:*",
    ),
    # https://support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect/
    (BITBUCKET, f"{REPOSITORY}:{STEP}"),
    (BITBUCKET, f"{REPOSITORY}:{{bd715740-c970-486b-b68a-b421ec2a1f8b}}:{STEP}"),
    (BITBUCKET, f"{REPOSITORY}*:*"),
    # https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/
    (CIRCLECI, "org/c7f1b9a2-0000-4000-8000-000000000001/project/*/user/*/vcs-origin/github.com/my-org/*/vcs-ref/x"),
    (CIRCLECI, "org/c7f1b9a2-0000-4000-8000-000000000001/project/b1/user/*"),
    (CIRCLECI, "org/c7f1b9a2-0000-4000-8000-000000000001/project/b1/user/u1"),
    # https://buildkite.com/docs/agent/cli/reference/oidc, custom subject claims among it
    (BUILDKITE, "organization:acme-inc:pipeline:super-duper-app:ref:refs/heads/main:commit:9f3182061f1e:step:build"),
    (BUILDKITE, "organization:acme-inc:pipeline:super-duper-app:*"),
    (BUILDKITE, "0191f956-042f-7ec4-aa62-8e5eeae396d0"),
    (BUILDKITE, "0191f956-042f-7ec4-aa62-8e5eeae396d0*"),
    # https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload
    ("accounts.google.com", "10769150350006150715113082367"),
    # https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html
    ("cognito-identity.amazonaws.com", "us-east-1:12345678-abcd-abcd-abcd-123456790ab"),
    # https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html
    (EKS, "system:serviceaccount:default:my-service-account"),
    (EKS, "system:serviceaccount:kube-system:*"),
    (EKS, "system:serviceaccount:*:*"),
    # https://vercel.com/docs/oidc/reference
    ("oidc.vercel.com/acme", "owner:acme:project:acme_website:environment:production"),
    # Templates of any form: https://docs.spacelift.io/integrations/cloud-providers/oidc/subject-template
    ("acme.app.spacelift.io", "space:production:stack:my-infra:run_type:TRACKED:scope:write"),
    ("acme.app.spacelift.io", "/root/production/us-east-1|stack:infra|TRACKED|write"),
    ("gitlab.acme.com", "whatever"),
    ("idp.acme.com", "alice@acme.com"),
    ("saml", "alice"),
]


@pytest.mark.parametrize(("issuer", "subject"), LIVE)
def test_a_subject_that_a_providers_page_shows_is_never_called_misspelt(issuer: str, subject: str) -> None:
    assert misspelt_subject(issuer, wanted(subject)) is None


@pytest.mark.parametrize(("issuer", "subject"), [one for one in LIVE if "*" not in one[1]])
def test_nor_is_any_beginning_of_it_as_a_pattern(issuer: str, subject: str) -> None:
    for end in range(len(subject) + 1):
        assert misspelt_subject(issuer, wanted(f"{subject[:end]}*")) is None


DEAD = [
    (GITHUB, "acme/app:ref:refs/heads/main"),
    (GITHUB, "acme/app:*"),
    (GITHUB, "acme/*"),
    (GITHUB, "repo:https://github.com/acme/app:ref:refs/heads/main"),
    (GITHUB, "repo:github.com/acme/app:*"),
    (GITHUB, "https://github.com/acme/app.git"),
    (GITHUB, "repo:acme/app.git:ref:main"),
    (GITHUB, "repo:acme/app:ref:main"),
    (GITHUB, "repo:acme/app:ref:heads/main"),
    (GITHUB, "repo:acme/app:ref:release/*"),
    (GITHUB, "repo:acme/app:refs/heads/main"),
    (GITHUB, "repo:acme/app:branch:main"),
    (GITHUB, "repo:acme/app:tag:v1"),
    (GITHUB, "repo:acme/app:env:prod"),
    (GITHUB, "repo:acme/app:main"),
    (GITHUB, "repo:acme:ref:refs/heads/main"),
    (GITHUB, "Repo:acme/app:pull_request"),
    (GITLAB, "project_path:acme/app:ref:refs/heads/main"),
    (GITLAB, "project_path:acme/app:ref_type:branch:ref:refs/heads/main"),
    (GITLAB, "project_path:acme/app:ref:refs/tags/*"),
    (GITLAB, "repo:acme/app:ref:refs/heads/main"),
    (GITLAB, "acme/app:ref_type:branch:ref:main"),
    (GITLAB, "project_path:https://gitlab.com/acme/app:*"),
    (GITLAB, "ref:refs/heads/main"),
    (GITLAB, "project_path:acme:*"),
    (HCP, "organization:acme:workspace:app:*"),
    (HCP, "organization:acme:project:a:workspace:app"),
    (HCP, "org:acme:*"),
    ("api.pulumi.com/oidc", "pulumi:deploy:org:acme:stack:prod:*"),
    ("api.pulumi.com/oidc", "org:acme:project:app:*"),
    (BITBUCKET, f"{REPOSITORY[1:-1]}:*"),
    (BITBUCKET, "acme/app:*"),
    (CIRCLECI, "project/b1/user/*"),
    (CIRCLECI, "org:acme:project:b1:*"),
    (BUILDKITE, "organization:acme:pipeline:app:ref:main:*"),
    (BUILDKITE, "pipeline:app:*"),
    ("accounts.google.com", "alice@acme.com"),
    ("cognito-identity.amazonaws.com", "us-east-1_AbCdEfGhI"),
    (EKS, "system:serviceaccount:default/app"),
    (EKS, "serviceaccount:default:app"),
    (EKS, "default:app"),
    ("oidc.vercel.com/acme", "project:app:environment:production"),
]


@pytest.mark.parametrize(("issuer", "subject"), DEAD)
def test_a_subject_that_no_token_has_is_named_with_one_that_a_token_may_have(issuer: str, subject: str) -> None:
    found = misspelt_subject(issuer, wanted(subject))
    assert found is not None
    assert found.why.startswith("which no token of ")
    assert found.url.startswith("https://")
    assert misspelt_subject(issuer, wanted(found.next_step.removeprefix("write it as in "))) is None


def test_a_star_under_string_equals_is_just_a_sign() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"""
    found = misspelt_subject("idp.acme.com", Wanted("team-*"))
    assert found is not None
    assert found.next_step == "write StringLike, or the whole value"


def test_under_string_equals_ignore_case_the_case_does_not_matter() -> None:
    assert misspelt_subject(GITHUB, Wanted("REPO:acme/app:pull_request", ignore_case=True)) is None
