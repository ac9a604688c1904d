"""From what must allow and what may deny to a verdict, with unresolved values and free keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from twokeys.iam.cases import Possibilities, explore, independent, is_plain
from twokeys.iam.matches import Atom, Match
from twokeys.iam.request import Request
from twokeys.iam.truth import FALSE, TRUE, Lookup, Truth, absent
from twokeys.iam.verdict import ALLOW, CONDITIONAL, DENY, UNKNOWN, Decision, Outcome, Requirement, Verdict, Why


class And(NamedTuple):
    """Every part must allow."""

    parts: tuple[Formula, ...]


class Or(NamedTuple):
    """One matching statement, or one of the parts, must allow. `label` names the policies for messages."""

    label: str
    matches: tuple[Match, ...]
    parts: tuple[Formula, ...] = ()


Formula: TypeAlias = And | Or
_SYMBOL_ID = "the id of an account that does not exist yet"


def decide(formula: Formula, denies: tuple[Match, ...], request: Request) -> Verdict:
    """The verdict on a request that is allowed if the formula holds and no denial matches.

    Unresolved values are first taken for the worst: what hangs on one does not allow, and does deny. If the request can
    be allowed all the same, they do not matter. Otherwise they are taken for the best, to see whether they do.
    """
    if any(deny.certain for deny in denies):
        return denied(denies)
    if not _holds(formula, _any):
        return Verdict(DENY, lambda: missing(formula))
    if not denies and _holds(formula, _is_certain):
        return Verdict(ALLOW, lambda: allowing(formula))
    hanging = And(tuple(part for part in formula.parts if not _holds(part, _is_certain)))
    return decide_open(lambda: formula, hanging, tuple(_matches(hanging)), denies, request)


def decide_open(
    made: Callable[[], Formula], hanging: And, allowing: tuple[Match, ...], denies: tuple[Match, ...], request: Request
) -> Verdict:
    """The verdict where the formula may hold, and nothing is certain.

    `hanging` are its parts that do not hold for certain, and `allowing` their matches; the others are only asked for to
    explain the verdict.
    """
    waits = not all(map(_is_resolved, (*allowing, *denies)))
    atoms = (*_atoms(allowing), *_atoms(denies))
    if not waits and independent(atoms):
        outcome = CONDITIONAL
    elif not atoms:
        outcome = UNKNOWN
    else:
        tried = _tried if all(map(is_plain, atoms)) else _tried.__wrapped__
        outcome = tried(_bare(hanging), _bare(Or("", denies)), absent if tried is _tried else request.lookup)
    return Verdict(outcome, lambda: _behind(outcome, made(), denies))


def _bare(formula: Formula) -> Formula:
    """What a verdict hangs on, without the statements that say so: the same conditions are tried once for all."""
    parts = tuple(map(_bare, formula.parts))
    if isinstance(formula, And):
        return And(parts)
    return Or("", tuple([Match("", None, one.atoms, one.unknowns and ("",)) for one in formula.matches]), parts)


@lru_cache(maxsize=16384)
def _tried(formula: Formula, denials: Or, lookup: Lookup) -> Outcome:
    """The outcome, by the cases of the free keys."""
    allows, denies = tuple(_matches(formula)), denials.matches
    worst = _possibilities(formula, allows, denies, lookup, hopeful=False)
    if worst.every and worst.exact:
        return ALLOW
    if worst.some:
        return CONDITIONAL
    waits = not all(map(_is_resolved, (*allows, *denies)))
    best = _possibilities(formula, allows, denies, lookup, hopeful=True) if waits or worst.unsure else worst
    exact = worst.exact and best.exact
    if best.some or (waits and not exact):
        return UNKNOWN
    return DENY if exact else CONDITIONAL


def _behind(outcome: Outcome, formula: Formula, denies: tuple[Match, ...]) -> Why:
    """Why a verdict that hangs on something is what it is."""
    if outcome is CONDITIONAL:
        return _conditional(formula, denies)
    if outcome is UNKNOWN:
        return _unknown(formula, denies)
    if outcome is ALLOW:
        return Why(decisions=tuple(_allowing(formula, _is_resolved)))
    excluded = "its conditions and those of the other statements exclude each other"
    return Why(decisions=_all_of(formula, denies, excluded))


def denied(denies: tuple[Match, ...]) -> Verdict:
    """The verdict where a denial matches for certain."""
    why = "it matches the request, and an explicit denial overrides all"
    return Verdict(DENY, lambda: Why(decisions=(_decided(next(filter(_is_certain, denies)), "Deny", why),)))


def missing(formula: Formula) -> Why:
    """Why a formula cannot hold."""
    return Why(decisions=tuple(_missing(formula)))


def allowing(formula: Formula) -> Why:
    """Why a formula holds for certain."""
    return Why(decisions=tuple(_allowing(formula, _is_certain)))


def _possibilities(
    formula: Formula, allows: tuple[Match, ...], denies: tuple[Match, ...], lookup: Lookup, *, hopeful: bool
) -> Possibilities:
    """What the free keys can make of the request, with unresolved values taken for the best or for the worst."""
    hoped = (TRUE, Truth.UNKNOWN) if hopeful else (TRUE,)
    feared = (TRUE,) if hopeful else (TRUE, Truth.UNKNOWN)
    allowing = allows if hopeful else tuple(filter(_is_resolved, allows))
    denying = tuple(filter(_is_resolved, denies)) if hopeful else denies
    if not all(deny.atoms for deny in denying) or not _holds(formula, _any if hopeful else _is_resolved):
        return Possibilities(some=False, every=False, exact=True)

    def spared(held: Callable[[Atom], Truth]) -> bool:
        return not any(_met(deny, held, feared) for deny in denying)

    def decision(held: Callable[[Atom], Truth]) -> bool:
        return spared(held) and _holds(
            formula, lambda match: (hopeful or not match.unknowns) and _met(match, held, hoped)
        )

    denying_atoms = [atom for deny in denying for atom in deny.atoms]
    if decision(lambda _: FALSE):
        if not denying_atoms:
            return Possibilities(some=True, every=True, exact=True)
        return explore((), denying_atoms, lookup, spared)
    return explore([atom for match in allowing for atom in match.atoms], denying_atoms, lookup, decision)


def _met(match: Match, held: Callable[[Atom], Truth], wanted: tuple[Truth, ...]) -> bool:
    for atom in match.atoms:  # noqa: SIM110 - a generator takes half as long again
        if held(atom) not in wanted:
            return False
    return True


def _all_of(formula: Formula, denies: tuple[Match, ...], why: str = "") -> tuple[Decision, ...]:
    return (*_allowing(formula, _any, why), *(_decided(deny, "Deny") for deny in denies))


def _unknown(formula: Formula, denies: tuple[Match, ...]) -> Why:
    unknowns = tuple(dict.fromkeys(text for match in (*_matches(formula), *denies) for text in match.unknowns))
    return Why((), unknowns or (_SYMBOL_ID,), _all_of(formula, denies))


def _conditional(formula: Formula, denies: tuple[Match, ...]) -> Why:
    hanging = [deny for deny in denies if deny.atoms]
    requirements = (*_required(formula), *(_must_not(deny) for deny in hanging))
    decisions = (*_allowing(formula, _is_resolved), *(_decided(deny, "Deny") for deny in hanging))
    return Why(tuple(dict.fromkeys(requirements)), decisions=decisions)


def _atoms(matches: Iterable[Match]) -> dict[Atom, None]:
    return {atom: None for match in matches for atom in match.atoms}


def _any(_match: Match) -> bool:
    return True


def _is_certain(match: Match) -> bool:
    return match.certain


def _is_resolved(match: Match) -> bool:
    return not match.unknowns


def _holds(formula: Formula, match_holds: Callable[[Match], bool]) -> bool:
    if isinstance(formula, And):
        for part in formula.parts:  # noqa: SIM110 - a generator takes half as long again
            if not _holds(part, match_holds):
                return False
        return True
    return any(map(match_holds, formula.matches)) or any(_holds(part, match_holds) for part in formula.parts)


def _matches(formula: Formula) -> Iterator[Match]:
    if isinstance(formula, Or):
        yield from formula.matches
    for part in formula.parts:
        yield from _matches(part)


def _required(formula: Formula) -> tuple[Requirement, ...]:
    """What the free keys must be for the formula to hold, all of it; of unresolved matches nothing is expected."""
    if isinstance(formula, And):
        return tuple(dict.fromkeys(one for part in formula.parts for one in _required(part)))
    groups = [
        tuple(dict.fromkeys(atom.requirement() for atom in match.atoms))
        for match in formula.matches
        if not match.unknowns
    ]
    groups += [_required(part) for part in formula.parts if _holds(part, _is_resolved)]
    distinct = list(dict.fromkeys(groups))
    needed = [one for one in distinct if not any(set(other) < set(one) for other in distinct)]
    if len(needed) == 1:
        return needed[0]
    return (Requirement("AnyOf", any_of=tuple(needed)),)


def _must_not(deny: Match) -> Requirement:
    """That a denial does not match: one of its conditions must fail."""
    conditions = (atom.requirement() for atom in deny.atoms)
    failing = tuple(one._replace(negated=not one.negated) for one in conditions)
    return failing[0] if len(failing) == 1 else Requirement("AnyOf", any_of=tuple((one,) for one in failing))


def _allowing(formula: Formula, counts: Callable[[Match], bool], why: str = "") -> Iterable[Decision]:
    """The statements by which the formula holds, each once, in order."""
    found: dict[tuple[str, int | None], Decision] = {}
    for match in _allowing_matches(formula, counts):
        decided = _decided(match, "Allow", why)
        found.setdefault((decided.document, decided.statement), decided)
    return found.values()


def _allowing_matches(formula: Formula, counts: Callable[[Match], bool]) -> Iterator[Match]:
    if isinstance(formula, And):
        for part in formula.parts:
            yield from _allowing_matches(part, counts)
        return
    yield from filter(counts, formula.matches)
    for part in formula.parts:
        if _holds(part, counts):
            yield from _allowing_matches(part, counts)


def _missing(formula: Formula) -> Iterator[Decision]:
    """What had to allow and does not."""
    if isinstance(formula, And):
        for part in formula.parts:
            if not _holds(part, _any):
                yield from _missing(part)
        return
    if formula.parts:
        yield from dict.fromkeys(one for part in formula.parts for one in _missing(part))
        return
    why = f"no statement of the {formula.label} allows the request"
    yield Decision(formula.label, None, None, "implicit deny", why)


def _decided(match: Match, effect: str, why: str = "") -> Decision:
    """What a match decides; of a policy that is not resolved, only what that hangs on is told."""
    hanging = [f"if {atom.requirement()}" for atom in match.atoms]
    hangs = " and ".join([*hanging, *(f"depending on {unknown}" for unknown in match.unknowns)])
    statement = match.statement
    if statement is None:
        return Decision(match.document, None, None, effect, hangs)
    return Decision(match.document, statement.index, statement.sid, effect, why or hangs or "it matches the request")
