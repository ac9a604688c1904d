"""What the policy pack is shown of another stack."""

import pulumi

from components.other_stack import OtherStack
from tests.components.mock_engine import run

NAME = "organization/twokeys/prod"
REFERENCE, COMPONENT = "pulumi:pulumi:StackReference", "twokeys:access:OtherStack"


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
