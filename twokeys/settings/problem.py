"""What is wrong with a setting, as data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from twokeys.errors import or_nearest
from twokeys.shown import listed

_NAMES_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"


@dataclass(frozen=True)
class Problem:
    """One setting that cannot stand: its key, its value, why, and the next step."""

    key: str
    value: object
    why: str
    next_step: str


def no_unit(key: str, path: str, units: Iterable[str], next_step: str) -> Problem:
    """A path that no unit of the stack has."""
    return Problem(key, path, "no organizational unit of this stack has this path", or_nearest(next_step, path, units))


def no_account(key: str, account: str, accounts: Iterable[str]) -> Problem:
    """A key that no account of the stack has."""
    step = or_nearest("name one of them, or add it to `accounts` of this stack", account, accounts)
    return Problem(key, account, f"accounts of this stack: {those_there(accounts)}", step)


def those_there(names: Iterable[str]) -> str:
    """The names there are, for a sentence."""
    return listed(sorted(names), most=20) or "none"


def twice(key: str, names: Iterable[str]) -> Iterator[Problem]:
    """Names that stand twice, or differ by case alone, which AWS does not tell apart."""
    seen: dict[str, str] = {}
    for name in names:
        if name.casefold() not in seen:
            seen[name.casefold()] = name
        elif (other := seen[name.casefold()]) == name:
            yield Problem(key, name, "it is listed twice", "list it once")
        else:
            why = f"{other} is the same name to AWS, which does not tell names apart by case ({_NAMES_PAGE})"
            yield Problem(key, name, why, "name one of them differently, or leave it out")


def no_mfa(key: str) -> Problem:
    """A door or grant that asks a role for MFA: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html"""
    return Problem(
        key,
        value=True,
        why="a role's session carries no MFA, however its own caller signed in, so the door would never open",
        next_step="leave it out, and ask for MFA where people enter that role",
    )
