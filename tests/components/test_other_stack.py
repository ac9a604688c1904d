"""What the policy pack is shown of another stack."""

from __future__ import annotations

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
