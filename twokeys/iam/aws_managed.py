"""AWS's own managed policies as of the day of the data: their names, and what they say of `sts:AssumeRole`.

`aws_managed.json` holds the statements that bear on it, of each policy that has such, and the names of all others, with
their paths; scripts/aws-managed-policies writes it anew. A policy whose name is not in it is UNKNOWN, never taken to be
harmless. The documents: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from twokeys.iam.arn import DEFAULT_PARTITION, Arn, parse_arn
from twokeys.iam.documents import PolicyDocument, PolicyKind
from twokeys.iam.parsing import parse_policy

SERVICE_LINKED = "aws-service-role/"
"""The path of policies that only a service-linked role can have."""


def is_aws_managed(arn: str) -> bool:
    """Whether an ARN is that of a policy which AWS owns."""
    return _name(arn) is not None


def is_known(arn: str) -> bool:
    """Whether AWS owned a policy of that path and name on the day of the data."""
    return _name(arn) in _recorded()


def document(arn: str) -> PolicyDocument | None:
    """The statements of an AWS-managed policy that bear on `sts:AssumeRole`; None if they are not known here."""
    found = _recorded().get(_name(arn) or "")
    return None if found is None else _in_partition(found, parse_arn(arn).partition)


def names() -> Mapping[str, str]:
    """The names of all policies of that day, each with its path and name, as follows `policy/` in an ARN."""
    return {each.rpartition("/")[2]: each for each in _recorded()}


def day() -> str:
    """The day of the newest change that the data has seen, as in 2026-08-26."""
    return str(_data()["changed"])


def _name(arn: str) -> str | None:
    """What follows `policy/` in the ARN of an AWS-managed policy: its path and name."""
    found = Arn.parse(arn)
    if found is None or found.kind != "policy" or found.account != "aws":
        return None
    return found.resource.removeprefix("policy/")


@cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(files(__package__).joinpath("aws_managed.json").read_text(encoding="utf-8"))
    return data


@cache
def _recorded() -> Mapping[str, str]:
    """The statements of each policy by its path and name, as JSON text."""
    bearing = {name: json.dumps(written) for name, written in _data()["bearing"].items()}
    return {**dict.fromkeys(_data()["others"], "[]"), **bearing}


@cache
def _in_partition(written: str, partition: str) -> PolicyDocument:
    """AWS writes a policy's ARNs for each partition."""
    statements = json.loads(written.replace(f'"arn:{DEFAULT_PARTITION}:', f'"arn:{partition}:'))
    if not statements:
        return PolicyDocument(version="2012-10-17", id=None, statements=())
    return parse_policy({"Version": "2012-10-17", "Statement": statements}, PolicyKind.IDENTITY)
