"""From the access graph to the answers: who can enter, with where each key stands and since when.

Who may enter is decided by `twokeys.access` alone. Here its doors and ways are put in words for people, each key with
its place: the resource, the statement in its document, and when the resource was made.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import chain

from twokeys.access import graph as access
from twokeys.access.declared_doors import DeclaredDoors, who
from twokeys.access.federated import by_every_anchor
from twokeys.access.graph import Graph
from twokeys.access.identity_center import ASSIGNMENT, MEMBERSHIP, PERMISSION_SET, POLICIES_OF_SETS
from twokeys.access.judge import Key
from twokeys.access.keys import Lack, Statement, denial, statements
from twokeys.access.model.access_roles import is_as_aws_made_it
from twokeys.access.model.accounts import id_of
from twokeys.access.model.documents import Document
from twokeys.access.model.names import admits_services
from twokeys.access.model.organization import CONTROL_POLICIES, CONTROL_POLICY
from twokeys.access.model.principals import IDENTITY_PROVIDERS, Principal
from twokeys.access.model.requirements import MFA, MFA_BUT_OF_KEYS, denied_since, in_words, pauses, window
from twokeys.access.paths import Path, paths_from, without_conditions
from twokeys.access.reading import tokens
from twokeys.access.reading.since import Since
from twokeys.access.reading.snapshot import STACK, Resource, Snapshot, items, mapping, place_of, project_of
from twokeys.access.reading.tokens import (
    CONTROL_POLICY_ATTACHMENT,
    CREDENTIALS,
    MANAGED_POLICY,
    MFA_DEVICE,
    ORGANIZATION,
    ROLE,
    USER,
)
from twokeys.access.root_sessions import FEATURES
from twokeys.answers.account_names import AccountNames
from twokeys.answers.model import (
    ACCESS_KEY,
    ANY_ANCHOR,
    BOUNDARY,
    KEPT_BY_ID,
    NOT_SHOWN_INSIDE,
    OUTSIDE,
    PASSWORD,
    Answers,
    DoorAnswer,
    KeyPlace,
    LongTerm,
    NotProved,
    Party,
    Portal,
    Step,
    Way,
)
from twokeys.answers.permissions import Level, Permissions, permissions
from twokeys.answers.places import Places
from twokeys.answers.summary import SHORT
from twokeys.doors import DeclaredDoor, Who
from twokeys.doors.who import ROLES_ANYWHERE
from twokeys.iam import Arn, Outcome, PolicyKind, Unknown, Verdict
from twokeys.iam.sts import CHAINED_SECONDS
from twokeys.iam.subjects import misspelt_subject

ROOT_SESSION = 900
"""Seconds that a session of sts:AssumeRoot lasts at most.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
"""
_CALLER = "parent_caller_arn"
_LONG_TERM = {tokens.PASSWORD: PASSWORD, tokens.ACCESS_KEY: ACCESS_KEY}
_TAKES = {"clientIdLists": "client ID", "thumbprintLists": "thumbprint", "samlMetadataDocument": "metadata of sha256"}
_STORE = ("aws:identitystore/user:User", "aws:identitystore/group:Group")


def read(graph: Graph, name: str | None = None) -> Answers:
    """The answers of a graph, about every account that it shows; `name` is what the organization is called.

    What cannot be proved (an unknown document, a grant in an account that nobody shows) is among `not_proved`, never
    left out.
    """
    return _Reader(graph).read(name)


class _Reader:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._accounts = graph.accounts
        self._declared = DeclaredDoors(graph)
        self._places = Places(graph)
        self._names = AccountNames(graph)
        self._members = {one.source: one.members for one in graph.identity_center.assignments}
        self._permissions: dict[Principal, Permissions] = {}
        self._statements = list(statements(graph))
        self._open_to = {
            (found.role, source): name
            for found in graph.federated
            for subject, source in found.sources.items()
            if (name := found.open_by(subject))
        }
        self._no_token = {
            (found.role, source): f"a subject {misspelt.why}"
            for found in graph.federated
            for wanted in found.federation.subject.values
            if (source := found.sources.get(wanted.text)) is not None and source.kind == "web-identity"
            if (misspelt := misspelt_subject(found.federation.prefix, wanted)) is not None
        }

    def read(self, name: str | None) -> Answers:
        snapshot = self._graph.snapshot
        organization = next(snapshot.of_type(ORGANIZATION), None)
        identity = id_of(organization) if organization else None
        ways = list(self._ways())
        entered = {way.target.who for way in ways}
        made_by_aws, by_trust = list(self._by_management()), list(self._by_trust())
        ways += [one for one in made_by_aws if one.target.who not in entered]
        if not self._everybody_is_shown:
            ways += [one for one in by_trust if one.source.who.kind != "root"]
        doors = list(self._doors())
        return Answers(
            origin=snapshot.origin,
            name=name or (f"Organization {identity}" if identity else "Organization"),
            accounts={one.id: one for one in (*self._names.others(ways), *self._names.ours())},
            ways=tuple(sorted(ways, key=_way_order)),
            doors=tuple(sorted(doors, key=_door_order)),
            not_proved=tuple(self._not_proved()),
            within=tuple(sorted(self._within(), key=_way_order)),
            if_granted=(*made_by_aws, *by_trust),
            long_term=tuple(self._long_term()),
            units=tuple(sorted(set(self._names.units.values()))),
            memberships=tuple(dict.fromkeys(self._memberships())),
            principals=dict(self._unique_ids()),
            portal=_portal(snapshot),
            ids=dict(self._accounts.ids),
            names=dict(self._names.said),
            shown=frozenset(one.account for one in self._graph.principals if one.urn),
            users=frozenset(who(one) for one in self._graph.principals if one.urn and one.kind == "user"),
            trusting=self._trusting(),
            assigners=frozenset(self._assigners()),
            written=self._written(),
            holds={**dict(self._holds()), **dict(self._organization_holds())},
            evidence=snapshot.evidence,
            from_states=snapshot.is_state,
            without_state=snapshot.without_state,
            unfinished=snapshot.unfinished,
            updated_by=tuple(
                dict.fromkeys(
                    arn
                    for one in snapshot.of_type(STACK)
                    if _CALLER not in one.secrets and (arn := one.text(_CALLER)) is not None
                )
            ),
            controls={one: tuple(self._graph.guards.bind(one)) for one in self._accounts.members if organization},
            no_service=frozenset(
                who(role)
                for role in self._graph.roles
                if not isinstance(role.trust_policy, Unknown) and not admits_services(role.trust_policy)
            ),
            providers=dict(self._providers()),
        )

    def _trusting(self) -> dict[Who, frozenset[str]]:
        found: dict[Who, set[str]] = {who(role): set() for role in self._graph.roles}
        for trust in self._graph.open_trusts:
            if trust.account not in (None, trust.role.account) and trust.role.urn is not None:
                found[who(trust.role)].add(trust.account)
        return {role: frozenset(accounts) for role, accounts in found.items()}

    def _assigners(self) -> Iterator[str]:
        """Who administers IAM Identity Center there can assign anybody anywhere but in the management account.

        https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html
        """
        for resource in self._graph.snapshot.of_type("aws:organizations/delegatedAdministrator:DelegatedAdministrator"):
            account = resource.text("accountId")
            if account and resource.text("servicePrincipal") == "sso.amazonaws.com":
                yield self._accounts.canonical(account)

    def _providers(self) -> Iterator[tuple[tuple[str, str], dict[str, frozenset[str]]]]:
        """What an identity provider is told to take: a value that is not known yet, or a secret, is left out.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
        https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html
        """
        for resource in self._graph.snapshot.of_type(*IDENTITY_PROVIDERS):
            said = {}
            for key, word in _TAKES.items():
                value = resource.get(key)
                each = value if isinstance(value, list | tuple) else [value]
                if key not in resource.secrets and all(isinstance(one, str) for one in each):
                    said[key] = frozenset(f"{word} {_short(one)}" for one in map(str, each))
            name = (resource.text("url") or "").removeprefix("https://") or resource.text("name") or resource.name
            yield (self._accounts.of(resource), name), said

    def _memberships(self) -> Iterator[tuple[Party, Party]]:
        for user in self._graph.principals:
            yield from ((self._party(user), self._party(group)) for group in user.groups)
        for source in self._members:
            group = self._party(source)
            for name in group.members:
                yield Party(Who("identity-center-user", group.who.account, name)), group

    # Ways -------------------------------------------------------------------------------------------------------------

    def _party(self, principal: Principal) -> Party:
        name = self._names.of(principal.account) if principal.account else ""
        return Party(who(principal), principal.arn, name, self._members.get(principal, ()))

    def _target(self, principal: Principal) -> Party:
        """The role behind a door, or the root user of a member account, whom sts:AssumeRoot makes one for a while.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-enable-root-access.html
        """
        party = self._party(principal)
        return (
            replace(party, who=Who("root-user", principal.account, "root user")) if principal.kind == "root" else party
        )

    def _ways(self) -> Iterator[Way]:
        """One a path. A group's is left out where those of its members are there."""
        joined = {group for principal in self._graph.principals for group in principal.groups}
        shortest = tuple(paths_from(self._graph, lambda start: start not in joined))
        for path in (*shortest, *without_conditions(self._graph, shortest)):
            if all(map(self._between_known, path.doors)):
                yield self._way(path)

    def _within(self) -> Iterator[Way]:
        """The roles that people enter in their own account; a role that enters another there is a step of a way."""
        for door in self._graph.steps:
            if door.open and door.source.kind == "user":
                yield self._way(Path((door,)))

    def _written(self) -> dict[tuple[str, ...], datetime]:
        times: dict[str | None, datetime | None] = {
            one.stack: one.moment for one in self._graph.snapshot.evidence if one.stack
        }
        shown: list[tuple[str, tuple[str, ...]]] = []
        for principal in self._graph.principals:
            if principal.urn:
                shown.append((principal.urn, (principal.account, principal.kind, principal.name)))
                shown.append((principal.urn, (principal.account, "", "")))
        for one in self._graph.snapshot.of_type(MANAGED_POLICY):
            shown.append((one.urn, (self._accounts.of(one), "policy", one.text("arn") or "")))
        for one in self._graph.snapshot.of_type(PERMISSION_SET):
            shown.append((one.urn, (self._accounts.of(one), "set", one.text("arn") or "")))
        found: dict[tuple[str, ...], datetime] = {}
        for urn, key in shown:
            if time := times.get(project_of(urn)):
                found[key] = max(found.get(key, time), time)
        return found

    def _holds(self) -> Iterator[tuple[tuple[str, ...], Document | None]]:
        for one in self._graph.principals:
            whose = (one.account, one.kind, one.name)
            yield from (((*whose, group.name), None) for group in one.groups)
            yield from (((*whose, said.inline or said.arn or ""), said) for said in one.documents)
            if one.trust:
                yield (*whose, ""), one.trust
            if one.boundary:
                yield (*whose, BOUNDARY), one.boundary
        for key in self._graph.snapshot.of_type(tokens.ACCESS_KEY):
            yield (self._accounts.of(key), "user", key.text("user") or key.name, id_of(key)), None
        for said in self._graph.principals.managed_policies:
            arn = Arn.parse(said.arn or "")
            if arn is not None:
                yield (arn.account, "policy", str(arn), ""), said

    def _organization_holds(self) -> Iterator[tuple[tuple[str, ...], Document | None]]:
        """What is held in IAM Identity Center and Organizations."""
        snapshot, documents = self._graph.snapshot, self._graph.documents
        for resource in snapshot.of_type(ASSIGNMENT, MEMBERSHIP, CONTROL_POLICY_ATTACHMENT, *POLICIES_OF_SETS):
            kind, key = next(
                ((kind, text) for key, kind in KEPT_BY_ID.items() if (text := resource.text(key))), ("", "")
            )
            whose, inline = (self._accounts.of(resource), kind, key), resource.get("inlinePolicy") is not None
            for what in _what(resource):
                said = documents.of(resource, "inlinePolicy", PolicyKind.IDENTITY, what) if inline else None
                yield (*whose, what), said
        for resource in snapshot.of_type(CONTROL_POLICY):
            of = CONTROL_POLICIES.get(resource.text("type") or "SERVICE_CONTROL_POLICY")
            said = documents.of(resource, "content", of, "") if of else None
            yield (self._accounts.of(resource), "policy", id_of(resource), ""), said

    def _long_term(self) -> Iterator[LongTerm]:
        """Of a user whose name is not known yet, the resource's; a key that is not active lets nobody in."""
        found: dict[Who, dict[str, None]] = defaultdict(dict)
        mfa: dict[Who, bool | None] = {}
        for kind, words in _LONG_TERM.items():
            for resource in self._graph.snapshot.of_type(kind):
                if resource.get("status") != "Inactive":
                    user = Who("user", self._accounts.of(resource), resource.text("user") or resource.name)
                    found[user][words] = None
        for resource in self._graph.snapshot.of_type(USER):
            asked = mapping(resource.get(CREDENTIALS))
            if any(asked.get(kind, False) is not False for kind in _LONG_TERM):
                user = Who("user", self._accounts.of(resource), resource.text("name") or resource.name)
                found[user] |= {words: None for kind, words in _LONG_TERM.items() if asked[kind]}
                mfa[user] = asked[MFA_DEVICE]
        shown = {who(one): one for one in self._graph.principals if one.urn}
        for user, each in found.items():
            principal = shown.get(user)
            yield LongTerm(
                self._party(principal) if principal else Party(user, account_name=self._names.of(user.account)),
                has=tuple(each),
                mfa=mfa.get(user),
                permissions=self._strength(principal) if principal else None,
            )

    def _way(self, path: Path) -> Way:
        last = path.doors[-1]
        about = self._declaration(last)
        longest = last.target.max_session_seconds or (about.max_session_seconds if about else None)
        if last.target.kind == "root":
            longest = ROOT_SESSION
        elif last.source.kind == "role":
            longest = min(longest or CHAINED_SECONDS, CHAINED_SECONDS)
        return Way(
            steps=tuple(map(self._step, path.doors)),
            verdict=_worst(door.outcome for door in path.doors).value,
            conditions=tuple(dict.fromkeys(chain(self._never(path.doors[0]), *map(_conditions, path.doors)))),
            permissions=self._strength(last.target),
            max_session_seconds=longest,
            by_access_role=self._is_access_role(last.target),
            role_session_seconds=last.target.max_session_seconds,
            third_party=self._third_party(path.doors[0]),
            open_to=self._whoever(path.doors[0]),
        )

    def _never(self, first: access.Door) -> Iterator[str]:
        """What nobody can show, as far as the identity provider documents its tokens."""
        if (why := self._no_token.get((first.target, first.source))) is not None:
            yield why

    def _whoever(self, first: access.Door) -> str | None:
        """Where one only has to have an account, or a certificate, to come in: as the rules refuse it."""
        trust = first.target.trust_policy
        if first.source.kind == "everyone":
            return "AWS"
        if first.source.arn == ROLES_ANYWHERE and not isinstance(trust, Unknown) and by_every_anchor(trust):
            return ANY_ANCHOR
        return self._open_to.get((first.target, first.source))

    def _third_party(self, first: access.Door) -> str | None:
        """What is known of an account or organization of others; whoever it is, anybody in AWS comes from outside."""
        if first.grant_key is not Key.NOT_OURS:
            return None
        of_account, ours = first.source.account, self._accounts
        known = ours.all_listed if of_account else first.source.kind == "everyone" or ours.organization is not None
        return OUTSIDE if known else NOT_SHOWN_INSIDE

    def _is_access_role(self, role: Principal) -> bool:
        """Whether AWS made a role for the management account: one that nothing here has, or that was read live."""
        resource = self._graph.snapshot.by_urn.get(role.urn or "")
        read = resource is not None and resource.inputs is None
        return role in self._graph.access_roles or (read and is_as_aws_made_it(role, self._accounts))

    def _step(self, door: access.Door) -> Step:
        trust = self._places.of_trust(door)
        if trust is not None and door.target in self._graph.access_roles:
            trust = self._made_with_account(door.target, trust)
        asked = (*door.trust.requirements, *door.grant.requirements)
        opens, closes = window(asked)
        policies = (one.policy for one in door.target.all_documents if not isinstance(one.policy, Unknown))
        ends = (closes, *chain.from_iterable(map(denied_since, policies)))
        return Step(
            source=self._party(door.source),
            target=self._target(door.target),
            conditions=_conditions(door),
            trust=trust or self._assigned(door),
            grants=self._places.of_grant(door),
            declared=self._declaration(door),
            grant=door.grant_key,
            opens=opens,
            closes=min(filter(None, ends), default=None),
            pauses=pauses(asked),
            requirements=(door.trust.requirements, door.grant.requirements),
        )

    def _assigned(self, door: access.Door) -> KeyPlace | None:
        """Where the key of a door stands that AWS makes the trust of: an assignment, or centralized root access."""
        if door.target.kind == "root":
            made = (self._accounts.resource(door.target.account), *self._graph.snapshot.of_type(FEATURES))
            what = "centralized root access to the account, a feature of the organization"
            held = (self._accounts.management or "", "", "", "")
            return KeyPlace(what, since=Since.all_of(one.since for one in made if one), held=held)
        for one in self._graph.identity_center.assignments:
            if one.source is door.source and one.role is door.target:
                given, permission_set = one.resource, one.permission_set
                what = f"assignment of permission set {permission_set.name}" if permission_set else "entitlement"
                whose = (self._accounts.of(given), "set", given.text("permissionSetArn") or "")
                at, since = place_of(given.urn), given.since
                return KeyPlace(what, at, source=given.source, since=since, held=(*whose, *_what(given)))
        return None

    def _strength(self, role: Principal) -> Permissions:
        if role not in self._permissions:
            root = Permissions(Level.ADMINISTRATOR, ("root session",))
            self._permissions[role] = root if role.kind == "root" else permissions(role)
        return self._permissions[role]

    def _declaration(self, door: access.Door) -> DeclaredDoor | None:
        return self._declared.of(who(door.source), map(who, door.source.groups), who(door.target))

    def _by_management(self) -> Iterator[Way]:
        """The access roles that AWS made: whoever the management account grants them may enter."""
        management = self._accounts.management
        if management is None:
            root = Party(Who("root", ""), account_name="management (which one that is, is not known)")
        else:
            arn = Arn.root(management, self._accounts.partition(management))
            root = Party(Who("root", management), str(arn), self._names.of(management))
        for role in self._graph.access_roles:
            document = f"trust policy of role {role.name}, as AWS made it"
            trust = self._made_with_account(role, KeyPlace(document))
            step = Step(root, self._party(role), (), trust, (), grant=Key.NOT_SHOWN)
            yield Way(
                steps=(step,),
                verdict=Outcome.CONDITIONAL.value,
                conditions=("a grant of the role in that account",),
                permissions=self._strength(role),
                by_access_role=True,
            )

    @property
    def _everybody_is_shown(self) -> bool:
        accounts, shown = self._accounts, {one.account for one in self._graph.principals if one.urn}
        return accounts.all_listed and accounts.members | {accounts.management} <= shown

    def _by_trust(self) -> Iterator[Way]:
        """A trust in the management account or in the whole organization admits whoever holds a grant there.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
        """
        accounts = self._accounts
        judge = access.Judge(self._graph.guards, accounts)
        whole: dict[str, Principal] = {}
        doors: list[access.Door] = []
        for trust in self._graph.open_trusts:
            if trust.account is None and accounts.is_own_organization(trust.names):
                name = accounts.organization or trust.names
                anybody = whole.setdefault(name, Principal(name, "outsider", "", name))
            elif trust.account is not None and trust.account == accounts.management != trust.role.account:
                root = str(Arn.root(trust.account, accounts.partition(trust.account)))
                anybody = whole.setdefault(root, Principal(root, "outsider", trust.account, "root"))
            else:
                continue
            doors.append(judge.door(anybody, trust.role))
        for path in paths_from(self._graph, lambda start: start in whole.values(), doors):
            if all(map(self._between_known, path.doors)):
                way = self._way(path)
                where = "that account" if way.source.who.kind == "root" else "their own account"
                yield replace(
                    way,
                    steps=(replace(way.steps[0], grant=Key.NOT_SHOWN), *way.steps[1:]),
                    verdict=Outcome.CONDITIONAL.value,
                    conditions=(*way.conditions, f"a grant of the role in {where}"),
                    third_party=None,
                )

    def _made_with_account(self, role: Principal, trust: KeyPlace) -> KeyPlace:
        """Where the trust of an access role stands: AWS makes it together with the account."""
        made = self._accounts.resource(role.account)
        return replace(trust, urn=made.urn, since=made.since) if made else trust

    # Doors ------------------------------------------------------------------------------------------------------------

    def _doors(self) -> Iterator[DoorAnswer]:
        """The doors of the graph, and those of which it has only one key: what its statements about keys tell.

        A pattern that grants a role which does not trust the principal is no door. A group's door is left out where
        those of its members are there: AWS takes no group as a principal.
        """
        said = {statement.door: statement for statement in self._statements}
        by_members = {(group, door.target) for door in self._graph.doors for group in door.source.groups}
        for door in self._graph.doors:
            statement = said.pop(door.id, None)
            keys = self._keys(door, statement)
            no_door = Key.PRESENT not in keys and Key.MISSING in keys
            if no_door or (door.source, door.target) in by_members or not (door.asked or door.open):
                continue
            yield self._door(door, keys, statement)
        halves = self._halves()
        for id, statement in said.items():
            if id in halves:
                yield self._one_key(*halves[id], statement)

    def _keys(self, door: access.Door, statement: Statement | None) -> tuple[Key, Key]:
        """Trust and grant. What these stacks cannot show is not proved: only a statement says that a key is missing.

        Of a door between two accounts of which one is not known nothing is proved: it may be no door.
        """
        if not self._between_known(door):
            return Key.UNPROVED, Key.UNPROVED
        trust, grant = door.trust_key, door.grant_key
        if {trust, grant} == {Key.PRESENT, Key.MISSING} and (statement is None or statement.lack is Lack.PROOF):
            return (Key.PRESENT, Key.UNPROVED) if trust is Key.PRESENT else (Key.UNPROVED, Key.PRESENT)
        return trust, grant

    def _between_known(self, door: access.Door) -> bool:
        """Whether it is known that a door leads from one account into another, or from outside every account."""
        if not door.source.account or not door.crosses:
            return True
        return self._accounts.pinned(door.source.account) and self._accounts.pinned(door.target.account)

    def _door(self, door: access.Door, keys: tuple[Key, Key], statement: Statement | None) -> DoorAnswer:
        trust, grant = (
            Key.DENIED if key is Key.MISSING and denial(door, name) else key
            for key, name in zip(keys, ("trust", "grant"), strict=True)
        )
        return DoorAnswer(
            source=self._party(door.source),
            target=self._target(door.target),
            trust=trust,
            grant=grant,
            verdict=Outcome.UNKNOWN.value if Key.UNPROVED in keys else door.outcome.value,
            conditions=_conditions(door),
            declared=self._declaration(door),
            problem=statement.message if statement else None,
            next_step=statement.next_step if statement else None,
            explanation=f"The trust alone: {door.trust.explain()}\nThe grant alone: {door.grant.explain()}",
        )

    def _halves(self) -> dict[str, tuple[Party, Party]]:
        """The ends of what is half a door, by how statements name it: open trusts, and grants that nothing answers."""
        found: dict[str, tuple[Party, Party]] = {}
        for trust in self._graph.open_trusts:
            if trust.account is not None:
                arn = Arn.parse(trust.role.arn)
                root = str(Arn.root(trust.account, arn.partition if arn else "aws"))
                whom = Party(Who("root", trust.account), root, self._names.of(trust.account))
                found[f"{root} -> {trust.role.arn}"] = whom, self._party(trust.role)
        for grant in self._graph.lone_grants:
            role = Arn.parse(grant.resource)
            if role is not None and role.kind == "role":
                account = self._accounts.canonical(role.account)
                target = Party(Who("role", account, role.name), grant.resource, self._names.of(account))
                found[f"{grant.source.arn} -> {grant.resource}"] = self._party(grant.source), target
        return found

    def _one_key(self, source: Party, target: Party, statement: Statement) -> DoorAnswer:
        """A door with one key: a trust in an account as a whole or in everyone, or a grant on a role not there."""
        other = Key.UNPROVED if statement.lack is Lack.PROOF else Key.MISSING
        trusted = source.who.kind == "root"
        return DoorAnswer(
            source=source,
            target=target,
            trust=Key.PRESENT if trusted else other,
            grant=other if trusted else Key.PRESENT,
            verdict=(Outcome.UNKNOWN if other is Key.UNPROVED else Outcome.DENY).value,
            declared=self._declared.of(source.who, (), target.who),
            problem=statement.message,
            next_step=statement.next_step,
        )

    # Not proved -------------------------------------------------------------------------------------------------------

    def _not_proved(self) -> Iterator[NotProved]:
        """What the graph cannot prove shut, and resources that may let somebody in and are not read."""
        ends = self._halves() | {
            door.id: (self._party(door.source), self._target(door.target)) for door in self._graph.doors
        }
        said = set()
        for one in self._statements:
            said.add(one.door)
            if one.lack is Lack.PROOF:
                yield NotProved(one.message, one.next_step, one.door, one.urn, *ends.get(one.door, ()))
        for door in self._graph.doors:
            unsure = door.outcome is Outcome.UNKNOWN and Key.MISSING not in (door.trust_key, door.grant_key)
            if unsure and door.asked and door.id not in said:
                why = "; ".join((*door.trust.unknowns, *door.grant.unknowns))
                about = f"Whether {door.source.arn} can enter {door.target.arn} is not known: {why}"
                step = "update the stack, so that what it hangs on is known"
                yield NotProved(about, step, door.id, door.target.urn, *ends[door.id])
        for unread in self._graph.not_read:
            resource = unread.resource
            about = f"Whom {resource.label} lets in is not proved: it {unread.why}"
            yield NotProved(about, unread.next_step, unread.door, resource.urn)
        for name, why in self._declared.unreadable.items():
            about = f"The reason, owner and end of door {name} are not known: its declaration cannot be read: {why}"
            yield NotProved(about, "update the stack of that door, or TwoKeys here if the stack's is newer", name)

    def _unique_ids(self) -> Iterator[tuple[str, Party]]:
        """Principals by the unique id that CloudTrail names them by in the other account."""
        by_urn = {principal.urn: principal for principal in self._graph.principals if principal.urn}
        for resource in self._graph.snapshot.of_type(ROLE, USER):
            unique, principal = resource.text("uniqueId"), by_urn.get(resource.urn)
            if unique is not None and principal is not None:
                yield unique, self._party(principal)


def _short(value: str) -> str:
    """A value as it is said: a document by its sha256."""
    return hashlib.sha256(value.encode()).hexdigest()[:SHORT] if value.lstrip().startswith("<") else value


def _conditions(door: access.Door) -> tuple[str, ...]:
    keys: tuple[Verdict, ...] = (door.trust, door.grant)
    said = dict.fromkeys(in_words(one) for key in keys for one in key.requirements)
    return tuple(one for one in said if one != MFA_BUT_OF_KEYS or MFA not in said)


def _worst(outcomes: Iterable[Outcome]) -> Outcome:
    return Outcome.CONDITIONAL if Outcome.CONDITIONAL in tuple(outcomes) else Outcome.ALLOW


def _way_order(way: Way) -> tuple[str, ...]:
    return (way.target.place, way.account, way.target.who.name, f"{len(way.steps):09}", str(way.source))


def _door_order(door: DoorAnswer) -> tuple[str, ...]:
    return (door.target.place, door.target.who.account, door.target.who.name, str(door.source))


def _portal(snapshot: Snapshot) -> Portal | None:
    """The access portal of IAM Identity Center: the address it has before anybody chooses another, and its region.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtochangeURL.html
    """
    store = next(
        (one.text("identityStoreId") for one in snapshot.of_type(*_STORE) if one.text("identityStoreId")), None
    )
    region = next((one.text("region") for one in snapshot.of_type(PERMISSION_SET) if one.text("region")), None)
    return Portal(f"https://{store}.awsapps.com/start", region) if store else None


def _what(resource: Resource) -> Iterable[str]:
    """What a resource of IAM Identity Center or Organizations gives, as calls name it."""
    if resource.get("permissionsBoundary") is not None:
        return (BOUNDARY,)
    given = [text for key in ("principalId", "targetId", "memberId") if (text := resource.text(key))]
    managed, own = "managedPolicyArn", "customerManagedPolicyReference"
    arns = [*items(resource.get(f"{managed}s")), resource.get(managed)]
    names = [mapping(one).get("name") for one in (*items(resource.get(f"{own}s")), resource.get(own))]
    return [one for one in (*arns, *names) if isinstance(one, str)] or [" ".join(given)]
