"""What the engine asks of a package ("aws"): check, diff, create, read, update, delete and invoke.

The engine unwraps secrets before it calls a plugin and marks the outputs of secret inputs as secret again, so a plugin
sees plain values and `UNKNOWN` only. It may return `Secret` for an output that is always secret (an access key's).
A property that holds None does not exist: the engine never passes one and drops the ones it gets back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twokeys.sandbox.engine.values import Properties


@dataclass(frozen=True)
class CheckFailure:
    """An input that cannot be accepted.

    Attributes:
        property: the property's path ("maxSessionDuration", "tags.team"), "" when it concerns the resource as a whole.
        reason: why, as a sentence, and what would be accepted.
    """

    property: str
    reason: str


@dataclass(frozen=True)
class Diff:
    """What changes when the new inputs are applied.

    Attributes:
        changed: top-level input properties that differ; empty means nothing to do.
        replaces: those of them that need a new object instead of an update.
        delete_before_replace: the old object must go before the new one can exist (it holds a unique name).
    """

    changed: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


class ProviderError(Exception):
    """An API refused, or an object cannot be handled.

    Attributes:
        message: one sentence that names the operation, the object and what the API said.
        reasons: further lines: what is known about the cause, the next step.
        uncertain: True when the object may have been made or changed nevertheless, because the answer was lost (the
            connection broke); a create that failed so stays pending, and the next run asks `find` first.
    """

    def __init__(self, message: str, reasons: tuple[str, ...] = (), *, uncertain: bool = False) -> None:
        self.message = message
        self.reasons = reasons
        self.uncertain = uncertain
        super().__init__("\n".join((message, *reasons)))


class Reader(Protocol):
    """What answers reads and look-ups."""

    def read(
        self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """Look the object up by id: (id, inputs, outputs), or None when there is none. For import and `.get`."""
        ...

    def invoke(self, token: str, args: Properties) -> Properties:
        """Answer a look-up ("aws:index/getCallerIdentity:getCallerIdentity"); the arguments are all known."""
        ...


class Provider(Reader, Protocol):
    """One configured provider resource, with its own credentials, got by really assuming the configured roles."""

    def create(self, type: str, urn: str, inputs: Properties) -> tuple[str, Properties]:
        """Make the object and return (id, outputs); one that exists already is an error."""
        ...

    def find(self, type: str, urn: str, inputs: Properties) -> tuple[str, Properties] | None:
        """The object that these inputs name, as (id, outputs), or None when it does not exist.

        Asked instead of `create` only when the state says that an earlier run was killed in the middle of this very
        create, so that an account is never made twice (it is matched by its e-mail); None is followed by `create`.
        """
        ...

    def update(  # noqa: PLR0913, PLR0917 - the protocol's arguments
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
    ) -> Properties:
        """Bring the object from the old to the new inputs and return its outputs."""
        ...

    def delete(self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties) -> None:
        """Remove the object; one that is already gone is success."""
        ...


class Plugin(Protocol):
    """One package. Everything here needs no credentials, so it also works for a provider that is not configured yet."""

    name: str
    version: str

    def check_config(self, urn: str, inputs: Properties) -> tuple[Properties, tuple[CheckFailure, ...]]:
        """The provider's inputs as the engine stores them: nested values and booleans as JSON strings."""
        ...

    def is_configurable(self, inputs: Properties) -> bool:
        """Whether these checked inputs suffice to get credentials: no value that matters for them is unknown."""
        ...

    def configure(self, inputs: Properties) -> Provider:
        """A provider that works with these checked inputs; called when it is first needed.

        Raises:
            ProviderError: the roles cannot be assumed, or the account is not one of `allowedAccountIds`.
        """
        ...

    def check(
        self, type: str, urn: str, olds: Properties, news: Properties, random_seed: bytes
    ) -> tuple[Properties, tuple[CheckFailure, ...]]:
        """Inputs with defaults and automatic names, which derive from `random_seed` or are kept from `olds`.

        An unsupported type or property is a CheckFailure that names it. `olds` is empty for a new resource.
        """
        ...

    def diff(  # noqa: PLR0913, PLR0917 - the protocol's arguments
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: tuple[str, ...],
    ) -> Diff:
        """What changes from the old inputs to the new, checked ones; a new value that is unknown counts as changed."""
        ...

    def preview(self, type: str, urn: str, inputs: Properties, old_outputs: Properties | None) -> Properties:
        """What is known of the outputs before a create (`old_outputs` is None) or an update.

        That is the inputs, and UNKNOWN for each output that the operation computes; an output that an update keeps has
        its old value.
        """
        ...
