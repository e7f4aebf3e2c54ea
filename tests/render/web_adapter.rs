//! `stream.adapter = "web-adapter"`: the variables of one function, and what goes into its image.

use contract::web_adapter::{VERSION, variables};

use super::Project;

/// Lines of a file that are no comments.
fn lines(project: &Project, path: &str) -> Vec<String> {
    project.read(path).lines().map(str::trim).filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_stream_function_alone_gets_the_adapters_variables() {
    let project = Project::rendered("web_adapter");
    let stream = project.read("generated/terraform/stream.tf");
    let has = |text: &str, name: &str, value: &str| {
        let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        words.into_iter().any(|line| line == format!("{name} = \"{value}\""))
    };
    for (name, value) in variables() {
        assert!(has(&stream, name, &value), "{name}: {stream}");
    }
    assert!(has(&stream, "SSE_ADAPTER", "web-adapter"), "{stream}");
    let dashboard = project.read("generated/terraform/dashboard.tf");
    assert!(!dashboard.contains("AWS_LWA_") && !dashboard.contains("SSE_ADAPTER"), "{dashboard}");
    let native = Project::rendered("default").read("generated/terraform/stream.tf");
    assert!(has(&native, "SSE_ADAPTER", "native") && !native.contains("AWS_LWA_"), "{native}");
}

#[test]
fn the_adapter_goes_into_the_streams_image_and_not_into_the_dashboards() {
    let dockerfile = lines(&Project::rendered("web_adapter"), "generated/Dockerfile");
    let at = |wanted: &str| {
        let found = dockerfile.iter().position(|line| line == wanted);
        found.unwrap_or_else(|| panic!("no line `{wanted}` in {dockerfile:#?}"))
    };
    let image = format!("ARG ADAPTER_IMAGE=public.ecr.aws/awsguru/aws-lambda-adapter:{VERSION}");
    let order = [
        // Before the first stage: only such arguments may stand in a `FROM`.
        at(&image),
        at("ARG FUNCTION=stream"),
        at("FROM ${RUST_IMAGE} AS builder"),
        at("FROM ${ADAPTER_IMAGE} AS adapter"),
        at("FROM scratch AS program"),
        at("FROM program AS stream"),
        at("COPY --from=adapter /lambda-adapter /opt/extensions/lambda-adapter"),
        at("FROM program AS dashboard"),
        at("FROM ${FUNCTION}"),
    ];
    assert!(order.is_sorted(), "{order:?}: {dockerfile:#?}");
    let native = Project::rendered("default").read("generated/Dockerfile");
    assert!(!native.contains("adapter") && native.contains("\nFROM scratch\n"), "{native}");
}
