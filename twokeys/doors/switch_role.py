"""Links into the AWS console: to a role, for people who are signed in to it, and by the AWS access portal.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/createshortcutlink.html
"""

import re
from urllib.parse import urlencode

_HOSTS = {"aws": "signin.aws.amazon.com", "aws-cn": "signin.amazonaws.cn", "aws-us-gov": "signin.amazonaws-us-gov.com"}
_RED, _YELLOW, _GREEN, _BLUE = "F2B0A9", "FAD791", "B7CA9D", "99BCE3"
_COLOURS = {_RED: ("prod", "prd", "live"), _YELLOW: ("stag", "stg"), _GREEN: ("dev", "test")}


def colour_of(environment: str) -> str:
    """The colour that tells an environment from the others, by how a word of its name begins: prod and live are red."""
    words = re.split(r"[-_./]", environment.lower())
    return next((colour for colour, begins in _COLOURS.items() if any(one.startswith(begins) for one in words)), _BLUE)


def takes(role: str) -> bool:
    """Whether the console switches to a role: its path and its name have at most 64 characters together.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage.html
    """
    return "/" not in role or len(f"/{role}") <= 64


def switch_role_url(account_id: str, role: str, *, display_name: str, environment: str, partition: str = "aws") -> str:
    """The link for one role (with its path, if it has one), in the colour of the environment."""
    query = {"account": account_id, "roleName": role, "displayName": display_name[:64], "color": colour_of(environment)}
    return f"https://{_HOSTS.get(partition, _HOSTS['aws'])}/switchrole?{urlencode(query)}"


def sign_in_url(account_id: str, partition: str = "aws") -> str:
    """Where users of an account sign in: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_sign-in.html"""
    return f"https://{account_id}.{_HOSTS.get(partition, _HOSTS['aws'])}/console"


def portal(start_url: str) -> str:
    """The access portal's address as one form of those that open it: without `#` and `/` at its end."""
    return start_url.partition("#")[0].rstrip("/")


def shortcut_url(start_url: str, account_id: str, permission_set: str, destination: str | None = None) -> str:
    """The access portal's link that signs in with a permission set, and asks for a sign-in where there is none."""
    query = {"account_id": account_id, "role_name": permission_set}
    query |= {"destination": destination} if destination else {}
    return f"{portal(start_url)}/#/console?{urlencode(query)}"
