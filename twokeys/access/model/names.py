"""Whom a trust policy names, and which roles an identity-based policy names: what the graph is indexed by."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from twokeys.access.model.requirements import as_denied, demanded_values, organizations_demanded
from twokeys.doors.who import CARRIERS
from twokeys.iam import UNKNOWN, Arn, Glob, PolicyDocument, Statement, Unknown, account_as_a_whole, is_account
from twokeys.iam.matching import as_completed
from twokeys.iam.sts import ASSUME_ROLE, ASSUME_ROOT, IN_TRUSTS
from twokeys.iam.truth import Truth

_ASSUME_ROLE = ASSUME_ROLE.lower()
_IN_GRANTS = (ASSUME_ROLE, ASSUME_ROOT)
EVERYONE = "*"
EVERY_SERVICE = "*"
_WILD = ("*", "?", "${")
OWN_ACCOUNT: Final = "${aws:ResourceAccount}"
"""The account of the role itself, where a statement demands it of `aws:PrincipalAccount`."""
USERNAME = re.compile(r"\$\{aws:username\}", re.IGNORECASE)
_PRINCIPALS = frozenset({"role", "user"})


def trusted_names(trust: PolicyDocument, controls: Iterable[Statement] = ()) -> tuple[str, ...]:
    """The AWS principals that a trust policy allows `sts:AssumeRole`, as `admitted_by` names them, each once.

    `controls` are of control policies of the role: whom they leave of everyone is named instead.
    """
    return tuple(dict.fromkeys(name for statement in as_denied(trust, controls) for name in admitted_by(statement)))


def admits_everyone(trust: PolicyDocument) -> bool:
    """Whether a statement that may allow `sts:AssumeRole` has everyone as its Principal, whatever its conditions.

    No trust policy can have NotPrincipal.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    return any(one.principals is not None and one.principals.everyone for one in _allowing(trust))


def admitted_services(trust: PolicyDocument) -> frozenset[str] | None:
    """The AWS services that statements which may allow `sts:AssumeRole` name; None where they may let in any."""
    named: set[str] = set()
    for one in _allowing(trust):
        whom = one.principals
        services = [each for each in whom.service if isinstance(each, str) and each != EVERY_SERVICE] if whom else []
        if whom is None or whom.everyone or whom.unresolved or len(services) < len(whom.service):
            return None
        named.update(services)
    return frozenset(named)


def admitted_by(statement: Statement) -> tuple[str, ...]:
    """Whom a statement of a trust policy lets in by `sts:AssumeRole`: ARNs, accounts, organizations, `*` for everyone.

    Where the Principal is everyone or an account as a whole and a condition demands certain callers, it is those: ARNs
    for exact values of `aws:PrincipalArn`; accounts (12 digits, `OWN_ACCOUNT`) for `aws:PrincipalAccount` and for
    patterns of ARNs in one account; organizations (`o-...`) for the other two keys. Each value stands by
    itself. A value that says nobody in particular (`o-*`, a variable, a value that is not known) leaves everyone.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
    """
    if statement.effect != "Allow" or statement.covers_action(_ASSUME_ROLE) is Truth.FALSE:
        return ()
    principals = statement.principals
    if principals is None or principals.everyone:
        return _narrowed(statement, None)
    names: dict[str, None] = {}
    for name in (*principals.aws, *(f"CanonicalUser {one}" for one in principals.canonical_user)):
        if not isinstance(name, str):
            continue
        arn = Arn.parse(name)
        if arn is None or arn.kind != "group":  # which IAM takes in no trust policy: `policy-refused` says so
            account = account_as_a_whole(name)
            narrowed = (name,) if account is None else _narrowed(statement, account) or (name,)
            names |= dict.fromkeys(name if one == EVERYONE else one for one in narrowed)
    return tuple(names)


def _narrowed(statement: Statement, account: str | None) -> tuple[str, ...]:
    """Those whom conditions pick out of everyone or out of an account as a whole; `*` where they pick nobody."""
    accounts: list[frozenset[str]] = []
    for values in demanded_values(statement, "aws:principalarn"):
        arns = [arn for value in values if (arn := _principal(value))]
        if len(arns) == len(values):
            return tuple(str(arn) for arn in arns if account in (None, arn.account))
        accounts.append(frozenset(_account_of_pattern(value) or EVERYONE for value in values))
    if account is not None:
        return (EVERYONE,)
    for values in demanded_values(statement, "aws:principalaccount"):
        accounts.append(frozenset(map(_account_or_everyone, map(str, values))))
    exact = [one for one in accounts if EVERYONE not in one]
    organizations = organizations_demanded(statement)
    if certain := [one for one in exact if OWN_ACCOUNT not in one]:
        return tuple(sorted(frozenset.intersection(*certain)))
    if exact or organizations is None:
        return tuple(sorted(next(iter([*exact, *accounts]), (EVERYONE,))))
    return tuple(sorted(organizations))


def _account_or_everyone(value: str) -> str:
    if value.lower() == OWN_ACCOUNT.lower():
        return OWN_ACCOUNT
    return value if is_account(value) else EVERYONE


def _principal(value: object) -> Arn | None:
    if not isinstance(value, str) or any(sign in value for sign in _WILD):
        return None
    arn = Arn.parse(value)
    return arn if arn is not None and arn.kind in _PRINCIPALS and is_account(arn.account) else None


def _account_of_pattern(value: object) -> str | None:
    """The one account whose principals a pattern of ARNs can match."""
    arn = Arn.parse(value) if isinstance(value, str) else None
    return arn.account if arn is not None and is_account(arn.account) else None


def granted_resources(policy: PolicyDocument, partition: str) -> tuple[str, ...]:
    """The resources on which an identity-based policy allows `sts:AssumeRole`, as `resources_of` has them."""
    return tuple(dict.fromkeys(name for one in _allowing(policy) for name in resources_of(one, partition)))


def resources_of(statement: Statement, partition: str) -> Iterator[str]:
    """The known resources of a granting statement: each as AWS completes it, and in its holder's partition."""
    for name in ("*",) if statement.resources is None else statement.resources:
        if isinstance(name, str):
            yield from (_in_partition(whole, partition) for whole in as_completed(name))


def _in_partition(resource: str, partition: str) -> str:
    """A granted resource, exact or with wildcards, with its holder's partition in place of a pattern of partitions.

    Roles delegate access within one partition only, so that the rest of it may be an exact name.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html
    """
    match resource.split(":", 2):
        case ["arn", pattern, rest] if set(pattern) & {"*", "?"} and Glob(pattern).matches(partition):
            return f"arn:{partition}:{rest}"
    return resource


def may_grant(policy: PolicyDocument | Unknown) -> bool:
    """Whether an identity-based policy may allow `sts:AssumeRole` on anything; one that is not known may."""
    return isinstance(policy, Unknown) or bool(policy.unresolved) or any(True for _ in _allowing(policy))


def _allowing(policy: PolicyDocument, actions: tuple[str, ...] = (_ASSUME_ROLE,)) -> Iterator[Statement]:
    return (
        statement
        for statement in policy.statements
        if statement.effect == "Allow" and any(statement.covers_action(action) is not Truth.FALSE for action in actions)
    )


def could_be_role(resource: str) -> bool:
    """Whether a resource may be a role: one of another service is none, whatever wildcards it holds."""
    service = resource.split(":")[2] if resource.count(":") >= 5 else "*"
    return service == "iam" or "*" in service or "?" in service


def open_leaves(policy: PolicyDocument, *, trust: bool) -> tuple[str, ...]:
    """The unknown parts of a document that may let somebody in by `sts:AssumeRole`, as paths.

    An unknown Sid, Version or Condition lets nobody in who would not come in without it; neither does what is unknown
    in a Deny, or in a statement about other actions. An unknown Effect lets in whomever its statement names.
    """
    if policy.from_text:
        return ()
    found = [path for path in policy.unresolved if path.startswith("Statement")]
    for statement in policy.statements:
        if statement.effect == "Allow" and statement.effect_unresolved and may_let_in(statement, trust=trust):
            found.append(f"Statement[{statement.index}].Effect")
    for statement in _allowing(policy, (_ASSUME_ROLE,) if trust else _IN_GRANTS):
        found += [f"Statement[{statement.index}].{element}" for element in _open_elements(statement, trust=trust)]
    return tuple(found)


def may_let_in(statement: Statement, *, trust: bool) -> bool:
    """Whether a statement is about those who come in: whom a trust policy names, or a grant's roles; not its Effect."""
    if all(statement.covers_action(action) is Truth.FALSE for action in (IN_TRUSTS if trust else _IN_GRANTS)):
        return False
    if not trust:
        return _may_name_role(statement)
    return admits_more_than_services(statement)


def admits_more_than_services(statement: Statement) -> bool:
    """Whether a statement may admit others than services that work for their own account alone."""
    named = statement.principals
    if named is None or named.everyone or named.unresolved or named.aws or named.federated or named.canonical_user:
        return True
    return any(service in CARRIERS or service == EVERY_SERVICE for service in named.service)


def _may_name_role(statement: Statement) -> bool:
    return not statement.resources or any(not isinstance(one, str) or could_be_role(one) for one in statement.resources)


def _open_elements(statement: Statement, *, trust: bool) -> Iterator[str]:
    if trust:
        named = statement.principals
        if named is not None and (named.unresolved or unknown_in(named.aws)):
            yield "Principal"
        if named is not None and not (named.everyone or named.aws):
            return
    else:
        if not _may_name_role(statement):
            return
        for element, listed in (("Resource", statement.resources), ("NotResource", statement.not_resources)):
            if unknown_in(listed):
                yield element
    for element, listed in (("Action", statement.actions), ("NotAction", statement.not_actions)):
        if unknown_in(listed) and statement.covers_action(_ASSUME_ROLE) is Truth.UNKNOWN:
            yield element


def unknown_in(listed: Iterable[object] | None) -> bool:
    """Whether one of the names of an element is not known yet."""
    return listed is not None and UNKNOWN in listed
