"""How people and exceptions name a door."""

from __future__ import annotations

from twokeys.iam import account_as_a_whole


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
