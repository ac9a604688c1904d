"""What the records of changes say of the time of answers: states know nothing of what was done after them."""

from collections.abc import Mapping
from dataclasses import replace

from twokeys.access.model.documents import MASKS
from twokeys.access.model.names import may_let_in
from twokeys.answers.model import BOUNDARY, PASSWORD, Answers
from twokeys.answers.summary import APART
from twokeys.audit.changes import BEING, DELETED, MFA_DEVICES, SAME, TAKEN_BACK, WIDENING, WRITES
from twokeys.audit.comparison import Comparison
from twokeys.audit.trail import Change
from twokeys.doors import Who
from twokeys.iam import Arn, PolicyDocument, PolicyKind, Unknown, aws_managed
from twokeys.shown import counted, in_utc

_OF_IDENTITY_CENTER = ":role/aws-service-role/sso.amazonaws.com/"
"""https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html"""


def against_states(answers: Answers, comparison: Comparison) -> Answers:
    """The answers with what the records say of their time: changes of keys that the states do not have, so that more
    may come in now; the time between the oldest state and the records, of which nothing tells; and what the period had
    that is not in the answers any more. Live IAM is as of now.
    """
    since: dict[str, str] = {}
    before, ways = 0, (*answers.ways, *answers.within)
    widening = [one for one in WIDENING if one not in MFA_DEVICES or any(way.mfa for way in ways)]
    done = [one for one in comparison.changes if one.use.failed is None and one.gives]
    last = {_about(one): one for one in done}
    deleted = {(one.recorded, *one.of[:2]): one.use.time for one in done if one.of[1] and one.use.event in DELETED}
    for one in done:
        use, (kind, whose, _) = one.use, one.of
        if use.event not in widening or _is_of_nobody_here(one, answers) or not _matters(one, last, answers):
            continue
        gone = deleted.get((one.recorded, kind, whose), use.time) > use.time
        if gone or last[_about(one)] is not one:
            before += 1
        elif _is_shown(one, answers):
            continue
        elif answers.from_states:
            about = f"{use.event}{f' of {whose}' if whose else ''} in {answers.account_name(use.account)}"
            since[f"{about} on {in_utc(use.time)} by {answers.named(use.caller).short}"] = whose * (kind == "user")
        else:
            before += 1
    times = sorted(moment for one in answers.evidence if answers.from_states and (moment := one.moment))
    start, end, not_recorded, meanwhile = comparison.start, comparison.end, "", []
    if times and start and start - times[0] > APART:
        not_recorded = f"{in_utc(times[0])} and {in_utc(start)}"
    if times and end and times[-1] - end > APART:
        meanwhile.append(f"The states are of after the period, which ends at {in_utc(end)}")
    if before:
        meanwhile.append(
            f"{counted(before, 'change')} of keys in the period may have let more in before: what "
            "was made and taken back by then is only among these changes"
        )
    return replace(answers, changed_since=since, not_recorded=not_recorded, meanwhile=". ".join(meanwhile))


def _about(one: Change) -> tuple[str, ...]:
    """What a call gives, writes or takes away: of what is neither, the call with its parameters."""
    return (one.gives, one.recorded, *one.of, "" if one.gives in SAME.values() and one.of[1] else one.parameters)


def _matters(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether a call may let somebody in, or make stronger who comes in; what cannot be read may.

    A role that nothing shows anybody to enter but services for themselves gets stronger for nobody else: of its
    policies only those count that bear on `sts:AssumeRole`. What IAM Identity Center makes in an account follows from
    calls where it is itself, which count. Of a group into which an identity provider puts people, it counts where the
    states say who is in a group.
    """
    event, (kind, whose, what), trust = one.use.event, one.of, PolicyKind.TRUST
    if _OF_IDENTITY_CENTER in one.use.caller.arn:
        return False
    if event == "PatchGroup":
        return any(key[:2] == (one.recorded, "identity-center-group") for key in answers.holds)
    if WRITES.get(event) is trust:
        return _bears(one.policy, trust=True)
    if kind == "role" and what != BOUNDARY and one.gives in TAKEN_BACK.values():
        own = (one.recorded, kind, whose, "")
        said = last.get(("UpdateAssumeRolePolicy", *own, "")), answers.holds.get(own)
        entered = any(_bears(each.policy, trust=True) for each in said if each)
        return entered or _is_about_roles(one, last, answers)
    if one.gives == "CreatePolicyVersion":
        held = any(whose in key or (said and said.arn == whose) for key, said in answers.holds.items())
        return held or _bears(one.policy, trust=False)
    return True


def _is_about_roles(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether the policy that a call writes, attaches or takes away may bear on `sts:AssumeRole`."""
    arn = Arn.parse(one.of[2])
    if arn and (policy := aws_managed.document(str(arn))) is not None:
        return bool(policy.statements)
    own = (arn.account, "policy", str(arn), "") if arn else (one.recorded, *one.of)
    said = last.get(("CreatePolicyVersion", *own, "")) or answers.holds.get(own)
    return _bears(one.policy or (said.policy if said else None), trust=False)


def _bears(policy: PolicyDocument | Unknown | None, *, trust: bool) -> bool:
    """Whether a policy may be about who comes in; a Deny of a trust policy alone lets in nobody."""
    if not isinstance(policy, PolicyDocument) or policy.unresolved:
        return True
    return any(
        may_let_in(each, trust=trust) and not (trust and each.effect == "Deny" and not each.effect_unresolved)
        for each in policy.statements
    )


def _is_shown(one: Change, answers: Answers) -> bool:
    """Whether the states have what a call did, or it takes away what they do not have.

    An update does not read what others made, so what the states say is held against it, not when they were written. A
    policy is shown where theirs lets in at least as much: the call changed it to what it is, or took something away. A
    state tells by its time only of what it does not show as text, and of calls by those who ran its update.
    """
    event, (_, whose, what), key = one.use.event, one.of, (one.recorded, *one.of)
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
    if whose and what == BOUNDARY and (said or not there):
        return said is None or said.arn == one.boundary
    if whose and event in WRITES:
        return there and (time if policy is None else one.policy is not None and one.policy.within(policy))
    if whose and what != BOUNDARY and one.gives in TAKEN_BACK.values():
        return there
    if event in {"CreateOpenIDConnectProvider", "CreateSAMLProvider"}:
        named = (each.rpartition(" ")[2].removeprefix("https://") for each in one.parameters.split(", "))
        return any((one.recorded, each) in answers.providers for each in named)
    by_update = one.use.caller.who in map(Who.named, answers.updated_by) and event != "SetDefaultPolicyVersion"
    return time and (event in MFA_DEVICES or by_update)


def _is_of_nobody_here(one: Change, answers: Answers) -> bool:
    """Whether a change tells who may be somebody, of an account that was not asked for, whom no answer is about.

    Somebody of a group or an account as a whole that an answer is about may be anybody of it.
    """
    (kind, whose, _), account = one.of, one.use.account
    shown = bool(whose) and (one.recorded, kind, whose) in answers.written
    if one.use.event not in BEING or account in answers.accounts or not shown:
        return False
    ends = [end for way in (*answers.ways, *answers.within) for step in way.steps for end in (step.source, step.target)]
    ends += [end for door in answers.doors for end in (door.source, door.target)]
    ends += [end for lacking in answers.not_proved for end in (lacking.source, lacking.target) if end]
    here = [end.who for end in ends if end.who.account == account]
    return not any(who.kind not in ("role", "user") or who.name.rpartition("/")[2] == whose for who in here)
