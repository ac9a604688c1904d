"""What a door asks of those who come from outside, and of people."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import Field

from twokeys.access.exceptions import DoorConfig
from twokeys.access.findings import Config, Finding, Rule, Said, declaring, where_declared
from twokeys.access.graph import Graph
from twokeys.access.keys import read_too
from twokeys.access.model.door_name import EXCEPT, IN_CONFIGURATION, DoorName
from twokeys.access.model.names import admitted_by
from twokeys.access.model.principals import Principal
from twokeys.access.model.requirements import as_denied, organizations_demanded, requires_mfa
from twokeys.doors.who import IAM_PEOPLE
from twokeys.iam import UNKNOWN, Arn, Outcome, account_as_a_whole, is_account, parse_arn
from twokeys.iam.external_id import asks_for_external_id, demands_external_id

_NAMED = "third-party-named"
_CONFUSED_DEPUTY = "https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html"


class ThirdParty(Config):
    """Another company whose account may come in for good, with an external ID; who answers for it, and why."""

    account: str = Field(
        pattern=r"^(\d{12}|o-[a-z0-9]{10,32})$",
        description="Its 12-digit account id, as its set-up page gives it; its organization's id, if that comes in.",
    )
    name: Said = Field(description="What people call it.")
    owner: Said
    reason: Said


class ThirdPartyConfig(DoorConfig):
    """The other companies that may come in."""

    third_parties: tuple[ThirdParty, ...] = ()


@dataclass(frozen=True, slots=True)
class _Outsider:
    """Somebody of an account or organization that is not shown to be ours, whom a statement of a trust admits."""

    role: Principal
    name: str
    account: str | None
    """None for an organization."""
    in_organization: bool
    """Whether a condition lets it in only as one of the own organization."""
    with_external_id: bool = False

    @property
    def door(self) -> DoorName:
        """As exceptions name it: an account as a whole by its root."""
        role = parse_arn(self.role.arn)
        whole = self.account is not None and is_account(self.name)
        return DoorName(str(Arn.root(self.account or "", role.partition)) if whole else self.name, self.role.arn)


def _outsiders(graph: Graph) -> Iterator[_Outsider]:
    doors = [door for door in graph.doors if door.source.kind == "outsider"]
    shut = {door.id for door in doors if door.outcome is Outcome.DENY}
    asked = {door.id for door in doors if asks_for_external_id(door.trust.requirements)}
    found: dict[tuple[DoorName, bool], _Outsider] = {}
    for role in graph.roles:
        if role.trust is None or role.trust.policy is UNKNOWN:
            continue
        for statement in as_denied(role.trust.policy, graph.guards.denials(role)):
            organizations = organizations_demanded(statement)
            others = {one for one in organizations or () if not graph.accounts.is_own_organization(one)}
            in_organization = organizations is not None and not others
            for name in admitted_by(statement):
                account = _account(graph, name)
                known = account in (None, role.account) or graph.is_ours(account or "")
                if name in others or not known:
                    one = _Outsider(role, name, account, in_organization)
                    if one.door in asked or demands_external_id(statement):
                        one = replace(one, with_external_id=True)
                    needed = one.with_external_id or graph.accounts.pinned(role.account)
                    if needed and one.door not in shut:
                        key = one.door, one.with_external_id
                        found[key] = min(found.get(key, one), one, key=lambda each: each.in_organization)
    yield from found.values()


def _account(graph: Graph, name: str) -> str | None:
    arn = Arn.parse(name)
    account = account_as_a_whole(name) or (arn.account if arn else None)
    return graph.accounts.canonical(account) if account else None


def _without_external_id(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
    for one in _outsiders(graph):
        if one.with_external_id:
            continue
        role, where = one.role, f"Role {graph.accounts.located(one.role)}"
        step = read_too(graph, f"the stack that {'holds the grant' if one.account else 'has the organization'}")
        if one.in_organization:
            message = (
                f"{where} trusts {one.name} of account {one.account}, which can only come in as one of the "
                "organization, but no stack reference shows a grant there: the grant key is not proved"
            )
        else:
            whom = f"{one.name}, whose account {one.account} is not known to be in the organization"
            if one.account is None:
                whom = f"whoever is in organization {one.name}, which is not shown to be yours"
            message = f"{where} trusts {whom}, without an external ID"
            whose = f"account {one.account}" if one.account else f"organization {one.name}"
            step = (
                f"if {whose} is another company's, add a StringEquals condition on sts:ExternalId with an id that it "
                f"uses for you only; if it is yours, {step}"
            )
        step += f"; where that cannot be done, {EXCEPT}"
        yield Finding(message, step, role.urn, one.door, role.source)


def _not_named(graph: Graph, config: ThirdPartyConfig, _now: datetime) -> Iterator[Finding]:
    named = {one.account for one in config.third_parties}
    for one in _outsiders(graph):
        whose = one.account or one.name
        if one.with_external_id and whose not in named:
            role = one.role
            message = (
                f"Role {graph.accounts.located(role)} lets {one.name} in with an external "
                "ID; who that is and who answers for it is not written down"
            )
            entry = {"account": whose, "name": "...", "owner": "...", "reason": "..."}
            step = f"name it {IN_CONFIGURATION}: {json.dumps({_NAMED: {'thirdParties': [entry]}})}"
            yield Finding(message, step, role.urn, one.door, role.source)


def _people(graph: Graph, _config: DoorConfig, _now: datetime) -> Iterator[Finding]:
    entered = (*graph.doors, *graph.steps)
    by_others = {door.target for door in entered if door.open and door.source.kind not in IAM_PEOPLE}
    for door in graph.doors:
        if door.open and door.source.kind in IAM_PEOPLE and door.target.urn is not None:
            if requires_mfa((*door.trust.requirements, *door.grant.requirements)):
                continue
            message = f"Role {graph.accounts.located(door.target)} lets {door.source.label} in without MFA"
            step = _to_ask_for_mfa(graph, door.target.urn, by_others=door.target in by_others)
            yield Finding(message, step, door.target.urn, door.id, door.target.source)


def _to_ask_for_mfa(graph: Graph, role: str, *, by_others: bool) -> str:
    """What to write: a component makes the trust policy of the door that it declares."""
    for component, door in declaring(graph.snapshot, role):
        return f"take `mfa: false` out of door {door} {where_declared(component, graph.snapshot)}"
    people = ", in a statement of its own for people: the session of a role has no MFA" if by_others else ""
    return f'add the condition {{"Bool": {{"aws:MultiFactorAuthPresent": "true"}}}} to its trust policy{people}'


EXTERNAL_ID = Rule(
    name="external-id",
    description="A role that trusts an account outside the organization asks for an external ID.",
    severity="high",
    remediation="Add a condition on sts:ExternalId with an id that only this third party uses for you.",
    url=_CONFUSED_DEPUTY,
    check=_without_external_id,
    config=DoorConfig,
    another_stack_answers=True,
)
"""The confused deputy: a third party that serves many customers must not be led to the wrong role.

The organization's accounts are those that the stack works in, makes or lists, and those of referenced stacks' doors;
each account and organization that a Principal or a condition admits is looked at by itself. A condition that demands
the own organization keeps outsiders out; of an account that nothing shows, it leaves a grant that is not proved. An
external ID is one or more exact values; one that is not known yet counts.
Unknown: a trust policy that is not known, and a role whose own account is not, are left to `unproved-door`, which asks
for no account where an external ID is asked for. Does not check: services and federated identities, whether an external
ID is hard to guess, and everyone without any limit (`wildcard-trust`).
"""

THIRD_PARTY_NAMED = Rule(
    name=_NAMED,
    description="Another company that comes in with an external ID is named, with owner and reason.",
    severity="medium",
    remediation="Add it to `thirdParties` in the configuration of the policy pack.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html",
    check=_not_named,
    config=ThirdPartyConfig,
    mandatory=False,
    another_stack_answers=True,
)
"""A third party's grant is in nobody's stack, so its door is proved as far as it can be: by trust and external ID.

Once it is named, it may stand for good. Unknown: as for `external-id`. Does not check: third parties without an
external ID (`external-id` refuses those), and what the role may do.
"""

MFA_FOR_PEOPLE = Rule(
    name="mfa-for-people",
    description="People come in with MFA.",
    severity="medium",
    remediation="Add a Bool condition on aws:MultiFactorAuthPresent to the role's trust policy.",
    url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html",
    check=_people,
    config=DoorConfig,
    mandatory=False,
)
"""An open door for a user, or for the members of a group, asks for MFA on one of its two sides.

Unknown: a door that is not proved is left to `unproved-door`. Does not check: federated people (their identity provider
asks for MFA), users who come through a role of their own account.
"""
