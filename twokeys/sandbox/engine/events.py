"""What a run reports while it happens; the display and the tests listen to the same events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from twokeys.sandbox.engine.values import Properties


class Op(Enum):
    """What happens to a resource."""

    SAME = "same"
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    DELETE_REPLACED = "delete-replaced"
    READ = "read"
    DISCARD = "discard"
    IMPORT = "import"


@dataclass(frozen=True)
class Step:
    """An operation on one resource.

    Attributes:
        changed: the inputs that differ, of an update or a replacement.
        replaces: those of them that force the replacement.
        old, new: inputs before and after.
    """

    op: Op
    urn: str
    type: str
    id: str = ""
    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    old: Properties | None = None
    new: Properties | None = None


@dataclass(frozen=True)
class StepStarted:
    """The operation has begun; nothing is known of its end."""

    step: Step


@dataclass(frozen=True)
class StepDone:
    """The operation ended well and is in the state (or, in a preview, would be done)."""

    step: Step
    seconds: float


class Severity(Enum):
    """How much a message matters."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Diagnostic:
    """A message of the program, of a provider or of the engine; an error fails the run."""

    severity: Severity
    message: str
    urn: str = ""


@dataclass(frozen=True)
class Violation:
    """A policy that a resource breaks; a mandatory one fails the run."""

    policy: str
    pack: str
    mandatory: bool
    message: str
    urn: str
    description: str = ""
    severity: str = ""


@dataclass(frozen=True)
class PackStarted:
    """A policy pack is running and configured; `policies` of its policies are not disabled."""

    name: str
    policies: int


Event = PackStarted | StepStarted | StepDone | Diagnostic | Violation
Report = Callable[[Event], None]
