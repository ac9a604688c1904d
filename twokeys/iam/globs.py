"""Names with `*` and `?`, matched in time linear in the name.

The graph finds candidates with these; whether a statement covers a name is the evaluation's to say.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from functools import lru_cache

from twokeys.iam.lazy import lazy
from twokeys.iam.matching import TextPattern, is_symbolic
from twokeys.iam.truth import FALSE, TRUE

VARIABLE = re.compile(r"\$\{[^}]*\}")
_STAND_INS = str.maketrans({"*": "\ue000", "?": "\ue001"})


class Glob:
    """A name of a policy that may hold `*`, `?` and policy variables, which here stand for any text.

    It matches at least what IAM matches: a `*` may reach across the colons of an ARN, and a digit that stands alone may
    be one of an account id that is not known yet.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        chunks = VARIABLE.sub("*", text).split("*")
        self._starred = len(chunks) > 1
        self._head, self._tail = chunks[0], chunks[-1]
        self._middle = tuple(chunk for chunk in chunks[1:-1] if chunk)
        self._least = sum(map(len, chunks))

    @property
    def wild(self) -> bool:
        """Whether it can match more than one name."""
        return self._starred or "?" in self._head

    @property
    def everything(self) -> bool:
        """Whether it matches every name."""
        return self._starred and not self._least

    @property
    def beginning(self) -> str:
        """What every name that it matches begins with."""
        return self._head.partition("?")[0]

    @property
    def ending(self) -> str:
        """What every name that it matches ends with."""
        return self._tail.rpartition("?")[2]

    def matches(self, name: str) -> bool:
        """Whether it matches, or may match, a name; an account symbol in it is an id that nobody knows yet."""
        if is_symbolic(name):
            return self._with_symbols.matches(name) is not FALSE
        if not self._starred:
            return len(name) == self._least and _stands_at(self._head, name, 0)
        place, end = len(self._head), len(name) - len(self._tail)
        if len(name) < self._least or not _stands_at(self._head, name, 0) or not _stands_at(self._tail, name, end):
            return False
        for chunk in self._middle:
            found = _find(chunk, name, place, end)
            if found < 0:
                return False
            place = found + len(chunk)
        return True

    def covers(self, other: Glob) -> bool:
        """Whether it certainly matches every name that the other matches.

        With a `?` or a variable of its own it does not tell.
        """
        if "?" in self.text or "${" in self.text:
            return self.text == other.text
        name = VARIABLE.sub("*", other.text).translate(_STAND_INS)
        return self._with_symbols.matches(name) is TRUE if is_symbolic(name) else self.matches(name)

    def overlaps(self, other: Glob) -> bool:
        """Whether some name may match both."""
        heads, tails = sorted((self.beginning, other.beginning)), sorted((self.ending[::-1], other.ending[::-1]))
        return all(longer.startswith(shorter) for shorter, longer in (heads, tails))

    @lazy
    def _with_symbols(self) -> TextPattern:
        return TextPattern(VARIABLE.sub("*", self.text), wildcards=True, variables=False)


@lru_cache(maxsize=65536)
def glob(text: str) -> Glob:
    """The pattern of a text, which is read once."""
    return Glob(text)


def _stands_at(chunk: str, name: str, place: int) -> bool:
    """Whether a chunk without stars stands at a place of a name, which reaches that far."""
    if "?" not in chunk:
        return name.startswith(chunk, place)
    return all(wanted in (found, "?") for wanted, found in zip(chunk, name[place : place + len(chunk)], strict=True))


def _find(chunk: str, name: str, start: int, end: int) -> int:
    """The leftmost place of a chunk between two places, or -1."""
    if "?" not in chunk:
        return name.find(chunk, start, end)
    return next((place for place in range(start, end - len(chunk) + 1) if _stands_at(chunk, name, place)), -1)
