//! A page of one's own: what the manifest says of it reaches every page, and a picture that does more than being one reaches none.

use super::{Project, infragen};

const OWN: &str = "[page]\nlanguage = \"de\"\ntime_zone = \"Europe/Berlin\"\ntitle = \"Bestellungen & mehr\"\ntag = \"Stadt\"\nlogo = \"brand/logo.svg\"\naccent = \"#0a6b5e\"\n";
const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><path d=\"M0 0h8v8z\"/></svg>";

#[test]
fn what_is_ones_own_is_in_config_js_in_what_an_apply_prints_and_on_this_machine() {
    let project = Project::new(OWN);
    project.write("brand/logo.svg", LOGO);
    project.run(&["render"]).done();
    project.run(&["--env", "local", "render"]).done();
    let config = project.read("frontend/config.js");
    let accent = "\"accent\": [\n      \"#0a6b5e\",";
    for said in
        ["\"LANGUAGE\": \"de\"", "\"TIME_ZONE\": \"Europe/Berlin\"", "\"TITLE\": \"Bestellungen \\u0026 mehr\"", accent]
    {
        assert!(config.contains(said), "{said} in {config}");
    }
    let logo = "data:image/svg+xml;base64,PHN2ZyB4bWxu";
    assert!(config.contains(logo), "{config}");
    let outputs = project.read("generated/terraform/outputs.tf");
    assert!(outputs.contains(logo) && outputs.contains("Bestellungen & mehr"), "{outputs}");
    let variables = project.read("generated/local/functions.env");
    let line = variables.lines().find_map(|line| line.strip_prefix("PAGE_LOOKS=")).expect("a variable of the page");
    let looks: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!((&looks["LANGUAGE"], &looks["TITLE"]), (&"de".into(), &"Bestellungen & mehr".into()));
    // One name is enough where one and many are called alike.
    assert_eq!(looks["TAGS"], serde_json::json!(["Stadt", "Stadt"]));
    project.run(&["render", "--check"]).done();
}

#[test]
fn a_page_without_anything_of_its_own_says_nothing_of_it() {
    let project = Project::new("");
    project.run(&["render"]).done();
    project.run(&["--env", "local", "render"]).done();
    for (path, word) in [("frontend/config.js", "ACCENT"), ("generated/local/functions.env", "PAGE_LOOKS")] {
        assert!(!project.read(path).contains(word), "{path}");
    }
}

#[test]
fn a_logo_that_is_not_one_is_refused_in_words_and_nothing_is_written() {
    let bytes = |size: usize| [&b"\x89PNG\r\n\x1a\n"[..], &vec![0; size]].concat();
    for (name, content, says) in [
        ("logo.svg", LOGO.replace("<path", "<script>a</script><path").into_bytes(), "it has an element `<script>`"),
        (
            "logo.svg",
            LOGO.replace("<path", "<path onclick=\"a\"").into_bytes(),
            "it has an attribute `onclick`, which runs a script",
        ),
        (
            "logo.svg",
            LOGO.replace("<path", "<use href=\"https://a.example/b\"/><path").into_bytes(),
            "that leads out of it",
        ),
        ("logo.svg", b"<html></html>".to_vec(), "it is no SVG"),
        ("logo.png", LOGO.as_bytes().to_vec(), "it is no PNG"),
        ("logo.png", bytes(16 * 1024), "it has more than 16 KiB"),
    ] {
        let project = Project::new(&format!("[page]\nlogo = \"{name}\"\n"));
        project.write_bytes(name, &content);
        let run = project.run(&["render"]);
        assert_eq!(run.code, 1, "{says}");
        assert!(
            run.stderr.contains("error[logo-unusable]: `page.logo` is `") && run.stderr.contains(says),
            "{says}: {}",
            run.stderr
        );
        assert_eq!(project.names().len(), 2, "{says}");
    }
}

#[test]
fn a_logo_may_be_named_on_the_command_line() {
    let project = Project::new("");
    project.write("mark.svg", LOGO);
    let run = infragen(project.path(), &["--set", "page.logo=mark.svg", "render"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(project.read("frontend/config.js").contains("data:image/svg+xml"));
}
