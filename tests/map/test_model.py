"""What a map shows, before anything is drawn."""

import pytest

from tests.map.organizations import MANAGEMENT, classic, door
from twokeys.map.model import Account, Key, State, Who, doors_of, organization
from twokeys.map.scenes import overview

CI = Who("role", MANAGEMENT, "ci")


# Both keys are always needed across accounts, and what is not known is no permission:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
@pytest.mark.parametrize(
    ("trust", "grant", "verdict", "state", "lacks"),
    [
        (Key.PRESENT, Key.PRESENT, "ALLOW", State.OPEN, "both keys"),
        (Key.PRESENT, Key.PRESENT, "CONDITIONAL", State.OPEN, "both keys"),
        (Key.PRESENT, Key.PRESENT, None, State.OPEN, "both keys"),
        (Key.PRESENT, Key.MISSING, "DENY", State.SHUT, "no grant"),
        (Key.MISSING, Key.PRESENT, "DENY", State.SHUT, "no trust"),
        (Key.MISSING, Key.MISSING, "DENY", State.SHUT, "no trust, no grant"),
        (Key.MISSING, Key.UNKNOWN, "DENY", State.SHUT, "no trust"),
        (Key.UNKNOWN, Key.PRESENT, "UNKNOWN", State.UNPROVED, "trust not proved"),
        (Key.UNKNOWN, Key.UNKNOWN, None, State.UNPROVED, "trust and grant not proved"),
        (Key.PRESENT, Key.PRESENT, "UNKNOWN", State.UNPROVED, "not proved"),
        (Key.PRESENT, Key.PRESENT, "DENY", State.SHUT, "denied"),
    ],
)
def test_a_door_says_in_words_what_it_lacks(trust, grant, verdict, state, lacks) -> None:
    made = door(CI, "222222222222", "deployer", trust=trust, grant=grant, verdict=verdict)
    assert (made.state, made.lacks) == (state, lacks)


def test_an_account_that_only_a_door_names_stands_outside_the_organization() -> None:
    hop = Who("role", "888888888888", "hop")
    steps = (door(CI, "888888888888", "hop"), door(hop, "999999999999", "vendor"))
    way = door(CI, "999999999999", "vendor", steps=steps)
    whole = organization("example", [Account(MANAGEMENT, "management")], [way])
    for id in ("888888888888", "999999999999"):
        assert Account(id, id, None, None) in whole.accounts
    assert [arrow.doors for arrow in overview(whole).arrows] == [(way,), (way,)]


def test_every_unit_above_an_account_is_listed_and_so_is_an_empty_one() -> None:
    accounts = [Account("222222222222", "stage", "stage", ("workloads", "stage"))]
    whole = organization("example", accounts, [], [("suspended", "old")])
    assert whole.units == (("suspended",), ("suspended", "old"), ("workloads",), ("workloads", "stage"))


def test_a_person_has_the_doors_of_the_groups_they_are_in() -> None:
    ada = Who("user", MANAGEMENT, "ada")
    assert ada in classic().principals
    assert {found.role for found in doors_of(classic(), ada)} == {"developer", "readonly"}


def test_a_principal_has_the_doors_behind_a_role_that_it_may_reach_but_not_those_behind_a_shut_door() -> None:
    hop, behind = Who("role", "222222222222", "hop"), Who("role", "222222222222", "closed")
    first = door(CI, "222222222222", "hop", trust=Key.UNKNOWN)
    second = door(hop, "333333333333", "deployer", grant=Key.UNKNOWN)
    back = door(Who("role", "333333333333", "deployer"), "222222222222", "hop")
    shut = door(CI, "222222222222", "closed", grant=Key.MISSING)
    unreached = door(behind, "333333333333", "admin")
    whole = organization("example", [], [first, second, back, shut, unreached])
    assert set(doors_of(whole, CI)) == {first, second, back, shut}
