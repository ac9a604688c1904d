"""Which account a resource lives in: read from its provider, also when the account does not exist yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from twokeys import doors
from twokeys.access.model.identities import (
    ORGANIZATIONS,
    account_of,
    exported_organizations,
    manager,
    organization_of,
    organization_of_part,
)
from twokeys.access.model.providers import ASSUMES, ProviderEntry, entry
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, items, mapping
from twokeys.access.reading.type_names import ACCOUNT, ORGANIZATION, ROLE
from twokeys.access_role import ACCESS_ROLE
from twokeys.iam import DEFAULT_PARTITION, Arn, account_id, is_account_id, partition_of_region

if TYPE_CHECKING:
    from twokeys.access.model.principals import Principal

MEMBER_ACCOUNT = "twokeys:accounts:MemberAccount"
"""Our component of a member account, which tells the role by which it is entered."""
_CLOSED = ("CLOSED", "SUSPENDED")
_DELEGABLE = f"{ORGANIZATIONS}policy"
_UNPINNED = "unpinned--"
_STACK_SET, _ORGANIZATION_STACK_SET = "StackSet--", "StackSet-of-organization--"
_NO_PROVIDER = "none"


class Accounts:
    """The accounts of a snapshot. An account is named by its 12-digit id or, before it has one, by its symbol.

    The account of a resource is that of its provider: the account of the last role the provider assumes, else the
    single id it is pinned to, else the `Account` (or the role) those values are made from, else the account that a
    resource of the provider has in its own ARN, else `own_account`, which is that of the environment's credentials, if
    the provider has no credentials and no role of its own. Otherwise it is an account of its own that equals no other:
    `pinned` tells. Nothing is read from credentials here.
    """

    def __init__(self, snapshot: Snapshot, own_account: str | None = None) -> None:
        self._snapshot = snapshot
        self._own_account = own_account
        self._names: dict[str, str] = {}
        self._of_provider: dict[str, str] = {}
        self._seen_in: dict[str, str] = {}
        self._not_pinned: dict[str, str] = {}
        self.by_symbol: dict[str, Resource] = {}
        self.ids: dict[str, str] = {}
        """The ids that are known, by symbol: of accounts and of organizations."""
        self._symbols: dict[str, str] = {}
        for resource in snapshot.of_type(ACCOUNT):
            symbol = doors.SYMBOL_PREFIX + _slug(resource.name)
            while symbol in self.by_symbol:
                symbol += "-"
            self.by_symbol[symbol] = resource
            self._symbols[resource.urn] = symbol
            if identity := account_of(resource):
                self.ids[symbol] = identity
        self.read_live = frozenset(account for one in snapshot.evidence for account in one.accounts)
        """The accounts whose IAM was read from AWS: each principal of theirs is there."""
        self.not_read = frozenset(no.account for one in snapshot.evidence for no in one.not_answered if no.account)
        """Those whose IAM AWS did not tell: nothing shows whether AWS made an access role in them."""
        self.organization = self._one_organization()
        """The organization's id, or its symbol before it has one; None where the snapshot shows none, or several."""
        self.environments: dict[str, str] = {}
        """Those of the accounts of other stacks, as they export them."""
        self._listed_elsewhere: set[str] = set()
        self._read_other_stacks()
        for resource in snapshot.resources:
            own = _arn(resource) if resource.provider and resource.provider not in self._seen_in else None
            if own is not None and own.service == "iam" and is_account_id(own.account):
                self._seen_in[resource.provider or ""] = own.account
        self.entries: tuple[ProviderEntry, ...] = tuple(map(entry, snapshot.of_type(PROVIDER)))
        self._entries = {found.urn: found for found in self.entries}
        self._in_other_stacks = frozenset(one.urn for one in _below_other_stacks(snapshot))

    def _one_organization(self) -> str | None:
        found = set(exported_organizations(self._snapshot))
        for resource in self._snapshot.of_type(ORGANIZATION):
            symbol = doors.organization_symbol(_slug(resource.name))
            if organization := organization_of(resource):
                self.ids[symbol] = organization
            found.add(self.ids.get(symbol, symbol))
        found = found or set(filter(None, map(organization_of_part, self._snapshot.resources)))
        return found.pop() if len(found) == 1 else None

    def _read_other_stacks(self) -> None:
        for account, identity, inside in _of_other_stacks(self._snapshot):
            symbol = doors.SYMBOL_PREFIX + _slug(account)
            self._names.setdefault(symbol, account)
            self._listed_elsewhere.add(identity or symbol)
            if identity:
                self.ids.setdefault(symbol, identity)
                self._names.setdefault(identity, account)
            if inside:
                self.environments.setdefault(identity or symbol, inside)

    def of(self, resource: Resource) -> str:
        """The account a resource lives in."""
        return self.canonical(resource.account) if resource.account else self.of_provider(resource.provider or "")

    def of_provider(self, urn: str, _above: frozenset[str] = frozenset()) -> str:
        """The account a provider works in."""
        if urn not in self._of_provider:
            self._of_provider[urn] = self.canonical(self._find(urn, _above | {urn}))
        return self._of_provider[urn]

    def partition_of(self, resource: Resource) -> str:
        """The partition that a resource lies in: as its ARN says, else the provider that makes it."""
        arn = _arn(resource)
        return arn.partition if arn else self._partition_of_provider(resource.provider or "")

    def partition(self, account: str) -> str:
        """The partition of an account: that of the providers that work in it, else the one that all providers share.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
        """
        return self._partitions.get(account, self._partitions[""])

    @cached_property
    def _partitions(self) -> Mapping[str, str]:
        found = {self.of_provider(entry.urn): self._partition_of_provider(entry.urn) for entry in self.entries}
        shared = set(found.values())
        return {**found, "": shared.pop() if len(shared) == 1 else DEFAULT_PARTITION}

    def _partition_of_provider(self, urn: str) -> str:
        provider = self._snapshot.by_urn.get(urn)
        if provider is None:
            return DEFAULT_PARTITION
        roles = self._entry(provider).assumes
        arn = Arn.parse(roles[-1]) if roles else None
        return arn.partition if arn else partition_of_region(provider.text("region"))

    def named_by(self, resource: Resource) -> str:
        """The account that an `Account` resource makes."""
        return self.canonical(self._symbols[resource.urn])

    def canonical(self, account: str) -> str:
        """The id of an account if it is known, else the symbol as it came."""
        return self.ids.get(account, account)

    def differ(self, one: str, other: str) -> bool:
        """Whether two accounts are not one, as two may be that nobody tells."""
        return one != other and self.pinned(one) and self.pinned(other)

    @staticmethod
    def pinned(account: str) -> bool:
        """Whether the account is really known (by id or symbol), so that statements about it mean something."""
        return not account.startswith(doors.SYMBOL_PREFIX + _UNPINNED)

    @staticmethod
    def of_stack_set(name: str, *, of_organization: bool = False) -> str:
        """The accounts that a StackSet deploys to and that the snapshot does not show, as one that equals no other.

        One with service-managed permissions deploys to no account outside the organization.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-associate-stackset-with-org.html
        """
        return _unpinned((_ORGANIZATION_STACK_SET if of_organization else _STACK_SET) + name)

    def is_of_stack_set(self, account: str) -> bool:
        """Whether an account stands for those of a StackSet that are not shown."""
        return account.startswith((_unpinned(_STACK_SET), _unpinned(_ORGANIZATION_STACK_SET)))

    def located(self, principal: Principal) -> str:
        """A principal with where it is: its ARN "in account prod (123456789012)"."""
        return f"{principal.arn} in account {self.name(principal.account)}"

    def name(self, account: str) -> str:
        """What people call an account: its resource's name, else its alias, and its id; or what is known of it."""
        if self.is_of_stack_set(account):
            stack_set = account.removeprefix(_unpinned("")).partition("--")[2]
            return f"unknown (any that StackSet {stack_set} deploys to)"
        if not self.pinned(account):
            provider = account.removeprefix(doors.SYMBOL_PREFIX + _UNPINNED).rstrip("-")
            why = f"provider {provider} is not pinned" if provider != _NO_PROVIDER else "no provider is shown"
            return f"unknown ({why})"
        resource = self.resource(account)
        given = (resource.text("name") or resource.name) if resource else self._names.get(account)
        given = given or self._aliases.get(account)
        identity = account if is_account_id(account) else "id not known yet"
        return f"{given} ({identity})" if given else account

    def resource(self, account: str) -> Resource | None:
        """The `Account` resource of the stack behind an account."""
        return self._resources.get(self.canonical(account))

    @cached_property
    def _aliases(self) -> Mapping[str, str]:
        """What accounts call themselves for sign-in; a provider's name is no account's.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/console-account-alias.html
        """
        aliases = self._snapshot.of_type("aws:iam/accountAlias:AccountAlias")
        return {self.of(one): alias for one in aliases if (alias := one.text("accountAlias"))}

    @cached_property
    def _resources(self) -> Mapping[str, Resource]:
        return {self.canonical(symbol): resource for symbol, resource in self.by_symbol.items()}

    @cached_property
    def held(self) -> frozenset[str]:
        """The accounts that the stack works in: those of its aws providers."""
        return frozenset(self.of_provider(found.urn) for found in self.entries)

    @cached_property
    def management(self) -> str | None:
        """The management account, as far as the stack shows it: organizations are only managed from there.

        Its id is in every ARN of the organization's parts. Policies may be managed by a member account as well.
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_getting-started_concepts.html
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
        """
        resources = [one for one in self._snapshot.resources if one.type.startswith(ORGANIZATIONS)]
        for resource in resources:
            if found := manager(resource):
                return found
        resources.sort(key=lambda one: one.type.startswith(_DELEGABLE))
        for account in map(self.of, resources):
            if self.pinned(account):
                return account
        direct = {self.of_provider(found.urn) for found in self.entries if found.assumes == ()}
        through = any(arn.endswith("/" + ACCESS_ROLE) for found in self.entries for arn in found.assumes or ())
        only = next(iter(direct)) if len(direct) == 1 else None
        return only if only and through and self.pinned(only) else None

    @cached_property
    def members(self) -> frozenset[str]:
        """The member accounts that the stack shows: its `Account` resources and those its organization lists."""
        listed = {account_id(item.get("id")) for item in self._listed}
        made = {self.canonical(symbol) for symbol in self.by_symbol}
        return frozenset({*made, *filter(is_account_id, listed)} - {self.management})

    @property
    def _listed(self) -> Iterator[Mapping[str, object]]:
        """The accounts as the organization lists them."""
        for organization in self._snapshot.of_type(ORGANIZATION):
            for key in ("accounts", "nonMasterAccounts"):
                yield from map(mapping, items(organization.get(key)))

    @cached_property
    def closed(self) -> frozenset[str]:
        """The accounts that are closed, or that AWS has suspended: until they are reinstated nobody uses them.

        An account's own resource goes before a list, which may be older.
        https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
        """
        states = {str(account_id(one.get("id"))): one.get("state") or one.get("status") for one in self._listed}
        states |= {
            self.canonical(symbol): state
            for symbol, one in self.by_symbol.items()
            if isinstance(state := one.get("state") or one.get("status"), str)
        }
        return frozenset(account for account, state in states.items() if state in _CLOSED)

    @cached_property
    def all_members(self) -> frozenset[str]:
        """The member accounts that the stack shows, or another one that it refers to."""
        return self.members | frozenset(map(self.canonical, self._listed_elsewhere)) - {self.management}

    @cached_property
    def all_listed(self) -> bool:
        """Whether the snapshot shows every account of the organization: read live, or as a state lists them.

        A list that lacks an account which the state makes is from before that, when others may not have been there.
        """
        organizations = list(self._snapshot.of_type(ORGANIZATION))
        if any(one.caller for one in self._snapshot.evidence):
            return bool(organizations)
        made = {self.canonical(symbol) for symbol in self.by_symbol}
        listed = [{account_id(mapping(item).get("id")) for item in items(one.get("accounts"))} for one in organizations]
        return any(len(ids) > 1 and made <= ids for ids in listed)

    def is_member(self, account: str) -> bool:
        """Whether an account, or whichever account it stands for, is shown to be a member of the organization."""
        return account in self.all_members or account.startswith(_unpinned(_ORGANIZATION_STACK_SET))

    def is_ours(self, account: str) -> bool:
        """Whether an account is shown to be one of the organization: it is worked in, made or listed."""
        return account in self.held or account in self.all_members or account == self.management

    def is_foreign(self, account: str) -> bool:
        """Whether an account is shown to be none of the organization's, as every one of those is shown."""
        return self.all_listed and self.pinned(account) and not self.is_ours(account)

    def is_own_organization(self, name: str) -> bool:
        """Whether an organization, as a trust names it, is shown to be one's own; a variable is the role's own one."""
        return name.startswith("${") or name == self.organization

    def access_role(self, account: str) -> str:
        """The name of the role by which the management account enters an account: as AWS made it, else as it is given.

        AWS tells the name only of an account that was created with it; an adopted one has it from its component, and
        one of another stack, or one that was read live, from the provider that enters it.
        """
        resource = self.resource(account)
        recorded = resource.text("roleName") if resource else None
        return recorded or self._given_roles.get(account, ACCESS_ROLE)

    def access_roles(self, account: str) -> frozenset[str]:
        """Each role that may be the one: beside a name that AWS does not tell, its own may be there as well."""
        resource, name = self.resource(account), self.access_role(account)
        return frozenset({name} if resource and resource.text("roleName") else {name, ACCESS_ROLE})

    def is_access_role(self, arn: str) -> bool:
        """Whether an ARN may be the one of a role that AWS made in a member account."""
        role = Arn.parse(arn)
        return role is not None and role.name in self.access_roles(role.account)

    @cached_property
    def _given_roles(self) -> Mapping[str, str]:
        given = [resource.text("accessRoleArn") for resource in self._snapshot.of_type(MEMBER_ACCOUNT)]
        for found in self.entries:
            if found.urn in self._in_other_stacks or self.of_provider(found.urn) in self.read_live:
                given += (found.assumes or ())[-1:]
        arns = map(Arn.parse, filter(None, given))
        return {arn.account: arn.name for arn in arns if arn is not None and arn.kind == "role"}

    def providers_of(self, account: str) -> list[Resource]:
        """The providers that work in an account."""
        return [provider for provider in self._snapshot.of_type(PROVIDER) if self.of_provider(provider.urn) == account]

    def _entry(self, provider: Resource) -> ProviderEntry:
        return self._entries.get(provider.urn) or entry(provider)

    def _find(self, urn: str, above: frozenset[str]) -> str:
        provider = self._snapshot.by_urn.get(urn)
        if provider is None:
            return self._seen_in.get(urn) or self._of_its_own(urn)
        found = self._entry(provider)
        if found.assumed_account:
            return found.assumed_account
        if found.allowed is not None and len(found.allowed) == 1 and is_account_id(found.allowed[0]):
            return found.allowed[0]
        for key in (*ASSUMES, "assumeRoleWithWebIdentity", "allowedAccountIds"):
            if account := self._snapshot.behind(provider, key, ACCOUNT):
                return self._symbols[account.urn]
        if urn in self._in_other_stacks:
            return doors.SYMBOL_PREFIX + _slug(provider.name)
        for key in ASSUMES:
            role = self._snapshot.behind(provider, key, ROLE)
            if role and role.provider and role.provider not in above:
                return self.of_provider(role.provider, above)
        own = self._own_account if found.tells_none and not found.own_credentials else None
        return self._seen_in.get(urn) or own or self._of_its_own(urn)

    def _of_its_own(self, urn: str) -> str:
        """An account that no other provider works in, as far as that is known, also of the same name."""
        symbol = _unpinned(urn.rpartition("::")[2] or _NO_PROVIDER)
        while self._not_pinned.setdefault(symbol, urn) != urn:
            symbol += "-"
        return symbol


def _of_other_stacks(snapshot: Snapshot) -> Iterator[tuple[str, str | None, str | None]]:
    """The accounts of the stacks that the snapshot refers to: name, id and environment, each where it is known."""
    for referred in snapshot.referred:
        known = referred.outputs if referred.shown else {}
        environments = mapping(known.get(doors.ENVIRONMENTS_OUTPUT))
        for name, identity in mapping(known.get(doors.ACCOUNTS_OUTPUT)).items():
            inside = environments.get(name)
            yield name, identity if is_account_id(identity) else None, inside if isinstance(inside, str) else None
    for provider in _below_other_stacks(snapshot):
        yield provider.name, None, None


def _below_other_stacks(snapshot: Snapshot) -> list[Resource]:
    """The providers by which a stack works in accounts of the stacks that it refers to."""
    others = {one.urn for one in snapshot.of_type(doors.OTHER_STACK)}
    return [provider for provider in snapshot.of_type(PROVIDER) if provider.parent in others]


def _arn(resource: Resource) -> Arn | None:
    text = resource.text("arn")
    return Arn.parse(text) if text else None


def _slug(name: str) -> str:
    """A logical name as a symbol may hold it; components only declare names that need no change."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _unpinned(provider: str) -> str:
    return doors.SYMBOL_PREFIX + _UNPINNED + _slug(provider)
