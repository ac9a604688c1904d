"""A refusal inside a Pulumi program: printed as its message, without a traceback."""

import pulumi

from twokeys.errors import Refusal


class ProgramRefusal(Refusal, pulumi.RunError):
    """A refusal that the Pulumi engine prints as it is; the program stops."""


def program_refusal(refusal: Refusal) -> ProgramRefusal:
    """The same refusal, in the form that a Pulumi program raises."""
    return ProgramRefusal(refusal.what, where=refusal.where, why=refusal.why, next_step=refusal.next_step)
