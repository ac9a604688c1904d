"""One (principal, role) pair put to the evaluation, and the door that comes of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from itertools import chain
from typing import cast

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import Document
from twokeys.access.model.door_name import DoorName
from twokeys.access.model.names import open_leaves, unknown_in
from twokeys.access.model.organization import Guards
from twokeys.access.model.principals import NOT_OURS, WITHOUT_GRANT, Identity, Outsider, Principal
from twokeys.doors.documents import KeyName
from twokeys.iam import (
    DEFAULT_PARTITION,
    UNKNOWN,
    Arn,
    Caller,
    Context,
    Outcome,
    Policies,
    PolicyDocument,
    PolicyKind,
    Request,
    Requirement,
    Statement,
    Unknown,
    Verdict,
    account_as_a_whole,
    evaluate,
    evaluate_grant,
    evaluate_trust,
    is_account,
    parse_policy,
)
from twokeys.iam.matches import meets
from twokeys.iam.matching import is_symbolic
from twokeys.iam.principals import OF_ONE
from twokeys.iam.sts import ASSUME_ROLE, PASSED, TAG_SESSION
from twokeys.iam.truth import FREE, Truth
from twokeys.iam.verdict import Why

_IS_MET, _LATER = "is met by", "a value that is not known yet"
_OVER_TLS: Mapping[str, tuple[str, ...] | Unknown] = {"aws:SecureTransport": ("true",)}
"""Of every call of STS, which has HTTPS endpoints only: https://docs.aws.amazon.com/general/latest/gr/sts.html"""
_NAMED = tuple(key for key in OF_ONE if key != "aws:principaltype")
"""What is not known of whoever has no settled name."""
_PASSED = tuple(chain.from_iterable(PASSED.values()))
_PRINCIPAL_TAG, _RESOURCE_TAG = "aws:principaltag/", ("aws:resourcetag/", "iam:resourcetag/")
_OF_PAIR = (*_PASSED, _PRINCIPAL_TAG, *_RESOURCE_TAG)
"""How the condition keys begin that are looked into where a policy asks for them."""
_ANY = cast("Unknown", FREE)
_NOBODYS_ACCOUNT = "0" * 12
_EVERYTHING = parse_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, PolicyKind.IDENTITY
)
_ADMITS = parse_policy(
    {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ASSUME_ROLE}]}, PolicyKind.TRUST
)


class Key(Enum):
    """One of a door's two keys, the trust in the target or the grant in the source, as far as it is known."""

    PRESENT = "present"
    MISSING = "missing"
    UNPROVED = "not proved"
    NOT_OURS = "not ours"
    """The grant is made in an account that is not shown to be ours: nobody here can see it, so it counts as made."""
    NOT_NEEDED = "not needed"
    """AWS itself lets the principal ask for the role: people of an identity provider hold no grant."""
    DENIED = "denied"
    """Answers say so of a missing key that a Deny, a boundary or a control policy keeps from turning."""
    NOT_SHOWN = "not shown"
    """Answers say so of the grant of whoever the management account lets into the role that AWS made: nothing that was
    read holds one."""


@dataclass(slots=True, eq=False)
class Door:
    """One way from a principal to a role. Nothing changes one.

    `asked` tells whether either side names the other by its own ARN.

    `whole` is the verdict on both keys together, where that says more than each by itself: two conditions that no
    request can meet at once.
    """

    source: Principal
    target: Principal
    trust: Verdict
    grant: Verdict
    asked: bool = False
    whole: Verdict | None = None

    @property
    def trust_key(self) -> Key:
        """Whether the role's trust policy admits the principal."""
        return _key(self.trust)

    @property
    def grant_key(self) -> Key:
        """Whether the principal's side grants it the role."""
        if self.grant.outcome is not Outcome.DENY:
            if self.source.kind in NOT_OURS:
                return Key.NOT_OURS
            if self.source.kind in WITHOUT_GRANT:
                return Key.NOT_NEEDED
        return _key(self.grant)

    @property
    def crosses(self) -> bool:
        """Whether it leads from one account into another, or in from outside every account."""
        return self.source.account != self.target.account

    @property
    def outcome(self) -> Outcome:
        """The verdict on the door: both keys across accounts, as evaluation says within one."""
        if self.whole is not None:
            return self.whole.outcome
        both = (self.trust.outcome, self.grant.outcome)
        for outcome in (Outcome.DENY, Outcome.UNKNOWN, Outcome.CONDITIONAL):
            if outcome in both:
                return outcome
        return Outcome.ALLOW

    @property
    def open(self) -> bool:
        """Whether the principal can go through, perhaps under conditions."""
        return self.outcome in (Outcome.ALLOW, Outcome.CONDITIONAL)

    @property
    def perhaps(self) -> bool:
        """Whether nothing that is known keeps it shut, or proves it open."""
        return self.outcome is Outcome.UNKNOWN

    @property
    def id(self) -> DoorName:
        """How people and exceptions name the door: `<source ARN> -> <target ARN>`."""
        return DoorName(self.source.arn, self.target.arn)


class Judge:
    """Puts one (principal, role) pair to the evaluation, with everything that bears on it.

    `with_mfa` is for callers who bring a code of their MFA device.
    """

    def __init__(self, guards: Guards, accounts: Accounts, *, with_mfa: bool = False) -> None:
        self._guards = guards
        self._accounts = accounts
        self._with_mfa = with_mfa
        self._contexts: dict[tuple[Unknown | None, str, str], Context] = {}
        self._callers: dict[Identity, tuple[Caller, Policies]] = {}
        self._classes: dict[Identity, int] = {}
        self._numbers: dict[object, int] = {}
        self._asked: dict[int, frozenset[str]] = {}

    def door(self, source: Identity | Outsider, target: Principal, *, asked: bool = False) -> Door:
        """The door between two principals, judged: each key on its own, or as AWS does within one account."""
        if isinstance(source, Outsider):
            return self._from_outside(source, target)
        caller, held = self._of(source)
        request = Request(caller, ASSUME_ROLE, target.arn, self._context(source, target))
        admits = target.trust_policy
        rcps = self._guards.rcps(target.account)
        if source.account == target.account:
            verdict = settled(evaluate, request, held.on(admits, rcps))
            return Door(source, target, verdict, verdict, asked)
        trust = _admitted(request, Policies(identity=(_EVERYTHING,), trust=admits, rcps=rcps))
        grant = settled(evaluate_grant, request, held)
        whole = None
        keys = (trust.outcome, grant.outcome)
        if Outcome.DENY not in keys and Outcome.ALLOW not in keys:
            verdict = evaluate(request, held.on(admits, rcps))
            if verdict.outcome is Outcome.DENY:
                whole = verdict
        return Door(source, target, trust, grant, asked, whole)

    def from_management(self, role: Principal) -> Door | None:
        """The door of whoever the management account grants a role; None where nothing tells which account that is."""
        management = self._accounts.management
        if management is None:
            return None
        root = str(Arn.root(management, self._accounts.partition(management)))
        return self._from_outside(Outsider(root, "outsider", management, "root"), role)

    def bound(self, account: str, action: str, resource: str, caller: Caller | None = None) -> Verdict:
        """What the control policies of an account let a caller with every permission do; None: whoever it is."""
        somebody = str(Arn.iam("role", account, "somebody", partition=self._accounts.partition(account)))
        context = Context() if caller else Context(values=dict.fromkeys(OF_ONE, _ANY))
        policies = Policies(identity=(_EVERYTHING,), scps=self._guards.scps(account))
        return evaluate_grant(Request(caller or Caller(somebody), action, resource, context), policies)

    def between(self, one: str, other: str) -> Door:
        """The door of a role in one account, or unit, into one in another, whose own policies allow everything."""
        return self.door(self._somebody(one), self._somebody(other))

    def _somebody(self, place: str) -> Identity:
        account = place if is_account(place) else _NOBODYS_ACCOUNT
        arn = Arn.iam("role", account, "somebody", partition=self._accounts.partition(account))
        trust, allowed = Document(_ADMITS, "trust policy"), Document(_EVERYTHING, "policy")
        return Identity(str(arn), "role", place, "somebody", trust=trust, documents=[allowed])

    def granted(self, source: Identity, target: Principal, action: str) -> Verdict:
        """Whether the source's side alone grants it another action on a target."""
        caller, held = self._of(source)
        return evaluate_grant(Request(caller, action, target.arn, self._context(source, target)), held)

    def if_granted(self, source: Identity, target: Principal) -> Door:
        """The door as if the source's own policies allowed everything: what its boundary and the SCPs leave of it."""
        verdict = self._granted_by((_EVERYTHING,), source, target)
        return Door(source, target, verdict, verdict)

    def granted_already(self, source: Identity, target: Principal) -> bool:
        """Whether those of the source's own policies that are known grant it the role: one that is not may but deny."""
        known = tuple(one.policy for one in source.all_documents if one.policy is not UNKNOWN)
        return self._granted_by(known, source, target).outcome in (Outcome.ALLOW, Outcome.CONDITIONAL)

    def _granted_by(self, identity: tuple[PolicyDocument, ...], source: Identity, target: Principal) -> Verdict:
        """Whether the source would be granted the role if these were all of its own policies."""
        caller, held = self._of(source)
        request = Request(caller, ASSUME_ROLE, target.arn, self._context(source, target))
        return settled(evaluate_grant, request, replace(held, identity=identity))

    def excluding(self, source: Identity, target: Principal, key: KeyName) -> list[str]:
        """The conditions of a key's document that keep a caller out who is named there.

        Each with what the caller has of it where that is settled; where none fails by itself, all of them together.
        """
        caller, held = self._of(source)
        request = Request(caller, ASSUME_ROLE, target.arn, self._context(source, target))
        found: list[str] = []
        policies = (target.trust_policy,) if key == "trust" else held.identity
        known = [policy for policy in policies if isinstance(policy, PolicyDocument)]
        for document, one in [(each, one) for each in known for one in each.statements]:
            bare = replace(document, statements=(replace(one, conditions=()),))
            alone = Policies(identity=(bare,))
            verdict = evaluate_trust(request, bare) if key == "trust" else evaluate_grant(request, alone)
            if verdict.outcome in (Outcome.ALLOW, Outcome.CONDITIONAL):
                failing = [clause for clause in one.conditions if meets(clause, request) is Truth.FALSE]
                for clause in failing or one.conditions:
                    has = request.lookup(clause.lower_key)
                    said = f" (it has {', '.join(has) or 'none'})" if isinstance(has, tuple) else ""
                    for action, keys in PASSED.items():
                        if said and clause.lower_key.startswith(keys):
                            said = f" (both sides have to allow {action} for it to pass that)"
                    found.append(f"{clause.requirement()}{said}")
        return list(dict.fromkeys(found))

    def steps(self, sources: Iterable[Identity], target: Principal) -> Iterator[Door]:
        """The doors of many principals of a role's own account, in time near to linear in their number.

        Those whom nothing that bears on the role tells apart share an outcome; the reasons are worked out for each when
        they are asked for. They come by a trust in everyone, without a grant, so that only denials bear on it.
        """
        resource = _Likeness((target.trust_policy, *chain.from_iterable(self._guards.rcps(target.account))))
        outcomes: dict[object, Outcome] = {}
        for source in sources:
            caller, _ = self._of(source)
            request = Request(caller, ASSUME_ROLE, target.arn, self._context(source, target))
            alike = (self._alike(source, request), resource.of(request), *map(request.lookup, _PASSED))
            if alike not in outcomes:
                outcomes[alike] = self.door(source, target).outcome
            verdict = Verdict(outcomes[alike], partial(self._why, source, target))
            yield Door(source, target, verdict, verdict)

    def _why(self, source: Identity, target: Principal) -> Why:
        return self.door(source, target).trust.why

    def _alike(self, source: Identity, request: Request) -> object:
        """What of a principal's own side bears on a role of its account: equal for those who are judged alike."""
        found = self._classes.get(source)
        if found is None:
            caller, held = self._of(source)
            own = (*held.identity, held.boundary)
            bearing = [place for place, one in enumerate(own) if _bears(one)]
            likeness = _Likeness((*(own[place] for place in bearing), *chain.from_iterable(held.scps)))
            documents = tuple([(place, id(own[place])) for place in bearing])
            what = (caller.kind, caller.ordinary, held.boundary is None, documents, likeness.of(request))
            found = self._classes[source] = self._numbers.setdefault(what, len(self._numbers))
        return found

    def _from_outside(self, source: Outsider, target: Principal) -> Door:
        """The door of an outsider or of everyone: its grant is made where nobody here can see it.

        A principal that stands for many is judged as one of whom nothing is known but its account or organization. Of
        an account that is surely none of ours, aws:PrincipalOrgID is absent, or another's.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
        """
        ours = self._accounts.organization if source.account and self._accounts.is_foreign(source.account) else None
        never = {"aws:principalorgid": ours, "aws:principalorgpaths": f"{ours}/"} if ours else {}
        account = account_as_a_whole(source.arn)
        arn = Arn.parse(source.arn)
        named = arn is not None and account is None
        stand_in = Arn.iam("role", account or _NOBODYS_ACCOUNT, "somebody", partition=_partition(target))
        values: dict[str, tuple[str, ...] | Unknown] = {} if named else dict.fromkeys(OF_ONE, _ANY)
        begins: dict[str, str] = {}
        if not named and account is None:
            values["aws:PrincipalAccount"] = _ANY
            if source.kind == "outsider":
                values["aws:PrincipalOrgID"] = (source.arn,)
                begins["aws:principalorgpaths"] = f"{source.arn}/"
        caller = Caller(source.arn if named else str(stand_in))
        context = self._in_organization(source, "Principal", Context(values, begins=begins, never=never))
        trust = self.admitted(source, target, caller, ASSUME_ROLE, context)
        why = "it is made in an account that is not shown to be ours, where nobody here can see it"
        return Door(source, target, trust, Verdict.of_rule(Outcome.ALLOW, "grant", why))

    def admitted(self, source: Principal, target: Principal, caller: Caller, action: str, context: Context) -> Verdict:
        """Whether a role's side lets in a caller whose grant nobody has to see, with what is known of the role."""
        policies = Policies(identity=(_EVERYTHING,), trust=target.trust_policy, rcps=self._guards.rcps(target.account))
        context = self._of_pair(source, target, caller, policies, self._in_organization(target, "Resource", context))
        return _admitted(Request(caller, action, target.arn, context), policies)

    def _context(self, source: Identity, target: Principal) -> Context:
        """Nothing is said of the request, and of a group's member not even the name; but whose the target is.

        A principal without a settled name has an ARN that nobody knows yet, and conditions on it are open.

        An account that the stack works in, makes or lists is of its organization.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceorgid
        """
        nameless = _ANY if source.kind == "group" else UNKNOWN if source.unsettled else None
        which = (nameless, source.account, target.account)
        context = self._contexts.get(which)
        if context is None:
            mfa = {"aws:MultiFactorAuthPresent": ("true",)} if self._with_mfa else {}
            context = Context({**(dict.fromkeys(_NAMED, nameless) if nameless else {}), **mfa})
            for whose, one in (("Principal", source), ("Resource", target)):
                context = self._in_organization(one, whose, context)
            self._contexts[which] = context
        caller, held = self._of(source)
        held = held.on(target.trust_policy, self._guards.rcps(target.account))
        return self._of_pair(source, target, caller, held, context)

    def _in_organization(self, one: Principal, whose: str, context: Context) -> Context:
        """The context with the organization of a caller or a target, and with its path there, or how that begins."""
        values: dict[str, tuple[str, ...] | Unknown] = {**_OVER_TLS, **context.values}
        organization = self._organization_of(one)
        if organization is None:
            return replace(context, values=values)
        path, whole = self._guards.path(one.account)
        key, path = f"aws:{whose}OrgPaths", f"{organization}/{path}"
        values |= {f"aws:{whose}OrgID": (organization,)} | ({key: (path,)} if whole else {})
        return replace(context, values=values, begins={**context.begins, key.lower(): path})

    def _of_pair(
        self, source: Principal, target: Principal, caller: Caller, policies: Policies, context: Context
    ) -> Context:
        """The context with the tags that a policy asks for and that are known.

        Without session tags or source identity where one asks for those and none may be passed; others than IAM's users
        and roles have no tags but what they pass.
        https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
        """
        levels = chain.from_iterable((*policies.scps, *policies.rcps))
        asked: frozenset[str] = frozenset().union(
            *map(self._asked_in, (*policies.identity, policies.trust, policies.boundary, *levels))
        )
        if tags := dict(self._tags(source, target, asked)):
            context = replace(context, values={**context.values, **tags})
        absent: dict[str, tuple[str, ...]] = {}
        for action, keys in PASSED.items() if asked else ():
            tagged = (_PRINCIPAL_TAG,) if action == TAG_SESSION and source.kind in WITHOUT_GRANT else ()
            some = [key for key in asked if key.startswith((*keys, *tagged))]
            request = Request(caller, action, target.arn, context)
            if some and evaluate(request, policies).outcome is Outcome.DENY:
                absent |= dict.fromkeys((*some, *keys), ())
        return replace(context, values={**context.values, **absent}) if absent else context

    def _asked_in(self, policy: PolicyDocument | Unknown | None) -> frozenset[str]:
        """The keys about tags and about what a caller passes that a policy asks for."""
        if not isinstance(policy, PolicyDocument):
            return frozenset()
        if id(policy) not in self._asked:
            keys = [clause.keys for one in policy.statements for clause in one.conditions]
            keys += [pattern.keys for one in policy.statements for pattern in one.resource_patterns]
            self._asked[id(policy)] = frozenset(key for key in chain.from_iterable(keys) if key.startswith(_OF_PAIR))
        return self._asked[id(policy)]

    def _tags(
        self, source: Principal, target: Principal, asked: Iterable[str]
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The tags that some keys are about, as far as they are settled; none is the empty tuple.

        A tag of a role stands unless the session has another of its key, which the role's trust policy has to allow.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principaltag
        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
        """
        for key in asked:
            of_source = key.startswith(_PRINCIPAL_TAG)
            tags = source.tags if of_source else target.tags if key.startswith(_RESOURCE_TAG) else None
            if tags is None or (of_source and self._may_be_tagged(source)):
                continue
            value = tags.get(key.partition("/")[2], ())
            if value == ():
                yield key, ()
            elif isinstance(value, str) and not is_symbolic(value):
                yield key, (value,)

    def _may_be_tagged(self, source: Principal) -> bool:
        """Whether sessions of a principal may have tags of their own, which go before those of the role."""
        trust = source.trust_policy
        if source.kind != "role" or isinstance(trust, Unknown):
            return source.kind != "user"
        return bool(trust.unresolved) or any(
            one.effect != "Deny" and one.covers_action(TAG_SESSION.lower()) is not Truth.FALSE
            for one in trust.statements
        )

    def _organization_of(self, principal: Principal) -> str | None:
        """The id of a principal's organization; one that is to come may be any that a policy names."""
        organization = self._accounts.organization or ""
        ours = organization.startswith("o-") and self._accounts.is_ours(principal.account)
        return organization if ours else None

    def _of(self, source: Identity) -> tuple[Caller, Policies]:
        found = self._callers.get(source)
        if found is None:
            found = self._callers[source] = source.caller, held_by(source, self._guards)
        return found


def _admitted(request: Request, policies: Policies) -> Verdict:
    """Whether a role's side lets a caller in whose own policies allow all: its trust policy, as RCPs limit it."""
    verdict = settled(lambda asked, held: evaluate_trust(asked, held.trust), request, policies)
    return settled(evaluate, request, policies) if policies.rcps and verdict.outcome is not Outcome.DENY else verdict


def hangs_on(door: Door, guards: Guards) -> Iterator[Document]:
    """The documents that bear on a door and of which something that matters for it is not known."""
    trust = (door.target.trust,) if door.target.trust else ()
    for one in (*trust, *door.source.bearing, *guards.bind(door.source.account), *guards.bind(door.target.account)):
        policy = one.policy
        known = isinstance(policy, PolicyDocument) and not open_leaves(policy, trust=one in trust)
        if not known or widest(policy) is not policy:
            yield one


def held_by(holder: Identity, guards: Guards) -> Policies:
    """What bears on the calls of a principal on its own side: its policies, its boundary, its account's SCPs."""
    return Policies(
        identity=tuple([document.policy for document in holder.all_documents]),
        boundary=holder.boundary.policy if holder.boundary else None,
        scps=guards.scps(holder.account),
    )


def settled(judged: Callable[[Request, Policies], Verdict], request: Request, policies: Policies) -> Verdict:
    """A verdict that waits for nothing but conditions which can only narrow it is one under those conditions."""
    verdict = judged(request, policies)
    if verdict.outcome is not Outcome.UNKNOWN:
        return verdict
    trust = policies.trust if policies.trust is None else widest(policies.trust)
    scps, rcps = (
        tuple(tuple(widest(one) for one in level if one is not UNKNOWN) for level in levels)
        for levels in (policies.scps, policies.rcps)
    )
    wide = replace(policies, trust=trust, identity=tuple(map(widest, policies.identity)), rcps=rcps, scps=scps)
    at_most = judged(request, wide)
    if at_most.outcome not in (Outcome.ALLOW, Outcome.CONDITIONAL):
        return verdict
    waiting = tuple(Requirement(_IS_MET, unknown, (_LATER,)) for unknown in verdict.unknowns)
    return Verdict(Outcome.CONDITIONAL, Why((*at_most.requirements, *waiting), decisions=at_most.decisions))


class _Likeness:
    """What policies can tell two principals of one account apart by, in what they say of sts:AssumeRole."""

    def __init__(self, policies: Iterable[PolicyDocument | Unknown | None]) -> None:
        documents = dict.fromkeys(one for one in policies if isinstance(one, PolicyDocument))
        statements = [one for document in documents for one in document.statements if _about_roles(one)]
        clauses = [clause for one in statements for clause in one.conditions]
        patterns = [pattern for one in statements for pattern in one.resource_patterns]
        named = [one.principals for one in statements if one.principals is not None]
        keys = [key for clause in clauses if len(clause.keys) > 1 for key in clause.keys]
        keys += [key for pattern in patterns for key in pattern.keys]
        self._clauses = [clause for clause in clauses if len(clause.keys) == 1]
        self._keys = sorted({*keys})
        self._listed = frozenset().union(*(one.listed for one in named))
        self._sessions = any(one.has_sessions for one in named)

    def of(self, request: Request) -> object:
        """What they tell of a caller: who is told the same of is judged alike."""
        caller, lookup = request.caller, request.lookup
        return (
            caller.arn if self._sessions else None,
            caller.names & self._listed,
            tuple([meets(clause, request) for clause in self._clauses]),
            tuple(map(lookup, self._keys)),
        )


def _about_roles(statement: Statement) -> bool:
    return statement.covers_action(ASSUME_ROLE) is not Truth.FALSE


def _bears(policy: PolicyDocument | Unknown | None) -> bool:
    """Whether a policy of a caller who holds no grant may matter to a role that admits everyone."""
    if not isinstance(policy, PolicyDocument):
        return policy is UNKNOWN
    return bool(policy.unresolved) or any(
        _waits(one) or (_about_roles(one) and (one.effect == "Deny" or any(map(unknown_in, _elements(one)))))
        for one in policy.statements
    )


def widest(policy: PolicyDocument | Unknown) -> PolicyDocument | Unknown:
    """A document as if what is not known yet let everybody pass: a condition of an Allow is met, a Deny is not.

    An unknown Version lets nobody in either: it says whether `${...}` is a variable.
    """
    if isinstance(policy, Unknown) or not (policy.unresolved or any(map(_waits, policy.statements))):
        return policy
    kept = [one for one in policy.statements if one.effect == "Allow" or not _waits(one)]
    statements = tuple(_without_open_conditions(one) if _waits(one) else one for one in kept)
    unresolved = tuple(path for path in policy.unresolved if path != "Version")
    return replace(policy, statements=statements, unresolved=unresolved)


def _waits(statement: Statement) -> bool:
    """Whether something in a statement is not known yet that can only narrow: a condition, or any part of a Deny."""
    if statement.unresolved or any(UNKNOWN in clause.values for clause in statement.conditions):
        return True
    return statement.effect == "Deny" and any(map(unknown_in, _elements(statement)))


def _elements(statement: Statement) -> Iterator[Iterable[object] | None]:
    yield from (statement.actions, statement.not_actions, statement.resources, statement.not_resources)
    if statement.principals is not None:
        yield (UNKNOWN,) if statement.principals.unresolved else statement.principals.aws


def _without_open_conditions(statement: Statement) -> Statement:
    known = tuple(clause for clause in statement.conditions if UNKNOWN not in clause.values)
    effect = tuple(path for path in statement.unresolved if path.endswith(".Effect"))
    return replace(statement, conditions=known, unresolved=effect)


def _partition(principal: Principal) -> str:
    arn = Arn.parse(principal.arn)
    return arn.partition if arn else DEFAULT_PARTITION


def _key(verdict: Verdict) -> Key:
    if verdict.outcome is Outcome.DENY:
        return Key.MISSING
    return Key.UNPROVED if verdict.outcome is Outcome.UNKNOWN else Key.PRESENT
