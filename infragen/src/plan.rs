//! Manifest → plan: what must exist, decided here so that templates only print. No text of any output format.

pub mod access_log;
pub mod account;
pub mod auth;
pub mod front;
pub mod gateway;
pub mod instances;
pub mod operations;
pub mod types;

use std::collections::{BTreeMap, BTreeSet};

use contract::page::{
    Goodbye, PageConfig, PageLooks, page_history_ms, page_labels, page_poll_ms, page_segment_ms, page_shown,
    page_window_ms,
};
use contract::{Adapter, AttributePath, AuthMode, FrameAncestors, HistoryKeep, Identity, cors};
use serde::Serialize;

use crate::accent;
use crate::capability::Feature;
use crate::commands::Commands;
use crate::load::{Loaded, Target};
use crate::manifest::account::KmsSection;
use crate::manifest::sections::{ReservedConcurrency, TableSection};
use crate::manifest::types::{Architecture, BackendKind, FrontKind, OWN_TAGS, Packaging};
use crate::manifest::{Manifest, Names};

use self::account::AccountPlan;
use self::auth::SessionKeysPlan;
use self::instances::InstancesPlan;
use self::operations::OperationsPlan;

pub use self::access_log::AccessLogPlan;
pub use self::front::{DistributionPlan, FirewallPlan};
pub use self::gateway::GatewayPlan;
pub use self::types::{
    ArchivePlan, ConfigurationsPlan, CorsPlan, FunctionPlan, GoodbyesPlan, IndexPlan, InvokeMode, KeyAttribute,
    TablePlan, TerraformPlan, VpcPlan,
};

/// Keys of the tables that are nobody else's.
const OWN_KEYS: (&str, &str) = ("PK", "SK");

/// Everything that must exist.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// Where it goes.
    #[serde(skip)]
    pub target: Target,
    /// Folder of the target's outputs, from the manifest's own.
    #[serde(skip)]
    pub folder: String,
    /// Folder of the page, likewise.
    #[serde(skip)]
    pub page_folder: String,
    /// Whether the sources of the functions are here, of which images are made.
    #[serde(skip)]
    pub has_sources: bool,
    /// Every derived name.
    pub names: Names,
    /// AWS region.
    pub region: String,
    /// The partition that the region is in: the second part of every ARN.
    pub partition: &'static str,
    /// What the account asks of everything.
    pub account: AccountPlan,
    /// Tags of every resource, the generator's own included.
    pub tags: BTreeMap<String, String>,
    /// Versions and state.
    pub terraform: TerraformPlan,
    /// Processor of both functions.
    pub architecture: Architecture,
    /// Docker's name of that processor.
    pub platform: &'static str,
    /// Image of the web adapter, where the stream's own image carries it.
    pub adapter_image: Option<String>,
    /// The function behind EventSource.
    pub stream: FunctionPlan,
    /// The function behind the REST API.
    pub dashboard: FunctionPlan,
    /// The table of items.
    pub items: TablePlan,
    /// The table of users.
    pub users: TablePlan,
    /// The table of hours that instances share.
    pub hours: Option<TablePlan>,
    /// The table of sums of old hours.
    pub history: Option<TablePlan>,
    /// Days for which they are kept; 0 where they are not.
    pub history_days: u64,
    /// The keys that session tokens are signed with.
    pub session_keys: Option<SessionKeysPlan>,
    /// Cross-origin rules of both URLs, where browsers reach them directly.
    pub cors: CorsPlan,
    /// What stands before both URLs, where browsers do not.
    pub distribution: Option<DistributionPlan>,
    /// The REST API before both functions, in the place of their URLs.
    pub gateway: Option<GatewayPlan>,
    /// What stands before either of them.
    pub firewall: Option<FirewallPlan>,
    /// The lines that either of them writes.
    pub access_log: Option<AccessLogPlan>,
    /// Whether an index names its keys in blocks `key_schema`.
    pub has_index_key_schema: bool,
    /// Whether `aws_lambda_permission` can express the second permission of a Function URL.
    pub has_invoked_via_function_url: bool,
    /// Where to put an image that lies in another region.
    pub image_elsewhere: String,
    /// Whether the bootstrap root makes the repository of images.
    pub makes_repository: bool,
    /// The one sentence that says how to get the artifacts.
    pub missing_artifacts: String,
    /// What makes archives.
    pub package_command: String,
    /// What makes images.
    pub image_command: String,
    /// What the page knows.
    pub page: PageConfig,
    /// Whose pages may show it in a frame.
    #[serde(skip)]
    pub frames: FrameAncestors,
    /// How it is watched.
    pub operations: OperationsPlan,
    /// The managed instances under the stream function.
    pub instances: Option<InstancesPlan>,
    /// Whether a share of the requests can go to a new version first.
    pub has_canary: bool,
}

impl Plan {
    /// Whether everybody calls the functions' own URLs.
    #[must_use]
    pub const fn has_public_urls(&self) -> bool {
        self.distribution.is_none() && self.gateway.is_none()
    }
}

/// What hours are written with, and what they are read with.
const WRITE_HOURS: [&str; 3] = ["dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:Query"];
const READ_HOURS: [&str; 2] = ["dynamodb:BatchGetItem", "dynamodb:Query"];

/// Decides what must exist.
#[must_use]
pub fn plan(loaded: &Loaded) -> Plan {
    let manifest = &loaded.manifest;
    let names = Names { repository: loaded.shared.repository.clone(), ..Names::derive(manifest) };
    let floor = manifest.terraform.aws_provider.get().floor();
    let commands = Commands::of(loaded);
    let (items, users) = (items_table(manifest, &names), users_table(manifest, &names));
    let hours = manifest.stream.share_hours.then(|| hours_table(manifest, &names));
    let history = manifest.history.keep.map(|_| history_table(manifest, &names));
    let (mut stream, mut dashboard) = (stream_function(manifest, &names), dashboard_function(manifest, &names));
    for function in [&mut stream, &mut dashboard] {
        function.table_keys = table_keys(function, [Some(&items), Some(&users), hours.as_ref(), history.as_ref()]);
    }
    Plan {
        target: loaded.target,
        folder: loaded.folder(),
        page_folder: manifest.output.page.as_str().to_owned(),
        // Where nothing runs recipes, there are none of how to build them.
        has_sources: manifest.output.runner.as_str().is_some(),
        region: manifest.project.region.as_str().to_owned(),
        partition: manifest.project.region.partition(),
        account: account::account(manifest),
        tags: tags(manifest),
        terraform: terraform(loaded),
        architecture: manifest.package.architecture,
        adapter_image: (manifest.stream.adapter == Adapter::WebAdapter)
            .then(|| format!("public.ecr.aws/awsguru/aws-lambda-adapter:{}", contract::web_adapter::VERSION)),
        platform: match manifest.package.architecture {
            Architecture::Arm64 => "linux/arm64",
            Architecture::X86 => "linux/amd64",
        },
        missing_artifacts: missing_artifacts(&commands, &[&stream, &dashboard]),
        package_command: commands.package(),
        image_command: commands.image(),
        instances: instances::instances(manifest, &names),
        has_canary: manifest.deploy.canary.is_some(),
        operations: operations::operations(manifest, &names, &stream, &dashboard),
        stream,
        dashboard,
        items,
        users,
        hours,
        history,
        history_days: manifest.history.keep.map_or(0, HistoryKeep::days),
        session_keys: auth::session_keys(manifest),
        cors: CorsPlan {
            allow_origins: manifest.front.allow_origins.as_slice().to_vec(),
            allow_credentials: manifest.front.allow_credentials,
            allow_headers: manifest.front.allow_headers.with_own(),
            expose_headers: &cors::EXPOSE_HEADERS,
            max_age_secs: cors::MAX_AGE_SECS,
        },
        distribution: front::distribution(loaded),
        gateway: gateway::gateway(loaded),
        firewall: front::firewall(loaded),
        access_log: access_log::access_log(loaded, &names),
        has_index_key_schema: Feature::IndexKeySchema.is_in(floor),
        has_invoked_via_function_url: Feature::InvokedViaFunctionUrl.is_in(floor),
        page: page(loaded),
        frames: manifest.front.frame_ancestors.clone(),
        image_elsewhere: image_elsewhere(loaded),
        makes_repository: loaded.makes_repository(),
        names,
    }
}

fn tags(manifest: &Manifest) -> BTreeMap<String, String> {
    let [environment, managed_by, project] = OWN_TAGS;
    let mut tags = manifest.project.tags.as_map().clone();
    tags.insert(project.to_owned(), manifest.project.name.as_str().to_owned());
    tags.insert(environment.to_owned(), manifest.project.environment.to_string());
    tags.insert(managed_by.to_owned(), "infragen".to_owned());
    tags
}

fn terraform(loaded: &Loaded) -> TerraformPlan {
    let (section, home) = (&loaded.manifest.terraform, loaded.state_home());
    TerraformPlan {
        required_version: section.required_version.get().as_str().to_owned(),
        aws_provider: section.aws_provider.get().as_str().to_owned(),
        state_bucket: match section.backend.kind {
            BackendKind::Local => None,
            BackendKind::S3 => section.backend.bucket.as_ref().map(|bucket| bucket.as_str().to_owned()),
        },
        state_region: home.region.as_str(),
        state_key: home.key,
        makes_state_bucket: loaded.shared.state_home.is_none(),
    }
}

/// Where nobody can be identified, nobody has configurations.
fn configurations(manifest: &Manifest, actions: &'static [&'static str]) -> Option<ConfigurationsPlan> {
    (manifest.auth.mode != AuthMode::Off)
        .then(|| ConfigurationsPlan { actions, keys: format!("{}*", contract::tables::USER_PREFIX) })
}

fn goodbyes(manifest: &Manifest, action: &'static str) -> Option<GoodbyesPlan> {
    let keys = format!("{}*", contract::tables::STREAM_PREFIX);
    manifest.stream.goodbye.then_some(GoodbyesPlan { action, keys })
}

fn stream_function(manifest: &Manifest, names: &Names) -> FunctionPlan {
    let section = &manifest.stream;
    FunctionPlan {
        role: "stream",
        name: names.stream.clone(),
        description: manifest.project.description.as_str().to_owned(),
        invoke_mode: InvokeMode::ResponseStream,
        package: section.package,
        image_uri: section.image.uri.as_ref().map(|uri| uri.as_str().to_owned()),
        archive: ArchivePlan::of(&section.archive),
        memory_mebibytes: section.memory.mebibytes(),
        timeout_secs: section.timeout.get().as_secs(),
        reserved_concurrency: section.reserved_concurrency.map(ReservedConcurrency::get),
        log_retention_days: section.log_retention.days(),
        log_group: names.stream_log_group.clone(),
        makes_log_group: section.log_group.is_none(),
        environment: crate::settings::stream_variables(manifest),
        live_urls: Vec::new(),
        cors_methods: &cors::STREAM_METHODS,
        // One at a time, by its key: the stream function changes none.
        configurations: configurations(manifest, &["dynamodb:GetItem"]),
        goodbyes: goodbyes(manifest, "dynamodb:BatchGetItem"),
        hours: manifest.stream.share_hours.then_some(&WRITE_HOURS),
        history: manifest.history.keep.map(|_| &WRITE_HOURS[..]),
        table_keys: Vec::new(),
        // On managed instances the network is their capacity provider's; a classic function could not stream from one.
        vpc: None,
    }
}

fn dashboard_function(manifest: &Manifest, names: &Names) -> FunctionPlan {
    let section = &manifest.dashboard;
    FunctionPlan {
        role: "dashboard",
        name: names.dashboard.clone(),
        description: manifest.project.description.as_str().to_owned(),
        invoke_mode: InvokeMode::Buffered,
        package: section.package,
        image_uri: section.image.uri.as_ref().map(|uri| uri.as_str().to_owned()),
        archive: ArchivePlan::of(&section.archive),
        memory_mebibytes: section.memory.mebibytes(),
        timeout_secs: section.timeout.get().as_secs(),
        reserved_concurrency: section.reserved_concurrency.map(ReservedConcurrency::get),
        log_retention_days: section.log_retention.days(),
        log_group: names.dashboard_log_group.clone(),
        makes_log_group: section.log_group.is_none(),
        environment: crate::settings::dashboard_variables(manifest),
        live_urls: crate::settings::live_urls(manifest),
        cors_methods: &cors::DASHBOARD_METHODS,
        configurations: configurations(
            manifest,
            &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"],
        ),
        goodbyes: goodbyes(manifest, "dynamodb:PutItem"),
        hours: manifest.stream.share_hours.then_some(&READ_HOURS),
        history: manifest.history.keep.map(|_| &READ_HOURS[..]),
        table_keys: Vec::new(),
        vpc: VpcPlan::of(&section.vpc),
    }
}

/// Keys of the tables that a function reads or writes, each once.
fn table_keys(function: &FunctionPlan, tables: [Option<&TablePlan>; 4]) -> Vec<String> {
    let [items, users, hours, history] = tables;
    let has_users = function.configurations.is_some() || function.goodbyes.is_some();
    let users = users.filter(|_| has_users);
    let (hours, history) = (hours.filter(|_| function.hours.is_some()), history.filter(|_| function.history.is_some()));
    let tables = [items, users, hours, history];
    let keys: BTreeSet<&String> = tables.into_iter().flatten().filter_map(|table| table.kms_key_arn.as_ref()).collect();
    keys.into_iter().cloned().collect()
}

fn table(kms: &KmsSection, section: &TableSection, role: &str, name: &str, keys: (&str, &str)) -> TablePlan {
    let prefix = if section.create { "" } else { "data." };
    TablePlan {
        name: name.to_owned(),
        create: section.create,
        import: section.import,
        address: format!("{prefix}aws_dynamodb_table.{role}"),
        hash_key: keys.0.to_owned(),
        range_key: keys.1.to_owned(),
        needs_range_key: true,
        key_attributes: vec![KeyAttribute::text(keys.0), KeyAttribute::text(keys.1)],
        index: None,
        ttl_attribute: None,
        point_in_time_recovery: section.point_in_time_recovery,
        why_unrecovered: format!("`tables.{role}.point_in_time_recovery` in deploy.toml says no."),
        deletion_protection: section.deletion_protection,
        kms_key_arn: table_key(kms, section),
    }
}

/// Key of KMS that a table is encrypted with, as the manifest has it.
pub(crate) fn table_key(kms: &KmsSection, section: &TableSection) -> Option<String> {
    let own = section.kms_key_arn.as_ref();
    match section.create {
        true => kms.of(own.or(kms.tables.as_ref())),
        // Which key it has is its owner's business: those of the tables made here say nothing about it.
        false => own.map(|key| key.as_str().to_owned()),
    }
}

fn items_table(manifest: &Manifest, names: &Names) -> TablePlan {
    let attributes = &manifest.data.attributes;
    let keys = (attributes.key.as_str(), attributes.time.as_str());
    let mut table = table(&manifest.aws.kms, &manifest.tables.items, "items", &names.items_table, keys);
    table.key_attributes = vec![
        KeyAttribute::text(keys.0),
        KeyAttribute { name: keys.1.to_owned(), kind: manifest.data.time_format.key_type().as_str() },
        KeyAttribute { name: attributes.label.to_string(), kind: manifest.data.label_type.key_type().as_str() },
    ];
    table.key_attributes.sort();
    table.needs_range_key = manifest.data.identity == Identity::KeyAndTime;
    let optional = [&attributes.tags, &attributes.score, &attributes.confidence, &attributes.source, &attributes.title]
        .into_iter()
        .chain([&attributes.url, &attributes.status]);
    let paths = optional.filter_map(|path| path.0.as_ref()).chain(manifest.data.show.as_slice());
    // The keys of table and index are in every index by themselves, and an index has whole attributes.
    let is_key = |name: &String| table.key_attributes.iter().any(|key| key.name == *name);
    let projection: BTreeSet<String> = paths.map(AttributePath::attribute).filter(|name| !is_key(name)).collect();
    let projection = projection.into_iter().collect();
    table.ttl_attribute = Some(contract::tables::TTL_ATTRIBUTE);
    table.index = Some(IndexPlan {
        name: manifest.data.index.to_string(),
        hash_key: attributes.label.to_string(),
        range_key: attributes.time.to_string(),
        projection,
    });
    table
}

fn users_table(manifest: &Manifest, names: &Names) -> TablePlan {
    let mut table = table(&manifest.aws.kms, &manifest.tables.users, "users", &names.users_table, OWN_KEYS);
    // Only goodbyes carry it: users and their configurations stay.
    table.ttl_attribute = manifest.stream.goodbye.then_some(contract::tables::TTL_ATTRIBUTE);
    table
}

/// A cache: whatever is lost of it is read from the items again.
fn hours_table(manifest: &Manifest, names: &Names) -> TablePlan {
    TablePlan {
        why_unrecovered: "A cache of the items: what is lost is read from them again.".to_owned(),
        ..table_of_hours(manifest, &names.hours_table, "hours")
    }
}

/// A source: of hours that have left the window nothing else knows.
fn history_table(manifest: &Manifest, names: &Names) -> TablePlan {
    let history = &manifest.history;
    TablePlan {
        point_in_time_recovery: history.point_in_time_recovery,
        why_unrecovered: "`history.point_in_time_recovery` in deploy.toml says no.".to_owned(),
        deletion_protection: history.deletion_protection,
        ..table_of_hours(manifest, &names.history_table, "history")
    }
}

fn table_of_hours(manifest: &Manifest, name: &str, role: &str) -> TablePlan {
    let kms = &manifest.aws.kms;
    TablePlan {
        name: name.to_owned(),
        create: true,
        import: false,
        address: format!("aws_dynamodb_table.{role}"),
        hash_key: OWN_KEYS.0.to_owned(),
        range_key: OWN_KEYS.1.to_owned(),
        needs_range_key: true,
        key_attributes: vec![KeyAttribute::text(OWN_KEYS.0), KeyAttribute::text(OWN_KEYS.1)],
        index: None,
        ttl_attribute: Some(contract::tables::TTL_ATTRIBUTE),
        point_in_time_recovery: false,
        why_unrecovered: String::new(),
        deletion_protection: false,
        kms_key_arn: kms.of(kms.tables.as_ref()),
    }
}

fn image_elsewhere(loaded: &Loaded) -> String {
    let commands = Commands::of(loaded);
    if !loaded.manifest.package.create_repository {
        return format!("Push it with `{}` to the repository `{}`.", commands.image(), loaded.shared.repository);
    }
    match &loaded.shared.repository_maker {
        Some(maker) if !loaded.makes_repository() => {
            format!("Push it with `{}` to the repository that the bootstrap root of `{maker}` makes.", commands.image())
        }
        _ => format!("Push it to the repository that `{}` makes.", commands.bootstrap()),
    }
}

fn missing_artifacts(commands: &Commands, functions: &[&FunctionPlan]) -> String {
    let roles = |package: Packaging| {
        let made = functions.iter().filter(|f| f.package == package && f.archive.is_none());
        let roles: Vec<&str> = made.map(|f| f.role).collect();
        roles.join(" and ")
    };
    let head = "The functions are not packaged yet: run";
    let (package, image) = (commands.package(), commands.image());
    match (roles(Packaging::Zip).as_str(), roles(Packaging::Image).as_str()) {
        (_, "") => format!("{head} `{package}`."),
        ("", _) => format!("{head} `{image}` to push the images, or set `package = \"zip\"` for both."),
        (zip, function) => format!(
            "{head} `{package}` for {zip} and `{image}` to push the image of {function}, \
             or set `package = \"zip\"` for {function} too."
        ),
    }
}

/// Returns what the page has of its owner.
fn looks(loaded: &Loaded) -> PageLooks {
    let page = &loaded.manifest.page;
    PageLooks {
        language: page.language,
        time_zone: page.time_zone.name().map(str::to_owned),
        title: page.title.as_ref().map(|title| title.as_str().to_owned()),
        logo: page
            .logo
            .as_ref()
            .map(|path| loaded.logos.url(path.as_str()).expect("a rule between manifest and files has asked")),
        accent: page.accent.map(|accent| accent::colours(accent, page.accent_dark)),
        tags: page.tags(),
    }
}

fn page(loaded: &Loaded) -> PageConfig {
    let manifest = &loaded.manifest;
    let heartbeat = manifest.stream.heartbeat_interval.get();
    let is_behind_cloudfront = manifest.front.kind == FrontKind::CloudFront;
    let (labels, label_keys) = page_labels(&manifest.data.labels);
    PageConfig {
        api_base_url: manifest.page.api_base_url.as_str().to_owned(),
        sse_base_url: manifest.page.sse_base_url.as_str().to_owned(),
        environment: manifest.project.environment.to_string(),
        labels,
        label_keys,
        update_event: manifest.data.update_event.to_string(),
        heartbeat_interval_ms: u64::try_from(heartbeat.as_millis()).expect("a heartbeat is at most 110 s"),
        poll_interval_ms: page_poll_ms(manifest.stream.poll_interval),
        window_ms: page_window_ms(manifest.data.window),
        history_ms: page_history_ms(manifest.history.keep),
        segment_ms: page_segment_ms(&crate::settings::stream(manifest).segments),
        auth_mode: manifest.auth.mode,
        auth_private: manifest.auth.private,
        has_tags: manifest.data.attributes.tags.0.is_some(),
        show: page_shown(&manifest.data.show),
        signed_requests: is_behind_cloudfront,
        goodbye: manifest.stream.goodbye.then_some(if is_behind_cloudfront {
            Goodbye::Signed
        } else {
            Goodbye::Beacon
        }),
        looks: looks(loaded),
    }
}
