"""Creates that a killed pulumi CLI left pending in a state: what was begun is taken over instead of begun again.

`pulumi up` only warns of them and asks for the same object anew, which AWS refuses (EMAIL_ALREADY_EXISTS,
EntityAlreadyExists) or makes twice (a key of KMS). Where the object's id follows from what was asked for, or AWS says
it, the object is put into the state under that id; a refresh of just these then reads what is there, and drops what
never came to be. https://www.pulumi.com/docs/iac/operations/stack-management/editing-state-files/
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from twokeys.access.model.accounts import Accounts
from twokeys.access.reading.state import parse_state
from twokeys.errors import Refusal
from twokeys.organization.creations import LOOKED_UP

IDS: Final[Mapping[str, str]] = {
    "aws:accessanalyzer/analyzer:Analyzer": "{analyzerName}",
    "aws:budgets/budget:Budget": "{account}:{name}",
    "aws:cloudtrail/trail:Trail": "arn:{partition}:cloudtrail:{region}:{account}:trail/{name}",
    "aws:iam/accountAlias:AccountAlias": "{accountAlias}",
    "aws:iam/group:Group": "{name}",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": "arn:{partition}:iam::{account}:oidc-provider/{url}",
    "aws:iam/role:Role": "{name}",
    "aws:iam/user:User": "{name}",
    "aws:kms/alias:Alias": "{name}",
    "aws:organizations/delegatedAdministrator:DelegatedAdministrator": "{accountId}/{servicePrincipal}",
    "aws:organizations/policyAttachment:PolicyAttachment": "{targetId}:{policyId}",
    "aws:s3/bucket:Bucket": "{bucket}",
    "aws:ssoadmin/accountAssignment:AccountAssignment": "{principalId},{principalType},{targetId},{targetType},"
    "{permissionSetArn},{instanceArn}",
    "aws:ssoadmin/managedPolicyAttachment:ManagedPolicyAttachment": "{managedPolicyArn},{permissionSetArn},"
    "{instanceArn}",
}
"""What the page of each type in the registry says under "Import", of inputs and of where the object is:
https://www.pulumi.com/registry/packages/aws/api-docs/iam/role/#import"""
ASKED_ANEW: Final = frozenset(
    f"aws:{module}/{name[0].lower()}{name[1:]}:{name}"
    for module, names in {
        "account": "AlternativeContact",
        "cloudwatch": "EventRule EventTarget",
        "costexplorer": "CostAllocationTag",
        "ebs": "EncryptionByDefault",
        "ec2": "DefaultSecurityGroup DefaultVpc",
        "guardduty": "OrganizationAdminAccount",
        "iam": "AccountPasswordPolicy GroupPolicy OrganizationsFeatures RolePolicy RolePolicyAttachment"
        " UserGroupMembership UserPolicy",
        "s3": "AccountPublicAccessBlock BucketLifecycleConfiguration BucketObjectLockConfiguration BucketPolicy"
        " BucketOwnershipControls BucketPublicAccessBlock BucketServerSideEncryptionConfiguration BucketVersioning",
        "sns": "Topic TopicPolicy TopicSubscription",
        "ssoadmin": "PermissionSetInlinePolicy",
    }.items()
    for name in names.split()
)
"""Each a Put, an Attach, an Enable or a Create that AWS answers with what is there: asked twice, it is there once."""


def creating(deployment: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The resources of a deployment v3 whose create is pending, but for replacements of some that are there."""
    there = {one["urn"] for one in deployment.get("resources") or ()}
    return [
        one["resource"]
        for one in deployment.get("pending_operations") or ()
        if one["type"] == "creating" and one["resource"]["urn"] not in there
    ]


def identifiers(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Under which id each pending create would be imported, by URN, as far as that follows from what was asked for."""
    known = Accounts(parse_state(json.dumps({"version": 3, "deployment": deployment})))
    regions = {one["urn"]: (one.get("inputs") or {}).get("region") for one in deployment.get("resources") or ()}
    found = {}
    for one in creating(deployment):
        inputs, provider = one.get("inputs") or {}, one.get("provider", "").rpartition("::")[0]
        given, account = inputs.get("accountId"), known.of_provider(provider)
        account = given if isinstance(given, str) else account
        said = {**inputs, "region": inputs.get("region") or regions.get(provider)}
        if known.pinned(account):
            said |= {"account": account, "partition": known.partition(account)}
        if "url" in said:
            said["url"] = str(said["url"]).removeprefix("https://")
        # What is no text is a secret, which is encrypted in a state, or was not known.
        told = {key: value for key, value in said.items() if isinstance(value, str) and value}
        try:
            found[one["urn"]] = IDS[one["type"]].format_map(told)
        except KeyError:
            continue
    return found


def unclear(begun: Iterable[Mapping[str, Any]], found: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Those of which nobody can tell whether they were made, and which must not be made a second time."""
    known = LOOKED_UP | ASKED_ANEW
    return [
        one for one in begun if one["type"].startswith("aws:") and one["urn"] not in found and one["type"] not in known
    ]


def taken_over(
    deployment: Mapping[str, Any], found: Mapping[str, str], arns: Mapping[str, str], kept: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The deployment with what was found under its ids, and nothing pending any more but the creates of `kept`.

    What a resource depends on was complete when its create began, so it may stand last. Its outputs are not known yet,
    but for the ARNs that AWS gave, by which the policy pack tells accounts apart: the next update reads them first,
    should the refresh not come to its end. `found` are ids and `arns` ARNs, by URN.
    """
    taken = [
        {
            **one,
            "id": found[one["urn"]],
            "outputs": {**(one.get("inputs") or {}), **({"arn": arns[one["urn"]]} if one["urn"] in arns else {})},
            "refreshBeforeUpdate": True,
        }
        for one in creating(deployment)
        if one["urn"] in found
    ]
    left = [{"resource": one, "type": "creating"} for one in kept]
    others = {key: value for key, value in deployment.items() if key != "pending_operations"}
    pending = {"pending_operations": left} if left else {}
    return {**others, "resources": [*(deployment.get("resources") or ()), *taken], **pending}


def refusal(stack: str, folder: str, left: list[Mapping[str, Any]]) -> Refusal:
    """What a person has to say of the creates that are unclear."""
    package, _, kind = left[0]["type"].partition(":")[2].partition("/")
    page = f"https://www.pulumi.com/registry/packages/aws/api-docs/{package}/{kind.rpartition(':')[2].lower()}/#import"
    refresh = f"pulumi -C {folder} refresh --stack {stack}"
    urns = "".join(f" --import-pending-creates '{one['urn']}' --import-pending-creates ID" for one in left)
    return Refusal(
        f"an earlier run was killed while it created {left[0]['urn']}",
        where=f"stack {stack}",
        why="AWS chooses its id, so it cannot be told from here whether it was made, and a second one is not wanted",
        next_step=f"look for it at AWS; if it is there, `{refresh}{urns}` with its id as {page} says; if it is not,"
        f" `{refresh} --clear-pending-creates`; then run the same command again",
    )
