//! Properties of the estimate, over manifests and assumptions of every kind.

use super::*;
use crate::diagnostic::{Input, Source};
use crate::load;
use crate::{constructs, plan};

const ALL: [&str; 9] = [
    "",
    "[stream]\ngoodbye = true\n",
    "[stream]\nmemory = \"1 GiB\"\nmax_session = \"5s\"\npoll_interval = \"1s\"\n[package]\narchitecture = \"x86_64\"\n",
    "[stream]\nmax_session = \"800s\"\ntimeout = \"900s\"\npoll_interval = \"5m\"\nlate_interval = \"5m\"\n[operations]\ntracing = true\n",
    "[front]\nkind = \"cloudfront\"\nrate_limit = 2000\n",
    MANAGED,
    "[data]\nlabels = [\"open\"]\n[operations]\nalarms = false\ncloudwatch_dashboard = false\n",
    SESSION,
    SEGMENTS,
];
const SEGMENTS: &str = "[front]\nkind = \"cloudfront\"\nshared_segments = true\n";
const SESSION: &str = "[auth]\nmode = \"session\"\nsession_keys = [\"2\", \"1\"]\n";
const MANAGED: &str = "[terraform]\naws_provider = \">= 6.28.0, < 7.0.0\"\n[stream]\ncompute = \"managed-instances\"\n\
                       memory = \"2 GiB\"\n[stream.vpc]\nsubnets = [\"subnet-0123456789abcdef0\"]\n\
                       security_groups = [\"sg-0123456789abcdef0\"]\n";

fn setup(text: &str) -> Setup {
    let source = Source { name: "deploy.toml".into(), text: text.into() };
    match load::load(&Input::new(source), None) {
        Ok(loaded) => Setup::of(&loaded.manifest, constructs::charges(&plan::plan(&loaded), Prices::embedded())),
        Err(error) => panic!("{error:?}"),
    }
}

fn assume(viewers: u32, hours_per_day: u32) -> Assumptions {
    Assumptions { viewers, hours_per_day, items_per_day: 10_000, visit: Assumptions::VISIT_DEFAULT }
}

fn month(setup: &Setup, assumptions: &Assumptions) -> f64 {
    list_price(setup, Prices::embedded(), assumptions)
}

#[test]
fn lines_add_up_to_the_total_and_what_is_free_is_never_more_than_is_used() {
    let prices = Prices::embedded();
    for text in ALL {
        for viewers in [1, 20, 5000] {
            for has_free_tier in [false, true] {
                let estimate = estimate(&setup(text), prices, &assume(viewers, 8), has_free_tier);
                let sum: f64 = estimate.lines.iter().map(|line| (line.quantity - line.free) * line.unit_price).sum();
                assert!((sum - estimate.total).abs() < 1e-9, "{text}");
                assert!(estimate.lines.iter().all(|line| line.dollars >= 0.0 && line.free <= line.quantity), "{text}");
            }
            let (free, list) = (true, false);
            let total = |has_free| total(&lines(&setup(text), prices, &assume(viewers, 8), has_free));
            assert!(total(free) < total(list), "{text}");
        }
    }
}

#[test]
fn more_viewers_hours_or_items_never_cost_less() {
    for text in ALL {
        let setup = setup(text);
        let mut last = 0.0;
        for viewers in [1, 2, 20, 299, 300, 301, 1000, 50_000] {
            let now = month(&setup, &assume(viewers, 8));
            assert!(now > last, "{text}: {viewers} viewers");
            last = now;
        }
        for hours in 1..24 {
            assert!(month(&setup, &assume(50, hours)) < month(&setup, &assume(50, hours + 1)), "{text}: {hours} h");
        }
        let mut last = 0.0;
        for items_per_day in [0, 1000, 10_000, 1_000_000] {
            let now = month(&setup, &Assumptions { items_per_day, ..assume(50, 8) });
            assert!(now >= last, "{text}: {items_per_day} items");
            last = now;
        }
    }
}

#[test]
fn a_closed_tab_costs_no_more_than_a_whole_session() {
    let prices = Prices::embedded();
    for text in ALL {
        for secs in [1, 60, 600, 86_400] {
            let assumptions = Assumptions { visit: Duration::from_secs(secs), ..assume(20, 8) };
            let tab = closed_tab(&setup(text), prices, &assumptions);
            assert!(tab.mean_secs <= tab.worst_secs && tab.mean_dollars <= tab.worst_dollars, "{text}: {tab:?}");
        }
    }
}

#[test]
fn an_open_stream_costs_what_its_memory_costs_and_its_polls() {
    // 128 MiB on arm64: 0.125 × 3600 × $0.0000133334 = $0.0060 an hour, and three half units each 5 s without items.
    let quiet = Assumptions { items_per_day: 0, visit: Duration::from_secs(864_000), ..assume(20, 8) };
    let tab = closed_tab(&setup(""), Prices::embedded(), &quiet);
    let hour = tab.worst_dollars / tab.worst_secs * 3600.0;
    let expected = 0.006_000_03 + 1.5 * 720.0 * 0.125e-6;
    assert!((hour - expected).abs() < 0.01 * expected, "{hour} is not {expected}");
}

#[test]
fn a_quiet_table_is_read_whole_and_a_busy_one_in_slices() {
    let check = |text: &str, items_per_sec, secs, expected: f64| {
        let found = model::poll_units(&setup(text), items_per_sec, secs);
        assert!((found - expected).abs() < 1e-9, "{text}, {items_per_sec} a second: {found} is not {expected}");
    };
    let one = "[data]\nlabels = [\"open\"]\n";
    // 8192 bytes in the 10 min of the late window, and one byte more than that.
    let quiet = 8192.0 / 200.0 / 600.0;
    check(one, 0.0, 5.0, 0.5);
    check(one, quiet / 4.0, 5.0, 0.5);
    check(one, quiet, 5.0, 1.0);
    let slice = 600.0 * 5.0 / 55.0;
    check(one, quiet * 8193.0 / 8192.0, 5.0, 0.5 * (8193.0 / 600.0 * (5.0 + 15.0 + slice) / 4096.0 + 2.0));
    // Of three labels each has a third.
    check("", 3.0 * quiet, 5.0, 3.0);
    check("", 10.0, 5.0, 0.5 * (2000.0 * (5.0 + 15.0 + slice) / 4096.0 + 6.0));
    // A longer late window, a shorter late interval, and a poll that comes early because a session begins.
    let more = "[stream]\nlate_window = \"55m\"\nlate_interval = \"30s\"\n[stream.replay]\nwindow = \"1h\"\n";
    check(more, 10.0, 5.0, 0.5 * (2000.0 * (5.0 + 15.0 + 3300.0 * 5.0 / 25.0) / 4096.0 + 6.0));
    check(more, 10.0, 0.5, 0.5 * (2000.0 * (0.5 + 15.0 + 3300.0 * 0.5 / 29.5) / 4096.0 + 6.0));
    // Nothing can be left out where two polls take as long as the late interval.
    let rare = "[stream]\npoll_interval = \"20s\"\nlate_interval = \"40s\"\n";
    check(rare, 10.0, 20.0, 0.5 * 2000.0 * 600.0 / 4096.0);
}

#[test]
fn a_poll_of_more_rows_never_reads_less() {
    for text in ALL {
        let setup = setup(text);
        let mut last = 0.0;
        for items_per_sec in [0.0, 0.01, 0.02, 0.03, 0.07, 0.1, 1.0, 12.0, 1000.0] {
            let now = model::poll_units(&setup, items_per_sec, setup.poll.as_secs_f64());
            assert!(now >= last, "{text}: {items_per_sec} a second");
            last = now;
        }
    }
}

#[test]
fn a_shorter_window_makes_full_reads_smaller_and_nothing_else() {
    let prices = Prices::embedded();
    let busy = Assumptions { items_per_day: 1_000_000, ..assume(20, 8) };
    let of = |window: &str| lines(&setup(&format!("[data]\nwindow = \"{window}\"\n")), prices, &busy, false);
    let full = |lines: &[Line]| lines.iter().find(|line| line.item == "DynamoDB full re-reads").unwrap().quantity;
    let (day, quarter) = (of("24h"), of("6h"));
    assert!((full(&day) / full(&quarter) - 4.0).abs() < 0.01, "{} {}", full(&day), full(&quarter));
    let saves = (full(&day) - full(&quarter)) * prices.dynamodb.million_read_units.get();
    assert!((total(&day) - total(&quarter) - saves).abs() < 1e-6);
}

#[test]
fn no_other_session_length_is_cheaper() {
    let prices = Prices::embedded();
    for text in ALL {
        for secs in [20, 600, 7200] {
            let assumptions = Assumptions { visit: Duration::from_secs(secs), ..assume(400, 8) };
            let setup = setup(text);
            let found = best_session(&setup, prices, &assumptions);
            let cost = |millis| {
                let max_session = Duration::from_millis(millis);
                per_watched_hour(&Setup { max_session, ..setup.clone() }, prices, &assumptions)
            };
            let best = cost(u64::try_from(found.best.as_millis()).unwrap());
            for millis in (5000..889_000).step_by(1000) {
                assert!(best <= cost(millis), "{text}: {millis} ms is cheaper than {found:?}");
            }
            // Between whole seconds there is nothing to gain either.
            for millis in (5000..889_000).step_by(730) {
                assert!(best <= cost(millis) * 1.01, "{text}: {millis} ms is cheaper than {found:?}");
            }
            assert!(found.saving >= 0.0 && (0.0..1.0).contains(&found.saving_share));
        }
    }
}

#[test]
fn the_shorter_the_visits_the_shorter_the_best_session() {
    let prices = Prices::embedded();
    let best = |secs| {
        let assumptions = Assumptions { visit: Duration::from_secs(secs), ..assume(20, 8) };
        best_session(&setup(""), prices, &assumptions).best
    };
    assert!(best(60) < best(600) && best(600) < best(36_000), "{:?} {:?} {:?}", best(60), best(600), best(36_000));
}

#[test]
fn the_cheaper_side_changes_where_the_lines_cross() {
    let prices = Prices::embedded();
    let more = "[stream.instances]\nmax_vcpus = 400\n";
    for text in
        ["", more, MANAGED, "[stream]\nmemory = \"256 MiB\"\n[stream.instances]\nconcurrency = 10\nmax_vcpus = 2000\n"]
    {
        for hours in [2, 8, 24] {
            let setup = setup(text);
            let managed = setup.on_managed_instances();
            let classic = setup.on_classic();
            assert!(classic.compute == Compute::Classic && classic.memory_gib < 0.3, "{text}");
            let lead = |viewers| {
                let assumptions = assume(viewers, hours);
                month(&classic, &assumptions) - month(&managed, &assumptions)
            };
            match break_even(&setup, prices, &assume(20, hours)) {
                BreakEven::From(viewers) => {
                    assert!(viewers == 1 || lead(viewers - 1) <= 0.0, "{text} {hours} h: {viewers}");
                    for more in viewers..viewers + 500 {
                        let fits = Load::of(&managed, &assume(more, hours)).streams <= managed.streams_max(prices);
                        assert!(!fits || lead(more) > 0.0, "{text} {hours} h: {more}, not from {viewers} on");
                    }
                }
                BreakEven::NeverBelow(viewers) => {
                    assert!((1..=viewers).step_by(7).all(|fewer| lead(fewer) <= 0.0), "{text} {hours} h: {viewers}");
                }
            }
        }
    }
}

#[test]
fn a_limit_too_low_for_a_gain_is_said_to_be() {
    let text = "[stream.instances]\nconcurrency = 5\n";
    assert!(matches!(break_even(&setup(text), Prices::embedded(), &assume(20, 8)), BreakEven::NeverBelow(1..=60)));
}

#[test]
fn prices_of_other_processors_are_used() {
    let arm = month(&setup(""), &assume(20, 8));
    let x86 = month(&setup("[package]\narchitecture = \"x86_64\"\n"), &assume(20, 8));
    assert!(x86 > arm * 1.1, "{x86} {arm}");
}

#[test]
fn a_goodbye_saves_what_a_closed_tab_wastes_but_for_one_interval() {
    let prices = Prices::embedded();
    let (without, with) = (setup(""), setup("[stream]\ngoodbye = true\n"));
    let wasted = |setup: &Setup| closed_tab(setup, prices, &assume(20, 8)).mean_secs;
    // Nine tabs in ten leave half an interval behind.
    let expected = 0.1 * wasted(&without) + 0.9 * 2.5;
    assert!((wasted(&with) - expected).abs() < 0.3, "{} is not {expected}", wasted(&with));
    let saves = |setup| goodbyes_save(setup, prices, &assume(20, 8));
    assert!(saves(&without) > 0.0 && (saves(&without) - saves(&with)).abs() < 1e-9);
    assert!((month(&without, &assume(20, 8)) - month(&with, &assume(20, 8)) - saves(&with)).abs() < 1e-9);
    // Who stays for days has little to save, and is looked for all the time.
    let days = Assumptions { visit: Duration::from_secs(864_000), ..assume(20, 8) };
    assert!(goodbyes_save(&without, prices, &days) < 0.0);
}

#[test]
fn shared_hours_pay_from_a_size_on_and_save_with_the_viewers() {
    let prices = Prices::embedded();
    let of = |viewers, items_per_day| {
        let assumptions = Assumptions { items_per_day, ..assume(viewers, 8) };
        shared_hours(&setup(""), prices, &assumptions)
    };
    let many = of(100, 1_000_000);
    let from = many.pay_from.unwrap();
    assert!(many.save > 0.0 && from < 1_000_000, "{many:?}");
    assert!(of(100, from * 2).save > 0.0 && of(100, from / 2).save < 0.0);
    assert!(of(1000, 1_000_000).save > 9.0 * many.save, "it grows with the instances");
    // From some 5,000 rows of the newest hours on these are left too, again and again.
    let on = setup("[stream]\nshare_hours = true\n");
    let written = |items_per_day| {
        let lines = estimate(&on, prices, &Assumptions { items_per_day, ..assume(100, 8) }, false).lines;
        lines.iter().find(|line| line.item == "DynamoDB shared hours written").unwrap().quantity
    };
    let [few, many_rows, more] = [80_000, 160_000, 320_000].map(written);
    assert!(many_rows > 4.0 * few && more < 2.1 * many_rows, "{few}, {many_rows} and {more}");
    // One viewer alone has nobody to share with.
    let alone = of(1, 1_000_000);
    assert!(alone.save < 0.0, "{alone:?}");
    // What is on the bill is what is said to be saved.
    let assumptions = Assumptions { items_per_day: 1_000_000, ..assume(100, 8) };
    let (off, on) = (setup(""), setup("[stream]\nshare_hours = true\n"));
    assert!((month(&off, &assumptions) - month(&on, &assumptions) - many.save).abs() < 1e-9);
    assert_eq!(shared_hours(&on, prices, &assumptions), many);
}

#[test]
fn a_function_that_is_stopped_costs_what_is_fixed_and_answers_as_if_it_ran() {
    let prices = Prices::embedded();
    let of = |text: &str| estimate(&setup(text), prices, &assume(20, 8), false);
    let (runs, stopped) = (of(""), of("[stream]\nreserved_concurrency = 0\n"));
    let fixed: Vec<Line> = runs.lines.iter().copied().filter(|line| line.is_fixed).collect();
    assert!(!fixed.is_empty() && fixed.len() < runs.lines.len());
    assert_eq!(stopped.lines, fixed, "an alarm about a reserve of nothing would be one more");
    assert!((stopped.total - total(&fixed)).abs() < 1e-9);
    let expected = Estimate { lines: stopped.lines.clone(), total: stopped.total, attack: stopped.attack, ..runs };
    assert_eq!(stopped, expected);
}

#[test]
fn each_session_key_costs_a_dollar_and_its_use_next_to_nothing() {
    let prices = Prices::embedded();
    let of = |text: &str, item: &str| {
        let lines = lines(&setup(text), prices, &assume(20, 8), false);
        lines.iter().find(|line| line.item == item).map(|line| (line.quantity, line.dollars))
    };
    assert_eq!(of(SESSION, "KMS keys"), Some((2.0, 2.0)));
    let (requests, dollars) = of(SESSION, "KMS requests").unwrap();
    assert!((0.001..0.1).contains(&requests) && dollars < 0.1, "{requests} {dollars}");
    assert_eq!(of("", "KMS keys"), None);
    assert_eq!(of("[auth]\nsession_keys = [\"2\", \"1\"]\n", "KMS keys"), None, "without the mode there is none");
}
