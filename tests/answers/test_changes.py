"""What a change opens and closes, as a reviewer of a pull request reads it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import ANY

import boto3
import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.access.states import write_state
from tests.access.test_federated import AUD, CORP, HOST, SAML, SUB, admits
from tests.access.test_identity_center import attach, center
from tests.access.test_translation import put
from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    STAGE,
    TODAY,
    World,
    arn,
    document,
    grants,
    replaced,
    trusts,
    two_keys,
)
from twokeys.access.graph import build
from twokeys.access.model.documents import Document
from twokeys.access.reading.snapshot import Evidence, Snapshot
from twokeys.access.reading.type_names import ACCESS_KEY, CREDENTIALS, MFA_DEVICE, PASSWORD
from twokeys.access.verdicts import Verdicts
from twokeys.answers.allowed import Difference, difference
from twokeys.answers.changes import changes, drift
from twokeys.answers.changes_shown import NOTHING, as_data, in_markdown, lines
from twokeys.answers.check import show
from twokeys.answers.commands import access
from twokeys.answers.reading import read
from twokeys.doors import SYMBOL_PREFIX
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN, parse_policy
from twokeys.pack.changed import doors_changed
from twokeys.sandbox.local_aws import LocalAws

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


def written(*arguments: object) -> str:
    result = CliRunner().invoke(access, [str(one) for one in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def shown(before: World, after: World) -> str:
    return in_markdown(changes(read(before.graph), read(after.graph)))


def test_a_pull_request_is_told_who_gains_a_way_its_keys_and_how_strong_it_is() -> None:
    after = two_keys()
    after.add("RolePolicy", "do", after.stage, role="deployer", name="do", policy=document(grants("*", action="*")))
    text = shown(two_keys(granted=False), after)
    assert text.startswith("### Who can enter: 1 way gained\n")
    assert "| role ci of management | role deployer of 222222222222 | always | administrator | not declared |" in text
    assert "trust key: trust policy of role deployer, statement 0" in text
    assert "grant key: inline policy grant of role ci, statement 0" in text


def test_an_organization_that_only_live_iam_shows_to_be_ours_is_let_in_on_both_sides() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid"""
    made, ours = two_keys(granted=False), {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    made.role("shared", made.stage, document(trusts("*", condition=ours)))
    made.grant("ci", made.hub, arn(STAGE, "role/shared"))
    states = replace(made.snapshot, is_state=True)
    listed = [{"id": account, "name": account} for account in (HUB, STAGE)]
    about = {"id": "o-a1b2c3d4e5", "accounts": listed, "masterAccountId": HUB}
    made.add("Organization", "org", made.hub, outputs=about)
    live = replace(made.snapshot, evidence=(Evidence("live IAM", caller=CI, accounts=(HUB, STAGE)),))
    assert not [one for one in lines(drift(read(build(states)), read(build(live)))) if "anybody" in one]


def test_of_a_new_account_its_door_comes_first_and_what_follows_from_it_and_from_aws_is_a_row_each() -> None:
    """The access role of a new account trusts the management account, so who may enter any account enters it too.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
    """
    before = two_keys()
    before.role("boss", before.stage, document(trusts(arn(STAGE, "root"))))
    before.grant("boss", before.stage, CI)
    replaced(before, "ci", assumeRolePolicy=document(trusts(arn(STAGE, "role/boss"))))
    for name in ("break-glass", "other"):
        before.role(name, before.hub)
        before.grant(name, before.hub, "*")
    before.add("User", "eve", before.hub, name="eve")
    before.add("UserPolicy", "eve", before.hub, user="eve", policy=document({**grants("*"), "Condition": MFA}))
    after, new = World(), "333333333333"
    after.resources = list(before.resources)
    after.add("Account", "new", after.hub, name="new", email="a+new@example.com", outputs={"id": new, "name": "new"})
    inside = after.provider("in-new", new)
    after.role("reader", inside, document(trusts(CI)))
    after.add("RolePolicy", "door", after.hub, role="ci", policy=document(grants(arn(new, "role/reader"))))
    text = shown(before, after)
    rows = [line.split(" | ")[:3] for line in text.partition("<details>")[0].splitlines() if "of new" in line]
    anywhere = "role break-glass of management; role other of management"
    ci, access_role = "role ci of management", f"role OrganizationAccountAccessRole of {STAGE}"
    stops = f"role boss of {STAGE} and then {ci}"
    of_stage = f"role boss of {STAGE}, through {ci}; {access_role}, through {stops}"
    through = f"through {access_role} and then {stops}"
    follows = "role OrganizationAccountAccessRole of {} and then role boss of {} and then role ci of management"
    assert rows == [
        ["| role ci of management", "role reader of new", "always"],
        [
            f"| {of_stage}; {', '.join([anywhere.replace(';', f', {through};'), through])}",
            "role reader of new",
            "always",
        ],
        ["| user eve of management", f"role reader of new, through {follows.format(STAGE, STAGE)}", "MFA"],
        [f"| {anywhere}", "role OrganizationAccountAccessRole of new", "always"],
        ["| user eve of management", "role OrganizationAccountAccessRole of new", "MFA"],
    ]
    assert text.count("trust key: trust policy of role reader, ") == 1
    lost = shown(after, before).partition("<details>")[0].splitlines()
    assert [line.split(" | ")[:3] for line in lost if "of new" in line] == rows


def test_what_follows_for_whoever_enters_by_the_role_that_aws_made_is_one_line() -> None:
    """It has AdministratorAccess in its account, and so becomes every role there.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
    """

    def world(*, granted: bool = True, strong: bool = False) -> World:
        made = World()
        made.add("Account", "people", made.hub, name="people", outputs={"id": STAGE, "name": "people"})
        made.role("break-glass", made.hub)
        made.grant("break-glass", made.hub, arn(STAGE, "role/OrganizationAccountAccessRole"))
        made.role("pipeline", made.stage, document(trusts(arn(STAGE, "root"))))
        data = made.provider("data", OUTSIDE)
        made.role("deployer", data, document(trusts(arn(STAGE, "role/pipeline"))))
        if granted:
            made.grant("pipeline", made.stage, arn(OUTSIDE, "role/deployer"))
        if strong:
            policy = "arn:aws:iam::aws:policy/AdministratorAccess"
            made.add("RolePolicyAttachment", "all", data, role="deployer", policyArn=policy)
        return made

    direct = f"role pipeline of people -> role deployer of {OUTSIDE}"
    on = "ways on from role OrganizationAccountAccessRole of people -> role"
    into = f"deployer of {OUTSIDE} (strongest: no permissions)"
    found = changes(read(world(granted=False).graph), read(world().graph))
    assert list(lines(found))[:2] == [f"+ {direct} (no permissions)", f"+ 2 {on} {into}"]
    show(read(world().graph), Verdicts((), ()), Console(file=(listed := StringIO()), width=200), TODAY)
    assert f"✓ 3 {on} deployer of {OUTSIDE}, role pipeline of people (strongest: other roles only)" in listed.getvalue()
    found = changes(read(world().graph), read(world(strong=True).graph))
    said = list(lines(found))
    assert [one for one in said if one.startswith("~")] == [
        f"~ {direct} (no permissions)  is now  {direct} (administrator)"
    ]
    assert "    and so 2 ways through other roles" in said
    (row,) = [one for one in in_markdown(found).splitlines() if "| no permissions became administrator" in one]
    assert row.startswith("| role pipeline of people; and 2 ways through other roles | role deployer of ")
    assert row.endswith("| always (no permissions) | always (administrator) |")


def test_a_way_that_its_dates_keep_shut_is_gained_as_what_it_is() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date"""
    after = two_keys(granted=False)
    said = {"over": ("LessThan", "2020", "closed since 2020-06-01 00:00 UTC")}
    said["later"] = ("GreaterThan", "2999", "opens 2999-06-01")
    for name, (operator, year, _) in said.items():
        dated = {f"Date{operator}": {"aws:CurrentTime": f"{year}-06-01T00:00:00Z"}}
        after.role(name, after.stage, document(trusts(CI, condition=dated)))
    after.grant("ci", after.hub, *(arn(STAGE, f"role/{name}") for name in said))
    text = shown(two_keys(granted=False), after)
    assert text.startswith("### Who can enter: 1 way not open yet, 1 way closed by date\n")
    found = list(lines(changes(read(two_keys(granted=False).graph), read(after.graph))))
    for name, (_, _, words) in said.items():
        (row,) = (one for one in text.splitlines() if one.startswith(f"| role ci of management | role {name} of "))
        (line,) = (one for one in found if f"-> role {name} of " in one)
        assert (f", {words} |" in row, line.endswith(f", {words})")) == (True, True)


def test_a_way_that_its_dates_kept_shut_is_lost_as_what_it_was_in_text_and_json() -> None:
    before = two_keys(granted=False)
    over = {"DateLessThan": {"aws:CurrentTime": "2020-06-01T00:00:00Z"}}
    before.role("over", before.stage, document(trusts(CI, condition=over)))
    before.grant("ci", before.hub, arn(STAGE, "role/over"))
    after = two_keys(granted=False)
    assert shown(before, after).startswith("### Who can enter: 1 lost that was closed by date\n")
    (lost,) = as_data(changes(read(before.graph), read(after.graph)))["lost"]
    assert lost["now"] == "closed by date"


def test_a_difference_fits_into_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    old, new = write_state(tmp_path / "a", two_keys(granted=False)), write_state(tmp_path / "b", two_keys())
    assert max(map(len, written("diff", old, new).splitlines())) <= 60


@pytest.mark.parametrize(("condition", "asked"), [(None, "without MFA"), (MFA, "MFA")])
def test_a_person_who_gains_a_way_that_asks_for_no_mfa_is_said_to(condition: dict[str, object], asked: str) -> None:
    before, after = World(), World()
    for world in (before, after):
        world.add("User", "ann", world.hub, name="ann")
    after.role("deployer", after.stage, document(trusts(arn(HUB, "user/ann"), condition=condition)))
    allowed = document(grants(DEPLOYER))
    after.add("UserPolicy", "may", after.hub, user="ann", name="may", policy=allowed)
    assert f"| user ann of management | role deployer of 222222222222 | {asked} | " in shown(before, after)


def test_a_role_that_grows_stronger_is_a_change() -> None:
    """AdministratorAccess allows everything.

    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html
    """
    after = two_keys()
    policy = "arn:aws:iam::aws:policy/AdministratorAccess"
    after.add("RolePolicyAttachment", "all", after.stage, role="deployer", policyArn=policy)
    found = changes(read(two_keys().graph), read(after.graph))
    assert "no permissions became administrator" in in_markdown(found)
    assert "(no permissions)  is now  role ci of" in "\n".join(lines(found))


def test_an_account_has_one_name_though_one_side_knows_its_id_alone() -> None:
    before, after = may("ReadOnlyAccess"), may("AdministratorAccess")
    before.add("Account", "stage", before.hub, name="stage", outputs={"id": STAGE})
    for one, other in ((before, after), (after, before)):
        text = shown(one, other)
        assert "| role ci of management | role deployer of stage |" in text
        assert STAGE not in text.partition("Evidence")[0]


def test_a_role_that_a_user_enters_in_its_own_account_is_compared_as_well() -> None:
    """It says nothing of another account, and break-glass is such a role."""
    worlds = []
    for condition in (MFA, None):
        world = World()
        world.add("User", "alice", world.hub, name="alice")
        world.role("break-glass", world.hub, document(trusts(arn(HUB, "user/alice"), condition=condition)))
        worlds.append(world)
    assert "| under other conditions: MFA is not asked for any more |" in shown(*worlds)


SYMBOL = f"{SYMBOL_PREFIX}hub"
BUCKET = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}
OTHERS = {"Effect": "Allow", "Action": ["sqs:SendMessage", "s3:GetObject"], "Resource": ["arn:aws:s3:::b", "*"]}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def may(*policies: str, boundary: str | None = None, session: int = 3600, user: bool = False) -> World:
    """Two keys to a role with policies: of AWS by name, inline by their documents."""
    limit = {"permissionsBoundary": f"arn:aws:iam::aws:policy/{boundary}"} if boundary else {}
    trust = document(trusts(arn(HUB, "user/alice") if user else CI))
    world = two_keys(trust, maxSessionDuration=session, **limit)
    if user:
        world.add("User", "alice", world.hub, name="alice")
        world.add("UserPolicy", "alice", world.hub, user="alice", name="g", policy=document(grants(DEPLOYER)))
    for number, one in enumerate(policies):
        inline = one.startswith("{")
        said = {"name": f"may-{number}", "policy": one} if inline else {"policyArn": f"arn:aws:iam::aws:policy/{one}"}
        kind = "RolePolicy" if inline else "RolePolicyAttachment"
        world.add(kind, f"policy-{number}", world.stage, role="deployer", **said)
    return world


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            may(document(BUCKET)),
            may("PowerUserAccess"),
            "other policies: gained PowerUserAccess; lost s3:PutObject on arn:aws:s3:::b/*",
        ),
        (
            may("PowerUserAccess"),
            may("job-function/DatabaseAdministrator"),
            "other policies: gained DatabaseAdministrator; lost PowerUserAccess",
        ),
        (
            may(document(BUCKET)),
            may(document({**BUCKET, "Condition": {"Bool": {"aws:SecureTransport": "true"}}})),
            "other policies: gained s3:PutObject on arn:aws:s3:::b/* if aws:securetransport Bool true; "
            "lost s3:PutObject on arn:aws:s3:::b/*",
        ),
        (
            may(document(BUCKET, {**BUCKET, "Effect": "Deny", "Action": "s3:*"})),
            may(document({"Effect": "Allow", "NotAction": "iam:*", "NotResource": "arn:aws:s3:::c"})),
            "other policies: gained every action but iam:* on every resource but arn:aws:s3:::c; "
            "lost s3:PutObject on arn:aws:s3:::b/*; Deny s3:* on arn:aws:s3:::b/*",
        ),
        (
            may("PowerUserAccess"),
            may("PowerUserAccess", boundary="ReadOnlyAccess"),
            "write became read\n    permissions boundary none became ReadOnlyAccess\n",
        ),
        (may(session=3600, user=True), may(session=43200, user=True), "    longest session 1 h became 12 h\n"),
        (may(session=3600), may(session=43200), "1 h became 12 h (this way still 1 h, by role chaining)\n"),
    ],
)
def test_a_role_that_may_do_something_else_is_a_change_and_says_what(
    before: World, after: World, told: str, tmp_path: Path
) -> None:
    """PowerUserAccess and DatabaseAdministrator differ, and both write.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_job-functions.html
    """
    old, new = write_state(tmp_path / "a", before), write_state(tmp_path / "b", after)
    assert told in written("diff", old, new)
    assert "#### Changed" in written("diff", old, new, "--format", "markdown")
    arguments = ["diff", str(old), str(new), "--exit-code", "--json"]
    result = CliRunner().invoke(access, arguments, standalone_mode=False)
    (changed,) = json.loads(result.output)["changed"]
    for side, file in (("before", old), ("after", new)):
        (read,) = json.loads(result.output)["evidence"][side]
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert (read["name"], read["sha256"]) == (file.name, digest)
    assert result.return_value == 1
    assert told.partition(":")[0].strip().partition("\n")[0] in " ".join(changed["what"])


def test_a_group_that_its_member_leaves_gains_no_grant() -> None:
    worlds = [World(), World()]
    for world in worlds:
        world.role("deployer", world.stage, document(trusts(arn(HUB, "user/ann"))))
        world.add("User", "ann", world.hub, name="ann")
        world.add("Group", "ops", world.hub, name="ops")
        world.add("GroupPolicy", "grant", world.hub, group="ops", name="grant", policy=document(grants(DEPLOYER)))
    worlds[0].add("UserGroupMembership", "ann", worlds[0].hub, user="ann", groups=["ops"])
    text = shown(*worlds)
    assert "- user ann" in text
    assert "gained" not in text


def asks(
    *statements: Mapping[str, Mapping[str, object]], denied: Mapping[str, Mapping[str, object]] | None = None
) -> World:
    """Two keys to a role whose trust asks for conditions, one set a statement."""
    trust = [trusts(CI, condition=one) for one in statements]
    return two_keys(document(*trust, *([trusts("*", condition=denied, effect="Deny")] if denied else [])))


def encrypted(world: World) -> World:
    """The same from a state that holds the trust as a secret."""
    role = next(one for one in world.resources if one.name == "deployer")
    world.change(role, secrets=frozenset({"assumeRolePolicy"}))
    return world


def external(*ids: str) -> dict[str, dict[str, object]]:
    return {"StringEquals": {"sts:ExternalId": list(ids)}}


def age(seconds: int) -> dict[str, dict[str, object]]:
    return {"NumericLessThan": {"aws:MultiFactorAuthAge": str(seconds)}}


def ends(day: str) -> dict[str, dict[str, object]]:
    return {"DateLessThan": {"aws:CurrentTime": f"{day}T00:00:00Z"}}


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (asks(external("abc")), asks(external("xyz")), "another external ID"),
        (asks(external("abc")), asks(external("abc", "xyz")), "another external ID"),
        (asks(external("abc")), asks(external("abc"), external("xyz")), "another external ID"),
        (asks(age(300)), asks(age(360000)), "MFA, less than 5 min ago became MFA, less than 100 h ago"),
        (asks(MFA), asks(age(3601)), "MFA became MFA, less than 3601 s ago"),
        (encrypted(asks(age(300))), asks(age(300)), None),
        (asks(MFA), asks({**MFA, **age(300)}), "MFA, less than 5 min ago is asked for too"),
        (asks({**MFA, **age(300)}), asks(MFA), "MFA, less than 5 min ago is not asked for any more"),
        (asks(MFA), asks({**MFA, **ends("2020-01-31")}), "until 2020-01-30 (closed since then) is asked for too"),
        (asks(MFA), asks({**MFA, **ends("2999-01-31")}), "until 2999-01-30 is asked for too"),
        (asks(MFA), asks({**MFA, **external("abc")}), "external ID is asked for too"),
        (asks(MFA), asks({}), "MFA is not asked for any more"),
        (
            asks({**MFA, **external("abc")}),
            asks({**external("xyz"), "IpAddress": {"aws:SourceIp": ["192.0.2.1", "192.0.2.2"]}}),
            "another external ID; MFA became aws:SourceIp IpAddress (192.0.2.1 or 192.0.2.2)",
        ),
        (encrypted(asks(external("abc"))), asks(external("abc")), None),
        (encrypted(asks(external("abc"))), asks(MFA), "external ID became MFA"),
        (asks(external("abc", "xyz")), asks(external("xyz", "abc")), None),
        (asks(external("abc")), asks({"StringEquals": {"STS:externalid": "abc"}}), None),
        (asks(external("abc"), external("abc")), asks(external("abc")), None),
        (asks(external("abc")), asks({}, denied={"StringNotEquals": {"sts:ExternalId": "abc"}}), None),
        (asks(MFA), asks({}, denied={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}), None),
        (
            asks({"IpAddress": {"aws:SourceIp": ["192.0.2.1", "192.0.2.2"]}}),
            asks({"IpAddress": {"aws:SourceIp": ["192.0.2.2", "192.0.2.1"]}}),
            None,
        ),
    ],
)
def test_other_values_of_conditions_are_a_change_and_their_order_and_form_are_none(
    before: World, after: World, told: str | None
) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_common-scenarios_third-party.html"""
    found = changes(read(before.graph), read(after.graph))
    said = [] if told is None else [[f"under other conditions of the trust: {told}"]]
    assert [list(one.what) for one in found.changed] == said
    assert bool(found) is (told is not None)
    assert "xyz" not in in_markdown(found) + json.dumps(as_data(found))


SAML_ENDPOINT = "https://signin.aws.amazon.com/saml"
FOR_STS, FOR_ANOTHER = {"StringEquals": {AUD: "sts.amazonaws.com"}}, {"StringEquals": {AUD: "another"}}
ACME = {"StringLike": {SUB: "repo:acme/app:*"}}
COGNITO = "cognito-identity.amazonaws.com"
OF_POOL = {"ForAnyValue:StringLike": {f"{COGNITO}:amr": "authenticated"}}
OWN = ("idp.example.com", arn(STAGE, "oidc-provider/idp.example.com"))


@pytest.mark.parametrize(("before", "after", "told"), [
    (admits({**ACME, **FOR_STS}), admits(ACME), "audience sts.amazonaws.com is not asked for any more"),
    (admits(ACME), admits({**ACME, **FOR_STS}), "audience sts.amazonaws.com is asked for too"),
    (admits({**ACME, **FOR_STS}), admits({**ACME, **FOR_ANOTHER}),
        "audience sts.amazonaws.com became audience another"),
    (admits({**ACME, "StringEquals": {AUD: ["b", "a"]}}), admits({**ACME, "StringEquals": {AUD: ["a", "c"]}}),
        "audience (b or a) became audience (a or c)"),
    (admits({**ACME, **FOR_STS}), admits({**ACME, "StringEqualsIfExists": {AUD: "sts.amazonaws.com"}}),
        f"audience sts.amazonaws.com became {AUD} StringEqualsIfExists sts.amazonaws.com"),
    (admits(ACME), admits({"StringEquals": {SUB: "repo:acme/app:*"}}),
        f"{SUB} StringEquals repo:acme/app:* is asked for too"),
    (admits({**ACME, "StringEquals": {f"{HOST}:job_workflow_ref": "a"}}), admits(ACME),
        f"{HOST}:job_workflow_ref StringEquals a is not asked for any more"),
    (admits({"StringEquals": {"SAML:aud": SAML_ENDPOINT}}, CORP, SAML), admits({}, CORP, SAML),
        f"audience {SAML_ENDPOINT} is not asked for any more"),
    (admits({"StringEquals": {"SAML:aud": SAML_ENDPOINT}}, CORP, SAML),
        admits({"StringEquals": {"SAML:aud": "https://example.com"}}, CORP, SAML),
        f"audience {SAML_ENDPOINT} became audience https://example.com"),
    (admits({**OF_POOL, "StringEquals": {f"{COGNITO}:aud": "eu-west-1:1"}}, COGNITO),
        admits({**OF_POOL, "StringEquals": {f"{COGNITO}:aud": "eu-west-1:2"}}, COGNITO),
        "audience eu-west-1:1 became audience eu-west-1:2"),
    (admits({"StringEquals": {f"{OWN[0]}:aud": "app", f"{OWN[0]}:sub": "me"}}, OWN[1]),
        admits({"StringEquals": {f"{OWN[0]}:sub": "me"}}, OWN[1]), "audience app is not asked for any more"),
    (admits({**ACME, **FOR_STS}), admits({**ACME, "ForAnyValue:StringEquals": {AUD: "sts.amazonaws.com"}}),
        "audience sts.amazonaws.com is asked for otherwise"),
    (admits({**ACME, "StringEquals": {AUD: ["b", "a"]}}), admits({**ACME, "StringEquals": {AUD: ["a", "b"]}}), None),
])  # fmt: skip
def test_a_condition_of_a_trust_in_an_identity_provider_that_is_another_one_or_gone_is_told(
    before: Mapping[str, object], after: Mapping[str, object], told: str | None, tmp_path: Path
) -> None:
    """Who comes is the subject, and each other claim a condition.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    """
    states = []
    for name, statement in ("before", before), ("after", after):
        world = two_keys()
        world.role("gh", world.stage, document(statement))
        states.append(write_state(tmp_path / name, world))
    said = [] if told is None else [f"under other conditions of the trust: {told}"]
    assert [one["what"] for one in json.loads(written("diff", *states, "--json"))["changed"]] == [said][: len(said)]
    assert all(f"\n    {one}\n" in written("diff", *states) for one in said)
    assert bool(told) is ("#### Changed" in written("diff", *states, "--format", "markdown"))


def test_a_condition_that_moves_to_another_door_of_a_way_is_a_change() -> None:
    """Each call is judged by its own context: an address asked of the first is not asked of the second.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    worlds = []
    office = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
    for first, second in ((office, None), (None, office)):
        world = World()
        world.add("User", "alice", world.hub, name="alice")
        world.role("ci", world.hub, document(trusts(arn(HUB, "user/alice"), condition=first)))
        world.role("deployer", world.stage, document(trusts(CI, condition=second)))
        world.grant("ci", world.hub, DEPLOYER)
        worlds.append(world)
    found = changes(*(read(one.graph) for one in worlds))
    (of_alice,) = (one for one in found.changed if one.after.through)
    said, address = "under other conditions", "aws:SourceIp IpAddress 192.0.2.0/24"
    assert list(of_alice.what) == [
        f"{said} from user alice of management to role ci of management: {address} is not asked for any more",
        f"{said} of the trust from role ci of management to role deployer of {STAGE}: {address} is asked for too",
    ]


def test_a_condition_that_moves_from_the_trust_to_the_grant_is_a_change() -> None:
    """The account that owns the role no longer asks for MFA itself: another grant opens it without.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    before, after = asks(MFA), asks({})
    replaced(after, "ci-grant", policy=document({**grants(DEPLOYER), "Condition": MFA}))
    found = changes(read(before.graph), read(after.graph))
    (changed,) = as_data(found)["changed"]
    assert changed["what"] == [
        "under other conditions of the trust: MFA is not asked for any more",
        "under other conditions of the grant: MFA is asked for too",
    ]
    assert f"    {changed['what'][0]}" in list(lines(found))
    assert "; ".join(changed["what"]) in in_markdown(found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (may(document(BUCKET), document(OTHERS)), may(document(OTHERS), document(BUCKET))),
        (may(document(BUCKET), document(OTHERS)), may(document(OTHERS, BUCKET))),
        (may(document(BUCKET)), may(json.dumps(json.loads(document({**BUCKET, "Sid": "One"})), indent=4))),
        (
            may(document(BUCKET)),
            may(document({**BUCKET, "Action": ["S3:putobject"], "Resource": ["arn:aws:s3:::b/*"]})),
        ),
        (may("ReadOnlyAccess", "PowerUserAccess"), may("PowerUserAccess", "ReadOnlyAccess")),
        (may(document(EVERYTHING)), may("AdministratorAccess")),
    ],
)
def test_the_form_of_policies_is_no_change(before: World, after: World) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""
    assert not changes(read(before.graph), read(after.graph))


def of(*statements: Mapping[str, object] | None, version: str = "2012-10-17") -> Document:
    policy = parse_policy({"Version": version, "Statement": list(statements)}) if statements else UNKNOWN
    return Document(policy, "inline policy may of role deployer")


@pytest.mark.parametrize(
    ("before", "after", "gains", "loses"),
    [
        (
            of({**BUCKET, "Resource": f"arn:aws:sqs:*:{SYMBOL}:q"}),
            of({**BUCKET, "Resource": f"arn:aws:sqs:*:{HUB}:q"}),
            (),
            (),
        ),
        (
            of({**BUCKET, "Condition": {"StringEquals": {"aws:ResourceAccount": SYMBOL}}}),
            of({**BUCKET, "Condition": {"StringEquals": {"AWS:resourceaccount": [HUB]}}}),
            (),
            (),
        ),
        (of(), of(), (), ()),
        (
            of({**BUCKET, "Condition": {"Bool": {"aws:SecureTransport": "true"}, "StringLike": {"a:b": ["2", "1"]}}}),
            of({"Effect": "Allow", "NotAction": ["iam:*", "aws-portal:*"], "Resource": "*"}),
            ("every action but aws-portal:*, iam:* on *",),
            ("s3:PutObject on arn:aws:s3:::b/* if a:b StringLike 1, 2 and aws:securetransport Bool true",),
        ),
        (
            of({"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}),
            of({"Effect": "Deny", "NotAction": ["S3:*", "iam:*"], "Resource": "*"}),
            ("Deny sts:* on *",),
            ("Deny S3:* on *",),
        ),
        (of(), of(BUCKET), ("s3:PutObject on arn:aws:s3:::b/*",), ()),
        (of(EVERYTHING), of({**BUCKET, "Resource": UNKNOWN}), ("s3:PutObject on something that is not known yet",), ()),
        (
            of({**BUCKET, "Resource": UNKNOWN}),
            of({**BUCKET, "Condition": UNKNOWN}),
            ("s3:PutObject on arn:aws:s3:::b/* if conditions that are not known yet",),
            ("s3:PutObject on something that is not known yet",),
        ),
        (
            of({**BUCKET, "Resource": "arn:aws:s3:::b/${aws:username}"}),
            of({**BUCKET, "Resource": "arn:aws:s3:::b/${aws:username}"}, version="2008-10-17"),
            ("s3:PutObject on arn:aws:s3:::b/${$}{aws:username}",),
            ("s3:PutObject on arn:aws:s3:::b/${aws:username}",),
        ),
        (
            of({**BUCKET, "Condition": {"StringEquals": {"sts:ExternalId": "secret"}}}),
            of({**BUCKET, "Action": ["s3:PutObject", "s3:GetObject"], "Resource": ["arn:b", "arn:a"]}),
            ("s3:GetObject, s3:PutObject on arn:a, arn:b",),
            ("s3:PutObject on arn:aws:s3:::b/* if external ID",),
        ),
    ],
)
def test_what_policies_gain_and_lose_is_said_by_action_and_resource(
    before: Document, after: Document, gains: tuple[str, ...], loses: tuple[str, ...]
) -> None:
    """In a document of the older version a variable is text, which the newer writes with `${$}`.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    assert difference([before], [after], {SYMBOL: HUB}) == Difference(gains, loses, ANY)


def deploys(*roles: str, policy: object = UNKNOWN) -> World:
    """Role ci with a policy of its own beside one that grants it two roles, and further roles that trust it."""
    world = two_keys()
    for role in ("other", *roles):
        world.role(role, world.stage, document(trusts(CI)))
    world.grant("ci", world.hub, arn(STAGE, "role/other"))
    world.add("RolePolicy", "more", world.hub, role="ci", name="more", policy=policy)
    return world


@pytest.mark.parametrize("known", [True, False], ids=["beside known grants", "in place of them"])
def test_a_policy_that_is_not_known_takes_no_way_away_and_what_it_may_open_is_possible(known: bool) -> None:
    """It may deny or allow: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

    The engine shows a document that waits for a resource to come as unknown.
    """
    before, after = (deploys("new", policy=document(BUCKET)) for _ in range(2))
    policy, grant = (next(one for one in after.resources if one.name == name) for name in ("more", "ci-grant"))
    for one in (policy,) if known else (policy, grant):
        after.change(one, inputs={**(one.inputs or {}), "policy": UNKNOWN}, outputs={})
    (judged,) = doors_changed(after.graph, lambda: before.graph)
    way, grants = f"role ci of management -> role %s of {STAGE}", [] if known else ["inline policy grant of role ci"]
    policies = [*grants, "inline policy more of role ci"]
    assert judged.finding.message.splitlines()[1:] == [
        *(f"? may change: {one} is not known ({way % 'deployer'}, {way % 'other'})" for one in policies),
        f"? possible: {way % 'new'} (no permissions), if {' or '.join(policies)} allows it",
    ]
    assert "\n#### Not proved\n\n- The " in (text := shown(before, after))
    assert "Lost" not in text
    assert shown(after, before).startswith("### Who can enter: 2 ways gained")


@pytest.mark.parametrize(
    "trust", [UNKNOWN, {"Version": "2012-10-17", "Statement": [{**trusts(CI), "Principal": UNKNOWN}]}]
)
def test_a_trust_policy_that_is_not_known_takes_no_way_away(trust: object) -> None:
    text = shown(two_keys(), two_keys(trust))
    assert "Lost" not in text
    assert "- may change: trust policy of role deployer is not known (role ci of management -> role deployer" in text


def test_where_everybody_comes_in_nobody_else_is_said_to() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous"""
    before, after = two_keys(), two_keys(document(trusts("*")))
    for world in (before, after):
        world.role("other", world.hub)
        world.grant("other", world.hub, "*")
    (line, *_) = said = list(lines(changes(read(before.graph), read(after.graph))))
    assert (line.startswith("+ anybody in AWS -> role deployer"), sum("+" in one for one in said)) == (True, 1)


def test_what_is_newly_not_proved_is_told() -> None:
    after = two_keys()
    after.role("vendor", after.stage, document(trusts("AROAEXAMPLEID12345678")))
    assert "#### Not proved" in shown(two_keys(), after)


def test_what_is_not_proved_of_roles_of_one_name_is_said_once_with_their_resources() -> None:
    after = two_keys()
    for provider in (after.hub, after.stage):
        after.add("Role", f"{provider.name}-deploy", provider, name="deploy", assumeRolePolicy=UNKNOWN)
    found = changes(read(two_keys().graph), read(after.graph))
    (line,) = [one for one in lines(found) if one.startswith("? not proved: ")]
    assert len(found.not_proved) == 2
    assert "(hub-deploy, stage-deploy). Next step: " in line


def test_nothing_that_anybody_named_is_markup_in_a_pull_request() -> None:
    after = two_keys()
    name = "<img src=x>|`[a](https://evil)@team"
    after.add("User", "evil", after.hub, name=name)
    after.add("UserPolicy", "g", after.hub, user=name, name="g", policy=document(grants(arn(STAGE, "role/r"))))
    after.role("r", after.stage, document(trusts(arn(HUB, f"user/{name}"))))
    text = shown(two_keys(), after)
    assert "<img" not in text.replace("\\<img", "")
    assert "](https" not in text
    assert "@team" not in text


def test_states_of_other_stacks_are_read_with_both_sides(tmp_path: Path) -> None:
    """The grant stands in another stack than the trust: alone, neither side of a difference shows the door."""
    whole = two_keys()
    hub, stage = World(), World()
    hub.resources = [one for one in whole.resources if one.name in ("hub", "ci", "ci-grant")]
    stage.resources = [one for one in whole.resources if one.name in ("stage", "deployer")]
    other = write_state(tmp_path / "hub", hub)
    text = json.loads(other.read_text())
    for one in text["deployment"]["resources"]:
        one["urn"] = one["urn"].replace("urn:pulumi:stage::", "urn:pulumi:hub::")
        one["provider"] = (one.get("provider") or "").replace("urn:pulumi:stage::", "urn:pulumi:hub::")
    other.write_text(json.dumps(text))
    before = World()
    before.resources = [whole.stage]
    before.role("other", before.stage)
    old, new = write_state(tmp_path / "a", before), write_state(tmp_path / "b", stage)
    assert f"+ role ci of {HUB}" in written("diff", old, new, "--state", other).replace("management", HUB)


def test_a_second_state_of_a_stack_that_lacks_a_resource_is_refused_and_a_copy_is_not(tmp_path: Path) -> None:
    old, copy = write_state(tmp_path / "a", two_keys()), write_state(tmp_path / "copy", two_keys())
    less = two_keys()
    gone = less.resources.pop(next(i for i, one in enumerate(less.resources) if one.type.endswith("RolePolicy")))
    new = write_state(tmp_path / "b", less)
    assert "1 door with two keys, none without" in written("check", "--state", old, "--state", copy)
    for states in ((old, new), (new, old)):
        with pytest.raises(Refusal, match="two states are of the same stack") as refused:
            written("check", "--state", states[0], "--state", states[1])
        assert f"only {old} has {gone.urn}" in str(refused.value)
        assert "--events" not in refused.value.next_step, "which this command has not"


def test_a_resource_that_waits_to_be_deleted_is_not_another_state_of_its_stack(tmp_path: Path) -> None:
    old, copy = write_state(tmp_path / "a", two_keys()), write_state(tmp_path / "copy", two_keys())
    for state in (old, copy):
        read = json.loads(Path(state).read_text())
        resources = read["deployment"]["resources"]
        replaced = next(one for one in resources if one["urn"].endswith("::deployer"))
        resources.append({**replaced, "delete": True, "outputs": {**replaced["outputs"], "maxSessionDuration": 7200}})
        Path(state).write_text(json.dumps(read))
    assert "1 door with two keys, none without" in written("check", "--state", old, "--state", copy)


def test_two_states_of_one_stack_are_refused_where_they_differ(tmp_path: Path) -> None:
    changed = two_keys(document(trusts(CI, arn(HUB, "role/other"))))
    old, new = write_state(tmp_path / "a", two_keys()), write_state(tmp_path / "b", changed)
    with pytest.raises(Refusal, match="two states are of the same stack"):
        written("check", "--state", old, "--state", new)


def test_the_published_file_holds_doors_and_no_external_id(tmp_path: Path) -> None:
    state = write_state(tmp_path / "state", asks(external("not-for-everybody")))
    written("export", tmp_path / "doors.json", "--state", state)
    text = (tmp_path / "doors.json").read_text()
    assert "not-for-everybody" not in text
    (door,) = json.loads(text)["doors"]
    assert door["door"]["requires"] == {"mfa": False, "externalId": True}
    assert door["door"]["source"] == {"kind": "role", "account": HUB, "names": ["ci"]}


@pytest.mark.parametrize(
    ("times", "as_of"),
    [
        (["2026-11-28T02:00:00+01:00", "2026-11-28T01:30:00Z"], "2026-11-28T01:00:00+00:00"),
        (["2026-11-28T02:00:00+01:00", None], None),
    ],
)
def test_the_published_file_is_as_old_as_the_oldest_state_that_it_is_from(
    tmp_path: Path, times: list[str | None], as_of: str | None
) -> None:
    """A developer sees so what may have changed since. That a state has no time is not told as a newer one."""
    given: list[str | Path] = []
    for index, time in enumerate(times):
        state = write_state(tmp_path / f"{index}.json", two_keys())
        told = json.loads(state.read_text().replace("::twokeys::", f"::of-{index}::"))
        told["deployment"]["manifest"] = {"time": time} if time else {}
        state.write_text(json.dumps(told))
        given += ["--state", state]
    written("export", tmp_path / "doors.json", *given)
    assert json.loads((tmp_path / "doors.json").read_text())["as_of"] == as_of


def test_the_published_file_does_not_take_an_account_of_the_management_stack_for_the_management_account(
    tmp_path: Path,
) -> None:
    world, archive = two_keys(), "000000000001"
    world.add("Account", "log-archive", world.hub, name="log-archive", outputs={"id": archive})
    state = write_state(tmp_path / "state", world)
    state.write_text(state.read_text().replace("urn:pulumi:stage::", "urn:pulumi:management::"))
    written("export", tmp_path / "doors.json", "--state", state)
    found = json.loads((tmp_path / "doors.json").read_text())
    assert found["parent_account_id"] == HUB
    assert found["member_account_ids"]["log-archive"] == archive


def an_account_of_an_organization(name: str) -> str:
    organizations = boto3.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    status = organizations.create_account(Email=f"aws+{name}@example.com", AccountName=name)["CreateAccountStatus"]
    return status.get("AccountId") or organizations.list_accounts()["Accounts"][-1]["Id"]


def administrator_with_a_password(iam: "IAMClient", name: str) -> None:
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password="not-for-everybody-1")
    iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")


def test_what_is_there_and_not_in_the_state_is_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a local AWS: somebody grants a user the role by hand, past every stack."""
    with LocalAws.start(tmp_path / "aws") as aws:
        for name, value in aws.environment(HUB).items():
            monkeypatch.setenv(name, value)
        stage, iam = an_account_of_an_organization("stage"), boto3.client("iam")
        inside = boto3.client("iam", aws_access_key_id=stage, aws_secret_access_key="test")
        role, trust = arn(stage, "role/deployer"), document(trusts(arn(HUB, "root")))
        iam.create_role(RoleName="ci", AssumeRolePolicyDocument=document(trusts(arn(HUB, "root"))))
        inside.create_role(RoleName="deployer", AssumeRolePolicyDocument=trust)
        inside.put_role_policy(RoleName="deployer", PolicyName="may", PolicyDocument=document(OTHERS, BUCKET))
        for policy in ("ReadOnlyAccess", "PowerUserAccess"):
            inside.attach_role_policy(RoleName="deployer", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        iam.put_role_policy(RoleName="ci", PolicyName="grant", PolicyDocument=document(grants(role)))
        iam.create_user(UserName="mallory")
        iam.create_access_key(UserName="mallory")
        administrator_with_a_password(inside, "eve")
        made_by_aws = arn(stage, "role/OrganizationAccountAccessRole")
        iam.put_user_policy(UserName="mallory", PolicyName="g", PolicyDocument=document(grants(role, made_by_aws)))
        world = World()
        world.resources = [world.hub]
        provider = world.provider("stage", stage)
        world.role("ci", world.hub, document(trusts(arn(HUB, "root"))))
        world.role("deployer", provider, trust)
        world.grant("ci", world.hub, role)
        world.add("RolePolicy", "may", provider, role="deployer", name="may", policy=document(BUCKET, OTHERS))
        for name in ("PowerUserAccess", "ReadOnlyAccess"):
            by = {"role": "deployer", "policyArn": f"arn:aws:iam::aws:policy/{name}"}
            world.add("RolePolicyAttachment", name, provider, **by)
        text = written("diff", write_state(tmp_path / "state.json", world), "--live")
        world.resources = [one for one in world.resources if one.provider != world.hub.urn]
        alone = written("diff", write_state(tmp_path / "alone.json", world), "--live")
        inside.create_user(UserName="zoe")
        people = put(world, "twokeys:people:People", "people", account=stage)
        declared = {"name": "zoe", "arn": arn(stage, "user/zoe")}
        world.add("User", "zoe", provider, parent=people, outputs=declared)
        door = {
            "name": "deploy",
            "source": {"kind": "role", "account": HUB, "names": ["ci"]},
            "target": {"account": stage, "role": "deployer"},
            "reason": "Deployments",
        }
        put(world, "pulumi:pulumi:Stack", "twokeys-stage", doors=[{"name": "deploy", "door": door, "documents": []}])
        state = write_state(tmp_path / "people.json", world)
        undeclared, meant = written("check", "--live"), written("check", "--live", "--state", state)
        live = json.loads(written("check", "--live", "--state", state, "--json"))
    assert "no-iam-users: IAM user zoe" in undeclared
    assert "no-iam-users: IAM user zoe" not in meant
    reasons = {(way["source"]["name"], way["target"]["name"]): way["why"] for way in live["ways"]}
    assert (reasons["ci", "deployer"], reasons["mallory", "deployer"]) == ("deploy; Deployments", "not declared")
    assert reasons["mallory", "OrganizationAccountAccessRole"] == "AWS's own access role"
    assert "Not shown" not in text
    assert sorted(line for line in text.splitlines() if "~" in line) == [
        "~ administrator: user eve of stage has a password of its own and no MFA device: "
        "gained the user, with a password",
        "~ other roles only: user mallory of management has an access key of its own and no MFA device: "
        "gained the user, with an access key",
    ]
    assert f" ({HUB}), so their ways count as differences. Next step: give" in alone
    (gained,) = [line for line in text.splitlines() if line.startswith("+") and "role deployer" in line]
    assert "user mallory" in gained
    assert not [line for line in text.splitlines() if line.startswith("-") and "role deployer" in line]


def of_provider(kind: str, **values: object) -> World:
    world = two_keys()
    world.change(put(world, f"aws:iam/{kind}", "idp", **values), provider=world.stage.urn)
    return world


OIDC, SAML_PROVIDER = "openIdConnectProvider:OpenIdConnectProvider", "samlProvider:SamlProvider"


@pytest.mark.parametrize(("kind", "before", "after", "told"), [
    (OIDC, {"url": "https://idp.example.com", "clientIdLists": ["app"]},
        {"url": "https://idp.example.com", "clientIdLists": ["app", "another"]},
        f"identity provider idp.example.com of {STAGE}: gained client ID another"),
    (OIDC, {"url": "https://idp.example.com", "clientIdLists": ["app"]},
        {"url": "https://idp.example.com", "clientIdLists": UNKNOWN}, None),
    (SAML_PROVIDER, {"name": "corp", "samlMetadataDocument": "<EntityDescriptor a/>"},
        {"name": "corp", "samlMetadataDocument": "<EntityDescriptor b/>"},
        f"identity provider corp of {STAGE}: gained metadata of sha256 "),
    (SAML_PROVIDER, {"name": "corp", "samlMetadataDocument": "<a/>", "tags": {"a": "b"}},
        {"name": "corp", "samlMetadataDocument": "<a/>"}, None),
])  # fmt: skip
def test_an_identity_provider_that_takes_other_tokens_or_assertions_is_a_change(
    kind: str, before: Mapping[str, object], after: Mapping[str, object], told: str | None
) -> None:
    """Whoever holds the key of the metadata, or a token for one of the client ids, comes in.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateSAMLProvider.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html
    """
    found = changes(*(read(of_provider(kind, **values).graph) for values in (before, after)))
    assert bool(found) is (told is not None)
    assert (told or "No way in") in "\n".join(lines(found))
    assert ("#### What bears on them" in in_markdown(found)) is (told is not None)


def bound(content: Mapping[str, object], kind: str = "SERVICE_CONTROL_POLICY") -> World:
    world = two_keys()
    world.add("Organization", "o", world.hub, outputs={"id": "o-1"})
    for name, account in (("stage", STAGE), ("prod", "3" * 12)):
        world.add("Account", name, world.hub, name=name, outputs={"id": account, "parentId": "r-1"})
    world.add("ControlPolicy", "p", world.hub, id="p-1", type=kind, content=document(content))
    world.add("ControlPolicyAttachment", "a", world.hub, policyId="p-1", targetId="r-1")
    return world


@pytest.mark.parametrize("kind", ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"])
def test_a_control_policy_that_says_something_else_is_a_change_told_once_for_all_accounts(kind: str) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"""
    denies = {"Effect": "Deny", "Action": ["s3:*", "kms:*"], "Resource": "*", "Principal": "*"}
    narrower = {**denies, "Action": "s3:*"}
    if kind == "SERVICE_CONTROL_POLICY":
        denies.pop("Principal"), narrower.pop("Principal")
    found = changes(read(bound(denies, kind).graph), read(bound(narrower, kind).graph))
    (told,) = as_data(found)["beside"]
    about = "control policies of prod, stage"
    assert told == {"about": about, "gained": [], "lost": ["Deny kms:* on *"], "notKnown": []}
    assert "~ control policies of prod, stage: lost Deny kms:* on *" in list(lines(found))
    assert not changes(read(bound(denies, kind).graph), read(bound(denies, kind).graph))
    later = bound(denies, kind)
    policy = next(one for one in later.resources if one.name == "p")
    later.change(policy, inputs={**(policy.inputs or {}), "content": UNKNOWN}, outputs={})
    assert f"\n- {about}: not known: " in shown(bound(denies, kind), later)


def test_an_account_of_the_same_name_and_another_id_is_said_to_be_another_one() -> None:
    worlds = []
    for account in ("2" * 12, "4" * 12):
        world = World()
        world.add("Account", "stage", world.hub, name="stage", outputs={"id": account})
        worlds.append(world)
    told = "account stage is another one: gained id 444444444444; lost id 222222222222"
    assert f"~ {told}" in list(lines(changes(*(read(one.graph) for one in worlds))))


def test_who_joins_or_leaves_a_group_of_identity_center_that_has_ways_is_told() -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroupMembership.html

    Of a group whose members come by SCIM a state has none.
    """
    alone, two, scim = center(), center(), center()
    put(two, "aws:identitystore/user:User", "bob", two.hub, userName="bob", userId="u-2")
    put(two, "aws:identitystore/groupMembership:GroupMembership", "m2", two.hub, groupId="g-1", memberId="u-2")
    scim.resources = [one for one in scim.resources if one.name != "m"]
    for world in (alone, two):
        attach(world, "ManagedPolicyAttachment", managedPolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    about, before = "members of Identity Center group admins", alone.graph
    assert list(lines(changes(read(before), read(two.graph)))) == [f"~ {about}: gained bob"]
    assert list(lines(changes(read(two.graph), read(before)))) == [f"~ {about}: lost bob, who is no user any more"]
    assert f"~ {about}: gained ann" in list(lines(changes(read(scim.graph), read(before))))
    assert (drifted(alone, two), drifted(scim, center())) == ([f"~ {about}: gained bob"], [f"{NOTHING}."])
    (advice,) = doors_changed(two.graph, lambda: before)
    assert advice.finding.message.endswith(f"\n~ {about}: gained bob\n")
    assert advice.finding.severity == "low"  # as the group's way is


def test_a_user_who_gains_an_access_key_or_a_password_is_told() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html"""
    before, after = may(user=True), may(user=True)
    before.add("AccessKey", "alice", before.hub, user="alice", status="Inactive")
    after.add("AccessKey", "alice", after.hub, user="alice", status="Active")
    after.add("UserLoginProfile", "alice", after.hub, user="alice")
    alice, both = "user alice of management", "a password and an access key"
    gained, lost = f"{alice} has {both} of its own: gained {both}", f"{alice}: lost {both}"
    for sides, ends in (((before, after), gained), ((after, before), lost)):
        (said,) = lines(changes(*(read(one.graph) for one in sides)))
        assert said.endswith(ends)


def drifted(shown: World, live: World) -> list[str]:
    read_live = replace(read(live.graph), evidence=(Evidence("live IAM", caller=arn(HUB, "user/auditor")),))
    return list(lines(drift(read(shown.graph), read_live)))


def test_a_live_user_of_whom_the_credential_report_does_not_tell_yet_is_drift() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html: it may be four hours old."""
    live = two_keys()
    columns = dict.fromkeys((PASSWORD, ACCESS_KEY, MFA_DEVICE))
    live.add("User", "zoe", live.hub, name="zoe", outputs={CREDENTIALS: columns})
    live.add("User", "ann", live.hub, name="ann", outputs={CREDENTIALS: dict.fromkeys(columns, False)})
    (said,) = drifted(two_keys(), live)
    assert said.endswith(
        "user zoe of management may have a password or an access key of its own, as it is newer than AWS's credential "
        "report: gained the user, with perhaps a password or an access key"
    )


@pytest.mark.parametrize("device", [True, False])
def test_a_password_is_drift_but_of_a_user_whom_a_state_shows_and_who_has_an_mfa_device(device: bool) -> None:
    """Whoever may call it makes another user's password: the user then signs in to the console.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
    """
    live, shown = two_keys(), two_keys()
    shown.add("User", "ann", shown.hub, name="ann")
    for name in ("ann", "eve"):
        has = {PASSWORD: True, ACCESS_KEY: False, MFA_DEVICE: device}
        live.add("User", name, live.hub, name=name, outputs={CREDENTIALS: has})
    found = drifted(shown, live)
    without = "" if device else " and no MFA device"
    said = {name: f"user {name} of management has a password of its own{without}: gained " for name in ("ann", "eve")}
    assert [f"{said['eve']}the user, with a password" in line for line in found][-1]
    assert any(f"{said['ann']}a password" in line for line in found) is not device


def test_a_key_that_a_door_gains_or_loses_is_told_though_it_stays_shut() -> None:
    """ "Both policies are evaluated": a trust alone opens nothing, and waits for whoever makes the grant.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
    """
    before, after = two_keys(), two_keys()
    after.add("User", "ann", after.hub, name="ann")
    after.role("half", after.stage, document(trusts(arn(HUB, "user/ann"))))
    before.add("User", "ann", before.hub, name="ann")
    before.role("half", before.stage, document(trusts(CI, condition={"StringEquals": {"aws:SourceIp": []}})))
    told = f"user ann of management -> role half of {STAGE}, not open"
    for sides, said in (
        ((before, after), f"~ {told} (no grant): gained the trust"),
        ((after, before), f"~ {told}: lost the trust"),
    ):
        found = changes(*(read(one.graph) for one in sides))
        assert said in list(lines(found))
        assert (found.gained, found.lost) == ((), ())


def test_a_cell_of_a_changed_way_says_what_each_key_asks_for() -> None:
    found = shown(asks(MFA), asks(age(3600)))
    assert "| trust: MFA (" in found
    assert "| trust: MFA, less than 1 h ago (" in found


ACCESS, WHOEVER = "OrganizationAccountAccessRole", "account management as a whole"
BY_AWS, NOBODY = document(trusts(arn(HUB, "root"))), document(trusts(arn(STAGE, "root")))


def of_organization(trust: str = "", *, holder: bool = False, policy: str = "AdministratorAccess") -> World:
    """The access role is there as a resource with its trust policy, as live AWS shows it, or is taken to be there."""
    world = two_keys(granted=False)
    about = {"id": "o-a1b2c3d4e5", "masterAccountId": HUB, "accounts": [{"id": one} for one in (HUB, STAGE)]}
    world.add("Organization", "org", world.hub, outputs=about)
    if trust:
        world.role(ACCESS, world.stage, trust)
        by = {"role": ACCESS, "policyArn": f"arn:aws:iam::aws:policy/{policy}"}
        world.add("RolePolicyAttachment", "by-aws", world.stage, **by)
    if holder:
        world.grant("ci", world.hub, arn(STAGE, f"role/{ACCESS}"))
    return world


@pytest.mark.parametrize(
    ("state", "live", "drifted", "back"),
    [
        (of_organization(), of_organization(BY_AWS), "No way in", "No way in"),
        (of_organization(), of_organization(NOBODY), f"- {WHOEVER}", f"+ {WHOEVER}"),
        (of_organization(), of_organization(BY_AWS, holder=True), "+ role ci", "- role ci"),
        (of_organization(holder=True), of_organization(BY_AWS), "- role ci", "+ role ci"),
        (of_organization(holder=True), of_organization(), "- role ci", "+ role ci"),
        (
            of_organization(),
            of_organization(document(trusts(arn(HUB, "root"), condition=MFA))),
            f"~ {WHOEVER}",
            f"~ {WHOEVER}",
        ),
        (of_organization(), of_organization(BY_AWS, policy="ReadOnlyAccess"), f"~ {WHOEVER}", f"~ {WHOEVER}"),
    ],
)
def test_a_way_that_waits_for_a_grant_is_lost_with_its_trust_and_not_where_it_is_seen_who_holds_one(
    state: World, live: World, drifted: str, back: str
) -> None:
    """ "You must also grant permissions": the trust in an account as a whole opens for those who hold a grant there.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
    """
    for sides, begins in (((state, live), drifted), ((live, state), back)):
        (told,) = (one for one in lines(changes(*(read(one.graph) for one in sides))) if not one.startswith("    "))
        assert told.startswith(begins)


def test_a_trust_in_an_account_as_a_whole_is_not_gained_where_the_last_grant_under_it_goes() -> None:
    trust = document(trusts(HUB))
    granted, alone = (read(two_keys(trust, granted=one).graph) for one in (True, False))
    for pair, sign in (((granted, alone), "-"), ((alone, granted), "+")):
        (told,) = (one for one in lines(changes(*pair)) if not one.startswith("    "))
        assert told.startswith(f"{sign} role ci")


@pytest.mark.parametrize("stands", [True, False])
def test_what_the_whole_organization_enters_if_granted_is_lost_with_its_trust_alone(stands: bool) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid"""
    condition = {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    sides = [of_organization(BY_AWS) for _ in range(2)]
    for world, trusted in zip(sides, (True, stands), strict=True):
        world.role("shared", world.stage, document(trusts("*", condition=condition)) if trusted else NOBODY)
        world.role("behind", world.hub, document(trusts(arn(STAGE, "role/shared"))))
        world.grant("shared", world.stage, arn(HUB, "role/behind"))
    organization = next(one for one in sides[0].resources if one.name == "org")
    sides[0].change(organization, outputs={"id": "o-a1b2c3d4e5", "masterAccountId": HUB})
    before, live = (read(one.graph) for one in sides)
    for pair, sign in (((before, live), "-"), ((live, before), "+")):
        whole = [line for line in lines(changes(*pair)) if line.startswith(f"{sign} anybody of organization")]
        assert len(whole) == (0 if stands else 2)


def test_the_access_role_of_an_account_that_is_only_entered_is_neither_gained_nor_lost() -> None:
    """AWS makes it with the account; live AWS tells which account is the management account, a program may not.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access-cross-account-role.html
    """
    entered, made, nothing = World(), World(), read(build(Snapshot(())))
    made.add("Account", "new", made.hub, name="new", outputs={"id": "333333333333", "name": "new"})
    one, account, live = (read(each.graph) for each in (entered, made, of_organization(BY_AWS)))
    assert ACCESS in str(one.ways)
    for found in (changes(nothing, one), changes(one, nothing), drift(one, live)):
        assert ACCESS not in "\n".join(lines(found))
    for found in (changes(nothing, account), changes(account, nothing)):
        assert [way.target.short for way in (*found.gained, *found.lost)] == [f"role {ACCESS} of new"]
