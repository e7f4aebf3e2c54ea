//! From a row that is written to the last of many clients: the program `server` on DynamoDB Local, and rows one by one.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use lambda::clock::Clock;
use sse_check::load::{Load, Run};
use sse_check::options::Options;
use sse_check::target::Target;

use crate::process::{Running, alone, free_port, table_env};
use crate::table::Table;

/// Time within which every client has its first numbers.
const OPEN_MAX: Duration = Duration::from_secs(60);
/// Time over which they come: a backlog takes them all, the load client opens them one by one.
const RAMP: Duration = Duration::from_secs(1);
/// Time between two rows: no divisor of a poll interval, so that rows come at any moment of one.
const ROW_EVERY: Duration = Duration::from_millis(137);
/// Streams that the server may have beside those that are measured.
const STREAMS_BESIDE: usize = 16;
/// What is late for the last client may be so much beyond the poll interval.
const BEYOND_MAX: Duration = Duration::from_millis(10);

/// How it is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivery {
    pub(crate) clients: usize,
    pub(crate) poll_interval: Duration,
    pub(crate) time: Duration,
}

impl Delivery {
    /// Starts `server` of that folder and writes to its table. Returns whether 99 of 100 deliveries took no longer than the poll interval and
    /// what is allowed beyond it, and nobody lacks anything or had it twice.
    pub(crate) async fn measure(self, address: SocketAddr, folder: &Path) -> Result<bool, String> {
        let mut table = Table::create(address).await?;
        let (port, mut running) = (free_port()?, Running::default());
        let mut command = alone(&folder.join("server"));
        let streams = (self.clients + STREAMS_BESIDE).to_string();
        table_env(&mut command, address).envs([
            ("SERVER_PORT", port.to_string()),
            ("SSE_POLL_INTERVAL", format!("{}ms", self.poll_interval.as_millis())),
            ("SSE_MAX_CONNECTIONS", streams.clone()),
            ("SSE_CONNECTIONS_PER_CLIENT", streams),
            ("SSE_MAX_SESSION", "880s".to_owned()),
        ]);
        running.spawn(&mut command)?;
        wait_for(port).await?;
        let (opened, open) = tokio::sync::oneshot::channel();
        let listening = tokio::task::spawn_blocking(move || self.listen(port, opened));
        if open.await.is_err() {
            return listening.await.map_err(|error| error.to_string())?;
        }
        let clock = Clock::system();
        let end = clock.now().instant + self.time;
        while clock.now().instant < end {
            table.write([clock.now().wall]).await?;
            tokio::time::sleep(ROW_EVERY).await;
        }
        listening.await.map_err(|error| error.to_string())?
    }

    #[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "what it is for: figures of a few digits")]
    fn listen(self, port: u16, opened: tokio::sync::oneshot::Sender<()>) -> Result<bool, String> {
        let target = Target::parse(&format!("http://127.0.0.1:{port}{}", contract::routes::STREAM))?;
        let options = Options {
            update_event: Some("sentiment_update".into()),
            id_fields: ["/item_id", "/ticker"].map(str::to_owned).into(),
            ..Options::new(vec![target])
        };
        let load = Load { clients: self.clients, ramp: RAMP, time_field: "/timestamp".into(), allows_refusals: false };
        let mut run = Run::new(&options, &load)?;
        let all = self.clients as u64;
        if !run.until(OPEN_MAX, |progress| progress.clients_with("metrics") == all)? {
            return Err(format!("{} of {all} clients have numbers", run.progress().clients_with("metrics")));
        }
        opened.send(()).map_err(|()| "nobody writes rows")?;
        run.until(self.time, |_| false)?;
        let owed = run.settle(self.poll_interval * 3)?;
        let report = run.report(&owed);
        let (times, spread) = (report.delivery, report.spread);
        let millis = |us: u64| us as f64 / 1e3;
        let beyond = millis(times.p99_us) - self.poll_interval.as_secs_f64() * 1e3;
        println!("| a row every {ROW_EVERY:?}, a poll every {:?} | {all} clients |", self.poll_interval);
        println!("| --- | ---: |\n| updates to clients | {} |", report.delivered);
        println!("| from the row to the client, 50 of 100 | {:.0} ms |", millis(times.p50_us));
        println!("| 99 of 100 | {:.0} ms |\n| the last | {:.0} ms |", millis(times.p99_us), millis(times.max_us));
        println!("| 99 of 100, beyond the poll interval | {beyond:.0} ms |");
        println!("| from the first client to the 99th of 100 | {:.1} ms |", millis(spread.p99_us));
        println!("| lost, doubled | {}, {} |", report.lost, report.doubled);
        Ok(beyond <= BEYOND_MAX.as_secs_f64() * 1e3 && report.lost + report.doubled == 0)
    }
}

async fn wait_for(port: u16) -> Result<(), String> {
    let up = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(OPEN_MAX, up).await.map_err(|_| "the server does not listen".to_owned())
}
