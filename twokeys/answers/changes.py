"""What a change opens and closes: the ways in before and after, those through other roles included."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain

from twokeys.access.judge import Key
from twokeys.access.model.documents import MASKS
from twokeys.access.model.requirements import EXTERNAL_ID, in_detail, in_full
from twokeys.access.reading.snapshot import Evidence
from twokeys.answers.allowed import Difference, difference, with_ids
from twokeys.answers.model import PASSWORD, Answers, DoorAnswer, NotProved, Party, State, Step, Way
from twokeys.answers.permissions import Level, Permissions
from twokeys.answers.summary import callers_accounts
from twokeys.answers.words import duration
from twokeys.doors import Who
from twokeys.iam import Requirement
from twokeys.iam.verdict import all_of
from twokeys.shown import listed

_MANAGEMENT = "the management account"
"""What stands for the id of the account that access roles trust, where nothing tells which one that is."""
_NOT_KNOWN = "perhaps a password or an access key"


@dataclass(frozen=True, slots=True)
class Changed:
    """A way before and after; `what` names in words in what the two differ, each with what that gains and loses.

    `permissions` are what its role's policies gain and lose, `boundary` what its permissions boundary does.
    """

    before: Way
    after: Way
    what: Mapping[str, Difference]
    permissions: Difference
    boundary: Difference


@dataclass(frozen=True, slots=True)
class Beside:
    """What bears on ways and stands in no key of theirs: control policies, identity providers, members of groups,
    passwords and keys.

    Less of what `limits` may let more in. `level` is how strong the strongest way is that more come by.
    """

    about: str
    difference: Difference
    limits: bool = False
    level: Level = Level.UNKNOWN


@dataclass(frozen=True, slots=True)
class Changes:
    """The ways that are gained, lost and changed, and what is not proved any more although it was or was not there.

    What is not known of a document takes nothing away and gives nothing: `perhaps` are the ways that it may open, and
    `waiting` those, as they were, that each document may change which is not known any more. The `widening` ones may
    let more in: a trust, and what the role at the end may do. A grant beside those of a way can only shut it.
    """

    gained: tuple[Way, ...]
    lost: tuple[Way, ...]
    changed: tuple[Changed, ...]
    perhaps: tuple[Way, ...] = ()
    waiting: Mapping[str, Sequence[Way]] = field(default_factory=dict)
    widening: frozenset[str] = frozenset()
    not_proved: tuple[NotProved, ...] = ()
    beside: tuple[Beside, ...] = ()
    not_shown: str | None = None
    """Which accounts one side does not show although ways come from there."""
    scope: str | None = None
    """Whom what was read afterwards cannot show."""
    not_looked_at: str | None = None
    read: tuple[tuple[Evidence, ...], tuple[Evidence, ...]] = ((), ())
    """What was read of before and of after."""
    entered: frozenset[str] = frozenset()
    """The accounts that somebody enters on both sides; all others are new, or gone."""

    @property
    def strongest(self) -> Level:
        """How strong the strongest way is that is or may be gained or changed; not known where more may be let in."""
        ways = (*self.gained, *self.perhaps, *(one.after for one in self.changed))
        more = [one.level for one in self.beside if one.limits or one.difference.gains]
        more += [Level.UNKNOWN] if self.widening else []
        return max((*(way.permissions.level for way in ways), *more, Level.NONE))

    def __bool__(self) -> bool:
        ways = (self.gained, self.lost, self.changed, self.perhaps, self.waiting)
        return any((*ways, self.not_proved, self.beside))


def changes(before: Answers, after: Answers) -> Changes:
    """What the step from one to another opens and closes.

    Accounts are compared by id, or by symbol while they have none: an account that gets its id in between is the same.
    A way is the same when the same principal comes into the same role; it has changed when it leads through other
    roles, under other conditions, or into a role with other policies, another permissions boundary or longest session.
    What was not proved counts as closed before; what is not known afterwards is no loss. The roles that users
    enter in their own account count as ways, and an account has one name on both sides. A way whose grant is not shown
    or not ours is neither gained nor lost where the other side has its trust and shows who holds a grant, if anybody.
    """
    management = ((_MANAGEMENT, one.id) for side in (before, after) for one in side.accounts.values() if one.management)
    ids = {**before.ids, **after.ids, **dict(management)}
    names = {ids.get(one, one): name for side in (before, after) for one, name in side.names.items() if name != one}
    ways = [_by_ends((*side.ways, *side.within), ids, names) for side in (before, after)]
    if_granted = [_by_ends(side.if_granted, ids, names) for side in (before, after)]
    old, new = (
        {ends: trusted[ends] for ends in other.keys() & trusted.keys()} | mine
        for mine, other, trusted in zip(ways, reversed(ways), if_granted, strict=True)
    )
    perhaps = {ends: way for ends, way in _by_ends(after.perhaps, ids, names).items() if ends not in new}
    both = [_changed(old[ends], new[ends], ids) for ends in new if ends in old]
    known = {(one.message, one.door) for one in before.not_proved}
    doubtful = {door for way in perhaps.values() for door in way.doors}
    unclear = {one.door for one in after.not_proved}
    might = _by_ends(before.perhaps, ids, names)
    gone = {ends: way for ends, way in old.items() if ends not in new and not _is_there_anyway(way, after)}
    trusts = {ends: tuple(_trusts(way, unclear)) for ends, way in gone.items()}
    hangs_on = {ends: perhaps[ends].hangs_on if ends in perhaps else trusts[ends] for ends in gone}
    changed = [(one.before, (*one.permissions.waits, *one.boundary.waits)) for one in both]
    waiting: dict[str, list[Way]] = defaultdict(list)
    for way, documents in (*changed, *((way, hangs_on[ends]) for ends, way in gone.items())):
        for document in documents:
            waiting[document].append(way)
    return Changes(
        gained=tuple(way for ends, way in new.items() if ends not in old and not _is_there_anyway(way, before)),
        lost=tuple(way for ends, way in gone.items() if not hangs_on[ends] and unclear.isdisjoint(way.doors)),
        changed=tuple(one for one in both if one.what),
        perhaps=tuple(way for ends, way in perhaps.items() if not (ends in old or ends in might or way.by_access_role)),
        waiting=waiting,
        widening=frozenset(chain.from_iterable((*trusts.values(), *(documents for _, documents in changed)))),
        not_proved=tuple(
            one for one in after.not_proved if (one.message, one.door) not in known and one.door not in doubtful
        ),
        beside=tuple(_beside(before, after, ids)),
        entered=frozenset(way.account for one in both for way in (one.before, one.after)),
    )


def _trusts(way: Way, unclear: Container[str]) -> Iterator[str]:
    """The trust policies on a way of which it is not clear whom they let in."""
    return (f"trust policy of {one.target.who.label}" for one in way.steps if f"* -> {one.target.arn}" in unclear)


def _is_there_anyway(way: Way, other: Answers) -> bool:
    """Whether AWS made a way with an account that the one side only enters and the other does not show as a member."""
    trust, account = way.steps[-1].trust, other.accounts.get(way.account)
    entered = way.as_aws_made_it and (trust is None or trust.urn is None)
    return entered and (account is None or account.unit is None)


def _beside(before: Answers, after: Answers, ids: Mapping[str, str]) -> Iterator[Beside]:
    """What control policies say otherwise than before, once for the accounts that are alike in it; identity providers.

    Only as far as both sides say it.
    """
    names = {ids.get(one, one): account.name for side in (before, after) for one, account in side.accounts.items()}
    old, new = ({ids.get(one, one): said for one, said in side.controls.items()} for side in (before, after))
    alike: dict[Difference, list[str]] = defaultdict(list)
    for account in old.keys() & new.keys():
        alike[difference(old[account], new[account], ids)].append(names.get(account, account))
    for found, accounts in alike.items():
        if found or found.waits:
            yield Beside(f"control policies of {listed(sorted(accounts))}", found, limits=True)
    was, now = (
        {(ids.get(account, account), name): said for (account, name), said in side.providers.items()}
        for side in (before, after)
    )
    for account, name in sorted(was.keys() & now.keys()):
        sides = was[account, name], now[account, name]
        both = sides[0].keys() & sides[1].keys()
        found = _difference(*({one for key in both for one in side[key]} for side in sides))
        if found:
            yield Beside(f"identity provider {name} of {names.get(account, account)}", found)
    yield from _trusting(before, after, ids)
    yield from _other_accounts(before, after, ids)
    yield from _half_doors(before, after, ids)
    yield from _members(before, after, ids)
    yield from _long_term(before, after, ids)


def _members(before: Answers, after: Answers, ids: Mapping[str, str]) -> Iterator[Beside]:
    """Who joins or leaves a group of IAM Identity Center that has ways on both sides.

    Live AWS also has the members that come by SCIM or by hand: beside a state, groups count whose members that shows.
    """
    called = {one: party.who.name for side in (before, after) for one, party in side.principals.items()}
    levels: list[dict[Who, Level]] = []
    members: list[dict[Who, set[str]]] = []
    for side in (before, after):
        of: dict[Who, set[str]] = defaultdict(set)
        for user, joined in side.memberships:
            of[_with_id(joined.who, ids)].add(called.get(user.who.name, user.who.name))
        ways = sorted(side.ways, key=lambda way: way.permissions.level)
        levels.append({_with_id(way.source.who, ids): way.permissions.level for way in ways})
        members.append(of)
    was, now = members
    both = [one for one in levels[0].keys() & levels[1].keys() if one.kind == "identity-center-group"]
    from_states = was if _live(after) else now
    gone = set(called.values()) - {party.who.name for party in after.principals.values()}
    for group in sorted(both, key=str):
        found = _difference(was.get(group, set()), now.get(group, set()))
        if found and (_live(before) is _live(after) or group in from_states):
            lost = tuple(one + ", who is no user any more" * (one in gone) for one in found.loses)
            found = replace(found, loses=lost)
            yield Beside(f"members of {group.label}", found, level=max(each[group] for each in levels))


def _trusting(before: Answers, after: Answers, ids: Mapping[str, str]) -> Iterator[Beside]:
    """Which accounts of ours a role trusts as a whole, or no more, beside those who hold a grant there already.

    Where nobody holds one, that is half a door, and told as such.
    """
    was, now = _trusted(before, ids), _trusted(after, ids)
    halves = _doors(before, ids).keys() | _doors(after, ids).keys()
    names = {**before.names, **after.names}
    for role in sorted(was.keys() & now.keys(), key=str):
        gains, loses = (
            tuple(
                f"{Party(Who('root', one), account_name=names.get(one, '')).short}: whoever is granted the role there"
                for one in sorted(these - those)
                if (Who("root", one), role) not in halves
            )
            for these, those in ((now[role], was[role]), (was[role], now[role]))
        )
        if gains or loses:
            yield Beside(
                f"trust policy of {Party(role, account_name=names.get(role.account, '')).short}",
                Difference(gains, loses),
            )


def _other_accounts(before: Answers, after: Answers, ids: Mapping[str, str]) -> Iterator[Beside]:
    """Accounts of one name and another id: their ways are lost and gained, as they are other accounts."""
    was, now = (
        {account.name: ids.get(one, one) for one, account in side.accounts.items() if account.name != one}
        for side in (before, after)
    )
    for name in sorted(was.keys() & now.keys()):
        if was[name] != now[name] and (was[name] + now[name]).isdigit():
            yield Beside(f"account {name} is another one", Difference((f"id {now[name]}",), (f"id {was[name]}",)))


def _half_doors(before: Answers, after: Answers, ids: Mapping[str, str]) -> Iterator[Beside]:
    """Which keys doors gain or lose that are open on neither side; those not proved afterwards are told as such.

    Live AWS tells of more accounts than states do. An account that a role trusts as a whole is a door of its own only
    where nobody there holds a grant.
    """
    alike = _live(before) is _live(after)
    was, now = _doors(before, ids), _doors(after, ids)
    wholes = _trusted(before, ids), _trusted(after, ids)
    members = [_doors_of_groups(side, ids) for side in (before, after)]
    for ends in sorted(was.keys() | now.keys(), key=str):
        old, new = (side.get(ends) or of_groups.get(ends) for side, of_groups in zip((was, now), members, strict=True))
        door = new or old
        if door is None or {one.state for one in (old, new) if one} - {State.SHUT}:
            continue
        keys = _difference(_keys(old), _keys(new))
        trusted = all(ends[0].kind == "root" and ends[0].account in side.get(ends[1], ()) for side in wholes)
        if keys and not trusted and (alike or ends[1].account in before.accounts):
            lacks = f" ({new.lacks})" if new else ""
            yield Beside(f"{door.source.short} -> {door.target.short}, not open{lacks}", keys)


def _trusted(side: Answers, ids: Mapping[str, str]) -> dict[Who, set[str]]:
    """The accounts that each role trusts as a whole."""
    return {_with_id(role, ids): {ids.get(one, one) for one in accounts} for role, accounts in side.trusting.items()}


def _doors(side: Answers, ids: Mapping[str, str]) -> dict[tuple[Who, Who], DoorAnswer]:
    return {(_with_id(door.source.who, ids), _with_id(door.target.who, ids)): door for door in side.doors}


def _doors_of_groups(side: Answers, ids: Mapping[str, str]) -> dict[tuple[Who, Who], DoorAnswer]:
    """The doors of groups for which those of their members stand; no trust policy can name a group."""
    doors: dict[Who, list[DoorAnswer]] = defaultdict(list)
    for door in side.doors:
        doors[door.source.who].append(door)
    return {
        (_with_id(group.who, ids), _with_id(door.target.who, ids)): replace(door, source=group, trust=Key.MISSING)
        for user, group in side.memberships
        for door in doors.get(user.who, ())
    }


def _keys(door: DoorAnswer | None) -> set[str]:
    keys = {"the trust": door.trust, "the grant": door.grant} if door else {}
    return {name for name, key in keys.items() if key is Key.PRESENT}


def _long_term(before: Answers, after: Answers, ids: Mapping[str, str]) -> Iterator[Beside]:
    """Who gains or loses a password or an access key, in the words that an audit has for whoever has one afterwards.

    Live AWS tells more than states do: beside a state, what it does not have counts, in the accounts that it shows. But
    a password beside an MFA device, of a user that it shows, is how people sign in to whom it is handed: see
    `docs/break-glass.md`.
    """
    was, now = ({_with_id(one.user.who, ids): one for one in side.long_term} for side in (before, after))
    known = was.keys() | {_with_id(user, ids) for user in before.users}
    alike = _live(before) is _live(after)
    for user in sorted({**was, **now}, key=str):
        old, new = was.get(user), now.get(user)
        had, has = (one.has or (_NOT_KNOWN,) if one else () for one in (old, new))
        gains, loses = ([one for one in side if one not in other] for side, other in ((has, had), (had, has)))
        if not alike:
            as_meant = {PASSWORD} if user in known and new and new.mfa else set()
            gains, loses = [one for one in gains if one not in as_meant], []
        if (gains or loses) and (alike or user.account in before.accounts):
            gained, lost = map(" and ".join, (gains, loses))
            gained = gained if user in known else f"the user, with {gained}"
            about = str(new) if new else was[user].user.short
            yield Beside(about, Difference((gained,) if gains else (), (lost,) if loses else ()))


def _live(side: Answers) -> bool:
    return any(one.caller for one in side.evidence)


def _difference(was: set[str], now: set[str]) -> Difference:
    return Difference(tuple(sorted(now - was)), tuple(sorted(was - now)))


def only_about(found: Changes, accounts: Callable[[str], bool]) -> Changes:
    """Only what leads into accounts that a predicate takes: what one side cannot show is no difference."""
    return replace(
        found,
        gained=tuple(way for way in found.gained if accounts(way.account)),
        lost=tuple(way for way in found.lost if accounts(way.account)),
        changed=tuple(one for one in found.changed if accounts(one.after.account)),
        perhaps=tuple(way for way in found.perhaps if accounts(way.account)),
        waiting={one: ways for one, ways in found.waiting.items() if any(accounts(way.account) for way in ways)},
    )


def drift(before: Answers, live: Answers) -> Changes:
    """What is there and not in the states: only of the accounts that they show, and with those whose people they lack.

    What somebody of such an account enters is gained, as nothing shows it to be meant.
    """
    found = only_about(changes(before, live), lambda account: account in before.accounts)
    unseen = callers_accounts((*found.gained, *found.lost)) - before.shown
    missing = sorted(live.names.get(one, one) for one in unseen & live.accounts.keys())
    if not missing:
        return found
    people = f"the users and roles of {', '.join(missing)}"
    what = f"Not shown by {before.origin}: {people}, so their ways count as differences"
    step = "give the states of the stacks that make them (`--state FILE`); whom no stack makes somebody made by hand"
    return replace(found, not_shown=f"{what}. Next step: {step}.")


def _by_ends(ways: Iterable[Way], ids: Mapping[str, str], names: Mapping[str, str]) -> dict[tuple[Who, Who], Way]:
    """Of the ways between two ends one that asks for nothing, else the shortest: a workload may come by several."""

    def called(one: Party) -> Party:
        account = one.who.account
        return replace(one, account_name=names.get(ids.get(account, account), one.account_name))

    found: dict[tuple[Who, Who], Way] = {}
    for way in sorted(ways, key=lambda way: (bool(way.conditions), len(way.steps))):
        steps = (replace(one, source=called(one.source), target=called(one.target)) for one in way.steps)
        ends = (_with_id(way.source.who, ids), _with_id(way.target.who, ids))
        found.setdefault(ends, replace(way, steps=tuple(steps)))
    return found


def _with_id(who: Who, ids: Mapping[str, str]) -> Who:
    account = who.account or (_MANAGEMENT if who.kind == "root" else "")
    return Who(who.kind, ids.get(account, account), who.name)


def _changed(old: Way, new: Way, ids: Mapping[str, str]) -> Changed:
    was, now = old.permissions, new.permissions
    allowed = difference(was.documents, now.documents, ids)
    old_limit, limit = ([one.limit] if one.limit else [] for one in (was, now))
    boundary = difference(old_limit, limit, ids)
    renamed = was.boundary != now.boundary
    sessions = old.role_session_seconds, new.role_session_seconds
    same = old.max_session_seconds == new.max_session_seconds
    chained = f" (this way still {duration(new.max_session_seconds)}, by role chaining)" if same else ""
    stops = [[_with_id(stop.who, ids) for stop in way.through] for way in (old, new)]
    same_doors = stops[0] == stops[1]
    differing: dict[str, bool | Difference] = {
        "through other roles": not same_doors,
        **dict.fromkeys(_conditions(old, new, ids, same_doors=same_doors), True),
        f"{was} became {now}": was.level != now.level and _differ(was, now, allowed, boundary),
        "other policies": allowed,
        f"permissions boundary {was.boundary or 'none'} became {now.boundary or 'none'}": renamed and bool(boundary),
        f"permissions boundary {now.boundary} changed": not renamed and boundary,
        f"longest session {' became '.join(map(duration, sessions))}{chained}": None not in sessions
        and sessions[0] != sessions[1],
    }
    what = {one: said if isinstance(said, Difference) else Difference() for one, said in differing.items() if said}
    return Changed(old, new, what, allowed, boundary)


def _conditions(old: Way, new: Way, ids: Mapping[str, str], *, same_doors: bool) -> Iterator[str]:
    """Under which other conditions a way is open; door by door, as a condition that moves along asks another one.

    Between accounts key by key as well: what the grant alone asks for, the next grant need not.
    """
    if not same_doors:
        yield from _asked_otherwise("", _asked(old.steps), _asked(new.steps), ids)
        return
    for before, after in zip(old.steps, new.steps, strict=True):
        where = f" from {after.source.short} to {after.target.short}" if new.through else ""
        if after.crosses:
            for key, was, now in zip(("trust", "grant"), before.requirements, after.requirements, strict=True):
                yield from _asked_otherwise(f" of the {key}{where}", was, now, ids)
        else:
            yield from _asked_otherwise(where, _asked([before]), _asked([after]), ids)


def _asked(steps: Iterable[Step]) -> Sequence[Requirement]:
    return [one for step in steps for key in step.requirements for one in key]


def _asked_otherwise(
    where: str, old: Sequence[Requirement], new: Sequence[Requirement], ids: Mapping[str, str]
) -> Iterator[str]:
    if other := _other_conditions(old, new, ids):
        yield f"under other conditions{where}: {other}"


def _other_conditions(old: Sequence[Requirement], new: Sequence[Requirement], ids: Mapping[str, str]) -> str:
    """In what conditions differ, in words; what is encrypted is compared by its words."""
    values = set()

    def plain(value: str) -> str:
        values.add(value)
        return with_ids(value, ids)

    words = partial(in_detail, now=datetime.now(UTC))
    sides = [in_full(side, plain, words) for side in (old, new)]
    if not values.isdisjoint(MASKS):
        sides = [{one: one for one in in_full(side, plain).values()} for side in (old, new)]
    was, now = sides
    lost, gained = ({side[key]: None for key in side if key not in other} for side, other in ((was, now), (now, was)))
    alike = [one for one in {**lost, **gained} if one in was.values() and one in now.values()]
    gone, come = (all_of(one for one in side if one not in alike) for side in (lost, gained))
    said = [f"another {one}" if one == EXTERNAL_ID else f"{one} is asked for otherwise" for one in alike]
    if gone and come:
        said.append(f"{gone} became {come}")
    elif gone or come:
        said.append(f"{gone} is not asked for any more" if gone else f"{come} is asked for too")
    return "; ".join(said)


def _differ(was: Permissions, now: Permissions, *differences: Difference) -> bool:
    """Whether how strong two are may be told apart: one policy of AWS is known better live than by its name, and what a
    refresh saw of a role is not known of every side.
    """
    return any(differences) or Permissions(Level.UNKNOWN) in (was, now)
