"""What an audit tells: frozen data, free of where it came from and how it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

LEARNING = 14
"""Days from the beginning of the period in which entries only teach what is usual."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal: `kind` is role, user, group, root (whoever the account as a whole lets in), everyone, service or
    federated, or principal where that is not told.

    `name` is without path and empty for a root; None where CloudTrail tells only the account.
    """

    kind: str
    account: str
    name: str | None
    arn: str = ""
    account_name: str = ""

    @property
    def key(self) -> tuple[str, str, str | None]:
        """What identifies it: names are unique among their kind in an account."""
        return self.kind, self.account, self.name

    def __str__(self) -> str:
        where = self.account_name or self.account
        if self.kind == "everyone":
            return "everyone in AWS"
        if self.kind == "root":
            return f"account {where} as a whole"
        if self.name is None:
            return f"somebody of account {where}"
        return f"{self.kind} {self.name} of {where}" if where else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key of a door stands: the document, the resource that holds it, and the statement that turns the key.

    `statement` counts from 0. `stack` names the other stack that the document was read from. `created` and `modified`
    are when the resource was made and last changed, in ISO 8601; None where nothing tells.
    """

    document: str
    urn: str | None = None
    statement: int | None = None
    sid: str | None = None
    source: str | None = None
    stack: str | None = None
    created: str | None = None
    modified: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One door of a way, with its two keys. `grants` may be several documents that take part; () where none is seen."""

    source: Caller
    target: Caller
    conditions: tuple[str, ...]
    trust: KeyPlace | None
    grants: tuple[KeyPlace, ...]

    @property
    def keys(self) -> tuple[KeyPlace, ...]:
        """Both keys."""
        return (*((self.trust,) if self.trust else ()), *self.grants)


@dataclass(frozen=True, slots=True)
class Entry:
    """One way into an account: who, which role, through which doors, under which conditions.

    `verdict` is ALLOW or CONDITIONAL. `max_session_seconds` counts role chaining's limit in. Name, reason and owner are
    the last door's as it is declared; `expires` is when the first of the doors does.
    """

    who: Caller
    account: str
    account_name: str
    role: str
    role_arn: str
    verdict: str
    conditions: tuple[str, ...]
    steps: tuple[Step, ...]
    max_session_seconds: int | None = None
    name: str | None = None
    reason: str | None = None
    owner: str | None = None
    expires: datetime | None = None

    @property
    def through(self) -> tuple[Caller, ...]:
        """The roles in between."""
        return tuple(step.target for step in self.steps[:-1])

    @property
    def since(self) -> str | None:
        """Since when all keys are there: the latest creation among them; None as soon as one is not told."""
        told = all(key.created for step in self.steps for key in step.keys)
        return self.not_before if told else None

    @property
    def not_before(self) -> str | None:
        """The latest creation among the keys of which it is told: the way in was not there before."""
        created = [key.created for step in self.steps for key in step.keys if key.created]
        return max(created, key=datetime.fromisoformat, default=None)

    @property
    def changed(self) -> str | None:
        """When a key was last changed after that, if one was: what it said before is not told."""
        since, told = self.not_before, [key.modified for step in self.steps for key in step.keys if key.modified]
        last = max(told, key=datetime.fromisoformat, default=None)
        later = since and last and datetime.fromisoformat(last) > datetime.fromisoformat(since)
        return last if later else None


@dataclass(frozen=True, slots=True)
class NotProved:
    """Something that may let somebody in and that nothing here proves or refutes.

    `source` and `target` are there where it is about one principal (or account, or everyone) and one role.
    """

    message: str
    next_step: str
    door: str
    urn: str | None
    source: Caller | None = None
    target: Caller | None = None


@dataclass(frozen=True)
class Picture:
    """Who can enter `accounts` (id to name). `names` are those of all known accounts; `principals` are those of the
    sources by their unique ids.
    """

    target: str
    origin: str
    accounts: Mapping[str, str]
    entries: tuple[Entry, ...]
    not_proved: tuple[NotProved, ...]
    federated: tuple[Caller, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    principals: Mapping[str, Caller] = field(default_factory=dict)
