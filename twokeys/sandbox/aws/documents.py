"""When two JSON documents mean the same to AWS, so that a second update finds nothing to do.

IAM returns a document as it was sent, the provider compares by meaning: a list of one is its element, the order of a
list means nothing, an account id as a principal is that account's root
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html).
"""

import json
import re
from typing import Any

_ACCOUNT_ROOT = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):root")


def equivalent_json(one: str, other: str) -> bool:
    """Whether both texts hold the same document; texts that hold none are the same only when they are equal."""
    return one == other or canonical_json(one) == canonical_json(other)


def canonical_json(text: str) -> str:
    """One text for all documents that mean the same; a text that is no JSON object, as a name, stands for itself."""
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.dumps(_canonical(json.loads(text)), sort_keys=True)
    except (ValueError, RecursionError):
        return text


def _canonical(value: Any, *, principal: bool = False) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {
            key: _canonical(inner, principal=principal or key in ("Principal", "NotPrincipal"))
            for key, inner in value.items()
        }
    if isinstance(value, list):
        items = [_canonical(item, principal=principal) for item in value]
        unique = {json.dumps(item, sort_keys=True): item for item in items}
        return [unique[key] for key in sorted(unique)] if len(unique) != 1 else items[0]
    if isinstance(value, bool):
        return str(value).lower()
    root = _ACCOUNT_ROOT.fullmatch(value) if principal and isinstance(value, str) else None
    return root[1] if root else value
