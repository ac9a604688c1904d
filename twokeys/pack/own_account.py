"""Whose credentials a provider works with that neither assumes a role nor is pinned to an account."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from typing import Final

from twokeys.access.graph import Graph, build
from twokeys.access.model.providers import CREDENTIALS, entry, listed
from twokeys.access.reading.snapshot import PROVIDER, Resource, Snapshot, mapping
from twokeys.iam import UNKNOWN

_DEFAULT_REGION: Final = "us-east-1"


def graph_of(snapshot: Snapshot, own: str | None) -> Graph:
    """The graph of a snapshot; `own` is what `own_account` said of its providers."""
    return build(snapshot) if own is None else build(_of_the_environment(snapshot), own_account=own)


def of_program(snapshot: Snapshot) -> Snapshot:
    """A snapshot whose providers have no credentials of their own where those are the program's.

    Those are the environment's and what the stack's config gives the default provider; of another profile nobody asked.
    """
    own = {one.credentials for one in map(entry, snapshot.of_type(PROVIDER)) if one.is_default}
    return _of_the_environment(snapshot, lambda one: entry(one).credentials in own)


def own_account(providers: Iterable[Resource]) -> str | None:
    """The id of the account that all providers work in which tell none; None where it cannot be told, or differs.

    AWS is asked, with the credentials that the provider itself would use; that needs no permission.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    unpinned = [one for one in providers if entry(one).tells_none]
    asked = {entry(one).credentials for one in unpinned}
    if len(asked) != 1 or any(one.get(key) is UNKNOWN for one in unpinned for key in CREDENTIALS):
        return None
    first = unpinned[0]
    *by_keys, in_credentials, in_config = asked.pop()
    return None if in_credentials or in_config else _caller(tuple(by_keys), first.text("region"), _sts_endpoint(first))


def _of_the_environment(snapshot: Snapshot, known: Callable[[Resource], bool] = lambda _: True) -> Snapshot:
    """The same with no credentials for the providers that tell no account, where it is known whose they are."""

    def without(provider: Resource) -> Resource:
        inputs = {key: value for key, value in (provider.inputs or {}).items() if key not in CREDENTIALS}
        return replace(provider, inputs=inputs, outputs={})

    theirs = {one.urn for one in snapshot.of_type(PROVIDER) if entry(one).tells_none and known(one)}
    return replace(snapshot, resources=tuple(without(one) if one.urn in theirs else one for one in snapshot.resources))


@cache
def _caller(credentials: tuple[str | None, ...], region: str | None, url: str | None) -> str | None:
    # A pack starts with every operation, and few ask this.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    profile, key, secret, token = credentials
    try:
        session = boto3.Session(key, secret, token, region, profile_name=profile)
        region = session.region_name or _DEFAULT_REGION
        quick = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
        client = session.client("sts", region_name=region, endpoint_url=url, config=quick)
        return client.get_caller_identity()["Account"]
    except (BotoCoreError, ClientError):
        return None


def _sts_endpoint(provider: Resource) -> str | None:
    """Where the provider finds STS."""
    found = (mapping(one).get("sts") for one in listed(provider, "endpoints") or ())
    return next((one for one in found if isinstance(one, str)), None)
