"""Both keys of a door, as registered with the engine."""

import json
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from components.cross_account_access import CrossAccountAccess, CrossAccountAccessArgs
from tests.components.mock_engine import MEMBER, Run, run
from twokeys.doors.documents import DoorPlan
from twokeys.iam import UNKNOWN
from twokeys.settings.models import DoorSettings

ROLE, COMPONENT = "aws:iam/role:Role", "twokeys:access:CrossAccountAccess"
ROLE_POLICY, GROUP_POLICY, USER_POLICY = (
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/groupPolicy:GroupPolicy",
    "aws:iam/userPolicy:UserPolicy",
)


def make(
    preview: bool = False, principal: bool = False, members_elsewhere: list[str] | None = None, **changes: Any
) -> Run:
    def program() -> None:
        source = aws.Provider("management", region="us-east-1")
        account = aws.organizations.Account(
            "stage", email="e@company.com", opts=pulumi.ResourceOptions(provider=source)
        )
        target = aws.Provider("stage", region="us-east-1", allowed_account_ids=[account.id])
        role = aws.iam.Role("ci", name="ci", assume_role_policy="{}", opts=pulumi.ResourceOptions(provider=source))
        args: CrossAccountAccessArgs = {
            "source_kind": "role",
            "source_account_id": "111111111111",
            "source": "ci",
            "target_account": "stage",
            "target_account_id": account.id,
            "role": "deployer",
            "source_provider": source,
            "target_provider": target,
            "managed_policy_arns": ["arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"],
            "reason": "Deployments",
        }
        args.update(changes)  # type: ignore[typeddict-item]
        if members_elsewhere:
            args["members"] = pulumi.Output.from_input(members_elsewhere)
        opts = pulumi.ResourceOptions(depends_on=[role]) if principal else None
        door = CrossAccountAccess("stage-deployer", args, opts)
        pulumi.export("door", door.door)
        pulumi.export("role_arn", door.role_arn)

    return run(program, preview=preview)


def policy(run: Run, type: str, name: str, property: str = "policy") -> dict[str, Any]:
    return json.loads(run.one(type, name).inputs[property])  # type: ignore[no-any-return]


def test_the_trust_is_made_in_the_target_and_the_grant_in_the_source_account() -> None:
    done = make()
    role, grant = done.one(ROLE, "stage-deployer"), done.one(ROLE_POLICY, "stage-deployer-grant")
    assert "::stage::" in role.provider
    assert "::management::" in grant.provider
    assert policy(done, ROLE, "stage-deployer", "assumeRolePolicy")["Statement"][0]["Principal"] == {
        "AWS": "arn:aws:iam::111111111111:role/ci"
    }
    assert policy(done, ROLE_POLICY, "stage-deployer-grant")["Statement"][0]["Resource"] == (
        f"arn:aws:iam::{MEMBER}:role/deployer"
    )
    assert done.exports["role_arn"] == f"arn:aws:iam::{MEMBER}:role/deployer"


def test_what_a_config_says_of_a_door_is_an_argument_that_every_program_can_give() -> None:
    arguments = CrossAccountAccessArgs.__annotations__.keys()
    missing = DoorSettings.model_fields.keys() & DoorPlan.model_fields.keys() - arguments
    assert not missing, f"make {missing} an argument in CrossAccountAccessArgs"


def test_an_account_that_is_no_resource_of_the_stack_is_declared_by_its_id() -> None:
    done = make(target_account=MEMBER, target_account_id=MEMBER)
    declared = done.one(COMPONENT, "stage-deployer").inputs["symbolicDocuments"]
    assert {one["account"] for one in declared} == {MEMBER, "111111111111"}
    assert declared[-1]["document"]["Statement"][0]["Resource"] == f"arn:aws:iam::{MEMBER}:role/deployer"


def test_documents_are_declared_as_known_values_before_the_account_exists() -> None:
    done = make(preview=True)
    declared = done.one(COMPONENT, "stage-deployer").inputs
    assert json.loads(json.dumps(declared["symbolicDocuments"]))[0]["document"]["Statement"]
    assert declared["door"]["target"] == {"account": "account:stage", "role": "deployer", "partition": "aws"}
    real = done.one(ROLE, "stage-deployer").inputs["assumeRolePolicy"]
    assert real is UNKNOWN


def test_what_was_declared_is_what_is_made_once_the_id_is_known() -> None:
    done = make()
    documents = done.one(COMPONENT, "stage-deployer").inputs["symbolicDocuments"]
    for declared in documents:
        made = done.one(declared["type"], declared["name"])
        text = json.dumps(declared["document"]).replace("account:stage", MEMBER)
        assert json.loads(made.inputs[declared["property"]]) == json.loads(text)
        assert {key: made.inputs[key] for key in declared["properties"] if key != "role"} == {
            key: value for key, value in declared["properties"].items() if key != "role"
        }


def test_the_exported_door_carries_real_ids() -> None:
    exported = make().exports["door"]
    assert exported["door"]["target"]["account"] == MEMBER
    assert "account:stage" not in json.dumps(exported)


def test_the_trust_waits_for_principals_of_the_same_stack() -> None:
    done = make(principal=True)
    principal = done.one(ROLE, "ci").urn
    assert principal in done.one(ROLE, "stage-deployer").dependencies
    assert principal in done.one(ROLE_POLICY, "stage-deployer-grant").dependencies


@pytest.mark.parametrize(
    ("source", "grantee", "trusted"),
    [
        ({"source_kind": "group", "source": "developers", "members": ["alice", "bob"]}, "developers", ["alice", "bob"]),
        ({"source_kind": "group", "source": "developers", "members_elsewhere": ["alice"]}, "developers", ["alice"]),
        ({"source_kind": "user", "source": "team/alice"}, "alice", ["team/alice"]),
    ],
)
def test_people_get_the_grant_and_are_trusted_one_by_one_with_mfa(
    source: dict[str, Any], grantee: str, trusted: list[str]
) -> None:
    done, kind = make(**source), source["source_kind"]
    grant = done.one({"group": GROUP_POLICY, "user": USER_POLICY}[kind], "stage-deployer-grant")
    assert grant.inputs[kind] == grantee
    statement = policy(done, ROLE, "stage-deployer", "assumeRolePolicy")["Statement"][0]
    arns = [f"arn:aws:iam::111111111111:user/{name}" for name in trusted]
    assert statement["Principal"] == {"AWS": arns[0] if len(arns) == 1 else arns}
    assert statement["Condition"] == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert f"user/{trusted[0]}" in json.dumps(done.one(COMPONENT, "stage-deployer").inputs["symbolicDocuments"])


def test_the_grant_of_a_whole_account_goes_to_whom_the_door_says() -> None:
    done = make(source_kind="root", source="", grant_to_kind="role", grant_to="ops")
    assert done.one(ROLE_POLICY, "stage-deployer-grant").inputs["role"] == "ops"


@pytest.mark.parametrize(("keys", "role", "grant"), [(["trust"], 1, 0), (["grant"], 0, 1), (["trust", "grant"], 1, 1)])
def test_a_key_that_lives_elsewhere_is_not_made(keys: list[str], role: int, grant: int) -> None:
    done = make(keys=keys)
    assert (int("stage-deployer" in done.of(ROLE)), len(done.of(ROLE_POLICY))) == (role, grant)


def test_the_role_has_the_session_boundary_and_path_of_the_declaration() -> None:
    role = make(role="deploy/deployer", session_seconds=7200, permissions_boundary="arn:aws:iam::aws:policy/X").one(
        ROLE, "stage-deployer"
    )
    assert {key: role.inputs[key] for key in ("name", "path", "maxSessionDuration", "permissionsBoundary")} == {
        "name": "deployer",
        "path": "/deploy/",
        "maxSessionDuration": 7200,
        "permissionsBoundary": "arn:aws:iam::aws:policy/X",
    }


def test_each_managed_policy_is_attached_once_under_a_name_of_its_own() -> None:
    arns = [f"arn:aws:iam::{owner}:policy/{path}X" for owner, path in (("aws", ""), ("aws", "a/"), (MEMBER, ""))]
    attached = make(managed_policy_arns=arns).of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert sorted(each.inputs["policyArn"] for each in attached.values()) == sorted(arns)
    assert len(attached) == 3


def test_inline_permissions_without_account_ids_are_known_before_the_account_exists() -> None:
    statement = {"Effect": "Allow", "Action": "logs:StartQuery", "Resource": "*"}
    done = make(preview=True, statements=[statement])
    assert policy(done, ROLE_POLICY, "stage-deployer-permissions")["Statement"] == [statement]


def test_inline_permissions_may_name_the_account_by_its_symbol() -> None:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::account:stage:role/next"}
    done = make(statements=[statement])
    made = policy(done, ROLE_POLICY, "stage-deployer-permissions")["Statement"][0]["Resource"]
    assert made == f"arn:aws:iam::{MEMBER}:role/next"


def test_the_door_stays_declared_among_the_outputs() -> None:
    done = make()
    component = done.one(COMPONENT, "stage-deployer")
    assert done.component_outputs[component.urn]["symbolicDocuments"] == component.inputs["symbolicDocuments"]
