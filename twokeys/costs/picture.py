"""The picture of a bill: a bar for each account, stacked by service, as one self-contained SVG.

Drawn by pygal. Lengths are floats, since they are pixels; the amounts written beside them are the exact ones.
"""

import sys
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from xml.etree.ElementTree import Element

import pygal  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

from twokeys.costs.breakdown import ACCOUNT, SERVICE, Costs, add
from twokeys.shown import printable

# pygal leaves a finder of the import protocol of old behind, at which Python warns whenever a module is not found.
sys.meta_path[:] = [finder for finder in sys.meta_path if hasattr(finder, "find_spec")]

_SERVICES, _ACCOUNTS = 8, 40
# Okabe and Ito's colours, which colour-blind people tell apart; grey is for the rest.
_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#332288")
_REST = "#999999"
_DARK = """@media (prefers-color-scheme: dark) {
.graph > .background, .plot > .background { fill: #0d1117 !important }
.title, .axis text, .axis text.major, .legends .legend text, text.no_data { fill: #e6edf3 !important }
.axis .line, .axis .major.line { stroke: #e6edf3 !important }
.axis .guide.line { stroke: #484f58 !important }
.color-7 { fill: #9b8cff !important; stroke: #9b8cff !important }
}"""
"""The same picture on a dark screen; the last service's indigo would not be seen there."""


def draw(costs: Costs, title: str) -> str:
    """The SVG: the forty most expensive accounts, the eight most expensive services in colours, the rest as one.

    What is apart (credits, refunds, adjustments, taxes) is not in it. Needs the breakdown by account and service.
    """
    amounts = costs.breakdown(ACCOUNT, SERVICE).amounts
    accounts, services = _highest(amounts, 0, _ACCOUNTS), _highest(amounts, 1, _SERVICES)
    bars = [*accounts, *(["other accounts"] if any(account not in accounts for account, _ in amounts) else [])]
    stacks = [*services, *(["other services"] if any(service not in services for _, service in amounts) else [])]
    cells: dict[tuple[str, str], Decimal] = {}
    for (account, service), amount in amounts.items():
        place = (account if account in accounts else bars[-1], service if service in services else stacks[-1])
        cells[place] = add([cells.get(place, Decimal(0)), amount])
    sums = {bar: add(amount for (account, _), amount in cells.items() if account == bar) for bar in bars}

    colors = (*_COLORS[: len(services)], *((_REST,) if len(stacks) > len(services) else ()))
    chart = pygal.HorizontalStackedBar(
        style=Style(
            colors=colors or (_REST,),
            background="#ffffff",
            plot_background="#ffffff",
            font_family="system-ui, sans-serif",
            label_font_size=13,
            major_label_font_size=13,
            legend_font_size=13,
            title_font_size=17,
            tooltip_font_size=13,
            opacity=1,
            opacity_hover=0.8,
            guide_stroke_color="#cccccc",
            major_guide_stroke_color="#cccccc",
        ),
        css=["file://style.css", "file://graph.css", f"inline:{_DARK}"],
        js=[],  # it would load a script from the network
        no_prefix=True,
        title=title,
        x_title=f"{costs.currency} {money(costs.charges)}, without credits, refunds, adjustments, taxes",
        width=1100,
        height=190 + 34 * len(bars) + 24 * ((len(stacks) + 2) // 3),
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        truncate_label=46,
        truncate_legend=32,
        show_x_guides=False,
        show_y_guides=True,
        spacing=12,
        no_data_text="no costs",
        value_formatter=lambda value: f"{value:,.0f}" if value == 0 or abs(value) >= 10 else f"{value:,.2f}",
    )
    # pygal draws the first bar at the bottom.
    upwards = list(reversed(bars))
    chart.x_labels = [f"{called(bar, costs)}  {money(sums[bar])}" for bar in upwards]
    for stack in stacks:
        lengths = [cells.get((bar, stack)) for bar in upwards]
        chart.add(printable(stack) or "(no service)", [None if amount is None else float(amount) for amount in lengths])
    chart.add_xml_filter(_without_scripts)
    return str(chart.render(is_unicode=True))


def called(account: str, costs: Costs) -> str:
    """An account as people know it: its name and its id."""
    if account in costs.names:
        return printable(f"{costs.names[account]} ({account})")
    return printable(account) or "(no account)"


def money(amount: Decimal) -> str:
    """An amount to the cent, for reading; a smaller one says that it is there."""
    if amount and abs(amount) < Decimal("0.005"):
        return "<0.01" if amount > 0 else ">-0.01"
    return f"{cents(amount):,}"


def cents(amount: Decimal) -> Decimal:
    """An amount rounded to the cent, half a cent up, as people and invoices do."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP, Context(prec=200))


def _without_scripts(svg: Element) -> Element:
    for parent in list(svg.iter()):
        for script in parent.findall("script"):
            parent.remove(script)
    return svg


def _highest(amounts: Mapping[tuple[str, ...], Decimal], place: int, most: int) -> list[str]:
    """The values with the highest sums, where `place` says which part of the key is the value."""
    sums: dict[str, Decimal] = {}
    for key, amount in amounts.items():
        sums[key[place]] = add([sums.get(key[place], Decimal(0)), amount])
    return sorted(sums, key=lambda each: (-sums[each], each))[:most]
