//! `infragen man`: one page, made of the definitions of the command line.

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::shell::Shell;
use super::{Arguments, Outcome, Stopped};

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
The manifest. \\fBinfragen explain\\fR says what each key means.
.TP
generated/, frontend/config.js
What is rendered, below the manifest's folder.
";

impl Shell<'_> {
    pub(super) fn man(&self) -> Stopped {
        let page = page().map_err(|error| self.fail(&error, None))?;
        self.print(&String::from_utf8_lossy(&page))?;
        Ok(Outcome::Done)
    }
}

fn page() -> std::io::Result<Vec<u8>> {
    let command = Arguments::command();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    page.extend_from_slice(b".SH COMMANDS\n");
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        page.extend_from_slice(format!(".SS {}\n", command.get_name()).as_bytes());
        let man = Man::new(command.clone().disable_help_flag(true));
        let (mut about, mut options) = (Vec::new(), Vec::new());
        man.render_description_section(&mut about)?;
        man.render_options_section(&mut options)?;
        // One page for all: a command's sections become paragraphs of its own.
        for section in [about, options] {
            page.extend(
                section.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b".SH")).flatten(),
            );
        }
    }
    page.extend_from_slice(MORE.as_bytes());
    Ok(page)
}
