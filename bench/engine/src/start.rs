//! What a start costs that finds the hours of a day shared: the store and the hub of the stream function, with the processor share of a
//! small function.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contract::{DataSettings, PollSettings, TableName, WatchSettings, limits};
use lambda::clock::Clock;
use lambda::store::dynamodb::DynamoDb;
use lambda::store::{Hours, Items, Page, StoreFuture};
use lambda::stream::hub::Hub;
use lambda::stream::sharing::Sources;
use lambda::watch::meter::{self, Meter};
use rustix::time::{ClockId, clock_gettime};
use stream_core::item::{Item, ItemKey};
use stream_core::reading::{KeyValue, PageRequest, PageStart};
use stream_core::timestamp::Timestamp;
use tokio::sync::watch;

use crate::table::{Table, data, day, id, tickers};

/// Rows of a page that are made up: what a megabyte holds.
const PAGE_ROWS: usize = 5000;
/// Rows younger than this are in the table of items; an instance reads no older ones.
const NEWEST: Duration = Duration::from_secs(2 * 3600);
/// Time that filling the shelf and a start may take.
const LIMIT: Duration = Duration::from_secs(900);
/// Period over which the kernel gives the processor share, microseconds.
const PERIOD_MICROS: u32 = 20_000;

/// Rows of a day that are nowhere but in a formula: what fills the shelf.
struct MadeUp {
    rows: usize,
    now: Timestamp,
}

impl Items for MadeUp {
    fn page<'a>(&'a self, request: &'a PageRequest) -> StoreFuture<'a, Page> {
        Box::pin(async move {
            let labels = data().labels.as_slice().len();
            let before = request.start.as_ref().and_then(|start| match &start.0.first()?.1 {
                KeyValue::Number(number) => number.parse::<usize>().ok(),
                KeyValue::Text(_) | KeyValue::Bytes(_) => None,
            });
            let times: Vec<Timestamp> = day(self.rows as u64, self.now).collect();
            let numbers =
                (0..before.unwrap_or(self.rows)).rev().filter(|number| number % labels == usize::from(request.label));
            let inside = numbers
                .skip_while(|number| times[*number] > request.range.until)
                .take_while(|number| times[*number] > request.range.after);
            let page: Vec<usize> = inside.take(PAGE_ROWS + 1).collect();
            let is_last = page.len() <= PAGE_ROWS;
            let end = page.get(PAGE_ROWS - 1).filter(|_| !is_last);
            let next = end.map(|number| PageStart([("n".into(), KeyValue::Number(number.to_string().into()))].into()));
            let items = page.iter().take(PAGE_ROWS).map(|number| item(*number, times[*number], request.label));
            Ok(Page { items: items.collect(), next, ..Page::default() })
        })
    }
    fn warm_up(&self) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// The row of that number, as the table has it.
fn item(number: usize, at: Timestamp, label: u8) -> Item {
    let tags = tickers(number).map(|ticker| contract::Tag::new(ticker).expect("a ticker is a tag"));
    Item {
        key: ItemKey { id: id(number).into(), time_text: at.to_string().into() },
        at,
        label,
        score: format!("0.{:03}", number % 1000).parse().ok(),
        confidence: Some(0.87),
        source: Some("newswire".into()),
        tags: tags.collect(),
        about: None,
    }
}

fn settings(hours: bool) -> DataSettings {
    let table = TableName::new("hours").expect("a name of letters");
    DataSettings { hours_table: hours.then_some(table), ..data() }
}

fn store(address: SocketAddr, clock: &Clock) -> DynamoDb {
    let lookup = move |name: &str| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(format!("http://{address}")),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("bench".to_owned()),
        _ => None,
    };
    DynamoDb::from_env(settings(true), clock, &lookup).expect("region and credentials are given")
}

fn hub(sources: Sources, poll_interval: &str, clock: &Clock) -> Hub {
    let lookup = |name: &str| (name == "SSE_POLL_INTERVAL").then(|| poll_interval.to_owned());
    let poll = PollSettings::from_env(&lookup).expect("the defaults are valid");
    let watch = WatchSettings::from_env(&|_| None).expect("the defaults are valid");
    Hub::new(sources, settings(true), poll, clock.clone(), Meter::new(&watch, meter::STREAM, clock.clone()), None)
}

/// A group of processes that has a share of a processor; this process leaves it when it is dropped.
struct Share<'a>(&'a Path);

#[expect(clippy::disallowed_methods, reason = "the kernel is told by files")]
impl<'a> Share<'a> {
    fn enter(group: &'a Path, share: f64) -> Result<Self, String> {
        let say = |name: &str, value: &str| {
            std::fs::write(group.join(name), value).map_err(|error| format!("{}: {error}", group.join(name).display()))
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below a period")]
        let quota = (f64::from(PERIOD_MICROS) * share).round() as u32;
        if group.join("cpu.max").exists() {
            say("cpu.max", &format!("{quota} {PERIOD_MICROS}"))?;
        } else {
            say("cpu.cfs_period_us", &PERIOD_MICROS.to_string())?;
            say("cpu.cfs_quota_us", &quota.to_string())?;
        }
        say("cgroup.procs", &std::process::id().to_string())?;
        Ok(Self(group))
    }
}

#[expect(clippy::disallowed_methods, reason = "the kernel is told by files")]
impl Drop for Share<'_> {
    fn drop(&mut self) {
        let parent = self.0.parent().unwrap_or(self.0);
        drop(std::fs::write(parent.join("cgroup.procs"), std::process::id().to_string()));
    }
}

/// Fills both tables and starts an instance, `times` times. `group` is a folder of a control group for the processor, and the share that
/// it gets.
pub(crate) async fn measure(
    address: SocketAddr,
    rows: u64,
    times: u32,
    group: Option<(&Path, f64)>,
) -> Result<(), String> {
    let clock = Clock::system();
    let now = clock.now().wall;
    let mut table = Table::create(address).await?;
    table.make_hours("hours").await?;
    let is_old = |at: &Timestamp| *at <= now.minus(NEWEST);
    table.skip(day(rows, now).take_while(is_old).count());
    table.write(day(rows, now).skip_while(is_old)).await?;
    let interval = Duration::from_secs(24 * 3600).div_f64(rows.max(1) as f64);
    let mut newest = now;
    let rows = usize::try_from(rows).map_err(|error| error.to_string())?;
    let has_young = rows / 24 > limits::YOUNG_ROWS_MIN;
    let filler = Sources {
        items: Arc::new(MadeUp { rows, now }),
        hours: Some((Arc::new(store(address, &clock)) as Arc<dyn Hours>, true)),
        rollups: None,
    };
    let (filling, never) = (hub(filler, "1s", &clock), watch::channel(false).1);
    let mut subscription = filling.subscribe(tracing::Span::none(), &never);
    let began = clock.now().instant;
    loop {
        let heads = table.heads("hours").await?;
        if heads.first().is_some_and(|old| *old >= 22) && (heads.len() > 1 || !has_young) {
            break;
        }
        if clock.now().instant.duration_since(began) > LIMIT {
            return Err("the hours were not left in time".into());
        }
        tokio::time::timeout(Duration::from_millis(500), subscription.changed()).await.ok();
    }
    drop(subscription);
    drop(filling);
    if has_young {
        // As old as they are when somebody comes at any time.
        tokio::time::sleep(limits::YOUNG_EVERY / 2).await;
    }
    println!(
        "| a start, {rows} rows | first numbers | processor time | all rows that clients may ask for |\n| --- | ---: | ---: | ---: |"
    );
    for _ in 0..times {
        // What has come in the meantime.
        let come = std::iter::successors(Some(newest.plus(interval)), |at| Some(at.plus(interval)));
        let come: Vec<Timestamp> = come.take_while(|at| *at < clock.now().wall).collect();
        newest = come.last().copied().unwrap_or(newest);
        table.write(come).await?;
        let store = Arc::new(store(address, &clock));
        // At init, at the whole processor: the connection.
        store.warm_up().await.map_err(|error| error.to_string())?;
        let sources = Sources { items: store.clone(), hours: Some((store as Arc<dyn Hours>, false)), rollups: None };
        let hub = hub(sources, "5s", &clock);
        let share = group.map(|(group, share)| Share::enter(group, share)).transpose()?;
        let (began, cpu) = (clock.now().instant, cpu());
        let mut subscription = hub.subscribe(tracing::Span::none(), &never);
        let snapshot = subscription.first_snapshot(LIMIT).await.ok_or("no snapshot in time")?;
        let since = || clock.now().instant.duration_since(began).as_secs_f64() * 1000.0;
        let (took, used) = (since(), self::cpu() - cpu);
        while subscription.look().snapshot.is_some_and(|snapshot| snapshot.whole_after.is_some()) {
            subscription.changed().await;
        }
        let whole = since();
        drop(share);
        println!(
            "| {} rows counted | {took:.0} ms | {:.0} ms | {whole:.0} ms |",
            snapshot.numbers.total,
            used.as_secs_f64() * 1000.0
        );
    }
    Ok(())
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |value: i64| u64::try_from(value).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}
