"""The part of the answers that somebody asked for."""

from collections.abc import Container, Iterable
from dataclasses import replace

from twokeys.access.exceptions import Accepted
from twokeys.answers.model import Answers, Party, Way
from twokeys.answers.summary import FEW
from twokeys.doors import Who
from twokeys.errors import Refusal, or_nearest
from twokeys.iam import Arn
from twokeys.shown import listed

PEOPLE = ("user", "identity-center-user")
GROUPS = ("group", "identity-center-group")


def into(answers: Answers, *targets: str | None) -> Answers:
    """Only what leads into the accounts that `targets` name: an id, a name, an environment or a stack; none is all.

    What is not proved and not about one account stays; so do the passwords and access keys of users who come in from
    elsewhere, as whoever has one comes in by it. Raises Refusal when one of them names no account.
    """
    asked, every = [one for one in targets if one is not None], answers.accounts.items()
    if not asked:
        return answers
    each = {one: {id for id, account in every if one.lower() in account.called} for one in asked}
    accounts = {id: account for id, account in every if any(id in of for of in each.values())}
    for target in (one for one, of in each.items() if not of):
        known = sorted({name for account in answers.accounts.values() for name in account.called})
        shown = sorted(f"{one.name} ({one.id})" if one.name != one.id else one.id for one in answers.accounts.values())
        environments = sorted({one.environment for one in answers.accounts.values() if one.environment})
        step = "name an account by id or name, an environment or a stack, or give the states that show it"
        inside = f"; the environments are {', '.join(environments)}" if environments else ""
        raise Refusal(
            f"no account is called {target}",
            where=answers.origin,
            why=f"the accounts are {listed(shown, FEW)}{inside}" if shown else "it shows no account",
            next_step=or_nearest(step, target, known),
        )
    ways = tuple(way for way in answers.ways if way.account in accounts)
    coming = {way.source.who for way in ways}
    return replace(
        answers,
        accounts=accounts,
        ways=ways,
        within=tuple(way for way in answers.within if way.account in accounts),
        long_term=tuple(one for one in answers.long_term if one.user.who.account in accounts or one.user.who in coming),
        doors=tuple(door for door in answers.doors if door.target.who.account in accounts),
        not_proved=tuple(one for one in answers.not_proved if one.target is None or one.target.who.account in accounts),
        accepted=answers.accepted and tuple(one for one in answers.accepted if not _elsewhere(one, accounts)),
        expired=tuple(one for one in answers.expired if not _elsewhere(one, accounts)),
    )


def _elsewhere(one: Accepted, accounts: Container[str]) -> bool:
    """Whether an exception is for a door into another account; of one that names no role it is not known."""
    role = Arn.parse(one.exception.name.target)
    return role is not None and role.account not in accounts


def of_person(answers: Answers, person: str | None, seen: Iterable[Who] = ()) -> Answers:
    """Only what a user of IAM or of IAM Identity Center may enter, by name; None is everybody.

    A group counts unless its members are shown and the person is not among them, or all that is known of the person is
    of the other service. What is not proved and not about one principal stays, and so does an exception, but for the
    door of somebody else who is on none of the ways.
    Raises Refusal for a person whom nothing shows and who is not among those `seen` elsewhere.
    """
    if person is None:
        return answers

    sources = [way.source for way in answers.all_ways]
    users = [*sources, *(one.user for one in answers.long_term), *(user for user, _ in answers.memberships)]
    there = {*seen, *(one.who for one in (*users, *answers.principals.values()))}
    known = sorted({who.name for who in there if who.kind in PEOPLE})
    groups = {GROUPS[PEOPLE.index(who.kind)] for who in there if is_person(who, person)}

    def is_in(who: Who) -> bool | None:
        return answers.is_member(person, who) if who.kind in groups else False

    def theirs(party: Party | None) -> bool:
        return party is None or is_person(party.who, person) or is_in(party.who) is not False

    def own(way: Way) -> Way:
        """The way, which tells of a group whose members are not known that the person may be in it."""
        if way.source.who.kind not in groups or is_in(way.source.who):
            return way
        source = replace(way.source, members=(*way.source.members, f"perhaps {person}"))
        return replace(way, steps=(replace(way.steps[0], source=source), *way.steps[1:]))

    if person not in known:
        step = "name a user of IAM or of IAM Identity Center, or give the state that shows the person"
        raise Refusal(
            f"nobody is called {person}",
            where=answers.origin,
            why=f"the users are {listed(known, FEW)}" if known else "it shows no user of IAM or Identity Center",
            next_step=or_nearest(step, person, known),
        )
    ways = tuple(own(way) for way in answers.ways if theirs(way.source))
    on_the_way = {step.source.who for way in ways for step in way.steps}

    def concerns(one: Accepted) -> bool:
        source = one.exception.name.source
        arn = Arn.parse(source)
        who = Who("group", arn.account, arn.name) if arn and arn.kind == "group" else Who.named(source)
        return who is None or who.kind in ("root", "everyone") or who in on_the_way or theirs(Party(who))

    return replace(
        answers,
        person=person,
        ways=ways,
        within=tuple(way for way in answers.within if theirs(way.source)),
        long_term=tuple(one for one in answers.long_term if theirs(one.user)),
        doors=tuple(door for door in answers.doors if theirs(door.source)),
        not_proved=tuple(one for one in answers.not_proved if theirs(one.source)),
        accepted=answers.accepted and tuple(filter(concerns, answers.accepted)),
        expired=tuple(filter(concerns, answers.expired)),
    )


def is_person(who: Who, person: str) -> bool:
    """Whether somebody is the user of this name, of IAM or of IAM Identity Center."""
    return who.kind in PEOPLE and who.name == person
