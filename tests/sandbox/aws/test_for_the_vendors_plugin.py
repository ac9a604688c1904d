"""What the vendor's aws plugin asks of the local AWS beyond what ours does."""

import http.client
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from twokeys.sandbox.local_aws import LocalAws


def test_as_a_proxy_it_answers_s3_control_at_the_host_name_of_an_account(local_aws: LocalAws) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html"""
    account, address = "500700000001", urlsplit(local_aws.endpoint)
    url = f"http://{account}.{address.netloc}/v20180820/configuration/publicAccessBlock"
    asked = AWSRequest("GET", url, headers={"x-amz-account-id": account})
    S3SigV4Auth(Credentials(account, "test"), "s3", "us-east-1").add_auth(asked)
    connection = http.client.HTTPConnection(address.hostname, address.port)
    connection.request("GET", url, headers={"Host": urlsplit(url).netloc, **dict(asked.headers)})
    answer = connection.getresponse()
    assert (answer.status, b"NoSuchPublicAccessBlockConfiguration" in answer.read()) == (404, True)
    connection.close()


def test_the_tags_that_come_with_a_trail_are_kept(client_of) -> None:
    """https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html"""
    account = "500700000002"
    client_of("s3", account).create_bucket(Bucket="trail-500700000002")
    client = client_of("cloudtrail", account)
    tags = [{"Key": "team", "Value": "platform"}]
    trail = client.create_trail(Name="trail", S3BucketName="trail-500700000002", TagsList=tags)["TrailARN"]
    assert client.list_tags(ResourceIdList=[trail])["ResourceTagList"][0]["TagsList"] == tags


def test_what_identity_center_works_on_is_asked_for_by_its_request(client_of) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DescribeAccountAssignmentCreationStatus.html"""
    account = "500700000003"
    client_of("organizations", account).create_organization(FeatureSet="ALL")
    sso = client_of("sso-admin", account)
    instance = sso.list_instances()["Instances"][0]
    store = client_of("identitystore", account)
    group = store.create_group(IdentityStoreId=instance["IdentityStoreId"], DisplayName="developers")["GroupId"]
    at = {"InstanceArn": instance["InstanceArn"]}
    permissions = sso.create_permission_set(Name="reader", **at)["PermissionSet"]["PermissionSetArn"]
    provisioned = sso.provision_permission_set(
        PermissionSetArn=permissions, TargetType="ALL_PROVISIONED_ACCOUNTS", **at
    )["PermissionSetProvisioningStatus"]
    assert (
        sso.describe_permission_set_provisioning_status(ProvisionPermissionSetRequestId=provisioned["RequestId"], **at)[
            "PermissionSetProvisioningStatus"
        ]
        == provisioned
    )
    begun = sso.create_account_assignment(
        PermissionSetArn=permissions,
        PrincipalType="GROUP",
        PrincipalId=group,
        TargetType="AWS_ACCOUNT",
        TargetId=account,
        **at,
    )["AccountAssignmentCreationStatus"]
    done = sso.describe_account_assignment_creation_status(AccountAssignmentCreationRequestId=begun["RequestId"], **at)[
        "AccountAssignmentCreationStatus"
    ]
    assert (done["Status"], done["TargetId"], done["PrincipalId"]) == ("SUCCEEDED", account, group)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sso.describe_account_assignment_creation_status(AccountAssignmentCreationRequestId=permissions[-36:], **at)
    for kind, principal, target in (
        ("GROUP", "g", account),
        ("USER", group, account),
        ("GROUP", group, "500700000099"),
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            sso.create_account_assignment(
                PermissionSetArn=permissions,
                PrincipalType=kind,
                PrincipalId=principal,
                TargetType="AWS_ACCOUNT",
                TargetId=target,
                **at,
            )


def test_what_watches_the_bill_is_made_told_changed_and_deleted(client_of) -> None:
    """https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_CreateAnomalySubscription.html"""
    ce, exports = client_of("ce", "500700000004"), client_of("bcm-data-exports", "500700000004")
    monitor = ce.create_anomaly_monitor(
        AnomalyMonitor={"MonitorName": "all", "MonitorType": "DIMENSIONAL"}, ResourceTags=[{"Key": "a", "Value": "b"}]
    )["MonitorArn"]
    assert ce.list_tags_for_resource(ResourceArn=monitor)["ResourceTags"] == [{"Key": "a", "Value": "b"}]
    ce.update_anomaly_monitor(MonitorArn=monitor, MonitorName="every")
    (told,) = ce.get_anomaly_monitors(MonitorArnList=[monitor])["AnomalyMonitors"]
    assert (told["MonitorName"], told["MonitorType"]) == ("every", "DIMENSIONAL")
    watched = {"MonitorArnList": [monitor], "Subscribers": [], "Frequency": "DAILY", "SubscriptionName": "mail"}
    subscription = ce.create_anomaly_subscription(AnomalySubscription=watched)["SubscriptionArn"]
    ce.update_anomaly_subscription(SubscriptionArn=subscription, Frequency="WEEKLY")
    (told,) = ce.get_anomaly_subscriptions()["AnomalySubscriptions"]
    assert (told["Frequency"], told["SubscriptionName"]) == ("WEEKLY", "mail")
    ce.delete_anomaly_subscription(SubscriptionArn=subscription)
    ce.delete_anomaly_monitor(MonitorArn=monitor)
    with pytest.raises(ClientError, match="UnknownMonitorException"):
        ce.get_anomaly_monitors(MonitorArnList=[monitor])
    place = {"S3Bucket": "b", "S3Prefix": "p", "S3Region": "us-east-1"}
    form = {"OutputType": "CUSTOM", "Format": "PARQUET", "Compression": "PARQUET", "Overwrite": "OVERWRITE_REPORT"}
    export = {
        "Name": "costs",
        "DataQuery": {"QueryStatement": "SELECT 1"},
        "DestinationConfigurations": {"S3Destination": {**place, "S3OutputConfigurations": form}},
        "RefreshCadence": {"Frequency": "SYNCHRONOUS"},
    }
    arn = exports.create_export(Export=export)["ExportArn"]
    assert exports.get_export(ExportArn=arn)["Export"] == {**export, "ExportArn": arn}
    exports.update_export(ExportArn=arn, Export={**export, "Description": "all"})
    assert exports.get_export(ExportArn=arn)["Export"]["Description"] == "all"
    assert [one["ExportName"] for one in exports.list_exports()["Exports"]] == ["costs"]
    assert exports.delete_export(ExportArn=arn)["ExportArn"] == arn


def test_an_analyzer_of_the_account_is_made_told_tagged_and_deleted(client_of) -> None:
    """https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_GetAnalyzer.html"""
    analyzers = client_of("accessanalyzer", "500700000005")
    arn = analyzers.create_analyzer(analyzerName="outside", type="ACCOUNT", tags={"a": "b", "c": "d"})["arn"]
    analyzers.tag_resource(resourceArn=arn, tags={"e": "f"})
    analyzers.untag_resource(resourceArn=arn, tagKeys=["a", "c"])
    told = analyzers.get_analyzer(analyzerName="outside")["analyzer"]
    assert (told["arn"], told["name"], told["status"], told["tags"]) == (arn, "outside", "ACTIVE", {"e": "f"})
    assert [one["name"] for one in analyzers.list_analyzers(type="ACCOUNT")["analyzers"]] == ["outside"]
    assert analyzers.list_analyzers(type="ORGANIZATION")["analyzers"] == []
    with pytest.raises(ClientError, match="ConflictException"):
        analyzers.create_analyzer(analyzerName="outside", type="ACCOUNT")
    analyzers.delete_analyzer(analyzerName="outside")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        analyzers.get_analyzer(analyzerName="outside")


def test_guardduty_of_the_organization_has_one_delegated_administrator(client_of) -> None:
    """https://docs.aws.amazon.com/guardduty/latest/APIReference/API_EnableOrganizationAdminAccount.html"""
    management = "500700000006"
    client_of("organizations", management).create_organization(FeatureSet="ALL")
    guard = client_of("guardduty", management)
    guard.enable_organization_admin_account(AdminAccountId=management)
    told = guard.list_organization_admin_accounts()["AdminAccounts"]
    assert told == [{"AdminAccountId": management, "AdminStatus": "ENABLED"}]
    guard.disable_organization_admin_account(AdminAccountId=management)
    assert guard.list_organization_admin_accounts()["AdminAccounts"] == []


def test_permission_sets_and_people_are_changed_and_listed(client_of) -> None:
    """https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_UpdatePermissionSet.html"""
    account = "500700000008"
    client_of("organizations", account).create_organization(FeatureSet="ALL")
    sso, store = client_of("sso-admin", account), client_of("identitystore", account)
    instance = sso.list_instances()["Instances"][0]
    made = sso.create_permission_set(
        InstanceArn=instance["InstanceArn"], Name="reader", Description="d", Tags=[{"Key": "a", "Value": "b"}]
    )["PermissionSet"]
    assert (made["Name"], made["SessionDuration"], made["Description"]) == ("reader", "PT1H", "d")
    of = {"InstanceArn": instance["InstanceArn"], "PermissionSetArn": made["PermissionSetArn"]}
    sso.update_permission_set(**of, SessionDuration="PT2H")
    told = sso.describe_permission_set(**of)["PermissionSet"]
    assert (told["SessionDuration"], told.get("Description")) == ("PT2H", None)
    assert sso.list_permission_sets(InstanceArn=of["InstanceArn"])["PermissionSets"] == [of["PermissionSetArn"]]
    sso.put_inline_policy_to_permission_set(**of, InlinePolicy="{}")
    assert sso.get_inline_policy_for_permission_set(**of)["InlinePolicy"] == "{}"
    sso.delete_inline_policy_from_permission_set(**of)
    assert sso.get_inline_policy_for_permission_set(**of)["InlinePolicy"] == ""
    policy = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    sso.attach_managed_policy_to_permission_set(**of, ManagedPolicyArn=policy)
    attached = sso.list_managed_policies_in_permission_set(**of)["AttachedManagedPolicies"]
    assert attached == [{"Name": "ReadOnlyAccess", "Arn": policy}]
    sso.detach_managed_policy_from_permission_set(**of, ManagedPolicyArn=policy)
    assert sso.list_managed_policies_in_permission_set(**of)["AttachedManagedPolicies"] == []
    place = {"InstanceArn": of["InstanceArn"], "ResourceArn": of["PermissionSetArn"]}
    sso.tag_resource(**place, Tags=[{"Key": "c", "Value": "d"}])
    sso.untag_resource(**place, TagKeys=["a"])
    assert sso.list_tags_for_resource(**place)["Tags"] == [{"Key": "c", "Value": "d"}]
    here = {"IdentityStoreId": instance["IdentityStoreId"]}
    name = {"FamilyName": "E", "GivenName": "Alice"}
    user = store.create_user(**here, UserName="alice", DisplayName="Alice E", Name=name)["UserId"]
    group = store.create_group(**here, DisplayName="developers")["GroupId"]
    with pytest.raises(ClientError, match="ConflictException"):
        store.create_user(**here, UserName="alice", DisplayName="another")
    change = [{"AttributePath": "name.givenName", "AttributeValue": "Alicia"}]
    store.update_user(**here, UserId=user, Operations=change)
    assert store.describe_user(**here, UserId=user)["Name"] == {**name, "GivenName": "Alicia"}
    wanted = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "alice"}}
    assert store.get_user_id(**here, AlternateIdentifier=wanted)["UserId"] == user
    member = store.create_group_membership(**here, GroupId=group, MemberId={"UserId": user})["MembershipId"]
    assert store.describe_group_membership(**here, MembershipId=member)["MemberId"] == {"UserId": user}
    listed = store.list_group_memberships(**here, GroupId=group)["GroupMemberships"]
    assert [one["MembershipId"] for one in listed] == [member]
    store.delete_user(**here, UserId=user)
    assert store.list_group_memberships(**here, GroupId=group)["GroupMemberships"] == []
    assert [one["DisplayName"] for one in store.list_groups(**here)["Groups"]] == ["developers"]
    sso.delete_permission_set(**of)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sso.describe_permission_set(**of)
