"""Rewrites of a request that leave a known departure of another evaluator nothing to act on: see departures.yaml."""

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.iam.differential.generate import Generated

NOBODY = "000000000000"


def without_other_partitions(case: Generated) -> None:
    """Account principals of another partition than the caller's name nobody."""
    partition = case.caller.split(":")[1]
    _principals(case, lambda name: not (name.endswith(":root") and name.split(":")[1] != partition))


def without_roles_of_other_partitions(case: Generated) -> None:
    """Role principals of another partition than the caller's name nobody."""
    partition = case.caller.split(":")[1]
    _principals(case, lambda name: not (":role/" in name and name.split(":")[1] != partition))


def without_other_paths(case: Generated) -> None:
    """Role principals of the caller's name but another path name nobody."""
    _principals(case, lambda name: not _alike(name, case.role) or _path(name) == _path(case.role))


def without_other_case(case: Generated) -> None:
    """Role principals of the caller's name but for its case name nobody."""
    _principals(case, lambda name: not _alike(name, case.role) or _name(name) == _name(case.role))


def _alike(principal: str, role: str | None) -> bool:
    """Whether two role ARNs are of one account and of one name, but for path and case."""
    return (
        role is not None
        and ":role/" in principal
        and principal.split(":")[:5] == role.split(":")[:5]
        and _name(principal).lower() == _name(role).lower()
    )


def _name(arn: str | None) -> str:
    return (arn or "").rpartition("/")[2]


def _path(arn: str | None) -> str:
    return (arn or "").rpartition("/")[0]


def without_case(case: Generated) -> None:
    """Principals that differ from the caller's user, session or role ARN in case alone name nobody."""
    own = {case.caller, case.role or case.caller}
    _principals(case, lambda name: name in own or name.lower() not in {arn.lower() for arn in own})


def without_session_limit(case: Generated) -> None:
    """The session policy of a caller who is trusted directly within the account only denies."""
    if case.session and case.account == case.target_account and _directly_trusted(case):
        case.session["Statement"].append({"Effect": "Allow", "Action": "*", "Resource": "*"})


def _directly_trusted(case: Generated) -> bool:
    return any(
        (statement["Effect"] == "Allow" and case.caller in (names := _named(statement["Principal"]))) or "*" in names
        for statement in case.trust["Statement"]
    )


def _named(principal: Any) -> list[str]:
    names = principal if isinstance(principal, str) else principal["AWS"]
    return [names] if isinstance(names, str) else names


def _principals(case: Generated, keep: Callable[[str], bool]) -> None:
    """Put nobody in place of the AWS principals that are not to be kept."""
    for statement in case.trust["Statement"]:
        principal = statement["Principal"]
        if isinstance(principal, dict):
            principal["AWS"] = [name if keep(name) else NOBODY for name in _named(principal)]


def without_old_variables(case: Generated) -> None:
    """What looks like a variable in a document of the older version, or of none, no longer does."""
    for document in case.documents():
        if document.get("Version") != "2012-10-17":
            document["Statement"] = _strings(document["Statement"], lambda text: text.replace("${", "("))


def without_negated_null(case: Generated) -> None:
    """Values whose variable has no value are left out of negated operators, where they can never match."""
    known = {key.lower() for key in (*case.implied(), *case.context)}
    for document in case.documents():
        for statement in document["Statement"] if document.get("Version") == "2012-10-17" else []:
            for operator, block in statement.get("Condition", {}).items():
                if "Not" in operator:
                    for key, said in block.items():
                        values = [said] if isinstance(said, str) else said
                        kept = [value for value in values if _has_value(value, known)]
                        block[key] = said if kept == values else kept or ["a value that no request has"]


def without_whole_range(case: Generated) -> None:
    """The range of every IPv4 address is written as its two halves."""
    for document in case.documents():
        for statement in document["Statement"]:
            for block in statement.get("Condition", {}).values():
                for key, said in block.items():
                    values = [said] if isinstance(said, str) else said
                    if "0.0.0.0/0" in values:
                        block[key] = [half for value in values for half in _halves(value)]


def without_other_family(case: Generated) -> None:
    """Ranges of the address family that the request's address is not of are left out of NotIpAddress."""
    address = case.context.get("aws:SourceIp", [""])[0]
    for document in case.documents():
        for statement in document["Statement"]:
            for operator, block in statement.get("Condition", {}).items():
                if "NotIpAddress" in operator and address:
                    for key, said in block.items():
                        values = [said] if isinstance(said, str) else said
                        kept = [value for value in values if (":" in value) == (":" in address)]
                        nowhere = "2001:db8:ffff::/128" if ":" in address else "192.0.2.255/32"
                        block[key] = said if kept == values else kept or [nowhere]


def without_variables_to_leave_out(case: Generated) -> None:
    """Names whose variable has no value are left out of NotResource, where they leave nothing out."""
    known = {key.lower() for key in (*case.implied(), *case.context)}
    for document in case.documents():
        for statement in document["Statement"]:
            if "NotResource" in statement and document.get("Version") == "2012-10-17":
                said = statement["NotResource"]
                values = [said] if isinstance(said, str) else said
                kept = [value for value in values if _has_value(value, known)]
                statement["NotResource"] = said if kept == values else kept or ["arn:aws:s3:::nothing"]


def without_if_exists_of_any(case: Generated) -> None:
    """ForAnyValue on an absent key stands without IfExists."""
    known = {key.lower() for key in (*case.implied(), *case.context)}
    for document in case.documents():
        for statement in document["Statement"]:
            blocks = statement.get("Condition", {})
            for operator in [one for one in blocks if one.startswith("ForAnyValue:") and one.endswith("IfExists")]:
                for key in [one for one in blocks[operator] if one.lower() not in known]:
                    blocks.setdefault(operator.removesuffix("IfExists"), {}).setdefault(key, blocks[operator].pop(key))
                if not blocks[operator]:
                    del blocks[operator]


def with_variables_filled_in(case: Generated) -> None:
    """Variables are replaced by their values, their defaults, or a text that no request has."""
    known = {key.lower(): values for key, values in {**case.implied(), **case.context}.items()}

    def filled(found: re.Match[str]) -> str:
        name, _, default = found[1].partition(", ")
        return known.get(name.lower(), [default.strip("'") or "no value"])[0]

    for document in case.documents():
        if document.get("Version") == "2012-10-17":
            document["Statement"] = _strings(document["Statement"], lambda text: re.sub(r"\$\{(.*?)\}", filled, text))


def _halves(address_range: str) -> list[str]:
    return ["0.0.0.0/1", "128.0.0.0/1"] if address_range == "0.0.0.0/0" else [address_range]


def _has_value(text: str, known: set[str]) -> bool:
    """Whether the variables of a text, if any, have values."""
    return all(", '" in name or name.lower() in known for name in re.findall(r"\$\{(.*?)\}", text))


def _strings(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every string in it changed, but for the keys of its objects."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_strings(one, change) for one in value]
    return {key: _strings(one, change) for key, one in value.items()}


REWRITES: dict[str, Callable[[Generated], None]] = {
    "account principal of another partition": without_other_partitions,
    "role principal of another partition": without_roles_of_other_partitions,
    "role principal of another path": without_other_paths,
    "role principal in another case": without_other_case,
    "session policy over a direct trust": without_session_limit,
    "variable in an older document": without_old_variables,
    "variable without a value under a negated operator": without_negated_null,
    "variable without a value in NotResource": without_variables_to_leave_out,
    "range of every IPv4 address": without_whole_range,
    "addresses of the other family": without_other_family,
    "principal in another case": without_case,
    "ForAnyValue with IfExists": without_if_exists_of_any,
    "policy variables": with_variables_filled_in,
}


def rewritten(case: Generated, names: Iterable[str]) -> tuple[Generated, list[str]]:
    """The request as the named departures' rewrites leave it, and the names of those that changed something."""
    changed = copy.deepcopy(case)
    _principals(changed, lambda _name: True)
    applied = []
    for name in names:
        before = copy.deepcopy(changed)
        REWRITES[name](changed)
        if changed != before:
            applied.append(name)
    return changed, applied
