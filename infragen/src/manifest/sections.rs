//! Every key of deploy.toml with its meaning, type and default; those of `[aws]` are in [`super::account`], and how
//! what is rendered gets there in [`super::delivery`].

use contract::limits::{
    CONNECTIONS_DEFAULT, CONNECTIONS_PER_CLIENT_DEFAULT, METRICS_TAGS_DEFAULT, REPLAY_EVENTS_DEFAULT,
};
use contract::routes::SESSION_COOKIE;
use contract::units::{
    DataWindow, FunctionTimeout, HeartbeatInterval, LateInterval, LateWindow, MaxSession, PollInterval,
    ReconcileInterval, ReplayWindow, Retry, SegmentLength, SessionLifetime,
};
use contract::values::{Count, FunctionConnections, ReplayEvents, TagsMax};
use contract::{
    Adapter, AttributeName, AttributePath, AudienceClaim, Audiences, AuthMode, AuthUrl, CookieName, Environment,
    EventName, FrameAncestors, HistoryKeep, Identity, IndexName, IssuerName, LabelType, Labels, MetricsMode,
    MoreHeaders, ShownAttributes, StatusValue, TableName, TimeFormat, TimeZone, WhenFull,
};

use super::account::{AwsSection, KmsKeyArn};
use super::archive::ArchiveSection;
use super::auth::SessionKeyNames;
use super::aws::{
    BufferedMode, CertificateArn, Compute, DomainName, Email, ExtraVariables, HostedZoneId, MemoryPerVcpu, PriceClass,
    SecurityGroups, StreamingMode, Subnets, TopicArn, ViewerFunctionArn,
};
use super::delivery::{CiSection, DeploySection, OutputSection};
use super::image::{ImageUri, RepositoryName};
use super::logs::{LogGroupName, LogsSection};
use super::page::PageSection;
use super::reader::section;
use super::regions::Region;
use super::rest_api::RestApiSection;
use super::types::{
    Architecture, BackendKind, BucketName, Description, FrontKind, LogRetention, Memory, OptionalAttribute, Origins,
    Packaging, ProjectName, ReadTimeout, Tags,
};
use super::version::{ProviderVersion, TerraformVersion};

/// Execution environments kept for one function; 0 stops it: Lambda then refuses every invocation.
pub type ReservedConcurrency = Count<0, 100_000>;

/// Viewers at the busiest moment.
pub type Viewers = Count<1, 1_000_000>;
/// Streams that one environment on managed instances serves at once.
pub type InstanceConcurrency = Count<1, 1600>;
/// Processors that a capacity provider may grow to.
pub type VcpuCount = Count<12, 15_000>;
/// A share in percent.
pub type Percent = Count<1, 100>;
/// How often something may happen before an alarm.
pub type Threshold = Count<1, 1_000_000_000>;
/// Requests of one address in five minutes.
pub type RateLimit = Count<10, 2_000_000_000>;
/// Hours of a day.
pub type DailyHours = Count<1, 24>;
/// Rows that land in a day.
pub type DailyItems = Count<0, 1_000_000_000>;
/// US dollars.
pub type Dollars = Count<1, 1_000_000>;

/// A default that is a literal; the test `defaults_are_valid` makes each of them.
macro_rules! known {
    ($make:expr) => {
        $make.expect("a literal that the test `defaults_are_valid` makes")
    };
}

fn optional(name: &str) -> OptionalAttribute {
    OptionalAttribute(Some(known!(AttributePath::new(name))))
}

section! {
    /// `[project]`: what it is called and where it runs.
    pub struct ProjectSection {
        /// Name of the project: the beginning of every resource's name.
        "name" => name: ProjectName = known!(ProjectName::new("sse-streaming"));
        /// Name of the environment that the base manifest describes: the second part of every resource's name.
        "environment" => environment: Environment = known!(Environment::new("dev"));
        /// AWS region of everything.
        "region" => region: Region = known!(Region::new("us-east-1"));
        /// Description of the functions, for people who read the console.
        "description" => description: Description = known!(Description::new("Live dashboards over server-sent events"));
        /// Tags of every resource, beside `project`, `environment` and `managed-by`.
        "tags" => tags: Tags = Tags::default();
    }
}

section! {
    /// `[terraform.backend]`: where Terraform keeps its state.
    pub struct BackendSection {
        /// A file beside the configuration, or an S3 bucket with lock file.
        "kind" => kind: BackendKind = BackendKind::Local;
        /// Name of the state bucket, from the bootstrap root's output `state_bucket`; needed by `s3`.
        "bucket" => bucket: Option<BucketName> = None;
    }
}

section! {
    /// `[terraform]`: which Terraform and provider may run, and where the state is.
    pub struct TerraformSection {
        /// Terraform versions allowed.
        "required_version" => required_version: TerraformVersion = TerraformVersion::known(">= 1.11.0, < 2.0.0");
        /// AWS provider versions allowed; the lowest decides which features are used.
        "aws_provider" => aws_provider: ProviderVersion = ProviderVersion::known(">= 5.100.0, < 7.0.0");
        ..#[doc = "Where Terraform keeps its state."] "backend" => backend: BackendSection;
    }
}

section! {
    /// `[package]`: how the functions are built.
    pub struct PackageSection {
        /// Processor of both functions and of the binaries in their packages.
        "architecture" => architecture: Architecture = Architecture::Arm64;
        /// Name of the ECR repository of both functions' images; left out, it is made of project and environment.
        "repository" => repository: Option<RepositoryName> = None;
        /// Whether to make that repository, or to use one that exists as it is.
        "create_repository" => create_repository: bool = true;
    }
}

section! {
    /// `[stream.image]`, `[dashboard.image]`: an image that is there already.
    pub struct ImageSection {
        /// Container image to run instead of one that is made and pushed here.
        "uri" => uri: Option<ImageUri> = None;
        /// Processor that this image was built for; it must be that of the function.
        "architecture" => architecture: Option<Architecture> = None;
    }
}

section! {
    /// `[stream.vpc]`, `[dashboard.vpc]`: the network that a function runs in.
    pub struct VpcSection {
        /// Subnets; none means no VPC. The stream function has one on managed instances only.
        "subnets" => subnets: Subnets = Subnets::default();
        /// Security groups.
        "security_groups" => security_groups: SecurityGroups = SecurityGroups::default();
    }
}

section! {
    /// `[stream.instances]`: the managed instances under the stream function; unused on classic compute.
    pub struct InstancesSection {
        /// Streams that one execution environment serves at once.
        "concurrency" => concurrency: InstanceConcurrency = known!(InstanceConcurrency::new(100));
        /// Memory that goes with one processor.
        "memory_per_vcpu" => memory_per_vcpu: MemoryPerVcpu = MemoryPerVcpu::Two;
        /// Most processors that all instances may have together.
        "max_vcpus" => max_vcpus: VcpuCount = known!(VcpuCount::new(12));
    }
}

section! {
    /// `[stream.replay]`: how far back a returning client is served.
    pub struct ReplaySection {
        /// Updates a resume may bring, and that a slow reader may fall behind.
        "events" => events: ReplayEvents = known!(ReplayEvents::new(REPLAY_EVENTS_DEFAULT));
        /// Age up to which a cursor can be resumed.
        "window" => window: ReplayWindow = ReplayWindow::DEFAULT;
    }
}

section! {
    /// `[stream]`: the function behind EventSource.
    pub struct StreamSection {
        /// Zip archive pinned by hash, or container image pinned by digest.
        "package" => package: Packaging = Packaging::Zip;
        /// What it runs on: one stream an instance, or many on EC2 instances that Lambda manages.
        "compute" => compute: Compute = Compute::Classic;
        /// How it gets its invocations: by itself, or from the AWS Lambda Web Adapter, which its image then carries.
        "adapter" => adapter: Adapter = Adapter::Native;
        /// How its URL answers; no other mode works, because its program streams.
        "invoke_mode" => invoke_mode: StreamingMode = StreamingMode::ResponseStream;
        /// Memory of an instance, which holds the rows of `data.window`; the processor share grows with it.
        "memory" => memory: Memory = Memory::known::<128>();
        /// Time after which Lambda ends an invocation; longer than `max_session` by more than 10 s.
        "timeout" => timeout: FunctionTimeout = FunctionTimeout::DEFAULT;
        /// Time between two reads of the table while somebody listens.
        "poll_interval" => poll_interval: PollInterval = PollInterval::DEFAULT;
        /// Whether `poll_interval` may be under a second: every open stream then reads that often, and is billed for it.
        "allow_fast_poll" => allow_fast_poll: bool = false;
        /// Time between two `heartbeat` events; shorter than `front.read_timeout`.
        "heartbeat_interval" => heartbeat_interval: HeartbeatInterval = HeartbeatInterval::DEFAULT;
        /// Streams one instance serves.
        "max_connections" => max_connections: FunctionConnections = known!(FunctionConnections::new(CONNECTIONS_DEFAULT));
        /// Streams one instance serves for one source address.
        "connections_per_client" => connections_per_client: FunctionConnections =
            known!(FunctionConnections::new(CONNECTIONS_PER_CLIENT_DEFAULT));
        /// What a client hears that finds the instance full.
        "when_full" => when_full: WhenFull = WhenFull::Overloaded;
        /// Longest session before it ends by itself: what a stream whose viewer left may cost.
        "max_session" => max_session: MaxSession = MaxSession::DEFAULT;
        /// Whether a page that goes says so, which ends its stream within one `poll_interval`; each look costs half a read unit.
        "goodbye" => goodbye: bool = false;
        /// Reconnect delay that a stream announces; up to half more is added at random.
        "retry" => retry: Retry = Retry::DEFAULT;
        /// How late after its own timestamp a row may appear and still be delivered.
        "late_window" => late_window: LateWindow = LateWindow::DEFAULT;
        /// Time within which each part of the late interval is read again where a table is busy; a quiet one is read whole at each poll.
        "late_interval" => late_interval: LateInterval = LateInterval::DEFAULT;
        /// Time between two full re-reads of the window.
        "reconcile_interval" => reconcile_interval: ReconcileInterval = ReconcileInterval::DEFAULT;
        /// Whether instances leave old hours for one another in a table of their own, so that each is read once in a `reconcile_interval` in all.
        "share_hours" => share_hours: bool = false;
        /// Most instances at once, taken out of the account's share; each unit also allows 10 requests/s. 0 stops the function.
        "reserved_concurrency" => reserved_concurrency: Option<ReservedConcurrency> = None;
        /// Viewers at the busiest moment: what the reserve must hold, and what `cost` reckons with.
        "expected_viewers" => expected_viewers: Viewers = known!(Viewers::new(20));
        /// Days for which CloudWatch keeps the function's log.
        "log_retention_days" => log_retention: LogRetention = LogRetention::DEFAULT;
        /// Name of a log group that exists, which the function writes to; left out, one of its own is made.
        "log_group" => log_group: Option<LogGroupName> = None;
        /// More environment variables of the function.
        "environment" => environment: ExtraVariables = ExtraVariables::default();
        ..#[doc = "How far back a returning client is served."] "replay" => replay: ReplaySection;
        ..#[doc = "An image that is there already."] "image" => image: ImageSection;
        ..#[doc = "A zip archive in S3 that is there already."] "archive" => archive: ArchiveSection;
        ..#[doc = "The network that it runs in."] "vpc" => vpc: VpcSection;
        ..#[doc = "The managed instances under it."] "instances" => instances: InstancesSection;
    }
}

section! {
    /// `[dashboard]`: the function behind the REST API.
    pub struct DashboardSection {
        /// Zip archive pinned by hash, or container image pinned by digest.
        "package" => package: Packaging = Packaging::Zip;
        /// How its URL answers; no other mode works, because its program answers in one piece.
        "invoke_mode" => invoke_mode: BufferedMode = BufferedMode::Buffered;
        /// Memory of an instance, which holds the rows of `data.window`; the processor share grows with it.
        "memory" => memory: Memory = Memory::known::<256>();
        /// Time after which Lambda ends an invocation.
        "timeout" => timeout: FunctionTimeout =
            known!(FunctionTimeout::parse("30s", contract::units::Bare::Refused));
        /// Most instances at once, taken out of the account's share; 0 stops the function.
        "reserved_concurrency" => reserved_concurrency: Option<ReservedConcurrency> = None;
        /// Days for which CloudWatch keeps the function's log.
        "log_retention_days" => log_retention: LogRetention = LogRetention::DEFAULT;
        /// Name of a log group that exists, which the function writes to; left out, one of its own is made.
        "log_group" => log_group: Option<LogGroupName> = None;
        /// More environment variables of the function.
        "environment" => environment: ExtraVariables = ExtraVariables::default();
        ..#[doc = "An image that is there already."] "image" => image: ImageSection;
        ..#[doc = "A zip archive in S3 that is there already."] "archive" => archive: ArchiveSection;
        ..#[doc = "The network that it runs in."] "vpc" => vpc: VpcSection;
    }
}

section! {
    /// One table of `[tables]`.
    pub struct TableSection {
        /// Whole name of the table; left out, it is made of project, environment and role.
        "name" => name: Option<TableName> = None;
        /// Whether to create the table, or to use one that exists as it is.
        "create" => create: bool = true;
        /// Whether a table of that name exists already and is taken over: Terraform imports it, and leaves keys, indexes, throughput and stream as they are.
        "import" => import: bool = false;
        /// Whether every second of the last 35 days can be restored.
        "point_in_time_recovery" => point_in_time_recovery: bool = true;
        /// Whether DynamoDB refuses to delete the table.
        "deletion_protection" => deletion_protection: bool = true;
        /// Key of KMS that it is encrypted with: for a table that is made here in place of `aws.kms.tables`; for one that exists, the key that it has.
        "kms_key_arn" => kms_key_arn: Option<KmsKeyArn> = None;
    }
}

section! {
    /// `[tables]`: where the data is.
    pub struct TablesSection {
        ..#[doc = "The analysed items."] "items" => items: TableSection;
        ..#[doc = "Users and their saved configurations."] "users" => users: TableSection;
    }
}

section! {
    /// `[data.attributes]`: what the table calls its columns.
    pub struct AttributesSection {
        /// Hash key of the items table.
        "key" => key: AttributeName = known!(AttributeName::new("source_id"));
        /// Range key of the items table and of the index.
        "time" => time: AttributeName = known!(AttributeName::new("timestamp"));
        /// Attribute with the label; hash key of the index.
        "label" => label: AttributeName = known!(AttributeName::new("sentiment"));
        /// Attribute with the tags: a list or set of strings or numbers, or one of either.
        "tags" => tags: OptionalAttribute = optional("matched_tickers");
        /// Attribute with the score, a number from -1 to 1, or the text of one.
        "score" => score: OptionalAttribute = optional("score");
        /// Attribute with the confidence, a number from 0 to 1, or the text of one.
        "confidence" => confidence: OptionalAttribute = optional("confidence");
        /// Attribute with the source's name.
        "source" => source: OptionalAttribute = optional("source");
        /// Attribute with the title, a text or a number; longer than 300 characters, it is cut.
        "title" => title: OptionalAttribute = OptionalAttribute(None);
        /// Attribute with the link to what the row is about, a text that begins with `https://`.
        "url" => url: OptionalAttribute = OptionalAttribute(None);
        /// Attribute that says whether a row is ready.
        "status" => status: OptionalAttribute = optional("status");
    }
}

section! {
    /// `[data]`: what the table means.
    pub struct DataSection {
        /// Index whose hash key is the label and whose range key is the time.
        "index" => index: IndexName = known!(IndexName::new("by_sentiment"));
        /// How rows write their time: as RFC 3339, or as seconds or milliseconds since 1970, in a number or in a text of 10 or 13 digits.
        "time_format" => time_format: TimeFormat = TimeFormat::Rfc3339;
        /// Zone of times that name none; without it such a row is skipped.
        "time_zone" => time_zone: Option<TimeZone> = None;
        /// Whether rows have their label as a text or as a number; the hash key of the index is of that type.
        "label_type" => label_type: LabelType = LabelType::Text;
        /// Labels, in the order in which the page shows them, each with a key in `metrics` that follows from it or is given.
        "labels" => labels: Labels = Labels::default();
        /// What makes rows one item: hash key and time, or the hash key alone, whose newest row then counts.
        "identity" => identity: Identity = Identity::KeyAndTime;
        /// Name of the event that carries one newly analysed item.
        "update_event" => update_event: EventName = known!(EventName::new("sentiment_update"));
        /// Value of the status attribute of a row that is ready.
        "status_ready" => status_ready: StatusValue = known!(StatusValue::new("analyzed"));
        /// Attributes that updates and items carry as they are, under their own names, beside what they mean.
        "show" => show: ShownAttributes = ShownAttributes::default();
        /// How far back the numbers count, 1h to 24h. A shorter window is for tables that hold more rows than a function's memory can.
        "window" => window: DataWindow = DataWindow::DEFAULT;
        /// Most frequent tags that `metrics` name.
        "tags_max" => tags_max: TagsMax = known!(TagsMax::new(METRICS_TAGS_DEFAULT));
        ..#[doc = "What the table calls its columns."] "attributes" => attributes: AttributesSection;
    }
}

section! {
    /// `[history]`: what is known of hours before the window.
    pub struct HistorySection {
        /// For how long the sums of each hour are kept, in a table of their own that is made for them; left out, there is the window alone.
        "keep" => keep: Option<HistoryKeep> = None;
        /// Whether every second of the last 35 days of that table can be restored.
        "point_in_time_recovery" => point_in_time_recovery: bool = true;
        /// Whether DynamoDB refuses to delete that table, whose sums nothing can make again.
        "deletion_protection" => deletion_protection: bool = true;
    }
}

section! {
    /// `[front]`: the way in.
    pub struct FrontSection {
        /// The functions' own public URLs, one CloudFront distribution before both, or a REST API of API Gateway.
        "kind" => kind: FrontKind = FrontKind::FunctionUrl;
        /// Origins whose pages may read the answers; `*` is every origin.
        "allow_origins" => allow_origins: Origins = Origins::any();
        /// Whether such a page may send cookies along; `allow_origins` must then name its origins.
        "allow_credentials" => allow_credentials: bool = false;
        /// Request headers that such a page may send, beside those that EventSource, its polyfills and tracers send.
        "allow_headers" => allow_headers: MoreHeaders = MoreHeaders::default();
        /// Origins whose pages may show the page in a frame; without any nobody's may. For `cloudfront`: elsewhere the page's host says so.
        "frame_ancestors" => frame_ancestors: FrameAncestors = FrameAncestors::default();
        /// Longest silence that whatever stands between function and browser tolerates.
        "read_timeout" => read_timeout: ReadTimeout = ReadTimeout::DEFAULT;
        /// Domain name of the distribution or REST API; left out, it is the one that AWS gives.
        "domain" => domain: Option<DomainName> = None;
        /// Hosted zone in which the domain's records are made, and the certificate's proof where none is given.
        "hosted_zone_id" => hosted_zone_id: Option<HostedZoneId> = None;
        /// Certificate of the domain; left out, CloudFront's is made and proven through the hosted zone. A REST API needs one of its region.
        "certificate_arn" => certificate_arn: Option<CertificateArn> = None;
        /// Where the distribution answers from.
        "price_class" => price_class: PriceClass = PriceClass::Hundred;
        /// Requests of one address in five minutes, above which a web application firewall blocks it.
        "rate_limit" => rate_limit: Option<RateLimit> = None;
        /// Whether CloudFront hands one stream to all who watch the same, in segments: two streams for each cache and filter at most, however many watch.
        "shared_segments" => shared_segments: bool = false;
        /// Length of a segment: what a request costs is paid so often, and whoever comes late gets all of it.
        "segment_length" => segment_length: SegmentLength = SegmentLength::DEFAULT;
        /// CloudFront function that runs before every request and sets X-User-ID; needed by `trusted-header`.
        "viewer_function_arn" => viewer_function_arn: Option<ViewerFunctionArn> = None;
        /// Whether CloudFront or the REST API writes a line for each request, with the client's address, and without query, cookies and headers.
        "access_log" => access_log: bool = false;
        /// Days for which those lines are kept.
        "access_log_retention_days" => access_log_retention: LogRetention = LogRetention::DEFAULT;
        ..#[doc = "The REST API, where there is one."] "api" => api: RestApiSection;
    }
}

section! {
    /// `[auth]`: who a caller is.
    pub struct AuthSection {
        /// How a caller proves who they are; behind CloudFront a token comes in the cookie or the query, no `Authorization` does.
        "mode" => mode: AuthMode = AuthMode::Off;
        /// Whether stream, metrics, items and history ask for a token too, not only configurations; needs a mode other than `off`.
        "private" => private: bool = false;
        /// Cookie that a token may come in; in mode `session` the one that is set.
        "cookie" => cookie: CookieName = known!(CookieName::new(SESSION_COOKIE));
        /// Names of the keys that session tokens are signed with: the first signs, all verify.
        "session_keys" => session_keys: SessionKeyNames = SessionKeyNames::one();
        /// Life of a session token; whoever loses it loses the configurations saved under it.
        "session_lifetime" => session_lifetime: SessionLifetime = SessionLifetime::DEFAULT;
        /// Issuer of tokens, exactly as its tokens name it; needed by `jwt`.
        "issuer" => issuer: Option<IssuerName> = None;
        /// What its tokens must be meant for, one of several where it is a list; needed by `jwt`.
        "audience" => audience: Option<Audiences> = None;
        /// Claim of its tokens that says so; access tokens of Amazon Cognito have `client_id` and no `aud`.
        "audience_claim" => audience_claim: AudienceClaim = AudienceClaim::Aud;
        /// Where its keys are; left out, its discovery document says so. An issuer that is no https:// URL has none, and needs it.
        "jwks_url" => jwks_url: Option<AuthUrl> = None;
    }
}

section! {
    /// `[operations.thresholds]`: when an alarm goes off.
    pub struct ThresholdsSection {
        /// Failed invocations of a function in five minutes.
        "errors" => errors: Threshold = known!(Threshold::new(1));
        /// Throttled invocations of a function in five minutes.
        "throttles" => throttles: Threshold = known!(Threshold::new(1));
        /// Longest invocation in percent of the function's timeout.
        "duration_percent" => duration_percent: Percent = known!(Percent::new(90));
        /// Instances at once in percent of the reserved concurrency.
        "concurrency_percent" => concurrency_percent: Percent = known!(Percent::new(80));
        /// Throttled requests to a table in five minutes.
        "table_throttles" => table_throttles: Threshold = known!(Threshold::new(1));
        /// Rows that could not be read in five minutes.
        "skipped_rows" => skipped_rows: Threshold = known!(Threshold::new(1));
        /// Seconds in an hour for which streams stayed open that nobody came back from.
        "zombie_seconds" => zombie_seconds: Threshold = known!(Threshold::new(3600));
    }
}

section! {
    /// `[operations]`: how it is watched.
    pub struct OperationsSection {
        /// Whether to create alarms.
        "alarms" => alarms: bool = true;
        /// Address that the budget writes to, and alarms where there is no `topic_arn`; AWS asks it to confirm.
        "email" => email: Option<Email> = None;
        /// Topic that alarms go to, where one is there already.
        "topic_arn" => topic_arn: Option<TopicArn> = None;
        /// Whether to create a CloudWatch dashboard.
        "cloudwatch_dashboard" => cloudwatch_dashboard: bool = true;
        /// Which metrics the functions write for CloudWatch; each of them is billed, and `off` takes the alarms with it that are made of them.
        "metrics" => metrics: MetricsMode = MetricsMode::Totals;
        /// Whether X-Ray traces invocations.
        "tracing" => tracing: bool = false;
        /// Monthly cost in US dollars of everything with the project's tag, above which `email` is told.
        "monthly_budget_usd" => monthly_budget_usd: Option<Dollars> = None;
        ..#[doc = "How the functions' logs are written."] "logs" => logs: LogsSection;
        ..#[doc = "When an alarm goes off."] "thresholds" => thresholds: ThresholdsSection;
    }
}

section! {
    /// `[cost]`: what `infragen cost` reckons with, beside `stream.expected_viewers`.
    pub struct CostSection {
        /// Hours of a day for which the expected viewers watch.
        "hours_per_day" => hours_per_day: DailyHours = known!(DailyHours::new(8));
        /// Items that land in a day.
        "items_per_day" => items_per_day: DailyItems = known!(DailyItems::new(10_000));
    }
}

section! {
    /// The whole manifest, validated.
    pub struct Manifest {
        ..#[doc = "What it is called and where it runs."] "project" => project: ProjectSection;
        ..#[doc = "What a company's account asks of everything that is made in it."] "aws" => aws: AwsSection;
        ..#[doc = "Which Terraform and provider may run."] "terraform" => terraform: TerraformSection;
        ..#[doc = "How the functions are built."] "package" => package: PackageSection;
        ..#[doc = "The function behind EventSource."] "stream" => stream: StreamSection;
        ..#[doc = "The function behind the REST API."] "dashboard" => dashboard: DashboardSection;
        ..#[doc = "Where the data is."] "tables" => tables: TablesSection;
        ..#[doc = "What the table means."] "data" => data: DataSection;
        ..#[doc = "What is known of hours before the window."] "history" => history: HistorySection;
        ..#[doc = "The way in."] "front" => front: FrontSection;
        ..#[doc = "Who a caller is."] "auth" => auth: AuthSection;
        ..#[doc = "What frontend/config.js says."] "page" => page: PageSection;
        ..#[doc = "How it is watched."] "operations" => operations: OperationsSection;
        ..#[doc = "What `infragen cost` reckons with."] "cost" => cost: CostSection;
        ..#[doc = "How `infragen deploy` goes from one version to the next."] "deploy" => deploy: DeploySection;
        ..#[doc = "Whose repository it goes to."] "output" => output: OutputSection;
        ..#[doc = "Who deploys on a push."] "ci" => ci: CiSection;
    }
}

impl Manifest {
    /// What is built for it: each function's role and packaging, but for an image or archive that is there already.
    #[must_use]
    pub fn built(&self) -> Vec<(&'static str, Packaging)> {
        let (stream, dashboard) = (&self.stream, &self.dashboard);
        let is_there = |package, image: &ImageSection, archive: &ArchiveSection| match package {
            Packaging::Image => image.uri.is_some(),
            Packaging::Zip => archive.place().is_some(),
        };
        let functions = [
            ("stream", stream.package, is_there(stream.package, &stream.image, &stream.archive)),
            ("dashboard", dashboard.package, is_there(dashboard.package, &dashboard.image, &dashboard.archive)),
        ];
        functions.into_iter().filter(|(_, _, is_there)| !is_there).map(|(role, package, _)| (role, package)).collect()
    }

    /// Functions that run an image which is built for it.
    #[must_use]
    pub fn built_images(&self) -> Vec<&'static str> {
        self.built().into_iter().filter(|(_, package)| *package == Packaging::Image).map(|(role, _)| role).collect()
    }
}
