"""Whoever takes the next step that a finding prints is rid of the finding."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.access.test_keys import EXCEPT, IF_ELSEWHERE, IMPORT, MEMBERS, PIN, READ_TOO, SAID
from tests.access.test_rules import (
    CHANGES,
    CLUSTER,
    COGNITO,
    GITHUB,
    GITHUB_PROVIDER,
    OURS,
    OWN_PROVIDER,
    POOL,
    another_account,
    by_token,
    control_policy_that_stops_the_next_update,
    door,
    granting,
    organization,
    trusting,
)
from tests.access.world import (
    CI,
    DEPLOYER,
    HUB,
    MFA,
    OUTSIDE,
    PROD,
    SERVICE,
    STAGE,
    TYPES,
    World,
    arn,
    document,
    grants,
    replaced,
    trusts,
    two_keys,
)

INNER = arn(PROD, "role/inner")
NO_EDIT = (
    "see ",
    "correct it",
    "if AWS has added it",
    "if it is yours, name the state",
    "update TwoKeys",
    'add "Null": ',
    EXCEPT,
)
"""How steps begin that are no edit of the stack: a page, the state of another stack, or one that shuts the door."""
KEYS = (
    "grant that a boundary kills",
    "grant that an explicit deny kills",
    "role under a provider that is not pinned",
    "grant to a group that the user is not in",
    "grant on a role of an account outside the stack",
    "denial in the trust",
    "condition in the trust that keeps out whom it names",
    "mistyped organization in the trust in an account",
    "condition in the grant that its holder cannot meet",
    "role made by the provider of the account that is to come in",
    "trust in a role that is not here",
    "grant on a role that differs by its path",
    "trust in an account of the stack",
    "trust in a role of an account that is only listed",
    "trust in the role of a permission set",
    "trust where the name of a role there is not known yet",
    "grant to a role whose path is not known yet",
    "grant where the name of a role there is not known yet",
    "boundary that is made elsewhere",
    "keys that exclude each other",
    "policies made elsewhere under 3 trusts",
    "trust that is made from what is only read",
    "grant that is made from what is only read",
)
"""Those of test_keys.py whose steps are taken, too; the others have the same ones."""
OF_KEYS = ("door-needs-grant", "door-needs-trust", "unproved-door")


def without(*names: str) -> Callable[[World], object]:
    def edit(world: World) -> None:
        world.resources = [one for one in world.resources if one.name not in names]

    return edit


def given(name: str, /, **inputs: object) -> Callable[[World], object]:
    return lambda world: replaced(world, name, **inputs)


def jobs(statement: Mapping[str, Any]) -> Callable[[World], object]:
    return given("jobs", assumeRolePolicy=document({"Effect": "Allow", **statement}))


def by_anchor(service: str) -> Mapping[str, Any]:
    return {
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        "Condition": {"ArnEquals": {"aws:SourceArn": f"arn:aws:rolesanywhere:eu-west-1:{STAGE}:trust-anchor/1a2b"}},
    }


def both(*edits: Callable[[World], object]) -> Callable[[World], object]:
    return lambda world: [edit(world) for edit in edits]


def pinned(world: World) -> None:
    for name in {"loose", "more"} & {one.name for one in world.resources}:
        replaced(world, name, allowedAccountIds=f'["{STAGE if name == "loose" else PROD}"]')


def trusting_alone(*principals: str) -> Callable[[World], object]:
    return given("deployer", assumeRolePolicy=document(trusts(*principals)))


def by_the_provider_of(role: str) -> Callable[[World], object]:
    return lambda world: world.change(
        next(one for one in world.resources if one.name == role), provider=world.stage.urn
    )


def without_conditions(world: World) -> None:
    for one in list(world.resources):
        for key in ("assumeRolePolicy", "policy"):
            said = json.loads(str(one.get(key) or "{}"))
            if any(each.pop("Condition", None) for each in said.get("Statement", ())):
                replaced(world, one.name, **{key: json.dumps(said)})


def granted_to(user: str) -> Callable[[World], object]:
    entering = {"user": user, "name": "in", "policy": document(grants(DEPLOYER))}
    return lambda world: world.add("UserPolicy", "in", world.hub, **entering)


def the_role_that_is_granted(world: World) -> None:
    (granted,) = json.loads(next(one.inputs for one in world.resources if one.name == "ci-grant")["policy"])[
        "Statement"
    ]
    *path, name = granted["Resource"][0].partition("role/")[2].split("/")
    without(name)(world)
    made = {"name": name, "path": "/".join(("", *path, ""))}
    world.add("Role", "added", world.stage, assumeRolePolicy=document(trusts(CI)), **made)


def shown_by_prod(kind: str, role: str, key: str, said: Mapping[str, Any]) -> Callable[[World], object]:
    place = {"type": TYPES[kind], "name": role, "account": PROD, "property": key}
    place |= {"properties": {"name": role, "path": "/", "role": role}, "document": json.loads(document(said))}
    source = {"kind": "role", "account": HUB, "names": ["ci"]}
    door = {"name": role, "source": source, "target": {"account": PROD, "role": role}}
    outputs = {"doors": [{"name": role, "door": door, "documents": [place]}]}
    return lambda world: world.other_stack("prod-stack", "o/p/prod", outputs)


def ci_is_here(world: World) -> None:
    world.role("ci", world.hub)
    world.grant("ci", world.hub, DEPLOYER)


def one_role_of_every_account(world: World) -> None:
    organization(world)
    bound = {"Condition": {"StringEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}}}
    replaced(world, "ci-grant", policy=document(grants("arn:aws:iam::*:role/deployer") | bound))


def declared(world: World) -> None:
    said = {"type": TYPES["Role"], "name": "u", "account": STAGE, "property": "assumeRolePolicy"}
    said |= {"properties": {"name": "u", "path": "/"}, "document": json.loads(SERVICE)}
    parent = world.add("Component", "door", symbolicDocuments=[said])
    world.change(next(one for one in world.resources if one.name == "u"), parent=parent.urn)


def role_for_the_purpose(world: World) -> None:
    support = arn(PROD, "role/support")
    world.role("support", world.provider("prod", PROD), document(trusts(arn(HUB, "role/helpdesk"))))
    replaced(world, "helpdesk-grant", policy=document(grants(support)))


def without_the_last_door(world: World) -> None:
    replaced(world, "inner", assumeRolePolicy=SERVICE)
    for one in list(world.resources):
        if INNER in str((one.inputs or {}).get("policy")):
            world.resources.remove(one)


def from_the_account(world: World) -> None:
    account = world.add("Account", "new", world.hub, protect=True, name="new", email="a+new@example.com")
    more = next(one for one in world.resources if one.name == "more")
    behind = dict.fromkeys(("assumeRoles", "allowedAccountIds"), (account.urn,))
    world.change(more, property_dependencies=behind)


def by_a_provider_for_the_account(world: World) -> None:
    lost = next(one for one in world.resources if one.name == "lost")
    world.change(lost, provider=world.stage.urn)
    without("default_7_51_1")(world)


def tagged(world: World) -> None:
    outputs = {"id": PROD, "name": "blue", "email": "a+blue@example.com", "tags": {"environment": "sandbox"}}
    world.add("Account", "blue-account", world.hub, protect=True, outputs=outputs)


def protected(world: World) -> None:
    more = next(one for one in world.resources if one.name == "more")
    world.change(more, protect=True)


def below_the_component(world: World) -> None:
    component = next(one for one in world.resources if one.name == "door")
    world.change(next(one for one in world.resources if one.name == "own"), parent=component.urn)


def one_declaration(world: World) -> None:
    said = next(one for one in world.resources if one.name == "door").get("symbolicDocuments")
    replaced(world, "door", symbolicDocuments=said[:1])


def a_month_later(world: World) -> None:
    """Of a trust and of a denial that are over."""
    for one in list(world.resources):
        for key in ("assumeRolePolicy", "policy"):
            if "aws:CurrentTime" in str(text := one.get(key)):
                replaced(world, one.name, **{key: str(text).replace("2026-11-2", "2026-12-2")})


def only_instances(world: World) -> None:
    stops = {"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"}
    replaced(world, "scp", content=document(stops))


def spares_the_program(world: World) -> None:
    fresh = World()
    control_policy_that_stops_the_next_update(fresh, "arn:aws:iam::*:role/OrganizationAccountAccessRole")
    replaced(world, "s", content=next(one.inputs for one in fresh.resources if one.name == "s")["content"])


def enters(role: str, account: str = PROD) -> dict[str, object]:
    return {"assumeRoles": json.dumps([{"roleArn": arn(account, f"role/{role}")}])}


SHORT = document(grants("arn:aws:s3:::x*", action="s3:GetObject"))
one_branch = jobs(by_token(GITHUB_PROVIDER, {"StringEquals": {f"{GITHUB}:sub": "repo:acme/app:ref:refs/heads/main"}}))
ROOT_TASK = {"ArnEquals": {"sts:TaskPolicyArn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}}
ONE_SUBJECT = {f"{CLUSTER}:sub": "system:serviceaccount:shop:web", f"{CLUSTER}:aud": "sts.amazonaws.com"}
STEPS: dict[str, Callable[[World], object] | Mapping[str, Any]] = {
    "name the principals by their ARNs": lambda world: trusting(world, CI, {}),
    "admit your organization alone by a StringEquals condition on aws:PrincipalOrgID (a grant in another of its "
    "accounts then has to be in view)": lambda world: trusting(organization(world), "*", OURS),
    f"give role ci a policy that allows sts:AssumeRole on {DEPLOYER}": lambda world: world.grant(
        "ci", world.hub, DEPLOYER
    ),
    "leave IfExists away": given(
        "deployer", assumeRolePolicy=document(trusts(CI), trusts(arn(HUB, "user/alice"), condition=MFA))
    ),
    "take role ci out of the trust policy": given("deployer", assumeRolePolicy=SERVICE),
    f"add {CI} to the Principal of that role's trust policy": given(
        "deployer", assumeRolePolicy=document(trusts(arn(STAGE, "root"), CI))
    ),
    "remove the grant": without("ci-grant", "enter"),
    "write the document from values that are known in preview, such as an ARN that is written out (a role's, where it "
    "has a `name`; a trust policy's with `depends_on` that role)": given("u", assumeRolePolicy=SERVICE),
    "create what it waits for in an earlier update": given("u", assumeRolePolicy=SERVICE),
    "declare it as `python -m pydoc twokeys.declared` shows": declared,
    f"if account {OUTSIDE} is another company's, add a StringEquals condition on sts:ExternalId with an id that it "
    "uses for you only": both(
        without("vendor"),
        lambda world: another_account(world, condition={"StringEquals": {"sts:ExternalId": "4f3c2b1a"}}),
    ),
    f"demand {GITHUB}:sub by StringEquals or StringLike, as in repo:acme/app:ref:refs/heads/main": one_branch,
    "name the provider by its ARN": jobs(by_token(OWN_PROVIDER, {"StringEquals": {"idp.example.com:sub": "alice"}})),
    "name a provider by its ARN": jobs(by_token(OWN_PROVIDER, {"StringEquals": {"idp.example.com:sub": "alice"}})),
    "one that is built into AWS (accounts.google.com)": jobs(
        by_token("accounts.google.com", {"StringEquals": {"accounts.google.com:sub": "109876543210987654321"}})
    ),
    "make the provider in the role's account, and name that one": jobs(
        by_token(OWN_PROVIDER, {"StringEquals": {"idp.example.com:sub": "alice"}})
    ),
    "demand idp.example.com:sub by StringEquals, unless all of them are meant": jobs(
        by_token(OWN_PROVIDER, {"StringEquals": {"idp.example.com:sub": "alice"}})
    ),
    f"demand {CLUSTER}:sub by StringEquals, as system:serviceaccount:NAMESPACE:NAME": jobs(
        by_token(arn(STAGE, f"oidc-provider/{CLUSTER}"), {"StringEquals": ONE_SUBJECT})
    ),
    "demand that the amr of a token is authenticated": jobs(
        by_token(COGNITO, {"StringEquals": POOL, "ForAnyValue:StringLike": {f"{COGNITO}:amr": "authenticated"}})
    ),
    "take from the role what guests need not": without("more"),
    "demand the ARN of one trust anchor with ArnEquals on aws:SourceArn": jobs(by_anchor("rolesanywhere")),
    "name the one service that is to have the role, such as ec2.amazonaws.com": given("jobs", assumeRolePolicy=SERVICE),
    "add sts:AssumeRole and sts:AssumeRoot to its NotAction": given(
        "ci-grant",
        policy=document(
            {"Effect": "Allow", "NotAction": ["iam:*", "sts:AssumeRole", "sts:AssumeRoot"], "Resource": "*"},
            grants(DEPLOYER),
        ),
    ),
    "by a statement of its own, name the roles by their exact ARNs": lambda world: granting(world, DEPLOYER),
    "name the roles by their exact ARNs": lambda world: granting(world, DEPLOYER),
    "one role of every account with a StringEquals condition that aws:ResourceOrgID is the organization's id": (
        one_role_of_every_account
    ),
    "grant a role that is made for the purpose": lambda world: granting(world, DEPLOYER),
    "name the accounts: arn:aws:iam::ACCOUNT:root, and the task by a condition on sts:TaskPolicyArn": given(
        "r", policy=document(grants(arn(PROD, "root"), action="sts:AssumeRoot") | {"Condition": ROOT_TASK})
    ),
    "grant a role of that account that is made for the purpose": role_for_the_purpose,
    "make it with resources of pulumi-aws": both(without("x"), lambda world: world.role("x", world.stage)),
    "say less, with wildcards where that is right": given("p", policy=SHORT),
    "spread it over roles or managed policies": given("p", policy=SHORT),
    "name one of those": lambda world: [
        replaced(world, "b", **{key: "arn:aws:iam::aws:policy/ReadOnlyAccess"})
        for key in ("permissionsBoundary", "policyArn")
    ],
    "write it inline instead": both(
        without("b"), lambda world: world.add("RolePolicy", "b", world.stage, role="deployer", name="b", policy=SHORT)
    ),
    "make both from one structure with twokeys.doors.render, and update again": given("own", assumeRolePolicy=SERVICE),
    (
        f"add the condition {json.dumps(MFA)} to its trust policy, in a statement of its own for people: the session "
        "of a role has no MFA"
    ): given("deployer", assumeRolePolicy=document(trusts(CI), trusts(arn(HUB, "user/alice"), condition=MFA))),
    "take the trust and the grant of the last door away": without_the_last_door,
    "give the account (or the default tags of its provider) the tag environment": tagged,
    "name its environment in `accounts` of environments-isolated in the policy pack's configuration": {
        "environments-isolated": {"accounts": {PROD: "sandbox"}}
    },
    "set allowed_account_ids to the one account that it works in": pinned,
    "correct the role's ARN or allowed_account_ids, so that both name one account": given(
        "more", allowedAccountIds=f'["{PROD}"]'
    ),
    "set allowed_account_ids to one account": given("more", allowedAccountIds=f'["{HUB}"]'),
    "set assume_roles to a role of that account": given("more", **enters("x")),
    "a profile or keys of the provider's own": given("more", profile="more"),
    "set assume_roles and allowed_account_ids from the account's own resource": from_the_account,
    "from values known in preview": given("more", allowedAccountIds=f'["{PROD}"]', **enters("x")),
    "give each of assume_roles as aws.ProviderAssumeRoleArgs(role_arn=...)": given("more", **enters("x")),
    'as a mapping with "roleArn" (https://github.com/pulumi/pulumi-aws/issues/5271)': given("more", **enters("x")),
    "set aws:allowedAccountIds to the account's id in the stack's config": given(
        "default_7_51_1", allowedAccountIds=f'["{HUB}"]'
    ),
    "pass a provider made for the account, and set pulumi:disable-default-providers to [aws]": (
        by_a_provider_for_the_account
    ),
    "give people and machines a role in that account, and a grant where they already are": without("alice", "key"),
    "set the option protect=True on the account": protected,
    "leave close_on_deletion out, and close accounts by hand": given("m", closeOnDeletion=None),
    "leave close_on_deletion out": given("m", closeOnDeletion=None),
    "write it as a value that preview knows": given("m", closeOnDeletion=False),
    "give each account an address of its own": given("two", email="b@example.com"),
    "leave it out": without("may"),
    "write ec2:RunInstances, if that is meant": only_instances,
    "except the role by which this program enters the account from that Deny (SCP s at account 333333333333)": (
        spares_the_program
    ),
    "remove the door deploy in Pulumi.stage.yaml (or in the program that declares it)": without("door"),
    "let platform set a later day there": given("door", door=door(expires="2026-12-24")),
    "remove the statement and the grants of those whom it lets in": both(
        given("deployer", assumeRolePolicy=SERVICE), without("ci-grant")
    ),
    "remove the statement": without("over"),
    "set a later date": a_month_later,
    "name what needs the role, as in repo:acme/app:ref:refs/heads/main": one_branch,
    "write arn:aws:iam::aws:policy/ReadOnlyAccess, if that is meant": given(
        "b", policyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
    ),
    "name a principal of partition aws": given("b", assumeRolePolicy=document(trusts(DEPLOYER))),
    f"write {DEPLOYER}, if that is meant": given("b", assumeRolePolicy=document(trusts(DEPLOYER))),
    "make exactly one such resource below that component": below_the_component,
    "take the declaration out": without("door"),
    "leave one declaration: the structure that the document is made from": one_declaration,
    f"let role ci assume {DEPLOYER} there too (permissions boundary does not allow it)": given(
        "limit", policy=document(grants("*", action="s3:*"), grants(DEPLOYER))
    ),
    "narrow the Deny of inline policy enter of role ci": given(
        "enter", policy=document(grants(DEPLOYER), grants(INNER, effect="Deny"))
    ),
    PIN: pinned,
    f"give user bob a policy that allows sts:AssumeRole on {DEPLOYER}": granted_to("bob"),
    "take user bob out of the trust policy": given("deployer", assumeRolePolicy=SERVICE),
    f"add {MEMBERS} to the Principal of that role's trust policy": trusting_alone(arn(HUB, "user/alice")),
    f"add {arn(HUB, 'user/alice')} to the Principal of that role's trust policy": trusting_alone(
        arn(HUB, "user/alice"), arn(HUB, "user/bob")
    ),
    READ_TOO % "the stack that holds the trust": shown_by_prod("Role", "deployer", "assumeRolePolicy", trusts(CI)),
    READ_TOO % "the stack that holds the grant": shown_by_prod("RolePolicy", "ci", "policy", grants(DEPLOYER)),
    "narrow the Deny of trust policy (NotNow)": given(
        "deployer", assumeRolePolicy=document(trusts(CI), trusts(arn(HUB, "role/cd"), effect="Deny"))
    ),
    "correct that condition": without_conditions,
    f"make role deployer with a provider of account {STAGE}, if that is meant": by_the_provider_of("deployer"),
    f"add the role with a trust policy that names {CI}": the_role_that_is_granted,
    "correct the ARN": both(
        lambda world: world.role("right", world.stage, document(trusts(CI))),
        given("ci-grant", policy=document(grants(arn(STAGE, "role/right")))),
    ),
    f"remove the grant{IF_ELSEWHERE}": without("ci-grant"),
    f"take role ci out of the trust policy{IF_ELSEWHERE}": given("deployer", assumeRolePolicy=SERVICE),
    f"write {arn(STAGE, 'role/other')}, if that is meant": given(
        "ci-grant", policy=document(grants(arn(STAGE, "role/other")))
    ),
    f"give those who shall enter a policy that allows sts:AssumeRole on {DEPLOYER}{IF_ELSEWHERE}": ci_is_here,
    "let people enter that account itself by a permission set (`via: identity-center`)": without("deployer"),
    "give role ci a name that is known in preview": given("ci", name="cd"),
    "give role ci a path that is known in preview": given("ci", path="/"),
    "give that role a name and a path that are known in preview": given("target", name="other", path="/"),
    "let the grant and the trust policy ask for the same": without_conditions,
    "remove one of them": both(without("enter"), given("deployer", assumeRolePolicy=SERVICE)),
    "take that policy into this program, so that the pack is shown what it says": lambda world: [
        world.add("Policy", name, world.hub, name=name, policy=document(grants("*", action="*")))
        for name in ("elsewhere", "some", "more")
    ],
    "write the grant into this program as a policy of that role": lambda world: world.grant("ci", world.hub, DEPLOYER),
    IMPORT.removesuffix(f", or {EXCEPT}"): ci_is_here,
    "declare it with twokeys.doors.DeclaredDoor, from values known in preview": given(
        "door", door=door(expires="2026-12-24")
    ),
}
"""Each next step as it is printed, and the edit of the stack, or the configuration of the pack, that it asks for."""


def changed(name: str) -> World:
    world, (change, _) = (two_keys(), CHANGES[name]) if name in CHANGES else (World(), SAID[name])
    change(world)
    return world


@pytest.mark.parametrize("name", [*CHANGES, *KEYS])
def test_whoever_takes_a_next_step_is_rid_of_the_finding(name: str) -> None:
    """One that gives a configuration lets its own door stand; any other leaves nothing of a change that is refused."""
    for found in changed(name).findings():
        if name in KEYS and found.rule not in OF_KEYS:
            continue
        for step in (one.removeprefix("or ") for one in found.steps):
            if step.startswith(NO_EDIT):
                continue
            world, printed = changed(name), re.search(r": (\{.*\})$", step)
            taken = json.loads(printed[1].replace("YYYY-MM-DD", "2026-12-31")) if printed else STEPS.get(step)
            assert taken, f"add to STEPS what whoever reads {step!r} does"
            if callable(taken):
                taken(world)
                assert name in KEYS or (step, world.refused) == (step, [])
            left = world.findings({} if callable(taken) else taken)
            assert found.subject not in [one.subject for one in left if found.advice or not one.advice], step
