"""The answers as JSON-ready data: one shape for every command that has `--json`."""

from datetime import datetime
from typing import Any

from twokeys.access.exceptions import Accepted
from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import place_of
from twokeys.answers.model import Account, Answers, DoorAnswer, KeyPlace, LongTerm, NotProved, Party, State, Step, Way
from twokeys.answers.permissions import Permissions
from twokeys.answers.summary import evidence, not_shown, scope, summary
from twokeys.doors import DeclaredDoor


def as_data(answers: Answers, now: datetime) -> dict[str, Any]:
    """The answers: `accounts`, `ways`, `within`, `doors`, `notProved`, `notShown`, `scope`, `evidence` and `summary`.

    `ways` are those that are open, `within` the roles that users enter in their own account, `longTerm` those who sign
    in there with a password or an access key; `doors` are also those that lack a key or are not proved.
    """
    return {
        "origin": answers.origin,
        "organization": answers.name,
        "summary": summary(answers, now).as_dict(),
        "accounts": [account_data(one) for one in answers.accounts.values()],
        "ways": [way_data(one, now) for one in answers.ways],
        "within": [way_data(one, now) for one in answers.within],
        "longTerm": [long_term_data(one) for one in answers.long_term],
        "doors": [door_data(one) for one in answers.doors],
        "notProved": [not_proved_data(one) for one in answers.not_proved],
        "notShown": not_shown(answers),
        "changesNotShown": list(answers.changed_since),
        "scope": scope(answers),
        "evidence": evidence(answers),
        "acceptedExceptions": None if answers.accepted is None else list(map(_accepted_data, answers.accepted)),
        "expiredExceptions": None if answers.accepted is None else list(map(_accepted_data, answers.expired)),
    }


def account_data(account: Account) -> dict[str, Any]:
    """An account; `unit` is the path of its organizational unit, null for one that is not shown to be a member."""
    return {
        "account": account.id,
        "name": account.name,
        "environment": account.environment,
        "region": account.region,
        "unit": None if account.unit is None else list(account.unit),
    }


def party_data(party: Party) -> dict[str, Any]:
    """Somebody at an end of a door; of a group of IAM Identity Center also the members that are shown."""
    return {
        "kind": party.who.kind,
        "account": party.who.account,
        "accountName": party.place,
        "name": party.who.name,
        "arn": party.arn or None,
        "label": party.who.label,
        **({"members": list(party.members)} if party.members else {}),
    }


def long_term_data(one: LongTerm) -> dict[str, Any]:
    """A user with credentials of its own; what nothing tells is null, and `permissions` of a user that is not shown."""
    return {
        "user": party_data(one.user),
        "has": " and ".join(one.has) or None,
        "mfaDevice": one.mfa,
        "permissions": _permissions_data(one.permissions) if one.permissions else None,
    }


def way_data(way: Way, now: datetime) -> dict[str, Any]:
    """A way in; `now` says whether its dates keep it shut: "open", "not open yet", "closed by date"."""
    return {
        "source": party_data(way.source),
        "target": party_data(way.target),
        "through": [party_data(one) for one in way.through],
        "verdict": way.verdict,
        "conditions": list(way.conditions),
        "permissions": _permissions_data(way.permissions),
        "maxSessionSeconds": way.max_session_seconds,
        "accessRole": way.by_access_role,
        "thirdParty": {"known": way.third_party, "externalId": way.external_id} if way.third_party else None,
        "openTo": way.open_to,
        "why": way.why,
        "declared": declared_data(way.declared),
        "expires": way.expires.isoformat() if way.expires else None,
        "opens": way.opens.isoformat() if way.opens else None,
        "now": way.at(now).value,
        "closes": way.closes.isoformat() if way.closes else None,
        **_since_data(way.since),
        "steps": [step_data(one) for one in way.steps],
    }


def step_data(step: Step) -> dict[str, Any]:
    """A door of a way, with where its keys stand."""
    return {
        "source": party_data(step.source),
        "target": party_data(step.target),
        "conditions": list(step.conditions),
        "declared": declared_data(step.declared),
        "grantKey": step.grant.value,
        "trust": place_data(step.trust) if step.trust else None,
        "grants": [place_data(one) for one in step.grants],
    }


def door_data(door: DoorAnswer) -> dict[str, Any]:
    """A door, open or not."""
    return {
        "source": party_data(door.source),
        "target": party_data(door.target),
        "trust": door.trust.value,
        "grant": door.grant.value,
        "state": door.state.value,
        "lacks": None if door.state is State.OPEN else door.lacks,
        "verdict": door.verdict,
        "conditions": list(door.conditions),
        "declared": declared_data(door.declared),
        "problem": door.problem,
        "nextStep": door.next_step,
        "explanation": door.explanation or None,
    }


def not_proved_data(one: NotProved) -> dict[str, Any]:
    """What may let somebody in and is not proved."""
    return {
        "message": one.message,
        "nextStep": one.next_step,
        "door": one.door,
        **where(one.urn),
        "source": party_data(one.source) if one.source else None,
        "target": party_data(one.target) if one.target else None,
    }


def _accepted_data(one: Accepted) -> dict[str, Any]:
    """An exception by which a rule lets a door stand, as the policy pack's configuration has it."""
    return {"rule": one.rule, **one.exception.model_dump(mode="json", by_alias=True)}


def where(urn: str | None) -> dict[str, str | None]:
    """The URN of a resource, or of one that was read live AWS's own ARN, by what it is."""
    place = place_of(urn or "")
    return {kind: place if place.startswith(f"{kind}:") else None for kind in ("urn", "arn")}


def place_data(place: KeyPlace) -> dict[str, Any]:
    """Where a key stands."""
    return {
        "document": place.document,
        **where(place.urn),
        "statement": place.statement,
        "sid": place.sid,
        "source": place.source,
        "stack": place.stack,
        **_since_data(place.since or NOT_KNOWN),
    }


def _since_data(since: Since) -> dict[str, str | None]:
    """Since when a way or a key is there: exactly, else not before and not after which moments it came."""
    moments = {"since": since.exactly, "notBefore": since.first, "notAfter": since.last, "changed": since.changed}
    return {key: moment.isoformat() if moment else None for key, moment in moments.items()}


def declared_data(door: DeclaredDoor | None) -> dict[str, Any] | None:
    """What people read of a declared door."""
    return {"name": door.name, **door.said} if door else None


def _permissions_data(permissions: Permissions) -> dict[str, Any]:
    policies = list(permissions.policies)
    return {"level": permissions.level.word, "policies": policies, "boundary": permissions.boundary}
