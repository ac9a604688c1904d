"""What clashes in the doors of a stack's config, and what they name that is not there. Pure."""

import re
from collections.abc import Iterator

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from twokeys.doors.documents import OWN_CONDITIONS, own_conditions
from twokeys.doors.who import IAM_PEOPLE, name_of
from twokeys.errors import or_nearest
from twokeys.iam import is_account_id
from twokeys.settings.models import (
    EVERY_ACCOUNT,
    MANAGEMENT,
    DoorSettings,
    PeopleSettings,
    PermissionsSettings,
    PrincipalName,
    Settings,
    TargetSettings,
    grantee,
    made_by_management,
    permission_set_name,
    principal_of,
)
from twokeys.settings.problem import Problem, no_account, no_mfa, those_there, twice
from twokeys.settings.values import GroupPathAndName, check_conditions
from twokeys.shown import joined

_GROUP_OF_IAM: TypeAdapter[str | None] = TypeAdapter(GroupPathAndName | None)
_PRINCIPAL_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"
_THIRD_PARTY_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"
_RESERVED_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html"


def door_targets(settings: Settings) -> Iterator[Problem]:
    """Doors that lead into no account of the stack, or are called like the role that AWS makes there."""
    for name, door in settings.doors.items():
        yield from _door_target(settings, f"doors.{name}.to", door)


def door_people(settings: Settings) -> Iterator[Problem]:
    """Doors for somebody who is not there, wherever they lead."""
    for name, door in settings.doors.items():
        yield from _door_people(settings, f"doors.{name}.from", door)


def doors(settings: Settings) -> Iterator[Problem]:
    """What clashes within a door and between doors; each leads into an account that is there."""
    for name, door in settings.doors.items():
        yield from _door(settings, f"doors.{name}", door)
    yield from _names_made_twice(settings)
    yield from _keys_made_twice(settings)


def _door(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    yield from _source_account(settings, f"{key}.from", door)
    yield from _in_a_circle(settings, key, door)
    yield from _made_by_nobody(settings, f"{key}.from", door)
    yield from twice(f"{key}.from.members", door.source.members or ())
    if (
        door.via == "assume-role"
        and door.source.members is None
        and settings.people.groups.get(door.source.group or "") == ()
    ):
        why, step = "nobody is in this group, and a trust has to name somebody", "add a member"
        yield Problem(f"{key}.from.group", door.source.group, why, step)
    if door.via == "identity-center":
        yield from _identity_center_door(settings, key, door)
    else:
        yield from _group_of_iam(f"{key}.from.group", door.source.group)
    yield from _role(key, door)
    if principal_of(door.source).kind == "role" and door.session_seconds > 3600:
        why = (
            "a role that enters another role is role chaining, which AWS limits to 3600 seconds"
            " (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining)"
        )
        yield Problem(f"{key}.sessionSeconds", door.session_seconds, why, "set it to 3600")
    if grantee(door).kind == "role" and door.mfa and door.via == "assume-role":
        yield no_mfa(f"{key}.mfa")
    yield from _own_conditions(key, door)


def _group_of_iam(key: str, group: str | None) -> Iterator[Problem]:
    try:
        _GROUP_OF_IAM.validate_python(group)
    except ValidationError as error:
        for one in error.errors():
            yield Problem(key, group, one["msg"], one["ctx"]["next_step"])


def _own_conditions(key: str, door: DoorSettings) -> Iterator[Problem]:
    """A field that becomes a condition is said once, and its condition is one that `conditions` would take."""
    made = dict(own_conditions(door))
    for field, own in OWN_CONDITIONS.items():
        given = door.conditions.get(own.operator, {})
        if (field in made or not own.or_in_conditions) and own.key.casefold() in map(str.casefold, given):
            where, why = f"{key}.conditions.{own.operator}", f"{own.key} has a setting of its own"
            yield Problem(where, given, why, f"say it as `{to_camel(field)}` alone")
        try:
            check_conditions(made.get(field, {}))
        except PydanticCustomError as error:
            step = (error.context or {})["next_step"]
            yield Problem(f"{key}.{to_camel(field)}", getattr(door, field), error.message(), step)


def _role(key: str, door: DoorSettings) -> Iterator[Problem]:
    """A role of a path that IAM takes, with permissions where the door makes it, and with none where it does not."""
    makes_role = "trust" in door.keys
    permissions = door.permissions
    if makes_role and not permissions.managed_policies and not permissions.statements:
        why, step = "a role that may do nothing opens nothing", "add managedPolicies or statements"
        yield Problem(f"{key}.permissions", "(none)", why, step)
    if makes_role and door.target.role.startswith(("aws-reserved/", "aws-service-role/")):
        why = f"roles of this path are AWS's own, and nobody else can make one ({_RESERVED_PAGE})"
        yield Problem(f"{key}.to.role", door.target.role, why, "choose another path, or none")
    if not makes_role and permissions != PermissionsSettings():
        why = f"keys: [{', '.join(door.keys)}] makes no role here, and permissions are a role's"
        step = "write keys: [trust, grant], or take permissions out here and set them at the door that makes the trust"
        yield Problem(f"{key}.permissions", "(set)", why, step)


def _door_people(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """Whom a door names has to be there, or AWS refuses the trust in the middle of the update.

    Who is removed from `people` is removed from every door too. What this stack cannot know is checked in the program
    against what the management stack exports.
    """
    people = settings.people
    if settings.organization is None or people == PeopleSettings():
        return
    center = people.identity_center
    if door.via == "identity-center":
        users = {"user": set(center.users if center else people.users)}
        asked = (door.source.user, *(door.source.members or ()))
        named_people = tuple(PrincipalName("user", name) for name in asked if name and "/" not in name)
    else:
        own = {people.break_glass.role} if people.break_glass and people.account is None else set()
        users = {"user": set(people.users), "group": set(people.groups), "role": {*people.roles, *own}}
        named_people = made_by_management(settings, door)
        yield from _members(settings, key, door)
    for one in named_people:
        known = users.get(one.kind)
        if known is not None and one.name not in known:
            step = (
                f"add it to people.{one.kind}s, remove it from the door, or say `exists: true` if it is there already"
            )
            yield Problem(key, one.name, f"no {one.kind} of `people` has this name", or_nearest(step, one.name, known))


def _members(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """A trust names a group's members, and the grant goes to the group: who is not in it has no grant."""
    source, groups = door.source, settings.people.groups
    if source.group not in groups or source.exists or source.account not in (None, settings.people.account):
        return
    inside = groups[source.group]
    for name in source.members or ():
        if name in settings.people.users and name not in inside:
            why = f"{name} is not in people.groups.{source.group}, so nothing grants this door to {name}"
            step = f"write members: [{', '.join(each for each in source.members or () if each in inside)}]"
            yield Problem(f"{key}.members", name, why, f"{step}, or add {name} to people.groups.{source.group}")


def _in_a_circle(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """AWS refuses a trust in a role that is not there, so of doors that start from each other's role none is first."""
    before = settings.door_before(door)
    way = settings.way_to(before) if before else []
    if key.removeprefix("doors.") in way:
        why = (
            f"the doors {joined(way)} start from each other's role, so that none can be made first ({_PRINCIPAL_PAGE})"
        )
        yield Problem(f"{key}.from", door.source.role, why, "let one of them start from another role, user or group")


def _made_by_nobody(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """Who comes from an account where no `people` live, made by no stack: it has to be there.

    AWS refuses a trust in one that is not, and a grant to one, in the middle of an update.
    """
    account, source = settings.source_account_of(door), door.source
    if (
        source.account is None
        or source.exists
        or door.via == "identity-center"
        or is_account_id(account)
        or account in settings.target_accounts_of(door)
        or (account == (settings.people.account or MANAGEMENT) and not source.stack)
        or settings.door_before(door)
    ):
        return
    for one in (grantee(door), *(PrincipalName("user", member) for member in source.members or ())):
        why = (
            f"`people` do not live in account {account}, and AWS refuses a trust in a {one.kind}, and a grant to one,"
            f" that is not there ({_PRINCIPAL_PAGE})"
        )
        step = "say `exists: true` where it is there already, or add the door of this stack that makes the role"
        yield Problem(key, one.name, why, step)


def _identity_center_door(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    """What a permission set cannot say: AWS writes the trust of the role that it makes of it.

    https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html
    """
    person = principal_of(door.source)
    if person.kind not in IAM_PEOPLE:
        yield Problem(f"{key}.from", person.kind, "IAM Identity Center is for people", "name one user or group")
    center = settings.people.identity_center
    if settings.organization is not None and (
        center is None or (person.kind == "group" and person.name not in center.groups)
    ):
        why = "people.identityCenter of this stack has none of this name"
        yield Problem(f"{key}.from", person.name, why, "add it to people.identityCenter, or leave `via` out")
    for arn in door.permissions.managed_policies:
        if ":iam::aws:policy/" not in arn:
            why = "a permission set takes the ARNs of AWS's own policies only"
            yield Problem(f"{key}.permissions.managedPolicies", arn, why, "write what the policy says as statements")
    in_trust = {field for field, own in OWN_CONDITIONS.items() if not own.in_permission_set}
    own = {*in_trust, "conditions", "keys"} & door.model_fields_set
    own |= {f"from.{name}" for name in ("members",) if getattr(door.source, name) is not None}
    own |= {"permissions.boundary"} if door.permissions.boundary else set()
    for name in sorted(own):
        why = "AWS makes the role of a permission set and its trust; MFA is a setting of IAM Identity Center"
        yield Problem(f"{key}.{to_camel(name)}", "(set)", why, "remove it")
    for account in settings.target_accounts_of(door):
        name = permission_set_name(account, door)
        if re.fullmatch(r"[\w+=,.@-]{1,32}", name, re.ASCII) is None:
            why = (
                "a permission set is called <account>-<role>: 1 to 32 letters, digits and +=,.@_-"
                " (https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html)"
            )
            yield Problem(f"{key}.to.role", name, why, "choose a shorter role name, without a path")
            break


def _source_account(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    source, account = door.source, settings.source_account_of(door)
    known = those_there(settings.accounts_in("active"))
    if source.account is not None and door.via == "identity-center":
        yield Problem(
            f"{key}.account", source.account, "people of IAM Identity Center belong to no account", "remove it"
        )
        return
    if settings.is_outside(door):
        ours = source.stack is not None or account == settings.management_account_id
        lacks = ["`keys: [trust]`"] if door.keys != ("trust",) else []
        lacks += ["an `externalId`"] if door.external_id is None else []
        why = f"a door for a third party has the trust alone here and asks for an external ID ({_THIRD_PARTY_PAGE})"
        step = f"add {' and '.join(lacks)}; an account of the organization is named by its key in `accounts` instead"
        if ours:
            why = "it is an account of the organization, which is named by its key in `accounts` of its stack"
            step = "write that key, and the `stack` if it is another one"
        if ours or lacks:
            yield Problem(f"{key}.account", account, why, step)
        return
    if source.stack is not None and (source.account is None or account == MANAGEMENT or account in settings.accounts):
        why = f"it is the stack of the account that they come from; accounts of this stack: {known}"
        step = "name an account of that stack as `account`, by a key that this stack does not have, or remove `stack`"
        yield Problem(f"{key}.stack", source.stack, why, step)
    elif account in settings.accounts and account not in settings.accounts_in("active"):
        why = f"active accounts of this stack: {known}"
        step = "name one of them, or leave it out for the account where `people` live"
        yield Problem(f"{key}.account", account, why, step)
    elif account in settings.target_accounts_of(door):
        why = "the door leads into this account, and within one account a role needs no door"
        yield Problem(f"{key}.account", account, why, "name another account")
    elif settings.organization is not None and source.stack is None and settings.source_stack_of(door) is not None:
        why = f"active accounts of this stack: {known}"
        step = "name one of them, `management`, or say the `stack` that it belongs to"
        yield Problem(f"{key}.account", account, why, step)
    if source.group is not None and source.members is None and account not in (MANAGEMENT, settings.people.account):
        why = "only the management stack tells the members of its own groups, and a trust has to name somebody"
        yield Problem(f"{key}.members", "(missing)", why, "list the members")


def _door_target(settings: Settings, key: str, door: DoorSettings) -> Iterator[Problem]:
    target = door.target
    known = those_there(settings.accounts)
    if target.account == EVERY_ACCOUNT:
        entered = [account for account, member in settings.accounts.items() if member.access.role == target.role]
        if entered:
            yield _access_role(key, target, f"the access role of {', '.join(entered[:3])}, which AWS makes")
        return
    if target.account is None and len(settings.accounts) != 1:
        why = f"only a stack with one account can leave it out; accounts of this stack: {known}"
        yield Problem(f"{key}.account", "(missing)", why, "name the account")
        return
    account = target.account or next(iter(settings.accounts))
    if account not in settings.accounts:
        yield no_account(f"{key}.account", account, settings.accounts)
    elif target.role == settings.accounts[account].access.role:
        yield _access_role(key, target, "the account's own access role, which AWS makes")


def _access_role(key: str, target: TargetSettings, what: str) -> Problem:
    return Problem(f"{key}.role", target.role, f"this is {what}", "choose another name")


def _names_made_twice(settings: Settings) -> Iterator[Problem]:
    """A door into every account becomes one `<account>-<door>` for each, beside those that are written out."""
    made = {name: name for name, door in settings.doors.items() if door.target.account != EVERY_ACCOUNT}
    for name, door in settings.doors.items():
        if door.target.account != EVERY_ACCOUNT:
            continue
        for account in settings.target_accounts_of(door):
            if other := made.get(f"{account}-{name}"):
                why = f"this is what its door into {account} is called, and doors.{other} makes one of this name"
                yield Problem(f"doors.{name}", f"{account}-{name}", why, "name one of them differently")
                break
            made[f"{account}-{name}"] = name


def _keys_made_twice(settings: Settings) -> Iterator[Problem]:
    made: dict[tuple[object, ...], str] = {}
    for name, door in settings.doors.items():
        # Role names are unique in an account whatever their path and case.
        role = name_of(door.target.role).casefold()
        via = f"via {door.via}" if door.via == "identity-center" else ""
        given = grantee(door)
        places = [(via, account, role) for account in settings.target_accounts_of(door)]
        keys: list[tuple[object, ...]] = [("role", *place) for place in places if "trust" in door.keys]
        keys += [("grant", *place, settings.source_account_of(door), given) for place in places if "grant" in door.keys]
        if twice := next((what for what in keys if what in made), None):
            why = f"doors.{made[twice]} makes this {twice[0]} in the same account"
            yield Problem(f"doors.{name}.to.role", door.target.role, why, "give each door a role of its own")
        for what in keys:
            made.setdefault(what, name)
