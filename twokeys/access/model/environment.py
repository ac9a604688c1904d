"""The environment an account belongs to, read from its tags or, where those are silent, from its name.

An account that holds no answer is in no environment: nothing is guessed from anything but these two.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.providers import listed
from twokeys.access.reading.snapshot import Resource, mapping

_WORDS = {"stage": "stage", "staging": "stage", "stg": "stage", "prod": "prod", "production": "prod", "prd": "prod"}
_OTHERS = frozenset({
    "audit", "backup", "backups", "billing", "build", "ci", "connectivity", "dev", "develop", "development", "dns",
    "domains", "firewall", "hub", "identity", "infra", "log", "logging", "logs", "management", "monitoring",
    "network", "networking", "observability", "platform", "playground", "qa", "root", "sandbox", "security",
    "shared", "test", "testing", "tooling", "tools", "transit", "uat",
})  # fmt: skip
_NEGATIONS = frozenset({"non", "not", "no", "pre"})


def canonical(name: str) -> str:
    """One spelling for an environment: `Production` and `prd` are `prod`, `staging` is `stage`, others stay as is."""
    return _WORDS.get(name.casefold(), name)


def of_account(accounts: Accounts, account: str) -> str | None:
    """The environment of an account: its `environment` tag, else its provider's default tag, else its name's word.

    Names are those of its `Account` resource and of the providers that work in it. The management account is in
    none: the stacks of every environment work in it, each with its own default tags.
    """
    if account == accounts.management:
        return None
    resource, providers = accounts.resource(account), accounts.providers_of(account)
    tags = [resource.get(key) for key in ("tags", "tagsAll")] if resource else []
    tags += [mapping(one).get("tags") for each in providers for one in listed(each, "defaultTags") or ()]
    for found in map(of_tags, tags):
        if found is not None:
            return found
    if account in accounts.environments:
        return accounts.environments[account]
    return of_names(_names_of(resource)) or of_names(one.name for one in providers)


def is_of_another_purpose(accounts: Accounts, account: str) -> bool:
    """Whether an account is for no environment: the management account, and one whose name says so."""
    names = [*_names_of(accounts.resource(account)), *(one.name for one in accounts.providers_of(account))]
    return account == accounts.management or of_another_purpose(names)


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


def of_another_purpose(names: Iterable[str]) -> bool:
    """Whether the names say what an account is for, and that is no environment where customers are: `shared-services`.

    A name that also speaks of an environment, such as `prod-network`, says nothing here.
    """
    words = {word for name in names for word in _words(name)}
    return not words.isdisjoint(_OTHERS) and words.isdisjoint(_WORDS)


def _names_of(resource: Resource | None) -> list[str]:
    return [name for name in (resource.text("name"), resource.name) if name] if resource else []


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())


def _environment_words(name: str) -> Iterable[str]:
    for before, word in pairwise(["", *_words(name)]):
        if word in _WORDS and before not in _NEGATIONS:
            yield _WORDS[word]
