"""Which resources can let somebody in: only those are put to the graph before they are made."""

from collections.abc import Callable, Mapping

from twokeys.access.model.documents import parsed
from twokeys.access.model.names import admits_more_than_services
from twokeys.access.model.not_read import not_read
from twokeys.access.model.principals import ATTACHMENTS, INLINE_POLICIES
from twokeys.access.reading.snapshot import Resource, Snapshot, items
from twokeys.access.reading.type_names import GROUP, MANAGED_POLICY, ROLE
from twokeys.access.reading.types import aws_type, type_of
from twokeys.iam import UNKNOWN, PolicyDocument, PolicyError, PolicyKind, Statement, aws_managed

GIVING = frozenset({ROLE, MANAGED_POLICY, *INLINE_POLICIES, *ATTACHMENTS})
"""The types that give somebody a document: each can be judged by itself when its values are known."""
_SAYS_NOT_WHO = frozenset({"__defaults", "description", "tags", "tagsAll"})
_OF_TYPE = {"cloudformation::stack": frozenset({"iamRoleArn", "notificationArns"})}


def may_say_who(resource: Resource, key: str) -> bool:
    """Whether a property of a resource may say who may come in; the role that makes a CloudFormation stack does not."""
    return key not in _SAYS_NOT_WHO and key not in _OF_TYPE.get(aws_type(resource.type) or "", ())


def may_let_in(resource: Resource) -> bool:
    """Whether making a resource may let somebody into an account.

    A role that only services may assume that work for its account, a policy without an action of STS and the attachment
    of such a policy of AWS's own do not. A document that is not known, or that cannot be read, may. So may what
    `reading.types` does not say of that it lets nobody in; of a package that nobody knows, what `not_read` names.
    """
    if resource.type == ROLE:
        return _role(resource)
    if resource.type in INLINE_POLICIES or resource.type == MANAGED_POLICY:
        return _document(resource.get("policy"), PolicyKind.IDENTITY)
    if resource.type in ATTACHMENTS:
        return _managed(resource.get("policyArn"))
    if resource.type == GROUP:  # its policies are resources of their own; CloudFormation's type holds them
        return False
    known = type_of(resource.type)
    return any(not_read(Snapshot((resource,)))) if known is None else known.lets_in


def _role(role: Resource) -> bool:
    inline = map(_policy_of, items(role.get("inlinePolicies")))
    return (
        _document(role.get("assumeRolePolicy"), PolicyKind.TRUST)
        or any(_document(one, PolicyKind.IDENTITY) for one in inline)
        or any(map(_managed, items(role.get("managedPolicyArns"))))
    )


def _policy_of(item: object) -> object:
    """The document of an item of `inlinePolicies`; an empty item says that there are none."""
    return item.get("policy", "") if isinstance(item, Mapping) else UNKNOWN


def _managed(arn: object) -> bool:
    """Whether a managed policy may hold a grant: AWS's own are recorded, all others are the graph's to find."""
    policy = aws_managed.document(arn) if isinstance(arn, str) else None
    return policy is None or _allows(policy, _may_be_of_sts)


def _document(value: object, kind: PolicyKind) -> bool:
    if value == "":
        return kind is PolicyKind.TRUST
    if not isinstance(value, str | Mapping):
        return True
    policy = parsed(value, kind)
    says = admits_more_than_services if kind is PolicyKind.TRUST else _may_be_of_sts
    return isinstance(policy, PolicyError) or _allows(policy, says)


def _allows(policy: PolicyDocument, says: Callable[[Statement], bool]) -> bool:
    return any(one.effect == "Allow" and says(one) for one in policy.statements)


def _may_be_of_sts(statement: Statement) -> bool:
    if statement.actions is None:
        return True
    return any(not isinstance(action, str) or _is_of_sts(action.lower()) for action in statement.actions)


def _is_of_sts(action: str) -> bool:
    service = action.partition(":")[0]
    return service == "sts" or "*" in service or "?" in service
