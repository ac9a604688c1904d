"""Contradictions in the conditions of doors: those that keep out the very ones whom a door is for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from twokeys.iam import (
    UNKNOWN,
    Caller,
    ConditionClause,
    Context,
    Outcome,
    PolicyKind,
    Request,
    evaluate_trust,
    lint,
    parse_policy,
)
from twokeys.iam.truth import Truth
from twokeys.settings.limits import trust_of
from twokeys.settings.models import MANAGEMENT, DoorSettings, Settings, grantee, who
from twokeys.settings.problem import Problem

_UNSETTLED = "000000000000"
_TIME = "aws:currenttime"


def conditions(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """What no session of those who come can meet, as far as config tells who they are.

    An account that the stack has still to make, or that another stack makes, has an id that nobody knows here.
    """
    if door.via != "assume-role" or "trust" not in door.keys or not door.conditions:
        return
    if door.expires and any(given.casefold() == _TIME for given in door.conditions.get("DateLessThan", {})):
        yield Problem(
            f"{key}.conditions.DateLessThan",
            door.conditions["DateLessThan"],
            "`expires` is this condition on aws:CurrentTime, and the door would close then only",
            "say the moment as `expires` alone",
        )
        return
    account = _id_of(settings, door)
    document = trust_of(settings, door, account or _UNSETTLED)
    if document is None:
        return
    trust = parse_policy(document, PolicyKind.TRUST)
    for found in lint(trust, PolicyKind.TRUST):
        if found.rule == "contradiction":
            step = "correct or remove one of them; `mfa`, `externalId` and `expires` of a door are conditions too"
            yield Problem(f"{key}.conditions", door.conditions, found.message, step)
            return
    for arn in _callers(settings, door, account or _UNSETTLED):
        request = Request(Caller(arn), "sts:AssumeRole", _target(settings, door), _context(settings, account))
        if evaluate_trust(request, trust).outcome is Outcome.DENY:
            for clause in trust.statements[0].conditions:
                partitions = {str(value).split(":")[1] for value in clause.values if str(value).startswith("arn:")}
                if clause.evaluate(request.lookup) is Truth.FALSE and partitions <= {settings.partition}:
                    yield _shut(key, request, clause)  # another partition is refused as such
            return
    yield from _another_organization(settings, key, trust.statements[0].conditions)


def _shut(key: str, request: Request, clause: ConditionClause) -> Problem:
    has = request.lookup(clause.lower_key)
    named = str(request.caller).rpartition(":")[2].replace("/", " ", 1)
    said = f"is {', '.join(has)}" if isinstance(has, tuple) and has else "is not there"
    return Problem(
        f"{key}.conditions.{clause.operator}.{clause.key}",
        ", ".join(map(str, clause.values)),
        f"the {clause.key} of {named} {said}, so the door would never open to it",
        "correct it, or leave the condition out: the trust names who comes anyway",
    )


def _another_organization(settings: Settings, key: str, clauses: tuple[ConditionClause, ...]) -> Iterator[Problem]:
    """Paths of an organization that is not the one that the stack adopts."""
    own = settings.organization.adopt if settings.organization else None
    for clause in clauses:
        texts = [value for value in clause.values if isinstance(value, str)]
        foreign = own and texts and all(text.startswith("o-") and not text.startswith(f"{own}/") for text in texts)
        if clause.lower_key == "aws:principalorgpaths" and foreign and not clause.base.negated:
            yield Problem(
                f"{key}.conditions.{clause.operator}.{clause.key}",
                ", ".join(texts),
                f"the paths of this organization begin with {own}/, so the door would never open",
                f"write {own}/ in front, or leave the condition out",
            )


def _id_of(settings: Settings, door: DoorSettings) -> str | None:
    """The id of the account that a door starts in, if config says it."""
    account = settings.source_account_of(door)
    if account == MANAGEMENT:
        return settings.management_account_id
    member = settings.accounts.get(account)
    return member.adopt if member and not door.source.stack else None


def _callers(settings: Settings, door: DoorSettings, account: str) -> Iterator[str]:
    before = f"arn:{settings.partition}:iam::{account}:"
    source = who(door.source)
    people = door.source.members
    if source.kind == "group":
        people = people if people is not None else settings.people.groups.get(source.name, ())
        yield from (f"{before}user/{name}" for name in people)
    elif grantee(door).kind != "group":
        yield f"{before}{grantee(door).kind}/{grantee(door).name}"


def _target(settings: Settings, door: DoorSettings) -> str:
    account = settings.accounts[settings.target_accounts_of(door)[0]] if settings.target_accounts_of(door) else None
    return f"arn:{settings.partition}:iam::{(account and account.adopt) or 'account:target'}:role/{door.target.role}"


def _context(settings: Settings, account: str | None) -> Context:
    own = settings.organization.adopt if settings.organization else None
    organization = {"aws:PrincipalOrgID": (own,), "aws:ResourceOrgID": (own,)} if own else {}
    unsettled = {} if account else dict.fromkeys(("aws:PrincipalAccount", "aws:PrincipalArn"), UNKNOWN)
    target = {"aws:ResourceAccount": UNKNOWN}
    return Context(values={**organization, **unsettled, **target})
