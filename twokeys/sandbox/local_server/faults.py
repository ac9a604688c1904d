"""Fault plans: which calls of the local AWS are slow, throttled, refused or cut, the same ones in every run.

Which calls are hit is a pure function of the plan's seed and of the call: its service, operation, account and content,
and how often this very request was made before (a retry is the same request once more). It is not the nth call of an
operation, because with parallel clients the nth call is another one in each run; so clients and workers may interleave
as they like. Ids that AWS makes up (account ids, units, roots, organizations, requests) differ between two runs on new
directories, so they do not count: an account stands for its e-mail address where the organization tells it. Two calls
that differ in such ids alone, and identical calls that are made at once, share their outcomes: the same ones occur, but
who gets which depends on who comes first. Counts start anew when the server does.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from twokeys.errors import Refusal

Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3600)]

SERVICES: Final = ("iam", "sts", "organizations", "account", "ec2", "*")
"""The services whose calls can be told apart by name; `*` also stands for all others."""

# https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccountStatus.html
FailureReason = Literal[
    "ACCOUNT_LIMIT_EXCEEDED",
    "EMAIL_ALREADY_EXISTS",
    "GOVCLOUD_ACCOUNT_ALREADY_EXISTS",
    "INVALID_ADDRESS",
    "INVALID_EMAIL",
    "CONCURRENT_ACCOUNT_MODIFICATION",
    "INTERNAL_FAILURE",
    "FAILED_BUSINESS_VALIDATION",
    "PENDING_BUSINESS_VALIDATION",
    "INVALID_IDENTITY_FOR_BUSINESS_VALIDATION",
    "UNKNOWN_BUSINESS_VALIDATION",
    "MISSING_BUSINESS_VALIDATION",
    "MISSING_PAYMENT_INSTRUMENT",
    "INVALID_PAYMENT_INSTRUMENT",
    "UPDATE_EXISTING_RESOURCE_POLICY_WITH_TAGS_NOT_SUPPORTED",
]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


class Chance(_Model):
    """How often: `share` of the tries, and of each request only the `first` tries, if that is given."""

    share: Share = 1.0
    first: int | None = Field(default=None, ge=1)


class ErrorFault(Chance):
    """An error answer in the service's own protocol; nothing happens."""

    code: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9.]*$")
    status: int = Field(default=400, ge=400, le=599)
    message: str = "Injected by the fault plan."


class CutFault(Chance):
    """The connection is closed without an answer: `before` the call took effect, or `after` it did and was kept."""

    when: Literal["before", "after"]


class HangFault(Chance):
    """Nothing happens for so long, then the connection is closed without an answer."""

    seconds: Seconds


class CreationFailure(Chance):
    """The creation of the account ends FAILED."""

    reason: FailureReason


def _of(key: str) -> BeforeValidator:
    """Accept a plain number for an object with this key."""
    return BeforeValidator(lambda given: {key: given} if isinstance(given, int | float) else given)


class Rule(_Model):
    """What happens to the calls that it matches; all are optional and may be combined."""

    service: Literal["iam", "sts", "organizations", "account", "ec2", "*"] = "*"
    operation: str = "*"
    latency_ms: float = Field(default=0, ge=0, le=3_600_000)
    jitter_ms: float = Field(default=0, ge=0, le=3_600_000)
    throttle: Annotated[Chance | None, _of("share")] = None
    error: ErrorFault | None = None
    cut: CutFault | None = None
    hang: Annotated[HangFault | None, _of("seconds")] = None
    pending_seconds: Seconds | None = None
    failure: CreationFailure | None = None

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if self.operation != "*":
            if self.service == "*":
                raise ValueError("an operation needs its service beside it")
            known = _operations(self.service)
            if self.operation not in known:
                near = difflib.get_close_matches(self.operation, known, 1)
                raise ValueError(
                    f"{self.service} has no operation {self.operation}" + (f"; {near[0]} is near" if near else "")
                )
        creation = (self.service, self.operation) == ("organizations", "CreateAccount")
        if (self.pending_seconds is not None or self.failure is not None) and not creation:
            raise ValueError("pendingSeconds and failure are for service organizations, operation CreateAccount")
        if not self.model_fields_set - {"service", "operation"}:
            raise ValueError("the rule does nothing: give it latencyMs, throttle, error, cut, hang or pendingSeconds")
        return self


@dataclass(frozen=True)
class Call:
    """One try of a request.

    Attributes:
        service: the name that it is signed for ("iam").
        operation: its name; "" where the protocol has none.
        key: what tells it from other requests of the operation, whatever ids the local AWS made up (`key_of`).
        number: how many times it was tried before, from 0.
    """

    service: str
    operation: str
    key: str
    number: int


@dataclass(frozen=True)
class Outcome:
    """What is to happen to a call: it waits, and then it ends as the first of these says, or is answered."""

    wait_seconds: float = 0.0
    throttle: bool = False
    error: ErrorFault | None = None
    cut: CutFault | None = None
    hang: HangFault | None = None
    pending_seconds: float | None = None
    failure: CreationFailure | None = None

    @property
    def ends(self) -> bool:
        """Whether the call gets no answer of the service's own."""
        return self.throttle or self.error is not None or self.cut is not None or self.hang is not None


class Plan(_Model):
    """A fault plan."""

    seed: int = 0
    rules: tuple[Rule, ...] = ()

    def outcome(self, call: Call) -> Outcome:
        """Apply the rules in order: waits add up, and the first fault that ends the call is the last that is looked at.

        Within a rule: hang, throttle, error, cut. Of several creations the last rule wins.
        """
        outcome = Outcome()
        for index, rule in enumerate(self.rules):
            if rule.service not in ("*", call.service) or rule.operation not in ("*", call.operation):
                continue
            draw = _Draws(self.seed, index, call)
            outcome = replace(
                outcome, wait_seconds=outcome.wait_seconds + (rule.latency_ms + rule.jitter_ms * draw("jitter")) / 1000
            )
            outcome = replace(
                outcome,
                pending_seconds=outcome.pending_seconds if rule.pending_seconds is None else rule.pending_seconds,
                failure=rule.failure if draw.hits("failure", rule.failure) else outcome.failure,
            )
            if draw.hits("hang", rule.hang):
                return replace(outcome, hang=rule.hang)
            if draw.hits("throttle", rule.throttle):
                return replace(outcome, throttle=True)
            if draw.hits("error", rule.error):
                return replace(outcome, error=rule.error)
            if draw.hits("cut", rule.cut):
                return replace(outcome, cut=rule.cut)
        return outcome

    @cached_property
    def digest(self) -> str:
        """What tells this plan from others; "" for one without rules."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest() if self.rules else ""


class _Draws:
    def __init__(self, seed: int, rule: int, call: Call) -> None:
        self._call = call
        self._prefix = "\0".join((str(seed), str(rule), call.service, call.operation, call.key))

    def __call__(self, what: str) -> float:
        """At least 0 and below 1, the same for the same seed, rule, call and purpose."""
        text = f"{self._prefix}\0{self._call.number}\0{what}"
        return int.from_bytes(hashlib.sha256(text.encode(errors="surrogateescape")).digest()[:7]) / 2**56

    def hits(self, what: str, chance: Chance | None) -> bool:
        return (
            chance is not None
            and (chance.first is None or self._call.number < chance.first)
            and self(what) < chance.share
        )


class Calls:
    """Counts how often each request was made."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def next(self, service: str, operation: str, key: str) -> Call:
        """This request, tried once more."""
        number = self._counts[service, operation, key]
        self._counts[service, operation, key] += 1
        return Call(service, operation, key, number)


# As ministack makes them up; idempotency tokens, which SDKs make up, are UUIDs.
_MADE_UP = re.compile(
    r"(?<!\d)\d{12}(?!\d)"
    r"|\b(?:ou-[0-9a-f]{4}-[0-9a-f]{10}|r-[0-9a-f]{6}|o-[0-9a-f]{10}|rp-[0-9a-f]{12}|(?:p|car)-[0-9a-f]{8,32})\b"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
)


def key_of(account: str, request: str, name_of: Callable[[str], str | None]) -> str:
    """What a request says, without the ids that the local AWS makes up.

    Args:
        account: who calls.
        request: the method, path, query and body.
        name_of: what stands for an account in every run (its e-mail address), or None when nobody knows the account.
    """

    def stable(found: re.Match[str]) -> str:
        if found[0].isdigit():
            return name_of(found[0]) or "account"
        return re.sub(r"[0-9a-f]{4,}", "", found[0])

    return hashlib.sha256(_MADE_UP.sub(stable, f"{account}\0{request}").encode(errors="surrogateescape")).hexdigest()


def load(path: Path) -> Plan:
    """The plan in a YAML or JSON file. Raises Refusal, naming the file, the key, the reason and the next step."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refusal(path, "", error.strerror or str(error), "Name a file that is there and can be read") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refusal(path, "", f"it is neither YAML nor JSON: {error}", "Correct the file") from error
    if not isinstance(data, Mapping):
        raise _refusal(path, "", "it holds no keys", "Give it the keys seed and rules, as docs/faults.md shows")
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        why = first["msg"].removeprefix("Value error, ")
        if first["type"] != "missing" and not isinstance(first["input"], Mapping | list):
            why += f", and it is {first['input']!r}"
        raise _refusal(path, key, why, "Correct that key; docs/faults.md lists what a plan may say") from error


def _refusal(path: Path, key: str, why: str, next_step: str) -> Refusal:
    where = f"{path}: {key}" if key else str(path)
    return Refusal("the fault plan cannot be used", where=where, why=why, next_step=next_step)


def _operations(service: str) -> list[str]:
    from botocore.loaders import Loader  # noqa: PLC0415 - takes a while, and most commands read no plan

    model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return list(model["operations"])
