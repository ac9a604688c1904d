"""Reading exported reports: every form gives the same exact sums, and what is damaged is refused with its place."""

import gzip
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.costs.bills import (
    APART,
    BILL,
    BY_ACCOUNT,
    BY_SERVICE,
    BY_TEAM,
    CHARGES,
    EC2,
    PROD,
    STAGE,
    TOTAL,
    Line,
    cur2,
    legacy,
)
from twokeys.costs.breakdown import ACCOUNT, SERVICE, Costs, Dimension, Question
from twokeys.costs.report import Ledger, read_csv, read_parquet
from twokeys.errors import Refusal

TEAM = Dimension("tag", "Team")


def costs(*reports: bytes, question: Question | None = None) -> Costs:
    ledger = Ledger(question or Question(((ACCOUNT,), (SERVICE,), (TEAM,))))
    for report in reports:
        read_csv(io.BufferedReader(io.BytesIO(report)), "report.csv", ledger)
    return ledger.costs("report.csv")


def amounts(found: Costs, index: int) -> dict[tuple[str, ...], Decimal]:
    return dict(found.breakdowns[index].amounts)


def exact(texts: dict[tuple[str, ...], str]) -> dict[tuple[str, ...], Decimal]:
    return {key: Decimal(text) for key, text in texts.items()}


def by_the_pencil(found: Costs) -> None:
    assert [amounts(found, place) for place in range(3)] == [exact(by) for by in (BY_ACCOUNT, BY_SERVICE, BY_TEAM)]
    assert (found.charges, found.total, found.currency) == (Decimal(CHARGES), Decimal(TOTAL), "USD")
    assert dict(found.apart) == exact(APART)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "report",
    [legacy(), legacy(end="\n"), cur2(), gzip.compress(legacy()), gzip.compress(cur2()), b"\xef\xbb\xbf" + legacy()],
    ids=["legacy", "legacy-lf", "cur2", "legacy-gzip", "cur2-gzip", "legacy-bom"],
)
def test_every_form_of_a_report_gives_the_sums_that_a_pencil_gives(report: bytes) -> None:
    by_the_pencil(costs(report))


def test_a_parquet_report_gives_the_same_sums(tmp_path: Path) -> None:
    from pyarrow import array, binary, float64, map_, string, table, timestamp
    from pyarrow.parquet import write_table

    days = array([f"{line.day}T00:00:00" for line in BILL]).cast(timestamp("ms"))
    tags = array([[("user_team", line.team)] if line.team else [] for line in BILL], map_(string(), string()))
    columns = {
        "line_item_usage_account_id": array([line.account for line in BILL]),
        "line_item_line_item_type": array([line.kind for line in BILL]),
        "line_item_usage_start_date": days,
        "line_item_product_code": array([line.code for line in BILL]),
        "line_item_currency_code": array([line.currency for line in BILL]),
        # The dictionary says double: https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-line-item.html
        "line_item_unblended_cost": array([float(line.amount) for line in BILL], float64()),
        "product_product_name": array([line.service for line in BILL]),
        "resource_tags": tags,
        "bill_invoice_id": array(["x"] * len(BILL)),
    }
    file = tmp_path / "report.parquet"
    write_table(table(columns), file, row_group_size=3)
    told: list[dict[str, float]] = []
    ledger = Ledger(Question(((ACCOUNT,), (SERVICE,), (TEAM,)), first=date(2026, 10, 1), end=date(2026, 11, 1)))
    read_parquet(str(file), ledger, lambda **done: told.append(done))
    found = ledger.costs("report.parquet")
    by_the_pencil(found)
    assert told[-1] == {"completed": 1}
    texts = {name: one.cast(binary()) for name, one in columns.items() if one.type == string()}
    write_table(table({**columns, **texts, "resource_tags": tags}), file)  # as tools write it that mark no text
    ledger = Ledger(ledger.question)
    read_parquet(str(file), ledger)
    by_the_pencil(ledger.costs("report.parquet"))
    write_table(table({**columns, "resource_tags": array([["user_team=web"]] * len(BILL))}), file)
    with pytest.raises(Refusal, match="not a map"):
        read_parquet(str(file), Ledger(ledger.question))
    (tmp_path / "cut.parquet").write_bytes(file.read_bytes()[:-100])
    with pytest.raises(Refusal, match="damaged"):
        read_parquet(str(tmp_path / "cut.parquet"), ledger)


def test_days_are_from_the_first_to_before_the_end() -> None:
    # As the API counts: https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_DateInterval.html
    bounded = Question(((ACCOUNT,),), first=date(2026, 10, 2), end=date(2026, 10, 31))
    assert amounts(costs(legacy(), question=bounded), 0) == {(STAGE,): Decimal("0.2")}
    late = Question(((ACCOUNT,),), first=date(2026, 10, 31))
    with pytest.raises(Refusal, match="'soon' is no day"):
        costs(legacy().replace(b"2026-10-01T00:00:00Z", b"soon"), question=bounded)
    assert amounts(costs(cur2(), question=late), 0) == {(PROD,): Decimal("10.5")}
    with pytest.raises(Refusal, match="nothing to break down"):
        costs(legacy(), question=Question(((ACCOUNT,),), first=date(2027, 1, 1)))


@pytest.mark.parametrize("day", [b"2026-13-31", b"9999-12-31"])
def test_a_day_that_no_calendar_has_or_that_none_follows_is_refused(day: bytes) -> None:
    with pytest.raises(Refusal, match="begins on no day of a bill"):
        costs(legacy().replace(b"2026-10-31T00:00:00Z", day + b"T00:00:00Z"))


def test_a_tag_that_aws_made_is_asked_for_by_its_whole_key() -> None:
    # `aws:createdBy`: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/aws-tags.html
    found = costs(legacy(), question=Question(((Dimension("tag", "aws:createdBy"),),)))
    assert amounts(found, 0) == {("Root:1",): Decimal(CHARGES)}


def test_a_tag_without_a_column_is_refused_and_the_columns_are_named() -> None:
    with pytest.raises(Refusal, match="resourceTags/aws:createdBy, resourceTags/user:Team"):
        costs(legacy(), question=Question(((Dimension("tag", "owner"),),)))
    with pytest.raises(Refusal, match="such as resourceTags/user:Team"):
        costs(legacy(), question=Question(((Dimension("tag", "Teem"),),)))


def test_a_tag_that_no_line_of_a_map_has_is_all_untagged_and_said_with_the_nearest() -> None:
    found = costs(cur2(), question=Question(((Dimension("tag", "owner"),), (Dimension("tag", "taem"),), (TEAM,))))
    assert amounts(found, 0) == {("",): Decimal(CHARGES)}
    assert found.notes == ("no line has the tag owner", "no line has the tag taem; team is there")


def test_two_tag_columns_that_differ_only_in_case_are_told_apart_by_the_exact_key() -> None:
    report = legacy().replace(b"resourceTags/aws:createdBy", b"resourceTags/user:team")
    found = costs(report, question=Question(((TEAM,), (Dimension("tag", "team"),))))
    assert amounts(found, 0) == exact(BY_TEAM)
    assert amounts(found, 1) == {("Root:1",): Decimal(CHARGES)}
    with pytest.raises(Refusal, match="could be"):
        costs(report, question=Question(((Dimension("tag", "TEAM"),),)))


def test_all_kinds_of_tags_in_one_column_are_read_as_resource_tags() -> None:
    # https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-cur2-tag-columns.html
    report = cur2().replace(b"resource_tags", b"tags").replace(b"user_team", b"resourceTags/team")
    found = costs(report, question=Question(((Dimension("tag", "team"),),)))
    assert amounts(found, 0) == exact(BY_TEAM)
    assert amounts(costs(report, question=Question(((Dimension("tag", "accountTag/team"),),))), 0).keys() == {("",)}


# https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html (`lineItem/LineItemType`)
KINDS = (
    *("Usage", "DiscountedUsage", "Fee", "RIFee", "Tax", "Credit", "Refund", "BundledDiscount", "EdpDiscount"),
    *("SavingsPlanUpfrontFee", "SavingsPlanRecurringFee", "SavingsPlanCoveredUsage", "SavingsPlanNegation"),
)
# https://focus.finops.org/focus-specification/v1-2/ (Charge Category)
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")


def of_categories(*categories: str) -> bytes:
    lines = [f"{2**number},USD,{one},2026-10-01T00:00:00Z,Amazon S3,1,a," for number, one in enumerate(categories)]
    return "\n".join([FOCUS, *lines]).encode()


def test_the_sum_of_lines_of_every_kind_is_that_of_the_file() -> None:
    bill = [Line(STAGE, *EC2, str(2**number), kind) for number, kind in enumerate(KINDS)]
    for report, kinds in ((legacy(bill), KINDS), (cur2(bill), KINDS), (of_categories(*CATEGORIES), CATEGORIES)):
        found = costs(report)
        assert (found.total, found.notes) == (2 ** len(kinds) - 1, ())
        of_kinds = {kind: amount for (_, kind), amount in found.apart.items()}
        assert of_kinds == {kind.lower(): 2**n for n, kind in enumerate(kinds) if kind in {"Tax", "Credit", "Refund"}}


def test_a_kind_of_line_that_is_not_known_is_named_and_counts_as_a_charge() -> None:
    for report in (legacy([Line(STAGE, *EC2, "1", "Rebate")]), of_categories("Rebate")):
        found = costs(report)
        assert (found.charges, found.notes) == (1, ("lines of a kind that is not known count as charges: Rebate",))


def test_the_bills_of_several_payers_are_added_and_said() -> None:
    one, other = (
        cur2([BILL[number]]).replace(b"111111111111", payer) for number, payer in ((0, b"1" * 12), (3, b"9" * 12))
    )
    assert costs(one).notes == ()
    assert costs(one, other).notes == ("the bills of 2 payers are added: 111111111111, 999999999999",)


def test_currencies_are_never_added() -> None:
    mixed = legacy([*BILL, replace(BILL[0], currency="EUR", amount="7")])
    with pytest.raises(Refusal, match="EUR and USD"):
        costs(mixed)


@pytest.mark.parametrize("number", ["12345678901", "12345678901.0"])
def test_an_account_that_was_kept_as_a_number_has_its_12_digits(number: str) -> None:
    """https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html: "such as 012345678901"."""
    assert amounts(costs(legacy([Line(number, *EC2, "1")])), 0) == {("012345678901",): Decimal(1)}


def test_a_blank_cost_counts_as_nothing_and_is_told() -> None:
    found = costs(legacy([*BILL, replace(BILL[0], amount="")]))
    assert found.total == Decimal(TOTAL)
    assert found.notes == ("1 lines have no UnblendedCost; they count as 0",)


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (legacy()[:-40], "near line|fields of"),
        (gzip.compress(legacy(), mtime=0)[:-10], "damaged or cut off"),
        (gzip.compress(legacy(), mtime=0)[:60] + b"\0" * 40, "damaged or cut off"),
        (b"PK\x03\x04", "ZIP"),
        (b"", "it is empty"),
        (b'<!DOCTYPE html>\n<html lang="en">', "it is an HTML page"),
        (b"a,b\n1,2\n", "no column lineItem/UnblendedCost"),
        (legacy().replace(b"10.5", b"ten"), "line 9"),
        (legacy().replace(b"10.5", b"NaN"), "is NaN"),
        (legacy().replace(b"10.5", b"Infinity"), "is Infinity"),
        (legacy().replace(b"10.5", b"1e-200"), "line 9"),
        (cur2().replace(b'"{""user_team"": ""data""}"', b"{broken"), "line 5"),
        (cur2().replace(b'"{""product_name"": ""Amazon Simple Storage Service', b'"{product_name'), "line "),
        (legacy().replace(b"web", b"\xff"), "near line"),
        (legacy().replace(STAGE.encode(), b"2.22222E+11"), "line 3: the account 2.22222E\\+11 was rounded"),
    ],
)
def test_a_damaged_report_is_refused_and_says_where(report: bytes, why: str) -> None:
    with pytest.raises(Refusal, match=why) as refused:
        costs(report)
    assert refused.value.where == "report.csv"


_amount = st.decimals(min_value=-(10**9), max_value=10**9, places=10, allow_nan=False)
_line = st.builds(
    Line,
    account=st.sampled_from([STAGE, PROD, ""]),
    code=st.sampled_from(["AmazonEC2", "AmazonS3", ""]),
    service=st.just(""),
    amount=_amount.map(str),
    kind=st.sampled_from(["Usage", "Tax", "Credit", "Refund", "Fee", "EdpDiscount"]),
    team=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3),
)


@given(lines=st.lists(_line, min_size=1, max_size=30))
def test_no_digit_is_ever_lost(lines: list[Line]) -> None:
    found = costs(legacy(lines))
    # An independent way to the same sum: whole numbers of the smallest unit.
    units = sum(int(Decimal(line.amount).scaleb(10)) for line in lines)
    assert found.total.scaleb(10) == units
    assert all(each.total == found.charges for each in found.breakdowns)


def identified(first: int, count: int, cost: str = "1") -> bytes:
    """A report with so many lines, each with an identity of its own."""
    header = (
        "identity/LineItemId,identity/TimeInterval,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/ProductCode"
    )
    lines = [f"{header},lineItem/CurrencyCode,lineItem/UnblendedCost"]
    lines += [
        f"id{n},2026-10-01/2026-10-02,222222222222,Usage,AmazonEC2,USD,{cost}" for n in range(first, first + count)
    ]
    return "\n".join(lines).encode()


# https://docs.aws.amazon.com/cur/latest/userguide/cur-versioning.html
@pytest.mark.parametrize("count", [1, 10, 5_000])
def test_two_versions_of_one_month_are_not_added(count: int) -> None:
    with pytest.raises(Refusal, match="two versions of one report"):
        costs(identified(0, count), identified(0, count + count // 10, "1.5"), question=Question(((ACCOUNT,),)))


def test_two_forms_of_one_bill_are_not_added_and_those_of_other_days_or_accounts_are() -> None:
    """An export of each form may be set up beside the others: https://docs.aws.amazon.com/cur/latest/userguide/what-is-data-exports.html"""
    question = Question(((ACCOUNT,),))
    with pytest.raises(Refusal, match=r"it is CUR 2.0, and .* is a legacy report of the same days"):
        costs(legacy(), cur2(), question=question)
    later = [replace(line, day=line.day.replace("-10-", "-12-")) for line in BILL]
    assert costs(legacy(), cur2(later), question=question).total == 2 * Decimal(TOTAL)
    ours = [line for line in BILL if line.account == STAGE]
    theirs = [line for line in BILL if line.account == PROD]
    assert costs(legacy(ours), cur2(theirs), question=question).total == Decimal(TOTAL)


def test_a_line_item_that_stands_twice_in_one_file_is_not_added_twice() -> None:
    """ "unique in a given partition": https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html"""
    report = identified(0, 20_000)
    again = report.split(b"\n")[8_001]
    with pytest.raises(Refusal, match="number 8001 and 20001 are one line item"):
        costs(report + b"\n" + again, question=Question(((ACCOUNT,),)))
    other_cost = again.removesuffix(b"1") + b"2"  # "unique in a given partition", and a file may have several
    assert costs(report + b"\n" + other_cost, question=Question(((ACCOUNT,),))).total == 20_002


def test_the_files_of_one_version_are_added_also_where_they_share_a_line_item_s_id() -> None:
    found = costs(identified(0, 3_000), identified(2_990, 3_000), question=Question(((ACCOUNT,),)))
    assert found.total == 6_000


FOCUS = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ServiceName,SubAccountId,SubAccountName,Tags"


def test_a_focus_export_is_read_as_what_is_billed() -> None:
    # https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-0-aws.html
    lines = [
        FOCUS,
        '10,USD,Usage,2026-10-01T00:00:00Z,Amazon Elastic Compute Cloud,222222222222,stage,"{""Team"": ""web""}"',
        "-2,USD,Credit,2026-10-01T00:00:00Z,Amazon Elastic Compute Cloud,222222222222,stage,",
    ]
    found = costs("\n".join(lines).encode())
    assert (found.charges, found.total) == (10, 8)
    assert amounts(found, 1) == exact({("Amazon Elastic Compute Cloud",): "10"})
    assert amounts(found, 2) == exact({("web",): "10"})
    assert found.names == {"222222222222": "stage"}


NEWER = (  # https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-2-aws-columns.html
    "BillingAccountType,CapacityReservationId,CapacityReservationStatus,CommitmentDiscountQuantity,"
    "CommitmentDiscountUnit,InvoiceId,PricingCurrency,PricingCurrencyContractedUnitPrice,PricingCurrencyEffectiveCost,"
    "PricingCurrencyListUnitPrice,ServiceSubcategory,SkuMeter,SkuPriceDetails,SubAccountType"
)


def test_the_columns_that_focus_1_2_adds_change_nothing_of_what_is_billed() -> None:
    line = "10,USD,Usage,2026-10-01T00:00:00Z,Amazon S3,222222222222,stage," + "," * NEWER.count(",") + ","
    found = costs(f"{FOCUS},{NEWER}\n{line}".encode())
    assert (found.charges, found.total) == (10, 10)


def test_of_days_of_which_the_report_has_no_line_it_is_said_which_it_has() -> None:
    question = Question(((ACCOUNT,),), date(2026, 9, 1), date(2026, 12, 1))
    lines = [Line(STAGE, *EC2, "1", day=f"2026-{day}") for day in ("10-31", "11-01")]
    (note,) = costs(legacy(lines), question=question).notes
    assert note == "of these days the report's lines begin on 2026-10-31 to 2026-11-01 only"
    whole = replace(question, first=date(2026, 10, 1), end=date(2026, 12, 1))
    assert costs(legacy(lines), question=whole).notes == (), "a report by month has one day of each"


def test_two_versions_of_one_month_are_not_added_where_focus_names_no_line_item() -> None:
    def version(hours: int, name: str = "stage") -> bytes:
        lines = [f"1,USD,Usage,2026-10-01T{n:02}:00:00Z,Amazon S3,222222222222,{name}," for n in range(hours)]
        return "\n".join([FOCUS, *lines]).encode()

    twice = version(20).partition(b"\n")[2]
    assert costs(version(20) + b"\n" + twice).total == 40, "FOCUS has no line item: two lines may be alike"

    with pytest.raises(Refusal, match="two versions of one report"):
        costs(version(20), version(24, "renamed"))
    other_account = version(24).replace(b"222222222222", b"333333333333")
    assert costs(version(20), other_account).total == 44


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        (FOCUS.replace("ChargeCategory", "ChargeType"), r"FOCUS 0\.5 export"),
        (FOCUS.replace("ServiceName,", ""), "FOCUS export without ServiceName"),
        (FOCUS.replace("BilledCost,", ""), "FOCUS export without BilledCost"),
    ],
)
def test_a_focus_export_that_cannot_answer_is_refused_by_name(columns: str, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        costs(columns.encode())


def test_a_focus_export_is_read_with_the_names_that_athena_gives_its_columns(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html: in lower case."""
    from pyarrow import csv
    from pyarrow.parquet import write_table

    line = '10,USD,Usage,2026-10-01 00:00:00.000,Amazon S3,222222222222,stage,"{""Team"": ""web""}"'
    report = f"{FOCUS.lower()}\n{line}\n".encode()
    write_table(csv.read_csv(io.BytesIO(report)), tmp_path / "report.parquet")
    ledger = Ledger(Question(((ACCOUNT,), (SERVICE,), (TEAM,))))
    read_parquet(str(tmp_path / "report.parquet"), ledger)
    for found in (costs(report), ledger.costs("report.parquet")):
        assert amounts(found, 2) == exact({("web",): "10"})
        assert found.names == {"222222222222": "stage"}


def test_a_map_as_athena_prints_it_is_refused_with_how_to_select_it() -> None:
    """https://docs.aws.amazon.com/athena/latest/ug/querying-maps.html: `{team=a, b=c}` may be one tag or two."""
    report = cur2(BILL[:1]).replace(b'{""user_team"": ""web""}', b"{user_team=web}")
    select = r"select it in Athena as json_format\(CAST\({0} AS JSON\)\) AS {0}, or"
    with pytest.raises(Refusal, match=r"is not a map in JSON\. Next step: " + select.format("resource_tags")):
        costs(report)
    line = "10,USD,Usage,2026-10-01,Amazon S3,222222222222,stage,{}"
    with pytest.raises(Refusal, match=select.format("tags")):
        costs(f"{FOCUS.lower()}\n{line.format('{Team=web}')}".encode())
    with pytest.raises(Refusal, match=r"is not a map in JSON\. Next step: download the report again"):
        costs(cur2(BILL[:1]).replace(b'{""user_team"": ""web""}', b'{""user_team"": ""a=b'))


def test_a_line_without_a_currency_is_named_so_beside_another_one() -> None:
    with pytest.raises(Refusal, match="the report has lines in USD and no currency"):
        costs(legacy([Line(STAGE, *EC2, "1"), Line(STAGE, *EC2, "0", currency="")]))
