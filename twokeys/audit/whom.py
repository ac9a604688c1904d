"""Whom a call lets in, and who may enter what it is of. Pure."""

from collections.abc import Callable, Container, Iterable, Sequence
from typing import cast

from twokeys.access.model.documents import Document
from twokeys.answers.model import BOUNDARY, Answers, Way
from twokeys.answers.permissions import Level, level_of
from twokeys.answers.selection import GROUPS
from twokeys.audit.bearing import may_let_into
from twokeys.audit.changes import ASSIGNS, JOINS, TRUST, lets_in, trusted
from twokeys.audit.record import BY_PROVIDER, Use
from twokeys.audit.trail import Change
from twokeys.doors import Who
from twokeys.doors.who import Kind
from twokeys.iam import UNKNOWN, Arn, PolicyDocument, Statement

_SERVICE = ".amazonaws.com"


def enter(one: Change, answers: Answers, accounts: Container[str] = ()) -> list[str]:
    """Who may enter what a call is of (a permission set in these accounts, or in any), by what is in the answers."""
    ways = ways_into(one, answers)
    return [*dict.fromkeys(way.source.short for way in ways if not accounts or way.account in accounts)]


def ways_into(one: Change, answers: Answers) -> list[Way]:
    """The ways into the role that a call is of, or into those that AWS makes of the permission set."""
    return answers.ways_into(whom_entered(one, answers.accounts, answers))


def level_into(one: Change, answers: Answers) -> Level:
    """How strong what somebody enters is by the ways into it or, where none is asked for, by its policies."""
    found = [way.permissions.level for way in ways_into(one, answers)]
    for each in (answers, answers.before):
        held = each.held_by(one.whom).items() if each and not found else ()
        own = ((name, said) for name, said in held if name not in ("", BOUNDARY) and (said or Arn.parse(name)))
        found += [level_of(said or Document(UNKNOWN, name.rpartition("/")[2], arn=name), ()) for name, said in own]
    return max(found, default=Level.NONE)


def whom_entered(one: Change, accounts: Iterable[str], answers: Answers) -> set[Who]:
    """What is entered of whom a call is of: of a permission set, what AWS makes of it in the accounts; what a group of
    IAM Identity Center may enter.
    """
    kind, whose, _ = one.of
    if kind == "set":
        return {Who("set", account, answers.names.get(whose, whose)) for account in accounts}
    if kind == "identity-center-group" and (group := answers.principals.get(whose)):
        return {way.target.permission_set or way.target.who for way in answers.ways if way.source.who == group.who}
    return {Who(cast(Kind, kind), one.recorded, whose)}


def principal_of(one: Change, answers: Answers) -> Who | None:
    """The user or group that an assignment, or the group that a membership is of; None of whom no source shows."""
    group, (id, *_) = one.gives == JOINS, one.of[2].split() or ("",)
    known = answers.principals.get(one.of[1] if group else id)
    return known.who if known and (not group or id in answers.principals) else None


def is_by(one: Change, use: Use, answers: Answers) -> bool:
    """Whether an entry may be that of somebody whom a trust policy, a key, an assignment or a membership let in; of
    other calls, whether it is into what they are of, or their policy may have let it in.
    """
    caller = use.caller.who
    if one.gives == JOINS:
        group, user = map(answers.principals.get, one.of[1:])
        stays = group is None or answers.is_member(caller.name, group.who)
        return caller.kind == "identity-center-user" and (user.who == caller if user and group else not stays)
    if one.gives == "CreateAccessKey":
        return one.of[2] in ("", use.own_key)
    if one.gives == ASSIGNS:
        id, _, account = one.of[2].partition(" ")
        principal = answers.principals.get(id)
        comes = use.account == account and caller.kind == "identity-center-user"
        who = principal.who if principal else caller
        return comes and (who == caller or (who.kind in GROUPS and answers.is_member(caller.name, who) is not False))

    def is_caller(who: Who | None) -> bool:
        if who is None or caller.kind == "principal":
            return caller.kind in BY_PROVIDER if who is None else who.account in ("", caller.account)
        return who in (caller, Who("root", caller.account)) or who.kind == "everyone"

    if one.gives != TRUST:
        return is_into(one, use, answers) or may_let_into(one, use, answers)
    return use.target.name == one.of[1] and let_in(one, answers, is_caller)


def is_into(one: Change, use: Use, answers: Answers) -> bool:
    """Whether an entry is into what a call is of, and not by it."""
    return bool({use.target, use.entered_set} & whom_entered(one, [use.account], answers))


def let_in(one: Change, answers: Answers, is_it: Callable[[Who | None], bool]) -> bool:
    """Whether a trust policy that a call wrote may have let in somebody whom that of now does not, and who is it; None
    is somebody whom no ARN names, as of an identity provider.
    """
    if one.policy is None or any(
        each.principals is None or each.principals.unresolved or each.principals.canonical_user
        for each in one.policy.statements
    ):
        return True
    names = (name for each in lets_in(one.policy.statements, still(one, answers)).values() for name in each)
    return any(is_it(Who.named("*" if name == "everyone" else name)) for name in names if not name.endswith(_SERVICE))


def still(one: Change, answers: Answers) -> Sequence[Statement]:
    """What of the trust policy of now, if it denies nobody else, lets in of those whom a call's policy did."""
    now = answers.holds.get(one.held)
    if one.gives != TRUST or not now or not isinstance(now.policy, PolicyDocument) or one.policy is None:
        return ()
    mine, theirs = one.policy.statements, now.policy.statements
    new_denies = any(each.effect == "Deny" and not any(map(each.part_of, mine)) for each in theirs)
    return theirs if not new_denies and trusted(one.policy, theirs) else ()
