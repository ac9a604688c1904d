"""What an account has from the first day."""

from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws


class PasswordPolicyArgs(TypedDict):
    """What passwords of IAM users have to be; upper and lower case, numbers and symbols are always asked for."""

    minimum_length: int
    """The least length, 6 to 128."""
    max_age_days: NotRequired[int]
    """After how many days a password has to be changed, if after any."""
    reuse_prevention: int
    """How many passwords back none may be used again, 1 to 24."""


class AccountBaselineArgs(TypedDict):
    """What of the baseline an account gets."""

    alias: NotRequired[str]
    """The account's alias, unique across AWS."""
    password_policy: NotRequired[PasswordPolicyArgs]
    """What passwords have to be."""
    block_public_s3: bool
    """Whether no bucket of the account can be public."""
    encrypt_ebs: bool
    """Whether new volumes of the provider's region are encrypted."""
    close_default_vpc: bool
    """Whether the default security group of the region's default VPC loses every rule."""


class AccountBaseline(pulumi.ComponentResource):
    """Settings of the account of the provider, each only when it is asked for."""

    parts: pulumi.Output[list[str]]
    """What of it the account has."""

    def __init__(self, name: str, args: AccountBaselineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("twokeys:accounts:AccountBaseline", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        parts = []
        if "alias" in args:
            aws.iam.AccountAlias(name, account_alias=args["alias"], opts=child)
            parts.append("alias")
        if "password_policy" in args:
            _password_policy(name, args["password_policy"], child)
            parts.append("passwordPolicy")
        if args["block_public_s3"]:
            aws.s3.AccountPublicAccessBlock(
                name,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=child,
            )
            parts.append("blockPublicS3")
        if args["encrypt_ebs"]:
            aws.ebs.EncryptionByDefault(name, enabled=True, opts=child)
            parts.append("encryptEbs")
        if args["close_default_vpc"]:
            # The provider can adopt the default VPC and empty its security group; it cannot delete it by an update.
            vpc = aws.ec2.DefaultVpc(name, opts=child)
            aws.ec2.DefaultSecurityGroup(name, vpc_id=vpc.id, opts=child)
            parts.append("closeDefaultVpc")
        self.parts = pulumi.Output.from_input(parts)
        self.register_outputs({"parts": self.parts})


def _password_policy(name: str, said: PasswordPolicyArgs, child: pulumi.ResourceOptions) -> None:
    aws.iam.AccountPasswordPolicy(
        name,
        minimum_password_length=said["minimum_length"],
        max_password_age=said.get("max_age_days"),
        password_reuse_prevention=said["reuse_prevention"],
        require_lowercase_characters=True,
        require_uppercase_characters=True,
        require_numbers=True,
        require_symbols=True,
        allow_users_to_change_password=True,
        opts=child,
    )
