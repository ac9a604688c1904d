"""Random organizations, and who can enter which role of them, found without the product: every pair, every request.

The rules of evaluation are written down again here, as naively as can be, for the part of the policy language that the
worlds use. A pair is OPEN if a request exists that AWS allows, whatever the policies say that nobody has shown; UNKNOWN
if that hangs on such a policy; else CLOSED.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.access.world import World, arn, document
from twokeys.access.reading.snapshot import Resource, Snapshot

ORGANIZATION: Final = "o-a1b2c3d4e5"
OUTSIDE: Final = "9" * 12
ACCESS_ROLE: Final = "OrganizationAccountAccessRole"
GITHUB: Final = "token.actions.githubusercontent.com"
_EXTRA_TYPES: Final = {
    "PermissionSet": "aws:ssoadmin/permissionSet:PermissionSet",
    "Inline": "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
    "Assignment": "aws:ssoadmin/accountAssignment:AccountAssignment",
}
_MFA: Final = (None, "true", "false")
_EXTERNAL_IDS: Final = (None, "x", "y", "z")
_TEAMS: Final = (None, "blue", "red", "${aws:PrincipalTag/team}")
_OWN_TEAM, _TEAM_OF_ROLE = "aws:PrincipalTag/team", "aws:ResourceTag/team"
_RESERVED: Final = "role/aws-reserved/sso.amazonaws.com/"
Statement = dict[str, Any]
Policy = list[Statement]


class State(Enum):
    """What is true of a pair."""

    OPEN = "open"
    UNKNOWN = "unknown"
    CLOSED = "closed"


@dataclass
class Who:
    """A role or user: its policies are lists of statements, None for one that nobody has shown."""

    kind: str
    account: str
    name: str
    arn: str
    trust: Policy | None = None
    policies: list[Policy | None] = field(default_factory=list)
    boundary: Policy | None = None
    bounded: bool = False
    team: str | None = None
    made_by_aws: bool = False

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return {"team": self.team} if self.team else {}


@dataclass
class Organization:
    """A world: its snapshot for the product, and everything of it for the naive evaluation."""

    snapshot: Snapshot
    management: str
    accounts: list[str]
    people: list[Who]
    scps: dict[str, list[Policy]]
    rcps: dict[str, list[Policy]]
    federated: set[str]
    assigned: set[tuple[str, str]]
    root_sessions: bool


def make(seed: int) -> Organization:
    """The world of a seed."""
    return _Maker(random.Random(seed)).organization()


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.world = World.__new__(World)
        self.world.resources = []
        self.accounts = [str(number) * 12 for number in range(1, rng.randint(2, 5) + 1)]
        self.providers: dict[str, Resource] = {}
        self.people: list[Who] = []
        self.scps: dict[str, list[Policy]] = {account: [] for account in self.accounts}
        self.rcps: dict[str, list[Policy]] = {account: [] for account in self.accounts}
        self.federated: set[str] = set()
        self.assigned: set[tuple[str, str]] = set()

    def organization(self) -> Organization:
        management, *members = self.accounts
        world = self.world
        for account in self.accounts:
            self.providers[account] = world.provider(f"in-{account[0]}", account, assume=account != management)
        world.add("Organization", "org", self.providers[management], id=ORGANIZATION, masterAccountId=management)
        for account in members:
            world.add("Account", f"account-{account[0]}", self.providers[management], id=account, name=f"a{account[0]}")
        self._name_everybody()
        for who in self.people:
            who.team = self.rng.choice(_TEAMS[:3])
            if who.kind == "role":
                who.trust = self._trust(who)
                self._role(who)
            else:
                logical, provider = f"user-{who.account[0]}-{who.name}", self.providers[who.account]
                world.add("User", logical, provider, name=who.name, tags=who.tags)
        for who in list(self.people):
            self._policies(who)
        self._groups()
        self._guards(members)
        self._identity_center()
        self._access_roles(management, members)
        root_sessions = self.rng.random() < 0.5
        features = ["RootSessions"] if root_sessions else []
        world.add("OrganizationsFeatures", "features", self.providers[management], enabledFeatures=features)
        snapshot = Snapshot(tuple(world.resources))
        guards = (self.scps, self.rcps)
        return Organization(
            snapshot, management, self.accounts, self.people, *guards, self.federated, self.assigned, root_sessions
        )

    def _name_everybody(self) -> None:
        for account in self.accounts:
            for name in self.rng.sample(("ci", "deployer", "reader", "Ops"), self.rng.randint(1, 3)):
                path = self.rng.choice(("/", "/", "/team/"))
                self.people.append(Who("role", account, name, arn(account, f"role{path}{name}")))
            for name in self.rng.sample(("ann", "bob"), self.rng.randint(0, 2)):
                self.people.append(Who("user", account, name, arn(account, f"user/{name}")))

    def _trust(self, who: Who) -> Policy:
        statements = [self._trusting(who) for _ in range(self.rng.randint(1, 2))]
        if self.rng.random() < 0.15:
            statements.append({**self._trusting(who), "Effect": "Deny"})
        if self.rng.random() < 0.1:
            if not any(one["Effect"] == "Deny" for one in statements):
                self.federated.add(who.arn)
            provider = arn(who.account, f"oidc-provider/{GITHUB}")
            condition = {"StringEquals": {f"{GITHUB}:sub": "repo:acme/app:ref:refs/heads/main"}}
            statements.append(
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": provider},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": condition,
                }
            )
        return statements

    def _trusting(self, who: Who) -> Statement:
        somebody = self.rng.choice(self.people)
        account = self.rng.choice(self.accounts)
        principal: dict[str, Any] = {
            "AWS": self.rng.choice(
                (
                    somebody.arn, somebody.arn, [somebody.arn, self.rng.choice(self.people).arn],
                    arn(account, "root"), account, arn(who.account, "root"), "*", arn(OUTSIDE, "role/vendor"),
                )
            )
        }  # fmt: skip
        if self.rng.random() < 0.1:
            principal = {"Service": "ec2.amazonaws.com"}
        action = self.rng.choice(("sts:AssumeRole", "sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"], "sts:*"))
        statement = {"Effect": "Allow", "Principal": principal, "Action": action}
        return statement | self._condition(of_caller=True)

    def _condition(self, *, of_caller: bool) -> Statement:
        if self.rng.random() < 0.55:
            return {}
        somebody, account = self.rng.choice(self.people), self.rng.choice((*self.accounts, OUTSIDE))
        session = [
            {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
            {"StringEquals": {"sts:ExternalId": self.rng.choice(("x", "y"))}},
            {"StringNotEquals": {"sts:ExternalId": "x"}},
            {"Null": {"sts:ExternalId": "true"}},
            {"StringEquals": {_OWN_TEAM: "blue"}},
            {"StringNotEquals": {_OWN_TEAM: ["blue", "green"]}},
            {self.rng.choice(("StringEquals", "StringNotEquals")): {_TEAM_OF_ROLE: self.rng.choice(_TEAMS[1:])}},
        ]
        caller = [
            {"ArnEquals": {"aws:PrincipalArn": somebody.arn}},
            {"ArnLike": {"aws:PrincipalArn": arn(somebody.account, "role/*")}},
            {"ArnLike": {"aws:PrincipalArn": [arn("*", f"role/{somebody.name}"), arn(account, "user/*")]}},
            {
                "StringEqualsIgnoreCase": {
                    "aws:PrincipalArn": somebody.arn.upper().replace("ARN:AWS:IAM", "arn:aws:iam")
                }
            },
            {
                "ArnLike": {
                    "aws:PrincipalArn": arn(account, "role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_dev_*")
                }
            },
            {"StringEquals": {"aws:PrincipalAccount": account}},
            {"StringEquals": {"aws:PrincipalOrgID": self.rng.choice((ORGANIZATION, "o-z9y8x7w6v5"))}},
            {"StringNotEquals": {"aws:PrincipalAccount": account}},
        ]
        return {"Condition": self.rng.choice([*session, *caller] if of_caller else session)}

    def _role(self, who: Who) -> None:
        path = who.arn.split(":role", 1)[1].rpartition("/")[0] + "/"
        logical = f"role-{who.account[0]}-{who.name}"
        trust = document(*who.trust or ())
        values = {"name": who.name, "path": path, "assumeRolePolicy": trust, "tags": who.tags}
        self.world.add("Role", logical, self.providers[who.account], **values)

    def _granting(self) -> Statement:
        somebody = self.rng.choice([who for who in self.people if who.kind == "role"])
        action: dict[str, Any] = self.rng.choice(
            (
                {"Action": "sts:AssumeRole"}, {"Action": "sts:AssumeRole"}, {"Action": "STS:Assume*"}, {"Action": "*"},
                {"Action": ["s3:GetObject", "iam:PassRole"]}, {"NotAction": "iam:*"},
            )
        )  # fmt: skip
        resource = self.rng.choice(
            (
                somebody.arn, somebody.arn, [somebody.arn, self.rng.choice(self.people).arn],
                arn(somebody.account, "role/*"), arn("*", f"role/{somebody.name}"), "*",
                arn(somebody.account, f"role/{somebody.name[0]}*"), arn(somebody.account, f"role/{ACCESS_ROLE}"),
                arn("????????????", "role/*e*"),
            )
        )  # fmt: skip
        return {"Effect": "Allow", **action, "Resource": resource} | self._condition(of_caller=False)

    def _policy(self) -> Policy:
        statements = [self._granting() for _ in range(self.rng.randint(1, 2))]
        if self.rng.random() < 0.15:
            statements.append({**self._granting(), "Effect": "Deny"})
        return statements

    def _policies(self, who: Who) -> None:
        kind, provider = who.kind.capitalize(), self.providers[who.account]
        logical = f"{who.kind}-{who.account[0]}-{who.name}"
        for number in range(self.rng.choice((0, 0, 1, 1, 2))):
            policy = self._policy()
            who.policies.append(policy)
            key = {who.kind: who.name}
            text = document(*policy)
            self.world.add(f"{kind}Policy", f"{logical}-{number}", provider, name=f"p{number}", policy=text, **key)
        if self.rng.random() < 0.1:
            elsewhere = self.rng.choice((None, "arn:aws:iam::aws:policy/AdministratorAccess"))
            who.policies.append([_EVERYTHING] if elsewhere else None)
            given = elsewhere or arn(who.account, "policy/made-elsewhere")
            key = {who.kind: who.name}
            self.world.add(f"{kind}PolicyAttachment", f"{logical}-managed", provider, policyArn=given, **key)
        if self.rng.random() < 0.15:
            self._bound(who, logical)

    def _bound(self, who: Who, logical: str) -> None:
        who.bounded, who.boundary = True, self._policy()
        name = f"boundary-{who.name}"
        provider = self.providers[who.account]
        limit = self.world.add("Policy", f"{logical}-boundary", provider, name=name, policy=document(*who.boundary))
        holder = next(one for one in self.world.resources if one.name == logical)
        behind = {"permissionsBoundary": (limit.urn,)}
        given = arn(who.account, f"policy/{name}")
        inputs = {**(holder.inputs or {}), "permissionsBoundary": given}
        self.world.change(holder, inputs=inputs, outputs=inputs, property_dependencies=behind)

    def _groups(self) -> None:
        for account in self.accounts:
            users = [who for who in self.people if who.kind == "user" and who.account == account]
            if not users or self.rng.random() < 0.5:
                continue
            provider, policy = self.providers[account], self._policy()
            self.world.add("Group", f"group-{account[0]}", provider, name="staff")
            self.world.add(
                "GroupPolicy", f"gp-{account[0]}", provider, group="staff", name="g", policy=document(*policy)
            )
            chosen = self.rng.sample(users, self.rng.randint(1, len(users)))
            names = [who.name for who in chosen]
            self.world.add("GroupMembership", f"gm-{account[0]}", provider, group="staff", name="m", users=names)
            for who in chosen:
                who.policies.append(policy)

    def _guards(self, members: list[str]) -> None:
        if self.rng.random() < 0.6:
            return
        policy = [{**self._granting(), "Effect": "Deny"}]
        if self.rng.random() < 0.4:
            policy[0]["Condition"] = {"ArnNotLike": {"aws:PrincipalArn": arn("*", f"role/{ACCESS_ROLE}")}}
        self._guard("SERVICE_CONTROL_POLICY", members, policy, self.scps)
        if self.rng.random() < 0.5:
            self._guard("RESOURCE_CONTROL_POLICY", members, [self._kept_out()], self.rcps)

    def _kept_out(self) -> Statement:
        """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html"""
        somebody = self.rng.choice(self.people)
        condition = self.rng.choice(
            (
                {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}},
                {"StringNotEquals": {"aws:PrincipalAccount": self.rng.choice(self.accounts)}},
                {"ArnLike": {"aws:PrincipalArn": somebody.arn}},
                {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
            )
        )
        resource = self.rng.choice(("*", arn("*", f"role/{somebody.name}"), arn(somebody.account, "role/*")))
        who = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
        return {**who, "Resource": resource, "Condition": condition}

    def _guard(self, kind: str, members: list[str], policy: Policy, bound: dict[str, list[Policy]]) -> None:
        whom, hub = self.rng.choice([*members, "r-ab12"]), self.providers[self.accounts[0]]
        made = self.world.add("ControlPolicy", kind, hub, name=kind, type=kind, content=document(*policy))
        self.world.add("ControlPolicyAttachment", kind, hub, made_from={"policyId": [made]}, targetId=whom)
        for account in members if whom == "r-ab12" else [whom]:
            bound[account].append(policy)

    def _identity_center(self) -> None:
        if self.rng.random() < 0.5:
            return
        account, hub, policy = self.rng.choice(self.accounts), self.providers[self.accounts[0]], self._policy()
        made = "arn:aws:sso:::permissionSet/ssoins-1111222233334444/ps-1111222233334444"
        self._put("PermissionSet", "dev", hub, name="dev", arn=made)
        self._put("Inline", "dev-inline", hub, permissionSetArn=made, inlinePolicy=document(*policy))
        self._put(
            "Assignment", "dev-assigned", hub, permissionSetArn=made, principalType="GROUP", principalId="g-1",
            targetId=account, targetType="AWS_ACCOUNT",
        )  # fmt: skip
        name = f"AWSReservedSSO_dev_{'?' * 16}"
        who = Who("role", account, name, arn(account, f"{_RESERVED}{name}"), [], [policy], made_by_aws=True)
        self.people.append(who)
        self.assigned.add(("identity-center:group/g-1", who.arn))

    def _put(self, kind: str, logical: str, provider: Resource, **inputs: object) -> None:
        type_ = _EXTRA_TYPES[kind]
        urn = f"urn:pulumi:stage::twokeys::{type_}::{logical}"
        self.world.resources.append(
            Resource(urn=urn, type=type_, name=logical, inputs=inputs, outputs=inputs, provider=provider.urn)
        )

    def _access_roles(self, management: str, members: list[str]) -> None:
        trust: Statement = {
            "Effect": "Allow", "Principal": {"AWS": arn(management, "root")}, "Action": "sts:AssumeRole"
        }  # fmt: skip
        for account in members:
            text = arn(account, f"role/{ACCESS_ROLE}")
            self.people.append(Who("role", account, ACCESS_ROLE, text, [trust], [[_EVERYTHING]], made_by_aws=True))


_EVERYTHING: Final[Statement] = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def truth(organization: Organization) -> dict[tuple[str, str], State]:
    """What is true of every pair of a principal and another role."""
    return {
        (source.arn, target.arn): _state(organization, source, target)
        for source in organization.people
        for target in organization.people
        if target.kind == "role" and source is not target
    }


def reachable(organization: Organization, pairs: Mapping[tuple[str, str], State]) -> set[tuple[str, str]]:
    """Who can come into which role, or the root, of another account, through any number of open pairs."""
    steps: dict[str, set[str]] = {}
    for (source, target), state in pairs.items():
        if state is State.OPEN:
            steps.setdefault(source, set()).add(target)
    for source, root in _root_sessions(organization):
        steps.setdefault(source, set()).add(root)
    found: set[tuple[str, str]] = set()
    for start in steps:
        seen, waiting = {start}, [start]
        while waiting:
            for target in steps.get(waiting.pop(), ()):
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        found |= {(start, end) for end in seen if end.split(":")[4] != start.split(":")[4]}
    return found


def _root_sessions(organization: Organization) -> Iterator[tuple[str, str]]:
    """Who of the management account may act as the root of which member account: a grant is enough.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoot.html
    """
    for source in organization.people if organization.root_sessions else ():
        if source.account == organization.management and None not in source.policies:
            for account in organization.accounts[1:]:
                root = Who("root", account, "root", arn(account, "root"), made_by_aws=True)
                if any(_root_allowed(source, root, keys) for keys in _requests(source, root)):
                    yield source.arn, root.arn


def _root_allowed(source: Who, root: Who, keys: Mapping[str, str]) -> bool:
    shown = [policy for policy in source.policies if policy is not None]
    limits = [source.boundary] if source.boundary is not None else []

    def says(policy: Policy, effect: str) -> bool:
        return any(one["Effect"] == effect and _covers(one, root.arn, keys, "sts:assumeroot") for one in policy)

    if any(says(policy, "Deny") for policy in (*shown, *limits)):
        return False
    return any(says(policy, "Allow") for policy in shown) and all(says(policy, "Allow") for policy in limits)


def _state(organization: Organization, source: Who, target: Who) -> State:
    if not any(name for one in target.trust or () if one["Effect"] == "Allow" for name in _named(one, source)):
        return State.CLOSED  # whatever a request shows
    if any(_allowed(organization, source, target, keys, hidden_denies=True) for keys in _requests(source, target)):
        return State.OPEN
    if any(_allowed(organization, source, target, keys, hidden_denies=False) for keys in _requests(source, target)):
        return State.UNKNOWN
    return State.CLOSED


def _requests(source: Who, target: Who, *, tags_known: bool = True) -> Iterator[dict[str, str]]:
    """Every request that the conditions of the worlds can tell apart.

    A session may have tags of its own where the role's trust policy allows sts:TagSession; whose role AWS makes may
    have any. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    """
    own = {"aws:PrincipalArn": source.arn, "aws:PrincipalAccount": source.account, "aws:PrincipalOrgID": ORGANIZATION}
    any_team = (None, "blue", "red")
    tagging = ({**one, "Condition": {}} for one in source.trust or () if one["Effect"] == "Allow")
    tagged = source.made_by_aws or any(_covers(one, None, {}, "sts:tagsession") for one in tagging)
    teams = any_team if tagged or not tags_known else (source.team,)
    of_target = any_team if target.made_by_aws or not tags_known else (target.team,)
    for mfa, external, team, its in itertools.product(_MFA, _EXTERNAL_IDS, teams, of_target):
        said = {"aws:MultiFactorAuthPresent": mfa, "sts:ExternalId": external, _OWN_TEAM: team, _TEAM_OF_ROLE: its}
        yield own | {key: value for key, value in said.items() if value is not None}


def _allowed(
    organization: Organization, source: Who, target: Who, keys: Mapping[str, str], *, hidden_denies: bool
) -> bool:
    """What AWS answers; a policy that nobody has shown denies everything or allows everything."""
    hidden = None in source.policies
    if hidden and hidden_denies:
        return False
    shown = [policy for policy in source.policies if policy is not None]
    trust = target.trust or []
    limits = [source.boundary] if source.bounded and source.boundary is not None else []

    def says(policy: Policy, effect: str) -> bool:
        return any(one["Effect"] == effect and _covers(one, target.arn, keys) for one in policy)

    naming = [(one["Effect"], how) for one in trust for how in _named(one, source) if _covers(one, None, keys)]
    guards = (*organization.scps[source.account], *organization.rcps[target.account])
    ways = {how for effect, how in naming if effect == "Allow"}
    if not ways or "Deny" in [effect for effect, _ in naming]:
        return False
    if any(says(policy, "Deny") for policy in (*shown, *limits, *guards)):
        return False
    granted = hidden or any(says(policy, "Allow") for policy in shown)
    within_limits = all(says(policy, "Allow") for policy in limits)
    if source.account != target.account:
        return bool(ways) and granted and within_limits
    return "itself" in ways or ("role" in ways and within_limits) or (bool(ways) and granted and within_limits)


def _named(statement: Statement, source: Who) -> Iterator[str]:
    """How a Principal element names somebody: as itself (or everyone), as a role, or as one of its account."""
    names = statement["Principal"].get("AWS", ())
    for name in [names] if isinstance(names, str) else names:
        if name == "*":
            yield "itself"
        elif name == source.arn:
            yield "role" if source.kind == "role" else "itself"
        elif name in (source.account, arn(source.account, "root")):
            yield "account"


def _covers(
    statement: Statement, resource: str | None, keys: Mapping[str, str], action_name: str = "sts:assumerole"
) -> bool:
    action = any(fnmatchcase(action_name, one.lower()) for one in _list(statement.get("Action")))
    if "NotAction" in statement:
        action = not any(fnmatchcase(action_name, one.lower()) for one in _list(statement["NotAction"]))
    on = resource is None or any(fnmatchcase(resource, one) for one in _list(statement["Resource"]))
    conditions = statement.get("Condition", {})
    return action and on and all(_meets(name, keys.get(key), _filled(_list(values), keys))
                                 for name, block in conditions.items() for key, values in block.items())  # fmt: skip


def _filled(values: list[str], keys: Mapping[str, str]) -> list[str]:
    """With the value of a variable, which without one matches nothing."""
    found = [keys.get(_OWN_TEAM) if one == _TEAMS[-1] else one for one in values]
    return [one for one in found if one is not None]


def _meets(operator: str, value: str | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return (value is None) is (wanted == ["true"])
    if value is None:
        return operator.startswith(("StringNot", "ArnNot")) or operator.endswith("IfExists")
    if operator.startswith("Arn"):
        found = any(fnmatchcase(value, one) for one in wanted)
    elif operator == "StringEqualsIgnoreCase":
        found = value.lower() in [one.lower() for one in wanted]
    else:
        found = value in wanted
    return found is not operator.startswith(("StringNot", "ArnNot"))


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def answer_to_a_plain_request(organization: Organization, source: Who, target: Who) -> bool | None:
    """What AWS answers to a request without MFA or external ID; None where the world does not show all policies, or
    where it matters whether "no MFA" is said or not."""
    if None in source.policies:
        return None
    answers = {
        _allowed(organization, source, target, keys, hidden_denies=True)
        for keys in _requests(source, target, tags_known=False)
        if "sts:ExternalId" not in keys and keys.get("aws:MultiFactorAuthPresent") != "true"
    }
    return answers.pop() if len(answers) == 1 else None
