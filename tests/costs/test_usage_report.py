"""Reading exported reports: every form gives the same exact sums, and what is damaged is refused with its place."""

import gzip
import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import permutations
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
from twokeys.costs.usage_report import Ledger, read_csv, read_parquet
from twokeys.errors import Refusal

TEAM = Dimension("tag", "Team")


def costs(*reports: bytes, question: Question | None = None) -> Costs:
    """The bill of one report; several are its parts."""
    parts = {f"report-{number:05}.csv": report for number, report in enumerate(reports, 1)}
    return added(parts if len(reports) > 1 else {"report.csv": reports[0]}, question)


def added(files: dict[str, bytes], question: Question | None = None) -> Costs:
    ledger = Ledger(question or Question(((ACCOUNT,), (SERVICE,), (TEAM,))))
    for name, report in files.items():
        read_csv(io.BufferedReader(io.BytesIO(report)), name, ledger)
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
    with pytest.raises(Refusal, match="columns for are aws:createdBy, Team"):
        costs(legacy(), question=Question(((Dimension("tag", "owner"),),)))
    with pytest.raises(Refusal, match="such as Team"):
        costs(legacy(), question=Question(((Dimension("tag", "Teem"),),)))


def test_a_tag_that_no_line_of_a_map_has_is_all_untagged_and_said_with_the_nearest() -> None:
    found = costs(cur2(), question=Question(((Dimension("tag", "owner"),), (Dimension("tag", "taem"),), (TEAM,))))
    assert amounts(found, 0) == {("",): Decimal(CHARGES)}
    assert found.notes[:2] == ("no line has the tag owner", "no line has the tag taem; team is there")


def test_two_tag_columns_that_differ_only_in_case_are_told_apart_by_the_exact_key() -> None:
    report = legacy().replace(b"resourceTags/aws:createdBy", b"resourceTags/user:team")
    found = costs(report, question=Question(((TEAM,), (Dimension("tag", "team"),))))
    assert amounts(found, 0) == exact(BY_TEAM)
    assert amounts(found, 1) == {("Root:1",): Decimal(CHARGES)}
    assert found.notes[:2] == ("team is a tag of its own, beside Team", "Team is a tag of its own, beside team")
    with pytest.raises(Refusal, match="could be"):
        costs(report, question=Question(((Dimension("tag", "TEAM"),),)))


@pytest.mark.parametrize("report", [legacy(), cur2().replace(b"user_team", b"user:Team")], ids=["columns", "map"])
def test_a_tag_that_is_only_spelled_alike_is_taken_and_named(report: bytes) -> None:
    """Tag keys are case-sensitive: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html."""
    found = costs(report, question=Question(((Dimension("tag", "team"),), (TEAM,), (Dimension("tag", "user:Team"),))))
    assert [amounts(found, place) for place in range(2)] == [exact(BY_TEAM)] * 2
    assert [note for note in found.notes if "tag" in note] == [
        "no line has the tag team; Team, which is spelled alike, is taken for it"
    ]


def test_of_tags_in_a_map_whose_keys_differ_only_in_case_the_exact_one_is_read_and_none_is_guessed() -> None:
    """Tag keys are case-sensitive: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html."""
    lines = [
        '10,USD,Usage,2026-10-01T00:00:00Z,Amazon S3,222222222222,stage,"{""team"": ""web""}"',
        '20,USD,Usage,2026-10-01T01:00:00Z,Amazon S3,222222222222,stage,"{""Team"": ""data""}"',
    ]
    report = "\n".join([FOCUS, *lines]).encode()
    found = costs(report, question=Question(((TEAM,), (Dimension("tag", "team"),))))
    assert [amounts(found, place) for place in range(2)] == [
        exact({("data",): "20", ("",): "10"}),
        exact({("web",): "10", ("",): "20"}),
    ]
    assert found.notes == ("team is a tag of its own, beside Team", "Team is a tag of its own, beside team")
    upper = Question(((Dimension("tag", "TEAM"),),))
    with pytest.raises(Refusal, match=r"the tag TEAM could be Team or team\. Next step: write the key as AWS does"):
        costs(report, question=upper)
    assert amounts(costs("\n".join([FOCUS, lines[0]]).encode(), question=upper), 0) == exact({("web",): "10"})


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
    apart = {"Tax", "Credit", "Refund", "Adjustment"}
    for report, kinds in ((legacy(bill), KINDS), (cur2(bill), KINDS), (of_categories(*CATEGORIES), CATEGORIES)):
        found = costs(report)
        assert (found.total, found.notes) == (2 ** len(kinds) - 1, ())
        of_kinds = {kind: amount for (_, kind), amount in found.apart.items()}
        assert of_kinds == {kind.lower(): 2**n for n, kind in enumerate(kinds) if kind in apart}


def test_a_kind_of_line_that_is_not_known_is_named_and_counts_as_a_charge() -> None:
    found = costs(legacy([Line(STAGE, *EC2, "1", "Rebate")]))
    assert (found.charges, found.notes) == (1, ("lines of a kind that is not known count as charges: Rebate",))


@pytest.mark.parametrize("number", ["12345678901", "12345678901.0"])
def test_an_account_that_was_kept_as_a_number_has_its_12_digits(number: str) -> None:
    """https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html: "such as 012345678901"."""
    assert amounts(costs(legacy([Line(number, *EC2, "1")])), 0) == {("012345678901",): Decimal(1)}


def test_a_blank_cost_counts_as_nothing_and_is_told() -> None:
    found = costs(legacy([*BILL, replace(BILL[0], amount="")]))
    assert found.total == Decimal(TOTAL)
    assert found.notes[0] == "1 line without UnblendedCost: what is blank is 0"


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (legacy()[:-40], "near line|fields of"),
        (gzip.compress(legacy(), mtime=0)[:-10], "damaged or cut off"),
        (gzip.compress(legacy(), mtime=0)[:60] + b"\0" * 40, "damaged or cut off"),
        (b"PK\x03\x04", "ZIP"),
        (b"", "it is empty"),
        (b'<!DOCTYPE html>\n<html lang="en">', "it is a page of HTML or XML"),
        (legacy().decode().encode("utf-16"), "near line 1 it is not UTF-8. Next step: give the file as AWS exported"),
        (legacy().replace(b",", b";"), "no commas separate the columns"),
        (b"a,b\n1,2\n", "no column lineItem/UnblendedCost"),
        (legacy().replace(b"10.5", b"ten"), "line 9"),
        (legacy().replace(b"10.5", b"NaN"), "is NaN"),
        (legacy().replace(b"10.5", b"Infinity"), "is Infinity"),
        (legacy().replace(b"10.5", b"1e-200"), "line 9"),
        (cur2().replace(b'"{""user_team"": ""data""}"', b"{broken"), "line 5"),
        (cur2().replace(b'"{""user_team"": ""data""}"', b"[" * 100_000), "line 5"),
        (cur2().replace(b'"{""product_name"": ""Amazon Simple Storage Service', b'"{product_name'), "line "),
        (legacy().replace(b"web", b"\xff"), "near line 1 it is not UTF-8"),
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


def identified(first: int, count: int, cost: str = "1", *, ids: str = "id", account: str = STAGE) -> bytes:
    """A report with so many lines, an hour each, each with an identity of its own."""
    bill = "identity/LineItemId,identity/TimeInterval,bill/PayerAccountId,bill/BillingPeriodStartDate"
    line = "lineItem/UsageAccountId,lineItem/LineItemType,lineItem/UsageStartDate,lineItem/UsageEndDate"
    lines = [f"{bill},{line},lineItem/ProductCode,lineItem/ResourceId,lineItem/CurrencyCode,lineItem/UnblendedCost"]
    for n in range(first, first + count):
        day, hour = divmod(n % 720, 24)
        start, end = f"2026-10-{day + 1:02}T{hour:02}:00:00Z", f"2026-10-{day + 1:02}T{hour:02}:59:59Z"
        by = f"{ids}{n},{start}/{end},111111111111,2026-10-01T00:00:00Z"
        lines.append(f"{by},{account},Usage,{start},{end},AmazonEC2,i-{n},USD,{cost}")
    return "\n".join(lines).encode()


VERSIONS = "two versions or exports of one month cannot be added"
BY_ONE_ACCOUNT = Question(((ACCOUNT,),))


@pytest.mark.parametrize("count", [1, 10, 5_000])
def test_two_versions_of_one_month_are_not_added_whatever_they_are_called(count: int) -> None:
    """The id "isn't consistent between different Cost and Usage Reports".

    https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html
    """
    older, newer = identified(0, count), identified(0, count + count // 10, ids="new")
    reason = f"both have lines of account {STAGE} of payer 111111111111 in 2026-10, and their names are not"
    for names in (("cur.csv", "cur2.csv"), ("a/cur-00001.csv", "b/cur-00001.csv"), ("cur-1.csv", "cur-2.csv.gz")):
        with pytest.raises(Refusal, match=f"{VERSIONS}.*{reason}"):
            added(dict(zip(names, (older, newer), strict=True)), BY_ONE_ACCOUNT)
    with pytest.raises(Refusal, match=f"{VERSIONS}.*most lines of one are in the other.*Next step: give the manifest"):
        added({"cur-1.csv": older, "cur-2.csv": newer}, BY_ONE_ACCOUNT)


def test_the_parts_of_one_export_are_added_by_the_names_that_aws_gives_them() -> None:
    """https://docs.aws.amazon.com/cur/latest/userguide/understanding-report-versions.html: NAME-FILE_NUMBER."""
    parts = {f"cur-0000{n}.csv": identified(n * 1_000, 1_010) for n in (1, 2, 3)}
    assert added(parts, BY_ONE_ACCOUNT).total == 3_030, "ten lines of each are as a line of the next"
    with pytest.raises(Refusal, match="of their parts number 2 is not given"):
        added({name: part for name, part in parts.items() if "2" not in name}, BY_ONE_ACCOUNT)
    other = parts["cur-00003.csv"].replace(b"lineItem/ResourceId", b"lineItem/Operation")
    with pytest.raises(Refusal, match=r"their columns differ.*Next step: give the manifest \(NAME-Manifest.json\)"):
        added(parts | {"cur-00003.csv": other}, BY_ONE_ACCOUNT)
    with pytest.raises(Refusal, match=r"cur-00001\.csv and cur-00004\.csv\): most lines of one are in the other"):
        added(parts | {"cur-00004.csv": identified(1_000, 900)}, BY_ONE_ACCOUNT)


def test_a_small_last_part_with_lines_that_cost_nothing_and_stand_in_another_part_too_is_added() -> None:
    """The free tier's, say: https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/billing-free-tier.html."""
    free, last = (identified(0, 3, cost="0.0000000000", ids=ids) for ids in ("a", "b"))
    first = free + b"\n" + identified(10, 90).partition(b"\n")[2]
    assert added({"cur-00001.csv": first, "cur-00002.csv": last}, BY_ONE_ACCOUNT).total == 90


def test_files_that_can_have_no_cost_in_common_are_added() -> None:
    month = identified(0, 24)
    others = {
        "other-account.csv": identified(0, 24, account=PROD),
        "other-payer.csv": month.replace(b"111111111111", b"999999999999"),
        "other-month.csv": month.replace(b"2026-10", b"2026-11"),
        "other-days.csv": identified(24, 24),
        "late.csv": month.replace(b"111111111111,2026-10-01", b"111111111111,2026-11-01"),
    }
    for name, other in others.items():
        assert added({"month.csv": month, name: other}, BY_ONE_ACCOUNT).total == 48, name
    for name, other in {
        "one-hour.csv": identified(23, 3, ids="x"),
        "no-payer.csv": month.replace(b"bill/PayerAccountId", b"x"),
        "spreadsheet.csv": re.sub(rb"(2026)-10-(\d\d)T(..:..):..Z", rb"10/\2/\1 \3", month),
        "no-period.csv": month.replace(b"bill/BillingPeriodStartDate", b"x"),
        "no-time.csv": month.replace(b"lineItem/UsageStartDate", b"x").replace(b"bill/BillingPeriod", b"x"),
    }.items():
        for pair in ({"month.csv": month, name: other}, {name: other, "month.csv": month}):
            with pytest.raises(Refusal, match=VERSIONS):
                added(pair, BY_ONE_ACCOUNT)


def test_one_month_of_two_kinds_of_export_is_not_added() -> None:
    day = "2026-10-01T00:00:00Z,2026-10-02T00:00:00Z"
    columns = f"{FOCUS},ChargePeriodEnd,BillingAccountId,BillingPeriodStart"
    focus = f"{columns}\n10,USD,Usage,{day[:20]},Amazon S3,{STAGE},stage,,{day[21:]},111111111111,{day[:20]}"
    legacy = identified(0, 3)
    cur2 = legacy.split(b"\n")[0]
    for spelled, name in ((b"lineItem/", b"line_item_"), (b"bill/", b"bill_"), (b"identity/", b"identity_")):
        cur2 = cur2.replace(spelled, name)
    new = cur2 + b"\n" + b"\n".join(legacy.split(b"\n")[1:]).replace(b"T", b" ").replace(b"Z", b"").replace(b"id", b"x")
    reports = {"legacy.csv": legacy, "cur2.csv": new, "focus.csv": focus.encode()}
    for one, other in permutations(reports, 2):
        with pytest.raises(Refusal, match=VERSIONS):
            added({one: reports[one], other: reports[other]}, BY_ONE_ACCOUNT)
    no_account = focus.replace(STAGE, "").encode()
    with pytest.raises(Refusal, match="both have lines without an account of payer 111111111111 in 2026-10, and"):
        added({"focus.csv": no_account, "focus2.csv": no_account}, BY_ONE_ACCOUNT)


def test_a_line_item_that_stands_twice_in_one_file_is_not_added_twice() -> None:
    """ "unique in a given partition": https://docs.aws.amazon.com/cur/latest/userguide/identity-columns.html"""
    once = identified(0, 20_000)
    again = once.split(b"\n")[8_001]
    with pytest.raises(Refusal, match=r"rows 8001 and 20001 below its header are one line item"):
        costs(once + b"\n" + again, question=BY_ONE_ACCOUNT)
    one, *two = [*identified(0, 1, ids="x").split(b"\n"), *identified(0, 1, ids="y").split(b"\n")[1:] * 2]
    for lines in permutations(two):
        with pytest.raises(Refusal, match=f"rows {lines.index(two[1]) + 1} and .* are one line item"):
            costs(b"\n".join([one, *lines]), question=BY_ONE_ACCOUNT)
    other_cost = again.removesuffix(b"1") + b"2"  # a file may have several partitions
    assert costs(once + b"\n" + other_cost, question=BY_ONE_ACCOUNT).total == 20_002


FOCUS = "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ServiceName,SubAccountId,SubAccountName,Tags"


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
    question = Question(((ACCOUNT,),), date(2026, 10, 1), date(2026, 11, 1))
    days = identified(0, 48)
    note = "of these {} days the report has lines of {}"
    assert costs(days, question=question).notes == (note.format(31, "2 only, 2026-10-01 to 2026-10-02"),)
    assert costs(days, question=replace(question, end=date(2026, 10, 3))).notes == ()
    assert costs(days, question=replace(question, end=date(2026, 10, 4))).notes[0].startswith(note.format(3, "2 only"))
    early = replace(question, first=date(2026, 9, 30), end=date(2026, 10, 3))
    assert costs(days, question=early).notes[0].startswith(note.format(3, "2 only"))
    hole = identified(0, 24) + b"\n" + identified(240, 24).partition(b"\n")[2]
    assert costs(hole, question=BY_ONE_ACCOUNT).notes == (note.format(11, "2 only, 2026-10-01 to 2026-10-11"),)


def test_a_line_of_a_month_says_nothing_of_its_days_unless_all_lines_do() -> None:
    def month(number: int) -> bytes:
        line = identified(0, 1).replace(b"2026-10-01T00:59:59Z", b"2026-%02d-01T00:00:00Z" % (number + 1))
        return line.replace(b"2026-10-01T00", b"2026-%02d-01T00" % number)

    october = Question(((ACCOUNT,),), date(2026, 10, 1), date(2026, 11, 1))
    assert costs(month(10), question=october).notes == ()
    (note,) = costs(month(10), question=replace(october, end=date(2026, 12, 1))).notes
    assert note == "of these days the report has lines of 2026-10 only"
    (note,) = costs(month(10) + b"\n" + identified(5, 1).partition(b"\n")[2], question=october).notes
    assert note == "of these 31 days the report has lines of 1 only, 2026-10-01"


def test_lines_of_focus_that_are_wholly_alike_are_counted_with_their_sum(tmp_path: Path) -> None:
    from pyarrow import csv
    from pyarrow.parquet import write_table

    lines = [f"1.5,USD,Usage,2026-10-01T{n:02}:00:00Z,Amazon S3,222222222222,stage," for n in range(20)]
    once = "\n".join([FOCUS + ",Other", *(f"{line},{n}" for n, line in enumerate(lines))]).encode()
    twice = once + b"\n" + once.partition(b"\n")[2]
    assert costs(once).notes == ()
    (note,) = costs(twice).notes
    assert (
        note == "USD 30.0 of the total, in 20 lines, is as a line before it but for an id: its own cost, or added twice"
    )
    assert costs(twice.removesuffix(b"19") + b"0").notes[0].startswith("USD 28.5 of the total, in 19 lines")
    for report, notes in ((once, 0), (twice, 1)):
        write_table(csv.read_csv(io.BytesIO(report)), tmp_path / "report.parquet")
        ledger = Ledger(Question(((ACCOUNT,),)))
        read_parquet(str(tmp_path / "report.parquet"), ledger)
        assert len(ledger.costs("report.parquet").notes) == notes, "also the columns that nothing else reads count"


def test_two_versions_in_one_file_are_lines_alike_but_for_their_ids() -> None:
    both = identified(0, 100) + b"\n" + identified(0, 110, ids="new").partition(b"\n")[2]
    assert costs(both, question=BY_ONE_ACCOUNT).notes[0].startswith("USD 100 of the total, in 100 lines, is as a line")


def test_lines_that_differ_in_a_column_that_nothing_else_reads_are_not_alike_as_parquet_either(tmp_path: Path) -> None:
    """lineItem/AvailabilityZone: https://docs.aws.amazon.com/cur/latest/userguide/Lineitem-columns.html."""
    from pyarrow import csv
    from pyarrow.parquet import write_table

    header, *lines = identified(0, 2).split(b"\n") + identified(0, 2, ids="b").split(b"\n")[1:]
    zones = [b",us-east-1a", b",us-east-1b", b",us-east-1a", b","]
    report = b"\n".join([header + b",lineItem/AvailabilityZone", *map(bytes.__add__, lines, zones)])
    read = csv.read_csv(io.BytesIO(report))
    for made in (read, read.set_column(12, "lineItem/AvailabilityZone", read.column(12).dictionary_encode())):
        write_table(made, tmp_path / "report.parquet")
        ledger = Ledger(BY_ONE_ACCOUNT)
        read_parquet(str(tmp_path / "report.parquet"), ledger)
        for found in (costs(report, question=BY_ONE_ACCOUNT), ledger.costs("report.parquet")):
            assert [note.partition(" is as")[0] for note in found.notes] == ["USD 1 of the total, in 1 line,"]


def test_a_line_of_a_bill_that_is_of_days_before_it_is_said_where_it_is_left_out_and_adjustments_are_apart() -> None:
    """An Adjustment is what does not "fall into other category values", as Usage and Purchase.

    https://focus.finops.org/focus-specification/v1-2/ (Charge Category)
    """
    lines = [
        f"{FOCUS},ChargeClass,BillingPeriodStart",
        "10,USD,Usage,2026-10-01T00:00:00Z,Amazon S3,222222222222,stage,,,2026-10-01T00:00:00Z",
        "-4,USD,Adjustment,2026-10-01T00:00:00Z,Amazon S3,222222222222,stage,,,2026-10-01T00:00:00Z",
        "-1.00,USD,Usage,2026-09-30T00:00:00Z,Amazon S3,222222222222,stage,,Correction,2026-10-01T00:00:00Z",
        "30,USD,Usage,2026-09-30T00:00:00Z,Amazon S3,222222222222,stage,,,2026-09-01T00:00:00Z",
    ]
    question = Question(((ACCOUNT,),), date(2026, 10, 1), date(2026, 10, 2))
    found = costs("\n".join(lines).encode(), question=question)
    assert (found.charges, found.total, dict(found.apart)) == (10, 6, {("222222222222", "adjustment"): -4})
    assert found.notes == ("1 line of the bills of these days, USD -1.00, is of other days and left out",)


def test_several_payers_are_said() -> None:
    lines = [
        f"{FOCUS},BillingAccountId",
        "10,USD,Usage,2026-10-01T00:00:00Z,Amazon S3,222222222222,stage,,111111111111",
        "20,USD,Usage,2026-10-01T00:00:00Z,Amazon S3,333333333333,prod,,999999999999",
    ]
    found = costs("\n".join(lines).encode(), question=BY_ONE_ACCOUNT)
    assert found.notes == ("the bills of 2 payers are added: 111111111111, 999999999999",)
    assert (found.payers, found.metric) == (("111111111111", "999999999999"), "BilledCost")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("1,USD,Weird", r"line 2: the ChargeCategory 'Weird' is none of Usage, Purchase, Tax, Credit, Adjustment"),
        ("NaN,USD,Usage", "line 2: the BilledCost in it is NaN"),
        ('"1,000",USD,Usage', "line 2: '1,000' is no amount of money"),
    ],
)
def test_a_line_that_focus_does_not_have_is_refused_by_its_column(line: str, why: str) -> None:
    with pytest.raises(Refusal, match=why):
        costs(f"{FOCUS}\n{line},2026-10-01T00:00:00Z,Amazon S3,222222222222,stage,".encode())


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


def test_a_focus_export_is_read_as_what_is_billed_with_aws_s_names_of_columns_and_athena_s(tmp_path: Path) -> None:
    """https://docs.aws.amazon.com/cur/latest/userguide/table-dictionary-focus-1-0-aws.html

    https://docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html: in lower case.
    """
    from pyarrow import csv
    from pyarrow.parquet import write_table

    line = '10,USD,Usage,2026-10-01 00:00:00.000,Amazon S3,222222222222,stage,"{""Team"": ""web""}"'
    aws_s, athena_s = (f"{columns}\n{line}\n".encode() for columns in (FOCUS, FOCUS.lower()))
    write_table(csv.read_csv(io.BytesIO(athena_s)), tmp_path / "report.parquet")
    ledger = Ledger(Question(((ACCOUNT,), (SERVICE,), (TEAM,))))
    read_parquet(str(tmp_path / "report.parquet"), ledger)
    for found in (costs(aws_s), costs(athena_s), ledger.costs("report.parquet")):
        assert amounts(found, 1) == exact({("Amazon S3",): "10"})
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


def test_of_a_report_in_two_currencies_one_can_be_chosen() -> None:
    report = legacy([Line(STAGE, *EC2, "1"), Line(STAGE, *EC2, "3", currency="EUR")])
    with pytest.raises(Refusal, match=r"lines in EUR and USD\. Next step: choose one with --currency"):
        costs(report)
    found = costs(report, question=Question(((ACCOUNT,),), currency="EUR"))
    assert (found.total, found.currency, found.notes[0]) == (Decimal(3), "EUR", "lines in USD are left out")
    with pytest.raises(Refusal, match="lines in CNY, EUR and USD"):
        costs(legacy([Line(STAGE, *EC2, "1", currency=one) for one in ("EUR", "USD", "CNY")]))
    with pytest.raises(Refusal, match="the report has lines in USD and no currency"):
        costs(report.replace(b"EUR", b""))
    with pytest.raises(Refusal, match="and is in GBP; there are lines in EUR and USD"):
        costs(report, question=Question(((ACCOUNT,),), currency="GBP"))
