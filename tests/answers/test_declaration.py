"""What people say of a door is in every answer: a field that is added to `DeclaredDoor` is not lost on the way."""

import csv
from datetime import UTC, datetime

import pytest

from tests.access.world import CI, DEPLOYER, HUB, MFA, STAGE, World, document, trusts
from twokeys.answers.data import as_data
from twokeys.answers.published import published
from twokeys.answers.reading import read
from twokeys.audit.report import table
from twokeys.doors import Declaration, DeclaredDoor

SAID = {name: f"the {name}" for name in Declaration.model_fields} | {"expires": "2099-12-31"}
PRINTED = SAID | {"expires": "2100-01-01T00:00:00+00:00"}
"""A day is meant to its end in UTC (docs/doors.md)."""
DOOR = {
    "name": "ci-in",
    "source": {"kind": "role", "account": HUB, "names": ["ci"]},
    "target": {"account": STAGE, "role": "deployer", "partition": "aws"},
    "requires": {"mfa": True},
    "max_session_seconds": 3600,
    "opens": "2020-06-01T00:00:00Z",
    **SAID,
}
FROM = {"DateGreaterThan": {"aws:CurrentTime": "2020-06-01T00:00:00Z"}}
BY_KEYS = {
    "name": ("why", "ci-in; the reason"),
    "source": ("who", "role ci"),
    "target": ("into role", "deployer"),
    "requires": ("if", "MFA and from 2020-06-01"),
    "opens": ("opens", "2020-06-01T00:00:00+00:00"),
    "max_session_seconds": ("up to", "1 h"),
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
    world = World()
    world.role("ci", world.hub)
    world.role("deployer", world.stage, document(trusts(CI, condition=MFA | FROM)), maxSessionDuration=3600)
    world.grant("ci", world.hub, DEPLOYER)
    world.add("Component", "ci-in", door=DOOR)
    answers = read(world.graph)
    (way,) = [one for one in as_data(answers, datetime.now(UTC))["ways"] if one["source"]["name"] == "ci"]
    text = table(answers, None, None, datetime(2026, 1, 1, tzinfo=UTC))
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
        assert PRINTED[field] in row["why" if field == "reason" else name], "`COLUMNS` and `_row` of audit/report.py"
