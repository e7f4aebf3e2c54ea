//! Rules of the platform: what Lambda, CloudFront and CloudWatch refuse, or take and then do not do.

use std::time::Duration;

use contract::Adapter;

use super::Checks;
use crate::capability::Feature;
use crate::manifest::aws::{CiProvider, Compute, SHARED_STREAMS_MAX};
use crate::manifest::logs::LogFormat;
use crate::manifest::sections::VpcSection;
use crate::manifest::types::{BackendKind, Packaging, Runner};

/// A poll interval below this needs `allow_fast_poll`.
const POLL_INTERVAL_COMMON_MIN: Duration = Duration::from_secs(1);
/// Least memory of a function on managed instances, MiB (AWS Lambda, "Lambda Managed Instances").
const INSTANCES_MEMORY_MEBIBYTES_MIN: u32 = 2048;

impl Checks<'_> {
    pub(super) fn platform(&self) {
        self.poll_interval();
        self.reserve();
        self.networks();
        self.web_adapter();
        self.managed_instances();
        self.front();
        self.auth();
        self.operations();
        self.logs();
        self.canary();
        self.ci();
    }

    fn poll_interval(&self) {
        let stream = &self.manifest.stream;
        if stream.poll_interval.get() < POLL_INTERVAL_COMMON_MIN && !stream.allow_fast_poll {
            self.fail(
                "fast-poll-not-allowed",
                &["stream.poll_interval", "stream.allow_fast_poll"],
                format!(
                    "`stream.poll_interval` is `{}`: under a second it needs `stream.allow_fast_poll`, because every \
                     open stream reads the table that often",
                    stream.poll_interval
                ),
                "set `stream.poll_interval` to `1s` or more, or write `allow_fast_poll = true` under `[stream]`",
            );
        }
    }

    fn reserve(&self) {
        let stream = &self.manifest.stream;
        let Some(reserved) = stream.reserved_concurrency else { return };
        let (reserved, viewers) = (reserved.get(), stream.expected_viewers.get());
        if stream.compute == Compute::ManagedInstances {
            self.fail(
                "reserve-on-managed-instances",
                &["stream.reserved_concurrency", "stream.compute"],
                format!(
                    "`stream.reserved_concurrency` is `{reserved}`: with `stream.compute` `managed-instances` it is \
                     `stream.instances.max_vcpus` that bounds the instances"
                ),
                "remove it",
            );
            return;
        }
        let (streams, why) = if self.manifest.front.shared_segments {
            let streams = viewers.min(SHARED_STREAMS_MAX);
            (streams, format!("CloudFront's caches ask for up to {streams} streams of one filter at once"))
        } else {
            (viewers, format!("`stream.expected_viewers` is `{viewers}`"))
        };
        if (1..streams).contains(&reserved) {
            // Tabs that were closed keep their streams for a while.
            let enough = streams + streams.div_ceil(10);
            self.fail(
                "reserve-below-viewers",
                &["stream.reserved_concurrency", "stream.expected_viewers"],
                format!(
                    "`stream.reserved_concurrency` is `{reserved}`: a classic function serves one stream an instance, \
                     and {why}"
                ),
                &format!(
                    "set `stream.reserved_concurrency` to `{enough}` or more, closed tabs included, or lower \
                     `stream.expected_viewers`"
                ),
            );
        }
    }

    fn networks(&self) {
        let manifest = self.manifest;
        for (role, vpc) in [("stream", &manifest.stream.vpc), ("dashboard", &manifest.dashboard.vpc)] {
            self.network(role, vpc);
        }
        if manifest.stream.compute == Compute::Classic && !manifest.stream.vpc.subnets.as_slice().is_empty() {
            self.fail(
                "classic-stream-in-vpc",
                &["stream.vpc.subnets", "stream.compute"],
                "`stream.vpc.subnets` has elements: a classic function inside a VPC cannot stream through its URL"
                    .to_owned(),
                &format!("empty `[stream.vpc]`, or write {}", self.on_instances()),
            );
        }
    }

    fn network(&self, role: &str, vpc: &VpcSection) {
        let (subnets, groups) = (format!("{role}.vpc.subnets"), format!("{role}.vpc.security_groups"));
        let (has_subnets, has_groups) =
            (!vpc.subnets.as_slice().is_empty(), !vpc.security_groups.as_slice().is_empty());
        let (there, absent) = match (has_subnets, has_groups) {
            (true, false) => (subnets, groups),
            (false, true) => (groups, subnets),
            _ => return,
        };
        let hint = match (role, self.manifest.stream.compute) {
            // A classic stream has no VPC, one on managed instances must have one: see the other rules.
            ("stream", Compute::Classic) => {
                format!("empty `{there}`; or fill `{absent}` and write {}", self.on_instances())
            }
            ("stream", Compute::ManagedInstances) => format!("fill `{absent}`"),
            _ => format!("fill `{absent}`, or empty `{there}`"),
        };
        let message = format!("`{there}` has elements: a VPC needs `{absent}` too");
        self.fail("vpc-incomplete", &[&there, &absent], message, &hint);
    }

    fn web_adapter(&self) {
        let stream = &self.manifest.stream;
        if stream.adapter != Adapter::WebAdapter {
            return;
        }
        if stream.package == Packaging::Zip {
            self.fail(
                "web-adapter-in-zip",
                &["stream.adapter", "stream.package"],
                "`stream.adapter` is `web-adapter`: the adapter lies in an image under /opt/extensions, and \
                 `stream.package` is `zip`"
                    .to_owned(),
                "write `package = \"image\"` under `[stream]`, or `adapter = \"native\"` under `[stream]`",
            );
        }
        if stream.compute == Compute::ManagedInstances {
            self.fail(
                "web-adapter-on-managed-instances",
                &["stream.adapter", "stream.compute"],
                format!(
                    "`stream.adapter` is `web-adapter`: version {} of it takes one invocation at a time, and an \
                     environment of `managed-instances` gets many",
                    contract::web_adapter::VERSION
                ),
                "write `adapter = \"native\"` under `[stream]`, which serves many",
            );
        }
    }

    /// Least memory of a function on managed instances, MiB.
    fn instances_memory_min(&self) -> u32 {
        let ratio = self.manifest.stream.instances.memory_per_vcpu;
        INSTANCES_MEMORY_MEBIBYTES_MIN.max(ratio.gibibytes() * 1024)
    }

    /// What has to be written for managed instances: the word alone would be the next mistake.
    fn on_instances(&self) -> String {
        let (manifest, least) = (self.manifest, self.instances_memory_min());
        let mut hint = "`compute = \"managed-instances\"`".to_owned();
        if manifest.stream.memory.mebibytes() < least {
            hint.push_str(&format!(" and `memory = \"{} GiB\"`", least / 1024));
        }
        hint.push_str(" under `[stream]`");
        if !Feature::ManagedInstances.is_in(manifest.terraform.aws_provider.get().floor()) {
            let since = Feature::ManagedInstances.since();
            hint.push_str(&format!(", and `aws_provider = \">= {since}, < 7.0.0\"` under `[terraform]`"));
        }
        hint
    }

    fn managed_instances(&self) {
        let stream = &self.manifest.stream;
        if stream.compute != Compute::ManagedInstances {
            return;
        }
        let wants = "`stream.compute` is `managed-instances`";
        let constraint = self.manifest.terraform.aws_provider.get();
        if !Feature::ManagedInstances.is_in(constraint.floor()) {
            let since = Feature::ManagedInstances.since();
            self.fail(
                "managed-instances-old-provider",
                &["stream.compute", "terraform.aws_provider"],
                format!(
                    "{wants}: the AWS provider has it from {since} on, and `terraform.aws_provider`, `{}`, allows {}",
                    constraint.as_str(),
                    constraint.floor()
                ),
                &format!("write `aws_provider = \">= {since}, < 7.0.0\"` under `[terraform]`"),
            );
        }
        // Half a VPC is another mistake.
        if stream.vpc.subnets.as_slice().is_empty() && stream.vpc.security_groups.as_slice().is_empty() {
            self.fail(
                "managed-instances-without-vpc",
                &["stream.compute", "stream.vpc.subnets"],
                format!("{wants}: its instances run in a VPC, and `stream.vpc.subnets` is empty"),
                "name subnets and security groups under `[stream.vpc]`",
            );
        }
        let (memory, ratio) = (stream.memory.mebibytes(), stream.instances.memory_per_vcpu);
        let least = self.instances_memory_min();
        if memory < least {
            self.fail("managed-instances-memory", 
                &["stream.memory", "stream.compute", "stream.instances.memory_per_vcpu"],
                format!(
                    "`stream.memory` is `{memory} MiB`: on managed instances a function has one processor at least, and \
                     `stream.instances.memory_per_vcpu`, `{}`, for it",
                    ratio.as_str()
                ),
                &format!("set `stream.memory` to `{} GiB` or more", least / 1024),
            );
        }
        if stream.instances.concurrency.get() > stream.max_connections.get() {
            self.fail(
                "instance-concurrency-above-connections",
                &["stream.instances.concurrency", "stream.max_connections"],
                format!(
                    "`stream.instances.concurrency` is `{}`: an instance takes `stream.max_connections`, `{}`, and \
                     refuses the others",
                    stream.instances.concurrency.get(),
                    stream.max_connections.get()
                ),
                &format!(
                    "set `stream.instances.concurrency` to `{}` or less, or raise `stream.max_connections`",
                    stream.max_connections.get()
                ),
            );
        }
    }

    fn operations(&self) {
        let operations = &self.manifest.operations;
        let has_both = operations.email.is_some() && operations.topic_arn.is_some();
        if has_both && operations.monthly_budget_usd.is_none() {
            self.fail(
                "two-alarm-topics",
                &["operations.email", "operations.topic_arn"],
                "`operations.email` is set: alarms go to `operations.topic_arn`, and no budget writes to an address"
                    .to_owned(),
                "subscribe the address to that topic and remove `operations.email`",
            );
        }
        let region = self.manifest.project.region.as_str();
        if let Some(topic) = operations.topic_arn.as_ref().filter(|topic| topic.region() != region) {
            self.fail(
                "topic-of-another-region",
                &["operations.topic_arn", "project.region"],
                format!(
                    "`operations.topic_arn` is in `{}`: CloudWatch tells topics of its own region only, \
                     `project.region`, `{region}`",
                    topic.region()
                ),
                "name a topic of that region",
            );
        }
        if let Some(budget) = operations.monthly_budget_usd
            && operations.email.is_none()
        {
            self.fail(
                "budget-without-email",
                &["operations.monthly_budget_usd", "operations.email"],
                format!(
                    "`operations.monthly_budget_usd` is `{}`: there is no `operations.email` to tell",
                    budget.get()
                ),
                "set `operations.email`",
            );
        }
    }

    fn canary(&self) {
        let manifest = self.manifest;
        let Some(canary) = manifest.deploy.canary else { return };
        if !manifest.operations.alarms {
            self.fail(
                "canary-without-alarms",
                &["deploy.canary", "operations.alarms"],
                format!(
                    "`deploy.canary` is `{canary}`: `operations.alarms` is `false`, and only alarms send a version back"
                ),
                "write `alarms = true` under `[operations]`, or remove `deploy.canary`",
            );
        }
        if manifest.stream.compute == Compute::ManagedInstances {
            self.fail(
                "canary-on-managed-instances",
                &["deploy.canary", "stream.compute"],
                format!(
                    "`deploy.canary` is `{canary}`: with `stream.compute` `managed-instances` shares of an alias were \
                     never tried"
                ),
                "remove `deploy.canary`",
            );
        }
    }

    fn logs(&self) {
        let logs = &self.manifest.operations.logs;
        let levels = [
            ("operations.logs.level", logs.level.is_some()),
            ("operations.logs.system_level", logs.system_level.is_some()),
        ];
        for (key, is_set) in levels {
            if is_set && logs.format == LogFormat::Text {
                self.fail(
                    "level-of-text",
                    &[key, "operations.logs.format"],
                    format!(
                        "`{key}` is set: `operations.logs.format` is `text`, and Lambda looks for levels in JSON only"
                    ),
                    "write `format = \"json\"` under `[operations.logs]`, or remove it",
                );
            }
        }
    }

    fn ci(&self) {
        let ci = &self.manifest.ci;
        if ci.provider == CiProvider::Github && ci.repository.is_none() {
            self.fail(
                "ci-without-repository",
                &["ci.provider", "ci.repository"],
                "`ci.provider` is `github`: it needs `ci.repository`, which alone may take on the role".to_owned(),
                "set `ci.repository` to OWNER/NAME",
            );
        }
        let runner = self.manifest.output.runner.as_str();
        if ci.provider == CiProvider::Github && runner != Some(Runner::OWN) {
            self.fail(
                "ci-without-runner",
                &["ci.provider", "output.runner"],
                format!(
                    "`ci.provider` is `github`: steps of its workflow are recipes of `{}`, which builds the functions, and \
                     `output.runner` is `{}`",
                    Runner::OWN,
                    runner.unwrap_or("false")
                ),
                "write `provider = \"none\"` under `[ci]`, and call `infragen deploy` from a workflow of your own",
            );
        }
        if ci.provider == CiProvider::Github && self.manifest.terraform.backend.kind == BackendKind::Local {
            self.fail(
                "ci-without-state",
                &["ci.provider", "terraform.backend.kind"],
                "`ci.provider` is `github`: `terraform.backend.kind` is `local`, and a file on a machine that lives for \
                 one run is lost with it"
                    .to_owned(),
                "write `kind = \"s3\"` and a `bucket` under `[terraform.backend]`",
            );
        }
    }
}
