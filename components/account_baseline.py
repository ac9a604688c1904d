"""What an account has from the first day."""

import pulumi
import pulumi_aws as aws

from twokeys.settings.baseline import AccountBaselineSettings


class AccountBaseline(pulumi.ComponentResource):
    """Settings of the account of the provider, each only when config asks for it."""

    def __init__(
        self, name: str, baseline: AccountBaselineSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("twokeys:accounts:AccountBaseline", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        if baseline.alias:
            aws.iam.AccountAlias(name, account_alias=baseline.alias, opts=child)
        if policy := baseline.password_policy:
            aws.iam.AccountPasswordPolicy(
                name,
                minimum_password_length=policy.minimum_length,
                max_password_age=policy.max_age_days,
                password_reuse_prevention=policy.reuse_prevention,
                require_lowercase_characters=True,
                require_uppercase_characters=True,
                require_numbers=True,
                require_symbols=True,
                allow_users_to_change_password=True,
                opts=child,
            )
        if baseline.block_public_s3:
            aws.s3.AccountPublicAccessBlock(
                name,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
                opts=child,
            )
        if baseline.encrypt_ebs:
            aws.ebs.EncryptionByDefault(name, enabled=True, opts=child)
        if baseline.close_default_vpc:
            # The provider can adopt the default VPC and empty its security group; it cannot delete it by an update.
            vpc = aws.ec2.DefaultVpc(name, opts=child)
            aws.ec2.DefaultSecurityGroup(name, vpc_id=vpc.id, opts=child)
        self.register_outputs({})
