//! The two functions.

use std::collections::BTreeSet;

use super::arns::Arns;
use super::construct::{Construct, File, Root};
use super::roles;
use super::statement::StatementPlan;
use crate::plan::{FunctionPlan, Plan};

/// Both functions, with their roles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Functions<'p>(&'p Plan);

impl<'p> Functions<'p> {
    pub(super) const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }
}

impl Construct for Functions<'_> {
    fn name(&self) -> &'static str {
        "functions"
    }

    fn summary(&self) -> &'static str {
        "The two functions with their roles, logs, aliases and URLs (`[stream]`, `[dashboard]`). Always there."
    }

    fn files(&self) -> Vec<File> {
        let of = |function: &FunctionPlan| File {
            root: Root::Main,
            template: "terraform/function.tf".to_owned(),
            name: format!("{}.tf", function.role),
            function: Some(function.role),
        };
        [&self.0.stream, &self.0.dashboard].map(of).into()
    }

    fn statements(&self, arns: &Arns<'_>) -> Vec<StatementPlan> {
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
        let functions = arns.each("lambda", &["function:{}", "function:{}:*"]);
        let comment = "Both functions, their versions, aliases and URLs.";
        let mut statements =
            vec![StatementPlan::new("Functions", comment, &["lambda:Get*", "lambda:List*"], &write).on(functions)];
        if self.0.has_public_urls() && !self.0.has_invoked_via_function_url {
            let read = ["cloudformation:Describe*", "cloudformation:GetTemplate"];
            let write = [
                "cloudformation:CreateStack",
                "cloudformation:DeleteStack",
                "cloudformation:TagResource",
                "cloudformation:UntagResource",
                "cloudformation:UpdateStack",
            ];
            let stacks = arns.each("cloudformation", &["stack/{}-url-permission/*"]);
            let comment = "The stacks that hold the second permission of each URL.";
            statements.push(StatementPlan::new("PermissionStacks", comment, &read, &write).on(stacks));
        }
        statements.extend(self.archives(arns));
        statements.extend(self.roles(arns));
        statements
    }
}

impl Functions<'_> {
    /// Lambda reads an archive in S3 with the rights of whoever names it.
    fn archives(self, arns: &Arns<'_>) -> Option<StatementPlan> {
        let archives: BTreeSet<String> = [&self.0.stream, &self.0.dashboard]
            .into_iter()
            .filter_map(|function| function.archive.as_ref())
            .map(|archive| arns.object(&archive.bucket, &archive.key))
            .collect();
        let comment = "Archives, which Lambda reads on behalf of whoever names them.";
        let statement = StatementPlan::new("ReadArchives", comment, &[], &["s3:GetObject", "s3:GetObjectVersion"]);
        (!archives.is_empty()).then(|| statement.on(archives))
    }

    fn roles(self, arns: &Arns<'_>) -> Vec<StatementPlan> {
        let names = [&self.0.stream.name, &self.0.dashboard.name];
        let roles = || names.map(|name| arns.role(name));
        let give = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy"];
        let mut statements = roles::roles(["Roles", "BoundedRoles"], "The functions' roles.", &give, arns, &roles());
        let pass = StatementPlan::new("HandRolesToLambda", "And to nobody else.", &[], &["iam:PassRole"]).on(roles());
        statements.push(pass.when("iam:PassedToService", ["lambda.amazonaws.com"]));
        statements
    }
}
