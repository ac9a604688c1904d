"""What AWS advises against in a policy, each finding with the AWS page that says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from twokeys.iam.arn import ArnError, is_account, parse_arn
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import PolicyDocument, PolicyError, PolicyKind, Statement, parse_policy
from twokeys.iam.principals import Principals
from twokeys.iam.truth import Truth, Unknown

_GUIDE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"


class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"
    """AWS refuses it, or it cannot work."""
    WARNING = "warning"
    """It lets in more than it seems to."""


@dataclass(frozen=True)
class Finding:
    """One thing to change.

    Attributes:
        rule: a short stable name, such as `wildcard-principal`.
        statement: the index of the statement; None for the document as a whole.
        path: the JSON path of the element.
        message: what is wrong and what to do instead.
        url: the AWS page.
        line, column: the place in the text where one was given, else None.
    """

    rule: str
    statement: int | None
    path: str
    message: str
    url: str
    severity: Severity = Severity.WARNING
    line: int | None = None
    column: int | None = None


def lint(
    document: PolicyDocument, kind: PolicyKind, *, account: str | None = None, organization: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """The findings on a parsed document, in the order of its statements.

    Args:
        document: the policy; one that IAM would refuse as a trust policy can be parsed as PolicyKind.RESOURCE.
        kind: what the document is used as.
        account: the account of what the policy is attached to, an id or symbol.
        organization: the accounts of the organization. Others are third parties, for which a trust policy needs an
            external ID; symbols are of the organization. If empty, nobody is known to be a third party.

    An element that is not resolved yet gives no finding. Whether names exist is not checked.
    """
    members = tuple(organization)
    known = frozenset((*members, account)) if members and account is not None else frozenset(members)
    return tuple(
        finding for statement in document.statements for rule in _RULES for finding in rule(statement, kind, known)
    )


def lint_source(
    source: str | bytes | Mapping[str, object],
    kind: PolicyKind,
    *,
    account: str | None = None,
    organization: Iterable[str] = (),
) -> tuple[Finding, ...]:
    """The findings on a document that may be refused: a refusal is a finding named as `PolicyError.rule`."""
    organization = tuple(organization)
    try:
        return lint(parse_policy(source, kind), kind, account=account, organization=organization)
    except PolicyError as error:
        refused = _refusal(error)
    if kind is not PolicyKind.TRUST:
        return (refused,)
    try:
        document = parse_policy(source, PolicyKind.RESOURCE)
    except PolicyError:
        return (refused,)
    rest = lint(document, kind, account=account, organization=organization)
    return (refused, *(finding for finding in rest if finding.rule != refused.rule or finding.path != refused.path))


def _refusal(error: PolicyError) -> Finding:
    page = _PAGES.get(error.rule, "reference_policies_grammar.html")
    found = re.match(r"Statement(?:\[(\d+)\])?", error.path)
    statement = None if found is None else int(found[1] or 0)
    return Finding(
        error.rule, statement, error.path, error.message, _GUIDE + page, Severity.ERROR, error.line, error.column
    )


_PAGES = {
    "unknown-operator": "reference_policies_elements_condition_operators.html",
    "unknown-version": "reference_policies_elements_version.html",
    "unknown-principal-type": "reference_policies_elements_principal.html",
    "principal": "reference_policies_elements_principal.html",
    "principal-in-identity-policy": "reference_policies_elements_principal.html",
    "not-principal": "reference_policies_elements_notprincipal.html",
    "resource-in-trust-policy": "id_roles_terms-and-concepts.html",
    "resource": "reference_policies_elements_resource.html",
    "action": "reference_policies_elements_action.html",
    "effect": "reference_policies_elements_effect.html",
    "sid": "reference_policies_elements_sid.html",
    "duplicate-sid": "reference_policies_elements_sid.html",
}
_PRINCIPAL_PAGE = "reference_policies_elements_principal.html"
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA|SIA|GPA|NPA|KIA)[A-Z0-9]{8,}")
_LIMITING_KEYS = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
    }
)
_ORGANIZATION_KEYS = frozenset({"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount"})
_SOURCE_KEYS = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
_POSITIVE = ("StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike")
_MFA = ("aws:multifactorauthpresent", "aws:multifactorauthage")


def _finding(rule: str, statement: Statement, element: str, message: str, page: str) -> Finding:
    return Finding(rule, statement.index, f"Statement[{statement.index}].{element}", message, _GUIDE + page)


def _error(rule: str, statement: Statement, element: str, message: str, page: str) -> Finding:
    return replace(_finding(rule, statement, element, message, page), severity=Severity.ERROR)


def _not_principal(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    if statement.not_principals is None:
        return
    make = _error if kind is PolicyKind.TRUST or statement.effect == "Allow" else _finding
    message = "NotPrincipal names everybody else; deny with Principal '*' and a condition on aws:PrincipalArn instead"
    page = "reference_policies_elements_notprincipal.html"
    yield make("not-principal", statement, "NotPrincipal", message, page)


def _resource_in_trust(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    if kind is not PolicyKind.TRUST:
        return
    for name, value in (("Resource", statement.resources), ("NotResource", statement.not_resources)):
        if value is not None:
            message = f"a trust policy has no {name}: the role that it is attached to is the resource; leave it out"
            page = "id_roles_terms-and-concepts.html"
            yield _error("resource-in-trust-policy", statement, name, message, page)


def _principal_names(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    for element, principals in (("Principal", statement.principals), ("NotPrincipal", statement.not_principals)):
        if principals is None:
            continue
        for place, name in enumerate(principals.aws):
            if isinstance(name, Unknown) or name == "*":
                continue
            rule, message = _name_problem(name)
            if rule:
                where = f"{element}.AWS" + (f"[{place}]" if len(principals.aws) > 1 else "")
                yield _error(rule, statement, where, message, _PRINCIPAL_PAGE)


def _name_problem(name: str) -> tuple[str, str]:
    if "*" in name or "?" in name:
        return "wildcard-principal", (
            f"{name!r}: a wildcard cannot match part of a principal's name or ARN; name each principal, "
            "or use a condition on aws:PrincipalArn"
        )
    if _UNIQUE_ID.fullmatch(name):
        return "deleted-principal", (
            f"{name!r} is the unique id of a principal that was deleted; name the ARN of its successor"
        )
    if is_account(name):
        return "", ""
    if parse_arn(name).resource.startswith("group/"):
        return "group-principal", f"{name!r}: a group cannot be a principal; name its users, or a role they assume"
    return "", ""


def _for_all_values(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    if statement.effect != "Allow":
        return
    present = {
        clause.lower_key
        for clause in statement.conditions
        if clause.base.family == "null" and clause.values == ("false",)
    }
    for clause in statement.conditions:
        if clause.set_operator == "ForAllValues" and clause.lower_key not in present:
            message = (
                f"ForAllValues is true when {clause.key} is absent, so this Allow also applies then; "
                f'add "Null": {{"{clause.key}": "false"}}'
            )
            page = "reference_policies_condition-single-vs-multi-valued-context-keys.html"
            yield _finding("for-all-values-allow", statement, _place(clause), message, page)


def _mfa(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    page = "reference_policies_condition-keys.html#condition-keys-multifactorauthpresent"
    demanded = any(clause.operator == "Bool" and clause.lower_key in _MFA for clause in statement.conditions)
    for clause in statement.conditions:
        if clause.lower_key not in _MFA:
            continue
        values = {value.lower() for value in clause.values if isinstance(value, str)}
        if statement.effect == "Allow" and clause.if_exists:
            message = (
                f"with IfExists this Allow also applies when {clause.key} is absent, as it is with long-term access "
                f"keys; leave IfExists away"
            )
            yield _finding("mfa-if-exists", statement, _place(clause), message, page)
        if statement.effect == "Allow" and clause.base.family == "null" and values == {"false"} and not demanded:
            message = (
                f"Null only asks whether {clause.key} is there, and it is there as 'false' without MFA; "
                "use Bool with 'true'"
            )
            yield _finding("mfa-null", statement, _place(clause), message, page)
        if statement.effect == "Deny" and clause.operator == "Bool" and values == {"false"}:
            message = (
                f"with Bool this Deny does not apply when {clause.key} is absent, as it is with long-term access keys; "
                "use BoolIfExists"
            )
            yield _finding("mfa-deny-without-if-exists", statement, _place(clause), message, page)


def _confused_deputy(statement: Statement, kind: PolicyKind, known: frozenset[str]) -> Iterator[Finding]:
    """A third party's account needs an external ID, a service that acts for its customers a source condition."""
    if kind is not PolicyKind.TRUST or statement.effect != "Allow" or statement.principals is None:
        return
    keys = _limiting(statement)
    page = "confused-deputy.html"
    if not keys & {"sts:externalid"} and not keys & _ORGANIZATION_KEYS:
        for name in _third_parties(statement.principals, known):
            message = f"{name!r} is outside the organization; require an external ID (sts:ExternalId)"
            yield _finding("third-party-without-external-id", statement, "Principal.AWS", message, page)
    if not keys & _SOURCE_KEYS:
        for service in statement.principals.service:
            if isinstance(service, str) and service.split(".")[0] not in _OWN_ACCOUNT_SERVICES:
                message = f"{service!r} can act for other customers; limit it with aws:SourceArn or aws:SourceAccount"
                yield _finding("service-without-source", statement, "Principal.Service", message, page)


_OWN_ACCOUNT_SERVICES = frozenset({"ec2", "ecs-tasks", "lambda", "eks", "eks-fargate-pods", "pods"})


def _third_parties(principals: Principals, known: frozenset[str]) -> Iterator[str]:
    for name in principals.aws:
        if isinstance(name, Unknown) or name == "*":
            continue
        if is_account(name):
            account = name
        else:
            try:
                account = parse_arn(name).account
            except ArnError:
                continue
        if known and account not in known and not account.startswith("account:"):
            yield name


def _mismatched_action(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    if kind is not PolicyKind.TRUST or statement.effect != "Allow" or statement.principals is None:
        return
    page = "access-analyzer-reference-policy-checks.html"
    for provider in statement.principals.federated:
        if isinstance(provider, Unknown) or provider == "*":
            continue
        action = "sts:AssumeRoleWithSAML" if ":saml-provider/" in provider else "sts:AssumeRoleWithWebIdentity"
        if statement.covers_action(action.lower()) is Truth.FALSE:
            message = f"{provider!r} can only use {action}, which the statement does not allow"
            yield _error("mismatched-action", statement, "Action", message, page)


def _dead_variable(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    """A variable where IAM reads none is literal text."""
    page = "reference_policies_variables.html"
    names = [
        ("Resource" if statement.resources is not None else "NotResource", name, name.split(":", 5)[:5])
        for name in (*(statement.resources or ()), *(statement.not_resources or ()))
        if isinstance(name, str)
    ]
    for element, name, before in names:
        if "${" in name and not statement.variables:
            message = f"{name!r}: variables need version 2012-10-17; in this document they are literal text"
            yield _error("variable-in-old-version", statement, element, message, page)
        elif any("${" in part for part in before):
            message = f"{name!r}: a variable can only stand after the fifth colon of an ARN"
            yield _error("variable-outside-resource", statement, element, message, page)
    for clause in statement.conditions:
        if not statement.variables and any("${" in value for value in clause.values if isinstance(value, str)):
            message = "variables need version 2012-10-17; in this document they are literal text"
            yield _error("variable-in-old-version", statement, _place(clause), message, page)


def _open_trust(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[Finding]:
    if kind not in (PolicyKind.TRUST, PolicyKind.RESOURCE) or statement.effect != "Allow":
        return
    if statement.principals is not None and statement.principals.everyone and not _limiting(statement) & _LIMITING_KEYS:
        message = "everybody in every account can pass; name the principals, or add a condition on aws:PrincipalOrgID"
        page = "reference_policies_elements_principal.html#principal-anonymous"
        yield _finding("open-trust", statement, "Principal", message, page)


def _limiting(statement: Statement) -> set[str]:
    """The keys for which the statement demands some value: not negated, not IfExists, not true when absent."""
    return {
        clause.lower_key
        for clause in statement.conditions
        if clause.base.name in _POSITIVE
        and not clause.if_exists
        and clause.set_operator != "ForAllValues"
        and not any(isinstance(value, str) and value and not value.strip("*") for value in clause.values)
    }


def _place(clause: ConditionClause) -> str:
    return clause.path.partition(".")[2] or f"Condition.{clause.operator}.{clause.key}"


_RULES: tuple[Callable[[Statement, PolicyKind, frozenset[str]], Iterator[Finding]], ...] = (
    _not_principal,
    _resource_in_trust,
    _principal_names,
    _open_trust,
    _confused_deputy,
    _for_all_values,
    _mfa,
    _mismatched_action,
    _dead_variable,
)
