"""Names that try to be something else: in D2, in HTML, in a script element, in XML."""

from dataclasses import replace

from tests.map.organizations import declared, organization, step, through
from twokeys.answers.model import Account, KeyPlace
from twokeys.doors import Who
from twokeys.map.model import Map

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


def hostile(names: tuple[str, ...] = NAMES) -> Map:
    """An organization in which every text comes from an enemy."""
    accounts, doors = [Account("111111111111", NAMES[1])], []
    for number, name in enumerate(names):
        id = f"{200000000000 + number}"
        accounts.append(Account(id, name, name, (f"unit-{number % 3}", name)))
        source = Who("role", "111111111111", name)
        said = declared(source, id, name, name=name, reason=name, owner=name)
        made = step(source, id, name, name, declared=said)
        doors.append(through(replace(made, trust=KeyPlace(name), grants=(KeyPlace(name),))))
    return organization(NAMES[0], accounts, doors, [(name,) for name in NAMES])
