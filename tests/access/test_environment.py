"""Which environment an account is in decides which doors are refused, so it is read from what people really write."""

import pytest

from tests.access.world import DEPLOYER, PROD, World, arn, document, trusts, two_keys
from twokeys.access.model.environment import canonical, of_another_purpose, of_names, of_tags
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import UNKNOWN


@pytest.mark.parametrize(("name", "environment"), [
    ("prod", "prod"),
    ("acme-prod", "prod"),
    ("AcmeProd", "prod"),
    ("prod_eu", "prod"),
    ("Production", "prod"),
    ("staging", "stage"),
    ("team-stage-2", "stage"),
    ("nonprod", None),
    ("non-prod", None),
    ("pre-prod", None),
    ("product", None),
    ("backstage", None),
    ("stage-to-prod", None),
    ("prod-pre", "prod"),
    ("prod-and-production", "prod"),
    ("", None),
])  # fmt: skip
def test_a_name_says_an_environment_only_as_a_word_of_its_own(name: str, environment: str | None) -> None:
    assert of_names([name]) == environment


@pytest.mark.parametrize(("tags", "environment"), [
    ({"Environment": "Production"}, "Production"),
    ({"env": "prod"}, None),
    ({"team": "prod", "ENVIRONMENT": "stage"}, "stage"),
    ({"environment": UNKNOWN}, None),
    ({5: "stage"}, None),
    ([], None),
    (None, None),
])  # fmt: skip
def test_a_tag_says_the_environment_as_it_is_written_and_another_or_one_that_is_no_text_nothing(
    tags: object, environment: str | None
) -> None:
    assert of_tags(tags) == environment


def test_names_that_agree_say_it_and_names_that_do_not_say_nothing() -> None:
    assert of_names(["acme-prod", "acme"]) == "prod"
    assert of_names(["acme-prod", "acme-stage"]) is None
    assert of_names([]) is None


@pytest.mark.parametrize(("names", "said"), [
    (["acme", "SHARED services"], True), (["TeamDev"], True), (["logging2"], True), (["acme"], False), ([], False),
    (["prod-network"], False), (["shared", "staging"], False), (["prodNetwork"], False),
])  # fmt: skip
def test_names_say_another_purpose_unless_they_speak_of_an_environment(names: list[str], *, said: bool) -> None:
    assert of_another_purpose(iter(names)) == said


def test_spellings_of_one_environment_compare_as_one() -> None:
    assert canonical("Production") == canonical("PRD") == canonical("prod") == "prod"
    assert canonical("Staging") == canonical("stage") == "stage"
    assert canonical("sandbox") == "sandbox"


def _door_from_stage_to_prod(world: World, prod: Resource) -> None:
    world.role("inner", prod, document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(PROD, "role/inner"))


@pytest.mark.parametrize("name", ["data", "live", "acme"])
def test_a_door_from_stage_into_an_account_of_which_nobody_knows_the_environment_is_not_proved(name: str) -> None:
    world = two_keys()
    _door_from_stage_to_prod(world, world.provider(name, PROD))
    (finding,) = world.findings()
    assert finding.rule == "environments-isolated"
    assert "is not proved" in finding.message
    assert world.rules({"environments-isolated": {"accounts": {PROD: "analytics"}}}) == []


@pytest.mark.parametrize("name", ["shared-services", "network", "AcmeSandbox", "team-dev"])
def test_a_door_from_stage_into_an_account_whose_name_says_what_it_is_for_is_no_matter_of_isolation(name: str) -> None:
    world = two_keys()
    _door_from_stage_to_prod(world, world.provider(name, PROD))
    assert world.rules() == []
