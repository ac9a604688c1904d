"""The SDK's own mock monitor, told what an AWS account would answer, and asked afterwards what was registered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.runtime import mocks, rpc

from twokeys.preview.monitor import run_on

MANAGEMENT = "111111111111"
MEMBER = "222222222222"


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    provider: str
    parent: str
    protect: bool
    retain_on_delete: bool
    import_id: str
    ignore_changes: tuple[str, ...]
    replacement_trigger: str
    dependencies: tuple[str, ...]
    property_dependencies: dict[str, tuple[str, ...]]


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


def _in_a_loop_of_its_own(method: Callable[..., Any]) -> Callable[..., Any]:
    # The mock monitor gives each worker thread an event loop and leaves it open, which is a ResourceWarning later.
    def wrapper(self: Any, request: Any) -> Any:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            return method(self, request)
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    return wrapper


class _Monitor(mocks.MockMonitor):
    def __init__(self, run: Run, *, preview: bool, calls: Mapping[str, Answer], there: Mapping[str, Mapping[str, Any]]):
        super().__init__(_Answers(run, preview=preview, calls={**CALLS, **calls}, there=there))
        self._run = run

    Invoke = _in_a_loop_of_its_own(mocks.MockMonitor.Invoke)

    @_in_a_loop_of_its_own
    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        self._run.reads.append(request.type)
        return super().ReadResource(request)

    @_in_a_loop_of_its_own
    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        response = super().RegisterResource(request)
        self._run.resources.append(
            Registered(
                type=request.type,
                name=request.name,
                urn=response.urn,
                inputs=rpc.deserialize_properties(request.object, keep_unknowns=True),
                provider=request.provider,
                parent=request.parent,
                protect=request.protect,
                retain_on_delete=request.retainOnDelete,
                import_id=request.importId,
                ignore_changes=tuple(request.ignoreChanges),
                replacement_trigger=request.replacement_trigger.string_value,
                dependencies=tuple(request.dependencies),
                property_dependencies={key: tuple(value.urns) for key, value in request.propertyDependencies.items()},
            )
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the SDK's name
        outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self._run.exports = outputs
        else:
            self._run.component_outputs[request.urn] = outputs
        return super().RegisterResourceOutputs(request)


class _Answers(mocks.Mocks):
    def __init__(self, run: Run, *, preview: bool, calls: Mapping[str, Answer], there: Mapping[str, Mapping[str, Any]]):
        self._run, self._preview, self._calls, self._there = run, preview, calls, there

    def call(self, args: mocks.MockCallArgs) -> Any:
        self._run.calls.append(args.token)
        return self._calls[args.token](args.args, args.provider)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        there = self._there.get(f"{args.typ}::{args.name}", self._there.get(args.typ))
        if there is not None:
            state = {**args.inputs, **there}
            known = {key: value for key, value in state.items() if value is not None}
            return IDS.get(args.typ, args.resource_id or args.name), known
        if self._preview and args.custom and not args.typ.startswith("pulumi:"):
            return "", dict(args.inputs)
        computed = COMPUTED.get(args.typ, lambda _, __: {})
        return args.resource_id or IDS.get(args.typ, f"{args.name}-id"), {
            **args.inputs,
            **computed(args.name, args.inputs),
        }


class _Messages(logging.Handler):
    def __init__(self, run: Run) -> None:
        super().__init__(logging.INFO)
        self._run = run

    def emit(self, record: logging.LogRecord) -> None:
        self._run.messages.append(record.getMessage())


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
    logger = logging.Logger("program")
    logger.addHandler(_Messages(done))

    monitor = _Monitor(done, preview=preview, calls=calls or {}, there=there or {})
    named = {"project": "twokeys", "stack": stack, "dry_run": preview, "organization": "organization"}
    run_on(monitor, mocks.MockEngine(logger), program, config or {}, **named)
    return done
