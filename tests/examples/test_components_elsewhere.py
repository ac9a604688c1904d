"""The components in programs of another project, as a plugin of theirs: `packages` of Pulumi.yaml names the folder.

`pulumi package add` writes that, and generates classes such as these, with types, by the language's own host, which
comes with the CLI's download only. What a class gives to the engine is the same without types.
https://www.pulumi.com/docs/iac/guides/building-extending/components/build-a-component/
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.examples.test_typescript import install_packages
from tests.pack.real_engine import PATH, RealEngine
from twokeys.sandbox.get_pulumi import wrap
from twokeys.sandbox.local_aws import LocalAws

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]
PYTHON = """
import json, os
import pulumi, pulumi_aws as aws

class CrossAccountAccess(pulumi.ComponentResource):
    def __init__(self, name, args, opts):
        super().__init__("twokeys:index:CrossAccountAccess", name, {**args, "roleArn": None}, opts, remote=True)

hub = aws.Provider("hub", allowed_account_ids=["111111111111"], region="us-east-1")
role = "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole"
stage = aws.Provider("stage", allowed_account_ids=["222222222222"], region="us-east-1",
    assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role)])
ci = aws.iam.Role("ci", name="ci", opts=pulumi.ResourceOptions(provider=hub), assume_role_policy=json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
     "Principal": {"Service": "codebuild.amazonaws.com"}}}))
door = CrossAccountAccess("deploy", {
    "sourceKind": "role", "source": "ci", "sourceAccountId": "111111111111", "sourceProvider": hub,
    "targetAccount": "222222222222", "targetAccountId": "222222222222", "targetProvider": stage,
    "role": "deployer", "keys": os.environ["PROGRAM"].split(","),
}, pulumi.ResourceOptions(depends_on=[ci]))
pulumi.export("role", door.roleArn)
"""
TYPESCRIPT = """
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

class CrossAccountAccess extends pulumi.ComponentResource {
    readonly roleArn!: pulumi.Output<string>;
    constructor(name: string, args: pulumi.Inputs, opts: pulumi.ComponentResourceOptions) {
        super("twokeys:index:CrossAccountAccess", name, { ...args, roleArn: undefined }, opts, true);
    }
}
const hub = new aws.Provider("hub", { allowedAccountIds: ["111111111111"], region: "us-east-1" });
const stage = new aws.Provider("stage", { allowedAccountIds: ["222222222222"], region: "us-east-1",
    assumeRoles: [{ roleArn: "arn:aws:iam::222222222222:role/OrganizationAccountAccessRole" }] });
const ci = new aws.iam.Role("ci", { name: "ci", assumeRolePolicy: JSON.stringify({ Version: "2012-10-17",
    Statement: { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "codebuild.amazonaws.com" } } }) },
    { provider: hub });
const door = new CrossAccountAccess("deploy", {
    sourceKind: "role", source: "ci", sourceAccountId: "111111111111", sourceProvider: hub,
    targetAccount: "222222222222", targetAccountId: "222222222222", targetProvider: stage,
    role: "deployer", keys: process.env.PROGRAM!.split(","),
}, { dependsOn: [ci] });
export const role = door.roleArn;
"""


@pytest.mark.parametrize("language", ["python", pytest.param("nodejs", marks=pytest.mark.long)])
def test_a_door_of_another_project_is_made_and_one_with_one_key_is_refused(
    language: str, tmp_path: Path, project_root: Path
) -> None:
    program = tmp_path / "program"
    program.mkdir()
    description = {"name": "other", "runtime": language, "packages": {"twokeys": str(project_root / "components")}}
    (program / "Pulumi.yaml").write_text(json.dumps(description))
    with LocalAws.start(tmp_path / "aws") as aws:
        engine = RealEngine(tmp_path, program, aws, PATH)
        engine.make_access_roles()
        if language == "nodejs":
            shutil.copy(project_root / "examples/typescript/package.json", program)
            (program / "index.ts").write_text(TYPESCRIPT)
            install_packages(program)
            wrap(tmp_path / "tools/pulumi-language-nodejs", "tests.examples.language_nodejs")
        else:
            (program / "__main__.py").write_text(PYTHON)
        assert engine.run("stack", "init", program="").code == 0
        refused = engine.run("preview", program="trust", pack=project_root / "policies")
        assert refused.code != 0
        assert "door-needs-grant" in refused.text, refused.text
        made = engine.run("up", "--skip-preview", program="trust,grant", pack=project_root / "policies")
        assert made.code == 0, made.text
        arn = "arn:aws:iam::222222222222:role/deployer"
        assert arn in made.text
        assert engine.keys_in_iam() == {
            f"role ci may assume {arn}",
            "arn:aws:iam::111111111111:role/ci may assume deployer",
        }
