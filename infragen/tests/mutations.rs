//! Ten thousand broken manifests: never a panic, never a wrong output with exit code 0, and always soon.
//!
//! The seed is fixed, so that a failure is there again in the next run; `SEED=random`, or a number, tries others.
#![allow(clippy::disallowed_methods, reason = "tests are shell: they read the environment and the disk")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "outside of a module of tests clippy takes this for a program"
)]

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use fastrand::Rng;
use infragen::diagnostic::{Colour, Input, Severity, Source, human, json};
use infragen::listing;
use infragen::load::{LoadError, Loaded, load};
use infragen::manifest::syntax;
use infragen::render::{Templates, render_with};
use rustix::time::{ClockId, clock_gettime};

const CASES: usize = 10_000;
const CASES_OF_THE_BINARY: usize = 300;
/// What one manifest may take of the processor. Other programs' time does not count: tests share their machine.
const TIME_MAX: Duration = Duration::from_millis(50);

fn seed() -> u64 {
    let seed = match std::env::var("SEED") {
        Ok(text) if text == "random" => fastrand::u64(..),
        Ok(text) => text.parse().expect("SEED is `random` or a number"),
        Err(_) => 20_261_123,
    };
    println!("SEED={seed}");
    seed
}

/// Manifests that are valid, to be broken.
fn valid() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/manifests/valid");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let fixtures = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
    let default = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy.toml")).unwrap();
    // Its comments explain; without them a mutation hits a key more often.
    let bare: String = default.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    fixtures.chain([default, bare.clone(), bare]).collect()
}

const LITERALS: [&str; 25] = [
    "true",
    "false",
    "0",
    "-1",
    "9223372036854775808",
    "1e400",
    "nan",
    "\"\"",
    "\"5s\"",
    "\"1 GiB\"",
    "[]",
    "[[]]",
    "[\"a\", 1]",
    "{}",
    "{ a = 1 }",
    "1979-05-27",
    "\"\\u0000\"",
    "'''\nx'''",
    "\"${x}\"",
    "\"\\uD800\"",
    "\"\u{202e}\"",
    "\"arm64\"",
    "\"zip\"",
    "\"600s\"",
    "7",
];
const PIECES: [&str; 20] = [
    "\0",
    "\"",
    "'''",
    "\"\"\"",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "#",
    "\\",
    "\n",
    "\r\n",
    "\u{feff}",
    "\u{1b}[2J",
    "é",
    "\u{9b}",
    "[env.prod]\n",
];

fn boundary(text: &str, rng: &mut Rng) -> usize {
    let mut at = rng.usize(0..=text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Breaks a text once: most ways are those in which people do.
fn mutate(text: &mut String, rng: &mut Rng) {
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    if lines.is_empty() {
        text.push_str(rng.choice(PIECES).unwrap());
        return;
    }
    let line = rng.usize(0..lines.len());
    match rng.u8(0..12) {
        0 => drop(lines.remove(line)),
        1 => lines.insert(line, lines[rng.usize(0..lines.len())].clone()),
        2 => {
            let other = rng.usize(0..lines.len());
            lines.swap(line, other);
        }
        3 | 4 => {
            if let Some((key, _)) = lines[line].clone().split_once('=') {
                lines[line] = format!("{key}= {}\n", rng.choice(LITERALS).unwrap());
            }
        }
        5 => {
            let at = boundary(&lines[line], rng);
            let letter = char::from(rng.u8(b'a'..=b'z'));
            lines[line].insert(at, letter);
        }
        6 => {
            let (from, to) = (boundary(&lines[line], rng), boundary(&lines[line], rng));
            lines[line].replace_range(from.min(to)..from.max(to), "");
        }
        7 => {
            let at = boundary(&lines[line], rng);
            let piece = rng.choice(PIECES).unwrap();
            lines[line].insert_str(at, piece);
        }
        8 => {
            let digit = char::from(rng.u8(b'0'..=b'9')).to_string();
            lines[line] = lines[line].replace(|c: char| c.is_ascii_digit(), &digit);
        }
        9 => lines[line] = lines[line].to_uppercase(),
        10 => lines.truncate(line),
        _ => {
            let deep = rng.choice(["[", "{a=", "a.", "\"", "[a."]).unwrap().repeat(rng.usize(1..3000));
            lines[line] = format!("k = {deep}\n");
        }
    }
    *text = lines.concat();
}

fn mutated(valid: &[String], rng: &mut Rng) -> String {
    let mut text = rng.choice(valid).unwrap().clone();
    if rng.u16(0..400) == 0 {
        let at = boundary(&text, rng);
        text.insert_str(at, &rng.choice(["x", "[", "a = 1\n", "\"", "é"]).unwrap().repeat(10 << 20));
        return text;
    }
    for _ in 0..rng.usize(1..=3) {
        mutate(&mut text, rng);
    }
    text
}

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

fn input(text: String) -> Input {
    Input::new(Source { name: "deploy.toml".into(), text })
}

/// What is refused is refused with a place and in words that steer no terminal.
fn check_refusal(input: &Input, error: &LoadError, text: &str) {
    let LoadError::Invalid(diagnostics) = error else { panic!("no environment was asked for") };
    assert!(!diagnostics.is_empty());
    assert!(text.starts_with("error[") && text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    let value: serde_json::Value = serde_json::from_str(&json(input, diagnostics, &[])).unwrap();
    assert_eq!(value["valid"], false);
}

/// What is accepted says what was typed, by the word of a parser that knows nothing of keys, and reads back.
fn check_acceptance(input: &Input, loaded: &Loaded) {
    let typed: toml::Table = toml::from_str(&input.manifest.text).expect("what is accepted is TOML");
    let entries = listing::list(loaded, input);
    let shown = listing::toml(&entries, "deploy.toml", "dev");
    let read: toml::Table = toml::from_str(&shown).expect("what is shown is TOML");
    check_typed(&typed, &read, "");
    let again = load(&self::input(shown.clone()), None).unwrap_or_else(|error| panic!("{error:?}\n{shown}"));
    assert_eq!(again.manifest, loaded.manifest, "{shown}");
}

fn check_typed(typed: &toml::Table, shown: &toml::Table, path: &str) {
    for (key, value) in typed.iter().filter(|(key, _)| !(path.is_empty() && *key == "env")) {
        match (value, shown.get(key)) {
            (toml::Value::Table(typed), Some(toml::Value::Table(shown))) => {
                check_typed(typed, shown, &format!("{path}.{key}"));
            }
            // A table of keys that are all left out is not shown.
            (toml::Value::Table(typed), None) => assert!(typed.is_empty(), "{path}.{key}"),
            // `300s` is shown as `5m`, `1024 MiB` as `1 GiB`.
            (toml::Value::String(text), Some(toml::Value::String(_)))
                if text.starts_with(|c: char| c.is_ascii_digit()) => {}
            // One audience in a list is shown as itself.
            (toml::Value::Array(all), Some(shown @ toml::Value::String(_))) => {
                assert_eq!(all.as_slice(), std::slice::from_ref(shown), "{path}.{key}");
            }
            // `false` is how an optional key says that it is not set.
            (toml::Value::Boolean(false), None) => {}
            (value, shown) => assert_eq!(Some(value), shown, "{path}.{key}"),
        }
    }
}

#[test]
fn ten_thousand_broken_manifests_are_refused_or_read_as_they_are() {
    let mut rng = Rng::with_seed(seed());
    let valid = valid();
    let engine = Templates::embedded().engine().unwrap();
    let known: Vec<Loaded> = valid.iter().map(|text| load(&input(text.clone()), None).unwrap()).collect();
    let (mut accepted, mut rendered, mut times) = (0, 0, Vec::with_capacity(CASES));
    for _ in 0..CASES {
        let input = input(mutated(&valid, &mut rng));
        let is_long = input.manifest.text.len() > syntax::MANIFEST_BYTES_MAX;
        let start = processor_time();
        let result = load(&input, None);
        // A refusal is done when it is in words.
        let words = match &result {
            Err(LoadError::Invalid(diagnostics)) => human(&input, diagnostics, Severity::Error, Colour(false)),
            _ => String::new(),
        };
        let took = processor_time() - start;
        times.push(took);
        match &result {
            Err(error) => check_refusal(&input, error, &words),
            Ok(loaded) => {
                assert!(!is_long);
                accepted += 1;
                check_acceptance(&input, loaded);
                // What only changes a comment renders what is rendered elsewhere.
                if !known.iter().any(|known| known.manifest == loaded.manifest) {
                    rendered += 1;
                    let rendering = render_with(loaded, &engine).unwrap_or_else(|error| panic!("{error:?}"));
                    for artifact in rendering.artifacts.iter().filter(|artifact| artifact.path.ends_with(".json")) {
                        serde_json::from_str::<serde_json::Value>(&artifact.text).unwrap();
                    }
                }
            }
        }
        assert!(!is_long || took < TIME_MAX, "a manifest that is too long took {took:?}");
    }
    times.sort();
    let (most, slowest) = (times[CASES * 99 / 100], times[CASES - 1]);
    println!("{accepted} accepted, {rendered} rendered; 99 of 100 took {most:?} at most, the slowest {slowest:?}");
    assert!(accepted > CASES / 50 && rendered > CASES / 200, "the mutations miss: {accepted} {rendered}");
    assert!(most < TIME_MAX, "99 of 100 took {most:?}");
    assert!(slowest < 10 * TIME_MAX, "the slowest took {slowest:?}");
}

#[test]
fn some_hundred_broken_manifests_go_through_the_program_itself() {
    let mut rng = Rng::with_seed(seed() ^ 1);
    let valid = valid();
    let folder = tempfile::tempdir().unwrap();
    for case in 0..CASES_OF_THE_BINARY {
        let mut bytes = mutated(&valid, &mut rng).into_bytes();
        if case % 5 == 0 {
            let at = rng.usize(0..=bytes.len());
            bytes.splice(at..at, *rng.choice([b"\xff\xfe", b"\xc3\x28", b"\x80\x00"]).unwrap());
        }
        std::fs::File::create(folder.path().join("deploy.toml")).unwrap().write_all(&bytes).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_infragen"))
            .args(if case % 2 == 0 { &["validate"][..] } else { &["render", "--diff", "--quiet"] })
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).expect("messages are text whatever the manifest is");
        match output.status.code() {
            Some(0) => assert!(std::str::from_utf8(&bytes).is_ok_and(|text| text.parse::<toml::Table>().is_ok())),
            Some(1) => assert!(stderr.starts_with("error") && !stderr.contains('\u{1b}'), "{stderr:?}"),
            other => panic!("exit {other:?}: {stderr}"),
        }
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["deploy.toml"], "nothing is written");
}
