"""What may let somebody in and is not read: never passed over in silence.

A resource whose type says so, and one whose content does: a command, code of a dynamic provider, a resource of a
package that nobody knows. No such content is run or understood; it is searched for what makes IAM.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.door_name import DoorName
from twokeys.access.reading.snapshot import Resource, Snapshot, items, mapping
from twokeys.access.reading.tokens import ROLE
from twokeys.access.reading.types import Reading, aws_type, type_of
from twokeys.iam import UNKNOWN, Arn

_IAM_CALL = re.compile(
    r"(?:create|put|attach|update|add|upload|enable|provision|register|tag|set)[-_]?(?:user[-_]?to[-_]?)?"
    r"(?:role|user|group|login[-_]?profile|access[-_]?key|policy|managed[-_]?policy|assume[-_]?role|open[-_]?id|saml[-_]?provider"
    r"|service[-_]?linked|account[-_]?assignment|permission[-_]?set|inline[-_]?policy|trust[-_]?anchor|stack|change[-_]?set"
    r"|provisioned[-_]?product|resource\b|organizations?[-_]root|delegated[-_]?administrator)",
    re.IGNORECASE,
)
_AWS_SDK = re.compile(
    r"boto|aws[-_]sdk|\baws\.|\b(?:iam|sso|identitystore|organizations|cloudformation)\b[a-z0-9.-]*\.amazonaws\.com",
    re.IGNORECASE,
)
_PUNCTUATION = re.compile(r"""[\\`]\r?\n|["'`()\[\]{},]""")
"""What stands around the words of a command, also at the end of a line that goes on below."""
_COMMAND = re.compile(
    r"(?:\baws(?:-cli(?::\S+)?)?|\$\s*\w+)(?:\s+-\S+(?:\s+[^-\s]\S*)?)*\s+"
    r"(?:iam|sso-admin|identitystore|organizations|cloudformation|cloudcontrol|servicecatalog|serverlessrepo|controltower"
    r"|rolesanywhere)\s+(?!(?:create-service-linked-role|create-account-alias|update-account-password-policy|enable-aws-service-access)\b)"
    r"(?:create|put|attach|update|add|upload|enable|provision|register|deploy|execute|set|delete-\w+-permissions"
    r"|tag-(?:role|user|resource))\S*"
    r"|\baws\b.*\sorganizations\s+(?:(?:detach|disable)-policy|move-account)"
    r"|\beks\s+create-pod-identity-association\b"
    # https://docs.aws.amazon.com/powershell/v4/userguide/pstools-iam.html
    r"|\b(?:new|write|register|add|update|set)-(?:iam|ssoadmn|cfnstack)(?!servicelinkedrole)[a-z]*\b(?<!-iam)(?!-)"
    r"|\b(?:terraform|tofu|terragrunt|pulumi|cdk|sam|sls|serverless|copilot|chalice|amplify|eksctl|sst|zappa|rain|sceptre"
    r"|org-formation)(?:[@:]\S+?|\.exe|\.js)?\s(?:[^|;&\n]*\s|--)?(?:--)?(?:apply|up|deploy|create|update)\b"
    r"|\b(?:cdk(?:@\S+)?\s(?:[^|;&\n]*\s)?bootstrap|sceptre\s(?:[^|;&\n]*\s)?launch|amplify\s+push)\b",
    re.IGNORECASE,
)
_SPEAKS_OF_IAM = re.compile(
    r"\biam\b|AssumeRole|(?:create|put|attach|update)_?role|CloudFormation|CloudControl|sso[-_]?admin|identity[-_]?store"
    r"|\borganizations\b|roles?[-_]?anywhere|service[-_]?catalog|CreateStack|arn:aws[a-z-]*:iam",
    re.IGNORECASE,
)
_ASSUMING = re.compile(r"AssumeRole|\bsts:[a*?]", re.IGNORECASE)
_AWS_TOKEN = re.compile(r"aws|iam", re.IGNORECASE)
_IAM_TOKEN = re.compile(
    r"iam|assume_?role|cloudformation|cloudcontrol|ssoadmin|permissionset|organizationsaccount|servicecatalog"
    r"|ssoassignment|identitystore|rolesanywhere",
    re.IGNORECASE,
)
_TERRAFORM_MODULE = "index:Module"
PROVIDER_CODE = "__provider"
CODE_BY_VALUE = b"_create_code"
"""What a pickle of Python's SDK calls where it holds code; one without only names a class of a module."""
PODS = ("eks::podidentityassociation", "eks::addon")
ACCEPT = "or accept it with an exception that names its owner, a reason and a day on which it expires"
MAKE_IT = f"make it with resources of pulumi-aws, {ACCEPT}"
_SEE_WHOM = f"see whom it lets in, and {ACCEPT.removeprefix('or ')}"
"""Of a type of pulumi-aws itself, which has no other for it."""


@dataclass(frozen=True, slots=True)
class NotRead:
    """A resource that may let somebody in and is not read: why, as a clause after its name, and the next step.

    `certain` is False for what can do anything (a command, code) and shows no sign that it makes IAM. `unknown` tells
    that it could be read, once what it says is known.
    """

    resource: Resource
    why: str
    next_step: str
    certain: bool = True
    unknown: bool = False

    @property
    def door(self) -> DoorName:
        """How an exception names it: by the URN, which is its own."""
        return DoorName(self.resource.urn, "*")


def not_read(snapshot: Snapshot, accounts: Accounts) -> Iterator[NotRead]:
    """What of a snapshot is not read although it may let somebody in.

    Templates and Cloud Control are not looked at: whoever reads them says what is left.
    """
    modules = {one.type.partition(":")[0] for one in snapshot.resources if ":tf:" in one.type}
    for resource in snapshot.resources:
        known = type_of(resource.type)
        if known is None:
            yield from _of_unknown_package(resource, shows_parts=resource.type.partition(":")[0] in modules)
        elif known.reading is Reading.NOT_READ:
            yield NotRead(resource, known.why, _SEE_WHOM if resource.type.startswith("aws:") else MAKE_IT)
        elif known.reading is Reading.BY_CONTENT:
            yield from _by_content(snapshot, accounts, resource)


def _by_content(snapshot: Snapshot, accounts: Accounts, resource: Resource) -> Iterator[NotRead]:
    if resource.type.startswith("command:"):
        yield from _command(resource)
    elif PROVIDER_CODE in _properties(resource) or ":dynamic" in resource.type:
        yield from _dynamic(resource)
    elif aws_type(resource.type) in PODS:
        yield from _pods(snapshot, accounts, resource)
    elif aws_type(resource.type) in _CODE:
        yield NotRead(resource, "runs code that is not read", f"see what the code may do, {ACCEPT}", certain=False)


_CODE = frozenset({"lambda::invocation", "cloudformation::customresource", "cloudformation::customresourceemulator"})


def _command(resource: Resource) -> Iterator[NotRead]:
    """A command can do what its credentials may; one that calls IAM, or deploys what may, certainly does.

    What it runs may stand in its environment, and its first words in its interpreter.
    """
    by = " ".join(_texts(resource.get("interpreter")))
    lines = [f"{by} {text}" for key in ("create", "update", "delete") for text in _texts(resource.get(key))]
    texts = [by, *lines, *_texts(resource.get("stdin")), *_texts(resource.get("environment"))]
    makes_iam = any(_COMMAND.search(_PUNCTUATION.sub(" ", text)) or _code_call(text) for text in texts)
    if makes_iam or _is_document(_properties(resource)):
        yield NotRead(resource, "runs a command that makes IAM", MAKE_IT)
    elif not resource.type.startswith("command:remote:Copy"):
        why = "runs a command, which may do whatever its credentials may"
        yield NotRead(resource, why, f"see that the command makes no IAM, {ACCEPT}", certain=False)


def _code_call(text: str) -> re.Match[str] | None:
    """A call of IAM by an SDK: only where the text speaks of AWS at all."""
    return _IAM_CALL.search(text) if _AWS_SDK.search(text) else None


def _dynamic(resource: Resource) -> Iterator[NotRead]:
    """A dynamic provider is a program of its own. Code that is shown and does not speak of IAM is only mentioned."""
    code = _code(resource.get(PROVIDER_CODE))
    others = {key: value for key, value in _properties(resource).items() if key != PROVIDER_CODE}
    step = f"make what it makes in AWS with resources of pulumi-aws, {ACCEPT}"
    if code is None:
        yield NotRead(resource, "is made by a dynamic provider whose code is not shown", step)
    elif _SPEAKS_OF_IAM.search(code) or _is_document(others) or _names_service(code, others):
        yield NotRead(resource, "is made by a dynamic provider, whose code may make IAM", step)
    else:
        yield NotRead(resource, "is made by a dynamic provider, whose code is not read", step, certain=False)


def _names_service(code: str, given: Mapping[str, object]) -> bool:
    """Whether code that calls AWS is given the service that it calls, or the call, as a text of its own."""
    return _AWS_SDK.search(code) is not None and any(map(_SPEAKS_OF_IAM.fullmatch, _texts(given)))


def _code(value: object) -> str | None:
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


def _pods(snapshot: Snapshot, accounts: Accounts, resource: Resource) -> Iterator[NotRead]:
    """Pods of a cluster become the role, which is read where it is of this stack and trusts EKS Pod Identity.

    Where its ARN is not known yet, it is one of the roles that the associations are made from.
    """
    of_addon = "addon" in resource.type.lower()
    behind = resource.property_dependencies.get("podIdentityAssociations" if of_addon else "roleArn", ())
    for one in map(mapping, items(resource.get("podIdentityAssociations"))) if of_addon else [resource]:
        arn = one.get("roleArn")
        roles = [role for role in snapshot.of_type(ROLE) if _is_role(accounts, role, arn, role.urn in behind)]
        if not roles or not all(map(_trusts_pods, roles)):
            which = arn if isinstance(arn, str) else "that is not known yet"
            yield NotRead(
                resource,
                f"hands role {which} to pods of a cluster, and it is not shown that the role trusts EKS Pod Identity",
                f"make the role in this program and have it trust pods.eks.amazonaws.com, {ACCEPT}",
            )


def _is_role(accounts: Accounts, role: Resource, arn: object, behind: bool) -> bool:
    """Whether an ARN is that of a role, which may not have it yet: other accounts may have a namesake."""
    named = Arn.parse(arn) if isinstance(arn, str) else None
    if named is None:
        return behind and not isinstance(arn, str)
    return named.name == role.text("name") and (behind or accounts.canonical(named.account) == accounts.of(role))


def _trusts_pods(role: Resource) -> bool:
    trust = role.get("assumeRolePolicy")
    return trust is UNKNOWN or "pods.eks.amazonaws.com" in json.dumps(trust, default=str)


def _of_unknown_package(resource: Resource, *, shows_parts: bool) -> Iterator[NotRead]:
    """A component shows what it makes; another resource is judged by its type's name and by what it is given.

    A Terraform module is one resource; where its parts are shown, they are judged themselves.
    """
    package, _, rest = resource.type.partition(":")
    step = MAKE_IT
    if rest == _TERRAFORM_MODULE:
        if not shows_parts:
            yield NotRead(resource, "is a Terraform module, whose resources are not shown", step)
    elif resource.provider is None:
        return
    elif _AWS_TOKEN.search(resource.type) and _IAM_TOKEN.search(resource.type):
        yield NotRead(resource, f"is of package {package}, which is not read, and by its name it makes IAM", step)
    elif _is_document(_properties(resource)):
        yield NotRead(resource, f"is of package {package}, which is not read, and holds an IAM policy document", step)


def _properties(resource: Resource) -> Mapping[str, object]:
    return resource.inputs if resource.inputs is not None else resource.outputs


def _is_document(value: object) -> bool:
    """Whether a trust policy, or a policy about assuming roles, stands anywhere in a value."""
    if isinstance(value, str):
        return "Statement" in value and _ASSUMING.search(value) is not None
    if isinstance(value, Mapping):
        whole = "Statement" in value and _is_document(json.dumps(value, default=str))
        return whole or any(map(_is_document, value.values()))
    return isinstance(value, list) and any(map(_is_document, value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)
