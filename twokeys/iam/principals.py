"""The Principal element and the callers it can name.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
"""

import re
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final, NamedTuple, Self

from twokeys.iam.arn import Arn, ArnError, account_as_a_whole, is_account, parse_arn
from twokeys.iam.condition_keys import NEVER_OF
from twokeys.iam.lazy import lazy
from twokeys.iam.matching import is_symbolic
from twokeys.iam.truth import TRUE, UNKNOWN, Truth, Unknown

COGNITO = (
    "cognito-identity.amazonaws.com",
    "cognito-identity-us-gov.amazonaws.com",
    "cognito-identity.us-gov-east-1.amazonaws.com",
    "cognito-identity.cn-north-1.amazonaws.com.cn",
)
"""What trust policies call Amazon Cognito's identity pools, by partition and region.

https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/govcloud-cog.html; the last as the AWS SDK for Android has it.
"""
_WEB_IDENTITY_PROVIDERS = frozenset({"accounts.google.com", *COGNITO, "graph.facebook.com", "www.amazon.com"})
UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
_WILD = re.compile(r"[*?]")
_SERVICE = re.compile(r"[a-z0-9.-]+\.[a-z.]+")


class CallerKind(Enum):
    """The sorts of principal that can make a request."""

    ROLE = "role"
    """A role of which it is not said in which session: any session of it."""
    SESSION = "session"
    """An assumed-role session, named by its session name."""
    USER = "user"
    ROOT = "root"
    FEDERATED_USER = "federated user"
    """A session of GetFederationToken."""
    FEDERATED = "federated"
    """A person known to a SAML or OIDC provider, or to a web identity provider."""
    SERVICE = "service"

    __hash__ = object.__hash__  # each kind is one object; Enum's own hash is Python code, run at each look-up


@dataclass(unsafe_hash=True)
class Caller:
    """Who makes the request. Nothing changes one.

    Attributes:
        arn: the ARN of a role, assumed-role session, user, account root, GetFederationToken session or SAML or OIDC
            provider; or the name of a service (`lambda.amazonaws.com`) or web identity provider.
        role_arn: of a session, the ARN of its role; worked out of the session's ARN when not given, which is right for
            a role without a path.
        unique_id: the AROA or AIDA id of the role or user, where known.
        kind, account, partition: read off `arn`; account and partition are empty for services and web identities.
        ordinary: whether it is a role, a session of one or a user, and every policy binds it: the common case.
        names: everything by which a Principal element can name it for certain, if it is not everyone's name.

    Raises:
        ArnError: `arn` is none of these.
    """

    arn: str
    role_arn: str | None = None
    unique_id: str | None = None
    kind: CallerKind = field(init=False)
    account: str = field(init=False)
    partition: str = field(init=False)
    ordinary: bool = field(init=False, repr=False, compare=False)
    names: frozenset[str] = field(init=False, repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The caller of an ARN or name; None for what is none."""
        try:
            return cls(text)
        except ArnError:
            return None

    def __post_init__(self) -> None:
        self.kind, self.account, self.partition, role_arn = _classified(self.arn)
        self.role_arn = self.role_arn or role_arn
        self.ordinary = self.kind in _WITH_POLICIES and not self.is_service_linked
        self.names = self._names()

    @lazy
    def name(self) -> str:
        """The friendly name: of a user or role without its path, of a session the session name, else the ARN."""
        return self.arn.rpartition("/")[2]

    @lazy
    def is_service_linked(self) -> bool:
        """Whether this is a service-linked role or a session of one; SCPs and RCPs do not bind those."""
        return self.role_arn is not None and ":role/aws-service-role/" in self.role_arn

    @lazy
    def is_saml_provider(self) -> bool:
        """Whether this is a person of a SAML provider."""
        return self.kind is CallerKind.FEDERATED and ":saml-provider/" in self.arn

    @lazy
    def lineage(self) -> tuple[str, ...]:
        """The ARNs that name the caller, from its account to itself: account root, role, session."""
        if self.kind in (CallerKind.SERVICE, CallerKind.FEDERATED):
            return (self.arn,)
        root = f"arn:{self.partition}:iam::{self.account}:root"
        if self.role_arn is None:
            return (self.arn,) if self.arn == root else (root, self.arn)
        return (root, self.arn) if self.arn == self.role_arn else (root, self.role_arn, self.arn)

    def _names(self) -> frozenset[str]:
        if self.kind is CallerKind.SERVICE:
            return frozenset(_typed("Service", (self.arn, "*")))
        if self.kind is CallerKind.FEDERATED:
            return frozenset(_typed("Federated", (self.arn, "*")))
        return frozenset((*self.lineage, self.account, *([self.unique_id] if self.unique_id else [])))

    @lazy
    def context(self) -> dict[str, tuple[str, ...]]:
        """The condition keys that follow from who the caller is; the empty tuple is an absent key.

        Calls of federated people are not signed, and those people are in no organization. Left out are aws:userid,
        aws:PrincipalType and aws:PrincipalAccount, which every call has: nothing says what theirs hold.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        https://github.com/aws-samples/data-perimeter-policy-examples/tree/main/resource_control_policies
        """
        if self.kind is CallerKind.FEDERATED:
            own, value = (_DOC, f"{self.account}/{self.name}") if self.is_saml_provider else (_PROVIDER, self.arn)
            known = {**NEVER_OF["federated"], **({_PROVIDER: ()} if self.is_saml_provider else {})}
            return known | ({own: (value,)} if self.issuer else {})
        if self.kind is CallerKind.SERVICE:
            made = {"aws:principalisawsservice": ("true",), "aws:principalservicename": (self.arn,)}
            return {**NEVER_OF["service"], **made}
        known = {**NEVER_OF["principal"], "aws:principalisawsservice": ("false",)}
        known["aws:principalaccount"] = (self.account,)
        return known | {key: value for key, value in self.own().items() if value is not None}

    def own(self) -> dict[str, tuple[str, ...] | None]:
        """What tells a principal from the others of its account, by condition key; None for what is not known."""
        userid = self._userid()
        return {
            "aws:principalarn": (self.role_arn or self.arn,),
            "aws:principaltype": (_PRINCIPAL_TYPES[self.kind],),
            "aws:username": (self.name,) if self.kind is CallerKind.USER else (),
            "aws:userid": (userid,) if userid is not None else None,
        }

    def says(self, key: str) -> tuple[str, ...] | None:
        """What follows from who the caller is for a condition key, in lower case; None for nothing."""
        known = self.context.get(key)
        return () if known is None and self._lacks(key) else known

    def _lacks(self, key: str) -> bool:
        """Whether a key cannot be there: a claim of a token or of a SAML assertion.

        A call with a token has the claims of that token's issuer only; the session that it begins keeps some of them.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-saml
        """
        issuer, _, claim = key.rpartition(":")
        if issuer != _SAML and "." not in key.partition(":")[0]:
            return False
        if self.kind is CallerKind.FEDERATED:
            issuer = issuer.rstrip("/")
            return self.issuer not in (None, COGNITO[0] if issuer in COGNITO else issuer)
        return self.kind not in (CallerKind.ROLE, CallerKind.SESSION) or claim not in _IN_SESSIONS

    @lazy
    def issuer(self) -> str | None:
        """What the condition keys of a federated person's claims begin with, in lower case, without a last slash.

        All of Amazon Cognito is one. None where the ARN only stands in for a provider.
        """
        arn = Arn.parse(self.arn)
        if is_symbolic(self.arn) or self.arn.endswith(".invalid"):
            return None
        issuer = (arn.name if arn else self.arn).lower().rstrip("/")
        return _SAML if self.is_saml_provider else COGNITO[0] if issuer in COGNITO else issuer

    def _userid(self) -> str | None:
        if self.kind is CallerKind.ROOT:
            return self.account
        if self.kind is CallerKind.FEDERATED_USER:
            return f"{self.account}:{self.name}"
        if self.kind is CallerKind.USER:
            return self.unique_id
        if self.kind is CallerKind.SESSION and self.unique_id is not None:
            return f"{self.unique_id}:{self.name}"
        return None

    def __str__(self) -> str:
        return self.arn


_SAML, _DOC, _PROVIDER = "saml", "saml:doc", "aws:federatedprovider"
_IN_SESSIONS = frozenset({"sub", "aud", "amr", "id", "app_id", "user_id", "namequalifier", "sub_type"})
"""The claims that are "available in session": of a provider of one's own, those built into AWS, and of SAML."""
_WITH_POLICIES = frozenset({CallerKind.ROLE, CallerKind.SESSION, CallerKind.USER})
"""What identity-based policies are attached to."""
_PRINCIPAL_TYPES = {
    CallerKind.ROLE: "AssumedRole",
    CallerKind.SESSION: "AssumedRole",
    CallerKind.USER: "User",
    CallerKind.ROOT: "Account",
    CallerKind.FEDERATED_USER: "FederatedUser",
}


def _classified(text: str) -> tuple[CallerKind, str, str, str | None]:
    """The kind, account, partition and role ARN that a caller's ARN or name tells."""
    if not text.startswith("arn:"):
        if text in _WEB_IDENTITY_PROVIDERS:
            return CallerKind.FEDERATED, "", "", None
        if _SERVICE.fullmatch(text):
            return CallerKind.SERVICE, "", "", None
        raise ArnError(f"{text!r} is neither an ARN nor the name of a service or web identity provider")
    arn = parse_arn(text)
    kind = _KIND_OF_CALLER.get(arn.kind)
    if kind is None or not is_account(arn.account):
        raise ArnError(f"{text!r} names nothing that can make a request")
    role = text if kind is CallerKind.ROLE else str(arn.role) if kind is CallerKind.SESSION else None
    return kind, arn.account, arn.partition, role


_KIND_OF_CALLER: dict[str | None, CallerKind] = {
    "root": CallerKind.ROOT,
    "role": CallerKind.ROLE,
    "user": CallerKind.USER,
    "assumed-role": CallerKind.SESSION,
    "federated-user": CallerKind.FEDERATED_USER,
    "saml-provider": CallerKind.FEDERATED,
    "oidc-provider": CallerKind.FEDERATED,
}

OF_ONE: Final = tuple(Caller("arn:aws:iam::000000000000:root").own())
"""The condition keys that tell one principal of an account from another, in lower case."""


class Form(IntEnum):
    """How a resource-based policy names the caller, which decides what else must allow the request.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
    """

    ACCOUNT = 1
    """Through its account: the account's identity-based policies decide."""
    ROLE = 2
    """Through its role: a permissions boundary or session policy still limits it, identity-based policies do not."""
    DIRECT = 3
    """Itself, or as everyone: no implicit denial elsewhere limits it within the account."""

    __hash__ = int.__hash__  # Enum's own is Python code, run at each look-up


class Naming(NamedTuple):
    """One way in which a Principal element names a caller.

    `found` is TRUE, UNKNOWN for a name that is not resolved yet, or FREE when it depends on the caller's session name,
    which then is `session`.
    """

    found: Truth
    form: Form
    session: str | None = None


_UNRESOLVED = Naming(Truth.UNKNOWN, Form.DIRECT)
_DIRECTLY = Naming(TRUE, Form.DIRECT)
_EVERYONE = (_DIRECTLY,)
_BY_ROLE = Naming(TRUE, Form.ROLE)
_BY_ACCOUNT = Naming(TRUE, Form.ACCOUNT)
_BY_ITSELF = {
    CallerKind.ROLE: _BY_ROLE,
    CallerKind.SESSION: _DIRECTLY,
    CallerKind.USER: _DIRECTLY,
    CallerKind.ROOT: _BY_ACCOUNT,
    CallerKind.FEDERATED_USER: _DIRECTLY,
}


@dataclass(unsafe_hash=True)
class Principals:
    """A Principal element. Nothing changes one.

    Attributes:
        everyone: whether it is or contains `*`, as a string or under AWS; the two forms are equivalent.
        bare: whether it is `*` as a string.
        aws, service, federated, canonical_user: the names under each type, as the policy has them.
        unresolved: whether the element as a whole is not resolved yet.
    """

    everyone: bool = False
    aws: tuple[str | Unknown, ...] = ()
    service: tuple[str | Unknown, ...] = ()
    federated: tuple[str | Unknown, ...] = ()
    canonical_user: tuple[str | Unknown, ...] = ()
    unresolved: bool = False
    bare: bool = field(default=False, compare=False)

    @property
    def meaning(self) -> tuple[object, ...]:
        """Whom it names, however it is written: an account by its id or by its root's ARN."""
        names = () if self.everyone else self.aws
        aws = frozenset((account_as_a_whole(one) or one) if isinstance(one, str) else one for one in names)
        others = (self.service, self.federated, self.canonical_user)
        return self.everyone, self.unresolved, aws, *map(frozenset, others)

    @lazy
    def _aws(self) -> frozenset[str | Unknown]:
        return frozenset(self.aws)

    @lazy
    def _sessions(self) -> dict[str, tuple[str, ...]]:
        """The session names listed under each `arn:...:assumed-role/name/`; no session is named with a wildcard."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.aws:
            if isinstance(name, str) and ":assumed-role/" in name:
                prefix, slash, session = name.rpartition("/")
                if not _WILD.search(session):
                    found[prefix + slash] = (*found.get(prefix + slash, ()), session)
        return found

    def names(self, caller: Caller) -> tuple[Naming, ...]:
        """Every way in which the element names the caller; empty when it does not.

        A wildcard inside a name matches nothing, as in IAM; nor does a group, or the unique id of another principal. A
        role of which no session is given is named by a session's ARN if it turns out to be that session.
        """
        if self.unresolved:
            return (_UNRESOLVED,)
        if self.everyone:
            return _EVERYONE
        if caller.kind is CallerKind.SERVICE:
            return _named_in(self.service, caller.arn)
        if caller.kind is CallerKind.FEDERATED:
            return _named_in(self.federated, caller.arn)
        found: list[Naming] = []
        names = self._aws
        if caller.arn in names:
            found.append(_BY_ITSELF[caller.kind])
        if caller.unique_id is not None and caller.unique_id in names:
            found.append(_DIRECTLY if caller.kind is CallerKind.USER else _BY_ROLE)
        if caller.kind is CallerKind.SESSION and caller.role_arn in names:
            found.append(_BY_ROLE)
        if caller.kind is CallerKind.ROLE and self._sessions:
            found.extend(Naming(Truth.FREE, Form.DIRECT, session) for session in self.sessions_of(caller))
        if caller.account in names or caller.lineage[0] in names:
            found.append(_BY_ACCOUNT)
        if UNKNOWN in names:
            found.append(_UNRESOLVED)
        return tuple(found)

    def part_of(self, other: "Principals") -> bool:
        """Whether the other surely names all that this one names."""
        named = other.everyone or (not self.everyone and {*self.aws} <= {*other.aws})
        others = all({*getattr(self, one)} <= {*getattr(other, one)} for one in ("service", "federated"))
        return self.plain and other.plain and named and others and self.canonical_user == other.canonical_user

    @property
    def plain(self) -> bool:
        """Whether all its names are known: who is not in `listed` is then not named, but for sessions of a role."""
        unknown = UNKNOWN in self.aws or UNKNOWN in self.service or UNKNOWN in self.federated
        return not (self.unresolved or unknown)

    @property
    def has_sessions(self) -> bool:
        """Whether it names sessions, by their ARNs."""
        return any(isinstance(name, str) and ":assumed-role/" in name for name in self.aws)

    @property
    def listed(self) -> frozenset[str | Unknown]:
        """The names, as `Caller.names` has them, and UNKNOWN if not all are known."""
        if not (self.service or self.federated):
            return frozenset(self.aws)
        return frozenset((*self.aws, *_typed("Service", self.service), *_typed("Federated", self.federated)))

    def form(self, caller: Caller) -> Form | None:
        """The form of a plain element that names a caller which of them demands least; None if a session's may hold."""
        if self.everyone or caller.kind in (CallerKind.SERVICE, CallerKind.FEDERATED):
            return Form.DIRECT
        namings = self.names(caller)
        return max([naming.form for naming in namings]) if all(one.found is TRUE for one in namings) else None

    def sessions_of(self, role: Caller) -> tuple[str, ...]:
        """The session names under which sessions of a role are listed."""
        return self._sessions.get(str(Arn.assumed_role(role.account, role.name, "", role.partition)), ())


def _typed(kind: str, names: tuple[str | Unknown, ...]) -> list[str]:
    return [f"{kind} {name}" for name in names if isinstance(name, str)]


def _named_in(names: tuple[str | Unknown, ...], name: str) -> tuple[Naming, ...]:
    if name in names or "*" in names:
        return _EVERYONE
    return (_UNRESOLVED,) if UNKNOWN in names else ()
