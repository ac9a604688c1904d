"""What people say of a door is in every answer: a field that is added to `DeclaredDoor` is not lost on the way."""

import csv
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.access.world import CI, HUB, MFA, STAGE, document, trusts, two_keys
from twokeys.answers.data import as_data
from twokeys.answers.published import published
from twokeys.answers.reading import read
from twokeys.audit.table import as_csv
from twokeys.doors import Declaration, DeclaredDoor

SAID = {name: f"the {name}" for name in Declaration.model_fields} | {"expires": "2099-12-31"}
PRINTED = SAID | {"expires": "2100-01-01T00:00:00+00:00"}
"""A day is meant to its end in UTC (docs/doors.md)."""
DOOR = {
    "name": "ci-in",
    "source": {"kind": "role", "account": HUB, "names": ["ci"]},
    "target": {"account": STAGE, "role": "deployer", "partition": "aws"},
    "requires": {"mfa": True, "conditions": ["aws:SourceIp IpAddress 203.0.113.0/24"]},
    "max_session_seconds": 3600,
    "permits": "no permissions",
    "opens": "2020-06-01T00:00:00Z",
    "pauses": [],
    **SAID,
}
FROM = {"DateGreaterThan": {"aws:CurrentTime": "2020-06-01T00:00:00Z"}}
OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
BY_KEYS = {
    "name": ("why", "ci-in; the reason"),
    "source": ("who", "role ci"),
    "target": ("into role", "deployer"),
    "requires": ("if", "MFA and aws:SourceIp IpAddress 203.0.113.0/24 and from 2020-06-01"),
    "pauses": ("opens", "2020-06-01T00:00:00Z"),  # in between, an answer says when it opens again
    "opens": ("opens", "2020-06-01T00:00:00Z"),
    "max_session_seconds": ("up to", "1 h"),
    "permits": ("permissions", "no permissions"),
    "grant_to": ("who", "role ci"),  # whom the grant is for comes, and is the source of the way that is published
}
"""Fields that answers do not repeat, as the keys themselves say them: the column that does."""


@pytest.mark.parametrize("field", DeclaredDoor.model_fields)
def test_every_field_of_a_door_is_in_json_in_csv_and_in_what_is_published(field: str) -> None:
    assert field in {*Declaration.model_fields, *BY_KEYS}, (
        f"no answer has {field}: move it into Declaration in twokeys/doors/model.py, which JSON, CSV and the "
        f"published file have by itself; if its keys say it, give it a row of BY_KEYS here, and write it in `_door` of "
        "twokeys/answers/published.py"
    )
    world = two_keys(document(trusts(CI, condition=MFA | OFFICE | FROM)), maxSessionDuration=3600)
    world.add("Component", "ci-in", door=DOOR)
    answers = read(world.graph)
    (way,) = [one for one in as_data(answers, datetime.now(UTC))["ways"] if one["source"]["name"] == "ci"]
    text = as_csv(answers, None, None, datetime(2026, 1, 1, tzinfo=UTC))
    (row,) = [one for one in csv.DictReader(text.splitlines()) if one["who"] == "role ci"]
    (door,) = [one["door"] for one in published(answers)["doors"] if one["name"] == "ci-in"]
    assert getattr(DeclaredDoor.read(door), field) == getattr(DeclaredDoor.read(DOOR), field), (
        "`_door` of answers/published.py"
    )
    if field in BY_KEYS:
        column, expected = BY_KEYS[field]
        assert row[column] == expected, "`_row` of audit/report.py"
    else:
        name = DeclaredDoor.model_fields[field].alias or field
        assert way["declared"][name] == PRINTED[field], "`declared_data` of answers/data.py"
        assert field == "expires" or SAID[field] in way["why"], "`Declaration.details` of doors/model.py"
        in_csv = PRINTED[field].replace("+00:00", "Z")
        assert in_csv in row["why" if field == "reason" else name], "`COLUMNS` and `_row` of audit/report.py"


def test_what_alternatives_ask_in_common_and_the_pause_between_them_are_published_and_no_external_id() -> None:
    def during(opens: str, closes: str) -> dict[str, Any]:
        return (
            MFA | OFFICE | {"DateGreaterThan": {"aws:CurrentTime": opens}, "DateLessThan": {"aws:CurrentTime": closes}}
        )

    def published_with(*statements: dict[str, Any]) -> dict[str, Any]:
        world = two_keys(document(*statements))
        (entry,) = published(read(world.graph))["doors"]
        return dict(entry["door"])

    first, last = (
        during("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"),
        during("2098-01-01T00:00:00Z", "2099-01-01T00:00:00Z"),
    )
    door = published_with(trusts(CI, condition=first), trusts(CI, condition=last))
    assert door["requires"]["conditions"] == ["aws:SourceIp IpAddress 203.0.113.0/24"]
    assert door["pauses"] == [["2021-01-01T00:00:00Z", "2098-01-01T00:00:00Z"]]
    door = published_with(trusts(CI, condition=MFA), trusts(CI, condition=OFFICE))
    assert door["requires"]["conditions"] == ["(MFA or aws:SourceIp IpAddress 203.0.113.0/24)"]
    door = published_with(trusts(CI, condition={"StringLike": {"sts:ExternalId": "secret*"}}))
    assert door["requires"]["conditions"] == ["sts:ExternalId StringLike (not shown)"]
