"""Whether a command, code or a policy document in some text makes IAM, or may: by its words; nothing of it is run."""

import base64
import json
import re
from collections.abc import Mapping

from twokeys.iam.leaves import texts

_SERVICES = (
    r"(?:cloud[-_]?(?:formation|control)|sso[-_]?admin|identity[-_]?store|service[-_]?catalog|serverlessrepo"
    r"|control[-_]?tower|roles?[-_]?anywhere)"
)
"""Services by which IAM is made, as commands, SDKs and types spell them, but for iam and organizations."""
_IAM_CALL = re.compile(
    r"(?:create|put|attach|update|add|upload|enable|provision|register|tag|set)[-_]?(?:user[-_]?to[-_]?)?"
    r"(?:role|user|group|login[-_]?profile|access[-_]?key|policy|managed[-_]?policy|assume[-_]?role|open[-_]?id|saml[-_]?provider"
    r"|service[-_]?linked|account[-_]?assignment|permission[-_]?set|inline[-_]?policy|trust[-_]?anchor|stack|change[-_]?set"
    r"|provisioned[-_]?product|resource\b|organizations?[-_]root|delegated[-_]?administrator)",
    re.IGNORECASE,
)
_AWS_SDK = re.compile(
    rf"boto|aws[-_]sdk|\baws\.|\b(?:(?:iam|sso|organizations)\b|{_SERVICES})[a-z0-9.-]*\.amazonaws\.com", re.IGNORECASE
)
_PUNCTUATION = re.compile(r"""[\\`]\r?\n|["'`()\[\]{},]""")
"""What stands around the words of a command, also at the end of a line that goes on below."""
_COMMAND = re.compile(
    r"(?:\baws(?:-cli(?::\S+)?)?|\$\s*\w+)(?:\s+-\S+(?:\s+[^-\s]\S*)?)*\s+"
    rf"(?:iam|organizations|{_SERVICES})\s+(?!(?:create-service-linked-role|create-account-alias"
    r"|update-account-password-policy|enable-aws-service-access|enable-control)\b)"
    r"(?:create|put|attach|update|add|upload|enable|provision|register|deploy|execute|set|delete-\w+-permissions"
    r"|tag-(?:role|user|resource))\S*"
    r"|\baws\b.*\sorganizations\s+(?:(?:detach|disable)-policy|move-account)"
    # https://docs.aws.amazon.com/powershell/v4/userguide/pstools-iam.html
    r"|\b(?:new|write|register|add|update|set)-(?:iam|ssoadmn|cfnstack)(?!servicelinkedrole)[a-z]*\b(?<!-iam)(?!-)"
    r"|\b(?:terraform|tofu|terragrunt|pulumi|cdk|sam|sls|serverless|copilot|chalice|amplify|eksctl|sst|zappa|rain|sceptre"
    r"|org-formation)(?:[@:]\S+?|\.exe|\.js)?\s(?:[^|;&\n]*\s|--)?(?:--)?(?:apply|up|deploy|create|update)\b"
    r"|\b(?:cdk(?:@\S+)?\s(?:[^|;&\n]*\s)?bootstrap|sceptre\s(?:[^|;&\n]*\s)?launch|amplify\s+push)\b",
    re.IGNORECASE,
)
_SPEAKS_OF_IAM = re.compile(
    rf"\biam\b|AssumeRole|(?:create|put|attach|update)_?role|{_SERVICES}|\borganizations\b|CreateStack|arn:aws[a-z-]*:iam",
    re.IGNORECASE,
)
_ASSUMING = re.compile(r"AssumeRole|\bsts:[a*?]", re.IGNORECASE)
_MANIFEST = re.compile(
    rf"(?:^|^kubernetes:|apiVersion\W+)(?:iam|identity|organizations|{_SERVICES})\."
    r"(?:services\.k8s\.aws|aws\.[a-z.]+)/v\d"
)
"""The API version of what AWS's controllers for Kubernetes (ACK) and Crossplane make IAM from, in any other object."""
_AWS_TOKEN = re.compile(r"^(?!kubernetes:).*(?:aws|iam)", re.IGNORECASE)
_IAM_TOKEN = re.compile(
    rf"iam|assume_?role|permissionset|organizationsaccount|ssoassignment|{_SERVICES}", re.IGNORECASE
)
CODE_BY_VALUE = b"_create_code"
"""What a pickle of Python's SDK calls where it holds code; one without only names a class of a module."""


def command_makes_iam(text: str) -> bool:
    """Whether a command calls IAM or deploys what may: by a tool, or by an SDK where it speaks of AWS at all."""
    return bool(_COMMAND.search(_PUNCTUATION.sub(" ", text)) or (_AWS_SDK.search(text) and _IAM_CALL.search(text)))


def code_may_make_iam(code: str, given: Mapping[str, object]) -> bool:
    """Whether code speaks of IAM; or calls AWS, and is given the service or the call as a text of its own."""
    if _SPEAKS_OF_IAM.search(code) or holds_document(given):
        return True
    return _AWS_SDK.search(code) is not None and any(map(_SPEAKS_OF_IAM.fullmatch, texts(given)))


def type_makes_iam(token: str) -> bool:
    """Whether the token of a type that nobody knows says that it makes IAM of AWS."""
    return bool((_AWS_TOKEN.search(token) and _IAM_TOKEN.search(token)) or _MANIFEST.search(token))


def code_shown(value: object) -> str | None:
    """The code of a dynamic provider as the SDKs send it: JavaScript as text, Python as a pickle in base64."""
    if not isinstance(value, str):
        return None
    if "exports." in value or "function" in value:
        return value
    try:
        pickled = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    shown = pickled.startswith(b"\x80") and (CODE_BY_VALUE in pickled or b"def " in pickled)
    return pickled.decode("latin-1") if shown else None


def holds_document(value: object) -> bool:
    """Whether a trust policy, a policy about assuming roles or a Kubernetes manifest of IAM stands in a value."""
    if isinstance(value, str):
        return bool(("Statement" in value and _ASSUMING.search(value)) or _MANIFEST.search(value))
    if isinstance(value, Mapping):
        whole = "Statement" in value and holds_document(json.dumps(value, default=str))
        return whole or any(map(holds_document, value.values()))
    return isinstance(value, list) and any(map(holds_document, value))
