"""The edge between Pulumi's config and our settings: read once, when the program starts."""

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from components.refusing import program_refusal
from twokeys.errors import Refusal
from twokeys.settings import Settings, parse


def stack_settings() -> Settings:
    """The settings of the stack that is running. Raises ProgramRefusal before anything is registered."""
    try:
        return parse(pulumi.get_stack(), {**get_config_env(), **CONFIG.get()})
    except Refusal as refusal:
        raise program_refusal(refusal) from None
