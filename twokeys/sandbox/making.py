"""Really makes what a program registers, in the local AWS, by the credentials that each provider really obtains."""

import os
import secrets
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from twokeys.access.findings import Finding
from twokeys.access.graph import Graph
from twokeys.access.model.providers import entry
from twokeys.access.reading.snapshot import STACK_REFERENCE, Resource, Snapshot
from twokeys.access.reading.wire import SECRET, SIGNATURE, holds_secret
from twokeys.errors import Refusal
from twokeys.pack.gate import Gate
from twokeys.pack.other_states import Beside
from twokeys.pack.relevance import may_let_in
from twokeys.preview.run import PROVIDERS, Asked, Made, RefusedRequestError, Run, resource
from twokeys.preview.unknowns import READ_STACK
from twokeys.preview.values import unsecret
from twokeys.sandbox.aws.catalogue import resource_type
from twokeys.sandbox.aws.client import ProviderError
from twokeys.sandbox.aws.provider import AwsProvider, configured
from twokeys.sandbox.aws.resource_type import Secret

Mandatory = Callable[[Graph], Iterable[Finding]]
Outputs = Callable[[str], Mapping[str, Any] | None]


class LocalMaker:
    """Answers an update; see `twokeys.preview.run.Maker`.

    `mandatory` gives the findings on a graph by which each resource is judged before it is made, and `stack_outputs`
    the outputs of another stack by its name, None for one that is not up; `done` is called once a resource is made;
    `beside` is as of `twokeys.pack.gate.Gate`.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        mandatory: Mandatory,
        stack_outputs: Outputs,
        done: Callable[[Asked], None],
        beside: Beside | None = None,
    ) -> None:
        self._environment = environment
        self._run: Run | None = None
        self._gate = Gate(
            Snapshot(()),
            mandatory,
            made=lambda: self._run.snapshot() if self._run else None,
            own_account=self._own_account,
            beside=beside,
        )
        self._stack_outputs = stack_outputs
        self._done = done
        self._providers: dict[str, AwsProvider] = {}
        self._judging = threading.Lock()
        self.refused: list[Finding] = []

    def show(self, asked: Asked, run: Run) -> None:
        """What a component declares stands for what its resources will be."""
        with self._judging:
            self._run = run
            self._gate.show(_shown(asked, run))

    def make(self, asked: Asked, run: Run) -> tuple[str, Mapping[str, Any]]:
        """Judge it, then make it: a provider obtains its credentials, everything else is created through its own."""
        inputs = unsecret(dict(asked.inputs))
        if asked.type.startswith(PROVIDERS):
            if asked.type == f"{PROVIDERS}aws":
                with _heard():
                    self._providers[asked.urn] = configured(inputs, self._environment)
            self.show(asked, run)
            return str(uuid.uuid4()), dict(asked.inputs)
        provider = self._providers.get(asked.provider.rpartition("::")[0])
        if provider is None:  # not of AWS, so nothing that the local AWS could make
            self._judge(asked, run)
            return f"{asked.name}-{uuid.uuid4().hex[:7]}", dict(asked.inputs)
        named = "".join(
            secrets.choice("0123456789") if one == "?" else one for one in run.naming(asked.type, asked.name) or ""
        )
        checked = resource_type(asked.type).check(asked.urn, {}, inputs, os.urandom(32), named)
        self._judge(replace(asked, inputs={**checked, **asked.inputs}), run)  # the engine asks with names made up, too
        with _heard():
            if asked.import_id:
                id, outputs = asked.import_id, self._imported(provider, asked, checked)
            else:
                id, outputs = provider.create(asked.type, asked.urn, checked)
        self._done(asked)
        return id, _marked(outputs, asked)

    def read(self, asked: Asked, id: str, run: Run) -> Mapping[str, Any]:  # noqa: ARG002
        """An object that exists, or the outputs of a stack that is up."""
        if asked.type == STACK_REFERENCE:
            return self._outputs_of(str(unsecret(asked.inputs.get("name", id))))
        provider = self._providers.get(asked.provider.rpartition("::")[0])
        if provider is None:
            raise RefusedRequestError(f"{asked.type} {id} cannot be read: its provider is not one of AWS")
        with _heard():
            return _marked(self._found(provider, asked, id, {})[1], asked)

    def invoke(self, token: str, args: Mapping[str, Any], provider: str, run: Run) -> Mapping[str, Any] | None:  # noqa: ARG002
        """A look-up, by the provider's own credentials."""
        if token in READ_STACK:
            return self._outputs_of(str(args.get("name") or args.get("stackName")))
        found = self._providers.get(provider.rpartition("::")[0])
        if found is None:
            raise RefusedRequestError(f"{token} cannot be answered: its provider is not one of AWS")
        with _heard():
            return found.invoke(token, unsecret(dict(args)))

    def _own_account(self, providers: Iterable[Resource]) -> str | None:
        """The account that all providers work in which tell none: as the pack asks AWS for it, with what they got."""
        unpinned = [one.urn for one in providers if entry(one).tells_none]
        accounts = {self._providers[urn].aws.account for urn in unpinned if urn in self._providers}
        return accounts.pop() if len(accounts) == 1 else None

    def close(self) -> None:
        """Close every provider's connections."""
        for provider in self._providers.values():
            provider.close()

    def _judge(self, asked: Asked, run: Run) -> None:
        shown = _shown(asked, run)
        if not may_let_in(shown):
            self.show(asked, run)
            return
        with self._judging:
            self._run = run
            found = self._gate.judge(shown)
            self.refused += found
        if found:
            raise RefusedRequestError("\n".join(one.text for one in found))

    def _imported(self, provider: AwsProvider, asked: Asked, inputs: dict[str, Any]) -> dict[str, Any]:
        """An object that is there and is what the program says; a sandbox brings nothing from one form to another.

        https://www.pulumi.com/docs/iac/concepts/resources/options/import/
        """
        found = self._found(provider, asked, asked.import_id, inputs)
        args = (asked.type, asked.urn, found[0], found[1], inputs, asked.ignore_changes)
        if changed := provider.diff(*args).changed:
            raise RefusedRequestError(
                f"inputs to import do not match the existing resource {asked.import_id}: {', '.join(changed)} differ"
            )
        return found[1]

    def _found(
        self, provider: AwsProvider, asked: Asked, id: str, inputs: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The inputs and outputs of what exists."""
        found = provider.read(asked.type, asked.urn, id, inputs, {})
        if found is None:
            raise RefusedRequestError(f"{asked.type} {id} does not exist")
        return found[1:]

    def _outputs_of(self, name: str) -> dict[str, Any]:
        outputs = self._stack_outputs(name)
        if outputs is None:
            raise RefusedRequestError(f'unknown stack "{name}"')
        return {"name": name, "outputs": dict(outputs), "secretOutputNames": []}


@contextmanager
def _heard() -> Iterator[None]:
    """Say to the program what an API refused."""
    try:
        yield
    except (ProviderError, Refusal) as error:
        raise RefusedRequestError(str(error)) from error


def _shown(asked: Asked, run: Run) -> Resource:
    """A resource before it is made, with known values."""
    return resource(Made(asked, "", {}), _Everything(), run)


class _Everything:
    def __contains__(self, item: object) -> bool:
        return True


def _marked(outputs: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Outputs for the wire: secret where the type, the options or the inputs they come from are."""
    return {
        key: {SIGNATURE: SECRET, "value": value.value if isinstance(value, Secret) else value}
        if isinstance(value, Secret) or key in asked.secret_outputs or holds_secret(asked.inputs.get(key))
        else value
        for key, value in outputs.items()
    }
