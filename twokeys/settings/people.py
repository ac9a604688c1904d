"""How people come in beside ordinary doors: the way for emergencies, and IAM Identity Center."""

from typing import Annotated

from pydantic import Field

from twokeys.settings.base import Model
from twokeys.settings.values import ContactEmail, IdentityGroupName, Once, RoleName, SessionSeconds, must_match, within


class BreakGlassSettings(Model):
    """The role for emergencies in the management account, and who hears of every use.

    Its users live there too, as AWS has it: they are some of `people`, or, where those live in a member account, users
    that are made for this alone.
    https://docs.aws.amazon.com/whitepapers/latest/organizing-your-aws-environment/break-glass-access.html

    The alarm answers to the role's name in every account: a door to a role of the same name is watched too.
    """

    users: Annotated[tuple[RoleName, ...], Field(min_length=1), Once]
    notify: Annotated[tuple[ContactEmail, ...], Field(min_length=1), Once]
    role: RoleName = "break-glass"
    session_seconds: SessionSeconds = 3600


UserName = Annotated[
    str,
    must_match(
        r"[\w+=,.@-]{1,128}",
        "this name becomes part of resource names: 1 to 128 letters, digits and +=,.@_-",
        "choose such a name",
    ),
]


PersonName = Annotated[
    str,
    within(
        1,
        1024,
        "a part of a name has 1 to 1024 characters",
        "https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_Name.html",
    ),
]


class IdentityUserSettings(Model):
    """A person in the identity store of IAM Identity Center.

    https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateUser.html
    """

    given_name: PersonName
    family_name: PersonName
    email: ContactEmail


class IdentityCenterSettings(Model):
    """People and groups of IAM Identity Center, which has to be switched on in the console first.

    Doors with `via: identity-center` start from them. People whom an identity provider brings are not looked up.
    """

    users: dict[UserName, IdentityUserSettings] = {}
    groups: dict[IdentityGroupName, tuple[UserName, ...]] = {}
