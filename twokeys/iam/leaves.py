"""Plain data as JSON has it, leaf by leaf: what stands in objects and lists at any depth, or a copy with it changed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def leaves(value: object) -> Iterator[object]:
    """What a value holds that is neither an object nor a list; the keys of objects are not among it."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def texts(value: object) -> Iterator[str]:
    """The texts in a value, but for the keys of its objects."""
    return (one for one in leaves(value) if isinstance(one, str))


def mapped(change: Callable[[Any], object], value: object) -> Any:  # noqa: ANN401 - as the value has it
    """A copy of a value with each leaf changed."""
    if isinstance(value, Mapping):
        return {key: mapped(change, item) for key, item in value.items()}
    return [mapped(change, item) for item in value] if isinstance(value, list | tuple) else change(value)
