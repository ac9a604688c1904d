"""What one stack reads from another: a reference that is made when something is first read."""

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from components.refusing import ProgramRefusal
from twokeys.doors import ACCOUNTS_OUTPUT
from twokeys.errors import or_nearest
from twokeys.project.states import NOT_READ
from twokeys.shown import counted

_ACCESS_ROLES = "access_role_arns"
_EXTERNAL_IDS = "access_external_ids"
_NOT_ENTERED = "not_entered_account_ids"


class StackOutputs:
    """The outputs of another stack.

    The engine ends the program over a reference to a stack that is not there. So the stack is looked for first:
    in a preview what would come from it is unknown, and a warning says so; an update is refused.

    Args:
        name: the stack's full name.
        called: what refusals call it.
        otherwise: what else could be done where it is not there.
        doors: how many doors start from what it makes, which cannot be checked where it is not there.
    """

    def __init__(self, name: str, called: str, otherwise: str, doors: int = 0) -> None:
        self.name = name
        self._called = called
        self._otherwise = otherwise
        self._doors = doors
        self._outputs: pulumi.Output[dict[str, Any]] | None = None

    def refer(self) -> pulumi.Output[dict[str, Any]]:
        """All its outputs, through the one reference to it. Raises ProgramRefusal in an update without it.

        In `twokeys preview` some may be unknown: `run_with_unknowns` reads the others.
        """
        if self._outputs is None:
            self._outputs = self._found()
        return self._outputs

    @property
    def is_read(self) -> bool:
        """Whether anything has been read of it."""
        return self._outputs is not None

    def account_id(self, account: str) -> pulumi.Output[str]:
        """The id of one of its accounts by name. Raises ProgramRefusal when it has none that it enters."""
        return self._of_account(ACCOUNTS_OUTPUT, account)

    def access_role_arn(self, account: str) -> pulumi.Output[str]:
        """The ARN of the role by which the management account enters it. Raises ProgramRefusal as `account_id` does."""
        return self._of_account(_ACCESS_ROLES, account)

    def access_external_id(self, account: str) -> pulumi.Output[str | None]:
        """The external ID that AssumeRole of that role is called with, where its account's config says one."""
        return self._entry(_EXTERNAL_IDS, lambda known, _: known.get(account))

    def read(self, output: str, key: str, config: str, door: str = "") -> pulumi.Output[Any]:
        """One entry of an output; `config` is what makes it there, and `door` is the door that reads it.

        Raises ProgramRefusal when it is not there or empty.
        """

        def entry(known: Mapping[str, Any], _: Mapping[str, Any]) -> object:
            if known.get(key):
                return known[key]
            where = f"output {output} of stack {self.name}"
            step = f"add it to {config} of {self._called} and update that stack first"
            if key in known:
                raise ProgramRefusal(
                    f"door {door} from {key!r} of {self._called}",
                    where=where,
                    why="nobody is in it",
                    next_step=f"take the door out of this stack and update it first, or put somebody into {config}."
                    f"{key} of {self._called} and update that first",
                )
            why = f"it has: {', '.join(sorted(known)) or 'none'}"
            raise ProgramRefusal(
                f"{key!r} of {self._called}", where=where, why=why, next_step=or_nearest(step, key, known)
            )

        return self._entry(output, entry)

    def _entry(
        self, output: str, entry: Callable[[Mapping[str, Any], Mapping[str, Any]], object]
    ) -> pulumi.Output[Any]:
        """What `entry` makes of an output and of all of them; unknown where it makes nothing known of them."""

        def found(outputs: Any) -> object:  # noqa: ANN401 - what is unknown is no mapping
            known = (outputs.get(output) or {}) if isinstance(outputs, Mapping) else outputs
            return entry(known, outputs) if isinstance(known, Mapping) else known

        return self.refer().apply(found, run_with_unknowns=True)

    def _of_account(self, output: str, account: str) -> pulumi.Output[str]:
        def entry(known: Mapping[str, Any], outputs: Mapping[str, Any]) -> object:
            if account in known:
                return known[account]
            step = f"add it to accounts of {self._called} and update that stack first, or name the `stack` that has it"
            why = f"the accounts that it enters are: {', '.join(sorted(known)) or 'none'}"
            raise ProgramRefusal(
                f"account {account}, in which doors of this stack start",
                where=f"output {output} of stack {self.name}",
                why="that stack does not enter the account (access.enter: false), so that no grant can be made in it"
                if account in (outputs.get(_NOT_ENTERED) or {})
                else why,
                next_step=or_nearest(step, account, known),
            )

        return self._entry(output, entry)

    def _found(self) -> pulumi.Output[dict[str, Any]]:
        why = self._not_there()
        if not why:
            return pulumi.StackReference(self.name).outputs
        next_step = f"update {self._called} first, or {self._otherwise}"
        if not pulumi.runtime.is_dry_run():
            raise ProgramRefusal(
                f"an update without {self._called}",
                where=f"stack {self.name}",
                why=f"it {why}, and this stack needs ids from it",
                next_step=next_step,
            )
        if why == NOT_READ:
            next_step = f"preview it with this one, or give its state, too, with `--state FILE`; else {next_step}"
        doors = counted(self._doors, "door")
        pulumi.log.warn(
            f"stack {self.name} {why}: what comes from it is unknown in this preview, and no control policy"
            " of it is judged"
            + (f"; whether it has those who come through {doors} is not checked" if self._doors else "")
            + f". Next step: {next_step}"
        )
        unknown: Any = pulumi.UNKNOWN
        return pulumi.Output.from_input(unknown)

    def _not_there(self) -> str:
        """Why nothing can be read of it; empty where it can. `twokeys preview` does not know what is deployed."""
        try:
            found = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": self.name}).value
        except Exception as error:
            # The SDK has no class of its own for a failed invoke.
            if "unknown stack" not in str(error):
                raise
            return NOT_READ if NOT_READ in str(error) else "is not deployed"
        return "" if found and found.get("outputs") else "is not deployed"
