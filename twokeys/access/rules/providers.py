"""Every resource is made by a provider that can only work in the account it is meant for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from twokeys.access.findings import Config, Finding, Rule
from twokeys.access.graph import Graph, Judge
from twokeys.access.keys import denial, past
from twokeys.access.model.principals import HOLDERS, Principal
from twokeys.access.model.providers import ProviderEntry
from twokeys.access.reading.snapshot import project_of
from twokeys.iam import UNKNOWN, is_account_id

_NAME = "provider-enters-its-account"
_ENTER = "set assume_roles to a role of that account, or a profile or keys of the provider's own"
_WITHOUT_ROLE = (
    "assumes a role without roleArn, which AWS's provider refuses",
    'give each of assume_roles as aws.ProviderAssumeRoleArgs(role_arn=...), or as a mapping with "roleArn"'
    " (https://github.com/pulumi/pulumi-aws/issues/5271)",
)
_PROVIDER = "https://www.pulumi.com/registry/packages/aws/api-docs/provider/"


def _entries(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    direct, wrong = {}, []
    judge, by_aws = Judge(graph.guards, graph.accounts), defaultdict[str, list[Principal]](list)
    for role in graph.access_roles:
        by_aws[role.account].append(role)
    strict = _decides_about_accounts(graph)
    for entry in graph.accounts.entries:
        if entry.is_default:
            continue
        if problem := _contradiction(entry):
            yield _finding(entry, *problem)
        elif problem := _denied(graph, judge, entry, by_aws):
            yield replace(_finding(entry, *problem), denied=True)
        elif problem := _problem(graph, entry):
            wrong.append(_finding(entry, *problem, advice=not strict))
        elif entry.by_the_environment:
            direct[entry] = graph.accounts.of_provider(entry.urn)
    if strict:
        yield from wrong
    elif _may_go_wrong(graph) and not any(entry.is_default for entry in graph.accounts.entries):
        yield from wrong[:1]
    if strict:
        for entry, account in direct.items():
            project = project_of(entry.urn)
            others = (one for one in direct if project_of(one.urn) == project and direct[one] != account)
            if (other := next(others, None)) and account != graph.accounts.management:
                name = graph.accounts.name(account)
                message = f"works in account {name} with the environment's credentials, provider {other.name} elsewhere"
                yield _finding(entry, message, _ENTER)


def _finding(entry: ProviderEntry, message: str, step: str, *, advice: bool = False) -> Finding:
    return Finding(f"Provider {entry.name} {message}", step, entry.urn, advice=advice)


def _decides_about_accounts(graph: Graph) -> bool:
    """Whether a wrong account would change who enters: the stack makes accounts or works in several, and has doors."""
    several = _works_in_several(graph) or bool(graph.accounts.by_symbol)
    outsiders = any(door.source.kind == "outsider" for door in graph.doors)
    of_people = [door for door in graph.doors if door.source.kind != "service"]
    in_no_known_account = any(not graph.accounts.pinned(door.target.account) for door in of_people)
    return several and (_is_about_accounts(graph) or outsiders or in_no_known_account)


def _may_go_wrong(graph: Graph) -> bool:
    return _is_about_accounts(graph) or _works_in_several(graph) or bool(graph.accounts.by_symbol)


def _works_in_several(graph: Graph) -> bool:
    """Whether a stack works in two accounts, as far as its providers tell.

    A role that a provider assumes pins it to the role's account.
    """
    accounts = graph.accounts
    held = {accounts.of_provider(entry.urn) for entry in accounts.entries}
    pinned = [one for one in held if accounts.pinned(one)]
    enters = any(entry.assumes != () for entry in accounts.entries)
    return len(pinned) > 1 or (enters and (len(held) > 1 or not pinned))


def _is_about_accounts(graph: Graph) -> bool:
    """Whether a trust or a grant hangs on which account it is in; an outsider comes in from another one anyway.

    So does a trust that is not known before a role or user of another account is made, which it names.
    """
    doors = any(door.crosses and door.source.kind in HOLDERS for door in graph.doors)
    trusts = any(trust.account != trust.role.account for trust in graph.open_trusts)
    return doors or trusts or bool(graph.lone_grants) or any(_names_one_elsewhere(graph, role) for role in graph.roles)


def _names_one_elsewhere(graph: Graph, role: Principal) -> bool:
    waits = role.trust is not None and role.trust.policy is UNKNOWN
    sources = graph.trust_made_from(role) if waits else ()
    return any(one and graph.accounts.differ(one.account, role.account) for one in sources)


def _contradiction(entry: ProviderEntry) -> tuple[str, str] | None:
    if entry.without_role:
        return _WITHOUT_ROLE
    account = entry.assumed_account
    if account is None or not entry.allowed or len(entry.allowed) > 1 or account in entry.allowed:
        return None
    return (
        f"assumes a role in account {account}, but is pinned to {entry.allowed[0]}",
        "correct the role's ARN or allowed_account_ids, so that both name one account",
    )


def _denied(
    graph: Graph, judge: Judge, entry: ProviderEntry, by_aws: Mapping[str, Iterable[Principal]]
) -> tuple[str, str] | None:
    """Of a provider that enters by a role that AWS made in an account: what keeps the management account from it.

    Whatever it assumes in an account to come, it is that role.
    """
    account = graph.accounts.of_provider(entry.urn)
    to_come = entry.assumes is None and not is_account_id(account)
    for role in by_aws.get(account, ()):
        door = judge.from_management(role) if to_come or role.arn in (entry.assumes or ())[-1:] else None
        if door and (why := denial(door, "trust")):
            return f"assumes role {graph.accounts.located(role)}, but {why}", past(why, "let the management account in")
    return None


def _problem(graph: Graph, entry: ProviderEntry) -> tuple[str, str] | None:
    if entry.allowed == ():
        return "is not pinned to its account", "set allowed_account_ids to the one account that it works in"
    if entry.allowed is not None and len(entry.allowed) > 1:
        return f"may work in any of {', '.join(entry.allowed)}", "set allowed_account_ids to one account"
    works_in = graph.accounts.of_provider(entry.urn)
    if not graph.accounts.pinned(works_in):
        return (
            "works in an account that cannot be told: its role and its id are not known yet, and hang on no account",
            "set assume_roles and allowed_account_ids from the account's own resource, or from values known in preview",
        )
    if entry.by_the_environment and works_in in graph.accounts.members:
        name = graph.accounts.name(works_in)
        return f"works in member account {name} with the credentials of the management account", _ENTER
    return None


def _defaults(graph: Graph, _config: Config, _now: datetime) -> Iterator[Finding]:
    strict = _decides_about_accounts(graph)
    used = {resource.provider for resource in graph.snapshot.resources if resource.provider}
    for entry in graph.accounts.entries:
        pinned, of_one = len(entry.allowed or ()) == 1, _is_of_one_account(graph, entry)
        if entry.is_default and not (pinned and of_one):
            resources = [found.name for found in graph.snapshot.resources if found.provider == entry.urn]
            what = f"{', '.join(resources[:3])}{' and more' if len(resources) > 3 else ''}"
            whose = f"makes {what}" if entry.urn in used else "answers a look-up"
            where = f"account {graph.accounts.name(graph.accounts.of_provider(entry.urn))}"
            if not pinned:
                where = "whatever account the environment's credentials belong to"
            message = f"The default aws provider {whose} in {where}"
            step = "pass a provider made for the account, and set pulumi:disable-default-providers to [aws]"
            step = step if pinned else f"set aws:allowedAccountIds to the account's id in the stack's config, or {step}"
            if strict or _may_go_wrong(graph):
                yield Finding(message, step, entry.urn, advice=pinned or not strict or entry.urn not in used)
            if not strict:
                return


def _is_of_one_account(graph: Graph, entry: ProviderEntry) -> bool:
    """Whether its own stack works in no other account: of several stacks together, each is a program of its own."""
    stack = [one.urn for one in graph.accounts.entries if project_of(one.urn) == project_of(entry.urn)]
    return not graph.accounts.by_symbol and len(set(map(graph.accounts.of_provider, stack))) == 1


PROVIDER_ENTERS_ITS_ACCOUNT = Rule(
    name=_NAME,
    description="A provider is pinned to its account, and enters it by a role, a profile or keys.",
    severity="high",
    remediation="Set allowed_account_ids of the provider, and assume_roles, a profile or keys.",
    url=_PROVIDER,
    check=_entries,
    waits_for_values=True,
    may_follow="removal",
)
"""Each aws provider is pinned to one account, and those of one account at most use the environment's credentials.

The others assume a role, or have a profile or keys, as IAM Identity Center gives them; with those of another account
than the one that it is pinned to, AWS's provider fails by itself. A stack gets one piece of advice where it makes
accounts, works in several or has a trust or a grant that is about accounts, and is refused where one of the first two
is so and the third. A stack is also refused where a control policy denies the management account the role by which a
provider enters, as AWS made it, and where a provider assumes something without roleArn. Unknown: a role or an id that
is not known yet has to hang on one account of the stack; that both mean one account, and that a role is named at all,
is checked when they are known: of what a provider assumes, the engine shows nothing while one ARN in it is unknown.
Does not check: whether another role can be assumed, and which credentials run the program.
"""

NO_DEFAULT_PROVIDER = Rule(
    name="no-default-provider",
    description="No resource is made by the default aws provider.",
    severity="high",
    remediation="Pass an explicit provider, and disable the default one for the project.",
    url="https://www.pulumi.com/docs/iac/concepts/providers/#disabling-default-providers",
    check=_defaults,
    may_follow="removal",
)
"""The default provider works in whatever account the environment's credentials belong to.

In a stack of one account `aws:allowedAccountIds` pins it as well as an explicit one, in one of several it is advice
then. A stack gets one piece of advice, or is refused, as for `provider-enters-its-account`. Unknown: the name of a
provider is always known.
"""
