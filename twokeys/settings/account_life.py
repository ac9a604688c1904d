"""Contradictions in the states of accounts: what may lead to, or count on, an account that is out of use. Pure."""

from collections.abc import Iterator

from twokeys.settings.models import EVERY_ACCOUNT, ROOT, Settings
from twokeys.settings.problem import Problem


def account_life(settings: Settings) -> Iterator[Problem]:
    """Doors and duties of accounts that are quarantined or closed, and the unit that quarantined ones move to.

    A quarantined account keeps its duties (an archive goes on being written to, and its deletion would lose it); a
    closed one can have none.
    """
    yield from _doors(settings)
    yield from _not_entered(settings)
    yield from _closed(settings)
    yield from _unit(settings)


def _doors(settings: Settings) -> Iterator[Problem]:
    for name, door in settings.doors.items():
        if door.target.account == EVERY_ACCOUNT:
            continue  # it leads to the active ones
        account = settings.target_account_of(door)
        state = settings.accounts[account].state
        if state != "active":
            yield Problem(
                f"doors.{name}.to.account",
                account,
                f"accounts.{account}.state is {state}, and no door leads to such an account",
                "remove the door"
                + (", and declare it again when the account is active" if state == "quarantined" else ""),
            )


def _not_entered(settings: Settings) -> Iterator[Problem]:
    """What only somebody in the account could make, in accounts that nobody enters."""
    shut = {account for account, member in settings.accounts.items() if not member.access.enter}
    why = "says that this program does not enter the account, and"
    step = "let it in with a role (access.role), or remove this"
    for account in shut:
        member, key = settings.accounts[account], f"accounts.{account}"
        if member.adopt is None:
            yield Problem(f"{key}.access.enter", False, "AWS makes an access role in every new account", "remove it")
        if member.baseline.model_fields_set:
            yield Problem(f"{key}.baseline", "(set)", f"{key}.access.enter {why} a baseline is made in it", step)
    for name, door in settings.doors.items():
        ends = [("to", account) for account in settings.target_accounts_of(door)]
        if door.via == "identity-center":
            continue  # AWS itself makes the role of an assignment
        for end, account in [*ends, *([("from", door.source.account)] if door.source.account else [])]:
            if account in shut:
                key = f"accounts.{account}.access.enter"
                yield Problem(f"doors.{name}.{end}.account", account, f"{key} {why} a key is made in it", step)
    for where, account in _duties_of(settings):
        if account in shut:
            yield Problem(where, account, f"accounts.{account}.access.enter {why} this duty needs that", step)


def _duties_of(settings: Settings) -> list[tuple[str, str]]:
    audit = settings.audit
    delegated = audit.delegated_administrators if audit else {}
    duties = [(f"audit.delegatedAdministrators.{name}", name) for name in delegated]
    return [("audit.account", audit.account), *duties] if audit else []


def _closed(settings: Settings) -> Iterator[Problem]:
    for key, account in _duties_of(settings):
        if account in settings.accounts_in("closed"):
            why = f"accounts.{account}.state is closed, and nothing can be kept or looked after in a closed account"
            step = "give this duty to another account and update the stack, then close this one"
            yield Problem(key, account, why, step)
    for account, identifier in settings.closed().items():
        if not identifier:
            why = f"accounts.{account}.state is closed, and no resource keeps the id of such an account, only config"
            step = "name its id, which `pulumi stack output member_account_ids` and the AWS Organizations console show"
            yield Problem(f"accounts.{account}.adopt", "(missing)", why, step)


def _unit(settings: Settings) -> Iterator[Problem]:
    for account in settings.accounts_in("quarantined"):
        if settings.accounts[account].organizational_unit is None:
            why = "an account without a unit is never moved, so this one would stay in quarantine for good"
            step = "name the unit that it returns to when it is active again"
            yield Problem(f"accounts.{account}.organizationalUnit", "(missing)", why, step)
    organization = settings.organization
    if organization is None:
        return
    unit = organization.quarantine
    if unit == ROOT:
        why = "the guard rail of this unit stops everybody in every account below it"
        yield Problem("organization.quarantine", unit, why, "name a unit of its own, such as Quarantine")
    for account, member in settings.accounts.items():
        path, key = member.organizational_unit or "", f"accounts.{account}"
        if unit is None and member.state == "quarantined":
            why = "the organization has no unit for quarantined accounts"
            yield Problem(f"{key}.state", member.state, why, "name one in organization.quarantine, such as Quarantine")
        if unit is not None and f"{path}/".startswith(f"{unit}/"):
            why = "this unit is for quarantined accounts, and its guard rail stops everybody in them"
            step = "name the account's own unit, where it returns to, and say `state: quarantined`"
            yield Problem(f"{key}.organizationalUnit", path, why, step)
