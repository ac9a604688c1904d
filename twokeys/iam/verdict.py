"""What an evaluation answers, and why.

Nothing here decides: a verdict is data, and `explain()` puts it in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final, NamedTuple

from twokeys.iam.sts import EXTERNAL_ID


class Outcome(Enum):
    """The four answers."""

    ALLOW = "ALLOW"
    """Allowed, whatever the unresolved values and free keys turn out to be."""
    DENY = "DENY"
    """Denied, whatever they turn out to be."""
    CONDITIONAL = "CONDITIONAL"
    """Allowed for requests that meet the requirements; for others denied, or unknown where a value is not resolved."""
    UNKNOWN = "UNKNOWN"
    """It depends on a value that is not resolved yet."""


ALLOW: Final = Outcome.ALLOW
DENY: Final = Outcome.DENY
CONDITIONAL: Final = Outcome.CONDITIONAL
UNKNOWN: Final = Outcome.UNKNOWN


class Requirement(NamedTuple):
    """Something a request must meet, as data.

    Either one condition (`operator`, `key`, `values` as in a policy; `negated` when it must not be met, because a Deny
    hangs on it), or, when `any_of` is not empty, at least one of several groups, each of which must be met as a whole;
    `operator` is then "AnyOf".

    Two conditions are not from a Condition element: operator "Resource" says that the resource in `key` must match a
    name in `values` (whose variables are free), and a StringLike on aws:userid with `*:name` says that the caller must
    be the session of that name.
    """

    operator: str
    key: str = ""
    values: tuple[str, ...] = ()
    negated: bool = False
    any_of: tuple[tuple[Requirement, ...], ...] = ()

    def __str__(self) -> str:
        if self.any_of:
            return one_of(all_of(map(str, group)) for group in self.any_of)
        values = one_of(shown(self.key, value) for value in self.values) if self.values else "nothing"
        text = f"{self.key} {self.operator} {values}"
        return f"not ({text})" if self.negated else text


def says_nothing(value: str) -> bool:
    """Whether a value of a condition is a wildcard only, or true or false."""
    return value.lower() in ("true", "false") or not value.strip("*?")


def shown(key: str, value: str) -> str:
    """A value of a condition key for messages: whoever reads an external ID could name it, so none is written out."""
    return value if key.lower() != EXTERNAL_ID or says_nothing(value) else "(not shown)"


def one_of(texts: Iterable[str]) -> str:
    """Alternatives in words; in parentheses, so that they can stand beside anything."""
    each = dict.fromkeys(texts)
    return f"({' or '.join(each)})" if len(each) > 1 else "".join(each)


def all_of(texts: Iterable[str]) -> str:
    """What has to be met together, in words; in parentheses likewise."""
    each = dict.fromkeys(texts)
    return f"({' and '.join(each)})" if len(each) > 1 else "".join(each)


class Decision(NamedTuple):
    """One step of the way to a verdict.

    Attributes:
        document: which policy, in words: "trust policy", "identity-based policy 2", "SCP s at root".
        statement: the index of the deciding statement, None when the lack of one decided.
        sid: its Sid, if any.
        effect: "Allow", "Deny", or "implicit deny".
        why: a sentence without its full stop.
    """

    document: str
    statement: int | None
    sid: str | None
    effect: str
    why: str

    def __str__(self) -> str:
        place = "" if self.statement is None else f", statement {self.statement}"
        name = f" ({self.sid})" if self.sid else ""
        return f"{self.effect}: {self.document}{place}{name}: {self.why}"


class Why(NamedTuple):
    """What is behind an outcome: see the attributes of `Verdict`."""

    requirements: tuple[Requirement, ...] = ()
    unknowns: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()


class Verdict:
    """The answer to one request. Why is only worked out when it is asked for.

    Attributes:
        outcome: one of the four answers.
    """

    __slots__ = ("_why", "outcome")

    def __init__(self, outcome: Outcome, why: Why | Callable[[], Why]) -> None:
        """A verdict; `why` is what is behind it, or works that out when it is asked for."""
        self.outcome = outcome
        self._why = why

    @classmethod
    def of_rule(cls, outcome: Outcome, about: str, why: str) -> Verdict:
        """A verdict that no statement decides, but a rule of AWS's own; `about` stands where a policy would."""
        effect = "Deny" if outcome is Outcome.DENY else "Allow"
        return cls(outcome, Why(decisions=(Decision(about, None, None, effect, why),)))

    @property
    def why(self) -> Why:
        """What is behind the outcome."""
        if not isinstance(self._why, Why):
            self._why = self._why()
        return self._why

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """For CONDITIONAL, what the request must meet, all of it; empty otherwise."""
        return self.why.requirements

    @property
    def unknowns(self) -> tuple[str, ...]:
        """For UNKNOWN, the unresolved values that it depends on, in words; empty otherwise."""
        return self.why.unknowns

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The statements that decided, in the order in which they did."""
        return self.why.decisions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verdict) and (self.outcome, self.why) == (other.outcome, other.why)

    def __hash__(self) -> int:
        return hash((self.outcome, self.why))

    def __repr__(self) -> str:
        return f"Verdict({self.outcome}, {self.why})"

    @property
    def allowed(self) -> bool:
        """Whether the outcome is ALLOW."""
        return self.outcome is Outcome.ALLOW

    def explain(self) -> str:
        """The verdict in words: the outcome, what it hangs on, and the deciding statements, one a line."""
        lines = [self.outcome.value]
        lines += [f"  if {requirement}" for requirement in self.requirements]
        lines += [f"  because of {unknown}" for unknown in self.unknowns]
        lines += [f"  {decision}" for decision in self.decisions]
        return "\n".join(lines)
