"""The types of pulumi-aws that the whole graph speaks of, as Pulumi writes them, and what live IAM adds to a user.

https://www.pulumi.com/docs/iac/concepts/resources/names/#types
"""

ACCOUNT = "aws:organizations/account:Account"
ORGANIZATION = "aws:organizations/organization:Organization"
ORGANIZATIONAL_UNIT = "aws:organizations/organizationalUnit:OrganizationalUnit"
DELEGATED_ADMINISTRATOR = "aws:organizations/delegatedAdministrator:DelegatedAdministrator"
CONTROL_POLICY = "aws:organizations/policy:Policy"
CONTROL_POLICY_ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"
ROLE = "aws:iam/role:Role"
GROUP = "aws:iam/group:Group"
MANAGED_POLICY = "aws:iam/policy:Policy"
USER = "aws:iam/user:User"
PASSWORD, ACCESS_KEY = "aws:iam/userLoginProfile:UserLoginProfile", "aws:iam/accessKey:AccessKey"

CREDENTIALS, MFA_DEVICE = "credentials", "mfaDevice"
"""Of a user of live IAM: whether it has a password, an access key and MFA_DEVICE, None where it is newer than what
tells it.
"""
