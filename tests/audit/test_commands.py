"""`twokeys audit` as its user meets it, on the states of a real update of this program's three stacks."""

import csv
import gzip
import hashlib
import json
import re
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click import UsageError
from click.testing import CliRunner, Result

from tests.access.states import write_state
from tests.access.test_identity_center import center
from tests.access.world import CI as CI_ROLE
from tests.access.world import MFA, OUTSIDE, STAGE, World, document, grants, trusts, two_keys
from tests.access.world import arn as world_arn
from tests.answers.test_summary import organization
from tests.audit.cloudtrail import ENABLED, called, denied, digests, entry, read_event, signed_in
from twokeys.access.graph import build
from twokeys.answers.commands import access
from twokeys.answers.reading import read as answered
from twokeys.answers.selection import of_person
from twokeys.answers.sources import together
from twokeys.answers.summary import IN_SHORT
from twokeys.audit.commands import audit
from twokeys.audit.lookup import ASKED
from twokeys.audit.table import COLUMNS
from twokeys.errors import Refusal
from twokeys.map.commands import map_
from twokeys.map.drawing import draw
from twokeys.map.model import Map

STATES = Path(__file__).parent.parent / "map" / "states"
HUB, PROD = "111111111111", "333333333333"
MADE, WRITTEN = "2026-01-01T08:00:00+00:00", "2026-11-24T11:32:00Z"
AS_OF = " as of 2026-11-24 11:32 UTC"
SCOPE = f"From states{AS_OF}: only users and roles that stacks made; live IAM also has those made otherwise"
ALICE = f"arn:aws:iam::{HUB}:user/alice"
CI = f"arn:aws:sts::{HUB}:assumed-role/ci/run-1"
DEPLOYER, READ_ONLY = f"arn:aws:iam::{PROD}:role/deployer", f"arn:aws:iam::{PROD}:role/read-only"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The states as a sandbox keeps them."""
    monkeypatch.chdir(tmp_path)
    dated_states(tmp_path / ".twokeys" / "stacks")


def dated_states(folder: Path) -> list[Path]:
    """The states with the times that every engine writes into a state, and those that AWS's provider does."""
    folder.mkdir(parents=True)
    for path in STATES.glob("*.json"):
        state = json.loads(re.sub(r"2026-11-24 11:3\d:\d\d\+00:00", MADE, path.read_text()))
        for resource in state["deployment"]["resources"]:
            resource |= {"created": MADE, "modified": MADE}
        (folder / path.name).write_text(json.dumps(state))
    return sorted(folder.iterdir())


def written(day: str) -> None:
    """Give the states another day: those of long after the events say that what stood then may be gone."""
    for path in Path(".twokeys/stacks").iterdir():
        path.write_text(path.read_text().replace(WRITTEN, f"{day}T12:00:00Z"))


def run(*arguments: str) -> Result:
    """What a run that is not refused prints and writes."""
    return CliRunner().invoke(audit, list(arguments), standalone_mode=False, catch_exceptions=False)


def refusal(*arguments: str) -> BaseException | None:
    return CliRunner().invoke(audit, list(arguments), standalone_mode=False).exception


def read(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


@dataclass(frozen=True)
class Report:
    """One answer as text, as the page, as the table, and its exit code."""

    text: str
    page: str
    table: str
    code: int

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(self.table.splitlines()))

    def of(self, what: str) -> list[dict[str, str]]:
        """The rows of a kind."""
        return [row for row in self.rows if row["what"] == what]


def report(*arguments: str) -> Report:
    result = run(*arguments, "--html", "report.html", "--csv", "report.csv")
    page, table = (Path(f"report.{ending}").read_text() for ending in ("html", "csv"))
    page = re.sub("</?code>", "`", re.sub('<wbr>|<span(?: class="id")?>|</span>', "", page))
    return Report(result.output, unescape(page), table, result.return_value)


ONE_REGION = ("--region", "us-east-1")
LOG = f"{HUB}_CloudTrail_us-east-1_20260901T0000Z_log.json.gz"


def logs(tmp_path: Path, *records: dict[str, Any]) -> str:
    folder = tmp_path / "AWSLogs"
    folder.mkdir()
    (folder / LOG).write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    return str(folder)


def assert_alike(found: Report, events: dict[str, Any], top: str, on_the_page: str) -> None:
    """That text, page, table and JSON have the same line of the events at the top, which is not whole."""
    said = f"CloudTrail of us-east-1 only: {top}"
    sentences, page = re.split("; (?=not covered)", said), found.page.lower()
    assert [f"{said}\n" in found.text, f'{said}"' in found.table] == [True] * 2
    assert [f"{one}.</p>".lower() in page for one in sentences] == [True] * len(sentences)
    assert (events["summary"], events["mayBeMore"]) == (said, True)
    assert on_the_page in found.page


def test_it_tells_who_can_enter_prod_through_what_granted_where_since_when() -> None:
    found = read("prod")
    assert [one["account"] for one in found["accounts"]] == [PROD]
    told = {(one["source"]["kind"], one["source"]["name"], one["target"]["name"]): one for one in found["ways"]}
    assert set(told) == {
        ("root", "", "OrganizationAccountAccessRole"),
        ("role", "ci", "deployer"),
        ("user", "alice", "read-only"),
    }
    alice = told["user", "alice", "read-only"]
    assert (alice["conditions"], alice["declared"]["owner"], alice["since"]) == (["MFA"], "platform", MADE)
    (step,) = alice["steps"]
    assert step["trust"]["urn"].endswith("aws:iam/role:Role::prod-read-only")
    assert step["trust"]["statement"] == 0
    assert step["grants"][0]["urn"].endswith("aws:iam/groupPolicy:GroupPolicy::prod-read-only-grant")
    assert (found["events"], found["notShown"]) == (None, None)
    assert "trust key:" not in run("prod").output
    text = run("prod", "--keys", "--html", "report.html").output
    assert "trust key: trust policy of role deployer, statement 0, urn:pulumi:prod::" in text
    assert "grant key: inline policy assume-prod-deployer of role ci, statement 0, urn:pulumi:prod::" in text
    assert ("since 2026-01-01 08:00 UTC" in text, "Wrote report.html" in text) == (True, True)


def test_several_accounts_are_one_answer_and_one_that_is_not_there_is_refused() -> None:
    found = report("prod", "stage")
    assert found.text.startswith("Who can enter prod, stage (from ")
    assert {row["account name"] for row in found.of("way in")} == {"prod", "stage"}
    assert str(refusal("prod", "nowhere")).startswith("no account is called nowhere")


@pytest.mark.parametrize(
    ("organization", "deleted_in", "covered"),
    [("o-a1b2c3d4e5/", PROD, True), ("o-a1b2c3d4e5/", HUB, False), ("", PROD, False)],
)
def test_the_organization_s_trail_goes_on_where_a_member_account_deletes_its_own(
    tmp_path: Path, organization: str, deleted_in: str, covered: bool
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html"""
    folder = tmp_path / "AWSLogs" / f"{organization}{PROD}/CloudTrail/us-east-1/2026/09/01"
    folder.mkdir(parents=True)
    records = [read_event(PROD, f"2026-09-0{day}T09:00:00Z") for day in (1, 2, 3)]
    call = {"eventSource": "cloudtrail.amazonaws.com", "requestParameters": {"name": "own"}}
    records.append(called(deleted_in, "2026-09-02T10:00:00Z", "DeleteTrail", "eve", **call))
    made = {"requestParameters": {"userName": "zoe"}}
    records.append(called(PROD, "2026-09-02T11:00:00Z", "CreateAccessKey", "eve", **made))
    (folder / LOG.replace(HUB, PROD)).write_text(json.dumps({"Records": records}))
    period = ("--from", "2026-09-01", "--until", "2026-09-03")
    found = read("prod", *ONE_REGION, *period, "--events", str(tmp_path / "AWSLogs"))["events"]
    assert found["coverage"][0]["covered"] is covered
    assert ["a trail was deleted (own)"] in [one["why"] for one in found["unusual"]] or deleted_in == HUB
    text = report("prod", *ONE_REGION, *period, "--events", str(tmp_path / "AWSLogs")).text
    if deleted_in == PROD:
        assert (text.index("-> CreateAccessKey") < text.index("-> DeleteTrail")) is covered, (
            "first what hides something"
        )


def test_a_log_file_that_is_not_as_its_digest_says_is_named_and_its_day_is_not_known(tmp_path: Path) -> None:
    """`hashValue` is of the uncompressed content, as `aws cloudtrail validate-logs` compares it.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    reads = [read_event(account, "2026-09-01T09:00:00Z") for account in (HUB, PROD)]
    folder = logs(tmp_path, *reads, entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"))
    log = Path(folder, LOG)
    content = gzip.decompress(log.read_bytes())
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-01")
    (digest,) = Path(folder).glob(f"{HUB}_CloudTrail-Digest*")
    listing = {"s3Object": f"AWSLogs/{LOG}", "hashValue": hashlib.sha256(content).hexdigest()}
    digest.write_text(json.dumps({**json.loads(digest.read_text()), "logFiles": [listing, listing]}))
    whole = run("prod", *ONE_REGION, "--events", folder).output.replace("\n", " ")
    assert "1 file held against digests, none not as they say" in whole
    assert "the signatures of digests, which `aws cloudtrail validate-logs` checks" in whole
    log.write_bytes(gzip.compress(content.replace(b"2026-09-01T10", b"2026-09-01T11")))
    found = report("prod", *ONE_REGION, "--events", folder)
    events = read("prod", *ONE_REGION, "--events", folder)["events"]
    top = events["summary"].removeprefix("CloudTrail of us-east-1 only: ")
    assert top.startswith("at least 1 entry")
    assert "1 file is not as its digest says; not covered: management (1 day: 2026-09-01)" in top
    assert_alike(found, events, top, "not as its digest says")
    assert [one["notAsDigest"] for one in events["sources"]] == [[str(log)]]


def test_a_log_file_of_the_period_that_a_digest_lists_and_that_is_not_given_is_named_as_s3_has_it(
    tmp_path: Path,
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"""
    folder = logs(tmp_path, *(read_event(account, "2026-09-01T09:00:00Z") for account in (HUB, PROD)))
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-02")
    for day in ("01", "02"):
        (digest,) = Path(folder).glob(f"{HUB}_CloudTrail-Digest*_202609{day}T*")
        key = f"AWSLogs/{HUB}_CloudTrail_us-east-1_202609{day}T1000Z_x.json.gz"
        listing = {"s3Bucket": "trails", "s3Object": key, "hashValue": "0"}
        digest.write_text(json.dumps({**json.loads(digest.read_text()), "logFiles": [listing]}))
    asked = ("prod", *ONE_REGION, "--events", folder, "--until", "2026-09-01")
    found, missing = report(*asked), f"s3://trails/AWSLogs/{HUB}_CloudTrail_us-east-1_20260901T1000Z_x.json.gz"
    said = f", 1 log file that digests list not given ({missing.rpartition('/')[2]}), "
    assert (said in found.text, said in found.page, said in found.table) == (True, True, True)
    assert [(row["account"], row["why"]) for row in found.of("log file not given")] == [(HUB, missing)]
    assert [one["filesMissing"] for one in read(*asked)["events"]["coverage"]] == [[], [missing]]


def test_a_log_file_that_no_digest_of_its_time_lists_is_named_and_the_answer_is_not_whole(tmp_path: Path) -> None:
    """A digest has the log files that were delivered in its hour; a log file's name has the time of its delivery.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
    """
    reads = [read_event(account, "2026-09-01T09:00:00Z") for account in (HUB, PROD)]
    folder = logs(tmp_path, *reads, entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"))
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-01")
    asked = ("prod", *ONE_REGION, "--events", folder, "--exit-code")
    written("2026-09-01")
    assert run(*asked).return_value == 0
    last = Path(folder, LOG.replace("T0000Z_log", "T2350Z_last"))  # the next digest may list it
    last.write_bytes(Path(folder, LOG).read_bytes())
    assert run(*asked).return_value == 0
    added = Path(folder, LOG.replace("T0000Z_log", "T1000Z_added"))
    added.write_bytes(Path(folder, LOG).read_bytes())
    assert run(*asked).return_value == 1
    events = read("prod", *ONE_REGION, "--events", folder)["events"]
    top = events["summary"].removeprefix("CloudTrail of us-east-1 only: ")
    assert top.startswith("at least 1 entry")
    assert_alike(report(*asked), events, top, "in no digest given")
    assert "1 log file in no digest given" in top
    assert [one["inNoDigest"] for one in events["sources"]] == [[str(added)]]
    digests(Path(folder), HUB, "2026-09-01", "2026-09-01")
    assert run(*asked).return_value == 0


def test_of_each_account_the_records_and_days_of_the_period_are_said_those_of_a_copy_not_again(tmp_path: Path) -> None:
    """What lookup-events prints of an account may be among its log files: CloudTrail's event history has them all.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html
    """
    found = [read_event(HUB, f"2026-{day}T10:00:00Z") for day in ("08-31", "09-01", "09-03")]
    folder = logs(tmp_path, *found)
    copy, looked_up = tmp_path / "copy", tmp_path / "events.json"
    copy.mkdir()
    (copy / LOG).write_bytes((Path(folder) / LOG).read_bytes())
    looked_up.write_text(json.dumps({"Events": [{"CloudTrailEvent": json.dumps(one)} for one in found]}))
    given = [word for one in (folder, copy, looked_up) for word in ("--events", str(one))]
    text = report("prod", *ONE_REGION, *given, "--from", "2026-09-01", "--until", "2026-09-04").text
    there = (
        "2 records in 1 file and 2 records from elsewhere, which may be the same, 2026-09-01 10:00 to 2026-09-03 10:00"
    )
    assert f"records of management: {there} UTC, 2 of 4 days in us-east-1, not covered in us-east-1 on" in text
    text = report("prod", *ONE_REGION, "--events", folder, "--from", "2026-09-03", "--until", "2026-09-03").text
    said = (
        "1 record in 1 file, 2026-09-03 10:00 to 2026-09-03 10:00 UTC, 1 of 1 day in us-east-1, of each day something"
    )
    assert f"records of management: {said} was read\n" in text
    (Path(folder) / LOG.replace("CloudTrail_us-east-1", "CloudTrail-Digest_us-east-1_t_us-east-1")).write_text("{")
    (why,) = read("prod", *ONE_REGION, "--events", folder)["events"]["sources"][0]["notReadable"].values()
    assert why.endswith("is not known: copy the trail's digest from its bucket again (`aws s3 sync`)")


def test_a_second_trail_without_digests_is_named_once_and_the_answer_is_whole(tmp_path: Path) -> None:
    """A trail delivers its digests into the bucket and below the prefix of its log files.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    reads = [read_event(account, "2026-09-01T09:00:00Z") for account in (HUB, PROD)]
    folder = logs(tmp_path, *reads, entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"))
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-01")
    of_other = tmp_path / "two/AWSLogs" / HUB
    of_other.mkdir(parents=True)
    for name in ("T1000Z_one", "T1100Z_two"):
        (of_other / LOG.replace("T0000Z_log", name)).write_bytes(Path(folder, LOG).read_bytes())
    asked = ("prod", *ONE_REGION, "--events", folder, "--events", str(tmp_path / "two"))
    written("2026-09-01")
    assert run(*asked, "--exit-code").return_value == 0
    events = read(*asked)["events"]
    where = f"{tmp_path}/two/AWSLogs"
    assert f"no digests of the trail in {where} (2 log files): a log file that is missing" in events["summary"]
    assert [(one["inNoDigest"], one["trailsWithoutDigests"]) for one in events["sources"]] == [
        ([], {}),
        ([], {where: 2}),
    ]
    assert events["entries"] == 1, "each call once"


def test_a_digest_that_is_not_as_the_next_one_says_is_named_and_its_hour_is_not_known(tmp_path: Path) -> None:
    """`previousDigestHashValue` is of the uncompressed content; a trail's first digest has null.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    folder = Path(logs(tmp_path, read_event(PROD, "2026-09-01T09:00:00Z")))
    (folder / LOG).rename(log := folder / LOG.replace(HUB, PROD))
    content, before, written = log.read_bytes(), None, {}
    for hour in range(24):
        end = datetime(2026, 9, 1, tzinfo=UTC) + timedelta(hours=hour + 1)
        listing = {"s3Object": log.name, "hashValue": hashlib.sha256(gzip.decompress(content)).hexdigest()}
        digest = {
            "digestStartTime": f"{end - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "previousDigestS3Object": before and f"AWSLogs/{before.name}",
            "previousDigestHashValue": before and hashlib.sha256(written[before]).hexdigest(),
            "previousDigestHashAlgorithm": before and "SHA-256",
            "logFiles": [] if hour else [listing],
        }
        before = folder / f"{PROD}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_{end:%Y%m%dT%H%M%SZ}.json.gz"
        written[before] = json.dumps(digest).encode()
        before.write_bytes(gzip.compress(written[before]))
    period = ("--from", "2026-09-01", "--until", "2026-09-01")
    events = read("prod", *ONE_REGION, "--events", str(folder), *period)["events"]
    assert [(one["heldAgainstDigests"], one["notAsDigest"]) for one in events["sources"]] == [(24, [])]
    assert not [one["notCovered"] for one in events["coverage"] if one["account"] == PROD and one["notCovered"]]
    emptied = min(written)
    emptied.write_bytes(gzip.compress(json.dumps({**json.loads(written[emptied]), "logFiles": []}).encode()))
    events = read("prod", *ONE_REGION, "--events", str(folder), *period)["events"]
    assert [(one["notAsDigest"], one["inNoDigest"]) for one in events["sources"]] == [([str(emptied)], [str(log)])]
    assert "1 file is not as its digest says" in events["summary"]
    lost = {one["account"]: one["daysNotCovered"] for one in events["coverage"]}
    assert lost[PROD] == {"us-east-1": ["2026-09-01"]}


def test_events_are_compared_with_the_doors(tmp_path: Path) -> None:
    records = [
        entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"),
        entry(CI, DEPLOYER, "2026-09-20T10:00:00Z", sourceIPAddress="198.51.100.7"),
        entry(f"arn:aws:iam::{HUB}:user/mallory", DEPLOYER, "2026-09-21T10:00:00Z"),
        denied(ALICE, READ_ONLY, "2026-09-22T10:00:00Z"),
        *(read_event(account, "2026-09-22T09:00:00Z") for account in (HUB, PROD)),
    ]
    events = read("prod", *ONE_REGION, "--events", logs(tmp_path, *records))["events"]
    assert {(one["target"]["name"], one["usage"]) for one in events["doors"]} == {
        ("deployer", "used"),
        ("read-only", "not known"),
        ("OrganizationAccountAccessRole", "not known"),
    }
    for account in (HUB, PROD):
        digests(tmp_path / "AWSLogs", account, "2026-09-02", "2026-09-22")
    events = read("prod", *ONE_REGION, "--events", str(tmp_path / "AWSLogs"))["events"]
    assert [one["usage"] for one in events["doors"]].count("not known") == 2, "the first day is missing"
    digests(tmp_path / "AWSLogs", HUB, "2026-09-01", "2026-09-01")
    events = read("prod", *ONE_REGION, "--events", str(tmp_path / "AWSLogs"))["events"]
    assert [one["usage"] for one in events["doors"]].count("no record of use") == 2
    assert [(one["accountName"], one["covered"], one["notCovered"]) for one in events["coverage"]] == [
        ("prod", False, "in us-east-1 before 2026-09-02 00:00 UTC, of which there is no digest"),
        ("management", True, None),
    ]
    name = f"{HUB}_CloudTrail_us-east-1_20260905T1410Z_x.json.gz"
    names = (name, name.replace("20260905", "20260907"))
    times = {"digestStartTime": "2026-09-05T13:10:31Z", "digestEndTime": "2026-09-05T14:10:31Z"}
    digest = {**times, "logFiles": [{"s3Object": f"AWSLogs/{one}", "hashValue": "0"} for one in names]}
    there = tmp_path / "AWSLogs" / f"{HUB}_CloudTrail_us-east-1_20260909T1410Z_x.json.gz"
    there.write_bytes(gzip.compress(b'{"Records": []}'))  # which holds no record, and is none of the files that do
    listing = tmp_path / "AWSLogs" / f"{HUB}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_20260905T151031Z.json"
    listing.write_text(json.dumps(digest))
    missing = read("prod", *ONE_REGION, "--events", str(tmp_path / "AWSLogs"))["events"]
    assert [(one["notCovered"], one["files"], one["filesMissing"]) for one in missing["coverage"]] == [
        ("in us-east-1 before 2026-09-02 00:00 UTC, of which there is no digest", 0, []),
        ("in us-east-1 on 2026-09-05, 2026-09-07", 1, [f"AWSLogs/{one}" for one in names]),
    ]
    days = [one["daysNotCovered"] for one in missing["coverage"]]
    assert days == [{"us-east-1": ["2026-09-01"]}, {"us-east-1": ["2026-09-05", "2026-09-07"]}]
    rows = report("prod", *ONE_REGION, "--events", str(tmp_path / "AWSLogs")).of("days not covered")
    lacking = [(row["account"], row["region"], row["why"]) for row in rows]
    assert lacking == [(PROD, "us-east-1", "2026-09-01"), (HUB, "us-east-1", "2026-09-05, 2026-09-07")]
    assert [one["usage"] for one in missing["doors"]].count("not known") == 2
    listing.unlink()
    there.unlink()
    assert [(one["what"], one["doors"], one["caller"]["accountName"]) for one in events["population"]] == [
        ("entry by a door", ["prod-deployer"], "management"),
        ("entry by a door", ["prod-deployer"], "management"),
        ("entry without a door", [], "management"),
    ]
    assert [one["caller"]["name"] for one in events["undeclared"]] == ["mallory"]
    assert [(one["caller"]["name"], one["why"]) for one in events["unusual"]] == [
        ("ci", ["new source address 198.51.100.7 for this principal"]),
        ("mallory", ["this principal's first entry into this role"]),
        ("alice", ["failed attempt: AccessDenied"]),
    ]
    found = report("prod", *ONE_REGION, "--events", str(tmp_path / "AWSLogs"))
    rows = [(row["what"], row["who"]) for row in found.rows]
    assert ("door used", "role ci") in rows
    (first, *_) = found.of("entry by a door")
    where_and_when = (first["time"], first["from address"], first["region"])
    assert where_and_when == ("2026-09-01T10:00:00Z", "192.0.2.101", "us-east-2")
    assert (first["role ARN"], first["session"], first["door"]) == (DEPLOYER, "run-1", "prod-deployer")
    assert first["event ID"] == f"{CI} {DEPLOYER} 2026-09-01T10:00:00Z"
    (way,) = [row for row in found.of("way in") if row["who"] == "role ci"]
    assert (way["usage"], way["count"], way["last use"]) == ("used", "2", "2026-09-20T10:00:00Z")
    assert rows[-2:] == [("entry without a door", "user mallory"), ("unusual", "user alice")]
    assert [row["who"] for row in found.rows if row["unusual"]] == ["role ci", "user mallory", "user alice"]
    day = "1 day: 2026-09-01, no digests before 2026-09-02 00:00 UTC"  # as digests of later days are there
    lost = f"not covered: prod ({day}): entries and changes of keys there are not known"
    since = "habits judged from 2026-09-15 10:00 UTC on"
    top = f"at least 3 entries (in what was read 2 by a door, 1 without a door), 3 unusual ({since}); {lost}"
    assert_alike(found, events, top, f"<p>Of the events {lost}.</p>")
    assert "\n\nWhat CloudTrail saw\nAsked: only us-east-1. CloudTrail from 2026-09-01" in found.text


def open_world() -> World:
    """Doors for one, for a whole account, for everyone and for any identity provider; one that asks for MFA; a step."""
    world, ann = two_keys(), world_arn(HUB, "user/ann")
    trusting = {"name": "ci", "assumeRolePolicy": document(trusts(ann))}
    world.change(world.resources[2], inputs=trusting, outputs=trusting)
    build, deployer = world.role("build", world.hub), world_arn(STAGE, "role/deployer")
    world.grant("build", world.hub, deployer)
    trusting = {"name": "deployer", "assumeRolePolicy": document(trusts(CI_ROLE, world_arn(HUB, f"role/{build.name}")))}
    world.change(world.resources[3], inputs=trusting, outputs=trusting)
    world.role("vendor", world.stage, document(trusts(world_arn(OUTSIDE, "root"))))
    world.role("open", world.stage, document({"Effect": "Allow", "Principal": "*", "Action": "sts:*"}))
    world.role("reader", world.stage, document(trusts(ann, condition=MFA)))
    if_there = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}
    world.role("lax", world.stage, document(trusts(ann, condition=if_there)))
    world.add("User", "ann", world.hub, name="ann")
    may = document(grants(world_arn(STAGE, "role/reader"), world_arn(STAGE, "role/lax")))
    world.add("UserPolicy", "ann", world.hub, user="ann", policy=may)
    return world


def of_open_world() -> list[dict[str, Any]]:
    def untold(account: str, unique_id: str, role: str, time: str, **more: Any) -> dict[str, Any]:
        told = {"type": "AWSAccount", "accountId": account, "principalId": unique_id}
        return entry(CI, role, time, userIdentity=told, **more)

    ann, eve, bob = world_arn(HUB, "user/ann"), world_arn(OUTSIDE, "user/eve"), world_arn(STAGE, "user/bob")
    deployer, opened = world_arn(STAGE, "role/deployer"), world_arn(STAGE, "role/open")
    by_saml = {"type": "SAMLUser", "userName": "zoe", "identityProvider": "S"}
    return [
        entry(CI, deployer, "2026-09-01T10:00:00Z"),
        entry(CI, deployer, "2026-09-02T10:00:00Z"),
        untold(HUB, "AROASOMEBODY:x", deployer, "2026-09-03T10:00:00Z"),
        untold(OUTSIDE, "AROAVENDOR:x", world_arn(STAGE, "role/vendor"), "2026-09-04T10:00:00Z"),
        entry(eve, opened, "2026-09-05T10:00:00Z"),
        entry(eve, opened, "2026-09-06T10:00:00Z", eventName="AssumeRoleWithSAML", userIdentity=by_saml),
        entry(ann, world_arn(STAGE, "role/reader"), "2026-09-07T10:00:00Z"),
        entry(world_arn(HUB, "user/mallory"), deployer, "2026-09-20T10:00:00Z"),
        entry(ann, CI_ROLE, "2026-09-21T10:00:00Z", recipientAccountId=HUB),
        untold(HUB, "AIDASOMEBODY", CI_ROLE, "2026-09-21T11:00:00Z", recipientAccountId=HUB),
        denied(ann, deployer, "2026-09-22T10:00:00Z"),
        denied(bob, deployer, "2026-09-22T10:00:00Z"),
        entry(bob, deployer, "2026-09-22T09:00:00Z"),
        signed_in(STAGE, "2026-09-22T10:00:00Z"),
    ]


def test_every_number_adds_up_and_is_the_same_in_text_page_table_and_json(tmp_path: Path) -> None:
    state = str(write_state(tmp_path / "state", open_world()))
    asked = ("stage", "--state", state, "--events", logs(tmp_path, *of_open_world()))
    found, data = report(*asked), read(*asked)
    events, summary = data["events"], data["summary"]
    doors = [(one["count"], one["perhaps"]) for one in (*events["doors"], *events["steps"])]
    kinds = events["entriesAndSteps"]
    assert kinds == Counter(one["what"] for one in events["population"])
    assert list(kinds.values()) == [5, 2, 1, 1, 1], kinds
    numbers = Numbers(
        Counter(way["permissions"]["level"] for way in data["ways"]),
        kinds["entry perhaps by a door"] + kinds["step perhaps on the way"],
        len(events["undeclared"]),
        len(events["unusual"]),
        sorted(doors),
    )
    assert (numbers.levels, numbers.without) == (summary["permissions"], kinds["entry without a door"])
    assert in_text(found.text) == in_page(found.page) == in_table(found.rows) == numbers

    entries = events["entries"]
    assert entries == sum(count for kind, count in kinds.items() if kind.startswith("entry"))
    said = f"at least {entries} entries (in what was read 5 by a door, 2 perhaps by a door, 1 without a door)"
    top = f"CloudTrail: {said}, 1 whose MFA is not shown though its door asks for it, {numbers.unusual} unusual"
    doors_of = [len(one["doors"]) for one in events["population"]]
    assert sum(map(sum, doors)) == sum(doors_of)
    apart = "1 call within the account, 1 failed attempt, 1 failed call within the account, "
    apart += "1 sign-in of the root user within the account"
    assert (sum(events["apart"].values()), apart.count("1 ")) == (4, 4)
    period = "UTC: 1 step on the way; 1 step perhaps on the way; "
    period += f"not among the entries: {apart}"
    without = sum(one["withoutExternalId"] for one in summary["thirdParties"])
    assert (summary["mfaNotAskedOfAccessKeys"], events["askedForAndNotShown"], without) == (1, {"MFA": 1}, 2)
    outside = "1 way open to anybody who has an account at AWS; "
    outside += "1 way open to anybody who has an account at any identity provider; "
    outside += "2 ways from third parties not shown to be in the organization, 2 without an external ID; "
    for shown in (found.text, found.page, "\n".join(row["why"] for row in found.rows)):
        for sentence in (top, period, f"{outside}1 way with MFA (not asked of access keys)"):
            assert sentence in shown
    assert Counter(row["third party"] for row in found.rows if row["third party"]) == {
        **{f"open to anybody who has an account at {one}": ways for one, ways in summary["openTo"].items()},
        **{one["known"]: one["ways"] for one in summary["thirdParties"]},
    }


def test_how_doors_that_are_alike_but_for_the_account_were_used_is_said_once_and_added_up(tmp_path: Path) -> None:
    world = organization(30)
    state = str(write_state(tmp_path / "state", world))
    roles = [world_arn(f"{200000000000 + number}", "role/deployer") for number in range(30)]
    records = [entry(CI, role, f"2026-09-0{day}T10:00:00Z") for role in roles[:25] for day in (1, 2)]
    asked = ("--state", state, "--events", logs(tmp_path, *records, read_event(HUB, "2026-09-02T10:00:00Z")))
    found = report(*asked)
    doors = [(one["count"], one["perhaps"]) for one in read(*asked)["events"]["doors"]]
    assert (len(doors), sum(count for count, _ in doors)) == (62, 50)
    for numbers in (in_text(found.text), in_page(found.page)):
        assert len(numbers.doors) < 10
        assert [sum(each) for each in zip(*numbers.doors, strict=True)] == [50, 0]
    deployer = f"role ci of management ({HUB}) -> role deployer of"
    several = rf"{re.escape(deployer)} 25 accounts \(list (\d+)\), 50 times"
    line = re.search(rf"^used: {several}, as run-1, last ", found.text, re.M)
    assert line
    names = ", ".join(f"team-{200000000000 + number}" for number in range(25))
    assert f"  list {line[1]}: {names}\n" in found.text
    assert re.search(several, found.page)
    assert re.search(rf"<li>list \d+: {names}</li>", found.page)


@dataclass
class Numbers:
    """What somebody counts in a report: ways by level, entries and uses of steps, what is unusual, each door's use."""

    levels: Mapping[str, int]
    perhaps: int
    without: int
    unusual: int
    doors: list[tuple[int, int]]


def times(lines: Iterable[str]) -> list[tuple[int, int]]:
    """How often each door was used, surely and perhaps, as its line says."""
    found = ((re.search(r", (\d+) time", line), re.search(r"perhaps (\d+) time", line)) for line in lines)
    return sorted((int(sure[1]) if sure else 0, int(perhaps[1]) if perhaps else 0) for sure, perhaps in found)


def kinds(lines: Iterable[str]) -> Counter[str]:
    """How many uses are of each kind, as what stands before the colon of each line says."""
    found: Counter[str] = Counter()
    for line in lines:
        for kind, count in re.findall(
            r"(?:^|, )(perhaps by|without a door|unusual)[^:]*?(?: \((\d+)\))?(?=, |: )", line
        ):
            found[kind] += int(count or 1)
    return found


def in_text(text: str) -> Numbers:
    ways, _, events = text.partition("What CloudTrail saw")
    starts = kinds(events.splitlines())
    usages = ("used", "perhaps used", "not known", "no record of use", "on the way, ")
    doors = [line for line in events.partition("\nOf ")[0].splitlines() if line.startswith(usages)]
    levels = Counter(re.findall(r"^  ([a-z ]+?)(?: \(.*?\))?: .* -> ", ways, re.MULTILINE))
    return Numbers(levels, starts["perhaps by"], starts["without a door"], starts["unusual"], times(doors))


def in_page(page: str) -> Numbers:
    tables: dict[str, list[list[str]]] = defaultdict(list)
    for caption, body in re.findall(r"<caption>(.*?)</caption>.*?</thead>(.*?)</table>", page, re.DOTALL):
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
            tables[caption].append(re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL))
    starts = kinds(f"{what}: " for what, _ in tables["To look at: each use once"])
    levels: Counter[str] = Counter()
    principals = 1
    for first, *others in tables["Ways in by principal"]:
        principals = first.partition(" (")[0].count(", ") + 1 if not others else principals
        levels += Counter({others[0].partition(":")[0]: principals} if others else {})
    doors = re.findall("<li>(.*?)</li>", page.partition("<h3>Use of each door</h3>")[2].partition("\n<p>")[0])
    return Numbers(levels, starts["perhaps by"], starts["without a door"], starts["unusual"], times(doors))


def in_table(rows: list[dict[str, str]]) -> Numbers:
    kinds = Counter(row["what"] for row in rows)
    return Numbers(
        Counter(row["permissions"].partition(" (")[0] for row in rows if row["what"] == "way in"),
        kinds["entry perhaps by a door"] + kinds["step perhaps on the way"],
        kinds["entry without a door"],
        sum(bool(row["unusual"]) for row in rows),
        sorted(
            (int(row["count"]), int(row["perhaps"]))
            for row in rows
            if row["usage"] and row["what"].startswith(("door", "step"))
        ),
    )


def test_a_period_limits_the_events(tmp_path: Path) -> None:
    folder = logs(
        tmp_path, entry(ALICE, READ_ONLY, "2026-09-01T10:00:00Z"), entry(CI, DEPLOYER, "2026-10-01T10:00:00Z")
    )
    events = read("prod", "--events", folder, "--from", "2026-09-15", "--until", "2026-10-15")["events"]
    same = read("prod", "--events", folder, "--from", "2026-10-01", "--until", "2026-10-01")["events"]
    assert same["entries"] == 1, "the last day is whole"
    assert read("prod", "--events", folder, "--until", "2026-10-01T09:59:59")["events"]["entries"] == 1
    used = {one["target"]["name"] for one in events["doors"] if one["usage"] == "used"}
    assert used == {"deployer"}
    assert events["from"] == "2026-09-15T00:00:00+00:00"
    period = {"from": "2026-09-15T00:00:00+00:00", "until": "2026-10-15T23:59:59.999999+00:00"}
    assert events["asked"] == {**period, "regions": None}
    # What was recorded in September and October says nothing of other months.
    assert events["until"] == "2026-10-01T10:00:00+00:00"
    for start, end in (("2026-07-01", "2026-08-01"), ("2026-11-01", "2026-12-01")):
        events = read("prod", "--events", folder, "--from", start, "--until", end)["events"]
        assert (events["from"], events["doors"]) == (None, [])


def test_the_last_moment_that_there_is_ends_what_is_usual(tmp_path: Path) -> None:
    events = read("prod", "--events", logs(tmp_path, entry(CI, DEPLOYER, "9999-12-31T23:59:59Z")))["events"]
    assert (events["learnedUntil"][:10], events["entries"]) == ("9999-12-31", 1)


def test_the_exit_code_tells_on_demand_that_somebody_has_to_look(tmp_path: Path) -> None:
    folder = logs(tmp_path, read_event(HUB, "2026-09-22T10:00:00Z"), denied(ALICE, READ_ONLY, "2026-09-22T10:00:00Z"))
    digests(Path(folder), HUB, "2026-09-22", "2026-09-22")
    assert run("prod", *ONE_REGION, "--events", folder).return_value == 0
    assert run("prod", *ONE_REGION, "--events", folder, "--exit-code").return_value == 1
    assert run("stage", *ONE_REGION, "--events", folder, "--exit-code").return_value == 1, "stage's own trail lacks"
    log = json.dumps({"Records": [read_event(STAGE, "2026-09-22T10:00:00Z")]})
    Path(folder, f"{STAGE}_CloudTrail_us-east-1_20260922T1010Z_x.json").write_text(log)
    assert run("stage", *ONE_REGION, "--events", folder, "--exit-code").return_value == 1, "the states are younger"
    written("2026-09-22")
    assert run("stage", *ONE_REGION, "--events", folder, "--exit-code").return_value == 0
    assert run("prod", "--exit-code").return_value == 0
    assert run("stage", *ONE_REGION, "--events", folder, "--until", "2026-09-01", "--exit-code").return_value == 1


@pytest.mark.parametrize(
    ("role", "day", "trusted", "later"),
    [
        ("deployer", "2026-09-14", CI_ROLE, False),
        ("deployer", "2026-09-14", f"arn:aws:iam::{OUTSIDE}:root", True),  # which no update reads
        ("new", "2026-09-14", CI, True),  # nor does it find a role that no stack made
        ("new", "2026-09-16", CI, True),
    ],
)
def test_a_change_of_keys_that_the_state_does_not_have_says_at_the_top_that_there_may_be_more_ways(
    tmp_path: Path, role: str, day: str, trusted: str, later: bool
) -> None:
    """The engine says in a state's `manifest` when it wrote it.

    https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/apitype/core.go (ManifestV1)
    """
    state = json.loads(write_state(tmp_path / "state", two_keys()).read_text())
    state["deployment"]["manifest"] = {"time": "2026-09-15T09:59:30.553182123Z"}
    (tmp_path / "state").write_text(json.dumps(state))
    asked = {"roleName": role, "policyDocument": document(trusts(trusted))}
    change = called(STAGE, f"{day}T10:00:00Z", "UpdateAssumeRolePolicy", "eve", requestParameters=asked)
    command = (STAGE, "--state", str(tmp_path / "state"), "--events", logs(tmp_path, change))
    found = report(*command)
    what = f"UpdateAssumeRolePolicy of {role} in {STAGE} on {day} 10:00 UTC by user eve of {STAGE}"
    said = "Not shown: changes of keys that the states do not have (to be looked at)"
    data = read(*command)
    shown = [said in each for each in (found.text, found.table, data["notShown"] or "", found.page)]
    assert shown == [later] * 4
    assert data["changesNotShown"] == [row["why"] for row in found.of("change not shown")] == [what] * later
    assert (" at least " in found.text.partition(" in (")[0], data["summary"]["mayBeMore"]) == (later, later)


def test_a_past_day_is_answered_by_its_states_and_dates_are_held_against_it(tmp_path: Path) -> None:
    """`aws:CurrentTime`: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html."""
    world = two_keys()
    until = {"DateLessThan": {"aws:CurrentTime": "2026-07-01T00:00:00Z"}}
    world.role("over", world.stage, document(trusts(CI_ROLE, condition=until)))
    world.grant("ci", world.hub, world_arn(STAGE, "role/over"))
    state = json.loads(write_state(tmp_path / "state", world).read_text())
    state["deployment"]["manifest"] = {"time": "2026-06-15T22:59:30.553182123Z"}
    (tmp_path / "state").write_text(json.dumps(state))
    command = (STAGE, "--state", str(tmp_path / "state"))

    def of_over(*more: str) -> list[str]:
        return [way["now"] for way in read(*command, *more)["ways"] if way["target"]["name"] == "over"]

    assert (of_over(), of_over("--at", "2026-06-30")) == (["closed by date"], ["open"])
    found = read(*command, "--at", "2026-06-30")
    assert (found["at"][:19], found["made"] > "2026-07") == ("2026-06-30T23:59:59", True)
    said = "Dates in keys and of exceptions are held against 2026-06-30 23:59 UTC (--at)"
    assert said in run(*command, "--at", "2026-06-30").output.replace("\n", " ")
    assert read(*command, "--at", "2026-6-30")["at"] == found["at"]
    assert "this state is of after --at" in str(refusal(*command, "--at", "2026-06-01"))
    (tmp_path / "state").write_text(json.dumps({**state, "deployment": {**state["deployment"], "manifest": {}}}))
    assert "nothing tells whether this state is of before --at" in str(refusal(*command, "--at", "2026-06-30"))
    for wrong in (("--at", "2999-01-01"), ("--at", "2026-06-30", "--live")):
        assert "--at is for a moment that is over" in str(refusal(STAGE, *wrong))


def test_users_who_signed_in_are_named_with_mfa_and_those_who_could_not_apart(tmp_path: Path) -> None:
    failed = {"errorMessage": "Failed authentication"}
    folder = logs(
        tmp_path,
        signed_in(PROD, "2026-09-22T10:00:00Z", "zoe", additionalEventData={"MFAUsed": "Yes"}),
        signed_in(PROD, "2026-09-23T10:00:00Z", "zoe", additionalEventData={"MFAUsed": "No"}),
        signed_in(PROD, "2026-09-24T10:00:00Z", "zoe", **failed),
        signed_in(PROD, "2026-09-25T10:00:00Z", "HIDDEN_DUE_TO_SECURITY_REASONS", **failed),
    )
    found = report("prod", "--events", folder)
    signed = f"user zoe of prod ({PROD}) at the console, 2 times, last 2026-09-23 10:00 UTC, MFA used: yes 1, no 1"
    assert f"\nsigned in: {signed}\n" in found.text
    assert "2 failed sign-ins of IAM users within the account, 2 sign-ins of IAM users within the account" in found.text
    assert f"<li>{signed}</li>" in found.page
    (data,) = read("prod", "--events", folder)["events"]["signIns"]
    assert (data["user"]["name"], data["count"], data["mfaUsed"]) == ("zoe", 2, {"yes": 1, "no": 1})
    assert [data["accountName"], *(row["account name"] for row in found.of("signed in"))] == ["prod", "prod"]
    assert [(row["who"], row["of account"], row["into role"]) for row in found.of("unusual")] == [
        *[("user zoe", "prod", "console")] * 3,
        ("user HIDDEN_DUE_TO_SECURITY_REASONS", "prod", "console"),
    ]


def test_accounts_that_log_files_cover_and_no_digests_are_named_once_at_the_top(tmp_path: Path) -> None:
    """The digests beside the log files are what CloudTrail proves deliveries with.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
    """
    folder = tmp_path / "AWSLogs"
    folder.mkdir()
    for account in (PROD, HUB):
        log = json.dumps({"Records": [read_event(account, "2026-09-22T09:00:00Z")]})
        Path(folder, f"{account}_CloudTrail_us-east-1_20260922T0910Z_x.json").write_text(log)
    written("2026-09-22")
    asked = ("prod", *ONE_REGION, "--events", str(folder))
    for without, given in (("prod, management", PROD), ("management", HUB), ("", "")):
        found, events = report(*asked, "--exit-code"), read(*asked)["events"]
        said = f"; no digests of {without}: a log file that is missing would not show"
        shown = (found.text.partition("\n\n")[0], found.page, found.table, events["summary"])
        assert [said in one for one in shown] == [bool(without)] * 4
        assert found.text.count("no digests") == bool(without)
        assert (" at least " in found.text, found.code) == (False, 0)
        assert [one["account"] for one in events["coverage"] if one["withoutDigests"]] == [
            account for account, name in ((PROD, "prod"), (HUB, "management")) if name in without
        ]
        assert {one["withoutDigests"] for one in events["doors"]} == {"prod" in without}, (
            "either account has each entry"
        )
        if given:
            digests(folder, given, "2026-09-22", "2026-09-22")


def test_every_enabled_region_counts_unless_people_name_those_that_do(tmp_path: Path) -> None:
    folder = logs(tmp_path, read_event(HUB, "2026-09-22T09:00:00Z"))
    for region in ENABLED:
        digests(Path(folder), HUB, "2026-09-22", "2026-09-22", region)
    (lost,) = Path(folder).glob("*_CloudTrail-Digest_sa-east-1_*")
    lost.unlink()
    events = read("prod", "--events", folder)["events"]
    assert [(one["notCovered"], one["regions"]) for one in events["coverage"]] == [
        ("", sorted(ENABLED)),
        ("in sa-east-1", sorted(ENABLED)),
    ]
    assert "regions that AWS does not enable by default, but for" in events["notLookedAt"]
    asked = ("prod", "--region", "us-east-1", "--region", "eu-west-1", "--events", folder)
    named = read(*asked)["events"]
    assert named["asked"]["regions"] == ["us-east-1", "eu-west-1"]
    assert "\nAsked: only us-east-1 and eu-west-1. CloudTrail from" in run(*asked).output
    assert [(one["notCovered"], one["regions"]) for one in named["coverage"]][1] == (None, ["eu-west-1", "us-east-1"])
    assert "regions other than us-east-1, eu-west-1, but for" in named["notLookedAt"]
    refused = refusal("prod", "--region", "us-esat-1", "--events", folder)
    assert isinstance(refused, Refusal)
    assert (refused.where, refused.next_step[:16]) == ("--region", "write us-east-1,")


def test_of_an_account_without_records_in_the_period_no_door_is_said_to_be_never_used(tmp_path: Path) -> None:
    elsewhere = signed_in(PROD, "2026-09-22T10:00:00Z", recipientAccountId=PROD)
    home = entry(CI, DEPLOYER, "2026-09-01T10:00:00Z")
    folder, said = logs(tmp_path, home, elsewhere), "stage is not covered; management is not covered"
    asked = ("stage", *ONE_REGION, "--events", folder, "--from", "2026-09-15")
    found = report(*asked)
    assert f"\nnot known: role ci of management ({HUB}) -> role deployer of stage" in found.text
    assert (f": {said}\n" in found.text, f": {said}<" in found.page) == (True, True)
    assert all("no record of use" not in shown for shown in (found.text, found.page, found.table))
    rows = [row for row in found.rows if "door" in row["what"]]
    assert {(row["what"], row["why"].endswith(f": {said}")) for row in rows} == {("door not known", True)}
    doors = read(*asked)["events"]["doors"]
    assert {(one["usage"], one["whyNotKnown"]) for one in doors} == {("not known", said)}
    assert f"{len(doors)} doors of which it is not known whether they were used (" in found.text
    assert "; not covered: stage, management (8 days: 2026-09-15 to 2026-09-22): " in found.text
    assert (found.code, run(*asked, "--exit-code").return_value) == (0, 1)


def test_of_the_event_history_the_evidence_names_account_regions_and_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Asked(boto3.Session):
        def client(self, service: Any, region_name: Any = None, **_: Any) -> Any:
            client = super().client(service, region_name)
            stub = Stubber(client)
            if service == "sts":
                stub.add_response("get_caller_identity", {"Account": HUB, "Arn": ALICE, "UserId": "AIDAALICE"})
            else:
                found = entry(CI, DEPLOYER, "2026-11-01T00:00:00Z")
                for _lookup in ASKED:
                    stub.add_response("lookup_events", {"Events": [{"CloudTrailEvent": json.dumps(found)}]})
            stub.activate()
            return client

    monkeypatch.setattr("boto3.Session", lambda: Asked("test", "test", region_name="eu-central-1"))
    monkeypatch.setattr("twokeys.audit.lookup._PAUSE", 0)
    period = ("--from", "2026-10-31", "--until", "2026-11-01")
    name = f"CloudTrail's event history of account {HUB} in {', '.join(sorted(ENABLED))}"
    span = "events from 2026-10-31 00:00:00 to 2026-11-01 23:59:59 UTC"
    assert f"; {name} (asked as {ALICE}, {span}); TwoKeys" in run("prod", "--events-api", *period).stdout
    events = read("prod", "--events-api", *ONE_REGION, *period)["events"]
    assert events["sources"][0]["name"].endswith(f" {HUB} in us-east-1")
    assert "; of the event history changes of keys that are not known to let more in; " in events["notLookedAt"]
    assert (events["entries"], events["sources"][0]["caller"], events["sources"][0]["sha256"]) == (1, ALICE, None)


def test_entries_for_another_person_or_from_another_address_are_lines_of_their_own(tmp_path: Path) -> None:
    """Source identity: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html"""
    mallory = f"arn:aws:iam::{HUB}:user/mallory"
    for_eve = {"roleArn": READ_ONLY, "roleSessionName": "s", "sourceIdentity": "eve"}
    records = [
        entry(mallory, READ_ONLY, "2026-09-01T10:00:00Z", sourceIPAddress="198.51.100.7"),
        entry(mallory, READ_ONLY, "2026-09-01T11:00:00Z", sourceIPAddress="203.0.113.9", requestParameters=for_eve),
        entry(mallory, READ_ONLY, "2026-09-01T12:00:00Z", sourceIPAddress="203.0.113.9", requestParameters=for_eve)
        | {"awsRegion": "eu-west-3"},
    ]
    text = run("prod", "--events", logs(tmp_path, *records)).stdout
    first, other = (
        line for line in text.splitlines() if " UTC user mallory" in line and " -> " in line and " from " in line
    )
    assert "from 198.51.100.7" in first
    assert "for eve" not in first
    assert "the last of" not in first
    assert "from 203.0.113.9" in other
    assert "for eve" in other
    assert "the last of 2 since 2026-09-01 11:00 UTC in 2 regions" in other


def test_of_one_person_the_answer_is_what_may_be_entered_and_what_was_done(tmp_path: Path) -> None:
    """Source identity: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html"""
    key, session = {"accessKeyId": "ASIA1"}, f"arn:aws:sts::{PROD}:assumed-role/read-only/x"
    for_alice = {"roleArn": DEPLOYER, "roleSessionName": "s", "sourceIdentity": "alice"}
    inside = entry(session, "", "2026-09-03T10:00:00Z", eventSource="iam.amazonaws.com", eventName="CreateUser")
    records = [
        entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"),
        entry(ALICE, READ_ONLY, "2026-09-01T11:00:00Z", responseElements={"credentials": key}),
        entry(CI, DEPLOYER, "2026-09-02T10:00:00Z", requestParameters=for_alice),
        entry(
            f"arn:aws:iam::{HUB}:root",
            READ_ONLY,
            "2026-09-02T11:00:00Z",
            userIdentity={"type": "AWSAccount", "accountId": HUB},
        ),
        {**inside, "userIdentity": inside["userIdentity"] | key, "recipientAccountId": PROD},
        {**inside, "eventName": "DeleteUser", "sharedEventID": "another", "recipientAccountId": PROD},
        denied(f"arn:aws:iam::{HUB}:user/mallory", READ_ONLY, "2026-09-03T11:00:00Z"),
        denied(ALICE, DEPLOYER, "2026-09-03T12:00:00Z"),
        signed_in(PROD, "2026-09-04T10:00:00Z", "zoe"),
        called(HUB, "2026-09-05T10:00:00Z", "GetFederationToken", "alice"),
    ]
    found = read("prod", "--person", "alice", "--events", logs(tmp_path, *records))
    assert [(one["source"]["name"], one["target"]["name"]) for one in found["ways"]] == [("alice", "read-only")]
    events = found["events"]
    assert [(one["caller"]["name"], one["role"]) for one in events["population"]] == [
        ("alice", "read-only"),
        ("ci", "deployer"),
    ]
    assert [(one["source"]["name"], one["count"] + one["perhaps"]) for one in events["doors"]] == [("alice", 1)]
    assert [one["event"] for one in events["changes"]] == ["CreateUser"]
    assert ["AccessDenied" in one["why"][0] for one in events["unusual"]].count(True) == 1
    assert {one["caller"]["name"] for one in events["unusual"]} == {"alice"}
    of_key = "GetFederationToken calls of user alice of management with an access key that nothing read shows"
    assert (len(events["ways"]), events["signIns"], events["apart"]) == (1, [], {of_key: 1})
    only_seen = read("prod", "--person", "mallory", "--events", str(tmp_path / "AWSLogs"))
    assert (only_seen["ways"], [one["caller"]["name"] for one in only_seen["events"]["unusual"]]) == ([], ["mallory"])
    text = run("prod", "--person", "alice").stdout
    assert text.startswith("Whether alice can enter prod (from the states ")
    assert "role ci" not in text
    refused = refusal("prod", "--person", "alcie")
    assert isinstance(refused, Refusal)
    assert refused.next_step.startswith("write alice, if that is meant, or name a user of IAM")


@pytest.mark.parametrize(
    ("role", "trusted", "concerned"),
    [
        ("deployer", f"arn:aws:iam::{OUTSIDE}:root", False),
        ("deployer", ALICE, True),
        ("read-only", f"arn:aws:iam::{OUTSIDE}:root", True),  # what it was before, nothing tells
    ],
)
def test_the_answer_of_one_person_hangs_on_the_changes_of_that_persons_ways_alone(
    tmp_path: Path, role: str, trusted: str, *, concerned: bool
) -> None:
    own = {
        resource["inputs"]["name"]: resource["inputs"]["assumeRolePolicy"]
        for resource in json.loads((STATES / "prod.json").read_text())["deployment"]["resources"]
        if "assumeRolePolicy" in resource.get("inputs", {})
    }[role]
    written("2026-09-30")
    calls = [
        called(
            *(PROD, f"2026-09-1{day}T08:00:00Z", "UpdateAssumeRolePolicy", "eve"),
            requestParameters={"roleName": role, "policyDocument": policy},
        )
        for day, policy in enumerate((document(trusts(trusted)), own))
    ]
    reads = [read_event(account, f"2026-09-{day}T23:00:00Z") for account in (HUB, PROD) for day in ("01", "30")]
    folder = logs(tmp_path, *calls, *reads)
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-30")
    asked = ("prod", *ONE_REGION, "--events", folder, "--from", "2026-09-01", "--until", "2026-09-30", "--exit-code")
    assert run(*asked).return_value == 1
    assert run(*asked, "--person", "alice").return_value == concerned


def test_a_group_whose_members_nothing_shows_may_be_the_person_s() -> None:
    world, trust = two_keys(), document(trusts(world_arn("111111111111", "root")))
    for group in ("of-bob", "of-nobody-shown"):
        world.add("Group", group, world.hub, name=group)
        grant = document(grants(world_arn(STAGE, f"role/{group}")))
        world.add("GroupPolicy", group, world.hub, group=group, policy=grant)
        world.role(group, world.stage, trust)
    for user in ("ann", "bob"):
        world.add("User", user, world.hub, outputs={"name": user, "uniqueId": f"AIDA{user}"}, name=user)
    world.add("UserGroupMembership", "bob", world.hub, user="bob", groups=["of-bob"])
    for user, entered in (("ann", {"of-nobody-shown"}), ("bob", {"of-bob", "of-nobody-shown"})):
        assert {way.target.who.name for way in of_person(answered(world.graph), user).ways} == entered


def test_what_is_not_known_is_refused_with_the_next_step(tmp_path: Path) -> None:
    refused = refusal("dev")
    assert isinstance(refused, Refusal)
    assert "the environments are prod, stage" in refused.why
    assert refusal("prod", "--live", "--stack", "prod") is not None
    assert refusal("prod", "--events", logs(tmp_path), "--events-api") is not None
    misspelt = refusal("prd")
    assert isinstance(misspelt, Refusal)
    assert misspelt.next_step.startswith("write prod, if that is meant, or name an account")
    for period, why in (
        (("--from", "2026-11-20", "--until", "2026-11-10"), "--from is later than --until"),
        (("--from", "2026-11-20", "--at", "2026-11-10"), "--from is later than --at"),
        (("--until", "2026-11-20", "--at", "2026-11-10"), "--until is later than --at"),
        (("--from", "2999-01-01"), "--from is in the future"),
    ):
        with pytest.raises(UsageError, match=why):
            run("prod", "--events", str(tmp_path / "AWSLogs"), *period)
    for option in (["--from", "2026-09-15"], ["--until", "2026-09-15"], ["--region", "eu-west-1"]):
        unheard = refusal("prod", *option)
        assert isinstance(unheard, UsageError)
        assert f"{option[0]} without events" in str(unheard)


def test_where_only_the_demo_ran_its_states_are_read() -> None:
    Path(".twokeys", "stacks").rename(Path(".twokeys", "moved"))
    Path(".twokeys", "demo").mkdir()
    Path(".twokeys", "moved").rename(Path(".twokeys", "demo", "stacks"))
    assert len(read("prod")["ways"]) == 3


@pytest.mark.parametrize(
    ("caller", "named"),
    [
        ("arn:aws:sts::111111111111:assumed-role/admin/ann", True),
        ("arn:aws:iam::111111111111:user/ann", True),
        (CI, False),
        (ALICE, False),
        (None, False),
        (7, False),
    ],
)
def test_every_answer_says_that_states_show_only_what_stacks_made_and_an_audit_s_evidence_who_else_ran_them(
    caller: object, named: bool
) -> None:
    state = Path(".twokeys/stacks/prod.json")
    whole = json.loads(state.read_text())
    (stack,) = (one for one in whole["deployment"]["resources"] if one["type"] == "pulumi:pulumi:Stack")
    stack["outputs"]["parent_caller_arn"] = caller
    state.write_text(json.dumps(whole))
    ran = f"The updates were run by {caller}" * named
    only = ("prod", "--state", str(state))
    found, data = report(*only), read(*only)
    for said in found.text, found.page:
        assert (SCOPE in said, "The updates were run by" in said, ran in said) == (True, named, True)
    assert f". {ran}. Not looked at" in found.text or not named
    reasons = [one["why"] for one in found.rows]
    assert (SCOPE in reasons, ran in reasons) == (True, named)
    assert (data["scope"], data["evidence"]["updatesRunBy"]) == (SCOPE, ran)
    check = CliRunner().invoke(access, ["check", "--state", str(state)], standalone_mode=False)
    assert (check.return_value, f"\n{SCOPE}\n" in check.output) == (0, True)


def test_an_answer_says_which_states_it_was_read_from_and_what_it_does_not_look_at() -> None:
    names = [f"{name}.json" for name in ("management", "prod", "stage")]
    hashes = {name: hashlib.sha256(Path(".twokeys/stacks", name).read_bytes()).hexdigest() for name in names}
    found = read("prod")
    evidence = found["evidence"]
    assert {one["name"]: (one["sha256"], one["time"]) for one in evidence["read"]} == {
        name: (hashes[name], WRITTEN) for name in names
    }
    assert (evidence["version"], found["made"][:2]) == (version("twokeys"), "20")
    as_said = report("prod")
    for name in names:
        assert f"{name} (sha256 {hashes[name][:12]}, written {WRITTEN})" in as_said.text
        assert f"sha256 {hashes[name]}, written {WRITTEN}" in as_said.page
    over_all = hashlib.sha256("".join(f"{one['sha256']}\n" for one in evidence["read"]).encode()).hexdigest()
    assert f"sha256 of what was read (see Evidence): {over_all}" in as_said.page, "above the signature"
    for shown, said in ((as_said.text, IN_SHORT), (as_said.page, evidence["notLookedAt"])):
        assert said in shown
        assert f"TwoKeys {version('twokeys')}, 20" in shown


def test_each_column_of_the_table_has_what_the_sources_say(tmp_path: Path) -> None:
    """Of the demo's organization and one record of CloudTrail, or of a stack with what the demo has not."""
    used = entry(ALICE, READ_ONLY, "2026-09-01T10:00:00Z")
    used["userIdentity"]["sessionContext"] = {"sourceIdentity": "alice", "attributes": {"mfaAuthenticated": "true"}}
    used["responseElements"] = {"credentials": {"accessKeyId": "ASIA1"}}
    then = called(PROD, "2026-09-01T10:05:00Z", "CreateUser")
    session = f"arn:aws:sts::{PROD}:assumed-role/read-only/alice"
    then["userIdentity"] |= {"type": "AssumedRole", "arn": session, "accessKeyId": "ASIA1"}
    by_another = called(PROD, "2026-09-01T10:06:00Z", "GetUser")
    by_another["userIdentity"] |= {"type": "AssumedRole", "arn": session, "invokedByDelegate": {"accountId": OUTSIDE}}
    of_demo = report("--events", logs(tmp_path, used, then, by_another))
    world = center(world=two_keys())
    outside = trusts(world_arn(OUTSIDE, "root"), condition={"StringEquals": {"sts:ExternalId": "12345"}})
    world.role("vendor", world.stage, document(outside))
    world.role("alone", world.stage, document(trusts(world_arn(HUB, "role/nobody"))))
    of_a_month = {
        f"Date{how}Than": {"aws:CurrentTime": f"2020-0{month}-01T00:00:00Z"}
        for how, month in (("Greater", 6), ("Less", 7))
    }
    world.role("dated", world.stage, document(trusts(world_arn(STAGE, "role/deployer"), condition=of_a_month)))
    state = write_state(tmp_path / "a", world)
    exported = json.loads(state.read_text())
    for resource in exported["deployment"]["resources"]:
        resource |= {"created": MADE, "modified": WRITTEN}
    state.write_text(json.dumps(exported))
    rows = [*of_demo.rows, *report("--state", str(state)).rows]
    alice = {"what": "entry perhaps by a door", "account": "333333333333", "account name": "prod", "who": "user alice"}
    call = {"time": "2026-09-01T10:00:00Z", "call": "AssumeRole", "from address": "192.0.2.101", "region": "us-east-2"}
    found: list[dict[str, str]] = [
        {**alice, **call, "session": "session", "source identity": "alice", "MFA shown": "yes",
            "door": "prod-read-only"},
        {**alice, "what": "way in", "kind": "user", "of account": "management", "into role": "read-only", "if": "MFA",
            "permissions": "read", "policies": "ReadOnlyAccess", "keys": "both keys", "up to": "1 h",
            "owner": "platform", "usage": "perhaps used", "count": "0", "perhaps": "1", "last use": call["time"],
            "since": MADE},
        {"what": "change of keys", "who": "role read-only", "begun by": "user alice of management"},
        {"what": "unusual", "call": "GetUser", "third party": OUTSIDE,
            "unusual": "call of a product provider by temporary delegation, 1 time"},
        {"who": "Identity Center group admins", "members": "ann", "not before": MADE, "not after": WRITTEN},
        {"into role": "vendor", "role ARN": world_arn(STAGE, "role/vendor"), "of account": OUTSIDE,
            "third party": "not shown to be in the organization", "external ID": "asked for"},
        {"into role": "dated", "through": f"role deployer of {STAGE}", "opens": "2020-06-01T00:00:00Z",
            "expires": "2020-07-01T00:00:00Z"},
    ]  # fmt: skip
    for values in found:
        said = {column: str(value).replace("+00:00", "Z") for column, value in values.items()}
        assert any(said.items() <= row.items() for row in rows), values
    texts = {"why", "trust keys", "grant keys", "next step", "event ID"}
    assert {*COLUMNS} == texts.union(*found), "give each column a value here that a row has to have"
    assert [column for column in texts if not any(row[column] for row in rows)] == []


def test_the_members_of_a_group_of_identity_center_that_are_shown_are_named_in_every_form(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/userguide/provision-automatically.html (others may be in it)."""
    state = str(write_state(tmp_path / "a", center()))
    found = report("--state", state)
    heading = "Members of groups, as far as shown (others may be in them)"
    assert f"\n{heading}\n  Identity Center group admins: ann\n" in found.text
    (row,) = [one for one in found.rows if one["kind"] and one["members"]]
    assert (row["what"], row["who"], row["members"]) == ("way in", "Identity Center group admins", "ann")
    assert "Identity Center group admins (1 not known) <small>members, as far as shown: ann</small>" in found.page
    ways = json.loads(run("--state", state, "--json").stdout)["ways"]
    assert [one["source"].get("members") for one in ways] == [["ann"], None]


def test_a_door_without_its_grant_is_named_with_the_next_step_in_text_page_and_table() -> None:
    state = Path(".twokeys/stacks/prod.json")
    whole = json.loads(state.read_text())
    kept = [one for one in whole["deployment"]["resources"] if not one["urn"].endswith("prod-read-only-grant")]
    state.write_text(json.dumps({"deployment": {**whole["deployment"], "resources": kept}, "version": 3}))
    found = report("prod")
    assert "; 1 door without a key or denied" in found.text
    door = "user alice of management -> role read-only of prod: no grant"
    assert f"Doors that are not open\n  {door}\n    Next step: give user alice a policy" in found.text
    assert f"<li>{door}. Next step: give user alice a policy" in found.page
    assert (found.code, run("prod", "--exit-code").return_value) == (0, 1)
    *ways, lacking, scope = found.rows
    assert (scope["what"], scope["why"]) == ("not shown", SCOPE)
    assert lacking["what"] == "door without a key or denied"
    assert (lacking["who"], lacking["into role"], lacking["keys"]) == ("user alice", "read-only", "no grant")
    assert lacking["next step"].startswith("give user alice a policy")
    assert (lacking["permissions"], lacking["owner"]) == ("", "platform")
    deployer = next(one for one in ways if one["into role"] == "deployer")
    assert (deployer["keys"], deployer["since"], deployer["not before"]) == (
        "both keys",
        MADE.replace("+00:00", "Z"),
        "",
    )
    assert (deployer["why"], deployer["owner"]) == ("prod-deployer; Deployments from release tags", "platform")


def test_users_with_a_password_or_an_active_key_are_listed_within_their_own_account() -> None:
    state = Path(".twokeys/stacks/prod.json")
    whole = json.loads(state.read_text())
    role = next(one for one in whole["deployment"]["resources"] if one["urn"].endswith("Role::prod-deployer"))
    for kind, user, status in (
        ("aws:iam/userLoginProfile:UserLoginProfile", "bob", None),
        ("aws:iam/accessKey:AccessKey", "bob", "Active"),
        ("aws:iam/accessKey:AccessKey", "eve", "Inactive"),
    ):
        values = {"user": user, **({"status": status} if status else {})}
        urn = f"urn:pulumi:prod::twokeys::{kind}::{user}"
        new = {**role, "urn": urn, "type": kind, "id": user, "inputs": values, "outputs": values, "dependencies": []}
        whole["deployment"]["resources"].append(new)
    state.write_text(json.dumps(whole))
    found = report("prod")
    assert "Within their own account\n  user bob of prod has a password and an access key of its own\n" in found.text
    assert "<p>user bob of prod has a password and an access key of its own.</p>" in found.page
    said = "1 user with long-term credentials"
    assert (f"\n{said}\n" in found.text, f"{said}." in found.page) == (True, True)
    assert run("prod", "--exit-code").return_value == 0, "it is known, as ways in are"
    assert [row["who"] for row in found.of("long-term credentials")] == ["user bob"]
    assert [one["user"]["name"] for one in read("prod")["longTerm"]] == ["bob"]
    assert read("stage")["longTerm"] == []


def test_the_policies_of_a_role_are_in_the_text_and_the_table_with_each_way_into_it(tmp_path: Path) -> None:
    second = world_arn(HUB, "role/second")
    world = two_keys(document(trusts(CI_ROLE, second)))
    world.role("second", world.hub)
    world.grant("second", world.hub, world_arn(STAGE, "role/deployer"))
    for role, policy in (("ci", "ReadOnlyAccess"), ("deployer", "PowerUserAccess")):
        where = world.hub if role == "ci" else world.stage
        world.add("RolePolicyAttachment", role, where, role=role, policyArn=f"arn:aws:iam::aws:policy/{policy}")
    world.role("a" * 60, world.stage, document(trusts(CI_ROLE)))
    world.grant("ci", world.hub, world_arn(STAGE, f"role/{'a' * 60}"))
    world.add(
        "RolePolicy", "may", world.stage, role="a" * 60, name="may", policy=document(grants("*", action="s3:Get*"))
    )
    found = report("--state", str(write_state(tmp_path / "a", world)))
    for role in ("ci", "second"):
        assert f"  write: role {role} of management -> role deployer\n    PowerUserAccess · always" in found.text
    assert f"  read: role ci of management -> role {'a' * 60}\n    inline policy may · always" in found.text
    assert {row["into role"]: row["policies"] for row in found.of("way in")}["deployer"] == "PowerUserAccess"


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        ((HUB, STAGE), "outside the organization"),
        ((HUB,), "not shown to be in the organization"),
        ((), "not shown to be in the organization"),
    ],
)
def test_a_third_party_is_said_to_be_outside_where_the_accounts_of_the_organization_are_known(
    listed: tuple[str, ...], known: str, tmp_path: Path
) -> None:
    """AWS's example of an external ID: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"""
    world = two_keys()
    accounts = [{"id": account, "name": account} for account in listed]
    world.add("Organization", "org", world.hub, outputs={"id": "o-1", "masterAccountId": HUB, "accounts": accounts})
    asked = {"StringEquals": {"sts:ExternalId": "12345"}}
    world.role("vendor", world.stage, document(trusts(world_arn(OUTSIDE, "root"), condition=asked)))
    world.role("guest", world.stage, document(trusts(world_arn(OUTSIDE, "root"))))
    state = str(write_state(tmp_path / "a", world))
    answer = report("stage", "--state", state)
    top = f"2 ways from third parties {known}, 1 without an external ID"
    assert top in answer.text.splitlines()[1]
    assert f"role guest\n    {known}, no external ID · always" in answer.text
    assert f"role vendor\n    {known} · external ID" in answer.text
    assert top in answer.page
    assert f"{known}, no external ID, always" in answer.page
    assert f"{known}, 1 of 2 ways without an external ID" in answer.page
    told = {row["into role"]: (row["third party"], row["external ID"]) for row in answer.of("way in")}
    assert told == {"deployer": ("", ""), "guest": (known, "not asked for"), "vendor": (known, "asked for")} | {
        name: ("", "") for name in told if name.startswith("Organization")
    }
    assert top in answer.of("summary")[0]["why"]
    assert [row["why"] for row in answer.of("organization")] == ["Organization o-1"]
    found = read("stage", "--state", state)
    assert found["summary"]["thirdParties"] == [{"known": known, "ways": 2, "withoutExternalId": 1}]
    (guest,) = [way for way in found["ways"] if way["target"]["name"] == "guest"]
    assert guest["thirdParty"] == {"known": known, "externalId": False}


ID = "4f3c2b1a"
ASKING = [
    ("StringEquals", ID, True), ("StringLike", ID, True), ("StringEqualsIgnoreCase", ID, True),
    ("ForAnyValue:StringEquals", ID, True), ("StringEquals", ["", ID], True), ("StringEquals", [ID, "*"], True),
    ("StringLike", f"{ID}*", False), ("StringEqualsIfExists", ID, False), ("ForAllValues:StringEquals", ID, False),
    ("StringNotEquals", ID, False), ("StringEquals", "${aws:PrincipalAccount}", False), ("BinaryEquals", ID, False),
]  # fmt: skip
DENYING = [
    ("StringNotEquals", ID, True), ("StringNotLike", ID, True), ("StringNotEqualsIfExists", ID, True),
    ("StringNotLike", f"{ID}*", False), ("StringEquals", ID, False), ("ForAnyValue:StringNotEquals", ID, False),
]  # fmt: skip


def test_rules_and_reports_agree_on_who_is_asked_for_an_external_id_and_none_writes_it_out(tmp_path: Path) -> None:
    """A pattern is met by guessing, and what holds without the key by whoever names none. STS takes no empty one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    world, vendor, asked = two_keys(), world_arn(OUTSIDE, "root"), {}
    for number, (operator, value, asks) in enumerate([*ASKING, *DENYING]):
        condition, name = {operator: {"sts:ExternalId": value}}, f"vendor-{number:02}"
        trust = [trusts(vendor, condition=condition)]
        if number >= len(ASKING):
            trust = [trusts(vendor), trusts("*", effect="Deny", condition=condition)]
        world.role(name, world.stage, document(*trust))
        asked[name] = asks
    either = [trusts(vendor, condition={"StringEquals": {"sts:ExternalId": f"{ID}-{number}"}}) for number in (1, 2)]
    world.role("vendor-of-two", world.stage, document(*either))
    asked["vendor-of-two"] = True
    world.role("never", world.stage, document(trusts(vendor, condition={"NumericEquals": {"sts:ExternalId": ID}})))
    state = str(write_state(tmp_path / "a", world))

    checked = CliRunner().invoke(access, ["check", "--state", state], standalone_mode=False).output
    refused = set(re.findall(r"violation: external-id: Role \S*?(vendor-\w+(?:-\w+)*)", checked))
    assert {name: name not in refused for name in asked} == asked
    found = report("stage", "--state", state)
    said = {row["into role"]: row["external ID"] for row in found.rows if row["third party"]}
    assert {name: said[name] == "asked for" for name in asked} == asked
    drawn = CliRunner().invoke(map_, ["--state", state, "--html", "map.html"], standalone_mode=False)
    assert drawn.exception is None
    published = CliRunner().invoke(access, ["export", "--state", state], standalone_mode=False).output
    as_json, on_the_map = run("stage", "--state", state, "--json").stdout, Path("map.html").read_text()
    written = (checked, found.text, found.page, found.table, as_json, published, on_the_map)
    assert [one for one in written if ID in one] == []


def test_a_way_that_is_open_to_everybody_at_a_provider_is_said_at_the_top_and_gives_1(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html."""
    world = two_keys()
    provider = world_arn(STAGE, "oidc-provider/token.actions.githubusercontent.com")
    subjects = {"StringLike": {"token.actions.githubusercontent.com:sub": ["repo:*", "repo:acme/app:*"]}}
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    world.role("gha", world.stage, document({**statement, "Condition": subjects}))
    state = str(write_state(tmp_path / "a", world))
    answer = report("stage", "--state", state, "--exit-code")
    said = "open to anybody who has an account at GitHub"
    assert (answer.code, f"1 way {said}" in answer.text.splitlines()[1], f"1 way {said}" in answer.page) == (
        1,
        True,
        True,
    )
    assert f"GitHub repo:* -> role gha\n    {said} · always" in answer.text
    assert "GitHub repo:acme/app:* -> role gha\n    always" in answer.text
    assert {row["who"]: row["third party"] for row in answer.rows if row["into role"] == "gha"} == {
        "GitHub repo:*": said,
        "GitHub repo:acme/app:*": "",
    }
    found = read("stage", "--state", state)
    assert found["summary"]["openTo"] == {"GitHub": 1}
    assert [way["source"]["name"] for way in found["ways"] if way["openTo"]] == ["GitHub repo:*"]


ANY_OF_AWS = "who has an account at AWS"
GUESTS = {
    "Effect": "Allow",
    "Principal": {"Federated": "cognito-identity.amazonaws.com"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {
        "StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678-dead-beef-cafe-123456790ab"},
        "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"},
    },
}


@pytest.mark.parametrize(
    ("statement", "whoever"),
    [
        (trusts("*"), ANY_OF_AWS),
        (trusts("*", condition={"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}}), ANY_OF_AWS),
        (
            {"Effect": "Allow", "Principal": {"Federated": "*"}, "Action": "sts:AssumeRoleWithWebIdentity"},
            "who has an account at any identity provider",
        ),
        (
            {"Effect": "Allow", "Principal": {"Service": "rolesanywhere.amazonaws.com"}, "Action": "sts:AssumeRole"},
            "who has a certificate of any trust anchor of the account",
        ),
        (GUESTS, "(guests of the identity pool)"),
    ],
    ids=str,
)
def test_what_access_check_refuses_as_open_to_everybody_audit_says_at_the_top_and_gives_1(
    tmp_path: Path, statement: dict[str, Any], whoever: str
) -> None:
    """A wildcard or a condition that picks out nobody admits everyone; without an anchor's ARN every anchor counts.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous
    https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
    https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
    """
    world = two_keys()
    changes_itself = ["arn:aws:iam::aws:policy/IAMFullAccess"]
    world.role("door", world.stage, document(statement), managedPolicyArns=changes_itself)
    state = str(write_state(tmp_path / "a", world))
    checked = CliRunner().invoke(access, ["check", "--state", state], standalone_mode=False)
    said = f"open to anybody {whoever}"
    assert checked.return_value == 1
    assert re.findall(r"^  (.) .* -> role door of .*: (open to .*)$", checked.output, re.MULTILINE) == [("!", said)]
    found = report("stage", "--state", state, "--exit-code")
    assert (found.code, f"1 way {said}" in found.text.splitlines()[1]) == (1, True)
    assert {row["third party"] for row in found.rows if row["into role"] == "door"} - {""} == {said}


def test_a_door_that_its_dates_keep_shut_is_told_apart_from_ways_in_and_counted_by_itself(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date"""
    world = World()
    world.role("ci", world.hub)
    world.grant("ci", world.hub, *(world_arn(STAGE, f"role/{name}") for name in ("now", "over", "later", "both")))
    after, before = ({"aws:CurrentTime": f"{year}-06-01T00:00:00Z"} for year in ("2999", "2020"))
    for name, condition in (
        ("now", {"DateLessThan": after, "DateGreaterThan": before}),
        ("over", {"DateLessThan": before}),
        ("later", {"DateGreaterThan": after}),
        ("both", {"DateGreaterThanEquals": after, "DateLessThan": {"aws:CurrentTime": "2999-07-01T00:00:00Z"}}),
    ):
        world.role(name, world.stage, document(trusts(CI_ROLE, condition=condition)))
    state = str(write_state(tmp_path / "a", world))
    answer = report("stage", "--state", state)
    top = "2 principals have 2 ways in (1 door, 1 with a key not shown): 1 administrator, 1 no permissions; "
    top += "2 ways not open yet; 1 way closed by date"
    assert answer.text.splitlines()[1] == top
    said = {"over": "closed since 2020-06-01 00:00 UTC", "later": "opens 2999-06-01"}
    said["both"] = "opens 2999-06-01, closes 2999-07-01"
    for name, words in said.items():
        assert f"-> role {name}\n    {words} · " in answer.text
    assert {
        row["into role"]: (row["what"], row["opens"][:4], row["expires"][:4])
        for row in answer.rows
        if row["if"][:4] in ("from", "unti")
    } == {
        "now": ("way in", "2020", "2999"),
        "over": ("way closed by date", "", "2020"),
        "later": ("way not open yet", "2999", ""),
        "both": ("way not open yet", "2999", "2999"),
    }
    assert "1 no permissions; 2 not open yet; 1 closed by date" in answer.page
    found = read("stage", "--state", state)
    counts = ("ways", "waysNotOpenYet", "waysClosedByTheirDate")
    assert [found["summary"][name] for name in counts] == [2, 2, 1]
    assert {way["target"]["name"]: (way["opens"] or "")[:4] for way in found["ways"]}["later"] == "2999"
    checked = CliRunner().invoke(access, ["check", "--state", state], standalone_mode=False).output
    whole = Map(answered(build(together([Path(state)]))), datetime.now(UTC))
    on_the_map = {door.target.who.name: (whole.lacks(door), whole.counted_as(door)) for door in whole.doors}
    assert {name: on_the_map[name] for name in (*said, "now")} == {
        "now": ("both keys", "way in"),
        "over": (f"both keys, {said['over']}", "way closed by date"),
        **{name: (f"both keys, {said[name]}", "way not open yet") for name in ("later", "both")},
    }
    assert "2 ways not open yet" in draw(whole)
    for name, sign in (("now", "✓"), ("over", "✗"), ("later", "…")):
        assert re.search(rf"^  {sign} role ci of \S+ -> role {name} of ", checked, re.MULTILINE)


def test_an_answer_that_may_lack_ways_says_at_least_and_gives_1() -> None:
    alone = ("--state", ".twokeys/stacks/prod.json")
    result = run("prod", *alone, "--exit-code")
    assert "3 principals have at least 3 ways in (" in result.output
    assert (result.return_value, run("prod", "--exit-code").return_value) == (1, 0)
    found = read("prod", *alone)
    assert (found["summary"]["mayBeMore"], "users and roles of management (" in found["notShown"]) == (True, True)


def test_files_of_other_services_are_passed_over_and_counted_in_a_folder_and_refused_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "AWSLogs"
    folder.mkdir()
    config = folder / f"{HUB}_Config_us-east-1_ConfigSnapshot_x.json"
    config.write_text(json.dumps({"configurationItems": []}))
    (folder / "log.json").write_text(json.dumps({"Records": [entry(CI, DEPLOYER, "2026-11-01T00:00:00Z")]}))
    (source,) = read("prod", "--events", str(folder))["events"]["sources"]
    assert (source["filesRead"], source["passedOver"]) == (1, {"Config": 1})
    (folder / "log.json").unlink()
    nothing = read("prod", "--events", str(folder), "--from", "2026-10-01", "--until", "2026-11-01")["events"]
    assert (nothing["from"], nothing["doors"], nothing["sources"][0]["passedOver"]) == (None, [], {"Config": 1})
    text = run("prod", "--events", str(folder)).stdout
    advice = "CloudTrail: nothing given is a CloudTrail log: give the folder that holds AWSLogs/…/CloudTrail/"
    assert advice in " ".join(text.partition("\nWhat CloudTrail saw")[0].split())
    assert "no records of the period, so nothing tells" in text
    assert ", 0 files read, 1 passed over: 1 of Config, no events)" in text
    assert "no record of use" not in text
    with pytest.raises(UsageError, match="a file of Config"):
        run("prod", "--events", str(config))


@pytest.mark.parametrize(
    "content", [b'{"Findings": []}', b"[1]", b'[{"x": 1}]\n', b'{"x": 1}\n{"x": 2}', b'{"logEvents": []}', b""]
)
def test_a_whole_file_that_is_no_log_and_stands_nowhere_near_them_is_passed_over_and_named(
    tmp_path: Path, content: bytes
) -> None:
    """A log archive is a bucket like any other: Firehose, Security Hub or Athena may write into it, too.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
    """
    inside = f"AWSLogs/{HUB}/CloudTrail/us-east-1/2026/09/02"
    (bucket := tmp_path / "bucket").mkdir()
    folder = logs(bucket, *(read_event(account, "2026-09-02T00:00:00Z") for account in (HUB, PROD)))
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-30")
    other = bucket / "SecurityHub" / "x.json.gz"
    other.parent.mkdir()
    other.write_bytes(gzip.compress(content))
    period = ("--from", "2026-09-01", "--until", "2026-09-30")
    (source,) = (found := read("prod", *ONE_REGION, "--events", str(bucket), *period)["events"])["sources"]
    assert (list(source["noLogs"]), source["notReadable"]) == ([str(other)], {})
    assert (found["mayBeMore"], {one["usage"] for one in found["doors"]}) == (False, {"no record of use"})
    text = run("prod", *ONE_REGION, "--events", str(bucket), *period).stdout
    assert ", 1 passed over: 1 that is no log (SecurityHub/x.json.gz), " in text
    with pytest.raises(Refusal):
        run("prod", "--events", str(other))
    (in_its_place := bucket / inside / "x.json.gz").parent.mkdir(parents=True)
    other.rename(in_its_place)
    (source,) = (found := read("prod", *ONE_REGION, "--events", str(bucket), *period)["events"])["sources"]
    assert (list(source["notReadable"]), source["noLogs"], found["mayBeMore"]) == ([str(in_its_place)], {}, True)


WHOLE = gzip.compress(json.dumps({"Records": [entry(CI, DEPLOYER, "2026-09-01T10:00:00Z")] * 9}).encode(), mtime=0)
STAGES = "222222222222"


@pytest.mark.parametrize(
    ("name", "content", "known"),
    [
        ("x.json.gz", WHOLE[:-20], False),
        ("x.json.gz", WHOLE[:40] + b"\xff" * 20 + WHOLE[60:], False),
        ("x.json", b'{"Records": [{"eventID": ', False),
        ("x.json", None, False),
        (f"{PROD}_CloudTrail_us-east-1_20260901T1000Z_x.json", b"", False),
        (f"{HUB}_CloudTrail_us-east-1_20260901T1000Z_x.json", b"", False),
        (f"{STAGES}_CloudTrail_us-east-1_20260901T1000Z_x.json", b"", True),  # no door of prod leads through it
    ],
)
def test_a_damaged_file_in_a_folder_is_counted_and_named_and_no_door_that_it_may_tell_of_is_never_used(
    tmp_path: Path, name: str, content: bytes | None, known: bool
) -> None:
    records = [entry(ALICE, READ_ONLY, "2026-09-01T00:00:00Z"), signed_in(PROD, "2026-09-30T23:59:59Z", "zoe")]
    folder = logs(tmp_path, *records, *(read_event(account, "2026-09-02T00:00:00Z") for account in (HUB, PROD)))
    for account in (HUB, PROD):
        digests(Path(folder), account, "2026-09-01", "2026-09-30")
    damaged = Path(folder, name)
    if content is None:
        damaged.symlink_to("nothing")
    else:
        damaged.write_bytes(content)
    found = report("prod", *ONE_REGION, "--events", folder, "--exit-code")
    events = read("prod", *ONE_REGION, "--events", folder)["events"]
    (source,) = events["sources"]
    assert (list(source["notReadable"]), source["filesRead"], found.code) == ([str(damaged)], 1, 1)
    assert (events["filesNotReadable"], events["unreadable"]) == ([str(damaged)], 0)
    assert ("no record of use" in {one["usage"] for one in events["doors"]}) is known
    assert ("\nno record of use" in found.text) is known
    sentence = f"not readable: {damaged}: {source['notReadable'][str(damaged)]}"
    assert "; events in it are not known: copy the trail's log file" in sentence
    assert f"\n{sentence}\n" in found.text
    assert ", 1 file not readable or not whole\n" in found.text
    span = "1 file read, 1 not readable or not whole, "
    span += "1 file held against digests, none not as they say, "
    span += "events from 2026-09-01 00:00:00 to 2026-09-30 23:59:59 UTC"
    assert f"{folder}: sha256 {source['sha256']}, {span}" in [row["why"] for row in found.of("evidence")]
    assert [row["why"] for row in found.of("file not readable")] == [sentence]
    assert [(row["who"], row["into role"]) for row in found.of("signed in")] == [("user zoe", "console")]
    assert f"{folder} (sha256 {source['sha256'][:12]}, {span});" in found.text
    assert f"sha256 {source['sha256']}, {span}</td>" in found.page
    assert f"<li>{sentence}</li>" in found.page
    with pytest.raises(Refusal):
        run("prod", *ONE_REGION, "--events", str(damaged))


def test_one_page_of_an_event_history_is_read_and_said_to_be_not_whole(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html (NextToken)"""
    page, found = tmp_path / "page.json", {"CloudTrailEvent": json.dumps(entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"))}
    last, first = ({"Events": [found], **token} for token in ({}, {"NextToken": "abc"}))
    for pages, whole in (([first], False), ([last], True), ([first, last], True), ([last, first], False)):
        page.write_text("\n".join(map(json.dumps, pages)))
        events = read("prod", *ONE_REGION, "--events", str(page))["events"]
        assert (events["entries"], events["filesNotReadable"] == []) == (1, whole)
        assert ("its NextToken tells of more events" in report("prod", "--events", str(page)).text) is not whole


def test_a_damaged_digest_hides_no_event_and_proves_no_hour(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html"""
    folder = logs(tmp_path, read_event(HUB, "2026-09-01T10:00:00Z"), read_event(HUB, "2026-09-03T10:00:00Z"))
    digests(Path(folder), HUB, "2026-09-01", "2026-09-03")
    damaged = Path(folder, f"{HUB}_CloudTrail-Digest_us-east-1_the-trail_us-east-1_20260902T100131Z.json")
    damaged.write_text(damaged.read_text().replace("2026-09-02T00:00:00Z", "y"))
    events = read("prod", *ONE_REGION, "--events", folder)["events"]
    ((file, why),) = events["sources"][0]["notReadable"].items()
    assert (file, "; whether a log file of its hour is missing is not known: copy" in why) == (str(damaged), True)
    gap = "in us-east-1 from 2026-09-02 00:00 to 2026-09-03 00:00 UTC, of which there is no digest"
    assert {one["account"]: one["notCovered"] for one in events["coverage"]}[HUB] == gap
    assert not any("cannot be read" in (one["whyNotKnown"] or "") for one in events["doors"])


def test_the_hash_of_a_folder_is_what_standard_tools_make_of_it_and_that_of_a_file_its_own(tmp_path: Path) -> None:
    folder = logs(tmp_path, entry(CI, DEPLOYER, "2026-09-01T10:00:00Z"))
    for number, name in enumerate(("a/B.json", "a.json", "a/é.jsonl.gz", "notes.txt", "a/digest.JSON")):
        file = Path(folder, name)
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"configurationItems": number}))
    file = Path(folder, LOG)
    command = "find -L AWSLogs -type f -iname '*json*' -exec sha256sum {} + | cut -c1-64 | sort | sha256sum"
    made = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True).stdout[:64]
    sources = read("prod", "--events", folder, "--events", str(file))["events"]["sources"]
    assert [(one["sha256"], one["filesRead"]) for one in sources] == [
        (made, 1),
        (hashlib.sha256(file.read_bytes()).hexdigest(), 1),
    ]
    assert read("prod", "--events", folder, "--events", str(file))["events"]["entries"] == 1, (
        "read twice, it counts once"
    )


def with_exception(tmp_path: Path, expires: str) -> tuple[list[str], dict[str, str], str]:
    """A configuration with an exception for the door from ci to deployer, the exception, and what is said of it."""
    door = f"{CI_ROLE} -> {world_arn(STAGE, 'role/deployer')}"
    exception = {"door": door, "reason": "migration", "owner": "platform", "expires": expires}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"door-needs-grant": {"exceptions": [exception]}}))
    said = f"door-needs-grant: {door}, until {expires}; platform answers for it: migration"
    return ["--policy-pack-config", str(config)], exception, said


def test_accepted_exceptions_are_listed_with_their_owner_reason_and_last_day(tmp_path: Path) -> None:
    world = two_keys(granted=False)
    world.add("User", "alice", world.hub, outputs={"name": "alice", "uniqueId": "AIDAALICE"}, name="alice")
    state = ("--state", str(write_state(tmp_path / "state.json", world)))
    options, exception, said = with_exception(tmp_path, "9999-12-31")
    given = (*state, *options)
    found = report(STAGE, *given)
    assert f"\nAccepted exceptions: 1\n  {said}\n" in found.text
    assert [row["why"] for row in found.of("accepted exception")] == [said]
    assert f"<li>{said}</li>" in found.page
    assert read(STAGE, *given)["acceptedExceptions"] == [{"rule": "door-needs-grant", **exception, "stack": None}]
    assert "\nAccepted exceptions: none\n" in run(HUB, *given).stdout
    assert "\nAccepted exceptions: none\n" in run(STAGE, *given, "--person", "alice").stdout
    assert read(STAGE, *state)["acceptedExceptions"] is None


def test_an_exception_that_has_expired_is_named_in_every_form_and_gives_1(tmp_path: Path) -> None:
    state = ("--state", str(write_state(tmp_path / "state.json", two_keys())))
    options, exception, said = with_exception(tmp_path, "2020-12-31")
    given = (*state, *options)
    found = report(STAGE, *given, "--exit-code")
    heading = "Expired exceptions, to be renewed by their owners or to be removed"
    assert f"\nAccepted exceptions: none\n{heading}: 1\n  {said}\n" in found.text
    assert "; 1 exception expired\n" in found.text
    assert (found.code, run(STAGE, *state, "--exit-code").return_value) == (1, 0)
    assert [row["why"] for row in found.of("expired exception")] == [said]
    assert (f"<h3>{heading}</h3>" in found.page, f"<li>{said}</li>" in found.page) == (True, True)
    assert read(STAGE, *given)["expiredExceptions"] == [{"rule": "door-needs-grant", **exception, "stack": None}]
    assert heading not in run(HUB, *given).stdout
