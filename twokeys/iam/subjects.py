"""Subjects that no token of an identity provider has, by the form that the provider documents.

Only what the provider's page rules out is ruled out: where subjects can be customized (claims of one's own choice at
GitHub and GitLab, whole templates at Spacelift), what a template can give is right, and of a pattern only its beginning
is looked at. Providers of one's own, GitLab on one's own host among them, have subjects of any form.
"""

import re
from dataclasses import dataclass

from twokeys.iam.admission import Wanted
from twokeys.iam.principals import COGNITO

UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
WILD = re.compile(r"\*|\?|\$\{")


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A subject that nobody can have: why, as a clause, what to write, and the provider's page."""

    why: str
    next_step: str
    url: str


@dataclass(frozen=True, slots=True)
class _Subjects:
    """The subjects of one provider.

    Attributes:
        name: what people call the provider.
        issuer: which issuers are meant, without `https://`, as a regular expression.
        form: the whole of a subject, as one.
        examples: one for each way that a subject can go on; the first is shown.
        page: where the provider says so.
    """

    name: str
    issuer: str
    form: str
    examples: tuple[str, ...]
    page: str

    def may_be(self, wanted: Wanted) -> bool:
        """Whether a token may have a subject that is wanted: a pattern goes on from its beginning as some example."""
        form = re.compile(self.form, re.IGNORECASE if wanted.ignore_case else 0)
        beginning = WILD.split(wanted.text)[0] if wanted.wild else wanted.text
        if beginning == wanted.text:
            return form.fullmatch(wanted.text) is not None
        return any(form.fullmatch(beginning + one[at:]) for one in self.examples for at in range(len(one) + 1))


_OF_GITHUB = (
    r"(?:ref:refs/.+|pull_request(?::.+)?"
    r"|(?!repo:|ref:|pull_request|branch:|tag:|env:|https?:)[a-z][a-z0-9_]*:.+)"
)
"""A claim of a subject: GitHub goes on to add some, and `repo_property_*` are people's own."""
_PROVIDERS = (
    _Subjects(
        "GitHub",
        r"(?:vs)?token\.actions\.(?:githubusercontent\.com|[\w-]+\.ghe\.com)(?:/[\w-]+)?",
        rf"repo:[\w-]+(?:@\d+)?/[\w.-]+(?:@\d+)?(?::{_OF_GITHUB})?|{_OF_GITHUB}",
        (
            "repo:acme/app:ref:refs/heads/main",
            "repo:acme/app:pull_request",
            "repo:acme@1/app@2:environment:prod",
            "a:b",
        ),
        "https://docs.github.com/en/actions/reference/security/oidc",
    ),
    _Subjects(
        "GitLab",
        r"gitlab\.com",
        r"(?:(?:job_|source_)?project_(?:path:[^:/]+(?:/[^:/]+)+|id:\d+)|namespace_(?:path|id):[^:]+)"
        r"(?!.*:ref:refs/(?:heads|tags)/)(?::[a-z_]+:.+)?",
        (
            "project_path:acme/app:ref_type:branch:ref:main",
            "job_project_path:a/b",
            "source_project_path:a/b",
            "project_id:1:ref_type:tag:ref:v1",
            "job_project_id:1",
            "source_project_id:1",
            "namespace_path:a",
            "namespace_id:1",
        ),
        "https://docs.gitlab.com/ci/secrets/id_token_authentication/",
    ),
    _Subjects(
        "HCP Terraform",
        r"app(?:\.eu)?\.terraform\.io",
        r"organization:[^:]+:(?:project:[^:]+:(?:workspace:[^:]+:run_phase:\w+|stack:.+)|module:.+)",
        (
            "organization:acme:project:Default Project:workspace:app:run_phase:apply",
            "organization:acme:project:a:stack:b:deployment:c:operation:plan",
            "organization:acme:module:a:operation:test_run",
        ),
        "https://developer.hashicorp.com/terraform/cloud-docs/dynamic-provider-credentials/workload-identity-tokens",
    ),
    _Subjects(
        "Pulumi Cloud",
        r"api\.pulumi\.com/oidc",
        r"pulumi:(?:deploy:org:[^:]+:project:.+|environments:(?:org:[^:]+:env:.+|pulumi\.organization\.login:.+)"
        r"|(?!deploy:|environments:)[\w-]+:.+)",
        (
            "pulumi:deploy:org:acme:project:app:stack:prod:operation:update:scope:write",
            "pulumi:environments:org:acme:env:app/prod",
            "pulumi:environments:pulumi.organization.login:acme",
            "pulumi:a:b",
        ),
        "https://www.pulumi.com/docs/deployments/deployments/oidc/",
    ),
    _Subjects(
        "Bitbucket",
        r"api\.bitbucket\.org/2\.0/workspaces/[^/]+/pipelines-config/identity/oidc",
        rf"\{{{UUID}\}}(?::\{{{UUID}\}}){{1,2}}",
        ("{1de489be-ce6a-42a0-a8c8-eadbf1174ac7}:{759de0c6-eaee-4eaa-b7a6-c507eec759a7}",),
        "https://support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect/",
    ),
    _Subjects(
        "CircleCI",
        r"oidc\.circleci\.com/org/[^/]+",
        r"org/[^/]+/project/[^/]+/user/[^/]*(?:/vcs-origin/.*)?",
        ("org/ORGANIZATION-ID/project/PROJECT-ID/user/USER-ID", "org/a/project/b/user/c/vcs-origin/d/vcs-ref/e"),
        "https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/",
    ),
    _Subjects(
        "Buildkite",
        r"agent\.buildkite\.com",
        rf"organization:[^:]+:pipeline:[^:]+:ref:refs/.+:commit:[^:]+:step:.*|{UUID}",
        (
            "organization:acme:pipeline:app:ref:refs/heads/main:commit:9f318206:step:build",
            "0191f956-042f-7ec4-aa62-8e5eeae396d0",
        ),
        "https://buildkite.com/docs/agent/cli/reference/oidc",
    ),
    _Subjects(
        "Google",
        r"accounts\.google\.com",
        r"[^@\s]+",
        ("107691503500061507151",),
        "https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload",
    ),
    _Subjects(
        "Amazon Cognito",
        "|".join(map(re.escape, COGNITO)),
        r"[\w-]+:[0-9a-f-]+",
        ("us-east-1:1f2e3d4c-5b6a-7980-1f2e-3d4c5b6a7980",),
        "https://docs.aws.amazon.com/cognitoidentity/latest/APIReference/API_GetId.html",
    ),
    _Subjects(
        "Amazon EKS",
        r"oidc\.eks\.[\w-]+\.amazonaws\.com(?:\.cn)?/id/\w+",
        r"system:serviceaccount:[a-z0-9.-]+:[a-z0-9.-]+",
        ("system:serviceaccount:default:my-service-account",),
        "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html",
    ),
    _Subjects(
        "Vercel",
        r"oidc\.vercel\.com(?:/[\w-]+)?",
        r"owner:[^:]+:project:[^:]+:environment:[^:]+",
        ("owner:acme:project:app:environment:production",),
        "https://vercel.com/docs/oidc/reference",
    ),
)


def example_subject(issuer: str) -> str | None:
    """A whole subject of an issuer (without `https://`), if its form is known."""
    each = (one.examples[0] for one in _PROVIDERS if re.fullmatch(one.issuer, issuer.rstrip("/"), re.IGNORECASE))
    return next(each, None)


def narrower_subject(issuer: str, wanted: Wanted) -> str | None:
    """As an example one thing of a tenant (`repo:acme/app:ref:refs/heads/main`), where everything is wanted that the
    tenant has there (`repo:acme/*`); else None."""
    example = re.fullmatch(r"(\w+:)[^:/]+[:/](.*)", example_subject(issuer) or "")
    whole = re.fullmatch(rf"({example[1]}[^:/*?]+[:/])\*+", wanted.text) if example and wanted.wild else None
    return whole[1] + example[2] if example and whole else None


def misspelt_subject(issuer: str, wanted: Wanted) -> Misspelt | None:
    """Why no token of an issuer (without `https://`) has a subject, and what to write; None where some may have it."""
    if not wanted.wild and re.search(r"[*?]", wanted.text):
        why = "in which * and ? are just signs: only StringLike knows wildcards"
        page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
        return Misspelt(why, "write StringLike, or the whole value", f"{page}#Conditions_String")
    for provider in _PROVIDERS:
        if re.fullmatch(provider.issuer, issuer.rstrip("/"), re.IGNORECASE):
            if provider.may_be(wanted):
                return None
            return Misspelt(
                f"which no token of {provider.name} has", f"write it as in {provider.examples[0]}", provider.page
            )
    return None
