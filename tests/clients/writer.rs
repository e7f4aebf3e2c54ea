//! Changes a table as analysts do: new rows, rows that show up late, rows analysed anew.
//!
//! It keeps within what the stream guarantees: of late and of changed rows, only as many are under way to any client as an
//! event id can tell apart.

use std::time::{Duration, Instant};

use super::roster::Listener;
use super::scene::POLL;
use super::{Update, thousandths};
use crate::support::table::{Row, SENTIMENTS, Table};

/// Differences that are under way at most: a late row is one, however many tickers it has, a row analysed anew is two. An event
/// id can tell twice as many apart; the other half is kept for versions that a server has never read, which the ids of its
/// clients carry along for a while, and for rows that come late by themselves while three servers read in turns.
const DIFFERENCES_MAX: usize = 4;
const TICKERS: [&str; 5] = ["AAPL", "AMZN", "GOOGL", "MSFT", "NVDA"];

/// Time after which every server has read what was written.
const READ_BY_ALL: Duration = POLL.saturating_mul(3);

/// A late or changed row.
struct UnderWay {
    updates: Vec<Update>,
    written: Instant,
    differences: usize,
}

impl UnderWay {
    /// Whether a client's id tells of the row, wherever it goes: until a server has read it, one that has had it from
    /// another server differs as much as one that has not.
    fn is_known_to(&self, client: &Listener) -> bool {
        let read_by_all = self.written + READ_BY_ALL;
        let mut wanted = self.updates.iter().filter(|update| client.wants(update)).peekable();
        let heard = if wanted.peek().is_some() {
            wanted.all(|update| client.ear.has(update))
        } else {
            // Nobody tells this client, but the id of whatever it hears next counts the row.
            client.ear.last_at().is_some_and(|at| at > read_by_all)
        };
        heard && read_by_all < Instant::now()
    }
}

/// What was written.
pub(super) struct Writer<'a> {
    table: &'a Table,
    random: fastrand::Rng,
    rows: Vec<Row>,
    written: Vec<Update>,
    /// Late and changed rows that may be unknown to a client or a server.
    under_way: Vec<UnderWay>,
    /// Rows that were late so far.
    pub late: usize,
    /// Rows that were analysed anew so far.
    pub anew: usize,
}

pub(super) fn updates_of(row: &Row) -> Vec<Update> {
    let one = |ticker: &String| Update {
        item_id: row.id.clone(),
        ticker: ticker.clone(),
        label: row.label.clone(),
        score: thousandths(row.score),
    };
    row.tags.iter().map(one).collect()
}

impl<'a> Writer<'a> {
    /// Writes to this table.
    pub(super) fn new(table: &'a Table, random: fastrand::Rng) -> Self {
        Self { table, random, rows: Vec::new(), written: Vec::new(), under_way: Vec::new(), late: 0, anew: 0 }
    }

    /// Everything so far, in the order of writing.
    pub(super) fn written(&self) -> &[Update] {
        &self.written
    }

    /// Writes or rewrites one row.
    pub(super) async fn change(&mut self, listeners: &[Listener]) {
        let everybody_has = |update: &Update| listeners.iter().all(|one| !one.wants(update) || one.ear.has(update));
        self.under_way.retain(|one| !listeners.iter().all(|client| one.is_known_to(client)));
        let room = DIFFERENCES_MAX - self.under_way.iter().map(|one| one.differences).sum::<usize>();
        match self.random.u8(..7) {
            0..2 if room >= 1 => {
                let tickers = self.tickers(3);
                let lateness = Duration::from_millis(self.random.u64(1_000..=480_000));
                let row = self.row(&tickers).ago(lateness);
                self.late += 1;
                self.write(row, 1).await;
            }
            2..5 => {
                // A version that somebody has not heard must not be replaced; the old and the new one are two differences.
                let fits = |row: &&Row| room >= 2 && updates_of(row).iter().all(everybody_has);
                let rows: Vec<Row> = self.rows.iter().filter(fits).cloned().collect();
                let Some(mut row) = self.random.choice(rows) else { return };
                // Back to an older version would be two equal updates.
                while updates_of(&row).iter().any(|update| self.written.contains(update)) {
                    row.score = self.score();
                    row.label = self.random.choice(SENTIMENTS.labels).expect("there are labels").to_string();
                }
                self.anew += 1;
                self.write(row, 2).await;
            }
            _ => {
                let tickers = self.tickers(3);
                let row = self.row(&tickers);
                self.write(row, 0).await;
            }
        }
    }

    fn tickers(&mut self, max: usize) -> Vec<&'static str> {
        let count = self.random.usize(1..=max);
        self.random.choose_multiple(TICKERS, count)
    }

    fn row(&mut self, tickers: &[&str]) -> Row {
        let label = self.random.choice(SENTIMENTS.labels).expect("there are labels");
        let score = self.score();
        // Text that trips decoders which cut at characters instead of bytes, or at line ends of their own.
        let source = "dow\u{2028}jones — 新聞 😀".to_owned();
        Row { score, source, ..Row::new(&format!("row-{}", self.rows.len()), label, tickers) }
    }

    fn score(&mut self) -> f64 {
        f64::from(self.random.i32(-1000..=1000)) / 1000.0
    }

    async fn write(&mut self, row: Row, differences: usize) {
        self.table.put(&row).await;
        let updates = updates_of(&row);
        if differences > 0 {
            let written = Instant::now();
            self.under_way.push(UnderWay { updates: updates.clone(), written, differences });
        }
        self.written.extend(updates);
        match self.rows.iter_mut().find(|known| known.id == row.id) {
            Some(known) => *known = row,
            None => self.rows.push(row),
        }
    }
}
