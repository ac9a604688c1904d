"""Whether it is known of a door that it was not used: where the records of a trail would have a use."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from twokeys.answers.model import Answers, KeyPlace, Step
from twokeys.audit.coverage import Covered, Period
from twokeys.audit.record import BY_PROVIDER, Use
from twokeys.audit.trail import Trail
from twokeys.audit.who_called import who_began
from twokeys.doors import Who
from twokeys.shown import in_utc

_OF_IAM = frozenset({"us-east-1", "us-gov-west-1", "cn-north-1"})
"""Where IAM's calls are recorded, of each partition."""
_LATE = timedelta(hours=2)
"""How long after an event its digest may come, of one that is delivered each hour: validate-logs looks as far, too.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""

_MAKING = timedelta(hours=1)
"""How long after CreateAccount, which answers before the account is there, a stack has it."""


@dataclass(frozen=True)
class Records:
    """Where the records of a trail would have a use, from `start` to `end`; `asked` are those that people named."""

    answers: Answers
    trail: Trail
    start: datetime
    end: datetime
    asked: tuple[datetime | None, datetime | None] = (None, None)
    _covered: dict[tuple[str, datetime], Covered] = field(default_factory=dict)

    @cached_property
    def stops(self) -> list[tuple[Use, datetime | None]]:
        """The trails that were stopped, each until when."""
        return [*self.trail.stops()]

    @cached_property
    def alters(self) -> list[Use]:
        """The calls that changed what a trail logs."""
        return [*self.trail.alters()]

    @cached_property
    def management(self) -> set[str]:
        """The account that AWS's own access roles trust: its trail may be that of all."""
        return {way.steps[-1].source.who.account for way in self.answers.ways if way.by_access_role}

    def covered(self, account: str, start: datetime) -> Covered:
        """What is covered of an account from `start` on: the same for each of its doors."""
        if (account, start) not in self._covered:
            stopped = [
                ((use.time, until or self.end), self._stop(use, until)) for use, until in self._stops(account, start)
            ]
            home, period = self._home(account), Period(start, self.end, self._due(start))
            found = self.trail.coverage.covered(account, home, period, self._changed(account), stopped)
            self._covered[account, start] = found
        return self._covered[account, start]

    def _due(self, start: datetime) -> tuple[datetime, datetime]:
        """From when to when there is a digest of each hour, if none lacks: the first record that was given may be older
        than the first digest, and the digest of the last is still to come, as is that of the last hour till now.
        """
        exact = start > self.start or self.asked[0] is not None
        late = min(_LATE, self.end - start)
        first = start if exact else start + late
        last = self.end if self.asked[1] is not None else self.end - late
        return first, max(first, min(last, datetime.now(UTC) - _LATE))

    def _stop(self, use: Use, until: datetime | None) -> str:
        who, end = who_began(use, self.answers), f"to {in_utc(until)}" if until else "on"
        return f"from {in_utc(use.time)} {end}, as {who} called {use.event}"

    def _stops(self, account: str, start: datetime) -> Iterator[tuple[Use, datetime | None]]:
        for use, until in self.stops:
            if use.account in self._owners(account) and use.time <= self.end and (until is None or until > start):
                yield use, until

    def _home(self, account: str) -> set[str]:
        own = self.answers.accounts.get(account)
        regions = {one.region for one in self.answers.accounts.values() if one.region}
        return {own.region} if own and own.region else regions

    def _changed(self, account: str) -> datetime | None:
        owners = self._owners(account)
        changes = (use.time for use in self.alters if use.time <= self.end and use.account in owners)
        return max(changes, default=None)

    def _owners(self, account: str) -> set[str]:
        """Whose trails the records of an account are of: of the organization's alone, where that delivered them all."""
        recorded = self.trail.coverage.accounts.get(account)
        own = recorded is None or recorded.own_files or not recorded.files
        return self.management | ({account} if own or not self.management else set())

    def about(self, door: Step) -> tuple[str, tuple[datetime, datetime] | None, bool]:
        """Why it is not known whether a door was used, and else of which period it is, and whether without digests.

        Both accounts record a call of AssumeRole, the caller's alone one of AssumeRoot, and the role's alone one by an
        identity provider. What is older than the door's keys does not count: before they were made, or changed, nothing
        may have let anybody in.
        """
        source, target = door.source, door.target
        if target.who.kind == "root-user":
            places = [source]
        else:
            places = [target] if source.who.kind in BY_PROVIDER else [target, source]
        accounts = {one.who.account: one.place for one in places if one.who.account}
        hidden = {source.who.account, target.who.account, ""} & set(self.trail.hidden)
        if hidden:
            return f"it may be in {self.trail.hidden[min(hidden)]}", None, False
        since = door.since
        start = max(self.start, since.last) if since.last and since.last <= self.end else self.start
        found = [(place, self.covered(account, start)) for account, place in accounts.items()]
        if covering := [one for _, one in found if one.lacks is None]:
            if not (since.first and since.first > self.end) and (unsure := self._unsure(door)):
                return unsure, None, False
            return "", (start, self.end), all(one.without_digests for one in covering)
        ours = {places[0].place, *(self.answers.account_name(one) for one in self.answers.shown)}
        each = (f"{place} is not covered" for place, _ in found if place in ours)
        return "; ".join(each) or "no account has records of it", None, False

    def _unsure(self, door: Step) -> str:
        """Which key may be newer than the period, in words; empty where none may be."""
        for key in door.keys:
            if key.since and key.since.last is None:
                return f"nothing dates {key.document}, nor are the records of changes whole until it was read"
            if key.since and key.since.last and key.since.last > self.end:
                return f"{key.document} was changed after the period"
        return ""

    def whole(self, key: KeyPlace) -> bool:
        """Whether each change of a key is among the records, up to when it was read.

        IAM's calls are recorded in one region of each partition, those of Identity Center in its own.
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-create-and-update-a-trail-by-using-the-aws-cli-update-trail.html
        """
        read = [moment for one in self.answers.evidence if (moment := one.moment)]
        account, kind, *_ = key.held
        covered = self.covered(account, self.start)
        there = not self.trail.coverage.only if kind == "set" else not _OF_IAM.isdisjoint(covered.regions)
        return covered.lacks is None and there and all(moment - self.end <= _LATE for moment in read)

    def accounts(self, ends: Iterable[tuple[Who, Who]]) -> Iterable[Covered]:
        """What there is of each account that is asked for, and of those that the ends lead from: of each kind first
        those through which most ways lead.

        Nobody has the records of a third party's account; those of the role's account have each entry from there.
        """
        theirs = {way.source.who.account for way in self.answers.ways if way.third_party}
        accounts = {*self.answers.accounts, *({source.account for source, _ in ends} - theirs)} - {""}
        leads = Counter(
            end for way in self.answers.ways for end in {way.account, *(x.source.who.account for x in way.steps)}
        )
        names = self.answers.names
        for account in sorted(
            accounts, key=lambda one: (one not in self.answers.accounts, -leads[one], names.get(one, one))
        ):
            yield self.covered(account, self._made(account))

    def _made(self, account: str) -> datetime:
        """From when on there may be records of an account: a stack made it in the period, by CreateAccount."""
        calls = [one.use.time for one in self.trail.changes.values() if one.use.event == "CreateAccount"]
        trusts = (way.steps[-1].trust for way in self.answers.ways if way.by_access_role and way.account == account)
        times = (one.since.first for one in trusts if one and one.since and one.since.first)
        made = (time for time in times if any(timedelta() <= time - call <= _MAKING for call in calls))
        return max(self.start, min(made, default=self.start))
