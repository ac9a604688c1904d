"""What the commands say of a change and of a queue, for people and as JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import Console

from twokeys.organization.life.changes import Check
from twokeys.organization.life.closing import Outcome, Quota, Standing, goes_on


@dataclass(frozen=True)
class Change:
    """A change of one account: what it is, what must hold, and what remains."""

    account: str
    id: str
    what: str
    old: str
    new: str
    checks: Sequence[Check]
    remaining: Sequence[str]
    act: str

    def run(self, yes: bool, as_json: bool, act: Callable[[], None]) -> int:
        """Say it and, with `yes`, do it. The exit code."""
        fits, there = all(check.ok for check in self.checks), self.old == self.new
        done = yes and fits and not there
        if done:
            act()
        if as_json:
            click.echo(json.dumps(self._as_json(done, there), indent=2))
        else:
            self._show(Console(soft_wrap=True, highlight=False, markup=False), done, there, fits)
        return 0 if fits else 1

    def _as_json(self, done: bool, there: bool) -> dict[str, object]:
        return {
            "account": self.account,
            "id": self.id,
            "what": self.what,
            "from": self.old,
            "to": self.new,
            "checks": [check.as_dict() for check in self.checks],
            "done": done,
            "alreadyThere": there,
            "remaining": list(self.remaining),
        }

    def _show(self, console: Console, done: bool, there: bool, fits: bool) -> None:
        console.print(f"account {self.account} ({self.id or 'not made'}): {self.what} {self.old!r} -> {self.new!r}")
        for check in self.checks:
            console.print(f"  {'ok ' if check.ok else 'NO '} {check.what}", style=None if check.ok else "red")
            if not check.ok:
                console.print(f"      next: {check.next_step}")
        if there:
            console.print("AWS has it already.")
        elif done:
            console.print(f"Done: {self.act}.")
        elif fits:
            console.print(f"Nothing was changed. With --yes: {self.act}.")
        else:
            console.print("Nothing was changed.")
        if fits:
            console.print("What remains:" if done or there else "What then remains:")
            for number, step in enumerate(self.remaining, 1):
                console.print(f"  {number}. {step}")


@dataclass(frozen=True)
class ClosingReport:
    """What `close` says."""

    stack: str
    found: Sequence[Standing]
    queue: Sequence[Standing]
    done: Outcome | None
    refused: Sequence[Standing]
    quota: Quota
    now: datetime

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        done = self.done or Outcome(queued=tuple(self.queue))
        return {
            "stack": self.stack,
            "accounts": [one.as_dict() for one in self.found],
            "quota": {"allowed": self.quota.allowed, "usedAtMost": self.quota.at_most, "leftAtLeast": self.quota.left},
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
        console.print(
            f"AWS closes {self.quota.allowed} accounts of this organization in 30 days; at most {self.quota.at_most} of"
            f" them are used up, so at least {self.quota.left} are left."
        )
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
