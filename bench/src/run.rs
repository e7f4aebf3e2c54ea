//! What is measured with a window of one size, in this order: load, polls, returning clients, filters, a burst, a re-read.

use std::collections::BTreeSet;
use std::time::Duration;

use contract::limits;
use stream_core::filter::Filter;
use stream_core::filter_numbers::FilterNumbers;
use stream_core::moment::TimeRange;

use crate::client::{Client, Shared};
use crate::gauge::{Cost, live_bytes, measured, resident_bytes};
use crate::instance::{Instance, POLL_INTERVAL};
use crate::report::{Report, Value};
use crate::table::TICKERS;

/// Polls that fill the interval of late rows with rows of the same rate, whatever the window holds.
const SETTLING_POLLS: usize = 150;
/// Polls of which the median is taken.
const POLLS: usize = 100;
/// Clients that return, of which the median is taken.
const RETURNS: usize = 200;
/// Updates of a burst, and sessions that get it: half of them with a filter.
const BURST_UPDATES: usize = 5000;
const BURST_SESSIONS: u64 = 50;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Rows of the window.
    pub(crate) rows: u64,
    /// Filters, one after the other.
    pub(crate) filters: u64,
}

/// Measures everything.
pub(crate) fn run(size: Size) -> Report {
    let mut report = Report { rows: size.rows, figures: Vec::new() };
    let mut instance = load(size.rows, &mut report);
    polls(&mut instance, &mut report);
    returning(&mut instance, &mut report);
    filters(&mut instance, size.filters, &mut report);
    burst(&mut instance, &mut report);
    large_polls(&mut instance, &mut report);
    reread(&mut instance, &mut report);
    report
}

/// Loads a window and polls: for programs that count from outside.
pub(crate) fn only_polls(rows: u64, polls: usize, new_rows: u64) {
    let mut instance = Instance::new(rows);
    instance.poll();
    instance.polls(polls, new_rows);
}

fn load(rows: u64, report: &mut Report) -> Instance {
    let mut instance = Instance::new(rows);
    let (before, resident_before) = (live_bytes(), resident_bytes());
    let reading = instance.poll();
    instance.assert_counted();
    let live = live_bytes() - before;
    report.add("live", "memory of the window, as allocated", Value::Bytes(live));
    report.add("live_per_row", "the same for each row", Value::Bytes(live / rows));
    report.add("live_max", "most of it while loading", Value::Bytes(reading.live_max.saturating_sub(before)));
    if let (Some((before, _)), Some((resident, most))) = (resident_before, resident_bytes()) {
        report.add("resident", "memory of the process that it takes", Value::Bytes(resident.saturating_sub(before)));
        report.add("resident_max", "most memory of the process", Value::Bytes(most));
    }
    report.add("load", "until the first `metrics`", Value::Once(reading.cost));
    report.add("load_longest", "longest step of that", Value::Micros(reading.longest_us));
    instance
}

fn polls(instance: &mut Instance, report: &mut Report) {
    // One round of the sweep over the interval of late rows, which holds as many rows as the table gets in ten minutes.
    instance.polls(12, 0);
    let idle = instance.polls(POLLS, 0);
    report.add("idle_busy", "a poll that finds nothing new, on a busy table", Value::Often(idle));
    // One row after a pause of more than that interval: nothing else is in it.
    instance.pass(limits::LATE_WINDOW_DEFAULT + Duration::from_secs(60), 1);
    instance.poll();
    let idle = instance.polls(POLLS, 0);
    report.add("idle", "the same on a quiet one", Value::Often(idle));
    let one = instance.polls(POLLS, 1);
    report.add("rows1", "a poll with 1 new row", Value::Often(one));
    instance.polls(SETTLING_POLLS, 60);
    let sixty = instance.polls(POLLS, 60);
    report.add("rows60", "a poll with 60 new rows", Value::Often(sixty));
    instance.assert_counted();
}

fn large_polls(instance: &mut Instance, report: &mut Report) {
    let large = instance.polls(5, 5000);
    report.add("rows5000", "a poll with 5,000 new rows", Value::Often(large));
    instance.assert_counted();
}

/// A client that returns, over and over: median, and how many updates it gets.
fn returns(instance: &Instance, shared: &Shared, filter: &Filter, last_id: &str) -> (Cost, usize) {
    let mut updates = 0;
    let come = |_| {
        let (client, cost) = measured(|| {
            let mut client = Client::connect(instance, filter, Some(last_id));
            client.pull(instance, shared);
            client
        });
        assert!(!String::from_utf8_lossy(&client.bytes).contains("event: reset"), "it can be continued");
        updates = client.updates().len();
        cost
    };
    let costs = (0..RETURNS).map(come).collect();
    (Cost::median(costs), updates)
}

/// Connects, takes what there is, and leaves with the last id.
fn visit(instance: &Instance, shared: &Shared, filter: &Filter) -> String {
    let mut client = Client::connect(instance, filter, None);
    client.pull(instance, shared);
    client.last_id().expect("there was an event").to_owned()
}

fn returning(instance: &mut Instance, report: &mut Report) {
    let (shared, all) = (Shared::default(), Filter::all());
    let id = visit(instance, &shared, &all);
    let (same, updates) = returns(instance, &shared, &all, &id);
    assert_eq!(updates, 0);
    report.add("resume_same", "a client returns, nothing happened", Value::Often(same));

    let before = instance.now.wall;
    instance.pass(POLL_INTERVAL, 60);
    let news = TimeRange { after: before, until: instance.now.wall };
    let had = instance.table.rows_of(news).flat_map(|row| instance.table.tags(row)).collect::<BTreeSet<_>>();
    let unheard = (0..TICKERS).map(|number| instance.table.ticker(number)).find(|ticker| !had.contains(*ticker));
    let filter = Filter::only([unheard.expect("60 rows have fewer tickers than there are").clone()].into());
    let id = visit(instance, &shared, &filter);
    instance.poll();
    // Its numbers are counted: an instance does that once for all clients.
    visit(instance, &shared, &filter);
    let (moved, updates) = returns(instance, &shared, &filter, &id);
    assert_eq!(updates, 0);
    report.add("resume_moved", "a client returns, 60 rows came of which it wants none", Value::Often(moved));

    let id = visit(instance, &shared, &all);
    let before = instance.now.wall;
    instance.pass(POLL_INTERVAL, 100);
    instance.poll();
    let news = TimeRange { after: before, until: instance.now.wall };
    let lacking: usize = instance.table.rows_of(news).map(|row| instance.table.tags(row).len()).sum();
    let (behind, updates) = returns(instance, &shared, &all, &id);
    assert_eq!(updates, lacking);
    report.add("resume_100", "a client returns and lacks 100 rows", Value::Often(behind));
}

/// Filters that differ, with one to three tickers.
fn filter(instance: &Instance, number: u64) -> Filter {
    let (first, second) = (number % TICKERS, number / TICKERS);
    let tickers =
        [first, first + 1 + second, first + 100 + 7 * second].map(|ticker| instance.table.ticker(ticker).clone());
    Filter::only(tickers.into())
}

fn filters(instance: &mut Instance, filters: u64, report: &mut Report) {
    let live = live_bytes();
    let mut most = 0;
    let ((), cost) = measured(|| {
        for number in 0..filters {
            let mut numbers = FilterNumbers::new(&filter(instance, number));
            std::hint::black_box(numbers.follow(instance.snapshot()));
            most = most.max(live_bytes() - live);
        }
    });
    report.add("filter_count", "filters, one after the other", Value::Count(filters));
    report.add("filter_new", "a filter that is new", Value::Often(cost.each_of(filters)));
    report.add("filter_held", "memory of one filter", Value::Bytes(most));
    report.add("filters_left", "memory that all of them leave", Value::Bytes(live_bytes().saturating_sub(live)));
    let mut living: Vec<FilterNumbers> = (0..10).map(|number| FilterNumbers::new(&filter(instance, number))).collect();
    let mut follow = |_| {
        instance.pass(POLL_INTERVAL, 60);
        instance.poll();
        let ((), cost) = measured(|| {
            for numbers in &mut living {
                std::hint::black_box(numbers.follow(instance.snapshot()));
            }
        });
        cost.each_of(10)
    };
    follow(0);
    let followed = Cost::median((0..POLLS).map(&mut follow).collect());
    report.add("filter_follow", "a filter follows a poll with 60 new rows", Value::Often(followed));
}

/// What clients with a filter must get of some rows, in this order.
fn expected(instance: &Instance, news: TimeRange, filter: &Filter) -> Vec<(String, String)> {
    // Rows of one millisecond have an order of their own, which the snapshot says.
    let rows = instance.snapshot().rows_between(news.after, news.until);
    let updates = rows.flat_map(|row| {
        let item = &row.row().expect("what is new is kept whole").item;
        item.tags.iter().map(|tag| (item.key.id.to_string(), tag.clone())).collect::<Vec<_>>()
    });
    updates.filter(|(_, tag)| filter.matches_tag(tag)).map(|(id, tag)| (id, tag.to_string())).collect()
}

fn burst(instance: &mut Instance, report: &mut Report) {
    let shared = Shared::default();
    let filter_of = |number| if number % 2 == 0 { Filter::all() } else { filter(instance, number / 2) };
    let mut clients: Vec<Client> =
        (0..BURST_SESSIONS).map(|number| Client::connect(instance, &filter_of(number), None)).collect();
    for client in &mut clients {
        client.pull(instance, &shared);
        client.bytes = Vec::with_capacity(8 * 1024 * 1024);
    }
    let before = instance.now.wall;
    // As many rows as make that many updates.
    let next = instance.table.len();
    let mut updates = 0;
    let is_short = |row: &u64| {
        let was_short = updates < BURST_UPDATES;
        updates += instance.table.tags(*row).len();
        was_short
    };
    let rows = (next..).take_while(is_short).count() as u64;
    instance.pass(POLL_INTERVAL, rows);
    instance.poll();
    let news = TimeRange { after: before, until: instance.now.wall };
    let (mut all, mut filtered) = (Cost::default(), Cost::default());
    for client in &mut clients {
        let (_, cost) = measured(|| client.pull(instance, &shared));
        *(if client.filter.is_all() { &mut all } else { &mut filtered }) += cost;
    }
    for client in &clients {
        let (got, expected) = (client.updates(), expected(instance, news, &client.filter));
        assert!(got.len() > BURST_UPDATES / 1000, "{} updates", got.len());
        assert_eq!(got, expected, "every update, in order and once");
        assert!(!client.filter.is_all() || got.len() >= BURST_UPDATES);
    }
    let half = BURST_SESSIONS / 2;
    report.add("burst_all", "5,000 updates for a session without a filter", Value::Often(all.each_of(half)));
    report.add("burst_filtered", "the same with one, counted anew", Value::Often(filtered.each_of(half)));
}

/// Reads the window again, as an instance does every hour.
fn reread(instance: &mut Instance, report: &mut Report) {
    let live = live_bytes();
    instance.pass(limits::RECONCILE_DEFAULT + Duration::from_secs(1), 0);
    let reading = instance.poll();
    instance.assert_counted();
    report.add("reread", "the window read again", Value::Once(reading.cost));
    report.add("reread_longest", "longest step of that", Value::Micros(reading.longest_us));
    report.add("reread_max", "most memory beside the window", Value::Bytes(reading.live_max.saturating_sub(live)));
}
