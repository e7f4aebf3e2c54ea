//! Rules between keys: each value is right by itself, together they are not.

mod account;
mod auth;
mod front;
mod output;
mod packages;
mod page;
mod platform;

use std::cell::RefCell;
use std::time::Duration;

use contract::units::{FunctionTimeout, duration_text};
use contract::{Label, LabelType, limits};

use crate::diagnostic::Diagnostic;
use crate::logo::Logos;
use crate::manifest::names::{FUNCTION_NAME_MAX, Names};
use crate::manifest::sections::Manifest;
use crate::manifest::tree::{Table, find};
use crate::manifest::types::BackendKind;
use crate::settings;

/// Checks everything that involves more than one key, or the platform.
pub(super) fn check(manifest: &Manifest, tree: &Table, logos: &Logos, log: &RefCell<Vec<Diagnostic>>) {
    // Asked before the rules run: what one rule finds must not silence another.
    let wrong: Vec<String> = log.borrow().iter().map(|diagnostic| diagnostic.key.clone()).collect();
    let checks = Checks { manifest, tree, wrong, log };
    checks.durations();
    checks.late_rows();
    checks.history();
    checks.connections();
    checks.names();
    checks.attributes();
    checks.times();
    checks.labels();
    checks.account();
    checks.platform();
    checks.packages();
    checks.output();
    checks.page(logos);
    checks.state();
    checks.environment_size();
}

struct Checks<'a> {
    manifest: &'a Manifest,
    tree: &'a Table,
    /// Keys whose values are wrong by themselves.
    wrong: Vec<String>,
    log: &'a RefCell<Vec<Diagnostic>>,
}

impl Checks<'_> {
    /// Reports unless one of the keys involved is wrong by itself: its default would be blamed for it. The first key that
    /// is in the text is the place.
    fn fail(&self, code: &'static str, involved: &[&str], message: String, hint: &str) {
        let is_wrong = |wrong: &str, key: &str| !wrong.is_empty() && (wrong == key || is_below(key, wrong));
        let failed = |key: &str| self.wrong.iter().any(|wrong| is_wrong(wrong, key));
        if involved.iter().any(|key| failed(key)) {
            return;
        }
        let place = involved.iter().find_map(|key| Some((*key, find(self.tree, key)?.span.clone())));
        let diagnostic = match place {
            Some((key, span)) => Diagnostic::new(code, key, message).at(span),
            None => Diagnostic::new(code, involved[0], message),
        };
        self.log.borrow_mut().push(diagnostic.hint(hint));
    }

    fn durations(&self) {
        let stream = &self.manifest.stream;
        for (key, timeout) in
            [("stream.timeout", stream.timeout), ("dashboard.timeout", self.manifest.dashboard.timeout)]
        {
            if timeout.get().subsec_millis() != 0 {
                let message = format!("`{key}` is `{timeout}`: Lambda takes whole seconds only");
                let whole = Duration::from_secs(timeout.get().as_secs() + 1);
                let hint = format!("set `{key}` to `{}` or another number of seconds", duration_text(whole));
                self.fail("timeout-not-whole-seconds", &[key], message, &hint);
            }
        }
        let (session, timeout) = (stream.max_session, stream.timeout);
        if session.get() + limits::DRAIN_MARGIN >= timeout.get() {
            let margin = duration_text(limits::DRAIN_MARGIN);
            let message = format!(
                "`stream.max_session` is `{session}`: with the {margin} kept for closing it does not end before \
                 `stream.timeout`, `{timeout}`"
            );
            self.fail(
                "session-longer-than-timeout",
                &["stream.max_session", "stream.timeout"],
                message,
                &session_hint(session.get(), timeout),
            );
        }
        let (heartbeat, silence) = (stream.heartbeat_interval, self.manifest.front.read_timeout.get());
        if heartbeat.get() >= silence {
            let message = format!(
                "`stream.heartbeat_interval` is `{heartbeat}`: the way in ends a stream that is silent for `{}`",
                duration_text(silence)
            );
            self.fail(
                "heartbeat-slower-than-edge",
                &["stream.heartbeat_interval", "front.read_timeout"],
                message,
                &format!(
                    "set `stream.heartbeat_interval` to `{}` or less, or raise `front.read_timeout`",
                    duration_text(silence / 2)
                ),
            );
        }
    }

    fn late_rows(&self) {
        let stream = &self.manifest.stream;
        let (interval, poll) = (stream.late_interval, stream.poll_interval);
        if interval.get() < poll.get() {
            self.fail(
                "late-interval-shorter-than-poll",
                &["stream.late_interval", "stream.poll_interval"],
                format!(
                    "`stream.late_interval` is `{interval}`: nothing is read more often than every \
                     `stream.poll_interval`, `{poll}`"
                ),
                &format!("set `stream.late_interval` to `{poll}` or more, or lower `stream.poll_interval`"),
            );
        }
        let (replay, late) = (stream.replay.window, stream.late_window);
        let (window, needed) = (self.manifest.data.window, limits::window_needed(late.get(), replay.get()));
        if needed >= window.get() {
            let (needed, skew) = (duration_text(needed), duration_text(limits::FUTURE_SKEW));
            self.fail(
                "window-too-short",
                &["data.window", "stream.replay.window", "stream.late_window"],
                format!(
                    "`data.window` is `{window}`: `stream.late_window`, `{late}`, `stream.replay.window`, `{replay}`, \
                     and {skew} for clocks that differ are `{needed}` together, and rows are looked for that far back"
                ),
                &format!("set `data.window` to more than `{needed}`, or lower `stream.late_window` and `stream.replay.window`"),
            );
        }
        if replay.get() < late.get() {
            let message = format!(
                "`stream.replay.window` is `{replay}`: a cursor must stay good for as long as rows may be late, \
                 `stream.late_window`, `{late}`"
            );
            self.fail(
                "replay-shorter-than-late",
                &["stream.replay.window", "stream.late_window"],
                message,
                "raise `stream.replay.window` or lower `stream.late_window`",
            );
        }
    }

    /// An hour is kept by an instance whose window still has all of it when it reads everything.
    fn history(&self) {
        let (window, reconcile) = (self.manifest.data.window, self.manifest.stream.reconcile_interval);
        let needed = reconcile.get() + limits::HISTORY_STEP_MAX * 2;
        if self.manifest.history.keep.is_some() && window.get() < needed {
            let needed = duration_text(needed);
            self.fail(
                "history-window-too-short",
                &["history.keep", "data.window", "stream.reconcile_interval"],
                format!(
                    "`data.window` is `{window}`: an hour is kept when it is over and the window, which is read again every \
                     `stream.reconcile_interval`, `{reconcile}`, still has all of it; that takes `{needed}`"
                ),
                &format!("set `data.window` to `{needed}` or more, lower `stream.reconcile_interval`, or leave `history.keep` out"),
            );
        }
    }

    fn connections(&self) {
        let stream = &self.manifest.stream;
        let (all, one) = (stream.max_connections.get(), stream.connections_per_client.get());
        if one > all {
            self.fail(
                "client-limit-above-all",
                &["stream.connections_per_client", "stream.max_connections"],
                format!(
                    "`stream.connections_per_client` is `{one}`: an instance serves `stream.max_connections`, \
                     `{all}`, in all"
                ),
                &format!("set `stream.connections_per_client` to `{all}` or less, or raise `stream.max_connections`"),
            );
        }
    }

    fn names(&self) {
        let names = Names::derive(self.manifest);
        let involved = ["project.name", "project.environment"];
        for name in [&names.stream, &names.dashboard] {
            if name.len() > FUNCTION_NAME_MAX {
                self.fail(
                    "function-name-too-long",
                    &involved,
                    format!(
                        "the function's name `{name}` has {} characters: AWS allows {FUNCTION_NAME_MAX}",
                        name.len()
                    ),
                    "shorten `project.name`",
                );
            }
        }
        if names.repository.contains("--") {
            self.fail(
                "repository-name",
                &["project.environment"],
                format!("the ECR repository's name `{}` has `--` in it, which AWS refuses", names.repository),
                "use single `-` in `project.environment`",
            );
        }
        if names.items_table == names.users_table {
            self.fail(
                "same-table-twice",
                &["tables.users.name", "tables.items.name"],
                format!("`tables.items` and `tables.users` are both named `{}`", names.items_table),
                "give them different names: their keys differ",
            );
        }
        for (key, name) in [("tables.items.name", &names.items_table), ("tables.users.name", &names.users_table)] {
            if self.manifest.history.keep.is_some() && *name == names.history_table {
                self.fail(
                    "same-table-twice",
                    &[key, "history.keep"],
                    format!("`{key}` is `{name}`, which is what the table of `history.keep` is called"),
                    "give it another name: nothing else may be in that table",
                );
            }
            if self.manifest.stream.share_hours && *name == names.hours_table {
                self.fail(
                    "same-table-twice",
                    &[key, "stream.share_hours"],
                    format!("`{key}` is `{name}`, which is what the table of shared hours is called"),
                    "give it another name: nothing else may be in that table",
                );
            }
        }
    }

    fn attributes(&self) {
        let a = &self.manifest.data.attributes;
        // Not title and link: they are only shown, and a key may well be a link.
        let all = [
            ("key", Some(a.key.as_str())),
            ("time", Some(a.time.as_str())),
            ("label", Some(a.label.as_str())),
            ("tags", a.tags.as_str()),
            ("score", a.score.as_str()),
            ("confidence", a.confidence.as_str()),
            ("source", a.source.as_str()),
            ("status", a.status.as_str()),
        ];
        for (index, (role, name)) in all.iter().enumerate() {
            let Some(name) = name else { continue };
            if let Some((first, _)) = all[..index].iter().find(|(_, earlier)| *earlier == Some(*name)) {
                let keys = [format!("data.attributes.{role}"), format!("data.attributes.{first}")];
                self.fail(
                    "same-attribute-twice",
                    &[&keys[0], &keys[1]],
                    format!("`{}` is `{name}`: `{}` is the same attribute", keys[0], keys[1]),
                    "name another attribute, or switch an optional one off with `false`",
                );
            }
            if *name == contract::tables::TTL_ATTRIBUTE {
                let key = format!("data.attributes.{role}");
                self.fail(
                    "attribute-is-ttl",
                    &[&key],
                    format!("`{key}` is `{name}`: DynamoDB reads the expiry of a row from that attribute"),
                    "name another attribute",
                );
            }
        }
    }

    fn times(&self) {
        let data = &self.manifest.data;
        let Some(zone) = data.time_zone.filter(|_| data.time_format.is_epoch()) else { return };
        let format = data.time_format.as_str();
        self.fail(
            "time-zone-unused",
            &["data.time_zone", "data.time_format"],
            format!("`data.time_zone` is `{zone}`: `data.time_format` is `{format}`, and such a number has no zone"),
            "remove `data.time_zone`",
        );
    }

    fn labels(&self) {
        let data = &self.manifest.data;
        if data.label_type == LabelType::Text {
            return;
        }
        let wrong = data.labels.as_slice().iter().filter(|label| !label.is_number());
        let wrong: Vec<String> = wrong.map(|label| format!("`{label}`")).collect();
        if !wrong.is_empty() {
            self.fail(
                "label-is-no-number",
                &["data.labels", "data.label_type"],
                format!(
                    "`data.labels` has {}, and `data.label_type` is `number`: each must be {}",
                    wrong.join(", "),
                    Label::NUMBER_RULE
                ),
                "write the numbers that rows have, or `label_type = \"text\"` under `[data]`",
            );
        }
    }

    fn state(&self) {
        let backend = &self.manifest.terraform.backend;
        match (backend.kind, &backend.bucket) {
            (BackendKind::S3, None) => self.fail(
                "state-bucket-missing",
                &["terraform.backend.kind", "terraform.backend.bucket"],
                "`terraform.backend.kind` is `s3`: it needs `terraform.backend.bucket`".to_owned(),
                "apply the bootstrap root and write its output `state_bucket` as `bucket` under `[terraform.backend]`",
            ),
            (BackendKind::Local, Some(bucket)) => self.fail(
                "state-bucket-unused",
                &["terraform.backend.bucket", "terraform.backend.kind"],
                format!("`terraform.backend.bucket` is `{}`: `kind` is `local`, which has none", bucket.as_str()),
                "write `kind = \"s3\"` under `[terraform.backend]`, or remove `terraform.backend.bucket`",
            ),
            _ => {}
        }
    }

    fn environment_size(&self) {
        let manifest = self.manifest;
        let (stream, dashboard) = (settings::stream_variables(manifest), settings::dashboard_variables(manifest));
        // A function's URL, which is not known yet: `https://`, 32 characters, `.lambda-url.`, the region, `.on.aws`.
        let url_bytes = 8 + 32 + 12 + manifest.project.region.as_str().len() + 7;
        let live: usize = settings::live_urls(manifest).iter().map(|(name, _)| name.len() + url_bytes).sum();
        for (role, variables, live) in [("stream", stream, 0), ("dashboard", dashboard, live)] {
            let known: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
            let bytes = known + live;
            if bytes > ENVIRONMENT_BYTES_MAX {
                self.fail(
                    "environment-too-big",
                    &[&format!("{role}.environment"), "data.labels", "data.index", "data.attributes.key"],
                    format!(
                        "the {role} function's environment has {bytes} bytes: AWS Lambda allows {ENVIRONMENT_BYTES_MAX}"
                    ),
                    "shorten the names in `[data]` and `[data.attributes]`, or the variables of your own",
                );
            }
        }
    }
}

/// Returns whether a dotted key is in a table or in one below it.
fn is_below(key: &str, table: &str) -> bool {
    key.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'))
}

/// All environment variables of a function together (AWS Lambda quotas).
const ENVIRONMENT_BYTES_MAX: usize = 4096;

fn session_hint(session: Duration, timeout: FunctionTimeout) -> String {
    let second = Duration::from_secs(1);
    let enough = session + limits::DRAIN_MARGIN + second;
    if enough <= limits::FUNCTION_TIMEOUT_MAX {
        return format!("set `stream.timeout` to `{}` or more", duration_text(Duration::from_secs(enough.as_secs())));
    }
    let most = timeout.get().saturating_sub(limits::DRAIN_MARGIN + second);
    format!("set `stream.max_session` to `{}` or less", duration_text(most))
}
