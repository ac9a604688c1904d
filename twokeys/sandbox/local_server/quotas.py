"""Service Quotas of Organizations, and an account quota that CreateAccount keeps to.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/ and
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html: 10 accounts by default, raised on
request up to 10,000. The sandbox begins with what AWS grants at most, and grants every request at once, a smaller value
too, so that the limit can be tried: `aws service-quotas request-service-quota-increase --service-code organizations
--quota-code L-E619E033 --desired-value 10`.
"""

import uuid
from functools import partial

from twokeys.sandbox.local_server import organizations, records
from twokeys.sandbox.local_server.inside import organizations as base
from twokeys.sandbox.local_server.supplement import Answer, ApiError, Handler, Payload, answering

ACCOUNTS = "L-E619E033"
GRANTED_AT_MOST = 10_000.0

_values = records.store("servicequotas.organizations")  # quota code -> value


def install() -> None:
    """Answer Service Quotas, and let CreateAccount fail beyond the quota; after the supplement of Organizations."""
    records.serve(
        "service-quotas",
        (),
        {
            "GetServiceQuota": lambda payload: {"Quota": _quota(payload)},
            "GetAWSDefaultServiceQuota": lambda payload: {"Quota": {**_quota(payload), "Value": 10.0}},
            "RequestServiceQuotaIncrease": _request,
        },
        scope="servicequotas",
    )
    base.DISPATCH["CreateAccount"] = answering(partial(_within_the_quota, base.DISPATCH["CreateAccount"]))
    # The sandbox invites nobody.
    base.DISPATCH["ListHandshakesForOrganization"] = answering(lambda _: {"Handshakes": []})


def _within_the_quota(create: Handler, payload: Payload) -> Payload | Answer:
    if len(base.accounts) >= _value():  # closed ones too
        return {"CreateAccountStatus": organizations.failed_creation(payload, "ACCOUNT_LIMIT_EXCEEDED")}
    return create(payload)


def _value() -> float:
    return float(_values.get(ACCOUNTS) or GRANTED_AT_MOST)


def _quota(payload: Payload) -> Payload:
    if payload.get("ServiceCode") != "organizations" or payload.get("QuotaCode") != ACCOUNTS:
        raise ApiError("NoSuchResourceException", "The sandbox has the account quota of organizations only.")
    return {"ServiceCode": "organizations", "QuotaCode": ACCOUNTS, "Value": _value()}


def _request(payload: Payload) -> Payload:
    quota = _quota(payload)
    _values[ACCOUNTS] = payload["DesiredValue"]
    asked = {"Id": uuid.uuid4().hex, "Status": "APPROVED", "DesiredValue": payload["DesiredValue"]}
    return {"RequestedQuota": {**asked, "ServiceCode": quota["ServiceCode"], "QuotaCode": quota["QuotaCode"]}}
