"""Fault plans: which calls of the local AWS are slow or throttled, for benchmarks of what works against it.

Chances are drawn from the plan's seed in the order of the calls, so one client that makes the same calls meets the same
outcomes in every run.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from twokeys.errors import Refusal

Milliseconds = Annotated[float, Field(ge=0, le=3_600_000)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


class Rule(_Model):
    """What happens to the calls that it matches.

    Attributes:
        latency_ms: how long a call waits, and `jitter_ms` up to how much longer.
        throttle: the share of the calls that gets the service's own throttling error.
    """

    service: Literal["iam", "sts", "organizations", "account", "ec2", "*"] = "*"
    operation: str = "*"
    latency_ms: Milliseconds = 0
    jitter_ms: Milliseconds = 0
    throttle: Annotated[float, Field(ge=0, le=1)] = 0


@dataclass(frozen=True)
class Outcome:
    """What is to happen to a call: it waits, and then it is throttled or answered."""

    wait_seconds: float = 0.0
    throttle: bool = False


class Plan(_Model):
    """A fault plan; waits of several rules add up."""

    seed: int = 0
    rules: tuple[Rule, ...] = ()

    def outcome(self, service: str, operation: str, chance: random.Random) -> Outcome:
        """What happens to one call."""
        wait, throttled = 0.0, False
        for rule in self.rules:
            if rule.service in ("*", service) and rule.operation in ("*", operation):
                wait += (rule.latency_ms + rule.jitter_ms * chance.random()) / 1000
                throttled = throttled or chance.random() < rule.throttle
        return Outcome(wait, throttled)


def load(path: Path) -> Plan:
    """The plan in a YAML or JSON file. Raises Refusal, naming the file, the key, the reason and the next step."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _refusal(path, "", error.strerror or str(error), "Name a file that is there and can be read") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refusal(path, "", f"it is neither YAML nor JSON: {error}", "Correct the file") from error
    if not isinstance(data, Mapping):
        raise _refusal(path, "", "it holds no keys", "Give it the keys seed and rules, as docs/faults.md shows")
    try:
        return Plan.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
        why = first["msg"]
        if first["type"] != "missing" and not isinstance(first["input"], Mapping | list):
            why += f", and it is {first['input']!r}"
        raise _refusal(path, key, why, "Correct that key; docs/faults.md lists what a plan may say") from error


def _refusal(path: Path, key: str, why: str, next_step: str) -> Refusal:
    where = f"{path}: {key}" if key else str(path)
    return Refusal("the fault plan cannot be used", where=where, why=why, next_step=next_step)
