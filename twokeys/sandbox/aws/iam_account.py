"""What an account has one of in IAM: its alias, its password policy and the features of its organization.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twokeys.sandbox.aws.client import Aws, or_none
from twokeys.sandbox.aws.iam_rules import set_each
from twokeys.sandbox.aws.resource_type import ResourceType, between, matches
from twokeys.sandbox.engine.plugin import ProviderError
from twokeys.sandbox.engine.values import Properties

_PASSWORD_POLICY_ID = "iam-account-password-policy"  # noqa: S105 - the id that the provider gives it
_PASSWORD_POLICY = {
    "allowUsersToChangePassword": "AllowUsersToChangePassword",
    "hardExpiry": "HardExpiry",
    "maxPasswordAge": "MaxPasswordAge",
    "minimumPasswordLength": "MinimumPasswordLength",
    "passwordReusePrevention": "PasswordReusePrevention",
    "requireLowercaseCharacters": "RequireLowercaseCharacters",
    "requireNumbers": "RequireNumbers",
    "requireSymbols": "RequireSymbols",
    "requireUppercaseCharacters": "RequireUppercaseCharacters",
}


def _alias(aws: Aws) -> str | None:
    aliases = aws.pages("iam", "list_account_aliases", "AccountAliases")
    return aliases[0] if aliases else None


def _alias_create(aws: Aws, inputs: Properties) -> str:
    aws.client("iam").create_account_alias(AccountAlias=inputs["accountAlias"])
    return str(inputs["accountAlias"])


def _alias_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    return {"accountAlias": identifier} if _alias(aws) == identifier else None


def _alias_delete(aws: Aws, identifier: str, _: Properties) -> None:
    aws.client("iam").delete_account_alias(AccountAlias=identifier)


def _password_policy_put(aws: Aws, inputs: Properties) -> str:
    settings = {theirs: inputs[ours] for ours, theirs in _PASSWORD_POLICY.items() if inputs.get(ours) is not None}
    aws.client("iam").update_account_password_policy(**settings)
    return _PASSWORD_POLICY_ID


def _password_policy_read(aws: Aws, _: str, _known: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_account_password_policy)
    if found is None:
        return None
    policy = found["PasswordPolicy"]
    return {
        "expirePasswords": policy.get("ExpirePasswords", False),
        **{ours: policy.get(theirs) for ours, theirs in _PASSWORD_POLICY.items()},
    }


def _password_policy_delete(aws: Aws, _: str, _inputs: Properties) -> None:
    aws.client("iam").delete_account_password_policy()


_FEATURES = ("RootCredentialsManagement", "RootSessions")


def _features(aws: Aws) -> Properties:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOrganizationsFeatures.html."""
    found = aws.client("iam").list_organizations_features()
    return {"id": found["OrganizationId"], "enabledFeatures": found["EnabledFeatures"]}


def _features_set(aws: Aws, old: Iterable[str], new: Iterable[str]) -> str:
    client = aws.client("iam")
    switches = {
        "RootCredentialsManagement": (
            client.enable_organizations_root_credentials_management,
            client.disable_organizations_root_credentials_management,
        ),
        "RootSessions": (client.enable_organizations_root_sessions, client.disable_organizations_root_sessions),
    }
    set_each(old, new, add=lambda name: switches[name][0](), remove=lambda name: switches[name][1]())
    return str(_features(aws)["id"])


def _features_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = _features(aws)
    if found["id"] != identifier or not found["enabledFeatures"]:
        return None
    return {"enabledFeatures": found["enabledFeatures"]}


def _known_features(value: Any) -> str | None:  # noqa: ANN401 - property values have no type
    unknown = sorted(set(value) - set(_FEATURES))
    return f"expected {' and '.join(_FEATURES)}, not {', '.join(unknown)}" if unknown or not value else None


def _get_alias(aws: Aws, _: Properties) -> Properties:
    alias = _alias(aws)
    if alias is None:
        raise ProviderError(f"the account {aws.account} has no alias")
    return {"id": alias, "accountAlias": alias}


RESOURCE_TYPES = (
    ResourceType(
        type="aws:iam/organizationsFeatures:OrganizationsFeatures",
        inputs=frozenset({"enabledFeatures"}),
        required=frozenset({"enabledFeatures"}),
        unordered=frozenset({"enabledFeatures"}),
        validations={"enabledFeatures": _known_features},
        create=lambda aws, inputs: _features_set(aws, (), inputs["enabledFeatures"]),
        read=_features_read,
        update=lambda aws, _id, old, new: _features_set(aws, old["enabledFeatures"], new["enabledFeatures"]),
        delete=lambda aws, _id, _inputs: _features_set(aws, _features(aws)["enabledFeatures"], ()),
        identify=lambda aws, _: str(_features(aws)["id"]),
        set_after=frozenset({"enabledFeatures"}),
        record=True,
    ),
    ResourceType(
        type="aws:iam/accountAlias:AccountAlias",
        inputs=frozenset({"accountAlias"}),
        required=frozenset({"accountAlias"}),
        validations={
            "accountAlias": matches(
                r"(?!.*--)[a-z0-9]([a-z0-9-]{1,61})[a-z0-9]", "3 to 63 lower-case letters, digits or single hyphens"
            )
        },
        create=_alias_create,
        read=_alias_read,
        delete=_alias_delete,
        identify=lambda _, inputs: inputs["accountAlias"],
    ),
    ResourceType(
        type="aws:iam/accountPasswordPolicy:AccountPasswordPolicy",
        inputs=frozenset(_PASSWORD_POLICY),
        computed=frozenset({"expirePasswords"}),
        volatile=frozenset({"expirePasswords"}),
        defaults={"allowUsersToChangePassword": True, "minimumPasswordLength": 6},
        also_computed=frozenset(_PASSWORD_POLICY) - {"allowUsersToChangePassword", "minimumPasswordLength"},
        validations={
            "maxPasswordAge": between(0, 1095),
            "minimumPasswordLength": between(6, 128),
            "passwordReusePrevention": between(0, 24),
        },
        create=_password_policy_put,
        read=_password_policy_read,
        update=lambda aws, _, _old, new: _password_policy_put(aws, new),
        delete=_password_policy_delete,
        identify=lambda _aws, _inputs: _PASSWORD_POLICY_ID,
    ),
)

INVOKES = {"aws:iam/getAccountAlias:getAccountAlias": _get_alias}
