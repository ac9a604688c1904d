"""What the commands say of a change and of a queue, for people and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from twokeys.organization.life.changes import Check
from twokeys.organization.life.closing import Outcome, Standing, goes_on


def email_as_json(
    old: str, new: str, checks: Sequence[Check], remaining: Sequence[str], *, done: bool
) -> dict[str, object]:
    """What `email` says with `--json`, beside whose address it is."""
    return {
        "what": "e-mail address",
        "from": old,
        "to": new,
        "checks": [
            {"what": one.what, "ok": one.ok, **({} if one.ok else {"nextStep": one.next_step})} for one in checks
        ],
        "done": done,
        "alreadyThere": old == new,
        "remaining": list(remaining),
    }


def show_email(what: str, checks: Sequence[Check], remaining: Sequence[str], *, done: bool, there: bool) -> None:
    """What `email` says on the terminal: what must hold, what is done, and what remains."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    for check in checks:
        console.print(f"  {'ok ' if check.ok else 'NO '} {check.what}", style=None if check.ok else "red")
        if not check.ok:
            console.print(f"      next: {check.next_step}")
    fits = all(check.ok for check in checks)
    if there:
        console.print("AWS has it already.")
    elif done:
        console.print(f"Done: {what}.")
    else:
        console.print(f"Nothing was changed.{f' With --yes: {what}.' if fits else ''}")
    if fits:
        console.print("What remains:" if done or there else "What then remains:")
        for number, step in enumerate(remaining, 1):
            console.print(f"  {number}. {step}")


@dataclass(frozen=True)
class ClosingReport:
    """What `close` says."""

    stack: str
    found: Sequence[Standing]
    queue: Sequence[Standing]
    done: Outcome | None
    refused: Sequence[Standing]
    now: datetime

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        done = self.done or Outcome(queued=tuple(self.queue))
        return {
            "stack": self.stack,
            "accounts": [one.as_dict() for one in self.found],
            "dryRun": self.done is None,
            "closed": [one.account for one in done.closed],
            "queued": [one.account for one in done.queued],
            "refused": [one.as_dict() for one in self.refused],
            "stopped": done.stopped,
            "goesOn": goes_on(self.now) if done.used_up else "",
        }

    def show(self, console: Console) -> None:
        """On the terminal."""
        if not self.found:
            console.print(f"No account of stack {self.stack} is closed in its config.")
            return
        done = {one.account: one for one in (*self.done.closed, *self.done.refused)} if self.done else {}
        for each in self.found:
            one = done.get(each.account, each)
            console.print(f"{one.place:8} {one.account} ({one.id or 'not made'}): {one.why}")
            if one.next_step:
                console.print(f"         next: {one.next_step}")
        if self.done is None:
            names = ", ".join(one.account for one in self.queue)
            console.print(f"Nothing was changed. With --yes, in this order: {names}" if names else "Nothing to close.")
            return
        console.print(
            f"{len(self.done.closed)} closed, {len(self.done.queued)} still queued, {len(self.refused)} refused"
        )
        if self.done.stopped:
            console.print(f"AWS stopped it: {self.done.stopped}")
            when = goes_on(self.now) if self.done.used_up else "in some minutes"
            console.print(f"The same command goes on {when}.")
