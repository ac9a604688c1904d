"""CloudTrail log files as CloudTrail delivers them, one record at a time: `.json` and `.json.gz`, folders recursively.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import ijson

from twokeys.errors import Refusal

_DIGEST = "digestStartTime"
"""A digest file, which only proves that log files were not changed, has this key in place of records.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
"""


def log_files(paths: Iterable[Path]) -> list[Path]:
    """The log files that the paths name or hold, each once, in order. Raises Refusal where there is none."""
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            files |= dict.fromkeys(sorted(one for one in path.rglob("*.json*") if _named_like_a_log(one)))
        else:
            files[path] = None
    if not files:
        raise Refusal(
            "there are no CloudTrail log files",
            where=", ".join(map(str, paths)),
            why="the folder holds no file named .json or .json.gz",
            next_step="copy the trail's folder AWSLogs here, for example with `aws s3 sync`, and name it",
        )
    return list(files)


def records(file: Path) -> Iterator[dict[str, Any]]:
    """The records of one log file, streamed. Raises Refusal for a file that cannot be read or is no log file."""
    empty = True
    try:
        with _opened(file) as stream:
            for record in ijson.items(stream, "Records.item"):
                empty = False
                if not isinstance(record, dict):
                    raise _refused(file, "one of its records is no object")
                yield record
        if empty:
            with _opened(file) as stream:
                keys = {key for key, _value in ijson.kvitems(stream, "")}
            if not keys & {"Records", _DIGEST}:
                raise _refused(file, "it has no Records")
    except (OSError, EOFError, ijson.JSONError, UnicodeDecodeError) as error:
        raise _refused(file, str(error) or type(error).__name__) from error


def _named_like_a_log(path: Path) -> bool:
    return path.name.endswith((".json", ".json.gz")) and path.is_file()


def _opened(file: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(file)) if file.name.endswith(".gz") else file.open("rb")


def _refused(file: Path, why: str) -> Refusal:
    return Refusal(
        "a CloudTrail log file cannot be read",
        where=str(file),
        why=why,
        next_step="copy the file again from the trail's bucket, or leave it out of --events",
    )
