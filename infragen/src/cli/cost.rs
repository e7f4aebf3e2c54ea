//! `infragen cost`: reads the assumptions and a table of prices, prints the estimate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use contract::Environment;
use contract::limits::WINDOW;
use contract::units::{Bare, duration_text, parse_duration};
use infragen::constructs;
use infragen::cost::beside::{self, Column};
use infragen::cost::report::{self, About};
use infragen::cost::{Assumptions, Estimate, Prices, Setup, estimate, monthly_usd, prices, ways};
use infragen::diagnostic::{self, Input, Severity, Source};
use infragen::load::{self, LoadError, Loaded};
use infragen::manifest::{Manifest, Names, syntax};
use infragen::plan;

use super::shell::Shell;
use super::{Format, Outcome, Stopped};

/// Shortest visit that can be assumed; the longest is a day.
const VISIT_MIN: Duration = Duration::from_secs(1);

#[derive(Args, Debug, Default)]
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
    /// How long a tab stays open on average, 1s to 24h; else 10m.
    #[arg(long, value_name = "DURATION", value_parser = visit)]
    visit: Option<Duration>,
    /// Take off what every account has free each month, as if this project had all of it.
    #[arg(long)]
    free_tier: bool,
    /// TOML file whose keys replace those of the built-in table of prices.
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
    /// Print the built-in table of prices with its sources, and nothing else.
    #[arg(long, exclusive = true)]
    print_prices: bool,
    /// What one viewer costs an hour, for 1 to 1,000,000 viewers and few to many updates: the stream on each kind of machine beside polling
    /// and services that push.
    #[arg(long, conflicts_with_all = ["viewers", "hours_per_day", "items_per_day", "visit", "free_tier", "beside"])]
    ways: bool,
    /// Another environment of the manifest, or another manifest, whose month is reckoned beside this one.
    #[arg(long, value_name = "NAME|FILE")]
    beside: Option<String>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Short for `--format json`.
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

fn visit(text: &str) -> Result<Duration, String> {
    let visit = parse_duration(text, Bare::Refused).map_err(|error| error.to_string())?;
    if (VISIT_MIN..=WINDOW).contains(&visit) {
        return Ok(visit);
    }
    Err(format!("it must be from {} to {}", duration_text(VISIT_MIN), duration_text(WINDOW)))
}

/// One manifest and what a month of it costs.
struct Reckoned {
    name: String,
    region: &'static str,
    setup: Setup,
    assumptions: Assumptions,
    estimate: Estimate,
}

impl Reckoned {
    fn of(loaded: &Loaded, arguments: &CostArguments, prices: &Prices) -> Self {
        let manifest = &loaded.manifest;
        let charges = constructs::charges(&plan::plan(loaded), prices);
        let (setup, assumptions) = (Setup::of(manifest, charges), arguments.assumptions(manifest));
        let estimate = estimate(&setup, prices, &assumptions, arguments.free_tier);
        let name = Names::derive(manifest).base;
        Self { name, region: manifest.project.region.as_str(), setup, assumptions, estimate }
    }

    const fn column<'a>(&'a self, name: &'a str) -> Column<'a> {
        Column { name, region: self.region, estimate: &self.estimate }
    }

    fn about<'a>(&'a self, arguments: &CostArguments, prices: &'a Prices) -> About<'a> {
        About {
            name: &self.name,
            region: self.region,
            setup: &self.setup,
            assumptions: &self.assumptions,
            prices,
            has_free_tier: arguments.free_tier,
        }
    }
}

/// What somebody is told before an apply: what a month costs, and what a stranger could make of it where nothing bounds that.
pub(super) fn told(loaded: &Loaded, before: Option<f64>) -> Vec<String> {
    let (manifest, prices) = (&loaded.manifest, Prices::embedded());
    let charges = constructs::charges(&plan::plan(loaded), prices);
    let warning = report::warning(&Setup::of(manifest, charges.clone()), prices);
    let total = monthly_usd(manifest, charges, prices);
    [month(manifest, total, before)].into_iter().chain(warning).collect()
}

/// What a month costs as the manifest has it, what that is more or less than before, and for whom, in one line.
fn month(manifest: &Manifest, total: f64, before: Option<f64>) -> String {
    let Assumptions { viewers, hours_per_day, .. } = Assumptions::of(manifest);
    // Both are whole cents.
    let cents = before.map(|before| (total - before) * 100.0).map(f64::round);
    let change = match cents {
        None => String::new(),
        Some(0.0) => ", as before,".to_owned(),
        Some(cents) if cents > 0.0 => format!(", ${:.2} more than before,", cents / 100.0),
        Some(cents) => format!(", ${:.2} less than before,", -cents / 100.0),
    };
    format!(
        "about ${total:.2} a month{change} with {viewers} viewers for {hours_per_day} h a day; `infragen cost` says how"
    )
}

impl CostArguments {
    fn assumptions(&self, manifest: &Manifest) -> Assumptions {
        let own = Assumptions::of(manifest);
        Assumptions {
            viewers: self.viewers.unwrap_or(own.viewers),
            hours_per_day: self.hours_per_day.unwrap_or(own.hours_per_day),
            items_per_day: self.items_per_day.unwrap_or(own.items_per_day),
            visit: self.visit.unwrap_or(own.visit),
        }
    }
}

impl Shell<'_> {
    pub(super) fn cost(&self, arguments: &CostArguments) -> Stopped {
        if arguments.print_prices {
            self.print(prices::PRICES_TOML)?;
            return Ok(Outcome::Done);
        }
        let input = self.input()?;
        let prices = self.prices(arguments)?;
        let is_json = arguments.json || arguments.format == Format::Json;
        let one = Reckoned::of(&self.load_input(&input)?, arguments, &prices);
        if arguments.ways {
            let print = if is_json { ways::json } else { ways::human };
            self.print(&print(&one.name, one.region, &one.setup, &prices))?;
            return Ok(Outcome::Done);
        }
        let Some(beside) = &arguments.beside else {
            let about = one.about(arguments, &prices);
            let text = if is_json { report::json(&about, &one.estimate) } else { report::human(&about, &one.estimate) };
            self.print(&text)?;
            return Ok(Outcome::Done);
        };
        let other = Reckoned::of(&self.beside(beside, &input)?, arguments, &prices);
        if is_json {
            let both = [&one, &other].map(|each| report::json(&each.about(arguments, &prices), &each.estimate));
            self.print(&format!("[\n{},\n{}]\n", both[0].trim_end(), both[1]))?;
        } else {
            // Two files may describe projects of one name.
            let name = if Environment::new(beside).is_ok() { &other.name } else { beside };
            self.print(&beside::human(one.column(&one.name), other.column(name), &prices))?;
        }
        Ok(Outcome::Done)
    }

    /// Loads what the name of an environment or the path of a manifest stands for.
    fn beside(&self, name: &str, input: &Input) -> Result<Loaded, Outcome> {
        match Environment::new(name) {
            Ok(environment) => load::load(input, Some(&environment)).map_err(|error| match error {
                LoadError::UnknownEnvironment { name, .. } => {
                    let message = format!("`--beside` is `{name}`: `{}` has no `[env.{name}]`", input.manifest.name);
                    self.error(&message, Some("name an environment of the manifest, or the path of another manifest"));
                    Outcome::NeedsPerson
                }
                error @ LoadError::Invalid(_) => self.load_error(input, &error),
            }),
            Err(_) => {
                let source = self.read_source(name.as_ref(), "name an environment of the manifest, or a manifest")?;
                let overrides = self.global.overrides.clone();
                let logos = self.logos(&source, &overrides);
                let input = Input { manifest: source, overrides, logos };
                self.load_input(&input)
            }
        }
    }

    fn prices(&self, arguments: &CostArguments) -> Result<Prices, Outcome> {
        let Some(path) = &arguments.prices else { return Ok(Prices::embedded().clone()) };
        let source = self.read_source(path, "print the built-in table with `infragen cost --print-prices`")?;
        Prices::over(&source).map_err(|found| {
            let colour = self.colour(std::io::IsTerminal::is_terminal(&std::io::stderr()));
            self.complain(&diagnostic::human(&Input::new(source), &found, Severity::Error, colour));
            Outcome::NeedsPerson
        })
    }

    fn read_source(&self, path: &Path, hint: &str) -> Result<Source, Outcome> {
        let text = self.read(path, syntax::MANIFEST_BYTES_MAX as u64, Some(hint))?;
        Ok(Source { name: path.display().to_string(), text })
    }
}
