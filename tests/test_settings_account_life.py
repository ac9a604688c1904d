"""What config may say of an account's life. AWS's word for the last part of it:

CLOSE https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_close.html
"""

from typing import Any

import pytest

from tests.test_settings import DOOR, MANAGEMENT, STAGE, changed, refused
from twokeys.settings import parse
from twokeys.settings.models import all_units, guard_rails

UNIT = {"organizationalUnit": "Workloads"}


def test_an_account_is_active_unless_config_says_otherwise() -> None:
    assert parse("stage", STAGE).accounts_in("active") == ("stage",)


def test_no_other_state_is_known() -> None:
    assert "'active', 'quarantined' or 'closed'" in refused(changed(STAGE, "accounts.stage.state", "gone")).why


@pytest.mark.parametrize("state", ["quarantined", "closed"])
def test_a_door_into_an_account_out_of_use_is_refused_with_the_next_step(state: str) -> None:
    config = changed(STAGE, "accounts.stage", {"state": state, "adopt": "2" * 12, "organizationalUnit": "Workloads"})
    refusal = refused(config)
    assert refusal.what == "twokeys:doors.ci.to.account = stage"
    assert f"accounts.stage.state is {state}" in refusal.why
    assert refusal.next_step.startswith("remove the door")
    assert ("when the account is active" in refusal.next_step) == (state == "quarantined")


@pytest.mark.parametrize("state", ["quarantined", "closed"])
def test_an_account_without_doors_may_be_put_out_of_use(state: str) -> None:
    account = {"state": state, "adopt": "2" * 12, "organizationalUnit": "Workloads"}
    config = {**STAGE, "doors": {}, "accounts": {"stage": account}}
    assert parse("stage", config).accounts_in(state) == ("stage",)  # type: ignore[arg-type]


def test_a_closed_account_is_known_by_its_id_which_config_alone_keeps() -> None:
    refusal = refused({**STAGE, "doors": {}, "accounts": {"stage": {"state": "closed"}}})
    assert refusal.what == "twokeys:accounts.stage.adopt = (missing)"
    assert "pulumi stack output member_account_ids" in refusal.next_step


@pytest.mark.parametrize(
    ("new", "key"), [({"email": "example+old@company.com"}, "email"), ({"adopt": "2" * 12}, "adopt")]
)
def test_the_address_and_the_id_of_a_closed_account_are_no_other_account_s(new: dict[str, Any], key: str) -> None:
    """An address is never free again (CLOSE)."""
    accounts = {"old": {"state": "closed", "adopt": "2" * 12}, "new": new}
    assert refused({**STAGE, "doors": {}, "accounts": accounts}).what.startswith(f"twokeys:accounts.new.{key} = ")


def test_the_duties_of_a_closed_account_are_refused_and_a_quarantined_one_keeps_them() -> None:
    """AWS closes no delegated administrator; the archive of a closed account is deleted with it (CLOSE)."""
    organization = {
        **MANAGEMENT["organization"],
        "quarantine": "Quarantine",
        "trustedServices": ["cloudtrail.amazonaws.com", "guardduty.amazonaws.com"],
    }
    config = {
        **MANAGEMENT,
        "organization": organization,
        "accounts": {name: {**UNIT} for name in ("archive", "security")},
        "audit": {"account": "archive", "delegatedAdministrators": {"security": ["guardduty"]}},
    }
    for account, key in (("archive", "audit.account"), ("security", "audit.delegatedAdministrators.security")):
        refusal = refused(changed(config, f"accounts.{account}", {**UNIT, "state": "closed", "adopt": "2" * 12}))
        assert refusal.what == f"twokeys:{key} = {account}"
        assert parse("management", changed(config, f"accounts.{account}.state", "quarantined"))


def test_the_unit_for_quarantined_accounts_is_made_and_has_its_guard_rail() -> None:
    organization = parse("management", changed(MANAGEMENT, "organization.quarantine", "Shut/Quarantine")).organization
    assert organization is not None
    assert all_units(organization)[:2] == ("Shut", "Workloads")
    assert "Shut/Quarantine" in all_units(organization)
    assert guard_rails(organization) == {"Shut/Quarantine": ("quarantine",)}


def test_guard_rails_of_its_own_stay_beside_it() -> None:
    config = changed(MANAGEMENT, "organization.quarantine", "Quarantine")
    config = changed(config, "organization.guardRails", {"Quarantine": ["no-root-user"]})
    organization = parse("management", config).organization
    assert organization is not None
    assert guard_rails(organization) == {"Quarantine": ("no-root-user", "quarantine")}


def test_an_account_in_quarantine_needs_the_unit_in_the_stack_that_has_the_organization() -> None:
    accounts = {"stage": {"state": "quarantined", **UNIT}}
    assert "organization.quarantine" in refused({**MANAGEMENT, "accounts": accounts}).next_step
    assert parse("stage", {**STAGE, "doors": {}, "accounts": accounts})


def test_an_account_in_quarantine_has_a_unit_to_return_to() -> None:
    """MoveAccount needs a destination: what has none in config is left where it is."""
    refusal = refused({**STAGE, "doors": {}, "accounts": {"stage": {"state": "quarantined"}}})
    assert refusal.what == "twokeys:accounts.stage.organizationalUnit = (missing)"


@pytest.mark.parametrize("unit", ["Quarantine", "Quarantine/Below"])
def test_no_account_lives_in_the_quarantine_unit(unit: str) -> None:
    config = changed(MANAGEMENT, "organization.quarantine", "Quarantine")
    config = changed(config, "organization.organizationalUnits", {"Workloads": {}, "Quarantine/Below": {}})
    refusal = refused({**config, "accounts": {"stage": {"organizationalUnit": unit}}})
    assert "state: quarantined" in refusal.next_step


def test_the_whole_organization_is_no_quarantine_unit() -> None:
    assert "stops everybody" in refused(changed(MANAGEMENT, "organization.quarantine", "root")).why


def test_five_accounts_are_in_the_making_at_once_unless_config_says_otherwise() -> None:
    assert parse("stage", STAGE).accounts_at_once == 5
    assert parse("stage", {**STAGE, "accountsAtOnce": "2"}).accounts_at_once == 2
    assert "it takes 1 or more" in refused({**STAGE, "accountsAtOnce": "0"}).why


OUTSIDE = {"adopt": "222222222222", "access": {"enter": False}}


@pytest.mark.parametrize(
    ("change", "what", "why"),
    [
        ({"accounts": {"stage": OUTSIDE}}, "doors.ci.to.account", "a key is made in it"),
        (
            {"accounts": {"stage": OUTSIDE | {"baseline": {"blockPublicS3": True}}}, "doors": {}},
            "accounts.stage.baseline",
            "a baseline is made in it",
        ),
        (
            {"accounts": {"stage": {"access": {"enter": False}}}, "doors": {}},
            "accounts.stage.access.enter",
            "every new",
        ),
    ],
)
def test_what_has_to_be_made_in_an_account_that_is_not_entered_is_refused(
    change: dict[str, Any], what: str, why: str
) -> None:
    refusal = refused(STAGE | change)
    assert refusal.what.startswith(f"twokeys:{what} = ")
    assert why in refusal.why


def test_an_account_that_is_not_entered_may_have_its_place_and_identity_center_s_doors() -> None:
    door = {**DOOR, "via": "identity-center", "from": {"group": "developers"}}
    settings = parse("stage", STAGE | {"accounts": {"stage": OUTSIDE}, "doors": {"d": door}})
    assert settings.entered() == ()
