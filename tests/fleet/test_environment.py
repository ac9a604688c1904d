"""An environment and its shards on disk."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from tests.fleet.conftest import SHARED, Change, environment_of, write_stack
from twokeys.errors import Refusal
from twokeys.fleet.layout import account_sizes, place
from twokeys.fleet.split import write
from twokeys.project.environment import load, stored_config
from twokeys.project.shards import shard_number
from twokeys.project.stack_yaml import dumped
from twokeys.settings import parse


def split(project: Path, capacity: int = 14) -> tuple[Path, ...]:
    environment = load(project, "prod")
    return write(environment, place(account_sizes(environment.settings), environment.recorded_once(), capacity))


def test_each_shard_has_its_accounts_and_their_doors_and_everything_that_all_share(project: Path) -> None:
    split(project)
    first, second = load(project, "prod").shards
    assert (first.stack, first.accounts) == ("prod-001", ("one", "two"))
    assert (second.stack, second.accounts) == ("prod-002", ("three",))
    config = stored_config(second.file)
    assert set(config["twokeys:doors"]) == {"three-deployer"}
    assert {key: config[key] for key in SHARED} == SHARED
    assert parse("prod-002", config).accounts.keys() == {"three"}


def test_the_shards_are_stacks_of_the_same_project_and_program(project: Path) -> None:
    split(project)
    above = yaml.safe_load((project / "Pulumi.yaml").read_text())
    shards = yaml.safe_load((project / "shards/Pulumi.yaml").read_text())
    assert shards["name"] == above["name"]
    assert shards["config"] == above["config"]
    assert (project / "shards" / shards["main"] / "__main__.py").exists()
    assert (project / "shards" / shards["runtime"]["options"]["virtualenv"]).exists()


def test_a_split_keeps_what_a_stacks_file_holds_beside_its_config(project: Path, set_accounts: Change) -> None:
    split(project)
    file = project / "shards/Pulumi.prod-002.yaml"
    file.write_text(file.read_text() + "encryptionsalt: v1:salt\n")
    set_accounts(["one", "two", "three", "four"])
    split(project)
    assert yaml.safe_load(file.read_text())["encryptionsalt"] == "v1:salt"
    assert split(project) == ()


def test_an_environment_that_was_edited_after_the_split_is_refused_until_it_is_split_again(
    project: Path, set_accounts: Change
) -> None:
    split(project)
    set_accounts(["one", "two", "three", "four"])
    with pytest.raises(Refusal, match=r"not up to date.*four in none of them.*fleet split prod"):
        _ = load(project, "prod").shards
    split(project)
    assert [len(shard.accounts) for shard in load(project, "prod").shards] == [2, 2]


def test_a_shard_that_was_edited_by_hand_is_refused(project: Path) -> None:
    split(project)
    file = project / "shards/Pulumi.prod-001.yaml"
    file.write_text(file.read_text().replace("deployer", "admin"))
    with pytest.raises(Refusal, match=r"1 differ from Pulumi\.prod\.yaml"):
        _ = load(project, "prod").shards


def test_an_account_in_two_shards_is_refused(project: Path) -> None:
    split(project)
    shards = project / "shards"
    (shards / "Pulumi.prod-003.yaml").write_text((shards / "Pulumi.prod-002.yaml").read_text())
    with pytest.raises(Refusal, match="an account in two shards: three"):
        _ = load(project, "prod").shards
    with pytest.raises(Refusal, match="an account in two shards: three"):
        split(project)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("management", "there once for the whole organization"),
        ("nowhere", "there is no Pulumi.nowhere.yaml"),
        ("prod-001", "run by its environment"),
        *((name, "as the name of an environment") for name in ("", "../prod", "pr od", "prod*", "prod\n", "prød")),
    ],
)
def test_what_is_no_environment_is_refused(project: Path, name: str, why: str) -> None:
    split(project)
    with pytest.raises(Refusal, match=why):
        load(project, name)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("config: {twokeys:region: {secure: v1:abc}}", "encrypted for one stack"),
        ("config: [", r"Pulumi\.prod\.yaml cannot be read"),
    ],
)
def test_a_file_that_no_shard_can_be_made_of_is_refused(project: Path, text: str, why: str) -> None:
    (project / "Pulumi.prod.yaml").write_text(text)
    with pytest.raises(Refusal, match=why):
        load(project, "prod")


def test_ids_of_digits_stay_text_for_every_reader_of_yaml_and_what_is_alike_is_written_out(project: Path) -> None:
    config = environment_of(["one", "two", "three"])
    config["twokeys:accounts"]["one"]["adopt"] = "005915494665"
    (project / "Pulumi.prod.yaml").write_text(dumped({"config": config}))
    split(project)
    text = (project / "shards/Pulumi.prod-001.yaml").read_text()
    assert 'adopt: "005915494665"' in text
    assert "&id" not in text
    assert "*id" not in text


def test_a_file_that_the_cli_has_written_anew_says_the_same(project: Path) -> None:
    """Recorded from `pulumi stack init`, 3.260: `accountsAtOnce: 2` is made text, lists get another indent, and a salt
    is added."""
    write_stack(project, "prod", {**environment_of(["one", "two", "three"]), "twokeys:accountsAtOnce": 2})
    split(project)
    for shard in load(project, "prod").shards:
        config = yaml.safe_load(shard.file.read_text())["config"]
        assert config["twokeys:accountsAtOnce"] == "2"
        shard.file.write_text(yaml.safe_dump({"config": config, "encryptionsalt": "v1:salt"}, indent=4))
    assert len(load(project, "prod").shards) == 2
    assert split(project) == ()


def test_a_day_without_quotes_is_written_as_the_moment_that_the_cli_makes_of_it(project: Path) -> None:
    config = environment_of(["one"])
    config["twokeys:doors"]["one-deployer"]["expires"] = date(2027, 1, 31)
    write_stack(project, "prod", config)
    split(project)
    assert 'expires: "2027-01-31 00:00:00 +0000 UTC"' in (project / "shards/Pulumi.prod-001.yaml").read_text()
    assert split(project) == ()


@pytest.mark.parametrize("stack", ["prod-000", "prod-0001", "prod-1", "prod-²²²", "prod-eu-001", "prod", "stage-001"])
def test_only_the_name_that_a_split_gives_is_a_shards(stack: str) -> None:
    assert shard_number("prod", "prod-001") == 1
    assert shard_number("prod", "prod-1000") == 1000
    assert shard_number("prod", stack) is None


@pytest.mark.parametrize("accounts", ["", "twokeys:accounts: ", "twokeys:accounts: [one]", "twokeys:accounts: one"])
def test_a_shard_that_does_not_say_which_accounts_it_has_is_refused_and_not_split_anew(
    project: Path, accounts: str
) -> None:
    split(project)
    file = project / "shards/Pulumi.prod-001.yaml"
    file.write_text(f"config:\n  twokeys:rootEmail: example@company.com\n  {accounts}\n")
    with pytest.raises(Refusal, match=r"Pulumi\.prod-001\.yaml does not say which accounts"):
        split(project)
