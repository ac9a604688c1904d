"""Conditions that no request meets: an Allow that never applies, a Deny that never bites.

Judged by what AWS documents of its own keys and identity providers of their subjects, whose values have a form each,
and by cases: two conditions on one key of which no value meets both. Values that are not resolved yet or hold variables
are taken to be right, and of a pattern only its beginning is looked at.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Iterator

from twokeys.iam.admission import Wanted
from twokeys.iam.cases import exclude
from twokeys.iam.condition_keys import ValueForm, condition_key
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import PolicyKind, Statement
from twokeys.iam.finding import PolicyFinding, error, path_of
from twokeys.iam.subjects import misspelt_subject
from twokeys.iam.verdict import shown

_OPERATORS = "reference_policies_elements_condition_operators.html#Conditions_String"
_COMPARED = ("numeric", "date", "bool", "ip")
_INSTEAD = {"arn": "write ArnLike", "string": "write a string operator"}
"""The operator to write where the form of the key's values does not tell it."""


def never_met(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    """What of the conditions of a statement never matches."""
    for clause in statement.conditions:
        known, family = condition_key(clause.key), clause.base.family
        if known and family in _COMPARED and not _may_compare(family, known.form):
            message = f"{clause.key} is {known.form.words}, which {clause.operator} never matches"
            step = _INSTEAD.get(known.form.type, known.form.step)
            yield error("key-type", statement, path_of(clause), message, step, known.page)
        if clause.base.family == "string":
            for value in clause.values:
                if isinstance(value, str) and not (clause.variables and "${" in value):
                    yield from _text(statement, clause, value)
    yield from _contradictions(statement)


def _may_compare(family: str, form: ValueForm) -> bool:
    """Whether such an operator may match the key: a date is a number of seconds, and text without a form is anything.

    An account's id is a number, too.
    """
    if form.type == "string":
        return not form.begins
    return family == form.type or {family, form.type} == {"numeric", "date"}


def _text(statement: Statement, clause: ConditionClause, value: str) -> Iterator[PolicyFinding]:
    key, like = clause.lower_key, clause.base.takes_patterns
    known, never = condition_key(key), f"so {clause.operator} never matches it"
    element = path_of(clause)
    if not like and known and not known.form.wild and re.search(r"[*?]", value):
        wild = re.sub(r"Equals(IgnoreCase)?", "Like", clause.operator)
        quoted = repr(shown(key, value))
        message = f"{quoted}: only StringLike and ArnLike know wildcards, and no {clause.key} has a '*' or '?', {never}"
        step = f"write {wild}, or the whole value"
        yield error("literal-wildcard", statement, element, message, step, _OPERATORS)
    elif known and known.form.type == "date" and not like:
        message = f"{clause.key} is {known.form.words}, and {clause.operator} compares it as text, to the second"
        yield error("key-type", statement, element, message, known.form.step, known.page)
    elif key.endswith(":sub"):
        wanted = Wanted(value, like and bool(re.search(r"[*?]", value)), clause.base.ignore_case)
        wrong = None if clause.base.negated else misspelt_subject(key.removesuffix(":sub"), wanted)
        if wrong is not None:
            message = f"{value!r} is a subject {wrong.why}, {never}"
            yield error("value-form", statement, element, message, wrong.next_step, wrong.url)
    elif known and not _may_be(known.form, clause, value):
        message = f"{value!r} is not {known.form.words}, {never}"
        meant = known.form.named.get(value.lower())
        step = f"write {meant}" if meant else known.form.step
        yield error("value-form", statement, element, message, step, known.page)


def _may_be(form: ValueForm, clause: ConditionClause, value: str) -> bool:
    """Whether some value of that form is what the clause says; of a pattern only its beginning is looked at."""
    beginning = re.split(r"[*?]", value)[0]
    if clause.base.takes_patterns and beginning != value:
        begins = form.begins or ("",)
        return any(one.startswith(beginning) or beginning.startswith(one) for one in begins)
    any_case = re.IGNORECASE if clause.base.ignore_case else re.NOFLAG
    return re.fullmatch(form.whole, value, any_case) is not None


def _contradictions(statement: Statement) -> Iterator[PolicyFinding]:
    """Conditions on one key of which each can be met, and no value, and not its absence either, meets all."""
    by_key: dict[str, list[ConditionClause]] = {}
    for clause in statement.conditions:
        by_key.setdefault(clause.lower_key, []).append(clause)
    for clauses in by_key.values():
        if exclude(clauses) and not any(exclude([clause]) for clause in clauses):
            said = " and ".join(str(clause.requirement()) for clause in clauses)
            does = "lets nobody do anything" if statement.effect == "Allow" else "denies nothing"
            message = f"no request meets {said} at once, so the statement {does}"
            page = "reference_policies_condition-logic-multiple-context-keys-or-values.html"
            step = "remove one of them, or write them in two statements if one of them is to be enough"
            yield error("contradiction", statement, path_of(clauses[-1]), message, step, page)
