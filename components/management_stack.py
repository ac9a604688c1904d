"""What the other stacks read from the management stack: ids of units and identities, and members of groups."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import pulumi

from components.refusing import ProgramRefusal
from twokeys.settings import Who

_LISTED = {"role": "role_arns", "user": "user_arns", "group": "group_members"}
"""The output that lists what the management stack makes, by kind."""


class ManagementStack:
    """A reference to the management stack, made when something is first read from it.

    The engine ends the program over a reference to a stack that is not there. So the stack is looked for first:
    in a preview what would come from it is unknown, and a warning says so; an update is refused.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._outputs: pulumi.Output[dict[str, Any]] | None = None

    def organizational_unit_id(self, path: str) -> pulumi.Output[str]:
        """The id of an organizational unit by its path. Raises ProgramRefusal when management has none of this path."""
        return self._read("organizational_unit_ids", path, "organization.organizationalUnits")

    def quarantine_unit_id(self) -> pulumi.Output[str]:
        """The id of the unit for quarantined accounts. Raises ProgramRefusal when management has none."""
        return self._read("quarantine", "organizational_unit_id", "organization.quarantine")

    def members_of(self, group: str) -> pulumi.Output[list[str]]:
        """The users in a group by its name. Raises ProgramRefusal when management has no such group."""
        return self._read("group_members", group, "people.groups")

    def identity_id(self, kind: str, name: str) -> pulumi.Output[str]:
        """The id of a user or group of IAM Identity Center. Raises ProgramRefusal when management has none such."""
        return self._read("identity_ids", f"{kind}/{name}", f"people.identityCenter.{kind}s")

    def identity_center(self) -> pulumi.Output[str]:
        """The ARN of the instance of IAM Identity Center. Raises ProgramRefusal when management names none."""
        return self._read("identity_center", "instance_arn", "people.identityCenter")

    def expect(self, principals: Sequence[Who], door: str) -> None:
        """End the program with a ProgramRefusal if management makes none of this kind and name.

        Only where this stack reads from management at all, and management is there: else nothing is known.
        """
        if self._outputs is not None:
            self._outputs.apply(lambda outputs: _all_there(outputs, principals, door, self.name))

    def refer(self) -> pulumi.Output[dict[str, Any]]:
        """All its outputs, through the one reference to it. Raises ProgramRefusal in an update without it."""
        if self._outputs is None:
            self._outputs = self._found()
        return self._outputs

    def _read(self, output: str, key: str, config: str) -> pulumi.Output[Any]:
        def entry(outputs: Mapping[str, Any]) -> object:
            known = outputs.get(output) or {}
            if not known.get(key):
                raise ProgramRefusal(
                    f"{key!r} of the management stack",
                    where=f"output {output} of stack {self.name}",
                    why="it is empty" if key in known else f"it has: {', '.join(known) or 'none'}",
                    next_step=f"add it to {config} of the management stack and update that stack first",
                )
            return known[key]

        return self.refer().apply(entry)

    def _found(self) -> pulumi.Output[dict[str, Any]]:
        if self._is_deployed():
            return pulumi.StackReference(self.name).outputs.apply(dict)
        next_step = "update the management stack first, or name another one in twokeys:managementStack"
        if not pulumi.runtime.is_dry_run():
            raise ProgramRefusal(
                "an update without its management stack",
                where=f"stack {self.name}",
                why="it is not deployed, and this stack needs ids from it",
                next_step=next_step,
            )
        pulumi.log.warn(
            f"stack {self.name} is not deployed: what comes from it is unknown in this preview. Next step: {next_step}"
        )
        unknown: Any = pulumi.UNKNOWN
        return pulumi.Output.from_input(unknown)

    def _is_deployed(self) -> bool:
        try:
            found = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": self.name}).value
        except Exception as error:
            # The SDK has no class of its own for a failed invoke.
            if "unknown stack" in str(error):
                return False
            raise
        return bool(found and found.get("outputs"))


def _all_there(outputs: Mapping[str, Any], principals: Sequence[Who], door: str, stack: str) -> None:
    for one in principals:
        known = outputs.get(_LISTED.get(one.kind, ""))
        if known is not None and one.name not in known:
            close = get_close_matches(one.name, known, n=1, cutoff=0.5)
            raise ProgramRefusal(
                f"{one.kind} {one.name} of door {door}",
                where=f"output {_LISTED[one.kind]} of stack {stack}",
                why=f"the management stack makes no such {one.kind}, and AWS refuses a trust in one that is not there;"
                f" it has: {', '.join(known) or 'none'}",
                next_step=(f"write {close[0]}, if that is meant, or " if close else "")
                + f"add it to people.{one.kind}s of the management stack and update that stack first; where it is there"
                " already, say `exists: true` in `from`",
            )
