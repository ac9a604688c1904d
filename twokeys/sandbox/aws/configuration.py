"""A provider resource's configuration, and how credentials come from it: by really assuming each role in turn."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twokeys.iam import UNKNOWN
from twokeys.preview.values import has_unknown
from twokeys.sandbox.aws.client import Aws, Credentials, ProviderError, loopback_endpoint, make_client, refusals
from twokeys.sandbox.aws.resource_type import Properties

_DEFAULT_REGION = "us-east-1"
_ASSUME_ROLE = {
    "roleArn": "RoleArn",
    "sessionName": "RoleSessionName",
    "externalId": "ExternalId",
    "policy": "Policy",
    "sourceIdentity": "SourceIdentity",
    "transitiveTagKeys": "TransitiveTagKeys",
}


@dataclass(frozen=True)
class Configuration:
    """A provider's checked inputs, parsed."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str
    assume_roles: tuple[Mapping[str, Any], ...]
    allowed: tuple[str, ...]
    forbidden: tuple[str, ...]
    default_tags: Mapping[str, str]


def check_configuration(inputs: Properties) -> Properties:
    """Inputs as the provider stores them: everything but a string is JSON text, as the vendor's plugin has it."""
    return {
        name: value if value is UNKNOWN or isinstance(value, str) else _text(value) for name, value in inputs.items()
    }


def parse_configuration(inputs: Properties, environment: Mapping[str, str]) -> Configuration:
    """The provider's settings; what it does not set comes from the environment, as with the vendor's plugin.

    Raises:
        ProviderError: there are no credentials.
    """
    access_key = inputs.get("accessKey") or environment.get("AWS_ACCESS_KEY_ID")
    secret_key = inputs.get("secretKey") or environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        raise ProviderError(
            "the provider has no credentials",
            ("Neither accessKey and secretKey nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set.",),
        )
    token = inputs.get("token") or (None if inputs.get("accessKey") else environment.get("AWS_SESSION_TOKEN"))
    tags = _decoded(inputs.get("defaultTags")) or {}
    return Configuration(
        access_key=access_key,
        secret_key=secret_key,
        token=token,
        region=inputs.get("region")
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or _DEFAULT_REGION,
        assume_roles=tuple(_listed(inputs.get("assumeRoles")) or _listed(inputs.get("assumeRole"))),
        allowed=tuple(_listed(inputs.get("allowedAccountIds"))),
        forbidden=tuple(_listed(inputs.get("forbiddenAccountIds"))),
        default_tags=dict(tags.get("tags") or {}),
    )


def connect(configuration: Configuration, endpoint: str) -> Aws:
    """The APIs in the configured account.

    Raises:
        ProviderError: a role cannot be assumed, or the account is not one that the provider may touch.
        Refusal: the endpoint is not on this machine.
    """
    loopback_endpoint(endpoint, where="AWS_ENDPOINT_URL")
    aws = Aws(
        endpoint, configuration.region, _credentials(configuration, endpoint), default_tags=configuration.default_tags
    )
    with refusals("finding out which account the provider's credentials are in", endpoint):
        identity = aws.client("sts").get_caller_identity()
    aws.account = identity["Account"]
    _refuse_other_accounts(configuration, aws.account, identity["Arn"])
    return aws


def _credentials(configuration: Configuration, endpoint: str) -> Callable[[], Credentials]:
    def obtain() -> Credentials:
        current = Credentials(configuration.access_key, configuration.secret_key, configuration.token)
        for role in configuration.assume_roles:
            current = _assume(role, current, configuration, endpoint)
        return current

    return obtain


def _assume(role: Mapping[str, Any], caller: Credentials, configuration: Configuration, endpoint: str) -> Credentials:
    request = {theirs: role[ours] for ours, theirs in _ASSUME_ROLE.items() if role.get(ours)}
    request.setdefault("RoleSessionName", "pulumi")
    if role.get("duration"):
        request["DurationSeconds"] = seconds(role["duration"])
    if role.get("policyArns"):
        request["PolicyArns"] = [{"arn": arn} for arn in role["policyArns"]]
    if role.get("tags"):
        request["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(role["tags"].items())]
    sts = make_client("sts", endpoint, configuration.region, caller)
    try:
        with refusals(f"assuming the role {role.get('roleArn')}", endpoint):
            answer = sts.assume_role(**request)["Credentials"]
    finally:
        sts.close()
    return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"])


def seconds(duration: str) -> int:
    """A duration as the provider takes it ("1h", "1h30m", "900s") in seconds.

    Raises:
        ProviderError: it is none.
    """
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration)
    if not duration or parts is None:
        raise ProviderError(f"{duration!r} is no duration", ("Write it as in 1h, 90m or 1h30m.",))
    hours, minutes, rest = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + rest


def _refuse_other_accounts(configuration: Configuration, account: str, arn: str) -> None:
    if configuration.allowed and account not in configuration.allowed:
        raise ProviderError(
            f"AWS account ID not allowed: {account}",
            (f"The provider works as {arn}; allowedAccountIds names {', '.join(configuration.allowed)}.",),
        )
    if account in configuration.forbidden:
        raise ProviderError(
            f"AWS account ID not allowed: {account}",
            (f"The provider works as {arn}; forbiddenAccountIds names that account.",),
        )


def _text(value: Any) -> Any:  # noqa: ANN401 - property values have no type
    """JSON text; a value with anything unknown in it is unknown as a whole, as text can hold no mark."""
    return UNKNOWN if has_unknown(value) else json.dumps(value, separators=(",", ":"))


def _decoded(value: Any) -> Any:  # noqa: ANN401 - as above
    return json.loads(value) if isinstance(value, str) else value


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - as above
    decoded = UNKNOWN if value is UNKNOWN else _decoded(value)
    if isinstance(decoded, Mapping):  # version 6 of pulumi-aws has one `assumeRole`
        return [decoded]
    return [] if decoded is None or decoded is UNKNOWN else list(decoded)
