"""Which policy packs a command checks with: the same for every command that runs packs.

The options are those of `pulumi up`: https://www.pulumi.com/docs/iac/cli/commands/pulumi_up/
"""

from pathlib import Path

import click
import pytest

from twokeys.errors import Refusal
from twokeys.policy_packs import chosen_packs, load_config, policy_options


def pack(folder: Path) -> Path:
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    return folder


def chosen(root: Path, *words: str | Path) -> object:
    """The packs that a command line chooses."""

    @policy_options
    @click.command()
    def up(packs: tuple[Path, ...], pack_configs: tuple[Path, ...], *, no_policies: bool) -> object:
        return chosen_packs(root, packs, pack_configs, no_policies=no_policies)

    return up.main([*map(str, words)], standalone_mode=False)


def test_the_projects_own_pack_is_the_one_when_none_is_named(tmp_path: Path) -> None:
    own = pack(tmp_path / "policies")
    assert chosen(tmp_path) == ((own, {}),)
    assert chosen(tmp_path, "--no-policies") == ()


def test_each_pack_has_the_configuration_in_its_place(tmp_path: Path) -> None:
    first, second = pack(tmp_path / "first"), pack(tmp_path / "second")
    config = tmp_path / "config.json"
    config.write_text('{"all": "advisory"}')
    words = ("--policy-pack", first, "--policy-pack-config", config, "--policy-pack", second)
    assert chosen(tmp_path, *words) == ((first, {"all": "advisory"}), (second, {}))


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
