"""Identity providers that all of the world shares, and which claim of theirs names the tenant.

Everybody's tokens of such a provider come from one issuer, so a trust policy that does not ask for one's own name in
the claim lets everybody in. IAM refuses to create or change a role whose trust policy does not evaluate the claim;
roles that are there stay as they are. Table and controls (November 2026):
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
Providers that are built into AWS:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""

import re
from dataclasses import dataclass

from twokeys.iam.admission import Admitted, Wanted
from twokeys.iam.principals import COGNITO
from twokeys.iam.subjects import UUID, WILD, example_subject, misspelt_subject


@dataclass(frozen=True, slots=True)
class SharedProvider:
    """One issuer that many organizations share.

    Attributes:
        issuer: its URL without `https://`, as condition keys begin with it, a slash at its end included.
        name: what people call it.
        claims: the claims, or whole condition keys, of which one must name the tenant; IAM asks for the first.
        instead: the claim that IAM takes in place of the first, which names a workflow of somebody's, and not who calls
            it: anybody can, where its repository is public.
            https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations
        forms: how a subject may begin, up to the tenant's name (YOURS), which ends where `:`, `/` or `@` stands. None:
            a value has to be whole, or the tenant's name is its second word.
        whole: whether such a claim is one opaque name, of which no part means anything.
    """

    issuer: str
    name: str
    claims: tuple[str, ...] = ("sub",)
    forms: tuple[str, ...] | None = None
    whole: bool = False
    instead: str | None = None

    @property
    def example(self) -> str:
        """A value that names its tenant, and of that one thing only."""
        return (self.forms and (example_subject(self.issuer) or self.forms[0])) or "a value without wildcards"

    def key(self, claim: str) -> str:
        """The condition key of a claim."""
        return claim if ":" in claim else f"{self.issuer}:{claim}"

    def names_tenant(self, wanted: Wanted) -> bool:
        """Whether a value of the claim is some tenant's only: `repo:acme/*` is acme's, `repo:acme*` also acme-evil's.

        Where a pattern has its first wildcard, the tenant's name must have ended.
        """
        text = wanted.text.lower() if wanted.ignore_case else wanted.text
        first = WILD.search(text) if wanted.wild else None
        if self.whole:
            return first is None and text not in _NOBODYS
        if first is None and (self.forms is None or re.fullmatch(UUID, text)):
            # Buildkite's may be one: https://buildkite.com/docs/agent/cli/reference/oidc#custom-subject-claims
            return True
        before = "|".join(re.escape(form.partition(_YOURS)[0]) for form in self.forms) if self.forms else "[^:/]+[:/]"
        named = re.match(f"(?:{before})[^:/]+" + ("[:/@]" if first else ""), text[: first.start()] if first else text)
        return named is not None


_YOURS = "YOURS"
STS_AUDIENCE = "sts.amazonaws.com"
"""The audience that tokens for AWS have by custom: it names no app of anybody's own."""
_NOBODYS = frozenset({"", STS_AUDIENCE})
_GITHUB = tuple(
    f"{claim}:{_YOURS}"
    for claim in (
        "repo", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref",
        "enterprise", "enterprise_id",
    )
)  # fmt: skip
"""Claims that a subject may begin with: https://docs.github.com/en/actions/reference/security/oidc"""
_GITLAB = tuple(
    f"{claim}:{_YOURS}"
    for claim in (
        *(f"{of}project_{what}" for of in ("", "job_", "source_") for what in ("path", "id")),
        "namespace_path", "namespace_id",
    )
)  # fmt: skip
"""https://docs.gitlab.com/ci/secrets/id_token_authentication/#error-id-token-issuance-is-disabled"""
_ORGANIZATION = (f"organization:{_YOURS}",)
_TURBONOMIC = (
    "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb",
    "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu",
    "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7",
    "rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr",
    "rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg",
    "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26",
)
_SENTINEL = ("33e01921-4d64-4f8c-a055-5bdaffd5e33d", "cab8a31a-1906-4287-a0d8-4eef66b95f6e")
"""Microsoft's own tenants: https://learn.microsoft.com/azure/sentinel/connect-aws names the session's prefix."""
SHARED = (
    SharedProvider("token.actions.githubusercontent.com", "GitHub", forms=_GITHUB, instead="job_workflow_ref"),
    SharedProvider("vstoken.actions.githubusercontent.com", "GitHub", forms=_GITHUB),
    SharedProvider("oidc-configuration.audit-log.githubusercontent.com", "GitHub audit log", whole=True),
    SharedProvider("gitlab.com", "GitLab", forms=_GITLAB),
    SharedProvider("app.terraform.io", "HCP Terraform", forms=_ORGANIZATION),
    SharedProvider("app.eu.terraform.io", "HCP Terraform", forms=_ORGANIZATION),
    SharedProvider("agent.buildkite.com", "Buildkite", forms=_ORGANIZATION),
    SharedProvider("oidc.codefresh.io", "Codefresh"),
    SharedProvider("studio.datachain.ai/api", "DVC Studio"),
    SharedProvider("scalr.io", "Scalr"),
    SharedProvider("tokens.cloud.shisho.dev", "Shisho Cloud"),
    SharedProvider("proidc.upbound.io", "Upbound"),
    SharedProvider("api.pulumi.com/oidc", "Pulumi Cloud", ("aud",), whole=True),
    SharedProvider("api.pulumi.com/oidc/v2", "Pulumi Cloud", whole=True),
    SharedProvider("oidc.vercel.com", "Vercel", ("aud",), whole=True),
    SharedProvider("sandboxes.cloud", "sandboxes.cloud", ("aud",), whole=True),
    *(SharedProvider(issuer, "Amazon Cognito", ("aud",), whole=True) for issuer in COGNITO),
    SharedProvider("accounts.google.com", "Google", ("aud", "sub"), whole=True),
    SharedProvider("www.amazon.com", "Login with Amazon", ("app_id",), whole=True),
    SharedProvider("graph.facebook.com", "Facebook", ("app_id",), whole=True),
    *(SharedProvider(issuer, "IBM Turbonomic") for issuer in _TURBONOMIC),
    *(
        SharedProvider(f"sts.windows.net/{tenant}", "Microsoft Sentinel", ("sts:RoleSessionName",), whole=True)
        for tenant in _SENTINEL
    ),
    # Not in IAM's table, but so their pages say:
    # https://docs.envzero.com/guides/integrations/oidc-integrations/oidc-with-aws
    SharedProvider("login.app.env0.com/", "env zero", ("sub", "aws:RequestTag/organizationId"), whole=True),
    # https://depot.dev/docs/ci/oidc
    SharedProvider("identity.depot.dev", "Depot CI", forms=("spiffe://identity.depot.dev/org/YOURS/*",)),
    # https://modal.com/docs/guide/oidc-integration
    SharedProvider("oidc.modal.com", "Modal", forms=("modal:workspace_id:YOURS:*",)),
    # https://www.rwx.com/docs/rwx/oidc-aws
    SharedProvider("cloud.rwx.com/mint", "RWX", forms=("mint:YOURS:VAULT",)),
    # https://docs.deno.com/deploy/reference/oidc
    SharedProvider("oidc.deno.com", "Deno Deploy", forms=("deployment:YOURS/APPLICATION/CONTEXT",)),
    # https://docs.prefect.io/v3/how-to-guides/deployment_infra/managed-aws-federated-identity
    SharedProvider("api.prefect.cloud/oidc-provider", "Prefect Cloud", forms=("prefect:account:YOURS",)),
    # https://cirrus-ci.org/guide/supported-computing-services/#cirrus-as-an-openid-connect-identity-provider
    SharedProvider("oidc.cirrus-ci.com", "Cirrus CI", forms=("repo:github:YOURS/*",)),
    # https://developer.humanitec.com/platform-orchestrator/security/oidc-provider/
    SharedProvider("idtoken.humanitec.io", "Humanitec", forms=("YOURS/CLOUD-ACCOUNT",)),
    # https://namespace.so/docs/federation/aws
    SharedProvider("federation.namespaceapis.com", "Namespace", forms=("YOURS/*",)),
    # https://docs.warp.dev/agent-platform/cloud-agents/integrations/cloud-providers
    SharedProvider("app.warp.dev", "Warp"),
    SharedProvider("api.cursor.com", "Cursor", whole=True),  # https://cursor.com/docs/cloud-agent/identity
    SharedProvider("app.devin.ai", "Devin"),  # https://github.com/CognitionAI/actions/tree/main/setup-aws-oidc
    SharedProvider("app.gitpod.io", "Ona"),  # https://ona.com/docs/ona/identity/aws-oidc
    # https://forgejo.org/docs/next/user/actions/security-openid-connect
    SharedProvider("codeberg.org/api/actions", "Codeberg", forms=("repo:YOURS/REPOSITORY:ref:refs/heads/main",)),
)
_BY_ISSUER = {one.issuer.lower().rstrip("/"): one for one in SHARED}
SHARED_ISSUERS = tuple(_BY_ISSUER)
_TENANT_CLAIMS = {
    "token.actions.githubusercontent.com": ("repository_owner_id", "repository_id", "enterprise_id", "repository")
}
"""Claims beside the subject that name the tenant as well, if their values are whole."""


def shared_provider(issuer: str) -> SharedProvider | None:
    """The shared provider behind an issuer (without `https://`); None for one of somebody's own."""
    return _BY_ISSUER.get(issuer.lower().rstrip("/"))


def tenant_claims(provider: SharedProvider) -> tuple[str, ...]:
    """The claims by which a trust policy may name its tenant, the one that IAM asks for first."""
    return (*provider.claims, *_TENANT_CLAIMS.get(provider.issuer, ()))


def open_to_others(provider: SharedProvider, claim: str, admitted: Admitted) -> str | None:
    """Why what a statement demands of a claim is not some tenant's only, as a clause; None where it is.

    A value that is not known yet is nobody's name; a subject that no token has lets nobody in.
    """
    key = provider.key(claim)
    if not admitted.demanded:
        return f"it does not demand {key}: no condition at all, IfExists and ForAllValues let tokens without it pass"
    if admitted.unresolved:
        return f"what it demands of {key} is not known yet"
    if claim not in provider.claims:
        bad = next((one for one in admitted.values if WILD.search(one.text) and one.wild), None)
    else:
        subjects = [one for one in admitted.values if claim != "sub" or not misspelt_subject(provider.issuer, one)]
        bad = next((one for one in subjects if not provider.names_tenant(one)), None)
    return f"{key} may be {bad.text!r}, which is not one tenant's name only" if bad else None
