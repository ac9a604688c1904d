"""Random requests, most of them an allowed one with a near miss or two: of wholly random ones few are ever allowed."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

Document = dict[str, Any]

DEV, PROD, OTHER = "111111111111", "222222222222", "333333333333"
ACTIONS = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
ONLY_ASSUME_ROLE = ("sts:ExternalId", "sts:RoleSessionName")
"""https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html"""
MULTIVALUED = ("aws:TagKeys", "aws:PrincipalOrgPaths")
STRINGS = {
    "aws:PrincipalTag/team": ("blue", "red", "Blue", "blu", "bl*e"),
    "sts:ExternalId": ("Unique-ID-123", "Unique-ID-124", "unique-id-123"),
    "sts:RoleSessionName": ("alice", "bob", "deploy-1", "build"),
    "aws:PrincipalOrgID": ("o-a1b2c3d4e5", "o-a1b2c3d4e6"),
}
NUMBERS = {"aws:MultiFactorAuthAge": ("299", "300", "301", "1000", "29.5")}
DATES = {
    "aws:CurrentTime": ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z"),
    "aws:TokenIssueTime": ("2026-01-01T00:00:00Z", "2024-02-29T12:00:00Z"),
}
BOOLEANS = {"aws:MultiFactorAuthPresent": ("true", "false"), "aws:SecureTransport": ("true", "false")}
ADDRESSES = {"aws:SourceIp": ("203.0.113.7", "203.0.113.8", "198.51.100.1", "2001:db8:1234:5678::1")}
SETS = {
    "aws:TagKeys": ("cost", "owner", "Owner", "env"),
    "aws:PrincipalOrgPaths": ("o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/", "o-a1b2c3d4e5/r-ab12/ou-ab12-22222222/"),
}
OF_CALLERS = {"aws:username": ("alice", "Alice", "bob"), "aws:PrincipalAccount": (DEV, OTHER)}
ARNS = {
    "aws:PrincipalArn": (
        f"arn:aws:iam::{DEV}:role/ci",
        f"arn:aws:iam::{OTHER}:role/ci",
        f"arn:aws:iam::{DEV}:user/alice",
    )
}
STRING_OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
)
NUMERIC_OPERATORS = tuple(
    f"Numeric{how}" for how in ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
)
DATE_OPERATORS = tuple(operator.replace("Numeric", "Date") for operator in NUMERIC_OPERATORS)
ARN_OPERATORS = ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike")


@dataclass
class Generated:
    """A request and every policy that bears on it, as plain data that each evaluator reads in its own way."""

    caller: str
    role: str | None
    target: str
    action: str = "sts:AssumeRole"
    context: dict[str, list[str]] = field(default_factory=dict)
    trust: Document = field(default_factory=dict)
    identity: list[Document] = field(default_factory=list)
    boundary: Document | None = None
    session: Document | None = None
    scps: list[list[Document]] = field(default_factory=list)
    rcps: list[list[Document]] = field(default_factory=list)

    @property
    def account(self) -> str:
        """The caller's account."""
        return self.caller.split(":")[4]

    @property
    def target_account(self) -> str:
        """The account of the role that the caller wants to enter."""
        return self.target.split(":")[4]

    @property
    def user_name(self) -> str | None:
        """The caller's user name, if it is a user."""
        return self.caller.rpartition("/")[2] if ":user/" in self.caller else None

    def implied(self) -> dict[str, list[str]]:
        """What AWS puts into every request because of who makes it.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
        """
        keys = {
            "aws:PrincipalArn": [self.role or self.caller],
            "aws:PrincipalAccount": [self.account],
            "aws:PrincipalType": ["User" if self.user_name else "AssumedRole"],
            "aws:PrincipalIsAWSService": ["false"],
            "aws:ResourceAccount": [self.target_account],
        }
        return {**keys, "aws:username": [self.user_name]} if self.user_name else keys

    def documents(self) -> Iterator[Document]:
        """Every document."""
        yield self.trust
        yield from self.identity
        yield from (one for one in (self.boundary, self.session) if one is not None)
        for level in (*self.scps, *self.rcps):
            yield from level


def requests(seed: int, count: int) -> Iterator[Generated]:
    """`count` requests; the same seed gives the same ones."""
    rng = Random(seed)
    for _ in range(count):
        request = allowed(rng)
        for _ in range(rng.choices((0, 1, 2, 4), (30, 40, 20, 10))[0]):
            rng.choice(NEAR_MISSES)(rng, request)
        if request.action != "sts:AssumeRole":
            request.context = {key: v for key, v in request.context.items() if key not in ONLY_ASSUME_ROLE}
        yield request


def allowed(rng: Random) -> Generated:
    """A request that is meant to be allowed (a condition may still fail)."""
    same = rng.random() < 0.3
    path = rng.choice(("", "", "", "team/", "team/eu/"))
    if rng.random() < 0.65:
        caller, role = f"arn:aws:sts::{DEV}:assumed-role/ci/build", f"arn:aws:iam::{DEV}:role/{path}ci"
    else:
        caller, role = f"arn:aws:iam::{DEV}:user/{path}alice", None
    target_path = rng.choice(("", "", "ops/"))
    target = f"arn:aws:iam::{DEV if same else PROD}:role/{target_path}{rng.choice(('deployer', 'alice', 'build'))}"
    request = Generated(caller, role, target, rng.choices(ACTIONS, (90, 5, 5))[0])
    request.context = context(rng)
    request.trust = policy(rng, [_trusting(rng, request)])
    if not same or rng.random() < 0.7:
        request.identity = [policy(rng, [_granting(rng, request)])]
    if rng.random() < 0.3:
        request.identity.append(policy(rng, [_noise(rng)]))
    if rng.random() < 0.3:
        request.trust["Statement"].append(_trusting(rng, request))
    if rng.random() < 0.2:
        request.boundary = policy(rng, [_granting(rng, request)])
    if role and rng.random() < 0.2:
        request.session = policy(rng, [_granting(rng, request)])
    if rng.random() < 0.3:
        request.scps = [[policy(rng, [_granting(rng, request)])] for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.15:
        request.rcps = [[_rcp(rng, request)] for _ in range(rng.randint(1, 2))]
    for document in request.documents():
        rng.shuffle(document["Statement"])
    return request


def policy(rng: Random, statements: list[Document]) -> Document:
    """A document, mostly of the current version."""
    return {"Version": rng.choices(("2012-10-17", "2008-10-17"), (95, 5))[0], "Statement": statements}


def context(rng: Random) -> dict[str, list[str]]:
    """Values for some condition keys; the others are absent."""
    chosen: dict[str, list[str]] = {}
    for pool in (STRINGS, NUMBERS, DATES, BOOLEANS, ADDRESSES):
        for key, values in pool.items():
            if rng.random() < 0.5:
                chosen[key] = [rng.choice(values)]
    for key, values in SETS.items():
        if rng.random() < 0.5:
            chosen[key] = rng.sample(values, rng.randint(1, 2))
    return chosen


def condition(rng: Random, request: Generated) -> Document:
    """A Condition element of one or two lines, leaning towards one that holds."""
    block: Document = {}
    for _ in range(rng.choice((1, 1, 2))):
        operator, key, values = _line(rng, request)
        if key.lower() not in map(str.lower, block.setdefault(operator, {})):
            block[operator][key] = values if len(values) > 1 or rng.random() < 0.3 else values[0]
    return block


def _line(rng: Random, request: Generated) -> tuple[str, str, list[str]]:
    known = {**request.implied(), **request.context}
    kind = rng.choice(("string", "string", "number", "date", "bool", "address", "arn", "set", "set", "null"))
    if kind == "null":
        key = rng.choice((*STRINGS, *NUMBERS, *DATES, *BOOLEANS, *SETS))
        absent = "false" if key in known else "true"
        return "Null", key, [absent if rng.random() < 0.8 else rng.choice(("true", "false"))]
    pools: dict[str, tuple[dict[str, tuple[str, ...]], tuple[str, ...]]] = {
        "string": ({**STRINGS, **OF_CALLERS}, STRING_OPERATORS),
        "number": (NUMBERS, NUMERIC_OPERATORS),
        "date": (DATES, DATE_OPERATORS),
        "bool": (BOOLEANS, ("Bool",)),
        "address": (ADDRESSES, ("IpAddress", "NotIpAddress")),
        "arn": (ARNS, ARN_OPERATORS),
        "set": (SETS, STRING_OPERATORS),
    }  # fmt: skip
    pool, operators = pools[kind]
    key = rng.choice(tuple(pool))
    operator = rng.choice(operators)
    values = [_value(rng, operator, key, pool[key], known) for _ in range(rng.choice((1, 1, 2)))]
    if kind == "set" or rng.random() < 0.05:
        operator = f"{rng.choice(('ForAllValues', 'ForAnyValue'))}:{operator}"
    if rng.random() < 0.2:
        operator += "IfExists"
    if rng.random() < 0.1:
        key = key.swapcase() if "/" not in key else key
    return operator, key, values


def _value(rng: Random, operator: str, key: str, pool: tuple[str, ...], known: dict[str, list[str]]) -> str:
    value = rng.choice(known[key]) if key in known and rng.random() < 0.7 else rng.choice(pool)
    if operator.startswith(("IpAddress", "NotIpAddress")) and rng.random() < 0.7:
        return rng.choice(
            ("203.0.113.0/24", "203.0.113.7/32", "198.51.100.0/24", "2001:DB8:1234:5678::/64", "0.0.0.0/0")
        )
    if "Like" in operator or operator.startswith("Arn"):
        return _wildcarded(rng, value) if rng.random() < 0.6 else value
    if operator.startswith("String") and rng.random() < 0.1:
        return "${aws:username}" if rng.random() < 0.7 else "${aws:PrincipalTag/team, 'blue'}"
    return value


def _wildcarded(rng: Random, text: str) -> str:
    """The text with a part of its last segment turned into a wildcard."""
    start = text.rfind("/") + 1 if "/" in text.rstrip("/") else text.rfind(":") + 1
    if start >= len(text):
        return text + "*"
    place = rng.randrange(start, len(text))
    return rng.choice(
        (text[:place] + "*", text[:place] + "?" + text[place + 1 :], text[:place] + "*" + text[place + 1 :])
    )


def _trusting(rng: Random, request: Generated) -> Document:
    account = request.account
    forms: list[Any] = [
        {"AWS": request.role or request.caller},
        {"AWS": request.role or request.caller},
        {"AWS": request.caller},
        {"AWS": f"arn:aws:iam::{account}:root"},
        {"AWS": account},
        {"AWS": [f"arn:aws:iam::{OTHER}:role/ci", request.role or request.caller]},
        {"AWS": [OTHER, account], "Service": "ec2.amazonaws.com"},
        rng.choice(("*", {"AWS": "*"})),
    ]
    statement: Document = {"Effect": "Allow", "Principal": rng.choice(forms), **_action(rng, request)}
    if rng.random() < 0.35:
        statement["Condition"] = condition(rng, request)
    return statement


def _granting(rng: Random, request: Generated) -> Document:
    name = request.target.rpartition("/")[2]
    statement: Document = {"Effect": "Allow", **_action(rng, request)}
    forms: list[Any] = [
        request.target,
        request.target,
        "*",
        f"arn:aws:iam::{request.target_account}:role/*",
        f"arn:aws:iam::*:role/{request.target.partition('role/')[2]}",
        f"{request.target[:-2]}*",
        f"{request.target[:-1]}?",
        [f"arn:aws:iam::{OTHER}:role/{name}", request.target],
    ]
    if name == "alice":
        forms += [request.target.replace("alice", "${aws:username}")]
    if name == "build":
        forms += [request.target.replace("build", "${sts:RoleSessionName, 'build'}")]
    if rng.random() < 0.1:
        statement["NotResource"] = rng.choice(
            (f"arn:aws:iam::{OTHER}:role/*", [f"{request.target}x", f"arn:aws:iam::{OTHER}:role/x"])
        )
    else:
        statement["Resource"] = rng.choice(forms)
    if rng.random() < 0.25:
        statement["Condition"] = condition(rng, request)
    return statement


def _action(rng: Random, request: Generated) -> Document:
    if rng.random() < 0.1:
        return {"NotAction": rng.choice(("iam:*", ["s3:Get*", "sts:GetFederationToken"], "sts:AssumeRoleWith*"))}
    forms: list[Any] = [
        request.action, request.action, "sts:*", "*", request.action.lower(), request.action[:-2] + "*",
        request.action[:-1] + "?", ["s3:GetObject", request.action], "sts:?*",
    ]  # fmt: skip
    return {"Action": rng.choice(forms)}


def _noise(rng: Random) -> Document:
    return {
        "Effect": rng.choice(("Allow", "Deny")),
        "Action": rng.choice(("s3:*", "sts:GetFederationToken", ["iam:Get*", "iam:List*"])),
        "Resource": rng.choice(("*", "arn:aws:s3:::logs/*", f"arn:aws:iam::{PROD}:role/admin")),
    }


def _rcp(rng: Random, request: Generated) -> Document:
    statement: Document = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": rng.choice((request.action, "sts:*", "s3:*")),
        "Resource": "*",
        "Condition": condition(rng, request),
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _statements(request: Generated) -> list[Document]:
    return [statement for document in request.documents() for statement in document["Statement"]]


def _some_statement(rng: Random, request: Generated) -> Document:
    """A statement of any policy but an RCP, whose form AWS narrows."""
    rcps = {id(one) for level in request.rcps for document in level for one in document["Statement"]}
    return rng.choice([one for one in _statements(request) if id(one) not in rcps] or request.trust["Statement"])


def _misspelt(rng: Random, text: str) -> str:
    """One character off: the case of a letter, a digit of an account, a character more or less."""
    place = rng.randrange(len(text))
    character = text[place]
    if character.isdigit():
        return text[:place] + str((int(character) + 1) % 10) + text[place + 1 :]
    if character.isalpha():
        return text[:place] + rng.choice((character.swapcase(), "x" if character != "x" else "y")) + text[place + 1 :]
    return text


def _misspelt_name(rng: Random, arn: str) -> str:
    """An ARN or account id one character off in its account or name, or in another partition."""
    if not arn.startswith("arn:aws:"):
        return _misspelt(rng, arn) if arn.isdigit() else arn
    head, kind, name = arn.rpartition(":")[0], *arn.rpartition(":")[2].partition("/")[::2]
    choices: list[Callable[[], str]] = [lambda: arn.replace("arn:aws:", "arn:aws-cn:", 1)]
    if head[-12:].isdigit():
        choices.append(lambda: f"{head[:-12]}{_misspelt(rng, head[-12:])}:{kind}" + (f"/{name}" if name else ""))
    if name:
        choices.append(lambda: f"{head}:{kind}/{_misspelt(rng, name)}")
        choices.append(lambda: f"{head}:{kind}/{name}x")
        choices.append(lambda: f"{head}:{kind}/team/{name}")
        choices.append(lambda: f"{head}:{kind}/{name.rpartition('/')[2]}")
    return rng.choice(choices)()


def _misspelt_action(rng: Random, action: str) -> str:
    service, colon, name = action.partition(":")
    return f"{service}:{_misspelt(rng, name)}" if colon else action


def _change_one(rng: Random, value: Any, change: Callable[[Random, str], str]) -> Any:
    """A string changed, or one string of a list."""
    if isinstance(value, str):
        return change(rng, value)
    place = rng.randrange(len(value))
    return [change(rng, one) if at == place else one for at, one in enumerate(value)]


def misspell_principal(rng: Random, request: Generated) -> None:
    """Someone else is trusted, nearly of the same name."""
    statement = rng.choice(request.trust["Statement"])
    principal = statement["Principal"]
    if isinstance(principal, dict) and principal["AWS"] != "*":
        named = _change_one(rng, principal["AWS"], _misspelt_name)
        values = [named] if isinstance(named, str) else named
        if not any("/*" in value or "?" in value for value in values):
            statement["Principal"] = {**principal, "AWS": named}


def misspell_resource(rng: Random, request: Generated) -> None:
    """The grant is for another role, nearly of the same name."""
    statement = _some_statement(rng, request)
    for element in ("Resource", "NotResource"):
        if element in statement and "$" not in str(statement[element]):
            statement[element] = _change_one(rng, statement[element], _misspelt_name)


def misspell_action(rng: Random, request: Generated) -> None:
    """The statement is for another action."""
    statement = _some_statement(rng, request)
    for element in ("Action", "NotAction"):
        if element in statement:
            statement[element] = _change_one(rng, statement[element], _misspelt_action)


def misspell_caller(rng: Random, request: Generated) -> None:
    """Someone else asks."""
    if request.role is None:
        request.caller = rng.choice(
            (f"arn:aws:iam::{DEV}:user/alicf", f"arn:aws:iam::{OTHER}:user/alice", f"arn:aws:iam::{DEV}:user/x/alice")
        )
    else:
        request.caller, request.role = rng.choice(
            (
                (request.caller.replace("/build", "/built"), request.role),
                (f"arn:aws:sts::{DEV}:assumed-role/cj/build", f"arn:aws:iam::{DEV}:role/cj"),
                (f"arn:aws:sts::{OTHER}:assumed-role/ci/build", f"arn:aws:iam::{OTHER}:role/ci"),
            )
        )


def change_action(rng: Random, request: Generated) -> None:
    """Another action is asked for."""
    request.action = rng.choice(ACTIONS)


def forget_key(rng: Random, request: Generated) -> None:
    """A condition key is absent."""
    if request.context:
        del request.context[rng.choice(sorted(request.context))]


def change_key(rng: Random, request: Generated) -> None:
    """A condition key has another value."""
    pools = {**STRINGS, **NUMBERS, **DATES, **BOOLEANS, **ADDRESSES, **SETS}
    key = rng.choice(sorted(pools))
    request.context[key] = rng.sample(pools[key], 2) if key in MULTIVALUED else [rng.choice(pools[key])]


def add_condition(rng: Random, request: Generated) -> None:
    """A statement holds only under a condition."""
    _some_statement(rng, request)["Condition"] = condition(rng, request)


def drop_condition(rng: Random, request: Generated) -> None:
    """A statement holds without its condition."""
    _some_statement(rng, request).pop("Condition", None)


def deny_it(rng: Random, request: Generated) -> None:
    """One allow is turned into a deny."""
    _some_statement(rng, request)["Effect"] = "Deny"


def add_deny(rng: Random, request: Generated) -> None:
    """A copy of a statement denies, under a condition or for nearly the same."""
    document = rng.choice([request.trust, *request.identity, *(level[0] for level in request.scps)])
    statement = copy.deepcopy(rng.choice(document["Statement"]))
    statement["Effect"] = "Deny"
    document["Statement"].append(statement)
    if rng.random() < 0.6:
        statement["Condition"] = condition(rng, request)
    elif "Resource" in statement and "$" not in str(statement["Resource"]):
        statement["Resource"] = _change_one(rng, statement["Resource"], _misspelt_name)


def drop_grant(rng: Random, request: Generated) -> None:
    """One key is missing."""
    if request.identity:
        request.identity.pop(rng.randrange(len(request.identity)))


def narrow_limit(rng: Random, request: Generated) -> None:
    """A boundary, session policy or SCP allows something else."""
    other: Document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    which = rng.choice(("boundary", "session", "scp"))
    if which == "boundary":
        request.boundary = other
    elif which == "session" and request.role:
        request.session = other
    else:
        request.scps = [*request.scps, [other]]


def old_version(rng: Random, request: Generated) -> None:
    """A document of the older version, or of none, in which variables are text."""
    document = rng.choice([request.trust, *request.identity])
    if rng.random() < 0.5:
        document["Version"] = "2008-10-17"
    else:
        document.pop("Version", None)


def invert(rng: Random, request: Generated) -> None:
    """Resource becomes NotResource, or Action NotAction."""
    statement = _some_statement(rng, request)
    pairs = [pair for pair in (("Resource", "NotResource"), ("Action", "NotAction")) if pair[0] in statement]
    if pairs:
        element, inverse = rng.choice(pairs)
        statement[inverse] = statement.pop(element)


NEAR_MISSES: tuple[Callable[[Random, Generated], None], ...] = (
    misspell_principal, misspell_principal, misspell_resource, misspell_resource, misspell_action, misspell_caller,
    change_action, forget_key, change_key, add_condition, drop_condition, deny_it, add_deny, add_deny, drop_grant,
    narrow_limit, old_version, invert,
)  # fmt: skip
