"""What IAM Access Analyzer reports as an error: parts of a policy that AWS refuses or that can never work.

Not here: whether actions, services, regions, condition keys and resources exist (but for STS, which this project is
about), which resource types, ARN fields and types of keys a service has (but for IAM), and what IAM Roles Anywhere asks
of a trust policy. SCPs take the whole language since September 2025. What breaks the grammar is refused when a document
is read.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Iterator
from typing import TypeAlias

from twokeys.iam.arn import Arn, arn_segments, is_account
from twokeys.iam.condition_keys import condition_key
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import PolicyKind, Statement
from twokeys.iam.finding import PolicyFinding, error, path_of
from twokeys.iam.operators import parse_date, parse_network, parse_number
from twokeys.iam.verdict import shown

_PAGE = "access-analyzer-reference-policy-checks.html#access-analyzer-reference-policy-checks-error-"
_VARIABLES = "reference_policies_variables.html"
_OPERATORS = "reference_policies_elements_condition_operators.html"
STS_ACTIONS = frozenset({
    "assumerole", "assumerolewithsaml", "assumerolewithwebidentity", "assumeroot", "decodeauthorizationmessage",
    "getaccesskeyinfo", "getcalleridentity", "getdelegatedaccesstoken", "getfederationtoken", "getservicebearertoken",
    "getsessiontoken", "getwebidentitytoken", "setcontext", "setsourceidentity", "taggetwebidentitytoken", "tagsession",
})  # fmt: skip
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html"""
_TAGS = frozenset({"aws:principaltag", "aws:requesttag", "aws:resourcetag"})


def _values(clause: ConditionClause) -> Iterator[tuple[str, ...]]:
    """A value must be of the operator's type: a number, a date, an address ..."""
    if clause.base.family in ("bool", "null") and len(clause.values) > 1:
        message = f"{clause.operator} takes one value; with 'true' and 'false' the condition says nothing"
        yield "several-booleans", message, "write one of them", _PAGE + "invalid-condition-multiple-boolean"
    fits, what, instead = _TYPES.get(clause.base.family, _ANY_TEXT)
    for value in clause.values:
        if not isinstance(value, str) or fits is None:
            continue
        quoted = repr(shown(clause.key, value))
        if clause.variables and "${" in value and clause.base.family != "arn":
            message, step = f"{quoted}: {clause.operator} reads no variables", "write the value, or a string operator"
            yield "variable-for-operator", message, step, _PAGE + "invalid-variable-for-operator"
        elif not fits(value):
            message = f"{quoted} is not {what}, so {clause.operator} never matches it"
            yield "condition-value-type", message, instead, _OPERATORS


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True)) or not text
    except (binascii.Error, ValueError):
        return False


def _is_arn_pattern(text: str) -> bool:
    return "*" in text or "${" in text or (text.startswith("arn:") and arn_segments(text) is not None)


_Type: TypeAlias = tuple[Callable[[str], bool] | None, str, str]
"""Whether a text is of an operator's type, that type in words, and the next step where it is not."""
_ANY_TEXT: _Type = (None, "", "")
_BOOLEAN: _Type = (lambda text: text.lower() in ("true", "false"), "true or false", "write true, or false")
_TYPES: dict[str, _Type] = {
    "numeric": (lambda text: parse_number(text) is not None, "a number", "write a number alone"),
    "date": (
        lambda text: parse_date(text) is not None,
        "a date in ISO 8601 or a number of seconds since 1970",
        'write it as in "2027-01-31T00:00:00Z", in quotes',
    ),
    "bool": _BOOLEAN,
    "null": _BOOLEAN,
    "binary": (_is_base64, "base64", "write it in base64"),
    "ip": (
        lambda text: parse_network(text) is not None,
        "an IP address or a range such as 203.0.113.0/24",
        "write an address, as in 203.0.113.7, or a range, as in 203.0.113.0/24",
    ),
    "arn": (_is_arn_pattern, "an ARN", "write an ARN, as in arn:aws:iam::111111111111:role/ci"),
}


def _keys(clause: ConditionClause) -> Iterator[tuple[str, ...]]:
    """Keys with several values need a set operator, keys of tags the tag."""
    key, known = clause.lower_key, condition_key(clause.key)
    if known and known.several and clause.set_operator is None and clause.base.family != "null":
        message, step = f"{clause.key} has several values", f"write ForAnyValue:{clause.operator} or ForAllValues:..."
        yield "missing-qualifier", message, step, _PAGE + "missing-qualifier"
    if key.rstrip("/") in _TAGS:
        message, step = f"{clause.key} names no tag", f"write {clause.key.rstrip('/')}/the-tag"
        yield "missing-tag-key", message, step, _PAGE + "missing-tag-key-in-condition"
    if key == "aws:arn":
        message, step = "aws:ARN is not supported", "use aws:PrincipalArn or aws:SourceArn"
        yield "unsupported-key", message, step, _PAGE + "unsupported-global-condition-key"
    if ":" not in key:
        message, step = f"{clause.key} names no service", f"write aws:{clause.key}"
        yield "key-format", message, step, _PAGE + "invalid-condition-key-format"


def _private_addresses(clause: ConditionClause) -> Iterator[tuple[str, ...]]:
    """AWS sees the public address of a caller, so that a list of private ones is never or always met."""
    if clause.lower_key != "aws:sourceip" or clause.base.family != "ip":
        return
    networks = [parse_network(value) for value in clause.values if isinstance(value, str)]
    known = [network for network in networks if network is not None]
    if known and len(known) == len(clause.values) and all(map(_is_private, known)):
        message = "aws:SourceIp is a public address, and only private ones are listed"
        step = "use aws:VpcSourceIp for those"
        yield "private-address", message, step, _PAGE + "private-ip-address"


def _is_private(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    """Of RFC 1918 or RFC 4193. Python's own `is_private` also holds the ranges that documentation is written with."""
    return any(network.version == each.version and network.subnet_of(each) for each in _PRIVATE)  # type: ignore[arg-type]


_PRIVATE = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
_CLAUSE_RULES = (_values, _keys, _private_addresses)


def _conditions(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    for clause in statement.conditions:
        for rule in _CLAUSE_RULES:
            for name, message, step, page in rule(clause):
                yield error(name, statement, path_of(clause), message, step, page)


def _actions(statement: Statement, kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    element = "Action" if statement.actions is not None else "NotAction"
    for name in statement.actions if statement.actions is not None else statement.not_actions or ():
        if not isinstance(name, str):
            continue
        service, _, action = name.lower().partition(":")
        if service == "sts" and not re.search(r"[*?$]", action) and action not in STS_ACTIONS:
            message, step = f"{name!r} is not an action of STS", "write one that is, such as sts:AssumeRole"
            yield error("invalid-action", statement, element, message, step, _PAGE + "invalid-action")
        elif kind is PolicyKind.TRUST and service != "sts" and not re.search(r"[*?]", service):
            message, step = f"{name!r}: a trust policy has actions of STS only", "put it into a policy of the role"
            yield error("action-in-trust-policy", statement, element, message, step, "id_roles_terms-and-concepts.html")


def _resources(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    element = "Resource" if statement.resources is not None else "NotResource"
    for name in statement.resources if statement.resources is not None else statement.not_resources or ():
        if not isinstance(name, str) or not name.startswith("arn:"):
            continue
        segments = arn_segments(name)
        if segments is None:
            if not name.endswith("*"):
                message = f"{name!r}: an ARN has six parts"
                step = "write arn:partition:service:region:account:resource"
                yield error("missing-arn-field", statement, element, message, step, _PAGE + "missing-arn-field")
            continue
        _, partition, service, region, account, _ = segments
        if not re.search(r"[*?$]", partition) and not re.fullmatch(r"aws(?:-[a-z]+)*", partition):
            message, step = f"{name!r}: {partition!r} is not a partition", "write aws, aws-cn or aws-us-gov"
            yield error("invalid-partition", statement, element, message, step, _PAGE + "invalid-partition")
        if service == "iam" and region not in ("", "*"):
            message, step = f"{name!r}: the ARNs of IAM have no region", f"leave {region!r} out"
            yield error("region-in-arn", statement, element, message, step, _PAGE + "arn-region-not-allowed")
        if service != service.lower() and "${" not in service:
            message = f"{name!r} names nothing: the service of an ARN is compared with its case"
            step = f"write {service.lower()}"
            yield error("service-case", statement, element, message, step, _PAGE + "invalid-arn-service-case")
        if not re.search(r"[*?$]", account) and account not in ("", "aws") and not is_account(account):
            message, step = f"{name!r}: {account!r} is not an account", "write its id, which has 12 digits"
            yield error("invalid-arn-account", statement, element, message, step, _PAGE + "invalid-arn-account")


def _principal_forms(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    principals = statement.principals
    if principals is None:
        return
    for type_, names, fits, form in (
        ("AWS", principals.aws, None, ""),
        ("Service", principals.service, _SERVICE.fullmatch, "a service, such as lambda.amazonaws.com"),
        ("Federated", principals.federated, _is_provider, "a domain, or the ARN of an OIDC or SAML provider"),
    ):
        for name in (one for one in names if isinstance(one, str)):
            if "${" in name:
                message, step = f"{name!r}: variables are read in Resource and Condition only", "name each principal"
                page = _PAGE + "variable-unsupported-in-element"
                yield error("variable-in-element", statement, f"Principal.{type_}", message, step, page)
            elif fits is not None and name != "*" and not fits(name):
                message, step = f"{name!r} is no {type_} principal", f"write {form}"
                page = _PAGE + "invalid-principal-format"
                yield error("principal-format", statement, f"Principal.{type_}", message, step, page)


_SERVICE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


def _is_provider(name: str) -> bool:
    arn = Arn.parse(name)
    return arn.kind in ("oidc-provider", "saml-provider") if arn else bool(_SERVICE.fullmatch(name.partition("/")[0]))


def _variables(statement: Statement, _kind: PolicyKind, _known: frozenset[str]) -> Iterator[PolicyFinding]:
    """A variable where IAM reads none is literal text; one that is not well written is refused."""
    element = "Resource" if statement.resources is not None else "NotResource"
    for name in (*(statement.resources or ()), *(statement.not_resources or ())):
        if not isinstance(name, str) or "${" not in name:
            continue
        if not statement.variables:
            message, step = f"{name!r}: in this document variables are literal text", "write version 2012-10-17"
            yield error("variable-in-old-version", statement, element, message, step, _VARIABLES)
        elif any("${" in part for part in name.split(":", 5)[:5]):
            message = f"{name!r}: a variable stands after the fifth colon of an ARN only"
            step = "write the other parts out"
            yield error("variable-outside-resource", statement, element, message, step, _VARIABLES)
        else:
            yield from _badly_written(statement, element, name, name)
    for clause in statement.conditions:
        texts = [value for value in clause.values if isinstance(value, str) and "${" in value]
        if texts and not statement.variables:
            message, step = "in this document variables are literal text", "write version 2012-10-17"
            yield error("variable-in-old-version", statement, path_of(clause), message, step, _VARIABLES)
        elif clause.base.family in ("string", "arn"):
            for text in texts:
                yield from _badly_written(statement, path_of(clause), text, shown(clause.key, text))


def _badly_written(statement: Statement, element: str, text: str, quoted: str) -> Iterator[PolicyFinding]:
    for found in re.finditer(r"\$\{([^}]*)(\}?)", text):
        inner = found[1]
        key, comma, default = inner.partition(",")
        if not found[2]:
            message, step = f"{quoted!r}: '}}' is missing", "write it"
        elif not inner.strip():
            message, step = f"{quoted!r}: '${{}}' names no key", "write one, as in ${aws:username}"
        elif comma and not re.fullmatch(r"\s*'[^']*'\s*", default):
            message = f"{quoted!r}: a default stands between single quotes"
            step = "write it as in ${aws:userid, 'nobody'}"
        elif re.search(r"\s", key.strip()) and not re.match(r"[^\s:]+:[A-Za-z]*Tag/", key.strip()):
            message, step = f"{quoted!r}: a key has no spaces", "leave them out"
        else:
            continue
        yield error("variable-syntax", statement, element, message, step, _VARIABLES)


ANALYZER_ERRORS: tuple[Callable[[Statement, PolicyKind, frozenset[str]], Iterator[PolicyFinding]], ...] = (
    _conditions,
    _actions,
    _resources,
    _principal_forms,
    _variables,
)
