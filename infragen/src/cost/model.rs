//! What a month takes of everything that AWS bills: lines of quantity, price and dollars. Decides nothing about print.

use contract::MetricsMode;
use contract::limits::{FRESH_MARGIN, QUIET_QUERY_BYTES, YOUNG_EVERY, YOUNG_ROWS_MIN};
use contract::metrics::FLUSH_INTERVAL;

use super::charge::{Charge, Per};
use super::load::{INSTANCE_LIFE_HOURS, Load};
use super::prices::Prices;
use super::setup::{Assumptions, DAYS_PER_MONTH, HOUR_SECS, INSTANCES_MIN, Setup};
use super::visit::{mean_session_secs, reads_per_session, shared_read_secs};
use crate::manifest::aws::{Compute, MemoryPerVcpu};
use crate::manifest::types::{Architecture, FrontKind};

/// What AWS calls a GB on bills.
pub(super) const GB: f64 = 1_073_741_824.0;
pub(super) const MILLION: f64 = 1e6;
pub(super) const DAY_SECS: f64 = 24.0 * HOUR_SECS;
/// Bytes of a response that stream free of charge.
const STREAM_FREE_BYTES: f64 = 6.0 * 1_048_576.0;
/// Bytes of a streamed response that a REST API bills as a request (AWS Compute Blog, "Building responsive APIs with Amazon API Gateway
/// response streaming").
const REST_API_BYTES: f64 = 10.0 * 1_048_576.0;
/// Bytes that half a read unit covers.
const READ_BYTES: f64 = 4096.0;
/// A row as the index carries it: names and values of the eight attributes of the default manifest.
const ROW_BYTES: f64 = 200.0;
/// Tags of a row: each of them is an update of its own.
pub(super) const TAGS_PER_ITEM: f64 = 2.0;
/// Events on the wire, id included; `metrics` with some thirty tags.
const HEARTBEAT_BYTES: f64 = 200.0;
const METRICS_BYTES: f64 = 600.0;
pub(super) const UPDATE_BYTES: f64 = 270.0;
/// Opening and closing of a session on the wire.
const SESSION_BYTES: f64 = 500.0;
/// Log of a session: two lines of ours (280 and 380 bytes), START, END and REPORT of Lambda's (330 bytes together), and the
/// 26 bytes that CloudWatch adds to each of the five.
const SESSION_LOG_BYTES: f64 = 1120.0;
/// A line of metrics with what CloudWatch adds to it, and what the lines by reason and event are together.
const METRICS_LINE_BYTES: f64 = 1000.0;
const METRICS_DETAIL_BYTES: f64 = 1300.0;
/// Read units of one look for the goodbye of one stream: half, whether it is there or not.
const GOODBYE_READ_UNITS: f64 = 0.5;
/// What the dashboard function takes for one goodbye: a write, and now and then a start.
const GOODBYE_SECS: f64 = 0.03;
/// Log of a short request: START, END and REPORT.
pub(super) const REQUEST_LOG_BYTES: f64 = 408.0;
/// A row as instances share it: two hashes, and some bytes for time, label, set of tags and score.
const SHARED_ROW_BYTES: f64 = 21.0;
/// Bytes that a write unit covers.
const WRITE_BYTES: f64 = 1024.0;
/// Read units of a look at the heads of a day, some 250 bytes each, and how often an instance looks in a `reconcile_interval`.
const LOOK_UNITS: f64 = 1.0;
const LOOKS: f64 = 2.0;
/// Write units of an hour that is read again: a claim, and the head that says when it was.
const HEAD_UNITS: f64 = 2.0;
/// Read units of a look at the heads of the newest hours, where these are left too.
const YOUNG_LOOK_UNITS: f64 = 0.5;
/// An hour is read again when seven eighths of the interval have passed, so that none is too old.
const EARLY: f64 = 8.0 / 7.0;
/// Bytes of the page, each visit.
const PAGE_BYTES: f64 = 60_000.0;
/// Lines of metrics: on classic compute each session ends with one, since Lambda may stop its instance then; an instance that
/// goes on serving writes one a minute.
fn metrics_lines(setup: &Setup, load: &Load, assumptions: &Assumptions) -> f64 {
    if setup.compute == Compute::Classic {
        return load.sessions * reads_per_session(setup.longest_session(), FLUSH_INTERVAL);
    }
    let minutes = assumptions.hours_per_month() * HOUR_SECS / FLUSH_INTERVAL.as_secs_f64();
    setup.environments(load.streams) * minutes
}

/// One line of the estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// What is billed.
    pub item: &'static str,
    /// Quantity in a month.
    pub quantity: f64,
    /// Its unit.
    pub unit: &'static str,
    /// Dollars for one unit.
    pub unit_price: f64,
    /// Quantity that is free.
    pub free: f64,
    /// Dollars in a month.
    pub dollars: f64,
    /// Whether it is the same however many watch.
    pub is_fixed: bool,
}

/// Quantities of a month, from which the lines come.
struct Month<'a> {
    setup: &'a Setup,
    prices: &'a Prices,
    has_free_tier: bool,
    lines: Vec<Line>,
}

/// Read units of one query for each label, where each finds its share of `items`.
pub(super) fn read_units(labels: f64, items: f64) -> f64 {
    labels * 0.5 * (items / labels * ROW_BYTES / READ_BYTES).ceil().max(1.0)
}

/// Read units of one poll, `secs` after the last one.
///
/// A quiet table is read whole, as far back as late rows are looked for: where that costs no more than the two queries of each
/// label that would leave something out. Of a busy one a poll reads what is new, with a margin, and that slice of the rest whose
/// turn it is: all of it within `late_interval`, less the time until the next poll. For example 10 rows a second, 5 s after the
/// last poll: 2,000 bytes a second, for 5 s and 15 s of margin and a slice of 5/55 of 10 min, 54.5 s, are 149,000 bytes, 18 units;
/// and half a unit for each of the two queries of each label, which end within 4 KB.
pub(super) fn poll_units(setup: &Setup, items_per_sec: f64, secs: f64) -> f64 {
    let bytes_per_sec = items_per_sec * ROW_BYTES;
    let late_secs = setup.late_window.as_secs_f64();
    let label_bytes = bytes_per_sec * late_secs / setup.labels;
    let every_secs = setup.late_interval.as_secs_f64();
    if label_bytes <= f64::from(QUIET_QUERY_BYTES) || every_secs <= 2.0 * secs {
        return setup.labels * 0.5 * (label_bytes / READ_BYTES).max(1.0);
    }
    let slice_secs = late_secs * secs / (every_secs - secs);
    let bytes = bytes_per_sec * (secs + FRESH_MARGIN.as_secs_f64() + slice_secs);
    0.5 * (bytes / READ_BYTES + 2.0 * setup.labels)
}

/// Bytes that an hour of watching sends, without the sessions' openings.
pub(super) fn bytes_per_hour(setup: &Setup, items_per_sec: f64) -> f64 {
    let polls = HOUR_SECS / setup.poll.as_secs_f64();
    // Numbers change when an item comes and when one leaves the window.
    let changed = 1.0 - (-2.0 * items_per_sec * setup.poll.as_secs_f64()).exp();
    HOUR_SECS / setup.heartbeat.as_secs_f64() * HEARTBEAT_BYTES
        + polls * changed * METRICS_BYTES
        + items_per_sec * HOUR_SECS * TAGS_PER_ITEM * UPDATE_BYTES
}

/// Reckons the lines of a month.
#[must_use]
pub fn lines(setup: &Setup, prices: &Prices, assumptions: &Assumptions, has_free_tier: bool) -> Vec<Line> {
    let load = Load::of(setup, assumptions);
    let mut month = Month { setup, prices, has_free_tier, lines: Vec::new() };
    month.compute(&load, assumptions);
    month.reads(&load, assumptions);
    month.goodbyes(&load);
    month.bytes(&load, assumptions);
    month.logs(&load, assumptions);
    setup.charges.iter().for_each(|charge| month.charge(charge, &load));
    // Nobody gets a stream of a function that is stopped: what is left is what nobody has to watch for.
    month.lines.retain(|line| line.quantity > 0.0 && (line.is_fixed || !setup.is_stopped));
    month.lines
}

/// Dollars of all lines.
#[must_use]
pub fn total(lines: &[Line]) -> f64 {
    lines.iter().map(|line| line.dollars).sum()
}

impl Month<'_> {
    fn add(&mut self, item: &'static str, (quantity, unit): (f64, &'static str), price: f64, free: f64) {
        let free = if self.has_free_tier { free.min(quantity) } else { 0.0 };
        let dollars = (quantity - free) * price;
        self.lines.push(Line { item, quantity, unit, unit_price: price, free, dollars, is_fixed: false });
    }

    fn charge(&mut self, charge: &Charge, load: &Load) {
        let Charge { item, unit, per, quantity, unit_price, free } = *charge;
        self.add(item, (quantity * load.count(per), unit), unit_price, free);
        if let Some(line) = self.lines.last_mut() {
            line.is_fixed = per == Per::Month;
        }
    }

    fn compute(&mut self, load: &Load, assumptions: &Assumptions) {
        let (setup, lambda, free) = (self.setup, &self.prices.lambda, &self.prices.free_tier);
        if setup.compute == Compute::Classic {
            let price = lambda.gb_second(setup.architecture);
            let gb_seconds = load.open_hours * HOUR_SECS * setup.memory_gib;
            self.add("Lambda compute", (gb_seconds, "GB-seconds"), price, free.lambda_gb_seconds.get());
        } else {
            self.instances(load, assumptions);
        }
        let millions = ((load.sessions + load.goodbyes) / MILLION, "million");
        self.add("Lambda requests", millions, lambda.million_requests.get(), free.lambda_requests.get() / MILLION);
    }

    /// Three instances day and night, what more the viewers need while they watch.
    fn instances(&mut self, load: &Load, assumptions: &Assumptions) {
        let (setup, prices) = (self.setup, &self.prices.managed_instances);
        let hour = match (setup.architecture, setup.memory_per_vcpu) {
            (Architecture::Arm64, MemoryPerVcpu::Two) => prices.hour_arm64_2_gib,
            (Architecture::Arm64, MemoryPerVcpu::Four) => prices.hour_arm64_4_gib,
            (Architecture::Arm64, MemoryPerVcpu::Eight) => prices.hour_arm64_8_gib,
            (Architecture::X86, MemoryPerVcpu::Two) => prices.hour_x86_64_2_gib,
            (Architecture::X86, MemoryPerVcpu::Four) => prices.hour_x86_64_4_gib,
            (Architecture::X86, MemoryPerVcpu::Eight) => prices.hour_x86_64_8_gib,
        };
        let always = setup.instances(INSTANCES_MIN, self.prices);
        let busy = setup.instances(setup.environments(load.streams), self.prices);
        let hours = always * 24.0 * DAYS_PER_MONTH + (busy - always) * assumptions.hours_per_month();
        let fee = prices.management_fee_percent.get() / 100.0;
        self.add("EC2 instances", (hours, "instance hours"), hour.get(), 0.0);
        self.add("Management fee of Lambda", (hours, "instance hours"), hour.get() * fee, 0.0);
    }

    fn reads(&mut self, load: &Load, assumptions: &Assumptions) {
        let setup = self.setup;
        let items = f64::from(assumptions.items_per_day);
        let full_units = read_units(setup.labels, items * setup.window.as_secs_f64() / DAY_SECS);
        let reconcile_hours = setup.reconcile.as_secs_f64() / HOUR_SECS;
        let (polls, poll_secs, full) = if setup.compute == Compute::Classic {
            // One stream, one instance, one poller. An instance keeps its window from session to session.
            let full_per_hour = (INSTANCE_LIFE_HOURS / reconcile_hours).ceil() / INSTANCE_LIFE_HOURS;
            // The first read is at the beginning; those after it are as many as the time that the sessions are open.
            let whole_hours = load.sessions * mean_session_secs(setup.longest_session()) / HOUR_SECS;
            let further =
                (reads_per_session(setup.longest_session(), setup.poll) - 1.0) * load.open_hours / whole_hours;
            (load.sessions * (1.0 + further), setup.poll.as_secs_f64(), load.open_hours * full_per_hour)
        } else {
            let environments = setup.environments(load.streams);
            let hours = assumptions.hours_per_month();
            let sessions_per_sec = load.sessions / (hours * HOUR_SECS) / environments;
            let poll_secs = shared_read_secs(setup.poll, sessions_per_sec);
            let polls = hours * HOUR_SECS / poll_secs;
            let full_per_day = (f64::from(assumptions.hours_per_day) / reconcile_hours).ceil();
            (environments * polls, poll_secs, environments * full_per_day * DAYS_PER_MONTH)
        };
        let poll_units = poll_units(setup, items / DAY_SECS, poll_secs);
        let price = self.prices.dynamodb.million_read_units.get();
        self.add("DynamoDB polls", (polls * poll_units / MILLION, "million read units"), price, 0.0);
        let full_units =
            if setup.shares_hours { self.hours(load, assumptions, full, full_units) } else { full * full_units };
        self.add("DynamoDB full re-reads", (full_units / MILLION, "million read units"), price, 0.0);
    }

    /// What is taken from the table of hours and put there. Returns the units that are still read of the items: by each instance
    /// the newest, by all together everything once in an interval.
    fn hours(&mut self, load: &Load, assumptions: &Assumptions, full: f64, full_units: f64) -> f64 {
        let (setup, prices) = (self.setup, &self.prices.dynamodb);
        let window_hours = setup.window.as_secs_f64() / HOUR_SECS;
        let (old_share, rows) = (1.0 - setup.newest_share(), f64::from(assumptions.items_per_day) / 24.0);
        let old_hours = window_hours * old_share;
        let rounds = EARLY * assumptions.hours_per_month() * HOUR_SECS / setup.reconcile.as_secs_f64();
        // Each hour is a query of its own, and a write of its own.
        let hour_bytes = rows * SHARED_ROW_BYTES;
        let start_units = old_hours * 0.5 * (hour_bytes / READ_BYTES).ceil().max(1.0);
        let (young_read, young_written) = self.young_hours(load, assumptions, full);
        let read = load.starts * start_units + full * LOOKS * LOOK_UNITS + young_read;
        self.add(
            "DynamoDB shared hours read",
            (read / MILLION, "million read units"),
            prices.million_read_units.get(),
            0.0,
        );
        // Of hours in which nobody watched what is left is written when somebody comes.
        let written = 24.0 * DAYS_PER_MONTH * (hour_bytes / WRITE_BYTES).ceil() + rounds * old_hours * HEAD_UNITS;
        let written = ((written + young_written) / MILLION, "million write units");
        self.add("DynamoDB shared hours written", written, prices.million_write_units.get(), 0.0);
        // A few instances have nobody to share with: they read no more than they would alone.
        full * setup.newest_share() * full_units + (rounds * old_share).min(full * EARLY * old_share) * full_units
    }

    /// Read and write units of the newest hours, which are left every few minutes where they have many rows: a start takes them, every
    /// instance looks whether they are there, and one writes the hour that is running and what came late of the one before.
    fn young_hours(&self, load: &Load, assumptions: &Assumptions, full: f64) -> (f64, f64) {
        let rows = f64::from(assumptions.items_per_day) / 24.0;
        let newest = rows * self.setup.window.as_secs_f64() / HOUR_SECS * self.setup.newest_share();
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        if newest < YOUNG_ROWS_MIN as f64 {
            return (0.0, 0.0);
        }
        let every = YOUNG_EVERY.as_secs_f64();
        let looks = full * self.setup.reconcile.as_secs_f64() / every;
        let read = load.starts * 0.5 * (newest * SHARED_ROW_BYTES / READ_BYTES).ceil() + looks * YOUNG_LOOK_UNITS;
        let changed = rows * (0.5 + self.setup.late_window.as_secs_f64() / HOUR_SECS);
        let times = assumptions.hours_per_month() * HOUR_SECS / every;
        (read, times * ((changed * SHARED_ROW_BYTES / WRITE_BYTES).ceil() + HEAD_UNITS))
    }

    /// A look for each stream and interval; a write, and a request to the dashboard function, for each that is said.
    fn goodbyes(&mut self, load: &Load) {
        let (setup, prices) = (self.setup, self.prices);
        if !setup.has_goodbyes {
            return;
        }
        let looks = load.open_hours * HOUR_SECS / setup.poll.as_secs_f64();
        let read = (looks * GOODBYE_READ_UNITS / MILLION, "million read units");
        self.add("DynamoDB looks for goodbyes", read, prices.dynamodb.million_read_units.get(), 0.0);
        let written = (load.goodbyes / MILLION, "million write units");
        self.add("DynamoDB goodbyes", written, prices.dynamodb.million_write_units.get(), 0.0);
        let price = prices.lambda.gb_second(setup.architecture);
        let gb_seconds = (load.goodbyes * GOODBYE_SECS * setup.dashboard_gib, "GB-seconds");
        self.add("Lambda compute for goodbyes", gb_seconds, price, 0.0);
    }

    fn bytes(&mut self, load: &Load, assumptions: &Assumptions) {
        let (setup, free, prices) = (self.setup, &self.prices.free_tier, self.prices);
        let items_per_sec = f64::from(assumptions.items_per_day) / DAY_SECS;
        let per_hour = bytes_per_hour(setup, items_per_sec);
        let session_hours = mean_session_secs(setup.longest_session()) / HOUR_SECS;
        let beyond = (session_hours * per_hour + SESSION_BYTES - STREAM_FREE_BYTES).max(0.0);
        let streamed = (load.sessions * beyond / GB, "GB");
        self.add("Lambda bytes beyond 6 MB", streamed, prices.lambda.gb_streamed.get(), free.lambda_gb_streamed.get());
        let sent = load.watched_hours * per_hour + load.answers * SESSION_BYTES;
        if setup.front == FrontKind::ApiGateway {
            let pieces = ((session_hours * per_hour + SESSION_BYTES) / REST_API_BYTES).ceil();
            let requests = ((load.requests + load.answers * (pieces - 1.0)) / MILLION, "million");
            self.add("API Gateway requests", requests, prices.rest_api.million_requests.get(), 0.0);
        }
        // What goes to a VPC's own endpoint does not leave AWS: its owner pays for the endpoint.
        if setup.is_private {
            return;
        }
        if setup.front != FrontKind::CloudFront {
            self.add("Data to viewers", (sent / GB, "GB"), prices.transfer.gb_out.get(), free.transfer_gb.get());
            return;
        }
        let sent = ((sent + load.visits * PAGE_BYTES) / GB, "GB");
        let requests = (load.requests / MILLION, "million");
        let price = prices.cloudfront.million_requests.get();
        self.add("CloudFront data", sent, prices.cloudfront.gb_out.get(), free.cloudfront_gb.get());
        self.add("CloudFront requests", requests, price, free.cloudfront_requests.get() / MILLION);
    }

    fn logs(&mut self, load: &Load, assumptions: &Assumptions) {
        let (setup, free, prices) = (self.setup, &self.prices.free_tier, &self.prices.cloudwatch);
        let line_bytes = match setup.metrics {
            MetricsMode::Off => 0.0,
            MetricsMode::Totals => METRICS_LINE_BYTES,
            MetricsMode::Detailed => METRICS_LINE_BYTES + METRICS_DETAIL_BYTES,
        };
        let measured = metrics_lines(setup, load, assumptions) * line_bytes;
        let logs = ((load.sessions * SESSION_LOG_BYTES + load.goodbyes * REQUEST_LOG_BYTES + measured) / GB, "GB");
        self.add("CloudWatch logs", logs, prices.gb_logs.get(), free.logs_gb.get());
    }
}
