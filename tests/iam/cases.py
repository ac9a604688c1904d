"""Reads the corpus: what a case leaves out is filled in from the standing case that corpus/README.md describes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from twokeys.iam import Caller, Context, Policies, Request, Verdict, evaluate, evaluate_grant, evaluate_trust
from twokeys.iam.documents import PolicyDocument, PolicyKind
from twokeys.iam.parsing import parse_policy
from twokeys.iam.truth import UNKNOWN, Unknown

CORPUS = Path(__file__).parent / "corpus"
STANDING = {
    "caller": "arn:aws:sts::111111111111:assumed-role/ci/build",
    "target": "arn:aws:iam::222222222222:role/deployer",
    "action": "sts:AssumeRole",
    "trust": {"Principal": {"AWS": "arn:aws:iam::111111111111:role/ci"}},
    "grant": {},
}


class _Reader(yaml.BaseLoader):
    """Every scalar is the string that is written; `!unknown ''` is a value that is not known yet."""


_Reader.add_constructor("!unknown", lambda _loader, _node: UNKNOWN)


@dataclass(frozen=True)
class Case:
    """One case with its group's page; `said` is what it says, over the standing case and the group's."""

    file: str
    page: str
    it: str
    said: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.said[key]

    def get(self, key: str, otherwise: Any = None) -> Any:
        return self.said.get(key, otherwise)

    def __contains__(self, key: str) -> bool:
        return key in self.said


@cache
def corpus() -> tuple[Case, ...]:
    """Every case of every file, in order."""
    return tuple(
        Case(file.stem, group["page"], case["it"], {**STANDING, **group.get("given", {}), **case})
        for file in sorted(CORPUS.glob("*.yaml"))
        for group in yaml.load(file.read_text(encoding="utf-8"), _Reader)
        for case in group["cases"]
    )


def judged(case: Case) -> Verdict:
    """What the evaluation answers to an `expect` case."""
    wanted, held = request_of(case), policies_of(case)
    if case.get("judge") == "trust":
        return evaluate_trust(wanted, held.trust)
    if case.get("judge") == "grant":
        return evaluate_grant(wanted, held)
    return evaluate(wanted, held)


def request_of(case: Case) -> Request:
    caller = case["caller"]
    who = (
        Caller(caller["arn"], role_arn=caller["role"], unique_id=caller.get("id"))
        if isinstance(caller, dict)
        else Caller(caller)
    )
    values = {key: _values(value) for key, value in case.get("context", {}).items()}
    return Request(who, case["action"], case["target"], Context(values, complete=case.get("free") != "true"))


def policies_of(case: Case) -> Policies:
    target = case["target"]
    trust = case["trust"]
    boundary = case.get("boundary")
    return Policies(
        identity=_several(case["grant"], PolicyKind.IDENTITY, target),
        trust=None if trust == "null" else document(trust, PolicyKind.TRUST, target),
        boundary=None if boundary is None else document(boundary, PolicyKind.BOUNDARY, target),
        session=_several(case["session"], PolicyKind.SESSION, target) if "session" in case else None,
        scps=_levels(case.get("scps", []), PolicyKind.SCP, target),
        rcps=_levels(case.get("rcps", []), PolicyKind.RCP, target),
    )


def document(said: Any, kind: PolicyKind, target: str) -> PolicyDocument | Unknown:
    """A document from a statement, a list of statements, or a whole document."""
    return UNKNOWN if said is UNKNOWN else parse_policy(raw_document(said, kind, target), kind)


def raw_document(said: Any, kind: PolicyKind, target: str) -> Mapping[str, Any]:
    if isinstance(said, dict) and "Statement" in said:
        return said
    statements = said if isinstance(said, list) else [said]
    return {"Version": "2012-10-17", "Statement": [_statement(one, kind, target) for one in statements]}


def _statement(said: Any, kind: PolicyKind, target: str) -> Any:
    if said is UNKNOWN:
        return UNKNOWN
    filled: dict[str, Any] = {"Effect": "Allow"}
    if "Action" not in said and "NotAction" not in said:
        filled["Action"] = "sts:AssumeRole"
    if kind is PolicyKind.RCP:
        filled["Principal"] = "*"
    if kind is not PolicyKind.TRUST and "Resource" not in said and "NotResource" not in said:
        filled["Resource"] = target
    return {**filled, **said}


def _several(said: Any, kind: PolicyKind, target: str) -> tuple[PolicyDocument | Unknown, ...]:
    if said == []:
        return ()
    if isinstance(said, list) and any(isinstance(one, list) for one in said):
        return tuple(document(one, kind, target) for one in said)
    return (document(said, kind, target),)


def _levels(said: Any, kind: PolicyKind, target: str) -> tuple[tuple[PolicyDocument | Unknown, ...], ...]:
    return tuple(tuple(document(one, kind, target) for one in level) for level in said)


def _values(said: Any) -> tuple[str, ...] | Unknown:
    if said is UNKNOWN:
        return UNKNOWN
    return tuple(said) if isinstance(said, list) else (said,)
