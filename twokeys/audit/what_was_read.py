"""What was read of CloudTrail and what lacks, in words."""

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import chain

from twokeys.answers.model import Answers
from twokeys.answers.summary import SHA256
from twokeys.answers.words import duration
from twokeys.audit.coverage import Covered, WasRead, spans
from twokeys.audit.logs import DIGEST, Source
from twokeys.audit.words import FEW, MANY
from twokeys.shown import counted, in_utc, listed

_NOTHING = "not covered: nothing that was given is of this account"


def not_as_digest(was_read: WasRead) -> str:
    """How many files are not as their digests say; empty where none is."""
    count = len(was_read.not_as_digest)
    verb, whose = ("is", "its digest says") if count == 1 else ("are", "their digests say")
    return f"{counted(count, 'file')} {verb} not as {whose}" if count else ""


def gaps(answers: Answers, was_read: WasRead) -> str:
    """Which accounts are not covered, and what follows; empty where all are."""
    alike: dict[str, list[str]] = defaultdict(list)
    for one in was_read.accounts:
        if one.lacks is not None:
            alike[f"{_of_regions(one)}{_how_long(one)}"].append(answers.account_name(one.account))
    lost = [f"{listed(names, most=MANY)} ({when})" for when, names in alike.items()]
    return f"not covered: {listed(lost, most=MANY)}: entries and changes of keys there are not known" if lost else ""


def covering(answers: Answers, was_read: WasRead) -> str:
    """Which accounts are covered on each day, which are not, and of which log files alone tell."""
    whole: dict[int, list[str]] = defaultdict(list)
    for one in was_read.accounts:
        if one.lacks is None:
            whole[len(one.regions)].append(answers.account_name(one.account))
    there = "; ".join(
        f"{listed(places, most=FEW)} ({counted(count, 'region')})" for count, places in sorted(whole.items())
    )
    said = f"covered each day: {there}" if there else ""
    return "; ".join(filter(None, (said, gaps(answers, was_read), without_digests(answers, was_read))))


def _how_long(one: Covered) -> str:
    """For how long it is not covered, and when: less than a day, where that is known, in hours and minutes."""
    lasts = sum((last - first for first, last in one.spans), timedelta())
    if not one.spans or lasts >= timedelta(days=1):
        lost = sorted({*chain.from_iterable(one.days.values())})
        return ": ".join(filter(None, (counted(one.lost, "day"), listed([*spans(lost)], most=FEW))))
    return f"{duration(-(-lasts // timedelta(minutes=1)) * 60)} from {in_utc(one.spans[0][0])}"


def _of_regions(one: Covered) -> str:
    lack = sum(map(bool, one.missing.values()))
    return f"{lack} of {counted(len(one.regions), 'region')}, " if lack < len(one.regions) else ""


def without_digests(answers: Answers, was_read: WasRead) -> str:
    """Of which accounts log files alone tell, and what follows; empty where digests were given of all."""
    places = [
        answers.account_name(one.account)
        + (f" ({listed(one.without_digests, most=FEW)})" if len(one.without_digests) < len(one.regions) else "")
        for one in was_read.accounts
        if one.without_digests
    ]
    trails = {trail: count for source in was_read.sources for trail, count in source.without_digests.items()}
    places += [f"the trail in {trail} ({counted(count, 'log file')})" for trail, count in trails.items()]
    return f"no digests of {listed(places, most=FEW)}: a log file that is missing would not show" if places else ""


def not_readable(was_read: WasRead) -> list[str]:
    """The files and records that cannot be read, or are not as CloudTrail wrote them, each in a sentence."""
    files = [f"{file}: {why}" for file, why in was_read.not_readable.items()]
    records = [f"{one}; what happened is not known: copy its file again" for one in was_read.unreadable]
    changed = "not as its digest says: {}: what CloudTrail wrote in it is not known: copy it again"
    more = "in no digest given: {}: nothing shows that CloudTrail wrote it: give all digests, or leave it out"
    said = [*map(changed.format, was_read.not_as_digest), *map(more.format, was_read.in_no_digest)]
    return [*said, *(f"not readable: {one}" for one in (*files, *records))]


def days(one: Covered) -> list[tuple[str, str]]:
    """All days of an account that are not covered, "us-east-1, us-east-2" with "2026-09-01 to 2026-09-07"."""
    alike: dict[str, list[str]] = defaultdict(list)
    for region, found in one.days.items():
        alike[", ".join(spans(found))].append(region)
    every = f"each of {counted(len(one.regions), 'region')}"
    few = max(FEW, len(one.regions) - 1)
    return [(", ".join(own) if len(own) <= few else every, spans) for spans, own in alike.items()]


def coverage(answers: Answers, was_read: WasRead, named: Callable[[Sequence[str]], str]) -> list[tuple[str, list[str]]]:
    """What there is of each account and all days that are not covered, in words; once for those that are alike."""
    alike: dict[tuple[str, ...], list[Covered]] = defaultdict(list)
    for one in was_read.accounts:
        alike[_days_of(one), *map(": ".join, days(one))].append(one)
    return [
        (f"{named([answers.account_name(one.account) for one in same])}: {covered(*same)}", lacking)
        for (_, *lacking), same in alike.items()
    ]


def covered(*same: Covered) -> str:
    """What there is of an account, or of several that lack the same, and what lacks, in words."""
    there = [one.recorded for one in same]
    records, files, elsewhere = (sum(getattr(one, what) for one in there) for what in ("records", "files", "elsewhere"))
    said = [f"{counted(records, 'record')} in {counted(files, 'file')}"] if files else []
    others = counted(elsewhere, "record") + (" from elsewhere, which may be the same" if files else "")
    first, last = ([getattr(one, what) for one in there if one.first] for what in ("first", "last"))
    parts = (
        " and ".join([*said, *([others] if elsewhere or not said else [])]),
        f"{min(first):%Y-%m-%d %H:%M} to {max(last):%Y-%m-%d %H:%M} UTC" if first else "",
    )
    days = _days_of(same[0])
    return days if days == _NOTHING else ", ".join(filter(None, (*parts, days)))


def _days_of(one: Covered) -> str:
    """Which days there are of an account, and what lacks, in words."""
    if one.lacks == "" and not (one.recorded.oldest or one.not_given):
        return _NOTHING
    whole: dict[int, list[str]] = defaultdict(list)
    for region, number in one.there.items():
        whole[number].append(region or "no region")
    days = (
        f"{number} of {counted(one.total, 'day')} in "
        f"{listed(regions) if len(regions) <= FEW else counted(len(regions), 'region')}"
        for number, regions in sorted(whole.items(), reverse=True)
    )
    by_what = "with digests of all of it" if one.recorded.digests else ""
    by_what = "of each day something was read" if one.without_digests else by_what
    not_given = [file.rpartition("/")[2] for file in one.not_given]
    parts = (
        *days,
        f"{counted(len(one.not_given), 'log file')} that digests list not given ({listed(not_given, most=FEW)})"
        if one.not_given
        else "",
        f"not covered {one.lacks}".rstrip() if one.lacks is not None else by_what,
    )
    return ", ".join(filter(None, parts))


def read_from(one: Source, digits: int) -> str:
    """What was read of a source, in words, with so many digits of its sha256."""
    passed = Counter({what: count for what, count in one.passed_over.items() if not one.held or what != DIGEST})
    others = [f"{count} of {service}" for service, count in sorted(passed.items())]
    names = listed([os.path.relpath(file, one.name) for file in one.no_logs], most=FEW if digits < SHA256 else MANY)
    others += [f"{len(one.no_logs)} that {'is' if len(one.no_logs) == 1 else 'are'} no log ({names})"] if names else []
    span = f"events from {one.start:%Y-%m-%d %H:%M:%S} to {one.end:%Y-%m-%d %H:%M:%S} UTC" if one.start else "no events"
    parts = (
        f"sha256 {one.sha256[:digits]}" if one.sha256 else "",
        f"asked as {one.caller}" if one.caller else f"{counted(one.read, 'file')} read",
        f"{passed.total() + len(one.no_logs)} passed over: {', '.join(others)}" if others else "",
        f"{len(one.not_readable)} not readable or not whole" if one.not_readable else "",
        f"{counted(one.held, 'file')} held against digests, {len(one.not_as_digest) or 'none'} not as they say"
        if one.held
        else "",
        span,
    )
    return ", ".join(filter(None, parts))
