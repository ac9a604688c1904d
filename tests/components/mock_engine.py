"""A program on the monitor of `twokeys preview`, told what AWS would answer, and asked what it registered."""

# ruff: noqa: ARG002 - the arguments are those of a Maker

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import SimpleNamespace
from typing import Any

from pulumi.runtime import mocks

from twokeys.preview import monitor
from twokeys.preview import run as preview_run
from twokeys.preview.run import STACK, Asked
from twokeys.preview.values import plain

MANAGEMENT = "111111111111"
MEMBER = "222222222222"

Registered = SimpleNamespace
"""A resource: the fields of `Asked`, with plain inputs, and its `replacement_trigger`."""


@dataclass
class Run:
    """What a program did: its resources, the types that it read, calls, exports and messages."""

    resources: list[Registered] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    def of(self, type: str) -> dict[str, Registered]:
        """All resources of a type, by name."""
        return {each.name: each for each in self.resources if each.type == type}

    def one(self, type: str, name: str) -> Registered:
        """The one resource of a type and a name."""
        return self.of(type)[name]


Computed = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
Answer = Callable[[Mapping[str, Any], str], Mapping[str, Any]]

COMPUTED: dict[str, Computed] = {
    "aws:organizations/organization:Organization": lambda _, __: {"roots": [{"id": "r-ab12"}]},
    "aws:organizations/account:Account": lambda _, __: {
        "arn": f"arn:aws:organizations::{MANAGEMENT}:account/o-a/{MEMBER}"
    },
    "aws:iam/role:Role": lambda _, inputs: {
        "arn": f"arn:aws:iam::{MANAGEMENT}:role{inputs.get('path', '/')}{inputs['name']}"
    },
    "aws:iam/user:User": lambda _, inputs: {"arn": f"arn:aws:iam::{MANAGEMENT}:user/{inputs['name']}"},
}
IDS = {"aws:organizations/account:Account": MEMBER, "aws:organizations/organization:Organization": "o-a1b2c3d4e5"}


def caller(args: Mapping[str, Any], provider: str) -> Mapping[str, Any]:
    """Who a provider is: the management account by its own name, anybody else the member account."""
    del args
    account = MANAGEMENT if "::management::" in provider else MEMBER
    return {"accountId": account, "arn": f"arn:aws:sts::{account}:assumed-role/x/y", "userId": "AROA", "id": account}


CALLS: dict[str, Answer] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller,
    "aws:organizations/getOrganization:getOrganization": lambda _, __: {"id": "o-found", "roots": [{"id": "r-found"}]},
}


@dataclass
class _Account:
    """Makes whatever is asked for."""

    done: Run
    preview: bool
    answers: Mapping[str, Answer]
    there: Mapping[str, Mapping[str, Any]]

    def show(self, asked: Asked, run: preview_run.Run) -> None:
        """Nothing comes of a component."""

    def make(self, asked: Asked, run: preview_run.Run) -> tuple[str, Mapping[str, Any]]:
        there = self.there.get(f"{asked.type}::{asked.name}", self.there.get(asked.type))
        if there is not None:
            state = {**asked.inputs, **there}
            known = {key: value for key, value in state.items() if value is not None}
            return IDS.get(asked.type, asked.import_id or asked.name), known
        if self.preview and not asked.type.startswith("pulumi:"):
            return "", dict(asked.inputs)
        computed = COMPUTED.get(asked.type, lambda _, __: {})(asked.name, plain(asked.inputs))
        return asked.import_id or IDS.get(asked.type, f"{asked.name}-id"), {**asked.inputs, **computed}

    def read(self, asked: Asked, id: str, run: preview_run.Run) -> Mapping[str, Any]:
        self.done.reads.append(asked.type)
        return self.make(asked, run)[1]

    def invoke(self, token: str, args: Mapping[str, Any], provider: str, run: preview_run.Run) -> Mapping[str, Any]:
        self.done.calls.append(token)
        return self.answers[token](args, provider)


class _Monitor(monitor._Monitor):
    """Keeps what a preview does not ask about."""

    def __init__(self, ask: monitor.Ask) -> None:
        super().__init__(ask)
        self.triggers: dict[str, str] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        response = super().RegisterResource(request)
        self.triggers[response.urn] = request.replacement_trigger.string_value
        return response


def run(
    program: Callable[[], None],
    *,
    stack: str = "stage",
    preview: bool = False,
    config: Mapping[str, str] | None = None,
    calls: Mapping[str, Answer] | None = None,
    there: Mapping[str, Mapping[str, Any]] | None = None,
) -> Run:
    """Run a program once in an event loop and a context of its own.

    Args:
        program: what registers resources.
        stack: the stack's name.
        preview: whether ids and computed outputs of new resources are unknown.
        config: the stack's config, full keys to text.
        calls: answers to function calls, by token, beside those of `CALLS`.
        there: outputs of resources that exist already (known in a preview too), by type or `type::name`; None is not on
            record.
    """
    done = Run()
    account = _Account(done, preview, {**CALLS, **(calls or {})}, there or {})
    ran = preview_run.Run("twokeys", stack, config or {}, account, lambda _, text: done.messages.append(text))
    asking = _Monitor(ran.answer)
    named = {"project": "twokeys", "stack": stack, "dry_run": preview, "organization": "organization"}
    engine: mocks.MockEngine = monitor._Engine(ran.answer)
    monitor.run_on(asking, engine, program, config or {}, **named)
    for made in ran.made:
        if made.asked.type == STACK:
            done.exports = plain(made.outputs)
        if not made.asked.external:
            said = {one.name: getattr(made.asked, one.name) for one in fields(Asked)}
            said |= {"inputs": plain(made.asked.inputs), "replacement_trigger": asking.triggers.get(made.asked.urn, "")}
            done.resources.append(Registered(**said))
            done.component_outputs[made.asked.urn] = plain(made.outputs)
    return done
