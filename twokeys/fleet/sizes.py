"""How many resources an account brings into its stack, told from its settings alone. Pure.

A test holds this to what the program really registers (`components.accounts`).
"""

from __future__ import annotations

from twokeys.settings.models import DoorSettings, Settings

_ACCOUNT = 3  # the component, the account and its provider


def account_sizes(settings: Settings) -> dict[str, int]:
    """Resources by account, in the order of the settings: the account's own and those of the doors that lead to it."""
    sizes = {account: _account(settings, account) for account in settings.accounts}
    for door in settings.doors.values():
        sizes[settings.target_account_of(door)] += _door(door)
    return sizes


def _account(settings: Settings, account: str) -> int:
    member, baseline = settings.accounts[account], settings.baseline_of(account)
    if member.state == "closed":
        return 0
    contacts = settings.baseline.contacts.model_dump(exclude_none=True) | member.contacts.model_dump(exclude_none=True)
    asked = sum(
        (
            bool(baseline.alias),
            bool(baseline.password_policy),
            baseline.block_public_s3,
            baseline.encrypt_ebs,
            2 * baseline.close_default_vpc,
        )
    )
    return _ACCOUNT + len(contacts) + (asked + 1 if asked else 0) + (2 if member.budget else 0)


def _door(door: DoorSettings) -> int:
    permissions = door.permissions
    policies = len(permissions.managed_policies) + bool(permissions.statements)
    if door.via == "identity-center":
        return 3 + policies  # the component, the permission set and its assignment
    return 1 + (1 + policies if "trust" in door.keys else 0) + ("grant" in door.keys)
