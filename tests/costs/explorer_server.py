"""A Cost Explorer on loopback, after AWS's description of the API, for the SDK's real client to talk to.

https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_GetCostAndUsage.html
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.costs.bills import Line

READ: dict[str, Callable[[Line], str]] = {
    "LINKED_ACCOUNT": lambda line: line.account,
    "SERVICE": lambda line: line.service,
    "RECORD_TYPE": lambda line: line.kind,
    "Team": lambda line: f"Team${line.team}",
}


class Explorer:
    """The answers, and what was asked; `page` groups to a page, `throttled` refusals before the first answer."""

    def __init__(self, lines: Sequence[Line], *, page: int = 2, throttled: int = 0) -> None:
        self.lines, self.page, self.throttled = lines, page, throttled
        self.requests: list[dict[str, Any]] = []
        self.names = {"222222222222": "Staging"}
        self.endpoint = ""
        self.broken: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.throttled:
            self.throttled -= 1
            return 400, {"__type": "LimitExceededException", "message": "Rate exceeded"}
        self.requests.append(request)
        if len(request.get("GroupBy", [])) > 2:
            return 400, {"__type": "ValidationException", "message": "at most two groups"}
        period = request["TimePeriod"]
        lines = [
            line for line in self.lines if period["Start"] <= line.day < period["End"] and self._kept(line, request)
        ]
        result: dict[str, Any] = {"TimePeriod": period, "Groups": [], "Estimated": False, "Total": {}}
        (metric,) = request["Metrics"]
        groups: dict[tuple[str, ...], list[Line]] = {}
        for line in lines:
            groups.setdefault(tuple(READ[each["Key"]](line) for each in request["GroupBy"]), []).append(line)
        start = int(request.get("NextPageToken", 0))
        listed = [{"Keys": list(keys), "Metrics": {metric: self._sum(of)}} for keys, of in sorted(groups.items())]
        result["Groups"] = listed[start : start + self.page]
        answer: dict[str, Any] = {"ResultsByTime": [result], "GroupDefinitions": request["GroupBy"]}
        answer["DimensionValueAttributes"] = [
            {"Value": value, "Attributes": {"description": name}} for value, name in self.names.items()
        ]
        if start + self.page < len(listed):
            answer["NextPageToken"] = str(start + self.page)
        return 200, self.broken(answer)

    @staticmethod
    def _kept(line: Line, request: dict[str, Any]) -> bool:
        if "Filter" not in request:
            return True
        unwanted = request["Filter"]["Not"]["Dimensions"]
        return READ[unwanted["Key"]](line) not in unwanted["Values"]

    @staticmethod
    def _sum(lines: Sequence[Line]) -> dict[str, str]:
        return {"Amount": f"{sum((Decimal(line.amount) for line in lines), Decimal(0)):f}", "Unit": "USD"}


@contextmanager
def serving(explorer: Explorer) -> Iterator[Explorer]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["X-Amz-Target"] == "AWSInsightsIndexService.GetCostAndUsage"
            status, answer = explorer.answer(json.loads(body))
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    explorer.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield explorer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
