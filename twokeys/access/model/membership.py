"""Who is in a group that another stack makes: AWS takes no group as a principal, so a door for a group names users.

The grant then belongs to the group and the trust to its members. Which users those are is known where the groups are
made: in this stack as resources, in another one through its output `group_members`. Where neither tells, the declared
door does: it says that the users its trust names come as members of the group that it grants.
"""

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.documents import DeclaredDocument, Documents
from twokeys.access.model.exports import Exported
from twokeys.access.model.names import trusted_names
from twokeys.access.model.principals import Principals
from twokeys.access.reading.type_names import ROLE
from twokeys.doors import DeclaredDoor, resolve
from twokeys.iam import Arn, PolicyError, PolicyKind


def join_declared_groups(accounts: Accounts, documents: Documents, principals: Principals, exported: Exported) -> None:
    """Put the users that a declared door's trust names into the group that the door is for."""
    for declared in documents.declared:
        door = _group_door(declared)
        if door is None:
            continue
        trust = documents.parse(resolve(declared.document.document, accounts.ids), PolicyKind.TRUST)
        if isinstance(trust, PolicyError):
            continue
        account = accounts.canonical(door.source.account)
        for path_and_name in door.source.names:
            name = path_and_name.rpartition("/")[2]
            group = principals.mentioned(account, "group", name)
            if group.urn is not None:
                continue
            members = exported.members.get((account, name))
            for arn in trusted_names(trust):
                user = Arn.parse(arn)
                if user is None or user.kind != "user" or user.account != account:
                    continue
                if members is None or user.name in members:
                    principals.mentioned(user.account, "user", user.name, arn).groups.append(group)


def _group_door(declared: DeclaredDocument) -> DeclaredDoor | None:
    if declared.document.type != ROLE:
        return None
    try:
        door = DeclaredDoor.read(declared.component.get("door"))
    except ValueError:
        return None  # `door-expired` refuses a door that cannot be read
    return door if door.source.kind == "group" else None
