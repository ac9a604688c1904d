import * as aws from "@pulumi/aws";

// Two accounts of one company: the pipeline runs in tools and deploys into shop.
const tools = "111111111111";
const shop = "222222222222";

const inTools = new aws.Provider("tools", { region: "us-east-1", allowedAccountIds: [tools] });
const inShop = new aws.Provider("shop", {
    region: "us-east-1",
    allowedAccountIds: [shop],
    assumeRoles: [{ roleArn: `arn:aws:iam::${shop}:role/OrganizationAccountAccessRole` }],
});

const pipeline = new aws.iam.Role("pipeline", {
    name: "pipeline",
    assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }],
    },
}, { provider: inTools });

// The grant key, in tools: the pipeline may take this role. Without it, preview refuses the role below.
const grant = new aws.iam.RolePolicy("deploy-shop", {
    name: "deploy-shop",
    role: "pipeline",
    policy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: `arn:aws:iam::${shop}:role/deployer` }],
    },
}, { provider: inTools, dependsOn: pipeline });

// The trust key, in shop: the role names who may come in.
const deployer = new aws.iam.Role("deployer", {
    name: "deployer",
    assumeRolePolicy: {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${tools}:role/pipeline` }, Action: "sts:AssumeRole" }],
    },
}, { provider: inShop, dependsOn: grant });

new aws.iam.RolePolicyAttachment("deployer", {
    role: deployer.name,
    policyArn: "arn:aws:iam::aws:policy/PowerUserAccess",
}, { provider: inShop });

new aws.s3.Bucket("releases", {}, { provider: inTools });

export const deployerArn = deployer.arn;
