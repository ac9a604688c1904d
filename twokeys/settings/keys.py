"""The keys that may stand at a place of a stack's config, and the one nearest to a misspelt one."""

import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from twokeys.errors import nearest
from twokeys.settings.models import Settings


def nearest_key(place: Sequence[str | int]) -> str | None:
    """The known key that is spelt most like the last part of a place (`("accounts", "stage", "emial")`), if any is."""
    model = _model_at(place[:-1])
    if model is None:
        return None
    return nearest(str(place[-1]), [field.alias or name for name, field in model.model_fields.items()])


def _model_at(place: Sequence[str | int]) -> type[BaseModel] | None:
    here: Any = Settings
    for part in place:
        if part == "[key]":
            continue
        here = _below(here, part)
        if here is None:
            return None
    return _models(here)[0] if _models(here) else None


def _below(annotation: Any, part: str | int) -> Any:  # noqa: ANN401 - annotations of any form
    for model in _models(annotation):
        for name, field in model.model_fields.items():
            if part in (name, field.alias):
                return field.annotation
    for each in _alternatives(annotation):
        if get_origin(each) is dict:
            return get_args(each)[1]
        if get_origin(each) is tuple:
            return get_args(each)[0]
    return None


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - as above
    return [each for each in _alternatives(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]


def _alternatives(annotation: Any) -> list[Any]:  # noqa: ANN401 - as above
    """What an annotation may be: `X` of `Annotated[X, ...]`, and each part of a union."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [found for part in get_args(annotation) for found in _alternatives(part)]
    return [annotation]
