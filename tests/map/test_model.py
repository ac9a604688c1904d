"""What a map shows, before anything is drawn."""

import pytest

from tests.map.organizations import MANAGEMENT, PROD, STAGE, classic, organization, shut, step, through, way
from twokeys.access.judge import Key
from twokeys.answers.model import Account, State
from twokeys.doors import Who
from twokeys.map.scenes import overview

CI = Who("role", MANAGEMENT, "ci")


# Both keys are always needed across accounts, and what is not known is no permission:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
@pytest.mark.parametrize(
    ("trust", "grant", "verdict", "state", "lacks"),
    [
        (Key.PRESENT, Key.PRESENT, "ALLOW", State.OPEN, "both keys"),
        (Key.PRESENT, Key.PRESENT, "CONDITIONAL", State.OPEN, "both keys"),
        (Key.PRESENT, Key.MISSING, "DENY", State.SHUT, "no grant"),
        (Key.MISSING, Key.PRESENT, "DENY", State.SHUT, "no trust"),
        (Key.MISSING, Key.MISSING, "DENY", State.SHUT, "no trust, no grant"),
        (Key.MISSING, Key.UNPROVED, "DENY", State.SHUT, "no trust"),
        (Key.UNPROVED, Key.PRESENT, "UNKNOWN", State.UNPROVED, "trust not proved"),
        (Key.UNPROVED, Key.UNPROVED, "UNKNOWN", State.UNPROVED, "trust and grant not proved"),
        (Key.PRESENT, Key.PRESENT, "UNKNOWN", State.UNPROVED, "not proved"),
        (Key.PRESENT, Key.PRESENT, "DENY", State.SHUT, "denied"),
    ],
)
def test_a_door_says_in_words_what_it_lacks(trust, grant, verdict, state, lacks) -> None:
    made = shut(CI, STAGE, "deployer", trust=trust, grant=grant, verdict=verdict)
    assert (made.state, made.lacks) == (state, lacks)


def test_an_account_that_only_a_door_names_stands_outside_the_organization() -> None:
    hop = Who("role", "888888888888", "hop")
    leads = through(step(CI, "888888888888", "hop"), step(hop, "999999999999", "vendor"))
    whole = organization("example", [Account(MANAGEMENT, "management")], [leads])
    for id in ("888888888888", "999999999999"):
        assert whole.accounts[id] == Account(id, id, None, None)
    assert [arrow.doors for arrow in overview(whole).arrows] == [(leads,), (leads,)]


def test_every_unit_above_an_account_is_listed_and_so_is_an_empty_one() -> None:
    accounts = [Account(STAGE, "stage", "stage", ("workloads", "stage"))]
    whole = organization("example", accounts, [], [("suspended", "old")])
    assert whole.units == (("suspended",), ("suspended", "old"), ("workloads",), ("workloads", "stage"))


def test_a_person_has_the_doors_of_the_groups_they_are_in() -> None:
    ada = Who("user", MANAGEMENT, "ada")
    assert ada in classic().principals
    assert {found.target.who.name for found in classic().doors_of(ada)} == {"developer", "readonly"}


def test_a_principal_has_the_doors_behind_a_role_that_it_may_reach_but_not_those_behind_a_shut_door() -> None:
    hop, behind = Who("role", STAGE, "hop"), Who("role", STAGE, "closed")
    first = shut(CI, STAGE, "hop", trust=Key.UNPROVED, grant=Key.PRESENT, verdict="UNKNOWN")
    second = shut(hop, PROD, "deployer", grant=Key.UNPROVED, verdict="UNKNOWN")
    back = way(Who("role", PROD, "deployer"), STAGE, "hop")
    closed = shut(CI, STAGE, "closed")
    unreached = way(behind, PROD, "admin")
    whole = organization("example", [], [first, second, back, closed, unreached])
    assert set(whole.doors_of(CI)) == {first, second, back, closed}
