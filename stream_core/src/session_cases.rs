//! Single sessions: what the first write holds, what a slow reader gets, who is sent away, and how a session ends.

use std::sync::Arc;
use std::time::Duration;

use contract::Identity;

use crate::filter::Filter;
use crate::item::tests::item;
use crate::session::{Session, Step, View};
use crate::snapshot::Snapshot;
use crate::updates::UPDATES_KEPT_BYTES;
use crate::world::World;

use crate::session_client::{Client, Counted, Instance, connect, pull, pull_where};

/// Names of the events in some bytes, in order.
fn event_names(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().filter_map(|line| line.strip_prefix("event: ")).map(str::to_owned).collect()
}

fn first_write(session: &mut Session, world: &World, snapshot: Option<&Arc<Snapshot>>) -> Vec<u8> {
    let view = View {
        snapshot,
        is_confirmed: true,
        shared: &Counted::default(),
        connections: 1,
        started: world.now.instant,
        shutdown: false,
        goodbye: false,
    };
    match session.step(world.now, view) {
        Step::Send(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_write_has_the_retry_and_a_heartbeat_and_before_it_the_reset() {
    let (world, mut instance) = (World::new(), Instance::new());
    let fresh = Client::default();
    let bytes = first_write(&mut connect(&fresh, &instance, &world, &Filter::all()), &world, None);
    assert!(bytes.starts_with(b"retry: 3000\nid: evt_"));
    assert_eq!(event_names(&bytes), ["heartbeat"]);
    instance.poll(&world);
    let lost = Client { last_id: Some("evt_abc123".into()), ..Client::default() };
    let mut session = connect(&lost, &instance, &world, &Filter::all());
    assert_eq!(event_names(&first_write(&mut session, &world, instance.snapshot.as_ref())), ["reset", "heartbeat"]);
    assert_eq!(event_names(&pull(&mut session, &instance, &world)), ["metrics"]);
}

#[test]
fn a_reader_that_was_slow_gets_every_update_and_only_the_newest_metrics() {
    let (mut world, mut instance) = (World::new(), Instance::new());
    instance.poll(&world);
    let mut session = connect(&Client::default(), &instance, &world, &Filter::all());
    pull(&mut session, &instance, &world);
    for n in 0..3 {
        world.pass(Duration::from_secs(1));
        let id = format!("n{n}");
        world.rows.insert(id.clone(), item(&id, world.now.wall.millis(), 0, 0.5, &["AAPL"]));
        instance.poll(&world);
    }
    let expected = ["sentiment_update", "sentiment_update", "sentiment_update", "metrics"];
    assert_eq!(event_names(&pull(&mut session, &instance, &world)), expected);
}

/// Rows of this moment, in their order.
fn insert_many(world: &mut World, rows: usize, tag: &str) {
    let first = world.rows.len();
    for n in first..first + rows {
        let id = format!("n{n:06}");
        world.rows.insert(id.clone(), item(&id, world.now.wall.millis() + n as u64 % 1000, 0, 0.5, &[tag]));
    }
}

#[test]
fn what_one_poll_brought_reaches_every_reader_however_much_it_is() {
    for filter in ["", "AAPL", "MSFT"] {
        let filter = if filter.is_empty() { Filter::all() } else { Filter::parse(filter).unwrap() };
        let (mut world, mut instance) = (World::new(), Instance::new());
        instance.poll(&world);
        let mut client = Client::default();
        let mut session = connect(&client, &instance, &world, &filter);
        client.receive(&pull(&mut session, &instance, &world));
        world.pass(Duration::from_secs(5));
        insert_many(&mut world, 700, "AAPL");
        insert_many(&mut world, 30, "MSFT");
        instance.poll(&world);
        client.receive(&pull(&mut session, &instance, &world));
        let mut expected: Vec<_> = world.rows.values().filter(|row| filter.matches(row)).collect();
        expected.sort_by_key(|row| (row.at, row.key.place(Identity::KeyAndTime)));
        let expected: Vec<String> = expected.into_iter().map(|row| row.key.id.to_string()).collect();
        assert_eq!(client.got.iter().map(|got| got.0.clone()).collect::<Vec<_>>(), expected);
        assert_eq!((session.ended(), client.resets.len()), (None, 0));
    }
}

#[test]
fn only_a_reader_behind_what_is_kept_is_sent_away_and_only_for_what_it_wants() {
    let (mut world, mut instance) = (World { page_rows: 5000, ..World::new() }, Instance::new());
    instance.poll(&world);
    let client = || Client::default();
    let mut stuck = connect(&client(), &instance, &world, &Filter::all());
    let mut filtered = connect(&client(), &instance, &world, &Filter::parse("MSFT").unwrap());
    for session in [&mut stuck, &mut filtered] {
        pull(session, &instance, &world);
    }
    let rows = UPDATES_KEPT_BYTES / 400 / 3;
    for _ in 0..5 {
        world.pass(Duration::from_secs(5));
        insert_many(&mut world, rows, "AAPL");
        instance.poll(&world);
    }
    insert_many(&mut world, 1, "MSFT");
    world.pass(Duration::from_secs(5));
    instance.poll(&world);
    let expected = ["sentiment_update", "metrics", "heartbeat"];
    assert_eq!(event_names(&pull(&mut filtered, &instance, &world)), expected);
    assert_eq!(pull(&mut stuck, &instance, &world), b"retry: 1000\n\n");
    assert_eq!(stuck.ended(), Some("overflow"));
    assert_eq!(filtered.ended(), None);
}

#[test]
fn a_client_that_lacks_more_than_a_resume_brings_is_told() {
    for (rows, expected) in [(500, [""; 0].to_vec()), (501, vec!["overflow"])] {
        let (mut world, mut instance) = (World::new(), Instance::new());
        instance.poll(&world);
        let mut client = Client::default();
        client.receive(&pull(&mut connect(&client, &instance, &world, &Filter::all()), &instance, &world));
        world.pass(Duration::from_secs(5));
        insert_many(&mut world, rows, "AAPL");
        instance.poll(&world);
        client.receive(&pull(&mut connect(&client, &instance, &world, &Filter::all()), &instance, &world));
        assert_eq!(client.resets, expected);
    }
}

#[test]
fn whoever_is_told_to_stop_has_its_clients_back_at_another_time() {
    let (world, mut instance) = (World::new(), Instance::new());
    instance.poll(&world);
    let mut session = connect(&Client::default(), &instance, &world, &Filter::all());
    pull(&mut session, &instance, &world);
    let snapshot = instance.snapshot.as_ref();
    let told = View {
        snapshot,
        is_confirmed: true,
        shared: &Counted::default(),
        connections: 1,
        started: world.now.instant,
        shutdown: true,
        goodbye: false,
    };
    let expected = "retry: 2000\nevent: deadline\ndata: {\"reason\":\"shutdown\",\"reconnect_ms\":2000}\n\n";
    assert_eq!(session.step(world.now, told), Step::Send(expected.into()));
    assert_eq!(session.step(world.now, told), Step::Close);
}

#[test]
fn the_end_announces_when_to_come_back_and_nothing_follows() {
    let (mut world, mut instance) = (World::new(), Instance::new());
    instance.poll(&world);
    let mut session = connect(&Client::default(), &instance, &world, &Filter::all());
    pull(&mut session, &instance, &world);
    world.pass(Duration::from_secs(86_400 * 31));
    let expected = "retry: 1000\nevent: deadline\ndata: {\"reason\":\"session\",\"reconnect_ms\":1000}\n\n";
    assert_eq!(String::from_utf8(pull(&mut session, &instance, &world)).unwrap(), expected);
    assert_eq!(pull(&mut session, &instance, &world), b"");
}

#[test]
fn clients_at_one_place_are_handed_the_same_bytes_however_they_came_there() {
    let (mut world, mut instance) = (World::new(), Instance::new());
    instance.poll(&world);
    let put = |world: &mut World, id: &str| {
        let at = world.now.wall.millis();
        world.rows.insert(id.into(), item(id, at, 0, 0.5, &["AAPL"]));
    };
    let mut first = Client::default();
    let mut streams = vec![connect(&first, &instance, &world, &Filter::all())];
    first.receive(&pull(&mut streams[0], &instance, &world));
    world.pass(Duration::from_secs(5));
    put(&mut world, "a");
    instance.poll(&world);
    // One goes on from its cursor, another one has never had any.
    streams.push(connect(&first, &instance, &world, &Filter::all()));
    streams.push(connect(&Client::default(), &instance, &world, &Filter::all()));
    for session in &mut streams {
        pull(session, &instance, &world);
    }
    world.pass(Duration::from_secs(5));
    put(&mut world, "b");
    instance.poll(&world);
    let view = View {
        snapshot: instance.snapshot.as_ref(),
        is_confirmed: true,
        shared: &instance.shared,
        connections: 3,
        started: world.now.instant,
        shutdown: false,
        goodbye: false,
    };
    let mut all = streams.iter_mut().map(|session| match session.step(world.now, view) {
        Step::Send(bytes) => bytes,
        other => panic!("{other:?}"),
    });
    let bytes = all.next().unwrap();
    let text = std::str::from_utf8(&bytes).unwrap();
    assert!(text.contains("\"item_id\":\"b\"") && text.contains("event: metrics"), "{text}");
    for others in all {
        assert_eq!(others.as_ptr(), bytes.as_ptr());
    }
}

/// Rows that are so many minutes old when a client comes, one a second before.
fn insert_old(world: &mut World, minutes: &[u64]) {
    for minutes in minutes {
        let id = format!("old{minutes}");
        let at = world.now.wall.millis() - minutes * 60_000;
        world.rows.insert(id.clone(), item(&id, at, 0, 0.5, &["MSFT"]));
    }
}

#[test]
fn after_a_quiet_time_what_is_new_is_told_to_who_returns_however_short_the_window_is() {
    for window in ["1h", "2h", "6h", "12h", "24h"] {
        for old in [&[][..], &[10], &[46], &[55], &[61], &[200], &[1500], &[50, 52, 54, 56, 58, 60, 62, 64]] {
            for is_elsewhere in [false, true] {
                let mut world = World::new();
                world.pass(Duration::from_secs(17 * 60 + 24));
                insert_old(&mut world, old);
                let mut instances = [Instance::with_window(window), Instance::with_window(window)];
                let mut client = Client::default();
                for _ in 0..70 {
                    instances.iter_mut().for_each(|instance| instance.poll(&world));
                    world.pass(Duration::from_secs(5));
                }
                let mut session = connect(&client, &instances[0], &world, &Filter::all());
                client.receive(&pull(&mut session, &instances[0], &world));
                world.pass(Duration::from_secs(100));
                let id = "new".to_owned();
                world.rows.insert(id.clone(), item(&id, world.now.wall.millis(), 0, 0.5, &["AAPL"]));
                instances.iter_mut().for_each(|instance| instance.poll(&world));
                let at = &instances[usize::from(is_elsewhere)];
                let mut session = connect(&client, at, &world, &Filter::all());
                client.receive(&pull(&mut session, at, &world));
                let got: Vec<&str> = client.got.iter().map(|got| got.0.as_str()).collect();
                let what = format!("a window of {window}, rows {old:?} minutes old, elsewhere: {is_elsewhere}");
                assert_eq!((got, client.resets.len()), (vec!["new"], 0), "{what}");
            }
        }
    }
}

#[test]
fn who_was_away_while_rows_came_and_left_the_window_is_told_so() {
    let mut world = World::new();
    let mut instances = [Instance::with_window("1h"), Instance::with_window("1h")];
    insert_old(&mut world, &[5]);
    instances[0].poll(&world);
    let mut client = Client::default();
    client.receive(&pull(&mut connect(&client, &instances[0], &world, &Filter::all()), &instances[0], &world));
    for hour in 10..13 {
        world.pass(Duration::from_secs(3600));
        insert_old(&mut world, &[hour]);
        instances.iter_mut().for_each(|instance| instance.poll(&world));
    }
    for at in &instances {
        let mut back = Client { last_id: client.last_id.clone(), ..Client::default() };
        back.receive(&pull(&mut connect(&back, at, &world, &Filter::all()), at, &world));
        assert_eq!(back.resets, ["expired"]);
    }
}

#[test]
fn numbers_follow_a_long_replay_at_once_though_the_first_look_was_not_confirmed() {
    let (mut world, mut instance) = (World::new(), Instance::new());
    insert_old(&mut world, &[0]);
    instance.poll(&world);
    let mut client = Client::default();
    client.receive(&pull(&mut connect(&client, &instance, &world, &Filter::all()), &instance, &world));
    world.pass(Duration::from_secs(5));
    // One late row: where other instances have seen more is not known before a read.
    world.rows.insert("late".into(), item("late", world.now.wall.millis() - 60_000, 0, 0.5, &["AAPL"]));
    insert_many(&mut world, 99, "AAPL");
    let mut other = Instance::new();
    other.poll(&world);
    let numbers = client.metrics.len();
    let mut session = connect(&client, &other, &world, &Filter::all());
    for is_confirmed in [false, true] {
        client.receive(&pull_where(&mut session, &other, &world, is_confirmed));
    }
    assert_eq!((client.got.len(), client.metrics.len()), (100, numbers + 1));
}

#[test]
fn more_changes_than_an_id_tells_apart_are_told_once_where_all_of_them_were_seen() {
    for (changed, is_deleted) in [(4, false), (5, false), (12, false), (8, true), (9, true), (30, true)] {
        for is_elsewhere in [false, true] {
            let mut world = World::new();
            for n in 0..60_u64 {
                let id = format!("base{n}");
                let at = world.now.wall.millis() - n * 10_000;
                world.rows.insert(id.clone(), item(&id, at, 0, 0.5, &["AAPL"]));
            }
            let mut instances = [Instance::new(), Instance::new()];
            instances.iter_mut().for_each(|instance| instance.poll(&world));
            let mut client = Client::default();
            let mut session = connect(&client, &instances[0], &world, &Filter::all());
            client.receive(&pull(&mut session, &instances[0], &world));
            for _ in 0..6 {
                world.pass(Duration::from_secs(5));
                instances.iter_mut().for_each(|instance| instance.poll(&world));
            }
            for n in 0..changed {
                let id = format!("base{n}");
                match world.rows.get_mut(&id).filter(|_| !is_deleted) {
                    Some(row) => (row.label, row.score) = (2, Some(0.75)),
                    None => drop(world.rows.remove(&id)),
                }
            }
            for _ in 0..5 {
                world.pass(Duration::from_secs(5));
                instances.iter_mut().for_each(|instance| instance.poll(&world));
            }
            let at = &instances[usize::from(is_elsewhere)];
            let mut session = connect(&client, at, &world, &Filter::all());
            client.receive(&pull(&mut session, at, &world));
            let expected = if is_deleted { 0 } else { changed };
            let what = format!("{changed} changed, deleted: {is_deleted}, elsewhere: {is_elsewhere}");
            assert_eq!((client.got.len(), client.resets.len()), (expected, 0), "{what}: {:?}", client.got);
        }
    }
}
