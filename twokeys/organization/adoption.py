"""From a live organization to the config of stacks that import it and change nothing. Pure.

What config cannot say, or the program could not manage, is left out and listed with its reason and what to do: it
stays in AWS as it is. Names that AWS allows and config does not (a slash in a unit's name, two accounts of one name)
get a key of their own, and `name` says what AWS calls it.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from twokeys.access_role import ACCESS_ROLE
from twokeys.errors import Refusal, or_nearest
from twokeys.iam import is_account_id
from twokeys.organization.findings import Plain
from twokeys.organization.managed import managed
from twokeys.organization.model import ACTIVE, SERVICE_CONTROL_POLICY, Account, Live, Organization, Policy
from twokeys.settings import parse
from twokeys.settings.models import MANAGEMENT, ROOT, GuardRailSettings, MemberSettings, OtherPolicySettings, is_unit_id
from twokeys.settings.values import PolicyType, check_email, is_reserved_tag

Config = dict[str, Any]
EnvironmentOf = Callable[[Account], str | None]
"""The environment of an account; None leaves it in the management stack."""

_CONTROL_TOWER = "aws-guardrails-"
_STAYS = "it stays as it is in AWS; change it there so that config can say it, and adopt again"
_NOT_NEEDED = frozenset({"account quota", "invitations", "pending requests"})
"""What may stay unread: nothing of it is taken over."""


@dataclass(frozen=True)
class LeftOut(Plain):
    """Something of the organization that the config does not take over."""

    what: str
    why: str
    next_step: str


@dataclass(frozen=True)
class Stack:
    """The config of one stack: keys without `twokeys:`, values as the stack's file has them.

    `paths` are the units of its accounts by account key, for comments.
    """

    name: str
    config: Config
    paths: Mapping[str, str]


@dataclass(frozen=True)
class Adoption:
    """The stacks that take an organization over, the management stack first, and what they leave out."""

    stacks: tuple[Stack, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class Entered:
    """How an account can be entered: by which role, or why by none."""

    role: str | None
    why_not: str = ""


def refuse_unadoptable(live: Live) -> Organization:
    """The organization, when these credentials may take it over.

    Raises Refusal as `managed` does, and when the credentials are the root user's, which may not assume roles
    (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
    """
    organization = managed(live, "the organization cannot be taken over", not_needed=_NOT_NEEDED)
    if live.caller.is_root_user and not live.caller.local:
        raise Refusal(
            "the root user cannot take the organization over",
            where=live.caller.arn,
            why="a root user may not assume roles, so it can enter no account",
            next_step="use a role or a user of the management account",
        )
    return organization


def adopt(  # noqa: PLR0913 - all by name
    organization: Organization,
    *,
    stack: str,
    region: str,
    entered: Mapping[str, Entered],
    root_email: str,
    environment_of: EnvironmentOf = lambda _: None,
    partition: str = "aws",
) -> Adoption:
    """The config that takes over everything that can be taken over; `stack` is the management stack's name.

    `entered` is how each active account can be entered; one that is not in it was not tried and is taken over. Raises
    Refusal when a stack's config would be refused although each part of it is sound; nothing is then to be written.
    """
    _refuse_unusable(root_email, organization)
    units = _unit_keys(organization)
    left_out: list[LeftOut] = []
    managed = _managed(organization, entered, partition, left_out)
    accounts, paths = _accounts(managed, units, entered, root_email, left_out)
    said = {key: environment_of(account) for key, (account, _) in accounts.items()}
    names = _environment_names({name for name in said.values() if name}, stack)
    environments: dict[str, list[str]] = defaultdict(list)
    for key, name in said.items():
        environments[names[name] if name else stack].append(key)
    base = {"managementAccountId": organization.management_account, "rootEmail": root_email, "region": region}
    management = {**base, "organization": _organization(organization, units, left_out)}
    stacks = []
    for name in (stack, *sorted(environments.keys() - {stack})):
        members = {key: dict(accounts[key][1]) for key in environments.get(name, ())}
        if name != stack:
            for key, member in members.items():  # an id needs no look-up in the management stack
                if "organizationalUnit" in member:
                    member["organizationalUnit"] = accounts[key][0].parent
        config = {**(management if name == stack else base), **({"accounts": members} if members else {})}
        parse(name, config)
        stacks.append(Stack(name, config, {key: paths[key] for key in members}))
    return Adoption(tuple(stacks), tuple(left_out))


def environments_by(how: str) -> Callable[[Organization], EnvironmentOf]:
    """`ou`: the unit that an account is in. `tag:NAME`: the value of its tag. Accounts without one stay in management.

    Raises Refusal when it is neither, or no account has the tag.
    """
    kind, _, tag = how.partition(":")
    if how == "ou":
        return lambda found: lambda account: unit.path if (unit := found.unit_by_id.get(account.parent)) else None
    if kind == "tag" and tag:
        return partial(_by_tag, tag)
    raise Refusal(
        f"accounts cannot be split by {how!r}",
        where="--environment-by",
        why="it is neither ou nor tag:NAME",
        next_step="write ou, or the name of a tag as in tag:environment",
    )


def _by_tag(tag: str, organization: Organization) -> EnvironmentOf:
    there = {name for account in organization.accounts for name in account.tags}
    if tag not in there:
        raise Refusal(
            f"accounts cannot be split by the tag {tag}",
            where="--environment-by",
            why=f"no account has it; their tags are {', '.join(sorted(there)) or 'none'}",
            next_step=or_nearest("name a tag that they have, or ou", tag, there),
        )
    return lambda account: account.tags.get(tag)


def trust_policy(management_account: str, partition: str = "aws") -> dict[str, Any]:
    """What the access role of an invited account has to trust.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_create-cross-account-role.html
    """
    principal = {"AWS": f"arn:{partition}:iam::{management_account}:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


def _refuse_unusable(root_email: str, organization: Organization) -> None:
    owner = organization.account_by_email.get(root_email.casefold())
    if owner is not None and owner.id != organization.management_account:
        why = f"it is the address of {_label(owner)}"
    else:
        try:
            check_email(root_email)
        except PydanticCustomError as error:
            why = error.message()
        else:
            return
    own = root_email == organization.management_email
    raise Refusal(
        f"accounts to come cannot derive their addresses from {root_email}",
        where="the management account's e-mail address" if own else "--root-email",
        why=why,
        next_step="name another one with --root-email",
    )


def _environment_names(environments: Iterable[str], stack: str) -> dict[str, str]:
    """A stack's name for each environment; those that would share one also get a digest of what they are called.

    Two units are two stacks also where their paths differ in case, in letters that a stack's name cannot have, or
    only in their last part.
    """
    slugs = {name: _slug(name, 60) or "environment" for name in environments}
    slugs = {name: f"{slug}-accounts" if slug == stack else slug for name, slug in slugs.items()}
    shared = Counter(slugs.values())
    return {
        name: slug if shared[slug] == 1 else f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, slug in slugs.items()
    }


def _free(name: str, identifier: str, is_free: Callable[[str], bool]) -> str:
    """The name, or with the end of its id where that is not free; 128 characters at most."""
    end = identifier.rpartition("-")[2][-12:]
    told_apart = (f"{name[:100]}-{end}{f'-{turn}' if turn else ''}" for turn in count())
    return next(each for each in chain((name,), told_apart) if is_free(each))


# --- organizational units -------------------------------------------------------------------------------------------


def _unit_keys(organization: Organization) -> dict[str, str]:
    """A path for each unit by its id, parents first; it is the unit's own unless that would mean something else."""
    keys: dict[str, str] = {}
    taken: set[str] = set()
    for unit in sorted(organization.units, key=lambda one: (len(one.names), one.names, one.id)):
        above = keys.get(unit.parent, "")
        path = f"{above}/" if above else ""

        def is_free(name: str, path: str = path) -> bool:
            key = f"{path}{name}"
            return bool(name) and key not in taken and key != ROOT and not is_unit_id(key) and not is_account_id(key)

        keys[unit.id] = path + _free(_plain(unit.names[-1].replace("/", "-")), unit.id, is_free)
        taken.add(keys[unit.id])
    return keys


def _plain(name: str) -> str:
    """A name without what would break a URN, a path or a line: control characters, `::`, spaces at its ends.

    `<<` means a merge to the pulumi CLI, in quotes as well.
    """
    return re.sub(r":{2,}|[\x00-\x1f\x7f]+|^<<$", "-", name).strip()[:110].strip()


# --- the organization -----------------------------------------------------------------------------------------------


def _organization(organization: Organization, units: Mapping[str, str], left_out: list[LeftOut]) -> Config:
    config: Config = {}
    beyond = sorted(set(organization.policy_types) - set(get_args(PolicyType)))
    if beyond:
        config["create"] = False
        left_out.append(
            LeftOut(
                f"organization {organization.id} itself",
                f"it has policy types enabled that config does not know ({', '.join(beyond)}), and managing it would"
                " switch them off",
                "it is only looked up (create: false); its units, policies and accounts are taken over",
            )
        )
    else:
        config["adopt"] = organization.id
        config["policyTypes"] = list(organization.policy_types)
        config["trustedServices"] = list(organization.trusted_services)
        config |= _root_access(organization, left_out)
    if organization.units:
        config["organizationalUnits"] = {
            units[unit.id]: _unit(unit.id, unit.names[-1], unit.tags, units[unit.id])
            for unit in sorted(organization.units, key=lambda one: units[one.id])
        }
    config |= _policies(organization, units, left_out)
    if organization.delegated_administrators:
        config["delegatedAdministrators"] = {
            account: {"services": list(services), "adopt": list(services)}
            for account, services in sorted(organization.delegated_administrators.items())
            if services
        }
    if organization.has_resource_policy:
        left_out.append(
            LeftOut(
                "the organization's resource-based policy",
                "config has no setting for it",
                "it stays as it is in AWS; change it there",
            )
        )
    return config


def _unit(identifier: str, name: str, tags: Mapping[str, str], key: str) -> Config:
    config: Config = {"adopt": identifier}
    if key.rpartition("/")[2] != name:
        config["name"] = name
    if own := _own_tags(tags):
        config["tags"] = own
    return config


def _own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Without those that AWS made (`aws:cloudformation:stack-id`), which nobody can change or even write."""
    return {key: value for key, value in tags.items() if not is_reserved_tag(key)}


def _root_access(organization: Organization, left_out: list[LeftOut]) -> Config:
    if len(organization.root_features) == 2:
        return {"centralizedRootAccess": "adopt"}
    if organization.root_features:
        left_out.append(
            LeftOut(
                "centralized root access",
                f"only {organization.root_features[0]} is on, and config switches on both features or none",
                "it stays as it is; say centralizedRootAccess: true once you want both",
            )
        )
    return {}


def _policies(organization: Organization, units: Mapping[str, str], left_out: list[LeftOut]) -> Config:
    """Policies of all types; AWS's own (FullAWSAccess) are not among what one manages."""
    guard_rails: Config = {}
    others: Config = {}
    attachments: set[str] = set()
    names = {organization.root: ROOT, **units}
    for policy in sorted(organization.policies, key=lambda one: (one.type != SERVICE_CONTROL_POLICY, one.name, one.id)):
        if policy.aws_managed:
            continue
        if policy.name.startswith(_CONTROL_TOWER):
            left_out.append(
                LeftOut(
                    f"policy {policy.id} ({policy.name})",
                    "AWS Control Tower made it, and takes any change of it for drift"
                    " (https://docs.aws.amazon.com/controltower/latest/userguide/drift.html)",
                    "leave it to AWS Control Tower",
                )
            )
            continue
        attached = {names.get(target, target): target for target in policy.targets}

        def is_free(key: str, attached: Mapping[str, str] = attached) -> bool:
            taken = key in guard_rails or key in others or attachments & {f"{key}-{target}" for target in attached}
            return bool(key) and not taken

        key = _free(_plain(policy.name), policy.id, is_free)
        try:
            config = _policy(policy, key, attached)
        except ValueError as error:
            left_out.append(LeftOut(f"policy {policy.id} ({policy.name}, {policy.type})", _first_reason(error), _STAYS))
            continue
        attachments.update(f"{key}-{target}" for target in attached)
        (guard_rails if policy.type == SERVICE_CONTROL_POLICY else others)[key] = config
    found = {"serviceControlPolicies": guard_rails, "policies": others}
    return {section: policies for section, policies in found.items() if policies}


def _policy(policy: Policy, key: str, attached: Mapping[str, str]) -> Config:
    """Raises ValueError when config cannot say it."""
    config: Config = {"adopt": policy.id}
    if key != policy.name:
        config["name"] = policy.name
    if policy.type != SERVICE_CONTROL_POLICY:
        config["type"] = policy.type
    if policy.description:
        config["description"] = policy.description
    config["targets"] = sorted(attached)
    if attached:
        config["attached"] = dict(sorted(attached.items()))
    if own := _own_tags(policy.tags):
        config["tags"] = own
    config["document"] = json.loads(policy.document)
    shape = GuardRailSettings if policy.type == SERVICE_CONTROL_POLICY else OtherPolicySettings
    shape.model_validate(config)
    return config


def _first_reason(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"config refuses its {'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"its document is not JSON: {error}"


# --- accounts -------------------------------------------------------------------------------------------------------


def _managed(
    organization: Organization, entered: Mapping[str, Entered], partition: str, left_out: list[LeftOut]
) -> list[Account]:
    """The member accounts that are active and can be entered."""
    managed = []
    for account in sorted(organization.accounts, key=lambda one: (one.name.casefold(), one.id)):
        if account.id == organization.management_account:
            continue
        reason = _unmanageable(account, organization, entered.get(account.id), partition)
        if reason:
            left_out.append(reason)
        else:
            managed.append(account)
    return managed


def _accounts(
    managed: Iterable[Account],
    units: Mapping[str, str],
    entered: Mapping[str, Entered],
    root_email: str,
    left_out: list[LeftOut],
) -> tuple[dict[str, tuple[Account, Config]], dict[str, str]]:
    """Config and unit path, by key, of every account that config can say."""
    accounts, paths = {}, {}
    for key, account in _account_keys(managed):
        role = entered.get(account.id, Entered(ACCESS_ROLE)).role or ACCESS_ROLE
        path = units.get(account.parent)
        try:
            accounts[key] = account, _account(account, key, path, role, root_email)
        except ValidationError as error:
            left_out.append(LeftOut(_label(account), _first_reason(error), _STAYS))
        else:
            paths[key] = path or "the root"
    return accounts, paths


def _account_keys(managed: Iterable[Account]) -> Iterator[tuple[str, Account]]:
    """A key for each account from its name; accounts whose names give the same key also get their id, all of them.

    So does a name that ends like an id, or it might be the key that another account gets.
    """
    accounts = tuple(managed)
    slugs = {account.id: _slug(account.name) for account in accounts}
    shared = Counter(slugs.values())
    for account in accounts:
        slug = slugs[account.id]
        alone = slug and shared[slug] == 1 and slug != MANAGEMENT and not re.search(r"\d{12}$", slug)
        yield (slug if alone else f"{slug}-{account.id}".lstrip("-")), account


def _slug(name: str, most: int = 36) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-")[:most].strip("-")


def _account(account: Account, key: str, path: str | None, role: str, root_email: str) -> Config:
    """Raises ValidationError when config cannot say it."""
    config: Config = {"adopt": account.id, "name": account.name, "email": account.email}
    if path:
        config["organizationalUnit"] = path
    if role != ACCESS_ROLE:
        config["access"] = {"role": role}
    if own := _own_tags(account.tags):
        config["tags"] = own
    MemberSettings.model_validate(config)
    if account.name == key:
        del config["name"]
    local, _, domain = root_email.rpartition("@")
    if account.email == f"{local}+{key}@{domain}":
        del config["email"]
    return config


def _unmanageable(
    account: Account, organization: Organization, entered: Entered | None, partition: str
) -> LeftOut | None:
    if account.state != ACTIVE:
        return LeftOut(
            _label(account),
            f"it is {account.state}: nothing in it can be managed",
            "wait until AWS removes it (90 days after its closing), or reopen it through AWS Support, and adopt again",
        )
    if entered is None or entered.role is not None:
        return None
    trust = json.dumps(trust_policy(organization.management_account, partition))
    invited = "; AWS makes no access role in an account that was invited" if account.joined_method == "INVITED" else ""
    return LeftOut(
        _label(account),
        f"it cannot be entered: {entered.why_not}{invited}",
        f"in the account, make a role {ACCESS_ROLE} with the managed policy AdministratorAccess and this trust policy:"
        f" {trust} (or name each role that there is with --access-role, {ACCESS_ROLE} too, or allow your own role"
        " sts:AssumeRole on it), and adopt again",
    )


def _label(account: Account) -> str:
    return f"account {account.id} ({account.name})"
