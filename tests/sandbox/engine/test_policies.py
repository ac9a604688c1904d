"""Policy packs: run as Pulumi runs them (https://www.pulumi.com/docs/insights/policy/policy-packs/)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.engine.conftest import Bench
from twokeys.errors import Refusal
from twokeys.sandbox.engine.policy_host import PackChoice

PACK = """
from pulumi_policy import *

def small(args, report):
    if args.resource_type == "mem:index:Thing" and args.props.get("size", 0) > args.get_config()["limit"]:
        report(f"{args.name} is too big")

def few(args, report):
    things = [one for one in args.resources if one.resource_type == "mem:index:Thing"]
    if len(things) > 2:
        report("there are too many")

def named(args):
    if args.resource_type == "mem:index:Thing" and "document" not in args.props:
        return {**args.props, "document": "remediated"}

PolicyPack("test", [
    ResourceValidationPolicy("small", "Things are small.", small, enforcement_level=EnforcementLevel.MANDATORY,
        severity=Severity.HIGH,
        config_schema=PolicyConfigSchema(properties={"limit": {"type": "integer", "default": 5}})),
    StackValidationPolicy("few", "There are few things.", few, enforcement_level=EnforcementLevel.ADVISORY),
    ResourceValidationPolicy("named", "Things have a document.", remediate=named,
        enforcement_level=EnforcementLevel.DISABLED),
])
"""
THINGS = """
    p = Provider("p", account="1")
    for n in range({count}):
        Thing(f"t{{n}}", size={size}, opts=Opts(provider=p))
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (folder / "__main__.py").write_text(PACK)
    return folder


def test_a_mandatory_violation_fails_a_preview_which_shows_all_of_them(bench: Bench, pack: Path) -> None:
    bench.packs = (PackChoice(pack),)
    run = bench.preview(THINGS.format(count=2, size=9))
    assert not run.ok
    assert sorted(one.urn.rpartition("::")[2] for one in run.violations) == ["t0", "t1"]
    assert {(one.policy, one.mandatory, one.severity) for one in run.violations} == {("small", True, "high")}


def test_a_mandatory_violation_stops_an_update_before_the_resource_is_made(bench: Bench, pack: Path) -> None:
    bench.packs = (PackChoice(pack),)
    run = bench.up(THINGS.format(count=1, size=9))
    assert not run.ok
    assert bench.world.objects == {}


def test_an_advisory_violation_of_the_stack_is_reported_and_fails_nothing(bench: Bench, pack: Path) -> None:
    bench.packs = (PackChoice(pack),)
    run = bench.up(THINGS.format(count=3, size=1))
    assert run.ok
    assert [(one.policy, one.mandatory, one.urn.rpartition("::")[2]) for one in run.violations] == [
        ("few", False, "proj-dev")
    ]


def test_configuration_wins_over_the_packs_defaults(bench: Bench, pack: Path) -> None:
    bench.packs = (PackChoice(pack, {"small": {"limit": 10}, "few": "mandatory"}),)
    assert bench.preview(THINGS.format(count=2, size=9)).ok
    assert not bench.preview(THINGS.format(count=3, size=9)).ok
    bench.packs = (PackChoice(pack, {"all": "disabled"}),)
    assert bench.preview(THINGS.format(count=3, size=99)).violations == []


def test_a_remediation_changes_the_inputs_before_the_resource_is_made(bench: Bench, pack: Path) -> None:
    bench.packs = (PackChoice(pack, {"named": "remediate"}),)
    assert bench.up(THINGS.format(count=1, size=1)).ok
    assert [one["document"] for one in bench.world.objects.values()] == ["remediated"]


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"small": {"limit": "many"}}, "is not of type 'integer'"),
        ({"missing": "mandatory"}, "'missing', which it does not have"),
        ({"small": "strict"}, "the enforcement level 'strict'"),
    ],
)
def test_a_wrong_configuration_is_refused(bench: Bench, pack: Path, config: dict[str, object], why: str) -> None:
    bench.packs = (PackChoice(pack, config),)
    with pytest.raises(Refusal) as refused:
        bench.preview(THINGS.format(count=1, size=1))
    assert why in refused.value.why


def test_a_pack_that_does_not_start_is_refused_and_what_it_printed_is_shown(bench: Bench, pack: Path) -> None:
    (pack / "__main__.py").write_text("raise RuntimeError('broken pack')")
    bench.packs = (PackChoice(pack),)
    with pytest.raises(Refusal) as refused:
        bench.preview(THINGS.format(count=1, size=1))
    assert "exit code 1" in refused.value.why
