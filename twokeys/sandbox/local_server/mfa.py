"""MFA codes in AssumeRole and GetSessionToken, which ministack ignores: `SerialNumber` and `TokenCode` of the caller.

AWS sets `aws:MultiFactorAuthPresent` when both fit, and refuses the call when they do not; codes are TOTP (RFC 6238).
A session of GetSessionToken keeps it, that of a role has none:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

import base64
import contextvars
import hashlib
import hmac
import struct
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from twokeys.sandbox.local_server.inside import iam
from twokeys.sandbox.local_server.inside import sts as base

_STEP_SECONDS: Final = 30
# How many steps a code may be early or late, for clocks that differ.
_TOLERANCE: Final = 1
_REFUSED: Final = "MultiFactorAuthentication failed with invalid MFA one time pass code."

_KEPT: Final = "MultiFactorAuthPresent"

_present: contextvars.ContextVar[bool] = contextvars.ContextVar("mfa_present", default=False)


def install() -> None:
    """Check the codes of these calls before ministack answers them."""
    handle: Callable[..., Awaitable[Any]] = base.handle_request
    identify, register = base.caller_identity, base.register_session

    async def checked(method: str, path: str, headers: Any, body: Any, query_params: Any) -> Any:  # noqa: ANN401
        given = _parameters(body, query_params)
        if given.get("Action") not in ("AssumeRole", "GetSessionToken") or "SerialNumber" not in given:
            return await handle(method, path, headers, body, query_params)
        caller = identify(headers, query_params)
        if not isinstance(caller, Mapping) or not _is_right(caller, given["SerialNumber"], given.get("TokenCode", "")):
            return base.error(403, "AccessDenied", _REFUSED, ns="sts")
        token = _present.set(True)
        try:
            return await handle(method, path, headers, body, query_params)
        finally:
            _present.reset(token)

    def identified(headers: Any, query_params: Any = None) -> Any:  # noqa: ANN401
        caller = identify(headers, query_params)
        if isinstance(caller, dict) and (_present.get() or base.sessions.get(caller["accessKey"], {}).get(_KEPT)):
            caller["principalKeys"] = {**caller["principalKeys"], "aws:multifactorauthpresent": "true"}
        return caller

    def registered(access_key: str, session: dict[str, Any]) -> None:
        kept = _present.get() and session.get("PrincipalType") == "User"  # GetSessionToken's
        register(access_key, {**session, _KEPT: kept})

    base.handle_request = checked
    base.register_session = registered
    base.caller_identity = identified
    iam.virtual_mfa_xml = _with_a_real_seed(iam.virtual_mfa_xml)


def totp(seed: str, moment: float) -> str:
    """The six digits that a device with this base32 seed shows at that moment (seconds since the epoch)."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(moment) // _STEP_SECONDS), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def _is_right(caller: Mapping[str, Any], serial: str, code: str) -> bool:
    device = iam.mfa_devices.get_scoped(caller["accountId"], None, serial)
    if device is None or device["User"] is None or device["User"] != caller["principalName"]:
        return False
    now = time.time()
    moments = (now + step * _STEP_SECONDS for step in range(-_TOLERANCE, _TOLERANCE + 1))
    return any(hmac.compare_digest(totp(device["Base32StringSeed"], moment), code) for moment in moments)


def _parameters(body: Any, query_params: Any) -> dict[str, str]:  # noqa: ANN401 - ministack's requests have no type
    text = body.decode() if isinstance(body, bytes) else body or ""
    given = {**parse_qs(text), **(query_params or {})}
    return {name: values[0] if isinstance(values, list) else values for name, values in given.items()}


def _with_a_real_seed(describe: Callable[..., str]) -> Callable[..., str]:
    """ministack's seeds are hexadecimal digits, which no device can read as base32."""

    def described(serial: str, include_user: bool = True) -> str:
        device = iam.mfa_devices[serial]
        if "SeedBytes" not in device:
            device["SeedBytes"] = device["Base32StringSeed"]
            device["Base32StringSeed"] = base64.b32encode(bytes.fromhex(device["SeedBytes"])).decode().rstrip("=")
        return describe(serial, include_user)

    return described
