"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html

What subjects look like: https://docs.github.com/en/actions/reference/security/oidc,
https://docs.gitlab.com/ci/secrets/id_token_authentication/ and
https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/aws-configuration
"""

import pytest

from twokeys.iam import Wanted
from twokeys.iam.admission import Admitted
from twokeys.iam.shared_providers import SHARED, SharedProvider, open_to_others, shared_provider

GITHUB, GITLAB, HCP = "token.actions.githubusercontent.com", "gitlab.com", "app.terraform.io"


VENDORS = {
    "login.app.env0.com/": [
        "https://docs.envzero.com/guides/integrations/oidc-integrations: the UUID of an organization",
        "0191e223-1c3c-7607-badf-303c98b52d2f",
    ],
    "identity.depot.dev": [
        "https://depot.dev/docs/ci/oidc",
        "spiffe://identity.depot.dev/org/a1b2c3/ci/github/my-org/my-repo/*",
    ],
    "oidc.modal.com": [
        "https://modal.com/docs/guide/oidc-integration",
        "modal:workspace_id:ac-12345abcd:*",
        "modal:workspace_id:ac-12345abcd:environment_name:modal-examples:app_name:oidc-token-test:*",
    ],
    "cloud.rwx.com/mint": [
        "https://www.rwx.com/docs/rwx/oidc-aws",
        "mint:your-org-uuid:your_vault_name",
        "mint:your-org-uuid:*",
    ],
    "oidc.deno.com": [
        "https://docs.deno.com/deploy/reference/oidc",
        "deployment:deno/astro-app/production",
        "deployment:deno/*",
    ],
    "api.prefect.cloud/oidc-provider": [
        "https://docs.prefect.io/v3/how-to-guides/deployment_infra/managed-aws-federated-identity",
        "prefect:account:0191e223-1c3c-7607-badf-303c98b52d2f",
    ],
    "oidc.cirrus-ci.com": [
        "https://cirrus-ci.org/guide/supported-computing-services/#cirrus-as-an-openid-connect-identity-provider",
        "repo:github:acme/*",
    ],
    "idtoken.humanitec.io": [
        "https://developer.humanitec.com/platform-orchestrator/security/cloud-accounts/aws",
        "my-org/my-cloud-account",
    ],
    "federation.namespaceapis.com": ["https://namespace.so/docs/federation/aws", "my-workspace/*"],
    "app.warp.dev": [
        "https://docs.warp.dev/agent-platform/cloud-agents/integrations/cloud-providers",
        "scoped_principal:abc123def456/*",
    ],
    "api.cursor.com": ["https://cursor.com/docs/cloud-agent/identity", "team_id:123"],
    "app.devin.ai": ["https://github.com/CognitionAI/actions/tree/main/setup-aws-oidc", "org_id:org-1a2b"],
    "app.gitpod.io": [
        "https://ona.com/docs/ona/identity/aws-oidc and https://ona.com/docs/ona/integrations/aws",
        "organization_id:a1b2c3d4:*",
        "org:0191e223-1c3c-7607-badf-303c98b52d2f/*",
    ],
    "codeberg.org/api/actions": [
        "https://forgejo.org/docs/next/user/actions/security-openid-connect",
        "repo:my-org/my-repo:ref:refs/heads/main",
    ],
}
"""The page of each vendor that says what its subjects look like, and subjects that it shows."""
IN_IAMS_TABLE = [
    "Amazon Cognito", "Buildkite", "Codefresh", "DVC Studio", "Facebook", "GitHub", "GitHub audit log", "GitLab",
    "Google", "HCP Terraform", "IBM Turbonomic", "Login with Amazon", "Microsoft Sentinel", "Pulumi Cloud", "Scalr",
    "Shisho Cloud", "Upbound", "Vercel", "sandboxes.cloud",
]  # fmt: skip
"""Whose issuers AWS's page has."""


def named(issuer: str, text: str) -> bool:
    provider = shared_provider(issuer)
    assert provider is not None
    return provider.names_tenant(Wanted(text, wild="*" in text or "?" in text))


@pytest.mark.parametrize(("issuer", "text"), [
    (GITHUB, "repo:acme/app:ref:refs/heads/main"),
    (GITHUB, "repo:acme/*"),
    (GITHUB, "repo:acme/app*"),
    (GITHUB, "repo:acme@42/app@7:environment:prod"),
    (GITHUB, "repository_owner_id:42:*"),
    (GITHUB, "job_workflow_ref:acme/ci/.github/workflows/x.yml@*"),
    (GITLAB, "project_path:acme/*:ref_type:branch:ref:main"),
    (HCP, "organization:acme:project:*:workspace:*:run_phase:*"),
    ("agent.buildkite.com", "organization:acme:*"),
    ("oidc.codefresh.io", "account:64f1:pipeline:*"),
    ("cognito-identity.amazonaws.com", "us-east-1:1f2e3d4c-0000-0000-0000-000000000000"),
    ("agent.buildkite.com", "0191f956-042f-7ec4-aa62-8e5eeae396d0"),
    (GITLAB, "project_id:42:ref_type:branch:ref:main"),
    (GITLAB, "job_project_path:acme/*"),
    ("api.pulumi.com/oidc", "acme"),
    *((issuer, text) for issuer, (_page, *texts) in VENDORS.items() for text in texts),
])  # fmt: skip
def test_a_value_that_names_its_tenant_to_the_end_is_that_tenants_only(issuer: str, text: str) -> None:
    assert named(issuer, text)


@pytest.mark.parametrize(("issuer", "text"), [
    (GITHUB, "*"),
    (GITHUB, "repo:*"),
    (GITHUB, "repo:*/app:ref:refs/heads/main"),
    (GITHUB, "repo:acme*"),
    (GITHUB, "repo:acme*/app:*"),
    (GITHUB, "repo:?cme/app:*"),
    (GITHUB, "r*:acme/app"),
    (GITHUB, "*:ref:refs/heads/main"),
    (GITHUB, "environment:prod"),
    (GITHUB, "environment:prod:*"),
    ("agent.buildkite.com", "0191f956-*"),
    (GITLAB, "project_path:*"),
    (GITLAB, "project_path:acme*"),
    (GITLAB, "ref:main"),
    (HCP, "organization:acme*"),
    (HCP, "organization:*:workspace:prod:*"),
    ("agent.buildkite.com", "organization:acme-*"),
    ("oidc.codefresh.io", "account:*"),
    ("oidc-configuration.audit-log.githubusercontent.com", "https://github.com/*"),
    ("cognito-identity.amazonaws.com", "us-east-1:*"),
    ("api.pulumi.com/oidc", "sts.amazonaws.com"),
    ("oidc.vercel.com", "https://vercel.com/*"),
    ("identity.depot.dev", "spiffe://identity.depot.dev/org/*/ci/github/acme/app/*"),
    ("oidc.modal.com", "modal:*"),
    ("oidc.modal.com", "modal:workspace_id:*"),
    ("oidc.modal.com", "modal:workspace_id:ac-123*"),
    ("oidc.modal.com", "modal:*:environment_name:main:app_name:deploy:*"),
    ("cloud.rwx.com/mint", "mint:*:production"),
    ("oidc.deno.com", "deployment:*/app/production"),
    ("api.prefect.cloud/oidc-provider", "prefect:account:*"),
    ("oidc.cirrus-ci.com", "repo:github:*"),
    ("idtoken.humanitec.io", "*/aws-production"),
    ("idtoken.humanitec.io", "acme*"),
    ("federation.namespaceapis.com", "*"),
    ("app.warp.dev", "scoped_principal:*/user:1"),
    ("app.warp.dev", "user:*"),
    ("api.cursor.com", "user:*"),
    ("app.devin.ai", "org_id:*"),
    ("app.gitpod.io", "organization_id:*:project_id:1"),
    ("app.gitpod.io", "org:*"),
    ("codeberg.org/api/actions", "repo:*/app:ref:refs/heads/main"),
])  # fmt: skip
def test_a_value_that_another_tenant_can_have_is_nobodys(issuer: str, text: str) -> None:
    assert not named(issuer, text)


def test_a_variable_stands_for_any_text() -> None:
    provider = shared_provider(GITHUB)
    assert provider is not None
    assert not provider.names_tenant(Wanted("repo:${aws:PrincipalTag/owner}/app", wild=True))


@pytest.mark.parametrize("issuer", [
    "oidc.eks.eu-central-1.amazonaws.com/id/ABCDEF",
    "oidc.circleci.com/org/1f2e3d4c",
    "token.actions.githubusercontent.com/acme",
    "oidc.vercel.com/acme",
    "gitlab.example.com",
])  # fmt: skip
def test_a_provider_of_somebodys_own_is_not_shared(issuer: str) -> None:
    assert shared_provider(issuer) is None


@pytest.mark.parametrize(("issuer", "example"), [
    ("oidc.modal.com", "modal:workspace_id:YOURS:*"),
    ("oidc.cirrus-ci.com", "repo:github:YOURS/*"),
    (HCP, "organization:acme:project:Default Project:workspace:app:run_phase:apply"),
    ("api.cursor.com", "a value without wildcards"),
])  # fmt: skip
def test_an_example_names_its_tenant_as_the_vendors_page_does(issuer: str, example: str) -> None:
    provider = shared_provider(issuer)
    assert provider is not None
    assert provider.example == example


def test_an_issuer_is_compared_without_case_and_last_slash() -> None:
    assert shared_provider("GitLab.com/") is shared_provider("gitlab.com") is not None


def test_a_value_without_wildcards_is_whole() -> None:
    for issuer, text in (("oidc.codefresh.io", "acme"), (GITHUB, "repo:acme/app:"), (GITHUB, "repo:*")):
        provider = shared_provider(issuer)
        assert provider is not None
        assert provider.names_tenant(Wanted(text))


@pytest.mark.parametrize(("issuer", "claim", "admitted", "why"), [
    (GITHUB, "sub", Admitted((Wanted("repo:acme/*", wild=True),), demanded=True), None),
    (
        GITHUB,
        "sub",
        Admitted((Wanted("repo:acme/*", wild=True), Wanted("repo:*", wild=True)), demanded=True),
        f"{GITHUB}:sub may be 'repo:*', which is not one tenant's name only",
    ),
    (
        GITHUB,
        "repository",
        Admitted((Wanted("acme/app"), Wanted("acme*", wild=True)), demanded=True),
        f"{GITHUB}:repository may be 'acme*', which is not one tenant's name only",
    ),
    (GITHUB, "repository", Admitted((Wanted("acme/*"), Wanted("acme", wild=True)), demanded=True), None),
    (
        GITHUB,
        "sub",
        Admitted((Wanted("repo:acme/app"),)),
        f"it does not demand {GITHUB}:sub: no condition at all, IfExists and ForAllValues let tokens without it pass",
    ),
    (GITHUB, "sub", Admitted(demanded=True, unresolved=True), f"what it demands of {GITHUB}:sub is not known yet"),
    (
        "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d",
        "sts:RoleSessionName",
        Admitted((Wanted("*", wild=True),), demanded=True),
        "sts:RoleSessionName may be '*', which is not one tenant's name only",
    ),
])  # fmt: skip
def test_what_a_statement_demands_of_a_claim_names_one_tenant_or_says_why_not(
    issuer: str, claim: str, admitted: Admitted, why: str | None
) -> None:
    provider = shared_provider(issuer)
    assert provider is not None
    assert open_to_others(provider, claim, admitted) == why


def test_each_issuer_is_in_iams_table_or_has_a_page_and_a_subject_of_its_vendor() -> None:
    new = sorted(one.issuer for one in SHARED if one.name not in IN_IAMS_TABLE and one.issuer not in VENDORS)
    assert not new, f"give VENDORS the vendor's page, and a subject that it shows, for each of {new}"
    lacking = sorted(
        issuer for issuer, (page, *texts) in VENDORS.items() if not (page.startswith("https://") and texts)
    )
    assert not lacking, f"a page and a subject for each of {lacking}"


@pytest.mark.parametrize("row", SHARED, ids=lambda row: row.issuer)
def test_each_row_of_the_table_is_found_by_its_issuer_and_its_example_names_one_tenant(row: SharedProvider) -> None:
    """A row that another one hides, or whose own example lets others in, would be none."""
    assert shared_provider(row.issuer) is shared_provider(row.issuer.upper()) is row
    for claim in row.claims:
        example = Admitted((Wanted(row.example, "*" in row.example),), demanded=True)
        assert open_to_others(row, claim, example) is None
        anybody = Admitted((Wanted("*", wild=True),), demanded=True)
        assert open_to_others(row, claim, anybody) is not None
