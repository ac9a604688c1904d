"""What was declared in preview is what came to be."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import Any

from twokeys import doors
from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph
from twokeys.access.model.documents import DeclaredDocument
from twokeys.access.reading.snapshot import Resource
from twokeys.iam import PolicyError, PolicyKind

NAME = "declared-equals-real"
_ID = re.compile(r"(?<!\d)\d{12}(?!\d)")
_SYMBOLS_TRIED = 2
"""A document of a door names one account that is made with it; more are left to when their ids are known."""


def _check(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    for bad in graph.documents.bad_declarations:
        about = f"What {bad.component.name} declares cannot be read: {bad.why}"
        step = "declare documents with twokeys.doors.SymbolicDocument, from values known in preview"
        yield Finding(about, step, bad.component.urn, source=bad.component.source)
    yield from _twice(graph)
    for declared in graph.documents.declared:
        if declared.covers is None:
            document = declared.document
            about = f"{declared.component.name} declares a document of {document.type} {document.name}"
            step = "make exactly one such resource below that component, or take the declaration out"
            message = f"{about}, but below it there is not exactly one such resource"
            yield Finding(message, step, declared.component.urn, source=declared.component.source)
        else:
            for difference in _differences(graph, declared, declared.covers):
                yield _finding(declared, declared.covers, difference)


def _twice(graph: Graph) -> Iterator[Finding]:
    """Two declarations of one document: whichever of them is read, the other one may be the true one."""
    places = Counter((one.covers.urn, one.document.property) for one in graph.documents.declared if one.covers)
    for (urn, key), times in places.items():
        if times > 1:
            covered = graph.snapshot.by_urn[urn]
            message = f"The {key} of {covered.type} {covered.name} is declared {times} times"
            step = "leave one declaration: the structure that the document is made from"
            yield Finding(message, step, covered.urn, source=covered.source)


def _differences(graph: Graph, declared: DeclaredDocument, resource: Resource) -> Iterator[str]:
    document = declared.document
    account = graph.accounts.canonical(document.account)
    real_document = resource.get(document.property)
    is_known = isinstance(real_document, str | Mapping)
    if account != graph.accounts.of(resource) and not (is_known and account in _without_id(graph)):
        there = graph.accounts.name(graph.accounts.of(resource))
        yield f"it is declared for account {graph.accounts.name(account)}, but its provider works in {there}"
    for key, value in document.properties.items():
        found = resource.text(key)
        if found is not None and found != value:
            yield f"its {key} is declared as {value}, but is {found}"
    if isinstance(real_document, str | Mapping):
        kind = PolicyKind.TRUST if document.property == "assumeRolePolicy" else PolicyKind.IDENTITY
        said = doors.resolve(document.document, graph.accounts.ids)
        real = graph.documents.parse(real_document, kind)
        if isinstance(real, PolicyError):
            yield f"its {document.property} cannot be read: {real}"
            return
        read = [graph.documents.parse(one, kind) for one in _meanings(graph, said, json.dumps(real_document))]
        if errors := [one for one in read if isinstance(one, PolicyError)]:
            yield f"its declared {document.property} cannot be read: {errors[0]}"
        elif real.meaning not in [one.meaning for one in read if not isinstance(one, PolicyError)]:
            yield f"its {document.property} says something else than was declared"


def _without_id(graph: Graph) -> frozenset[str]:
    """The accounts that the stack makes and whose id this source does not tell: an update shows no policy an output."""
    return frozenset(graph.accounts.by_symbol.keys() - graph.accounts.ids.keys())


def _meanings(graph: Graph, said: dict[str, Any], real: str) -> Iterator[dict[str, Any]]:
    """A declared document with each id that is not told yet taken from the real one, as any that stands there."""
    open_ = sorted(doors.symbols(said) & _without_id(graph))
    ids = sorted(set(_ID.findall(real)))
    for chosen in product(ids, repeat=len(open_)) if len(open_) <= _SYMBOLS_TRIED else ():
        yield doors.resolve(said, dict(zip(open_, chosen, strict=True)))
    if not open_ or not ids:
        yield said


def _finding(declared: DeclaredDocument, resource: Resource, difference: str) -> Finding:
    message = f"{resource.label} is not what {declared.component.name} declared: {difference}"
    step = "make both from one structure with twokeys.doors.render, and update again"
    return Finding(message, step, resource.urn, source=resource.source)


DECLARED_EQUALS_REAL = Rule(
    name=NAME,
    description="A document that a component declared with symbols says the same once the ids are known.",
    severity="high",
    remediation="Make the declared and the real document from one structure.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html",
    check=_check,
    may_follow="what is declared",
)
"""A declaration stands in for a document in preview, so it must never say something else.

Compares account, identifying properties and document, whatever the order of lists and statements. Unknown: what is not
known yet cannot differ yet, and the id of an account that is made in the same update may be any that stands in its
place; a declaration of a resource that is not there is refused at once.
Does not check: whether a resource has a declaration (`unproved-door` misses it where it matters).
"""
