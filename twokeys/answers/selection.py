"""The part of the answers that somebody asked for."""

from __future__ import annotations

from dataclasses import replace

from twokeys.answers.model import Answers
from twokeys.errors import Refusal


def into(answers: Answers, target: str | None) -> Answers:
    """Only what leads into the accounts that `target` names: an id, a name, an environment or a stack; None is all.

    What is not proved and not about one account stays. Raises Refusal when `target` names no account.
    """
    if target is None:
        return answers
    accounts = {id: account for id, account in answers.accounts.items() if target.lower() in account.called}
    if not accounts:
        names = sorted({name for account in answers.accounts.values() for name in account.called})
        raise Refusal(
            f"no account is called {target}",
            where=answers.origin,
            why=f"it shows {', '.join(names) or 'no account'}",
            next_step="name an account by id or name, an environment or a stack; or give the states that show it",
        )
    return replace(
        answers,
        accounts=accounts,
        ways=tuple(way for way in answers.ways if way.account in accounts),
        within=tuple(way for way in answers.within if way.account in accounts),
        doors=tuple(door for door in answers.doors if door.target.who.account in accounts),
        not_proved=tuple(one for one in answers.not_proved if one.target is None or one.target.who.account in accounts),
    )
