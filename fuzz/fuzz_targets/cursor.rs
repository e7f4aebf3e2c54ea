//! Event ids that anybody may have written: a session continues from them or says `reset`, and ends in a position.
#![no_main]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arbitrary::Arbitrary;
use contract::{DataSettings, PollSettings, TableName, Tag, limits};
use libfuzzer_sys::fuzz_target;
use stream_core::cursor::{Cursor, Epoch};
use stream_core::event::{EndReason, MetricsFrame};
use stream_core::filter::Filter;
use stream_core::item::{Item, ItemKey};
use stream_core::journal::Journal;
use stream_core::moment::Now;
use stream_core::position::{Position, Tail};
use stream_core::resume::ReplayLimits;
use stream_core::session::{self, Session, SessionParams, Step, View};
use stream_core::sketch::{SKETCH_BYTES, Sketch};
use stream_core::snapshot::Snapshot;
use stream_core::timestamp::Timestamp;

#[path = "../../tests/support/decoder.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod decoder;

const WALL: u64 = 1_800_000_000_000;
const ROWS: u64 = 60;

#[derive(Arbitrary, Debug)]
enum Input {
    /// Whatever a header can hold.
    Raw(Vec<u8>),
    /// An id of ours with forged insides.
    Forged { millis_ago: i32, count: u8, metrics: [u8; 3], repeats: bool, sketch: [u8; SKETCH_BYTES] },
    /// An honest one: a client that has had some of the rows.
    Honest { millis_ago: u32, had: u64, count_off: u8 },
}

struct World {
    snapshot: Arc<Snapshot>,
    epoch: Epoch,
    now: Now,
}

/// A table whose rows are ten seconds apart.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let data = DataSettings::with_tables(
            TableName::new("items").expect("a valid name"),
            TableName::new("users").expect("a valid name"),
        );
        let mut journal = Journal::new(data, PollSettings::from_env(&|_| None).expect("defaults are valid"));
        #[expect(
            clippy::disallowed_methods,
            reason = "what is under test takes the time as an argument: this is where it comes from"
        )]
        let now = Now { instant: Instant::now(), wall: Timestamp::from_millis(WALL) };
        journal.begin(now);
        for request in journal.requests() {
            let rows = (0..ROWS).map(row).filter(|row| row.label == request.label).collect();
            journal.take(&request, rows, None, 0.0);
        }
        let snapshot = journal.settle(now).expect("a first read is news");
        World { snapshot: Arc::new(snapshot), epoch: journal.epoch(), now }
    })
}

/// The stream has no filter.
struct Unfiltered;

impl session::Shared for Unfiltered {
    fn metrics(&self, _: &Filter, _: &Snapshot) -> Arc<MetricsFrame> {
        unreachable!("the stream has no filter")
    }
}

fn row(n: u64) -> Item {
    let at = Timestamp::from_millis(WALL - n * 10_000);
    Item {
        key: ItemKey { id: format!("row-{n}").into(), time_text: at.to_string().into() },
        at,
        label: u8::try_from(n % 3).expect("less than three"),
        score: Some(0.5),
        confidence: None,
        source: None,
        tags: ["AAPL", "MSFT"].map(|tag| Tag::new(tag).expect("a valid tag")).into(),
        about: None,
    }
}

fn id(input: Input, world: &World) -> Vec<u8> {
    let of = |millis_ago: i64, count, metrics: [u8; 3], repeats, sketch| {
        // The mark of the numbers may be any, so that it says how long the tail is, too.
        let tail = Tail::told(metrics[0] % (Tail::LEVEL_MAX + 1));
        let watermark = Timestamp::from_millis(WALL.saturating_add_signed(-millis_ago));
        Cursor { position: Position { watermark, count, sketch, repeats, tail }, metrics }
            .to_id(world.epoch)
            .into_bytes()
    };
    match input {
        Input::Raw(bytes) => bytes,
        Input::Forged { millis_ago, count, metrics, repeats, sketch } => {
            of(millis_ago.into(), count, metrics, repeats, Sketch::from_bytes(&sketch))
        }
        Input::Honest { millis_ago, had, count_off } => {
            let mut position = Position::ORIGIN;
            for n in (0..ROWS).filter(|n| had >> n & 1 == 1) {
                let row = row(n).row_key(world.snapshot.data.labels.as_slice());
                // Every seventh only in part.
                let upto = if n % 7 == 0 { 1 } else { row.updates() };
                position.toggle_row(row, upto, true);
            }
            let Position { count, sketch, .. } = position;
            of(i64::from(millis_ago % 2_000_000), count.wrapping_add(count_off % 3), [0; 3], false, sketch)
        }
    }
}

fuzz_target!(|input: Input| {
    let world = world();
    let id = id(input, world);
    let presented = Cursor::from_id(&id, world.epoch);
    if let Ok(cursor) = presented {
        assert_eq!(cursor.to_id(world.epoch).as_bytes(), id, "an id is written in one way");
    }
    let params = SessionParams {
        stream_id: "s".into(),
        epoch: world.epoch,
        filter: Filter::all(),
        presented: Some(presented),
        heartbeat_every: Duration::from_secs(15),
        retry: Duration::from_secs(3),
        reconnect: Duration::from_secs(1),
        reconnect_at_shutdown: Duration::from_secs(1),
        ends_at: (world.now.instant + Duration::from_secs(120), EndReason::Session),
        replay: ReplayLimits { window: Duration::from_secs(900), events: 100 },
        early_mark: None,
    };
    let mut session = Session::new(params, world.now.instant);
    let view = |is_confirmed| View {
        snapshot: Some(&world.snapshot),
        is_confirmed,
        shared: &Unfiltered,
        connections: 1,
        started: world.now.instant,
        shutdown: false,
        goodbye: false,
    };
    let mut stream = Vec::new();
    // With what the instance knew before the client came, and once it has read the table since.
    for is_confirmed in [false, true] {
        loop {
            match session.step(world.now, view(is_confirmed)) {
                Step::Send(bytes) => stream.extend_from_slice(&bytes),
                Step::Wait(_) => break,
                Step::Close => panic!("an id must not end a stream"),
            }
            assert!(stream.len() < 100_000, "a replay is bounded");
        }
    }
    let events = decoder::events(&decoder::decode(&stream));
    let resets = events.iter().filter(|event| event.name == "reset").count();
    let updates: Vec<&str> =
        events.iter().filter(|event| event.name == "sentiment_update").map(|event| event.data.as_str()).collect();
    assert!(resets <= 1 && (resets == 0 || updates.is_empty()), "{events:?}");
    assert!(presented.is_ok() || resets == 1, "{events:?}");
    let mut unique = updates.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), updates.len(), "twice in one replay: {updates:?}");
    assert!(events.iter().any(|event| event.name == "heartbeat"));
    for event in &events {
        assert!(event.has_id && event.id.len() <= limits::EVENT_ID_BYTES_MAX, "{event:?}");
        assert!(Cursor::from_id(event.id.as_bytes(), world.epoch).is_ok(), "{event:?}");
    }
});
