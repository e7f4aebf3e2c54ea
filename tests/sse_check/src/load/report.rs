//! What a load run found, as data and as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::Load;
use super::owed::{Owed, RETURN_MAX};
use super::percentiles::Percentiles;
use super::tally::Tally;
use crate::options::Options;
use crate::report::{counted, milliseconds};

/// Clients that were not served, however many returns they were given.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Without {
    /// Those that never had an event.
    pub(super) silent: usize,
    /// Those that had nothing but refusals.
    pub(super) never_served: usize,
}

/// A whole run.
#[derive(Clone, Debug, Serialize)]
pub struct LoadReport {
    /// What was asked.
    pub urls: Vec<String>,
    /// Clients.
    pub clients: usize,
    /// Time over which they came.
    pub ramp_milliseconds: u64,
    /// How long it took, with the wait for what was under way at its end.
    pub milliseconds: u64,
    /// Connects that were begun.
    pub connects: u64,
    /// Of these, those of clients that had had an event before.
    pub reconnects: u64,
    /// Redirects that were followed, each with a connect of its own.
    pub redirects: u64,
    /// Streams that ended as their framing says.
    pub ended: u64,
    /// Of these, refusals: streams that ended at once and told neither an update nor an id, by the type of their last event.
    pub refusals: BTreeMap<String, u64>,
    /// Clients that had nothing but refusals.
    pub never_served: usize,
    /// What failed, and how often.
    pub failures: BTreeMap<String, u64>,
    /// Bytes of the bodies, without their framing.
    pub bytes: u64,
    /// Events by type, all clients together.
    pub events: BTreeMap<String, u64>,
    /// From a connect to the first byte of the body, over redirects.
    pub first_byte: Percentiles,
    /// From a client's first connect to its first event of a type, of the clients that had one.
    pub first_event: BTreeMap<String, Percentiles>,
    /// Whether updates can be told apart; where not, nothing is owed, lost or doubled, and `findings` says why.
    pub told_apart: bool,
    /// Updates that came to any client.
    pub updates: u64,
    /// Updates that came, all clients together.
    pub delivered: u64,
    /// Updates that should have come, all clients together.
    pub owed: u64,
    /// Of these, those that did not.
    pub lost: u64,
    /// Updates that clients could not have yet, because they were still away as they were told to be. They are not owed.
    pub pending: u64,
    /// Clients that were.
    pub pending_clients: u64,
    /// Updates that came to a client that had had them.
    pub doubled: u64,
    /// Where the time of an update was found; `None` where none says one.
    pub time_field: Option<String>,
    /// Where it was looked for.
    #[serde(skip)]
    wanted_time: String,
    /// From that time to when a client had it; what came again is not counted.
    pub delivery: Percentiles,
    /// From when the first client had an update to when another one did; neither the first nor what came again is counted.
    pub spread: Percentiles,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

impl LoadReport {
    pub(super) fn new(
        options: &Options,
        load: &Load,
        tally: &Tally,
        owed: &Owed,
        without: Without,
        took: Duration,
    ) -> Self {
        let known = tally.updates.known();
        let says_time = known.iter().any(|known| known.said.is_some());
        let told_apart = tally.updates.shared_id().is_none();
        let by_name = tally.names.iter();
        Self {
            urls: options.targets.iter().map(crate::target::Target::url).collect(),
            clients: load.clients,
            ramp_milliseconds: milliseconds(load.ramp),
            milliseconds: milliseconds(took),
            connects: tally.connects,
            reconnects: tally.reconnects,
            redirects: tally.redirects,
            ended: tally.ended,
            refusals: tally.refusals.clone(),
            never_served: without.never_served,
            failures: tally.failures.clone(),
            bytes: tally.bytes,
            events: by_name.clone().map(|name| (name.text.clone(), name.count)).collect(),
            first_byte: tally.first_byte.percentiles(),
            first_event: by_name.map(|name| (name.text.clone(), name.firsts.percentiles())).collect(),
            told_apart,
            updates: known.len() as u64,
            delivered: tally.delivered,
            owed: owed.updates,
            lost: owed.lost,
            pending: owed.pending,
            pending_clients: owed.pending_clients,
            doubled: if told_apart { tally.doubled } else { 0 },
            time_field: says_time.then(|| load.time_field.clone()),
            wanted_time: load.time_field.clone(),
            delivery: tally.delivery.percentiles(),
            spread: tally.spread.percentiles(),
            findings: findings(load, tally, owed, without),
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// Several lines for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = format!(
            "{} clients, {} connects, {} of them returns; {} streams ended; {:.1} s, {:.1} MB\n",
            self.clients,
            self.connects,
            self.reconnects,
            self.ended,
            Duration::from_millis(self.milliseconds).as_secs_f64(),
            Duration::from_micros(self.bytes).as_secs_f64(),
        );
        let mut line = |what: &str, times: &Percentiles| {
            let shown = [times.p50_us, times.p90_us, times.p99_us, times.p999_us, times.max_us].map(time);
            let [p50, p90, p99, p999, max] = shown;
            writeln!(out, "  {what:<31} p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p999}  worst {max}")
                .expect("a String grows");
        };
        line("first byte", &self.first_byte);
        for (name, times) in &self.first_event {
            line(&format!("first `{name}`, {} clients", times.count), times);
        }
        if let Some(field) = self.time_field.as_ref().filter(|_| self.told_apart) {
            line(&format!("delivery, from `{field}`"), &self.delivery);
        }
        if self.told_apart && self.spread.count > 0 {
            line("spread between clients", &self.spread);
        }
        let of = |counts: &BTreeMap<String, u64>| counted(counts.iter().map(|(name, count)| (name.as_str(), *count)));
        let Self { updates, delivered, lost, doubled, .. } = self;
        writeln!(out, "  events: {}", of(&self.events)).expect("a String grows");
        let updates = if self.told_apart {
            format!("{updates}, delivered {delivered} times, {lost} lost, {doubled} doubled")
        } else {
            "cannot be told apart".into()
        };
        writeln!(out, "  updates: {updates}").expect("a String grows");
        if self.time_field.is_none() && self.updates > 0 {
            writeln!(out, "  no delivery: no update has a time at `{}`", self.wanted_time).expect("a String grows");
        }
        if self.redirects > 0 {
            writeln!(out, "  redirects: {} followed", self.redirects).expect("a String grows");
        }
        if self.pending > 0 {
            let Self { pending, pending_clients, .. } = self;
            let most = RETURN_MAX.as_secs();
            writeln!(out, "  not yet due: {pending} updates, to {pending_clients} clients that were refused or told to stay away for more than {most} s")
                .expect("a String grows");
        }
        if !self.refusals.is_empty() {
            writeln!(out, "  refusals: {}; {} clients had nothing else", of(&self.refusals), self.never_served)
                .expect("a String grows");
        }
        for finding in &self.findings {
            writeln!(out, "error    {finding}").expect("a String grows");
        }
        out
    }
}

fn findings(load: &Load, tally: &Tally, owed: &Owed, without: Without) -> Vec<String> {
    let Without { silent, never_served } = without;
    let mut found: Vec<String> = tally.failures.iter().map(|(why, count)| format!("{count} times: {why}")).collect();
    if silent > 0 {
        found.push(format!("{silent} of {} clients never had an event", load.clients));
    }
    if !tally.refusals.is_empty() && !load.allows_refusals {
        let refusals: u64 = tally.refusals.values().sum();
        found.push(format!(
            "{refusals} refusals: a stream that ended at once; {never_served} of {} clients had nothing else; --allow-refusals takes them",
            load.clients
        ));
    }
    found.extend(unrecognised(tally));
    if owed.lost > 0 {
        let Owed { updates, lost, clients, sample, .. } = owed;
        let sample = sample.as_ref().map(|(client, which)| format!(", such as {which} for client {client}"));
        let sample = sample.unwrap_or_default();
        found.push(format!("{lost} of {updates} updates lost, by {clients} of {} clients{sample}", load.clients));
    }
    if let Some((id, name)) = tally.updates.shared_id() {
        found.push(format!(
            "nobody can say what is lost or doubled: events of different types or data have one id, such as {id} of a `{name}`; name updates by \
             --update-event, and what tells them apart by --id-field"
        ));
    } else if let Some(first) = tally.doubled_first {
        let which = tally.updates.identity(first as usize);
        found.push(format!("{} of {} updates came twice to a client, such as {which}", tally.doubled, tally.delivered));
    }
    found
}

/// Says where nothing, or not all, of what came could be held against what others had.
fn unrecognised(tally: &Tally) -> Option<String> {
    let (updates, wanted) = (&tally.updates, tally.updates.wanted());
    let sample = updates.nameless().map(|(_, data)| format!(", such as {data}")).unwrap_or_default();
    if updates.known().is_empty() && !tally.names.is_empty() {
        let came = counted(tally.names.iter().map(|name| (name.text.as_str(), name.count)));
        return Some(format!("no update came: looked for {wanted}; what came: {came}{sample}"));
    }
    let (count, _) = updates.nameless()?;
    Some(format!("{count} events cannot be told apart{sample}: looked for {wanted}"))
}

fn time(us: u64) -> String {
    format!("{:.1?}", Duration::from_micros(us))
}
