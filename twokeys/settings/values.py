"""AWS's rules for single values of a stack's config; each names the page that fixes it."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from twokeys.aws_reference import meant_service, meant_type, regions, unknown_names
from twokeys.doors.expiry import closing_time
from twokeys.errors import nearest, or_nearest
from twokeys.iam import DEFAULT_PARTITION, PolicyError, PolicyKind, Severity, aws_managed, lint, parse_policy
from twokeys.iam.operators import OPERATORS, operator_named
from twokeys.iam.parsing import ELEMENTS

_CREATE_ACCOUNT = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateAccount.html"
_ROLE_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"
_GROUP_PAGE = "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html"
_IDENTITY_GROUP_PAGE = "https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_CreateGroup.html"
_POLICY_PAGE = "https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html"
_TAGS_PAGE = "https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html"
ORG_QUOTAS = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"
_STS_PAGE = "https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"
_OU_LEVELS = 5
_ARN_OF_POLICY = "it as in arn:aws:iam::aws:policy/ReadOnlyAccess"
_LATIN = {"\u2013": "-", "\u2014": "-", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2026": "..."}


def refuse(why: str, next_step: str) -> PydanticCustomError:
    """The error to raise for a value that AWS would refuse."""
    return PydanticCustomError("refused", "{why}", {"why": why, "next_step": next_step})


def must_match(pattern: str, why: str, next_step: str) -> AfterValidator:
    """The rule that a whole value matches a pattern of ASCII characters."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise refuse(why, next_step)
        return value

    return AfterValidator(check)


def _named(whose: str, most: int, page: str) -> AfterValidator:
    why = f"{whose} name has 1 to {most} letters, digits and +=,.@_- ({page})"
    return must_match(rf"[\w+=,.@-]{{1,{most}}}", why, "choose such a name")


def check_identity_group(value: str) -> str:
    """The name of a group of IAM Identity Center, which may have spaces; here, no line breaks."""
    if len(value) > 1024 or not value.isprintable() or not value.strip():
        why = f"a group of IAM Identity Center has 1 to 1024 letters, digits, signs and spaces ({_IDENTITY_GROUP_PAGE})"
        raise refuse(why, "choose such a name")
    return value


def _id(pattern: str, what: str, page: str) -> AfterValidator:
    why = f"{what} (https://docs.aws.amazon.com/organizations/latest/APIReference/API_{page}.html)"
    return must_match(pattern, why, "copy it from the AWS Organizations console, or let `twokeys adopt` write it")


def _without_arn(value: str) -> str:
    if value.startswith("arn:"):
        name = value.rpartition(":")[2].partition("/")[2]
        why = "it is named by its name, or path and name, and its account is said beside it"
        raise refuse(why, f"write {name}" if name else "write the name")
    return value


def _named_with_path(who: str, example: str, most: int, page: str) -> AfterValidator:
    return must_match(
        rf"(?=(.{{0,510}}/)?[^/]*\Z)([\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{{1,{most}}}",
        f"the name of {who} has 1 to {most} letters, digits and +=,.@_-, and before it may stand a path of at most 511"
        f" characters, as in {example} ({page})",
        "write it so, without a slash in front; `*` is not allowed, name one",
    )


def within(low: int, high: int, what: str, page: str) -> AfterValidator:
    """The rule that a number, or the length of a text, list or mapping, is within bounds; `what` says them in words."""

    def check(value: Any) -> Any:  # noqa: ANN401 - whatever has a size
        size = value if isinstance(value, int) else len(value)
        if not low <= size <= high:
            raise refuse(f"{what}, not {size} ({page})", f"stay within {low} and {high}")
        return value

    return AfterValidator(check)


def once(value: tuple[Any, ...]) -> tuple[Any, ...]:
    """The rule that a list has nothing in it twice."""
    twice = [str(one) for one, count in Counter(value).items() if count > 1]
    if twice:
        raise refuse(f"it is listed twice: {', '.join(twice)}", "list it once")
    return value


def check_email(value: str) -> str:
    """The address of an account's root user: a mailbox within CreateAccount's rules for `Email`."""
    if not 6 <= len(value) <= 64:
        raise refuse(
            f"an account's e-mail address has 6 to 64 characters, this one has {len(value)} ({_CREATE_ACCOUNT})",
            "give an address of that length",
        )
    check_mailbox(value)
    if not value.isascii() or set(value.rpartition("@")[0]) & set("\"'()<>[]:;,\\|%&"):
        raise refuse(
            f"an account's e-mail address is ASCII without \"'()<>[]:;,\\|%& before the @ ({_CREATE_ACCOUNT})",
            "give an address without these characters",
        )
    return value


def check_mailbox(value: str) -> str:
    """An address that mail can go to, by its syntax (RFC 5321), without a DNS look-up."""
    try:
        validate_email(value, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise refuse(f"not an e-mail address: {str(error).rstrip('.')}", "give an address that can get mail") from None
    return value


def check_region(value: str) -> str:
    """A region that botocore knows; https://docs.aws.amazon.com/general/latest/gr/rande.html."""
    if value not in regions():
        step = or_nearest("give a region such as us-east-1 or eu-central-1", value, regions())
        raise refuse("no AWS region has this name", step)
    return value


def check_unit_path(value: str) -> str:
    """A path of names below the root, or an organizational unit's id (which has the shape of a path of one name)."""
    names = value.split("/")
    if len(names) > 1 and "" in (names[0], names[-1]) and all(names[1:-1]):
        raise refuse("a path begins and ends with a name", f"write {value.strip('/')}")
    if not all(1 <= len(name) <= 128 and name == name.strip() for name in names):
        raise refuse(
            "each name in an organizational unit's path has 1 to 128 characters and no space at its ends"
            " (https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreateOrganizationalUnit.html)",
            "write the path below the root, such as Workloads/Stage",
        )
    if len(names) > _OU_LEVELS:
        raise refuse(
            f"organizational units nest at most {_OU_LEVELS} deep, this path has {len(names)} levels ({ORG_QUOTAS})",
            "use a shorter path",
        )
    return value


def check_scp(value: dict[str, Any]) -> dict[str, Any]:
    """A well-formed service control policy; `policies` looks at its size, as at that of every type."""
    check_policy(value, PolicyKind.SCP)
    return value


def check_statements(value: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    """Well-formed statements of an identity-based policy; accounts may be symbols."""
    if value:
        must_be_latin(value)
        check_policy({"Version": "2012-10-17", "Statement": list(value)}, PolicyKind.IDENTITY)
    return value


def check_condition_values(value: object) -> str | list[str]:
    """The values of a condition as text: numbers and truth values as IAM reads them in JSON."""
    if isinstance(value, list):
        return [str(check_condition_values(one)) for one in value]
    if not isinstance(value, str | int | float):
        raise refuse("a condition compares with text, a number, true or false, or a list of them", "write one of these")
    return value if isinstance(value, str) else json.dumps(value)


def check_conditions(value: dict[str, dict[str, str | list[str]]]) -> dict[str, dict[str, str | list[str]]]:
    """Condition operators that IAM has, each with keys that AWS has, and values that they can compare."""
    if value:
        must_be_latin(value)
        if "<nil>" in value:
            raise refuse("YAML reads the operator Null as nothing", 'write "Null" in quotes')
        for operator, keys in value.items():
            for of in [f" of {key}" for key, values in keys.items() if values == []] if keys else [""]:
                raise refuse(
                    f"{operator}{of} lists no value, and then it never matches"
                    " (https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html)",
                    "list a value, or leave the condition out",
                )
        statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": value}
        check_policy({"Version": "2012-10-17", "Statement": [statement]}, PolicyKind.TRUST)
    return value


_OPERATORS = [
    name
    for of in ("", "ForAnyValue:", "ForAllValues:")
    for operator in OPERATORS
    for name in (f"{of}{operator}", f"{of}{operator}IfExists")
    if operator_named(name)
]


_KNOWN = {"effect": ["Allow", "Deny"], "unknown-operator": _OPERATORS, "unknown-element": [*ELEMENTS, "Version"]}


def check_policy(document: Mapping[str, Any], kind: PolicyKind) -> None:
    """A document that IAM takes and that can work: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html"""
    try:
        policy = parse_policy(document, kind)
    except PolicyError as error:
        page = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html"
        known = _KNOWN.get(error.rule, [])
        step = or_nearest(f"correct it as {page} describes", error.message.partition(" is ")[0].strip("'"), known)
        raise refuse(f"not a policy that IAM takes: {error.path or 'document'}: {error.message}", step) from None
    for found in (*lint(policy, kind), *unknown_names(policy)):
        if found.severity is Severity.ERROR or found.rule == "host-bits":
            why = f"a policy that cannot work as it is written: {found.path}: {found.message}"
            raise refuse(why, f"{found.next_step}; see {found.url}")


def check_service(value: str) -> str:
    """A service principal that is not misspelt."""
    plain = value.lower().removeprefix("https://").rstrip("/")
    if plain != value:
        raise refuse("a service principal is a name in lower case", f"write {plain}")
    if "." not in value:
        page = "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html"
        whole = f"{value}.amazonaws.com"
        raise refuse(f"a service is named by its service principal ({page})", f"write {meant_service(whole) or whole}")
    if meant := meant_service(value):
        raise refuse("no AWS service has this principal", f"write {meant}, if that is meant")
    return value


def check_policy_arn(value: str) -> str:
    """The ARN of a managed policy; a name alone gets the ARN of AWS's own policy that has it."""
    if not value.startswith("arn:"):
        names = aws_managed.names()
        near = value if value in names else nearest(value, names, 0.9)
        arn = f"arn:{DEFAULT_PARTITION}:iam::aws:policy/{names[near]}" if near else f"{_ARN_OF_POLICY} for AWS's own"
        raise refuse("a managed policy is named by its ARN", f"write {arn}")
    return value


def check_reason(value: str) -> str:
    """A text that IAM takes as the description of a role."""
    if not value.strip():
        raise refuse("it is empty, and people read in it why this is there", "write it in a sentence")
    if len(value) > 1_000:
        raise refuse(
            f"the description of a role has at most 1000 characters, not {len(value)} ({_ROLE_PAGE})", "say less"
        )
    found = re.search(r"[^\t\n\r\x20-\x7e\xa1-\xff]", value)
    if found is not None:
        character = f"{found[0]} (U+{ord(found[0]):04X})" if found[0].isprintable() else f"U+{ord(found[0]):04X}"
        why = (
            f"it becomes the role's description, in printable Latin-1, and character {found.start() + 1}, {character},"
        )
        raise refuse(
            f"{why} is none ({_ROLE_PAGE})", f"write {_LATIN.get(found[0], 'another')} in its place, or leave it out"
        )
    return value


def check_enforced_type(value: str) -> str:
    """A type of resource that is not misspelt."""
    if meant := meant_type(value):
        raise refuse("AWS has no service or type of resource of this name", f"write {meant}, if that is meant")
    return value


def must_be_latin(document: object) -> None:
    """IAM takes no character beyond U+00FF in a policy document."""
    beyond = sorted({each for each in json.dumps(document, ensure_ascii=False) if each > "\xff"})
    if beyond:
        raise refuse(
            f"a policy document is written with characters up to U+00FF, not {''.join(beyond[:5])}"
            " (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html)",
            "write it without them, with a wildcard in their place where that is right",
        )


def is_reserved_tag(key: str) -> bool:
    """Whether AWS made a tag: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html (`aws:`)."""
    return key.casefold().startswith("aws:")


def check_tag_key(value: str) -> str:
    """A key that AWS lets people write."""
    if is_reserved_tag(value):
        raise refuse(
            f"tags that begin with aws: are made by AWS, and nobody else can set them ({_TAGS_PAGE})",
            "remove it, or choose another key",
        )
    return value


# What AWS takes in tags of any service: _TAGS_PAGE
_TAG_TEXT = re.compile(r"[\w\s.:/=+@-]*")


def check_tag_text(tags: dict[str, str]) -> dict[str, str]:
    """Letters of any language, digits, spaces and `_.:/=+-@`: what every service takes in a tag."""
    for text in (text for one in tags.items() for text in one if _TAG_TEXT.fullmatch(text) is None):
        why = f"a tag is written with letters, digits, spaces and _.:/=+-@ ({_TAGS_PAGE}), which {text!r} is not"
        raise refuse(why, "leave other characters out")
    return tags


def check_closing_time(value: object) -> object:
    """The last day of a door, as in 2027-01-31, or the moment of its end, as in 2027-01-31T15:00Z."""
    try:
        return closing_time(value)
    except ValueError:
        step = "write the last day as in 2027-01-31, or the moment as in 2027-01-31T15:00Z"
        why = "not a day of the calendar, nor a moment with its time zone"
        raise refuse(why, step) from None


ConditionValues = Annotated[Any, AfterValidator(check_condition_values)]
UNIT_ID: Final = r"ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}"
ACCOUNT_ID: Final = r"[0-9]{12}"
AccountId = Annotated[
    str, must_match(ACCOUNT_ID, "an AWS account id is 12 digits", 'write all 12 digits in quotes, as in "111111111111"')
]
ClosingTime = Annotated[datetime, BeforeValidator(check_closing_time)]
Email = Annotated[str, AfterValidator(check_email)]
ContactEmail = Annotated[str, AfterValidator(check_mailbox)]
PolicyName = Annotated[str, within(1, 128, "a policy's name has 1 to 128 characters", _POLICY_PAGE)]
PolicyDescription = Annotated[str, within(0, 512, "a policy's description has at most 512 characters", _POLICY_PAGE)]
SessionSeconds = Annotated[int, within(3_600, 43_200, "a session of a role lasts 3600 to 43200 seconds", _ROLE_PAGE)]
Region = Annotated[str, AfterValidator(check_region)]
UnitPath = Annotated[str, AfterValidator(check_unit_path)]
UnitId = Annotated[str, _id(UNIT_ID, "an organizational unit's id looks like ou-ab12-cd345678", "OrganizationalUnit")]
OrganizationId = Annotated[
    str, _id(r"o-[a-z0-9]{10,32}", "an organization's id looks like o-a1b2c3d4e5", "Organization")
]
PolicyId = Annotated[str, _id(r"p-[0-9a-zA-Z_]{8,128}", "a policy's id looks like p-a1b2c3d4", "PolicySummary")]
TargetId = Annotated[
    str,
    _id(
        rf"r-[0-9a-z]{{4,32}}|{UNIT_ID}|{ACCOUNT_ID}",
        "a policy is attached to a root (r-ab12), an organizational unit (ou-ab12-cd345678) or an account (12 digits)",
        "AttachPolicy",
    ),
]
Slug = Annotated[
    str,
    must_match(
        r"[A-Za-z0-9_-]{1,50}",
        "this name becomes part of resource names: letters, digits, hyphens and underscores, 50 at most",
        "choose such a name; an account's display name may differ, see `name`",
    ),
]
AccountOrEvery = Annotated[
    str,
    must_match(
        r"\*|[A-Za-z0-9_-]{1,50}",
        "a door leads into an account by its key in `accounts`, or into every account of the stack",
        'name one of the accounts, or write "*" for all that are active',
    ),
]
AccountName = Annotated[
    str,
    must_match(
        r"[\x20-\x7e]{1,50}",
        f"an account's name has 1 to 50 printable ASCII characters ({_CREATE_ACCOUNT})",
        "choose a shorter or simpler name",
    ),
]
RoleName = Annotated[str, AfterValidator(_without_arn), _named("a role's or user's", 64, _ROLE_PAGE)]
GroupName = Annotated[str, AfterValidator(_without_arn), _named("a group's", 128, _GROUP_PAGE)]
PathAndName = Annotated[
    str, AfterValidator(_without_arn), _named_with_path("a role or user", "deploy/ci", 64, _ROLE_PAGE)
]
IdentityGroupName = Annotated[str, AfterValidator(check_identity_group)]
GroupPathAndName = Annotated[
    str, AfterValidator(_without_arn), _named_with_path("a group", "web/developers", 128, _GROUP_PAGE)
]
PolicyArn = Annotated[
    str,
    AfterValidator(check_policy_arn),
    must_match(
        r"arn:aws[a-z0-9-]*:iam::(aws|\d{12}):policy/[\x21-\x7e]{1,640}",
        "a managed policy is named by its ARN"
        " (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html)",
        "write it as in arn:aws:iam::aws:policy/ReadOnlyAccess",
    ),
]
ExternalId = Annotated[
    str,
    must_match(
        r"[\w+=,.@:/-]{2,1224}",
        f"an external ID has 2 to 1224 letters, digits and +=,.@:/_- ({_STS_PAGE})",
        "choose such an ID; it is an identifier, not a secret",
    ),
]
Reason = Annotated[str, AfterValidator(check_reason)]
ServicePrincipal = Annotated[
    str,
    AfterValidator(check_service),
    must_match(
        r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?",
        "a trusted service is named by its service principal"
        " (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_integrate_services_list.html)",
        "write it as in cloudtrail.amazonaws.com",
    ),
]
# Those that pulumi-aws 7 names; botocore knows some that it does not.
PolicyType = Literal[
    "SERVICE_CONTROL_POLICY",
    "RESOURCE_CONTROL_POLICY",
    "TAG_POLICY",
    "BACKUP_POLICY",
    "AISERVICES_OPT_OUT_POLICY",
    "CHATBOT_POLICY",
    "DECLARATIVE_POLICY_EC2",
    "BEDROCK_POLICY",
    "INSPECTOR_POLICY",
    "S3_POLICY",
    "SECURITYHUB_POLICY",
    "UPGRADE_ROLLOUT_POLICY",
]
Once = AfterValidator(once)
MOST_TAGS: Final = 50
Tags = Annotated[
    dict[
        Annotated[
            str, within(1, 128, "a tag's key has 1 to 128 characters", _TAGS_PAGE), AfterValidator(check_tag_key)
        ],
        Annotated[str, within(0, 256, "a tag's value has at most 256 characters", _TAGS_PAGE)],
    ],
    within(0, MOST_TAGS, f"a resource has at most {MOST_TAGS} tags", _TAGS_PAGE),
]
BucketName = Annotated[
    str,
    must_match(
        r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(?:-s3alias|--ol-s3)\Z)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        "a bucket's name has 3 to 63 lowercase letters, digits and hyphens between them"
        " (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)",
        "choose such a name; it is unique across AWS",
    ),
]
