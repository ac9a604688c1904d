"""Loopback stands for TLS: what never leaves the machine is what policies mean by a secure transport.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
"""

from __future__ import annotations

from twokeys.sandbox.local_server.inside import app as base


def install() -> None:
    """Let a request count as sent over TLS, or no bucket that asks for TLS could be worked with."""
    pin = base.pin_request_origin

    def answer(source_ip: str, _secure: bool) -> None:
        pin(source_ip, True)

    base.pin_request_origin = answer
