"""The role by which the management account enters a member account, under AWS's name for it."""

ACCESS_ROLE = "OrganizationAccountAccessRole"
"""The role that AWS makes in a created account unless `roleName` says otherwise; it trusts the management account.

https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_accounts_access.html
"""
