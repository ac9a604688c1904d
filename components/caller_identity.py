"""Who the program really is in an account: asked through the account's own provider."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from components.refusing import ProgramRefusal


def caller_arn(
    provider: aws.Provider, account_id: pulumi.Input[str], *, account: str, depends_on: Sequence[pulumi.Resource] = ()
) -> pulumi.Output[str]:
    """The ARN of the caller in an account; unknown in the preview of an account that does not exist yet.

    The update fails with a ProgramRefusal when the caller is in another account than `account_id`.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    identity = aws.get_caller_identity_output(
        opts=pulumi.InvokeOutputOptions(provider=provider, depends_on=list(depends_on))
    )
    return pulumi.Output.all(arn=identity.arn, actual=identity.account_id, expected=account_id).apply(
        lambda known: _in_account(account, **known)
    )


def _in_account(account: str, *, arn: str, actual: str, expected: str) -> str:
    if actual != expected:
        raise ProgramRefusal(
            f"working in account {account}",
            where=arn,
            why=f"the provider works in account {actual}, and {account} is {expected}",
            next_step="check which credentials are used and which role the provider assumes",
        )
    return arn
