"""Policies are parsed once: ministack parses every policy of the caller anew to decide one call.

The group or role that holds a grant per door has as many policies as there are doors, and each call of its members
would parse them all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from twokeys.sandbox.local_server.inside import iam_evaluator

_REMEMBERED = 2**16


def install() -> None:
    """Remember what a document, as text, parses to; evaluation reads the statements and never changes them."""
    parse: Callable[[Any], list[Any]] = iam_evaluator.parse_policy_document
    parse_text = functools.lru_cache(_REMEMBERED)(parse)
    iam_evaluator.parse_policy_document = lambda document: (parse_text if isinstance(document, str) else parse)(
        document
    )
