"""Short ways to write the policies and requests of the tests of twokeys.iam."""

from collections.abc import Mapping
from typing import Any

from twokeys.iam import Caller, Context, PolicyDocument, PolicyKind, Request, parse_policy
from twokeys.iam.truth import Unknown

SOURCE, TARGET = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{TARGET}:role/deployer"
CI = f"arn:aws:iam::{SOURCE}:role/ci"


def document(*statements: Any, kind: PolicyKind, version: str | None = "2012-10-17") -> PolicyDocument:
    head = {} if version is None else {"Version": version}
    return parse_policy({**head, "Statement": list(statements)}, kind)


def trust(*statements: Mapping[str, Any], version: str | None = "2012-10-17") -> PolicyDocument:
    """A trust policy; each statement allows sts:AssumeRole unless it says otherwise."""
    filled = [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement} for statement in statements]
    return document(*filled, kind=PolicyKind.TRUST, version=version)


def grant(
    *statements: Mapping[str, Any], kind: PolicyKind = PolicyKind.IDENTITY, version: str | None = "2012-10-17"
) -> PolicyDocument:
    """An identity-based policy; each statement allows sts:AssumeRole on everything unless it says otherwise."""
    filled = []
    for statement in statements:
        one = {"Effect": "Allow", **statement}
        if "NotAction" not in one:
            one.setdefault("Action", "sts:AssumeRole")
        if "NotResource" not in one:
            one.setdefault("Resource", "*")
        filled.append(one)
    return document(*filled, kind=kind, version=version)


def admits(*names: str | Unknown, **more: Any) -> dict[str, Any]:
    return {"Principal": {"AWS": list(names)}, **more}


def request(
    caller: str | Caller = CI,
    *,
    to: str = ROLE,
    action: str = "sts:AssumeRole",
    keys: Mapping[str, Any] | None = None,
    complete: bool = True,
) -> Request:
    values = {
        key: (value,) if isinstance(value, str) else value if isinstance(value, Unknown) else tuple(value)
        for key, value in (keys or {}).items()
    }
    who = Caller(caller) if isinstance(caller, str) else caller
    return Request(who, action, to, Context(values, complete=complete))
