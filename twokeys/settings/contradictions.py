"""What no single value of a stack's config shows: clashes between values, and references to what is not there. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from twokeys.errors import nearest, or_nearest
from twokeys.iam import Wanted, is_account_id
from twokeys.iam.shared_providers import SHARED_ISSUERS, shared_provider
from twokeys.iam.subjects import misspelt_subject
from twokeys.settings.account_life import account_life
from twokeys.settings.doors import door_people, door_targets, doors
from twokeys.settings.grants import grants
from twokeys.settings.limits import limits
from twokeys.settings.models import (
    MANAGEMENT,
    ROOT,
    OidcSettings,
    OrganizationSettings,
    PeopleSettings,
    Settings,
    all_units,
    is_unit_id,
)
from twokeys.settings.organization_wide import organization_wide
from twokeys.settings.policies import policies
from twokeys.settings.problem import Problem, no_unit, those_there, twice
from twokeys.settings.values import check_email

_SHARED_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html"
_ONE_SLIP = 0.9
"""How much of two issuers is alike where they differ in one of ten letters."""


def contradictions(settings: Settings) -> Iterator[Problem]:
    """What no single value shows: clashes between values, and references to what is not there."""
    yield from _emails(settings)
    yield from _adopted(settings)
    yield from _account_names(settings)
    yield from _organization(settings)
    yield from _people(settings)
    yield from organization_wide(settings)
    unclear = [*door_targets(settings)]
    yield from unclear
    yield from door_people(settings)
    # What follows is about the accounts that doors lead to.
    nowhere = {problem.key.split(".")[1] for problem in unclear}
    doors_there = {name: door for name, door in settings.doors.items() if name not in nowhere}
    settings = settings.model_copy(update={"doors": doors_there})
    yield from account_life(settings)
    yield from doors(settings)
    yield from grants(settings)
    yield from limits(settings)


def _emails(settings: Settings) -> Iterator[Problem]:
    seen = {settings.root_email.casefold(): "rootEmail"}
    for account in settings.accounts:
        email, key = settings.email_of(account), f"accounts.{account}.email"
        try:
            check_email(email)
        except PydanticCustomError as error:
            yield Problem(key, email, str(error.message()), "give this account an address of its own")
        if other := seen.get(email.casefold()):
            why = f"it is also the address of {other}, and an address belongs to one AWS account only"
            step = "give each account an address of its own, upper and lower case do not tell them apart"
            yield Problem(key, email, why, step)
        seen[email.casefold()] = key


def _adopted(settings: Settings) -> Iterator[Problem]:
    """One entry an account that exists, and none for the management account, which is not a member."""
    seen: dict[str, str] = {}
    for account, member in settings.accounts.items():
        key, adopt = f"accounts.{account}.adopt", member.adopt
        if adopt is None:
            continue
        if adopt == settings.management_account_id:
            yield Problem(
                key, adopt, "it is the management account, which is no member account", "remove this account's entry"
            )
        if other := seen.get(adopt):
            yield Problem(key, adopt, f"{other} adopts this account too", "keep one of the two entries")
        seen[adopt] = key


def _account_names(settings: Settings) -> Iterator[Problem]:
    if MANAGEMENT in settings.accounts:
        yield Problem(
            f"accounts.{MANAGEMENT}", MANAGEMENT, "this is what the management account is called", "choose another key"
        )
    # AWS lets names repeat, so accounts that exist may; a new one gets a name of its own.
    names = Counter(settings.name_of(account) for account in settings.accounts)
    for account, member in settings.accounts.items():
        if not member.adopt and names[name := settings.name_of(account)] > 1:
            why, step = "another account has this name", "name it apart, or adopt it if it exists"
            yield Problem(f"accounts.{account}.name", name, why, step)


def _organization(settings: Settings) -> Iterator[Problem]:
    organization = settings.organization
    if organization is None:
        return
    if not organization.create:
        changing = organization.model_dump(include={"adopt", "policy_types", "trusted_services"}, exclude_unset=True)
        for field in changing:
            why = "an organization that is only looked up is not changed"
            step = "remove it, or set organization.create to true"
            yield Problem(f"organization.{to_camel(field)}", getattr(organization, field), why, step)
    paths = frozenset(all_units(organization))
    yield from _units(organization)
    yield from policies(organization, paths)
    for account, member in settings.accounts.items():
        path = member.organizational_unit
        if path is not None and not is_unit_id(path) and path not in paths:
            key = f"accounts.{account}.organizationalUnit"
            root = "leave it out: an account without it is made at the organization's root"
            add = "add it to organization.organizationalUnits"
            yield no_unit(key, path, paths, root if path.casefold() == ROOT else add)
    for delegated in organization.delegated_administrators:
        key = f"organization.delegatedAdministrators.{delegated}"
        if delegated == settings.management_account_id:
            yield Problem(
                key,
                delegated,
                "it is the management account, and only a member account can be a delegated administrator"
                " (https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html)",
                "name a member account",
            )


def _units(organization: OrganizationSettings) -> Iterator[Problem]:
    """Paths that mean something else, and ids that two units have."""
    for path in all_units(organization):
        if path == ROOT or is_unit_id(path) or is_account_id(path):
            yield Problem(
                f"organization.organizationalUnits.{path}",
                path,
                f"where a unit is named, {ROOT} is the organization's root, and ids are units and accounts by their id",
                "choose another key; `name` is what AWS calls it",
            )
    seen: dict[str, str] = {}
    for path, unit in organization.organizational_units.items():
        key = f"organization.organizationalUnits.{path}"
        identifier = unit.id or unit.adopt
        if identifier and (other := seen.get(identifier)):
            yield Problem(key, identifier, f"{other} has this id", "give each unit its own")
        if identifier:
            seen[identifier] = path


def _people(settings: Settings) -> Iterator[Problem]:
    people = settings.people
    if settings.organization is None:
        if people.model_copy(update={"account": None}) != PeopleSettings():
            why = "people belong to the stack that has `organization`; another one only says where they live, `account`"
            yield Problem("people", "(set)", why, "move the rest of `people` to the management stack's config")
    elif people.account is not None:
        yield from _people_account(settings, people.account)
    center = people.identity_center
    listed = [("people", people.users, people.groups)]
    if center is not None:
        listed.append(("people.identityCenter", tuple(center.users), center.groups))
    for key, users, groups in listed:
        yield from _users_and_groups(key, users, groups)
    alone = people.break_glass.users if people.break_glass and people.account is not None else ()
    for user in alone:
        if user in people.users:
            why = f"it is one of people.users, who live in {people.account}; these live in the management account"
            step = "name a user for emergencies alone, such as emergency-1"
            yield Problem("people.breakGlass.users", user, why, step)
    for name, role in people.roles.items():
        if role.oidc is not None:
            yield from _oidc(f"people.roles.{name}.oidc", role.oidc)


def _people_account(settings: Settings, account: str) -> Iterator[Problem]:
    """People are made in their account, so that it is one of the management stack, in use, and entered."""
    member = settings.accounts.get(account)
    known = those_there(settings.entered())
    if member is None or account not in settings.entered() or member.state != "active":
        why = f"people live in an active account of this stack that it enters; there are: {known}"
        yield Problem("people.account", account, why, "name one of them, or leave it out for the management account")


def _oidc(key: str, oidc: OidcSettings) -> Iterator[Problem]:
    """A provider that all the world shares lets in whoever has an account there, unless a claim names one's own.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
    """
    shared = shared_provider(oidc.issuer)
    name_yours = "write the beginning of your own subjects, with your organization's name to its end"
    meant = nearest(oidc.issuer, SHARED_ISSUERS, _ONE_SLIP)
    # oidc.demo.com is somebody's own beside oidc.deno.com: in a short domain one letter tells two owners apart
    slip = meant is not None and nearest(_in_its_domain(oidc.issuer), [_in_its_domain(meant)], _ONE_SLIP) is not None
    if slip and shared is None and not oidc.issuer.lower().startswith(f"{meant}/"):
        why = "no provider that is known has this name, and whoever owns it could sign tokens for this role"
        yield Problem(f"{key}.issuer", oidc.issuer, why, f"write {meant}")
    for subject in oidc.subjects:
        wanted = Wanted(subject, wild="*" in subject or "?" in subject)
        if wanted.anything:
            yield Problem(f"{key}.subjects", subject, f"it lets in whoever has a token of {oidc.issuer}", name_yours)
        elif wrong := misspelt_subject(oidc.issuer, wanted):
            why = f"it is a subject {wrong.why}, so nobody comes in ({wrong.url})"
            yield Problem(f"{key}.subjects", subject, why, wrong.next_step)
        elif shared is not None and shared.claims[0] == "sub" and not shared.names_tenant(wanted):
            why = f"everybody can have tokens of {oidc.issuer}, and this names no owner to its end ({_SHARED_PAGE})"
            yield Problem(f"{key}.subjects", subject, why, f"{name_yours}, as in {shared.example}")
    if shared is not None and shared.claims[0] == "aud" and not shared.names_tenant(Wanted(oidc.audience)):
        why = f"everybody can have tokens of {oidc.issuer}, and there the audience names the owner"
        yield Problem(f"{key}.audience", oidc.audience, why, f"give your own audience, {shared.example}")


def _in_its_domain(issuer: str) -> str:
    """An issuer without the names before its domain, of which many begin alike: "deno.com"."""
    host, slash, path = issuer.partition("/")
    return ".".join(host.split(".")[-2:]) + slash + path


def _users_and_groups(key: str, users: Sequence[str], groups: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    for group, members in groups.items():
        for member in members:
            if member not in users:
                step = or_nearest(f"add the user to {key}.users", member, users)
                yield Problem(f"{key}.groups.{group}", member, "no user has this name", step)
    for part, names in (("users", users), *((f"groups.{group}", members) for group, members in groups.items())):
        yield from twice(f"{key}.{part}", names)
