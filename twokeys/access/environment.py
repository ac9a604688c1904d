"""The environment an account belongs to, read from its tags or, where those are silent, from its name.

An account that holds no answer is in no environment: nothing is guessed from anything but these two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_WORDS = {
    "stage": "stage",
    "staging": "stage",
    "stg": "stage",
    "prod": "prod",
    "production": "prod",
    "prd": "prod",
}
_NEGATIONS = frozenset({"non", "not", "no", "pre"})


def canonical(name: str) -> str:
    """One spelling for an environment: `Production` and `prd` are `prod`, `staging` is `stage`, others stay as is."""
    return _WORDS.get(name.casefold(), name)


def of_tags(tags: object) -> str | None:
    """What the tag `environment` (in any case) says, if it is there."""
    if isinstance(tags, Mapping):
        for tag, value in tags.items():
            if str(tag).casefold() == "environment" and isinstance(value, str):
                return value
    return None


def of_names(names: Iterable[str]) -> str | None:
    """The one environment that is a word of the names: `acme-prod` is prod; `nonprod`, `pre-prod` are none of ours.

    Names that say two different things say nothing.
    """
    found = {word for name in names for word in _environment_words(name)}
    return found.pop() if len(found) == 1 else None


def _environment_words(name: str) -> Iterable[str]:
    words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    for before, word in zip(["", *words], words, strict=False):
        if word in _WORDS and before not in _NEGATIONS:
            yield _WORDS[word]
