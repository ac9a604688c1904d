"""What happens to a resource: expectations from https://www.pulumi.com/docs/iac/concepts/how-pulumi-works/ ."""

from __future__ import annotations

from tests.sandbox.engine.conftest import Bench
from twokeys.sandbox.engine.events import Op


def test_a_program_is_created_and_the_second_update_changes_nothing(bench: Bench) -> None:
    text = """
        mem = Provider("p", account="1")
        a = Thing("a", size=1, opts=Opts(provider=mem))
        b = Thing("b", document=pulumi.Output.json_dumps({"arn": a.arn}), opts=Opts(provider=mem))
        pulumi.export("arn", a.arn)
    """
    first = bench.up(text)
    assert first.errors == ""
    assert first.ok
    assert first.ops == {"p": Op.CREATE, "a": Op.CREATE, "b": Op.CREATE}
    assert first.outputs["arn"].startswith("arn:mem:id-a-")
    second = bench.up()
    assert second.ok
    assert set(second.ops.values()) == {Op.SAME}
    assert second.outputs == first.outputs
