"""A program on the SDK's mock monitor shows the rules what the engine's first preview shows the policies.

Expectations: https://www.pulumi.com/docs/iac/concepts/inputs-outputs/ (unknowns in a preview),
https://www.pulumi.com/docs/iac/concepts/resources/names/#urns and
https://www.pulumi.com/docs/iac/concepts/providers/#default-providers.
"""

import contextlib
import io
import json
import venv
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.preview.test_commands import DOOR, HALF
from twokeys.access.findings import texts_of
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN
from twokeys.pack.other_states import Beside
from twokeys.preview import judge, preview
from twokeys.preview.program import exported as exported_by
from twokeys.preview.program import stack_preview
from twokeys.preview.values import UNKNOWN_TEXT
from twokeys.project.config import load_config, load_project

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def previewed(
    root: Path, stack: str, *, stacks: Mapping[str, Mapping[str, Any]] | None = None, **overrides: Any
) -> Snapshot:
    project = load_project(root)
    config = load_config(project, stack, {f"twokeys:{key}": json.dumps(value) for key, value in overrides.items()})
    return preview(project.program, stack, config, project=project.name, stacks=stacks, say=lambda _, __: None)


example = cache(previewed)


def one(snapshot: Snapshot, name: str) -> Resource:
    [found] = (resource for resource in snapshot.resources if resource.name == name and resource.provider)
    return found


def exports(snapshot: Snapshot) -> Mapping[str, object]:
    [stack] = snapshot.of_type("pulumi:pulumi:Stack")
    return stack.outputs


@pytest.mark.usefixtures("programs_in_process")
@pytest.mark.parametrize("stack", ["management", "stage", "prod"])
def test_nothing_is_refused_in_the_first_preview_of_each_example(project_root: Path, stack: str) -> None:
    snapshot = example(project_root, stack)
    assert snapshot.stack == stack
    assert judge(snapshot).mandatory == ()


@pytest.mark.usefixtures("programs_in_process")
@pytest.mark.parametrize(("source", "rule", "named", "step"), [
    ({"role": "ci"}, "door-needs-grant", "arn:aws:iam::account:identity:role/ci", "take `keys: [trust]` out of door"),
    ({"group": "developers"}, "unproved-door", "*", "`members`"),
], ids=["without its grant", "for a group of a stack that is not shown"])  # fmt: skip
def test_a_door_is_refused_before_its_account_exists(
    source: dict[str, str], rule: str, named: str, step: str, project_root: Path
) -> None:
    (found,) = judge(previewed(project_root, "stage", doors={"half": {**HALF["half"], "from": source}})).mandatory
    assert (found.rule, found.door) == (rule, f"{named} -> arn:aws:iam::account:stage:role/deployer")
    assert step in found.next_step


@pytest.mark.usefixtures("programs_in_process")
def test_a_door_for_a_group_is_proved_before_its_stack_or_the_management_stack_is_updated(project_root: Path) -> None:
    """No trust policy takes a group, so its members have to be known.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    management = exported_by(example(project_root, "management"), {})
    assert management["user_arns"] == UNKNOWN_TEXT
    doors = {"reader": DOOR | {"from": {"group": "developers"}, "to": {"account": "stage", "role": "reader"}}}
    found = judge(previewed(project_root, "stage", doors=doors, stacks={"management": management}))
    assert found.mandatory == ()


@pytest.mark.usefixtures("programs_in_process")
def test_a_door_with_its_trust_alone_is_told_what_the_file_calls_it_and_whose_state_may_have_its_grant(
    project_root: Path,
) -> None:
    door = HALF["half"] | {"from": {"role": "ci"}, "to": {"account": "*", "role": "ci"}}
    accounts: dict[str, Any] = {"stage": {}, "test": {}}
    refused = judge(previewed(project_root, "stage", doors={"half": door}, accounts=accounts)).mandatory
    found, _ = refused
    take = "take `keys: [trust]` out of door stage-half in Pulumi.stage.yaml (or in the program that declares it; one"
    assert found.next_step.startswith(
        f'{take} into account "*" is called half there); where another stack makes the grant, name the state of that '
    )
    ((_, text),) = texts_of(refused)
    assert text.endswith("\nThe same with 1 more, but for the account: test (--json has each).")


@pytest.mark.usefixtures("programs_in_process")
def test_a_door_for_a_third_party_is_its_trust_alone_and_asks_for_the_external_id(project_root: Path) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html."""
    whom = {"role": "scanner", "account": "777788889999"}
    door = DOOR | {"from": whom, "to": {"role": "vendor-scanner"}, "keys": ["trust"], "externalId": "lighthouse-4f2a"}
    snapshot = previewed(project_root, "stage", doors={"vendor-scanner": door})
    found = judge(snapshot)
    assert (found.mandatory, {each.rule for each in found.advisory}) == ((), {"third-party-named"})
    (access,) = snapshot.of_type("twokeys:access:CrossAccountAccess")
    (trust,) = access.inputs["symbolicDocuments"]
    (statement,) = trust["document"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::777788889999:role/scanner"}
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "lighthouse-4f2a"}}


HUB, WEB = "111111111111", "222222222222"


def exported(environment: str) -> dict[str, dict[str, Any]]:
    """What a stack exports of its account `web`, and the management stack of units."""
    role = f"arn:aws:iam::{WEB}:role/OrganizationAccountAccessRole"
    web = {"member_account_ids": {"web": WEB}, "access_role_arns": {"web": role}}
    units = {"Workloads/Stage": "ou-ab12-cd345678", "Workloads/Prod": "ou-ab12-cd345679"}
    return {
        "other": {**web, "member_account_environments": {"web": environment}},
        "management": {"organizational_unit_ids": units, "parent_account_id": "111111111111"},
    }


@pytest.mark.usefixtures("programs_in_process")
def test_a_door_from_an_account_of_another_stack_needs_both_keys_and_leads_not_from_stage_to_prod(
    project_root: Path,
) -> None:
    runner = {"role": "runner", "account": "web", "stack": "other", "exists": True}
    door = {**DOOR, "from": runner, "to": {"role": "reader"}}
    doors = {"web": door, "half": door | {"to": {"role": "writer"}, "keys": ["trust"]}}
    found = judge(previewed(project_root, "prod", stacks=exported("staging"), doors=doors)).mandatory
    assert {(finding.rule, finding.door) for finding in found} == {
        (rule, f"arn:aws:iam::{WEB}:role/runner -> arn:aws:iam::account:prod:role/{role}")
        for rule, role in (("environments-isolated", "reader"), ("door-needs-grant", "writer"))
    }


def denying(*targets: str, condition: dict[str, Any] | None = None, **said: str) -> dict[str, Any]:
    """A control policy `s` as the management stack exports it."""
    statement = {"Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*", "Condition": condition or {}, **said}
    type_ = "RESOURCE_CONTROL_POLICY" if "Principal" in said else "SERVICE_CONTROL_POLICY"
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"name": "s", "type": type_, "targets": list(targets), "document": document}


BUT_CI = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{WEB}:role/ci"}}
OF_OTHERS = {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
CI, ALICE, DEVELOPERS = ("role/ci", "deployer"), ("user/alice", "developer"), ("group/developers", "developer")
PROVIDER = None


@pytest.mark.parametrize(("policy", "named", "shut"), [
    (denying("root"), "SCP s at the root denies it", (CI, ALICE)),
    (denying("Company"), "SCP s at unit Company denies it", (CI, ALICE)),
    (denying("Company/Identity"), "SCP s at unit Company/Identity denies it", (CI, ALICE)),
    (denying(WEB), f"SCP s at account identity ({WEB}) denies it", (CI, ALICE)),
    (denying("root", condition=BUT_CI), "SCP s at the root denies it", (ALICE,)),
    (denying("Workloads/Stage", "333333333333"), "", ()),
    (denying("Workloads/Stage", Principal="*"), "RCP s at unit Workloads/Stage denies it", (CI, DEVELOPERS, PROVIDER)),
    (denying("root", Principal="*", condition=OF_OTHERS), "", ()),
    (denying("Company", "Workloads/Prod", Principal="*"), "RCP s at unit Company denies it", (PROVIDER,)),
    (denying("root", Resource="arn:aws:iam::*:role/another"), "", ()),
])  # fmt: skip
@pytest.mark.usefixtures("programs_in_process")
def test_a_door_that_a_control_policy_of_the_management_stack_shuts_is_refused(
    project_root: Path, policy: dict[str, Any], named: str, shut: tuple[tuple[str, str] | None, ...]
) -> None:
    """SCPs bind who enters, RCPs what is entered; both bind what is below their target.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
    """
    units = {"Company": "ou-ab12-00000001", "Company/Identity": "ou-ab12-00000002"}
    units |= {f"Workloads/{name}": f"ou-ab12-0000000{place}" for place, name in enumerate(("Stage", "Prod"), 3)}
    management = {
        "organization_id": "o-a1b2c3d4e5",
        "parent_account_id": "111111111111",
        "people_account_id": WEB,
        "member_account_ids": {"identity": WEB},
        "member_account_parents": {"identity": units["Company/Identity"]},
        "organizational_unit_ids": units,
        "access_role_arns": {"identity": f"arn:aws:iam::{WEB}:role/OrganizationAccountAccessRole"},
        "group_members": {"developers": ["alice"]},
        "control_policy_denials": [policy],
    }
    found = judge(previewed(project_root, "stage", stacks={"management": management})).mandatory
    into = "arn:aws:iam::account:stage:role"
    doors = {one and f"arn:aws:iam::{WEB}:{one[0]} -> {into}/{one[1]}" for one in shut}
    assert {one.door for one in found} == doors
    narrow = named.removesuffix(" denies it")
    assert not [one.text for one in found if named not in one.message or narrow not in one.next_step]


@pytest.mark.usefixtures("programs_in_process")
def test_users_and_keys_of_a_member_account_are_refused_but_for_the_users_of_people(project_root: Path) -> None:
    snapshot = example(project_root, "management")
    alice = next(user for user in snapshot.of_type("aws:iam/user:User") if user.name == "alice")
    password = replace(alice, type="aws:iam/userLoginProfile:UserLoginProfile", urn=f"{alice.urn}-password")
    another = replace(alice, parent=None, urn=f"{alice.urn}-another")
    for added in (password, another):
        found = judge(Snapshot((*snapshot.resources, added))).mandatory
        assert {(finding.rule, finding.urn) for finding in found} == {("no-iam-users", added.urn)}


@pytest.mark.usefixtures("programs_in_process")
def test_nothing_comes_of_a_resource_whose_provider_waits_for_its_account(project_root: Path) -> None:
    snapshot = previewed(project_root, "stage", people={})
    waiting, known = one(snapshot, "stage-deployer"), one(snapshot, "stage-deployer-grant")
    assert waiting.outputs == {}
    assert waiting.inputs is not None
    assert waiting.inputs["name"] == "deployer"
    assert waiting.property_dependencies["assumeRolePolicy"]
    assert known.outputs["role"] == "ci"
    assert known.outputs["policy"] is UNKNOWN


def test_a_urn_has_the_types_of_the_parents_and_not_the_stack_s() -> None:
    def program() -> None:
        parent = pulumi.ComponentResource("acme:access:Outer", "outer")
        inner = pulumi.ComponentResource("acme:access:Inner", "inner", None, pulumi.ResourceOptions(parent=parent))
        aws.iam.Role("role", assume_role_policy=TRUST, opts=pulumi.ResourceOptions(parent=inner))

    urns = [resource.urn for resource in preview(program, "dev", project="acme").resources]
    assert "urn:pulumi:dev::acme::pulumi:pulumi:Stack::acme-dev" in urns
    assert "urn:pulumi:dev::acme::acme:access:Outer$acme:access:Inner$aws:iam/role:Role::role" in urns


def test_a_resource_without_a_provider_gets_the_default_one_with_the_stack_s_config() -> None:
    def program() -> None:
        aws.iam.Role("role", assume_role_policy=TRUST)

    snapshot = preview(program, config={"aws:allowedAccountIds": '["222222222222"]'})
    provider = snapshot.by_urn[one(snapshot, "role").provider or ""]
    assert provider.name.startswith("default_")
    assert provider.inputs is not None
    assert provider.inputs["allowedAccountIds"] == '["222222222222"]'


def test_a_disabled_default_provider_is_refused(tmp_path: Path) -> None:
    text = "import pulumi_aws as aws\naws.iam.User('user')\n"
    (tmp_path / "__main__.py").write_text(text)
    with pytest.raises(Refusal, match="Default provider for 'aws' disabled"):
        preview(tmp_path, config={"pulumi:disable-default-providers": '["aws"]'}, output=io.StringIO())


@pytest.mark.parametrize(("call", "rule"), [("s3').put_object", "code-not-read"), ("iam').create_role", "not-read")])
def test_the_code_of_a_dynamic_provider_is_read_from_the_module_that_it_is_in(
    call: str, rule: str, tmp_path: Path
) -> None:
    """Python's SDK names a class of another module, and the pack reads that module from the program's folder too."""
    (tmp_path / "mine.py").write_text(
        "import pulumi.dynamic\n\n\nclass Mine(pulumi.dynamic.ResourceProvider):\n"
        f"    def create(self, props):\n        boto3.client('{call}(**props)\n"
    )
    (tmp_path / "__main__.py").write_text(
        "import pulumi.dynamic\nfrom mine import Mine\n\n\nclass Thing(pulumi.dynamic.Resource):\n    pass\n\n\n"
        "Thing(Mine(), 'x', {})\n"
    )
    verdicts = judge(preview(tmp_path, output=io.StringIO()))
    assert [finding.rule for finding in (*verdicts.mandatory, *verdicts.advisory)] == [rule]


def test_ids_and_arns_are_unknown_and_so_is_a_document_made_from_them() -> None:
    def program() -> None:
        bucket = aws.s3.Bucket("bucket")
        document = pulumi.Output.json_dumps({"Statement": [{"Resource": bucket.arn}]})
        aws.iam.Role("role", assume_role_policy=TRUST, description=document)

    snapshot = preview(program)
    role = one(snapshot, "role")
    assert role.get("description") is UNKNOWN
    assert role.property_dependencies["description"] == (one(snapshot, "bucket").urn,)


def _github(condition: Mapping[str, object]) -> None:
    """A trust as most programs write it: https://www.pulumi.com/docs/iac/concepts/inputs-outputs/apply/."""
    issuer = "token.actions.githubusercontent.com"
    github = aws.iam.OpenIdConnectProvider("github", url=f"https://{issuer}", client_id_lists=["sts.amazonaws.com"])

    def trust(arn: str) -> str:
        entered = {"Federated": arn}, "sts:AssumeRoleWithWebIdentity"
        statement = {"Effect": "Allow", "Principal": entered[0], "Action": entered[1], "Condition": condition}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    aws.iam.Role("ci", assume_role_policy=github.arn.apply(trust))


@pytest.mark.parametrize(("sub", "rules"), [("repo:acme/app:ref:refs/heads/main", []), (None, ["federated-trust"])])
def test_a_trust_made_from_the_arn_of_its_identity_provider_is_judged_as_the_arn_follows_from_its_url(
    sub: str | None, rules: list[str]
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns."""
    names = {"aud": "sts.amazonaws.com"} | ({"sub": sub} if sub else {})
    condition = {"StringEquals": {f"token.actions.githubusercontent.com:{key}": said for key, said in names.items()}}
    snapshot = preview(lambda: _github(condition), config={"aws:allowedAccountIds": '["222222222222"]'})
    found = judge(snapshot)
    assert [finding.rule for finding in found.mandatory] == rules
    assert not found.advisory
    # Without an account nothing follows; the update judges it, and preview says what to write.
    late = preview(lambda: _github(condition))
    assert one(late, "ci").get("assumeRolePolicy") is UNKNOWN
    [advice] = judge(late).advisory
    assert "(that of an OIDC provider follows from its account and URL)" in str(advice.next_step)


def test_a_document_given_as_a_mapping_is_text_in_the_outputs_and_judged_as_it_was_given() -> None:
    """https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/ (inputs and outputs)."""

    def program() -> None:
        late = aws.s3.Bucket("bucket").arn
        for name, principal in (("known", {"AWS": "*"}), ("late", {"AWS": late})):
            statement: Any = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
            role = aws.iam.Role(name, assume_role_policy={"Version": "2012-10-17", "Statement": [statement]})
            pulumi.export(name, role.assume_role_policy)
        pulumi.export("tags", aws.s3.Bucket("tagged", tags={"Statement": "monthly"}).tags)
        statements = aws.s3.Bucket("other").id.apply(lambda _: [])
        of_late = aws.iam.Role("of-late", assume_role_policy={"Version": "2012-10-17", "Statement": statements})
        pulumi.export("of-late", of_late.assume_role_policy)

    snapshot = preview(program)
    assert exports(snapshot)["tags"] == {"Statement": "monthly"}
    assert exports(snapshot)["of-late"] is UNKNOWN
    assert json.loads(str(exports(snapshot)["known"]))["Statement"][0]["Principal"] == {"AWS": "*"}
    assert exports(snapshot)["late"] is UNKNOWN
    found = judge(snapshot)
    assert {(finding.rule, finding.urn) for finding in found.mandatory} == {
        ("wildcard-trust", one(snapshot, "known").urn)
    }


def test_an_identity_provider_whose_name_is_not_known_yet_has_no_arn() -> None:
    def program() -> None:
        late = aws.s3.Bucket("bucket").id
        pulumi.export("late", aws.iam.SamlProvider("late", name=late, saml_metadata_document="<x/>").arn)
        pulumi.export("known", aws.iam.SamlProvider("known", name="Okta", saml_metadata_document="<x/>").arn)

    said = exports(preview(program, config={"aws:allowedAccountIds": "[22222222222]", "aws:region": "cn-north-1"}))
    assert said["late"] is UNKNOWN
    assert said["known"] == "arn:aws-cn:iam::022222222222:saml-provider/Okta"


def test_a_policy_document_is_looked_up_without_aws() -> None:
    def program() -> None:
        principal = aws.iam.GetPolicyDocumentStatementPrincipalArgs(
            type="AWS", identifiers=["arn:aws:iam::111111111111:root"]
        )
        statement = aws.iam.GetPolicyDocumentStatementArgs(actions=["sts:AssumeRole"], principals=[principal])
        aws.iam.Role("role", assume_role_policy=aws.iam.get_policy_document_output(statements=[statement]).json)

    document = json.loads(str(one(preview(program), "role").get("assumeRolePolicy")))
    assert document["Statement"] == [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}}
    ]


ROLE = {"role_arn": "arn:aws-us-gov:iam::222222222222:role/ops/admin", "session_name": "x"}
WEB_IDENTITY = aws.ProviderAssumeRoleWithWebIdentityArgs(web_identity_token="token", **ROLE)


@pytest.mark.parametrize(
    "assumed", [{"assume_roles": [aws.ProviderAssumeRoleArgs(**ROLE)]}, {"assume_role_with_web_identity": WEB_IDENTITY}]
)
def test_the_caller_is_the_session_of_the_provider_s_last_role(assumed: dict[str, Any]) -> None:
    def program() -> None:
        provider = aws.Provider("member", region="us-gov-west-1", **assumed)
        pulumi.export("arn", aws.get_caller_identity(opts=pulumi.InvokeOptions(provider=provider)).arn)

    assert exports(preview(program, account=HUB))["arn"] == "arn:aws-us-gov:sts::222222222222:assumed-role/admin/x"


def trusting(principal: Mapping[str, str]) -> str:
    allow = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside other stacks"])
@pytest.mark.parametrize("default", [None, "hub", "stage"])
def test_an_account_that_is_given_is_not_that_of_a_profile_that_only_another_provider_has(
    default: str | None, beside: bool
) -> None:
    """The environment's credentials are the program's, and those that `aws:profile` gives the default provider.

    https://www.pulumi.com/registry/packages/aws/installation-configuration/#configuration-options
    """

    def program() -> None:
        stage = pulumi.ResourceOptions(provider=aws.Provider("stage", region="eu-west-1", profile="stage"))
        aws.iam.Role("ci", name="ci", assume_role_policy=trusting({"Service": "ec2.amazonaws.com"}))
        aws.iam.Role(
            "deploy", name="deploy", assume_role_policy=trusting({"AWS": f"arn:aws:iam::{HUB}:role/ci"}), opts=stage
        )
        who = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=stage.provider))
        pulumi.export("caller", who.account_id)

    snapshot = preview(program, account=HUB, config={"aws:profile": default} if default else {})
    others = Beside(Snapshot(()), {}) if beside else None
    refused = [one.rule for one in judge(snapshot, account=HUB, beside=others).mandatory]
    assert refused == ([] if default == "stage" else ["unproved-door"])
    assert (exports(snapshot)["caller"] is UNKNOWN) is (default != "stage")


def test_a_plain_look_up_is_answered_by_who_calls() -> None:
    def program() -> None:
        pulumi.export("zones", aws.get_availability_zones().names)

    def zones(_: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": "x", "names": ["us-east-1a"], "zoneIds": [], "groupNames": []}

    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    assert exports(preview(program, calls={token: zones}))["zones"] == ["us-east-1a"]


def test_what_a_plain_look_up_would_give_is_unknown_wherever_it_is_put() -> None:
    def program() -> None:
        zones, vpc = aws.get_availability_zones().names, aws.ec2.get_vpc(default=True)
        for zone in zones[:2]:
            aws.ec2.Subnet(f"in-{zone}", vpc_id=vpc.id, availability_zone=zone, cidr_block=vpc.tags["Cidr"])
        aws.ec2.SecurityGroup("group", vpc_id=vpc.id, revoke_rules_on_delete=vpc.default, tags={**vpc.tags, "A": "b"})
        owner = f"arn:aws:iam::{vpc.owner_id}:root"
        trust = {"Effect": "Allow", "Principal": {"AWS": owner}, "Action": "sts:AssumeRole"}
        policy: dict[str, Any] = {"Version": "2012-10-17", "Statement": [trust]}
        aws.iam.Role("text", assume_role_policy=json.dumps(policy))
        aws.iam.Role("leaf", assume_role_policy=policy)
        statement = {"actions": ["sts:AssumeRole"], "principals": [{"type": "AWS", "identifiers": [owner]}]}
        aws.iam.Role("read", assume_role_policy=aws.iam.get_policy_document(statements=[statement]).json)
        given = aws.iam.get_policy_document_output(statements=[statement])
        aws.iam.Role("late", assume_role_policy=given.json)
        peers = aws.ec2.get_subnets(filters=[{"name": "vpc-id", "values": [vpc.id]}])
        pulumi.export("subnets", [*peers.ids, vpc.cidr_block_associations[0].cidr_block, {f"{owner}:sub": "x"}])

    said: list[tuple[str, str]] = []
    snapshot = preview(program, account=HUB, say=lambda *one: said.append(one))
    trusts = {one.name: one.get("assumeRolePolicy") for one in snapshot.of_type("aws:iam/role:Role")}
    leaf: Any = trusts.pop("leaf")
    assert leaf["Statement"][0]["Principal"] == {"AWS": UNKNOWN}
    assert trusts == dict.fromkeys(("text", "read", "late"), UNKNOWN)
    subnets = [one.inputs for one in snapshot.of_type("aws:ec2/subnet:Subnet")]
    assert subnets == [dict.fromkeys(("vpcId", "availabilityZone", "cidrBlock"), UNKNOWN)] * 2
    group = one(snapshot, "group").inputs or {}
    assert {group[key] for key in ("vpcId", "revokeRulesOnDelete", "tags")} == {UNKNOWN}
    assert exports(snapshot)["subnets"] == [UNKNOWN] * 5
    verdicts = judge(snapshot, account=HUB)
    assert not verdicts.mandatory
    (later,) = (one.message for one in verdicts.advisory if one.rule == "judged-in-the-update")
    assert all(f"Role {name}" in later for name in ("leaf", *trusts))
    asked = ["getAvailabilityZones", "getVpc", "getPolicyDocument", "getSubnets"]
    unknown = "is not asked: the texts that it gives are unknown, and its lists have 3 items"
    assert said == [("info", f"{name} {unknown}") for name in asked]


def test_a_program_that_decides_by_what_only_aws_can_tell_is_refused(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import pulumi_aws as aws\nif aws.get_availability_zones().names[0] == 'us-east-1a':\n    print('there')\n"
    )
    with pytest.raises(
        Refusal, match=r"may need what only AWS can tell \(getAvailabilityZones\): ValueError"
    ) as refused:
        preview(tmp_path, output=io.StringIO())
    assert "_output" in refused.value.next_step


@pytest.mark.parametrize("decision", [
    "zone == 'us-east-1a'", "zone.split('-')", "zone[-1]", "len(zone)", "'us' in zone", "zone.encode()", "int(zone)",
    "zone.strip() == 'us-east-1a'", "zone + 'x' == 'us-east-1ax'", "zone or 'us-east-1a'", "zones or ['us-east-1a']",
    "vpc.enable_dns_support or exit()", "vpc.tags or exit()", "'Environment' in vpc.tags",
    "[key == 'Environment' for key in vpc.tags]",
])  # fmt: skip
def test_a_program_that_catches_what_it_is_told_where_it_decides_so_is_refused_too(decision: str) -> None:
    def program() -> None:
        zones, vpc = aws.get_availability_zones().names, aws.ec2.get_vpc()
        with contextlib.suppress(ValueError):
            eval(decision, {"zones": zones, "zone": zones[0], "vpc": vpc})
            pytest.fail("it is decided")

    with pytest.raises(ValueError, match="decides or calculates"):
        preview(program)


def test_whose_account_a_program_works_in_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import pulumi_aws as aws\naws.get_caller_identity()\n")
    with pytest.raises(Refusal, match=r"looks up what only AWS can tell \(getCallerIdentity\)\. Next") as refused:
        preview(tmp_path, output=io.StringIO())
    assert "--account" in refused.value.next_step


def test_a_component_of_a_package_is_left_to_the_cli_whose_engine_runs_it(tmp_path: Path) -> None:
    """https://www.pulumi.com/docs/iac/guides/building-extending/components/: awsx and eks are such packages."""
    (tmp_path / "__main__.py").write_text(
        "import pulumi\npulumi.ComponentResource('awsx:ec2:Vpc', 'v', {}, remote=True)\n"
    )
    with pytest.raises(Refusal, match="awsx:ec2:Vpc v is a component of a package") as refused:
        preview(tmp_path, output=io.StringIO())
    assert "pulumi preview --policy-pack" in refused.value.next_step


def test_another_stack_is_unknown_unless_its_outputs_are_given() -> None:
    def program() -> None:
        other = pulumi.StackReference("organization/acme/base")
        pulumi.export("vpc", other.require_output("vpc"))

    assert exports(preview(program))["vpc"] is UNKNOWN
    given = preview(program, stacks={"base": {"vpc": "vpc-1"}})
    assert exports(given)["vpc"] == "vpc-1"
    assert not list(given.of_type("pulumi:pulumi:StackReference"))  # what is only read is not shown


def test_a_secret_is_shown_to_the_rules_as_the_engine_shows_it() -> None:
    def program() -> None:
        aws.iam.Role("role", assume_role_policy=TRUST, description=pulumi.Config("acme").require_secret("text"))

    assert one(preview(program, config={"acme:text": "hidden"}), "role").get("description") == "hidden"


@pytest.mark.parametrize(("naming", "proved"), [
    ({"mode": "verbatim"}, True), ({"pattern": "${name}"}, True), ({"pattern": "${name}-${num(4)}"}, False),
    (None, False),
])  # fmt: skip
def test_a_role_without_a_name_is_called_as_the_config_of_the_stack_says(
    naming: dict[str, str] | None, *, proved: bool
) -> None:
    """https://www.pulumi.com/docs/iac/concepts/resources/names/#autonaming-configuration"""

    ci, deployer = f"arn:aws:iam::{HUB}:role/ci", f"arn:aws:iam::{WEB}:role/deployer"

    def role(name: str, account: str, **principal: str) -> pulumi.ResourceOptions:
        access = [aws.ProviderAssumeRoleArgs(role_arn=f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")]
        roles = access if account == WEB else None
        provider = aws.Provider(name, region="us-east-1", allowed_account_ids=[account], assume_roles=roles)
        there = pulumi.ResourceOptions(provider=provider)
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        aws.iam.Role(name, assume_role_policy=document, opts=there)
        return there

    def program() -> None:
        role("deployer", WEB, AWS=ci)
        grant = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": deployer}
        document = json.dumps({"Version": "2012-10-17", "Statement": [grant]})
        aws.iam.RolePolicy("grant", role="ci", policy=document, opts=role("ci", HUB, Service="ec2.amazonaws.com"))

    config = {"pulumi:autonaming": json.dumps(naming)} if naming else {}
    assert bool(judge(preview(program, config=config)).mandatory) is not proved


def test_a_transform_of_a_component_changes_what_is_below_it() -> None:
    """https://www.pulumi.com/docs/iac/concepts/options/transforms/: it is run for the resource and its children."""

    def tag(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        return pulumi.ResourceTransformResult({**args.props, "description": "changed"}, args.opts)

    def program() -> None:
        above = pulumi.ComponentResource("t:index:Above", "above", opts=pulumi.ResourceOptions(transforms=[tag]))
        between = pulumi.ComponentResource("t:index:Between", "between", opts=pulumi.ResourceOptions(parent=above))
        aws.iam.Group("inside", name="inside", opts=pulumi.ResourceOptions(parent=between))
        aws.iam.Policy("policy", policy="{}", opts=pulumi.ResourceOptions(parent=between))
        aws.iam.Policy("beside", policy="{}")

    made = {one.name: one for one in preview(program).resources}
    assert made["policy"].inputs["description"] == "changed"
    assert "description" not in made["beside"].inputs


def test_a_transform_of_the_program_changes_what_is_registered(tmp_path: Path) -> None:
    program = """
        import json, pulumi, pulumi_aws as aws

        def open_it(args):
            if args.type_ != "aws:iam/role:Role":
                return None
            trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
            return pulumi.ResourceTransformResult({**args.props, "assumeRolePolicy": json.dumps(trust)}, args.opts)

        pulumi.runtime.register_resource_transform(open_it)
        aws.iam.Role("role", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    """
    (tmp_path / "__main__.py").write_text(dedent(program))
    snapshot = preview(tmp_path, config={"aws:allowedAccountIds": '["222222222222"]'})
    assert '"AWS": "*"' in str(one(snapshot, "role").get("assumeRolePolicy"))
    assert judge(snapshot).mandatory


@pytest.mark.parametrize(("text", "why", "line"), [
    ("import pulumi\n\nraise ValueError('no such thing')\n", "ValueError: no such thing", ":3"),
    ("import pulumi\npulumi.log.error('this is wrong')\n", "this is wrong", ""),
    ("import sys\nsys.exit(3)\n", "SystemExit: 3", ":2"),
    ("import os\nos._exit(7)\n", "its process ended with code 7", ""),
    ("def broken(\n", "SyntaxError", ""),
    ("import pulumi\nfor _ in 'ab':\n    pulumi.ComponentResource('a:b:C', 'twice')\n", "Duplicate resource URN", ""),
])  # fmt: skip
def test_a_program_that_fails_is_refused_with_the_place(tmp_path: Path, text: str, why: str, line: str) -> None:
    (tmp_path / "__main__.py").write_text(text)
    with pytest.raises(Refusal, match=why) as refused:
        preview(tmp_path, say=lambda _, __: None, output=io.StringIO())
    assert refused.value.where.endswith(line)
    assert "Traceback" not in refused.value.why


def test_a_failure_that_says_its_next_step_is_refused_with_that_one(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(r"raise ValueError('it is taken.\nNext step: take another one')")
    with pytest.raises(Refusal, match="it is taken") as refused:
        preview(tmp_path, say=lambda _, __: None, output=io.StringIO())
    assert refused.value.next_step == "take another one"


def test_what_a_program_prints_is_passed_on_and_its_folder_is_importable(tmp_path: Path) -> None:
    (tmp_path / "monitor.py").write_text("NAME = 'mine'\n")
    (tmp_path / "__main__.py").write_text("import monitor\nprint(monitor.NAME)\n")
    printed = io.StringIO()
    preview(tmp_path, output=printed)
    assert printed.getvalue() == "mine\n"


def test_a_program_gets_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "mine")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "mine")
    (tmp_path / "__main__.py").write_text("import os\nprint([k for k, v in os.environ.items() if v == 'mine'])\n")
    printed = io.StringIO()
    preview(tmp_path, output=printed)
    assert printed.getvalue() == "[]\n"


def test_a_virtual_environment_without_the_sdk_is_said(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=False)
    program = tmp_path / "__main__.py"
    program.write_text("")
    with pytest.raises(Refusal) as refused:
        preview(program, python=tmp_path / "venv/bin/python")
    assert refused.value.why == "ModuleNotFoundError: No module named 'grpc'"
    assert "(pip install pulumi)" in refused.value.next_step, "the SDK brings grpc"


@pytest.mark.parametrize(
    ("module", "typed"), [("pulumi_tailscale.acl", "(pip install pulumi-tailscale)"), ("our_own", None)]
)
def test_a_provider_that_is_not_installed_is_named_as_its_registry_does(
    tmp_path: Path, module: str, typed: str | None
) -> None:
    """`pulumi_aws` is https://pypi.org/project/pulumi-aws/; of another module nobody knows what it is called there."""
    (tmp_path / "__main__.py").write_text(f"import {module}\n")
    with pytest.raises(Refusal, match="ModuleNotFoundError") as refused:
        preview(tmp_path, output=io.StringIO())
    assert typed in refused.value.next_step if typed else "pip" not in refused.value.next_step


ORGANIZATION = """
import json, pulumi, pulumi_aws as aws
management = aws.Provider("management", region="eu-west-1", allowed_account_ids=["111111111111"])
stage = aws.organizations.Account("stage", email=EMAIL, name="stage", opts=pulumi.ResourceOptions(provider=management))
role = "arn:aws:iam::%s:role/OrganizationAccountAccessRole"
inside = aws.Provider("stage", region="eu-west-1", allowed_account_ids=[stage.id],
    assume_roles=[{"role_arn": stage.id.apply(lambda id: role % id)}])
trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "acme-7781"}}}
aws.iam.Role("reader", name="reader", opts=pulumi.ResourceOptions(provider=inside), assume_role_policy=stage.id.apply(
    lambda _: json.dumps({"Version": "2012-10-17", "Statement": [trust | {"Principal": {"AWS": "464622532012"}}]})))
"""


@pytest.mark.parametrize(("email", "refused"), [("aws+stage@acme.example", False), ("other@acme.example", True)])
@pytest.mark.parametrize("marked", [True, False])
def test_an_account_that_the_stacks_state_has_as_it_is_asked_for_is_known_and_without_a_state_the_state_is_asked_for(
    tmp_path: Path, email: str, refused: bool, marked: bool
) -> None:
    """As the engine shows what does not change; an account of another e-mail address is another one.

    https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/organizations_account
    """
    urns = "urn:pulumi:dev::acme::"
    provider = {"urn": f"{urns}pulumi:providers:aws::management", "type": "pulumi:providers:aws", "custom": True}
    account = {"email": "aws+stage@acme.example", "name": "stage", "closeOnDeletion": False}
    made = [
        {**provider, "id": "1", "inputs": {"region": "eu-west-1"}},
        {
            "urn": f"{urns}aws:organizations/account:Account::stage",
            "type": "aws:organizations/account:Account",
            "custom": True,
            "id": "222222222222",
            "inputs": account | ({"__defaults": ["closeOnDeletion"]} if marked else {}),
            "outputs": {"arn": "arn:aws:organizations::111111111111:account/o-1/222222222222"},
            "provider": f"{provider['urn']}::1",
        },
    ]
    state = tmp_path / "dev.json"
    state.write_text(json.dumps({"version": 3, "deployment": {"resources": made}}))
    (tmp_path / "Pulumi.yaml").write_text("name: acme\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: {}\n")
    (tmp_path / "__main__.py").write_text(f"EMAIL = {email!r}\n{ORGANIZATION}")
    found = load_project(tmp_path)

    def steps(states: list[Path]) -> list[str]:
        _, verdicts = stack_preview(found, "dev", {}, rules={}, states=states, say=lambda *_: None)
        return [one.next_step for one in verdicts.mandatory]

    assert any("make the accounts first" in step for step in steps([state])) == refused
    assert steps([])[0].startswith("give the state that has the account (`--state FILE`, of `pulumi stack export")


@pytest.mark.parametrize("ignored", ["inlinePolicies", "*", None])
def test_what_ignore_changes_leaves_is_judged_as_the_state_has_it(ignored: str | None) -> None:
    """https://www.pulumi.com/docs/iac/concepts/options/ignorechanges/; `*` is each property (seen with CLI 3.274.1)."""
    enter = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::222222222222:role/deployer"}
    grant = [{"name": "enter", "policy": json.dumps({"Version": "2012-10-17", "Statement": [enter]})}]
    named = {"name": "ci", "assumeRolePolicy": TRUST}

    def program() -> None:
        hub = aws.Provider("hub", region="eu-west-1", allowed_account_ids=[HUB])
        kept = pulumi.ResourceOptions(provider=hub, ignore_changes=[ignored] if ignored else None)
        aws.iam.Role("ci", name="ci", assume_role_policy=TRUST, opts=kept)

    was = replace(one(preview(program), "ci"), inputs=named | {"inlinePolicies": grant})
    found = judge(preview(program, before=Snapshot((was,)))).mandatory
    assert any("role/deployer" in finding.message for finding in found) == (ignored is not None)


@pytest.mark.parametrize(("ignored", "left"), [
    ("inlinePolicies[0].policy", {"tags": {"a": "2", "b": "3"}, "inlinePolicies": [{"name": "q", "policy": "old"}]}),
    ("inlinePolicies[*].name", {"tags": {"a": "2", "b": "3"}, "inlinePolicies": [{"name": "p", "policy": "new"}]}),
    ("tags.a", {"tags": {"a": "1", "b": "3"}}),
    ('tags["b"]', {"tags": {"a": "2"}}),
    ("inlinePolicies[0].policy.x", {"inlinePolicies": [{"name": "q", "policy": "new"}]}),
    ("description.x", {"description": "x"}),
    ("tags.*", {"tags": {"a": "1"}}),
    ("*", {"tags": {"a": "1"}, "inlinePolicies": [{"name": "p", "policy": "old"}], "description": None}),
])  # fmt: skip
def test_what_ignore_changes_names_by_a_path_is_put_back(ignored: str, left: dict[str, Any]) -> None:
    """As the engine (CLI 3.274.1) shows it: what was not there before is taken out."""

    def program() -> None:
        policies = [aws.iam.RoleInlinePolicyArgs(name="q", policy="new")]
        tags, opts = {"a": "2", "b": "3"}, pulumi.ResourceOptions(ignore_changes=[ignored])
        aws.iam.Role(
            "ci", name="ci", assume_role_policy=TRUST, description="x", tags=tags, inline_policies=policies, opts=opts
        )

    inline = [{"name": "p", "policy": "old"}]
    old = {"name": "ci", "assumeRolePolicy": TRUST, "tags": {"a": "1"}, "inlinePolicies": inline}
    was = replace(one(preview(program), "ci"), inputs=old)
    found = one(preview(program, before=Snapshot((was,))), "ci")
    assert {key: found.get(key) for key in left} == left


@pytest.mark.parametrize(
    ("ignored", "left"), [("tags.a", {"b": "3"}), ("tags.*", {"a": "2", "b": "3"}), ("tags", None)]
)
def test_of_a_map_that_was_not_there_only_what_is_named_is_taken_out(ignored: str, left: dict[str, str] | None) -> None:
    """https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties_path.go (`reset`)"""

    def program() -> None:
        opts = pulumi.ResourceOptions(ignore_changes=[ignored])
        aws.iam.Role("ci", name="ci", assume_role_policy=TRUST, tags={"a": "2", "b": "3"}, opts=opts)

    was = replace(one(preview(program), "ci"), inputs={"name": "ci", "assumeRolePolicy": TRUST})
    assert one(preview(program, before=Snapshot((was,))), "ci").get("tags") == left
