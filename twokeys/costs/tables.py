"""A bill in words: tables for people, data for programs."""

from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from twokeys.costs.breakdown import ACCOUNT, APART, SERVICE, Costs, Dimension, add
from twokeys.costs.picture import called, cents, money
from twokeys.shown import printable, say, show_table

_ROWS = 20


def print_tables(costs: Costs) -> None:
    """Print a table for each breakdown with its highest rows, then what is apart and the total."""
    console = Console()
    payers = "Payers" if len(costs.payers) > 1 else "Payer"
    paid_by = f" {payers}: {', '.join(map(printable, costs.payers))}." if costs.payers else ""
    say(console, f"Metric: {costs.metric}.{paid_by}")
    columns: list[list[Decimal]] = []
    for breakdown in costs.breakdowns:
        say(console, f"By {', '.join(map(str, breakdown.by))}")
        table = Table(show_footer=True)
        for index, dimension in enumerate(breakdown.by):
            table.add_column(Text(str(dimension)), footer="" if index else "Charges", overflow="fold")
        table.add_column(Text(costs.currency), justify="right", footer=money(costs.charges), no_wrap=True)
        table.add_column("share", justify="right", no_wrap=True)
        rows = breakdown.sorted()
        for values, amount in rows[:_ROWS]:
            texts = [Text(_value(each, value, costs)) for each, value in zip(breakdown.by, values, strict=True)]
            table.add_row(*texts, money(amount), _share(amount, costs))
        columns.append([amount for _, amount in rows[:_ROWS]])
        if rest := rows[_ROWS:]:
            amount = add(amount for _, amount in rest)
            columns[-1].append(amount)
            table.add_row(f"{len(rest)} more", *[""] * (len(breakdown.by) - 1), money(amount), _share(amount, costs))
        show_table(console, table)
    say(console, "Apart, and all together")
    apart = Table(show_header=False, show_footer=True)
    apart.add_column(footer="Total")
    apart.add_column(justify="right", footer=Text(f"{costs.currency} {money(costs.total)}"), no_wrap=True)
    apart.add_row("Charges", money(costs.charges))
    columns.append([costs.charges])
    for kind in APART:
        amounts = [amount for (_, each), amount in costs.apart.items() if each == kind]
        if amounts:
            columns[-1].append(add(amounts))
            apart.add_row("Taxes" if kind == "tax" else f"{kind.capitalize()}s", money(columns[-1][-1]))
    show_table(console, apart)
    rounded = "amounts are rounded to the cent and may add up to another than their sum; --json has every digit"
    exact = all(add(map(cents, amounts)) == cents(add(amounts)) for amounts in columns)
    for note in (*costs.notes, *([] if exact else [rounded])):
        say(console, f"Note: {note}.")


def as_data(costs: Costs) -> dict[str, object]:
    """The bill as JSON-ready data: amounts as text with every digit, null where a cost has no such value."""
    return {
        "from": costs.first.isoformat() if costs.first else None,
        "to": costs.end.isoformat() if costs.end else None,
        "metric": costs.metric,
        "payers": costs.payers,
        "files": [{"file": file, "sha256": sha256} for file, sha256 in costs.files],
        "currency": costs.currency,
        "total": _digits(costs.total),
        "charges": _digits(costs.charges),
        "apart": [
            {"account": account, "name": costs.names.get(account), "kind": kind, "amount": _digits(amount)}
            for (account, kind), amount in sorted(costs.apart.items())
        ],
        "breakdowns": [
            {
                "by": [str(each) for each in breakdown.by],
                "rows": [
                    {
                        **{str(each): value or None for each, value in zip(breakdown.by, values, strict=True)},
                        **(
                            {"name": costs.names.get(values[breakdown.by.index(ACCOUNT)])}
                            if ACCOUNT in breakdown.by
                            else {}
                        ),
                        "amount": _digits(amount),
                    }
                    for values, amount in breakdown.sorted()
                ],
            }
            for breakdown in costs.breakdowns
        ],
        "notes": costs.notes,
    }


def _digits(amount: Decimal) -> str:
    return f"{amount:f}"


def _value(dimension: Dimension, value: str, costs: Costs) -> str:
    if dimension == ACCOUNT:
        return called(value, costs)
    return printable(value) or ("(no service)" if dimension == SERVICE else "(untagged)")


def _share(amount: Decimal, costs: Costs) -> str:
    return f"{amount / costs.charges:.1%}" if costs.charges else ""
