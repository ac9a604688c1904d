"""Of which accounts, days and regions there are records: where a use would be among them, and where nothing tells.

An account is covered from one day to another where each of these days has a record, a log file or a digest of it in
each region that counts: us-east-1, where calls of the global endpoint of STS are recorded, and the region that the
account's stack works in. CloudTrail delivers a digest each hour, also of a region in which nothing happened.
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (calls of a regional endpoint are recorded
in its region) and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html (digests)
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

from twokeys.iam.arn import DEFAULT_PARTITION, partition_of_region
from twokeys.shown import counted

_GLOBAL = {DEFAULT_PARTITION: "us-east-1"}
"""The region that calls of the global endpoint of STS are recorded in; other partitions have no such endpoint."""
_FIRST = date(2013, 1, 1).toordinal()
"""The day of bit 0: CloudTrail began in that year."""
_FILE = re.compile(r"(\d{12})_CloudTrail(?:-Digest)?_([a-z]+(?:-[a-z]+)+-\d+)_(?:.+_)?(\d{8})T\d{4,6}Z")
"""The name of a log file or a digest.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""


@dataclass
class Recorded:
    """What there is of one account: records, log files, and the days of each region, a bit for each.

    `missing` counts the log files that a digest lists and that were not given; `lost` are their days.
    """

    records: int = 0
    files: int = 0
    first: datetime | None = None
    last: datetime | None = None
    days: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    missing: int = 0
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def whole(self, region: str) -> int:
        """The days that have something of the region and lack no file, a bit for each."""
        return self.days.get(region, 0) & ~self.lost.get(region, 0)


@dataclass
class Coverage:
    """What there is of each account, by id."""

    accounts: dict[str, Recorded] = field(default_factory=lambda: defaultdict(Recorded))

    def saw(self, account: str, region: str, time: datetime) -> None:
        """Take one record."""
        one = self.accounts[account]
        one.records += 1
        one.first, one.last = min(one.first or time, time), max(one.last or time, time)
        one.days[region] |= 1 << _bit(time)

    def file(self, name: str) -> None:
        """Take the name of a file that was read; one that CloudTrail did not name says nothing."""
        if found := _named(name):
            account, region, day = found
            self.accounts[account].files += "_CloudTrail_" in name
            self.accounts[account].days[region] |= day

    def lacks(self, name: str) -> None:
        """Take the name of a log file that a digest lists and that was not given."""
        if found := _named(name):
            account, region, day = found
            self.accounts[account].missing += 1
            self.accounts[account].lost[region] |= day

    def asked(self, account: str, region: str, start: datetime, end: datetime) -> None:
        """Take that all of a region and a period was asked for."""
        self.accounts[account].days[region] |= _mask(start, end)

    def gap(self, account: str, home: Collection[str], start: datetime, end: datetime) -> str | None:
        """Where and when records of an account lack, as "in us-east-1 before 2026-10-28"; None where it is covered.

        It is empty for an account without any. `home` are the regions that its stack works in.
        """
        one = self.accounts.get(account)
        if one is None or not one.days:
            return ""
        return next(filter(None, (_lack(one, region, start, end) for region in needed(home, one.days))), None)


def needed(home: Collection[str], seen: Collection[str]) -> list[str]:
    """The regions that count: that of the global endpoint, and those of the stack; in another partition, else, all."""
    partitions = {partition_of_region(region) for region in home or seen}
    return sorted({*home, *(_GLOBAL[one] for one in partitions if one in _GLOBAL)} or set(seen))


def _lack(one: Recorded, region: str, start: datetime, end: datetime) -> str | None:
    days, mask = one.whole(region), _mask(start, end)
    missing, there = mask & ~days, mask & days
    if not missing:
        return None
    if not there:
        return f"in {region}" + (f" from {start:%Y-%m-%d} to {end:%Y-%m-%d}" if days else "")
    return f"in {region} {' and '.join(_lacks(missing, there))}"


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
