//! Manifest → the settings that the functions read, in the contract's own types.

use std::collections::BTreeMap;

use contract::values::SettingValue as _;
use contract::{
    Adapter, AuthMode, AuthSettings, ClientAddress, CorsOrigins, CorsSettings, DashboardSettings, DataSettings,
    GoodbyeSettings, KeyId, MetricsMode, MetricsNamespace, PollSettings, PublicUrl, SegmentSettings, SessionKeys,
    StreamSettings, TableName, WatchSettings,
};

use crate::manifest::aws::ExtraVariables;
use crate::manifest::types::FrontKind;
use crate::manifest::{LOCAL, Manifest, Names};

/// Returns the keys that session tokens are signed with, as the functions call them: by alias, which is known before the key is made.
fn session_key_aliases(manifest: &Manifest) -> Vec<String> {
    let prefix = Names::derive(manifest).session_key_prefix;
    let names = if manifest.auth.mode == AuthMode::Session { manifest.auth.session_keys.as_slice() } else { &[] };
    names.iter().map(|name| format!("{prefix}{name}")).collect()
}

/// Returns every environment variable of the stream function.
#[must_use]
pub fn stream_variables(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut settings = stream(manifest).to_env();
    if manifest.stream.adapter == Adapter::WebAdapter {
        settings.extend(contract::web_adapter::variables());
    }
    settings.extend(answered_origins(manifest).map(|cors| cors.to_env()).unwrap_or_default());
    with_extra(settings, &manifest.stream.environment)
}

/// Returns every environment variable of the dashboard function.
#[must_use]
pub fn dashboard_variables(manifest: &Manifest) -> BTreeMap<String, String> {
    let mut settings = dashboard(manifest).to_env();
    for (name, _) in live_urls(manifest) {
        settings.remove(name);
    }
    settings.extend(answered_origins(manifest).map(|cors| cors.to_env()).unwrap_or_default());
    with_extra(settings, &manifest.dashboard.environment)
}

/// Returns the variables of the dashboard function that hold a function's URL, and that function: known only after apply.
#[must_use]
pub fn live_urls(manifest: &Manifest) -> Vec<(&'static str, &'static str)> {
    // A URL in the manifest is the address that somebody put before the function; behind a distribution it is the page's.
    let is_known = !manifest.page.sse_base_url.as_str().is_empty() || manifest.front.kind == FrontKind::CloudFront;
    if is_known { Vec::new() } else { vec![("SSE_URL", "stream")] }
}

/// What pages of other origins may do, where a program answers them: the servers of this machine, and functions behind a REST API, which
/// answers nobody by itself. A Function URL does, and behind CloudFront there are no other origins.
fn answered_origins(manifest: &Manifest) -> Option<CorsSettings> {
    let (front, is_local) = (&manifest.front, manifest.project.environment.as_str() == LOCAL);
    if !is_local && front.kind != FrontKind::ApiGateway {
        return None;
    }
    // A server of this machine answers every origin.
    let named = if is_local { &[][..] } else { front.allow_origins.as_slice() };
    Some(CorsSettings {
        allow_origins: CorsOrigins::new(named).expect("the manifest takes as many origins, and no others"),
        allow_credentials: front.allow_credentials && !is_local,
        allow_headers: front.allow_headers.clone(),
    })
}

/// The two never have a name in common: [`ExtraVariables`] refuses those of settings.
fn with_extra(settings: BTreeMap<&'static str, String>, extra: &ExtraVariables) -> BTreeMap<String, String> {
    let own = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
    own.chain(extra.as_map().clone()).collect()
}

/// Returns the settings of the stream function.
#[must_use]
pub fn stream(manifest: &Manifest) -> StreamSettings {
    let stream = &manifest.stream;
    StreamSettings {
        environment: manifest.project.environment.clone(),
        adapter: stream.adapter,
        heartbeat_interval: stream.heartbeat_interval,
        max_connections: stream.max_connections.into(),
        connections_per_client: stream.connections_per_client.into(),
        client_address: client_address(manifest),
        when_full: stream.when_full,
        max_session: stream.max_session,
        retry: stream.retry,
        segments: SegmentSettings { shared: manifest.front.shared_segments, length: manifest.front.segment_length },
        goodbye: goodbye(manifest),
        auth: auth(manifest),
        watch: watch(manifest),
        poll: poll(manifest),
        data: data(manifest),
    }
}

/// Returns the settings of the dashboard function.
#[must_use]
pub fn dashboard(manifest: &Manifest) -> DashboardSettings {
    let sse_url = manifest.page.sse_base_url.as_str();
    DashboardSettings {
        environment: manifest.project.environment.clone(),
        sse_url: Option::<PublicUrl>::read(sse_url).expect("a base URL of the manifest is one of the settings"),
        client_address: client_address(manifest),
        goodbye: goodbye(manifest),
        auth: auth(manifest),
        watch: watch(manifest),
        poll: poll(manifest),
        data: data(manifest),
    }
}

fn client_address(manifest: &Manifest) -> ClientAddress {
    match manifest.front.kind {
        FrontKind::FunctionUrl | FrontKind::ApiGateway => ClientAddress::Connection,
        // Only CloudFront reaches the function: to it every viewer has CloudFront's address.
        FrontKind::CloudFront => ClientAddress::CloudFront,
    }
}

fn goodbye(manifest: &Manifest) -> GoodbyeSettings {
    GoodbyeSettings { enabled: manifest.stream.goodbye }
}

fn auth(manifest: &Manifest) -> AuthSettings {
    let auth = &manifest.auth;
    // On this machine there is no KMS: the program makes a key up, so that users cost nothing.
    let is_local = manifest.project.environment.as_str() == LOCAL;
    let names = if is_local { Vec::new() } else { session_key_aliases(manifest) };
    let keys = names.iter().map(|name| KeyId::new(name)).collect::<Result<Vec<_>, _>>();
    let keys = keys.expect("an alias is made of names that have no other characters, 120 at most");
    AuthSettings {
        mode: if is_local && auth.mode == AuthMode::Off { AuthMode::Session } else { auth.mode },
        private: auth.private,
        cookie: auth.cookie.clone(),
        session_keys: SessionKeys::new(keys).expect("a list in the manifest is no longer"),
        session_lifetime: auth.session_lifetime,
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        audience_claim: auth.audience_claim,
        jwks_url: auth.jwks_url.clone(),
    }
}

fn watch(manifest: &Manifest) -> WatchSettings {
    let operations = &manifest.operations;
    let base = Names::derive(manifest).base;
    let namespace = MetricsNamespace::read(&base).expect("project and environment are letters, digits and hyphens");
    // Locally nobody makes metrics of lines, and a person reads them.
    let is_local = manifest.project.environment.as_str() == LOCAL;
    let metrics = if is_local { MetricsMode::Off } else { operations.metrics };
    WatchSettings { metrics, namespace, tracing: operations.tracing && !is_local }
}

fn poll(manifest: &Manifest) -> PollSettings {
    let stream = &manifest.stream;
    PollSettings {
        poll_interval: stream.poll_interval,
        late_window: stream.late_window,
        late_interval: stream.late_interval,
        reconcile_interval: stream.reconcile_interval,
        replay_events: stream.replay.events,
        replay_window: stream.replay.window,
    }
}

fn data(manifest: &Manifest) -> DataSettings {
    let names = Names::derive(manifest);
    let table = |name: &str| {
        TableName::read(name).expect("project and environment are at most 57 characters that a table's name may have")
    };
    let (data, attributes) = (&manifest.data, &manifest.data.attributes);
    DataSettings {
        items_table: table(&names.items_table),
        users_table: table(&names.users_table),
        hours_table: manifest.stream.share_hours.then(|| table(&names.hours_table)),
        history_table: manifest.history.keep.map(|_| table(&names.history_table)),
        history_keep: manifest.history.keep,
        index: data.index.clone(),
        key_attribute: attributes.key.clone(),
        time_attribute: attributes.time.clone(),
        time_format: data.time_format,
        time_zone: data.time_zone,
        label_attribute: attributes.label.clone(),
        label_type: data.label_type,
        tags_attribute: attributes.tags.0.clone(),
        score_attribute: attributes.score.0.clone(),
        confidence_attribute: attributes.confidence.0.clone(),
        source_attribute: attributes.source.0.clone(),
        title_attribute: attributes.title.0.clone(),
        url_attribute: attributes.url.0.clone(),
        show: data.show.clone(),
        status_attribute: attributes.status.0.clone(),
        status_ready: data.status_ready.clone(),
        labels: data.labels.clone(),
        identity: data.identity,
        update_event: data.update_event.clone(),
        window: data.window,
        tags_max: data.tags_max,
    }
}
