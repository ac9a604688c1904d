"""How people and exceptions name a door."""

from __future__ import annotations

import json
import string
from collections.abc import Iterable
from typing import Final

from twokeys.access.reading.snapshot import Resource
from twokeys.iam import account_as_a_whole

IN_CONFIGURATION: Final = "in the configuration of the policy pack (--policy-pack-config FILE)"
EXCEPT: Final = "make an exception in the pack's configuration, with reason, owner and expiry"
"""A next step that lets a door stand; who runs a rule says what to paste (`with_exception`)."""
_DIGITS, _BEHIND_PREFIX = 7, 26


class DoorName(str):
    """`<source ARN> -> <target ARN>`, with `*` for a side that is not one principal: and those two."""

    __slots__ = ("source", "target")
    source: str
    target: str

    def __new__(cls, source: str, target: str) -> DoorName:
        """The name of the door between two sides."""
        name = super().__new__(cls, f"{source} -> {target}")
        name.source, name.target = source, target
        return name

    @property
    def ends(self) -> tuple[str, str]:
        """Its sides, however they are written: an account as a whole by its id, also where its root's ARN names it."""
        return account_as_a_whole(self.source) or self.source, self.target


def with_exception(step: str, rule: str, door: DoorName | None) -> str:
    """A next step in which `EXCEPT` says what to paste, of a finding about a door."""
    return step.replace(EXCEPT, f"make an exception {IN_CONFIGURATION}: {exception_text(rule, door)}") if door else step


def exception_text(rule: str, door: DoorName | None, **more: str) -> str:
    """What to paste into the pack's configuration, so that a rule lets a door stand."""
    excuse = {"door": str(door), "reason": "...", "owner": "...", "expires": "YYYY-MM-DD", **more}
    return json.dumps({rule: {"exceptions": [excuse]}})


def stand_in(resource: Resource) -> str:
    """What a resource is called whose name is made up when it is made: `?` for each digit, each time another one.

    As the config of the stack says, else Pulumi adds `-` and 7 hexadecimal digits to the logical name; the AWS provider
    adds 26 to a prefix.
    https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming
    https://github.com/hashicorp/terraform-plugin-sdk/blob/main/helper/id/id.go
    """
    prefix = resource.text("namePrefix")
    if prefix is not None:
        return prefix + "?" * _BEHIND_PREFIX
    return f"{resource.name}-{'?' * _DIGITS}" if resource.autoname is None else resource.autoname


def with_stand_ins(text: str, new: Iterable[Resource]) -> str:
    """A text in which no name of what is still to be made is one that only this run of the program has made up."""
    for resource in filter(is_made_up, new):
        text = text.replace(str(resource.text("name")), stand_in(resource))
    return text


def is_made_up(resource: Resource) -> bool:
    """Whether a resource has a name that was made up for it."""
    return may_be_called(resource, resource.text("name") or "")


def may_be_called(resource: Resource, name: str) -> bool:
    """Whether a name that is made up for a resource may be this one."""
    called = stand_in(resource)
    drawn = string.digits + (string.ascii_lowercase if resource.autoname else "abcdef")
    signs = [one == other or (other == "?" and one in drawn) for one, other in zip(name, called, strict=False)]
    return len(name) == len(called) and all(signs)
