"""Small things that AWS does and ministack does not."""

import functools
import json
from collections.abc import Callable
from typing import Any, Final

from ministack.core.responses import get_account_id, get_region

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.inside import app, cloudtrail, ec2, iam, iam_evaluator
from twokeys.sandbox.local_server.inside import organizations as base
from twokeys.sandbox.local_server.supplement import Answer

_PARSED: Final = 2**16
_encrypted = records.store("ec2.ebs-encryption-by-default")  # region -> bool


def install() -> None:
    """Make them so."""
    _parse_policies_once()
    _know_organizations()
    _count_loopback_as_tls()
    _keep_tags_of_new_trails()
    _let_trusts_grant_within_an_account()
    for name, change in (("Enable", True), ("Disable", False), ("Get", None)):
        operation = f"{name}EbsEncryptionByDefault"
        ec2.ACTION_MAP[operation] = _encryption(operation, change)


def _parse_policies_once() -> None:
    """Remember what a document, as text, parses to; evaluation reads the statements and never changes them.

    ministack parses every policy of the caller anew to decide one call, and the group or role that holds a grant per
    door has as many policies as there are doors.
    """
    parse: Callable[[Any], list[Any]] = iam_evaluator.parse_policy_document
    parse_text = functools.lru_cache(_PARSED)(parse)
    iam_evaluator.parse_policy_document = lambda document: (parse_text if isinstance(document, str) else parse)(
        document
    )


def _know_organizations() -> None:
    """`aws:PrincipalOrgID` of members and `aws:ResourceOrgID`; what a call brings itself goes first.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    resolve: Callable[[str, Any], Any] = iam_evaluator.resolve_condition_key

    def resolved(key: str, context: Any) -> Any:  # noqa: ANN401 - ministack's contexts have no stable type
        if key.lower() == "aws:resourceorgid":
            return _organization_id(resolve("aws:ResourceAccount", context))
        found = resolve(key, context)
        if found is None and key.lower() == "aws:principalorgid":
            return _organization_id(context.principal_account)
        return found

    iam_evaluator.resolve_condition_key = resolved


def _organization_id(account: str) -> str | None:
    """The id of the organization that an account is in; None for one in none, whose requests lack the key."""
    management = organizations.organization_of(account)
    found = base.orgs.get_scoped(management, None, "self") if management else None
    return str(found["Id"]) if found else None


def _count_loopback_as_tls() -> None:
    """Loopback stands for TLS, or no bucket that asks for TLS could be worked with: nothing leaves the machine.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-securetransport
    """
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def _keep_tags_of_new_trails() -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html"""
    create = cloudtrail.DISPATCH["CreateTrail"]

    def tagged(body: dict[str, Any]) -> Answer:
        answer: Answer = create(body)
        if answer[0] == 200 and body.get("TagsList"):
            cloudtrail.add_tags({"ResourceId": json.loads(answer[2])["TrailARN"], "TagsList": body["TagsList"]})
        return answer

    cloudtrail.DISPATCH["CreateTrail"] = tagged


def _let_trusts_grant_within_an_account() -> None:
    """A trust policy that names a principal of the role's own account grants it the role: no other grant is needed.

    What the trust asks for is asked when the role is assumed; here its statements stand without their conditions.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-cross-account.html
    """
    found: Callable[[str, str], Any] = iam_evaluator.resource_policy

    def resource_policy(service: str, arn: str) -> Any:  # noqa: ANN401 - a policy and whose it is, or None
        account, _, path = arn.removeprefix("arn:aws:iam::").partition(":role/")
        role = iam.roles.get(path.rpartition("/")[2]) if account == get_account_id() else None
        if service != "sts" or role is None:
            return found(service, arn)
        statements = json.loads(role["AssumeRolePolicyDocument"])["Statement"]
        allows = [
            {key: value for key, value in one.items() if key != "Condition"} | {"Resource": "*"}
            for one in (statements if isinstance(statements, list) else [statements])
            if one["Effect"] == "Allow"
        ]
        return {"Version": "2012-10-17", "Statement": allows}, account

    iam_evaluator.resource_policy = resource_policy


def _encryption(operation: str, change: bool | None) -> Callable[[Any], Answer]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html, kept on record."""

    def answer(_: Any) -> Answer:  # noqa: ANN401 - ministack's requests have no type
        if change is not None:
            _encrypted[get_region()] = change
        told = str(_encrypted.get(get_region(), False)).lower()
        body = f"<ebsEncryptionByDefault>{told}</ebsEncryptionByDefault>"
        status, headers, text = ec2.xml(200, f"{operation}Response", body)
        return status, headers, text

    return answer
