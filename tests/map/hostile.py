"""Names that try to be something else: in D2, in HTML, in a script element, in XML."""

from twokeys.doors import Declaration
from twokeys.map.model import Account, Door, Key, Organization, Who, organization

NAMES = (
    '"} ; evil: {shape: image; icon: https://evil.example/x.png} #',
    "</script><script>window.hacked = true</script>",
    "<img src=x onerror='window.hacked = true'>",
    "<!--<script>",
    "${vars.secret} ...@import |md # x |",
    "a -> b: c\n  d.style.fill: red\r\n\x00\x1b[31m",
    "back\\slash \\n \\\" 'quotes' `ticks`",
    "]]></style><style>*{display:none}</style>&amp;&#60;",
    "null",
    "*.style.opacity: 0",
    "日本語の会計 ✓ é \u202eright-to-left",
    "x" * 300,
    "",
    " ",
)


def hostile(names: tuple[str, ...] = NAMES) -> Organization:
    """An organization in which every text comes from an enemy."""
    accounts, doors = [Account("111111111111", NAMES[1])], []
    for number, name in enumerate(names):
        id = f"{200000000000 + number}"
        accounts.append(Account(id, name, name, (f"unit-{number % 3}", name)))
        doors.append(
            Door(
                name=name,
                source=Who("role", "111111111111", name),
                account=id,
                role=name,
                trust=Key.PRESENT,
                grant=Key.PRESENT,
                requirements=(name,),
                declared=Declaration(reason=name, owner=name),
                explanation=name,
            )
        )
    return organization(NAMES[0], accounts, doors, [(name,) for name in NAMES])
