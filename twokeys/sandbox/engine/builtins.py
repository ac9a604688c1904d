"""The package `pulumi` that the engine brings along: references to other stacks, and resources looked up by URN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.resource import Resource
from twokeys.sandbox.engine.values import Properties, has_secret

STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"


@dataclass(frozen=True)
class Builtins:
    """Answers reads and look-ups of the package `pulumi`; it has no resources of its own to make.

    Attributes:
        stack_outputs: the outputs of a stack by its full name ("organization/project/stack"), None for an unknown one.
        resource: a resource that was registered or read in this run.
    """

    stack_outputs: Callable[[str], Properties | None]
    resource: Callable[[str], Resource | None]

    def read(
        self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        """The outputs of the stack that a reference names."""
        del outputs
        if type != STACK_REFERENCE:
            raise ProviderError(f"{urn}: the sandbox has no resource type {type} in package pulumi")
        return id, inputs, self._reference(str(inputs.get("name", id)))

    def invoke(self, token: str, args: Properties) -> Properties:
        """`readStackOutputs` and `getResource`, which the SDK itself calls."""
        if token == "pulumi:pulumi:readStackOutputs":  # noqa: S105 - the name of a function
            return self._reference(str(args["name"]))
        if token == "pulumi:pulumi:getResource":  # noqa: S105
            found = self.resource(str(args["urn"]))
            if found is None:
                raise ProviderError(f"unknown resource {args['urn']}")
            return {"urn": found.urn, "id": found.id, "provider": found.provider, "state": found.outputs}
        raise ProviderError(f"unrecognized function name: '{token}'")

    def _reference(self, name: str) -> Properties:
        outputs = self.stack_outputs(name)
        if outputs is None:
            raise ProviderError(
                f'unknown stack "{name}"', (f"update that stack first; this one reads its outputs ({name})",)
            )
        secret = sorted(key for key, value in outputs.items() if has_secret(value))
        return {"name": name, "outputs": outputs, "secretOutputNames": secret}
