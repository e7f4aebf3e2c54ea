//! `infragen man`: a page for the program and one for each command, made of the definitions of the command line.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use super::shell::Shell;
use super::{Arguments, Outcome, Stopped, examples};

/// Exit codes and files, which the definitions do not know.
const MORE: &str = ".SH \"EXIT STATUS\"
.TP
0
Done.
.TP
1
The manifest or the environment needs a person.
.TP
2
The command line is wrong.
.TP
3
Outputs are stale (\\fBrender \\-\\-check\\fR).
.SH FILES
.TP
deploy.toml
The manifest, in this folder or the nearest one above. \\fBinfragen explain\\fR says what each key means.
.TP
generated/, frontend/config.js
What is rendered, below the manifest's folder.
";

impl Shell<'_> {
    pub(super) fn man(&self, wanted: Option<&str>, folder: Option<&Path>) -> Stopped {
        let pages = pages().map_err(|error| self.fail(&error, None))?;
        if let Some(folder) = folder {
            for (name, page) in &pages {
                let path = folder.join(format!("{name}.1"));
                let written = File::create(&path).and_then(|mut file| file.write_all(page.as_bytes()));
                if let Err(error) = written {
                    self.error(&format!("`{}` cannot be written: {error}", path.display()), None);
                    return Ok(Outcome::NeedsPerson);
                }
            }
            self.say(&format!("wrote {} pages to `{}`", pages.len(), folder.display()));
            return Ok(Outcome::Done);
        }
        let name = wanted.map_or("infragen".to_owned(), |command| format!("infragen-{command}"));
        let Some((_, page)) = pages.iter().find(|(known, _)| *known == name) else {
            let message = format!("`{}` is no command", wanted.unwrap_or_default().escape_debug());
            self.error(&message, Some("`infragen help` lists them"));
            return Ok(Outcome::Usage);
        };
        self.print(page)?;
        Ok(Outcome::Done)
    }
}

/// Returns every page with its name.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut command = Arguments::command();
    command.build();
    let own = command.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set());
    let mut pages = vec![("infragen".to_owned(), page(&command, true)?)];
    for command in own {
        pages.push((format!("infragen-{}", command.get_name()), page(command, false)?));
    }
    Ok(pages)
}

fn page(command: &Command, is_program: bool) -> io::Result<String> {
    let man = Man::new(command.clone()).source(concat!("infragen ", env!("CARGO_PKG_VERSION")));
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    // That of the library leaves out which options take a value.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace('-', "\\-");
    page.extend(format!(".SH SYNOPSIS\n{usage}\n").bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if is_program {
        man.render_subcommands_section(&mut page)?;
    }
    let shown = examples::of(command.get_name());
    if !shown.is_empty() {
        page.extend_from_slice(b".SH EXAMPLES\n");
    }
    for (typed, what) in shown {
        page.extend(format!(".TP\n\\fB{}\\fR\n{what}\n", typed.replace('-', "\\-")).bytes());
    }
    page.extend_from_slice(MORE.as_bytes());
    let page = String::from_utf8_lossy(&page);
    // Each section begins with the same preamble; once is enough.
    let is_preamble = |line: &str| line.starts_with(".ie \\n(.g") || line.starts_with(".el .ds Aq");
    let (head, body): (Vec<&str>, Vec<&str>) = page.lines().partition(|line| is_preamble(line));
    Ok(head.into_iter().take(2).chain(body).map(|line| format!("{line}\n")).collect())
}
