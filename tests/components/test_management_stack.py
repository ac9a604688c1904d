"""What other stacks read from the management stack, there or not."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from components.management_stack import ManagementStack
from components.refusing import ProgramRefusal
from tests.components.mock_engine import Run, run
from twokeys.iam import UNKNOWN
from twokeys.preview.monitor import RefusedError
from twokeys.preview.values import UNKNOWN_TEXT

NAME = "organization/twokeys/management"
REFERENCE, READ = "pulumi:pulumi:StackReference", "pulumi:pulumi:readStackOutputs"
OUTPUTS = {
    "organizational_unit_ids": {"Workloads/Stage": "ou-ab12-cd345678"},
    "group_members": {"developers": ["alice"]},
}


def read(answer: Any, *, preview: bool = False, unit: str = "Workloads/Stage") -> Run:
    def program() -> None:
        management = ManagementStack(NAME)
        pulumi.export("unit", management.read("organizational_unit_ids", unit, "organization.organizationalUnits"))
        pulumi.export("members", management.read("group_members", "developers", "people.groups", "web-developer"))

    outputs = answer if isinstance(answer, dict) else OUTPUTS
    call = answer if callable(answer) else lambda _, __: {"name": NAME, "outputs": answer}
    return run(program, preview=preview, calls={READ: call}, there={REFERENCE: {"name": NAME, "outputs": outputs}})


def missing(args: Mapping[str, Any], provider: str) -> Mapping[str, Any]:
    # What the engine answers, seen with version 3.260.
    raise RefusedError(f'invocation of {READ} returned an error: unknown stack "{args["name"]}"{provider}')


def test_ids_and_members_are_read_through_one_reference() -> None:
    done = read(OUTPUTS)
    assert done.exports == {"unit": "ou-ab12-cd345678", "members": ["alice"]}
    assert done.calls == [READ]


def test_what_a_preview_of_the_management_stack_does_not_know_leaves_the_rest_known() -> None:
    there = {"group_members": {"developers": ["alice"], "new": UNKNOWN_TEXT}, "user_arns": UNKNOWN_TEXT}
    done = read({**there, "organizational_unit_ids": {"Workloads/Stage": UNKNOWN_TEXT}}, preview=True)
    assert done.exports == {"unit": UNKNOWN, "members": ["alice"]}


@pytest.mark.parametrize("answer", [missing, {}])
def test_a_preview_without_the_management_stack_goes_on_with_unknowns_and_a_warning(answer: Any) -> None:
    done = read(answer, preview=True)
    assert all(each is UNKNOWN for each in done.exports.values())
    assert any("is not deployed" in message and "Next step" in message for message in done.messages)


@pytest.mark.parametrize("answer", [missing, {}])
def test_an_update_without_the_management_stack_is_refused(answer: Any) -> None:
    with pytest.raises(ProgramRefusal) as refusal:
        read(answer)
    assert NAME in refusal.value.where
    assert "update the management stack first" in refusal.value.next_step


def test_another_failure_of_the_look_up_is_not_taken_for_a_missing_stack() -> None:
    def broken(args: Mapping[str, Any], provider: str) -> Mapping[str, Any]:
        raise RefusedError(f"could not reach the backend {args} {provider}")

    with pytest.raises(Exception, match="could not reach the backend"):
        read(broken, preview=True)


def test_a_group_without_members_is_refused() -> None:
    with pytest.raises(ProgramRefusal) as refusal:
        read(OUTPUTS | {"group_members": {"developers": []}})
    assert (refusal.value.what, refusal.value.why) == (
        "door web-developer from 'developers' of the management stack",
        "nobody is in it",
    )
    assert refusal.value.next_step.startswith("take the door out of this stack and update it first")


def test_a_unit_that_the_management_stack_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(ProgramRefusal) as refusal:
        read(OUTPUTS, unit="Workloads/Prod")
    assert refusal.value.what == "'Workloads/Prod' of the management stack"
    assert "Workloads/Stage" in refusal.value.why
    assert refusal.value.next_step.startswith("write Workloads/Stage, if that is meant, or add it to organization")
