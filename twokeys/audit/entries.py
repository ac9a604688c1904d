"""Who can enter an account: the access graph's answer, with where each key stands and since when.

Who may enter is decided by `twokeys.access` alone. Here its doors and paths are put in words for an auditor, each key
with its place: the resource, the statement in its document, and when the resource was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from twokeys.access import environment
from twokeys.access.accounts import ROLE
from twokeys.access.declared_doors import DeclaredDoors, who, without_path
from twokeys.access.graph import Door, Graph, Key
from twokeys.access.keys import Lack, Statement, statements
from twokeys.access.names import EVERYONE
from twokeys.access.paths import Path, paths_from
from twokeys.access.principals import USER, Principal
from twokeys.access.report import access_roles
from twokeys.access.requirements import in_words
from twokeys.audit.keys import Places
from twokeys.audit.model import Caller, Entry, KeyPlace, NotProved, Picture, Step
from twokeys.doors import Door as Declaration
from twokeys.errors import Refusal
from twokeys.iam import Outcome, Verdict

_TARGET = re.compile(r" -> arn:[^:]+:iam::(\d{12}|account:[A-Za-z0-9_-]+):")
_ROLE = re.compile(r"arn:[^:]+:iam::(\d{12}|account:[A-Za-z0-9_-]+):role/.+")
_ENDS = re.compile(
    r"(?:arn:[^:]+:iam::(?P<account>\d{12}|account:[A-Za-z0-9_-]+):(?:root|(?P<kind>role|user|group)/(?P<name>\S+))"
    r"|\*) -> arn:[^:]+:iam::(?P<target>\d{12}|account:[A-Za-z0-9_-]+):role/(?P<role>\S+)"
)
CHAINED_SESSION = 3600
"""Seconds that a session lasts at most when a role's session asked for it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""


def picture(graph: Graph, target: str | None = None) -> Picture:
    """Who can enter the accounts that `target` names: an id, a name, an environment or a stack; None means all.

    What cannot be told (an unknown document, a grant in an account that nobody shows) is among `not_proved`, never left
    out. Raises Refusal when `target` names no account.
    """
    accounts = _accounts(graph, target)
    return _Reader(graph, accounts).read(target or "every account")


def _accounts(graph: Graph, target: str | None) -> frozenset[str]:
    known = _known(graph)
    if target is None:
        return known
    wanted = {target.lower(), environment.canonical(target).lower()}
    found = frozenset(account for account in known if wanted & _names(graph, account))
    if not found:
        names = sorted({name for account in known for name in _names(graph, account)})
        raise Refusal(
            f"no account is called {target}",
            where=graph.snapshot.origin,
            why=f"it shows {', '.join(names) or 'no account'}",
            next_step="name an account by id or name, an environment or a stack; or give the states that show it",
        )
    return found


def _known(graph: Graph) -> frozenset[str]:
    return graph.accounts.held | graph.accounts.members


def _names(graph: Graph, account: str) -> set[str]:
    """What an account may be called: id, name, environment, and the stack that makes it; in lower case.

    The management account is in no environment: providers of every environment's stack work in it.
    """
    if account == graph.accounts.management:
        return {account, "management"}
    inside, resource = graph.accounts.environment(account), graph.accounts.resource(account)
    names = {account, inside, environment.canonical(inside) if inside else None}
    if resource is not None:
        names |= {resource.name, resource.text("name"), resource.urn.removeprefix("urn:pulumi:").partition("::")[0]}
    return {name.lower() for name in names if name}


@dataclass(frozen=True)
class _Reader:
    graph: Graph
    accounts: frozenset[str]

    def read(self, target: str) -> Picture:
        entries = [*self._paths(), *self._access_roles()]
        entries.sort(key=lambda one: (self._name(one.account), one.role, len(one.steps), str(one.who)))
        return Picture(
            target=target,
            origin=self.graph.snapshot.origin,
            accounts={account: self._name(account) for account in sorted(self.accounts)},
            entries=tuple(entries),
            not_proved=tuple(self._not_proved()),
            federated=tuple(self._federated()),
            names={account: self._name(account) for account in _known(self.graph)},
            principals=dict(self._unique_ids()),
        )

    def _name(self, account: str) -> str:
        if account == self.graph.accounts.management and self.graph.accounts.resource(account) is None:
            return f"management ({account})"
        return self.graph.accounts.name(account)

    def _caller(self, principal: Principal) -> Caller:
        one = who(principal)
        return Caller(one.kind, one.account, one.name, principal.arn, self._name(one.account))

    def _paths(self) -> Iterator[Entry]:
        """One entry a path. A group's is left out where those of its members are there."""
        declared, places = DeclaredDoors(self.graph), Places(self.graph)
        joined = {group for principal in self.graph.principals for group in principal.groups}
        for path in paths_from(self.graph, lambda start: start not in joined):
            if path.target.account in self.accounts:
                yield self._entry(path, declared, places)

    def _entry(self, path: Path, declared: DeclaredDoors, places: Places) -> Entry:
        last, declarations = path.doors[-1], [_declaration(door, declared) for door in path.doors]
        about = declarations[-1]
        longest = (about.max_session_seconds if about else None) or declared.session_of(last.target)
        if last.source.kind == "role" and longest is not None:
            longest = min(longest, CHAINED_SESSION)
        return Entry(
            who=self._caller(path.source),
            account=path.target.account,
            account_name=self._name(path.target.account),
            role=path.target.name,
            role_arn=path.target.arn,
            verdict=_worst(door.outcome for door in path.doors).value,
            conditions=tuple(dict.fromkeys(chain.from_iterable(map(_conditions, path.doors)))),
            steps=tuple(self._step(door, places) for door in path.doors),
            max_session_seconds=longest,
            name=about.name if about else None,
            reason=about.reason if about else None,
            owner=about.owner if about else None,
            expires=min((one.expires for one in declarations if one and one.expires), default=None),
        )

    def _step(self, door: Door, places: Places) -> Step:
        return Step(
            source=self._caller(door.source),
            target=self._caller(door.target),
            conditions=_conditions(door),
            trust=places.of_trust(door),
            grants=places.of_grant(door),
        )

    def _access_roles(self) -> Iterator[Entry]:
        """AWS's own access roles: whoever the management account grants them may enter."""
        management = self.graph.accounts.management
        if management is None:
            root = Caller("root", "", "", account_name="management (which one it is, is not told)")
        else:
            root = Caller("root", management, "", f"arn:aws:iam::{management}:root", self._name(management))
        for arn in access_roles(self.graph):
            found = _ROLE.fullmatch(arn)
            account = self.graph.accounts.canonical(found.group(1)) if found else ""
            if account not in self.accounts:
                continue
            role, made = without_path(arn), self.graph.accounts.resource(account)
            trust = KeyPlace(
                document=f"trust policy that AWS gave role {role} when it made the account",
                urn=made.urn if made else None,
                created=made.created if made else None,
            )
            target = Caller("role", account, role, arn, self._name(account))
            yield Entry(
                who=root,
                account=account,
                account_name=self._name(account),
                role=role,
                role_arn=arn,
                verdict=Outcome.ALLOW.value,
                conditions=("a grant in that account",),
                steps=(Step(root, target, (), trust, ()),),
                name="AWS's own access role",
            )

    def _not_proved(self) -> Iterator[NotProved]:
        """What the graph cannot prove shut, and trusts in accounts whose grants nobody here can see."""
        told = list(statements(self.graph))
        for statement in told:
            if statement.lack is Lack.PROOF and self._concerns(statement):
                yield self._unproved(statement.message, statement.next_step, statement.door, statement.urn)
        said = {statement.door for statement in told}
        for door in self.graph.doors:
            unsure = door.outcome is Outcome.UNKNOWN and Key.MISSING not in (door.trust_key, door.grant_key)
            if unsure and door.asked and door.target.account in self.accounts and door.id not in said:
                why = "; ".join((*door.trust.unknowns, *door.grant.unknowns))
                about = f"Whether {door.source.arn} can enter {door.target.arn} is not known: {why}"
                step = "update the stack, so that what it hangs on is known"
                yield self._unproved(about, step, door.id, door.target.urn)
        for trust in self.graph.open_trusts:
            if trust.account is None and trust.role.account in self.accounts:
                about = (
                    f"Role {trust.role.arn} trusts everyone: whoever in AWS is granted it may enter, unless a "
                    "condition of that trust keeps them out"
                )
                step = "trust those who shall enter by their ARNs"
                yield self._unproved(about, step, f"{EVERYONE} -> {trust.role.arn}", trust.role.urn)

    def _unproved(self, about: str, step: str, door: str, urn: str | None) -> NotProved:
        ends = _ENDS.fullmatch(door)
        if ends is None:
            return NotProved(about, step, door, urn)
        canonical, account = self.graph.accounts.canonical, ends["account"]
        if account is None:
            source = Caller("everyone", "", "")
        else:
            account = canonical(account)
            kind, name = ends["kind"] or "root", without_path(ends["name"] or "")
            source = Caller(kind, account, name, account_name=self._name(account))
        target = canonical(ends["target"])
        role = Caller("role", target, without_path(ends["role"]), account_name=self._name(target))
        return NotProved(about, step, door, urn, source, role)

    def _concerns(self, statement: Statement) -> bool:
        target = _TARGET.search(statement.door)
        return target is None or self.graph.accounts.canonical(target.group(1)) in self.accounts

    def _federated(self) -> Iterator[Caller]:
        """Identity providers that roles of the accounts trust: whom they let in, they say themselves."""
        for role in self.graph.roles:
            policy = role.trust.policy if role.trust and role.account in self.accounts else None
            for statement in getattr(policy, "statements", ()):
                if statement.effect == "Allow" and statement.principals is not None:
                    for provider in statement.principals.federated:
                        yield Caller("federated", role.account, f"{provider} as role {role.name}", str(provider), "")

    def _unique_ids(self) -> Iterator[tuple[str, Caller]]:
        """Principals by the unique id that CloudTrail names them by in the other account."""
        by_urn = {principal.urn: principal for principal in self.graph.principals if principal.urn}
        for resource in self.graph.snapshot.of_type(ROLE, USER):
            unique, principal = resource.text("uniqueId"), by_urn.get(resource.urn)
            if unique is not None and principal is not None:
                yield unique, self._caller(principal)


def _declaration(door: Door, declared: DeclaredDoors) -> Declaration | None:
    source, target = door.source, door.target
    return declared.of(who(source), map(who, source.groups), who(target))


def _conditions(door: Door) -> tuple[str, ...]:
    keys: tuple[Verdict, ...] = (door.trust, door.grant)
    return tuple(dict.fromkeys(in_words(one) for key in keys for one in key.requirements))


def _worst(outcomes: Iterable[Outcome]) -> Outcome:
    return Outcome.CONDITIONAL if Outcome.CONDITIONAL in tuple(outcomes) else Outcome.ALLOW
