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

_PAIR = re.compile(r"[^:/]+[:/][^:/]+[:/@]")
"""A name and its value, and the sign that the value ends there."""


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
        keys: what a subject may begin with so that the next word is the tenant's: `repo`, `organization`. None: a value
            has to be whole, or its first two words.
        whole: whether such a claim is one opaque name, of which no part means anything.
    """

    issuer: str
    name: str
    claims: tuple[str, ...] = ("sub",)
    keys: frozenset[str] | None = None
    whole: bool = False
    instead: str | None = None

    @property
    def example(self) -> str:
        """A value that names its tenant, and of that one thing only."""
        return (example_subject(self.issuer) if self.keys else None) or "a value without wildcards"

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
        if self.keys is not None and text.partition(":")[0] not in self.keys:
            # Buildkite's may be: https://buildkite.com/docs/agent/cli/reference/oidc#custom-subject-claims
            return first is None and re.fullmatch(UUID, text) is not None
        if first is None:
            return self.keys is None or bool(text.partition(":")[2])
        return _PAIR.match(text[: first.start()]) is not None


_NOBODYS = frozenset({"", "sts.amazonaws.com"})
"""Values of an audience that every tenant may ask for."""
_GITHUB = frozenset({
    "repo", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref", "enterprise",
    "enterprise_id",
})  # fmt: skip
"""Claims that a subject may begin with: https://docs.github.com/en/actions/reference/security/oidc"""
_GITLAB = frozenset({
    *(f"{of}project_{what}" for of in ("", "job_", "source_") for what in ("path", "id")),
    "namespace_path", "namespace_id",
})  # fmt: skip
"""https://docs.gitlab.com/ci/secrets/id_token_authentication/#error-id-token-issuance-is-disabled"""
_ORGANIZATION = frozenset({"organization"})
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
_BY_ISSUER = {
    one.issuer.rstrip("/"): one
    for one in (
        SharedProvider("token.actions.githubusercontent.com", "GitHub", keys=_GITHUB, instead="job_workflow_ref"),
        SharedProvider("vstoken.actions.githubusercontent.com", "GitHub", keys=_GITHUB),
        SharedProvider("oidc-configuration.audit-log.githubusercontent.com", "GitHub audit log", whole=True),
        SharedProvider("gitlab.com", "GitLab", keys=_GITLAB),
        SharedProvider("app.terraform.io", "HCP Terraform", keys=_ORGANIZATION),
        SharedProvider("app.eu.terraform.io", "HCP Terraform", keys=_ORGANIZATION),
        SharedProvider("agent.buildkite.com", "Buildkite", keys=_ORGANIZATION),
        SharedProvider("oidc.codefresh.io", "Codefresh"),
        SharedProvider("identity.depot.dev", "Depot CI"),  # not in IAM's table: https://depot.dev/docs/ci/oidc
        # not in IAM's table: https://docs.envzero.com/guides/integrations/oidc-integrations/oidc-with-aws
        SharedProvider("login.app.env0.com/", "env zero", ("sub", "aws:RequestTag/organizationId"), whole=True),
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
    )
}
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
