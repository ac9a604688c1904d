"""The rules of the policy pack: pure functions from the access graph to findings.

A rule is a `Rule` (`twokeys.access.findings`): what the pack has to know of it, such as whether a later resource or
another stack may still bring what it misses, is a field there.
"""

from typing import Any, Final

from twokeys.access.findings import Rule
from twokeys.access.rules.access_roles import ACCESS_ROLE_RESERVED
from twokeys.access.rules.conditions import EXTERNAL_ID, MFA_FOR_PEOPLE, THIRD_PARTY_NAMED
from twokeys.access.rules.declared import DECLARED_EQUALS_REAL
from twokeys.access.rules.doors import DOOR_NEEDS_GRANT, DOOR_NEEDS_TRUST, UNPROVED_DOOR
from twokeys.access.rules.environments import ENVIRONMENTS_ISOLATED
from twokeys.access.rules.expired import DOOR_EXPIRED
from twokeys.access.rules.federated import FEDERATED_TRUST
from twokeys.access.rules.members import ACCOUNT_KEPT, NO_IAM_USERS, UNIQUE_EMAILS
from twokeys.access.rules.not_read import CODE_NOT_READ, NOT_READ
from twokeys.access.rules.policy_lint import POLICY_LINT
from twokeys.access.rules.providers import NO_DEFAULT_PROVIDER, PROVIDER_ENTERS_ITS_ACCOUNT
from twokeys.access.rules.refused import POLICY_REFUSED
from twokeys.access.rules.root_sessions import ROOT_SESSION_GRANT
from twokeys.access.rules.wildcards import WILDCARD_GRANT, WILDCARD_TRUST

RULES: tuple[Rule[Any], ...] = (
    DOOR_NEEDS_GRANT,
    DOOR_NEEDS_TRUST,
    UNPROVED_DOOR,
    NOT_READ,
    CODE_NOT_READ,
    DECLARED_EQUALS_REAL,
    WILDCARD_TRUST,
    WILDCARD_GRANT,
    FEDERATED_TRUST,
    ROOT_SESSION_GRANT,
    ACCESS_ROLE_RESERVED,
    EXTERNAL_ID,
    THIRD_PARTY_NAMED,
    MFA_FOR_PEOPLE,
    ENVIRONMENTS_ISOLATED,
    PROVIDER_ENTERS_ITS_ACCOUNT,
    NO_DEFAULT_PROVIDER,
    NO_IAM_USERS,
    ACCOUNT_KEPT,
    UNIQUE_EMAILS,
    POLICY_REFUSED,
    POLICY_LINT,
    DOOR_EXPIRED,
)
"""Every rule, in the order in which a pack reports them."""
BY_NAME: Final = {rule.name: rule for rule in RULES}
