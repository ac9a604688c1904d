"""What is remembered of shards may be lost; that it cannot be written is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from twokeys.errors import Refusal
from twokeys.fleet.inputs import Ledger, Settled


def test_what_is_recorded_is_there_afterwards(tmp_path: Path) -> None:
    Ledger(tmp_path / "fleet").record("prod-001", Settled("abc", 7))
    assert Ledger(tmp_path / "fleet").last("prod-001") == Settled("abc", 7)


@pytest.mark.parametrize("text", ["", '{"digest": "ab', "[]", "{}", '{"digest": "abc", "more": 1}', "\udcff"])
def test_a_damaged_entry_is_none_and_costs_a_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "prod-001.json").write_text(text, errors="surrogateescape")
    assert Ledger(tmp_path).last("prod-001") is None


def test_a_ledger_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fleet").write_text("a file")
    with pytest.raises(Refusal, match="cannot be read or written"):
        Ledger(tmp_path / "fleet" / "sandbox").record("prod-001", Settled("abc", 7))
