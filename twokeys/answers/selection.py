"""The part of the answers that somebody asked for."""

from __future__ import annotations

from dataclasses import replace

from twokeys.answers.model import Answers
from twokeys.answers.summary import FEW
from twokeys.errors import Refusal, nearest
from twokeys.shown import listed


def into(answers: Answers, target: str | None) -> Answers:
    """Only what leads into the accounts that `target` names: an id, a name, an environment or a stack; None is all.

    What is not proved and not about one account stays. Raises Refusal when `target` names no account.
    """
    if target is None:
        return answers
    accounts = {id: account for id, account in answers.accounts.items() if target.lower() in account.called}
    if not accounts:
        known = {name for account in answers.accounts.values() for name in account.called}
        close = nearest(target, sorted(known))
        shown = sorted(f"{one.name} ({one.id})" if one.name != one.id else one.id for one in answers.accounts.values())
        environments = sorted({one.environment for one in answers.accounts.values() if one.environment})
        inside = f"; the environments are {', '.join(environments)}" if environments else ""
        raise Refusal(
            f"no account is called {target}",
            where=answers.origin,
            why=f"the accounts are {listed(shown, FEW)}{inside}" if shown else "it shows no account",
            next_step=(f"write {close}, if that is meant; else " if close else "")
            + "name an account by id or name, an environment or a stack, or give the states that show it",
        )
    return replace(
        answers,
        accounts=accounts,
        ways=tuple(way for way in answers.ways if way.account in accounts),
        within=tuple(way for way in answers.within if way.account in accounts),
        long_term=tuple(one for one in answers.long_term if one.user.who.account in accounts),
        doors=tuple(door for door in answers.doors if door.target.who.account in accounts),
        not_proved=tuple(one for one in answers.not_proved if one.target is None or one.target.who.account in accounts),
    )
