"""Whoever does what the next step of a refused setting says has a config that is taken."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.next_steps import giving, never_given
from tests.test_settings import DENY, DOOR, MANAGEMENT, STAGE, refused
from twokeys import settings
from twokeys.doors.documents import OWN_CONDITIONS, OwnCondition
from twokeys.settings import parse
from twokeys.settings.problem import Problem

EXAMPLE: dict[str, Any] = {
    key.partition(":")[2]: value
    for key, value in yaml.safe_load((Path(__file__).parents[1] / "Pulumi.management.yaml").read_text())[
        "config"
    ].items()
}
Changes = dict[str, Any]
"""What is set at each path, its keys parted by `/`; None takes it out."""
NO_DOORS: Changes = {"doors": {}}
IN_MANAGEMENT: Changes = {"accounts": {"stage": {}}, "doors": STAGE["doors"]}
BY_CENTER: Changes = {"doors/ci/via": "identity-center", "doors/ci/from": {"group": "developers"}}
THERE = {"role": "ci", "exists": True}
STATEMENT = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
GRANT = {"from": {"role": "ci"}, "to": {"role": "auditor"}, "reason": "The audit", "owner": "security"}
GITHUB = {"issuer": "token.actions.githubusercontent.com", "subjects": ["repo:acme/app:ref:refs/heads/main"]}
CENTER = {"groups": {"developers": []}, "users": {}}
TAG = {"type": "TAG_POLICY", "targets": ["Workloads"], "document": {"tags": {}}}
SCP = {"Version": "2012-10-17", "Statement": [DENY]}
WITH_TAG_POLICIES: Changes = {"organization/policyTypes": ["SERVICE_CONTROL_POLICY", "TAG_POLICY"]}
TWO_USERS: Changes = {
    "people/users": ["alice", "bob"],
    "doors/ci/from": {"group": "developers", "members": ["alice", "bob"]},
}
A_CIRCLE = {
    one: DOOR | {"from": {"role": other, "account": other}, "to": {"role": one, "account": one}}
    for one, other in ("ab", "ba")
}
QUARANTINED: Changes = {"accounts": {"stage": {"organizationalUnit": "Workloads", "state": "quarantined"}}}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
STEPS: list[tuple[dict[str, Any], Changes, str, Changes]] = [
    (STAGE, {"accounts": "{"}, "write it as an object", {"accounts": {"stage": {}}}),
    (STAGE, {"doors/ci/conditions": {"aws:SourceIp": "192.0.2.7"}}, "write it as in {IpAddress: {aws:SourceIp: [",
     {"doors/ci/conditions": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}}),
    (STAGE, {"aws:region": "eu-west-1"}, "remove it; the region is twokeys:region",
     {"aws:region": None, "region": "eu-west-1"}),
    (STAGE, {"managementAccountId": "1"}, 'write all 12 digits in quotes, as in "111111111111"',
     {"managementAccountId": "1" * 12}),
    # accounts
    (STAGE, {"accounts/stage": {"state": "quarantined", "organizationalUnit": "Workloads"}}, "remove the door",
     NO_DOORS),
    (STAGE, {**NO_DOORS, "accounts/management": {}}, "choose another key",
     {"accounts/management": None, "accounts/hub": {}}),
    (STAGE, {**NO_DOORS, "accounts": {"a": {"adopt": "1" * 12}, "b": {}}}, "remove this account's entry",
     {"accounts/a": None}),
    (STAGE, {**NO_DOORS, "accounts/stage": {"access": {"enter": False}}}, "remove it", {"accounts/stage/access": None}),
    (STAGE, {**NO_DOORS, "accounts/stage": {"adopt": "2" * 12, "access": {"enter": False},
     "baseline": {"encryptEbs": True}}},
     "let it in with a role (access.role)", {"accounts/stage/access": {"role": "Enter"}}),
    (STAGE, {**NO_DOORS, "accounts/stage": {"adopt": "2" * 12, "access": {"enter": False},
     "baseline": {"encryptEbs": True}}},
     "or remove this", {"accounts/stage/baseline": None}),
    (STAGE, {"accounts/stage": {"adopt": "2" * 12, "access": {"enter": False}}}, "or remove this", NO_DOORS),
    (EXAMPLE, {"accounts/log-archive": {"organizationalUnit": "Security", "adopt": "2" * 12,
     "access": {"enter": False}}},
     "let it in with a role (access.role)", {"accounts/log-archive/access": {"role": "OrganizationAccountAccessRole"}}),
    (EXAMPLE, {"accounts/log-archive": {"organizationalUnit": "Security", "adopt": "2" * 12, "state": "closed"}},
     "give this duty to another account", {"audit/account": "security"}),
    (STAGE, {**NO_DOORS, "accounts/stage": {"state": "closed"}}, "name its id", {"accounts/stage/adopt": "2" * 12}),
    (STAGE, {**NO_DOORS, "accounts/stage": {"state": "quarantined"}}, "name the unit that it returns to",
     {"accounts/stage/organizationalUnit": "Workloads"}),
    (MANAGEMENT, {"organization/quarantine": "root"}, "such as Quarantine", {"organization/quarantine": "Quarantine"}),
    (MANAGEMENT, QUARANTINED, "name one in organization.quarantine", {"organization/quarantine": "Quarantine"}),
    (EXAMPLE, {"accounts/security/organizationalUnit": "Quarantine", "audit/delegatedAdministrators": {}},
     "name the account's own unit, where it returns to, and say `state: quarantined`",
     {"accounts/security/organizationalUnit": "Security", "accounts/security/state": "quarantined"}),
    (STAGE, {"rootEmail": f"{'a' * 50}@company.com"}, "give this account an address of its own",
     {"accounts/stage": {"email": "a@company.com"}}),
    (STAGE, {"accounts/stage": {"email": "EXAMPLE@company.com"}}, "give each account an address of its own",
     {"accounts/stage/email": "other@company.com"}),
    (MANAGEMENT, {"accounts": {key: {"adopt": "2" * 12, "email": f"{key}@company.com"} for key in "ab"}},
     "keep one of the two entries", {"accounts/b": None}),
    (STAGE, {**NO_DOORS, "accounts": {"one": {"name": "same"}, "two": {"name": "same"}}}, "name it apart",
     {"accounts/one/name": "other"}),
    # the organization
    (MANAGEMENT, {"organization": {"create": False, "policyTypes": []}}, "remove it",
     {"organization/policyTypes": None}),
    (MANAGEMENT, {"organization": {"create": False, "policyTypes": []}}, "or set organization.create to true",
     {"organization/create": True}),
    (MANAGEMENT, {"organization/delegatedAdministrators": {"1" * 12: {"services": ["config.amazonaws.com"]}}},
     "name a member account",
     {"organization/delegatedAdministrators": {"2" * 12: {"services": ["config.amazonaws.com"]}}}),
    (MANAGEMENT, {"organization/organizationalUnits/root": {}}, "choose another key; `name` is what AWS calls it",
     {"organization/organizationalUnits/root": None, "organization/organizationalUnits/top": {"name": "root"}}),
    (MANAGEMENT, {"accounts/log": {"organizationalUnit": "Security"}}, "add it to organization.organizationalUnits",
     {"organization/organizationalUnits/Security": {}}),
    (MANAGEMENT, {"organization/policyTypes": ["TAG_POLICY"]}, "add SERVICE_CONTROL_POLICY to organization.policyTypes",
     {"organization/policyTypes": ["TAG_POLICY", "SERVICE_CONTROL_POLICY"]}),
    (MANAGEMENT, {**WITH_TAG_POLICIES, "organization/policies": {"stay": TAG}},
     "choose another key; `name` is what AWS calls it",
     {"organization/policies": {"tags": {**TAG, "name": "stay"}}}),
    (EXAMPLE, {"organization/policyTypes": ["TAG_POLICY"]}, "add SERVICE_CONTROL_POLICY to organization.policyTypes",
     {"organization/policyTypes": ["TAG_POLICY", "SERVICE_CONTROL_POLICY"]}),
    (EXAMPLE, {"organization/policyTypes": ["SERVICE_CONTROL_POLICY"]}, "add TAG_POLICY to organization.policyTypes",
     {"organization/policyTypes": ["TAG_POLICY", "SERVICE_CONTROL_POLICY"]}),
    (EXAMPLE, {"organization/allowedRegions": ["eu-central-1"]}, "list the allowed regions, us-east-1 among them",
     {"organization/allowedRegions": ["eu-central-1", "us-east-1"]}),
    (EXAMPLE, {"organization/guardRails": {"root": ["keep-access-role"]}}, "add allowed-regions to a target",
     {"organization/guardRails/Workloads": ["allowed-regions"]}),
    (EXAMPLE, {"accounts/identity/access": {"role": "Enter"}}, "add it to organization.accessRoles",
     {"organization/accessRoles": ["Enter", "OrganizationAccountAccessRole"]}),
    (EXAMPLE, {"audit/delegatedAdministrators/log-archive": ["config"]}, "name one account for it",
     {"audit/delegatedAdministrators/log-archive": None}),
    (EXAMPLE, {"tags": {"environment": "shared"}}, "add the tag to `tags`", {"tags/managed-by": "twokeys"}),
    (EXAMPLE, {"tags/environment": "hub"}, "change it in `tags`", {"tags/environment": "prod"}),
    (EXAMPLE, {"tags/environment": "hub"}, "add it to the values", {"bill/tags/environment/values": ["hub"]}),
    (STAGE, {"bill": EXAMPLE["bill"]}, "move `bill` to the management stack's config", {"bill": None}),
    (EXAMPLE, {"organization/trustedServices": ["iam.amazonaws.com"], "audit": None, "people/identityCenter": CENTER},
     "add sso.amazonaws.com to organization.trustedServices",
     {"organization/trustedServices": ["iam.amazonaws.com", "sso.amazonaws.com"]}),
    (MANAGEMENT, {"organization/organizationalUnits": {one: {"id": "ou-ab12-cd345678"} for one in ("Workloads", "B")}},
     "give each unit its own", {"organization/organizationalUnits/B/id": "ou-ab12-cd345679"}),
    (MANAGEMENT, {**WITH_TAG_POLICIES, "organization/policies": {one: {**TAG, "name": "tags"} for one in "ab"}},
     "name one of them differently", {"organization/policies/a/name": "other"}),
    (MANAGEMENT, {**WITH_TAG_POLICIES, "organization/policies": {"a": {**TAG, "document": {"tags": "x" * 10_300}}}},
     "or say less",
     {"organization/policies/a": TAG}),
    (MANAGEMENT, {"organization/policies": {"a": {**TAG, "type": "SERVICE_CONTROL_POLICY", "document": SCP}}},
     "move it to serviceControlPolicies",
     {"organization/policies": None, "organization/serviceControlPolicies/a": {"targets": [], "document": SCP}}),
    (MANAGEMENT, {f"organization/serviceControlPolicies/a{one}": {"targets": ["Workloads"],
     "document": SCP} for one in range(9)},
     "attach some to the units above or below", {"organization/serviceControlPolicies/a0/targets": ["root"]}),
    (MANAGEMENT, {"organization/serviceControlPolicies/stay/attached": {"Workloads": "ou-ab12-cd345678"}}, "remove it",
     {"organization/serviceControlPolicies/stay/attached": None}),
    (MANAGEMENT, {"organization/policies": {"a": {"type": "RESOURCE_CONTROL_POLICY", "targets": [], "document": SCP}}},
     "correct it as https://docs.aws.amazon.com/",
     {"organization/policies/a/document/Statement": [{**DENY, "Principal": "*", "Action": "s3:*"}]}),
    (EXAMPLE, {"audit/account": "archive"}, "name one of them", {"audit/account": "log-archive"}),
    # people
    (MANAGEMENT, {"people/groups/developers": ["carol"]}, "add the user to people.users",
     {"people/users": ["alice", "carol"]}),
    (MANAGEMENT, {"organization/trustedServices": ["sso.amazonaws.com"],
     "people": {"users": [f"u{one}" for one in range(5001)]}},
     "let them come through IAM Identity Center", {"people": {"identityCenter": CENTER}}),
    (STAGE, {"people": {"users": ["alice"]}}, "move the rest of `people` to the management stack's config",
     {"people": None}),
    (EXAMPLE, {"people/breakGlass/users": ["alice"]}, "name a user for emergencies alone, such as emergency-1",
     {"people/breakGlass/users": ["emergency-1"]}),
    (EXAMPLE, {"people/account": "nobody"}, "name one of them", {"people/account": "identity"}),
    (MANAGEMENT, {"people/breakGlass": {"users": ["carol"], "notify": ["a@company.com"]}},
     "add the user to people.users",
     {"people/users": ["alice", "carol"]}),
    (MANAGEMENT, {"people/breakGlass": {"users": ["alice"], "notify": ["a@company.com"], "role": "ci"}},
     "choose another name for one",
     {"people/breakGlass/role": "glass"}),
    (MANAGEMENT, {"people/roles/CI": {}}, "name one of them differently",
     {"people/roles/CI": None, "people/roles/cd": {}}),
    (MANAGEMENT, {"people/roles/ci": {"oidc": {**GITHUB, "issuer": "token.action.githubusercontent.com"}}},
     f"write {GITHUB['issuer']}", {"people/roles/ci/oidc/issuer": GITHUB["issuer"]}),
    (MANAGEMENT, {"people/roles/ci": {"oidc": {**GITHUB, "subjects": ["*"]}}},
     "write the beginning of your own subjects",
     {"people/roles/ci/oidc/subjects": ["repo:acme/app:*"]}),
    (MANAGEMENT, {"people/roles/ci": {"oidc": {**GITHUB, "subjects": ["repo:*"]}}},
     "your organization's name to its end",
     {"people/roles/ci/oidc/subjects": ["repo:acme/app:*"]}),
    (MANAGEMENT, {"people/roles/ci": {"oidc": {"issuer": "gitlab.com", "subjects": ["repo:acme/app:*"]}}},
     "write it as in project_path:acme/app:ref_type:branch:ref:main",
     {"people/roles/ci/oidc/subjects": ["project_path:acme/app:ref_type:branch:ref:main"]}),
    (MANAGEMENT, {"people/roles/ci": {"oidc": {"issuer": "api.pulumi.com/oidc",
     "subjects": ["pulumi:deploy:org:acme:*"]}}},
     "give your own audience, a value without wildcards", {"people/roles/ci/oidc/audience": "aws:acme"}),
    (MANAGEMENT, {"people/groups": {f"g{one}": ["alice"] for one in range(11)}}, "take the user out of some of them",
     {"people/groups/g0": []}),
    (MANAGEMENT, {"people/groups": {f"g{one}": [] for one in range(301)}}, "join some of them",
     {"people/groups/g0": None}),
    (MANAGEMENT, {"people/groups": {f"g{one}": [] for one in range(301)}}, "say it in quotas.groupsPerAccount",
     {"quotas": {"groupsPerAccount": 400}}),
    # doors
    (STAGE, {"accounts": {"a": {}, "b": {}}, "doors": A_CIRCLE}, "let one of them start from another role",
     {"doors/a/from": {"role": "ci"}}),
    (STAGE, {**BY_CENTER, "doors/ci/from/account": "tools"}, "remove it", {"doors/ci/from/account": None}),
    (STAGE, {"accounts/two": {}}, "name the account", {"doors/ci/to/account": "stage"}),
    (STAGE, {"doors/ci/conditions": {"StringEquals": {"sts:ExternalId": "ticket-4711"}}},
     "say it as `externalId` alone",
     {"doors/ci/conditions": None, "doors/ci/externalId": "ticket-4711"}),
    (MANAGEMENT, {**IN_MANAGEMENT, **TWO_USERS}, "write members: [alice]", {"doors/ci/from/members": ["alice"]}),
    (MANAGEMENT, {**IN_MANAGEMENT, **TWO_USERS}, "or add bob to people.groups.developers",
     {"people/groups/developers": ["alice", "bob"]}),
    (STAGE, {"doors/ci/from/account": "9" * 12}, "add `keys: [trust]` and an `externalId`",
     {"doors/ci/keys": ["trust"], "doors/ci/externalId": "ticket-4711"}),
    (STAGE, {"accounts/tools": {"state": "quarantined", "organizationalUnit": "Workloads"},
     "doors/ci/to/account": "stage",
             "doors/ci/from": THERE | {"account": "tools"}}, "or leave it out for the account where `people` live",
     {"doors/ci/from/account": None}),
    (STAGE, {"doors/stage-all": DOOR, "doors/all": DOOR | {"to": {"role": "all", "account": "*"}}},
     "name one of them differently",
     {"doors/stage-all": None, "doors/other": DOOR | {"to": {"role": "other"}}, "doors/ci": None}),
    (STAGE, {"doors/two": DOOR}, "give each door a role of its own", {"doors/two/to/role": "two"}),
    (STAGE, {"accounts": {f"a{one}": {} for one in range(99)}, "doors/ci/to/account": "*",
     "doors/ci/from": {"user": "alice"}},
     "and keys: [trust] here", {"doors/ci/keys": ["trust"]}),
    (STAGE, {"doors/ci/from": {"group": "d", "members": [f"firstname.lastname{one}@company.com" for one in range(60)]}},
     "split the members over two doors", {"doors/ci/from/members": ["firstname.lastname1@company.com"]}),
    (STAGE, {"accounts/stage": {"budget": {"monthly": 10, "notify": ["a@company.com"], "actual": [*range(1, 12)]}}},
     "leave some of the percentages", {"accounts/stage/budget/actual": [100]}),
    (STAGE, {"doors/ci/permissions/managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAcess"]}, f"write {READ_ONLY}",
     {"doors/ci/permissions/managedPolicies": [READ_ONLY]}),
    (STAGE, {"doors/ci/permissions/managedPolicies": ["arn:aws:iam::aws:policy/Zzz"]}, "name it in newerAwsPolicies",
     {"newerAwsPolicies": ["arn:aws:iam::aws:policy/Zzz"]}),
    (MANAGEMENT, {**IN_MANAGEMENT, "people/groups/developers": [], "doors/ci/from": {"group": "developers"}},
     "add a member",
     {"people/groups/developers": ["alice"]}),
    (STAGE, {"doors/ci/sessionSeconds": 3601}, "set it to 3600", {"doors/ci/sessionSeconds": 3600}),
    (STAGE, {"doors/ci/mfa": True}, "leave it out, and ask for MFA where people enter that role",
     {"doors/ci/mfa": None}),
    (STAGE, {"doors/ci/from": {"group": "search team", "members": ["alice"]}}, "write it so",
     {"doors/ci/from/group": "search-team"}),
    (STAGE, {"doors/ci/permissions": {}}, "add managedPolicies", {"doors/ci/permissions/managedPolicies": [READ_ONLY]}),
    (STAGE, {"doors/ci/permissions": {}}, "or statements", {"doors/ci/permissions/statements": [STATEMENT]}),
    (STAGE, {"doors/ci/to/role": "aws-service-role/x"}, "choose another path, or none", {"doors/ci/to/role": "x"}),
    (STAGE, {"doors/ci/keys": ["grant"]}, "write keys: [trust, grant]", {"doors/ci/keys": ["trust", "grant"]}),
    (STAGE, {"doors/ci/keys": ["grant"]}, "or take permissions out here", {"doors/ci/permissions": None}),
    (MANAGEMENT, {**IN_MANAGEMENT, "doors/ci/from": {"role": "cd"}}, "add it to people.roles", {"people/roles/cd": {}}),
    (MANAGEMENT, {**IN_MANAGEMENT, "doors/ci/from": {"role": "cl"}}, "write ci, if that is meant",
     {"doors/ci/from/role": "ci"}),
    (MANAGEMENT, {**IN_MANAGEMENT, "doors/ci/from": {"role": "cd"}}, "say `exists: true`",
     {"doors/ci/from/exists": True}),
    (STAGE, {"accounts/tools": {}, "doors/ci/to/account": "stage", "doors/ci/from/account": "tools"},
     "say `exists: true`",
     {"doors/ci/from/exists": True}),
    (STAGE, {"doors/ci/via": "identity-center"}, "name one user or group", {"doors/ci/from": {"user": "alice"}}),
    (MANAGEMENT, {**IN_MANAGEMENT, **BY_CENTER}, "or leave `via` out", {"doors/ci/via": None}),
    (MANAGEMENT, {**IN_MANAGEMENT, **BY_CENTER, "organization/create": False,
     "organization/serviceControlPolicies": {}},
     "add it to people.identityCenter", {"people/identityCenter": CENTER}),
    (STAGE, {**BY_CENTER, "doors/ci/permissions": {"managedPolicies": [f"arn:aws:iam::{'2' * 12}:policy/p"]}},
     "write what the policy says as statements", {"doors/ci/permissions": {"statements": [STATEMENT]}}),
    (STAGE, {**BY_CENTER, "doors/ci/mfa": True}, "remove it", {"doors/ci/mfa": None}),
    (STAGE, {**BY_CENTER, "doors/ci/to/role": "deploy/deployer"}, "choose a shorter role name, without a path",
     {"doors/ci/to/role": "deployer"}),
    (STAGE, {"accounts/hub": {}, "doors/ci/to/account": "hub", "doors/ci/from": THERE | {"stack": "shared"}},
     "or remove `stack`",
     {"doors/ci/from/stack": None}),
    (STAGE, {"accounts/hub": {}, "doors/ci/to/account": "hub", "doors/ci/from": THERE | {"stack": "shared"}},
     "name an account of that stack as `account`", {"doors/ci/from/account": "tools"}),
    (STAGE, {"doors/ci/from": THERE | {"account": "stage"}}, "name another account",
     {"doors/ci/from/account": "tools"}),
    (MANAGEMENT, {**IN_MANAGEMENT, "doors/ci/from": THERE | {"account": "tools"}}, "`management`",
     {"doors/ci/from/account": "management"}),
    (MANAGEMENT, {**IN_MANAGEMENT, "doors/ci/from": THERE | {"account": "tools"}},
     "or say the `stack` that it belongs to",
     {"doors/ci/from/stack": "tools"}),
    (STAGE, {"doors/ci/from": {"group": "developers", "account": "tools", "exists": True}}, "list the members",
     {"doors/ci/from/members": ["alice"]}),
    (STAGE, {"doors/ci/from": {"group": "d", "members": ["alice", "alice"]}}, "list it once",
     {"doors/ci/from/members": ["alice"]}),
    (STAGE, {"doors/ci/to/role": "OrganizationAccountAccessRole"}, "choose another name",
     {"doors/ci/to/role": "deployer"}),
    (STAGE, {**BY_CENTER, "doors/ci/reason": "r" * 701}, "say it in fewer words", {"doors/ci/reason": "r"}),
    (STAGE, {"doors/ci/permissions/managedPolicies": [f"arn:aws:iam::{'2' * 12}:policy/p{one}" for one in range(11)]},
     "say it in quotas.managedPoliciesPerRole", {"quotas": {"managedPoliciesPerRole": 20}}),
    (STAGE,
     {"doors/ci/permissions/managedPolicies": ["arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"]},
     "name a policy that roles can have", {"doors/ci/permissions/managedPolicies": [READ_ONLY]}),
    (STAGE, {"doors/ci/permissions/boundary": f"arn:aws-cn:iam::{'2' * 12}:policy/b"},
     f"write it as arn:aws:iam::{'2' * 12}:policy/b",
     {"doors/ci/permissions/boundary": f"arn:aws:iam::{'2' * 12}:policy/b"}),
    (STAGE, {"tags": {"Team": "a", "team": "b"}}, "keep one of them", {"tags/Team": None}),
    (STAGE, {"tags": {f"b{one}": "v" for one in range(9)},
     "accounts/stage": {"tags": {f"a{one}": "v" for one in range(42)}}}, "leave some of them out",
     {"accounts/stage/tags": {"a": "v"}}),
    # grants
    (STAGE, {"organizationGrants": {"auditor": GRANT}}, "move `organizationGrants` to the management stack's config",
     {"organizationGrants": None}),
    (MANAGEMENT, {"organizationGrants": {"a": GRANT, "b": GRANT}}, "grant a source each role once",
     {"organizationGrants/b": None}),
    (MANAGEMENT, {"organizationGrants": {"a": {**GRANT, "from": {"user": "mallory"}}}}, "or add the user",
     {"people/users": ["alice", "mallory"]}),
    (MANAGEMENT, {"organizationGrants": {"a": {**GRANT, "to": {"role": "OrganizationAccountAccessRole"}}}},
     "choose another name",
     {"organizationGrants/a/to/role": "auditor"}),
]  # fmt: skip


def with_changes(config: dict[str, Any], changes: Changes) -> dict[str, Any]:
    copy = deepcopy(config)
    for path, value in changes.items():
        *parents, last = path.split("/")
        inner = copy
        for key in parents:
            inner = inner.setdefault(key, {})
        if value is None:
            inner.pop(last)
        else:
            inner[last] = deepcopy(value)
    return copy


@pytest.mark.parametrize(
    ("config", "given", "step", "taken"), STEPS, ids=[f"{step[:40]} {list(taken)}" for *_, step, taken in STEPS]
)
def test_a_config_that_takes_the_next_step_is_taken(
    config: dict[str, Any], given: Changes, step: str, taken: Changes
) -> None:
    stack = "stage" if config is STAGE else "management"
    wrong = with_changes(config, given)
    refusal = refused(wrong, stack)
    assert step in f"{refusal.next_step}{refusal.why}"
    parse(stack, with_changes(wrong, taken))


def test_every_refusal_of_a_setting_has_a_next_step_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OWN_CONDITIONS, "owner", OwnCondition("IpAddress", "acme:Owner", str))  # a field to come
    with giving((Problem,), monkeypatch) as places:
        refused(with_changes(STAGE, {"doors/ci/owner": "nonsense"}))
        monkeypatch.delitem(OWN_CONDITIONS, "owner")
        for config, given, _, _ in STEPS:
            refused(with_changes(config, given), "stage" if config is STAGE else "management")
    missing = [*never_given(Path(settings.__file__).parent, {"Problem"}, places)]
    assert not missing, f"add to STEPS a config that each of these refuses, and what its next step changes: {missing}"
