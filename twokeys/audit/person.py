"""What one person did, of all that was compared."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from twokeys.answers.model import ACCESS_KEY, Answers
from twokeys.answers.selection import GROUPS, PEOPLE, is_person
from twokeys.audit.against_states import TakenBack, enter, still
from twokeys.audit.changes import lets_in
from twokeys.audit.comparison import Comparison, calls_of, way_use
from twokeys.audit.entries import DoorUse, Entry, Tally
from twokeys.audit.record import Use
from twokeys.audit.trail import TEMPORARY
from twokeys.doors import Who


def by_person(comparison: Comparison, answers: Answers) -> Comparison:
    """What one person did, whose answers these are, and how that one used the doors of these ways; all, if of nobody.

    A call is the person's that the user made, that carries the person's name as its source identity, or that was made
    in a session which one of the entries began.
    """
    person = answers.person
    if not person:
        return comparison
    keys: set[str] = set()

    def did(use: Use) -> bool:
        own = is_person(use.caller.who, person) or use.source_identity == person or use.by in keys
        keys.update([use.key] if own and use.key else ())
        return own

    population = tuple(one for one in comparison.population if did(one.use))
    of_door: dict[int, list[Entry]] = defaultdict(list)
    for entry in population:
        for door in entry.doors:
            of_door[id(door)].append(entry)
    steps = {(step.source.who, step.target.who) for way in (*answers.ways, *answers.within) for step in way.steps}
    used: dict[tuple[Who, Who], tuple[Tally, DoorUse]] = {}
    for one in (*comparison.doors, *comparison.steps):
        if (ends := (one.door.source.who, one.door.target.who)) in steps:
            tally = Tally(one.door)
            used[ends] = (tally, tally.of_person(one, of_door[id(one.door)]))
    doors, on_the_way = (
        tuple(used[ends][1] for one in of if (ends := (one.door.source.who, one.door.target.who)) in used)
        for of in (comparison.doors, comparison.steps)
    )
    return replace(
        comparison,
        doors=doors,
        steps=on_the_way,
        ways=tuple(way_use(way, used) for way in answers.ways if used),
        population=population,
        unusual=tuple(one for one in comparison.unusual if did(one.use)),
        sign_ins=tuple(one for one in comparison.sign_ins if is_person(one.user.who, person)),
        changes=tuple(one for one in comparison.changes if did(one.use)),
        taken_back=tuple(
            one
            for one in comparison.taken_back
            if _concerns(one, answers, {use.use.caller.who.account for use in population})
            and (one.lost or not one.permissions or enter(one.change, answers))
        ),
        earlier=tuple(filter(did, comparison.earlier)),
        apart=dict(_own_calls(comparison, answers)),
    )


def _concerns(one: TakenBack, answers: Answers, accounts: set[str]) -> bool:
    """Whether what was given or taken away may be the person's: not what is another user's, or of a group that the
    person is surely not in, nor a trust policy that let in only services, other users, and others' accounts.

    Theirs may be any account of ours, and those that the person called from.
    """
    (kind, whose, what), person, policy = one.change.of, answers.person or "", one.change.policy
    named = [answers.principals[each].who for each in (whose, *what.split()) if each in answers.principals]
    named += [Who(kind, one.change.recorded, whose)] if kind in ("user", "group") else []
    if people := [who for who in named if who.kind in PEOPLE]:
        return any(is_person(who, person) for who in people)
    if any(who.kind in GROUPS and answers.is_member(person, who) is False for who in named):
        return False
    if not (one.since and one.lost and policy) or any(
        each.principals is None or each.principals.unresolved or each.principals.canonical_user
        for each in policy.statements
    ):
        return True
    ours = accounts | {*answers.names, *answers.accounts, *answers.shown}
    let_in = [name for names in lets_in(policy, still(one.change, answers)).values() for name in names]
    known = {name: Who.named(name) for name in let_in if not name.endswith(".amazonaws.com")}
    return any(
        who is None or (is_person(who, person) if who.kind == "user" else who.account in ours) for who in known.values()
    )


def _own_calls(comparison: Comparison, answers: Answers) -> Iterable[tuple[str, int]]:
    """The person's calls with own credentials, and whether something shows the access key."""
    shown = {one.user.who for one in answers.long_term if ACCESS_KEY in one.has}
    for user, name, count in comparison.key_calls:
        if is_person(user.who, answers.person):
            by_key = name != TEMPORARY and user.who not in shown
            yield calls_of(user, name) + (" that nothing read shows" if by_key else ""), count
