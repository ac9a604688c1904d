"""Where a door stands: the properties of components and the outputs of stacks that tell of doors."""

PROPERTY = "symbolicDocuments"
"""The property of a component that holds its symbolic documents."""

TRUST_AFTER_GRANT = "trustAfterGrant"
"""The property of a component that makes its trust after its grant: a grant not there by then is missing."""

OTHER_STACK = "twokeys:access:OtherStack"
"""A component that repeats a stack reference: the engine shows a policy no resource that is only read."""
DOORS_OUTPUT = "doors"
"""The stack output that holds the exported doors."""
GRANTS_OUTPUT = "organization_grants"
"""The stack output that holds the exported grants for every account of the organization.

It stands beside `doors` and not in it: whoever reads `doors` takes each for a way into one account.
"""
ORGANIZATION_OUTPUT = "organization_id"
"""The stack output that tells the organization's id."""
MEMBERS_OUTPUT = "group_members"
"""The stack output that tells the users of each group."""
USERS_OUTPUT, ROLES_OUTPUT = "user_arns", "role_arns"
"""The stack outputs that tell the ARNs of the users and roles that a stack makes for doors to start from, by name."""
IDENTITIES_OUTPUT = "identity_ids"
"""The stack output that tells the ids of the users and groups of IAM Identity Center that a stack makes, by name."""
ACCOUNT_OUTPUT = "parent_account_id"
"""The stack output that tells the management account, in which people live unless `PEOPLE_OUTPUT` says otherwise."""
PEOPLE_OUTPUT = "people_account_id"
"""The stack output that tells the member account in which users, groups and roles of the management stack live."""
ACCOUNTS_OUTPUT = "member_account_ids"
"""The stack output that tells the ids of the accounts that a stack works in, by name."""
ENVIRONMENTS_OUTPUT = "member_account_environments"
"""The stack output that tells the environment of such an account, by name, where its tags say one."""
UNITS_OUTPUT = "organizational_unit_ids"
"""The stack output that tells the ids of organizational units, by path."""
ACCOUNT_UNITS_OUTPUT = "member_account_parents"
"""The stack output that tells the id of the unit (or the root) that such an account is in, by name."""
POLICIES_OUTPUT = "control_policy_denials"
"""The stack output that lists what service and resource control policies deny about entering accounts."""
ABOUT_DOORS = (
    DOORS_OUTPUT,
    GRANTS_OUTPUT,
    MEMBERS_OUTPUT,
    ACCOUNT_OUTPUT,
    PEOPLE_OUTPUT,
    ORGANIZATION_OUTPUT,
    ACCOUNTS_OUTPUT,
    ENVIRONMENTS_OUTPUT,
    UNITS_OUTPUT,
    ACCOUNT_UNITS_OUTPUT,
    POLICIES_OUTPUT,
)
"""All of these, which an `OtherStack` repeats."""
