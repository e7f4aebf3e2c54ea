//! Examples of each command: in its help, and in its manual page.

use clap::{Command, CommandFactory};

/// What is typed, and what for.
pub(super) type Example = (&'static str, &'static str);

const EXAMPLES: [(&str, &[Example]); 22] = [
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
            (
                "aws dynamodb describe-table --table-name orders | infragen init --minimal --table -",
                "for a table that exists",
            ),
            ("infragen init --table description.json --rows rows.json", "with what some of its rows say"),
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
            ("infragen cost --ways", "a stream, polling and services that push, by the viewer and hour"),
        ],
    ),
    ("doctor", &[("infragen --env prod doctor", "what is missing before that environment can be deployed")]),
    (
        "bootstrap",
        &[
            ("infragen bootstrap", "before the first deployment, and once more when its bucket is in deploy.toml"),
            ("infragen --env prod bootstrap --yes", "what another environment needs, asking nobody"),
        ],
    ),
    (
        "deploy",
        &[
            ("infragen deploy --dry-run", "the steps, each as a person would type it"),
            ("infragen --env prod deploy --yes", "for a pipeline: asks nobody"),
        ],
    ),
    ("page", &[("infragen --env prod page", "after `terraform apply`: into dist/prod/page")]),
    ("status", &[("infragen status --format json", "for programs; exits with 1 where all is not well")]),
    (
        "logs",
        &[
            ("infragen logs --follow", "both functions, as it comes"),
            ("infragen logs --since 2h --find 3f2a9c", "every line of one request or stream"),
        ],
    ),
    (
        "rollback",
        &[
            ("infragen rollback", "both functions to the version before"),
            ("infragen rollback --function stream --to 7", "one of them to this version"),
            ("infragen rollback --forward", "to the newest again"),
        ],
    ),
    (
        "seed",
        &[
            ("infragen seed items.csv", "every row, as fast as the table takes them"),
            ("infragen --env prod seed demo.jsonl --rate 2/s", "one after the other, as if they came just now"),
            ("infragen seed rows.jsonl --fresh", "an example, as if its last row had come just now"),
            ("infragen seed rows.csv --table table.json --print", "the items, without an account"),
        ],
    ),
    ("put", &[("infragen put --label positive --ticker AAPL --score 0.7", "one row of now")]),
    (
        "destroy",
        &[
            (
                "infragen --env test destroy",
                "everything but the tables of items, users and history; asks for PROJECT-ENVIRONMENT",
            ),
            ("infragen destroy --table live-test-items --table live-test-items", "a table too, named twice"),
        ],
    ),
    (
        "package",
        &[
            ("infragen package --function stream --program target/stream", "into dist/stream.zip"),
            (
                "infragen package --function stream --zip downloads/stream.zip",
                "an archive that is there, such as that of a release",
            ),
        ],
    ),
    (
        "image",
        &[
            ("infragen image build --function stream --program target/stream", "into dist/images/stream"),
            ("infragen image push", "what was built, to where the manifest's functions take it from"),
            ("infragen image push --repository registry.example.com/live", "to another registry"),
        ],
    ),
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
