"""When a temporary door closes: the moment from which AWS itself refuses it.

Config says a last day (`2027-01-31`, to its end in UTC) or a moment (`2027-01-31T15:00Z`). The trust policy says it as
`DateLessThan` on `aws:CurrentTime`, so that the door closes at AWS, not at the next preview.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from twokeys.shown import in_utc


def closing_time(value: object) -> datetime:
    """The moment in UTC from which a door is closed: the end of a day, or a moment with its time zone.

    A day or a moment that YAML or the pulumi CLI has read already (`2027-01-31 00:00:00 +0000 UTC`) is taken as well.
    Raises ValueError for anything else.
    """
    if isinstance(value, datetime):
        return _in_utc(value)
    if isinstance(value, date):
        return _end_of(value)
    text = str(value).strip().removesuffix(" +0000 UTC").removesuffix(" 00:00:00")
    try:
        return _end_of(datetime.strptime(text, "%Y-%m-%d").date())
    except ValueError:
        moment = datetime.fromisoformat(text)
    return _in_utc(moment.replace(tzinfo=UTC) if str(value).strip().endswith("UTC") else moment)


def until(closes: datetime) -> str:
    """How people read it: the last day, or the moment in UTC where it is not the end of a day."""
    ends_a_day = closes.time() == time() and closes.date() > date.min  # a policy may name the first day that there is
    return on(closes - timedelta(days=1) if ends_a_day else closes)


def on(opens: datetime) -> str:
    """A moment from which a door is open: the day where it begins with it, else the moment in UTC."""
    return opens.strftime("%Y-%m-%d" if opens.time() == time() else "%Y-%m-%d %H:%M UTC")


def left(closes: datetime, now: datetime) -> str:
    """How long it is until then: "closes in 1 h 40 min", or that it is over: "closed since 2027-01-31 15:00 UTC"."""
    minutes = int((closes - now).total_seconds()) // 60
    if closes <= now:
        return f"closed since {in_utc(closes)}"
    days, rest = divmod(minutes, 24 * 60)
    parts = ((days, "d"), (rest // 60, "h"), (0 if days else rest % 60, "min"))
    return "closes in " + (" ".join(f"{number} {unit}" for number, unit in parts if number) or "less than a minute")


def open_until(closes: datetime) -> dict[str, dict[str, str]]:
    """The condition of a policy that ends then."""
    return {"DateLessThan": {"aws:CurrentTime": as_condition(closes)}}


def as_condition(moment: datetime) -> str:
    """A moment in UTC as a policy says it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone, as in 2027-01-31T15:00Z")
    return moment.astimezone(UTC)


ClosingTime = Annotated[datetime, BeforeValidator(closing_time)]
"""A field that holds when a door closes."""
