"""Property values as the SDK writes them on the wire, and as plain data.

https://github.com/pulumi/pulumi/blob/master/developer-docs/architecture/deployment-execution/state.md names the marks.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from twokeys.access.reading.wire import SECRET, SIGNATURE, properties
from twokeys.iam import UNKNOWN
from twokeys.iam.leaves import leaves, mapped

UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the wire writes a value that is not known yet."""
_REFERENCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_ELEMENTS: Final = {"Version", "Id", "Statement"}
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html"""


def unsecret(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value without its marks of secrets, with whole numbers as such (the wire has only doubles).

    A reference to a resource becomes its id, or its URN where it has none.
    """
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return unsecret(value["value"])
        if value.get(SIGNATURE) == _REFERENCE:
            return value.get("id") or value["urn"]
        return {key: unsecret(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unsecret(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain(values: Mapping[str, Any]) -> dict[str, object]:
    """Wire values as a snapshot has them: `UNKNOWN` where a value is not known yet, secrets in the open."""
    return properties(unsecret(dict(values)))


def known(value: Any) -> Any:  # noqa: ANN401 - JSON
    """What an engine sends of a look-up's arguments: without what is not known yet."""
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items() if item != UNKNOWN_TEXT}
    return [known(item) for item in value if item != UNKNOWN_TEXT] if isinstance(value, list) else value


def as_given_back(value: Any) -> Any:  # noqa: ANN401 - JSON
    """What the aws provider gives back of an input: a policy document that was a mapping is JSON text.

    With a leaf that is not known the whole text is not. https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/
    has such a document among the inputs as text or PolicyDocument, and among the outputs as text.
    """
    if isinstance(value, list):
        return [as_given_back(item) for item in value]
    if not isinstance(value, dict):
        return value
    statement = unsecret(value.get("Statement"))
    if not (isinstance(statement, dict | list) or (statement == UNKNOWN_TEXT and value.keys() <= _ELEMENTS)):
        return {key: as_given_back(item) for key, item in value.items()}
    return UNKNOWN_TEXT if has_unknown(plain(value)) else json.dumps(unsecret(value))


def on_wire(value: Any) -> Any:  # noqa: ANN401 - JSON
    """A plain value as the wire has it."""
    return mapped(lambda one: UNKNOWN_TEXT if one is UNKNOWN else one, value)


def is_same(new: object, old: object) -> bool:
    """Whether what a program gives is known, and as a state has it but for what the provider added (`__defaults`)."""
    if isinstance(new, dict) and isinstance(old, dict):
        added = {"__defaults", *old.get("__defaults", ())} - new.keys()
        return all(is_same(new.get(key), old.get(key)) for key in (new.keys() | old.keys()) - added)
    if isinstance(new, list) and isinstance(old, list):
        return len(new) == len(old) and all(map(is_same, new, old))
    return new == old and not has_unknown(new)


def has_unknown(value: object) -> bool:
    """Whether a plain value is, or holds, one that is not known yet."""
    return any(one is UNKNOWN or one == UNKNOWN_TEXT for one in leaves(value))
