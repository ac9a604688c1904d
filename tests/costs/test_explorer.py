"""Asking Cost Explorer: the SDK's real client, over the wire, pages and throttling included."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.costs.bills import BILL, STAGE, TOTAL
from tests.costs.explorer_server import Explorer, serving
from tests.costs.test_usage_report import TEAM, amounts, by_the_pencil
from twokeys.costs import explorer
from twokeys.costs.breakdown import ACCOUNT, SERVICE, Costs, Question
from twokeys.errors import Refusal

OCTOBER = {"first": date(2026, 10, 1), "end": date(2026, 11, 1)}


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "111111111111")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def ask(served: Explorer, monkeypatch: pytest.MonkeyPatch, **question: Any) -> Costs:
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.endpoint)
    by = question.pop("breakdowns", ((ACCOUNT,), (SERVICE,), (TEAM,), (ACCOUNT, TEAM)))
    return explorer.ask(explorer.client(), Question(by, **{**OCTOBER, **question}))


def test_the_api_gives_what_the_exported_report_of_the_same_bill_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Explorer(BILL)) as served:
        found = ask(served, monkeypatch)
    by_the_pencil(found)
    assert amounts(found, 3)[STAGE, "web"] == Decimal("0.3")
    assert found.names == {STAGE: "Staging"}


def test_every_request_is_one_that_the_api_takes_and_every_page_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Explorer(BILL, page=1)) as served:
        found = ask(served, monkeypatch)
    assert all(len(each.get("GroupBy", [])) <= 2 for each in served.requests)
    assert {each["TimePeriod"]["Start"] for each in served.requests} == {"2026-10-01"}
    assert found.notes[-1] == f"{len(served.requests)} Cost Explorer pages, $0.01 each"
    assert len(served.requests) > 6


def test_throttling_is_waited_out_by_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Explorer(BILL, throttled=1)) as served:
        assert ask(served, monkeypatch).total == Decimal(TOTAL)
        assert served.throttled == 0


def test_what_the_api_does_not_break_down_by_is_refused_before_anything_is_paid_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GroupDefinition.html"""
    with serving(Explorer(BILL)) as served, pytest.raises(Refusal, match="two keys at most"):
        ask(served, monkeypatch, breakdowns=((ACCOUNT, SERVICE, TEAM),))
    assert served.requests == []


def test_a_bill_that_changes_between_two_calls_does_not_add_up_and_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Explorer(BILL)) as served:

        def changing(answer: dict[str, Any]) -> dict[str, Any]:
            served.lines = [replace(BILL[0], amount=str(len(served.requests)))]
            return answer

        served.broken = changing
        with pytest.raises(Refusal, match="do not add up"):
            ask(served, monkeypatch)


def test_estimated_days_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def estimated(answer: dict[str, Any]) -> dict[str, Any]:
        for result in answer["ResultsByTime"]:
            result["Estimated"] = True
        return answer

    with serving(Explorer(BILL)) as served:
        served.broken = estimated
        assert "estimates" in ask(served, monkeypatch).notes[0]


def test_an_error_of_the_api_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Explorer(BILL)) as served:
        served.answer = lambda _: (400, {"__type": "DataUnavailableException", "message": "not there yet"})  # type: ignore[method-assign]
        with pytest.raises(Refusal, match="not there yet"):
            ask(served, monkeypatch)
