"""Whether a call may let somebody in, or make stronger who comes in. Pure."""

from collections.abc import Iterable, Mapping

from twokeys.access.model.documents import Document
from twokeys.access.model.names import may_let_in
from twokeys.answers.model import BOUNDARY, Answers
from twokeys.answers.permissions import Level, level_of
from twokeys.audit.changes import MFA_DEVICE, TAKEN_BACK
from twokeys.audit.record import Use
from twokeys.audit.shown import is_of_credentials
from twokeys.audit.trail import Change
from twokeys.iam import Arn, PolicyDocument, PolicyKind, Unknown, aws_managed
from twokeys.iam.truth import FREE, Truth

OF_IDENTITY_CENTER = ":role/aws-service-role/sso.amazonaws.com/"
"""https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html"""


def matters(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether a call may let somebody in, or make stronger who comes in; what cannot be read may.

    A role that nothing shows anybody to enter but services for themselves gets stronger for nobody else: of its
    policies only those count that bear on `sts:AssumeRole`. What IAM Identity Center makes in an account follows from
    calls where it is itself, which count. Of a group into which an identity provider puts people, it counts where the
    states say who is in a group.
    """
    event, (kind, whose, what), trust = one.use.event, one.of, PolicyKind.TRUST
    if OF_IDENTITY_CENTER in one.use.caller.arn:
        return False
    if is_of_credentials(one) and one.is_own:  # whom it lets in could come in before; another's may be somebody else's
        return False
    if event == MFA_DEVICE:
        return any(way.mfa for way in answers.all_ways)
    if event == "PatchGroup":
        return any(key[:2] == (one.recorded, "identity-center-group") for key in answers.holds)
    if one.call.writes is trust:
        return _bears(one.policy, trust=True)
    if kind == "role" and what != BOUNDARY and one.gives in TAKEN_BACK:
        own = (one.recorded, kind, whose, "")
        said = last.get(("UpdateAssumeRolePolicy", *own, "")), answers.holds.get(own)
        entered = any(_bears(each.policy, trust=True) for each in said if each)
        return entered or is_about_roles(one, last, answers)
    if one.gives == "CreatePolicyVersion":
        held = any(whose in key or (said and said.arn == whose) for key, said in answers.holds.items())
        return held or _bears(one.policy, trust=False)
    return True


def is_about_roles(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether the policy that a call writes, attaches or takes away may bear on `sts:AssumeRole`."""
    return _bears(_policy(one, last, answers), trust=False)


def may_let_into(one: Change, use: Use, answers: Answers) -> bool:
    """Whether the policy that a call is of may be about what an entry is into; one that cannot be read may."""
    sides = (answers, answers.before or answers)
    policy = next(filter(None, (_policy(one, {}, each) for each in sides)), None)
    if not isinstance(policy, PolicyDocument) or policy.unresolved or not use.arn:
        return True
    return any(
        may_let_in(each, trust=False) and each.covers_resource(use.arn, lambda _: FREE) is not Truth.FALSE
        for each in policy.statements
    )


def may_deny(one: Change, before: Iterable[Change], last: Mapping[tuple[str, ...], Change], answers: Answers) -> bool:
    """Whether what a call takes away may have denied something, so that more may come in after it. `before` are the
    calls that gave the same.
    """
    if one.of[0] not in ("role", "user", "group", "set") or one.of[2] == BOUNDARY or one.gives == "AddUserToGroup":
        return True
    policy = next((each.policy for each in before if each.policy), None) or _policy(one, last, answers)
    if not isinstance(policy, PolicyDocument) or policy.unresolved:
        return True
    if any(each.effect != "Allow" or each.effect_unresolved for each in policy.statements):
        return True
    # of AWS's own only what bears on `sts:AssumeRole` is known, and how strong it is: what only denies is none
    level = level_of(Document(policy, one.of[2], arn=one.of[2]), ())
    return aws_managed.is_aws_managed(one.of[2]) and level in {Level.NONE, Level.UNKNOWN}


def _policy(one: Change, last: Mapping[tuple[str, ...], Change], answers: Answers) -> PolicyDocument | Unknown | None:
    """The policy that a call writes, attaches or takes away; of AWS's own what bears on `sts:AssumeRole`."""
    arn = Arn.parse(one.boundary or one.of[2])
    if arn and (policy := aws_managed.document(str(arn))) is not None:
        return policy
    own = (arn.account, "policy", str(arn), "") if arn else one.held
    said = last.get(("CreatePolicyVersion", *own, "")) or answers.holds.get(own)
    return (not one.boundary and one.policy) or (said.policy if said else None)


def _bears(policy: PolicyDocument | Unknown | None, *, trust: bool) -> bool:
    """Whether a policy may be about who comes in; a Deny of a trust policy alone lets in nobody."""
    if not isinstance(policy, PolicyDocument) or policy.unresolved:
        return True
    return any(
        may_let_in(each, trust=trust) and not (trust and each.effect == "Deny" and not each.effect_unresolved)
        for each in policy.statements
    )
