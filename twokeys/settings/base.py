"""What all settings have in common: frozen, camelCase in the config, and no key that is not there."""

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel

from twokeys.settings.values import refuse


class Model(BaseModel):
    """One object of a stack's config."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, coerce_numbers_to_str=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _meant(cls, value: object, info: ValidationInfo) -> object:
        """A key with nothing after its colon may be a text that was forgotten: leaving it out says so for sure.

        Nor is true the number 1.
        """
        field = cls.model_fields[str(info.field_name)]
        if value is None and field.default is None:
            raise refuse("nothing stands after its colon", "write what is meant, or leave the key out")
        if isinstance(value, bool) and field.annotation in (int, float):
            raise refuse("it takes a number", "write one")
        return value
