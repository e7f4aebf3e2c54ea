//! Every command with exactly what it prints: files that a person reads as documentation, and that this test runs.
//!
//! A transcript is a folder's files (`== NAME`), then commands (`$ infragen …`), each with its stdout, its stderr (lines
//! that begin with `2> `) and its exit code where it is not 0 (`exit 3`). `UPDATE=1` writes what is found.

use super::{Project, commands, is_updating, workspace};

/// Lines of a long output that a transcript shows.
const SHOWN_LINES_MAX: usize = 60;

#[derive(Debug)]
struct Step {
    command: String,
    expected: String,
}

/// Splits a transcript into its head, the files in it, and its steps.
fn parse(text: &str) -> (String, Vec<(String, String)>, Vec<Step>) {
    let (mut head, mut files, mut steps) = (String::new(), Vec::<(String, String)>::new(), Vec::<Step>::new());
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), expected: String::new() });
        } else if let Some(step) = steps.last_mut() {
            step.expected.push_str(line);
            step.expected.push('\n');
        } else if let Some(name) = line.strip_prefix("== ") {
            files.push((name.to_owned(), String::new()));
        } else {
            let target = files.last_mut().map_or(&mut head, |(_, text)| text);
            target.push_str(line);
            target.push('\n');
        }
    }
    (head, files, steps)
}

/// Splits a command line at spaces outside of single quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in command.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn run(project: &Project, command: &str) -> String {
    let words = words(command);
    let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["edit", path, from, to] = arguments[..] {
        let text = project.read(path);
        assert!(text.contains(from), "`{from}` is not in {path}");
        project.write(path, &text.replace(from, to));
        return String::new();
    }
    assert_eq!(arguments[0], "infragen", "{command}");
    let run = project.run(&arguments[1..]);
    let mut out = String::new();
    let lines: Vec<&str> = run.stdout.lines().collect();
    for line in lines.iter().take(SHOWN_LINES_MAX) {
        out.push_str(&format!("{line}\n"));
    }
    if lines.len() > SHOWN_LINES_MAX {
        out.push_str("[more]\n");
    }
    for line in run.stderr.lines() {
        out.push_str(&if line.is_empty() { "2>\n".to_owned() } else { format!("2> {line}\n") });
    }
    if run.code != 0 {
        out.push_str(&format!("exit {}\n", run.code));
    }
    out
}

#[test]
fn every_transcript_is_what_happens() {
    let folder = workspace().join("tests/render/transcripts");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 9, "{paths:?}");
    let mut wrong = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, files, steps) = parse(&text);
        assert!(!steps.is_empty(), "{name} runs nothing");
        let project = Project::empty();
        let mut found = head;
        for (file, text) in &files {
            // The blank line before the next part is for the reader.
            project.write(file, &format!("{}\n", text.trim_end()));
            found.push_str(&format!("== {file}\n{}\n\n", text.trim_end()));
        }
        for step in &steps {
            found.push_str(&format!("$ {}\n{}\n", step.command, run(&project, &step.command)));
        }
        let found = format!("{}\n", found.trim_end());
        if is_updating() {
            std::fs::write(&path, &found).unwrap();
        } else if found != text {
            wrong.push(format!("--- {name}: found\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "read the difference after `UPDATE=1`:\n{}", wrong.join("\n"));
}

#[test]
fn every_command_has_a_transcript() {
    let folder = workspace().join("tests/render/transcripts");
    let texts: String = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    // What `doctor` says is true of one machine only; its own tests give it a made-up one.
    for command in commands().iter().filter(|name| *name != "doctor") {
        let is_run = texts.lines().any(|line| line.starts_with("$ ") && words(line).iter().any(|word| word == command));
        assert!(is_run, "no transcript runs `infragen {command}`");
    }
}
