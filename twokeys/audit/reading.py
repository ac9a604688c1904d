"""A trail from log files: what their records say, and whether they are as the digests among them say."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path

from twokeys.audit import logs
from twokeys.audit.coverage import Coverage, is_digest, is_log
from twokeys.audit.trail import Trail
from twokeys.errors import Refusal

_ONE_PAGE = (
    "it is one page, and its NextToken tells of more events, which are not known: give the other pages too, or what"
    " `aws cloudtrail lookup-events` prints without --max-items and --no-paginate"
)


def read_files(
    paths: Sequence[Path],
    regions: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    progress: Callable[[int, int, int], None],
) -> Trail:
    """The trail of the files, and of those in the folders, that are named.

    `progress` is given after each file how many were read, of how many, and their records.

    Raises:
        Refusal: a folder holds no log file, or a file that is named cannot be read. Of one in a folder its source says
            so, and what it may hold is not known, unless it is whole, no log, and stands where CloudTrail puts none.
    """
    files = {path: logs.log_files(path) for path in paths}
    given: dict[str, list[Path]] = defaultdict(list)
    for file in chain.from_iterable(files.values()):
        given[file.name.removesuffix(".gz")].append(file)
    trail = Trail(since=start, until=end, coverage=Coverage(regions))
    reading, done, total = _Reading(trail, given), 0, sum(map(len, files.values()))
    for path, inside in files.items():
        source, hashes = logs.Source(str(path)), []
        trail.sources.append(source)
        for file in inside:
            try:
                hashes.append(logs.hashed(file))
                reading.read(file, source)
            except Refusal as refused:
                if file == path:
                    raise
                if isinstance(refused, logs.NoLog) and not logs.delivered(file):
                    source.no_logs[str(file)] = refused.why
                else:
                    _not_readable(source, file, refused, "events in it are")
                    trail.hidden.setdefault(logs.account_of(file), f"{file}, which cannot be read")
            done += 1
            progress(done, total, trail.records)
        source.sha256 = logs.hashed_together(hashes) if path.is_dir() else hashes[0]
    in_a_digest = {log for log, _ in reading.held}
    where = {file: logs.delivered_into(file, path) for path, inside in files.items() for file in inside}
    with_digests = {place for file, place in where.items() if file in in_a_digest or is_digest(file.name)}
    for source, inside in zip(trail.sources, files.values(), strict=True):
        for file in inside:
            if not trail.coverage.digested(file.name) or file in in_a_digest or str(file) in source.not_readable:
                continue
            if where[file] in with_digests:
                source.in_no_digest.append(str(file))
            else:
                source.without_digests[where[file]] += 1
    return trail


@dataclass
class _Reading:
    trail: Trail
    given: Mapping[str, Sequence[Path]]
    """The files that were given, by name without `.gz`: digests name them so."""
    held: set[tuple[Path, str]] = field(default_factory=set)
    """Which files were held against which hash."""
    counted: set[str] = field(default_factory=set)
    """The names of the files whose records were counted."""

    def read(self, file: Path, source: logs.Source) -> None:
        service, key = logs.kind(file)
        if service is None:
            by_cloudtrail, name = key == "Records" and is_log(file.name), file.name.removesuffix(".gz")
            copy, before = by_cloudtrail and name in self.counted, self.trail.coverage.counted
            self.counted.add(name)
            for record in logs.records(file, key):
                source.saw(self.trail.add(record, str(file), delivered=by_cloudtrail, copy=copy))
            source.read += 1
            if self.trail.coverage.counted > before:
                self.trail.coverage.file(file.name, own=not logs.by_organization(file))
            if key == logs.EVENTS and logs.goes_on(file):
                source.not_readable[str(file)] = _ONE_PAGE
        elif service == logs.DIGEST and is_digest(file.name):  # of another, nothing tells the account and region
            try:
                self._hold_against(file, source)
            except Refusal as refused:
                _not_readable(source, file, refused, "whether a log file of its hour is missing is")
                return
        if service is not None:
            source.passed_over[service] += 1

    def _hold_against(self, digest: Path, source: logs.Source) -> None:
        """Hold the log files and the digest before it against a digest; one that cannot be read is said anyway."""
        hashes, *period = logs.listed(digest)
        self.trail.coverage.digest(digest.name, *period)
        for name, (value, where) in hashes.items():
            if name not in self.given:
                self.trail.coverage.not_given(name, where)
            for log in self.given.get(name, ()):
                if (log, value) not in self.held:
                    self.held.add((log, value))
                    source.held += 1
                    with suppress(Refusal):
                        if logs.hashed_unpacked(log) != value:
                            source.not_as_digest.append(str(log))
                            self.trail.coverage.not_as_digest(log.name)


def _not_readable(source: logs.Source, file: Path, refused: Refusal, what: str) -> None:
    source.not_readable[str(file)] = f"{refused.why}; {what} not known: {refused.next_step}"
