//! Names of what is deployed, as policies have them.

use crate::plan::Plan;

/// Makes the names of what the roles may touch. The account is left open: a role reaches nothing outside its own anyway.
#[derive(Clone, Copy, Debug)]
pub struct Arns<'p>(&'p Plan);

impl<'p> Arns<'p> {
    /// For what is in this plan.
    #[must_use]
    pub const fn of(plan: &'p Plan) -> Self {
        Self(plan)
    }

    /// ARN of something in the plan's region.
    #[must_use]
    pub fn arn(&self, service: &str, resource: &str) -> String {
        self.arn_in(&self.0.region, service, resource)
    }

    /// ARN of something in any region.
    #[must_use]
    pub fn arn_in(&self, region: &str, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{region}:*:{resource}", self.0.partition)
    }

    /// ARNs of a log group in a region, and of what is in it.
    #[must_use]
    pub fn log_group(&self, region: &str, name: &str) -> [String; 2] {
        let group = self.arn_in(region, "logs", &format!("log-group:{name}"));
        let all = format!("{group}:*");
        [group, all]
    }

    /// ARN of something that is of no region.
    #[must_use]
    pub fn global(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}::*:{resource}", self.0.partition)
    }

    /// ARN of an object in S3, whose buckets are of no region and account.
    #[must_use]
    pub fn object(&self, bucket: &str, key: &str) -> String {
        format!("arn:{}:s3:::{bucket}/{key}", self.0.partition)
    }

    /// ARN of a role that is made here, by its name.
    #[must_use]
    pub fn role(&self, name: &str) -> String {
        self.global("iam", &format!("role{}{name}", self.0.account.role_path))
    }

    /// How KMS names a service of the plan's region that asks it for something.
    #[must_use]
    pub fn endpoint(&self, service: &str) -> String {
        self.endpoint_in(service, &self.0.region)
    }

    /// The same in another region.
    #[must_use]
    pub fn endpoint_in(&self, service: &str, region: &str) -> String {
        format!("{service}.{region}.amazonaws.com")
    }

    /// What a role that is made or written here must be bounded by, where anything bounds it.
    #[must_use]
    pub fn boundary(&self) -> Option<&'p str> {
        self.0.account.permissions_boundary.as_deref()
    }

    /// One ARN, or several, of each function: `{}` stands for its name.
    #[must_use]
    pub fn each(&self, service: &str, resources: &[&str]) -> Vec<String> {
        let names = [&self.0.stream.name, &self.0.dashboard.name];
        let one = |name: &&String| {
            resources.iter().map(|resource| self.arn(service, &resource.replace("{}", name))).collect()
        };
        names.iter().flat_map::<Vec<String>, _>(one).collect()
    }
}
