"""CloudTrail events from files, one record at a time: `.json` and `.json.gz`, folders recursively.

A file is a log file as CloudTrail delivers it, the answer of `aws cloudtrail lookup-events`, or records as JSON lines
or as one list. A log archive holds files of other services beside them: those are passed over and counted, and named
where nothing tells whose they are. One that is damaged is counted and named, and what it may have held is not known.
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html (names of files)
"""

import gzip
import json
import os
import re
import zlib
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import ijson
import ijson.backends.python as ijson_in_python

from twokeys.errors import Refusal

_ENDINGS = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
_FIRST_YEAR = 2013
"""Of CloudTrail. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-document-history.html"""
_DELIVERED = re.compile(r"(?:(\d{12})|o-[a-z0-9]{10,32})_([A-Za-z0-9-]+)_")
"""How AWS names what it delivers into `AWSLogs`: the account, then the service."""
_FOLDER = re.compile(r"(?:^|/)AWSLogs/(o-[a-z0-9]+/)?(\d{12})/([A-Za-z0-9-]+)/")
"""Where it puts it; some services name their files otherwise."""
EVENTS: Final = "Events"
_RECORDS, _LOOKED_UP, _LINES, _LIST = "Records.item", "Events.item", "", "item"
_BY_FIRST_KEY: Final = {
    "Records": _RECORDS,
    EVENTS: _LOOKED_UP,
    **dict.fromkeys(("eventVersion", "eventTime", "CloudTrailEvent"), _LINES),
}
"""Where the records of a file stand, by a key that only such a file has at its top."""
_DEEPEST = 64
"""More levels than any file of AWS has: the parser takes memory for each of those that it reads at once."""
_LITTLE = 1024
_PACKED = (gzip.BadGzipFile, EOFError, zlib.error)
_DAMAGE = (OSError, *_PACKED, ValueError, RecursionError, ijson.JSONError)
"""What comes of reading a file that was cut, garbled or is no JSON."""
_GZIP = b"\x1f\x8b"
_AGAIN: Final = (
    "copy the trail's log file from its bucket (again), or give what `aws cloudtrail lookup-events --output json`"
    " prints in UTF-8"
)
_DIGEST_AGAIN: Final = "copy the trail's digest from its bucket again (`aws s3 sync`)"
_LEVELS: Final = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
DIGEST: Final = "CloudTrail-Digest"
_OTHERS: Final = {"digestStartTime": DIGEST, "configurationItems": "Config", "configSnapshotId": "Config"}
"""Files without events, by a key that only they have at their top.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
https://docs.aws.amazon.com/config/latest/developerguide/example-s3-notification.html
"""


@dataclass
class Source:
    """Where events come from, as evidence: a file or a folder as it was named, or the API and who asked it.

    `read` files were read to the end, `passed_over` counts those of other services, `no_logs` says of each that is none
    what it is, `not_readable` says of each other file why. `held` log files and digests were held against the hashes
    that its digests have, and some are `not_as_digest`; log files `in_no_digest` stand in none, though the digests of
    their time are there. Of a trail `without_digests`, by where it delivered, only the number of such files is kept.
    `start` and `end` are the times of the first and the last event. `sha256`, in hexadecimal digits, is the file's; a
    folder's is that of the sorted list of its files' hashes, one a line.
    """

    name: str
    sha256: str = ""
    caller: str = ""
    read: int = 0
    held: int = 0
    not_as_digest: list[str] = field(default_factory=list)
    in_no_digest: list[str] = field(default_factory=list)
    without_digests: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    no_logs: dict[str, str] = field(default_factory=dict)
    not_readable: dict[str, str] = field(default_factory=dict)
    start: datetime | None = None
    end: datetime | None = None

    def saw(self, time: datetime | None) -> None:
        """Take the time of one event."""
        if time is not None:
            self.start, self.end = min(self.start or time, time), max(self.end or time, time)


class NoLog(Refusal):
    """A file that is whole, and no log file of CloudTrail's."""


def log_files(path: Path) -> list[Path]:
    """The file that a path names, or those that the folder holds, in order. Raises Refusal where there is none.

    Inside a folder links to folders are not followed: they, and folders that cannot be listed, are among the files, as
    what cannot be read.
    """
    if not path.is_dir():
        return [path]
    files: list[Path] = []

    for folder, folders, names in os.walk(path, onerror=lambda error: files.append(Path(error.filename))):
        files.extend(Path(folder, name) for name in folders if Path(folder, name).is_symlink())
        files.extend(Path(folder, name) for name in names if _may_hold_events(Path(folder, name)))
    if not files:
        raise Refusal(
            "there are no CloudTrail log files",
            where=str(path),
            why=f"the folder holds no file named {', '.join(_ENDINGS)}",
            next_step="copy the trail's folder AWSLogs here with `aws s3 sync`, or unpack the archive, and name it",
        )
    return sorted(files)


def hashed(file: Path) -> str:
    """The file's sha256. Raises Refusal for one that cannot be read."""
    try:
        with file.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _refused(file, _said(error)) from error


def hashed_together(hashes: list[str]) -> str:
    """The sha256 of a folder, as `sort | sha256sum` make it of its files' hashes."""
    return sha256("".join(f"{one}\n" for one in sorted(hashes)).encode()).hexdigest()


def delivered_into(file: Path, given: Path) -> str:
    """Where the trail of a file delivers log files and digests: its AWSLogs, else what was given.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    before, found, _ = file.as_posix().rpartition("AWSLogs/")
    return f"{before}AWSLogs" if found else given.as_posix()


def account_of(file: Path) -> str:
    """Of which account the events of a delivered file are, as place or name says; empty where neither does."""
    return _placed(file)[0]


def by_organization(file: Path) -> bool:
    """Whether a file stands where an organization's trail delivers it, which no member account can stop or delete.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
    """
    found = _FOLDER.search(file.as_posix())
    return bool(found and found.group(1))


def delivered(file: Path) -> str:
    """The service whose file it is, where it stands or is called as AWS delivers it; else empty."""
    return _placed(file)[1]


def _placed(file: Path) -> tuple[str, str]:
    found = _FOLDER.search(file.as_posix()) or _DELIVERED.match(file.name)
    return (found.groups()[-2] or "", found.groups()[-1]) if found else ("", "")


def kind(file: Path) -> tuple[str | None, str]:
    """Whose a file is that holds no events of CloudTrail (`Config`, `CloudTrail-Digest`; None for one that does), and
    the key at its top that tells it.

    Raises Refusal for a file that cannot be read, NoLog for one that is neither.
    """
    service = delivered(file)
    if service not in ("", "CloudTrail"):
        return service, ""
    key = _first_key(file)
    return _OTHERS.get(key), key


def hashed_unpacked(file: Path) -> str:
    """The sha256 that a digest has of a file: of what is in it. Raises Refusal for one that cannot be read.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    (`hashValue` and `previousDigestHashValue`: of the uncompressed content)
    """
    digest = sha256()
    try:
        with _packed_or_not(file) as stream:
            while part := stream.read(1 << 20):
                digest.update(part)
    except _DAMAGE as error:
        raise _refused(file, _said(error)) from error
    return digest.hexdigest()


def listed(digest: Path) -> tuple[dict[str, tuple[str, str]], datetime, datetime]:
    """The hashes that a digest has of log files and the digest before it, and where in S3 each of them is, by names
    without `.gz`; its start and end.

    Raises Refusal for a damaged one. A trail's first digest, and one after a stop, names none before it.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    try:
        with _opened(digest) as stream:
            found = json.load(stream)
    except _DAMAGE as error:
        raise _refused(digest, _said(error)) from error
    try:
        files, start, end = found["logFiles"], time_of(found["digestStartTime"]), time_of(found["digestEndTime"])
        objects = [(one["s3Object"], one["hashValue"], one.get("s3Bucket")) for one in files]
        if found.get("previousDigestHashAlgorithm") == "SHA-256":
            objects.append((found["previousDigestS3Object"], found["previousDigestHashValue"], None))
        hashes = {
            key.rpartition("/")[2].removesuffix(".gz"): (value.lower(), f"s3://{bucket}/{key}" if bucket else key)
            for key, value, bucket in objects
        }
    except (AttributeError, KeyError, TypeError):
        files, start, end = None, None, None
    if not isinstance(files, list) or start is None or end is None or end < start:
        raise _refused(digest, "its logFiles, times or previous digest are not as CloudTrail writes them")
    return hashes, start, end


def time_of(value: object) -> datetime | None:
    """A time as CloudTrail writes it; None for what is none, of before CloudTrail, or does not tell its zone."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
        return (
            time.astimezone(UTC) if time is not None and time.tzinfo is not None and time.year >= _FIRST_YEAR else None
        )
    except (ValueError, OverflowError):
        return None


def records(file: Path, key: str) -> Iterator[dict[str, Any]]:
    """The records of a file with such a key at its top, streamed. Raises Refusal for what cannot be read."""
    prefix = _BY_FIRST_KEY.get(key, _LIST)
    try:
        with _opened(file) as stream:
            for record in _read("items", stream, prefix=prefix):
                if isinstance(record, str) and prefix == _LIST:  # `--query 'Events[].CloudTrailEvent'`
                    yield _looked_up(file, {"CloudTrailEvent": record})
                elif not isinstance(record, dict):
                    raise _refused(file, "one of its records is no object")
                else:
                    yield _looked_up(file, record) if prefix == _LOOKED_UP or "CloudTrailEvent" in record else record
    except _DAMAGE as error:
        raise _refused(file, _said(error)) from error


def goes_on(file: Path) -> bool:
    """Whether a file that was read is a page of more events: it says at its end how to ask for the next.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html (NextToken)
    """
    token = None
    with _opened(file) as stream:
        for prefix, event, value in _read("parse", stream):
            token = value if prefix == "NextToken" else None if (prefix, event) == ("", "start_map") else token
    return bool(token)


def _first_key(file: Path) -> str:
    """The key at the top of a file that tells what it is; empty for a list of records, which may be text."""
    try:
        with _opened(file) as stream:
            start = stream.tell()
            if not stream.read(1):
                raise _refused(file, "it is empty", NoLog)
            stream.seek(start)
            depth, before = 0, ""
            events = _read("parse", stream, buf_size=_LITTLE)
            for prefix, event, value in events:
                depth += _LEVELS.get(event, 0)
                if depth > _DEEPEST:
                    raise _refused(file, f"it nests deeper than {_DEEPEST} levels")
                key = str(value) if event == "map_key" and prefix in {"", "item"} else ""
                if prefix == "" and (key in _BY_FIRST_KEY or key in _OTHERS):
                    if key in ("Records", EVENTS) and next(events)[1] != "start_array":
                        raise _refused(file, f"its {key} are no list")
                    return key
                empty = (prefix, event, before) == ("", "end_array", "start_array")
                as_text = (prefix, event) == ("item", "string") and value.startswith("{")
                if empty or as_text or _BY_FIRST_KEY.get(key) == _LINES:
                    return ""
                before = event
    except _DAMAGE as error:
        raise _refused(file, _said(error)) from error
    raise _refused(file, "it has no Records", NoLog)


def _looked_up(file: Path, found: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html: the record is text in it."""
    try:
        record = json.loads(found["CloudTrailEvent"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _refused(file, "one of its Events has no CloudTrailEvent that can be read") from error
    if not isinstance(record, dict):
        raise _refused(file, "one of its Events is no object")
    return record


def _may_hold_events(path: Path) -> bool:
    return path.name.lower().endswith(_ENDINGS) and (path.is_file() or not path.exists())  # a link to nothing


def _packed_or_not(file: Path) -> BinaryIO:
    with file.open("rb") as beginning:
        packed = beginning.read(len(_GZIP)) == _GZIP  # whatever its name: tools that copy unpack, or forget the ending
    return cast("BinaryIO", gzip.open(file) if packed else file.open("rb"))


def _opened(file: Path) -> BinaryIO:
    stream = _packed_or_not(file)
    if stream.read(len(BOM_UTF8)) != BOM_UTF8:  # as Windows writes it
        stream.seek(0)
    return stream


def _read(what: str, stream: BinaryIO, **options: Any) -> Iterator[Any]:  # noqa: ANN401
    """What one of the parser's functions finds in a stream.

    The fast parser refuses numbers of more than 64 bits, which are legal JSON: those files the slow one reads again.
    Without `use_float` the fast one would end the whole process at a number of more than 4,300 digits.
    """
    start, count = stream.tell(), 0
    try:
        for one in getattr(ijson, what)(stream, multiple_values=True, use_float=True, **options):
            yield one
            count += 1
    except ijson.JSONError as error:
        if "overflow" not in str(error):
            raise
        stream.seek(start)
        yield from islice(getattr(ijson_in_python, what)(stream, multiple_values=True, **options), count, None)


def _said(error: Exception) -> str:
    if isinstance(error, _PACKED):
        return "it is cut off or damaged, and cannot be unpacked"
    if isinstance(error, IsADirectoryError):
        return "it is a link to a folder, which needs an --events of its own"
    if isinstance(error, OSError):
        return f"the system says: {error.strerror}"
    if "premature EOF" in str(error):
        return "it ends before its JSON does"
    return "it is no JSON, or holds a number of more than 4,300 digits"


def _refused(file: Path, why: str, kind: type[Refusal] = Refusal) -> Refusal:
    what, step = ("digest", _DIGEST_AGAIN) if delivered(file) == DIGEST else ("log file", _AGAIN)
    return kind(f"a CloudTrail {what} cannot be read", where=str(file), why=why, next_step=step)
