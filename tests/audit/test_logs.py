"""Log files as CloudTrail delivers them."""

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest

from tests.audit.cloudtrail import IN_THE_CALLERS_ACCOUNT, ROLE_CHAINING
from twokeys.audit.logs import delivered as is_delivered
from twokeys.audit.logs import log_files, other_service, records
from twokeys.errors import Refusal


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


def test_a_digest_file_holds_no_records(tmp_path: Path) -> None:
    digest = tmp_path / "111122223333_CloudTrail-Digest_us-east-2_x.json.gz"
    digest.write_bytes(gzip.compress(json.dumps({"digestStartTime": "2015-08-17T14:01:31Z", "logFiles": []}).encode()))
    assert list(records(digest)) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b'{"Records": [{"eventID": ',
        b"{}",
        b"[]",
        b'{"Records": ["x"]}',
        b'{"Records": null}',
        b'{"Records": [{"x": 1e99999999999999999999}]}',
        b'{"Records": [{"x": 1%s}]}' % (b"0" * 5_000),
        b'{"x": 1%s, "Records": []}' % (b"0" * 5_000),
        b'{"x":' + b"[" * 100_000,
        gzip.compress(b'{"Records": []}')[:10] + b"\xff" * 9,
    ],
    ids=len,
)
def test_a_file_that_is_no_log_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        list(records(file))
    assert refused.value.where == str(file)


def test_a_file_with_the_mark_that_windows_writes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "marked.json"
    file.write_text(json.dumps({"Records": [ROLE_CHAINING]}), encoding="utf-8-sig")
    assert [record["eventID"] for record in records(file)] == [ROLE_CHAINING["eventID"]]


def test_a_truncated_archive_is_refused_by_name(tmp_path: Path) -> None:
    file = delivered(tmp_path / "log.json.gz", *[IN_THE_CALLERS_ACCOUNT] * 50)
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(Refusal) as refused:
        list(records(file))
    assert refused.value.where == str(file)


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
    assert other_service(file) == service


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("111122223333_CloudTrail_us-east-1_20150817T1410Z_x.json.gz", "Records", True),
        ("111122223333_CloudTrail_us-east-1_20150817T1410Z_x.json", "Records", True),
        ("111122223333_CloudTrail_us-east-1_20150817T1410Z_x.json", "Events", False),
        ("AWSLogs/111122223333/CloudTrail/us-east-1/2015/08/17/x.json.gz", "Records", False),
        ("log.json", "Records", False),
    ],
)
def test_a_log_file_of_cloudtrail_has_its_name_and_records(tmp_path: Path, name: str, key: str, said: bool) -> None:
    file = delivered(tmp_path / name)
    file.write_text(json.dumps({key: []}))
    assert is_delivered(file) is said
