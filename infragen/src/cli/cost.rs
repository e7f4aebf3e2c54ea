//! `infragen cost`: reads the assumptions and a table of prices, prints the estimate.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use contract::limits::WINDOW;
use contract::units::{Bare, duration_text, parse_duration};
use infragen::cost::report::{self, About};
use infragen::cost::{Assumptions, Prices, Setup, estimate, prices};
use infragen::diagnostic::{self, Input, Severity, Source};
use infragen::manifest::{Manifest, Names};

use super::shell::Shell;
use super::{Format, Outcome, Stopped};

/// Shortest visit that can be assumed; the longest is a day.
const VISIT_MIN: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(super) struct CostArguments {
    /// Viewers at the same time; else `stream.expected_viewers`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    viewers: Option<u32>,
    /// Hours of a day for which they watch; else `cost.hours_per_day`.
    #[arg(long, value_name = "H", value_parser = clap::value_parser!(u32).range(1..=24))]
    hours_per_day: Option<u32>,
    /// Items that land in a day; else `cost.items_per_day`.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000_000))]
    items_per_day: Option<u32>,
    /// How long a tab stays open on average, 1s to 24h.
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = visit)]
    visit: Duration,
    /// Take off what every account has free each month, as if this project had all of it.
    #[arg(long)]
    free_tier: bool,
    /// TOML file whose keys replace those of the built-in table of prices.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Print the built-in table of prices with its sources, and nothing else.
    #[arg(long, exclusive = true)]
    print_prices: bool,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

fn visit(text: &str) -> Result<Duration, String> {
    let visit = parse_duration(text, Bare::Refused).map_err(|error| error.to_string())?;
    if (VISIT_MIN..=WINDOW).contains(&visit) {
        return Ok(visit);
    }
    Err(format!("it must be from {} to {}", duration_text(VISIT_MIN), duration_text(WINDOW)))
}

impl CostArguments {
    fn assumptions(&self, manifest: &Manifest) -> Assumptions {
        Assumptions {
            viewers: self.viewers.unwrap_or(manifest.stream.expected_viewers.get()),
            hours_per_day: self.hours_per_day.unwrap_or(manifest.cost.hours_per_day.get()),
            items_per_day: self.items_per_day.unwrap_or(manifest.cost.items_per_day.get()),
            visit: self.visit,
        }
    }
}

impl Shell<'_> {
    pub(super) fn cost(&self, arguments: &CostArguments) -> Stopped {
        if arguments.print_prices {
            self.print(prices::PRICES_TOML)?;
            return Ok(Outcome::Done);
        }
        let loaded = self.load()?;
        let prices = self.prices(arguments)?;
        let manifest = &loaded.manifest;
        let (setup, assumptions) = (Setup::of(manifest), arguments.assumptions(manifest));
        let estimate = estimate(&setup, &prices, &assumptions, arguments.free_tier);
        let about = About {
            name: &Names::derive(manifest).base,
            region: manifest.project.region.as_str(),
            setup: &setup,
            assumptions: &assumptions,
            prices: &prices,
            has_free_tier: arguments.free_tier,
        };
        match arguments.format {
            Format::Human => self.print(&report::human(&about, &estimate))?,
            Format::Json => self.print(&report::json(&about, &estimate))?,
        }
        Ok(Outcome::Done)
    }

    fn prices(&self, arguments: &CostArguments) -> Result<Prices, Outcome> {
        let Some(path) = &arguments.prices else { return Ok(Prices::embedded()) };
        let source = self.read_source(path, "print the built-in table with `infragen cost --print-prices`")?;
        Prices::over(&source).map_err(|found| {
            let colour = self.colour(std::io::IsTerminal::is_terminal(&std::io::stderr()));
            self.complain(&diagnostic::human(&Input::new(source), &found, Severity::Error, colour));
            Outcome::NeedsPerson
        })
    }

    #[expect(clippy::disallowed_methods, reason = "the user's own prices are read here and nowhere else")]
    fn read_source(&self, path: &std::path::Path, hint: &str) -> Result<Source, Outcome> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Source { name, text }),
            Err(error) => {
                self.error(&format!("`{name}` cannot be read: {error}"), Some(hint));
                Err(Outcome::NeedsPerson)
            }
        }
    }
}
