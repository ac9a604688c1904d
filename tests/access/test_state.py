"""What a state says is there: https://www.pulumi.com/docs/iac/concepts/state-and-backends/

What the fields mean is said where the engine writes them: `ResourceV3`, `OperationV2` and `DeploymentSchemaVersion` in
https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/apitype/core.go
"""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.access.world import CI, STAGE, TODAY, arn, document, trusts
from twokeys.access.graph import build
from twokeys.access.reading.since import NOT_KNOWN, Since
from twokeys.access.reading.snapshot import Pending, Resource, Snapshot
from twokeys.access.reading.state import parse_state, read_plan, read_state
from twokeys.access.rules import RULES
from twokeys.access.verdicts import check
from twokeys.answers.sources import together
from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = {_SIGNATURE: "1b47061264138c4ac30d75fd1eb44270"}
_PROVIDER = "urn:pulumi:s::p::pulumi:providers:aws::stage"
_IN_STAGE: dict[str, Any] = {
    "urn": _PROVIDER,
    "type": "pulumi:providers:aws",
    "inputs": {"allowedAccountIds": json.dumps([STAGE])},
}
OPEN = document(trusts("*"))
LONG_AGO = datetime(2023, 5, 4, tzinfo=UTC)
BEFORE, MADE, LATER = (datetime(2026, 1, day, 3, minute, 5, tzinfo=UTC) for day, minute in ((2, 1), (2, 4), (9, 0)))


def role(name: str, trust: object = OPEN, **fields: Any) -> dict[str, Any]:
    """A role of the stage account as a state holds it."""
    inputs = {"name": name, "assumeRolePolicy": trust}
    urn = f"urn:pulumi:s::p::aws:iam/role:Role::{fields.pop('logical', name)}"
    return {"urn": urn, "type": "aws:iam/role:Role", "inputs": inputs, "provider": f"{_PROVIDER}::id"} | fields


def state(*resources: dict[str, Any], pending: tuple[dict[str, Any], ...] = (), version: object = 3) -> str:
    deployment = {"resources": [_IN_STAGE, *resources], "pending_operations": list(pending)}
    return json.dumps({"version": version, "deployment": deployment})


def messages(snapshot: Snapshot) -> list[str]:
    return [finding.text for finding in check(build(snapshot), RULES, {}, TODAY).mandatory]


def about(name: str, text: str) -> list[str]:
    return [message for message in messages(parse_state(text)) if name in message]


def test_of_what_a_state_does_not_know_the_next_step_is_another_state() -> None:
    """A state has no program beside it that could be written otherwise, and a finding says its URN once."""
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # how the engine writes a text that is not known
    (said,) = about("ci", state(role("ci", unknown)))
    assert "(`--state` may be repeated)" in said
    assert "CrossAccountAccess" not in said
    trusting = document(trusts(arn("4" * 12, "role/somebody")))
    for said in about("ci", state(role("ci", trusting))):
        assert "OtherStack" not in said
        assert said.count("aws:iam/role:Role::ci") == 1


def test_a_role_beside_the_one_that_replaces_it_is_there_too() -> None:
    closed = document(trusts(arn(STAGE, "role/ci")))
    text = state(role("new-1", closed, logical="r"), role("old-1", delete=True, logical="r"))
    assert about("role/old-1", text)
    assert not about("role/new-1", text)


def test_a_role_of_a_provider_that_was_replaced_is_in_that_providers_account() -> None:
    """A resource refers to its provider by URN and id: `Resource.Provider` in the same file."""
    elsewhere = {**_IN_STAGE, "id": "old", "delete": True, "inputs": {"allowedAccountIds": json.dumps(["3" * 12])}}
    old = role("old", delete=True, provider=f"{_PROVIDER}::old")
    read = json.loads(state(role("new")))
    read["deployment"]["resources"] += [elsewhere, old]
    assert {one.account for one in build(parse_state(json.dumps(read))).roles} == {STAGE, "3" * 12}


def test_a_role_that_was_deleted_to_be_replaced_is_gone() -> None:
    assert not about("role/gone", state(role("gone", pendingReplacement=True)))
    assert not about("role/gone", state(role("gone", pendingReplacement=True, delete=True)))


def test_what_was_being_created_or_updated_is_not_proved() -> None:
    for operation in ("creating", "updating", "importing"):
        pending = ({"type": operation, "resource": role("half")},)
        (message,) = about("half", state(pending=pending))
        assert "not proved" in message
        assert "pulumi refresh" in message


def test_what_was_being_deleted_or_read_is_not_half_there() -> None:
    for operation in ("deleting", "reading"):
        assert not about("half", state(pending=({"type": operation, "resource": role("half")},)))


@pytest.mark.parametrize("field", [
    {"type": 5},
    {"urn": {}},
    {"urn": "x"},
    {"provider": [1]},
    {"created": True},
    {"created": "yesterday"},
    {"created": "2026-11-26T13:51:00"},
    {"modified": "yesterday"},
    {"parent": [1]},
    {"sourcePosition": 5},
    {"propertyDependencies": {"name": [{}]}},
], ids=str)  # fmt: skip
def test_a_resource_of_another_shape_is_refused(field: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="this is no state"):
        parse_state(state(role("r") | field))


NO_STATE = "this is no state (FILE): {}. Next step: export the state again with `pulumi stack export --file FILE`"
NEITHER = NO_STATE.format("it has no `version` beside a `deployment` or a `checkpoint`")
NOTHING = (
    "this state shows nothing (FILE): it holds no resource, so nothing can be shown to be closed by it: an update is"
    " under way or was stopped, or the stack is empty. Next step: wait for the update to end, export the state of the"
    " stack you mean with `pulumi stack export --stack STACK --file FILE`, or leave this file"
    " out if its stack really is empty"
)
TERRAFORM = (
    "this is a Terraform state (FILE): only states of Pulumi are read here. Next step: read what is in AWS instead"
    " with `twokeys access check --live`, or name a file that `pulumi stack export --file FILE` wrote"
)
NAME_ONE = "Next step: name a file that `pulumi stack export --file FILE` wrote"
OTHER_VERSION = (
    "this state cannot be read (FILE): it is a deployment of version {!r}; 3 and 4 are known here. Next step: export it"
    " with the pulumi CLI that this version of TwoKeys names, or use a newer TwoKeys"
)
NOT_AS_WRITTEN = "one of its resources is not as the engine writes it: {}"
NO_URN = f"a resource has no URN, or what should be text is none: {'x' * 100}"


@pytest.mark.parametrize(("text", "said"), [
    ("", NO_STATE.format("it is not JSON: Expecting value: line 1 column 1 (char 0)")),
    ("[]", NEITHER),
    ("5", NEITHER),
    ('{"version": 3}', NEITHER),
    ('{"deployment": {}}', NEITHER),
    (state({}), NO_STATE.format(NOT_AS_WRITTEN.format("'urn'"))),
    (state({"urn": "x" * 101, "type": "t"}), NO_STATE.format(NOT_AS_WRITTEN.format(NO_URN))),
    (
        state(pending=({"type": "inventing", "resource": role("half")},)),
        NO_STATE.format(NOT_AS_WRITTEN.format("'inventing' is no known operation")),
    ),
    (state(), NOTHING),
    ('{"version": 3, "deployment": {}}', NOTHING),
    ('{"version": 3, "checkpoint": {}}', NOTHING),
    # https://developer.hashicorp.com/terraform/internals/json-format; its own file has `terraform_version` too
    ('{"version": 4, "terraform_version": "1.9.0", "outputs": {}, "resources": []}', TERRAFORM),
    *((state(role("r"), version=version), OTHER_VERSION.format(version)) for version in (1, 2, 5, "3", True, None)),
])  # fmt: skip
def test_what_cannot_be_read_or_shows_nothing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "s").write_text(text)
    with pytest.raises(Refusal) as refused:
        read_state(tmp_path / "s")
    assert str(refused.value).replace(f"({tmp_path / 's'})", "(FILE)") == said
    if said == NOTHING:
        assert read_state(tmp_path / "s", may_be_empty=True).pending == ()


def test_a_file_that_cannot_be_opened_or_is_not_in_utf_8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read_state(tmp_path / "none")
    named = f"the state cannot be read ({tmp_path / 'none'}): [Errno 2] No such file or directory"
    assert str(refused.value) == f"{named}: '{tmp_path / 'none'}'. {NAME_ONE}"
    (tmp_path / "s").write_bytes(b"\xff\xfe{")
    with pytest.raises(Refusal, match="the state cannot be read"):
        read_state(tmp_path / "s")


def test_a_checkpoint_that_the_backend_compressed_is_read_unless_it_is_cut_off(tmp_path: Path) -> None:
    """https://www.pulumi.com/docs/iac/cli/environment-variables/: PULUMI_DIY_BACKEND_GZIP."""
    resources = [{"urn": "urn:pulumi:s::p::t:t:T::x", "type": "t:t:T", "custom": True}]
    packed = gzip.compress(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}).encode())
    file = tmp_path / "s.json.gz"
    file.write_bytes(packed)
    assert [one.urn for one in read_state(file).resources] == [resources[0]["urn"]]
    for damaged in (packed[:-9], packed[:10] + b"\xff" * 9, packed[:5]):
        file.write_bytes(damaged)
        with pytest.raises(Refusal, match="the state cannot be read"):
            read_state(file)


def test_every_field_of_a_resource_is_read_and_a_checkpoint_as_a_deployment(tmp_path: Path) -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    output = {_SIGNATURE: "d0e6a833031e9bbcd3f4e8bde6ca49a4"}
    fields = {
        "type": "t:t:T",
        "inputs": {
            "no": unknown, "out": {**output, "value": "o"}, "hidden": {**output, "secret": True},
            "plain": {"secret": True},
        },
        "outputs": {"a": 1},
        "provider": "urn:pulumi:s::p::pulumi:providers:aws::own::id",
        "parent": "urn:pulumi:s::p::c::above",
        "dependencies": ["urn:pulumi:s::p::t::other"],
        "propertyDependencies": {"a": ["urn:pulumi:s::p::t::other"], "b": [], "c": None},
        "protect": True,
        "sourcePosition": "project:///sub/__main__.py#12,3",
        "created": "2026-01-02T03:04:05Z",
    }  # fmt: skip
    deleted = {"urn": "urn:pulumi:s::p::t:t:T::n", "type": "t:t:T", "delete": True, "sourcePosition": "project:///a.py"}
    gone = {**deleted, "pendingReplacement": True}
    resources = [gone, deleted, deleted, {"urn": "urn:pulumi:s::p::t:t:T::n", **fields}]
    checkpoint = {"version": 3, "checkpoint": {"latest": {"resources": resources}}}
    (tmp_path / "s").write_text(json.dumps(checkpoint), encoding="utf-8-sig")
    read = read_state(tmp_path / "s")
    urn = "urn:pulumi:s::p::t:t:T::n"
    assert read.resources == (
        Resource(f"{urn}#waits-to-be-deleted-1", "t:t:T", "n", {}, source="a.py", made_by=urn),
        Resource(f"{urn}#waits-to-be-deleted-2", "t:t:T", "n", {}, source="a.py", made_by=urn),
        Resource(
            urn,
            "t:t:T",
            "n",
            {"no": UNKNOWN, "out": "o", "hidden": UNKNOWN, "plain": {"secret": True}},
            {"a": 1},
            "urn:pulumi:s::p::pulumi:providers:aws::own",
            "urn:pulumi:s::p::c::above",
            property_dependencies={"a": ("urn:pulumi:s::p::t::other",)},
            protect=True,
            source="sub/__main__.py:12",
            since=Since(MADE, MADE),
            secrets=frozenset({"hidden"}),
        ),
    )
    assert (read.origin, read.is_state, read.stack, read.pending) == (str(tmp_path / "s"), True, "s", ())


_IAM, _ACCOUNT = "aws:iam/{0}:{1}".format, "aws:organizations/account:Account"
_ROLE, _INLINE = _IAM("role", "Role"), _IAM("rolePolicy", "RolePolicy")


@pytest.mark.parametrize(("type_", "fields", "outputs", "since"), [
    (_INLINE, {}, {}, NOT_KNOWN),  # of an engine of before 2023
    (_INLINE, {"created": MADE, "modified": MADE}, {}, Since(MADE, MADE)),
    (_INLINE, {"created": MADE}, {}, Since(MADE, MADE)),
    (_INLINE, {"created": MADE, "modified": LATER}, {}, Since(MADE, LATER)),
    (_INLINE, {"modified": LATER}, {}, Since(None, LATER)),
    (_INLINE, {"created": MADE, "modified": MADE, "importID": "r:p"}, {}, Since(None, MADE)),
    (_ROLE, {"created": MADE, "modified": MADE}, {"createDate": BEFORE}, Since(BEFORE, BEFORE)),
    (_ROLE, {"created": MADE, "modified": LATER}, {"createDate": BEFORE}, Since(BEFORE, LATER)),
    (_ROLE, {"created": MADE, "modified": MADE}, {"createDate": LONG_AGO}, Since(LONG_AGO, MADE)),
    (_ROLE, {"created": MADE, "modified": LATER, "importID": "r"}, {"createDate": LONG_AGO}, Since(LONG_AGO, LATER)),
    (_ROLE, {"created": MADE, "modified": MADE, "importID": "r"}, {"createDate": "no time"}, Since(None, MADE)),
    (_ROLE, {"created": LONG_AGO, "modified": LONG_AGO}, {"createDate": MADE}, Since(MADE, MADE)),  # made anew
    (_ACCOUNT, {"created": MADE, "modified": LATER}, {"joinedTimestamp": LONG_AGO}, Since(LONG_AGO, LONG_AGO)),
    (_ACCOUNT, {"created": MADE, "modified": LATER}, {}, Since(MADE, MADE)),
    (_ACCOUNT, {"created": MADE, "importID": STAGE}, {}, Since(None, MADE)),
])  # fmt: skip
def test_a_state_dates_a_key_by_aws_else_by_when_it_was_made_and_last_touched(
    type_: str, fields: dict[str, Any], outputs: dict[str, Any], since: Since
) -> None:
    """An import sets `created` and `modified` to the moment of the import, an update and a refresh with a difference
    `modified`: https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/resource/deploy/step.go
    """
    values = json.loads(json.dumps({**fields, "outputs": outputs}, default=datetime.isoformat))
    found = parse_state(state({"urn": f"urn:pulumi:s::p::{type_}::it", "type": type_, **values})).resources[-1]
    assert found.since == since


def test_beside_what_pulumi_import_brought_nothing_is_dated_by_when_it_came_into_the_state() -> None:
    """It leaves no `importID`, but AWS's own date of a role is older: what came with it may be, too, later things not.

    https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/resource/deploy/step.go (ImportStep of an import deployment)
    """
    old = {"created": MADE.isoformat(), "outputs": {"createDate": LONG_AGO.isoformat()}}
    beside = [
        {"urn": f"urn:pulumi:s::p::{_INLINE}::{time:%d}", "type": _INLINE, "created": time.isoformat()}
        for time in (MADE, LATER)
    ]
    dates = [one.since for one in parse_state(state(role("r", **old), *beside)).resources[1:]]
    assert dates == [Since(LONG_AGO, MADE), Since(None, MADE), Since(LATER, LATER)]
    marked = parse_state(state(role("r", **old, importID="r"), *beside)).resources[1:]
    assert [one.since for one in marked] == [Since(LONG_AGO, MADE), Since(MADE, MADE), Since(LATER, LATER)]


def test_a_plan_changes_the_inputs_of_the_state_it_starts_from(tmp_path: Path) -> None:
    """`ResourcePlan` and `GoalV1`: https://github.com/pulumi/pulumi/blob/v3.274.1/sdk/go/common/apitype/plan.go"""
    urn, other, provider = (f"urn:pulumi:s::p::t:t:T::{name}" for name in ("n", "other", "own"))
    goal = {
        "type": "t:t:T",
        "name": "n",
        "inputDiff": {
            "deletes": ["gone", "never"],
            "adds": {"new": 1, "both": 1},
            "updates": {"changed": 2, "both": 2},
        },
        "provider": f"{provider}::id",
        "parent": other,
        "propertyDependencies": {"new": [other], "x": [], "y": None},
        "protect": True,
    }
    bare = {"type": "t:t:T", "name": "other"}
    before = Snapshot(
        (Resource(urn, "t:t:T", "n", {"gone": 0, "same": 0, "changed": 0}), Resource(other, "t:t:T", "other"))
    )
    plans = {
        f"{urn}-deleted": {"steps": ["delete"], "state": None},
        urn: {"goal": goal, "state": {"out": "o"}},
        other: {"goal": bare},
        f"{urn}-new": {"goal": {**bare, "name": "new"}},
    }
    (tmp_path / "plan").write_text(json.dumps({"manifest": {}, "resourcePlans": plans}))
    read = read_plan(tmp_path / "plan", before)
    assert read.origin == f"plan {tmp_path / 'plan'}"
    assert read.resources == (
        Resource(
            urn,
            "t:t:T",
            "n",
            {"same": 0, "changed": 2, "new": 1, "both": 2},
            {"out": "o"},
            provider,
            other,
            property_dependencies={"new": (other,)},
            protect=True,
        ),
        Resource(other, "t:t:T", "other", {}),
        Resource(f"{urn}-new", "t:t:T", "new", {}),
    )
    (tmp_path / "plan").write_text("{}")
    with pytest.raises(Refusal) as refused:
        read_plan(tmp_path / "plan", before)
    step = "Next step: write one with `pulumi preview --save-plan FILE`"
    assert (
        str(refused.value)
        == f"this is no update plan ({tmp_path / 'plan'}): it has no resourcePlans that can be read. {step}"
    )


def test_several_states_are_read_together_with_what_is_pending_in_each(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(state(role("a"), pending=({"type": "creating", "resource": role("half")},)))
    (tmp_path / "b").write_text(state(role("b")).replace("urn:pulumi:s::", "urn:pulumi:other::"))
    both = together([tmp_path / "a", tmp_path / "b"])
    assert [one.name for one in both.of_type("aws:iam/role:Role")] == ["a", "b"]
    assert both.pending == (Pending("creating", parse_state(state(role("half"))).resources[-1]),)
    assert (both.origin, both.is_state) == ("the states a, b", True)
    assert not Snapshot.together([], "none").is_state
    assert parse_state(state(role("a"))).origin == "this state"


MADE_FROM = {"k": ("u",)}


@pytest.mark.parametrize(("inputs", "outputs", "behind", "value", "asked"), [
    ({"k": 1}, {"k": 2}, {}, 2, 1),
    ({"k": 1}, {"k": UNKNOWN}, {}, 1, 1),
    ({"k": 1}, {}, {}, 1, 1),
    ({}, {"k": UNKNOWN}, {}, UNKNOWN, None),
    ({}, {}, MADE_FROM, UNKNOWN, UNKNOWN),
    ({}, {}, {"k": ()}, None, None),
    ({}, {}, {"j": ("u",)}, None, None),
    (None, {"k": 1}, {}, 1, 1),
    (None, {"k": 1}, MADE_FROM, 1, 1),
    (None, {}, MADE_FROM, UNKNOWN, UNKNOWN),
    (None, {}, {}, None, None),
])  # fmt: skip
def test_what_came_of_a_resource_wins_over_what_was_asked_for(
    inputs: Any, outputs: Any, behind: Any, value: object, asked: object
) -> None:
    one = Resource("urn", "t", "n", inputs, outputs, property_dependencies=behind)
    assert (one.get("k"), one.asked("k")) == (value, asked)


@pytest.mark.parametrize(("type_", "secret", "hides"), [
    ("pulumi:providers:aws", "token", False),
    ("pulumi:providers:aws", "assumeRoles", True),
    ("aws:iam/role:Role", "token", True),
])  # fmt: skip
def test_a_provider_hides_a_secret_only_where_that_tells_its_account(type_: str, secret: str, *, hides: bool) -> None:
    values = {"token": UNKNOWN, "assumeRoles": UNKNOWN}
    assert Resource("urn", type_, "n", values, secrets=frozenset({secret})).hides_secret == hides


def test_a_snapshot_says_its_stack_the_stacks_it_refers_to_and_who_is_above_a_resource() -> None:
    def one(kind: str, logical: str, /, *behind: str, parent: str | None = None, **outputs: object) -> Resource:
        urn = f"urn:pulumi:dev::p::{kind}::{logical}"
        made_from = {"outputs": behind} if behind else {}
        return Resource(urn, kind, logical, None, outputs, parent=parent, property_dependencies=made_from)

    there, elsewhere = one("pulumi:pulumi:StackReference", "a", outputs={"a": 1}), "pulumi:pulumi:StackReference::b"
    role = one("aws:iam/role:Role", "r")
    other = "twokeys:access:OtherStack"
    parts = (
        there,
        one(other, "repeats", there.urn, outputs={"a": 2}),
        one(other, "shows", f"urn:pulumi:dev::p::{elsewhere}", outputs={"b": 3}),
        one(other, "says", role.urn, outputs={"c": 4}, name="org/p/said"),
        one(other, "empty"),
        role,
        one("pulumi:pulumi:Stack", "p-dev", d=5),
    )
    snapshot = Snapshot(parts)
    referred = [(found.resource.name, found.stack, found.outputs, found.shown) for found in snapshot.referred]
    said = [("a", "a", {"a": 1}, True), ("shows", "shows", {"b": 3}, True), ("says", "org/p/said", {"c": 4}, False)]
    assert referred == said
    assert list(snapshot.stack_outputs) == [{"a": 1}, {"b": 3}, {"d": 5}]
    assert [Snapshot(some).stack for some in (parts, (), (Resource("live::x", "t", "x"),))] == ["dev", None, None]
    above = one("c", "above", parent="urn:pulumi:dev::p::c::top")
    top, low = one("c", "top", parent=above.urn), one("t", "low", parent=above.urn)
    assert list(Snapshot((above, top, low)).ancestors(low)) == [above.urn, top.urn]
    assert list(Snapshot((low,)).ancestors(low)) == [above.urn]


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


def by_hand(resource: str) -> dict[str, str]:
    policy = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": resource})
    return {"name": "by-hand", "policy": policy}


ENTER = by_hand("arn:aws:iam::*:role/deployer")


def test_what_a_refresh_saw_of_another_stacks_grant_on_its_own_role_is_that_stacks_to_say() -> None:
    one = role("r", document(trusts(arn(STAGE, "role/x"))))
    seen = {"inlinePolicies": [by_hand(arn("7" * 12, "role/deployer"))]}
    assert not about("role r", state(one | {"outputs": one["inputs"] | seen}))


def test_what_a_refresh_saw_attached_by_a_resource_of_the_stack_is_that_one() -> None:
    inline = {"role": "r", "name": "by-hand", "policy": document({"Effect": "Deny", "Action": "*", "Resource": "*"})}
    resources = [
        {"type": "aws:iam/rolePolicy:RolePolicy", "inputs": inline},
        {"type": "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "inputs": {"role": "r", "policyArn": ADMIN}},
    ]
    others = [{**one, "urn": f"urn:pulumi:s::p::{one['type']}::x", "provider": f"{_PROVIDER}::id"} for one in resources]
    one = role("r", document(trusts(arn(STAGE, "role/x"))))
    seen = {"managedPolicyArns": [ADMIN, "arn:aws:iam::aws:policy/ReadOnlyAccess"], "inlinePolicies": [ENTER]}
    assert not about("role r", state(one | {"outputs": one["inputs"] | seen}, *others))


def test_a_secret_is_unknown_unless_the_state_shows_it() -> None:
    inputs = {"shown": {**_SECRET, "plaintext": '"open"'}, "hidden": [{**_SECRET, "ciphertext": "x"}], "plain": "x"}
    resource = {"urn": "urn:pulumi:s::p::t::n", "type": "t", "inputs": inputs}
    read = parse_state(state(resource)).resources[-1]
    assert (read.get("shown"), read.get("hidden")) == ("open", [UNKNOWN])
    assert read.secrets == {"shown", "hidden"}


def test_a_secret_document_is_not_proved_and_the_next_step_shows_secrets() -> None:
    (message,) = about("datadog", state(role("datadog", {**_SECRET, "ciphertext": "v1:abc:def"})))
    assert "--show-secrets" in message


def test_a_provider_whose_account_is_secret_asks_for_secrets() -> None:
    provider = {**_IN_STAGE, "inputs": {"allowedAccountIds": {**_SECRET, "ciphertext": "x"}}}
    text = json.dumps({"version": 3, "deployment": {"resources": [provider, role("r", document(trusts(CI)))]}})
    (message,) = [one for one in messages(parse_state(text)) if "provider stage is not pinned" in one]
    assert "--show-secrets" in message


_HIDDEN: dict[str, object] = {**_SECRET, "ciphertext": "x"}


@pytest.mark.parametrize(("type_", "inputs", "said"), [
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"role": _HIDDEN, "policyArn": ADMIN}, "attaches"),
    ("pulumi-nodejs:dynamic:Resource", {"__provider": _HIDDEN}, "code is not shown"),
])  # fmt: skip
def test_whose_policy_it_is_and_what_a_provider_runs_may_be_secret(
    type_: str, inputs: dict[str, object], said: str
) -> None:
    made = {"urn": f"urn:pulumi:s::p::{type_}::a", "type": type_, "inputs": inputs, "provider": f"{_PROVIDER}::id"}
    (message,) = about(said, state(made))
    assert "--show-secrets" in message


def test_a_secret_in_a_mapping_that_only_narrows_is_a_condition_of_the_door() -> None:
    hidden = {**_SECRET, "ciphertext": "v1:abc:def"}
    narrowed = trusts(arn("9" * 12, "root")) | {"Condition": {"StringEquals": {"sts:ExternalId": hidden}}}
    found = about("vendor", state(role("vendor", {"Version": "2012-10-17", "Statement": [narrowed]})))
    assert not [message for message in found if "v1:abc:def" in message]


def test_a_secret_in_a_mapping_that_says_who_comes_in_is_not_proved() -> None:
    hidden = {**_SECRET, "ciphertext": "v1:abc:def"}
    whom = {"Effect": "Allow", "Principal": {"AWS": hidden}, "Action": "sts:AssumeRole"}
    (message,) = about("vendor", state(role("vendor", {"Version": "2012-10-17", "Statement": [whom]})))
    assert "--show-secrets" in message
    assert "v1:abc:def" not in message


@pytest.mark.parametrize("trust", [
    document(trusts(CI, condition={"StringEquals": {"sts:ExternalId": "s3cr3t"}})),
    document(trusts(arn("9" * 12, "root"), condition={"StringEquals": {"sts:ExternalId": "s3cr3t"}})),
    document(trusts(CI, condition={"StringEquals s3cr3t": {"sts:ExternalId": "x"}})),
    document(trusts(CI) | {"Effect": "s3cr3t"}),
    '{"Version": "s3cr3t"',
])  # fmt: skip
def test_nothing_that_says_something_quotes_a_secret_document(trust: str) -> None:
    shown = {**_SECRET, "plaintext": json.dumps(trust)}
    graph = build(parse_state(state(role("vendor", shown))))
    verdicts = check(graph, RULES, {}, TODAY)
    said = [finding.text for finding in (*verdicts.mandatory, *verdicts.advisory)]
    for door in (*graph.doors, *graph.steps):
        said += [*door.trust.explain().splitlines(), *map(str, door.trust.requirements)]
    assert said
    assert not [text for text in said if "s3cr3t" in text]


@pytest.mark.parametrize(("condition", "denied"), [
    ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, None),
    ({"NumericLessThan": {"s3:max-keys": "10"}, "ArnLike": {"sts:TaskPolicyArn": "arn:aws:iam::aws:policy/*"}}, None),
    ({"StringEquals": {"sts:ExternalId": "a"}}, {"StringEquals": {"sts:ExternalId": "b"}}),
    ({"StringEquals": {"sts:ExternalId": "a"}}, {"StringNotEquals": {"sts:ExternalId": "a"}}),
    ({"StringEquals": {"sts:ExternalId": "a"}, "StringNotEquals": {"sts:ExternalId": "b"}}, None),
])  # fmt: skip
def test_what_is_masked_of_a_shown_secret_closes_no_door(condition: Any, denied: Any) -> None:
    statements = [{**trusts(arn("9" * 12, "root")), "Condition": condition}]
    if denied:
        statements.append({**trusts("*", effect="Deny"), "Condition": denied})
    secret = {**_SECRET, "plaintext": json.dumps(document(*statements))}
    graph = build(parse_state(state(role("r", secret))))
    (door,) = [one for one in graph.doors if one.target.name == "r"]
    assert door.open
