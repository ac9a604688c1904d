"""What the records of changes say of the answers' time: what came since, what was taken back, and what nothing tells.

Pure. docs/audit-events-words.md says what counts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from twokeys.access.model.documents import MASKS, Document
from twokeys.access.model.names import may_let_in
from twokeys.access.model.principals import own_changes
from twokeys.answers.model import BOUNDARY, PASSWORD, Answers, Party, Way
from twokeys.answers.permissions import Level, level_of
from twokeys.answers.selection import GROUPS
from twokeys.answers.summary import APART
from twokeys.audit.changes import BEING, CALLS, MFA_DEVICE, MOVES, PROVISIONS, TAKEN_BACK, TRUST, lets_in, trusted
from twokeys.audit.known import BY_PROVIDER
from twokeys.audit.record import Use, resolved
from twokeys.audit.trail import Change
from twokeys.doors import Who
from twokeys.doors.who import Kind
from twokeys.iam import UNKNOWN, Arn, PolicyDocument, PolicyKind, Statement, Unknown, aws_managed
from twokeys.iam.arn import partition_of_region
from twokeys.iam.sts import permission_set_of
from twokeys.shown import in_utc, listed

if TYPE_CHECKING:
    from twokeys.audit.comparison import Comparison

_OF_IDENTITY_CENTER = ":role/aws-service-role/sso.amazonaws.com/"
"""https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html"""
_SERVICE = ".amazonaws.com"
_MAKES = {name.partition(":")[2].replace("Delete", "Create") for name, one in CALLS.items() if one.deletes}
_MOST = 3
_POLICIES = {one for one in TAKEN_BACK if one.endswith(("RolePolicy", "PermissionSet")) and "Boundary" not in one}
"""Calls that give a policy to a role, or to a permission set, of which AWS makes a role in each account."""
ASSIGNS, JOINS = "CreateAccountAssignment", "CreateGroupMembership"
_EVERYWHERE = "targetType ALL_PROVISIONED_ACCOUNTS"
"""How a call asks to provision all accounts that have a permission set."""
_MEANWHILE = {TRUST: "while it was open", ASSIGNS: "within the assignment", JOINS: "while in {}"}
"""Of calls that let in whom they name, how an entry was that one of these made."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What the period had and the answers have not: what a call gave and, mostly, another took away, or one took away.

    `since` is None of what was there before the records, or of what no account had; `until` of what was there at their
    end. `permissions` are those of the role that a trust policy let enter, or of the role or permission set that was
    given more, with the policies by name; None where it is not judged whom it let in. `lost` are those whom a trust
    policy let in then and that of now does not.
    """

    change: Change
    since: datetime | None
    until: datetime | None
    permissions: tuple[Level, tuple[str, ...]] | None = None
    lost: str = ""
    ended: tuple[Use, ...] = ()
    """The calls that ended it."""
    entered: tuple[Use, ...] = ()
    """The entries meanwhile of those whom it let in or made stronger, or into what it made stronger."""
    accounts: tuple[str, ...] = ()
    """Of what a permission set was given, the accounts that had it from `since` to `until`."""
    taken: datetime | None = None
    """When a call took it away from the set: the accounts have it until they are provisioned anew."""

    @property
    def places(self) -> tuple[str, ...]:
        """The accounts that it was in."""
        return self.accounts or (self.change.use.account,)

    @property
    def may_stand(self) -> bool:
        """Whether a role may still be stronger by it than what was read says."""
        stands = bool(self.since or self.change.undone) and not self.until
        return stands and self.permissions is not None and self.change.gives in _POLICIES

    @property
    def was_there(self) -> bool:
        """Whether something surely was there and went: a call that takes away, or a role's trust policy anew, fails or
        leaves less. What a policy was before it was written, if it was there at all, no call tells.
        """
        one = self.change
        return bool(self.since or self.permissions) or one.undone or one.call.deletes or one.gives == TRUST

    def is_of(self, one: Change) -> bool:
        """Whether a call is the one that gave or took it, or that ended it."""
        ended = (one.recorded, *one.of[:2]) == (self.change.recorded, *self.change.of[:2]) and not one.use.failed
        return one is self.change or (ended and one.use.time in (self.until, self.taken))

    @property
    def between(self) -> str:
        """From when to when, in words."""
        taken = f"taken from the set {in_utc(self.taken)}" if self.taken else ""
        if self.accounts and not self.since and not self.change.undone:
            given = f"given to the set {in_utc(self.change.use.time)}{taken and f', {taken},'}"
            return f"{given} and not provisioned meanwhile in what was read"
        first = in_utc(self.since) if self.since else "before the records"
        if self.until:
            return f"from {first} to {in_utc(self.until)}" + f", when it was provisioned anew ({taken})" * bool(taken)
        still = f": {taken} and not provisioned since in what was read, so it may still be there" if taken else ""
        return f"from {first} on{still or ', and not in what was read'}"

    def words(self, answers: Answers) -> str:
        """Who, into what, how strong, from when to when; of what is not judged, the call and when."""
        if self.permissions is None:
            trusts = f", which trusted {self.change.trusts}," if self.since and self.change.trusts else ""
            return f"{about(self.change, answers)}{trusts} {self.between}"
        level, names = self.permissions
        strong = level.word + (f" ({listed(names)})" if names else "")
        of_set = f", in {listed([answers.account_name(one) for one in self.accounts], most=_MOST)}"
        role = self.into(answers) + (of_set if self.accounts else f" of {answers.account_name(self.change.recorded)}")
        ends = " -> ".join(filter(None, (listed(self.who(answers), most=_MOST), role)))
        return f"{ends}: {strong}, {self.between}"

    def who(self, answers: Answers) -> list[str]:
        """Who was let in, or may enter what was given more."""
        return [self.lost] if self.lost else enter(self.change, answers, self.accounts)

    def into(self, answers: Answers) -> str:
        """What they may enter, by its name."""
        kind, whose, _ = self.change.of
        return f"{'permission set' if kind == 'set' else kind} {answers.names.get(whose, whose)}"

    def came(self, answers: Answers) -> str:
        """Who entered meanwhile, in words; empty for nobody."""
        who = Counter(actor(use, answers) for use in self.entered)
        how = "entered by it" if self.change.gives in _MEANWHILE else "entered meanwhile"
        each = listed([f"{one} ({count})" for one, count in who.most_common()], most=_MOST)
        return f"; {how}: {each}, last {in_utc(self.entered[-1].time)}" if who else ""

    def meanwhile(self, answers: Answers) -> str:
        """Of an entry, that it was while this stood, in words."""
        how, call = _MEANWHILE.get(self.change.gives, "while it had more"), about(self.change, answers)
        by = actor(self.change.use, answers)
        return f"{how.format(_called(self.change.of[1], answers))} ({call} {self.between}, by {by})"


def about(one: Change, answers: Answers) -> str:
    """A call and what it is of: "AttachRolePolicy of deployer (ReadOnlyAccess) in prod"."""
    _, whose, what = one.of
    ids = [id for id in what.rpartition("/")[2].split() if id != one.use.account]
    given = " ".join(_called(id, answers) for id in ids)
    given = f" ({given})" if given else ""
    named = f" of {_called(whose, answers)}{given}" if whose else ""
    return f"{one.use.event}{named} in {answers.account_name(one.use.account)}"


def _called(id: str, answers: Answers) -> str:
    """What people call whom a call names by an id, or the name itself."""
    return answers.principals[id].who.label if id in answers.principals else answers.names.get(id, id)


def actor(use: Use, answers: Answers) -> str:
    """Who called, with the session's name, which is the user's where a person switched roles, and who began it."""
    return (
        answers.named(use.caller).short
        + (f" as {use.caller_session}" if use.caller_session else "")
        + begun(use, answers)
    )


def begun(use: Use, answers: Answers) -> str:
    """Who began the session that called, in words; empty where no record tells."""
    first = use.begun_by
    session = f" as {first.caller_session}" if first and first.caller_session else ""
    return f", begun by {caller(first, answers)}{session}" if first else ""


def caller(use: Use, answers: Answers) -> str:
    """Who called, in few words; of whom no record names the unique id."""
    use = resolved(use, answers.principals)
    return answers.named(use.caller).short + (f" ({use.unique_id})" if not use.names_caller and use.unique_id else "")


def enter(one: Change, answers: Answers, accounts: Container[str] = ()) -> list[str]:
    """Who may enter what a call is of (a permission set in these accounts, or in any), by what is in the answers: its
    policies give more to them.
    """
    ways = _into(one, answers)
    return [*dict.fromkeys(way.source.short for way in ways if not accounts or way.account in accounts)]


def _into(one: Change, answers: Answers) -> list[Way]:
    """The ways into the role that a call is of, or into those that AWS makes of the permission set."""
    whom = _entered(one, answers.accounts, answers)
    return [way for way in (*answers.ways, *answers.within) if whom & {way.target.who, set_of(way.target)}]


def _entered(one: Change, accounts: Iterable[str], answers: Answers) -> set[Who | None]:
    """What is entered of whom a call is of: of a permission set, what AWS makes of it in the accounts; what a group of
    IAM Identity Center may enter.
    """
    kind, whose, _ = one.of
    if kind == "set":
        return {Who("set", account, answers.names.get(whose, whose)) for account in accounts}
    if kind == "identity-center-group" and (group := answers.principals.get(whose)):
        return {set_of(way.target) for way in answers.ways if way.source.who == group.who}
    return {Who(cast(Kind, kind), one.recorded, whose)}


def set_of(role: Party) -> Who | None:
    """The permission set that AWS made a role of, as what is entered there; None of another role."""
    name = permission_set_of(role.arn or role.who.name)
    return Who("set", role.who.account, name) if name else None


def against_states(answers: Answers, comparison: Comparison) -> Answers:
    """The answers with what the records say of their time: changes of keys that the states do not have, so that more
    may come in now; and the times of which nothing tells, between what was read and the records.
    """
    since = {
        f"{about(one, answers)} on {in_utc(one.use.time)} by {actor(one.use, answers)}": one.of[1]
        * (one.of[0] == "user")
        for one in (each.change for each in comparison.not_in_states)
    }
    times = sorted(moment for one in answers.evidence if (answers.from_states or one.caller) and (moment := one.moment))
    first, last = comparison.asked
    start, end = comparison.start or first, comparison.end or last
    before = f"{in_utc(times[0])} and {in_utc(start)}" if times and start and start - times[0] > APART else ""
    after = f"{in_utc(end)} and {in_utc(times[-1])}" if times and end and times[-1] - end > APART else ""
    return replace(answers, changed_since=since, not_recorded=before, not_recorded_after=after)


def not_in_states(answers: Answers, changes: Sequence[Change]) -> tuple[Stood, ...]:
    """What a call gave that may yet stand, and that the states do not have."""
    done = _done(changes)
    return tuple(
        each
        for one, _, stands in _fates(answers, done)
        if stands and answers.from_states and not _is_shown(one, answers)
        for each in _in_accounts(_stood(one, None, done, answers), done, answers)
    )


def _stood(one: Change, until: datetime | None, done: Sequence[Change], answers: Answers) -> Stood:
    """What a call gave; of one that takes away, with which a Deny may go, it is not judged whom it made stronger."""
    may = None if one.undone else _permissions(one, until, done, answers)
    return Stood(one, one.use.time, until, may, trusted(one.policy, still(one, answers), partial(_named, answers)))


def _in_accounts(one: Stood, done: Iterable[Change], answers: Answers) -> Iterator[Stood]:
    """What stood, and of what a permission set was given, when accounts had it: each has the set as it was when it was
    last provisioned there, by a call of that name or by an assignment.

    Those of one time are one. An account may be provisioned in the second of the call that gives or takes. Live IAM
    shows what the role has: what it has is not taken back, and what it has not is not there any more.
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ProvisionPermissionSet.html and
    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreateAccountAssignment.html
    """
    if one.permissions is None or one.change.of[0] != "set":
        yield one
        return
    given, taken, undone = one.change.use.time, one.until, one.change.undone
    of_set = [each for each in done if each.use.event in PROVISIONS and each.of[:2] == one.change.of[:2]]
    alike: dict[tuple[datetime | None, datetime | None, datetime | None], list[str]] = defaultdict(list)
    roles: dict[str, list[Document]] = defaultdict(list)
    for way in _into(one.change, answers):
        roles[way.account] += way.permissions.documents
    for account, has in roles.items():
        times = [each.use.time for each in of_set if account == each.use.account or _EVERYWHERE in each.parameters]
        since = next((time for time in times if not undone and given <= time <= (taken or time)), None)
        until = next((time for time in times if (since or undone) and taken and taken <= time != since), None)
        there = answers.from_states or any(_has(one.change, each) for each in has)
        if answers.from_states or taken or not there:
            alike[since, until, taken if there or until or not (since or undone) else None].append(account)
    for (since, until, told), accounts in alike.items():
        found = replace(one, since=since, until=until, accounts=tuple(accounts), taken=told)
        went = undone and (until or not told)  # what was there before the records
        yield replace(found, permissions=None, until=until or taken) if went else found


def _has(one: Change, said: Document) -> bool:
    """Whether a policy is what a call gives."""
    same = isinstance(said.policy, PolicyDocument) and one.policy is not None and one.policy.within(said.policy)
    return same or (bool(one.of[2]) and one.of[2] in (said.arn, said.name))


def as_they_may_be(answers: Answers, stood: Iterable[Stood]) -> Answers:
    """The answers with each role as strong as it may still be by policies that states do not show."""
    more: dict[Who | None, list[Stood]] = defaultdict(list)
    for one in stood if answers.from_states else ():
        for where in _entered(one.change, one.accounts, answers) if one.may_stand else ():
            more[where].append(one)

    def of(way: Way) -> Way:
        found, may = chain(more[way.target.who], more[set_of(way.target)]), way.permissions
        for one in found:
            level, _ = one.permissions or (may.level, ())
            name = f"{_policy(one.change.of[2])} ({one.change.use.event}, {in_utc(one.since or one.change.use.time)})"
            names, policies = ((name, *each) for each in (may.names, may.policies))
            if may.limit:
                level = min(level, level_of(may.limit, tuple(own_changes(way.target.arn, may.documents))))
            may = replace(may, level=max(may.level, level), names=names, policies=policies)
        return replace(way, permissions=may)

    return replace(answers, ways=tuple(map(of, answers.ways)), within=tuple(map(of, answers.within)))


def taken_back(answers: Answers, changes: Sequence[Change]) -> tuple[Stood, ...]:
    """What let somebody in during the period, or may have, and is not in the answers any more.

    Whom a trust policy let in, it says itself. What a grant, a membership or an assignment let in is not judged, nor is
    what was there before the records, where no state of then shows it.
    """
    done = _done(changes)
    found = [
        _stood(one, until, done, answers)
        for one, until, _ in _fates(answers, changes)
        if not _stands_anyway(one, answers)
        and (until or not (answers.from_states or _is_shown(one, answers) or _is_of_credentials(one)))
    ]
    seen: set[tuple[str, ...]] = set()
    last = {_key(one): one for one in done}
    for one in done:
        of = (one.recorded, *one.of[:2])
        if not seen & {_key(one), of, (TRUST, *of, "", "")} and _took_away(one, last, answers):
            may = _permissions(one, one.use.time, done, answers) if one.undone and one.of[0] == "set" else None
            found.append(Stood(one, None, one.use.time, may))
        seen.add(_key(one))
        if one.use.event in _MAKES:
            seen.add(of)
    judged = [one for one in found if one.permissions and one.lost]
    found = [one for one in found if enter(one.change, answers) or not any(_is_said(one, by) for by in judged)]
    found = [each for one in found for each in _in_accounts(one, done, answers)]
    found.sort(key=lambda one: (one.permissions is None, one.change.use.time, one.change.use.id))
    ended = ([each.use for each in changes if one.is_of(each) and each is not one.change] for one in found)
    return tuple(replace(one, ended=tuple(by)) for one, by in zip(found, ended, strict=True))


def _named(answers: Answers, principal: str) -> str:
    """Whom a name in a Principal element means, as people call it; a session by its ARN."""
    who = None if ":assumed-role/" in principal else Who.named(principal)
    return answers.named(Party(who)).short if who else principal


def with_entries(found: Iterable[Stood], uses: Iterable[Use], answers: Answers) -> tuple[Stood, ...]:
    """Each with the entries, which are in order of time, that there were while it stood."""
    of: dict[Who | None, list[Use]] = defaultdict(list)
    for use in uses:
        for where in (use.target, use.caller.who, set_of(Party(use.target, use.arn)), set_of(use.caller)):
            of[where].append(use)
    members: dict[Who | None, list[Who]] = defaultdict(list)
    for user, group in answers.memberships:
        members[group.who].append(user.who)

    def came(one: Stood) -> Iterator[Use]:
        entered = _entered(one.change, one.accounts or answers.accounts, answers)
        known = one.since or one.may_stand
        whom = {*entered, *chain.from_iterable(members[each] for each in entered)} if known else ()
        for use in chain.from_iterable(of[where] for where in whom):
            stood = (one.since or use.time) <= use.time <= (one.until or use.time)
            if stood and _is_by(one.change, use, answers):
                yield use

    return tuple(replace(one, entered=tuple(sorted({*came(one)}, key=attrgetter("time", "id")))) for one in found)


def _is_by(one: Change, use: Use, answers: Answers) -> bool:
    """Whether an entry may be that of somebody whom a trust policy, an assignment or a membership let in.

    Of other calls it is.
    """
    caller = use.caller.who
    if one.gives == JOINS:
        group, user = map(answers.principals.get, one.of[1:])
        stays = group is None or answers.is_member(caller.name, group.who)
        return caller.kind == "identity-center-user" and not stays and (user is None or user.who == caller)
    if one.gives == ASSIGNS:
        id, _, account = one.of[2].partition(" ")
        principal = answers.principals.get(id)
        comes = use.account == account and caller.kind == "identity-center-user"
        who = principal.who if principal else caller
        return comes and (who == caller or (who.kind in GROUPS and answers.is_member(caller.name, who) is not False))

    def is_caller(who: Who | None) -> bool:
        if who is None or caller.kind == "principal":
            return caller.kind in BY_PROVIDER if who is None else who.account in ("", caller.account)
        return who in (caller, Who("root", caller.account)) or who.kind == "everyone"

    return one.gives != TRUST or (use.target.name == one.of[1] and let_in(one, answers, is_caller))


def let_in(one: Change, answers: Answers, is_it: Callable[[Who | None], bool]) -> bool:
    """Whether a trust policy that a call wrote may have let in somebody whom that of now does not, and who is it; None
    is somebody whom no ARN names, as of an identity provider.
    """
    if one.policy is None or any(
        each.principals is None or each.principals.unresolved or each.principals.canonical_user
        for each in one.policy.statements
    ):
        return True
    names = (name for each in lets_in(one.policy.statements, still(one, answers)).values() for name in each)
    return any(is_it(Who.named("*" if name == "everyone" else name)) for name in names if not name.endswith(_SERVICE))


def still(one: Change, answers: Answers) -> Sequence[Statement]:
    """What of the trust policy of now, if it denies nobody else, lets in of those whom a call's policy did."""
    now = answers.holds.get((one.recorded, *one.of))
    if one.gives != TRUST or not now or not isinstance(now.policy, PolicyDocument) or one.policy is None:
        return ()
    mine, theirs = one.policy.statements, now.policy.statements
    new_denies = any(each.effect == "Deny" and not any(map(each.part_of, mine)) for each in theirs)
    return theirs if not new_denies and trusted(one.policy, theirs) else ()


def _took_away(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether a call took away, or wrote anew, what was there before the records, and no state shows what that was."""
    event, of = one.use.event, (one.recorded, *one.of[:2])
    before = answers.from_states and of in answers.written and answers.written[of] <= one.use.time
    if event in ("DeleteRole", "DeleteUser"):
        return not before and _OF_IDENTITY_CENTER not in one.use.caller.arn
    if not one.of[1] or _is_of_credentials(one):
        return False
    if one.undone:
        return (one.recorded, *one.of) not in answers.holds and _matters(one, last, answers)
    wrote = one.call.writes or event in ("SetDefaultPolicyVersion", "AttachPolicy") or one.of[2] == BOUNDARY
    return wrote and event not in _MAKES and not before and _matters(one, last, answers)


def _stands_anyway(one: Change, answers: Answers) -> bool:
    """Whether what a call gave is in the answers, taken back or not: a policy that lets in no more than theirs."""
    said = answers.holds.get((one.recorded, *one.of))
    policy = said.policy if said else None
    if one.call.writes:
        return one.policy is not None and isinstance(policy, PolicyDocument) and one.policy.within(policy)
    return not one.undone and one.of[2] != BOUNDARY and (one.recorded, *one.of) in answers.holds


def _is_said(one: Stood, judged: Stood) -> bool:
    """Whether it is a policy that a role had while somebody could enter it, of whom it is said how strong."""
    same = one.change.recorded == judged.change.recorded and one.change.of[:2] == judged.change.of[:2]
    if not same or one.change.gives not in _POLICIES or one.since is None or judged.since is None:
        return False
    return judged.since <= one.since and (judged.until is None or (one.until is not None and one.until <= judged.until))


def _is_of_credentials(one: Change) -> bool:
    """Whether it is a password, a key or a device of a user, of which live IAM does not tell all."""
    return one.gives in BEING and one.gives != TRUST


def _done(changes: Sequence[Change]) -> list[Change]:
    return [one for one in changes if one.use.failed is None and one.gives]


def _fates(answers: Answers, changes: Sequence[Change]) -> Iterator[tuple[Change, datetime | None, bool]]:
    """Each call that may let more in, until when what it gave stood, if not to the records' end, and whether it may yet
    stand there. Of two calls in one second, which CloudTrail's times are of, either may be the last.

    One that another repeats, or that gives less than a later one, is passed over.
    """
    done = _done(changes)
    last = {_key(one): one for one in done}
    of_same: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for one in done:
        of_same[_key(one)].append(one)
        if one.call.deletes:
            of_same[one.recorded, *one.of[:2]].append(one)
    for one in done:
        if not one.call.widens or _is_of_nobody_here(one, answers) or not _matters(one, last, answers):
            continue
        same, time = of_same[_key(one)], one.use.time
        if one.use.event == MOVES and one.boundary in same[0].parameters.split(", ")[:2]:  # back to where it was
            continue
        later = [each for each in same if each is not one and each.use.time >= time and _ends(each, one)]
        later += [each for each in of_same[one.recorded, *one.of[:2]] if each.use.time > time]
        ends = [each.use.time for each in later]
        if ends or one is same[-1]:
            yield one, min(ends, default=None), {*ends} <= {time}


def _ends(later: Change, one: Change) -> bool:
    """Whether a later call of the same ends what one gave: not one that gives it again, or as much."""
    if later.call.writes is None:
        return later.call.deletes or later.undone != one.undone or later.boundary != one.boundary
    return one.policy is None or later.policy is None or not one.policy.within(later.policy)


def _permissions(
    one: Change, until: datetime | None, done: Sequence[Change], answers: Answers
) -> tuple[Level, tuple[str, ...]] | None:
    """How strong a role was at most while a trust policy stood, or a policy of a role or permission set that somebody
    enters; None of a call that is neither, or by whose policy the role may have entered others.

    Its policies are those that the answers show and those that calls gave it before the end.
    """
    of, of_set = (one.recorded, *one.of[:2]), one.of[0] == "set"
    ways = _into(one, answers) if one.gives in _POLICIES else []
    judged = one.trusts if one.gives == TRUST else ways
    if not judged or (one.recorded not in answers.accounts and not of_set):
        return None
    there = ((key[3], said) for key, said in answers.holds.items() if key[:3] == of)
    shown = {name: [said] for name, said in there if name not in ("", BOUNDARY)}
    if of_set:
        shown = {said.arn or "": [said] for way in ways for said in way.permissions.documents}
    given = [each for each in done if (each.recorded, *each.of[:2]) == of and each.gives in _POLICIES]
    for each in given:
        what = each.of[2]
        if each.use.time <= one.use.time:
            shown.pop(what, None)
        if each is one or (not each.undone and (until is None or each.use.time < until)):
            own = answers.holds.get((one.recorded, "policy", what, ""))
            policy = each.policy or (own.policy if own else UNKNOWN)
            said = Document(policy, what.rpartition("/")[2], arn=what if Arn.parse(what) else None)
            shown.setdefault(what, []).append(said)
    made = of in answers.written or any(
        each.use.event == "CreateRole" and (each.recorded, *each.of[:2]) == of for each in done
    )
    documents = [said for each in shown.values() for said in each]
    role = str(Arn.iam("role", one.recorded, one.of[1], partition=partition_of_region(one.use.region)))
    raising = tuple(own_changes(role, filter(None, documents)))
    levels = [level_of(said, raising) if said else Level.UNKNOWN for said in documents]
    strongest = max((Level.NONE if made else Level.UNKNOWN, *levels))
    if one.gives != TRUST and strongest is not Level.ADMINISTRATOR and _is_about_roles(one, {}, answers):
        return None
    return strongest, tuple(map(_policy, shown))


def _policy(name: str) -> str:
    return name.rpartition("/")[2] or "inline policy"


def _key(one: Change) -> tuple[str, ...]:
    """What a call gives, writes or takes away: of what is neither, the call with its parameters."""
    return (one.gives, one.recorded, *one.of, "" if one.call.gives and one.of[1] else one.parameters)


def _matters(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether a call may let somebody in, or make stronger who comes in; what cannot be read may.

    A role that nothing shows anybody to enter but services for themselves gets stronger for nobody else: of its
    policies only those count that bear on `sts:AssumeRole`. What IAM Identity Center makes in an account follows from
    calls where it is itself, which count. Of a group into which an identity provider puts people, it counts where the
    states say who is in a group.
    """
    event, (kind, whose, what), trust = one.use.event, one.of, PolicyKind.TRUST
    if _OF_IDENTITY_CENTER in one.use.caller.arn:
        return False
    if event == MFA_DEVICE:  # of one's own it is one more thing to show, of another it may be somebody else's
        return any(way.mfa for way in (*answers.ways, *answers.within)) and one.use.caller.who.name != whose
    if event == "PatchGroup":
        return any(key[:2] == (one.recorded, "identity-center-group") for key in answers.holds)
    if one.call.writes is trust:
        return _bears(one.policy, trust=True)
    if kind == "role" and what != BOUNDARY and one.gives in TAKEN_BACK:
        own = (one.recorded, kind, whose, "")
        said = last.get(("UpdateAssumeRolePolicy", *own, "")), answers.holds.get(own)
        entered = any(_bears(each.policy, trust=True) for each in said if each)
        return entered or _is_about_roles(one, last, answers)
    if one.gives == "CreatePolicyVersion":
        held = any(whose in key or (said and said.arn == whose) for key, said in answers.holds.items())
        return held or _bears(one.policy, trust=False)
    return True


def _is_about_roles(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether the policy that a call writes, attaches or takes away may bear on `sts:AssumeRole`."""
    arn = Arn.parse(one.of[2])
    if arn and (policy := aws_managed.document(str(arn))) is not None:
        return bool(policy.statements)
    own = (arn.account, "policy", str(arn), "") if arn else (one.recorded, *one.of)
    said = last.get(("CreatePolicyVersion", *own, "")) or answers.holds.get(own)
    return _bears(one.policy or (said.policy if said else None), trust=False)


def _bears(policy: PolicyDocument | Unknown | None, *, trust: bool) -> bool:
    """Whether a policy may be about who comes in; a Deny of a trust policy alone lets in nobody."""
    if not isinstance(policy, PolicyDocument) or policy.unresolved:
        return True
    return any(
        may_let_in(each, trust=trust) and not (trust and each.effect == "Deny" and not each.effect_unresolved)
        for each in policy.statements
    )


def _is_shown(one: Change, answers: Answers) -> bool:
    """Whether the states have what a call did, or it takes away what they do not have.

    An update does not read what others made, so what the states say is held against it, not when they were written. A
    policy is shown where theirs lets in at least as much: the call changed it to what it is, or took something away. A
    state tells by its time only of what it does not show as text, and of calls by those who ran its update.
    """
    event, (_, whose, what), key = one.use.event, one.of, (one.recorded, *one.of)
    there, said = key in answers.holds, answers.holds.get(key)
    of = next((each for each in (key[:3], (one.recorded, "", "")) if each in answers.written), key)
    time = of in answers.written and one.use.time <= answers.written[of]
    policy = said.policy if said and isinstance(said.policy, PolicyDocument) else None
    policy = None if any(mask in str(policy) for mask in MASKS) else policy
    if one.gives == "CreateAccessKey":
        return one.undone or there
    if one.gives == "CreateLoginProfile":
        user = Who("user", one.recorded, whose)
        return one.undone or any(each.user.who == user and PASSWORD in each.has for each in answers.long_term)
    if whose and one.undone:
        return not there
    if whose and what == BOUNDARY and (said or not there):
        return said is None or said.arn == one.boundary
    if whose and one.call.writes:
        return there and (time if policy is None else one.policy is not None and one.policy.within(policy))
    if whose and what != BOUNDARY and one.gives in TAKEN_BACK:
        return there
    if event in {"CreateOpenIDConnectProvider", "CreateSAMLProvider"}:
        named = (each.rpartition(" ")[2].removeprefix("https://") for each in one.parameters.split(", "))
        return any((one.recorded, each) in answers.providers for each in named)
    by_update = one.use.caller.who in map(Who.named, answers.updated_by) and event != "SetDefaultPolicyVersion"
    return time and by_update


def _is_of_nobody_here(one: Change, answers: Answers) -> bool:
    """Whether a change tells who may be somebody, of an account that was not asked for, whom no answer is about.

    Somebody of a group or an account as a whole that an answer is about may be anybody of it.
    """
    (kind, whose, _), account = one.of, one.use.account
    shown = bool(whose) and (one.recorded, kind, whose) in answers.written
    if one.gives not in BEING or account in answers.accounts or not shown:
        return False
    ends = [end for way in (*answers.ways, *answers.within) for step in way.steps for end in (step.source, step.target)]
    ends += [end for door in answers.doors for end in (door.source, door.target)]
    ends += [end for lacking in answers.not_proved for end in (lacking.source, lacking.target) if end]
    here = [end.who for end in ends if end.who.account == account]
    return not any(who.kind not in ("role", "user") or who.name.rpartition("/")[2] == whose for who in here)
