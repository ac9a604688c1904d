"""Whether states, or live IAM, show what a call did or took away. Pure."""

from collections.abc import Mapping

from twokeys.access.model.documents import MASKS
from twokeys.answers.model import BOUNDARY, PASSWORD, Answers
from twokeys.answers.selection import GROUPS
from twokeys.audit.changes import BEING, JOINS, LETS_IN, TAKEN_BACK, TRUST
from twokeys.audit.trail import Change
from twokeys.doors import Who
from twokeys.iam import PolicyDocument


def is_shown(one: Change, answers: Answers) -> bool:
    """Whether the states have what a call did, or it takes away what they do not have.

    An update does not read what others made, so what the states say is held against it, not when they were written. A
    policy is shown where theirs lets in at least as much: the call changed it to what it is, or took something away. A
    state tells by its time only of what it does not show as text, and of calls by those who ran its update.
    """
    event, (_, whose, what), key = one.use.event, one.of, one.held
    there, said = key in answers.holds, answers.holds.get(key)
    of = next((each for each in (key[:3], (one.recorded, "", "")) if each in answers.written), key)
    time = of in answers.written and one.use.time <= answers.written[of]
    policy = said.policy if said and isinstance(said.policy, PolicyDocument) else None
    policy = None if any(mask in str(policy) for mask in MASKS) else policy
    if one.gives == "CreateAccessKey":
        return one.undone or there
    if one.gives == "CreateLoginProfile":
        user = Who("user", one.recorded, whose)
        return one.undone or any(each.user.who == user and PASSWORD in each.has for each in answers.long_term)
    if whose and one.undone:
        return not there
    if one.of[0] == "provider":
        return (one.recorded, whose) in answers.providers
    if whose and what == BOUNDARY and (said or not there):
        return said is None or said.arn == one.boundary
    if whose and one.call.writes:
        return there and (time if policy is None else one.policy is not None and one.policy.within(policy))
    if whose and what != BOUNDARY and one.gives in TAKEN_BACK:
        return there
    by_update = one.use.caller.who in map(Who.named, answers.updated_by) and event != "SetDefaultPolicyVersion"
    return time and by_update


def stands_anyway(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether what a call gave is in the answers, taken back or not: a policy that lets in no more than theirs.

    Of who was let in by name, it counts that the last call took it away: states of before are no answer to that.
    """
    said = answers.holds.get(one.held)
    policy = said.policy if said else None
    if one.call.writes:
        return one.policy is not None and isinstance(policy, PolicyDocument) and one.policy.within(policy)
    return not one.undone and one.of[2] != BOUNDARY and one.held in answers.holds and not is_over(one, last)


def is_over(one: Change, last: Mapping[tuple[str, ...], Change]) -> bool:
    """Whether it is a membership or an assignment that the last call of it took away."""
    return one.gives in LETS_IN and last[one.key].undone


def is_of_credentials(one: Change) -> bool:
    """Whether it is a password, a key or a device of a user, of which live IAM does not tell all."""
    return one.gives in BEING and one.gives != TRUST


def is_of_nobody_here(one: Change, answers: Answers) -> bool:
    """Whether a change tells who may be somebody, is in a group or is there, of whom no answer is about: of another
    account than those that were asked for, or of IAM Identity Center.

    Somebody of a group or an account as a whole that an answer is about may be anybody of it.
    """
    whose, account = one.of[1], one.use.account
    sides = [side for side in (answers, answers.before) if side]
    party = next((side.principals[whose] for side in sides if whose in side.principals), None)
    is_known = party is not None and (one.gives == JOINS or one.call.deletes)
    asked = one.gives not in BEING or account in answers.accounts or not whose or one.whom not in answers.written
    if asked and not is_known:
        return False
    ways = (way for side in sides for way in side.all_ways if way.account in answers.accounts)
    ends = [end for way in ways for step in way.steps for end in (step.source, step.target)]
    ends += [end for door in answers.doors for end in (door.source, door.target)]
    ends += [end for lacking in answers.not_proved for end in (lacking.source, lacking.target) if end]
    here = {end.who for end in ends}
    if party and is_known:
        groups = [who for who in here if who.kind in GROUPS]
        is_in = (side.is_member(party.who.name, who) is not False for side in sides for who in groups)
        return party.who not in here and (one.gives == JOINS or not any(is_in))
    own = (who for who in here if who.account == account)
    return not any(who.kind not in ("role", "user") or who.name.rpartition("/")[2] == whose for who in own)
