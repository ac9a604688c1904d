"""Services that hand a role to others than themselves (`CARRIERS`), as principals of their own.

They hold no grant: the trust policy that lets the service in is the only key.
"""

from collections.abc import Iterator

from twokeys.access.judge import Door, Judge
from twokeys.access.model.names import EVERY_SERVICE, EVERYONE, admits_everyone, trusted_names
from twokeys.access.model.organization import Guards
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import demanded_values
from twokeys.doors.who import CARRIERS, ROLES_ANYWHERE
from twokeys.iam import Caller, Context, Glob, Outcome, PolicyDocument, Verdict
from twokeys.iam.sts import ASSUME_ROLE
from twokeys.iam.truth import Truth

NEEDS_NO_GRANT = Verdict.of_rule(Outcome.ALLOW, "grant", "a federated principal needs no grant")


def carried(role: Principal, trust: PolicyDocument, guards: Guards, judge: Judge) -> Iterator[Door]:
    """A door for each service that a trust policy lets in and that hands the role to others than itself.

    Services are also of everyone: a Deny of all others may spare them, and then they come in without being named. Where
    it is the same of each, one door stands for all of them.
    """
    named = {
        service
        for statement in trust.statements
        if statement.effect == "Allow" and statement.principals is not None
        for service in statement.principals.service
    }
    spared = admits_everyone(trust) and EVERYONE not in trusted_names(trust, guards.denials(role))
    of = {one: Principal(one, "service", "", one) for one in (*CARRIERS, EVERY_SERVICE)}
    found = {
        service: judge.admitted(of[service], role, Caller(service), ASSUME_ROLE, Context())
        for service in (CARRIERS if spared or EVERY_SERVICE in named else filter(named.__contains__, CARRIERS))
    }
    verdicts = list(found.values())
    if len(found) == len(CARRIERS) and all(one == verdicts[0] for one in verdicts):
        found = {EVERY_SERVICE: verdicts[0]}
    for service, verdict in found.items():
        if verdict.outcome is not Outcome.DENY or not spared:
            yield Door(of[service], role, verdict, NEEDS_NO_GRANT, asked=True)


def by_every_anchor(trust: PolicyDocument) -> str | None:
    """The service, or every one, by which whoever holds a certificate of any trust anchor of the account comes in.

    https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html
    """
    found = {
        service
        for statement in trust.statements
        if statement.effect == "Allow"
        and statement.principals is not None
        and statement.covers_action(ASSUME_ROLE) is not Truth.FALSE
        and not any(all(map(_names_anchor, arns)) for arns in demanded_values(statement, "aws:sourcearn"))
        for service in statement.principals.service
    }
    return next(filter(found.__contains__, (EVERY_SERVICE, ROLES_ANYWHERE)), None)


def _names_anchor(arn: object) -> bool:
    """Whether a value of aws:SourceArn tells the trust anchor, if not its region; one that is not known yet may."""
    if not isinstance(arn, str):
        return True
    _, found, anchor = arn.rpartition(":trust-anchor/")
    return bool(found) and not Glob(anchor).wild
