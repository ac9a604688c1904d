"""Both keys of every door, proved over all shards as one: a key may be in another stack than its door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from twokeys.access.graph import build
from twokeys.access.report import check
from twokeys.access.rules import RULES
from twokeys.access.snapshot import Snapshot


def prove(snapshots: Iterable[Snapshot], origin: str, config: Mapping[str, Mapping[str, object]]) -> list[str]:
    """What the rules of the policy pack find in these states together; nothing when every door has two keys.

    Args:
        origin: whose states they are, for people.
        config: the policy pack's configuration, by rule.
    """
    verdicts = check(build(Snapshot.together(snapshots, origin)), RULES, config, datetime.now(UTC).date())
    return [f"{finding.rule}: {finding.text}" for finding in verdicts.mandatory]
