"""A request: who asks for which action on what, and what else is known of it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-reqcontext.html
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twokeys.iam.arn import Arn, parse_arn
from twokeys.iam.lazy import lazy
from twokeys.iam.principals import Caller
from twokeys.iam.truth import FREE, Unknown, Values

ASSUME_ROOT = "sts:assumeroot"


@dataclass(frozen=True)
class Context:
    """The condition keys of a request.

    Attributes:
        values: the values by key, in any case; an empty tuple says that the key is absent, `UNKNOWN` that it has a
            value which is not resolved yet.
        complete: whether a key that is not listed is absent; otherwise it is free: absent, or of any value.
        begins: what the one value of a key that is not listed begins with, by key in lower case.
        never: what no value of a key that is not listed is, by key in lower case; one that ends in a slash is what none
            begins with.
    """

    values: Mapping[str, tuple[str, ...] | Unknown] = field(default_factory=dict)
    complete: bool = False
    begins: Mapping[str, str] = field(default_factory=dict)
    never: Mapping[str, str] = field(default_factory=dict)

    @lazy
    def lower(self) -> dict[str, tuple[str, ...] | Unknown]:
        """The values by key in lower case."""
        return {key.lower(): value for key, value in self.values.items()}


@dataclass(slots=True)
class Request:
    """One request. Nothing changes one; to make a frozen one takes as long as a verdict on it.

    Attributes:
        caller: who makes it.
        action: `sts:AssumeRole` or another that a trust policy is about, or `sts:AssumeRoot`; in any case.
        resource: the ARN of what it is made on: for sts:AssumeRole the target role.
        context: the condition keys. What follows from the caller (`Caller.says`) and the resource
            (aws:ResourceAccount) is filled in unless the context lists it.

    Evaluating it raises ArnError when `resource` is not an ARN.
    """

    caller: Caller
    action: str
    resource: str
    context: Context = field(default_factory=Context)

    @property
    def target(self) -> Arn:
        """The resource, read."""
        return parse_arn(self.resource)

    @property
    def action_name(self) -> str:
        """The action in lower case, as policies are searched for it."""
        return self.action.lower()

    def lookup(self, key: str) -> Values:
        """The values of a condition key, given in lower case."""
        listed = self.context.lower.get(key)
        if listed is not None:
            return listed
        implied = self.caller.says(key)
        if implied is not None:
            return implied
        if key == "aws:resourceaccount":
            return (self.target.account,)
        return () if self.context.complete else FREE
