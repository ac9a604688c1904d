"""An organization that somebody made by hand, with plain boto3, in the local AWS."""

import json
from dataclasses import dataclass, field
from typing import Any

import boto3

from twokeys.organization.model import Live
from twokeys.organization.reading import read_live
from twokeys.sandbox.local_aws import LocalAws
from twokeys.verify.attempts import Keys

MANAGEMENT = "111111111111"
ALLOW = {"Effect": "Allow", "Resource": "*"}
TAGS = [{"Key": "environment", "Value": "prod"}]


def deny(action: str) -> str:
    """A service control policy, laid out as a person would: taking it over must not change a space of it."""
    statement = {"Sid": "No", "Effect": "Deny", "Action": [action], "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


@dataclass
class Existing:
    """A management account's organization, and the ids of what was made in it."""

    aws: LocalAws
    ids: dict[str, str] = field(default_factory=dict)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    @staticmethod
    def session(account: str = MANAGEMENT) -> boto3.Session:
        return boto3.Session(aws_access_key_id=account, aws_secret_access_key="test", region_name="us-east-1")

    def client(self, service: str, account: str = MANAGEMENT) -> Any:
        if (service, account) not in self.clients:
            session: Any = self.session(account)
            self.clients[service, account] = session.client(service, endpoint_url=self.aws.endpoint)
        return self.clients[service, account]

    def begin(self) -> str:
        """Create the organization; the id of its root."""
        api = self.client("organizations")
        api.create_organization(FeatureSet="ALL")
        return str(api.list_roots()["Roots"][0]["Id"])

    def unit(self, parent: str, name: str, **more: Any) -> str:
        made = self.client("organizations").create_organizational_unit(ParentId=parent, Name=name, **more)
        return str(made["OrganizationalUnit"]["Id"])

    def account(self, name: str, email: str, parent: str | None = None, **more: Any) -> str:
        api = self.client("organizations")
        status = api.create_account(AccountName=name, Email=email, **more)["CreateAccountStatus"]
        while status["State"] == "IN_PROGRESS":
            status = api.describe_create_account_status(CreateAccountRequestId=status["Id"])["CreateAccountStatus"]
        account = str(status["AccountId"])
        if parent is not None:
            source = api.list_parents(ChildId=account)["Parents"][0]["Id"]
            api.move_account(AccountId=account, SourceParentId=source, DestinationParentId=parent)
        return account

    def policy(self, name: str, content: str, *targets: str, type: str = "SERVICE_CONTROL_POLICY", **more: Any) -> str:
        api = self.client("organizations")
        said = {"Name": name, "Content": content, "Type": type, "Description": "", **more}
        policy = str(api.create_policy(**said)["Policy"]["PolicySummary"]["Id"])
        for target in targets:
            api.attach_policy(PolicyId=policy, TargetId=target)
        return policy

    def without_access_role(self, account: str) -> None:
        """As an account is that was invited: AWS made no access role in it."""
        inside = self.client("iam", account)
        role = "OrganizationAccountAccessRole"
        inside.detach_role_policy(RoleName=role, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        inside.delete_role(RoleName=role)

    def clerk(self, *actions: str) -> Keys:
        """The access key of a user of the management account who may do only this."""
        iam = self.client("iam")
        iam.create_user(UserName="clerk")
        document = json.dumps({"Version": "2012-10-17", "Statement": [{**ALLOW, "Action": list(actions)}]})
        iam.put_user_policy(UserName="clerk", PolicyName="some", PolicyDocument=document)
        made = iam.create_access_key(UserName="clerk")["AccessKey"]
        return Keys(made["AccessKeyId"], made["SecretAccessKey"])

    def live(self, *, tags: bool = True) -> Live:
        """The environment names the local AWS."""
        return read_live(self.session(), tags=tags)


def grown(existing: Existing) -> Existing:
    """An organization as years leave it: nested units, odd names, policies on every level, all kinds of accounts."""
    ids, api = existing.ids, existing.client("organizations")
    root = ids["root"] = existing.begin()
    for kind in ("SERVICE_CONTROL_POLICY", "TAG_POLICY"):
        api.enable_policy_type(RootId=root, PolicyType=kind)
    for service in ("access-analyzer.amazonaws.com", "config.amazonaws.com", "iam.amazonaws.com"):
        api.enable_aws_service_access(ServicePrincipal=service)
    parent = root
    for level, name in enumerate(("Workloads", "Web", "Prod", "Blue", "Deep"), 1):
        parent = ids[f"level-{level}"] = existing.unit(parent, name, **({"Tags": TAGS} if level == 3 else {}))
    ids["odd"] = existing.unit(root, "R/D: “Größe” & 100%")
    ids["named root"] = existing.unit(root, "root")
    ids["empty"] = existing.unit(root, "Empty")
    ids["shop"] = existing.account("shop", "master+shop@elsewhere.org", ids["level-3"], Tags=TAGS)
    ids["deep"] = existing.account("Deep Sea", "deep@company.com", ids["level-5"])
    ids["twin 1"] = existing.account("Twin", "twin-1@company.com", ids["odd"])
    ids["twin 2"] = existing.account("twin", "twin-2@company.com", ids["odd"])
    ids["same 1"] = existing.account("Same name", "same-1@company.com")
    ids["same 2"] = existing.account("Same name", "same-2@company.com")
    ids["management"] = existing.account("Management", "called-management@company.com")
    ids["invited"] = existing.account("Invited", "invited@company.com", ids["level-1"])
    existing.without_access_role(ids["invited"])
    ids["suspended"] = existing.account("Gone", "gone@company.com", ids["level-1"])
    api.close_account(AccountId=ids["suspended"])
    for account, service in (("deep", "config"), ("deep", "access-analyzer"), ("shop", "config")):
        api.register_delegated_administrator(AccountId=ids[account], ServicePrincipal=f"{service}.amazonaws.com")
    ids["stay"] = existing.policy("stay", deny("organizations:LeaveOrganization"), root, Description="Nobody leaves")
    ids["many"] = existing.policy("Deny: a / b", deny("s3:*"), ids["level-1"], ids["level-3"], ids["odd"], ids["shop"])
    ids["unused"] = existing.policy("unused", deny("ec2:*"), Tags=TAGS)
    tags = json.dumps({"tags": {"environment": {"tag_key": {"@@assign": "environment"}}}})
    ids["tag policy"] = existing.policy("stay", tags, root, ids["level-5"], type="TAG_POLICY")
    iam = existing.client("iam")
    iam.enable_organizations_root_credentials_management()
    iam.enable_organizations_root_sessions()
    return existing
