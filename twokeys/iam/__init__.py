"""IAM policy documents and their evaluation: pure, imports nothing of ours.

    document = parse_policy(text, PolicyKind.TRUST)
    request = Request(Caller("arn:aws:iam::111111111111:role/ci"), "sts:AssumeRole", "arn:aws:iam::222222222222:role/x")
    print(evaluate(request, Policies(identity=(grant,), trust=document)).explain())

Behaviour follows the IAM user guide; each module names its pages.
"""

from twokeys.iam.admission import Admitted, Wanted, admitted
from twokeys.iam.arn import (
    DEFAULT_PARTITION,
    Arn,
    ArnError,
    ArnKind,
    account_as_a_whole,
    account_id,
    is_account,
    is_account_id,
    parse_arn,
    partition_of_region,
)
from twokeys.iam.conditions import ConditionClause
from twokeys.iam.documents import PolicyDocument, PolicyKind, Statement
from twokeys.iam.evaluation import Policies, evaluate, evaluate_grant, evaluate_trust
from twokeys.iam.federation import ANY_PROVIDER, Federation, federations
from twokeys.iam.finding import PolicyFinding, Severity
from twokeys.iam.globs import Glob
from twokeys.iam.lint import lint
from twokeys.iam.parsing import PolicyError, parse_policy
from twokeys.iam.principals import Caller, CallerKind, Principals
from twokeys.iam.request import Context, Request
from twokeys.iam.size import (
    INLINE_POLICY_SIZES,
    MANAGED_POLICY_SIZE,
    MOST_FOR_A_TRUST_POLICY,
    TRUST_POLICY_SIZE,
    policy_size,
)
from twokeys.iam.truth import UNKNOWN, Unknown
from twokeys.iam.verdict import Decision, Outcome, Requirement, Verdict

__all__ = [
    "ANY_PROVIDER", "DEFAULT_PARTITION", "INLINE_POLICY_SIZES", "MANAGED_POLICY_SIZE", "MOST_FOR_A_TRUST_POLICY",
    "TRUST_POLICY_SIZE", "UNKNOWN", "Admitted", "Arn", "ArnError", "ArnKind", "Caller", "CallerKind",
    "ConditionClause", "Context", "Decision", "Federation", "Glob", "Outcome", "Policies", "PolicyDocument",
    "PolicyError", "PolicyFinding", "PolicyKind", "Principals", "Request", "Requirement", "Severity", "Statement",
    "Unknown", "Verdict", "Wanted", "account_as_a_whole", "account_id", "admitted", "evaluate", "evaluate_grant",
    "evaluate_trust", "federations", "is_account", "is_account_id", "lint", "parse_arn", "parse_policy",
    "partition_of_region", "policy_size",
]  # fmt: skip
