//! What a deployment may do, written out: each statement with its reason, and the part of it that only reads.

use serde::Serialize;

use crate::manifest::types::Packaging;
use crate::plan::Plan;
use crate::plan::operations::Topic;

/// One statement of both roles' policies.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatementPlan {
    /// Its name.
    pub sid: &'static str,
    /// Why it is needed, for a reader.
    pub comment: &'static str,
    /// Actions that only read: those of pull requests.
    pub read: Vec<&'static str>,
    /// All actions, sorted: those of a deployment.
    pub all: Vec<&'static str>,
    /// What they may be done to.
    pub resources: Vec<String>,
    /// The one service that a role may be handed to.
    pub passed_to: Option<&'static str>,
}

impl StatementPlan {
    fn new(sid: &'static str, comment: &'static str, read: &[&'static str], write: &[&'static str]) -> Self {
        let mut all = [read, write].concat();
        all.sort_unstable();
        Self { sid, comment, read: read.to_vec(), all, resources: Vec::new(), passed_to: None }
    }

    fn on<T: Into<String>>(mut self, resources: impl IntoIterator<Item = T>) -> Self {
        self.resources = resources.into_iter().map(Into::into).collect();
        self
    }
}

/// Returns the statements of both roles.
pub(super) fn statements(plan: &Plan) -> Vec<StatementPlan> {
    Arns(plan).statements()
}

/// Makes the names of what the roles may touch. The account is left open: a role reaches nothing outside its own anyway.
struct Arns<'p>(&'p Plan);

impl Arns<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Plan { partition, region, .. } = self.0;
        format!("arn:{partition}:{service}:{region}:*:{resource}")
    }

    fn global(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::*:{resource}", self.0.partition)
    }

    /// One ARN, or several, of each function.
    fn each(&self, service: &str, resources: &[&str]) -> Vec<String> {
        let names = [&self.0.stream.name, &self.0.dashboard.name];
        let one = |name: &&String| {
            resources.iter().map(|resource| self.arn(service, &resource.replace("{}", name))).collect()
        };
        names.iter().flat_map::<Vec<String>, _>(one).collect()
    }

    fn statements(&self) -> Vec<StatementPlan> {
        let parts = [
            self.state(),
            self.functions(),
            self.roles(),
            self.tables(),
            self.session_keys(),
            self.watching(),
            self.telling(),
            self.images(),
            self.networks(),
            self.instances(),
            self.distribution(),
            self.domain_and_firewall(),
        ];
        parts.concat()
    }

    fn state(&self) -> Vec<StatementPlan> {
        let Some(bucket) = &self.0.terraform.state_bucket else { return Vec::new() };
        let bucket = format!("arn:{}:s3:::{bucket}", self.0.partition);
        let key = format!("{bucket}/{}", self.0.names.state_key);
        vec![
            StatementPlan::new("FindState", "Terraform looks whether there is a state yet.", &["s3:ListBucket"], &[])
                .on([&bucket]),
            StatementPlan::new("KeepState", "The state itself.", &["s3:GetObject"], &["s3:PutObject"]).on([&key]),
            StatementPlan::new(
                "LockState",
                "Two deployments at once wait for each other; a plan takes no lock.",
                &[],
                &["s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
            )
            .on([format!("{key}.tflock")]),
        ]
    }

    fn functions(&self) -> Vec<StatementPlan> {
        let write = [
            "lambda:AddPermission",
            "lambda:CreateAlias",
            "lambda:CreateFunction",
            "lambda:CreateFunctionUrlConfig",
            "lambda:DeleteAlias",
            "lambda:DeleteFunction",
            "lambda:DeleteFunctionConcurrency",
            "lambda:DeleteFunctionUrlConfig",
            "lambda:PublishVersion",
            "lambda:PutFunctionConcurrency",
            "lambda:RemovePermission",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateAlias",
            "lambda:UpdateFunctionCode",
            "lambda:UpdateFunctionConfiguration",
            "lambda:UpdateFunctionUrlConfig",
        ];
        let functions = self.each("lambda", &["function:{}", "function:{}:*"]);
        let comment = "Both functions, their versions, aliases and URLs.";
        let mut statements =
            vec![StatementPlan::new("Functions", comment, &["lambda:Get*", "lambda:List*"], &write).on(functions)];
        if self.0.distribution.is_none() && !self.0.has_invoked_via_function_url {
            let read = ["cloudformation:Describe*", "cloudformation:GetTemplate"];
            let write = [
                "cloudformation:CreateStack",
                "cloudformation:DeleteStack",
                "cloudformation:TagResource",
                "cloudformation:UntagResource",
                "cloudformation:UpdateStack",
            ];
            let stacks = self.each("cloudformation", &["stack/{}-url-permission/*"]);
            let comment = "The stacks that hold the second permission of each URL.";
            statements.push(StatementPlan::new("PermissionStacks", comment, &read, &write).on(stacks));
        }
        statements
    }

    fn roles(&self) -> Vec<StatementPlan> {
        let names = [&self.0.stream.name, &self.0.dashboard.name];
        let roles = || names.map(|name| self.global("iam", &format!("role/{name}")));
        let write = [
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DeleteRolePolicy",
            "iam:PutRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ];
        let comment = "The functions' roles.";
        let mut pass =
            StatementPlan::new("HandRolesToLambda", "And to nobody else.", &[], &["iam:PassRole"]).on(roles());
        pass.passed_to = Some("lambda.amazonaws.com");
        vec![StatementPlan::new("Roles", comment, &["iam:Get*", "iam:List*"], &write).on(roles()), pass]
    }

    fn tables(&self) -> Vec<StatementPlan> {
        let read = ["dynamodb:Describe*", "dynamodb:ListTagsOfResource"];
        let write = [
            "dynamodb:CreateTable",
            "dynamodb:TagResource",
            "dynamodb:UntagResource",
            "dynamodb:UpdateContinuousBackups",
            "dynamodb:UpdateTable",
            "dynamodb:UpdateTimeToLive",
        ];
        let tables = [&self.0.items, &self.0.users];
        let of = |create: bool| {
            let names = tables.iter().filter(move |table| table.create == create).map(|table| &table.name);
            names.map(|name| self.arn("dynamodb", &format!("table/{name}"))).collect::<Vec<_>>()
        };
        let own = "The tables, but not what is in them; and deleting one is left to a person.";
        let foreign = "Tables of somebody else: their description.";
        let statements = [
            StatementPlan::new("Tables", own, &read, &write).on(of(true)),
            StatementPlan::new("ForeignTables", foreign, &read, &[]).on(of(false)),
        ];
        statements.into_iter().filter(|statement| !statement.resources.is_empty()).collect()
    }

    fn session_keys(&self) -> Vec<StatementPlan> {
        let Some(keys) = &self.0.session_keys else { return Vec::new() };
        let alias = self.arn("kms", &format!("{}*", keys.alias_prefix));
        let read = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"];
        let write = [
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:ScheduleKeyDeletion",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:UpdateAlias",
            "kms:UpdateKeyDescription",
        ];
        let comment = "Keys of session tokens, but no use of them. AWS makes up their names.";
        let find = "Keys are made without a name, and aliases are found by listing all of them.";
        vec![
            StatementPlan::new("SessionKeys", comment, &read, &write).on([alias, self.arn("kms", "key/*")]),
            StatementPlan::new("MakeSessionKeys", find, &["kms:ListAliases"], &["kms:CreateKey"]).on(["*"]),
        ]
    }

    fn watching(&self) -> Vec<StatementPlan> {
        let base = &self.0.names.base;
        let mut log_groups = self.each("logs", &["log-group:/aws/lambda/{}", "log-group:/aws/lambda/{}:*"]);
        if let Some(instances) = &self.0.instances {
            let group = format!("log-group:/aws/lambda/capacity-provider/{}", instances.name);
            log_groups.extend([self.arn("logs", &group), self.arn("logs", &format!("{group}:*"))]);
        }
        let write = [
            "logs:CreateLogGroup",
            "logs:DeleteLogGroup",
            "logs:DeleteMetricFilter",
            "logs:DeleteRetentionPolicy",
            "logs:PutMetricFilter",
            "logs:PutRetentionPolicy",
            "logs:TagResource",
            "logs:UntagResource",
        ];
        let find = "The log groups are found by listing all of them.";
        let alarms = "Alarms and the dashboard.";
        vec![
            StatementPlan::new("FindLogGroups", find, &["logs:DescribeLogGroups"], &[])
                .on([self.arn("logs", "log-group:*")]),
            StatementPlan::new(
                "LogGroups",
                "Log groups and the metrics made of them, but not what is logged.",
                &["logs:DescribeMetricFilters", "logs:ListTagsForResource"],
                &write,
            )
            .on(log_groups),
            StatementPlan::new(
                "Alarms",
                alarms,
                &["cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"],
                &[
                    "cloudwatch:DeleteAlarms",
                    "cloudwatch:DeleteDashboards",
                    "cloudwatch:PutDashboard",
                    "cloudwatch:PutMetricAlarm",
                    "cloudwatch:TagResource",
                    "cloudwatch:UntagResource",
                ],
            )
            .on([
                self.arn("cloudwatch", &format!("alarm:{base}-*")),
                self.global("cloudwatch", &format!("dashboard/{base}")),
            ]),
        ]
    }

    fn telling(&self) -> Vec<StatementPlan> {
        let (base, operations) = (&self.0.names.base, &self.0.operations);
        let mut statements = Vec::new();
        if operations.alarms.as_ref().is_some_and(|alarms| matches!(alarms.topic, Some(Topic::Email(_)))) {
            let write = [
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:TagResource",
                "sns:UntagResource",
            ];
            let topic = self.arn("sns", &format!("{base}-alarms"));
            let read = ["sns:GetTopicAttributes", "sns:ListTagsForResource"];
            statements.push(StatementPlan::new("Topic", "Where alarms go.", &read, &write).on([topic]));
            let comment = "Amazon SNS narrows these two to no resource.";
            let (read, write) = (["sns:GetSubscriptionAttributes"], ["sns:Unsubscribe"]);
            statements.push(StatementPlan::new("Subscription", comment, &read, &write).on(["*"]));
        }
        if operations.budget.is_some() {
            let read = ["budgets:ListTagsForResource", "budgets:ViewBudget"];
            let write = ["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"];
            let budget = self.global("budgets", &format!("budget/{base}-monthly"));
            statements.push(StatementPlan::new("Budget", "The budget.", &read, &write).on([budget]));
        }
        statements
    }

    fn images(&self) -> Vec<StatementPlan> {
        if [&self.0.stream, &self.0.dashboard].iter().all(|function| function.package == Packaging::Zip) {
            return Vec::new();
        }
        let write = [
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:CompleteLayerUpload",
            "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer",
            "ecr:GetRepositoryPolicy",
            "ecr:InitiateLayerUpload",
            "ecr:PutImage",
            "ecr:SetRepositoryPolicy",
            "ecr:UploadLayerPart",
        ];
        let repository = self.arn("ecr", &format!("repository/{}", self.0.names.repository));
        let images = "Push images; Lambda has itself allowed to pull them on behalf of whoever creates the function.";
        let sign_in = "Amazon ECR narrows this one to no resource.";
        vec![
            StatementPlan::new("Images", images, &[], &write).on([repository]),
            StatementPlan::new("SignInToRegistry", sign_in, &[], &["ecr:GetAuthorizationToken"]).on(["*"]),
        ]
    }

    fn networks(&self) -> Vec<StatementPlan> {
        if self.0.dashboard.vpc.is_none() {
            return Vec::new();
        }
        let actions = ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"];
        let comment = "Lambda wants this of whoever gives a function a network; EC2 narrows these to no resource.";
        vec![StatementPlan::new("FindNetworks", comment, &[], &actions).on(["*"])]
    }

    fn instances(&self) -> Vec<StatementPlan> {
        let Some(instances) = &self.0.instances else { return Vec::new() };
        let capacity = self.arn("lambda", &format!("capacity-provider:{}", instances.name));
        let operator = || [self.global("iam", &format!("role/{}", instances.operator_role))];
        let write = [
            "lambda:CreateCapacityProvider",
            "lambda:DeleteCapacityProvider",
            "lambda:PassCapacityProvider",
            "lambda:TagResource",
            "lambda:UntagResource",
            "lambda:UpdateCapacityProvider",
        ];
        let role_write = [
            "iam:AttachRolePolicy",
            "iam:CreateRole",
            "iam:DeleteRole",
            "iam:DetachRolePolicy",
            "iam:TagRole",
            "iam:UntagRole",
            "iam:UpdateAssumeRolePolicy",
            "iam:UpdateRole",
        ];
        let read = ["lambda:GetCapacityProvider", "lambda:ListTags"];
        let comment = "The instances under the stream function.";
        let operator_comment = "The role with which Lambda runs them.";
        let mut pass =
            StatementPlan::new("HandOperatorToLambda", "And to nobody else.", &[], &["iam:PassRole"]).on(operator());
        pass.passed_to = Some("lambda.amazonaws.com");
        vec![
            StatementPlan::new("Instances", comment, &read, &write).on([capacity]),
            StatementPlan::new("Operator", operator_comment, &["iam:Get*", "iam:List*"], &role_write).on(operator()),
            pass,
        ]
    }

    fn distribution(&self) -> Vec<StatementPlan> {
        if self.0.distribution.is_none() {
            return Vec::new();
        }
        let write = [
            "cloudfront:CreateDistribution",
            "cloudfront:CreateOriginAccessControl",
            "cloudfront:CreateResponseHeadersPolicy",
            "cloudfront:DeleteDistribution",
            "cloudfront:DeleteOriginAccessControl",
            "cloudfront:DeleteResponseHeadersPolicy",
            "cloudfront:TagResource",
            "cloudfront:UntagResource",
            "cloudfront:UpdateDistribution",
            "cloudfront:UpdateOriginAccessControl",
            "cloudfront:UpdateResponseHeadersPolicy",
        ];
        let kinds = [
            "cache-policy",
            "distribution",
            "origin-access-control",
            "origin-request-policy",
            "response-headers-policy",
        ];
        let bucket = format!("arn:{}:s3:::{}*", self.0.partition, self.0.names.page_bucket_prefix);
        let page_write = [
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketPolicy",
            "s3:DeleteObject",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
            "s3:PutObject",
            "s3:PutObjectTagging",
        ];
        vec![
            StatementPlan::new(
                "Distribution",
                "AWS makes up the names of these, so that nothing narrower is known before.",
                &["cloudfront:Get*", "cloudfront:List*"],
                &write,
            )
            .on(kinds.map(|kind| self.global("cloudfront", &format!("{kind}/*")))),
            StatementPlan::new(
                "Page",
                "The page's bucket: all of it is public.",
                &["s3:Get*", "s3:List*"],
                &page_write,
            )
            .on([bucket]),
        ]
    }

    fn domain_and_firewall(&self) -> Vec<StatementPlan> {
        let Some(distribution) = &self.0.distribution else { return Vec::new() };
        let (partition, base) = (self.0.partition, &self.0.names.base);
        let mut statements = Vec::new();
        if let Some(zone) = distribution.domain.as_ref().and_then(|domain| domain.hosted_zone_id.as_ref()) {
            let read = ["route53:GetChange", "route53:GetHostedZone", "route53:ListResourceRecordSets"];
            let resources =
                [format!("arn:{partition}:route53:::hostedzone/{zone}"), format!("arn:{partition}:route53:::change/*")];
            let write = ["route53:ChangeResourceRecordSets"];
            statements.push(StatementPlan::new("Records", "The domain's records.", &read, &write).on(resources));
        }
        if distribution.domain.as_ref().is_some_and(|domain| domain.certificate_arn.is_none()) {
            let read = ["acm:DescribeCertificate", "acm:ListTagsForCertificate"];
            let write = [
                "acm:AddTagsToCertificate",
                "acm:DeleteCertificate",
                "acm:RemoveTagsFromCertificate",
                "acm:RequestCertificate",
            ];
            let certificates = [format!("arn:{partition}:acm:us-east-1:*:certificate/*")];
            statements
                .push(StatementPlan::new("Certificate", "The domain's certificate.", &read, &write).on(certificates));
        }
        if distribution.rate_limit.is_some() {
            let read = ["wafv2:GetWebACL", "wafv2:ListTagsForResource"];
            let write = [
                "wafv2:CreateWebACL",
                "wafv2:DeleteWebACL",
                "wafv2:TagResource",
                "wafv2:UntagResource",
                "wafv2:UpdateWebACL",
            ];
            let firewall = [format!("arn:{partition}:wafv2:us-east-1:*:global/webacl/{base}-front/*")];
            statements.push(StatementPlan::new("Firewall", "The firewall.", &read, &write).on(firewall));
        }
        statements
    }
}
