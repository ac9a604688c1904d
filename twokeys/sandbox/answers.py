"""What can be asked of the demo's stacks: each command, run on their states as a reader would run it."""

import csv
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

import click

from twokeys.audit.commands import audit
from twokeys.costs.commands import costs
from twokeys.errors import Refusal
from twokeys.map.commands import map_
from twokeys.profiles.commands import profiles
from twokeys.sandbox.box import surroundings

_BILL: Final = (
    ("Amazon Elastic Compute Cloud", "AmazonEC2", ("41.20", "312.75")),
    ("Amazon Simple Storage Service", "AmazonS3", ("3.15", "28.40")),
    ("AWS Key Management Service", "awskms", ("1.00", "1.00")),
)
"""Service name and code, with what it costs on stage and on prod: invented, for nothing was used."""
_COLUMNS: Final = (
    "identity/LineItemId",
    "lineItem/UsageAccountId",
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/ProductCode",
    "lineItem/CurrencyCode",
    "lineItem/UnblendedCost",
    "lineItem/BlendedCost",
    "lineItem/LineItemDescription",
    "product/ProductName",
    "resourceTags/user:environment",
)
"""https://docs.aws.amazon.com/cur/latest/userguide/data-dictionary.html"""


def ask(states: Iterable[Path], folder: Path, picture: Path, outputs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Run each command in `folder`, where it leaves its pages; what did not go well, as sentences.

    `picture` is where the organization is drawn (SVG), `outputs` those of each stack by its name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _invent_a_bill(folder / "bill.csv", outputs)
    failed = []
    given = [part for path in states for part in ("--state", str(path))]
    people = sorted(name for one in outputs.values() for name in one.get("user_arns", {}))
    with chdir(folder), surroundings({"AWS_CONFIG_FILE": str(folder / "aws-config")}):
        for command, arguments in _questions(people, picture):
            shown = f"twokeys {shlex.join(arguments)}"
            click.echo(f"\n$ {shown} --state ...")
            try:
                code = command.main([*arguments, *given], prog_name="twokeys", standalone_mode=False)
            except click.exceptions.Exit as ended:
                code = ended.exit_code
            except Refusal as refusal:
                failed.append(f"`{shown}` was refused: {refusal}")
                continue
            if code:
                failed.append(f"`{shown}` ended with {code}")
    return failed


def _questions(people: list[str], picture: Path) -> Iterator[tuple[click.Command, list[str]]]:
    """Each command with its arguments; the states come after them."""
    yield _under_twokeys("audit", audit), ["audit", "prod", "--html", "audit.html"]
    if people:
        for written in ([], ["--page", "ways-in.html"]):
            yield _under_twokeys("profiles", profiles), ["profiles", "--person", people[0], *written]
    yield _under_twokeys("map", map_), ["map", "--html", "map.html", "--svg", str(picture)]
    bill = ["costs", "--file", "bill.csv", "--picture", "bill.svg", "--by", "account", "--by", "service"]
    yield _under_twokeys("costs", costs), [*bill, "--by", "tag:environment"]


def _under_twokeys(name: str, command: click.Command) -> click.Group:
    """The command under `twokeys`, so that its messages name it as the reader calls it."""
    return click.Group("twokeys", commands={name: command})


def _invent_a_bill(path: Path, outputs: Mapping[str, Mapping[str, Any]]) -> None:
    """A cost and usage report as AWS exports it, for the accounts that there are; nothing in them cost anything."""
    accounts = {
        account: stack for stack, one in outputs.items() for account in one.get("member_account_ids", {}).values()
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        for number, (account, stack) in enumerate(accounts.items()):
            for service, code, amounts in _BILL:
                amount = amounts[0 if stack == "stage" else 1] if stack != "management" else "0.50"
                day = "2026-10-01T00:00:00Z"
                line = (f"{code}-{number}", account, "Usage", day, code, "USD", amount, amount, "invented", service)
                rows.writerow((*line, stack if stack != "management" else "shared"))
