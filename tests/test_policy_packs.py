"""Which policy packs a command checks with: the same for every command that runs packs.

The options are those of `pulumi up`: https://www.pulumi.com/docs/iac/cli/commands/pulumi_up/
"""

from pathlib import Path

import click
import pytest

from twokeys.errors import Refusal
from twokeys.policy_packs import chosen_packs, load_config


def pack(folder: Path) -> Path:
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    return folder


def test_the_projects_own_pack_is_the_one_when_none_is_named(tmp_path: Path) -> None:
    own = pack(tmp_path / "policies")
    assert chosen_packs(tmp_path, (), (), no_policies=False) == ((own, {}),)
    assert chosen_packs(tmp_path, (), (), no_policies=True) == ()


def test_each_pack_has_the_configuration_in_its_place(tmp_path: Path) -> None:
    first, second = pack(tmp_path / "first"), pack(tmp_path / "second")
    config = tmp_path / "config.json"
    config.write_text('{"all": "advisory"}')
    chosen = chosen_packs(tmp_path, (first, second), (config,), no_policies=False)
    assert chosen == ((first, {"all": "advisory"}), (second, {}))


def test_a_folder_without_a_pack_is_refused(tmp_path: Path) -> None:
    for packs in ((), (tmp_path / "nowhere",)):
        with pytest.raises(Refusal, match=r"no PulumiPolicy\.yaml"):
            chosen_packs(tmp_path, packs, (), no_policies=False)


@pytest.mark.parametrize(
    ("packs", "configs", "no_policies"), [(0, 2, False), (1, 2, False), (1, 0, True), (0, 1, True)]
)
def test_options_that_contradict_each_other_are_refused(
    tmp_path: Path, packs: int, configs: int, no_policies: bool
) -> None:
    with pytest.raises(click.UsageError):
        chosen_packs(tmp_path, (tmp_path,) * packs, (tmp_path / "config.json",) * configs, no_policies=no_policies)


@pytest.mark.parametrize("text", ["[1]", "{", None])
def test_a_configuration_that_is_no_json_object_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "config.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Refusal, match="configuration cannot be read"):
        load_config(path)


def test_an_empty_configuration_configures_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("\n")
    assert load_config(path) == {}
