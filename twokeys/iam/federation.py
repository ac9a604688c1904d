"""The people and machines of identity providers that a trust policy lets in: web identities and SAML.

A federated principal belongs to no account and needs no grant: the trust policy alone decides, by the provider, the
audience and the subject that the provider vouches for.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""

from collections.abc import Iterator
from dataclasses import dataclass

from twokeys.iam.admission import Admitted, admitted
from twokeys.iam.arn import Arn
from twokeys.iam.documents import PolicyDocument, Statement
from twokeys.iam.lazy import lazy
from twokeys.iam.sts import WITH_SAML, WITH_WEB_IDENTITY
from twokeys.iam.truth import UNKNOWN, Truth, Unknown

ANY_PROVIDER = "*"
_SUBJECTS = {"graph.facebook.com": "id", "www.amazon.com": "user_id"}


@dataclass(frozen=True)
class Federation:
    """One provider in one Allow statement of a trust policy.

    Attributes:
        provider: as the Principal names it: the ARN of an OIDC or SAML provider, the name of a web identity provider
            (`accounts.google.com`), `*` for every provider, or UNKNOWN.
        action: `sts:AssumeRoleWithWebIdentity` or `sts:AssumeRoleWithSAML`.
        statement: the Allow statement.
        denials: the Deny statements for the same provider and action, whatever they hang on.
        unresolved: whether the statement's action or effect for this provider hangs on something that is not known yet.
    """

    provider: str | Unknown
    action: str
    statement: Statement
    denials: tuple[Statement, ...] = ()
    unresolved: bool = False

    @lazy
    def prefix(self) -> str:
        """What the provider's condition keys begin with: its URL without `https://`, or `saml`."""
        if self.action == WITH_SAML:
            return "saml"
        if not isinstance(self.provider, str):
            return ""
        arn = Arn.parse(self.provider)
        return self.provider if arn is None else arn.name

    @property
    def subject_key(self) -> str:
        """The condition key of whom the token is about: `sub`, which Facebook and Login with Amazon call otherwise.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
        """
        return f"{self.prefix}:{_SUBJECTS.get(self.prefix, 'sub')}"

    @lazy
    def subject(self) -> Admitted:
        """What it demands of whom the token is about."""
        return self.admits(self.subject_key)

    def admits(self, claim: str) -> Admitted:
        """What it demands of one claim, such as `sub`, or of a whole condition key: whose values get in."""
        return admitted(self.statement, claim if ":" in claim else f"{self.prefix}:{claim}", self.denials)


def federations(trust: PolicyDocument) -> tuple[Federation, ...]:
    """Every provider whose people and machines a trust policy lets in, per Allow statement and action.

    Left out are those that a Deny without conditions covers, not one that may be an Allow or may have conditions. A
    document whose statements are not known yet tells nothing of those: see `PolicyDocument.unresolved`.
    """
    return tuple(
        federation
        for statement in trust.statements
        if statement.effect == "Allow"
        for action in (WITH_WEB_IDENTITY, WITH_SAML)
        for federation in _of_statement(trust, statement, action)
    )


def _of_statement(trust: PolicyDocument, statement: Statement, action: str) -> Iterator[Federation]:
    covered = statement.covers_action(action)
    if covered is Truth.FALSE:
        return
    for provider in _providers(statement):
        if not _can_use(provider, action):
            continue
        denials = tuple(
            one
            for one in trust.statements
            if one.effect == "Deny" and one.covers_action(action) is Truth.TRUE and _names(one, provider)
        )
        if any(not one.conditions and not one.unresolved for one in denials):
            continue
        unresolved = covered is Truth.UNKNOWN or provider is UNKNOWN or bool(statement.unresolved)
        yield Federation(provider, action, statement, denials, unresolved)


def _providers(statement: Statement) -> tuple[str | Unknown, ...]:
    """The providers that a statement names."""
    principals = statement.principals
    if principals is None or principals.everyone:
        return (ANY_PROVIDER,)
    return (UNKNOWN,) if principals.unresolved else tuple(dict.fromkeys(principals.federated))


def _can_use(provider: str | Unknown, action: str) -> bool:
    """A SAML provider's people use AssumeRoleWithSAML, all others AssumeRoleWithWebIdentity."""
    if not isinstance(provider, str) or provider == ANY_PROVIDER:
        return True
    arn = Arn.parse(provider)
    return (arn is not None and arn.kind == "saml-provider") == (action == WITH_SAML)


def _names(denial: Statement, provider: str | Unknown) -> bool:
    """Whether a Deny statement certainly names a provider."""
    principals = denial.principals
    if principals is None:
        return False
    return principals.everyone or provider in principals.federated or ANY_PROVIDER in principals.federated
