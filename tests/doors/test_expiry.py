"""When a temporary door closes at AWS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from twokeys.doors.expiry import closing_time, open_until, until
from twokeys.iam import Caller, Context, Outcome, Policies, PolicyKind, Request, evaluate_grant, parse_policy


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2027-01-31", "2027-01-31"),
        ("2027-01-31T15:00Z", "2027-01-31 15:00 UTC"),
        ("2027-01-31T15:00+02:00", "2027-01-31 13:00 UTC"),
    ],
)
def test_people_read_the_last_day_or_the_moment(written: str, shown: str) -> None:
    assert until(closing_time(written)) == shown


@pytest.mark.parametrize("written", ["soon", "2027-02-30", "2027-01-31T15:00", "", None, "31.1.2027"])
def test_what_is_neither_a_day_nor_a_moment_with_its_zone_is_an_error(written: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        closing_time(written)


@pytest.mark.parametrize(
    ("now", "outcome"), [("2027-01-31T23:59:59Z", Outcome.ALLOW), ("2027-02-01T00:00:00Z", Outcome.DENY)]
)
def test_the_condition_holds_to_the_end_of_the_day_and_no_longer(now: str, outcome: Outcome) -> None:
    door = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Resource": "*",
        "Condition": open_until(closing_time("2027-01-31")),
    }
    policy = parse_policy({"Version": "2012-10-17", "Statement": [door]}, PolicyKind.IDENTITY)
    assert open_until(datetime(2027, 2, 1, tzinfo=UTC)) == door["Condition"]
    who = Caller("arn:aws:iam::111111111111:user/alice")
    role = "arn:aws:iam::222222222222:role/deployer"
    request = Request(who, "sts:AssumeRole", role, Context({"aws:CurrentTime": (now,)}))
    assert evaluate_grant(request, Policies(identity=(policy,))).outcome is outcome
