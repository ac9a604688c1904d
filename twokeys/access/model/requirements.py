"""What a statement or a verdict demands of a session beside its identity."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise, product
from typing import Final, TypeAlias

from twokeys.access.model.documents import MASKS
from twokeys.doors.expiry import on, until
from twokeys.iam import ConditionClause, PolicyDocument, Requirement, Statement
from twokeys.iam.admission import demanding
from twokeys.iam.external_id import is_external_id
from twokeys.iam.operators import operator_named, parse_date
from twokeys.iam.sts import IN_TRUSTS
from twokeys.iam.truth import FREE, UNKNOWN, Lookup, Truth, Values, absent, any_of, negate
from twokeys.iam.truth import all_of as all_true
from twokeys.iam.verdict import all_of, one_of

MFA: Final = "MFA"
MFA_BUT_OF_KEYS: Final = "MFA (not asked of access keys)"
EXTERNAL_ID: Final = "external ID"
_MFA_PRESENT = "aws:multifactorauthpresent"
_MFA_AGE = "aws:multifactorauthage"
_MFA = frozenset({_MFA_PRESENT, _MFA_AGE})
_UNITS: Final = ((3600, "h"), (60, "min"), (1, "s"))
_WHOSE: Final = {
    "aws:principalorgid": re.compile(r"(.*)"),
    "aws:principalorgpaths": re.compile(r"([^/]*)/.*"),
    "aws:principalaccount": re.compile(r"(.*)"),
    "aws:principalarn": re.compile(r"([^:]*:[^:]*:[^:]*:[^:]*:[^:]*):.*"),
}
"""What of a key's value tells whose principal it is: an organization, or the ARN up to its account."""
_ORGANIZATIONS = frozenset({"aws:principalorgid", "aws:principalorgpaths"})
_CLOCKS: Final = {
    "aws:currenttime": re.compile(r"Date(?P<side>LessThan|GreaterThan)?(?P<equals>Equals)?(IfExists)?"),
    "aws:epochtime": re.compile(r"(Date|Numeric)(?P<side>LessThan|GreaterThan)?(?P<equals>Equals)?(IfExists)?"),
}
"""The operators under which a key that tells the time can be met up to a moment, from one on, or at one."""
Window: TypeAlias = tuple[datetime | None, datetime | None]
"""From which moment on, and until which; None where there is no such moment."""
Period: TypeAlias = tuple[datetime, datetime]
"""From when until when."""
_FIRST: Final = datetime.min.replace(tzinfo=UTC)
_LAST: Final = datetime.max.replace(tzinfo=UTC)
_AUDIENCE = ("StringEquals", "ForAnyValue:StringEquals")
_ANYBODY = re.compile(r"[*?]|\$\{(?!aws:Resource(Account|OrgID)\})", re.IGNORECASE)
"""What anybody can match: a pattern, and a variable that is not about the role itself, as callers choose its value."""


def as_denied(trust: PolicyDocument, controls: Iterable[Statement] = ()) -> Iterator[Statement]:
    """The statements of a trust policy, each Allow with what the Deny of everyone beside it leaves of those it admits.

    `Deny` to `*` under StringNotEquals on the caller's organization, account or ARN admits whom StringEquals does, and
    nobody without the key; without any condition it leaves nobody. It may spare AWS's services, which are no AWS
    principals. One that hangs on something else is passed over. So do `controls`, of control policies of the role.
    What a Deny leaves by one key or by another is a statement for each; of several such, one is followed.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_String
    """
    denials = [(one, left) for one in (*trust.statements, *controls) if (left := _left_by(one)) is not None]
    for one in trust.statements:
        met = [left for denial, left in denials if one.effect == "Allow" and _denies_all_of(denial, one)]
        demanded = [left[0] for left in met if len(left) == 1]
        alternatives = next(([(each,) for each in left] for left in met if len(left) > 1), [()])
        for either in alternatives if () not in met else ():
            yield replace(one, conditions=(*one.conditions, *demanded, *either)) if met else one


def _denies_all_of(denial: Statement, allowing: Statement) -> bool:
    taken = (action for action in IN_TRUSTS if allowing.covers_action(action) is not Truth.FALSE)
    return all(denial.covers_action(action) is Truth.TRUE for action in taken)


def _left_by(denial: Statement) -> tuple[ConditionClause, ...] | None:
    """What one has to meet to be left by a Deny; () where it leaves nobody, None where it hangs on more than who calls.

    With ForAnyValue a caller without the key is not denied.
    """
    whom = denial.principals
    if denial.effect != "Deny" or denial.unresolved or whom is None or not whom.everyone:
        return None
    if not denial.conditions:
        return ()
    found = [clause for clause in denial.conditions if not _spares_services(clause)]
    if not found or not all(one.lower_key in _WHOSE and one.base.negated for one in found):
        return None
    if any(one.set_operator == "ForAnyValue" for one in found):
        return None
    return tuple(
        replace(one, operator=("ForAnyValue:" if one.set_operator else "") + one.base.positive) for one in found
    )


def _spares_services(clause: ConditionClause) -> bool:
    return (
        clause.lower_key == "aws:principalisawsservice"
        and clause.operator in ("Bool", "BoolIfExists")
        and clause.values == ("false",)
    )


def demanded_values(statement: Statement, key: str) -> Iterator[tuple[object, ...]]:
    """The values of which a statement demands one, for each clause about a key (in lower case)."""
    return (clause.meant for clause in _demanding(statement, key))


def _demanding(statement: Statement, key: str) -> Iterator[ConditionClause]:
    _, demands = demanding([one for one in statement.conditions if one.lower_key == key])
    return (one for one in demands if all(str(value).strip("*?") for value in one.meant))


def limits_callers(statement: Statement) -> bool:
    """Whether a statement is for principals of certain organizations or accounts only, whomever its Principal names.

    A condition on the caller's organization, account or ARN does that if the statement demands it and each of its
    values says which organization or account: `arn:aws:iam::*:role/ci` is a role that anybody can make, `o-*` is any
    organization, and a variable about the caller holds of everyone. What is not known yet limits nobody. Whether
    those organizations and accounts are one's own is not said here.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties
    """
    return any(_says_whose(clause) for key in _WHOSE for clause in _demanding(statement, key))


def organizations_demanded(statement: Statement) -> frozenset[str] | None:
    """The organizations whose principals alone a statement is for; None if it demands no certain organization.

    `${aws:ResourceOrgID}` is the organization of the role itself. An id is in lower case, which StringEqualsIgnoreCase
    meets however the value is written.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid
    """
    found = [
        frozenset(_as_compared(clause, str(value)).partition("/")[0] for value in clause.meant)
        for key in _ORGANIZATIONS
        for clause in _demanding(statement, key)
        if _says_whose(clause)
    ]
    return frozenset.intersection(*found) if found else None


def _as_compared(clause: ConditionClause, value: str) -> str:
    return value.lower() if clause.base.ignore_case else value


def _says_whose(clause: ConditionClause) -> bool:
    part = _WHOSE[clause.lower_key]
    found = [part.fullmatch(value) if isinstance(value, str) else None for value in clause.meant]
    return bool(found) and all(one is not None and not _ANYBODY.search(one.group(1)) for one in found)


def requires_mfa(requirements: Iterable[Requirement]) -> bool:
    """Whether a session has to be signed in with MFA to meet the requirements.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
    """
    return any(
        all(requires_mfa(group) for group in one.any_of)
        if one.any_of
        else _refuses(one, _no_mfa) and _refuses(one, absent)
        for one in requirements
    )


def is_mfa(one: Requirement) -> bool:
    """Whether a requirement is of MFA, be it only for those of whom AWS tells whether they have it."""
    return requires_mfa([one]) or _refuses(one, _no_mfa)


def _no_mfa(key: str) -> Values:
    """A session without MFA, which has no age of it; what is signed with a user's access key has neither key."""
    return ("false",) if key == _MFA_PRESENT else ()


def _refuses(one: Requirement, lookup: Lookup) -> bool:
    return one.key.lower() in _MFA and met(one, lookup) is Truth.FALSE


def in_words(requirement: Requirement) -> str:
    """A requirement for people: "MFA", "external ID", "audience a", "until 2027-01-31"; others as the policy has them.

    `...IfExists`, or a Deny without it, admits what is signed with a user's access key, of which AWS tells no MFA.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent
    """
    if requires_mfa([requirement]):
        return MFA
    if is_mfa(requirement):
        return MFA_BUT_OF_KEYS
    if requirement.any_of:
        return one_of(all_of(map(in_words, group)) for group in requirement.any_of)
    opens, closes = window([requirement])
    if opens and not closes:
        return f"from {on(opens)}"
    if closes and not opens:
        return f"until {until(closes)}"
    if requirement.key.lower().endswith(":aud") and requirement.operator in _AUDIENCE and not requirement.negated:
        return f"audience {one_of(requirement.values)}"
    return EXTERNAL_ID if is_external_id(requirement) else str(requirement)


def met(requirement: Requirement, lookup: Lookup) -> Truth:
    """Whether a request meets a requirement, as far as its condition keys are known and no value is encrypted."""
    if requirement.any_of:
        return any_of([all_true([met(one, lookup) for one in group]) for group in requirement.any_of])
    if operator_named(requirement.operator) is None or lookup(requirement.key.lower()) is FREE:
        return Truth.FREE
    values = tuple(UNKNOWN if value in (str(UNKNOWN), *MASKS) else value for value in requirement.values)
    found = ConditionClause(requirement.operator, requirement.key, values).evaluate(lookup)
    return negate(found) if requirement.negated else found


def in_detail(requirement: Requirement, now: datetime) -> str:
    """As `in_words`, and how long ago MFA may be, and whether an end is over: "MFA, less than 1 h ago"."""
    words = in_words(requirement)
    below = "GreaterThan" if requirement.negated else "LessThan"
    if words == MFA and requirement.key.lower() == _MFA_AGE and below in requirement.operator:
        ages = [int(value) if value.isdigit() else None for value in requirement.values]
        known = [age for age in ages if age is not None]
        if known and len(known) == len(ages):
            most = "at most" if ("Equals" in requirement.operator) is not requirement.negated else "less than"
            size, unit = next((size, unit) for size, unit in _UNITS if max(known) % size == 0)
            return f"{words}, {most} {max(known) // size} {unit} ago"
    _, closes = window([requirement])
    return f"{words} (closed since then)" if closes is not None and closes <= now else words


def in_full(
    requirements: Iterable[Requirement], plain: Callable[[str], str], words: Callable[[Requirement], str] = in_words
) -> dict[object, str]:
    """Requirements in words, by keys that are equal for those that ask the same, with every value, in whatever order.

    The keys hold external IDs, and are for comparing only. `plain` is applied to each value.
    """
    found = {key: words(one) for one in requirements for key in _in_full(one, plain)}
    if requires_mfa(requirements):
        found.pop(MFA_BUT_OF_KEYS, None)
    return found


def _in_full(one: Requirement, plain: Callable[[str], str]) -> Iterable[object]:
    if one.any_of:
        groups = frozenset(frozenset(in_full(group, plain)) for group in one.any_of)
        return next(iter(groups)) if len(groups) == 1 else (groups,)
    words, values = in_words(one), frozenset(map(plain, one.values))
    if is_external_id(one):
        return ((words, values, "IgnoreCase" in one.operator),)
    if one.key.lower() == _MFA_PRESENT or any(window([one])):
        return (words,)
    return ((one.operator, one.key.lower(), values, one.negated),)


def window(requirements: Iterable[Requirement]) -> Window:
    """When requirements can be met together, as far as those say that are about time alone; `pauses` are in between.

    A moment that is itself still admitted is over a second later, as the clock of the keys has it. Those that can
    never be met together are over when the first of them is.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-currenttime
    """
    found = _periods(requirements)
    opens, closes = found[0][0], found[-1][1]
    return None if opens == _FIRST else opens, None if closes == _LAST else closes


def pauses(requirements: Iterable[Requirement]) -> tuple[Period, ...]:
    """When requirements cannot be met together that can be before and after, as alternatives leave a time out."""
    return tuple((end, opens) for (_, end), (opens, _) in pairwise(_periods(requirements)))


def pausing(those: Iterable[Period], now: datetime) -> list[Period]:
    """Those of these pauses that a moment is in."""
    return [(start, end) for start, end in those if start <= now < end]


def ended(statement: Statement) -> datetime | None:
    """The moment from which a statement can no longer apply."""
    return window(clause.requirement() for clause in statement.conditions)[1]


def _periods(requirements: Iterable[Requirement]) -> list[Period]:
    """When requirements can all be met, in order and apart; one period of no length if never."""
    found = [(_FIRST, _LAST)]
    for one in requirements:
        those = _merged(chain.from_iterable(map(_periods, one.any_of))) if one.any_of else [_period(one)]
        pairs = [(max(a[0], b[0]), min(a[1], b[1])) for a, b in product(found, those)]
        never = min(found[-1][1], those[-1][1])
        found = [(opens, closes) for opens, closes in pairs if opens < closes] or [(never, never)]
    return found


def _merged(periods: Iterable[Period]) -> list[Period]:
    found: list[Period] = []
    for opens, closes in sorted(periods):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], closes))
        else:
            found.append((opens, closes))
    return [one for one in found if one[0] < one[1]] or found[-1:]


def _period(one: Requirement) -> Period:
    clock = _CLOCKS.get(one.key.lower())
    told = clock.fullmatch(one.operator) if clock else None
    moments = [_moment(value) for value in one.values]
    known = [moment for moment in moments if moment is not None]
    if told is None or not known or len(known) < len(moments) or (one.negated and not told["side"]):
        return _FIRST, _LAST
    first, last = min(known), max(known)
    admitted = timedelta(seconds=1) if bool(told["equals"]) is not one.negated else timedelta()
    if one.negated:  # what a Deny refuses after a moment is open until then
        return (last, _LAST) if told["side"] == "LessThan" else (_FIRST, first + admitted)
    return _FIRST if told["side"] == "LessThan" else first, _LAST if told["side"] == "GreaterThan" else last + admitted


def denied_since(policy: PolicyDocument) -> Iterator[datetime]:
    """From when on a policy denies everything, by statements that ask for nothing else: so a permission set ends."""
    for one in policy.statements:
        if one.effect == "Deny" and not one.unresolved and one.actions == one.resources == ("*",):
            _, closes = window(clause.requirement()._replace(negated=True) for clause in one.conditions[:1])
            if closes is not None and len(one.conditions) == 1:
                yield closes


def _moment(text: str) -> datetime | None:
    seconds = parse_date(text)
    try:  # with a second to spare for what is still admitted then
        return None if seconds is None else datetime.fromtimestamp(float(seconds) + 1, UTC) - timedelta(seconds=1)
    except (OverflowError, ValueError):
        return None
