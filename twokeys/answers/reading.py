"""From the access graph to the answers: who can enter, with where each key stands and since when.

Who may enter is decided by `twokeys.access` alone. Here its doors and ways are put in words for people, each key with
its place: the resource, the statement in its document, and when the resource was made.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain

from twokeys.access import graph as access
from twokeys.access.carriers import by_every_anchor
from twokeys.access.declared_doors import who
from twokeys.access.graph import Graph
from twokeys.access.identity_center import PERMISSION_SET, STORE_GROUP, STORE_USER
from twokeys.access.judge import Key, hangs_on
from twokeys.access.model.access_roles import is_as_aws_made_it
from twokeys.access.model.identities import id_of
from twokeys.access.model.names import admitted_services
from twokeys.access.model.principals import Outsider, Principal
from twokeys.access.model.requirements import denied_since, pauses, window
from twokeys.access.paths import Path, paths_from, without_conditions
from twokeys.access.reading import type_names
from twokeys.access.reading.since import Since
from twokeys.access.reading.snapshot import STACK, Snapshot, mapping, place_of
from twokeys.access.reading.type_names import CREDENTIALS, MFA_DEVICE, ORGANIZATION, ROLE, USER
from twokeys.access.root_sessions import FEATURES
from twokeys.answers.doors import Doors, conditions
from twokeys.answers.held import (
    assigners,
    given_by,
    holds,
    memberships_by_id,
    names_of,
    organization_holds,
    providers,
    trusting,
    written,
)
from twokeys.answers.model import (
    ACCESS_KEY,
    ANY_ANCHOR,
    NOT_SHOWN_INSIDE,
    OUTSIDE,
    PASSWORD,
    Answers,
    DoorAnswer,
    KeyPlace,
    LongTerm,
    Party,
    Portal,
    Step,
    Way,
)
from twokeys.answers.parties import Parties
from twokeys.answers.permissions import Level, Permissions, permissions
from twokeys.answers.places import Places
from twokeys.doors import Who
from twokeys.doors.who import ROLES_ANYWHERE
from twokeys.iam import UNKNOWN, Arn, Outcome, Unknown
from twokeys.iam.sts import CHAINED_SECONDS
from twokeys.iam.subjects import misspelt_subject

ROOT_SESSION = 900
"""Seconds that a session of sts:AssumeRoot lasts at most.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
"""
_CALLER = "parent_caller_arn"
_LONG_TERM = {type_names.PASSWORD: PASSWORD, type_names.ACCESS_KEY: ACCESS_KEY}
_STORE = ("aws:identitystore/user:User", "aws:identitystore/group:Group")


def read(graph: Graph, name: str | None = None) -> Answers:
    """The answers of a graph, about every account that it shows; `name` is what the organization is called.

    What cannot be proved (an unknown document, a grant in an account that nobody shows) is among `not_proved`, never
    left out.
    """
    found, then = _Reader(graph).read(name), graph.snapshot.before
    if then is None:
        return found
    before = _Reader(access.build(then)).read(name)
    return replace(
        found,
        before=before,
        origin=f"{found.origin} and older ones of the same stacks",
        principals={**before.principals, **found.principals},
        names={**before.names, **found.names},
        joined={**before.joined, **found.joined},
    )


class _Reader:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._accounts = graph.accounts
        self._parties = Parties(graph)
        self._places = Places(graph)
        self._permissions: dict[Principal, Permissions] = {}
        self._joined = {group for principal in graph.principals for group in principal.groups}
        self._open_to: dict[tuple[Principal, Principal], str] = {
            (found.role, source): name
            for found in graph.federated
            for subject, source in found.sources.items()
            if (name := found.open_by(subject))
        }
        self._no_token: dict[tuple[Principal, Principal], str] = {
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
        shortest = tuple(paths_from(self._graph, self._is_no_group))
        ways = list(self._ways((*shortest, *without_conditions(self._graph, shortest))))
        within = self._ways(Path((door,)) for door in self._of_users if door.open)
        entered = {way.target.who for way in ways}
        made_by_aws, by_trust = list(self._by_management()), list(self._by_trust())
        ways += [one for one in made_by_aws if one.target.who not in entered]
        accounts = self._accounts
        shown = accounts.read_live.union(one.account for one in self._graph.principals if one.urn)
        if not (accounts.all_listed and accounts.members | {accounts.management} <= shown):
            ways += [one for one in by_trust if one.source.who.kind != "root"]
        doors = Doors(self._graph, self._parties)
        return Answers(
            origin=snapshot.origin,
            name=name or (f"Organization {identity}" if identity else "Organization"),
            accounts={one.id: one for one in (*self._parties.names.others(ways), *self._parties.names.ours())},
            ways=tuple(sorted(ways, key=_way_order)),
            doors=tuple(sorted(doors.read(), key=_door_order)),
            not_proved=tuple(doors.not_proved()),
            within=tuple(sorted(within, key=_way_order)),
            perhaps=tuple(sorted(self._perhaps(), key=_way_order)),
            if_granted=(*made_by_aws, *by_trust),
            long_term=tuple(self._long_term()),
            units=tuple(sorted(set(self._parties.names.units.values()))),
            memberships=tuple(dict.fromkeys(self._memberships())),
            principals=dict(self._unique_ids()),
            portal=_portal(snapshot),
            ids=dict(self._accounts.ids),
            names={**self._parties.names.said, **names_of(self._graph)},
            shown=shown,
            users=frozenset(who(one) for one in self._graph.principals if one.urn and one.kind == "user"),
            trusting=trusting(self._graph),
            assigners=frozenset(assigners(self._graph)),
            written=written(self._graph),
            holds={**dict(holds(self._graph)), **dict(organization_holds(self._graph))},
            joined=memberships_by_id(self._graph),
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
            services={
                who(role): named
                for role in self._graph.roles
                if not isinstance(role.trust_policy, Unknown)
                and (named := admitted_services(role.trust_policy)) is not None
            },
            providers=dict(providers(self._graph)),
        )

    def _ways(self, paths: Iterable[Path]) -> Iterator[Way]:
        """One a path, where it is known of each door whether it leads between accounts."""
        return (self._way(path) for path in paths if all(map(self._parties.between_known, path.doors)))

    def _is_no_group(self, start: Principal) -> bool:
        """A group's ways are left out where those of its members are there."""
        return start not in self._joined

    @property
    def _of_users(self) -> list[access.Door]:
        """The roles that people enter in their own account; a role that enters another there is a step of a way."""
        return [door for door in self._graph.steps if door.source.kind == "user"]

    def _perhaps(self) -> Iterator[Way]:
        there = any(door.perhaps for door in (*self._graph.doors, *self._graph.steps))
        paths = paths_from(self._graph, self._is_no_group, perhaps=True) if there else ()
        entered = set()
        for path in (*paths, *(Path((door,)) for door in self._of_users)):
            if later := [door.target for door in path.doors if door.perhaps]:
                entered.add(path.target)
                by_aws = any(map(self._is_access_role, later))
                yield from (replace(way, by_access_role=by_aws) for way in self._ways([path]))
        for role in self._graph.roles:
            if role not in entered and role.urn and role.trust is not None and role.trust.policy is UNKNOWN:
                title = role.trust.title
                trust = KeyPlace(title, role.urn, source=role.source)
                step = Step(Party(Who("principal", "")), self._parties.of(role), (), trust, (), hangs_on=(title,))
                yield Way((step,), Outcome.UNKNOWN.value, (), self._strength(role))

    def _way(self, path: Path) -> Way:
        first, last = path.doors[0], path.doors[-1]
        never = self._no_token.get((first.target, first.source))
        about = self._parties.declaration(last)
        longest = last.target.max_session_seconds or (about.max_session_seconds if about else None)
        if last.target.kind == "root":
            longest = ROOT_SESSION
        elif last.source.kind == "role":
            longest = min(longest or CHAINED_SECONDS, CHAINED_SECONDS)
        return Way(
            steps=tuple(map(self._step, path.doors)),
            verdict=_worst(door.outcome for door in path.doors).value,
            conditions=tuple(dict.fromkeys(chain([never] if never else (), *map(conditions, path.doors)))),
            permissions=self._strength(last.target),
            max_session_seconds=longest,
            by_access_role=self._is_access_role(last.target),
            beyond=self._beyond(path),
            role_session_seconds=last.target.max_session_seconds,
            third_party=self._third_party(first),
            open_to=self._whoever(first),
        )

    def _beyond(self, path: Path) -> Party | None:
        sources = [door.source for door in path.doors if len(path.doors) > 1]
        return next((self._parties.of(one) for one in sources if self._is_access_role(one)), None)

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
        trust = self._places.of_trust(door) or self._assigned(door)
        if trust is not None and door.target in self._graph.access_roles:
            unread = door.target.account in self._accounts.not_read
            trust = None if unread else self._made_with_account(door.target, trust)
        asked = (*door.trust.requirements, *door.grant.requirements)
        opens, closes = window(asked)
        policies = (one.policy for one in door.target.all_documents if not isinstance(one.policy, Unknown))
        ends = (closes, *chain.from_iterable(map(denied_since, policies)))
        return Step(
            source=self._parties.of(door.source),
            target=self._parties.target(door.target),
            conditions=conditions(door),
            trust=trust,
            grants=self._places.of_grant(door),
            declared=self._parties.declaration(door),
            grant=door.grant_key,
            opens=opens,
            closes=min(filter(None, ends), default=None),
            pauses=pauses(asked),
            requirements=(door.trust.requirements, door.grant.requirements),
            hangs_on=self._hangs_on(door) if door.perhaps else (),
        )

    def _hangs_on(self, door: access.Door) -> tuple[str, ...]:
        titles = tuple(one.title for one in hangs_on(door, self._graph.guards))
        return titles or (*door.trust.unknowns, *door.grant.unknowns)

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
                return KeyPlace(what, at, source=given.source, since=since, held=(*whose, *given_by(given)))
        return None

    def _strength(self, role: Principal) -> Permissions:
        if role not in self._permissions:
            root = Permissions(Level.ADMINISTRATOR, ("root session",), names=("root session",))
            self._permissions[role] = root if role.kind == "root" else permissions(role)
        return self._permissions[role]

    def _by_management(self) -> Iterator[Way]:
        """The access roles that AWS made: whoever the management account grants them may enter."""
        management = self._accounts.management
        if management is None:
            root = Party(Who("root", ""), account_name="management (which one that is, is not known)")
        else:
            arn = Arn.root(management, self._accounts.partition(management))
            root = Party(Who("root", management), str(arn), self._parties.names.of(management))
        judge = access.Judge(self._graph.guards, self._accounts)
        for role in self._graph.access_roles:
            door = judge.from_management(role)
            if door and door.trust_key is Key.MISSING:
                continue
            document = f"trust policy of role {role.name}, as AWS made it"
            trust = self._made_with_account(role, KeyPlace(document))
            step = Step(root, self._parties.of(role), (), trust, (), grant=Key.NOT_SHOWN)
            yield Way(
                steps=(step,),
                verdict=Outcome.CONDITIONAL.value,
                conditions=(*(conditions(door) if door else ()), "a grant of the role in that account"),
                permissions=self._strength(role),
                by_access_role=True,
            )

    def _by_trust(self) -> Iterator[Way]:
        """A trust in the management account or in the whole organization admits whoever holds a grant there.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
        """
        accounts = self._accounts
        judge = access.Judge(self._graph.guards, accounts)
        whole: dict[str, Outsider] = {}
        doors: list[access.Door] = []
        for trust in self._graph.open_trusts:
            if trust.account is None and accounts.is_own_organization(trust.names):
                name = accounts.organization or trust.names
                anybody = whole.setdefault(name, Outsider(name, "outsider", "", name))
            elif trust.account is not None and trust.account == accounts.management != trust.role.account:
                root = str(Arn.root(trust.account, accounts.partition(trust.account)))
                anybody = whole.setdefault(root, Outsider(root, "outsider", trust.account, "root"))
            else:
                continue
            doors.append(judge.door(anybody, trust.role))
        for way in self._ways(paths_from(self._graph, lambda start: start in whole.values(), doors)):
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
            principal, place = shown.get(user), self._parties.names.of(user.account)
            yield LongTerm(
                self._parties.of(principal) if principal else Party(user, account_name=place),
                has=tuple(each),
                mfa=mfa.get(user),
                permissions=self._strength(principal) if principal else None,
            )

    def _memberships(self) -> Iterator[tuple[Party, Party]]:
        for user in self._graph.principals:
            yield from ((self._parties.of(user), self._parties.of(group)) for group in user.groups)
        for source in self._parties.members:
            group = self._parties.of(source)
            for name in group.members:
                yield Party(Who("identity-center-user", group.who.account, name)), group

    def _unique_ids(self) -> Iterator[tuple[str, Party]]:
        """Principals by the unique id that CloudTrail names them by in the other account."""
        by_urn = {principal.urn: principal for principal in self._graph.principals if principal.urn}
        for resource in self._graph.snapshot.of_type(ROLE, USER):
            unique, principal = resource.text("uniqueId"), by_urn.get(resource.urn)
            if unique is not None and principal is not None:
                yield unique, self._parties.of(principal)
        for resource in self._graph.snapshot.of_type(STORE_USER):
            user = Who("identity-center-user", "", resource.text("userName") or resource.name)
            yield resource.text("userId") or resource.urn, Party(user)
        for resource in self._graph.snapshot.of_type(STORE_GROUP):
            group = Who("identity-center-group", "", resource.text("displayName") or resource.name)
            yield resource.text("groupId") or resource.urn, Party(group)


def _worst(outcomes: Iterable[Outcome]) -> Outcome:
    found = tuple(outcomes)
    return next((one for one in (Outcome.UNKNOWN, Outcome.CONDITIONAL) if one in found), Outcome.ALLOW)


def _door_order(door: DoorAnswer) -> tuple[str, ...]:
    return (door.target.place, door.target.who.account, door.target.who.name, str(door.source))


def _way_order(way: Way) -> tuple[str, ...]:
    return (way.target.place, way.account, way.target.who.name, f"{len(way.steps):09}", str(way.source))


def _portal(snapshot: Snapshot) -> Portal | None:
    """The access portal of IAM Identity Center: the address it has before anybody chooses another, and its region.

    https://docs.aws.amazon.com/singlesignon/latest/userguide/howtochangeURL.html
    """
    store = next(filter(None, (one.text("identityStoreId") for one in snapshot.of_type(*_STORE))), None)
    sets = [*snapshot.of_type(PERMISSION_SET)]
    of_providers = (snapshot.by_urn.get(one.provider or "") for one in sets)  # what a set has that does not say its own
    region = next(filter(None, (one.text("region") for one in (*sets, *of_providers) if one)), None)
    return Portal(f"https://{store}.awsapps.com/start", region) if store else None
