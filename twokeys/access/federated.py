"""People and machines of identity providers as principals: whom a trust policy lets in by a web identity or by SAML.

They belong to no account and hold no grant: the trust policy's provider, audience and subject say who comes in.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from twokeys.access.principals import Principal
from twokeys.iam import ANY_PROVIDER, UNKNOWN, WITH_SAML, Arn, Federation, PolicyDocument, federations
from twokeys.iam.shared_providers import shared_provider

_ANYBODY = "*"
_LATER = "(not known yet)"
_OF_IDENTITY_CENTER = re.compile(r"AWSSSO_[0-9a-f]+_DO_NOT_DELETE")
CARRIERS = {
    "account-access.amazonaws.com": "people of IAM Identity Center",
    "credentials.iot.amazonaws.com": "devices with a certificate of AWS IoT",
    "ds.amazonaws.com": "people of a directory",
    "pods.eks.amazonaws.com": "pods of EKS clusters",
    "rolesanywhere.amazonaws.com": "whoever holds a certificate of a trust anchor's authority",
}
"""Services that hand a role to others than themselves, and whom."""


@dataclass(frozen=True, slots=True, eq=False)
class FederatedTrust:
    """What a role's trust policy says of one identity provider, and who comes in by it."""

    role: Principal
    federation: Federation
    sources: tuple[Principal, ...]

    @property
    def foreign(self) -> bool:
        """Whether the provider is one of another account, which IAM does not take."""
        arn = _arn(self.federation)
        return arn is not None and arn.account != self.role.account


class Federated:
    """Makes the principals, each once."""

    def __init__(self) -> None:
        self._sources: dict[tuple[str, str], Principal] = {}

    def trusts(self, role: Principal, trust: PolicyDocument) -> Iterator[FederatedTrust]:
        """The identity providers that a trust policy lets in, without that of IAM Identity Center itself.

        Who comes in by that one, its assignments say.
        """
        for federation in federations(trust):
            arn = _arn(federation)
            if arn is not None and arn.kind == "saml-provider" and _OF_IDENTITY_CENTER.fullmatch(arn.name):
                continue
            subjects = tuple(dict.fromkeys(_subjects(federation)))
            yield FederatedTrust(role, federation, tuple(self._source(federation, one) for one in subjects))

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


def carried_by(trust: PolicyDocument) -> Iterator[str]:
    """The services that a trust policy lets in and that hand the role to others."""
    named = (
        service
        for statement in trust.statements
        if statement.effect == "Allow" and statement.principals is not None
        for service in statement.principals.service
        if isinstance(service, str) and service in CARRIERS
    )
    yield from dict.fromkeys(named)


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
