"""Which regions count for an account, and what shows that its trail logs read events."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.access.world import HUB, PROD, STAGE, two_keys
from tests.audit.cloudtrail import ENABLED, called
from twokeys.access.reading.since import Since
from twokeys.answers.reading import read
from twokeys.answers.selection import into
from twokeys.audit.comparison import compare
from twokeys.audit.coverage import Coverage, Covered, Period, Recorded, WasRead, is_digest, is_log
from twokeys.audit.trail import Trail
from twokeys.audit.what_was_read import gaps

DAY = datetime(2026, 9, 1, tzinfo=UTC)
END = DAY.replace(hour=23, minute=59)


def digest(coverage: Coverage, region: str, trail: str = "ours_us-east-1") -> None:
    name = f"{STAGE}_CloudTrail-Digest_{region}_{trail}_20260902T000131Z.json.gz"
    coverage.digest(name, DAY, DAY.replace(day=2))


@pytest.mark.parametrize(
    ("home", "seen", "counts"),
    [
        ((), (), ENABLED),
        (("eu-central-1",), (), ENABLED),
        (("eu-south-1",), (), (*ENABLED, "eu-south-1")),  # a region that is enabled by opting in
        ((), ("us-east-1", "me-south-1"), (*ENABLED, "me-south-1")),
        (("cn-north-1",), (), ("cn-north-1", "cn-northwest-1")),
        ((), ("us-gov-west-1",), ("us-gov-east-1", "us-gov-west-1")),
    ],
)
def test_the_regions_that_count_are_those_with_an_active_endpoint_of_sts(
    home: tuple[str, ...], seen: tuple[str, ...], counts: tuple[str, ...]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_region-endpoints.html."""
    coverage = Coverage()
    for region in seen:
        digest(coverage, region)
    assert coverage.regions(STAGE, home) == sorted(counts)
    assert Coverage(("eu-west-1",)).regions(STAGE, home) == ["eu-west-1"]


@pytest.mark.parametrize(
    ("name", "log", "digest"),
    [
        ("111122223333_CloudTrail_us-east-1_20150817T1410Z_x.json.gz", True, False),
        ("111122223333_CloudTrail_us-east-1_20150817T1410Z_x.json", True, False),
        ("111122223333_CloudTrail-Digest_us-east-2_your-trail-name_us-east-2_20150817T150131Z.json.gz", False, True),
        ("111122223333_CloudTrail_us-east-1_20159917T1410Z_x.json", False, False),
        ("x.json.gz", False, False),
    ],
)
def test_cloudtrail_s_files_have_their_names(name: str, log: bool, digest: bool) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html."""
    assert (is_log(name), is_digest(name)) == (log, digest)


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-08-31T07:00Z", "2026-09-05T07:00Z", [2, 3, 4]),
        ("2026-08-31T07:00Z", "2026-09-03T10:00Z", [2]),
        ("2026-09-02T00:00Z", "2026-09-04T00:00Z", [2, 3]),
        ("2026-09-02T07:00Z", "2026-09-05T00:00Z", [3, 4]),
        ("2026-09-03T00:00Z", "2026-09-05T00:00Z", [3, 4]),
        ("2026-08-31T07:00Z", "2026-09-02T10:00Z", []),
        ("2026-09-03T01:00Z", "2026-09-03T23:00Z", []),
    ],
)
def test_digests_cover_the_days_of_a_period_that_they_go_through_from_midnight_to_midnight(
    first: str, last: str, days: list[int]
) -> None:
    recorded = Recorded()
    recorded.digests["us-east-1"] = [(datetime.fromisoformat(first), datetime.fromisoformat(last))]
    covered = recorded.whole("us-east-1", DAY.replace(day=2), END.replace(day=4))
    since_2013 = [(datetime(2026, 9, day, tzinfo=UTC) - datetime(2013, 1, 1, tzinfo=UTC)).days for day in range(1, 8)]
    assert [day for day, bit in enumerate(since_2013, 1) if covered >> bit & 1] == days
    assert covered.bit_count() == len(days)


def test_a_backfill_digest_does_not_stand_for_its_hour() -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html"""
    coverage = Coverage(("us-east-1",))
    coverage.saw(STAGE, "us-east-1", DAY, covers=False, read=True)
    coverage.digest(f"{STAGE}_CloudTrail-Digest_us-east-1_ours_us-east-1_20260902T000131Z_backfill.json.gz", DAY, END)
    assert coverage.covered(STAGE, [], Period(DAY, END)).lacks == "by log files with management events"


@pytest.mark.parametrize(("ends", "lost"), [("20260902T000000Z", 1), ("20260902T000001Z", 3), ("20260902T010000Z", 2)])
def test_of_a_digest_that_is_not_as_the_next_one_says_the_hour_before_its_end_is_not_known(
    ends: str, lost: int
) -> None:
    """A bit for each day from the first; the time in its name is that at which its hour ends.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    coverage = Coverage(("us-east-1",))
    coverage.not_as_digest(f"{STAGE}_CloudTrail-Digest_us-east-1_ours_us-east-1_{ends}.json.gz")
    assert coverage.accounts[STAGE].lost["us-east-1"] >> DAY.toordinal() - date(2013, 1, 1).toordinal() == lost


def test_regions_that_lack_the_same_are_said_together() -> None:
    coverage = Coverage()
    for region in ("us-east-1", "us-west-2"):
        digest(coverage, region)
    coverage.saw(STAGE, "us-east-1", DAY, covers=True, read=True)
    gaps = coverage.covered(STAGE, [], Period(DAY, END))
    assert gaps.lacks == "in ap-northeast-1, ap-northeast-2 and 13 more regions"
    assert set(gaps.days) == {*ENABLED} - {"us-east-1", "us-west-2"}
    gaps = coverage.covered(STAGE, [], Period(DAY.replace(month=8, day=31), END))
    never = "ap-northeast-1, ap-northeast-2 and 13 more regions"
    assert (
        gaps.lacks
        == f"in us-east-1, us-west-2 before 2026-09-01 00:00 UTC, of which there is no digest, and also in {never}"
    )


@pytest.mark.parametrize(
    ("trail", "covered"),
    [("ours_us-east-1", False), ("ours_us-west-2", True)],  # the second is of its home region alone
)
def test_a_region_without_digests_is_not_covered_where_a_trail_of_all_regions_has_them_in_another(
    trail: str, covered: bool
) -> None:
    """`..._REGION_TRAIL-NAME_HOME-REGION_...`: with one region's digests a log file of it could go, too.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    coverage = Coverage(("us-west-2", "sa-east-1"))
    digest(coverage, "us-west-2", trail)
    for region in ("us-west-2", "sa-east-1"):
        coverage.saw(STAGE, region, DAY, covers=True, read=True)
    lacks = "in sa-east-1 from 2026-09-01 00:00 to 2026-09-01 23:59 UTC, of which there is no digest"
    assert coverage.covered(STAGE, [], Period(DAY, END)).lacks == (None if covered else lacks)


@pytest.mark.parametrize(
    ("trails", "there", "covered"),
    [
        (("ours_us-east-1",), ("ours_us-east-1",), True),
        (("ours_us-east-1",), ("ours_us-east-1", "more_us-east-1"), True),
        (("other_us-east-1",), ("ours_us-east-1",), False),
        (("ours_us-east-1", "all_us-east-1"), ("ours_us-east-1",), False),  # it may be the other trail's event
        ((), ("ours_sa-east-1",), False),
    ],
)
def test_a_trail_logs_read_events_in_all_of_its_regions_or_in_none(
    trails: tuple[str, ...], there: tuple[str, ...], covered: bool
) -> None:
    """The settings of a multi-region trail are the same in all regions.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-multi-region-trails.html
    """
    coverage = Coverage(("us-east-1", "sa-east-1"))
    coverage.saw(STAGE, "us-east-1", DAY, covers=True, read=True)
    for trail in trails:
        digest(coverage, "us-east-1", trail)
    for trail in there:
        digest(coverage, "sa-east-1", trail)
    words = coverage.covered(STAGE, [], Period(DAY, END)).lacks
    assert words == (None if covered else "in sa-east-1 where nothing shows that its trail logs read events")


def test_where_only_some_regions_lack_records_the_top_says_how_many_of_them() -> None:
    missing = {"us-east-1": 0, "us-east-2": 3, "eu-west-1": 1}
    lacking = Covered(PROD, Recorded(), (*missing,), missing, "in us-east-2", (), ())
    answers, end = read(two_keys().graph), "entries and changes of keys there are not known"
    for one, said in ((lacking, "2 of 3 regions, 2 days"), (replace(lacking, regions=("us-east-2",) * 2), "2 days")):
        assert (
            gaps(answers, WasRead((), (one,), ())) == f"not covered: {PROD} ({said}: 2013-01-01 to 2013-01-02): {end}"
        )


def test_an_account_that_is_not_covered_on_a_day_is_named_among_those_without_digests() -> None:
    coverage = Coverage(("us-east-1",))
    coverage.file(f"{STAGE}_CloudTrail_us-east-1_20260901T0910Z_x.json.gz")
    coverage.saw(STAGE, "us-east-1", DAY, covers=True, read=True)
    found = coverage.covered(STAGE, [], Period(DAY, END.replace(day=2)))
    assert (found.lost, found.without_digests) == (1, ("us-east-1",))


@pytest.mark.parametrize(
    ("stopped", "without", "said"),
    [
        ([(5, 5.5), (5.25, 6)], (), "1 h from 2026-09-01 05:00 UTC"),  # two trails at once
        ([(5, 5.005)], (), "1 min from 2026-09-01 05:00 UTC"),
        ([(5, 6)], (1,), "2 days: 2026-09-01 to 2026-09-02"),  # and a day of which nothing tells from when to when
        ([(1, 30)], (), "2 days: 2026-09-01 to 2026-09-02"),
    ],
)
def test_a_stop_of_less_than_a_day_is_said_as_long_as_it_was(
    stopped: list[tuple[float, float]], without: tuple[int, ...], said: str
) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StopLogging.html."""
    coverage = Coverage(("us-east-1",))
    for day in range(3):
        coverage.saw(STAGE, "us-east-1", DAY + timedelta(days=day), covers=day not in without, read=True)
    spans = [((DAY + timedelta(hours=first), DAY + timedelta(hours=last)), "") for first, last in stopped]
    found = coverage.covered(STAGE, (), Period(DAY, DAY + timedelta(days=2)), None, spans)
    assert gaps(read(two_keys().graph), WasRead((), (found,), ())).startswith(f"not covered: {STAGE} ({said}):")


@pytest.mark.parametrize(("event", "days"), [("CreateAccount", 6), ("AcceptHandshake", 9)])
def test_before_a_call_made_an_account_nothing_of_it_is_due(event: str, days: int) -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html; who accepts was there."""
    answers, time = into(read(two_keys().graph), STAGE), DAY + timedelta(days=3)
    ways = []
    for way in answers.ways:
        *first, last = way.steps
        made = last.trust and replace(last.trust, since=Since(time + timedelta(minutes=1), time))
        ways.append(replace(way, steps=(*first, replace(last, trust=made))))
    trail, of = Trail(), {"eventSource": "organizations.amazonaws.com"}
    trail.add(called(HUB, time.isoformat(), event, "eve", **of), delivered=True)
    found = compare(replace(answers, ways=tuple(ways)), trail, DAY, DAY + timedelta(days=8))
    assert [one.total for one in found.was_read.accounts if one.account == STAGE] == [days]
