"""The commands: the same rules on a state, on two states, and on a plan."""

import json
from io import StringIO
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from tests.access.states import write_plan, write_state
from tests.access.test_identity_center import center
from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    OUTSIDE,
    PROD,
    STAGE,
    TODAY,
    World,
    arn,
    document,
    grants,
    trusts,
    two_keys,
)
from twokeys.answers.check import show
from twokeys.answers.commands import access
from twokeys.answers.reading import read
from twokeys.answers.summary import IN_SHORT
from twokeys.errors import Refusal

DOOR = f"{CI} -> {DEPLOYER}"
NOTHING = "No way in is gained, lost or changed."
WAY = "role ci of management -> role deployer of 222222222222 (no permissions)"


def call(*arguments: object) -> tuple[int, str]:
    """The exit code as `twokeys` gives it, and what was printed."""
    words = [str(one) for one in arguments]
    result: Result = CliRunner().invoke(access, words, standalone_mode=False, catch_exceptions=False)
    return result.return_value or 0, result.output


def test_a_state_with_two_keys_everywhere_passes(tmp_path: Path) -> None:
    granted = two_keys()
    granted.role("admin", granted.hub)
    granted.grant("admin", granted.hub, arn(STAGE, "role/OrganizationAccountAccessRole"))
    code, text = call("check", "--state", write_state(tmp_path / "state.json", two_keys()))
    assert code == 0
    assert "2 principals have 2 ways in (1 door, 1 with a key not shown)" in text
    assert "? account management as a whole -> role OrganizationAccountAccessRole of 222222222222" in text
    assert "(administrator): grant not shown" in text
    assert "No rule is violated: 1 door with two keys, none without.\n" in text
    code, text = call("check", "--state", write_state(tmp_path / "whole.json", granted))
    assert code == 0
    assert "No rule is violated: 2 doors with two keys, none without.\n" in text


def test_a_door_whose_grant_nobody_needs_or_sees_is_not_one_with_two_keys(tmp_path: Path) -> None:
    world, issuer = two_keys(), "token.actions.githubusercontent.com"
    subject = {
        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": "repo:acme/shop:ref:refs/heads/main"}
    }
    of_github = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": arn(STAGE, f"oidc-provider/{issuer}")},
        "Condition": subject,
    }
    world.role("github", world.stage, document(of_github))
    external = {"StringEquals": {"sts:ExternalId": "lighthouse-4f2a"}}
    world.role("vendor", world.stage, document(trusts(arn("9" * 12, "role/scanner"), condition=external)))
    _, text = call("check", "--state", write_state(tmp_path / "state.json", world))
    assert "No rule is violated: 1 door with two keys, 2 by the trust alone, none without.\n" in text


def test_users_with_the_same_way_in_are_one_line_of_check(tmp_path: Path) -> None:
    world, own = two_keys(), "role/own"
    for name in ("ann", "ben"):
        world.add("User", name, world.hub, name=name)
        policy = document(grants(arn(STAGE, own)))
        world.add("UserPolicy", f"{name}-own", world.hub, user=name, name="own", policy=policy)
    world.role("own", world.stage, document(trusts(arn(HUB, "user/ann"), arn(HUB, "user/ben"))))
    _, text = call("check", "--state", write_state(tmp_path / "state.json", world))
    assert f"  ✓ user ann of management, user ben of management -> role own of {STAGE} (no permissions)\n" in text


def test_the_door_of_a_group_that_one_member_only_is_trusted_for_violates_no_rule_and_is_not_called_whole(
    tmp_path: Path,
) -> None:
    world = two_keys(document(trusts(arn(HUB, "user/dana"))), granted=False)
    world.add("Group", "sre", world.hub, name="sre")
    world.add("GroupPolicy", "sre", world.hub, group="sre", name="enter", policy=document(grants(DEPLOYER)))
    for name in ("dana", "erik"):
        world.add("User", name, world.hub, name=name)
        world.add("UserGroupMembership", name, world.hub, user=name, groups=["sre"])
    code, text = call("check", "--state", write_state(tmp_path / "state.json", world))
    assert code == 0
    step = f"name {arn(HUB, 'user/erik')} in its trust policy (in the door's `members`), if user erik shall, too"
    said = f"no trust (other members of group sre come in; {step})\n"
    assert f"✗ user erik of management -> role deployer of {STAGE}: {said}" in text
    assert "No rule is violated: 1 door with two keys, 1 without.\n" in text


def test_a_way_of_which_a_rule_refuses_a_door_has_the_mark_of_one_that_is_to_be_looked_at(tmp_path: Path) -> None:
    world = two_keys()
    world.role("own", world.stage, document(trusts(OUTSIDE)))
    world.role("anywhere", world.hub)
    world.grant("anywhere", world.hub, "arn:aws:iam::*:role/OrganizationAccountAccessRole")
    code, text = call("check", "--state", write_state(tmp_path / "state.json", world))
    assert code == 1
    assert f"  ! account {OUTSIDE} as a whole -> role own of {STAGE} (no permissions): refused by external-id\n" in text
    marked = (
        f"  ! role anywhere of management -> role OrganizationAccountAccessRole of {STAGE} (administrator): refused by"
    )
    assert f"{marked} wildcard-grant\n" in text
    grant = next(one for one in world.resources if one.name == "anywhere-grant")
    world.change(grant, urn=f"{arn(HUB, 'role/anywhere')} grant")
    show(read(world.graph), world.check(), Console(file=(live := StringIO()), width=10_000), TODAY)
    assert f"{marked} wildcard-grant\n" in live.getvalue(), "what was read live has ARNs"
    assert f"  ✓ role ci of management -> role deployer of {STAGE} (no permissions)\n" in text


def test_a_state_that_an_update_has_not_finished_says_what_is_not_shown(tmp_path: Path) -> None:
    """A checkpoint lists the operations that are under way: https://www.pulumi.com/docs/iac/concepts/state-and-backends/"""
    state = write_state(tmp_path / "state.json", two_keys())
    half = json.loads(state.read_text())
    bucket = {"urn": "urn:pulumi:stage::twokeys::aws:s3/bucket:Bucket::b", "type": "aws:s3/bucket:Bucket"}
    half["deployment"]["pending_operations"] = [{"type": "creating", "resource": bucket}]
    state.write_text(json.dumps(half))
    code, text = call("check", "--state", state)
    assert code == 0, "a bucket opens nothing, and a grant that is not shown is no violation either"
    assert "Not shown: what is still to come of stacks whose update is under way or was stopped (stage)" in text
    assert "`twokeys fleet recover stage`" in text
    assert "No rule is violated: 1 door with two keys, none without.\n" in text
    assert "stopped (stage)" in json.loads(call("check", "--state", state, "--json")[1])["notShown"]
    for more, expected in (((), 0), (("--exit-code",), 1)):
        code, text = call("diff", state, state, *more)
        assert (code, NOTHING in text, "Not shown: " in text) == (expected, True, True)


def test_a_stack_of_the_project_that_the_sandbox_has_no_state_of_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    for stack in ("stage", "prod", "dev"):
        (tmp_path / f"Pulumi.{stack}.yaml").touch()
    made = tmp_path / ".twokeys" / "stacks"
    made.mkdir(parents=True)
    state = write_state(made / "stage.json", two_keys())
    code, text = call("check")
    assert (code, "Not shown: stacks without a state (dev, prod), so ways" in text) == (0, True)
    asked = [call("check", "--stack", "stage"), call("check", "--state", state)]
    assert [text for _, text in asked if "Not shown" in text] == [], "the others were not asked for"


def test_a_state_that_lacks_a_key_fails_and_says_which(tmp_path: Path) -> None:
    code, text = call("check", "--state", write_state(tmp_path / "state.json", two_keys(granted=False)))
    assert code == 1
    assert "violation: door-needs-grant" in text
    assert "the grant key is missing" in text
    _, exported = call("export", tmp_path / "doors.json", "--state", tmp_path / "state.json")
    assert (
        "Left out, as no profile begins them: role ci of management -> role deployer of 222222222222 (no grant);"
        in exported
    )
    assert "0 doors" in exported


def test_a_workflow_s_way_that_no_profile_begins_is_named_with_the_arn_that_its_job_needs(tmp_path: Path) -> None:
    """https://github.com/aws-actions/configure-aws-credentials (role-to-assume)"""
    issuer, world = "token.actions.githubusercontent.com", two_keys()
    trusted = {"Federated": arn(HUB, f"oidc-provider/{issuer}")}
    comes = {f"{issuer}:sub": "repo:acme/shop:ref:refs/heads/main", f"{issuer}:aud": "sts.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRoleWithWebIdentity"}
    world.role("gh-shop", world.hub, document(statement | {"Condition": {"StringEquals": comes}}))
    _, exported = call("export", tmp_path / "doors.json", "--state", write_state(tmp_path / "state.json", world))
    way = f"GitHub repo:acme/shop:ref:refs/heads/main -> {arn(HUB, 'role/gh-shop')}"
    assert f"Left out, as no profile begins them: {way}; `twokeys access check` has all\n" in exported


def test_a_key_that_a_denial_holds_is_there_and_denied_by_what_the_next_step_names(tmp_path: Path) -> None:
    world = two_keys()
    no = document(grants(DEPLOYER, effect="Deny"))
    world.add("RolePolicy", "never", world.hub, role="ci", name="never", policy=no)
    state = write_state(tmp_path / "state.json", world)
    (door,) = json.loads(call("check", "--state", state, "--json")[1])["doors"]
    assert (door["trust"], door["grant"], door["state"], door["lacks"]) == ("present", "denied", "shut", "denied")
    assert door["nextStep"].startswith("narrow the Deny of inline policy never of role ci, ")
    assert f"✗ role ci of management -> role deployer of {STAGE}: denied" in call("check", "--state", state)[1]


def test_json_tells_doors_keys_explanations_and_violations(tmp_path: Path) -> None:
    code, text = call("check", "--state", write_state(tmp_path / "state.json", two_keys(granted=False)), "--json")
    told = json.loads(text)
    assert code == 1
    assert [(one["source"]["arn"], one["target"]["arn"], one["trust"], one["grant"]) for one in told["doors"]] == [
        (CI, DEPLOYER, "present", "missing")
    ]
    assert told["doors"][0]["lacks"] == "no grant"
    whole = json.loads(call("check", "--state", write_state(tmp_path / "whole.json", two_keys()), "--json")[1])
    assert whole["doors"][0]["lacks"] is None
    assert told["doors"][0]["explanation"].startswith("The trust alone: ALLOW")
    assert [one["rule"] for one in told["violations"]] == ["door-needs-grant"]
    assert [way["target"]["arn"] for way in told["ways"] if way["accessRole"]] == [
        "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"
    ]


def test_the_source_position_of_a_state_is_shown(tmp_path: Path) -> None:
    state = write_state(tmp_path / "s.json", two_keys(granted=False), sourcePosition="project:///__main__.py#12,3")
    assert "(__main__.py:12)" in call("check", "--state", state)[1]


def test_a_configuration_holds_exceptions_and_levels(tmp_path: Path) -> None:
    state = write_state(tmp_path / "state.json", two_keys(granted=False))
    exception = {"door": DOOR, "reason": "migration", "owner": "platform", "expires": "9999-12-31"}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"door-needs-grant": {"exceptions": [exception]}}))
    code, text = call("check", "--state", state, "--policy-pack-config", config)
    assert code == 0
    assert f"accepted exception: door-needs-grant: {DOOR}, until 9999-12-31; platform answers for it: migration" in text
    assert "No rule is violated, but for 1 accepted exception: 0 doors with two keys, 1 without." in text
    told = json.loads(call("check", "--state", state, "--policy-pack-config", config, "--json")[1])
    assert told["acceptedExceptions"] == [{"rule": "door-needs-grant", **exception, "stack": None}]
    config.write_text(json.dumps({"door-needs-grant": "advisory"}))
    assert call("check", "--state", state, "--policy-pack-config", config)[0] == 0
    config.write_text(json.dumps({"all": "disabled"}))
    assert call("check", "--state", state, "--config", config)[0] == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"all": "mandatroy"}'])
def test_a_configuration_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    state = write_state(tmp_path / "state.json", two_keys())
    with pytest.raises(Refusal, match="configuration cannot be read"):
        call("check", "--state", state, "--policy-pack-config", tmp_path / "config.json")


def test_a_stack_that_the_sandbox_does_not_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refusal, match="there is no state of stack stage"):
        call("check", "--stack", "stage")
    (tmp_path / ".twokeys" / "stacks").mkdir(parents=True)
    write_state(tmp_path / ".twokeys" / "stacks" / "stage.json", two_keys())
    assert call("check", "--stack", "stage")[0] == 0
    with pytest.raises(Refusal, match="write stage, if that is meant"):
        call("check", "--stack", "stag")


def test_the_difference_of_two_states_names_doors_gained_and_lost(tmp_path: Path) -> None:
    old, new = (write_state(tmp_path / f"{granted}", two_keys(granted=granted)) for granted in (False, True))
    for one, other, said in ((old, new, f"+ {WAY}"), (new, old, f"- {WAY}"), (new, new, NOTHING)):
        change, scope, beyond, *read = call("diff", one, other)[1].splitlines()
        assert change == said
        assert scope == "From states: only users and roles that stacks made; live IAM also has those made otherwise."
        assert beyond == f"{IN_SHORT}."
        marked = call("diff", one, other, "--format", "markdown")[1].splitlines()
        assert marked[-1].replace("\\", "") == " ".join([scope, beyond, *read])
        names = dict.fromkeys((one.name, other.name))
        assert read == [f"Read: {', '.join(names)}."], "what both sides were read from is said once"
    assert call("diff", new, old, "--exit-code")[0] == 1
    (tmp_path / "prod").write_text(new.read_text().replace("urn:pulumi:stage::", "urn:pulumi:prod::"))
    with pytest.raises(Refusal, match="two states of different stacks") as refused:
        call("diff", old, tmp_path / "prod")
    assert f"only {old} has stage and only {tmp_path / 'prod'} has prod" in refused.value.why


def test_the_states_of_all_stacks_are_compared_at_once_as_a_folder_on_each_side(tmp_path: Path) -> None:
    then, now = tmp_path / "then", tmp_path / "now"
    for folder, granted in ((then, True), (now, False)):
        folder.mkdir()
        stage = write_state(folder / "stage.json", two_keys(granted=granted))
        (folder / "prod.json").write_text(stage.read_text().replace("urn:pulumi:stage::", "urn:pulumi:prod::"))
    assert call("diff", then, now)[1].startswith(f"- {WAY}\n")
    assert call("diff", then, then)[1].startswith(NOTHING)
    (now / "prod.json").unlink()
    with pytest.raises(Refusal, match="two states of different stacks") as refused:
        call("diff", then, now)
    assert refused.value.why.startswith(f"only {then} has prod: ")
    (now / "stage.json").unlink()
    with pytest.raises(Refusal, match="this folder holds no state"):
        call("diff", then, now)
    with pytest.raises(click.UsageError, match="--plan is of one stack"):
        call("diff", then, "--plan", then / "prod.json")


def test_who_a_stack_that_one_side_alone_has_puts_into_groups_is_not_gained(tmp_path: Path) -> None:
    """Nothing tells who was in the group before; that the stack is on one side only is said once."""
    folder = tmp_path / "now"
    folder.mkdir()
    before, members = center(), center()
    apart = [[one for one in before.resources if one.type.endswith("GroupMembership") is of] for of in (False, True)]
    before.resources, members.resources = apart
    old = write_state(folder / "stage.json", before)
    (folder / "prod.json").write_text(
        write_state(tmp_path / "p", members).read_text().replace("urn:pulumi:stage::", "urn:pulumi:prod::")
    )
    said = call("diff", old, folder)[1]
    assert said.startswith(NOTHING)
    assert said.count(f"\nOnly {folder} has prod, all of whose ways are said to be gained. From states") == 1


def chained() -> World:
    world = two_keys()
    prod = world.provider("prod", PROD)
    world.role("inner", prod, document(trusts(DEPLOYER)))
    world.grant("deployer", world.stage, arn(PROD, "role/inner"))
    return world


def test_of_a_stack_that_is_new_every_way_is_gained(tmp_path: Path) -> None:
    """`pulumi stack init` makes it empty: https://www.pulumi.com/docs/iac/cli/commands/pulumi_stack_init/"""
    (empty := tmp_path / "empty").write_text('{"version": 3, "deployment": {}}')
    state = write_state(tmp_path / "state", two_keys())
    assert f"+ {WAY}\n" in call("diff", empty, state)[1]
    for more in ([state, empty], [empty, "--live"]):
        with pytest.raises(Refusal, match="this state shows nothing"):
            call("diff", *more)


def test_the_difference_tells_ways_through_other_roles(tmp_path: Path) -> None:
    old, new = write_state(tmp_path / "a", two_keys()), write_state(tmp_path / "b", chained())
    told = json.loads(call("diff", old, new, "--json")[1])
    inner = arn(PROD, "role/inner")
    ways = [way for way in told["gained"] if way["target"]["arn"] == inner]
    assert [(way["source"]["arn"], [one["arn"] for one in way["through"]]) for way in ways] == [
        (DEPLOYER, []),
        (CI, [DEPLOYER]),
    ]
    text = call("diff", old, new)[1]
    assert f"+ role ci of management -> role inner of {PROD}, through role deployer of {STAGE} (" in text


def test_the_difference_to_a_plan_leaves_out_what_it_deletes(tmp_path: Path) -> None:
    world = two_keys()
    deleted = world.resources[-1].urn
    state = write_state(tmp_path / "state.json", world)
    world.resources.pop()
    plan = write_plan(tmp_path / "plan.json", world, deleted=(deleted,))
    told = call("diff", state, "--plan", plan)[1].splitlines()
    assert told[0] == f"- {WAY}"
    assert told[-1] == f"Read: {state.name}, {plan.name}."
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(Refusal, match="no update plan"):
        call("diff", state, "--plan", tmp_path / "bad.json")


def test_a_grant_of_everything_reaches_only_roles_that_trust_it(tmp_path: Path) -> None:
    world = two_keys()
    world.add("RolePolicy", "admin", world.hub, role="ci", name="admin", policy=document(grants("*", action="*")))
    world.role("other", world.stage)
    _, text = call("check", "--state", write_state(tmp_path / "state.json", world), "--json")
    told = [(one["source"]["arn"], one["target"]["arn"]) for one in json.loads(text)["doors"]]
    assert set(told) == {(CI, DEPLOYER), (CI, arn(STAGE, "role/OrganizationAccountAccessRole"))}
