"""Another stack whose doors the policy pack reads."""

from typing import Any, Final, NotRequired, TypedDict

import pulumi

from twokeys.doors import (
    ACCOUNT_OUTPUT,
    DOORS_OUTPUT,
    GRANTS_OUTPUT,
    MEMBERS_OUTPUT,
    ORGANIZATION_OUTPUT,
    OTHER_STACK,
)

_ABOUT_DOORS: Final = (DOORS_OUTPUT, GRANTS_OUTPUT, MEMBERS_OUTPUT, ACCOUNT_OUTPUT, ORGANIZATION_OUTPUT)


class OtherStackArgs(TypedDict):
    """Which stack it is."""

    stack: str
    """The stack's full name: `organization/project/stack`."""
    outputs: NotRequired[pulumi.Input[dict[str, Any]]]
    """All outputs of that stack, when the program refers to it already: the engine refuses a second reference."""


class OtherStack(pulumi.ComponentResource):
    """What another stack exports about doors, where a policy can see it.

    The engine shows a policy nothing that is only read, a stack reference among it; it does show a component's inputs.
    """

    outputs: pulumi.Output[dict[str, Any]]
    """What that stack exports about doors: `doors`, `organization_grants`, `group_members`, `parent_account_id`,
    `organization_id`."""

    def __init__(self, name: str, args: OtherStackArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        known = args["outputs"] if "outputs" in args else pulumi.StackReference(args["stack"]).outputs.apply(dict)
        self.outputs = pulumi.Output.from_input(known).apply(
            lambda outputs: {key: outputs[key] for key in _ABOUT_DOORS if key in outputs}
        )
        super().__init__(OTHER_STACK, name, {"name": args["stack"], "outputs": self.outputs}, opts)
        self.register_outputs({"outputs": self.outputs})
