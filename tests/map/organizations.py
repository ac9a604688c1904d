"""Organizations to draw, of any size, as people build them: a few hubs whose roles enter many accounts."""

from dataclasses import replace
from datetime import UTC, datetime

from twokeys.doors import Declaration
from twokeys.map.model import Account, Door, Key, Organization, Who, organization

NOW = datetime(2026, 11, 27, 12, 28, tzinfo=UTC)
MANAGEMENT = "111111111111"
TEAMS = ("retail", "payments", "logistics", "search", "identity", "data", "mobile", "media", "support", "research")


def door(source: Who, account: str, role: str, **more: object) -> Door:
    values: dict[str, object] = {
        "name": f"{source.name}-{role}",
        "trust": Key.PRESENT,
        "grant": Key.PRESENT,
        "verdict": "ALLOW",
        "explanation": f"{source.label} may assume role {role}: the trust names it, and its own policy grants it.",
        **more,
    }
    return Door(source=source, account=account, role=role, **values)  # type: ignore[arg-type]


def classic() -> Organization:
    """One management account and a stage and a prod account: what the README shows."""
    ci, developers = Who("role", MANAGEMENT, "ci"), Who("group", MANAGEMENT, "developers")
    ada = Who("user", MANAGEMENT, "ada")
    stage, prod = "222222222222", "333333333333"
    whole = organization(
        "example",
        [
            Account(MANAGEMENT, "management", "management", ()),
            Account(stage, "stage", "stage", ("stage",)),
            Account(prod, "prod", "prod", ("prod",)),
        ],
        [
            door(
                ci,
                stage,
                "deployer",
                max_session_seconds=3600,
                declared=Declaration(reason="deployments", owner="platform"),
            ),
            door(ci, prod, "deployer", max_session_seconds=3600),
            door(developers, stage, "developer", verdict="CONDITIONAL", requirements=("MFA",)),
            door(
                developers,
                prod,
                "readonly",
                grant=Key.MISSING,
                verdict="DENY",
                requirements=("MFA",),
                declared=Declaration(expires=datetime(2027, 2, 1, tzinfo=UTC)),
                explanation="The role trusts the account of developers, but none of their policies grants it.",
            ),
        ],
        memberships=[(ada, developers)],
    )
    return replace(whole, origin="a state")


def grown(size: int) -> Organization:
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
    accounts, doors = list(hubs), []
    for number in range(size - len(hubs)):
        environment = ("prod", "stage", "sandbox")[number % 3]
        team = TEAMS[(number // 3) % len(TEAMS)]
        id = f"{200000000000 + number}"
        service = number // (3 * len(TEAMS)) + 1
        accounts.append(Account(id, f"{team}-{service}-{environment}", environment, ("workloads", team, environment)))
        broken = {"grant": Key.MISSING, "verdict": "DENY"} if number % (size // 2 - 1) == 5 else {}
        doors.append(door(ci, id, "deployer", **broken))
        doors.append(
            door(auditor, id, "auditor", **({"trust": Key.UNKNOWN, "verdict": "UNKNOWN"} if number == 7 else {}))
        )
        doors.append(door(operators, id, "operator", verdict="CONDITIONAL", requirements=("MFA",)))
    return organization("example", accounts, doors, memberships=[(person, operators) for person in people])
