"""How strong a role is: administrator, write or read, by its policies.

An upper bound, so that nothing is called weaker than it is: `Deny` statements, conditions, service control policies
and session policies are not subtracted; a permissions boundary is. What counts:

- AWS's managed policies by name: `AdministratorAccess` and `IAMFullAccess` make an administrator; names with
  `ReadOnly`, `ViewOnlyAccess`, `SecurityAudit` and the like read; every other one that is known not to let its holder
  change permissions writes. https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
- Statements by their actions. An administrator may do everything, everything in IAM, change on any resource the
  permissions of principals (AWS's access level "Permissions management" for policies of roles, users and groups), or
  give itself more: by an inline policy, say, or a new version of a policy that it has.
  Actions read that AWS gives the access level "Read" or "List"; those that are newer than its reference here, and
  those with wildcards, when their names also begin with such a verb. All others write. Taking a role that a statement
  names by its ARN counts for less than reading, though AWS has it as "Write": that role has a level of its own.
  https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html
- A policy that it may have: one that a list of all its policies removes in turn, or that its last refresh saw.
- A policy whose document is not known is `not known`, which counts as more than write.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from twokeys.access.model.documents import Document
from twokeys.access.model.principals import Principal
from twokeys.aws_reference import access_levels
from twokeys.iam import UNKNOWN, PolicyDocument, Statement, Unknown, aws_managed
from twokeys.iam.sts import ASSUME_ROLE, SET_SOURCE_IDENTITY, TAG_SESSION
from twokeys.iam.truth import Truth

_READ = re.compile(
    r"(?:BatchGet|Get|List|Describe|View|Search|Lookup|Head|Scan|Query|Select|Check|Count|Detect|Estimate|Filter|"
    r"Preview|Read|Retrieve|Simulate|Summarize|Validate|Verify)[A-Za-z0-9*?]*",
    re.IGNORECASE,
)
_RULES_IAM = re.compile(
    r"(?:Attach|Put)(?:Role|User|Group)Policy|Put(?:Role|User)PermissionsBoundary|"
    r"Delete(?:Role|User)PermissionsBoundary|CreatePolicyVersion|SetDefaultPolicyVersion|UpdateAssumeRolePolicy|"
    r"AddUserToGroup|CreateAccessKey|CreateLoginProfile|UpdateLoginProfile",
    re.IGNORECASE,
)
_ADMINISTRATORS = frozenset({"AdministratorAccess", "IAMFullAccess"})
_STEP = frozenset(map(str.lower, (ASSUME_ROLE, TAG_SESSION, SET_SOURCE_IDENTITY)))
_NOTHING = frozenset({"AWSDenyAll"})
_READERS = re.compile(r"ReadOnly|ViewOnly|ViewAccess|Viewer|SecurityAudit|Reader|ReadAccess|AWSSupportAccess|Auditor")
_WRITERS = re.compile(r"FullAccess|PowerUser|ServiceRole|ExecutionRole|Administrator|Administration|Scientist|Billing")


class Level(IntEnum):
    """From nothing to everything. `ROLES` is nothing but to take roles that are named."""

    NONE = 0
    ROLES = 1
    READ = 2
    WRITE = 3
    UNKNOWN = 4
    ADMINISTRATOR = 5

    @property
    def word(self) -> str:
        """In words: "administrator", "write", "read", "other roles only", "not known" or "no permissions"."""
        return _WORDS.get(self, self.name.lower())


_WORDS = {Level.NONE: "no permissions", Level.ROLES: "other roles only", Level.UNKNOWN: "not known"}


@dataclass(frozen=True, slots=True)
class Permissions:
    """How strong a role is at most, the policies that say so, by title (`()` where none is shown), and its boundary.

    `names` are the same as people name them: "PowerUserAccess". `documents` are those policies, but for those that it
    only may have; `limit` is the boundary itself.
    """

    level: Level
    policies: tuple[str, ...] = ()
    boundary: str | None = None
    names: tuple[str, ...] = ()
    documents: tuple[Document, ...] = field(default=(), repr=False, compare=False)
    limit: Document | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        return self.level.word


def permissions(role: Principal) -> Permissions:
    """What a role may do at most in its account. A role of which no resource is shown is not known."""
    documents = list(role.all_documents)
    least = Level.NONE if documents or role.urn is not None else Level.UNKNOWN
    own = tuple(role.own_changes)
    level = min(
        max((least, *(level_of(one, own) for one in (*documents, *role.perhaps)))),
        level_of(role.boundary, own) if role.boundary else Level.ADMINISTRATOR,
    )
    boundary = role.boundary.name if role.boundary is not None else None
    said = dict.fromkeys(documents, "") | {one: f" {why}" for one, why in role.perhaps.items() if one not in documents}
    titles = tuple(dict.fromkeys(one.title + why for one, why in said.items()))
    names = tuple(dict.fromkeys(one.own_name + why for one, why in said.items()))
    return Permissions(level, titles, boundary, names, tuple(documents), role.boundary)


def of_managed_policy(name: str) -> Level:
    """What a managed policy of AWS allows, by its name without path."""
    if name in _ADMINISTRATORS or name.startswith("AdministratorAccess"):
        return Level.ADMINISTRATOR
    if name in _NOTHING:
        return Level.NONE
    if _READERS.search(name):
        return Level.READ
    return Level.WRITE if _WRITERS.search(name) else Level.UNKNOWN


def level_of(document: Document, own: Sequence[tuple[str, str]]) -> Level:
    """What a policy allows a role at most, whose `own_changes` are these."""
    policy = document.policy
    if document.arn is not None and aws_managed.is_aws_managed(document.arn):
        level = of_managed_policy(document.name)
        if level is not Level.UNKNOWN or document.urn is None:
            return level
    if not isinstance(policy, PolicyDocument):
        return Level.UNKNOWN
    allowed = (one for one in policy.statements if one.effect == "Allow")
    return max((Level.ROLES if _is_step(one) else _of_statement(one, own) for one in allowed), default=Level.NONE)


def _is_step(statement: Statement) -> bool:
    """Whether a statement only lets its holder take roles that it names, be it in any account."""
    actions, resources = statement.actions or (None,), statement.resources or (None,)
    return all(str(one).lower() in _STEP for one in actions) and not any(
        not isinstance(one, str) or set(one.replace("::*:role/", "", 1)) & set("*?$") for one in resources
    )


def _of_statement(statement: Statement, own: Sequence[tuple[str, str]]) -> Level:
    if any(
        statement.covers_action(action) is Truth.TRUE and statement.covers_resource(arn, _any_tag) is not Truth.FALSE
        for action, arn in own
    ):
        return Level.ADMINISTRATOR
    anywhere = statement.resources is None or any(not isinstance(one, str) or one == "*" for one in statement.resources)
    if statement.actions is None:
        spared = {str(one).lower() for one in statement.not_actions or ()}
        return Level.ADMINISTRATOR if anywhere and not spared & {"iam:*", "*"} else Level.WRITE
    return max((_of_action(one, anywhere=anywhere) for one in statement.actions), default=Level.NONE)


def _any_tag(_key: str) -> Unknown:
    return UNKNOWN


def _of_action(action: object, *, anywhere: bool) -> Level:
    if not isinstance(action, str):
        return Level.UNKNOWN
    service, _, name = action.partition(":")
    if not name or "*" in service or "?" in service:
        return Level.ADMINISTRATOR if anywhere else Level.WRITE
    if service.lower() == "iam" and anywhere and (name == "*" or _may_rule(name)):
        return Level.ADMINISTRATOR
    levels, named = access_levels(action), not set(name) & {"*", "?"}
    reads = levels <= {"Read", "List"} and ((levels and named) or _READ.fullmatch(name))
    return Level.READ if reads else Level.WRITE


def _may_rule(name: str) -> bool:
    """Whether an IAM action, perhaps with wildcards, may be one that changes what principals may do."""
    if "*" not in name and "?" not in name:
        return _RULES_IAM.fullmatch(name) is not None
    start = re.split(r"[*?]", name, maxsplit=1)[0].lower()
    verbs = ("attach", "put", "create", "set", "update", "add", "delete")
    return not start or any(verb.startswith(start) or start.startswith(verb) for verb in verbs)
