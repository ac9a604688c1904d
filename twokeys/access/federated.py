"""People and machines of identity providers as principals: whom a trust policy lets in by a web identity or by SAML.

They belong to no account and hold no grant: the trust policy's provider, audience and subject say who comes in.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from twokeys.access.carriers import NEEDS_NO_GRANT
from twokeys.access.judge import Door, Judge
from twokeys.access.model.accounts import Accounts
from twokeys.access.model.principals import Identity, Principal
from twokeys.doors.who import OF_IDENTITY_CENTER
from twokeys.iam import (
    ANY_PROVIDER,
    UNKNOWN,
    Arn,
    Caller,
    CallerKind,
    Context,
    Federation,
    Outcome,
    PolicyDocument,
    Request,
    Statement,
    Unknown,
    Verdict,
    evaluate_trust,
    federations,
)
from twokeys.iam.admission import Wanted
from twokeys.iam.arn import Named
from twokeys.iam.operators import operator_named
from twokeys.iam.principals import COGNITO
from twokeys.iam.shared_providers import SharedProvider, open_to_others, shared_provider, tenant_claims
from twokeys.iam.sts import WITH_SAML
from twokeys.iam.verdict import Requirement, Why

GUESTS = "guests of the identity pool"
"""Whom Amazon Cognito gives tokens without a sign-in, where an identity pool takes guests: its id is all they need."""
_ANYBODY = "*"
_LATER = "(not known yet)"


@dataclass(frozen=True, slots=True, eq=False)
class FederatedTrust:
    """What a role's trust policy says of one identity provider, and who comes in by it."""

    role: Identity
    federation: Federation
    sources: Mapping[str, Principal]
    """Who comes in, by the subject that the trust policy demands: a text, a pattern, `*`."""

    @property
    def of_identity_center(self) -> bool:
        """Whether it is IAM Identity Center's own provider: who comes in by that one, its assignments say.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
        """
        arn = _arn(self.federation)
        return arn is not None and arn.kind == "saml-provider" and bool(OF_IDENTITY_CENTER.fullmatch(arn.name))

    @property
    def unknown(self) -> bool:
        """Whether it is not known yet whose people come in: the provider, or the tenant of one that is shared."""
        federation = self.federation
        if federation.provider is UNKNOWN:
            return True
        shared = shared_provider(federation.prefix)
        demanded = [federation.admits(claim) for claim in tenant_claims(shared)] if shared else []
        return bool(demanded) and any(one.unresolved for one in demanded)

    @property
    def shared(self) -> SharedProvider | None:
        """The provider, where it is one that all the world shares."""
        return shared_provider(self.federation.prefix) if self.federation.action != WITH_SAML else None

    @property
    def open_to_others(self) -> str | None:
        """Why everybody who has an account at a shared provider comes in; None where a claim names one tenant."""
        if self.shared is None or self.unknown or self.foreign or self.federation.provider == ANY_PROVIDER:
            return None
        claims = tenant_claims(self.shared)
        reasons = [open_to_others(self.shared, claim, self.federation.admits(claim)) for claim in claims]
        if all(reasons) and self.shared.instead and not self.federation.admits(self.shared.instead).anybody:
            return f"{self.shared.key(self.shared.instead)} names a workflow, which others may call if it is public"
        return reasons[0] if all(reasons) else None

    @property
    def guests(self) -> bool:
        """Whether an identity of a Cognito identity pool comes in that never signed in; its token says so in `amr`.

        Only a pool that takes guests has such, which the trust policy does not tell: without a word on `amr` they may.
        https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
        """
        trust, federation = self.role.trust_policy, self.federation
        if federation.prefix not in COGNITO or self.unknown or isinstance(trust, Unknown):
            return False
        alone = replace(trust, statements=(federation.statement, *federation.denials))
        context = Context({f"{federation.prefix}:amr": ("unauthenticated",)})
        request = Request(_caller(self), federation.action, self.role.arn, context)
        return evaluate_trust(request, alone).outcome in (Outcome.ALLOW, Outcome.CONDITIONAL)

    def open_by(self, subject: str) -> str | None:
        """The name of the provider, where one of `sources` is open to whoever has an account there.

        Of several subjects one may be a tenant's own. `GUESTS`, where Cognito's come in whom nobody signed in.
        """
        if self.federation.provider == ANY_PROVIDER:
            return provider_name(self.federation)
        if self.guests and set(subject) & set("*?") and not self.open_to_others:
            return GUESTS
        if self.shared is None or self.open_to_others is None:
            return None
        admitted = self.federation.admits("sub")
        alone = replace(admitted, values=tuple(one for one in admitted.values if one.text == subject))
        others = "sub" not in self.shared.claims or open_to_others(self.shared, "sub", alone)
        return self.shared.name if others else None

    @property
    def names_nothing(self) -> bool:
        """Whether the trust policy names a provider that cannot be: no ARN of one, and none that is built into AWS."""
        provider = self.federation.provider
        return isinstance(provider, str) and provider != ANY_PROVIDER and _provider(self.federation) is None

    @property
    def foreign(self) -> bool:
        """Whether the provider is one of another account or partition, by which nobody comes in.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml.html
        """
        arn, role = _arn(self.federation), Arn.parse(self.role.arn)
        if arn is None or role is None or not Accounts.pinned(role.account):
            return False
        return (arn.partition, arn.account) != (role.partition, role.account)


class Federated:
    """Makes the principals, each once."""

    def __init__(self) -> None:
        self._sources: dict[tuple[str, str], Principal] = {}

    def trusts(self, role: Identity, trust: PolicyDocument) -> Iterator[FederatedTrust]:
        """The identity providers that a trust policy lets in, each with the people and machines that it demands."""
        if not any(map(_may_name_provider, trust.statements)):
            return
        for federation in federations(trust):
            subjects = dict.fromkeys(_subjects(federation))
            yield FederatedTrust(role, federation, {one: self._source(federation, one) for one in subjects})

    def _source(self, federation: Federation, subject: str) -> Principal:
        provider = str(federation.provider) if federation.provider is not UNKNOWN else _LATER
        if (provider, subject) not in self._sources:
            saml = federation.action == WITH_SAML
            made = Principal(
                f"{provider} {subject}",
                "saml" if saml else "web-identity",
                "",
                f"{provider_name(federation)} {subject}",
            )
            self._sources[provider, subject] = made
        return self._sources[provider, subject]


def _may_name_provider(statement: Statement) -> bool:
    named = statement.principals
    return named is None or named.everyone or named.unresolved or bool(named.federated)


def doors(found: FederatedTrust, judge: Judge) -> Iterator[Door]:
    """A door for each that comes in: the trust policy is its only key; the audience and all else is its condition."""
    federation, role = found.federation, found.role
    for subject, source in found.sources.items():
        certain = Wanted(subject) in federation.subject.values and not set(subject) & set("*?")
        context = Context({federation.subject_key: (subject,)} if certain else {})
        verdict = judge.admitted(source, role, _caller(found), federation.action, context)
        yield Door(source, role, _without_pattern(verdict, federation), NEEDS_NO_GRANT, asked=True)


def _caller(found: FederatedTrust) -> Caller:
    """The provider; for every provider, and one that is not known or of another account, one that nobody has."""
    if (caller := _provider(found.federation)) and not found.foreign:
        return caller
    kind: Named = "saml-provider" if found.federation.action == WITH_SAML else "oidc-provider"
    return Caller(str(Arn.iam(kind, found.role.account, "provider.invalid")))


def _provider(federation: Federation) -> Caller | None:
    """The provider as a caller; None for every provider, for one that is not known, and for what is none."""
    if not isinstance(federation.provider, str) or federation.provider == ANY_PROVIDER:
        return None
    caller = Caller.parse(federation.provider)
    return caller if caller and caller.kind is CallerKind.FEDERATED and "*" not in caller.arn else None


def _without_pattern(verdict: Verdict, federation: Federation) -> Verdict:
    """A verdict without what the principal itself says: the pattern that its subject has to match."""
    if verdict.outcome is not Outcome.CONDITIONAL:
        return verdict
    key = federation.subject_key.lower()
    others = tuple(one for one in verdict.requirements if one.key.lower() != key or not _is_pattern(one))
    return Verdict(Outcome.CONDITIONAL if others else Outcome.ALLOW, Why(others, decisions=verdict.decisions))


def _is_pattern(asked: Requirement) -> bool:
    base = None if asked.negated else operator_named(name := asked.operator.removeprefix("ForAnyValue:"))
    return base is not None and base.names_values and base.takes_patterns and base.name == name


def provider_name(federation: Federation) -> str:
    """What people call the provider: GitHub, else its URL, or a SAML provider's name."""
    if federation.provider is UNKNOWN:
        return "an identity provider that is not known yet"
    if federation.provider == ANY_PROVIDER:
        return "any identity provider"
    arn = _arn(federation)
    if federation.action == WITH_SAML:
        return arn.name if arn else str(federation.provider)
    shared = shared_provider(federation.prefix)
    return shared.name if shared else federation.prefix


def _subjects(federation: Federation) -> Iterator[str]:
    subject = federation.subject
    if subject.nobody:
        return
    if subject.unresolved or federation.unresolved:
        yield _LATER
    elif subject.anybody:
        yield _ANYBODY
    else:
        yield from (value.text for value in subject.values)


def _arn(federation: Federation) -> Arn | None:
    return Arn.parse(federation.provider) if isinstance(federation.provider, str) else None
