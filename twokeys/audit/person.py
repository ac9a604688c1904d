"""What one person did, of all that was compared."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import partial

from twokeys.answers.model import ACCESS_KEY, Answers
from twokeys.answers.selection import GROUPS, PEOPLE, is_person
from twokeys.audit.changes import ASSIGNS, LETS_IN, TRUST, lets_in
from twokeys.audit.comparison import Comparison, calls_of
from twokeys.audit.differs import Differs, entered
from twokeys.audit.entries import uses_of_doors, way_use
from twokeys.audit.record import Use
from twokeys.audit.stood import Stood
from twokeys.audit.trail import TEMPORARY, Change
from twokeys.audit.whom import enter, let_in
from twokeys.doors import Who
from twokeys.doors.who import IAM_PEOPLE
from twokeys.iam import Arn, PolicyDocument


def by_person(comparison: Comparison, answers: Answers, everywhere: Answers | None = None) -> Comparison:
    """What one person did, whose answers these are, and how that one used the doors of these ways; all, if of nobody.

    A call is the person's that the user made, that carries the person's name as its source identity, or that was made
    in a session which one of the entries began. Of what the answers have not, that is kept which may be the person's:
    what the person's ways, into whatever account (`everywhere`), and entries lead through, whom it names, and what the
    person entered by or meanwhile.
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
    of, steps = uses_of_doors(population), {step.ends for step in answers.steps}
    doors, on_the_way = (
        tuple(one.by(of) for one in each if one.door.ends in steps) for each in (comparison.doors, comparison.steps)
    )
    used = {one.door.ends: one for one in (*doors, *on_the_way)}
    concerns = _concerning(everywhere or answers, comparison, [one.use for one in population])

    def own(one: Stood) -> Stood:
        return replace(one, entered=tuple(filter(did, one.entered)))

    taken_back = tuple(
        one
        for one in map(own, comparison.taken_back)
        if one.entered or (concerns(one) and (one.lost or not one.permissions or enter(one.change, answers)))
    )
    not_in_states = tuple(one for one in map(own, comparison.not_in_states) if one.entered or concerns(one))
    told = {id for one in (*taken_back, *not_in_states) for id in one.calls}
    return replace(
        comparison,
        answers=answers,
        doors=doors,
        steps=on_the_way,
        ways=tuple((way, way_use(way, used)) for way in answers.ways if used),
        population=population,
        unusual=tuple(one for one in comparison.unusual if did(one.use)),
        sign_ins=tuple(one for one in comparison.sign_ins if is_person(one.user.who, person)),
        changes=tuple(one for one in comparison.changes if did(one.use) or _is_of(one, answers) or one.use.id in told),
        taken_back=taken_back,
        not_in_states=not_in_states,
        unexplained=tuple(filter(partial(_may_differ, everywhere or answers), comparison.unexplained)),
        earlier=tuple(filter(did, comparison.earlier)),
        apart=dict(_own_calls(comparison, answers)),
    )


def _concerning(answers: Answers, comparison: Comparison, uses: Iterable[Use]) -> Callable[[Stood], bool]:
    """Whether what stood may be the person's: of the person, a group that the person may be in, a role or policy of the
    person's ways and entries; a trust policy where it let in the person, or an account or role of ours.

    A role that was open to the person, or that one of these may enter at home, is one of them, too. What a call does
    not name may be anybody's.
    """
    person, steps = answers.person, answers.steps
    ends = {end.who for step in steps for end in (step.source, step.target)}
    ends |= {who for use in uses for who in (use.caller.who, use.target)}
    theirs = {(who.account, who.kind, who.name) for who in ends} | {key.held[:3] for step in steps for key in step.keys}
    ours = {who.account for who in ends} | {*answers.accounts, *answers.shown}

    def may_be(who: Who | None) -> bool:
        if who is None or who.kind in ("user", "everyone"):
            return who is None or who.kind == "everyone" or is_person(who, person)
        return who.account in ours

    stood = [*comparison.taken_back, *comparison.not_in_states]
    trusts = [one.change for one in stood if one.change.gives == TRUST and one.since]
    theirs |= {one.whom for one in trusts if let_in(one, answers, may_be)}
    at_home = [
        (key[:3], {who for names in lets_in(said.policy.statements).values() for who in map(Who.named, names) if who})
        for key, said in answers.holds.items()
        if key[1] == "role" and not key[3] and said and isinstance(said.policy, PolicyDocument)
    ]
    while more := {role for role, trusted in at_home if any(map(partial(_comes, role, theirs), trusted))} - theirs:
        theirs |= more
    held = {key[3]: said for key, said in answers.holds.items() if key[:3] in theirs}
    held |= {one.of[2]: None for one in comparison.changes if one.whom in theirs}
    named = {*held, *(said.arn for said in held.values() if said), *(key[2] for key in theirs if len(key) > 2)}
    named |= {account for account, *_ in theirs}

    ids = {id for id, party in answers.principals.items() if party.who == Who("identity-center-user", "", person)}
    of_iam = any(user.kind == "user" and user.name == person for user in answers.users)
    identity_center = bool(ids) or not of_iam or any(use.caller.who.kind == "identity-center-user" for use in uses)

    def concerns(one: Stood) -> bool:
        (kind, whose, what), change = one.change.of, one.change
        parties = _named(change, answers)
        if any(who.kind in PEOPLE for who in parties):
            return _is_of(change, answers)
        if groups := [who for who in parties if who.kind in GROUPS]:
            return any(answers.is_member(person, who) is not False for who in groups)
        if change.gives == TRUST and one.since:
            return let_in(change, answers, may_be)
        if not identity_center and (kind.startswith("identity-center") or change.gives in LETS_IN):
            return False
        if change.gives == "AttachPolicy" and what.isdigit():  # a control policy of an account
            return what in named
        if kind == "identity-center-user" and ids:
            return whose in ids
        is_shown = kind in ("role", "root-user", "set", "account") or (kind == "policy" and Arn.parse(whose))
        return not is_shown or change.gives == ASSIGNS or change.whom in theirs or whose in named

    return concerns


def _named(one: Change, answers: Answers) -> list[Who]:
    """The users and groups that a call names."""
    kind, whose, what = one.of
    named = [answers.principals[each].who for each in (whose, *what.split()) if each in answers.principals]
    return named + [Who(each, one.recorded, whose) for each in IAM_PEOPLE if each == kind]


def _is_of(one: Change, answers: Answers) -> bool:
    """Whether a call is of the person."""
    return any(is_person(who, answers.person) for who in _named(one, answers))


def _may_differ(answers: Answers, one: Differs) -> bool:
    """Whether what differs is of the person, a group that the person may be in, or what the person may enter."""
    who = answers.principals[one.whom[2]].who if one.whom[2] in answers.principals else entered(one.whom, answers)
    is_in = who.kind in GROUPS and answers.is_member(answers.person, who) is not False
    return is_in or is_person(who, answers.person) or bool(answers.ways_into([who]))


def _comes(role: tuple[str, ...], theirs: Collection[tuple[str, ...]], trusted: Who) -> bool:
    """Whether whom a role trusts in its own account is one of these, or is its account as a whole."""
    if trusted.kind == "root":
        return trusted.account == role[0] and any(one[0] == role[0] for one in theirs)
    return trusted.account == role[0] and (trusted.account, trusted.kind, trusted.name) in theirs


def _own_calls(comparison: Comparison, answers: Answers) -> Iterable[tuple[str, int]]:
    """The person's calls with own credentials, and whether something shows the access key."""
    shown = {one.user.who for one in answers.long_term if ACCESS_KEY in one.has}
    shown |= {Who("user", *one.whom[::2]) for one in comparison.changes if one.gives == "CreateAccessKey"}
    for user, name, count in comparison.key_calls:
        if is_person(user.who, answers.person):
            by_key = name != TEMPORARY and user.who not in shown
            yield calls_of(user, name) + (" that nothing read shows" if by_key else ""), count
