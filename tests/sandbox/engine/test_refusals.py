"""What the sandbox does not do is refused by name, never ignored."""

from __future__ import annotations

import pytest

from tests.sandbox.engine.conftest import Bench

P = 'p = Provider("p", account="1")\n'


@pytest.mark.parametrize(
    ("program", "named"),
    [
        ('Thing("a", opts=Opts(provider=p, transforms=[lambda args: None]))', "transforms"),
        ("pulumi.runtime.register_resource_transform(lambda args: None)", "stack transforms"),
        ("pulumi.runtime.register_invoke_transform(lambda args: None)", "invoke transforms"),
        ('Thing("a", opts=Opts(provider=p, hide_diffs=["size"]))', "hide_diffs"),
        ('Thing("a", opts=Opts(provider=p, replacement_trigger="x"))', "replacement_trigger"),
        (
            'hook = pulumi.ResourceHook("h", lambda args: None)\n'
            'Thing("a", opts=Opts(provider=p, hooks=pulumi.ResourceHookBinding(before_create=[hook])))',
            "resource hooks (h)",
        ),
        ('pulumi.runtime.call("mem:index:method", {"a": 1})', "calling methods (mem:index:method)"),
        ('Thing("a", document=pulumi.StringAsset("x"), opts=Opts(provider=p))', "an asset"),
        ('pulumi.CustomResource("gcp:x:Y", "g", {})', "the sandbox has no package 'gcp'"),
    ],
)
def test_an_unsupported_feature_is_named(bench: Bench, program: str, named: str) -> None:
    bench.up(P + 'Thing("a", document={}, opts=Opts(provider=p))') if "ignore_changes" in program else None
    run = bench.preview(P + program)
    assert not run.ok
    assert named in run.messages


def test_what_the_program_prints_and_logs_is_passed_on(bench: Bench) -> None:
    run = bench.preview(
        'print("to standard output")\npulumi.log.warn("careful")\nimport sys; print("aside", file=sys.stderr)'
    )
    assert run.ok
    for text in ("to standard output", "careful", "aside"):
        assert text in run.messages


def test_a_programs_error_is_shown_with_its_own_traceback_only(bench: Bench) -> None:
    run = bench.up(P + "def broken():\n    raise ValueError('mine')\nbroken()")
    assert not run.ok
    assert "ValueError: mine" in run.errors
    assert "__main__.py" in run.errors
    assert "run_program.py" not in run.errors
    assert "monitor" not in run.errors


def test_a_provider_that_refuses_us_stops_the_run_with_its_reason(bench: Bench) -> None:
    run = bench.up('q = Provider("q", account="refused")\nThing("a", opts=Opts(provider=q))')
    assert not run.ok
    assert run.errors == "the account refused us"
