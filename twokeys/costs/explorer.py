"""Asking the Cost Explorer API.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html: it groups by two keys at
most, so one call asks for accounts by kind of record (what is apart and what is not), and one more for each breakdown.
Every page of an answer costs $0.01; throttling is the SDK's business (its adaptive retry mode).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from twokeys.costs.breakdown import ACCOUNT, METRIC, ZERO, Breakdown, Costs, Dimension, Question, add, kind_of
from twokeys.errors import Refusal
from twokeys.loopback import is_loopback

if TYPE_CHECKING:
    from types_boto3_ce import CostExplorerClient
    from types_boto3_ce.type_defs import GetCostAndUsageRequestTypeDef, GetCostAndUsageResponseTypeDef

_WHERE = "Cost Explorer"
_ROUNDING = Decimal("0.01")
"""Cost Explorer rounds each group that it returns, so that two ways of grouping may differ by a hair."""
_SECONDS_TO_CONNECT = 5
"""botocore waits a minute for each of its tries; without a network that is several minutes."""


def client(profile: str | None = None) -> CostExplorerClient:
    """A client for the one region that Cost Explorer has. Raises BotoCoreError for a profile that is not there."""
    config = Config(connect_timeout=_SECONDS_TO_CONNECT, retries={"mode": "adaptive", "max_attempts": 5})
    return boto3.Session(profile_name=profile).client("ce", region_name="us-east-1", config=config)


def ask(explorer: CostExplorerClient, question: Question) -> Costs:
    """The bill of the question's days, which must be bounded.

    Refuses a breakdown by more than two dimensions, before anything is asked and paid for.
    """
    for by in question.breakdowns:
        if len(by) > 2:
            raise Refusal(
                "the costs cannot be broken down like that",
                where=f"--by {','.join(map(str, by))}",
                why="the Cost Explorer API groups by two keys at most",
                next_step="use two, or give an exported report with --file, which has no such limit",
            )
    conversation = _Conversation(explorer, question)
    records = conversation.groups([_definition(ACCOUNT), {"Type": "DIMENSION", "Key": "RECORD_TYPE"}])
    charges = add(amount for (_, record), amount in records.items() if not kind_of(record))
    apart: dict[tuple[str, str], Decimal] = {}
    for (account, record), amount in records.items():
        if kind := kind_of(record):
            apart[account, kind] = add([apart.get((account, kind), ZERO), amount])
    others = sorted({record for _, record in records if kind_of(record)})
    used = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": others}}} if others else None

    def broken_down(by: tuple[Dimension, ...]) -> Breakdown:
        definitions = [_definition(each) for each in by]
        groups = conversation.groups(definitions, used)
        found = Breakdown(by, {_values(by, keys): amount for keys, amount in groups.items()})
        if abs(found.total - charges) > _ROUNDING:
            raise Refusal(
                "the costs do not add up",
                where=_WHERE,
                why=f"the breakdown by {', '.join(map(str, by))} comes to {found.total}, against charges of {charges}",
                next_step="run the command again: AWS may have updated the bill in between. If it stays so, report it",
            )
        return found

    return Costs(
        currency=conversation.currency(),
        charges=charges,
        breakdowns=tuple(broken_down(by) for by in question.breakdowns),
        apart=apart,
        names=conversation.names,
        first=question.first,
        end=question.end,
        notes=(
            *(("AWS still estimates these days; the final bill may differ",) if conversation.estimated else ()),
            f"{conversation.pages} Cost Explorer pages, $0.01 each",
        ),
    )


class _Conversation:
    """Calls about the same days, and what their answers say beside the amounts."""

    def __init__(self, explorer: CostExplorerClient, question: Question) -> None:
        self._explorer = explorer
        self._period = {"Start": str(question.first), "End": str(question.end)}
        self._currencies: set[str] = set()
        self.names: dict[str, str] = {}
        self.estimated = False
        self.pages = 0

    def groups(
        self, definitions: list[dict[str, str]], expression: dict[str, Any] | None = None
    ) -> dict[tuple[str, ...], Decimal]:
        """The amounts of the whole period by the keys of their group."""
        amounts: dict[tuple[str, ...], Decimal] = {}
        for page in self._pages(GroupBy=definitions, **({"Filter": expression} if expression else {})):
            for result in page["ResultsByTime"]:
                for group in result.get("Groups", []):
                    keys = tuple(group["Keys"])
                    amounts[keys] = add([amounts.get(keys, ZERO), self._amount(group["Metrics"])])
        return amounts

    def currency(self) -> str:
        """The one currency of all answers."""
        if len(self._currencies) != 1:
            raise _failed(f"it answered in the currencies {', '.join(sorted(self._currencies)) or '(none)'}")
        return next(iter(self._currencies))

    def _amount(self, metrics: Any) -> Decimal:  # noqa: ANN401 - a shape of the SDK
        value = metrics[METRIC]
        self._currencies.add(value["Unit"])
        return Decimal(value["Amount"])

    def _pages(self, **request: Any) -> Iterator[GetCostAndUsageResponseTypeDef]:  # noqa: ANN401
        token: dict[str, str] = {}
        while True:
            self.pages += 1
            whole = {"TimePeriod": self._period, "Granularity": "MONTHLY", "Metrics": [METRIC], **request, **token}
            try:
                page = self._explorer.get_cost_and_usage(**cast("GetCostAndUsageRequestTypeDef", whole))
            except ClientError as error:
                local = "a local AWS has no bill: " if is_loopback(self._explorer.meta.endpoint_url) else ""
                raise _failed(f"{local}{error}") from error
            for each in page.get("DimensionValueAttributes", []):
                if description := each.get("Attributes", {}).get("description"):
                    self.names[each.get("Value", "")] = description
            self.estimated |= any(result.get("Estimated", False) for result in page["ResultsByTime"])
            yield page
            if not page.get("NextPageToken"):
                return
            token = {"NextPageToken": page["NextPageToken"]}


def _definition(dimension: Dimension) -> dict[str, str]:
    if dimension.kind == "tag":
        return {"Type": "TAG", "Key": dimension.key}
    return {"Type": "DIMENSION", "Key": {"account": "LINKED_ACCOUNT", "service": "SERVICE"}[dimension.kind]}


def _values(by: tuple[Dimension, ...], keys: tuple[str, ...]) -> tuple[str, ...]:
    """A tag's group is called `KEY$value`, with nothing after the sign for what has no such tag."""
    return tuple(
        value.removeprefix(f"{each.key}$") if each.kind == "tag" else value
        for each, value in zip(by, keys, strict=True)
    )


def _failed(why: str) -> Refusal:
    return Refusal(
        "Cost Explorer did not answer",
        where=_WHERE,
        why=why,
        next_step="use credentials of the management account that allow ce:GetCostAndUsage, with Cost Explorer on; "
        "or give an exported report with --file",
    )
