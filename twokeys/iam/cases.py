"""Free keys, case by case: whether some values, or all values, of them allow a request.

Instead of every value a key can have, the few that its conditions can tell apart are tried: absent, each value of a
policy, one inside each pattern or range and one outside of all. Where that is not certain to cover every case (several
overlapping patterns, values that depend on other keys, too many combinations) the answer says so, unless what is
certain of the others settles it. A key to which no set operator is applied has one value: AWS demands set operators for
keys with several.
"""

import ipaddress
import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache, reduce
from operator import or_
from typing import TypeAlias

from twokeys.iam.condition_keys import condition_key
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.globs import Glob
from twokeys.iam.matches import Atom, ResourceAtom, SessionAtom
from twokeys.iam.operators import parse_date, parse_network, parse_number
from twokeys.iam.truth import FALSE, FREE, TRUE, Lookup, Truth, Unknown, Values, absent

Option: TypeAlias = tuple[str, ...]
_OTHER = "\ue000"
_MOST_COMBINATIONS = 4096
_MOST_VALUES = 3


@dataclass(slots=True)
class Possibilities:
    """`some`: values were found that allow; `every`: none that do not; `exact`: every case was covered.

    `unsure`: whether a condition was seen whose truth hangs on more than the free keys.
    """

    some: bool
    every: bool
    exact: bool
    unsure: bool = False


def explore(
    allows: Iterable[Atom], denies: Iterable[Atom], lookup: Lookup, decision: Callable[[Callable[[Atom], Truth]], bool]
) -> Possibilities:
    """Try the cases of the free keys that the atoms read.

    Args:
        allows: the atoms of matches that would allow.
        denies: the atoms of matches that would deny.
        lookup: the request's own values.
        decision: whether the request is allowed, given the truth of each atom. It must allow when all of `allows` hold
            and none of `denies`, and not when it is the other way round.
    """
    allowing, denying = dict.fromkeys(allows), dict.fromkeys(denies)
    if independent((*allowing, *denying)):
        return Possibilities(some=True, every=False, exact=True)
    return _explore(list({**allowing, **denying}), lookup, decision)


def independent(atoms: Iterable[Atom]) -> bool:
    """Whether no two atoms read the same key, and each can be both true and false.

    Of an atom with variables that is taken for granted: it was found free with the request's own values.
    """
    read: set[str] = set()
    for atom in atoms:
        if not read.isdisjoint(atom.keys) or (is_plain(atom) and not _contingent(atom)):
            return False
        read.update(atom.keys)
    return True


def exclude(clauses: Iterable[ConditionClause]) -> bool:
    """Whether conditions on one key certainly exclude each other; what is not resolved yet may hold."""
    some = tuple(dict.fromkeys(clauses))
    if not all(map(is_plain, some)):
        return False
    cases, covered = _told_apart(some[0].lower_key, some)
    return covered and all(FALSE in truths.values() for truths in cases)


def is_plain(atom: Atom) -> bool:
    """Whether the atom reads one key alone: compares it with fixed values, or puts it into the name of a resource."""
    return len(set(atom.keys) if isinstance(atom, ResourceAtom) else atom.keys) == 1


@lru_cache(maxsize=16384)
def _contingent(atom: Atom) -> bool:
    key = atom.keys[0]
    options, _ = _options(key, (atom,))
    found = {atom.evaluate(_override({key: option}, absent)) for option in options}
    return TRUE in found and FALSE in found


def _explore(atoms: list[Atom], lookup: Lookup, decision: Callable[[Callable[[Atom], Truth]], bool]) -> Possibilities:
    cases, exact = _plain_cases(atoms) if all(map(is_plain, atoms)) else _mixed_cases(atoms, lookup)
    if cases is None:
        return Possibilities(some=True, every=False, exact=False)
    some, every, unsure = False, True, False
    for held in cases:
        if decision(held.__getitem__):
            some = True
        else:
            every = False
            unsure = unsure or Truth.UNKNOWN in held.values()
        if some and not every:
            break
    return Possibilities(some, every, exact or not (some or _may_allow(atoms, decision)), unsure)


def _may_allow(atoms: list[Atom], decision: Callable[[Callable[[Atom], Truth]], bool]) -> bool:
    """Whether anything allows if every atom of which not all cases are known could be true or false by itself."""
    told = [cases for cases, covered in _of_each_key(filter(is_plain, atoms)) if covered]
    settled = {atom for cases in told for atom in cases[0]}
    told += [({atom: TRUE}, {atom: FALSE}) for atom in atoms if atom not in settled]
    if math.prod(map(len, told)) > _MOST_COMBINATIONS:
        return True
    return any(decision(reduce(or_, held).__getitem__) for held in itertools.product(*told))


_Cases: TypeAlias = tuple[Iterable[Mapping[Atom, Truth]] | None, bool]
"""What each atom is, case by case (None: too many), and whether those are all the cases there are."""


def _plain_cases(atoms: list[Atom]) -> _Cases:
    """Of plain atoms: those of one key are told apart once, and those of different keys vary by themselves."""
    told = _of_each_key(atoms)
    exact = all(covered for _, covered in told)
    if math.prod(len(truths) for truths, _ in told) > _MOST_COMBINATIONS:
        return None, False
    combinations = itertools.product(*(truths for truths, _ in told))
    return (reduce(or_, truths) for truths in combinations), exact


def _of_each_key(atoms: Iterable[Atom]) -> list[tuple[tuple[dict[Atom, Truth], ...], bool]]:
    readers: dict[str, list[Atom]] = {}
    for atom in atoms:
        readers.setdefault(atom.keys[0], []).append(atom)
    return [_told_apart(key, tuple(some)) for key, some in readers.items()]


def _mixed_cases(atoms: list[Atom], lookup: Lookup) -> _Cases:
    of_sessions = {key for atom in atoms if isinstance(atom, SessionAtom) for key in atom.keys}
    every = dict.fromkeys(key for atom in atoms for key in atom.keys)
    keys = [key for key in every if lookup(key) is FREE or key in of_sessions]
    pool = tuple(dict.fromkeys(text for atom in atoms for text in _texts(atom)))
    choices = [_options(key, tuple(atom for atom in atoms if key in atom.keys), pool)[0] for key in keys]
    if math.prod(map(len, choices)) > _MOST_COMBINATIONS:
        return None, False
    chosen = (_override(dict(zip(keys, some, strict=True)), lookup) for some in itertools.product(*choices))
    return ({atom: atom.evaluate(look) for atom in atoms} for look in chosen), False


@lru_cache(maxsize=16384)
def _told_apart(key: str, atoms: tuple[Atom, ...]) -> tuple[tuple[dict[Atom, Truth], ...], bool]:
    """Each way in which plain atoms of one key can hold together, and whether those are all."""
    options, covered = _options(key, atoms)
    distinct: dict[tuple[Truth, ...], None] = {}
    for option in options:
        look = _override({key: option}, absent)
        distinct[tuple(atom.evaluate(look) for atom in atoms)] = None
    return tuple(dict(zip(atoms, truths, strict=True)) for truths in distinct), covered


def _override(values: dict[str, Option], lookup: Lookup) -> Lookup:
    def look(key: str) -> Values:
        found = values.get(key)
        return lookup(key) if found is None else found

    return look


def _options(key: str, atoms: tuple[Atom, ...], pool: tuple[str, ...] = ()) -> tuple[list[Option], bool]:
    """The cases of one key, and whether they are all there are.

    The longest text is longer than what a pattern of question marks matches.
    """
    known = condition_key(key)
    if known and known.form.type == "bool":
        return [(), ("true",), ("false",)], True
    clauses = [atom for atom in atoms if isinstance(atom, ConditionClause) and atom.lower_key == key]
    found = (text for atom in atoms for text in _texts(atom))
    texts = dict.fromkeys((*pool, *found, *_ordered_texts(clauses), "", _OTHER))
    texts[_OTHER * (1 + max(map(len, texts)))] = None
    options: list[Option] = [(), *((text,) for text in texts)]
    wild = {pattern.text.lower() for clause in clauses for pattern in clause.patterns if pattern.wild}
    wild |= {f"*:{atom.session.lower()}" for atom in atoms if isinstance(atom, SessionAtom)}
    some = [Glob(text) for text in wild if text.strip("*")]
    exact = not any(one.overlaps(other) for one, other in itertools.combinations(some, 2))
    if any(clause.set_operator is not None for clause in clauses):
        # One value shows that a clause holds for some value, or not for all: so many values as clauses tell all cases.
        for values in range(2, min(len(clauses), _MOST_VALUES) + 1):
            options += itertools.combinations(texts, values)
        exact = exact and len(clauses) == len(atoms) <= _MOST_VALUES
    fillings = (filling for atom in atoms if isinstance(atom, ResourceAtom) for filling in _fillings(atom))
    return options, exact and None not in fillings


def _fillings(atom: ResourceAtom) -> list[str | None]:
    """What the variable of each name must be; None where that is not clear."""
    return [pattern.filling(atom.resource) for pattern in atom.statement.resource_patterns if pattern.keys]


def _ordered_texts(clauses: list[ConditionClause]) -> list[str]:
    """The numbers and dates of all clauses, and numbers below, above and between them.

    They have a fraction, since a date of four digits alone would be a year.
    """
    parsed = [
        _ORDERED[clause.base.family](value)
        for clause in clauses
        if clause.base.family in _ORDERED
        for value in clause.values
        if isinstance(value, str)
    ]
    numbers = {number for number in parsed if number is not None}
    ordered = sorted(numbers)
    between = [(low + high) / 2 for low, high in itertools.pairwise(ordered)]
    return [f"{number:.9f}" for number in (*ordered, *between, *(ordered[:1] and (ordered[0] - 1, ordered[-1] + 1)))]


_ORDERED: dict[str, Callable[[str], Decimal | None]] = {"numeric": parse_number, "date": parse_date}


@lru_cache(maxsize=16384)
def _texts(atom: Atom) -> tuple[str, ...]:
    """The single values between which an atom can tell."""
    if isinstance(atom, SessionAtom):
        return (f"{_OTHER}:{atom.session}", f"{_OTHER}:{_OTHER}")
    if isinstance(atom, ResourceAtom):
        return tuple(text for text in _fillings(atom) if text is not None)
    if atom.patterns:
        found = [text for pattern in atom.patterns for text in pattern.samples(_OTHER)]
        return tuple(dict.fromkeys((*found, *(text.swapcase() for text in found))))
    values = [value for value in atom.values if not isinstance(value, Unknown)]
    if atom.base.family == "ip":
        return tuple(dict.fromkeys(text for value in values for text in _ip_texts(value)))
    return tuple(values)


def _ip_texts(value: str) -> list[str]:
    network = parse_network(value)
    if network is None:
        return []
    first, last = int(network.network_address), int(network.broadcast_address)
    make = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    highest = (1 << network.max_prefixlen) - 1
    return [str(make(number)) for number in (first - 1, first, last, last + 1) if 0 <= number <= highest]
