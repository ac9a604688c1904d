"""What the policy pack is shown of another stack."""

import pulumi

from components.other_stack import OtherStack
from tests.components.mock_engine import run

NAME = "organization/twokeys/prod"
REFERENCE, COMPONENT = "pulumi:pulumi:StackReference", "twokeys:access:OtherStack"


def test_a_component_repeats_what_another_stack_exports_about_doors_and_nothing_else() -> None:
    def program() -> None:
        OtherStack("prod", {"stack": NAME})

    doors = {"doors": [{"name": "deploy"}], "parent_account_id": "1" * 12}
    done = run(program, there={REFERENCE: {"name": NAME, "outputs": {**doors, "secret": "x"}}})
    assert done.one(COMPONENT, "prod").inputs == {"name": NAME, "outputs": doors}


def test_of_a_stack_that_the_program_refers_to_already_no_second_reference_is_made() -> None:
    """The engine ends a program that registers two resources of one URN."""
    grants = [{"name": "auditor"}]

    def program() -> None:
        known = pulumi.StackReference(NAME).outputs.apply(dict)
        OtherStack("prod", {"stack": NAME, "outputs": known})

    outputs = {"organization_grants": grants, "organization_id": "o-a1b2c3d4e5", "secret": "x"}
    done = run(program, there={REFERENCE: {"name": NAME, "outputs": outputs}})
    assert done.reads == [REFERENCE]
    del outputs["secret"]
    assert done.one(COMPONENT, "prod").inputs == {"name": NAME, "outputs": outputs}
