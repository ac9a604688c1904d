"""CloudTrail records as AWS documents them, and records like them.

The examples are those of https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html, without the
credentials in their responses: one call across accounts as both accounts record it, and one within an account.
"""

import gzip
import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

CALLER, OWNER = "777788889999", "111122223333"
UNIQUE_IDS = {"ci": "AROA0BD818BB365B4F9A8"}
"""Of the roles in tests/map/states."""

# Where the endpoint of STS is active by default: the table of
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_region-endpoints.html
ENABLED = (
    *("us-east-2", "us-east-1", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-3", "ap-northeast-2"),
    *("ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2"),
    *("eu-west-3", "eu-north-1", "sa-east-1"),
)

IN_THE_CALLERS_ACCOUNT: dict[str, Any] = {
    "eventVersion": "1.05",
    "userIdentity": {
        "type": "IAMUser",
        "principalId": "AIDAQRSTUVWXYZEXAMPLE",
        "arn": "arn:aws:iam::777788889999:user/JohnDoe",
        "accountId": "777788889999",
        "accessKeyId": "AKIAQRSTUVWXYZEXAMPLE",
        "userName": "JohnDoe",
    },
    "eventTime": "2014-07-18T15:07:39Z",
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRole",
    "awsRegion": "us-east-2",
    "sourceIPAddress": "192.0.2.101",
    "requestParameters": {
        "roleArn": "arn:aws:iam::111122223333:role/EC2-dev",
        "roleSessionName": "JohnDoe-EC2-dev",
        "sourceIdentity": "JohnDoe",
        "serialNumber": "arn:aws:iam::777788889999:mfa",
    },
    "resources": [
        {"ARN": "arn:aws:iam::111122223333:role/EC2-dev", "accountId": "111122223333", "type": "AWS::IAM::Role"}
    ],
    "requestID": "4EXAMPLE-0e8d-11e4-96e4-e55c0EXAMPLE",
    "sharedEventID": "bEXAMPLE-efea-4a70-b951-19a88EXAMPLE",
    "eventID": "dEXAMPLE-ac7f-466c-a608-4ac8dEXAMPLE",
    "eventType": "AwsApiCall",
    "readOnly": True,
}
IN_THE_ROLES_ACCOUNT: dict[str, Any] = {
    **IN_THE_CALLERS_ACCOUNT,
    "userIdentity": {"type": "AWSAccount", "principalId": "AIDAQRSTUVWXYZEXAMPLE", "accountId": "777788889999"},
    "eventID": "eEXAMPLE-ac7f-466c-a608-4ac8dEXAMPLE",
    "recipientAccountId": "111122223333",
}
ROLE_CHAINING: dict[str, Any] = {
    "eventVersion": "1.05",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AROAIN5ATK5U7KEXAMPLE:JohnRole1",
        "arn": "arn:aws:sts::111111111111:assumed-role/JohnDoe/JohnRole1",
        "accountId": "111111111111",
        "sessionContext": {
            "attributes": {"mfaAuthenticated": "false", "creationDate": "2019-10-02T21:50:54Z"},
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROAIN5ATK5U7KEXAMPLE",
                "arn": "arn:aws:iam::111111111111:role/JohnRole1",
                "accountId": "111111111111",
                "userName": "JohnDoe",
            },
        },
    },
    "eventTime": "2019-10-02T22:12:29Z",
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRole",
    "awsRegion": "us-east-2",
    "sourceIPAddress": "123.145.67.89",
    "requestParameters": {
        "roleArn": "arn:aws:iam::111111111111:role/JohnRole2",
        "roleSessionName": "Role2WithTags",
        "durationSeconds": 3600,
    },
    "eventID": "1917948f-3042-46ec-98e2-62865EXAMPLE",
    "eventType": "AwsApiCall",
    "recipientAccountId": "111111111111",
}
WITH_SAML: dict[str, Any] = {
    "eventVersion": "1.05",
    "userIdentity": {
        "type": "SAMLUser",
        "principalId": "SampleUkh1i4+ExamplexL/jEvs=:SamlExample",
        "userName": "SamlExample",
        "identityProvider": "bdGOnTesti4+ExamplexL/jEvs=",
    },
    "eventTime": "2019-11-01T19:14:36Z",
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRoleWithSAML",
    "awsRegion": "us-east-2",
    "sourceIPAddress": "192.0.2.101",
    "requestParameters": {
        "roleArn": "arn:aws:iam::444455556666:role/SAMLTestRoleShibboleth",
        "principalArn": "arn:aws:iam::444455556666:saml-provider/Shibboleth",
    },
    "eventID": "dEXAMPLE-265a-41e0-9352-4401bEXAMPLE",
}
# https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html: AWSService
BY_A_SERVICE: dict[str, Any] = {
    **IN_THE_ROLES_ACCOUNT,
    "userIdentity": {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"},
    "sourceIPAddress": "ec2.amazonaws.com",
    "eventID": "fEXAMPLE-ac7f-466c-a608-4ac8dEXAMPLE",
    "sharedEventID": "cEXAMPLE-efea-4a70-b951-19a88EXAMPLE",
}


def entry(caller: str, role: str, time: str, **changes: Any) -> dict[str, Any]:
    """A record of the caller's account, like AWS's: `caller` and `role` are ARNs, a session's ARN for a role.

    The principalId of a user is its unique id, of the root the account, and of a session the role's unique id and the
    session's name.
    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    account, path = caller.split(":")[4:]
    kind = "AssumedRole" if path.startswith("assumed-role/") else "Root" if path == "root" else "IAMUser"
    *_, of_role, name = "", *path.split("/")
    session = f"{UNIQUE_IDS.get(of_role, f'AROA{of_role.upper()}')}:{name}"
    unique_id = {"IAMUser": f"AIDA{name.upper()}", "Root": account, "AssumedRole": session}[kind]
    identity = {"type": kind, "principalId": unique_id, "arn": caller, "accountId": account}
    return {
        **IN_THE_CALLERS_ACCOUNT,
        "userIdentity": identity,
        "eventTime": time,
        "requestParameters": {"roleArn": role, "roleSessionName": "session"},
        "resources": [],
        "sharedEventID": f"{caller} {role} {time}",
        "eventID": f"{caller} {role} {time}",
        **changes,
    }


def signed_in(account: str, time: str, user: str = "", **changes: Any) -> dict[str, Any]:
    """A sign-in to the console as a user, or as the root user without one.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
    """
    root = {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account}
    own = {"type": "IAMUser", "principalId": "EXAMPLE", "accountId": account, "accessKeyId": "", "userName": user}
    return {
        "userIdentity": own if user else root,
        "eventTime": time,
        "eventSource": "signin.amazonaws.com",
        "eventName": "ConsoleLogin",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.0",
        "requestParameters": None,
        "responseElements": {"ConsoleLogin": "Success"},
        "eventID": f"{account} {user} {time}",
        **changes,
    }


def denied(caller: str, role: str, time: str) -> dict[str, Any]:
    """A denied call: the request is left out, and the message alone names the role."""
    message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}"
    return entry(
        caller, role, time, errorCode="AccessDenied", errorMessage=message, requestParameters=None, sharedEventID=None
    )


# https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-track-privileged-tasks.html
ASSUME_ROOT: dict[str, Any] = {
    "eventVersion": "1.08",
    "userIdentity": {
        "type": "AssumedRole",
        "principalId": "AIDACKCEVSQ6C2EXAMPLE:JohnRole1",
        "arn": "arn:aws:sts::111111111111:assumed-role/JohnDoe/JohnRole1",
        "accountId": "111111111111",
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AIDACKCEVSQ6C2EXAMPLE",
                "arn": "arn:aws:iam::111111111111:role/JohnDoe",
                "accountId": "111111111111",
                "userName": "Admin2",
            },
            "webIdFederationData": {},
            "attributes": {"creationDate": "2024-10-25T20:45:28Z", "mfaAuthenticated": "false"},
            "assumedRoot": "true",
        },
    },
    "eventTime": "2024-10-25T20:52:11Z",
    "eventSource": "sts.amazonaws.com",
    "eventName": "AssumeRoot",
    "awsRegion": "us-west-2",
    "sourceIPAddress": "192.0.2.1",
    "requestParameters": {
        "targetPrincipal": "222222222222",
        "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"},
    },
    "responseElements": {
        "credentials": {"accessKeyId": "ASIAIOSFODNN8EXAMPLE", "expiration": "Oct 25, 2024, 9:07:11 PM"}
    },
}


def called(account: str, time: str, event: str, user: str = "", **changes: Any) -> dict[str, Any]:
    """A call in an account by its root user, or by a user with an access key of its own.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
    """
    name = f"user/{user}" if user else "root"
    identity = {"type": "IAMUser" if user else "Root", "principalId": user or account, "accountId": account}
    return {
        "userIdentity": {**identity, "arn": f"arn:aws:iam::{account}:{name}", "accessKeyId": "AKIAIOSFODNN7EXAMPLE"},
        "eventTime": time,
        "eventSource": "iam.amazonaws.com",
        "eventName": event,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.0",
        "eventID": f"{account} {event} {time}",
        "eventType": "AwsApiCall",
        "recipientAccountId": account,
        **changes,
    }


def read_event(account: str, time: str, region: str = "us-east-1", **changes: Any) -> dict[str, Any]:
    """What AWS Config does in an account: a record that shows that the trail logs read events.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    config = {"type": "AWSService", "invokedBy": "config.amazonaws.com"}
    record = called(account, time, "DescribeInstances", userIdentity=config, readOnly=True, awsRegion=region)
    return {**record, "managementEvent": True, "eventCategory": "Management", **changes}


def digests(folder: Path, account: str, first: str, last: str, region: str = "us-east-1") -> None:
    """Digests of each day from the first to the last, of the log files that are there. One here is of a whole day.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
    """
    day = date.fromisoformat(first)
    while day <= date.fromisoformat(last):
        name = f"{account}_CloudTrail-Digest_{region}_the-trail_us-east-1_{day:%Y%m%d}T100131Z.json"
        times = {"digestStartTime": f"{day}T00:00:00Z", "digestEndTime": f"{day + timedelta(days=1)}T00:00:00Z"}
        logs = [
            {"s3Object": f"AWSLogs/{log.name}", "hashValue": hashlib.sha256(_unpacked(log)).hexdigest()}
            for log in folder.glob(f"{account}_CloudTrail_{region}_{day:%Y%m%d}T*")
        ]
        Path(folder, name).write_text(json.dumps({**times, "logFiles": logs}))
        day += timedelta(days=1)


def _unpacked(log: Path) -> bytes:
    return gzip.decompress(log.read_bytes()) if log.suffix == ".gz" else log.read_bytes()
