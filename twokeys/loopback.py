"""Whether an address is on this machine."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine: `localhost`, or an address of 127.0.0.0/8 or ::1.

    https://www.rfc-editor.org/rfc/rfc6890#section-2.2.2
    """
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
