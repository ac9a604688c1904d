"""The one voice in which TwoKeys refuses: what, where, why, and the next step."""

from collections.abc import Iterable


class Refusal(Exception):  # noqa: N818 - a refusal is an outcome, not an accident
    """Something was refused before it could do harm; nothing was changed by the part that raised it.

    Attributes:
        what: what is refused, in a few words ("the state of stack stage is damaged").
        where: the file, config key, URN or ARN it concerns.
        why: the reason, as a sentence without its full stop; or a list, each reason on a line below.
        next_step: what the reader can do about it, as an imperative sentence.
    """

    def __init__(self, what: str, *, where: str, why: str, next_step: str) -> None:
        self.what = what
        self.where = where
        self.why = why
        self.next_step = next_step
        reason = f"{why}\n" if why.startswith("\n") else f" {why}. "
        super().__init__(f"{what} ({where}):{reason}Next step: {next_step}")

    def as_dict(self) -> dict[str, str]:
        """The refusal as JSON-ready data, for `--json`."""
        return {"what": self.what, "where": self.where, "why": self.why, "nextStep": self.next_step}


def nearest(name: str, known: Iterable[str], cutoff: float | None = None) -> str | None:
    """The known name that is spelt most like a misspelt one, for the next step; case, `-` and `_` count for nothing.

    `cutoff` is how much of it must be alike, from 0 to 1 (all); without it, all but a slip or two, or half where one is
    a part of the other. One with the same letters in another order comes first: two swapped letters are one slip.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - the command line starts without it

    plain = {_plain(each): each for each in known}
    wanted = _plain(name)
    close = get_close_matches(wanted, plain, n=5, cutoff=cutoff or (0.66 if len(wanted) > 2 else 0.5))
    if not close and cutoff is None:
        close = get_close_matches(wanted, [one for one in plain if wanted in one or one in wanted], n=1, cutoff=0.5)
    swapped = [one for one in close if sorted(one) == sorted(wanted)]
    return plain[(swapped or close)[0]] if close else None


def or_nearest(step: str, name: str, known: Iterable[str]) -> str:
    """A next step, and before it the nearest known name, if any is near."""
    near = nearest(name, known)
    return f"write {near}, if that is meant, or {step}" if near else step


def _plain(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")
