"""E-mail that AWS would send: one line of JSON a message, in a file of the server's folder.

`{"to": address, "subject": text, "text": text, "sent": seconds since the epoch}`
"""

import json
import time
from pathlib import Path

from ministack.core import persistence

FILE = "mailbox.jsonl"


def send(to: str, subject: str, text: str) -> None:
    """Add a message."""
    line = json.dumps({"to": to, "subject": subject, "text": text, "sent": time.time()})
    with (Path(persistence.STATE_DIR).parent / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
