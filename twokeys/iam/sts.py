"""What STS calls its actions and how long its sessions last.

https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
"""

import re
from typing import Final

ASSUME_ROLE: Final = "sts:AssumeRole"
WITH_WEB_IDENTITY: Final = "sts:AssumeRoleWithWebIdentity"
WITH_SAML: Final = "sts:AssumeRoleWithSAML"
TAG_SESSION: Final = "sts:TagSession"
SET_SOURCE_IDENTITY: Final = "sts:SetSourceIdentity"
ASSUME_ROOT: Final = "sts:AssumeRoot"
EXTERNAL_ID: Final = "sts:externalid"
"""The condition key of the external ID that a caller names, in lower case."""
PASSED: Final = {
    TAG_SESSION: ("aws:tagkeys", "aws:requesttag/", "sts:transitivetagkeys"),
    SET_SOURCE_IDENTITY: ("sts:sourceidentity",),
}
"""The condition keys of what a caller can pass, in lower case, or how they begin, by the action that both sides allow.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_permissions-required
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
"""
IN_TRUSTS: Final = (ASSUME_ROLE, WITH_SAML, WITH_WEB_IDENTITY)
"""The actions that a trust policy lets somebody in by."""
CHAINED_SECONDS: Final = 3600
"""The longest session of whoever is a session already: role chaining.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
"""
RESERVED_ROLE: Final = "AWSReservedSSO_"
"""What the name of a role begins with that AWS makes of a permission set; a suffix of AWS's own ends it.

https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""
RESERVED_PATH: Final = "aws-reserved/sso.amazonaws.com/"
"""The path of that role; a region may follow."""
SUFFIX_TO_COME: Final = "?" * 16
"""What stands for that suffix before AWS gives it; AWS's own pages write `*` for it."""
_OF_A_SET = re.compile(
    rf"(?:(?:.*:role/)?{re.escape(RESERVED_PATH)}(?:[a-z0-9-]+/)?|.*:assumed-role/)?"
    rf"{RESERVED_ROLE}([^/]+)_(?:[0-9a-f?]{{16}}|\*)(?:/.*)?"
)


def permission_set_of(role: str) -> str | None:
    """The permission set that AWS makes a role of; None for any other role.

    `role` is its ARN or its path and name, of which nobody else can choose the path; or a session's ARN or the name
    alone, where the name is all that tells.
    """
    found = _OF_A_SET.fullmatch(role)
    return found and found[1]
