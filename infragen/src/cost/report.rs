//! How an estimate reads: a table and a few sentences for people, one JSON object for programs.

use std::time::Duration;

use contract::units::duration_text;
use serde_json::{Value, json};

use super::attack::attack;
use super::model::Line;
use super::setup::{Assumptions, Setup};
use super::visit::{GOODBYE_SHARE, mean_session_secs};
use super::{Attack, BreakEven, Estimate, OwnStreams, Prices};
use crate::manifest::aws::Compute;

/// What is reported, beside the estimate itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Beginning of every resource's name.
    pub name: &'a str,
    /// Region of the manifest.
    pub region: &'a str,
    /// What costs something.
    pub setup: &'a Setup,
    /// The assumptions.
    pub assumptions: &'a Assumptions,
    /// The prices.
    pub prices: &'a Prices,
    /// Whether what is free was taken off.
    pub has_free_tier: bool,
}

/// What the estimate leaves out, one sentence each.
pub const LEFT_OUT: [&str; 5] = [
    "writing, storing and restoring items: they are there without this project, only its index is not",
    "the REST API: the page does not call it",
    "storage of logs, Terraform state and the page: cents",
    "start of instances (some 50 ms each) and what a network needs to reach DynamoDB",
    "taxes, support, discounts, tiers beyond the first",
];

/// What is said above the table where nobody gets a stream.
const STOPPED: &str = "The stream function is stopped, `stream.reserved_concurrency` is `0`: the table has what is billed nevertheless, \
                       and the sentences below it are about the time when it runs again.\n";

/// Writes digits in groups of three.
fn grouped(digits: &str) -> String {
    let first = digits.len() % 3;
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 3 == first {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes a number with so many decimals and its whole part in groups.
fn number(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.split_once('.') {
        Some((whole, rest)) => format!("{}.{rest}", grouped(whole)),
        None => grouped(&text),
    }
}

/// Writes a count.
pub(super) fn grouped_count(count: u32) -> String {
    grouped(&count.to_string())
}

/// Writes how many watch.
pub(super) fn viewers_text(count: u32) -> String {
    format!("{} {}", grouped_count(count), if count == 1 { "viewer" } else { "viewers" })
}

/// Writes a quantity with three digits that count, without the zeros at the end of what is exact.
fn quantity(value: f64) -> String {
    let decimals = decimals(value, 3);
    let text = number(value, decimals);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Decimals that show so many digits that count: none from the thousands on, no more than nine.
fn decimals(value: f64, digits: usize) -> usize {
    let mut decimals = digits - 1;
    let mut scaled = value.abs();
    while scaled >= 10.0 && decimals > 0 {
        (scaled, decimals) = (scaled / 10.0, decimals - 1);
    }
    while scaled > 0.0 && scaled < 1.0 && decimals < 9 {
        (scaled, decimals) = (scaled * 10.0, decimals + 1);
    }
    decimals
}

/// Writes an amount with cents, without the sign of its currency.
pub(super) fn cents(value: f64) -> String {
    number(value, 2)
}

/// Writes dollars: cents for what fills a bill, two digits that count for what is less than a cent.
pub(super) fn dollars(value: f64) -> String {
    if value == 0.0 || value >= 0.1 {
        return format!("${}", number(value, 2));
    }
    format!("${}", number(value, decimals(value, 2)))
}

/// Writes a price as the table of prices has it; one that was reckoned may have a last digit that is the machine's.
fn price(value: f64) -> String {
    let text = format!("{}", (value * 1e12).round() / 1e12);
    match text.split_once('.') {
        Some((_, cents)) if cents.len() >= 2 => text,
        _ => format!("{value:.2}"),
    }
}

fn seconds(secs: f64) -> String {
    format!("{} s", number(secs, 0))
}

/// Writes the estimate for people.
#[must_use]
pub fn human(about: &About<'_>, estimate: &Estimate) -> String {
    let mut out = head(about);
    out.push_str(&table(estimate, about.has_free_tier));
    for paragraph in answers(about, estimate) {
        out.push_str(&format!("\n{paragraph}\n"));
    }
    out.push_str("\nNot counted:\n");
    for sentence in LEFT_OUT {
        out.push_str(&format!("- {sentence}\n"));
    }
    out
}

fn head(about: &About<'_>) -> String {
    let Assumptions { viewers, hours_per_day, items_per_day, visit } = *about.assumptions;
    let (date, region) = (about.prices.date.as_str(), about.prices.region.as_str());
    let free = if about.has_free_tier { "less what every account has free" } else { "nothing taken as free" };
    let mut out = format!(
        "A month of `{}`: {} for {hours_per_day} h a day, {} items a day, visits of {} on average.\n\
         Prices of {region}, {date}; {free}.\n",
        about.name,
        viewers_text(viewers),
        grouped(&items_per_day.to_string()),
        duration_text(visit),
    );
    out.extend(other_region(about.region, about.prices));
    if about.setup.is_stopped {
        out.push_str(STOPPED);
    }
    out.push('\n');
    out
}

/// Says that a manifest is of another region than the prices.
pub(super) fn other_region(region: &str, prices: &Prices) -> Option<String> {
    (region != prices.region.as_str())
        .then(|| format!("`project.region` is `{region}`: its prices differ, mostly upwards.\n"))
}

fn table(estimate: &Estimate, has_free_tier: bool) -> String {
    let mut rows = vec![row(["", "quantity a month", "free", "$ a unit", "$ a month"])];
    rows.extend(estimate.lines.iter().map(|line| {
        let amount = |value| format!("{} {}", quantity(value), line.unit);
        let free = if line.free > 0.0 { amount(line.free) } else { String::new() };
        [line.item.to_owned(), amount(line.quantity), free, price(line.unit_price), number(line.dollars, 2)]
    }));
    rows.push(row(["Total", "", "", "", &number(estimate.total, 2)]));
    if !has_free_tier {
        rows.iter_mut().for_each(|row| row[2].clear());
    }
    let widths: [usize; 5] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
    let line = |row: &[String; 5]| {
        let mut text = format!("{:<width$}", row[0], width = widths[0]);
        for column in (1..5).filter(|column| widths[*column] > 0) {
            text.push_str(&format!("  {:>width$}", row[column], width = widths[column]));
        }
        text.trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn row(cells: [&str; 5]) -> [String; 5] {
    cells.map(str::to_owned)
}

fn answers(about: &About<'_>, estimate: &Estimate) -> Vec<String> {
    let mut answers = vec![format!(
        "One more viewer: {} an hour, {} a month.",
        dollars(estimate.one_more.per_hour),
        dollars(estimate.one_more.per_month)
    )];
    answers.extend(about.setup.segment.map(|length| segments(about, estimate, length)));
    answers.extend(estimate.own.iter().flat_map(|own| [closed_tab(about, estimate, own), goodbyes(about, own)]));
    answers.push(hours(about, estimate));
    answers.extend(estimate.own.iter().flat_map(|own| [session(about, own), instances(about, own)]));
    answers.extend(too_many(about, estimate));
    answers.extend(estimate.attack.as_ref().map(attacked));
    answers
}

/// What is handed to many ends with none of them.
fn segments(about: &About<'_>, estimate: &Estimate, length: Duration) -> String {
    format!(
        "Shared segments: {} streams at once at most serve {} of one filter, each of whom asks CloudFront {} times an hour; a \
         closed tab costs nothing more.",
        number(estimate.load.streams, 1),
        viewers_text(about.assumptions.viewers),
        number(3600.0 / length.as_secs_f64(), 0),
    )
}

fn closed_tab(about: &About<'_>, estimate: &Estimate, own: &OwnStreams) -> String {
    let tab = &own.closed_tab;
    let (mean, worst) = (seconds(tab.mean_secs), seconds(tab.worst_secs));
    if about.setup.compute == Compute::ManagedInstances {
        return format!(
            "A closed tab: nothing by itself; it takes up a place for {mean} on average, {worst} at worst."
        );
    }
    format!(
        "A closed tab wastes {mean} on average, {}; at worst {worst}, {}. All of them: {} streams open at once for {}.",
        dollars(tab.mean_dollars),
        dollars(tab.worst_dollars),
        number(estimate.load.streams, 1),
        viewers_text(about.assumptions.viewers),
    )
}

fn goodbyes(about: &About<'_>, own: &OwnStreams) -> String {
    let (saved, share) = (own.goodbyes_save, number(GOODBYE_SHARE * 100.0, 0));
    let (verb, amount) = (verb(about.setup.has_goodbyes, saved), dollars(saved.abs()));
    format!("Goodbyes: `stream.goodbye = true` {verb} {amount} a month, if {share} % of closed tabs say that they go.")
}

fn hours(about: &About<'_>, estimate: &Estimate) -> String {
    let (saved, amount) = (estimate.hours.save, dollars(estimate.hours.save.abs()));
    let verb = verb(about.setup.shares_hours, saved);
    let from = match estimate.hours.pay_from {
        // The search ends within a hundredth.
        Some(items) => format!("it pays from some {} items a day on", grouped(&two_digits(items).to_string())),
        None => "it pays for no table".to_owned(),
    };
    format!(
        "Shared hours: `stream.share_hours = true` {verb} {amount} a month; for {} {from}. A large table is shown sooner at \
         a start in any case.",
        viewers_text(about.assumptions.viewers),
    )
}

const fn verb(is_on: bool, saved: f64) -> &'static str {
    match (is_on, saved >= 0.0) {
        (true, true) => "saves",
        (true, false) => "costs",
        (false, true) => "would save",
        (false, false) => "would cost",
    }
}

/// The next number up that has two digits and zeros.
fn two_digits(number: u32) -> u32 {
    let unit = 10_u32.pow(number.checked_ilog10().unwrap_or_default().saturating_sub(1));
    number.div_ceil(unit) * unit
}

fn session(about: &About<'_>, own: &OwnStreams) -> String {
    let (present, best) = (duration_text(own.session.present), duration_text(own.session.best));
    if own.session.saving < 0.005 {
        return format!("Session length: `stream.max_session`, {present}, costs least, to the cent.");
    }
    let timeout = about.setup.timeout_for(own.session.best).map_or_else(String::new, |timeout| {
        format!(", which needs `stream.timeout = \"{}\"`,", duration_text(timeout))
    });
    format!(
        "Session length: `stream.max_session = \"{best}\"`{timeout} costs least and saves {} a month ({} % of what viewers cost) against \
         {present}; viewers then reconnect every {} instead of every {}.",
        dollars(own.session.saving),
        number(own.session.saving_share * 100.0, 1),
        seconds(mean_session_secs(own.session.best)),
        seconds(mean_session_secs(own.session.present)),
    )
}

fn instances(about: &About<'_>, own: &OwnStreams) -> String {
    let hours = about.assumptions.hours_per_day;
    match own.instances {
        BreakEven::From(viewers) => format!(
            "Managed Instances are cheaper from {} on, for {hours} h a day; below that classic compute is.",
            viewers_text(viewers)
        ),
        BreakEven::NeverBelow(viewers) => format!(
            "Managed Instances are never cheaper below their limit: `stream.instances.max_vcpus` ends at {}, \
             and for {hours} h a day classic compute is cheaper up to there.",
            viewers_text(viewers)
        ),
    }
}

/// Says what nothing but the account's limit bounds, in one line; none where a reserve does, or nobody outside reaches it.
#[must_use]
pub fn warning(setup: &Setup, prices: &Prices) -> Option<String> {
    let attack = attack(setup, prices).filter(Attack::is_unbounded)?;
    Some(format!(
        "anybody can call it: an attack costs {} an hour of Lambda, which only the account's limit bounds; {} would",
        dollars(attack.per_hour),
        attack.reserves()
    ))
}

/// What somebody who means harm can spend, and what ends it.
fn attacked(attack: &Attack) -> String {
    let reserves = attack.reserves();
    let (instances, amount) = (number(attack.instances, 0), dollars(attack.per_hour));
    let bound = if attack.is_unbounded() {
        format!("only the account's limit (1,000 instances unless it asked for more) bounds it; {reserves} would")
    } else {
        format!("{reserves} bound it")
    };
    format!(
        "An attack: {instances} instances busy all the time cost {amount} an hour, reads of the table and traffic not counted; {bound}. \
         A reserve of 0 stops a function at once."
    )
}

/// What the manifest's own limits do to the estimate.
fn too_many(about: &About<'_>, estimate: &Estimate) -> Option<String> {
    let streams_max = estimate.streams_max.filter(|max| *max < estimate.load.streams)?;
    Some(format!(
        "Too many viewers: `stream.instances.max_vcpus` ends at {} streams; {} keep {} open.",
        number(streams_max, 0),
        viewers_text(about.assumptions.viewers),
        number(estimate.load.streams, 1),
    ))
}

/// Writes the estimate for programs: names carry their units.
#[must_use]
pub fn json(about: &About<'_>, estimate: &Estimate) -> String {
    let line = |line: &Line| {
        json!({
            "item": line.item, "quantity": line.quantity, "unit": line.unit, "free": line.free,
            "unit_price_usd": line.unit_price, "month_usd": line.dollars, "is_fixed": line.is_fixed,
        })
    };
    let secs = |duration: Duration| duration.as_secs_f64();
    let own = estimate.own.as_ref();
    let value = json!({
        "name": about.name,
        "region": about.region,
        "prices": { "region": about.prices.region.as_str(), "date": about.prices.date.as_str() },
        "free_tier": about.has_free_tier,
        "stopped": about.setup.is_stopped,
        "assumptions": {
            "viewers": about.assumptions.viewers,
            "hours_per_day": about.assumptions.hours_per_day,
            "items_per_day": about.assumptions.items_per_day,
            "visit_seconds": secs(about.assumptions.visit),
        },
        "load": {
            "visits": estimate.load.visits, "sessions": estimate.load.sessions,
            "open_hours": estimate.load.open_hours, "watched_hours": estimate.load.watched_hours,
            "streams": estimate.load.streams, "streams_max": estimate.streams_max,
        },
        "lines": estimate.lines.iter().map(line).collect::<Vec<Value>>(),
        "month_usd": estimate.total,
        "one_more_viewer": { "hour_usd": estimate.one_more.per_hour, "month_usd": estimate.one_more.per_month },
        "closed_tab": own.map(|own| json!({
            "mean_seconds": own.closed_tab.mean_secs, "mean_usd": own.closed_tab.mean_dollars,
            "worst_seconds": own.closed_tab.worst_secs, "worst_usd": own.closed_tab.worst_dollars,
        })),
        "goodbyes_save_month_usd": own.map(|own| own.goodbyes_save),
        "shared_hours": {
            "save_month_usd": estimate.hours.save, "pay_from_items_per_day": estimate.hours.pay_from,
        },
        "session": own.map(|own| json!({
            "present_seconds": secs(own.session.present), "best_seconds": secs(own.session.best),
            "saving_month_usd": own.session.saving,
        })),
        "managed_instances": own.map(|own| match own.instances {
            BreakEven::From(viewers) => json!({ "cheaper_from_viewers": viewers }),
            BreakEven::NeverBelow(viewers) => json!({ "cheaper_from_viewers": null, "viewers_max": viewers }),
        }),
        "attack": estimate.attack.map(|attack| json!({
            "instances": attack.instances, "hour_usd": attack.per_hour, "is_bounded": !attack.is_unbounded(),
        })),
        "not_counted": LEFT_OUT,
    });
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_what_counts() {
        for (value, expected) in
            [(0.0, "0"), (3.0, "3"), (1_234_567.8, "1,234,568"), (12.345, "12.3"), (0.012_34, "0.0123")]
        {
            assert_eq!(quantity(value), expected);
        }
        for (value, expected) in
            [(0.0, "$0.00"), (0.006_56, "$0.0066"), (0.000_094, "$0.000094"), (1234.5, "$1,234.50"), (0.1, "$0.10")]
        {
            assert_eq!(dollars(value), expected);
        }
        for (value, expected) in [
            (0.000_013_333_4, "0.0000133334"),
            (3.0, "3.00"),
            (0.2, "0.20"),
            (0.125, "0.125"),
            (0.15952 * 0.15, "0.023928"),
        ] {
            assert_eq!(price(value), expected);
        }
    }
}
