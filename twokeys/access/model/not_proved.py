"""What may let somebody in and is not read or not known: the part of a graph that nobody can prove."""

from dataclasses import dataclass

from twokeys.access.model.documents import Document
from twokeys.access.model.door_name import DoorName


@dataclass(frozen=True, slots=True)
class NotProved:
    """One thing that nobody can prove.

    `what` is a noun phrase, `why` a clause that follows "is not proved:", `next_step` an instruction. `door` is how an
    exception names it: ARNs or URNs, which hold the account, with `*` for a side that is not known. `urn` is the
    resource and `source` the program's line, where there are such. `document` is there where it is a policy document,
    which knows what it waits for. `advice` tells that it is no key of a door: who comes in where is shown.
    """

    what: str
    why: str
    next_step: str
    door: DoorName
    urn: str | None = None
    source: str | None = None
    document: Document | None = None
    advice: bool = False

    @property
    def message(self) -> str:
        """The sentence for people, without its full stop."""
        return f"{self.what} is not proved: {self.why}"
