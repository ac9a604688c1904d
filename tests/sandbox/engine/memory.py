# ruff: noqa: ARG002, ARG005, PLR0917 - the protocol gives more arguments than a thing in memory needs
"""A package kept in memory, for tests: type `mem:index:Thing`, whose objects have a unique name.

Inputs: `name` (unique, automatic), `size`, `kind` (a change replaces), `fixed` (a change replaces, the old object
first), `secret`. Outputs: the inputs, `arn` (computed), `serial` (a number).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from twokeys.sandbox.engine.plugin import CheckFailure, Diff, ProviderError
from twokeys.sandbox.engine.values import UNKNOWN, Properties, has_unknown

_KNOWN = {"name", "size", "kind", "fixed", "secret", "sleep", "token", "document"}


@dataclass
class World:
    """The objects that exist, by id, and the calls that were made."""

    objects: dict[str, Properties] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    fail: Callable[[str, str], None] = lambda call, name: None
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class MemoryPlugin:
    """Plugin and provider in one."""

    name = "mem"
    version = "1.0.0"

    def __init__(self, world: World) -> None:
        self.world = world

    def check_config(self, urn: str, inputs: Properties) -> tuple[Properties, tuple[CheckFailure, ...]]:
        return inputs, ()

    def is_configurable(self, inputs: Properties) -> bool:
        return not has_unknown(inputs.get("account"))

    def configure(self, inputs: Properties) -> MemoryPlugin:
        if inputs.get("account") in ("refused", *self.world.refused):
            raise ProviderError("the account refused us")
        return self

    def check(
        self, type: str, urn: str, olds: Properties, news: Properties, random_seed: bytes
    ) -> tuple[Properties, tuple[CheckFailure, ...]]:
        failures = tuple(CheckFailure(key, "the sandbox does not support it") for key in news if key not in _KNOWN)
        name = news.get("name") or olds.get("name") or f"{urn.rpartition('::')[2]}-{random_seed.hex()[:7]}"
        return {**news, "name": name}, failures

    def diff(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: tuple[str, ...],
    ) -> Diff:
        keys = sorted({*old_inputs, *new_inputs} - set(ignore_changes))
        changed = tuple(k for k in keys if old_inputs.get(k) != new_inputs.get(k) or has_unknown(new_inputs.get(k)))
        replaces = tuple(key for key in changed if key in ("kind", "fixed", "name"))
        return Diff(changed, replaces, delete_before_replace="fixed" in replaces)

    def preview(self, type: str, urn: str, inputs: Properties, old_outputs: Properties | None) -> Properties:
        if old_outputs is None:
            return {**inputs, "arn": UNKNOWN, "serial": UNKNOWN}
        return {**inputs, "arn": old_outputs["arn"], "serial": old_outputs["serial"]}

    def create(self, type: str, urn: str, inputs: Properties) -> tuple[str, Properties]:
        world = self.world
        with world.lock:
            world.running += 1
            world.most_running = max(world.most_running, world.running)
            world.calls.append(("create", inputs["name"]))
        try:
            time.sleep(inputs.get("sleep", 0))
            world.fail("create", inputs["name"])
            with world.lock:
                if any(one["name"] == inputs["name"] for one in world.objects.values()):
                    raise ProviderError(f"{inputs['name']} exists already")
                id = f"id-{inputs['name']}"
                outputs = {**inputs, "arn": f"arn:mem:{id}", "serial": len(id)}
                world.objects[id] = outputs
            world.fail("created", inputs["name"])
        finally:
            with world.lock:
                world.running -= 1
        return id, outputs

    def find(self, type: str, urn: str, inputs: Properties) -> tuple[str, Properties] | None:
        self.world.calls.append(("find", inputs["name"]))
        return next((one for one in self.world.objects.items() if one[1]["name"] == inputs["name"]), None)

    def read(
        self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties
    ) -> tuple[str, Properties, Properties] | None:
        found = self.world.objects.get(id)
        if found is None:
            return None
        return id, {key: value for key, value in found.items() if key in _KNOWN}, found

    def update(
        self,
        type: str,
        urn: str,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
    ) -> Properties:
        self.world.calls.append(("update", new_inputs["name"]))
        self.world.fail("update", new_inputs["name"])
        outputs = {**new_inputs, "arn": old_outputs["arn"], "serial": old_outputs["serial"]}
        self.world.objects[id] = outputs
        return outputs

    def delete(self, type: str, urn: str, id: str, inputs: Properties, outputs: Properties) -> None:
        self.world.calls.append(("delete", inputs["name"]))
        self.world.fail("delete", inputs["name"])
        self.world.objects.pop(id, None)

    def invoke(self, token: str, args: Properties) -> Properties:
        if token == "mem:index:fail":
            raise ProviderError("the look-up failed", ("because it was told to",))
        return {"answer": 42, **args}
