"""An account's block of public access to S3, which ministack lacks and nothing here enforces.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html
"""

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from ministack.core.responses import get_account_id

from twokeys.sandbox.local_server import records
from twokeys.sandbox.local_server.inside import app as ministack
from twokeys.sandbox.local_server.supplement import Answer

_PATH = "/v20180820/configuration/publicAccessBlock"
_NAMESPACE = "http://awss3control.amazonaws.com/doc/2018-08-20/"
_SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_OPERATIONS = {"PUT": "PutPublicAccessBlock", "GET": "GetPublicAccessBlock", "DELETE": "DeletePublicAccessBlock"}

_blocks = records.store("s3control.public-access-block")  # "block" -> {setting: bool}


def install() -> None:
    """Answer before ministack takes the path for a bucket's."""
    handle = ministack.handle_s3_control_request

    async def answer(  # noqa: PLR0913, PLR0917 - ministack's signature
        path: str,
        method: str,
        body: bytes,
        query: dict[str, list[str]],
        request_id: str,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | None:
        if path != _PATH or method not in _OPERATIONS:
            handled: Answer | None = await handle(path, method, body, query, request_id, headers)
            return handled
        name = _OPERATIONS[method]
        action = f"s3:{name.replace('PublicAccessBlock', 'AccountPublicAccessBlock')}".replace("Delete", "Put")
        refusal = ministack.enforce_data_plane("s3", action, headers or {}, query, request_id)
        return refusal or _answer(method, body, headers or {})

    ministack.handle_s3_control_request = answer


def _answer(method: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    if "authorization" not in headers or headers.get("x-amz-account-id") != get_account_id():
        return _error(403, "AccessDenied", "The account id of the request is not the caller's.")
    if method == "PUT":
        given = {element.tag.rpartition("}")[2]: element.text for element in ET.fromstring(body)}  # noqa: S314 - loopback
        _blocks["block"] = {name: given.get(name) == "true" for name in _SETTINGS}
        return 200, {}, b""
    if "block" not in _blocks:
        return _error(404, "NoSuchPublicAccessBlockConfiguration", "The public access block was not found.")
    if method == "DELETE":
        _blocks.pop("block")
        return 204, {}, b""
    told = "".join(f"<{name}>{str(value).lower()}</{name}>" for name, value in _blocks["block"].items())
    text = f'<PublicAccessBlockConfiguration xmlns="{_NAMESPACE}">{told}</PublicAccessBlockConfiguration>'
    return 200, {"Content-Type": "application/xml"}, text.encode()


def _error(status: int, code: str, message: str) -> Answer:
    text = f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    return status, {"Content-Type": "application/xml"}, text.encode()
