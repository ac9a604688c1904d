"""Keys that AWS describes alike are judged alike.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-sts
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html
(there a key of several values is an ArrayOfString, as sts:TransitiveTagKeys and aws:TagKeys)
"""

import pytest

from tests.iam.policies import grant
from twokeys.iam import PolicyKind, lint
from twokeys.iam.condition_keys import CONDITION_KEYS, NEVER_OF, ConditionKey

# The page's "Data type", and its "Value type" where that is multivalued; of STS's keys those that the code looks into
DATA_TYPES = {
    "arn": {"ChatbotSourceArn", "PrincipalArn", "SignInSessionArn", "SourceArn", "SourceVpcArn"},
    "bool": {
        *("AssumedRoot", "IsMcpServiceAction", "MultiFactorAuthPresent", "PrincipalIsAWSService", "SecureTransport"),
        *("ViaAWSMCPService", "ViaAWSService"),
    },
    "date": {"CurrentTime", "EpochTime", "TokenIssueTime"},
    "ip": {"Ec2InstanceSourcePrivateIPv4", "SourceIp", "VpcSourceIp"},
    "numeric": {"MultiFactorAuthAge"},
    "string": {
        *("CalledVia", "CalledViaAWSMCP", "CalledViaFirst", "CalledViaLast", "Ec2InstanceSourceVpc"),
        *("FederatedProvider", "PrincipalAccount", "PrincipalOrgID", "PrincipalOrgMasterAccountId"),
        *("PrincipalOrgPaths", "PrincipalServiceName", "PrincipalServiceNamesList", "PrincipalTag/", "PrincipalType"),
        *("Referer", "RequestTag/", "RequestedRegion", "ResourceAccount", "ResourceOrgID", "ResourceOrgPaths"),
        *("ResourceTag/", "SourceAccount", "SourceIdentity", "SourceOrgID", "SourceOrgPaths", "SourceVpc"),
        *("SourceVpce", "TagKeys", "UserAgent", "VpceAccount", "VpceOrgID", "VpceOrgPaths", "userid", "username"),
        *("sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity", "sts:TransitiveTagKeys"),
    },
}
MULTIVALUED = {
    *("CalledVia", "PrincipalOrgPaths", "PrincipalServiceNamesList", "ResourceOrgPaths", "SourceOrgPaths", "TagKeys"),
    *("VpceOrgPaths", "sts:TransitiveTagKeys"),
}
ALL = {key.name.removeprefix("aws:"): key for key in CONDITION_KEYS.values()}
WRONG = {"arn": "x", "bool": "yes", "date": "2027", "ip": "10.0.0", "numeric": "soon"}


def rules(operator: str, key: str, value: str) -> list[str]:
    return [one.rule for one in lint(grant({"Condition": {operator: {key: value}}}), PolicyKind.IDENTITY)]


def test_each_key_has_the_data_type_and_the_value_type_of_the_page() -> None:
    types = {name: of for of, names in DATA_TYPES.items() for name in names}
    assert {name: key.form.type for name, key in ALL.items()} == types, "list each key here as AWS's page does"
    assert {name for name, key in ALL.items() if key.several} == MULTIVALUED


@pytest.mark.parametrize("key", ALL.values(), ids=lambda key: key.name)
def test_a_key_is_judged_by_its_data_type_and_its_value_type(key: ConditionKey) -> None:
    name = key.name + "team" * key.name.endswith("/")
    assert ("missing-qualifier" in rules("StringLike", name, "*")) == key.several
    if key.form.type == "string":
        return
    of_others = {"IpAddress": "192.0.2.7", "Bool": "true", "NumericEquals": "1", "DateEquals": "2027-01-01"}
    own = {"ip": {"IpAddress"}, "bool": {"Bool"}, "arn": set[str]()}.get(key.form.type, {"NumericEquals", "DateEquals"})
    assert {one for one, value in of_others.items() if "key-type" not in rules(one, name, value)} == own
    assert rules("StringEquals", name, WRONG[key.form.type]) == [
        "key-type" if key.form.type == "date" else "value-form"
    ]


@pytest.mark.parametrize(
    ("named", "value"), [("{}Account", "12"), ("{}OrgID", "r-ab12"), ("{}OrgPaths", "o-a1b2c3d4e5/r-ab12")]
)
@pytest.mark.parametrize("whose", ["Principal", "Resource", "Source", "Vpce"])
def test_an_account_or_organization_has_the_form_of_its_ids_whoever_it_is_of(
    named: str, value: str, whose: str
) -> None:
    key = ALL[named.format(whose)]
    operator = "ForAnyValue:StringEquals" if key.several else "StringEquals"
    assert rules(operator, key.name, value) == ["value-form"]


def test_a_finding_names_where_the_user_guide_describes_the_key() -> None:
    anchors = {key.page for key in CONDITION_KEYS.values()}
    assert {
        "reference_policies_condition-keys.html#condition-keys-sourcevpce",
        "reference_policies_condition-keys.html#condition-keys-requesttag",
        "reference_policies_iam-condition-keys.html#ck_externalid",
    } < anchors


def test_what_no_caller_of_a_kind_has_is_a_key_of_the_table() -> None:
    assert {key for keys in NEVER_OF.values() for key in keys} <= CONDITION_KEYS.keys()
