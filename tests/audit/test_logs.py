"""Log files as CloudTrail delivers them."""

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.audit.cloudtrail import IN_THE_CALLERS_ACCOUNT, ROLE_CHAINING
from twokeys.audit.logs import kind, listed, log_files
from twokeys.audit.logs import records as records_of
from twokeys.errors import Refusal


def records(file: Path) -> Iterator[dict[str, Any]]:
    service, key = kind(file)
    return records_of(file, key) if service is None else iter(())


def delivered(path: Path, *found: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"Records": list(found)}).encode()
    path.write_bytes(gzip.compress(text) if path.name.endswith(".gz") else text)
    return path


def test_folders_are_searched_to_the_bottom_and_each_file_is_read_once(tmp_path: Path) -> None:
    day = tmp_path / "AWSLogs" / "111122223333" / "CloudTrail" / "us-east-2" / "2014" / "07" / "18"
    packed = delivered(day / "111122223333_CloudTrail_us-east-2_20140718T1510Z_x.json.gz", IN_THE_CALLERS_ACCOUNT)
    plain = delivered(day / "other.json", ROLE_CHAINING)
    packed.replace(packed := day / "111122223333_CLOUDTRAIL.JSON")  # as what it is, whatever its name
    (day / "notes.txt").write_text("no log")
    assert (log_files(tmp_path), log_files(packed)) == ([packed, plain], [packed])
    assert [record["eventID"] for file in log_files(tmp_path) for record in records(file)] == [
        IN_THE_CALLERS_ACCOUNT["eventID"],
        ROLE_CHAINING["eventID"],
    ]


def test_a_folder_without_log_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="no CloudTrail log files"):
        log_files(tmp_path)


NO_JSON = "it is no JSON, or holds a number of more than 4,300 digits"
UNPACKED = "it is cut off or damaged, and cannot be unpacked"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"not json", NO_JSON),
        (b"\xff", NO_JSON),
        (b'{"Records": [{"eventID": ', "it ends before its JSON does"),
        (b"{}", "it has no Records"),
        # https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html; Parquet, as UNLOAD writes it
        (b'{"UpdateCount": 0, "ResultSet": {"Rows": []}}', "it has no Records"),
        (b"PAR1\x15\x04", NO_JSON),
        (b'{"Records": ["x"]}', "one of its records is no object"),
        (b'{"Records": null}', "its Records are no list"),
        (b'{"Records": [{"x": 1e99999999999999999999}]}', NO_JSON),
        (b'{"Records": [{"x": 1%s}]}' % (b"0" * 5_000), NO_JSON),
        (b'{"x": 1%s, "Records": []}' % (b"0" * 5_000), NO_JSON),
        (b'{"x":' + b"[" * 100_000, "it nests deeper than 64 levels"),
        (gzip.compress(b'{"Records": []}', mtime=0)[:10] + b"\xff" * 9, UNPACKED),
        (gzip.compress(b'{"Records": []}', mtime=0)[:-9], UNPACKED),
        (None, "it is a link to a folder, which needs an --events of its own"),
    ],
)
def test_a_file_that_is_no_log_is_refused_by_name_and_says_why(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "broken.json"
    if content is None:
        file.symlink_to(tmp_path)
    else:
        file.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        list(records(file))
    assert (refused.value.where, refused.value.why) == (str(file), why)


@pytest.mark.parametrize("number", ["12345678901234567890123", "-9223372036854775809", "1e999", f"1{'0' * 4_000}"])
def test_numbers_of_more_than_64_bits_are_legal_and_read(tmp_path: Path, number: str) -> None:
    """https://www.rfc-editor.org/rfc/rfc8259#section-6: JSON sets no limit to numbers."""
    file = tmp_path / "log.json"
    ids = [f'{{"eventID": "{count}", "x": {number if count == 1 else 1}}}' for count in range(3)]
    for content in (f'{{"Records": [{", ".join(ids)}]}}', f'{{"x": {number}, "Records": [{", ".join(ids)}]}}'):
        file.write_text(content, encoding="utf-8-sig")
        assert [record["eventID"] for record in records(file)] == ["0", "1", "2"]


DIGEST = {
    "digestStartTime": "2015-08-17T14:01:31Z",
    "digestEndTime": "2015-08-17T15:01:31Z",
    "logFiles": [
        {
            "s3Bucket": "S3-bucket-name",
            "s3Object": "AWSLogs/111122223333/CloudTrail/us-east-2/2015/08/17/111122223333_CloudTrail_x.json.gz",
            "hashValue": "9bb6196fc6b84d6f075a56548feca262bd99ba3c2de41b618e5b6e22c1fc71f6",
        }
    ],
}


def test_a_digest_lists_its_log_files_and_its_period(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"""
    file = tmp_path / "digest.json"
    file.write_text(json.dumps(DIGEST))
    start, end = (datetime(2015, 8, 17, hour, 1, 31, tzinfo=UTC) for hour in (14, 15))
    (log,) = DIGEST["logFiles"]
    where = f"s3://S3-bucket-name/{log['s3Object']}"
    assert listed(file) == ({"111122223333_CloudTrail_x.json": (log["hashValue"], where)}, start, end)


@pytest.mark.parametrize(
    "value", [None, "", "y", "2015-08-17T10:01:31", 7, {}, [7], [{}], [{"s3Object": 7}], [{"s3Object": "x"}]]
)
@pytest.mark.parametrize("field", DIGEST)
def test_a_digest_of_which_a_field_is_damaged_is_refused(tmp_path: Path, field: str, value: object) -> None:
    file = tmp_path / "digest.json"
    file.write_text(json.dumps({**DIGEST, field: value}))
    with pytest.raises(Refusal) as refused:
        listed(file)
    assert refused.value.why == "its logFiles, times or previous digest are not as CloudTrail writes them"


def test_a_file_with_the_mark_that_windows_writes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "marked.json"
    file.write_text(json.dumps({"Records": [ROLE_CHAINING]}), encoding="utf-8-sig")
    assert [record["eventID"] for record in records(file)] == [ROLE_CHAINING["eventID"]]


def test_a_large_file_is_streamed(tmp_path: Path) -> None:
    file = delivered(tmp_path / "large.json.gz", *[IN_THE_CALLERS_ACCOUNT] * 8_000)
    tracemalloc.start()
    count = sum(1 for _record in records(file))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 8_000
    assert peak < 4_000_000, "the 8 MB of the file were held in memory"


def test_what_lookup_events_prints_is_read(tmp_path: Path) -> None:
    # https://docs.aws.amazon.com/cli/latest/reference/cloudtrail/lookup-events.html
    file = tmp_path / "lookup.json"
    event = {"EventId": "x", "CloudTrailEvent": json.dumps(ROLE_CHAINING)}
    for content in ({"Events": [event], "NextToken": "y"}, [event]):
        file.write_text(json.dumps(content))
        assert [record["eventID"] for record in records(file)] == [ROLE_CHAINING["eventID"]]
    file.write_text(json.dumps({"Events": [{"EventId": "x"}]}))
    with pytest.raises(Refusal, match="CloudTrailEvent"):
        list(records(file))


@pytest.mark.parametrize("content", [
    [json.dumps(IN_THE_CALLERS_ACCOUNT)],
    {"EventId": "1", "EventName": "AssumeRole", "CloudTrailEvent": json.dumps(IN_THE_CALLERS_ACCOUNT)},
])  # fmt: skip
def test_parts_of_what_lookup_events_prints_are_read(tmp_path: Path, content: object) -> None:
    """`--query 'Events[].CloudTrailEvent'`, and `jq -c '.Events[]'`; without any event both print less.

    https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html
    """
    file = tmp_path / "events.json"
    file.write_text(f"{json.dumps(content)}\n")
    assert [*records(file)] == [IN_THE_CALLERS_ACCOUNT]
    file.write_text("[]")
    assert [*records(file)] == []


def test_records_may_be_lines_or_a_list(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    for content in (f"{json.dumps(IN_THE_CALLERS_ACCOUNT)}\n{json.dumps(ROLE_CHAINING)}\n", None):
        file.write_text(content or json.dumps([IN_THE_CALLERS_ACCOUNT, ROLE_CHAINING]))
        assert [record["eventName"] for record in records(file)] == ["AssumeRole", "AssumeRole"]
    assert log_files(tmp_path) == [file]


@pytest.mark.parametrize(
    ("name", "content", "service"),
    [
        ("111122223333_Config_us-east-1_ConfigHistory_AWS::S3::Bucket_x.json.gz", {"configurationItems": []}, "Config"),
        ("o-a1b2c3d4e5_CloudTrail-Insight_us-east-1_x.json.gz", {"Records": []}, "CloudTrail-Insight"),
        ("111122223333_vpcflowlogs_us-east-1_x.json", {}, "vpcflowlogs"),
        ("snapshot.json", {"fileVersion": "1.0", "configSnapshotId": "x", "configurationItems": []}, "Config"),
        ("digest.json", {"awsAccountId": "1", "digestStartTime": "2015-08-17T14:01:31Z"}, "CloudTrail-Digest"),
        ("111122223333_CloudTrail_us-east-1_x.json.gz", {"Records": []}, None),
        ("AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail/us-east-1/x.json.gz", {"Records": []}, None),
        ("AWSLogs/111122223333/GuardDuty/us-east-1/x.jsonl.gz", {"schemaVersion": "2.0"}, "GuardDuty"),
    ],
)
def test_files_of_other_services_in_a_log_archive_are_known(
    tmp_path: Path, name: str, content: object, service: str | None
) -> None:
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content).encode()
    file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    assert kind(file)[0] == service
