"""Organizations to draw, of any size, as people build them: a few hubs whose roles enter many accounts."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from twokeys.access.judge import Key
from twokeys.answers.model import Account, Answers, DoorAnswer, KeyPlace, Party, Step, Way
from twokeys.answers.permissions import Level, Permissions
from twokeys.doors import DeclaredDoor, DoorSource, DoorTarget, Who
from twokeys.map.model import Map

NOW = datetime(2026, 11, 27, 12, 28, tzinfo=UTC)
MANAGEMENT, STAGE, PROD = "111111111111", "222222222222", "333333333333"
NAMES = {MANAGEMENT: "management", STAGE: "stage", PROD: "prod"}
TEAMS = ("retail", "payments", "logistics", "search", "identity", "data", "mobile", "media", "support", "research")


def party(who: Who) -> Party:
    return Party(who, account_name=NAMES.get(who.account, who.account))


def declared(source: Who, account: str, role: str, **said: Any) -> DeclaredDoor:
    whom: Any = {"kind": source.kind, "account": source.account, "names": (source.name,)}
    said = {"name": f"{source.name}-{role}", **said}
    return DeclaredDoor(source=DoorSource(**whom), target=DoorTarget(account=account, role=role), **said)


def step(source: Who, account: str, role: str, *conditions: str, **more: Any) -> Step:
    trust, grant = KeyPlace(f"trust policy of role {role}"), KeyPlace(f"a policy of {source.label}")
    target = party(Who("role", account, role))
    return Step(party(source), target, conditions, trust, (grant,), **more)


def through(*steps: Step, level: Level = Level.READ, **more: Any) -> Way:
    conditions = tuple(dict.fromkeys(said for one in steps for said in one.conditions))
    return Way(steps, "CONDITIONAL" if conditions else "ALLOW", conditions, Permissions(level), **more)


def way(source: Who, account: str, role: str, *conditions: str, session: int | None = None, **more: Any) -> Way:
    return through(step(source, account, role, *conditions, **more), max_session_seconds=session)


def shut(source: Who, account: str, role: str, *conditions: str, **more: Any) -> DoorAnswer:
    keys = {"trust": Key.PRESENT, "grant": Key.MISSING, "verdict": "DENY", **more}
    return DoorAnswer(source=party(source), target=party(Who("role", account, role)), conditions=conditions, **keys)


def organization(
    name: str,
    accounts: Iterable[Account],
    doors: Iterable[Way | DoorAnswer],
    units: Iterable[tuple[str, ...]] = (),
    memberships: Iterable[tuple[Who, Who]] = (),
) -> Map:
    listed = list(doors)
    answers = Answers(
        origin="a state",
        name=name,
        accounts={one.id: one for one in accounts},
        ways=tuple(one for one in listed if isinstance(one, Way)),
        doors=tuple(one for one in listed if isinstance(one, DoorAnswer)),
        not_proved=(),
        units=tuple(units),
        memberships=tuple((party(user), party(group)) for user, group in memberships),
    )
    return Map(answers, NOW)


def classic() -> Map:
    """One management account and a stage and a prod account: what the README shows."""
    ci, developers = Who("role", MANAGEMENT, "ci"), Who("group", MANAGEMENT, "developers")
    deployments = declared(ci, STAGE, "deployer", reason="deployments", owner="platform")
    return organization(
        "example",
        [
            Account(MANAGEMENT, "management", "management", ()),
            Account(STAGE, "stage", "stage", ("stage",)),
            Account(PROD, "prod", "prod", ("prod",)),
        ],
        [
            way(ci, STAGE, "deployer", session=3600, declared=deployments),
            way(ci, PROD, "deployer", session=3600),
            way(developers, STAGE, "developer", "MFA"),
            shut(
                developers,
                PROD,
                "readonly",
                "MFA",
                declared=declared(developers, PROD, "readonly", expires=datetime(2027, 2, 1, tzinfo=UTC)),
                explanation="The role trusts the account of developers, but none of their policies grants it.",
            ),
        ],
        memberships=[(Who("user", MANAGEMENT, "ada"), developers)],
    )


def every_look() -> Map:
    """A door of each look that there is."""
    ci = Who("role", MANAGEMENT, "ci")
    dated = way(ci, STAGE, "dated", closes=NOW)
    unproved = way(ci, STAGE, "unproved", grant=Key.NOT_SHOWN)
    accounts = [Account(id, name, None, (name,)) for id, name in NAMES.items()]
    return organization("example", accounts, [way(ci, STAGE, "open"), dated, unproved, shut(ci, STAGE, "shut")])


def grown(size: int) -> Map:
    """An organization of about `size` accounts, three doors into each but few lack a key."""
    hubs = [
        Account(MANAGEMENT, "management", "management", ()),
        Account("100000000001", "deployment", "shared", ("infrastructure",)),
        Account("100000000002", "audit", "shared", ("security",)),
        Account("100000000003", "log-archive", "shared", ("security",)),
    ]
    ci = Who("role", "100000000001", "ci")
    auditor = Who("role", "100000000002", "auditor")
    operators = Who("group", MANAGEMENT, "operators")
    people = [Who("user", MANAGEMENT, f"person-{number:02}") for number in range(12)]
    accounts = list(hubs)
    doors: list[Way | DoorAnswer] = []
    for number in range(size - len(hubs)):
        environment = ("prod", "stage", "sandbox")[number % 3]
        team = TEAMS[(number // 3) % len(TEAMS)]
        id = f"{200000000000 + number}"
        service = number // (3 * len(TEAMS)) + 1
        accounts.append(Account(id, f"{team}-{service}-{environment}", environment, ("workloads", team, environment)))
        broken = number % (size // 2 - 1) == 5
        doors.append(shut(ci, id, "deployer") if broken else way(ci, id, "deployer"))
        unproved = {"trust": Key.UNPROVED, "grant": Key.PRESENT, "verdict": "UNKNOWN"}
        doors.append(shut(auditor, id, "auditor", **unproved) if number == 7 else way(auditor, id, "auditor"))
        doors.append(way(operators, id, "operator", "MFA"))
    return organization("example", accounts, doors, memberships=[(person, operators) for person in people])
