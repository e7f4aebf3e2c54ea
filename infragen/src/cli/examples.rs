//! Examples of each command: in its help, and in its manual page.

use clap::{Command, CommandFactory};

/// What is typed, and what for.
pub(super) type Example = (&'static str, &'static str);

const EXAMPLES: [(&str, &[Example]); 11] = [
    (
        "render",
        &[
            ("infragen render --diff", "what would change"),
            ("infragen --env prod render", "the outputs of another environment"),
            ("infragen render --check", "for a pipeline: exits with 3 where anything is stale"),
        ],
    ),
    (
        "validate",
        &[
            ("infragen validate --format json", "for editors and pipelines"),
            ("git show HEAD~1:deploy.toml | infragen --manifest - validate", "the manifest of the commit before"),
        ],
    ),
    (
        "show",
        &[
            ("infragen --env prod show", "every key of an environment, with where its value comes from"),
            ("infragen --set stream.memory='1 GiB' show", "one value laid over it"),
        ],
    ),
    (
        "query",
        &[
            ("infragen query project.region", "one value, for scripts; exits with 1 where the key is not set"),
            ("infragen query stream.replay", "a table"),
        ],
    ),
    (
        "explain",
        &[
            ("infragen explain stream.max_session", "what a key means and where it ends up"),
            ("infragen explain SSE_POLL_INTERVAL", "which key a variable of a function comes from"),
            ("infragen explain generated/terraform/stream.tf:7", "which key a line comes from"),
            ("infragen explain --resource module.stream", "which keys made a resource"),
        ],
    ),
    ("schema", &[("infragen schema > deploy.schema.json", "for an editor")]),
    (
        "init",
        &[
            ("infragen init --provider 6", "for the newer major version of the AWS provider alone"),
            ("infragen --manifest orders/deploy.toml init", "in another folder"),
        ],
    ),
    (
        "completions",
        &[("infragen completions bash > ~/.local/share/bash-completion/completions/infragen", "for every new shell")],
    ),
    (
        "man",
        &[
            ("infragen man query | man -l -", "read one page"),
            ("infragen man --folder ~/.local/share/man/man1", "install all pages"),
        ],
    ),
    (
        "cost",
        &[
            ("infragen cost --viewers 200", "a busier month"),
            ("infragen --env prod cost --beside dev", "two environments side by side"),
        ],
    ),
    ("doctor", &[("infragen --env prod doctor", "what is missing before that environment can be deployed")]),
];

/// Returns the examples of a command.
pub(super) fn of(command: &str) -> &'static [Example] {
    EXAMPLES.iter().find(|(name, _)| *name == command).map_or(&[], |(_, examples)| examples)
}

/// Returns the command line, with examples below the help of each command.
pub(super) fn command<A: CommandFactory>() -> Command {
    EXAMPLES.iter().fold(A::command(), |all, (name, examples)| {
        let lines = examples.iter().map(|(typed, what)| format!("  {typed}\n      {what}\n"));
        let text = format!("Examples:\n{}", lines.collect::<String>());
        all.mut_subcommand(name, |command| command.after_help(text))
    })
}
