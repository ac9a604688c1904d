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

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from twokeys.costs.versions import Lines, repeated
from twokeys.errors import Refusal

_PART = re.compile(r"(.+)-(\d{1,5})(\.csv|\.csv\.gz|\.csv\.zip|\.zip|\.snappy\.parquet|\.parquet)")
_WITH = "manifest (NAME-Manifest.json), with the files that it names where they were delivered or beside it"
_THE_MANIFEST = f"give the {_WITH}"
_ONE_VERSION = f"give one version of each month: its {_WITH}, or all its parts as AWS names them, from one folder"

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


def refuse_what_is_in_two(files: Sequence[ReportFile], manifests: Mapping[str, str]) -> None:
    """Refuse two files that may hold the same cost; `manifests` has the manifest that named a file, by its name."""
    deliveries: dict[str, tuple[str, str]] = {}
    exports: dict[tuple[str, str], list[ReportFile]] = {}
    numbers: dict[tuple[str, str], set[int]] = {}
    for file in files:
        delivery = (manifests.get(file.name, file.name), "")
        part = _PART.fullmatch(os.path.basename(file.name))
        if part and file.name not in manifests:
            delivery = (os.path.realpath(os.path.dirname(file.name)), part[1] + part[3])
            exports.setdefault(delivery, []).append(file)
            numbers.setdefault(delivery, set()).add(int(part[2]))
        deliveries[file.name] = delivery
    missing = {export: min(set(range(1, max(its))) - its, default=0) for export, its in numbers.items()}
    for one, other, (account, payer, month) in _meeting(files):
        mine, next_step = deliveries[one.name], _ONE_VERSION
        if mine != deliveries[other.name]:
            reason = "their names are not those of the parts of one export (NAME-00001, NAME-00002, in one folder)"
            if one.name in manifests or other.name in manifests:
                reason = "no manifest names both"
        elif missing.get(mine):
            reason = f"of their parts number {missing[mine]} is not given"
        elif mine in exports and one.columns != other.columns:
            reason, next_step = "their columns differ, as those of one export do not", _THE_MANIFEST
        else:
            continue
        by = f" of payer {payer}" if payer else ""
        lines = f"lines of account {account}" if account else "lines without an account"
        why = f"both have {lines}{by} in {month or 'the same days'}, and {reason}"
        raise _two_versions(one, other, why, next_step)
    for parts in exports.values():
        if pair := repeated([part.lines for part in parts]):
            why = "most lines of one are in the other, too"
            raise _two_versions(parts[pair[0]], parts[pair[1]], why, _THE_MANIFEST)


def _two_versions(one: ReportFile, other: ReportFile, why: str, next_step: str) -> Refusal:
    what = "two versions or exports of one month cannot be added"
    return Refusal(what, where=f"{one.name} and {other.name}", why=why, next_step=next_step)


def _meeting(files: Sequence[ReportFile]) -> Iterator[tuple[ReportFile, ReportFile, tuple[str, str, str]]]:
    """Files that may have the same cost, with its account, payer and month; "" is what none of them says.

    What a file does not say of these may be any. A file that meets several is given with one of them: if it may be
    added to that one, and that one to the others, so may it.
    """
    spans: dict[str, dict[tuple[str, str], list[tuple[str, str, int]]]] = {}
    for place, file in enumerate(files):
        for (account, payer, period), (start, end) in file.spans.items():
            its = spans.setdefault(account, {}).setdefault((payer, _month(period)), [])
            its.append((_moment(start, ""), _moment(end, _AT_ONCE), place))
    for account, bills in sorted(spans.items()):
        payers, months = (sorted(set(names)) for names in zip(*bills, strict=True))
        for payer, month in product(payers, months):
            last, until = -1, ""
            alike = product({payer, ""}, {month, ""})
            for start, end, place in sorted(span for bill in alike for span in bills.get(bill, ())):
                if start < until and place != last:
                    yield files[min(last, place)], files[max(last, place)], (account, payer, month)
                if end > until:
                    last, until = place, end


def _month(period: str) -> str:
    """The month, or "" for what is written in another way than AWS's, as a spreadsheet does."""
    return period if re.fullmatch(r"\d{4}-\d\d", period) else ""


def _moment(text: str, unknown: str) -> str:
    """The second, or `unknown` for a time that is not written as AWS does: it may be any."""
    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return unknown
    second = text.replace(" ", "T")[: len("2026-10-01T00:00:00")]
    return f"{second}{_AT_ONCE}" if text.endswith(_AT_ONCE) else second


def files_of(manifest: str) -> list[str]:
    """The files that a manifest names, where they are on this machine. Refuses where one is not there."""
    try:
        read = json.loads(Path(manifest).read_bytes())
        keys = (read.get("reportKeys") or read.get("dataFiles")) if isinstance(read, dict) else None
    except (ValueError, RecursionError) as error:
        raise _no_manifest(manifest, f"it is no JSON: {error}") from error
    if not isinstance(keys, list) or not keys or not all(isinstance(key, str) for key in keys):
        raise _no_manifest(manifest, "it has no list reportKeys (legacy reports) or dataFiles (Data Exports)")
    if above := [key for key in keys if ".." in key.split("/")]:
        raise _no_manifest(manifest, f"it names what is not below its bucket: {above[0]}")
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
