"""Of which accounts, days and regions there are records: where a use would be among them, and where nothing tells.

An account is covered from one day to another where CloudTrail's own log files hold a management event of each day, or
digests go through the day, in each region that counts: us-east-1, where calls of the global endpoint of STS are
recorded, and the region that the account's stack works in. One of the events has to be a read event, as AssumeRole is.
CloudTrail delivers a digest each hour, also of a region in which nothing happened: between two of them none may lack.
Records from elsewhere, as from lookup-events, may be a selection: they cover nothing.
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (calls of a regional endpoint are recorded
in its region),
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
(`managementEvent`, `eventCategory`, `readOnly`) and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html (digests)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise

from twokeys.iam.arn import DEFAULT_PARTITION, partition_of_region
from twokeys.shown import counted

_GLOBAL = {DEFAULT_PARTITION: "us-east-1"}
"""The region that calls of the global endpoint of STS are recorded in; other partitions have no such endpoint."""
_FIRST = date(2013, 1, 1).toordinal()
"""The day of bit 0: CloudTrail began in that year."""
_BEGINNING, _END = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))
_Span = tuple[datetime, datetime]
_FILE = re.compile(r"(\d{12})_CloudTrail(?:-Digest)?_([a-z]+(?:-[a-z]+)+-\d+)_(?:.+_)?(\d{8})T\d{4,6}Z")
"""The name of a log file or a digest.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""


@dataclass
class Recorded:
    """What there is of one account: records, log files, and of each region the days that are covered, a bit for each.

    `reads` are the days with read events, `digests` the periods of digests. `missing` counts the log files that a
    digest lists and that were not given; `lost` are their days.
    """

    records: int = 0
    files: int = 0
    first: datetime | None = None
    last: datetime | None = None
    days: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    digests: dict[str, list[_Span]] = field(default_factory=lambda: defaultdict(list))
    missing: int = 0
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def regions(self) -> list[str]:
        """Those that something covers."""
        return sorted({*self.days, *self.digests})

    def spans(self, region: str) -> list[_Span]:
        """The periods of digests in order of time, those that follow each other as one."""
        merged: list[_Span] = []
        for start, end in sorted(self.digests.get(region, ())):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        if merged:
            self.digests[region] = merged
        return merged

    def whole(self, region: str, start: datetime = _BEGINNING, end: datetime = _END) -> int:
        """The days that are covered in the region and lack no file, a bit each; `start` and `end` cut days short."""
        days = self.days.get(region, 0)
        for first, last in self.spans(region):
            low = _bit(max(first, start)) + (first > start and first.time() != _BEGINNING.time())
            high = _bit(end) if last >= end else _bit(last) - 1
            days |= (1 << (high + 1)) - (1 << low) if high >= low else 0
        return days & ~self.lost.get(region, 0)


@dataclass
class Coverage:
    """What there is of each account, by id."""

    accounts: dict[str, Recorded] = field(default_factory=lambda: defaultdict(Recorded))

    def saw(self, account: str, region: str, time: datetime, *, covers: bool, read: bool) -> None:
        """Take one record: whether it is a management event of a log file of CloudTrail, and a read event."""
        one = self.accounts[account]
        one.records += 1
        one.first, one.last = min(one.first or time, time), max(one.last or time, time)
        if covers:
            one.days[region] |= 1 << _bit(time)
            one.reads[region] |= read << _bit(time)

    def file(self, name: str) -> None:
        """Take the name of a file that was read; one that CloudTrail did not name says nothing."""
        if is_log(name) and (found := _named(name)):
            self.accounts[found[0]].files += 1

    def digest(self, name: str, start: datetime, end: datetime) -> None:
        """Take the name of a digest, and its period; one that CloudTrail did not name says nothing."""
        if found := _named(name):
            self.accounts[found[0]].digests[found[1]].append((start, end))

    def lacks(self, name: str) -> None:
        """Take the name of a log file that a digest lists and that was not given."""
        if found := _named(name):
            account, region, day = found
            self.accounts[account].missing += 1
            self.accounts[account].lost[region] |= day

    def asked(self, account: str, region: str, start: datetime, end: datetime) -> None:
        """Take that all of a region and a period was asked for."""
        for days in (self.accounts[account].days, self.accounts[account].reads):
            days[region] |= _mask(start, end)

    def gap(
        self, account: str, home: Collection[str], start: datetime, end: datetime, changed: datetime | None = None
    ) -> str | None:
        """Where and when an account is not covered, as "in us-east-1 before 2026-10-28"; None where it is covered.

        It is empty for an account without records. `home` are the regions that its stack works in.
        `changed` is when a trail was last changed: a read event of a later day has to show that it still logs them.
        """
        one = self.accounts.get(account)
        if one is None or not one.regions:
            return "by log files with management events" if one and one.records else ""
        return next(
            filter(None, (_lack(one, region, start, end, changed) for region in needed(home, one.regions))), None
        )

    def lacking(
        self,
        account: str,
        home: Collection[str],
        period: _Span,
        changed: datetime | None = None,
        stopped: Collection[_Span] = (),
    ) -> dict[str, list[date]]:
        """Of each region that counts all days that are not covered, as `gap` judges them and as trails were stopped."""
        (start, end), one = period, self.accounts.get(account, Recorded())
        found = {}
        for region in needed(home, one.regions) or sorted(_GLOBAL.values()):
            days, mask = one.whole(region, start, end), _mask(start, end)
            for first, last in (*_holes(one, region, start, end), *stopped):
                days &= ~_mask(max(first, start), min(last, end))
            reads = one.reads.get(region, 0) & mask
            if not reads >> (_bit(changed) + 1 if changed else 0):
                days &= (1 << _bit(changed)) - 1 if changed and reads else 0
            missing = mask & ~days
            every = range(_bit(start), _bit(end) + 1)
            found[region] = [_day(bit) for bit in every if missing >> bit & 1]
        return {region: days for region, days in found.items() if days}


def is_log(name: str) -> bool:
    """Whether CloudTrail names its log files so."""
    found = _FILE.match(name)
    return found is not None and "_CloudTrail_" in found.group()


def needed(home: Collection[str], seen: Collection[str]) -> list[str]:
    """The regions that count: that of the global endpoint, and those of the stack; in another partition, else, all."""
    partitions = {partition_of_region(region) for region in home or seen}
    return sorted({*home, *(_GLOBAL[one] for one in partitions if one in _GLOBAL)} or set(seen))


def _lack(one: Recorded, region: str, start: datetime, end: datetime, changed: datetime | None) -> str | None:
    if holes := _holes(one, region, start, end):
        (first, last), more = holes[0], len(holes) - 1
        others = f" ({counted(more, 'more such gap')})" if more else ""
        return (
            f"in {region} from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC{others}, of which there is no digest"
        )
    days, mask = one.whole(region, start, end), _mask(start, end)
    missing, there = mask & ~days, mask & days
    if not missing:
        reads = one.reads.get(region, 0) & mask
        after = (reads >> (_bit(changed) + 1)) if changed else reads
        since = f" since it was changed on {changed:%Y-%m-%d}" if changed and reads else ""
        return None if after else f"in {region}, as nothing shows that its trail logs read events{since}"
    if not there:
        return f"in {region}" + (f" from {start:%Y-%m-%d} to {end:%Y-%m-%d}" if days else "")
    return f"in {region} {' and '.join(_lacks(missing, there))}"


def _holes(one: Recorded, region: str, start: datetime, end: datetime) -> list[_Span]:
    """The periods between two digests of which there is none."""
    between = pairwise(one.spans(region))
    holes = [(max(end_of, start), min(begin, end)) for (_, end_of), (begin, _) in between]
    return [(first, last) for first, last in holes if first < last]


def _lacks(missing: int, there: int) -> Iterator[str]:
    lowest, highest = (there & -there).bit_length() - 1, there.bit_length() - 1
    if missing & ((1 << lowest) - 1):
        yield f"before {_day(lowest)}"
    inside = missing & ((1 << highest) - 1) & ~((1 << lowest) - 1)
    if inside:
        more = inside.bit_count() - 1
        yield f"on {_day((inside & -inside).bit_length() - 1)}" + (
            f" ({counted(more, 'more such day')})" if more else ""
        )
    if missing >> highest:
        yield f"after {_day(highest)}"


def _named(name: str) -> tuple[str, str, int] | None:
    """The account, the region and the day's bit that a file is named after."""
    found = _FILE.match(name)
    try:
        return (found.group(1), found.group(2), 1 << _bit(date.fromisoformat(found.group(3)))) if found else None
    except ValueError:
        return None


def _bit(time: date) -> int:
    return max(time.toordinal() - _FIRST, 0)


def _day(bit: int) -> date:
    return date.fromordinal(bit + _FIRST)


def _mask(start: datetime, end: datetime) -> int:
    """A bit for each day from the first to the last."""
    return (1 << (_bit(end) + 1)) - (1 << _bit(start))
