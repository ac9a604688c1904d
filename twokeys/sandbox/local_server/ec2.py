"""EBS encryption by default, which ministack lacks and nothing here enforces.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region

from twokeys.sandbox.local_server import records
from twokeys.sandbox.local_server.inside import ec2 as base
from twokeys.sandbox.local_server.supplement import Answer, recorded

_enabled = records.store("ec2.ebs-encryption-by-default")  # region -> bool


def install() -> None:
    """Add the operations to ministack's table."""
    for name, change in (("Enable", True), ("Disable", False), ("Get", None)):
        operation = f"{name}EbsEncryptionByDefault"
        base.ACTION_MAP[operation] = recorded(operation, _answering(operation, change))


def _answering(operation: str, change: bool | None) -> Callable[[Any], Answer]:
    def answer(_: Any) -> Answer:  # noqa: ANN401 - ministack's requests have no type
        if change is not None:
            _enabled[get_region()] = change
        told = str(_enabled.get(get_region(), False)).lower()
        status, headers, body = base.xml(
            200, f"{operation}Response", f"<ebsEncryptionByDefault>{told}</ebsEncryptionByDefault>"
        )
        return status, headers, body

    return answer
