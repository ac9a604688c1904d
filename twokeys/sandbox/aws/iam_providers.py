"""Identity providers of an account: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html."""

from __future__ import annotations

from collections.abc import Callable

from twokeys.sandbox.aws import tags
from twokeys.sandbox.aws.client import Aws, or_none, timestamp
from twokeys.sandbox.aws.iam_rules import GROUP_NAME, set_each
from twokeys.sandbox.aws.resource_type import AutoName, ResourceType, matches
from twokeys.sandbox.engine.values import Properties


def _oidc_create(aws: Aws, inputs: Properties) -> str:
    provider = aws.client("iam").create_open_id_connect_provider(
        Url=inputs["url"],
        ClientIDList=inputs["clientIdLists"],
        ThumbprintList=inputs.get("thumbprintLists") or [],
        Tags=tags.as_pairs(tags.all_tags(aws, inputs)),
    )
    return str(provider["OpenIDConnectProviderArn"])


def _oidc_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=identifier)
    if found is None:
        return None
    return {
        "arn": identifier,
        "url": found["Url"],
        "clientIdLists": found.get("ClientIDList", []),
        "thumbprintLists": found.get("ThumbprintList", []),
        "tagsAll": tags.from_pairs(found.get("Tags")),
    }


def _oidc_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = aws.client("iam")
    set_each(
        old.get("clientIdLists"),
        new["clientIdLists"],
        add=lambda one: client.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=identifier, ClientID=one
        ),
        remove=lambda one: client.remove_client_id_from_open_id_connect_provider(
            OpenIDConnectProviderArn=identifier, ClientID=one
        ),
    )
    if new.get("thumbprintLists") and old.get("thumbprintLists") != new["thumbprintLists"]:
        client.update_open_id_connect_provider_thumbprint(
            OpenIDConnectProviderArn=identifier, ThumbprintList=new["thumbprintLists"]
        )
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if removed:
        client.untag_open_id_connect_provider(OpenIDConnectProviderArn=identifier, TagKeys=removed)
    if put:
        client.tag_open_id_connect_provider(OpenIDConnectProviderArn=identifier, Tags=put)


def _oidc_delete(aws: Aws, identifier: str, _: Properties) -> None:
    aws.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=identifier)


def _host(url: str) -> str:
    return url.removeprefix("https://")


def _saml_create(aws: Aws, inputs: Properties) -> str:
    provider = aws.client("iam").create_saml_provider(
        Name=inputs["name"],
        SAMLMetadataDocument=inputs["samlMetadataDocument"],
        Tags=tags.as_pairs(tags.all_tags(aws, inputs)),
    )
    return str(provider["SAMLProviderArn"])


def _saml_read(aws: Aws, identifier: str, _: Properties) -> Properties | None:
    found = or_none(aws.client("iam").get_saml_provider, SAMLProviderArn=identifier)
    if found is None:
        return None
    return {
        "arn": identifier,
        "name": identifier.rpartition("/")[2],
        "samlMetadataDocument": found["SAMLMetadataDocument"],
        "samlProviderUuid": found.get("SAMLProviderUUID"),
        "validUntil": timestamp(found["ValidUntil"]),
        "tagsAll": tags.from_pairs(found.get("Tags")),
    }


def _saml_update(aws: Aws, identifier: str, old: Properties, new: Properties) -> None:
    client = aws.client("iam")
    if old.get("samlMetadataDocument") != new["samlMetadataDocument"]:
        client.update_saml_provider(SAMLProviderArn=identifier, SAMLMetadataDocument=new["samlMetadataDocument"])
    put, removed = tags.changes(old.get("tagsAll") or {}, tags.all_tags(aws, new))
    if removed:
        client.untag_saml_provider(SAMLProviderArn=identifier, TagKeys=removed)
    if put:
        client.tag_saml_provider(SAMLProviderArn=identifier, Tags=put)


def _saml_delete(aws: Aws, identifier: str, _: Properties) -> None:
    aws.client("iam").delete_saml_provider(SAMLProviderArn=identifier)


RESOURCE_TYPES = (
    ResourceType(
        type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        inputs=frozenset({"clientIdLists", "tags", "thumbprintLists", "url"}),
        required=frozenset({"clientIdLists", "url"}),
        computed=frozenset({"arn"}),
        replaces=frozenset({"url"}),
        unordered=frozenset({"clientIdLists"}),
        same={"url": lambda old, new: _host(old) == _host(new)},
        also_computed=frozenset({"thumbprintLists"}),
        validations={"url": matches(r"https://[^/\s]+(/\S*)?", "an https URL")},
        taggable=True,
        create=_oidc_create,
        read=_oidc_read,
        update=_oidc_update,
        delete=_oidc_delete,
        identify=lambda aws, inputs: f"arn:aws:iam::{aws.account}:oidc-provider/{_host(inputs['url']).rstrip('/')}",
    ),
    ResourceType(
        type="aws:iam/samlProvider:SamlProvider",
        inputs=frozenset({"name", "samlMetadataDocument", "tags"}),
        required=frozenset({"samlMetadataDocument"}),
        computed=frozenset({"arn", "samlProviderUuid", "validUntil"}),
        volatile=frozenset({"validUntil"}),
        replaces=frozenset({"name"}),
        validations={"name": GROUP_NAME},
        auto_name=AutoName(longest=128),
        taggable=True,
        create=_saml_create,
        read=_saml_read,
        update=_saml_update,
        delete=_saml_delete,
        identify=lambda aws, inputs: f"arn:aws:iam::{aws.account}:saml-provider/{inputs['name']}",
    ),
)

INVOKES: dict[str, Callable[[Aws, Properties], Properties]] = {}
