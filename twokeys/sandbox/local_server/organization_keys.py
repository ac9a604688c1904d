"""Which organization a caller and a resource belong to: `aws:PrincipalOrgID` and `aws:ResourceOrgID`.

ministack does not know the second, and looks for the first in the caller's own account, where a member has none.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twokeys.sandbox.local_server import organizations
from twokeys.sandbox.local_server.inside import iam_evaluator
from twokeys.sandbox.local_server.inside import organizations as base


def install() -> None:
    """Tell evaluation both keys; what a call brings itself goes first, as with every other key."""
    resolve: Callable[[str, Any], Any] = iam_evaluator.resolve_condition_key

    def resolved(key: str, context: Any) -> Any:  # noqa: ANN401 - ministack's contexts have no stable type
        if key.lower() == "aws:resourceorgid":
            return _organization_id(resolve("aws:ResourceAccount", context))
        found = resolve(key, context)
        if found is None and key.lower() == "aws:principalorgid":
            return _organization_id(context.principal_account)
        return found

    iam_evaluator.resolve_condition_key = resolved


def _organization_id(account: str) -> str | None:
    """The id of the organization that an account is in; None for one in none, whose requests lack the key."""
    management = organizations.organization_of(account)
    found = base.orgs.get_scoped(management, None, "self") if management else None
    return str(found["Id"]) if found else None
