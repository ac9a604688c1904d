"""From a live model to config, without AWS: odd names, what cannot be said, and what is refused.

Limits: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html and the patterns of
https://docs.aws.amazon.com/organizations/latest/APIReference/ (names of units and policies: any 1 to 128 characters).
"""

import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.test_settings import STAGE, changed
from twokeys.errors import Refusal
from twokeys.organization.adoption import Adoption, Entered, adopt, environments_by, refuse_unadoptable
from twokeys.organization.model import Account, Caller, Live, Organization, Policy, Unit
from twokeys.organization.stack_file import stack_file
from twokeys.project.stack_yaml import dumped, loaded
from twokeys.settings import parse

MANAGEMENT = "111111111111"
SCP = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
EMPTY = Organization("o-a1b2c3d4e5", "ALL", MANAGEMENT, "example@company.com", "r-ab12", ("SERVICE_CONTROL_POLICY",))
CALLER = Caller(MANAGEMENT, f"arn:aws:sts::{MANAGEMENT}:assumed-role/admin/me")


def account(number: int, called: str, /, **changes: Any) -> Account:
    own = Account(f"{number:012}", called, f"a{number}@company.com", "ACTIVE", "CREATED", "r-ab12")
    return replace(own, **changes)


def unit(number: int, *names: str, parent: str = "r-ab12") -> Unit:
    return Unit(f"ou-ab12-{number:08}", names, parent)


def policy(number: int, name: str, document: object = SCP, *, type: str = "SERVICE_CONTROL_POLICY") -> Policy:
    text = document if isinstance(document, str) else json.dumps(document)
    return Policy(f"p-{number:08}", name, type, "", text, ("r-ab12",))


def adopted(entered: dict[str, Entered] | None = None, **facts: Any) -> Adoption:
    return adopt(
        replace(EMPTY, **facts),
        stack="adopted",
        region="us-east-1",
        entered=entered or {},
        root_email="example@company.com",
    )


def config(made: Adoption) -> dict[str, Any]:
    return made.stacks[0].config


def left_out(made: Adoption) -> list[str]:
    assert all(one.next_step for one in made.left_out)
    return [f"{one.what}: {one.why}" for one in made.left_out]


def test_accounts_whose_names_give_one_key_all_get_their_id_also_beside_one_that_is_called_like_such_a_key() -> None:
    called = ("Shop", "shop", "shop!", "bank", "shop 000000000001")
    made = adopted(accounts=tuple(account(number, name) for number, name in enumerate(called, 1)))
    keys = {said["adopt"]: key for key, said in config(made)["accounts"].items()}
    assert keys.pop("000000000004") == "bank"
    assert {id: key.startswith("shop-") and key.endswith(id) for id, key in keys.items()} == {
        f"{number:012}": True for number in (1, 2, 3, 5)
    }


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("Data & Analytics (EU)", "data-analytics-eu"),
        ("management", "management-000000000001"),
        ("***", "000000000001"),
        ("x" * 50, "x" * 36),
    ],
)
def test_a_name_that_is_no_key_keeps_its_name(name: str, key: str) -> None:
    ((made, said),) = config(adopted(accounts=(account(1, name),)))["accounts"].items()
    assert made == key
    assert said["name"] == name


def test_an_address_stays_as_it_is_and_is_left_out_where_it_follows_from_the_key() -> None:
    made = config(
        adopted(
            accounts=(account(1, "shop", email="example+shop@company.com"), account(2, "bank", email="Boss@bank.org"))
        )
    )
    assert made["accounts"]["shop"] == {"adopt": "000000000001"}
    assert made["accounts"]["bank"]["email"] == "Boss@bank.org"


@pytest.mark.parametrize("changes", [{"name": "Büro"}, {"email": "a(b)c@company.com"}])
def test_an_account_that_config_cannot_say_is_left_out(changes: dict[str, str]) -> None:
    made = adopted(accounts=(account(1, "shop", **changes),))
    assert "accounts" not in config(made)
    assert "config refuses its" in left_out(made)[0]


def test_units_keep_their_names_whatever_is_in_them() -> None:
    units = (
        unit(1, "A/B"),
        unit(2, "A-B"),
        unit(3, "root"),
        unit(4, "x::y\n"),
        unit(5, "000000000001"),
        unit(6, "Ü" * 128),
        unit(8, "<<"),
    )
    below = unit(7, "A/B", "C", parent=units[0].id)
    made = config(adopted(units=(below, *units)))["organization"]["organizationalUnits"]
    assert loaded(dumped(made)) == made
    assert {said["adopt"]: said.get("name", key.rpartition("/")[2]) for key, said in made.items()} == {
        one.id: one.names[-1] for one in (*units, below)
    }
    assert f"A-B-{units[1].id[-8:]}" in made or f"A-B-{units[0].id[-8:]}" in made
    assert len(made) == 8


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (policy(1, "broken", "{"), "not JSON"),
        (policy(1, "list", "[]"), "config refuses its document"),
        (policy(1, "new", {"a": 1}, type="GUARDDUTY_POLICY"), "config refuses its type"),
    ],
)
def test_a_policy_that_config_cannot_say_is_left_out(one: Policy, why: str) -> None:
    made = adopted(policies=(one, policy(2, "good")))
    assert list(config(made)["organization"]["serviceControlPolicies"]) == ["good"]
    assert why in left_out(made)[0]


def test_what_control_tower_made_is_left_to_it() -> None:
    # https://docs.aws.amazon.com/controltower/latest/userguide/drift.html
    made = adopted(policies=(policy(1, "aws-guardrails-AbCdEf"), policy(2, "own")))
    assert list(config(made)["organization"]["serviceControlPolicies"]) == ["own"]
    assert "Control Tower" in left_out(made)[0]


def test_an_organization_with_a_policy_type_that_config_does_not_know_is_only_looked_up() -> None:
    made = adopted(policy_types=("GUARDDUTY_POLICY", "SERVICE_CONTROL_POLICY"), units=(unit(1, "A"),))
    assert config(made)["organization"] == {
        "create": False,
        "organizationalUnits": {"A": {"adopt": "ou-ab12-00000001"}},
    }
    assert "GUARDDUTY_POLICY" in left_out(made)[0]


def test_half_of_centralized_root_access_and_a_resource_policy_stay_as_they_are() -> None:
    made = adopted(root_features=("RootSessions",), has_resource_policy=True)
    assert "centralizedRootAccess" not in config(made)["organization"]
    assert [one.partition(":")[0] for one in left_out(made)] == [
        "centralized root access",
        "the organization's resource-based policy",
    ]


def test_a_stack_file_reads_as_the_config_that_it_was_made_from() -> None:
    made = adopted(
        accounts=(account(1, "08"), account(2, "1e3"), account(3, "no")),
        policies=(
            policy(
                1,
                "y",
                {"tags": {"a": {"tag_value": {"@@assign": ["007", "on", "~", "0x1F", "1_000"]}}}},
                type="TAG_POLICY",
            ),
        ),
        policy_types=("SERVICE_CONTROL_POLICY", "TAG_POLICY"),
        units=(unit(1, "0123"), unit(2, "- : #")),
    )
    text = stack_file(made.stacks[0], origin="From here.", left_out=made.left_out)
    read = yaml.safe_load(text)["config"]
    assert {key.removeprefix("twokeys:"): value for key, value in read.items()} == config(made)
    assert parse("adopted", read)
    # A reader of YAML 1.2, as the pulumi CLI is, takes 000000000001 without quotes for a number.
    assert '"000000000001"' in text
    assert text.startswith("# From here.\n")


@pytest.mark.parametrize(
    ("live", "what"),
    [
        (Live(CALLER, None), "the account belongs to no organization"),
        (Live(CALLER, replace(EMPTY, management_account="9" * 12)), "is managed by account 9"),
        (Live(CALLER, replace(EMPTY, features="CONSOLIDATED_BILLING")), "its feature set is"),
        (
            Live(CALLER, EMPTY, {"tags": "organizations:ListTagsForResource"}),
            "not permitted: organizations:ListTagsForResource",
        ),
        (Live(Caller(MANAGEMENT, f"arn:aws:iam::{MANAGEMENT}:root"), EMPTY), "the root user cannot take"),
    ],
)
def test_what_cannot_be_taken_over_is_refused(live: Live, what: str) -> None:
    with pytest.raises(Refusal, match=what):
        refuse_unadoptable(live)


def test_an_address_that_no_account_could_have_is_refused_with_the_way_out() -> None:
    with pytest.raises(Refusal) as refused:
        adopt(EMPTY, stack="adopted", region="us-east-1", entered={}, root_email="master@local.local")
    assert "--root-email" in refused.value.next_step


def test_an_environment_of_the_management_stacks_name_gets_another_one() -> None:
    tagged, other = account(1, "a", tags={"env": "Adopted"}), account(2, "b")
    found = environments(replace(EMPTY, accounts=(tagged, other)), "tag:env")
    assert found == {"adopted": [other.id], "adopted-accounts": [tagged.id]}


@pytest.mark.parametrize("how", ["unit", "tag:", "tag"])
def test_a_way_to_split_that_is_none_is_refused(how: str) -> None:
    with pytest.raises(Refusal, match="neither ou nor tag:NAME"):
        environments_by(how)


def test_a_tag_that_no_account_has_is_refused_with_those_there_are() -> None:
    with pytest.raises(Refusal) as refused:
        environments(replace(EMPTY, accounts=(account(1, "a", tags={"environment": "prod"}),)), "tag:enviroment")
    assert refused.value.why == "no account has it; their tags are environment"
    assert refused.value.next_step == "write environment, if that is meant, or name a tag that they have, or ou"


def environments(organization: Organization, how: str) -> dict[str, list[str]]:
    made = adopt(
        organization,
        stack="adopted",
        region="us-east-1",
        entered={},
        root_email="example@company.com",
        environment_of=environments_by(how)(organization),
    )
    return {
        stack.name: [account["adopt"] for account in stack.config.get("accounts", {}).values()] for stack in made.stacks
    }


def test_each_unit_gets_a_stack_of_its_own_however_deep_it_is_and_whatever_it_is_called() -> None:
    # Five levels, and any character in a name: https://docs.aws.amazon.com/organizations/latest/userguide/
    # orgs_reference_limits.html and .../APIReference/API_CreateOrganizationalUnit.html
    deep = ("Workloads", "Production", "Europe-Central", "Customers-of-the-first-hour")
    units = (
        *(unit(number, *deep[:number], parent=f"ou-ab12-{number - 1:08}") for number in range(1, 5)),
        unit(5, *deep, "Alpha", parent="ou-ab12-00000004"),
        unit(6, *deep, "Beta", parent="ou-ab12-00000004"),
        unit(7, "R/D"),
        unit(8, "R-D"),
        unit(9, "日本"),
    )
    members = tuple(account(number, f"n{number}", parent=units[number - 1].id) for number in range(5, 10))
    found = environments(replace(EMPTY, units=units, accounts=members), "ou")
    assert found.pop("adopted") == []
    assert sorted(found.values()) == [[one.id] for one in members]


def test_a_tag_that_aws_took_before_it_limited_their_text_stays_where_it_is_taken_over() -> None:
    """https://docs.aws.amazon.com/organizations/latest/APIReference/API_Tag.html: its pattern was any text once."""
    account = {"organizationalUnit": "Workloads/Stage", "tags": {"note": "a: b # c"}}
    found = parse("stage", changed(STAGE, "accounts", {"stage": account | {"adopt": "222222222222"}}))
    assert found.accounts["stage"].tags == account["tags"]
    for config in (changed(STAGE, "accounts", {"stage": account}), changed(STAGE, "tags", account["tags"])):
        with pytest.raises(Refusal, match="letters, digits, spaces"):
            parse("stage", config)


def test_tags_that_aws_made_are_not_taken_over() -> None:
    # https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html: nobody can set or remove `aws:` tags
    tags = {"aws:cloudformation:stack-name": "x", "env": "prod"}
    made = config(
        adopted(
            accounts=(account(1, "a", tags=tags),),
            units=(replace(unit(1, "A"), tags={"aws:x": "y"}),),
            policies=(replace(policy(1, "p"), tags=tags),),
        )
    )
    assert made["accounts"]["a"]["tags"] == {"env": "prod"}
    assert "tags" not in made["organization"]["organizationalUnits"]["A"]
    assert made["organization"]["serviceControlPolicies"]["p"]["tags"] == {"env": "prod"}


def test_a_members_own_address_is_no_root_address() -> None:
    # An address belongs to one account: https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html
    organization = replace(EMPTY, accounts=(account(1, "shop", email="shop@company.com"),))
    with pytest.raises(Refusal, match="it is the address of account 000000000001") as refused:
        adopt(organization, stack="adopted", region="us-east-1", entered={}, root_email="SHOP@company.com")
    assert refused.value.where == "--root-email"
