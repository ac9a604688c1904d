"""What the policies of a role allow and deny, one by one, so that two of the same role can be compared.

AWS's managed policies are compared by name, as AWS changes what they say; all others by what they say, wherever it
stands: the order, the form and the number of policies and statements, and their names and Sids, make no difference. A
statement that allows everything is AWS's `AdministratorAccess`. What a document may say that is not known any more is
not lost.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from twokeys.access.model.documents import Document
from twokeys.access.model.requirements import EXTERNAL_ID
from twokeys.iam import PolicyDocument, Statement, aws_managed, sts

_ADMINISTRATOR = "AdministratorAccess"
_EVERY_ACTION = "every action"
_ALL_BUT = f"{_EVERY_ACTION} but "
_LATER, _IF_LATER = "something that is not known yet", "conditions that are not known yet"


@dataclass(frozen=True, slots=True)
class Difference:
    """What is gained and lost: names of policies, and actions with their resources, each in words.

    `waits` are the documents that are not known any more: what they may say still is not among what is lost.
    """

    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gains or self.loses)


@dataclass(frozen=True, slots=True)
class _Line:
    """One action on one resource under conditions; `action` and `resource` say themselves if they are all but some.

    AWS compares names of actions without case: `written` is how the policy has it.
    """

    effect: str
    action: str
    resource: str
    conditions: tuple[str, ...]
    written: str = field(default="", compare=False)

    @property
    def spares(self) -> frozenset[str]:
        """The actions that it is not about, if it is about all others."""
        return (
            frozenset(self.written.removeprefix(_ALL_BUT).split(", "))
            if self.written.startswith(_ALL_BUT)
            else frozenset()
        )

    @property
    def waits(self) -> bool:
        """Whether something in it is not known."""
        return _LATER in (self.written, self.resource) or _IF_LATER in self.conditions

    @property
    def bearing(self) -> tuple[str, str, tuple[str, ...]]:
        """What beside its actions it says."""
        return self.effect, self.resource, self.conditions


def difference(before: Sequence[Document], after: Sequence[Document], ids: Mapping[str, str]) -> Difference:
    """What the step from some policies to others gains and loses; `ids` are those of accounts, by symbol."""
    was, is_now = ([(one.title, one.arn, one.policy) for one in side] for side in (before, after))
    if was == is_now:
        return Difference()
    (old, waited), (new, waits) = (_all(side, ids) for side in (before, after))
    gains, loses = new - old, old - new
    if waits := waits - waited:
        loses = {one for one in loses if isinstance(one, str) and one != _ADMINISTRATOR}
    _without_what_both_spare(gains, loses)
    return Difference(tuple(_in_words(gains)), tuple(_in_words(loses)), tuple(sorted(waits)))


def _without_what_both_spare(gains: set[str | _Line], loses: set[str | _Line]) -> None:
    """Of statements on every action but some, on both sides, the actions that only one of them spares."""
    for now in [one for one in gains if isinstance(one, _Line) and one.spares]:
        for before in [one for one in loses if isinstance(one, _Line) and one.spares and one.bearing == now.bearing][
            :1
        ]:
            gains ^= {now, *(replace(now, action=one.lower(), written=one) for one in before.spares - now.spares)}
            loses ^= {before, *(replace(before, action=one.lower(), written=one) for one in now.spares - before.spares)}


def _all(documents: Iterable[Document], ids: Mapping[str, str]) -> tuple[set[str | _Line], set[str]]:
    """What all say together, and the titles of those of which something is not known."""
    found: set[str | _Line] = set()
    waits: set[str] = set()
    for document in documents:
        policy = document.policy
        if document.arn is not None and aws_managed.is_aws_managed(document.arn):
            found.add(document.name)
        elif not isinstance(policy, PolicyDocument) or policy.unresolved:
            waits.add(document.title)
        else:
            said = [line for statement in policy.statements for line in _lines(statement, ids)]
            found.update(said)
            if any(isinstance(one, _Line) and one.waits for one in said):
                waits.add(document.title)
    return found, waits


def _lines(statement: Statement, ids: Mapping[str, str]) -> Iterator[str | _Line]:
    def plain(value: object) -> str:
        if not isinstance(value, str):
            return _LATER
        return with_ids(value if statement.variables else value.replace("${", "${$}{"), ids)

    actions = _each(statement.actions, statement.not_actions, plain, _EVERY_ACTION)
    resources = _each(statement.resources, statement.not_resources, plain, "every resource")
    asked = {
        f"{one.lower_key} {one.operator} {', '.join(sorted({plain(each) for each in one.values}))}"
        if one.lower_key != sts.EXTERNAL_ID
        else EXTERNAL_ID
        for one in statement.conditions
    } | ({_IF_LATER} if statement.unresolved else set())
    for action, resource in product(actions, resources):
        line = _Line(statement.effect, action.lower(), resource, tuple(sorted(asked)), action)
        yield _ADMINISTRATOR if line == _Line("Allow", "*", "*", ()) else line


def with_ids(text: str, ids: Mapping[str, str]) -> str:
    """A value with the ids of accounts in place of their symbols."""
    for symbol, identity in ids.items():
        text = identity if text == symbol else text.replace(f":{symbol}:", f":{identity}:")
    return text


def _each(
    names: Iterable[object] | None, spared: Iterable[object] | None, plain: Callable[[object], str], everything: str
) -> list[str]:
    if names is not None:
        return [plain(one) for one in names]
    return [f"{everything} but {', '.join(sorted({plain(one) for one in spared}))}"] if spared is not None else ["*"]


def _in_words(found: Iterable[str | _Line]) -> Iterator[str]:
    """Policies by name, then actions by effect, conditions and the resources that they are on."""
    on: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for line in sorted((one for one in found if isinstance(one, _Line)), key=lambda one: (one.action, one.resource)):
        on[line.effect, line.resource, line.conditions].append(line.written)
    together: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (effect, resource, conditions), actions in on.items():
        together[effect, tuple(actions), conditions].append(resource)
    yield from sorted(one for one in found if isinstance(one, str))
    for (effect, names, conditions), resources in sorted(together.items()):
        denied, asked = "Deny " if effect == "Deny" else "", f" if {' and '.join(conditions)}" if conditions else ""
        yield f"{denied}{', '.join(names)} on {', '.join(resources)}{asked}"
