"""Of which accounts, days and regions there are records: where a use would be among them, and where nothing tells.

A call is recorded in the region of the STS endpoint that was called, and one of the global endpoint in us-east-1, also
where another region has served it. Every region that is enabled has such an endpoint, so all of them count: those that
AWS enables by default, and of the others those that the account has records of or its stack works in. People may name
those that count instead, as of an account that has deactivated the endpoints of the others for its roles.
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html (calls of a regional endpoint),
https://aws.amazon.com/blogs/security/announcing-upcoming-changes-to-the-aws-security-token-service-global-endpoint and
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html (deactivated endpoints)

An account is covered from one day to another where, in each region that counts, CloudTrail's own log files hold a
management event of each day, or digests go through the day. One of the events has to be a read event, as AssumeRole is.
CloudTrail delivers a digest each hour, also of a region in which nothing happened: where there is one in a region, none
may lack from the period's first hour to its last, and a trail of all regions has them in each.
Records from elsewhere, as from lookup-events, may be a selection: they cover nothing.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
(`managementEvent`, `eventCategory`, `readOnly`) and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html (digests)
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import chain, groupby
from operator import or_
from typing import NamedTuple

from twokeys.audit.logs import Source
from twokeys.iam.arn import DEFAULT_PARTITION, partition_of_region
from twokeys.shown import counted, listed

ENABLED = {
    DEFAULT_PARTITION: (  # noqa: SIM905 - as a list it is twenty lines
        "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 "
        "eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2"
    ).split(),
    "aws-cn": ["cn-north-1", "cn-northwest-1"],
    "aws-us-gov": ["us-gov-east-1", "us-gov-west-1"],
}
"""The regions that every account of a partition has: no newer one is enabled by default.

https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
"""
_FIRST = date(2013, 1, 1).toordinal()
"""The day of bit 0: CloudTrail began in that year."""
_BEGINNING, _END = (moment.replace(tzinfo=UTC) for moment in (datetime.min, datetime.max))
_FEW = 2
"""How many of the regions that lack the same are named."""
_HOUR = timedelta(hours=1)
_DELIVERED = timedelta(minutes=15)
"""How long after the time in its name a log file is delivered at most, but for delays: AWS's example has events of
seven minutes after it. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
"""
_Span = tuple[datetime, datetime]
_FILE = re.compile(r"(\d{12})_CloudTrail(?:-Digest)?_([a-z]+(?:-[a-z]+)+-\d+)_(?:(.+)_)?(20\d{6}T\d{4,6}Z)")
"""The name of a log file or a digest, that with the trail's name and home region.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html and
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""


@dataclass
class Recorded:
    """What there is of one account: records of log files of the period that is asked of, each file once, in how many,
    and in how many of those that no organization's trail delivered; how many are from elsewhere, perhaps the same; from
    the `first` to the `last`; and of each region the days that are covered, a bit for each.

    `oldest` is the time of the first record of all. `reads` are the days with read events, `digests` the periods of
    digests, `trails` those that they are of. `missing` are the log files that a digest lists and that were not given,
    with the times in their names; `lost` their days.
    """

    records: int = 0
    files: int = 0
    own_files: int = 0
    elsewhere: int = 0
    oldest: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    days: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    reads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    digests: dict[str, list[_Span]] = field(default_factory=lambda: defaultdict(list))
    trails: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    missing: dict[str, datetime] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def regions(self) -> list[str]:
        """Those that something covers."""
        return sorted({*self.days, *self.digests})

    def spans(self, region: str) -> list[_Span]:
        """The periods of digests in order of time, those that follow each other as one."""
        merged = _merged(self.digests.get(region, ()))
        if merged:
            self.digests[region] = merged
        return merged

    @property
    def digests_everywhere(self) -> bool:
        """Whether a trail that is of all regions has digests: one of another region than its home, which is named last.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
        """
        return any(not trail.endswith(f"_{region}") for region, trails in self.trails.items() for trail in trails)

    def whole(self, region: str, start: datetime, end: datetime) -> int:
        """The days that are covered in the region and lack no file, a bit each; `start` and `end` cut days short."""
        days = self.days.get(region, 0)
        for first, last in self.spans(region):
            low = _bit(max(first, start)) + (first > start and first.time() != _BEGINNING.time())
            high = _bit(end) if last >= end else _bit(last) - 1
            days |= (1 << (high + 1)) - (1 << low) if high >= low else 0
        return days & ~self.lost.get(region, 0)

    def read(self, region: str) -> int:
        """The days with read events that show that the region's trails log them: a trail logs the same in all of its.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-multi-region-trails.html
        """
        own = self.trails.get(region, set())
        alike = (other for other, trails in self.trails.items() if trails <= own)
        return reduce(or_, (self.reads.get(one, 0) for one in {region, *alike}))


@dataclass(frozen=True, slots=True)
class Covered:
    """What there is of an account, and what is not covered of it in a period.

    `regions` are those that count; `missing` the days of each that are not covered, a bit each. `lacks` says them in
    words, as "in us-east-1 before 2026-10-28", of the first regions that tell why and lack the same; it is empty for an
    account without records, and None for one that is covered. `without_digests` are the regions of which there are log
    files alone, in which a gap within a day does not show. `not_given` are the log files of the period that digests
    list. `total` is how many days the period has, and `spans` when it is not covered, where a trail that was stopped
    alone tells from when to when.
    """

    account: str
    recorded: Recorded
    regions: tuple[str, ...]
    missing: dict[str, int]
    lacks: str | None
    without_digests: tuple[str, ...]
    not_given: tuple[str, ...]
    total: int = 0
    spans: tuple[_Span, ...] = ()

    @property
    def there(self) -> dict[str, int]:
        """How many days of the period are covered, of each region that has any."""
        days = {region: self.total - self.missing.get(region, 0).bit_count() for region in self.regions}
        return {region: count for region, count in days.items() if count}

    @property
    def days(self) -> dict[str, list[date]]:
        """All days that are not covered."""
        return {region: [*_days(missing)] for region, missing in self.missing.items()}

    @property
    def lost(self) -> int:
        """How many days are not covered, each in one region at least."""
        return reduce(or_, self.missing.values(), 0).bit_count()


class Period(NamedTuple):
    """What is asked of: log files from `start` to `end`, digests through `due`, a part of it (default: all of it)."""

    start: datetime
    end: datetime
    due: _Span | None = None


@dataclass
class Coverage:
    """What there is of each account, by id; `only` are the regions that count, where people named them."""

    only: tuple[str, ...] = ()
    accounts: dict[str, Recorded] = field(default_factory=lambda: defaultdict(Recorded))
    counted: int = 0
    """How many records count."""

    def saw(  # noqa: PLR0913 - what there is to know of a record
        self,
        account: str,
        region: str,
        time: datetime,
        *,
        covers: bool,
        read: bool,
        delivered: bool = True,
        counts: bool = True,
    ) -> None:
        """Take one record: whether it is a management event of a log file of CloudTrail, and a read event; whether it
        is of such a file at all; whether it is of the period that is asked of, and of no copy of a file.
        """
        one = self.accounts[account]
        one.oldest = min(one.oldest or time, time)
        if counts:
            self.counted += 1
            one.records += delivered
            one.elsewhere += not delivered
            one.first, one.last = min(one.first or time, time), max(one.last or time, time)
        if covers:
            one.days[region] |= 1 << _bit(time)
            one.reads[region] |= read << _bit(time)

    def file(self, name: str, *, own: bool = True) -> None:
        """Take the name of a file that has records of the period, and whether a trail of the account's own may have
        delivered it; one that CloudTrail did not name says nothing.
        """
        if is_log(name) and (found := _named(name)):
            self.accounts[found[0]].files += 1
            self.accounts[found[0]].own_files += own

    def digest(self, name: str, start: datetime, end: datetime) -> None:
        """Take the name of a digest, and its period; one that CloudTrail did not name says nothing.

        A backfill digest lists what came late of an hour, and does not stand for that hour's own.
        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
        """
        if (found := _named(name)) and "_backfill." not in name:
            account, region, trail, _ = found
            spans = self.accounts[account].digests[region]
            if spans and spans[-1][0] <= start <= spans[-1][1]:  # as read in order: each follows the one before
                spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
            else:
                spans.append((start, end))
            self.accounts[account].trails[region].add(trail)

    def not_given(self, name: str, where: str) -> None:
        """Take the name of a log file that a digest lists and that was not given, and where in S3 it is.

        A digest is missed as a gap.
        """
        if is_log(name) and (found := _named(name)):
            self.not_as_digest(name)
            self.accounts[found[0]].missing[where] = found[3]

    def not_as_digest(self, name: str) -> None:
        """Take the name of a log file, or of an hour's digest, that is not as a digest says: what was in it is not
        known.
        """
        if found := _named(name):
            account, region, trail, time = found
            since, until = (time - _HOUR, time - timedelta.resolution) if trail else (time, time)
            self.accounts[account].lost[region] |= _mask(since, until)

    def digested(self, name: str) -> bool:
        """Whether digests were given of the time in which a log file of this name was delivered."""
        account, region, _, time = _named(name) or ("", "", "", _END)
        spans = self.accounts[account].spans(region) if is_log(name) else ()
        return any(first <= time and last - time >= _DELIVERED for first, last in spans)

    def asked(self, account: str, region: str, start: datetime, end: datetime) -> None:
        """Take that all of a region and a period was asked for."""
        for days in (self.accounts[account].days, self.accounts[account].reads):
            days[region] |= _mask(start, end)

    def regions(self, account: str, home: Collection[str]) -> list[str]:
        """The regions that count for an account, of which `home` are those that its stack works in."""
        seen = self.accounts[account].regions if account in self.accounts else []
        partitions = {partition_of_region(region) for region in (home or seen or [""])}
        default = (region for partition in partitions for region in ENABLED.get(partition, ()))
        return sorted({*(self.only or (*home, *seen, *default))})

    def covered(
        self,
        account: str,
        home: Collection[str],
        period: Period,
        changed: datetime | None = None,
        stopped: Sequence[tuple[_Span, str]] = (),
    ) -> Covered:
        """What there is of an account, and what is not covered of it.

        `changed` is when a trail was last changed: a read event of a later day has to show that it still logs them.
        `stopped` are the periods in which a trail was stopped, in words too.
        """
        one, regions = self.accounts.get(account, Recorded()), self.regions(account, home)
        found = {region: _gap(one, region, period, changed, stopped) for region in regions}
        missing = {region: days for region, (days, _, _) in found.items() if days}
        lacks = _words([(region, found[region][1]) for region in missing]) if missing else None
        if missing and not one.regions:
            lacks = "by log files with management events" if one.oldest else ""
        by_logs = one.days if one.files else ()
        without = tuple(region for region in regions if region in by_logs and not one.digests.get(region))
        within = [where for where, time in one.missing.items() if period.start <= time <= period.end + _DELIVERED]
        total = _mask(period.start, period.end).bit_count()
        spans = [found[region][2] for region in missing]
        cut = [(max(first, period.start), min(last, period.end)) for first, last in chain.from_iterable(spans)]
        merged = tuple(_merged(cut)) if all(spans) else ()
        return Covered(account, one, tuple(regions), missing, lacks, without, tuple(within), total, merged)


def _merged(spans: Iterable[_Span]) -> list[_Span]:
    merged: list[_Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _words(lacks: Sequence[tuple[str, str]]) -> str:
    first = next((why for _, why in lacks if why), "")
    alike = [region for region, why in lacks if why == first]
    others = [region for region, why in lacks if why != first]
    also = f", and also in {_some(others)}" if others else ""
    return f"in {_some(alike)} {first}".rstrip() + also


def _some(regions: Sequence[str]) -> str:
    more = len(regions) - _FEW
    return ", ".join(regions[:_FEW]) + (f" and {counted(more, 'more region')}" if more > 0 else "")


def is_log(name: str) -> bool:
    """Whether CloudTrail names its log files so."""
    return _named(name) is not None and "_CloudTrail_" in name


def is_digest(name: str) -> bool:
    """Whether CloudTrail names its digests so."""
    return _named(name) is not None and "_CloudTrail-Digest_" in name


def _gap(
    one: Recorded, region: str, period: Period, changed: datetime | None, stopped: Sequence[tuple[_Span, str]]
) -> tuple[int, str, list[_Span]]:
    """The days of a region that are not covered, a bit each, why in words, and when a trail stopped if that is all."""
    start, end, due = period.start, period.end, period.due or (period.start, period.end)
    mask, reads = _mask(start, end), one.read(region) & _mask(start, end)
    after = _bit(changed) + 1 if changed else 0
    whole = one.whole(region, *due)
    if one.spans(region):  # of the days before and after no digest is due
        whole |= mask & ~_mask(*due) & ~one.lost.get(region, 0)
    days, why = whole & mask, []
    stopped = sorted(stopped, key=lambda each: each[0][0] - each[0][1]) if whole else ()
    without = _holes(one, region, *due)
    holes = [hole for hole in without if not any(_is_within(hole, span) for span, _ in stopped)]
    if stopped:
        why.append(stopped[0][1] + _more(stopped[1:]))
    lost = _of_spans((span for span, _ in stopped), start, end)
    there = (days | lost) & mask
    if holes:
        first, last = holes[0]
        span = f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
        if (first == due[0]) != (last == due[1]):
            span = f"before {last:%Y-%m-%d %H:%M}" if first == due[0] else f"after {first:%Y-%m-%d %H:%M}"
        why.append(f"{span} UTC{_more(holes[1:])}, of which there is no digest")
    elif days and there != mask:
        why += _when(mask & ~there, there)
    elif days and not reads >> after:
        since = f" since it was changed on {changed:%Y-%m-%d}" if changed and reads else ""
        why.append(f"where nothing shows that its trail logs read events{since}")
    elif whole and not days:
        why.append(f"from {start:%Y-%m-%d} to {end:%Y-%m-%d}")
    lost |= _of_spans(without, start, end)
    days &= ~lost
    if not reads >> after:
        days &= (1 << after >> 1) - 1 if reads else 0
    spans = [span for span, _ in stopped] if not (holes or mask & ~days & ~lost) else []
    return mask & ~days, " and ".join(why), spans


def _more(gaps: Sequence[object]) -> str:
    return f" ({counted(len(gaps), 'more such gap')})" if gaps else ""


def _is_within(hole: _Span, stopped: _Span) -> bool:
    """Whether no digest came as the trail was stopped, those of the hours in which it was left out."""
    return stopped[0] - _HOUR <= hole[0] and hole[1] <= stopped[1] + _HOUR


def _of_spans(spans: Iterable[_Span], start: datetime, end: datetime) -> int:
    """The days of these spans, a bit each; midnight is of the day before."""
    masks = (_mask(max(first, start), min(last, end) - timedelta.resolution) for first, last in spans)
    return reduce(or_, masks, 0)


def _holes(one: Recorded, region: str, start: datetime, end: datetime) -> list[_Span]:
    """The periods before, between and after digests of which there is none, where there is one at all, or has to be."""
    spans = one.spans(region)
    due = spans or (one.days.get(region) and one.digests_everywhere)
    edges = [start, *chain.from_iterable(spans), end] if due else []
    holes = [(max(first, start), min(last, end)) for first, last in zip(edges[::2], edges[1::2], strict=True)]
    return [(first, last) for first, last in holes if first < last]


def _when(missing: int, there: int) -> Iterator[str]:
    lowest, highest = (there & -there).bit_length() - 1, there.bit_length() - 1
    if missing & ((1 << lowest) - 1):
        yield f"before {_day(lowest)}"
    if inside := missing & ((1 << highest) - 1) & ~((1 << lowest) - 1):
        yield f"on {listed([*spans(_days(inside))])}"
    if missing >> highest:
        yield f"after {_day(highest)}"


def _named(name: str) -> tuple[str, str, str, datetime] | None:
    """The account, the region, of a digest the trail, and the time that a file is named after: of a digest its end."""
    found = _FILE.match(name)
    try:
        return (found[1], found[2], found[3] or "", datetime.fromisoformat(found[4])) if found else None
    except ValueError:
        return None


def _bit(time: date) -> int:
    return max(time.toordinal() - _FIRST, 0)


def _day(bit: int) -> date:
    return date.fromordinal(bit + _FIRST)


def _days(bits: int) -> Iterator[date]:
    while bits:
        yield _day((bits & -bits).bit_length() - 1)
        bits &= bits - 1


def spans(days: Iterable[date]) -> Iterator[str]:
    """Days in order, those that follow each other as one."""
    for _, group in groupby(enumerate(days), lambda one: one[1].toordinal() - one[0]):
        first, *more = (f"{day}" for _, day in group)
        yield f"{first} to {more[-1]}" if more else first


def _mask(start: datetime, end: datetime) -> int:
    """A bit for each day from the first to the last."""
    return (1 << (_bit(end) + 1)) - (1 << _bit(start))


@dataclass(frozen=True, slots=True)
class WasRead:
    """What was read for a comparison: from where, what of it is there of each account, and what lacks.

    `unreadable` are records that no one can tell the role or the time of.
    """

    sources: tuple[Source, ...] = ()
    accounts: tuple[Covered, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def not_readable(self) -> dict[str, str]:
        """The files that cannot be read, or are one page of more, and why."""
        return {file: why for source in self.sources for file, why in source.not_readable.items()}

    @property
    def not_as_digest(self) -> list[str]:
        """The log files and digests that are not as digests say."""
        return [file for source in self.sources for file in source.not_as_digest]

    @property
    def in_no_digest(self) -> list[str]:
        """The log files that no digest lists, of times of which there are digests."""
        return [file for source in self.sources for file in source.in_no_digest]

    @property
    def not_covered(self) -> dict[str, int]:
        """The accounts that are not covered, and on how many days: what happened there then is not known."""
        return {one.account: one.lost for one in self.accounts if one.lacks is not None}

    @property
    def whole(self) -> bool:
        """Whether every record of the period was given, as far as anything shows."""
        lacks = self.not_covered or self.unreadable or self.not_readable or self.not_as_digest or self.in_no_digest
        return not lacks
