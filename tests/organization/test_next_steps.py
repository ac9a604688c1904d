"""Whoever takes the next step that preflight, an adoption or a command for accounts gives is not given it again."""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from click.testing import CliRunner

from tests.next_steps import giving, never_given
from tests.organization import test_adoption as adoption
from tests.organization import test_creations as creations
from tests.organization import test_taking_over as taking_over
from tests.organization.life.test_decisions import CLOSED, DELEGATED, PROD, QUEUE, STAGE, Closer, facts, with_state
from tests.organization.test_preflight import (
    BANK,
    BASE,
    CALLER,
    DENY,
    MANAGEMENT,
    MANAGING,
    MENDED,
    NEW,
    NO_S3,
    NOT_ADOPTED,
    ORGANIZATION,
    PROD_UNIT,
    SHOP,
    account,
    changed,
    closing,
    findings,
)
from tests.organization.test_preflight import PROD as PROD_STACK
from twokeys import organization
from twokeys.errors import Refusal
from twokeys.organization.adoption import Entered, LeftOut, adopt, environments_by, refuse_unadoptable
from twokeys.organization.findings import CheckResult
from twokeys.organization.life.changes import Check, email_checks
from twokeys.organization.life.closing import Standing, standings, work_through
from twokeys.organization.life.commands import _refuse_real_aws_for_the_sandbox
from twokeys.organization.life.commands import account as of_accounts
from twokeys.organization.managed import managed
from twokeys.organization.model import Caller, Live
from twokeys.organization.plan import Plan
from twokeys.organization.preflight import Project, preflight
from twokeys.settings import parse

Given = Callable[[], Iterable[Any] | None]
IS_NEW = (*ORGANIZATION.accounts, account(BANK, "new"))
ENTERED: dict[str, str | None] = {SHOP: None, BANK: None}
OTHER = Plan("lab", parse("lab", {**BASE, "accounts": {"copy": {"email": "Example+New@company.com"}}}))
TRUSTED = {"trusted_services": ("account.amazonaws.com",)}
ROOT = Caller(MANAGEMENT, f"arn:aws:iam::{MANAGEMENT}:root")


def looked_at(*, tried: dict[str, str | None] | None, **more: Any) -> list[CheckResult]:
    chosen = (Plan("management", parse("management", MANAGING)), Plan("prod", parse("prod", PROD_STACK)))
    return list(preflight(Project(chosen, **more), Live(CALLER, ORGANIZATION), tried))


def closed(config: dict[str, Any]) -> list[CheckResult]:
    plan = Plan("prod", parse("prod", config))
    return list(preflight(Project((plan,)), Live(CALLER, ORGANIZATION), {}))


def adopted(root_email: str = "example@company.com", entered: dict[str, Entered] | None = None, **found: Any) -> Any:
    of = replace(adoption.EMPTY, **found)
    return adopt(of, stack="adopted", region="us-east-1", entered=entered or {}, root_email=root_email).left_out


def by_tag(how: str) -> None:
    environments_by(how)(replace(adoption.EMPTY, accounts=(adoption.account(1, "a", tags={"env": "prod"}),)))


def managing(caller: str = MANAGEMENT, of: Any = ORGANIZATION, **unread: str) -> None:
    managed(Live(Caller(caller, f"arn:aws:iam::{caller}:role/admin"), of, unread), "no")


def mailing(name: str) -> None:
    with mock.patch("twokeys.organization.life.commands._opened", return_value=(facts(), None)):
        arguments = ["email", "all", name, "new@company.com"]
        CliRunner().invoke(of_accounts, arguments, standalone_mode=False, catch_exceptions=False)


def beside_the_sandbox(endpoint: str) -> None:
    with mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": endpoint}):
        _refuse_real_aws_for_the_sandbox(None)


def closes(*answers: Exception) -> list[Standing]:
    closer = Closer(*answers)
    return [*work_through(QUEUE, closer, closer.sleep).refused]


def stands(**changes: Any) -> list[Standing]:
    return standings(facts(changes.pop("config", CLOSED), **changes))


def mails(address: str = "new@company.com", **changes: Any) -> list[Check]:
    return email_checks(facts(**changes), "stage", address)


GONE = adoption.account(1, "gone", state="SUSPENDED")
THERE = adoption.account(1, "there")
STEPS: list[tuple[Given, str, Given]] = [
    *((partial(findings, **given), step, partial(findings, **given | taken)) for given, _, _, step, taken in MENDED),
    # preflight
    (lambda: findings(caller=ROOT), "use a role or a user of the management account", findings),
    (lambda: findings(caller=Caller(SHOP, "arn")), f"use credentials of account {MANAGEMENT}", findings),
    (lambda: findings(unread={"accounts": "organizations:ListX"}), "allow organizations:ListX", findings),
    (lambda: findings(management_account=BANK), f"use credentials of account {BANK}", findings),
    (lambda: findings(management_account=BANK), f"run this again with credentials of account {BANK}", findings),
    (lambda: findings(management=PROD_STACK, organization=None), "update the stack that has `organization`", findings),
    (lambda: findings(others=(OTHER,)), "keep it in one of them", findings),
    (lambda: findings(management=MANAGING | {"organization": NOT_ADOPTED}), "say `adopt: o-a1b2c3d4e5`", findings),
    (lambda: findings(units=(*ORGANIZATION.units, PROD_UNIT)), "say `adopt: ID` for each",
     lambda: findings(units=(*ORGANIZATION.units, PROD_UNIT), management=changed(
         MANAGING, "organization/organizationalUnits", MANAGING["organization"]["organizationalUnits"]
         | {"Workloads/Prod": {"adopt": PROD_UNIT.id}}))),
    (lambda: findings(management=changed(MANAGING, NO_S3, {"targets": ["root"], "document": DENY})),
     "say `adopt: ID` for each", findings),
    (lambda: findings(accounts=IS_NEW), "say `adopt: ID`",
     lambda: findings(accounts=IS_NEW, prod=changed(PROD_STACK, f"{NEW}/adopt", BANK), tried=ENTERED)),
    (lambda: findings(accounts=(*IS_NEW[:-1], replace(IS_NEW[-1], email="b@company.com"))), "name it apart",
     lambda: findings(accounts=(*IS_NEW[:-1], replace(IS_NEW[-1], email="b@company.com")),
                      prod=changed(PROD_STACK, f"{NEW}/name", "newer"))),
    (lambda: findings(accounts=(*IS_NEW[:-1], replace(IS_NEW[-1], email="b@company.com"))), f'say `adopt: "{BANK}"`',
     lambda: findings(accounts=(*IS_NEW[:-1], replace(IS_NEW[-1], email="b@company.com")), tried=ENTERED,
                      prod=changed(PROD_STACK, NEW, {"adopt": BANK, "email": "b@company.com"}))),
    (lambda: findings(accounts=(replace(ORGANIZATION.accounts[1], name="Shop"),), **TRUSTED), "say `name: Shop`",
     lambda: findings(accounts=(replace(ORGANIZATION.accounts[1], name="Shop"),), **TRUSTED,
                      prod=changed(PROD_STACK, "accounts/shop/name", "Shop"))),
    (lambda: findings(accounts=(*IS_NEW[:-1], replace(IS_NEW[-1], name="b")), **TRUSTED), "or take that account over",
     lambda: findings(accounts=(*IS_NEW[:-1], replace(IS_NEW[-1], name="b")), **TRUSTED, tried=ENTERED,
                      prod=changed(PROD_STACK, NEW, {"adopt": BANK, "name": "b", "email": IS_NEW[-1].email}))),
    (lambda: findings(organization=None), "once the organization exists", findings),
    (lambda: looked_at(tried=None), "leave --no-enter out", lambda: looked_at(tried={SHOP: None})),
    (lambda: looked_at(tried={}, unreadable={"Pulumi.lab.yaml": "no YAML"}), "correct it",
     lambda: looked_at(tried={})),
    (lambda: closed(closing(email="example+bank@company.com")), "correct the id or the address",
     lambda: closed(closing(email="example+shop@company.com"))),
    # adoption
    (lambda: refuse_unadoptable(Live(ROOT, adoption.EMPTY)) and None, "use a role or a user of the management account",
     lambda: refuse_unadoptable(Live(CALLER, adoption.EMPTY)) and None),
    (lambda: by_tag("unit"), "write ou,", lambda: by_tag("ou")),
    (lambda: by_tag("unit"), "or the name of a tag as in tag:", lambda: by_tag("tag:env")),
    (lambda: by_tag("tag:evn"), "write env, if that is meant", lambda: by_tag("tag:env")),
    (lambda: adopted("master@local.local"), "name another one with --root-email", adopted),
    (lambda: adopted(accounts=(GONE,)), "reopen it through AWS Support", lambda: adopted(accounts=(THERE,))),
    (lambda: adopted(accounts=(THERE,), entered={THERE.id: Entered(None, "no")}), "name each role that there is with",
     lambda: adopted(accounts=(THERE,), entered={THERE.id: Entered("Vendor")})),
    (lambda: managing(SHOP), f"use credentials of account {MANAGEMENT}", managing),
    (lambda: managing(tags="organizations:ListX"), "use credentials with AWS's managed policy", managing),
    (lambda: managing(of=None), "let a management stack create one", managing),
    (lambda: managing(of=replace(ORGANIZATION, features="CONSOLIDATED_BILLING")), "enable all features", managing),
    # the life of an account
    (lambda: mailing("stge"), "name one by its key", lambda: mailing("stage")),
    (lambda: beside_the_sandbox(""), "or run this after eval", lambda: beside_the_sandbox("http://127.0.0.1:4566")),
    (lambda: mails(trusted_services=()), "add account.amazonaws.com to organization.trustedServices", mails),
    (lambda: mails(held={}), "update the stack first", mails),
    (lambda: mails("nobody"), "give another address", mails),
    (lambda: mails("example+prod@company.com"), "give an address of its own", mails),
    (lambda: stands(accounts=()), "remove its entry from Pulumi.all.yaml", lambda: stands(config={"prod": {}})),
    (lambda: stands(config={"stage": {"state": "closed", "adopt": PROD}}), "correct `adopt` or `email`", stands),
    (lambda: standings(with_state(facts(CLOSED), STAGE, "CLOSED")), "keep its entry until AWS has let it go",
     lambda: stands(accounts=())),
    (lambda: stands(management_account=STAGE), "take it out of `accounts`", lambda: stands(config={"prod": {}})),
    (lambda: stands(left={"stage": ("Account stage",)}), "take its protection out of the state", stands),
    (lambda: stands(delegated_administrators={STAGE: ()}), "give the service to another account", stands),
    (lambda: standings(with_state(facts(CLOSED), STAGE, "PENDING_ACTIVATION")), "and run this again", stands),
    (lambda: closes(DELEGATED), "correct what AWS names, and run this again", closes),
]  # fmt: skip
ELSEWHERE: dict[str, Callable[..., None]] = {
    "name another file with --out": taking_over.test_a_file_that_exists_is_replaced_only_when_that_is_said,
    "run the same command again later": (
        creations.test_a_request_under_way_is_waited_for_but_not_one_of_another_account_and_not_for_ever
    ),
    "another e-mail address, or name the account": (
        creations.test_an_account_that_cannot_be_the_one_is_refused_with_every_reason
    ),
}
"""What is taken in a test with a local AWS."""
NOTHING_TO_DO = {
    "or ask whoever made the request": "somebody else's account is made, and nothing here changes it",
    "it is only looked up": "what is left out is managed where it is",
    "it stays as it is": "the same",
    "leave it to AWS Control Tower": "the same",
    "_STAYS": "the same",
    "AWS is closing it": "all is well",
    "AWS has it ACTIVE": "the same",
}


def given(call: Given) -> list[str]:
    """The next steps that a call gives, be it as a refusal or as findings."""
    try:
        found = call() or ()
    except Refusal as refusal:
        return [refusal.next_step]
    return [one.next_step for one in found if not getattr(one, "ok", False)]


@pytest.mark.parametrize(("call", "step", "taken"), STEPS, ids=[step[:40] for _, step, _ in STEPS])
def test_whoever_takes_a_next_step_is_not_given_it_again(call: Given, step: str, taken: Given) -> None:
    assert any(step in one for one in given(call))
    assert not any(step in one for one in given(taken))


def test_each_next_step_is_taken_by_a_test_or_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with giving((Refusal, CheckResult, LeftOut, Check, Standing), monkeypatch) as places:
        for call, _, _ in STEPS:
            given(call)
    names = {"Refusal", "warning", "failure", "CheckResult", "LeftOut", "Check", "stands"}
    left = never_given(Path(organization.__file__).parent, names, places)
    known = [*ELSEWHERE, *NOTHING_TO_DO]
    missing = [where for where, source in left.items() if not any(one in source for one in known)]
    assert not missing, f"add to STEPS what gives each of these, and what its next step changes: {missing}"
    assert not [one for one in known if not any(one in source for source in left.values())], "of no message any more"
