"""Conditions that no request meets: an Allow that never applies, a Deny that never bites.

Judged by what AWS documents of its own keys and identity providers of their subjects, whose values have a form each,
and by cases: two conditions on one key of which no value meets both. Values that are not resolved yet or hold variables
are taken to be right, and of a pattern only its beginning is looked at.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from twokeys.iam.admission import Wanted
from twokeys.iam.arn import is_account
from twokeys.iam.cases import BOOLEANS, exclude
from twokeys.iam.conditions import ConditionClause, parse_network
from twokeys.iam.documents import PolicyKind, Statement
from twokeys.iam.finding import PolicyFinding, error, path_of
from twokeys.iam.subjects import misspelt_subject
from twokeys.iam.verdict import shown

_KEYS = "reference_policies_condition-keys.html#condition-keys-"
_OPERATORS = "reference_policies_elements_condition_operators.html#Conditions_String"


@dataclass(frozen=True)
class _Form:
    """What the values of a key look like: the whole of one, how it can begin, and it in words."""

    whole: re.Pattern[str]
    begins: tuple[str, ...]
    words: str
    named: dict[str, str] = field(default_factory=dict)
    """Values that are written otherwise, by their lower case."""


def _form(whole: str, words: str, *begins: str) -> _Form:
    return _Form(re.compile(whole), begins, words)


# Of an organization to come there is only a symbol, as of an account.
_ORGANIZATION = _form(r"o-[a-z0-9]+|organization:.+", "the id of an organization, as in o-a1b2c3d4e5", "o-")
_PATHS = _form(
    r"o-[a-z0-9]+/(r-[a-z0-9]+/(ou-[a-z0-9-]+/)*)?",
    "a path of an organization, which ends in a slash, as in o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/",
    "o-",
)
_VPC = _form(r"vpc-[0-9a-z]+", "the id of a VPC, as in vpc-1a2b3c4d", "vpc-")
_TYPES = ("Account", "User", "FederatedUser", "AssumedRole", "Anonymous")
_FORMS = {
    **dict.fromkeys(("aws:principalorgid", "aws:resourceorgid", "aws:sourceorgid", "aws:vpceorgid"), _ORGANIZATION),
    **dict.fromkeys(
        ("aws:principalorgpaths", "aws:resourceorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths"), _PATHS
    ),
    "aws:sourcevpc": _VPC,
    "aws:ec2instancesourcevpc": _VPC,
    "aws:sourcevpce": _form(r"vpce-[0-9a-z]+", "the id of a VPC endpoint, as in vpce-1a2b3c4d", "vpce-"),
    "aws:principalarn": _form(r"arn:.+", "an ARN", "arn:"),
    "aws:principaltype": _Form(
        re.compile("|".join(_TYPES)),
        _TYPES,
        f"one of {', '.join(_TYPES)}",
        {"role": "AssumedRole", "root": "Account"} | {one.lower(): one for one in _TYPES},
    ),
}
_ACCOUNTS = frozenset({"aws:principalaccount", "aws:sourceaccount"})
_ADDRESSES = frozenset({"aws:sourceip", "aws:vpcsourceip"})
_MOMENTS = frozenset({"aws:currenttime", "aws:epochtime", "aws:tokenissuetime"})
# AWS takes neither * nor ? in these:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html and reference_iam-quotas.html
_WITHOUT_WILDCARDS = frozenset({
    *_FORMS, *_ACCOUNTS, *_ADDRESSES, "aws:requestedregion", "aws:sourceidentity", "aws:userid", "aws:username",
    "sts:externalid", "sts:rolesessionname", "sts:sourceidentity",
})  # fmt: skip
_COMPARED = ("numeric", "date", "bool", "ip")
_TAGS_OF_PRINCIPALS = "aws:principaltag/"


def never_met(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    """What of the conditions of a statement never matches."""
    for clause in statement.conditions:
        if clause.lower_key in _FORMS.keys() - {"aws:principalarn"} and clause.base.family in _COMPARED:
            message = f"{clause.key} is {_FORMS[clause.lower_key].words}, which {clause.operator} never matches"
            page, step = _KEYS + clause.lower_key[4:], "write a string operator"
            yield error("key-type", statement, path_of(clause), message, page, step=step)
        if clause.base.family == "string":
            for value in clause.values:
                if isinstance(value, str) and not (clause.variables and "${" in value):
                    yield from _text(statement, clause, value)
    yield from _contradictions(statement)


def _text(statement: Statement, clause: ConditionClause, value: str) -> Iterator[PolicyFinding]:
    key, like = clause.lower_key, clause.base.positive == "StringLike"
    never = f"so {clause.operator} never matches it"
    element = path_of(clause)
    if not like and (key in _WITHOUT_WILDCARDS or key.startswith(_TAGS_OF_PRINCIPALS)) and re.search(r"[*?]", value):
        wild = re.sub(r"Equals(IgnoreCase)?", "Like", clause.operator)
        quoted = repr(shown(key, value))
        message = f"{quoted}: only StringLike and ArnLike know wildcards, and no {clause.key} has a '*' or '?', {never}"
        step = f"write {wild}, or the whole value"
        yield error("literal-wildcard", statement, element, message, _OPERATORS, step=step)
    elif key in _MOMENTS and not like:
        message = f"{clause.key} is a moment, and {clause.operator} compares it as text, to the second"
        step = "write a date operator, such as DateLessThan or DateGreaterThan"
        yield error("key-type", statement, element, message, _KEYS + key[4:], step=step)
    elif key.endswith(":sub"):
        wanted = Wanted(value, like and bool(re.search(r"[*?]", value)), clause.base.name == "StringEqualsIgnoreCase")
        wrong = None if clause.base.negated else misspelt_subject(key.removesuffix(":sub"), wanted)
        if wrong is not None:
            message = f"{value!r} is a subject {wrong.why}, {never}"
            yield replace(error("value-form", statement, element, message, "", step=wrong.next_step), url=wrong.url)
    elif (found := _wrong(clause, value)) is not None:
        words, step = found
        message = f"{value!r} is not {words}, {never}"
        yield error("value-form", statement, element, message, _KEYS + key[4:], step=step)


def _wrong(clause: ConditionClause, value: str) -> tuple[str, str] | None:
    """What a value ought to be and is not, and the next step; None for one that there may be."""
    key, operator = clause.lower_key, clause.base.positive
    beginning = re.split(r"[*?]", value)[0]
    wild = operator == "StringLike" and beginning != value
    if key in _ADDRESSES:
        fits = wild or ("/" not in value and parse_network(value) is not None)
        return None if fits else ("the text of one address", f"write {'Not' * clause.base.negated}IpAddress")
    if key in _ACCOUNTS:
        fits = wild or is_account(value) or value == "anonymous"
        return None if fits else ("an account; its id has 12 digits", "write all 12 digits, without hyphens")
    if key in BOOLEANS:
        fits = wild or value.lower() in ("true", "false")
        return None if fits else ("true or false", "write Bool with true or false")
    form = _FORMS.get(key)
    if form is None:
        return None
    meant = form.named.get(value.lower())
    if wild:
        fits = any(one.startswith(beginning) or beginning.startswith(one) for one in form.begins)
    else:
        any_case = re.IGNORECASE if operator == "StringEqualsIgnoreCase" else re.NOFLAG
        fits = re.fullmatch(form.whole.pattern, value, any_case) is not None
    return None if fits else (form.words, f"write {meant}" if meant else "write it in that form")


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
            yield error("contradiction", statement, path_of(clauses[-1]), message, page, step=step)
