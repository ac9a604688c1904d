"""Whether the files of a bill may be added: no cost may stand in two of them.

The id of a line item "isn't consistent between different Cost and Usage Reports and can't be used to identify the same
line item across different reports" (https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html), so that no
id tells a second version or a second export of a month. Two files may hold the same cost where both have lines of one
account, payer and billing period, at times that overlap. Such files must be parts of one delivery, as AWS names them:

- in one manifest, the legacy report's (`reportKeys`) or an export's (`dataFiles`);
- or NAME-00001, NAME-00002 and so on in one folder: each version that AWS keeps has a folder of its own, and the one
  that overwrites another takes its names.

https://docs.aws.amazon.com/cur/latest/userguide/understanding-report-versions.html,
https://docs.aws.amazon.com/cur/latest/userguide/dataexports-export-delivery.html,
https://docs.aws.amazon.com/cur/latest/userguide/dataexports-manifest.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from twokeys.costs.versions import Lines
from twokeys.errors import Refusal

_PART = re.compile(r"(.+)-(\d{1,5})(\.csv|\.csv\.gz|\.csv\.zip|\.zip|\.snappy\.parquet|\.parquet)")
_NEXT_STEP = (
    "give one version of each month: its manifest (NAME-Manifest.json), with the files that it names where they were "
    "delivered or beside it, or all its parts as AWS names them, from one folder"
)

_AT_ONCE = "~"
"""Stands behind all that a time is written with: the end of what begins and ends at one time."""


Spans = dict[tuple[str, str, str], tuple[str, str]]
"""The start of the first and the end of the last line by (account, payer, billing period)."""


def widen(spans: Spans, key: tuple[str, str, str], start: str, end: str) -> None:
    """Take the times of one line, as they stand there; one without an end ends when it starts."""
    end = end if end > start else f"{start}{_AT_ONCE}"
    first, last = spans.get(key, (start, end))
    if start <= first or end >= last:
        spans[key] = (min(start, first), max(end, last))


@dataclass(frozen=True)
class ReportFile:
    """One file, as far as it says whether its costs stand in another one, too."""

    name: str
    columns: tuple[str, ...]
    lines: Lines
    spans: Spans

    def shares(self, other: ReportFile) -> list[tuple[str, str, str]]:
        """The (account, payer, billing period) of which both may have the same cost.

        What one of the files does not say of these may be any.
        """
        theirs: dict[str, list[tuple[str, str, tuple[str, str]]]] = {}
        for (account, payer, period), span in other.spans.items():
            theirs.setdefault(account, []).append((payer, _month(period), span))
        return [
            (account, payer or its_payer, _month(period) or its_period)
            for (account, payer, period), span in self.spans.items()
            for its_payer, its_period, its_span in theirs.get(account, ())
            if _may_be(payer, its_payer) and _may_be(_month(period), its_period) and _meet(span, its_span)
        ]


def _may_be(one: str, other: str) -> bool:
    return one == other or not one or not other


def _month(period: str) -> str:
    """The month, or "" for what is written in another way than AWS's, as a spreadsheet does."""
    return period if re.fullmatch(r"\d{4}-\d\d", period) else ""


def _meet(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two spans of time have a moment in common; one that is not written as AWS does may be any."""
    (start, end), (its_start, its_end) = ((_moment(span[0], ""), _moment(span[1], _AT_ONCE)) for span in (one, other))
    return start < its_end and its_start < end


def _moment(text: str, unknown: str) -> str:
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return unknown
    second = text.replace(" ", "T")[: len("2026-10-01T00:00:00")]
    return f"{second}{_AT_ONCE}" if text.endswith(_AT_ONCE) else second


def refuse_what_is_in_two(files: Sequence[ReportFile], manifests: Mapping[str, str]) -> None:
    """Refuse two files that may hold the same cost; `manifests` has the manifest that named a file, by its name."""
    for one, other in combinations(files, 2):
        if (shared := one.shares(other)) and (reason := _no_parts_of_one(one, other, files, manifests)):
            account, payer, period = min(shared)
            more = f" (and of {len(shared) - 1} more)" if len(shared) > 1 else ""
            by = f" of payer {payer}" if payer else ""
            raise Refusal(
                "two versions or exports of one month cannot be added",
                where=f"{one.name} and {other.name}",
                why=f"both have lines of account {account}{more}{by} in {period or 'the same days'}, and {reason}",
                next_step=_NEXT_STEP,
            )


def _no_parts_of_one(
    one: ReportFile, other: ReportFile, files: Iterable[ReportFile], manifests: Mapping[str, str]
) -> str:
    """Why these two are not known as parts of one delivery; "" where they are."""
    if one.name in manifests or other.name in manifests:
        return "" if manifests.get(one.name) == manifests.get(other.name) else "no manifest names both"
    numbers: dict[tuple[str, str], set[int]] = {}
    families = []
    for file in (*files, one, other):
        part = _PART.fullmatch(os.path.basename(file.name))
        family = (os.path.realpath(os.path.dirname(file.name)), part[1] + part[3]) if part else (file.name, "")
        numbers.setdefault(family, set()).add(int(part[2]) if part else 0)
        families.append(family)
    *_, mine, its = families
    if mine != its:
        return "their names are not those of the parts of one export (NAME-00001, NAME-00002, in one folder)"
    if missing := sorted(set(range(1, max(numbers[mine]))) - numbers[mine]):
        return f"of their parts number {missing[0]} is not given"
    if one.columns != other.columns:
        return "their columns differ, as those of one export do not"
    return "most lines of one are in the other, too" if one.lines.repeats(other.lines) else ""


def files_of(manifest: str) -> list[str]:
    """The files that a manifest names, where they are on this machine. Refuses where one is not there."""
    try:
        read = json.loads(Path(manifest).read_bytes())
        keys = (read.get("reportKeys") or read.get("dataFiles")) if isinstance(read, dict) else None
    except ValueError as error:
        raise _no_manifest(manifest, f"it is no JSON: {error}") from error
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise _no_manifest(manifest, "it has no list reportKeys (legacy reports) or dataFiles (Data Exports)")
    found = {key: _on_this_machine(Path(manifest), key) for key in keys}
    if missing := [key for key, path in found.items() if path is None]:
        raise _no_manifest(
            manifest, f"{len(missing)} of the {len(keys)} files that it names are not here: {missing[0]}"
        )
    return [str(path) for path in found.values()]


def _on_this_machine(manifest: Path, key: str) -> Path | None:
    """Beside the manifest, or below one of the folders above it, which are the bucket's."""
    *_, name = parts = key.removeprefix("s3://").split("/")
    tails = [Path(*parts[start:]) for start in range(max(len(parts) - 2, 0))]
    below = (folder / tail for tail in tails for folder in manifest.absolute().parents)
    return next((path for path in (manifest.parent / name, *below) if path.is_file()), None)


def _no_manifest(manifest: str, why: str) -> Refusal:
    return Refusal(
        "the manifest cannot be followed",
        where=manifest,
        why=why,
        next_step="download it and all files that it names again, into one folder or with the folders of the bucket",
    )
