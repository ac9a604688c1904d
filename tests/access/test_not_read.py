"""What may let somebody in and is not read, and what is not even mentioned.

Types: https://www.pulumi.com/registry/packages/aws/api-docs/ and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pulumi_aws
import pytest

from tests.access.test_translation import put
from tests.access.world import CI, DEPLOYER, PROD, STAGE, World, arn, document, two_keys
from twokeys.access.model.not_read import not_read
from twokeys.access.reading.cloudformation import _READERS
from twokeys.access.reading.snapshot import Resource, Snapshot
from twokeys.access.reading.types import _OF_AWS, Reading, aws_type, cloudformation_type, type_of
from twokeys.answers.reading import read
from twokeys.iam import UNKNOWN

TRUSTS_ALL = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})
COMMAND = "command:local:Command"
KRO = "kubernetes:kro.run/v1alpha1:ResourceGraphDefinition"
DYNAMIC = "pulumi-nodejs:dynamic:Resource"


@pytest.mark.parametrize(("token", "reading", "why"), [
    ("kubernetes:core/v1:ServiceAccount", Reading.HARMLESS, ""),
    *((f"{package}:tf:aws_iam_role", Reading.NOT_READ, "is made by a Terraform module, whose resources are not read")
      for package in ("network", "aws", "github", "command")),
    *((f"network:tf:{name}", Reading.HARMLESS, "") for name in (
        "aws_vpc", "google_iam_role", "aws_iam_instance_profile", "aws_eks_addon", "aws_organizations_policy")),
    ("command:local:Command", Reading.BY_CONTENT, ""),
    ("pulumi-nodejs:dynamic:Resource", Reading.BY_CONTENT, ""),
    ("random:index/randomPassword:RandomPassword", Reading.HARMLESS, ""),
    ("aws-native:sso:PermissionSet", Reading.READ, ""),
    ("aws:iam/role:Role", Reading.READ, ""),
    *((f"aws:{token}", Reading.NOT_READ, "is a type of a service that decides who may enter, and this version does not"
       " know it") for token in ("iam:Role", "IAM/role:Role", "iam/Role:Role", "ssoadmin:AccountAssignment")),
])  # fmt: skip
def test_a_type_is_read_harmless_or_not_read_and_says_why(token: str, reading: Reading, why: str) -> None:
    assert (found := type_of(token)) is not None
    assert (found.reading, found.why) == (reading, why)


def test_a_type_of_aws_has_one_name_whoever_makes_it() -> None:
    """Tokens: https://www.pulumi.com/docs/iac/concepts/resources/names/#types"""
    names = {"aws:s3/bucket:Bucket": "s3::bucket", "aws:a/b/c:D": "a::d", "aws-native:sso:Thing": "ssoadmin::thing"}
    assert {token: aws_type(token) for token in names} == names
    assert {aws_type(token) for token in ("gcp:s3/bucket:Bucket", "aws:s3", "aws:s3:Bucket:More")} == {None}
    made = {"AWS::SSO::Thing": "ssoadmin::thing", "AWS::S3::Bucket::MODULE": "s3::bucket::module"}
    assert {name: cloudformation_type(name) for name in made} == made
    assert {cloudformation_type(name) for name in ("AWS::S3", "Acme::S3::Bucket")} == {None}
    assert type_of("acme:index:Thing") is None


def found(type_: str, **inputs: object) -> tuple[set[str], set[str]]:
    """The rules that a resource of a type makes speak, in a stack that is right: mandatory ones, advisory ones."""
    world = two_keys()
    put(world, type_, "x", world.stage, **inputs)
    verdicts = world.check()
    return {one.rule for one in verdicts.mandatory}, {one.rule for one in verdicts.advisory}


REFUSED = [
    "aws:rolesanywhere/trustAnchor:TrustAnchor",
    "aws:rolesanywhere/profile:Profile",
    "aws-native:rolesanywhere:Profile",
    "aws:servicecatalog/provisionedProduct:ProvisionedProduct",
    "aws:securitylake/subscriber:Subscriber",
    "aws:controltower/landingZone:LandingZone",
    "aws-native:controltower:EnabledBaseline",
    "aws:ssm/quicksetupConfigurationManager:QuicksetupConfigurationManager",
    "aws:iam/somethingNew:SomethingNew",
    "aws-native:iam:SomethingNew",
    "aws:ssoadmin/somethingNew:SomethingNew",
    "kubernetes:iam.services.k8s.aws/v1alpha1:Role",
    "kubernetes:iam.aws.upbound.io/v1beta1:Role",
    "kubernetes:iam.aws.m.upbound.io/v1beta1:Role",
    "network:tf:aws_iam_role",
    *(f"{package}:index:Module" for package in ("network", "aws", "github", "command")),
    "awscc:index/iamRole:IamRole",
    "aws:index/iamRole:IamRole",
    "aws:index/iamUserSshKey:IamUserSshKey",
    "aws:index/organizationsDelegatedAdministrator:OrganizationsDelegatedAdministrator",
    "aws:index/securitylakeSubscriber:SecuritylakeSubscriber",
    "network:tf:aws_serverlessapplicationrepository_cloudformation_stack",
    "network:tf:awscc_sso_assignment",
    "pulumi-python:dynamic:Resource",
    "pulumi-nodejs:dynamic/roles:OpenRole",
    "aws:controltower/baseline:Baseline",
    "aws:datazone/environment:Environment",
    "aws:sagemaker/project:Project",
    "aws-native:servicecatalog:CloudFormationProvisionedProduct",
    "aws-native:ssmquicksetup:ConfigurationManager",
]


def test_every_type_of_aws_that_is_not_read_has_a_case() -> None:
    cases = {aws_type(token) for token in REFUSED}
    missing = sorted(name for name, said in _OF_AWS.items() if said.reading is Reading.NOT_READ and name not in cases)
    assert not missing, f"give REFUSED a token, from the pages above, with which a program makes each of {missing}"


def test_every_type_of_aws_that_is_read_is_asked_for_by_what_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, of_type = set(_READERS), Snapshot.of_type

    def seen(snapshot: Snapshot, *types: str) -> Iterator[Resource]:
        asked.update(aws_type(one) or one for one in types)
        return of_type(snapshot, *types)

    monkeypatch.setattr(Snapshot, "of_type", seen)
    world = two_keys()
    world.check()
    read(world.graph)
    unread = {name for name, said in _OF_AWS.items() if said.reading is Reading.READ} - asked
    assert not unread, (
        f"nothing asks for resources of {sorted(unread)}: read them (`Snapshot.of_type`), translate what aws-native and"
        " templates make of them (`_READERS` in reading/cloudformation.py), or say that they are not read"
    )


@pytest.mark.parametrize("type_", REFUSED)
def test_what_may_make_iam_and_is_not_read_is_refused(type_: str) -> None:
    assert found(type_)[0] == {"not-read"}


@pytest.mark.parametrize("type_", [
    "aws:s3/bucket:Bucket",
    "aws:lambda/permission:Permission",
    "aws:iam/instanceProfile:InstanceProfile",
    "aws:iam/serviceLinkedRole:ServiceLinkedRole",
    "aws:eks/accessEntry:AccessEntry",
    "aws:servicecatalog/product:Product",
    "aws:ssoadmin/application:Application",
    "aws-native:s3:Bucket",
    "kubernetes:core/v1:ServiceAccount",
    "kubernetes:helm.sh/v3:Release",
    "kubernetes:iam.cnrm.cloud.google.com/v1beta1:IAMPolicyMember",
    "kubernetes:iamauthenticator.k8s.aws/v1alpha1:IAMIdentityMapping",
    "network:tf:aws_vpc",
    "random:index/randomPassword:RandomPassword",
    "docker-build:index:Image",
    "gcp:projects/iAMMember:IAMMember",
    "azure-native:authorization:RoleAssignment",
    "acme:index:Thing",
])  # fmt: skip
def test_what_lets_nobody_in_is_not_mentioned(type_: str) -> None:
    assert found(type_) == (set(), set())


@pytest.mark.parametrize(
    "text",
    [
        "aws iam create-role --role-name x --assume-role-policy-document file://t.json",
        "aws --region us-east-1 --profile p iam put-role-policy --role-name x",
        "AWS_PROFILE=prod aws iam update-assume-role-policy --role-name x",
        "aws cloudformation deploy --template-file t.yaml --capabilities CAPABILITY_IAM",
        "aws sso-admin create-account-assignment --instance-arn x",
        "aws iam delete-role-permissions-boundary --role-name x",
        "pwsh -c 'New-IAMRole -RoleName x -AssumeRolePolicyDocument y'",
        "awscurl --service iam 'https://iam.amazonaws.com/?Action=CreateRole&RoleName=x'",
        "cd infra && terraform apply -auto-approve",
        "npx cdk deploy --require-approval never",
        "aws iam \\\n  create-role --role-name x",
        "docker run amazon/aws-cli:latest iam create-role --role-name x",
        "aws organizations detach-policy --policy-id p-1 --target-id 222222222222",
        # https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html: five roles
        "npx cdk bootstrap aws://222222222222/us-east-1 --trust 111111111111",
        "sceptre --dir x launch prod",
        "docker run hashicorp/terraform:1.9 -chdir=x apply",
        '"$HOME/bin/terraform" apply',
        "terraform.exe apply",
        "$(which terraform) apply",
        'npx -y "cdk@2" deploy',
        "copilot init --deploy",
        "python -c \"subprocess.run(['terraform','apply'])\"",
        "eksctl create iamserviceaccount --cluster x",
        'python -c \'import boto3; boto3.client("iam").create_role(RoleName="x")\'',
        ["python", "-c", "import boto3; boto3.client('iam').attach_role_policy()"],
        ["aws", "iam", "attach-role-policy", "--cli-input-json"],
        "'aws' \"iam\" 'put-role-policy' --role-name x",
        "python -c \"subprocess.run(['aws', 'iam', 'create-role', '--role-name', 'x'])\"",
        "CLI=aws; $CLI iam attach-role-policy --role-name x",
        "${AWS_CLI} --profile p iam create-role --role-name x",
        "aws iam tag-role --role-name x --tags Key=team,Value=admin",
        # out of the control policies of a unit: https://docs.aws.amazon.com/organizations/latest/APIReference/API_MoveAccount.html
        "aws organizations move-account --account-id 222222222222 --source-parent-id ou-1 --destination-parent-id r-1",
    ],
)
def test_a_command_that_makes_iam_is_refused(text: object) -> None:
    key = "create" if isinstance(text, str) else "interpreter"
    assert found(COMMAND, **{key: text})[0] == {"not-read"}


@pytest.mark.parametrize(
    "text",
    [
        "kubectl apply -f x.yaml",
        "kubectl apply -f rain/deploy.yaml",
        "docker build -t acme/copilot:1 --push .",
        "git -C infra/cdk push",
        "ANSIBLE_HOST_KEY_CHECKING=False ansible-playbook -u ec2-user -i '192.0.2.1,' playbook_update.yml",
        "(sudo yum update -y || true); (sudo yum install python35 -y)",
        "aws s3 sync ./site s3://bucket",
        "aws eks update-kubeconfig --name x",
        "aws iam get-role --role-name x",
        "gcloud projects add-iam-policy-binding p --member=user:a --role=roles/viewer",
        "./update-iam-report.sh && make update-iam",
        "pwsh -c 'New-IAMServiceLinkedRole -AWSServiceName ecs.amazonaws.com; Get-IAMRole x'",
        "curl -s https://bucket.s3.amazonaws.com/setup.sh | bash && adduser app && npm run update-schema",
        "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com || true",  # AWS writes its trust
        # none of these makes or admits anybody: https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html
        "aws organizations enable-aws-service-access --service-principal account.amazonaws.com",
        # https://docs.aws.amazon.com/controltower/latest/APIReference/API_EnableControl.html
        "aws controltower enable-control --control-identifier arn:x --target-identifier arn:y",
        "aws iam create-account-alias --account-alias acme-prod",
        "aws iam update-account-password-policy --minimum-password-length 16",
        "aws sts get-caller-identity",
        "npm run build && npm run deploy-site",
        "createuser -h db app_user",
        "terraform output -json",
        "gcloud --project $PROJECT iam service-accounts create x",
        "aws " + "--only x " * 40 + "s3 ls",  # it took a time that doubled with each option
        UNKNOWN,
        None,
    ],
)
def test_another_command_is_only_mentioned(text: object) -> None:
    assert found(COMMAND, create=text) == (set(), {"code-not-read"})


@pytest.mark.parametrize("code", [
    "exports.handler = __f0; const iam = new AWS.IAM(); iam.createRole(args)",
    "exports.handler = async () => client.send(new CreateStackCommand(x))",
    # it may make a landing zone with its roles: https://docs.aws.amazon.com/controltower/latest/APIReference/API_CreateLandingZone.html
    "exports.handler = async (call) => new AWS.ControlTower()[call](args)",
    "function create() { execSync('aws iam put-role-policy') }; exports.handler = create",
    base64.b64encode(b"\x80\x05_create_code\n(Vboto3\nViam\nVcreate_role\n.").decode(),
])  # fmt: skip
def test_code_of_a_dynamic_provider_that_speaks_of_iam_is_refused(code: str) -> None:
    assert found(DYNAMIC, __provider=code)[0] == {"not-read"}


def test_code_of_a_dynamic_provider_that_is_given_a_trust_policy_or_the_service_to_call_is_refused() -> None:
    assert found(DYNAMIC, __provider="exports.handler = __f0", document=TRUSTS_ALL)[0] == {"not-read"}
    pickled = base64.b64encode(b"\x80\x05_create_code boto3").decode()
    for service, rules in (("iam", {"not-read"}), ("sso-admin", {"not-read"}), ("cognito-idp", set()), (CI, set())):
        assert found(DYNAMIC, __provider=pickled, calls=[{"of": service}])[0] == rules
        assert found(DYNAMIC, __provider="exports.handler = __f0", calls=[{"of": service}])[0] == set()


@pytest.mark.parametrize("code", ["...", UNKNOWN, None, base64.b64encode(b"\x80\x05cmine\nSchema\n.").decode()])
def test_a_dynamic_provider_whose_code_is_not_shown_is_refused(code: object) -> None:
    assert found(DYNAMIC, __provider=code)[0] == {"not-read"}


def test_other_code_of_a_dynamic_provider_is_only_mentioned() -> None:
    pickled = base64.b64encode(b"\x80\x05_create_code\nSchema\n.").decode()
    assert found("pulumi-python:dynamic:Resource", __provider=pickled) == (set(), {"code-not-read"})
    for code in ("function () { pg.query() }", "function () { s3.putObject() }", "function () { execSync('kubectl') }"):
        assert found(DYNAMIC, __provider=f"exports.handler = {code}") == (set(), {"code-not-read"})


def test_a_module_whose_parts_are_shown_is_judged_by_them() -> None:
    world = two_keys()
    put(world, "network:index:Module", "network", world.stage)
    put(world, "network:tf:aws_vpc", "vpc", world.stage)
    assert not world.refused


def test_a_resource_of_a_package_that_nobody_knows_is_refused_with_a_trust_policy_in_it() -> None:
    assert found("acme:index:Thing", spec={"trust": TRUSTS_ALL})[0] == {"not-read"}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    assert found("acme:index:Thing", spec=[{"trust": trust}])[0] == {"not-read"}


def test_a_component_is_judged_by_what_it_makes() -> None:
    world = two_keys()
    put(world, "acme:aws:IamRole", "component", trust=TRUSTS_ALL)
    assert not world.refused


@pytest.mark.parametrize("role", [DEPLOYER, arn(STAGE, "role/elsewhere"), UNKNOWN])
def test_whoever_hands_a_role_to_pods_opens_nothing(role: object) -> None:
    """The role's trust policy admits them, and AWS takes only roles of the cluster's account; a target role needs both
    keys. https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html#pod-id-considerations and
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-assign-target-role.html
    """
    nothing: tuple[set[str], set[str]] = (set(), set())
    associated = {"roleArn": role, "targetRoleArn": arn(PROD, "role/other"), "serviceAccount": "x"}
    assert found("aws:eks/podIdentityAssociation:PodIdentityAssociation", **associated) == nothing
    assert found("aws-native:eks:Addon", podIdentityAssociations=[associated]) == nothing
    assert found("aws:index/eksPodIdentityAssociation:EksPodIdentityAssociation", **associated) == nothing


def test_every_type_of_pulumi_aws_in_a_service_that_decides_who_may_enter_is_known() -> None:
    folder = Path(pulumi_aws.__file__).parent
    types = set()
    for service in ("iam", "ssoadmin", "accountaccess", "identitystore"):
        for file in (folder / service).glob("*.py"):
            types |= set(re.findall(rf"'(aws:{service}/[a-z]\w+:[A-Z]\w+)'", file.read_text(encoding="utf-8")))
    assert len(types) > 50
    unknown = {one for one in types if (known := type_of(one)) is None or known.reading is Reading.NOT_READ}
    assert not unknown


ACCEPT = "or make an exception in the pack's configuration, with reason, owner and expiry"
MAKE = f"make it with resources of pulumi-aws, {ACCEPT}"
SEE_WHOM = f"see whom it lets in, and {ACCEPT.removeprefix('or ')}"
MAKE_IN_AWS = f"make what it makes in AWS with resources of pulumi-aws, {ACCEPT}"
SEE_CODE, SEE_COMMAND = f"see what the code may do, {ACCEPT}", f"see that the command makes no IAM, {ACCEPT}"
MAY_DO_ALL = "runs a command, which may do whatever its credentials may"
MAKES_IAM = "runs a command that makes IAM"
BY_CODE = "is made by a dynamic provider, whose code may make IAM"
UNSHOWN = "is made by a dynamic provider whose code is not shown"
PICKLE = base64.b64encode(b"\x80\x05_create_code create_role").decode()


SAID: list[tuple[str, dict[str, object], tuple[str, str, bool] | None]] = [
    ("aws:controltower/landingZone:LandingZone", {}, (
        "makes Control Tower's roles, also in member accounts", SEE_WHOM, True)),
    (COMMAND, {"create": "aws iam create-role"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"update": "aws iam create-role"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"delete": "aws iam create-role"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"stdin": "aws iam create-role"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"interpreter": ["sh", ["aws iam create-role"]]}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"interpreter": ["aws", "iam"], "create": "create-role"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"interpreter": ["aws"], "create": "s3 ls", "delete": "iam create-role"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"interpreter": ["terraform"], "create": "init", "environment": {"ON": "apply"}},
        (MAY_DO_ALL, SEE_COMMAND, False)),
    (COMMAND, {"create": "eval $RUN", "environment": {"RUN": "aws iam create-role"}}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"environment": {"TRUST": TRUSTS_ALL}}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"create": "import @aws-sdk/client-iam; createRole()"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"create": "AWS.IAM().create_role()"}, (MAKES_IAM, MAKE, True)),
    (COMMAND, {"create": "my.create_role()"}, (MAY_DO_ALL, SEE_COMMAND, False)),
    ("command:remote:CopyToRemote", {}, None),
    ("command:remote:CopyFile", {"stdin": "aws iam create-role"}, (MAKES_IAM, MAKE, True)),
    ("aws:lambda/invocation:Invocation", {}, ("runs code that is not read", SEE_CODE, False)),
    ("aws-native:cloudformation:CustomResourceEmulator", {}, ("runs code that is not read", SEE_CODE, False)),
    ("aws:lambda/invocation:Invocation", {"input": TRUSTS_ALL}, ("runs code that is not read", SEE_CODE, True)),
    # https://kro.run/docs/concepts/rgd/overview, https://docs.crossplane.io/latest/composition/compositions/
    *((KRO, {"spec": {"resources": [given]}}, (
        "is of package kubernetes, which is not read, and holds documents of IAM", MAKE, True))
        for given in ({"template": {"apiVersion": "iam.services.k8s.aws/v1alpha1", "kind": "Role"}},
            "kind: Role\napiVersion: iam.aws.upbound.io/v1beta1\n",
            '{"apiVersion":"identity.aws.crossplane.io/v1beta1"}')),
    (KRO, {"rules": [{"apiGroups": ["iam.services.k8s.aws"]}], "note": "see iam.services.k8s.aws/v1alpha1"}, None),
    (DYNAMIC, {}, (UNSHOWN, MAKE_IN_AWS, True)),
    ("acme:index:Dynamic", {"__provider": "exports.x"}, None),
    (DYNAMIC, {"__provider": "exports.x"}, (
        "is made by a dynamic provider, whose code is not read", MAKE_IN_AWS, False)),
    (DYNAMIC, {"__provider": "function x"}, (
        "is made by a dynamic provider, whose code is not read", MAKE_IN_AWS, False)),
    (DYNAMIC, {"__provider": PICKLE}, (BY_CODE, MAKE_IN_AWS, True)),
    (DYNAMIC, {"__provider": PICKLE[:5] + " " + PICKLE[5:]}, (UNSHOWN, MAKE_IN_AWS, True)),
    (DYNAMIC, {"__provider": base64.b64encode(b"text").decode()}, (UNSHOWN, MAKE_IN_AWS, True)),
    (DYNAMIC, {"__provider": "exports.x", "given": [{"trust": TRUSTS_ALL}]}, (BY_CODE, MAKE_IN_AWS, True)),
    ("network:index:Module", {}, ("is a Terraform module, whose resources are not shown", MAKE, True)),
    ("pulumi:pulumi:Module", {}, None),
    ("awscc:index/iamRole:IamRole", {}, (
        "is of package awscc, which is not read, and by its name it makes IAM", MAKE, True)),
    ("acme:index:Thing", {"trust": TRUSTS_ALL}, (
        "is of package acme, which is not read, and holds documents of IAM", MAKE, True)),
    *((f"awscc:index/{name}:X", {}, (
        "is of package awscc, which is not read, and by its name it makes IAM", MAKE, True))
        for name in ("ssoAssignment", "identitystoreGroupMembership", "securitylakeSubscriber")),
    ("awscc:index/s3Bucket:S3Bucket", {}, None),
    ("acme:index:Thing", {"trust": {"Statement": [{"Principal": UNKNOWN, "Action": "sts:AssumeRole"}]}}, (
        "is of package acme, which is not read, and holds documents of IAM", MAKE, True)),
    *(("acme:index:Thing", {"trust": given}, (
        "is of package acme, which is not read, and holds documents of IAM", MAKE, True))
        for action in ("sts:*", "STS:assumerole", "sts:?ssumeR*", "sts:Assume*")
        for given in ({"Statement": [{"Action": action}]}, f'{{"Statement": [{{"Action": "{action}"}}]}}')),
    ("acme:index:Thing", {"of": "arn:aws:sts::111111111111:assumed-role/a/b", "Statement": "sts:GetCallerIdentity"},
        None),
    ("acme:index:Thing", {"text": "AssumeRole"}, None),
    ("acme:index:Thing", {"text": "Statement"}, None),
    ("acme:index:Thing", {"trust": {"Statement": [{"Action": "s3:GetObject"}]}}, None),
    ("acme:index:Thing", {"Statement": [{"Action": "sts:AssumeRole"}]}, (
        "is of package acme, which is not read, and holds documents of IAM", MAKE, True)),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "inputs", "said"), SAID)
def test_why_something_is_not_read_and_what_helps(
    type_: str, inputs: dict[str, object], said: tuple[str, str, bool] | None
) -> None:
    world = World()
    resource = put(world, type_, "x", world.stage, **inputs)
    named = [(one.why, one.next_step, one.certain) for one in not_read(world.snapshot)]
    assert named == ([] if said is None else [said])
    assert {one.door for one in not_read(world.snapshot)} <= {f"{resource.urn} -> *"}
    for changed in ({"outputs": {}}, {"inputs": None, "outputs": inputs}):
        resource = world.change(resource, **changed)
        found = [(one.why, one.resource, one.unknown) for one in not_read(world.snapshot)]
        assert found == ([] if said is None else [(said[0], resource, False)])
