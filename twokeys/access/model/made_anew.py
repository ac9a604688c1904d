"""Trusts in principals as they were before they were made anew under their name: AWS lets nobody in by such a one.

When a trust policy is saved, IAM keeps the unique id of a role or user that it names, and no new one has that id.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from dataclasses import replace
from datetime import datetime, timedelta

from twokeys.access.model.principals import Principals
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.iam import Unknown

_CLOCKS = timedelta(minutes=5)
"""How far two clocks may lie apart: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html"""
_DATED = "createDate"
"""What AWS says of a role, by its own clock."""


def leave_out_former(snapshot: Snapshot, principals: Principals) -> None:
    """Take out of each trust policy whom it names as they were before, as far as AWS and the source date both.

    A trust may be older than its role's last change, which may have been one of a tag: then nothing is taken out. Of a
    user AWS's provider gives no date, and what came into a state may have been imported: a doubt, which takes nothing.
    """
    for role in principals.by_urn.values():
        resource = snapshot.by_urn[role.urn or ""]
        if role.trust is None or isinstance(role.trust.policy, Unknown) or resource.since.last is None:
            continue
        anew: dict[str, datetime] = {}
        for name in {name for one in role.trust.statements for name in (one.principals.aws if one.principals else ())}:
            named = principals.by_arn.get(name) if isinstance(name, str) else None
            if named and named.arn == name and (made := _made_after(resource, snapshot.by_urn[named.urn or ""])):
                anew[name] = made
        if anew:
            gone = {name for name in anew if snapshot.by_urn[principals.by_arn[name].urn or ""].text(_DATED)}
            statements = tuple(
                replace(one, principals=replace(whom, aws=tuple(name for name in whom.aws if name not in gone)))
                if (whom := one.principals)
                else one
                for one in role.trust.statements
            )
            role.trust = replace(role.trust, policy=replace(role.trust.policy, statements=statements), anew=anew)


def _made_after(role: Resource, named: Resource) -> datetime | None:
    """When a principal was made, if that was after a role's trust policy was written last."""
    made, written, only_read = named.since.first, role.since.last, named.stays and not named.text(_DATED)
    by_aws = role.since.exactly and all(one.text(_DATED) for one in (role, named))
    if made is None or written is None or only_read or named.made_by:
        return None
    return made if made - written > (timedelta() if by_aws else _CLOCKS) else None
