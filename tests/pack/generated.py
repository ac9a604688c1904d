"""Generates descriptions of programs with a few doors, right or wrong in one place, and what each one asks for."""

import random
from dataclasses import dataclass
from typing import Any

HUB = "111111111111"


@dataclass(frozen=True)
class Generated:
    """A program and the doors that its documents ask for: (source name, role name) pairs.

    A trust in the hub as a whole asks for anybody there: its source is the hub's account id. The program is right if
    every door can really be gone through.
    """

    spec: dict[str, Any]
    asked: frozenset[tuple[str, str]]

    def right(self, works: frozenset[tuple[str, str]]) -> bool:
        """Whether the doors that work are all that the program asks for."""
        entered = {role for _, role in works}
        return all(role in entered if source == HUB else (source, role) in works for source, role in self.asked)


def generate(seed: int, stage: str) -> Generated:
    """The program of a seed; names carry the seed, so that many programs can live in one account."""
    chance = random.Random(seed)
    prefix = f"s{seed}"
    kinds = {f"{prefix}-p{number}": chance.choice(["role", "role", "user"]) for number in range(chance.randint(1, 3))}
    sources = [_source(name, kind) for name, kind in kinds.items()]
    roles, grants, asked = [], [], set()
    for number in range(chance.randint(1, 3)):
        role = f"{prefix}-r{number}"
        arn = f"arn:aws:iam::{stage}:role/{role}"
        entering = chance.sample(sorted(kinds), chance.randint(1, len(kinds)))
        flaw = chance.choice([None, None, None, *_FLAWS])
        victim = chance.choice(entering)
        trusted = [name for name in entering if not (flaw == "no trust" and name == victim)]
        arns = [_arn(name, kinds[name]) for name in trusted]
        if flaw == "trust misspelt":
            arns = [arn_ + ("x" if name == victim else "") for name, arn_ in zip(trusted, arns, strict=True)]
        through_account = chance.random() < 0.3 and flaw not in ("no trust", "trust misspelt", "trust denied")
        principal = {"AWS": chance.choice([HUB, f"arn:aws:iam::{HUB}:root"]) if through_account else arns}
        if not arns and not through_account:
            principal = {"Service": "ec2.amazonaws.com"}
        statements = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
        if flaw == "trust denied":
            denied = {"AWS": _arn(victim, kinds[victim])}
            statements.append({"Effect": "Deny", "Principal": denied, "Action": "sts:AssumeRole"})
        roles.append({"name": role, "trust": _document(*statements)})
        for name in entering:
            asked.add((name, role))
            if flaw in ("no grant", "other action") and name == victim and through_account:
                asked.discard((name, role))
            if flaw == "no grant" and name == victim:
                continue
            if flaw == "grant misspelt" and name == victim:
                asked.add((name, f"{role}x"))
            ways = ["inline", "managed"] + (["group"] if kinds[name] == "user" else [])
            document = _grant(chance, arn, flaw if name == victim else None, pattern=flaw is None)
            grants.append({"to": name, "way": chance.choice(ways), "document": document})
        if through_account and not any((name, role) in asked for name in entering):
            asked.add((HUB, role))
    accounts = {"hub": HUB, "stage": stage}
    return Generated({"accounts": accounts, "sources": sources, "roles": roles, "grants": grants}, frozenset(asked))


_FLAWS = ("no grant", "no trust", "trust misspelt", "trust denied", "grant misspelt", "other action", "grant denied")


def _source(name: str, kind: str) -> dict[str, Any]:
    own = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
    return {"name": name, "kind": kind, **({"trust": _document(own)} if kind == "role" else {})}


def _grant(chance: random.Random, arn: str, flaw: str | None, *, pattern: bool) -> dict[str, Any]:
    resource = arn[:-1] + chance.choice(["*", "?"]) if pattern and chance.random() < 0.2 else arn
    action = chance.choice(["sts:AssumeRole", "sts:assumerole", ["sts:AssumeRole", "sts:TagSession"]])
    if flaw == "grant misspelt":
        resource = arn + "x"
    if flaw == "other action":
        action = "sts:GetCallerIdentity"
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource}]
    if flaw == "grant denied":
        statements.append({"Effect": "Deny", "Action": "sts:*", "Resource": arn})
    return _document(*statements)


def _arn(name: str, kind: str) -> str:
    return f"arn:aws:iam::{HUB}:{kind}/{name}"


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}
