"""A live organization, read with boto3 into the model. It reads only.

Time is bounded by pages, not by accounts: the tree is walked from the root, and each unit's accounts come in pages of
20 with their parent known, so that 1,000 accounts in 50 units take about 150 calls. Only tags are one call an account,
and are read when asked for. Throttled calls are repeated by the SDK, which also slows itself down (`adaptive`):
https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from twokeys.aws_errors import DENIED, no_answer
from twokeys.aws_reference import known_region
from twokeys.loopback import is_loopback
from twokeys.organization.model import Account, Caller, Live, Organization, Policy, Request, Unit

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

RETRIES = Config(retries={"mode": "adaptive", "total_max_attempts": 12}, connect_timeout=10, read_timeout=60)
AT_ONCE = 8
"""Calls under way at once; the SDK's own limiter decides how fast they really go."""

# Service Quotas of Organizations are in one region of each partition:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
_QUOTA_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-northwest-1", "aws-us-gov": "us-gov-west-1"}
ACCOUNTS_QUOTA = "L-E619E033"
"""The quota "Default maximum number of accounts" of Organizations."""


def aws_session(profile: str | None, region: str | None) -> boto3.Session:
    """A session whose profile has asked for its MFA code, which a line of progress would wipe away later.

    Raises Refusal when AWS has no region of that name.
    """
    if region is not None:
        known_region(region, "--region")
    session = boto3.Session(profile_name=profile, region_name=region)
    if credentials := session.get_credentials():
        credentials.get_frozen_credentials()
    return session


def read_live(session: boto3.Session, *, tags: bool = False, accounts_only: bool = False) -> Live:
    """What the session's credentials show of their organization.

    Only credentials of the management account see it all. `tags` also reads the tags of units, accounts and policies,
    one call each; `accounts_only` reads the tree, trusted services and delegated administrators. Raises Refusal when
    AWS cannot be asked: no valid credentials, no network, too many requests, or a fault of its own.
    """
    try:
        return _Reader(session).live(tags=tags, accounts_only=accounts_only)
    except (BotoCoreError, ClientError) as error:
        raise no_answer(error) from error


class _Reader:
    def __init__(self, session: boto3.Session) -> None:
        self._session = session
        self._region = session.region_name or "us-east-1"
        self._api = self._client("organizations")
        self._unread: dict[str, str] = {}

    def live(self, *, tags: bool, accounts_only: bool) -> Live:
        # Few attempts: whoever cannot be asked at all wants to know it soon.
        sts = self._session.client("sts", region_name=self._region, config=Config(retries={"total_max_attempts": 2}))
        identity = sts.get_caller_identity()
        caller = Caller(identity["Account"], identity["Arn"], local=is_loopback(sts.meta.endpoint_url))
        organization = self._organization()
        if organization is None or organization.management_account != caller.account:
            return Live(caller, organization, self._unread)
        organization = self._tree(organization)
        organization = self._services(organization)
        if accounts_only:
            return Live(caller, organization, self._unread)
        organization = self._policies(organization)
        organization = self._settings(organization, caller)
        if tags:
            organization = self._tagged(organization)
        return Live(caller, organization, self._unread)

    def _organization(self) -> Organization | None:
        try:
            found = self._api.describe_organization()["Organization"]
        except self._api.exceptions.AWSOrganizationsNotInUseException:
            return None
        except ClientError as error:
            self._note("organization", "organizations:DescribeOrganization", error)
            return None
        return Organization(
            id=found["Id"],
            features=found["FeatureSet"],
            management_account=found["MasterAccountId"],
            management_email=found["MasterAccountEmail"],
        )

    def _tree(self, organization: Organization) -> Organization:
        roots = self._pages("root", "list_roots", "Roots")
        if not roots:
            return organization
        root = roots[0]
        units: list[Unit] = []
        accounts: list[Account] = []
        level: list[tuple[str, tuple[str, ...]]] = [(root["Id"], ())]
        while level:
            inside = self._all(level, lambda place: self._inside(*place))
            level = []
            for below, its in inside:
                units += below
                accounts += its
                level += [(unit.id, unit.names) for unit in below]
        return replace(
            organization,
            root=root["Id"],
            policy_types=tuple(sorted(kind["Type"] for kind in root["PolicyTypes"] if kind["Status"] == "ENABLED")),
            units=tuple(units),
            accounts=tuple(sorted(accounts, key=lambda account: account.id)),
        )

    def _inside(self, parent: str, names: tuple[str, ...]) -> tuple[list[Unit], list[Account]]:
        units = self._pages(
            "organizational units", "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent
        )
        accounts = self._pages("accounts", "list_accounts_for_parent", "Accounts", ParentId=parent)
        return (
            [Unit(unit["Id"], (*names, unit["Name"]), parent) for unit in units],
            [
                Account(
                    id=one["Id"],
                    name=one["Name"],
                    email=one["Email"],
                    state=one.get("State") or one["Status"],
                    joined_method=one["JoinedMethod"],
                    parent=parent,
                )
                for one in accounts
            ],
        )

    def _policies(self, organization: Organization) -> Organization:
        summaries = [
            summary
            for kind in organization.policy_types
            for summary in self._pages("policies", "list_policies", "Policies", Filter=kind)
        ]
        return replace(organization, policies=tuple(self._all(summaries, self._policy)))

    def _policy(self, summary: Mapping[str, Any]) -> Policy:
        identifier = summary["Id"]
        managed = bool(summary["AwsManaged"])
        found = None
        targets: list[Any] = []
        if not managed:  # AWS's own are attached everywhere, and nothing is asked of them
            found = self._call(
                "policies", "organizations:DescribePolicy", lambda: self._api.describe_policy(PolicyId=identifier)
            )
            targets = self._pages("policies", "list_targets_for_policy", "Targets", PolicyId=identifier)
        return Policy(
            id=identifier,
            name=summary["Name"],
            type=summary["Type"],
            description=summary.get("Description", ""),
            document=found["Policy"]["Content"] if found else "",
            targets=tuple(target["TargetId"] for target in targets),
            aws_managed=managed,
        )

    def _services(self, organization: Organization) -> Organization:
        services = self._pages("trusted access", "list_aws_service_access_for_organization", "EnabledServicePrincipals")
        administrators = self._pages(
            "delegated administrators", "list_delegated_administrators", "DelegatedAdministrators"
        )
        return replace(
            organization,
            trusted_services=tuple(sorted(service["ServicePrincipal"] for service in services)),
            delegated_administrators={one["Id"]: self._delegated(one["Id"]) for one in administrators},
        )

    def _settings(self, organization: Organization, caller: Caller) -> Organization:
        pending = self._pages(
            "pending requests", "list_create_account_status", "CreateAccountStatuses", States=["IN_PROGRESS"]
        )
        features: Any = {}
        if "iam.amazonaws.com" in organization.trusted_services:
            features = self._call(
                "root access", "iam:ListOrganizationsFeatures", self._client("iam").list_organizations_features
            )
        return replace(
            organization,
            root_features=tuple(sorted(features["EnabledFeatures"])) if features else (),
            pending=tuple(
                Request(one["Id"], one["AccountName"], one["RequestedTimestamp"].isoformat()) for one in pending
            ),
            invitations=self._invitations(),
            account_quota=self._account_quota(caller),
            has_resource_policy=self._has_resource_policy(),
        )

    def _delegated(self, account: str) -> tuple[str, ...]:
        services = self._pages(
            "delegated administrators", "list_delegated_services_for_account", "DelegatedServices", AccountId=account
        )
        return tuple(sorted(service["ServicePrincipal"] for service in services))

    def _invitations(self) -> int:
        open_ones = self._pages(
            "invitations", "list_handshakes_for_organization", "Handshakes", Filter={"ActionType": "INVITE"}
        )
        return sum(one["State"] in ("REQUESTED", "OPEN") for one in open_ones)

    def _account_quota(self, caller: Caller) -> int | None:
        quotas = self._client("service-quotas", _QUOTA_REGIONS.get(caller.partition, self._region))
        wanted = {"ServiceCode": "organizations", "QuotaCode": ACCOUNTS_QUOTA}

        def applied() -> Any:  # noqa: ANN401 - boto3's answer
            try:
                return quotas.get_service_quota(**wanted)
            except quotas.exceptions.NoSuchResourceException:  # never raised for this account
                return None

        part = "account quota"
        found = self._call(part, "servicequotas:GetServiceQuota", applied)
        if found is None and part not in self._unread:
            action = "servicequotas:GetAWSDefaultServiceQuota"
            found = self._call(part, action, lambda: quotas.get_aws_default_service_quota(**wanted))
        return int(found["Quota"]["Value"]) if found else None

    def _has_resource_policy(self) -> bool:
        def described() -> bool:
            try:
                self._api.describe_resource_policy()
            except self._api.exceptions.ResourcePolicyNotFoundException:
                return False
            return True

        return bool(self._call("resource policy", "organizations:DescribeResourcePolicy", described))

    def _tagged(self, organization: Organization) -> Organization:
        own = [policy.id for policy in organization.policies if not policy.aws_managed]
        names = [unit.id for unit in organization.units] + [account.id for account in organization.accounts] + own
        tags = dict(zip(names, self._all(names, self._tags), strict=True))
        return replace(
            organization,
            units=tuple(replace(unit, tags=tags[unit.id]) for unit in organization.units),
            accounts=tuple(replace(account, tags=tags[account.id]) for account in organization.accounts),
            policies=tuple(replace(policy, tags=tags.get(policy.id, {})) for policy in organization.policies),
        )

    def _tags(self, identifier: str) -> dict[str, str]:
        pairs = self._pages("tags", "list_tags_for_resource", "Tags", ResourceId=identifier)
        return {pair["Key"]: pair["Value"] for pair in pairs}

    def _pages(self, part: str, operation: str, key: str, **arguments: Any) -> list[Any]:  # noqa: ANN401 - boto3's
        """All items of a listing; none when the permission is missing, which is noted."""
        paginator = self._api.get_paginator(operation)

        def listed() -> list[Any]:
            return [item for page in paginator.paginate(**arguments) for item in page[key]]

        action = f"organizations:{self._api.meta.method_to_api_mapping[operation]}"
        return self._call(part, action, listed) or []

    def _call(self, part: str, action: str, call: Callable[[], _Result]) -> _Result | None:
        try:
            return call()
        except ClientError as error:
            self._note(part, action, error)
            return None

    def _note(self, part: str, action: str, error: ClientError) -> None:
        if error.response["Error"]["Code"] not in DENIED:
            raise error
        self._unread[part] = action

    def _all(self, items: Iterable[_Item], work: Callable[[_Item], _Result]) -> list[_Result]:
        """`work` of each item, several at once, in the order of the items."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(work, items))

    def _client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401 - boto3 makes it at run time
        return self._session.client(service, region_name=region or self._region, config=RETRIES)  # type: ignore[call-overload]
