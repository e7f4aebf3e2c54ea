//! Coming back: with an id that nobody knows, with one that nobody should send, and after cuts anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::observer::{CATCH_UP_TIMEOUTS, Observer, Seen};
use super::{Context, Verdict};
use crate::decode::shown;
use crate::options::updates_in_words;
use crate::report::counted;
use crate::stream::Failure;

/// Longest time before a cut, where too few bytes come.
const CUT_AFTER_MAX: Duration = Duration::from_millis(400);
/// Longest time between a cut and the return.
const AWAY_MAX: Duration = Duration::from_millis(100);
/// Findings of one kind that are named.
const NAMED_MAX: usize = 3;
/// How often a client without an id must be served beside one that is refused, until it is the id.
const CONTROLS: u32 = 3;
/// Time in which a server that works notices that a client left.
const ROOM_AFTER: Duration = Duration::from_millis(100);

/// Ids that come from elsewhere, and whether they may stand in a header at all.
fn hostile() -> Vec<(Vec<u8>, bool)> {
    let legal: [&[u8]; 20] = [
        b"0",
        b"-1",
        b"99999999999999999999999999",
        b"NaN",
        b"null",
        b"undefined",
        b"evt_unknown",
        b"2999-12-31T23:59:59.999Z",
        b"550e8400-e29b-41d4-a716-446655440000",
        b"' OR '1'='1'; DROP TABLE events; --",
        b"../../../../etc/passwd",
        b"..",
        b"%00%0d%0aX-Injected: 1",
        b"${jndi:ldap://127.0.0.1/a}",
        b"{\"$gt\":\"\"}",
        b"a\tb",
        b"a,b;c=\"d\"",
        b"\xff\xfe\xf0\x28\x8c\xbc",
        "\u{202e}\u{1f4a9}\u{0}".trim_end_matches('\0').as_bytes(),
        b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    ];
    let long = [vec![b'A'; 8 * 1024], b"9".repeat(1000)];
    // RFC 9110 5.5: a server refuses these or replaces them.
    let illegal: [&[u8]; 3] = [b"a\0b", b"a\x01b", b"a\x7fb"];
    let legal = legal.into_iter().map(<[u8]>::to_vec).chain(long).map(|id| (id, true));
    legal.chain(illegal.into_iter().map(|id| (id.to_vec(), false))).collect()
}

/// What a client got that brought an odd id, or none.
enum Served {
    Well,
    /// No stream, though there was an answer or an end of the connection: perhaps only for lack of room.
    Refused(String),
    Silently(String),
}

pub(super) async fn hostile_ids(context: &Context) -> Verdict {
    let mut found = Vec::new();
    let ids = hostile();
    let count = ids.len();
    for (id, legal) in ids {
        let why = match serve(context, Some((&id, legal))).await {
            Served::Well => continue,
            Served::Silently(why) => why,
            // A few findings say enough, and each takes a while to tell from a server that is full.
            Served::Refused(why) if found.len() >= NAMED_MAX => why,
            Served::Refused(_) => match worse(context, &id, legal).await {
                Some(why) => why,
                None => continue,
            },
        };
        found.push(format!("{}: {why}", shown(&id)));
    }
    match Verdict::of(found) {
        Verdict::Passed(_) => Verdict::passed(format!("{count} ids")),
        verdict => verdict,
    }
}

/// One visit with this id, and whether it may stand in a header at all; or with none.
async fn serve(context: &Context, id: Option<(&[u8], bool)>) -> Served {
    let options = &context.options;
    let talks = context.sample.decoder.events().next().map(|(at, _)| at);
    // As long as the first stream needed, and some more; a server that says nothing at first cannot be told from silence.
    let limit = talks.map_or(Duration::ZERO, |at| (at * 4).clamp(Duration::from_millis(500), options.timeout));
    let (id, legal) = id.unwrap_or((b"", true));
    match options.request(0).last_id(id).send().await {
        Ok(answer) if answer.head.status == 400 && !legal => Served::Well,
        Ok(mut answer) if answer.head.is_stream() => {
            if talks.is_some() && answer.first_event(limit).await.is_none() {
                return Served::Silently(format!("no event within {limit:?}"));
            }
            Served::Well
        }
        Ok(answer) => Served::Refused(format!("status {}", answer.head.status)),
        Err(Failure::Closed | Failure::Broken(_)) if !legal => Served::Well,
        Err(failure @ (Failure::Closed | Failure::Broken(_))) => Served::Refused(failure.to_string()),
        Err(failure) => Served::Silently(failure.to_string()),
    }
}

/// Why a client with this id, who was refused, is refused again and again while one without an id is not. A server that has not noticed yet
/// that others left has no room for either; it gets time until there is.
async fn worse(context: &Context, id: &[u8], legal: bool) -> Option<String> {
    let (began, mut beside) = (Instant::now(), 0);
    loop {
        let has_room = matches!(serve(context, None).await, Served::Well);
        beside += u32::from(has_room);
        // What was just closed is to be noticed, even by one that is slow at it.
        tokio::time::sleep(ROOM_AFTER * (beside + 1)).await;
        match serve(context, Some((id, legal))).await {
            Served::Well => return None,
            Served::Silently(why) => return Some(why),
            Served::Refused(why) if beside >= CONTROLS => return Some(why),
            Served::Refused(why) if began.elapsed() > context.options.timeout => {
                return Some(format!("{why}, and after it clients without an id are refused too"));
            }
            Served::Refused(_) => {}
        }
    }
}

pub(super) async fn unknown_id(context: &Context) -> Verdict {
    let options = &context.options;
    let observer = match Observer::start(context).await {
        Ok(observer) => observer,
        Err(verdict) => return verdict,
    };
    let mut client = match options.request(0).send().await {
        Ok(client) => client,
        Err(failure) => return Verdict::found(failure.to_string()),
    };
    if let Err(why) = trigger(context).await {
        return Verdict::skipped(why);
    }
    let has = |stream: &crate::stream::Stream| {
        !stream.decoder.last_id().is_empty()
            && stream.decoder.events().any(|(_, event)| options.identity(event).is_some())
    };
    if !client.until(options.timeout, has).await {
        return no_update(context, &observer.seen());
    }
    let known = client.decoder.last_id().to_vec();
    drop(client);
    let before = observer.seen().updates.len();
    if let Err(why) = trigger(context).await {
        return Verdict::skipped(why);
    }
    if !observer.more_than(before, options.timeout).await {
        return Verdict::skipped("no further update came; --trigger causes some");
    }
    let missed: BTreeSet<String> = observer.seen().updates[before..].iter().cloned().collect();
    let (of_known, _) = greeting(context, &known).await;
    let (of_unknown, updates) = greeting(context, b"sse-check-no-such-id").await;
    if let Some(reset) = &options.reset_event {
        return match of_unknown.contains(reset) {
            true => Verdict::Passed(None),
            false => Verdict::found(format!("no `{reset}` event within {:?}; only {of_unknown:?}", options.first_byte)),
        };
    }
    if missed.is_subset(&updates) {
        return Verdict::passed("what was missed is sent again");
    }
    match of_unknown.difference(&of_known).next() {
        Some(name) => Verdict::passed(format!("it is told by `{name}`")),
        None => Verdict::found(format!(
            "{} updates were missed, and nothing says so: an unknown id gets the same as a known one, {of_unknown:?}",
            missed.len()
        )),
    }
}

/// Types of the events that greet a client with this id, and the updates among them.
async fn greeting(context: &Context, id: &[u8]) -> (BTreeSet<String>, BTreeSet<String>) {
    let options = &context.options;
    let Ok(mut client) = options.request(0).last_id(id).send().await else {
        return Default::default();
    };
    client.listen(options.first_byte).await;
    let (mut types, mut updates) = (BTreeSet::new(), BTreeSet::new());
    for (_, event) in client.decoder.events() {
        match options.identity(event) {
            Some(identity) => drop(updates.insert(identity)),
            None => drop(types.insert(event.name.clone())),
        }
    }
    (types, updates)
}

async fn trigger(context: &Context) -> Result<(), String> {
    match &context.options.trigger {
        Some(action) => action.run().await,
        None => Ok(()),
    }
}

/// What to say where there is nothing to compare. Where it is said what updates are, they are to be compared; elsewhere it is said how.
fn no_update(context: &Context, seen: &Seen) -> Verdict {
    let options = &context.options;
    if !options.names_updates() || seen.events.is_empty() || !seen.updates.is_empty() {
        return Verdict::skipped("no update with an id came; --trigger causes some, --update-event names them");
    }
    let wanted = updates_in_words(options.update_event.as_deref(), &options.id_fields);
    let came = counted(seen.events.iter().map(|(name, count)| (name.as_str(), *count)));
    Verdict::found(format!("no update came: looked for {wanted}; what came: {came}; --trigger causes updates"))
}

/// Whether the first stream had events, and none of the type that updates are said to have: what those have nobody knows yet.
fn lacks_update_type(context: &Context) -> bool {
    let (mut events, wanted) = (context.sample.decoder.events().peekable(), context.options.update_event.as_ref());
    events.peek().is_some() && wanted.is_some_and(|wanted| events.all(|(_, event)| event.name != *wanted))
}

pub(super) async fn resume(context: &Context) -> Verdict {
    let options = &context.options;
    let no_id = Verdict::skipped("no event has an id, so there is nothing to come back with");
    let may_lack_ids = options.trigger.is_none();
    if may_lack_ids
        && context.sample.decoder.events().all(|(_, event)| event.own_id.is_none())
        && !lacks_update_type(context)
    {
        return no_id;
    }
    let observer = match Observer::start(context).await {
        Ok(observer) => observer,
        Err(verdict) => return verdict,
    };
    let mut client = Client::default();
    for _ in 0..options.cuts {
        // Away for a while, so that something is missed.
        tokio::time::sleep(AWAY_MAX.mul_f64(fastrand::f64())).await;
        if let Err(why) = trigger(context).await {
            return Verdict::skipped(why);
        }
        let bytes = 1 + fastrand::u64(..options.cut_bytes.max(1));
        let time = CUT_AFTER_MAX.mul_f64(fastrand::f64());
        if let Err(why) = client.read(context, time, |stream| stream.bytes >= bytes).await {
            return Verdict::found(format!("coming back with {}: {why}", shown(&client.last_id)));
        }
    }
    // Whoever is behind, the observer or the client, gets time to catch up with what the other had by now.
    let seen = observer.seen();
    if let Some(failure) = seen.failure {
        return Verdict::found(format!("the stream that nobody cut broke off: {failure}"));
    }
    if seen.updates.is_empty() {
        return no_update(context, &seen);
    }
    if let Some(id) = seen.shared_id {
        return Verdict::skipped(format!(
            "events of different types or data have one id, such as {id}: --update-event names those that must arrive once"
        ));
    }
    if may_lack_ids && client.last_id.is_empty() {
        return no_id;
    }
    let goal = seen.updates;
    let began = Instant::now();
    while !client.has_all(&goal) && began.elapsed() < options.timeout * CATCH_UP_TIMEOUTS {
        let before = client.updates.len();
        if let Err(why) = client.read(context, options.timeout, |_| false).await {
            return Verdict::found(format!("coming back with {}: {why}", shown(&client.last_id)));
        }
        if client.updates.len() == before {
            break;
        }
    }
    observer.catches_up(options.timeout, |seen| has_all(seen, client.common(seen))).await;
    if let Some(failure) = observer.seen().failure {
        return Verdict::found(format!("the stream that nobody cut broke off: {failure}"));
    }
    client.compare(&goal, &observer.seen().updates, options.cuts)
}

/// A client that is cut and comes back.
#[derive(Default)]
struct Client {
    last_id: Vec<u8>,
    updates: Vec<String>,
    /// Where the first visit with an id began to count.
    counts: bool,
}

impl Client {
    /// One visit, to any of the URLs; ends with a close or a reset.
    async fn read(
        &mut self,
        context: &Context,
        time: Duration,
        enough: impl Fn(&crate::stream::Stream) -> bool,
    ) -> Result<(), String> {
        let options = &context.options;
        // The first visit is where the observer is: another instance may not know yet what the observer's knew when it began, and its client gets
        // that as news.
        let target = if self.last_id.is_empty() { 0 } else { fastrand::usize(..options.targets.len()) };
        let request = options.request(target).last_id(&self.last_id);
        let mut stream = request.send().await.map_err(|failure| failure.to_string())?;
        if !stream.head.is_stream() {
            return Err(format!("status {}", stream.head.status));
        }
        stream.until(time, enough).await;
        let last = stream.decoder.last_id().to_vec();
        if !last.is_empty() || self.counts {
            self.counts = true;
            self.updates.extend(stream.decoder.events().filter_map(|(_, event)| options.identity(event)));
        }
        if !last.is_empty() {
            self.last_id = last;
        }
        if fastrand::bool() {
            stream.abort();
        }
        Ok(())
    }

    /// Where this client's part of what the observer saw begins.
    fn start(&self, observed: &[String]) -> Option<usize> {
        let mine: BTreeSet<&String> = self.updates.iter().collect();
        let first = observed.iter().position(|one| mine.contains(one));
        first.or(if self.counts { None } else { Some(0) })
    }

    /// What this client had since the first update that the observer saw too. Which of the two began first is not known: an id of the
    /// time before a server knew anything is no place.
    fn common(&self, observed: &[String]) -> &[String] {
        let observed: BTreeSet<&String> = observed.iter().collect();
        let first = self.updates.iter().position(|one| observed.contains(one));
        &self.updates[first.unwrap_or(0)..]
    }

    fn has_all(&self, goal: &[String]) -> bool {
        self.start(goal).is_some_and(|start| has_all(&self.updates, &goal[start..]))
    }

    fn compare(&self, goal: &[String], observed: &[String], cuts: u32) -> Verdict {
        let Some(start) = self.start(observed) else {
            return Verdict::found(format!(
                "{} updates came, and the client that was cut got none of them",
                goal.len()
            ));
        };
        let (had, wanted, all) =
            (counts(self.common(observed)), counts(&goal[start.min(goal.len())..]), counts(&observed[start..]));
        let lost: Vec<&&String> =
            wanted.iter().filter(|(one, n)| had.get(*one) < Some(n)).map(|(one, _)| one).collect();
        let (strange, more): (Vec<_>, Vec<_>) = had
            .iter()
            .filter(|(one, n)| all.get(*one) < Some(n))
            .map(|(one, _)| one)
            .partition(|one| !all.contains_key(**one));
        let mut found = Vec::new();
        for (what, which) in [("lost", lost), ("sent again", more), ("never observed", strange)] {
            if !which.is_empty() {
                let named = &which[..which.len().min(NAMED_MAX)];
                found.push(format!("{} of {} updates {what}, such as {named:?}", which.len(), all.len()));
            }
        }
        if found.is_empty() {
            let places: BTreeMap<&String, usize> = observed.iter().enumerate().map(|(n, one)| (one, n)).collect();
            let order: Vec<usize> = self.updates.iter().filter_map(|one| places.get(one).copied()).collect();
            if let Some(pair) = order.windows(2).find(|pair| pair[0] > pair[1]) {
                found.push(format!("out of order: `{}` came before `{}`", observed[pair[0]], observed[pair[1]]));
            }
        }
        if !found.is_empty() {
            return Verdict::Found(found);
        }
        Verdict::passed(format!("{} updates over {cuts} cuts", self.updates.len()))
    }
}

/// Whether each of these is among them, as often.
fn has_all(had: &[String], wanted: &[String]) -> bool {
    let had = counts(had);
    counts(wanted).iter().all(|(one, n)| had.get(one) >= Some(n))
}

fn counts(all: &[String]) -> BTreeMap<&String, usize> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}
