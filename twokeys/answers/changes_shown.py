"""Changes as data, as lines for a terminal, and as Markdown for a pull request."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from textwrap import shorten
from typing import Any

from twokeys.access.model.principals import HOLDERS
from twokeys.access.model.requirements import in_detail
from twokeys.answers.allowed import Difference
from twokeys.answers.changes import Changed, Changes
from twokeys.answers.data import not_proved_data, way_data
from twokeys.answers.model import Party, Time, Way
from twokeys.answers.summary import IN_SHORT, apart, strongest
from twokeys.answers.words import conditions, keys, not_now, third_party, through
from twokeys.doors.who import IAM_PEOPLE
from twokeys.shown import counted, listed, markdown, printable

NOTHING = "No way in is gained, lost or changed"
_FEW, _WIDEST = 4, 200
"""How many of the policies and actions that a role gains or loses are printed, and how much of each."""


def as_data(found: Changes) -> dict[str, Any]:
    """The changes; ways have the shape that every command gives them."""
    now = datetime.now(UTC)
    return {
        "gained": [way_data(way, now) for way in found.gained],
        "lost": [way_data(way, now) for way in found.lost],
        "changed": [
            {
                "what": list(one.what),
                "permissions": {"gained": list(one.permissions.gains), "lost": list(one.permissions.loses)},
                "boundary": {"gained": list(one.boundary.gains), "lost": list(one.boundary.loses)},
                "before": way_data(one.before, now),
                "after": way_data(one.after, now),
            }
            for one in found.changed
        ],
        "beside": [
            {
                "about": one.about,
                "gained": list(one.difference.gains),
                "lost": list(one.difference.loses),
                "notKnown": list(one.difference.waits),
            }
            for one in found.beside
        ],
        "perhaps": [{**way_data(way, now), "ifAllowedBy": list(way.hangs_on)} for way in found.perhaps],
        "mayChange": [
            {"document": one, "ways": [way_data(way, now) for way in ways]} for one, ways in found.waiting.items()
        ],
        "notProved": [not_proved_data(one) for one in found.not_proved],
        "notShown": found.not_shown,
        "scope": found.scope,
        "notLookedAt": found.not_looked_at,
        "evidence": {
            side: [asdict(one) for one in read] for side, read in zip(("before", "after"), found.read, strict=True)
        }
        | {"version": version("twokeys")},
    }


def lines(found: Changes) -> Iterator[str]:
    """One line a way: `+` gained, `-` lost, `~` changed, `?` not known any more."""
    if not found:
        yield f"{NOTHING}."
    if found.not_shown:
        yield found.not_shown
    for sign, ways in (("+", found.gained), ("-", found.lost)):
        shown, beyond = apart(ways)
        yield from (f"{sign} {_line(way)}" for way in _each(shown))
        yield from [f"{sign} {beyond}"] if beyond else []
    for one, others in _alike(found.changed):
        was, now = _line(one.before), _line(one.after)
        yield f"~ {was}" if was == now else f"~ {was}  is now  {now}"
        yield from (f"    {what}" for what in _what(one))
        yield from [f"    and so {_through_others(others)}"] if others else []
    yield from (printable(f"~ {one.about}: {_gained_and_lost(one.difference)}") for one in found.beside)
    yield from (f"? {one}" for one in _not_known(found))
    yield from (f"? not proved: {one}" for one in _not_proved(found))
    yield from _limits(found)


def in_markdown(found: Changes) -> str:
    """A section for a pull request: what is gained, lost and changed, with keys, conditions and why; ends in a line."""
    now = datetime.now(UTC)
    gained, lost = (Counter(way.at(now) for way in ways) for ways in (found.gained, found.lost))
    counts = [
        f"{counted(gained[Time.NOW], 'way')} gained" if gained[Time.NOW] else "",
        *(f"{counted(gained[when], 'way')} {when.value}" for when in (Time.LATER, Time.OVER) if gained[when]),
        f"{lost[Time.NOW]} lost" if lost[Time.NOW] else "",
        *(
            f"{lost[when]} lost that {'was' if lost[when] == 1 else 'were'} {when.value}"
            for when in (Time.LATER, Time.OVER)
            if lost[when]
        ),
        f"{len(found.changed)} changed" if found.changed else "",
        f"{len(found.beside)} changed of what bears on them" if found.beside else "",
        f"{len(found.perhaps)} possible" if found.perhaps else "",
        f"{counted(len(found.waiting), 'document')} not known" if found.waiting else "",
        f"{len(found.not_proved)} not proved" if found.not_proved else "",
    ]
    parts = [f"### Who can enter: {', '.join(filter(None, counts))}"] if found else ["### Who can enter", f"{NOTHING}."]
    parts += [markdown(found.not_shown)] if found.not_shown else []
    parts += _ways("Gained", found.gained, found.entered)
    parts += _ways("Lost", found.lost, found.entered)
    parts += _changed(found.changed)
    if found.beside:
        parts.append("#### What bears on them")
        parts.append(
            "\n".join(f"- {markdown(f'{one.about}: {_gained_and_lost(one.difference)}')}" for one in found.beside)
        )
    for title, each in (("Not known before it is made", _not_known(found)), ("Not proved", _not_proved(found))):
        if items := [f"- {markdown(one)}" for one in each]:
            parts += [f"#### {title}", "\n".join(items)]
    return "\n\n".join((*parts, *filter(None, [markdown(" ".join(_limits(found)))]))) + "\n"


def _not_known(found: Changes) -> Iterator[str]:
    """What a document that is not known may change, once a document, and each way that one may open."""
    for document, ways in found.waiting.items():
        each = listed([f"{way.source.short} -> {_into(way)}" for way in ways])
        yield printable(f"may change: {document} is not known ({each})")
    yield from (f"possible: {_line(way)}, if {' or '.join(way.hangs_on)} allows it" for way in _each(found.perhaps))


def _not_proved(found: Changes) -> Iterator[str]:
    """Each sentence once; where several are alike (roles of one name in two accounts), with their resources."""
    resources: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in found.not_proved:
        resources[one.message, one.next_step].append((one.urn or "").rpartition("::")[2])
    for (message, step), names in resources.items():
        yield f"{message}{f' ({listed(names)})' if len(names) > 1 else ''}. Next step: {step}."


def _each(ways: Sequence[Way]) -> Sequence[Way]:
    """The strongest first; where everybody in AWS comes in without a condition, no principal of AWS is said to."""
    everybody = {way.target for way in ways if way.source.who.kind == "everyone" and not way.conditions}
    return strongest(
        way for way in ways if way.target not in everybody or way.source.who.kind not in ("root", *HOLDERS)
    )


def _what(found: Changed) -> Iterator[str]:
    """In what a way differs, a line each; of the policies the first few gained and lost."""
    for what, about in found.what.items():
        yield printable(": ".join(filter(None, (what, _gained_and_lost(about)))))


def _gained_and_lost(found: Difference) -> str:
    parts = []
    for verb, each in (("gained", found.gains), ("lost", found.loses), ("not known:", found.waits)):
        few = [shorten(one, _WIDEST, placeholder=" ...") for one in each[:_FEW]]
        more = [f"{len(each) - _FEW} more (--json)"] if len(each) > _FEW else []
        parts += [f"{verb} {'; '.join([*few, *more])}"] if each else []
    return "; ".join(parts)


def _limits(found: Changes) -> Iterator[str]:
    read = listed([one.name for side in found.read for one in side])
    return (f"{one}." for one in (found.scope, found.not_looked_at and IN_SHORT, read and f"Read: {read}") if one)


def _line(way: Way) -> str:
    asked = f" if {conditions(way)}" if way.conditions else ""
    about = ", ".join(filter(None, (str(way.permissions), third_party(way), not_now(way, datetime.now(UTC)))))
    return printable(f"{way.source.short} -> {_into(way)}{asked} ({about})")


def _into(way: Way) -> str:
    return way.target.short + through(one.short for one in way.through)


def _ways(title: str, ways: Sequence[Way], entered: Collection[str]) -> Iterator[str]:
    """A table of ways and where their keys stand, each once.

    What was asked for is first. What follows from it is a row each: who comes through a door by being somebody else
    first, and who enters a new account by what AWS itself makes in it; those of one row ask for the same.
    """
    found = _each(ways)
    if not found:
        return
    doors = {(way.source, way.target) for way in found if len(way.steps) == 1}
    rows: dict[tuple[int, object, str], list[Way]] = defaultdict(list)
    for way in found:
        last = (way.steps[-1].source, way.target)
        if way.account not in entered and (way.by_access_role or way.target.who.kind == "root-user"):
            rows[2, way.account, _asked(way)].append(way)
        elif len(way.steps) > 1 and last in doors:
            rows[1, last, _asked(way)].append(way)
        else:
            rows[0, way, ""].append(way)
    ordered = [rows[key] for key in sorted(rows, key=lambda key: key[0])]
    yield f"#### {title}"
    yield _table(
        ("Who", "Into", "If", "Permissions", "Why"),
        [[_cells(way, alone=len(row) == 1) for way in row] for row in ordered],
    )
    places: list[str] = []
    placed: set[tuple[Party, Party]] = set()
    for way in (way for row in ordered for way in row):
        for step in [one for one in way.steps if (one.source, one.target) not in placed]:
            placed.add((step.source, step.target))
            places += [f"- {markdown(f'{step.source.short} -> {step.target.short}')}"]
            places += [f"  - {markdown(key)}" for key in keys(step)]
    yield "<details><summary>Where each key stands</summary>\n\n" + "\n".join(places) + "\n\n</details>"


def _cells(way: Way, *, alone: bool) -> tuple[str, ...]:
    who = ", ".join(filter(None, (way.source.short, third_party(way))))
    stops = through(one.short for one in way.through)
    return who + stops * (not alone), way.target.short + stops * alone, _asked(way), str(way.permissions), way.why


def _table(titles: Sequence[str], rows: Iterable[Sequence[Sequence[str]]]) -> str:
    """A table of rows, each of one or of several whose cells are put together, each text once."""
    lines = [titles, ["---"] * len(titles)]
    for row in rows:
        lines.append([markdown("; ".join(dict.fromkeys(filter(None, texts)))) for texts in zip(*row, strict=True)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _asked(way: Way) -> str:
    """What a way asks for, of a person also that it is not MFA, and how its dates keep it shut."""
    person = way.source.who.kind in IAM_PEOPLE
    without_mfa = "without MFA" if person and not any("MFA" in one for one in way.conditions) else ""
    asked = (without_mfa, " and ".join(way.conditions), not_now(way, datetime.now(UTC)))
    return ", ".join(filter(None, asked)) or conditions(way)


def _changed(found: Iterable[Changed]) -> Iterator[str]:
    rows: dict[tuple[str, str], list[tuple[str, ...]]] = defaultdict(list)
    for one, others in _alike(found):
        who, role, what = one.after.source.short, one.after.target.short, "; ".join(_what(one))
        row = rows[role, what]
        row.append((who, role, what, _state(one.before), _state(one.after)))
        row += [(f"and {_through_others(others)}", role, what, "", "")] if others else []
    if rows:
        yield "#### Changed"
        yield _table(("Who", "Into", "What", "Before", "After"), rows.values())


def _alike(found: Iterable[Changed]) -> Iterator[tuple[Changed, Sequence[Changed]]]:
    """The ways that have changed, the strongest first; with a direct one those that change alike through its role."""
    groups: dict[tuple[str, str], list[Changed]] = defaultdict(list)
    for one in sorted(found, key=lambda one: -one.after.permissions.level):
        groups[one.after.target.short, "; ".join(_what(one))].append(one)
    for same in groups.values():
        through = [one for one in same if one.before.through or one.after.through]
        direct = [one for one in same if not (one.before.through or one.after.through)]
        yield from ((one, through if one is direct[-1] else []) for one in direct)
        yield from ((one, []) for one in through if not direct)


def _through_others(ways: Sequence[Changed]) -> str:
    return f"{counted(len(ways), 'way')} through other roles"


def _state(way: Way) -> str:
    """What each key asks for, as far as it is between accounts, and what it leads to: "trust: MFA; grant: always"."""
    now, asked = datetime.now(UTC), []
    for step in way.steps:
        for key, each in zip(("trust", "grant"), step.requirements, strict=True):
            if words := dict.fromkeys(in_detail(one, now) for one in each):
                where = f"{key} of {step.target.short}" if way.through else key
                asked.append(f"{where if step.crosses else step.target.short}: {' and '.join(words)}")
    return f"{'; '.join(asked) or conditions(way)}{through(one.short for one in way.through)} ({way.permissions})"
