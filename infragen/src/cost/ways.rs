//! What one viewer costs an hour, whichever way the updates come: ours at any size, polling, and services that push.
//!
//! Reckoned for viewers who watch day and night. What is the same whichever way it is (alarms, the dashboard of CloudWatch, the table
//! itself) is left out.

use std::time::Duration;

use contract::limits;
use serde_json::json;

use super::model::{
    DAY_SECS, GB, MILLION, REQUEST_LOG_BYTES, TAGS_PER_ITEM, UPDATE_BYTES, bytes_per_hour, lines, poll_units,
    read_units, total,
};
use super::prices::{Figure, Prices};
use super::report;
use super::setup::{Assumptions, DAYS_PER_MONTH, HOUR_SECS, Setup};
use crate::manifest::types::Architecture;

/// Viewers at the same time, a column each.
pub const VIEWERS: [u32; 4] = [1, 100, 10_000, 1_000_000];
/// Updates an hour, a table each.
pub const UPDATES: [u32; 3] = [6, 60, 720];
/// Most updates an hour that a crossing is looked for.
const UPDATES_MAX: u32 = 1_000_000;

/// Streams of one task of the program `server`, with one processor and [`TASK_GB`]: docs/scale.md says what of it was measured.
pub const TASK_STREAMS: u32 = 10_000;
/// Memory of a task.
const TASK_GB: f64 = 2.0;
/// Tasks at least: one may fail, or be replaced.
const TASKS_MIN: f64 = 2.0;
/// Connections that one unit of a load balancer's capacity holds open, and bytes an hour that it hands on (AWS's own definition).
const UNIT_CONNECTIONS: f64 = 3000.0;
const UNIT_BYTES: f64 = GB;
/// Processor time of one request to the REST API, in seconds of a function of 128 MB.
const REQUEST_SECS: f64 = 0.01;
/// Bytes of its answer where nothing changed (304), and of the numbers with the newest items.
const UNCHANGED_BYTES: f64 = 400.0;
const CHANGED_BYTES: f64 = 6000.0;
const MINUTES_PER_HOUR: f64 = 60.0;

/// How updates reach a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The stream function, a stream an instance.
    Classic,
    /// The stream function on managed instances.
    ManagedInstances,
    /// The program `server` in containers behind a load balancer.
    Server,
    /// The stream function behind CloudFront, which hands each of its streams to all who watch.
    Segments,
    /// The page asks the dashboard function each `poll_interval`.
    Polling,
    /// AWS AppSync Events.
    AppSync,
    /// A WebSocket API of API Gateway.
    WebSocket,
    /// AWS IoT Core, MQTT over WebSocket.
    Iot,
}

impl Way {
    /// All of them: ours, polling, services that push.
    pub const ALL: [Self; 8] = [
        Self::Classic,
        Self::ManagedInstances,
        Self::Server,
        Self::Segments,
        Self::Polling,
        Self::AppSync,
        Self::WebSocket,
        Self::Iot,
    ];
    /// Those that are streams of ours.
    pub const OURS: [Self; 4] = [Self::Classic, Self::ManagedInstances, Self::Server, Self::Segments];
    /// Those that somebody else runs, for a price a message.
    pub const PUSH: [Self; 3] = [Self::AppSync, Self::WebSocket, Self::Iot];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classic => "stream function",
            Self::ManagedInstances => "on managed instances",
            Self::Server => "server in containers",
            Self::Segments => "shared segments",
            Self::Polling => "polling the REST API",
            Self::AppSync => "AppSync Events",
            Self::WebSocket => "API Gateway WebSocket",
            Self::Iot => "IoT Core",
        }
    }

    /// Dollars for one viewer and hour of watching.
    #[must_use]
    pub fn per_viewer_hour(self, setup: &Setup, prices: &Prices, viewers: u32, updates_per_hour: u32) -> f64 {
        let push = &prices.push;
        let case = Case { setup, prices, viewers: f64::from(viewers), updates: f64::from(updates_per_hour) };
        match self {
            Self::Classic => case.function(&setup.alone().on_classic(), viewers),
            Self::ManagedInstances => case.function(&setup.alone().on_managed_instances(), viewers),
            Self::Server => case.server(),
            Self::Segments => {
                let length = setup.segment.unwrap_or(limits::SEGMENT_DEFAULT);
                case.function(&setup.on_classic().in_segments(length), viewers)
            }
            Self::Polling => case.polling(),
            Self::AppSync => case.push(push.appsync_million_minutes, push.appsync_million_messages),
            Self::WebSocket => case.push(push.api_gateway_million_minutes, push.api_gateway_million_messages),
            Self::Iot => case.push(push.iot_million_minutes, push.iot_million_messages),
        }
    }
}

/// The cheapest of some ways.
#[must_use]
pub fn cheapest(ways: &[Way], setup: &Setup, prices: &Prices, viewers: u32, updates_per_hour: u32) -> Option<Way> {
    let cost = |way: &Way| way.per_viewer_hour(setup, prices, viewers, updates_per_hour);
    ways.iter().copied().min_by(|one, other| cost(one).total_cmp(&cost(other)))
}

/// Up to how many updates an hour a service that pushes is cheaper than every stream of ours; none where it never is, and no more than
/// a million. A service takes a price for each update and viewer, a stream next to none, so that they cross once.
#[must_use]
pub fn push_is_cheaper_up_to(setup: &Setup, prices: &Prices, viewers: u32) -> Option<u32> {
    let least = |ways: &[Way], updates| {
        let cost = |way: &Way| way.per_viewer_hour(setup, prices, viewers, updates);
        ways.iter().map(cost).fold(f64::INFINITY, f64::min)
    };
    let is_cheaper = |updates| least(&Way::PUSH, updates) < least(&Way::OURS, updates);
    if !is_cheaper(1) {
        return None;
    }
    let (mut won, mut lost) = (1, UPDATES_MAX + 1);
    while lost - won > 1 {
        let middle = won + (lost - won) / 2;
        if is_cheaper(middle) { won = middle } else { lost = middle }
    }
    Some(won)
}

/// One cell of the table.
struct Case<'a> {
    setup: &'a Setup,
    prices: &'a Prices,
    viewers: f64,
    updates: f64,
}

impl Case<'_> {
    fn items_per_sec(&self) -> f64 {
        self.updates / TAGS_PER_ITEM / HOUR_SECS
    }

    /// As a month is reckoned, without what a month has anyway. Who watches day and night loads the page once a day.
    fn function(&self, setup: &Setup, viewers: u32) -> f64 {
        let setup = Setup { charges: Vec::new(), is_stopped: false, ..setup.clone() };
        let assumptions = Assumptions {
            viewers,
            hours_per_day: 24,
            items_per_day: super::whole(self.items_per_sec() * DAY_SECS),
            visit: Duration::from_secs(24 * 3600),
        };
        let month = total(&lines(&setup, self.prices, &assumptions, false));
        month / (self.viewers * 24.0 * DAYS_PER_MONTH)
    }

    /// Dollars an hour of one poller, and of its full re-reads.
    fn poller(&self) -> f64 {
        let (setup, items_per_sec) = (self.setup, self.items_per_sec());
        let poll_secs = setup.poll.as_secs_f64();
        let full = read_units(setup.labels, items_per_sec * setup.window.as_secs_f64());
        let units = HOUR_SECS / poll_secs * poll_units(setup, items_per_sec, poll_secs)
            + HOUR_SECS / setup.reconcile.as_secs_f64() * full;
        units / MILLION * self.prices.dynamodb.million_read_units.get()
    }

    fn data(&self, bytes: f64) -> f64 {
        bytes / GB * self.prices.transfer.gb_out.get()
    }

    fn server(&self) -> f64 {
        let prices = &self.prices.container;
        let (vcpu, gb) = match self.setup.architecture {
            Architecture::Arm64 => (prices.vcpu_hour_arm64, prices.gb_hour_arm64),
            Architecture::X86 => (prices.vcpu_hour_x86_64, prices.gb_hour_x86_64),
        };
        let bytes = bytes_per_hour(self.setup, self.items_per_sec());
        let tasks = (self.viewers / f64::from(TASK_STREAMS)).ceil().max(TASKS_MIN);
        let units = (self.viewers / UNIT_CONNECTIONS).max(self.viewers * bytes / UNIT_BYTES).max(1.0);
        let all = tasks * (vcpu.get() + TASK_GB * gb.get() + self.poller())
            + prices.balancer_hour.get()
            + units * prices.balancer_unit_hour.get();
        all / self.viewers + self.data(bytes)
    }

    /// Instances of the dashboard function that are asked all the time each keep a window, and read it once an interval.
    fn polling(&self) -> f64 {
        let (setup, lambda) = (self.setup, &self.prices.lambda);
        let poll_secs = setup.poll.as_secs_f64();
        let requests = HOUR_SECS / poll_secs;
        let changed = 1.0 - (-2.0 * self.items_per_sec() * poll_secs).exp();
        let bytes = UNCHANGED_BYTES * (1.0 - changed) + CHANGED_BYTES * changed;
        let each = lambda.million_requests.get() / MILLION
            + setup.front_request(self.prices)
            + REQUEST_SECS * setup.dashboard_gib * lambda.gb_second(setup.architecture)
            + REQUEST_LOG_BYTES / GB * self.prices.cloudwatch.gb_logs.get()
            + bytes / GB * setup.gb_out(self.prices);
        let instances = (self.viewers * REQUEST_SECS / poll_secs).ceil().max(1.0);
        requests * each + instances * self.poller() / self.viewers
    }

    /// Each update is published once and delivered to each viewer.
    fn push(&self, million_minutes: Figure, million_messages: Figure) -> f64 {
        let messages = self.updates * (1.0 + 1.0 / self.viewers);
        MINUTES_PER_HOUR / MILLION * million_minutes.get()
            + messages / MILLION * million_messages.get()
            + self.data(self.updates * UPDATE_BYTES)
    }
}

/// Writes the tables for people. The manifest's region may be another one than that of the prices.
#[must_use]
pub fn human(name: &str, region: &str, setup: &Setup, prices: &Prices) -> String {
    let mut out = format!(
        "One viewer of `{name}` for an hour, US dollars, where so many watch day and night. `*` is the cheapest of its column.\n\
         Prices of {}, {}, nothing taken as free; reckoned, not measured. Alarms and what else a month has anyway are left out, and\n\
         tiers beyond the first: a million viewers reach them, and pay up to a third less than is said here, most by the message.\n",
        prices.region.as_str(),
        prices.date.as_str(),
    );
    out.extend(report::other_region(region, prices));
    for updates in UPDATES {
        let head = std::iter::once(format!("{updates} updates an hour")).chain(VIEWERS.map(report::grouped_count));
        let mut rows = vec![head.collect::<Vec<_>>()];
        // As they are printed: of two that are the same to the reader neither is cheaper.
        let cell = |way: Way, viewers| report::dollars(way.per_viewer_hour(setup, prices, viewers, updates));
        let best = VIEWERS.map(|viewers| {
            cheapest(&Way::ALL, setup, prices, viewers, updates).map(|way| cell(way, viewers)).unwrap_or_default()
        });
        for way in Way::ALL {
            let cells = VIEWERS.iter().zip(&best).map(|(viewers, best)| {
                let cell = cell(way, *viewers);
                let mark = if cell == *best { '*' } else { ' ' };
                format!("{cell}{mark}")
            });
            rows.push(std::iter::once(way.name().to_owned()).chain(cells).collect());
        }
        out.push('\n');
        out.push_str(&aligned(&rows));
    }
    out.push('\n');
    for viewers in VIEWERS {
        out.push_str(&sentence(setup, prices, viewers));
    }
    let managed = setup.alone().on_managed_instances();
    out.push_str(&format!(
        "- on managed instances: {} streams at most with `stream.instances.max_vcpus` as it is; more viewers need it larger.\n",
        report::grouped_count(super::whole(managed.streams_max(prices)))
    ));
    out
}

fn sentence(setup: &Setup, prices: &Prices, viewers: u32) -> String {
    let up_to = match push_is_cheaper_up_to(setup, prices, viewers) {
        None => "no service that pushes is cheaper than a stream".to_owned(),
        Some(UPDATES_MAX) => {
            "a service that pushes is cheaper than any stream, however many updates there are".to_owned()
        }
        Some(updates) => format!(
            "a service that pushes is cheaper than any stream up to {} updates an hour",
            report::grouped_count(updates)
        ),
    };
    format!("- {}: {up_to}.\n", report::viewers_text(viewers))
}

/// Columns of one width each, the first to the left.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.trim_end().len()).max();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<width$}", width = width(0).unwrap_or(0)),
            // A mark stands behind the column.
            _ => format!(
                "  {:>width$}",
                if cell.ends_with(['*', ' ']) { cell.clone() } else { format!("{cell} ") },
                width = width(column).unwrap_or(0)
            ),
        });
        cells.collect::<String>().trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Writes them for programs: names carry their units.
#[must_use]
pub fn json(name: &str, region: &str, setup: &Setup, prices: &Prices) -> String {
    let cell = |way: Way, viewers: u32, updates: u32| {
        json!({
            "way": way.name(), "viewers": viewers, "updates_per_hour": updates,
            "viewer_hour_usd": way.per_viewer_hour(setup, prices, viewers, updates),
        })
    };
    let cells = UPDATES.iter().flat_map(|updates| {
        Way::ALL.into_iter().flat_map(move |way| VIEWERS.map(move |viewers| cell(way, viewers, *updates)))
    });
    let crossing = |viewers: u32| json!({ "viewers": viewers, "push_is_cheaper_up_to_updates_per_hour": push_is_cheaper_up_to(setup, prices, viewers) });
    let value = json!({
        "name": name,
        "region": region,
        "prices": { "region": prices.region.as_str(), "date": prices.date.as_str() },
        "ways": cells.collect::<Vec<_>>(),
        "crossings": VIEWERS.map(crossing),
        "managed_instances_streams_max": setup.alone().on_managed_instances().streams_max(prices),
    });
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;

    fn setup() -> Setup {
        let manifest = Source { name: "deploy.toml".into(), text: String::new() };
        let loaded = load(&Input::new(manifest), None).unwrap();
        Setup::of(&loaded.manifest, Vec::new())
    }

    fn cost(way: Way, viewers: u32, updates: u32) -> f64 {
        way.per_viewer_hour(&setup(), Prices::embedded(), viewers, updates)
    }

    #[test]
    fn a_stream_of_a_function_costs_the_same_for_each_and_a_server_is_shared() {
        let (one, many) = (cost(Way::Classic, 1, 60), cost(Way::Classic, 1_000_000, 60));
        assert!((0.006..0.008).contains(&one) && (one / many - 1.0).abs() < 0.05, "{one} {many}");
        // Two tasks, the balancer and one of its units: 2 x (0.03238 + 2 x 0.00356) + 0.0225 + 0.008, and two pollers.
        let server = cost(Way::Server, 1, 6);
        assert!((0.1095..0.1105).contains(&server), "{server}");
        // A hundred tasks and 334 units for a million: 0.00395 + 0.00267 a thousand, and some 100 KB an hour each.
        let server = cost(Way::Server, 1_000_000, 6);
        assert!((0.000_006..0.000_02).contains(&server), "{server}");
    }

    #[test]
    fn a_segment_costs_a_request_and_what_the_caches_ask_for_is_shared() {
        // 33 requests an hour at $1.00 a million, some 100 KB at 0.085 a GB, and a share of 26 streams at 0.0065.
        let shared = cost(Way::Segments, 1_000_000, 60);
        assert!((0.000_03..0.000_05).contains(&shared), "{shared}");
        let of_ten_thousand = cost(Way::Segments, 10_000, 60) - shared;
        assert!((0.000_01..0.000_03).contains(&of_ten_thousand), "{of_ten_thousand}");
        // Whoever is alone has nobody to share with.
        let (alone, own) = (cost(Way::Segments, 1, 60), cost(Way::Classic, 1, 60));
        assert!((alone / own - 1.0).abs() < 0.2, "{alone} {own}");
    }

    #[test]
    fn a_push_service_costs_what_its_minutes_and_messages_do() {
        // 60 minutes at 0.08 a million, 720 deliveries and a share of as many publications at 1.00 a million, 194,400 bytes.
        let expected = 60.0 * 0.08e-6 + 720.0 * 1.01e-6 + 194_400.0 / GB * 0.09;
        assert!((cost(Way::AppSync, 100, 720) - expected).abs() < 1e-12);
        assert!((cost(Way::WebSocket, 100, 720) - cost(Way::Iot, 100, 720) - 60.0 * 0.17e-6).abs() < 1e-12);
    }

    #[test]
    fn the_crossing_is_where_the_costs_cross() {
        let (setup, prices) = (setup(), Prices::embedded());
        for viewers in VIEWERS {
            let Some(at) = push_is_cheaper_up_to(&setup, prices, viewers) else { continue };
            let is_push = |updates| {
                let ways: Vec<Way> = Way::OURS.into_iter().chain(Way::PUSH).collect();
                Way::PUSH.contains(&cheapest(&ways, &setup, prices, viewers, updates).unwrap())
            };
            assert!(is_push(at) && (at == UPDATES_MAX || !is_push(at + 1)), "{viewers}: {at}");
        }
        // What everybody shares is next to nothing for a million, so that messages decide early.
        let at = |viewers| push_is_cheaper_up_to(&setup, prices, viewers).unwrap_or(0);
        assert!(at(100) > at(10_000) && at(10_000) >= at(1_000_000), "{} {}", at(10_000), at(1_000_000));
    }
}
