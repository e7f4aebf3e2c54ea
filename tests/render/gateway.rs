//! The REST API as the third way in. No provider that is here can run it, so what is asked is what stands in the files.

use std::collections::BTreeSet;

use contract::routes;

use super::Project;

const API: &str = "[terraform]\naws_provider = \">= 6.37.0, < 7.0.0\"\n[stream]\nshare_hours = true\n[auth]\nmode = \"session\"\n[front]\n";

fn rendered(front: &str) -> Project {
    let project = Project::new(&format!("{API}{front}"));
    project.run(&["render"]).done();
    project
}

fn main_root(project: &Project, name: &str) -> String {
    project.read(&format!("generated/terraform/{name}"))
}

/// Addresses of the resources of a kind, of a whole root.
fn resources(project: &Project, kind: &str) -> BTreeSet<String> {
    let head = format!("resource \"{kind}\" \"");
    let files = project.files().into_iter().filter(|(path, _)| path.ends_with(".tf"));
    let texts = files.map(|(_, bytes)| String::from_utf8(bytes).unwrap());
    let names = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    names.filter_map(|line| Some(line.strip_prefix(&head)?.split('"').next()?.to_owned())).collect()
}

#[test]
fn only_the_streams_paths_stream_and_everything_else_is_rest() {
    let project = Project::rendered("api_gateway");
    let gateway = main_root(&project, "gateway.tf");
    let integrations: Vec<&str> = gateway.split("resource \"aws_api_gateway_integration\" \"").skip(1).collect();
    let mut streams = BTreeSet::new();
    for integration in &integrations {
        let own = integration.split("\n}\n").next().unwrap();
        let name = own.split('"').next().unwrap();
        let streams_on = own.contains("response_transfer_mode = \"STREAM\"");
        assert_eq!(streams_on, own.contains("module.stream.streaming_invoke_arn"), "{own}");
        assert_eq!(streams_on, name != "rest", "{own}");
        if streams_on {
            streams.insert(name);
        } else {
            assert!(own.contains("module.dashboard.invoke_arn") && own.contains("= 29000"), "{own}");
        }
    }
    let expected = [routes::STREAM, routes::STREAM_STATUS, routes::CONFIGURATION_STREAM]
        .map(|route| route.trim_start_matches('/').replace('/', "_").replace(['{', '}'], ""));
    assert_eq!(streams, expected.iter().map(String::as_str).collect());
    // A new state of whatever is above needs a new deployment.
    let deployment = gateway.split("resource \"aws_api_gateway_deployment\"").nth(1).unwrap();
    for name in resources(&project, "aws_api_gateway_integration") {
        assert!(deployment.contains(&format!("aws_api_gateway_integration.{name},")), "{name}");
    }
}

#[test]
fn nothing_goes_around_the_api() {
    for front in [
        "kind = \"api-gateway\"\n",
        "kind = \"api-gateway\"\n[front.api]\nprivate = true\nvpc_endpoints = [\"vpce-0123456789abcdef0\"]\n",
    ] {
        let project = rendered(front);
        for function in ["stream", "dashboard"] {
            let module = main_root(&project, &format!("{function}.tf"));
            assert!(module.contains("url                 = false\n"), "{module}");
            assert!(
                module.contains("rest_api_source_arn = \"${aws_api_gateway_rest_api.front.execution_arn}/live/*"),
                "{module}"
            );
            assert!(!module.contains("public ") && !module.contains("cors "), "{module}");
            assert!(module.contains("CORS_ALLOW_ORIGINS") && module.contains("SSE_CLIENT_ADDRESS"), "{module}");
        }
        let gateway = main_root(&project, "gateway.tf");
        let is_private = front.contains("private");
        assert_eq!(gateway.contains("types            = [\"PRIVATE\"]"), is_private, "{gateway}");
        assert_eq!(gateway.contains("\"aws:SourceVpce\" = [\"vpce-0123456789abcdef0\"]"), is_private, "{gateway}");
        assert_eq!(gateway.contains("-vpce-0123456789abcdef0.execute-api.us-east-1.amazonaws.com/live\""), is_private);
    }
}

#[test]
fn another_front_touches_no_table_key_or_alias() {
    let kinds = ["kind = \"function-url\"\n", "kind = \"cloudfront\"\n", "kind = \"api-gateway\"\n"];
    let projects = kinds.map(rendered);
    let read = |project: &Project| {
        ["tables.tf", "session.tf", "modules/lambda/function.tf"].map(|name| main_root(project, name))
    };
    let first = read(&projects[0]);
    for project in &projects[1..] {
        assert_eq!(read(project), first);
    }
    let doors = |project: &Project| {
        ["aws_api_gateway_rest_api", "aws_cloudfront_distribution"].map(|kind| resources(project, kind).len())
    };
    assert_eq!(projects.each_ref().map(doors), [[0, 0], [0, 1], [1, 0]]);
}

#[test]
fn a_page_and_the_outputs_know_the_apis_address() {
    let project = rendered("kind = \"api-gateway\"\n");
    let outputs = main_root(&project, "outputs.tf");
    assert_eq!(outputs.matches("local.api_url").count(), 4, "{outputs}");
    assert!(main_root(&project, "dashboard.tf").contains("{ SSE_URL = local.api_url }"));
    assert!(!outputs.contains("module.stream.url") && !outputs.contains("site_url"), "{outputs}");
}
