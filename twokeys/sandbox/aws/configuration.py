"""A provider resource's configuration, and how credentials come from it: by really assuming each role in turn."""

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from twokeys.errors import Refusal
from twokeys.iam import UNKNOWN, account_id
from twokeys.loopback import is_loopback
from twokeys.preview.values import has_unknown
from twokeys.sandbox.aws.client import Aws, Keys, ProviderError, make_client, refusals
from twokeys.sandbox.aws.resource_type import Properties
from twokeys.sandbox.local_aws import MANAGEMENT_ACCOUNT

_DEFAULT_REGION = "us-east-1"
_ASSUME_ROLE = {
    "roleArn": "RoleArn",
    "sessionName": "RoleSessionName",
    "externalId": "ExternalId",
    "policy": "Policy",
    "sourceIdentity": "SourceIdentity",
    "transitiveTagKeys": "TransitiveTagKeys",
}


def check_configuration(inputs: Properties) -> Properties:
    """Inputs as the provider stores them: everything but a string is JSON text, as the vendor's plugin has it."""
    return {
        name: value if value is UNKNOWN or isinstance(value, str) else _text(value) for name, value in inputs.items()
    }


def connect(inputs: Properties, environment: Mapping[str, str]) -> Aws:
    """The APIs in the configured account; what the provider does not set comes from the environment, as with AWS's CLI.

    Raises:
        ProviderError: there are no credentials, a role cannot be assumed, or the account is not an allowed one.
        Refusal: no local AWS is named, or an endpoint that is not on this machine.
    """
    endpoint = environment.get("AWS_ENDPOINT_URL", "")
    if urlsplit(endpoint).scheme not in ("http", "https") or not is_loopback(endpoint):
        raise Refusal(
            "the sandbox talks to loopback only",
            where="AWS_ENDPOINT_URL",
            why=f"{endpoint!r} is not an endpoint on this machine",
            next_step="start the local AWS with `twokeys sandbox up`, or use the pulumi CLI for real accounts",
        )
    access_key = inputs.get("accessKey") or environment.get("AWS_ACCESS_KEY_ID")
    secret_key = inputs.get("secretKey") or environment.get("AWS_SECRET_ACCESS_KEY")
    if not access_key or not secret_key:
        raise ProviderError(
            "the provider has no credentials",
            ("Neither accessKey and secretKey nor AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set.",),
        )
    token = inputs.get("token") or (None if inputs.get("accessKey") else environment.get("AWS_SESSION_TOKEN"))
    named = inputs.get("region") or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    region, keys = named or _DEFAULT_REGION, (access_key, secret_key, token)
    for role in _listed(inputs.get("assumeRoles")) or _listed(inputs.get("assumeRole")):
        keys = _assume(role, make_client("sts", endpoint, region, keys), endpoint)
    tags = _decoded(inputs.get("defaultTags")) or {}
    aws = Aws(endpoint, region, keys, tags.get("tags") or {})
    with refusals("finding out which account the provider's credentials are in", endpoint):
        identity = aws.client("sts").get_caller_identity()
    aws.account = identity["Account"]
    allowed, forbidden = (
        [*map(account_id, _listed(inputs.get(f"{what}AccountIds")))] for what in ("allowed", "forbidden")
    )
    if (allowed and aws.account not in allowed) or aws.account in forbidden:
        said = "forbiddenAccountIds names that account" if aws.account in forbidden else f"allowedAccountIds: {allowed}"
        reason = f"The provider works as {identity['Arn']}; {said}."
        own = (
            f"The sandbox makes every organization from account {MANAGEMENT_ACCOUNT}: name that for it, as in"
            f" `twokeys sandbox up management --config managementAccountId={MANAGEMENT_ACCOUNT}`."
        )
        reasons = (reason, *[own] * (aws.account == MANAGEMENT_ACCOUNT))
        raise ProviderError(f"AWS account ID not allowed: {aws.account}", reasons)
    return aws


def _assume(role: Mapping[str, Any], sts: Any, endpoint: str) -> Keys:  # noqa: ANN401 - a client of boto3
    if not role.get("roleArn"):
        reason = f"It has {', '.join(role) or 'nothing'}: in a mapping the key is roleArn, in Python too."
        raise ProviderError("IAM Role ARN not set in assume role", (reason,))
    request = {theirs: role[ours] for ours, theirs in _ASSUME_ROLE.items() if role.get(ours)}
    request.setdefault("RoleSessionName", "pulumi")
    if role.get("duration"):
        request["DurationSeconds"] = seconds(role["duration"])
    if role.get("policyArns"):
        request["PolicyArns"] = [{"arn": arn} for arn in role["policyArns"]]
    if role.get("tags"):
        request["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(role["tags"].items())]
    with refusals(f"assuming the role {role.get('roleArn')}", endpoint), contextlib.closing(sts):
        answer = sts.assume_role(**request)["Credentials"]
    return answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]


def seconds(duration: str) -> int:
    """A duration as the provider takes it ("1h", "1h30m", "900s") in seconds. Raises ProviderError for others."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration)
    if not duration or parts is None:
        raise ProviderError(f"{duration!r} is no duration", ("Write it as in 1h, 90m or 1h30m.",))
    hours, minutes, rest = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + rest


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
