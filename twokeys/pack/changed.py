"""What a preview does to who can enter which account, as one piece of advice."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from twokeys.access.findings import Finding, Severity
from twokeys.access.graph import Graph
from twokeys.access.verdicts import Judged
from twokeys.errors import Refusal
from twokeys.iam import is_account_id

DOORS_CHANGED: Final = "doors-changed"
_NAME_A_STATE = f"name a state in the configuration of {DOORS_CHANGED}, or correct it"
_SEVERITIES: Final[Mapping[str, Severity]] = {"administrator": "high", "not known": "high", "write": "medium"}
"""By how strong the strongest way is that is gained or changed."""
_READ_IT = "see that this is what the change is for"


def doors_changed(graph: Graph, before: Callable[[], Graph | None]) -> list[Judged]:
    """The doors gained, lost and changed, of a new stack all as gained; nothing without a state to compare with.

    An account that has its id in a preview is there already, imported or only entered: so is the role that AWS made in
    it with its account, and no operation opens that to the management account as a whole.
    """
    try:
        was = before()
    except Refusal as refusal:  # a difference that cannot be told must not look like none
        about = f"The doors gained and lost cannot be told ({refusal.where}: {refusal.why})"
        return [Judged(Finding(about, _NAME_A_STATE, rule=DOORS_CHANGED), mandatory=False)]
    if was is None:
        return []
    # A pack starts with every operation, and neither an update nor the first preview asks this.
    from twokeys.answers.changes import changes  # noqa: PLC0415
    from twokeys.answers.changes_shown import lines  # noqa: PLC0415
    from twokeys.answers.reading import read  # noqa: PLC0415

    found = changes(read(was), read(graph))
    made = tuple(way for way in found.gained if not (way.as_aws_made_it and is_account_id(way.account)))
    found = replace(found, gained=made, not_proved=())  # a rule of its own refuses those
    if not found:
        return []
    about = "Ways in gained (+), lost (-), changed (~) and not known (?):\n" + "\n".join(lines(found)) + "\n"
    severity = _SEVERITIES.get(found.strongest.word, "low")
    return [Judged(Finding(about, _READ_IT, severity=severity, rule=DOORS_CHANGED), mandatory=False)]
