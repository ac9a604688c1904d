"""The whole program, with the example of each stack, on the SDK's mock monitor."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.readiness import AccessRole
from components.refusing import ProgramRefusal
from tests.components.mock_engine import COMPUTED, MANAGEMENT, MEMBER, Run, run
from twokeys.errors import Refusal
from twokeys.preview.monitor import RefusedError

ACCOUNT = "aws:organizations/account:Account"
BUDGET = {"monthly": 10, "notify": ["billing@company.com"]}
READ, REFERENCE = "pulumi:pulumi:readStackOutputs", "pulumi:pulumi:StackReference"
IDENTITY = "333333333333"
OUTPUTS = {
    "parent_account_id": MANAGEMENT,
    "people_account_id": IDENTITY,
    "member_account_ids": {"identity": IDENTITY, "tools": "444444444444"},
    "member_account_environments": {"identity": "shared", "tools": "stage"},
    "access_role_arns": {
        "identity": f"arn:aws:iam::{IDENTITY}:role/OrganizationAccountAccessRole",
        "tools": "arn:aws:iam::444444444444:role/AWSControlTowerExecution",
    },
    "access_external_ids": {"tools": "abc-123"},
    "not_entered_account_ids": {"legacy": "555555555555"},
    "organizational_unit_ids": {"Workloads/Stage": "ou-ab12-cd345678", "Workloads/Prod": "ou-ab12-cd345679"},
    "quarantine": {"organizational_unit_id": "ou-ab12-cd345670"},
    "group_members": {"developers": ["alice"]},
    "user_arns": {name: f"arn:aws:iam::{IDENTITY}:user/{name}" for name in ("alice", "bob")},
    "role_arns": {"ci": f"arn:aws:iam::{IDENTITY}:role/ci"},
    "identity_center": {"instance_arn": "arn:aws:sso:::instance/ssoins-1234567890abcdef"},
    "identity_ids": {"group/developers": "g-1"},
}


def missing(args: Mapping[str, Any], provider: str) -> Mapping[str, Any]:
    raise RefusedError(f'unknown stack "{args["name"]}"{provider}')


class Stacks:
    def __init__(self, root: Path) -> None:
        self._root = root

    def config(self, stack: str) -> dict[str, str]:
        config = yaml.safe_load((self._root / f"Pulumi.{stack}.yaml").read_text())["config"]
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}

    def run(
        self,
        stack: str,
        *,
        preview: bool = False,
        deployed: bool = True,
        outputs: Mapping[str, Any] = OUTPUTS,
        there: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> Run:
        changes = {f"twokeys:{key}": json.dumps(value) for key, value in config.items()}
        answer = (lambda _, __: {"outputs": outputs}) if deployed else missing

        def program() -> None:
            runpy.run_path(str(self._root / "__main__.py"), run_name="__main__")

        return run(
            program,
            stack=stack,
            preview=preview,
            config=self.config(stack) | changes,
            calls={READ: answer},
            there={REFERENCE: {"outputs": outputs}, **(there or {})},
        )


@pytest.fixture
def stacks(project_root: Path) -> Stacks:
    return Stacks(project_root)


def test_the_classic_example_comes_out_two_providers_a_parent_and_a_child(stacks: Stacks) -> None:
    outputs = {key: value for key, value in OUTPUTS.items() if key != "people_account_id"}
    done = stacks.run("stage", people={}, outputs=outputs)
    assert set(done.of("pulumi:providers:aws")) == {"management", "stage"}
    assert done.exports["parent_account_id"] == MANAGEMENT
    assert done.exports["child_account_id"] == MEMBER


def test_a_member_stack_exports_all_that_people_and_other_stacks_ask_for(stacks: Stacks) -> None:
    exports = stacks.run("stage").exports
    role = "OrganizationAccountAccessRole"
    assert exports["member_account_ids"] == {"stage": MEMBER}
    assert exports["member_caller_arns"] == {"stage": f"arn:aws:sts::{MEMBER}:assumed-role/x/y"}
    assert exports["parent_caller_arn"] == f"arn:aws:sts::{MANAGEMENT}:assumed-role/x/y"
    assert exports["access_role_arns"] == {"stage": f"arn:aws:iam::{MEMBER}:role/{role}"}
    assert set(exports["switch_role_urls"]) == {f"stage/{role}", "stage/developer"}
    assert [door["name"] for door in exports["doors"]] == ["stage-deployer", "stage-developer"]
    assert exports["readme"].startswith("# ")


def test_the_management_stack_exports_what_the_others_read(stacks: Stacks) -> None:
    exports = stacks.run("management").exports
    units = {"Identity", "Security", "Workloads", "Workloads/Stage", "Workloads/Prod", "Quarantine"}
    assert set(exports["organizational_unit_ids"]) == units
    assert exports["group_members"] == {"developers": ["alice"]}
    assert exports["people_account_id"] == exports["member_account_ids"]["identity"]
    assert set(exports["role_arns"]) == {"ci"}
    assert exports["root_id"] == "r-ab12"
    assert "child_account_id" not in exports


def test_an_account_is_placed_in_the_unit_that_the_management_stack_tells(stacks: Stacks) -> None:
    account = stacks.run("prod").one("aws:organizations/account:Account", "prod")
    assert account.inputs["parentId"] == "ou-ab12-cd345679"


def test_a_quarantined_account_is_placed_in_the_unit_that_the_management_stack_tells(stacks: Stacks) -> None:
    stage = {"organizationalUnit": "Workloads/Stage", "state": "quarantined"}
    done = stacks.run("stage", accounts={"stage": stage}, doors={})
    assert done.one(ACCOUNT, "stage").inputs["parentId"] == "ou-ab12-cd345670"
    assert done.exports["member_account_ids"] == {"stage": MEMBER}


def test_in_the_management_stack_it_is_its_own_unit(stacks: Stacks) -> None:
    config = json.loads(stacks.config("management")["twokeys:accounts"])
    config["security"]["state"] = "quarantined"
    done = stacks.run("management", accounts=config)
    assert done.one(ACCOUNT, "security").inputs["parentId"] == "Quarantine-id"
    assert done.exports["quarantine"] == {"organizational_unit_id": "Quarantine-id"}


def test_of_a_closed_account_nothing_is_left_but_its_id(stacks: Stacks) -> None:
    closed = {"stage": {"state": "closed", "adopt": MEMBER, "budget": BUDGET}}
    done = stacks.run("stage", accounts=closed, doors={})
    assert set(done.of("pulumi:providers:aws")) == {"management"}
    assert done.exports["closed_account_ids"] == {"stage": MEMBER}
    assert not done.exports.keys() & {"child_account_id", "member_account_ids", "access_role_arns", "doors"}
    assert done.calls.count("aws:index/getCallerIdentity:getCallerIdentity") == 1
    assert {each.type for each in done.resources} == {"pulumi:pulumi:Stack", "pulumi:providers:aws"}


def test_an_account_that_is_not_entered_is_adopted_and_nothing_is_made_in_it(
    stacks: Stacks, tried_roles: list[AccessRole]
) -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html: invited accounts have
    # no access role
    outside = {"adopt": MEMBER, "access": {"enter": False}, "budget": BUDGET, "organizationalUnit": "Workloads/Stage"}
    done = stacks.run("stage", accounts={"stage": outside}, doors={}, there={ACCOUNT: {"name": "stage"}})
    assert done.one(ACCOUNT, "stage").import_id == MEMBER
    assert set(done.of("pulumi:providers:aws")) == {"management"}
    assert "aws:budgets/budget:Budget" in {each.type for each in done.resources}
    assert done.exports["not_entered_account_ids"] == {"stage": MEMBER}
    assert tried_roles == []


def test_beside_a_closed_account_the_other_is_the_child(stacks: Stacks) -> None:
    accounts = {"old": {"state": "closed", "adopt": "4" * 12}, "stage": {}}
    done = stacks.run("stage", accounts=accounts, doors={})
    assert done.exports["child_account_id"] == MEMBER
    assert done.exports["member_account_ids"] == {"stage": MEMBER}
    assert set(done.exports["switch_role_urls"]) == {"stage/OrganizationAccountAccessRole"}


@pytest.mark.parametrize("stack", ["management", "stage", "prod"])
def test_each_stack_can_be_previewed_alone_before_anything_exists(stacks: Stacks, stack: str) -> None:
    done = stacks.run(stack, preview=True, deployed=False)
    assert done.exports["parent_account_id"] == MANAGEMENT
    for component in done.of("twokeys:access:CrossAccountAccess").values():
        assert json.dumps(component.inputs["symbolicDocuments"])


def test_a_door_whose_other_key_lives_elsewhere_brings_the_management_stack_along(stacks: Stacks) -> None:
    done = stacks.run("stage", accounts={"stage": {}}, doors={"half": {**AUDIT, "to": {"role": "deployer"}}})
    assert READ in done.calls
    assert done.of("aws:iam/rolePolicy:RolePolicy") == {}


@pytest.mark.parametrize(
    ("source", "nearest"),
    [
        ({"role": "cl"}, "write ci"),
        ({"user": "zoe"}, "people.users"),
        ({"group": "developers", "members": ["alise"]}, ""),
    ],
)
def test_a_door_from_somebody_whom_the_management_stack_does_not_make_is_refused(
    stacks: Stacks, source: dict[str, Any], nearest: str
) -> None:
    door = json.loads(stacks.config("stage")["twokeys:doors"])["stage-deployer"] | {"from": source}
    for preview in (True, False):
        with pytest.raises(ProgramRefusal) as refused:
            stacks.run("stage", preview=preview, doors={"stage-deployer": door})
        assert "AWS refuses a trust in one that is not there" in refused.value.why
        assert nearest in refused.value.next_step
    said = door | {"from": source | {"exists": True}}
    assert "stage-deployer" in stacks.run("stage", doors={"stage-deployer": said}).of("aws:iam/role:Role")


def test_a_door_between_two_member_accounts_has_both_keys_in_their_own_accounts(stacks: Stacks) -> None:
    (door,) = source(role="runner", account="stage").values()
    doors = {"shared": door | {"to": {"role": "reader", "account": "hub"}}}
    done = stacks.run("stage", preview=True, accounts={"stage": {}, "hub": {}}, doors=doors)
    trust, grant = done.one("aws:iam/role:Role", "shared"), done.one("aws:iam/rolePolicy:RolePolicy", "shared-grant")
    assert "::hub::" in trust.provider
    assert "::stage::" in grant.provider
    declared = done.one("twokeys:access:CrossAccountAccess", "shared").inputs["symbolicDocuments"]
    by_type = {each["type"]: each for each in declared}
    principal = by_type["aws:iam/role:Role"]["document"]["Statement"][0]["Principal"]
    assert principal == {"AWS": "arn:aws:iam::account:stage:role/runner"}
    assert by_type["aws:iam/rolePolicy:RolePolicy"]["account"] == "account:stage"


def test_a_door_that_starts_from_the_role_of_another_of_the_same_stack_is_made_after_it(stacks: Stacks) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html (a role that is not
    there is no principal)
    """
    between = {"from": {"role": "reader", "account": "hub"}, "to": {"role": "last", "account": "stage"}}
    doors = {
        "second": {**AUDIT, "keys": ["trust", "grant"], **between},
        "first": {**AUDIT, "keys": ["trust", "grant"], "to": {"role": "reader", "account": "hub"}},
    }
    done = stacks.run("stage", preview=True, accounts={"stage": {}, "hub": {}}, doors=doors)
    for key in (done.one("aws:iam/role:Role", "second"), done.one("aws:iam/rolePolicy:RolePolicy", "second-grant")):
        assert done.one("aws:iam/role:Role", "first").urn in key.dependencies
    doors["first"] |= {"from": {"role": "last", "account": "stage"}}
    with pytest.raises(Refusal, match="the doors second and first start from each other's role"):
        stacks.run("stage", preview=True, accounts={"stage": {}, "hub": {}}, doors=doors)


def test_members_of_a_group_come_from_the_management_stack_when_a_door_lists_none(stacks: Stacks) -> None:
    doors = json.loads(stacks.config("stage")["twokeys:doors"])
    del doors["stage-developer"]["from"]["members"]
    done = stacks.run("stage", doors=doors)
    trust = json.loads(done.one("aws:iam/role:Role", "stage-developer").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{IDENTITY}:user/alice"}


def test_no_aws_resource_is_without_an_explicit_provider(stacks: Stacks) -> None:
    for stack in ("management", "stage", "prod"):
        made = [each for each in stacks.run(stack).resources if each.type.startswith("aws:")]
        assert made
        assert not any("pulumi:providers:aws::default" in each.provider for each in made)


def test_every_setting_reaches_what_it_is_for(stacks: Stacks, tried_roles: list[AccessRole]) -> None:
    oidc = {"issuer": "token.actions.githubusercontent.com", "subjects": ["repo:company/app:*"]}
    contact = {"name": "Security", "title": "On call", "email": "s@company.com", "phone": "+1(555)000-0000"}
    done = stacks.run(
        "management",
        deployed=False,
        organization={"create": True},
        audit={},
        bill={},
        people={"roles": {"ci": {"description": "Deploys", "oidc": oidc}}},
        accounts={
            "stage": {
                "adopt": MEMBER,
                "access": {"role": "Access", "externalId": "abc", "sessionSeconds": 900},
                "contacts": {"security": contact},
                "tags": {"team": "web"},
            }
        },
    )
    account = done.one("aws:organizations/account:Account", "stage")
    asked = (account.import_id, account.inputs["roleName"], account.inputs["tags"])
    assert asked == (MEMBER, "Access", {"team": "web"})
    assert "stage-security" in done.of("aws:account/alternativeContact:AlternativeContact")
    (assumed,) = json.loads(done.one("pulumi:providers:aws", "stage").inputs["assumeRoles"])
    assert (assumed["externalId"], assumed["duration"]) == ("abc", "900s")
    assert done.exports["access_external_ids"] == {"stage": "abc"}
    assert tried_roles[0].external_id == "abc"
    assert "aws:iam/openIdConnectProvider:OpenIdConnectProvider" in {each.type for each in done.resources}


# What of a value stands in what is made or exported, where it is not the value itself.
ENDS_UP_AS: dict[str, dict[str, tuple[str, ...]]] = {
    "assume-role": {
        "via": ("twokeys:access:CrossAccountAccess",),
        "mfa": ("aws:MultiFactorAuthPresent",),
        "keys": ("aws:iam/role:Role", "aws:iam/rolePolicy:RolePolicy"),
        "expires": ("2027-02-01T00:00:00Z",),
    },
    "identity-center": {
        "via": ("aws:ssoadmin/permissionSet:PermissionSet",),
        "sessionSeconds": ("PT4H", "14400"),
        "expires": ("2027-02-01T00:00:00Z",),
    },
}
DOOR = {"reason": "Reads at night", "owner": "team-of-the-night", "expires": "2027-01-31"}
STATEMENTS = {"statements": [{"Effect": "Allow", "Action": "s3:GetObjectAcl", "Resource": "*"}]}
DOORS: dict[str, dict[str, Any]] = {
    "assume-role": {
        "from": {"user": "bob"},
        "to": {"role": "operator"},
        "permissions": {**STATEMENTS, "boundary": "arn:aws:iam::aws:policy/PowerUserAccess"},
        "sessionSeconds": 4567,
        "mfa": True,
        "externalId": "an-external-id",
        "conditions": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}},
        "keys": ["trust", "grant"],
    },
    "identity-center": {
        "from": {"group": "developers"},
        "to": {"role": "operator"},
        "permissions": {**STATEMENTS, "managedPolicies": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
        "sessionSeconds": 14400,
    },
}


@pytest.mark.parametrize("way", DOORS)
def test_each_field_of_a_door_is_found_in_what_is_made_or_exported(stacks: Stacks, way: str) -> None:
    from twokeys.settings.models import DoorSettings

    door = {**DOORS[way], **DOOR, "via": way}
    for field in {str(field.alias) for field in DoorSettings.model_fields.values()} - door.keys():
        given = DOORS["assume-role"].get(field)
        assert given is not None, f"give DOORS a value of its own for {field} (DOOR, if both ways take it)"
        with pytest.raises(ProgramRefusal) as refused:
            stacks.run("stage", doors={"night": {**door, field: given}})
        assert refused.value.what.startswith(f"twokeys:doors.night.{field} = "), (
            f"`{field}` with via: {way} should be refused in twokeys/settings/doors.py, or have a value in DOORS; what"
            f" is refused is:\n{refused.value}"
        )
    done = stacks.run("stage", doors={"night": door})
    made = [{"type": one.type, **one.inputs} for one in done.resources if one.name.startswith("night")]
    text = json.dumps([made, done.exports["doors"]])
    for field, value in door.items():
        for leaf in ENDS_UP_AS[way].get(field) or _leaves(value):
            assert leaf in text, (
                f"`{field}` of a door with via: {way} is dropped: {leaf} is in nothing that is made or exported; pass"
                " it on in each place that `DoorSettings` names"
            )


def _leaves(value: Any) -> list[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [str(value)] if inner is None else [leaf for one in inner for leaf in _leaves(one)]


def test_one_stack_may_hold_all_and_its_doors_wait_for_its_people(stacks: Stacks) -> None:
    stage = stacks.config("stage")
    doors = json.loads(stage["twokeys:doors"])
    for door in doors.values():
        door["to"]["account"] = "stage"
    accounts = {"identity": {}, **json.loads(stage["twokeys:accounts"])}
    done = stacks.run("management", deployed=False, audit={}, accounts=accounts, doors=doors)
    trust = done.one("aws:iam/role:Role", "stage-deployer")
    assert done.one("aws:iam/role:Role", "ci").urn in trust.dependencies
    assert done.one("aws:organizations/account:Account", "stage").inputs["parentId"] == "Workloads/Stage-id"


def test_each_account_waits_for_the_one_that_is_as_many_places_before_it_as_may_be_made_at_once(stacks: Stacks) -> None:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html: a few at a time
    done = stacks.run("stage", accounts={f"a{number}": {} for number in range(5)}, accountsAtOnce=2, doors={})
    made = done.of("aws:organizations/account:Account")
    components = done.of("twokeys:accounts:MemberAccount")
    waits = {name: [other for other in made if made[other].urn in components[name].dependencies] for name in components}
    assert waits == {"a0": [], "a1": [], "a2": ["a0"], "a3": ["a1"], "a4": ["a2"]}


def test_a_unit_that_is_still_to_be_made_leaves_the_rest_of_the_preview_as_it_is(stacks: Stacks) -> None:
    # Each value hangs on its own source only: an account's parent on its unit, a look-up on the organization.
    done = stacks.run("management", preview=True)
    units = "aws:organizations/organizationalUnit:OrganizationalUnit"
    account = done.one("aws:organizations/account:Account", "security")
    assert account.property_dependencies["parentId"] == (done.one(units, "Security").urn,)


def test_the_example_has_all_that_accounts_are_separate_for(stacks: Stacks) -> None:
    done = stacks.run("management")
    providers = {
        "aws:cloudtrail/trail:Trail": "management",
        "aws:kms/key:Key": "log-archive",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": "log-archive",
        "aws:accessanalyzer/analyzer:Analyzer": "security",
        "aws:guardduty/organizationAdminAccount:OrganizationAdminAccount": "management",
        "aws:iam/organizationsFeatures:OrganizationsFeatures": "management",
        "aws:costexplorer/anomalySubscription:AnomalySubscription": "management",
        "aws:bcmdata/export:Export": "management",
        "aws:cloudwatch/eventRule:EventRule": "management",
    }
    for type_, provider in providers.items():
        (made,) = done.of(type_).values()
        assert f"pulumi:providers:aws::{provider}::" in made.provider, type_
    policies = {name: each.inputs["type"] for name, each in done.of("aws:organizations/policy:Policy").items()}
    assert policies == {
        "guard-rails-root": "SERVICE_CONTROL_POLICY",
        "guard-rails-Workloads": "SERVICE_CONTROL_POLICY",
        "guard-rails-Workloads/Prod": "SERVICE_CONTROL_POLICY",
        "guard-rails-Quarantine": "SERVICE_CONTROL_POLICY",
        "cost-tags": "TAG_POLICY",
    }
    assert done.exports["audit_trail"]["bucket"].startswith("audit-trail-")
    assert done.exports["cost_report_bucket"] == f"cost-report-{MANAGEMENT}"


def test_the_analyzer_waits_until_its_account_looks_after_the_service(stacks: Stacks) -> None:
    done = stacks.run("management")
    (analyzer,) = done.of("aws:accessanalyzer/analyzer:Analyzer").values()
    services = done.of("aws:organizations/delegatedAdministrator:DelegatedAdministrator")
    assert services["delegation-security-access-analyzer.amazonaws.com"].urn in analyzer.dependencies


def test_what_config_does_not_ask_for_is_not_made(stacks: Stacks) -> None:
    done = stacks.run(
        "management", organization={"create": True}, people={}, audit={}, bill={}, baseline={}, accounts={}
    )
    kinds = {each.type.split(":")[1].split("/")[0] for each in done.resources if each.type.startswith("aws:")}
    assert kinds == {"organizations"}


def test_every_account_has_the_baseline_and_the_budget_that_its_config_says(stacks: Stacks) -> None:
    done = stacks.run("stage")
    assert "::stage::" in done.one("aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "stage").provider
    budget = done.one("aws:budgets/budget:Budget", "stage")
    assert "::management::" in budget.provider
    assert budget.inputs["costFilters"] == [{"name": "LinkedAccount", "values": [MEMBER]}]
    bare = stacks.run("stage", baseline={}, accounts={"stage": {}})
    assert bare.of("twokeys:accounts:AccountBaseline") == {}
    assert bare.of("aws:budgets/budget:Budget") == {}


def test_contacts_of_the_baseline_are_those_of_every_account_that_names_none_of_the_kind(stacks: Stacks) -> None:
    contact = {"name": "Security", "title": "On call", "email": "s@company.com", "phone": "+1(555)000-0000"}
    own = {"stage": {"contacts": {"billing": contact | {"name": "Bills"}}}}
    done = stacks.run("stage", baseline={"contacts": {"security": contact, "billing": contact}}, accounts=own)
    contacts = done.of("aws:account/alternativeContact:AlternativeContact")
    assert {name: each.inputs["name"] for name, each in contacts.items()} == {
        "stage-security": "Security",
        "stage-billing": "Bills",
    }


def test_a_door_of_people_leads_through_identity_center_when_it_says_so(stacks: Stacks) -> None:
    doors = json.loads(stacks.config("stage")["twokeys:doors"])
    del doors["stage-developer"]["from"]["members"]
    doors["stage-developer"]["via"] = "identity-center"
    done = stacks.run("stage", doors=doors)
    assignment = done.one("aws:ssoadmin/accountAssignment:AccountAssignment", "stage-developer").inputs
    assert assignment["principalId"] == "g-1"
    assert assignment["instanceArn"] == OUTPUTS["identity_center"]["instance_arn"]
    assert done.one("aws:ssoadmin/permissionSet:PermissionSet", "stage-developer").inputs["name"] == "stage-developer"
    assert "stage-developer" not in done.of("aws:iam/role:Role")
    assert [door["name"] for door in done.exports["doors"]] == ["stage-deployer", "stage-developer"]


def test_a_wrong_config_is_refused_before_anything_is_registered(stacks: Stacks) -> None:
    with pytest.raises(ProgramRefusal) as refusal:
        stacks.run("stage", region="us-east-9")
    assert "twokeys:region" in refusal.value.what
    assert isinstance(refusal.value, pulumi.RunError)


def test_default_providers_are_off_for_the_whole_project_and_settings_are_typed(project_root: Path) -> None:
    project = yaml.safe_load((project_root / "Pulumi.yaml").read_text())
    config = project["config"]
    assert config.pop("pulumi:disable-default-providers") == {"value": ["aws"]}
    assert project["runtime"] == {"name": "python", "options": {"toolchain": "uv"}}
    assert all(each["type"] and each["description"] for each in config.values())


def test_the_project_declares_every_setting_and_no_other(project_root: Path) -> None:
    from twokeys.settings.models import Settings

    config = yaml.safe_load((project_root / "Pulumi.yaml").read_text())["config"]
    declared = {key for key in config if ":" not in key}
    known = {field.alias for field in Settings.model_fields.values()}
    assert declared == known, f"declare in Pulumi.yaml, or take out of it: {sorted(map(str, declared ^ known))}"


GRANT = {"from": {"role": "ci"}, "to": {"role": "auditor"}, "reason": "The audit", "owner": "security"}
AUDIT = {
    "from": {"role": "ci"},
    "to": {"account": "*", "role": "auditor"},
    "keys": ["trust"],
    "permissions": {"managedPolicies": ["arn:aws:iam::aws:policy/SecurityAudit"]},
    "reason": "The audit",
    "owner": "security",
}
OTHER_STACK, GRANT_COMPONENT = "twokeys:access:OtherStack", "twokeys:access:OrganizationGrant"


def test_the_management_stack_grants_a_role_of_every_account_once_and_says_so(stacks: Stacks) -> None:
    done = stacks.run("management", preview=True, organizationGrants={"auditor": GRANT})
    (declared,) = done.one(GRANT_COMPONENT, "auditor").inputs["symbolicDocuments"]
    bound = {"StringEquals": {"aws:ResourceOrgID": "organization:organization"}}
    assert declared["document"]["Statement"][0]["Condition"] == bound
    made = done.one("aws:iam/rolePolicy:RolePolicy", "auditor")
    assert (made.inputs["role"], declared["account"]) == ("ci", "account:identity")
    assert "aws::identity::" in made.provider  # where its source lives
    exported = stacks.run("management", organizationGrants={"auditor": GRANT}).exports["organization_grants"]
    assert [each["name"] for each in exported] == ["auditor"]
    assert "o-a1b2c3d4e5" in json.dumps(exported)


def test_a_door_into_every_account_makes_a_trust_in_each_and_shows_the_pack_what_management_grants(
    stacks: Stacks,
) -> None:
    accounts = {"one": {}, "two": {}, "old": {"state": "closed", "adopt": "4" * 12}}
    done = stacks.run("stage", accounts=accounts, doors={"auditor": AUDIT})
    assert [door["name"] for door in done.exports["doors"]] == ["one-auditor", "two-auditor"]
    assert {each.inputs["name"] for each in done.of("aws:iam/role:Role").values()} == {"auditor"}
    assert done.of("aws:iam/rolePolicy:RolePolicy") == {}
    shown = done.one(OTHER_STACK, "management").inputs
    assert shown["name"] == "organization/twokeys/management"
    about_doors = ("group_members", "parent_account_id", "people_account_id")
    about_accounts = ("member_account_ids", "member_account_environments", "organizational_unit_ids")
    assert shown["outputs"] == {key: OUTPUTS[key] for key in (*about_doors, *about_accounts)}
    assert done.reads == [REFERENCE]


def test_a_stack_whose_doors_have_both_keys_reads_nothing_for_them(stacks: Stacks) -> None:
    doors = {"auditor": {**AUDIT, "keys": ["trust", "grant"]}}
    done = stacks.run("stage", deployed=False, accounts={"one": {}}, doors=doors, people={})
    assert done.of(OTHER_STACK) == {}
    assert done.reads == []
    assert READ not in done.calls


def test_the_management_stack_does_not_refer_to_itself_for_its_own_accounts(stacks: Stacks) -> None:
    done = stacks.run("management", organizationGrants={"auditor": GRANT}, doors={"auditor": AUDIT})
    assert done.of(OTHER_STACK) == {}
    assert done.reads == []
    assert [door["name"] for door in done.exports["doors"]] == ["log-archive-auditor", "security-auditor"]


def source(**said: Any) -> dict[str, Any]:
    there = {"exists": True} if "account" in said else {}
    return {
        "stage-deployer": {**AUDIT, "keys": ["trust", "grant"], "to": {"role": "reader"}, "from": {**said, **there}}
    }


def test_people_of_an_identity_account_are_made_in_it_and_those_for_emergencies_in_the_management_account(
    stacks: Stacks,
) -> None:
    # https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/break-glass-access.html
    done = stacks.run("management")
    users = {name: each.provider for name, each in done.of("aws:iam/user:User").items()}
    assert {name for name, provider in users.items() if "aws::identity::" in provider} == {"alice", "bob"}
    assert {name for name, provider in users.items() if "aws::management::" in provider} == {
        "emergency-1",
        "emergency-2",
    }
    assert "aws::identity::" in done.one("aws:iam/role:Role", "ci").provider
    glass = json.loads(done.one("aws:iam/role:Role", "break-glass").inputs["assumeRolePolicy"])
    assert glass["Statement"][0]["Principal"]["AWS"] == [
        f"arn:aws:iam::{MANAGEMENT}:user/{name}" for name in ("emergency-1", "emergency-2")
    ]


def test_before_the_identity_account_exists_its_roles_are_declared_with_its_symbol(stacks: Stacks) -> None:
    declared = stacks.run("management", preview=True).one("twokeys:people:People", "people").inputs
    (document,) = declared["symbolicDocuments"]
    assert document["account"] == declared["account"] == "account:identity"
    assert document["document"]["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::account:identity:root"}


def test_people_and_grants_are_made_anew_where_they_move_to(stacks: Stacks) -> None:
    """The engine replaces what has another trigger; what moves to another provider it changes in place."""
    people = {"users": ["alice"], "groups": {"developers": ["alice"]}, "roles": {"ci": {}}}
    before = stacks.run("management", accounts={"identity": {}}, people=people, audit={}, bill={})
    after = stacks.run(
        "management", accounts={"identity": {}}, people={**people, "account": "identity"}, audit={}, bill={}
    )
    for done, trigger in ((before, MANAGEMENT), (after, "account:identity")):
        made = [each for each in done.resources if each.parent == done.one("twokeys:people:People", "people").urn]
        assert {each.type.rpartition(":")[2]: each.replacement_trigger for each in made} == dict.fromkeys(
            ("User", "Group", "Role", "UserGroupMembership"), trigger
        )
    doors = {"d": {**AUDIT, "keys": ["trust", "grant"], "to": {"role": "reader"}, "from": {"role": "ci"}}}
    for account, trigger in ((None, MANAGEMENT), ("identity", "account:identity")):
        outputs = OUTPUTS if account else {key: value for key, value in OUTPUTS.items() if key != "people_account_id"}
        done = stacks.run("stage", outputs=outputs, doors=doors, people={"account": account} if account else {})
        assert done.one("aws:iam/rolePolicy:RolePolicy", "d-grant").replacement_trigger == trigger


@pytest.mark.parametrize(
    ("said", "account", "role"),
    [
        ({"role": "ci"}, "identity", "OrganizationAccountAccessRole"),
        ({"role": "runner", "account": "tools"}, "tools", "AWSControlTowerExecution"),
        ({"role": "runner", "account": "tools", "stack": "shared"}, "tools", "AWSControlTowerExecution"),
    ],
)
def test_the_grant_of_a_door_is_made_in_the_account_of_another_stack_by_its_access_role(
    stacks: Stacks, said: dict[str, Any], account: str, role: str
) -> None:
    done = stacks.run("stage", doors=source(**said))
    there = OUTPUTS["member_account_ids"][account]
    provider = done.one("pulumi:providers:aws", account)
    assert json.loads(provider.inputs["allowedAccountIds"]) == [there]
    (assumed,) = json.loads(provider.inputs["assumeRoles"])
    assert assumed["roleArn"] == f"arn:aws:iam::{there}:role/{role}"
    assert assumed.get("externalId") == OUTPUTS["access_external_ids"].get(account)
    other = done.one(OTHER_STACK, said.get("stack", "management"))
    assert provider.parent == other.urn
    assert f"aws::{account}::" in done.one("aws:iam/rolePolicy:RolePolicy", "stage-deployer-grant").provider
    trust = json.loads(done.one("aws:iam/role:Role", "stage-deployer").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{there}:role/{said['role']}"}
    assert done.exports["doors"][0]["door"]["source"]["account"] == there


@pytest.mark.parametrize(
    ("said", "why", "step"),
    [
        ({"account": "toolz"}, "identity, tools", "write tools, if that is meant"),
        ({"account": "legacy"}, "does not enter the account (access.enter: false)", "of the management stack"),
        ({"account": "other", "stack": "shared"}, "identity, tools", "add it to accounts of stack shared"),
    ],
)
def test_a_door_from_an_account_that_the_other_stack_does_not_export_is_refused(
    stacks: Stacks, said: dict[str, Any], why: str, step: str
) -> None:
    for preview in (True, False):
        with pytest.raises(ProgramRefusal) as refused:
            stacks.run("stage", preview=preview, doors=source(role="runner", **said))
        assert why in refused.value.why
        assert step in refused.value.next_step


def test_a_door_from_a_stack_that_is_not_there_is_previewed_with_a_warning_and_no_update_begins(stacks: Stacks) -> None:
    doors, accounts = source(role="runner", account="tools", stack="shared"), {"stage": {}}
    done = stacks.run("stage", preview=True, deployed=False, accounts=accounts, doors=doors)
    [message] = [one for one in done.messages if "stack organization/twokeys/shared is not deployed" in one]
    assert "those who come through 1 door is not checked" in message
    assert "no control policy of it is judged" in message
    trust = done.one("twokeys:access:CrossAccountAccess", "stage-deployer").inputs["symbolicDocuments"][0]["document"]
    assert trust["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::account:tools:role/runner"}
    with pytest.raises(ProgramRefusal) as refused:
        stacks.run("stage", deployed=False, accounts=accounts, doors=doors)
    assert (refused.value.what, refused.value.where) == (
        "an update without stack shared",
        "stack organization/twokeys/shared",
    )
    assert "name another one as `stack`" in refused.value.next_step


@pytest.mark.parametrize("preview", [True, False])
def test_a_member_who_is_not_in_the_management_stacks_group_is_refused_before_the_engine_sees_the_role(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, *, preview: bool
) -> None:
    """The pack would refuse that role first, as one without a grant, and its finding cannot say who is in the group."""
    made: list[str] = []
    monkeypatch.setitem(COMPUTED, "aws:iam/role:Role", lambda name, _: made.append(name) or {})
    with pytest.raises(ProgramRefusal) as refused:
        stacks.run("stage", preview=preview, doors=source(group="developers", members=["alice", "bob"]))
    assert made == []
    assert "bob is not in group developers, so nothing grants this door to bob; in it are: alice" in refused.value.why
    assert "take bob out of `members`" in refused.value.next_step


@pytest.mark.parametrize(
    ("people", "outputs", "step"),
    [
        ({}, OUTPUTS, "say `people: {account: identity}`"),
        (
            {"account": "identity"},
            {key: value for key, value in OUTPUTS.items() if key != "people_account_id"},
            "take `account` out of `people`",
        ),
    ],
)
def test_doors_start_in_the_account_where_the_management_stack_s_people_live_or_are_refused(
    stacks: Stacks, people: dict[str, Any], outputs: dict[str, Any], step: str
) -> None:
    with pytest.raises(ProgramRefusal) as refused:
        stacks.run("stage", preview=True, people=people, outputs=outputs)
    assert step in refused.value.next_step


def test_one_door_may_start_in_the_management_account_all_the_same(stacks: Stacks) -> None:
    done = stacks.run("stage", doors=source(role="ops", account="management"))
    assert "aws::management::" in done.one("aws:iam/rolePolicy:RolePolicy", "stage-deployer-grant").provider
    assert "identity" not in done.of("pulumi:providers:aws")
