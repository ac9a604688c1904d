"""What AWS advises against in a policy, each finding with the AWS page that says so."""

import re
from collections.abc import Callable, Iterable, Iterator

from twokeys.iam.admission import demanding
from twokeys.iam.analyzer import ANALYZER_ERRORS
from twokeys.iam.arn import Arn, is_account
from twokeys.iam.documents import PolicyDocument, PolicyKind, Statement
from twokeys.iam.finding import GUIDE, PolicyFinding, Severity, error, path_of, warning
from twokeys.iam.never import never_met
from twokeys.iam.operators import parse_network
from twokeys.iam.principals import Principals
from twokeys.iam.truth import Truth, Unknown


def lint(
    document: PolicyDocument, kind: PolicyKind, *, account: str | None = None, organization: Iterable[str] = ()
) -> tuple[PolicyFinding, ...]:
    """The findings on a parsed document, in the order of its statements.

    Args:
        document: the policy.
        kind: what the document is used as.
        account: the account of what the policy is attached to, an id or symbol.
        organization: the accounts of the organization. Others are third parties, for which a trust policy needs an
            external ID; symbols are of the organization. If empty, nobody is known to be a third party.

    An element that is not resolved yet gives no finding. Whether names exist is not checked.
    """
    members = tuple(organization)
    known = frozenset((*members, account)) if members and account is not None else frozenset(members)
    of_statements = (one for each in document.statements for rule in _RULES for one in rule(each, kind, known))
    return (*_id(document, kind), *of_statements)


def _id(document: PolicyDocument, kind: PolicyKind) -> Iterator[PolicyFinding]:
    """It is read: IAM has roles with one in an inline policy. https://github.com/noqdev/iambic/issues/463."""
    if document.id is not None and kind is not PolicyKind.TRUST:
        message = f"an Id is for resource-based policies, and AWS documents none for {kind}"
        page = GUIDE + "reference_policies_elements_id.html"
        yield PolicyFinding("id", None, "Id", message, page, "leave it out", Severity.ERROR)


_CHECKS_PAGE = "access-analyzer-reference-policy-checks.html"
_PRINCIPAL_PAGE = "reference_policies_elements_principal.html"
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA|SIA|GPA|NPA|KIA)[A-Z0-9]{8,}")
_ORGANIZATION_KEYS = frozenset({"aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount"})
_SOURCE_KEYS = frozenset({"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"})
_LIMITING_KEYS = _ORGANIZATION_KEYS | _SOURCE_KEYS | {"aws:principalarn"}
_MFA = ("aws:multifactorauthpresent", "aws:multifactorauthage")


def _bare_star(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    """IAM takes {"AWS": "*"} in a trust policy, but not the text '*' by itself."""
    if kind is PolicyKind.TRUST and statement.principals is not None and statement.principals.bare:
        message = "a trust policy's Principal cannot be the text '*'"
        step = 'name the principals, or write {"AWS": "*"} with a condition'
        yield error("bare-star-principal", statement, "Principal", message, step, _PRINCIPAL_PAGE)


def _principal_names(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    names = statement.principals.aws if statement.principals else ()
    for place, name in enumerate(names):
        if isinstance(name, Unknown) or name == "*":
            continue
        rule, message, step = _name_problem(name)
        if rule:
            where = "Principal.AWS" + (f"[{place}]" if len(names) > 1 else "")
            yield error(rule, statement, where, message, step, _PRINCIPAL_PAGE)


def _name_problem(name: str) -> tuple[str, str, str]:
    if "*" in name or "?" in name:
        why = f"{name!r}: a wildcard cannot match part of a principal's name or ARN"
        return "wildcard-principal", why, "name each principal, or use a condition on aws:PrincipalArn"
    if _UNIQUE_ID.fullmatch(name):
        why = f"{name!r} is a unique id, as AWS leaves one of a principal that was deleted"
        return "deleted-principal", why, "name a principal by its ARN"
    arn = Arn.parse(name)
    if arn is not None and arn.kind == "group":
        return "group-principal", f"{name!r}: a group cannot be a principal", "name its users, or a role they assume"
    return "", "", ""


def _for_all_values(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    for clause in statement.conditions if statement.effect == "Allow" else ():
        present, _ = demanding([one for one in statement.conditions if one.lower_key == clause.lower_key])
        if clause.set_operator == "ForAllValues" and not present:
            message = f"ForAllValues is true when {clause.key} is absent, so this Allow also applies then"
            step = f'add "Null": {{"{clause.key}": "false"}}'
            page = "reference_policies_condition-single-vs-multi-valued-context-keys.html"
            yield warning("for-all-values-allow", statement, path_of(clause), message, step, page)


def _host_bits(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    """AWS documents ranges in the standard form only, whose bits behind the prefix are zero; IAM takes others."""
    for clause in statement.conditions:
        for value in clause.values if clause.base.family == "ip" else ():
            network = parse_network(value) if isinstance(value, str) and "/" in value else None
            address = value.partition("/")[0] if isinstance(value, str) else ""
            if network is not None and parse_network(address) != parse_network(str(network.network_address)):
                message = f"{value!r} names one address and a range of {network.num_addresses:,}, and means the range"
                step = f"write {network} for the range, or {address} for the one address"
                page = "reference_policies_elements_condition_operators.html#Conditions_IPAddress"
                yield warning("host-bits", statement, path_of(clause), message, step, page)


_ABSENT = "absent, as it is with long-term access keys"


def _mfa(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    """Without MFA a session has aws:MultiFactorAuthPresent, as 'false', and no aws:MultiFactorAuthAge."""
    page = "reference_policies_condition-keys.html#condition-keys-multifactorauthpresent"
    demanded = any(clause.operator == "Bool" and clause.lower_key == _MFA[0] for clause in statement.conditions)
    for clause in statement.conditions:
        if clause.lower_key not in _MFA:
            continue
        values = {value.lower() for value in clause.values if isinstance(value, str)}
        if statement.effect == "Allow" and clause.if_exists:
            message = f"with IfExists this Allow also applies when {clause.key} is {_ABSENT}"
            step = "leave IfExists away"
            yield warning("mfa-if-exists", statement, path_of(clause), message, step, page)
        null = clause.operator == "Null" and clause.lower_key == _MFA[0] and values == {"false"}
        if statement.effect == "Allow" and null and not demanded:
            message = f"Null only asks whether {clause.key} is there, and it is there as 'false' without MFA"
            step = "use Bool with 'true'"
            yield warning("mfa-null", statement, path_of(clause), message, step, page)
        if statement.effect == "Deny" and clause.operator == "Bool" and values == {"false"}:
            message, step = f"with Bool this Deny does not apply when {clause.key} is {_ABSENT}", "use BoolIfExists"
            yield warning("mfa-deny-without-if-exists", statement, path_of(clause), message, step, page)


def _confused_deputy(statement: Statement, kind: PolicyKind, known: frozenset[str]) -> Iterator[PolicyFinding]:
    """A third party's account needs an external ID, a service that acts for its customers a source condition."""
    if kind is not PolicyKind.TRUST or statement.effect != "Allow" or statement.principals is None:
        return
    keys = _limiting(statement)
    page = "confused-deputy.html"
    if not keys & {"sts:externalid"} and not keys & _ORGANIZATION_KEYS:
        for name in _third_parties(statement.principals, known):
            message, step = f"{name!r} is outside the organization", "require an external ID (sts:ExternalId)"
            yield warning("third-party-without-external-id", statement, "Principal.AWS", message, step, page)
    if not keys & _SOURCE_KEYS:
        for service in statement.principals.service:
            if isinstance(service, str) and service.split(".")[0] not in _OWN_ACCOUNT_SERVICES:
                message = f"{service!r} can act for other customers"
                step = "limit it with aws:SourceArn or aws:SourceAccount"
                yield warning("service-without-source", statement, "Principal.Service", message, step, page)


_OWN_ACCOUNT_SERVICES = frozenset({"ec2", "ecs-tasks", "lambda", "eks", "eks-fargate-pods", "pods"})


def _third_parties(principals: Principals, known: frozenset[str]) -> Iterator[str]:
    for name in principals.aws:
        if isinstance(name, Unknown):
            continue
        arn = Arn.parse(name)
        account = arn.account if arn is not None else name if is_account(name) else None
        if known and account is not None and account not in known and not account.startswith("account:"):
            yield name


def _mismatched_action(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    if kind is not PolicyKind.TRUST or statement.effect != "Allow" or statement.principals is None:
        return
    for provider in statement.principals.federated:
        if isinstance(provider, Unknown) or provider == "*":
            continue
        action = "sts:AssumeRoleWithSAML" if ":saml-provider/" in provider else "sts:AssumeRoleWithWebIdentity"
        if statement.covers_action(action) is Truth.FALSE:
            message, step = f"{provider!r} can only use {action}, which the statement does not allow", "write that"
            yield error("mismatched-action", statement, "Action", message, step, _CHECKS_PAGE)


def _federation_by_others(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    named = statement.principals
    if kind is not PolicyKind.TRUST or statement.effect != "Allow" or named is None or named.federated:
        return
    actions = {action.lower() for action in statement.actions or () if isinstance(action, str)}
    if (named.aws or named.service) and actions and actions <= _OF_PROVIDERS:
        message = "only identity providers use these actions"
        step = "for principals of AWS and services, write sts:AssumeRole"
        yield error("mismatched-action", statement, "Action", message, step, _CHECKS_PAGE)


_OF_PROVIDERS = frozenset({"sts:assumerolewithsaml", "sts:assumerolewithwebidentity"})


def _open_trust(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    if kind is not PolicyKind.TRUST or statement.effect != "Allow":
        return
    if statement.principals is not None and statement.principals.everyone and not _limiting(statement) & _LIMITING_KEYS:
        message = "everybody in every account can pass"
        step = "name the principals, or add a condition on aws:PrincipalOrgID"
        page = "reference_policies_elements_principal.html#principal-anonymous"
        yield warning("open-trust", statement, "Principal", message, step, page)


def _limiting(statement: Statement) -> set[str]:
    """The keys for which the statement demands some value: not negated, not IfExists, not true when absent."""
    return {
        clause.lower_key
        for clause in statement.conditions
        if clause.base.names_values
        and not clause.if_exists
        and clause.set_operator != "ForAllValues"
        and not any(isinstance(value, str) and value and not value.strip("*") for value in clause.meant)
    }


_RULES: tuple[Callable[[Statement, PolicyKind, frozenset[str]], Iterator[PolicyFinding]], ...] = (
    _bare_star,
    _principal_names,
    _open_trust,
    _confused_deputy,
    _for_all_values,
    _host_bits,
    _mfa,
    _mismatched_action,
    _federation_by_others,
    *ANALYZER_ERRORS,
    never_met,
)
