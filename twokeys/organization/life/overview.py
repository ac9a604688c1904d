"""Where each account of a stack stands, and what comes next. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from twokeys.organization.findings import Plain
from twokeys.organization.life.closing import standings
from twokeys.organization.life.facts import Facts
from twokeys.organization.model import CLOSED, CLOSING
from twokeys.settings.models import is_unit_id


@dataclass(frozen=True)
class Row(Plain):
    """One account: what config, state and AWS say of it."""

    account: str
    id: str
    config: str
    aws: str
    organizational_unit: str
    next_step: str


def overview(facts: Facts) -> list[Row]:
    """One row an account of the config, in its order."""
    out = {one.account: one for one in standings(facts)}
    rows = []
    for account, member in facts.settings.accounts.items():
        there = facts.at_aws(account)
        if account not in out:
            step = _next(facts, account)
        elif out[account].place == "queued":
            step = f"close it: twokeys account close {facts.stack}"
        else:
            step = out[account].next_step or out[account].why
        state, unit = (there.state, there.unit) if there else ("none", "")
        rows.append(Row(account, facts.id_of(account), member.state, state, unit, step))
    return rows


def _next(facts: Facts, account: str) -> str:
    there, member = facts.at_aws(account), facts.settings.accounts[account]
    if account not in facts.held:
        return f"it is not made yet: {facts.update}"
    if there is None:
        return f"AWS does not have it any more: {facts.refresh}"
    if there.state in CLOSED or there.state == CLOSING:
        closed = f'`state: closed` and `adopt: "{there.id}"`'
        return f"it is closed at AWS: say {closed}, or have AWS Support reopen it within 90 days"
    organization = facts.settings.organization
    if member.state == "quarantined":
        wanted = organization.quarantine if organization else None
    else:
        wanted = member.organizational_unit
    if wanted and not is_unit_id(wanted) and wanted != there.unit:
        return f"it moves to {wanted}: {facts.update}"
    return "" if member.state == "active" else "say `state: active` to let it return, or `closed` to close it"
