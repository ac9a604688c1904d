"""How long a policy is, as AWS counts it: IAM and STS without white space.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

import json
from collections.abc import Mapping
from typing import Final

MANAGED_POLICY_SIZE: Final = 6_144
"""Of a customer-managed policy, also where it is a permissions boundary; inline policies of a principal add up."""
INLINE_POLICY_SIZES: Final[Mapping[str, int]] = {"user": 2_048, "group": 5_120, "role": 10_240}
"""How many characters the inline policies of one principal may have together, by its kind."""
TRUST_POLICY_SIZE: Final = 2_048
MOST_FOR_A_TRUST_POLICY: Final = 8_192
"""What the quota of an account can be raised to."""


def policy_size(source: str | Mapping[str, object]) -> int | None:
    """The characters of a document without white space; None if a part of it is not known yet.

    White space inside of strings is not counted either: "IAM does not count white space when calculating the size".
    """
    if isinstance(source, Mapping):
        try:
            source = json.dumps(source, ensure_ascii=False)
        except TypeError:
            return None
    return sum(map(len, source.split()))
