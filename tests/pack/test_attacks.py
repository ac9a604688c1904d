"""Programs that open an account unnoticed, on the pulumi CLI: `scripts/engine tests/pack/test_attacks.py`.

CI runs one of each kind that the engine shows to the pack in a way of its own, `pytest -m long` the others. All of them
are made by `twokeys sandbox up`, whose gate is the pack's, in tests/sandbox/test_attacks.py, in half a second each.

Each is refused in preview or in the update before what it would open is made; IAM is listed afterwards. The engine asks
a mandatory policy about each resource before it makes it: https://www.pulumi.com/docs/insights/policy/policy-packs/
"""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pack.real_engine import PATH, STAGE, RealEngine
from twokeys.sandbox.get_pulumi import wrap
from twokeys.sandbox.local_aws import LocalAws

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

CI = "arn:aws:iam::111111111111:role/ci"
DEPLOYER = "arn:aws:iam::222222222222:role/deployer"
WORKER, TARGET = "arn:aws:iam::222222222222:role/worker", "arn:aws:iam::333333333333:role/target"
GRANT = f"role ci may assume {DEPLOYER}"
GRANT_INTO_NEW = "role ci may assume arn:aws:iam::new:role/deployer"
TRUST = f"{CI} may assume deployer"

IN_PREVIEW = (
    "everyone",
    "everyone_with_an_external_id",
    "outsider",
    "outsider_among_ours",
    "outsider_by_a_forged_stack",
    "trust_without_grant",
    "grant_without_trust",
    "wildcard_grant",
    "wildcard_in_a_managed_policy",
    "wildcard_in_inline_policies",
    "trust_as_a_mapping_in_an_account_to_come",
    "trust_in_an_account_to_come",
    "cloud_control",
    "stack_set",
    "account_that_a_change_would_replace",
    "github_without_a_subject",
    "stage_into_prod",
    "contradictory_declarations",
    "transformed_trust",
    "imported_role",
)
WITH_WHAT_AWS_HAS = {"imported_role", "account_that_a_change_would_replace"}
"""What exists already makes the difference. The others are previewed in tests/engine/test_attacks.py as well."""
SECOND_ROUND = (
    "late_mapping",
    "late_duplicate_keys",
    "late_session_of_an_outsider",
    "late_grant_by_not_action",
    "late_federated_by_for_all_values",
    "late_exclusive_attachment",
    "late_attachment_to_many",
    "late_role_of_a_grant",
    "late_role_of_a_grant_in_another_case",
    "late_outsider_in_a_list",
    "transformed_provider",
    "late_provider",
    "name_in_another_case",
)
"""tests/pack/attacks/second_round.py: refused in preview or in the update."""
LATE = (
    "false_declaration",
    *(
        name
        for file in ("attacks.py", "second_round.py")
        for name in re.findall(r"^def (late_\w+)", Path(__file__).with_name("attacks").joinpath(file).read_text(), re.M)
        if name not in SECOND_ROUND and name != "late_role_of_aws_native"
    ),
)
WITHOUT_PREVIEW = tuple(
    one
    for one in IN_PREVIEW
    if one not in WITH_WHAT_AWS_HAS and not one.startswith(("trust_", "grant_without_", "outsider_by_"))
)
KINDS = {
    "late_leaf_of_a_document",  # an unknown inside JSON
    "late_managed_policy_arns",  # a resource that names another
    "late_user_policy",
    "late_way_from_stage_into_prod",  # between two providers
    "late_cloud_control",
    "false_declaration",  # a component, in an account to come
    "late_transformed_trust",
    "everyone",
    "wildcard_in_inline_policies",
    "stack_set",
    "contradictory_declarations",
    "transformed_trust",
    "fine_late_keys",
    "fine_own_account",
    "component",
}
IN_A_LATER_RUN = (
    "changed_trust",
    "changed_grant",
    "changed_managed_policy",
    "replaced_role",
    "renamed_resource",
    "replaced_after_deletion",
)
IN_ORDER: dict[str, set[str]] = {
    "fine_two_keys": {GRANT, TRUST},
    "fine_late_keys": {GRANT, TRUST},
    "fine_bucket_policy": set(),
    "fine_own_account": set(),
    "fine_names_made_up": {"policy limit may assume *"},
    "fine_declared_documents": {GRANT, TRUST},
    "component": {GRANT_INTO_NEW, TRUST},
}
OPEN = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}}
)
ALLOWED_HALVES = {
    "stage_into_prod",
    "late_way_from_stage_into_prod",
    "outsider_among_ours",
    "transformed_trust",
    "late_transformed_trust",
    "late_difference_from_what_is_declared",
    "wildcard_in_a_managed_policy",
    "late_managed_policy_arns",
    "late_policy_attached_to_many",
}
"""The grant is half of the door that is refused, or nobody holds its policy; it lets nobody in."""
KEYS_OF_A_WAY = {f"role worker may assume {TARGET}", f"{WORKER} may assume target"}


def only_halves(keys: set[str]) -> bool:
    """Whether the keys that the second round leaves let nobody in."""
    grants = {GRANT, GRANT_INTO_NEW, f"policy enter may assume {TARGET}"}
    return keys <= grants | KEYS_OF_A_WAY and not keys >= KEYS_OF_A_WAY


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealEngine]:
    folder = tmp_path_factory.mktemp("attacks")
    with LocalAws.start(folder / "aws") as aws:
        engine = RealEngine(folder, Path(__file__).with_name("attacks"), aws, PATH)
        assert engine.run("stack", "init", program="").code == 0
        shutil.copytree(folder / ".pulumi", folder / "empty")
        yield engine


@pytest.fixture
def engine(running: RealEngine) -> RealEngine:
    """An empty stack, and accounts as new as they were at first."""
    shutil.rmtree(running.folder / ".pulumi")
    shutil.copytree(running.folder / "empty", running.folder / ".pulumi")
    running.renew()
    return running


def of_each_kind(programs: Iterable[str]) -> list[Any]:
    return [one if one in KINDS else pytest.param(one, marks=pytest.mark.long) for one in programs]


def refused(engine: RealEngine, pack: Path, *arguments: str, program: str, step: int = 1) -> str:
    ran = engine.run(*arguments, program=program, step=step, pack=pack)
    assert ran.code != 0, ran.text
    assert "[mandatory]" in ran.text, ran.text
    assert "every-rule-ran" not in ran.text, ran.text
    return ran.text


@pytest.fixture
def pack(project_root: Path) -> Path:
    return project_root / "policies"


@pytest.mark.parametrize("program", sorted(WITH_WHAT_AWS_HAS))
def test_preview_refuses_what_it_can_know(program: str, engine: RealEngine, pack: Path) -> None:
    if program == "imported_role":
        engine.client("iam", STAGE).create_role(RoleName="open", AssumeRolePolicyDocument=OPEN)
    refused(engine, pack, "preview", program=program)


def test_preview_defers_what_it_cannot_know_and_the_update_refuses_it(engine: RealEngine, pack: Path) -> None:
    assert engine.run("preview", program="late_outsider", pack=pack).code == 0
    refused(engine, pack, "up", program="late_outsider")
    assert engine.keys_in_iam() == set()


@pytest.mark.parametrize("program", of_each_kind((*LATE, *WITHOUT_PREVIEW)))
def test_the_update_refuses_before_creation_what_no_preview_has_refused(
    program: str, engine: RealEngine, pack: Path
) -> None:
    refused(engine, pack, "up", "--skip-preview", program=program)
    assert engine.keys_in_iam() == set() or program in ALLOWED_HALVES


@pytest.mark.long
@pytest.mark.parametrize("program", SECOND_ROUND)
def test_another_road_is_refused_before_creation_too(program: str, engine: RealEngine, pack: Path) -> None:
    refused(engine, pack, "up", program=program)
    assert only_halves(engine.keys_in_iam())


@pytest.mark.parametrize("program", ["imported_open", "imported_and_ignored"])
def test_an_import_is_judged_as_it_is_before_what_hangs_on_it(program: str, engine: RealEngine, pack: Path) -> None:
    """The engine asks about an imported resource when it has read it, with what it read where changes are ignored."""
    engine.client("iam", STAGE).create_role(RoleName="open", AssumeRolePolicyDocument=OPEN)
    refused(engine, pack, "up", "--skip-preview", program=program)
    assert "after" not in engine.role_names(STAGE)


@pytest.mark.parametrize("program", IN_A_LATER_RUN)
def test_a_change_of_what_is_there_is_refused_before_it_is_made(program: str, engine: RealEngine, pack: Path) -> None:
    first = engine.run("up", "--skip-preview", program=program)
    assert first.code == 0, first.text
    refused(engine, pack, "up", "--skip-preview", program=program, step=2)
    assert engine.keys_in_iam() == set()


def test_a_refresh_in_between_changes_nothing_of_that(engine: RealEngine, pack: Path) -> None:
    assert engine.run("up", "--skip-preview", program="changed_trust").code == 0
    assert engine.run("refresh", program="changed_trust").code == 0
    refused(engine, pack, "up", "--skip-preview", program="changed_trust", step=2)
    assert engine.keys_in_iam() == set()


def test_a_document_that_ignores_its_changes_is_judged_as_it_stays(engine: RealEngine, pack: Path) -> None:
    assert engine.run("up", "--skip-preview", program="ignored_change").code == 0
    refused(engine, pack, "preview", program="ignored_change", step=2)


@pytest.mark.parametrize(("program", "rule"), [
    ("renamed_source", "door-needs-grant"), ("ignored_inline_policy", "wildcard-grant"),
])  # fmt: skip
def test_what_a_second_run_leaves_open_is_refused_in_preview(
    program: str, rule: str, engine: RealEngine, pack: Path
) -> None:
    first = engine.run("up", "--skip-preview", program=program)
    assert first.code == 0, first.text
    left = engine.keys_in_iam()
    assert rule in refused(engine, pack, "up", program=program, step=2)
    assert engine.keys_in_iam() == left


def test_a_grant_that_a_change_takes_away_is_missed_in_preview(engine: RealEngine, pack: Path) -> None:
    first = engine.run("up", "--skip-preview", program="grant_taken_away", pack=pack)
    assert first.code == 0, first.text
    assert "door-needs-grant" in refused(engine, pack, "up", program="grant_taken_away", step=2)
    assert engine.keys_in_iam() == {GRANT, TRUST}


def test_a_trust_in_somebody_who_leaves_the_group_that_has_the_grant_is_missed_in_preview(
    engine: RealEngine, pack: Path
) -> None:
    first = engine.run("up", "--skip-preview", program="membership_taken_away", pack=pack)
    assert first.code == 0, first.text
    assert "door-needs-grant" in refused(engine, pack, "up", program="membership_taken_away", step=2)


def test_a_role_of_aws_native_is_judged_before_it_is_made(engine: RealEngine, pack: Path) -> None:
    """Our plugin stands in for the vendor's: it keeps what is declared of types that it does not know."""
    tools = engine.folder / "tools"
    wrap(tools / "pulumi-resource-aws-native", "twokeys.sandbox.plugins.resource_aws")
    text = refused(engine, pack, "up", "--skip-preview", program="late_role_of_aws_native")
    assert "wildcard-trust" in text
    assert '"type": "aws-native:iam:Role"' not in engine.run("stack", "export", program="").text


@pytest.fixture
def other_stack(engine: RealEngine) -> RealEngine:
    """The engine, with a stack beside its own that has made a role with a grant, and exports that."""
    assert engine.run("stack", "init", program="", stack="other").code == 0
    made = engine.run("up", "--skip-preview", program="other_stack", stack="other")
    assert made.code == 0, made.text
    return engine


def test_a_grant_that_another_stack_takes_away_is_missed_in_the_next_update(
    other_stack: RealEngine, pack: Path
) -> None:
    first = other_stack.run("up", program="joined_by_a_reference", pack=pack)
    assert first.code == 0, first.text
    taken = other_stack.run("up", "--skip-preview", program="other_stack", step=2, stack="other")
    assert taken.code == 0, taken.text
    refused(other_stack, pack, "preview", program="joined_by_a_reference", step=2)


@pytest.mark.parametrize("skipped", [(), ("--skip-preview",)], ids=["with preview", "without preview"])
def test_what_a_program_adds_to_the_outputs_of_another_stack_is_not_believed(
    skipped: tuple[str, ...], other_stack: RealEngine, pack: Path
) -> None:
    refused(other_stack, pack, "up", *skipped, program="rewritten_reference")
    assert "deployer" not in other_stack.role_names(STAGE)


@pytest.mark.parametrize("skipped", [(), ("--skip-preview",)], ids=["with preview", "without preview"])
@pytest.mark.parametrize(
    "left_out",
    [("--exclude", "**door-grant"), ("--target", "**aws:iam/role:Role::door"), ("--target", "**aws:iam/role:Role::**")],
    ids=["the grant is excluded", "the trust is targeted", "all roles are targeted"],
)
def test_a_trust_whose_grant_is_left_out_is_never_made(
    left_out: tuple[str, ...], skipped: tuple[str, ...], engine: RealEngine, pack: Path
) -> None:
    ran = engine.run("up", *left_out, *skipped, program="component", pack=pack)
    assert ran.code != 0, ran.text
    assert TRUST not in engine.keys_in_iam()


def test_a_late_trust_that_is_targeted_alone_is_refused(engine: RealEngine, pack: Path) -> None:
    targets = ("--target", "**::deployer", "--target", "**::late")
    refused(engine, pack, "up", *targets, "--skip-preview", program="late_outsider")
    assert engine.keys_in_iam() == set()


@pytest.mark.parametrize("program", of_each_kind(IN_ORDER))
def test_a_program_in_order_goes_through_in_silence(program: str, engine: RealEngine, pack: Path) -> None:
    ran = engine.run("up", program=program, pack=pack)
    assert ran.code == 0, ran.text
    assert "[mandatory]" not in ran.text
    assert engine.keys_in_iam() == IN_ORDER[program]
