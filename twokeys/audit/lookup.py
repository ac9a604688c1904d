"""CloudTrail's event history through its API: the last 90 days of one account, region by region.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from twokeys.audit.changes import CALLS
from twokeys.audit.coverage import ENABLED, Coverage
from twokeys.audit.logs import Source
from twokeys.audit.record import ENTERING
from twokeys.audit.trail import BY_KEY, LOGGING, Trail
from twokeys.errors import Refusal
from twokeys.iam.arn import partition_of_region

_NAMES = dict.fromkeys((*ENTERING, *BY_KEY, *LOGGING, *(one.partition(":")[2] for one in CALLS)))
ASKED = (*(("EventName", one) for one in _NAMES), ("Username", "root"))
"""The attributes that records are looked up by."""
HISTORY = timedelta(days=90)
_PAUSE = 0.5
"""Seconds between calls: AWS lets an account look up twice a second in a region."""


def read_history(
    regions: Sequence[str], start: datetime | None, end: datetime | None, progress: Callable[[int], None]
) -> Trail:
    """The trail of the event history of the credentials' account; `progress` is given how many records there are yet.

    Without regions, it is of the session's and of those that AWS enables by default. Raises what `looked_up` does.
    """
    session = boto3.Session()
    now = datetime.now(UTC)
    start, end = start or now - HISTORY, end or now
    own = session.region_name or "us-east-1"
    asked = sorted({*(regions or (own, *ENABLED.get(partition_of_region(own), ())))})
    trail = Trail(start=start, end=end, coverage=Coverage(tuple(regions)))
    for count, record in enumerate(looked_up(session, asked, start, end), 1):
        trail.add(record)
        progress(count)
    who = session.client("sts", region_name=asked[0]).get_caller_identity()
    for region in asked:
        trail.coverage.asked(who["Account"], region, max(start, now - HISTORY), end)
    name = f"CloudTrail's event history of account {who['Account']} in {', '.join(asked)}"
    trail.sources.append(Source(name, caller=who["Arn"], start=start, end=end))
    return trail


def looked_up(
    session: boto3.Session,
    regions: Sequence[str],
    start: datetime,
    end: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict[str, Any]]:
    """The records of `ASKED` that the account of the session has in the regions, page by page.

    Raises Refusal when CloudTrail says no, BotoCoreError when it cannot be asked.
    """
    clients = {region: session.client("cloudtrail", region_name=region) for region in regions}
    for key, value in ASKED:
        for region, client in clients.items():
            asked = {"AttributeKey": key, "AttributeValue": value}
            try:
                pages = client.get_paginator("lookup_events")
                for number, page in enumerate(pages.paginate(LookupAttributes=[asked], StartTime=start, EndTime=end)):
                    sleep(_PAUSE if number else _PAUSE / len(clients))
                    yield from (json.loads(found["CloudTrailEvent"]) for found in page["Events"])
            except ClientError as error:
                raise Refusal(
                    "CloudTrail's event history cannot be read",
                    where=f"region {region}",
                    why=str(error),
                    next_step="use credentials that may call cloudtrail:LookupEvents there, or name other regions with "
                    "--region",
                ) from error
