"""What AWS's own managed policies say of `sts:AssumeRole`, from data with a date.

`aws_managed.json` holds the statements that bear on it, of each policy that has such, and the names of all others as of
the day that it names; scripts/aws-managed-policies writes it anew. A policy whose name is not in it is UNKNOWN, never
taken to be harmless. The documents: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from twokeys.iam import DEFAULT_PARTITION, Arn


def is_aws_managed(arn: str) -> bool:
    """Whether an ARN is that of a policy which AWS owns."""
    return _name(arn) is not None


def is_known(arn: str) -> bool:
    """Whether AWS owned a policy of that name on the day of the data."""
    return _name(arn) in _recorded()


def statements(arn: str) -> tuple[Mapping[str, object], ...] | None:
    """The statements of an AWS-managed policy that bear on `sts:AssumeRole`; None if they are not known here."""
    found = _recorded().get(_name(arn) or "")
    if found is None:
        return None
    partition = Arn.parse(arn)
    return _in_partition(found, partition.partition if partition else DEFAULT_PARTITION)


def _name(arn: str) -> str | None:
    found = Arn.parse(arn)
    return found.name if found is not None and found.kind == "policy" and found.account == "aws" else None


@cache
def _recorded() -> Mapping[str | None, str]:
    """The statements of each policy by its name, as JSON text."""
    data: Mapping[str, Any] = json.loads(files(__package__).joinpath("aws_managed.json").read_text(encoding="utf-8"))
    bearing = {name: json.dumps(written) for name, written in data["bearing"].items()}
    return {**dict.fromkeys(data["others"], "[]"), **bearing}


@cache
def _in_partition(written: str, partition: str) -> tuple[Mapping[str, object], ...]:
    """AWS writes a policy's ARNs for each partition."""
    return tuple(json.loads(written.replace(f'"arn:{DEFAULT_PARTITION}:', f'"arn:{partition}:')))
