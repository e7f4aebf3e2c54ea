//! Two renderings of a root → what an apply of the second one would make anew or take away, and what is lost with it. Only names and
//! what else cannot be changed of a thing are compared: everything else Terraform changes in place, and its plan says how.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};

use crate::deploy::nouns::{loss_of, noun_of};

/// A rendered file that changes, comes or goes.
#[derive(Clone, Copy, Debug)]
pub struct Changed<'t> {
    /// Its path, from the manifest's folder.
    pub path: &'t str,
    /// Its text before; none where it was not there.
    pub old: Option<&'t str>,
    /// Its text afterwards; none where it goes.
    pub new: Option<&'t str>,
}

/// Something that would not be there any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replaced {
    /// Terraform's root, from the manifest's folder.
    pub root: String,
    /// Its noun and name, such as "table `orders`".
    pub what: String,
    /// Whether another one is made in its place.
    pub is_made_anew: bool,
    /// What is lost or felt elsewhere.
    pub loss: String,
    /// What keeps it.
    pub unless: String,
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_made_anew { "replaces" } else { "removes" };
        write!(f, "`{}` {verb} {}: {}, unless {}", self.root, self.what, self.loss, self.unless)
    }
}

/// Arguments that cannot be changed of what has them, by type of resource.
const FIXED: [(&str, &[&str]); 12] = [
    ("aws_api_gateway_domain_name", &["domain_name"]),
    ("aws_api_gateway_rest_api", &[]),
    ("aws_cloudfront_distribution", &[]),
    ("aws_cloudwatch_log_group", &["name"]),
    ("aws_dynamodb_table", &["name", "hash_key", "range_key"]),
    ("aws_ecr_repository", &["name", "encryption_configuration"]),
    ("aws_iam_openid_connect_provider", &["url"]),
    ("aws_kms_key", &["customer_master_key_spec"]),
    ("aws_lambda_capacity_provider", &["name"]),
    ("aws_s3_bucket", &["bucket", "bucket_prefix"]),
    ("aws_sns_topic", &["name"]),
    ("aws_wafv2_web_acl", &["name", "scope"]),
];
/// The arguments that name a thing; the first that it has is shown.
const NAMES: [&str; 6] = ["name", "bucket", "bucket_prefix", "domain_name", "url", "comment"];
/// Where names that no key gives come from.
const BASE_STAYS: &str = "`project.name` and `project.environment` stay as they are";

/// Where types of keys come from.
const TYPES_STAY: &str = "`data.time_format` and `data.label_type` stay as they are";

/// The blocks of a root, by address.
type Blocks = BTreeMap<String, Body>;

/// Finds what would not be there any more, sorted.
#[must_use]
pub fn replaced(changed: &[Changed<'_>]) -> Vec<Replaced> {
    // Of a module that is called here, names come from the call.
    let is_of_root = |file: &&Changed<'_>| file.path.ends_with(".tf") && !file.path.contains("/modules/");
    let mut roots: BTreeMap<&str, (Blocks, Blocks)> = BTreeMap::new();
    for file in changed.iter().filter(is_of_root) {
        let root = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let (old, new) = roots.entry(root).or_default();
        collect(file.old, old);
        collect(file.new, new);
    }
    let mut found: Vec<Replaced> = roots.iter().flat_map(|(root, (old, new))| compare(root, old, new)).collect();
    found.sort();
    found
}

fn collect(text: Option<&str>, blocks: &mut Blocks) {
    let Some(Ok(body)) = text.map(hcl_edit::parser::parse_body) else { return };
    for structure in body {
        let Structure::Block(block) = structure else { continue };
        let labels = block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str);
        let parts: Vec<&str> = std::iter::once(block.ident.as_str()).chain(labels).collect();
        let address = match parts[..] {
            // Nothing is destroyed of what is let go.
            ["removed"] => format!("removed.{}", argument(&block.body, "from").unwrap_or_default()),
            // Another one of the same name is of another region.
            ["provider", _] if argument(&block.body, "alias").is_some() => continue,
            _ => parts.join("."),
        };
        blocks.insert(address, block.body);
    }
}

fn compare(root: &str, old: &Blocks, new: &Blocks) -> Vec<Replaced> {
    let mut found = Vec::new();
    let mut add = |what: String, is_made_anew, loss: &str, unless: String| {
        found.push(Replaced { root: root.to_owned(), what, is_made_anew, loss: loss.to_owned(), unless });
    };
    for (address, before) in old {
        let after = new.get(address);
        let parts: Vec<&str> = address.split('.').collect();
        match parts[..] {
            ["resource", kind, name] if !new.contains_key(&format!("removed.{kind}.{name}")) => {
                resource(kind, name, before, after, &mut add);
            }
            ["module", role] => function(role, before, after, &mut add),
            ["provider", _] => region(before, after, &mut add),
            ["terraform"] => state(root, before, after, &mut add),
            _ => {}
        }
    }
    found
}

/// What is replaced or removed, whether it is made anew, what is lost, and what keeps it.
type Add<'a> = dyn FnMut(String, bool, &str, String) + 'a;

fn resource(kind: &str, name: &str, before: &Body, after: Option<&Body>, add: &mut Add<'_>) {
    let Some((_, fixed)) = FIXED.iter().find(|(known, _)| *known == kind) else { return };
    let shown = NAMES.iter().find_map(|name| text(before, name)).unwrap_or_else(|| name.to_owned());
    let what = format!("{} `{shown}`", noun_of(kind));
    let lost = loss_of(kind).unwrap_or_else(|| loss(kind));
    // A bucket that was made by the beginning of its name is then named in full.
    let is_named = |after: &Body| {
        text(after, "bucket").zip(text(before, "bucket_prefix")).is_some_and(|(name, head)| name.starts_with(&head))
    };
    // Of a table that was taken over, its keys and indexes are its owner's.
    let is_taken_over = |after: &Body| blocks(after, "lifecycle").any(|one| argument(one, "ignore_changes").is_some());
    let differs = |after: &Body| {
        let fixed = if is_taken_over(after) { &fixed[..1] } else { fixed };
        fixed.iter().find(|name| value(before, name) != value(after, name)).filter(|_| !is_named(after))
    };
    match after {
        None if kind == "aws_kms_key" => {
            for key in items(before, "for_each") {
                add(format!("key `{key}`"), false, lost, kept(kind, name, &key, None));
            }
        }
        None => add(what, false, removed(kind).unwrap_or(lost), kept(kind, name, &shown, None)),
        Some(after) => match differs(after) {
            Some(argument) => add(what, true, lost, kept(kind, name, &shown, Some(argument))),
            None if is_taken_over(after) => {}
            None if kind == "aws_dynamodb_table" && is_taken_over(before) => {
                let what = format!("what the owner of table `{shown}` gave it");
                let lost = "other indexes, its capacity and its stream go, and where it has local indexes or other keys \
                            all of its rows";
                add(what, false, lost, format!("`tables.{name}.import` stays `true`"));
            }
            None if kind == "aws_dynamodb_table" => table(name, &shown, [before, after], add),
            None if kind == "aws_kms_key" => keys([before, after], add),
            None if kind == "aws_cloudfront_distribution" => domain([before, after], add),
            None => {}
        },
    }
}

/// What is lost where nothing comes in the place of a thing.
fn removed(kind: &str) -> Option<&'static str> {
    match kind {
        "aws_api_gateway_rest_api" | "aws_cloudfront_distribution" => {
            Some("its address answers no more, and pages that know it lose their stream")
        }
        "aws_lambda_capacity_provider" => Some("streams that are open on it end"),
        "aws_wafv2_web_acl" => Some("nothing holds back who asks too often"),
        _ => None,
    }
}

/// What is lost with things that a plan says nothing of.
fn loss(kind: &str) -> &'static str {
    match kind {
        "aws_api_gateway_domain_name" => "its address answers no more",
        "aws_cloudwatch_log_group" => "its lines are lost",
        "aws_iam_openid_connect_provider" => "runs of every repository that the account lets in by it are refused",
        "aws_sns_topic" => "whoever it tells must agree again",
        _ => "what uses it stands still meanwhile",
    }
}

/// What keeps a resource.
fn kept(kind: &str, name: &str, shown: &str, argument: Option<&str>) -> String {
    match (kind, name, argument) {
        ("aws_dynamodb_table", "items" | "users", Some("name")) => format!("`tables.{name}.name` is \"{shown}\""),
        ("aws_dynamodb_table", "items", Some("hash_key")) => "`data.attributes.key` stays as it is".to_owned(),
        ("aws_dynamodb_table", "items", Some(_)) => "`data.attributes.time` stays as it is".to_owned(),
        ("aws_dynamodb_table", "history", None) => "`history.keep` stays".to_owned(),
        ("aws_dynamodb_table", "hours", None) => "`stream.share_hours` stays".to_owned(),
        ("aws_ecr_repository", _, Some("name")) => format!("`package.repository` is \"{shown}\""),
        ("aws_ecr_repository", _, Some(_)) => "`aws.kms.repository` stays as it is".to_owned(),
        ("aws_ecr_repository", _, None) => {
            "`package.create_repository` and the functions' `package` stay as they are".to_owned()
        }
        ("aws_iam_openid_connect_provider", ..) => {
            format!("it is let go first: `terraform state rm {kind}.{name}`")
        }
        ("aws_api_gateway_domain_name", ..) => "`front.domain` stays as it is".to_owned(),
        ("aws_api_gateway_rest_api" | "aws_cloudfront_distribution", ..) | ("aws_s3_bucket", "page", None) => {
            "`front.kind` stays as it is".to_owned()
        }
        ("aws_s3_bucket", "state", Some("bucket")) => "`terraform.backend.bucket` is the name that it has".to_owned(),
        ("aws_cloudwatch_log_group", "access", None) => "`front.kind` and `front.access_log` stay".to_owned(),
        ("aws_cloudwatch_log_group", "access", Some(_)) => format!("`front.kind`, {BASE_STAYS}"),
        ("aws_cloudwatch_log_group", "instances", None) => "`stream.compute` stays as it is".to_owned(),
        ("aws_dynamodb_table", _, None) => "the template that makes it stays as it is".to_owned(),
        ("aws_kms_key", _, None) => "`auth.mode` stays as it is".to_owned(),
        ("aws_lambda_capacity_provider", _, None) => "`stream.compute` stays as it is".to_owned(),
        ("aws_wafv2_web_acl", _, None) => "`front.kind` and `front.rate_limit` stay".to_owned(),
        ("aws_wafv2_web_acl", _, Some("scope")) => "`front.kind` stays as it is".to_owned(),
        ("aws_sns_topic", _, None) => "`operations.email` and `operations.topic_arn` stay as they are".to_owned(),
        _ => BASE_STAYS.to_owned(),
    }
}

/// A table that stays: types of its keys, and its index.
fn table(name: &str, shown: &str, [before, after]: [&Body; 2], add: &mut Add<'_>) {
    let types = |body: &Body| -> BTreeMap<String, String> {
        let attributes = blocks(body, "attribute").map(|body| (text(body, "name"), text(body, "type")));
        attributes.filter_map(|(name, kind)| Some((name?, kind?))).collect()
    };
    let now = types(after);
    if types(before).iter().any(|(name, kind)| now.get(name).is_some_and(|other| other != kind)) {
        // Tried with provider 5.100.0: the plan has nothing of it, nor has any later one.
        let loss =
            "its keys keep the types that they have, which Terraform does not change, and it refuses rows with others";
        let unless = format!("{TYPES_STAY}, or `tables.{name}.name` is another one");
        return add(format!("what is found in table `{shown}`"), false, loss, unless);
    }
    let index = |body: &Body| {
        blocks(body, "global_secondary_index").next().map(|index| {
            let keys = keys_of(index);
            let projected = items(index, "non_key_attributes");
            (text(index, "name").unwrap_or_default(), keys, projected)
        })
    };
    let (was, is) = (index(before), index(after));
    let Some((index, ..)) = was.as_ref().filter(|_| was != is) else { return };
    let what = format!("index `{index}` of table `{shown}`");
    let keys = "`data.index`, `data.attributes` and `data.show` stay as they are";
    add(
        what,
        is.is_some(),
        "streams find nothing until DynamoDB has built the new one, and no row is lost",
        keys.to_owned(),
    );
}

/// Hash and range key of an index, in either form.
fn keys_of(index: &Body) -> Vec<String> {
    let own = ["hash_key", "range_key"].iter().filter_map(|key| text(index, key));
    own.chain(blocks(index, "key_schema").filter_map(|key| text(key, "attribute_name"))).collect()
}

/// The name that a distribution answers to beside its own.
fn domain([before, after]: [&Body; 2], add: &mut Add<'_>) {
    let names = items(after, "aliases");
    for name in items(before, "aliases").difference(&names) {
        let unless = format!("`front.domain` is \"{name}\"");
        add(format!("address `{name}`"), !names.is_empty(), "pages that know it lose their stream", unless);
    }
}

/// Keys that session tokens are signed with: those that are no longer listed go.
fn keys([before, after]: [&Body; 2], add: &mut Add<'_>) {
    let listed = items(after, "for_each");
    for key in items(before, "for_each").difference(&listed) {
        let unless = "`auth.session_keys` names it until they have ended".to_owned();
        add(format!("key `{key}`"), false, "tokens that it signed are refused", unless);
    }
}

/// The call of the module that makes a function.
fn function(role: &str, before: &Body, after: Option<&Body>, add: &mut Add<'_>) {
    let (Some(name), Some(after)) = (text(before, "name"), after) else { return };
    let is_renamed = text(after, "name").as_ref() != Some(&name);
    let is_image = |body: &Body| value(body, "image_uri").is_some();
    let is_repackaged = is_image(before) != is_image(after);
    let has_url = |body: &Body| value(body, "public").as_deref() == Some("true");
    let unless = match (is_renamed, is_repackaged) {
        (true, _) => BASE_STAYS.to_owned(),
        _ => format!("`{role}.package` stays as it is"),
    };
    if is_renamed || is_repackaged {
        let loss = match has_url(before) {
            true => "its URL changes, and pages that know the old one lose their stream",
            false => "requests fail until the new one is there",
        };
        add(format!("function `{name}`"), true, loss, unless);
    } else if has_url(before) && !has_url(after) {
        // Behind CloudFront it is there still, and refuses everybody else.
        let loss = "pages that know it lose their stream";
        add(format!("URL of function `{name}`"), false, loss, "`front.kind` stays as it is".to_owned());
    }
    let has_log = |body: &Body| value(body, "log_group_name").is_none();
    if has_log(before) && (is_renamed || !has_log(after)) {
        let unless = if is_renamed { BASE_STAYS.to_owned() } else { format!("`{role}.log_group` is left out") };
        add(format!("log `/aws/lambda/{name}`"), has_log(after), loss("aws_cloudwatch_log_group"), unless);
    }
}

fn region(before: &Body, after: Option<&Body>, add: &mut Add<'_>) {
    let (Some(was), Some(is)) = (text(before, "region"), after.and_then(|after| text(after, "region"))) else { return };
    if was != is {
        let unless = "`project.region` stays as it is; for another region write an `[env.NAME]`".to_owned();
        add(format!("everything in {was} by the same in {is}"), true, "what runs there is left behind", unless);
    }
}

/// The place of the state, where it is a bucket. One in a file is where its root is: what another folder leaves behind, `left` finds.
fn state(root: &str, before: &Body, after: Option<&Body>, add: &mut Add<'_>) {
    let place = |body: &Body| {
        let backend = blocks(body, "backend").next()?;
        Some(format!("{}/{}", text(backend, "bucket")?, text(backend, "key")?))
    };
    let Some(was) = place(before) else { return };
    if after.is_some_and(|after| place(after).as_ref() != Some(&was)) {
        let unless = format!("it is moved first: `terraform -chdir={root} init -migrate-state`");
        add(format!("state `{was}`"), true, "Terraform makes everything a second time", unless);
    }
}

fn argument(body: &Body, name: &str) -> Option<String> {
    body.attributes().find(|one| one.key.as_str() == name).map(|one| one.value.to_string().trim().to_owned())
}

/// An argument or a block, as it is written.
fn value(body: &Body, name: &str) -> Option<String> {
    argument(body, name).or_else(|| blocks(body, name).next().map(ToString::to_string))
}

/// An argument that is a text.
fn text(body: &Body, name: &str) -> Option<String> {
    let argument = body.attributes().find(|one| one.key.as_str() == name)?;
    argument.value.as_str().map(str::to_owned)
}

/// The texts of a list, or of the list that a function is given.
fn items(body: &Body, name: &str) -> BTreeSet<String> {
    let Some(argument) = body.attributes().find(|one| one.key.as_str() == name) else { return BTreeSet::new() };
    let list = match &argument.value {
        Expression::FuncCall(call) => call.args.iter().next(),
        list => Some(list),
    };
    let elements = list.and_then(Expression::as_array).into_iter().flat_map(|array| array.iter());
    elements.filter_map(|element| element.as_str().map(str::to_owned)).collect()
}

fn blocks<'b>(body: &'b Body, name: &str) -> impl Iterator<Item = &'b Body> {
    body.blocks().filter(move |block| block.ident.as_str() == name).map(|block| &block.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Input, Source};
    use crate::load::load;
    use crate::render::{Templates, render};

    const NEW: &str = "[terraform]\naws_provider = \">= 6.66.0, < 7.0.0\"\n";

    fn rendered(text: &str) -> Vec<(String, String)> {
        let source = Source { name: "deploy.toml".into(), text: text.into() };
        let loaded = load(&Input::new(source), None).unwrap();
        render(&loaded, &Templates::embedded()).unwrap().artifacts.into_iter().map(|one| (one.path, one.text)).collect()
    }

    fn lines(before: &str, after: &str) -> Vec<String> {
        let (before, after) = (rendered(before), rendered(after));
        let text = |side: &[(String, String)], path: &str| {
            side.iter().find(|(known, _)| known == path).map(|(_, text)| text.clone())
        };
        let paths: BTreeSet<&String> = before.iter().chain(&after).map(|(path, _)| path).collect();
        let sides: Vec<_> = paths
            .into_iter()
            .map(|path| (path, text(&before, path), text(&after, path)))
            .filter(|(_, a, b)| a != b)
            .collect();
        let changed: Vec<Changed<'_>> =
            sides.iter().map(|(path, old, new)| Changed { path, old: old.as_deref(), new: new.as_deref() }).collect();
        replaced(&changed).iter().map(ToString::to_string).collect()
    }

    fn check(before: &str, after: &str, expected: &[&str]) {
        let found = lines(before, after);
        let found: Vec<&str> =
            found.iter().map(|line| line.strip_prefix("`generated/terraform` ").unwrap_or(line)).collect();
        assert_eq!(found, expected, "{before:?} -> {after:?}");
    }

    #[test]
    fn a_renamed_table_loses_its_rows() {
        let of = |name: &str| format!("[tables.items]\nname = \"{name}\"\n");
        check(
            &of("one"),
            &of("two"),
            &["replaces table `one`: its rows are lost, unless `tables.items.name` is \"one\""],
        );
        check(
            "",
            "[data.attributes]\ntime = \"at\"\n",
            &[
                "replaces table `sse-streaming-dev-items`: its rows are lost, unless `data.attributes.time` stays as it is",
            ],
        );
        check(
            "",
            "[data.attributes]\nkey = \"id\"\n",
            &[
                "replaces table `sse-streaming-dev-items`: its rows are lost, unless `data.attributes.key` stays as it is",
            ],
        );
        let taken_over = "[tables.items]\nname = \"orders\"\nimport = true\n";
        check(
            taken_over,
            &taken_over.replace("import = true\n", ""),
            &[
                "removes what the owner of table `orders` gave it: other indexes, its capacity and its stream go, and where it \
               has local indexes or other keys all of its rows, unless `tables.items.import` stays `true`",
            ],
        );
        let kept = "[history]\nkeep = \"400d\"\n";
        check(kept, "", &["removes table `sse-streaming-dev-history`: its rows are lost, unless `history.keep` stays"]);
    }

    #[test]
    fn a_key_of_another_type_is_what_terraform_does_not_make() {
        let line = "removes what is found in table `sse-streaming-dev-items`: its keys keep the types that they have, which Terraform \
                    does not change, and it refuses rows with others, unless `data.time_format` and `data.label_type` stay as they \
                    are, or `tables.items.name` is another one";
        check("", "[data]\ntime_format = \"epoch-millis\"\n", &[line]);
        check("", "[data]\nlabel_type = \"number\"\nlabels = [\"1\"]\n", &[line]);
        // Both are texts.
        check("", "[data]\ntime_format = \"epoch-millis-text\"\n", &[]);
    }

    #[test]
    fn an_index_is_built_again_and_no_row_is_lost() {
        let line = "replaces index `by_sentiment` of table `sse-streaming-dev-items`: streams find nothing until DynamoDB has \
                    built the new one, and no row is lost, unless `data.index`, `data.attributes` and `data.show` \
                    stay as they are";
        check("", "[data]\nindex = \"by_label\"\n", &[line]);
        check("", "[data]\nshow = [\"author\"]\n", &[line]);
        check("", "[data.attributes]\nlabel = \"mood\"\n", &[line]);
    }

    #[test]
    fn another_name_for_everything_says_each_thing_that_has_one() {
        let renamed = "[project]\nname = \"other\"\n[operations]\nemail = \"a@example.com\"\n";
        let stays = "unless `project.name` and `project.environment` stay as they are";
        let url = "its URL changes, and pages that know the old one lose their stream";
        check(
            "[operations]\nemail = \"a@example.com\"\n",
            renamed,
            &[
                "`generated/bootstrap` replaces bucket `sse-streaming-dev-state-`: its files are lost, unless \
                 `project.name` and `project.environment` stay as they are",
                &format!("replaces function `sse-streaming-dev-dashboard`: {url}, {stays}"),
                &format!("replaces function `sse-streaming-dev-stream`: {url}, {stays}"),
                &format!("replaces log `/aws/lambda/sse-streaming-dev-dashboard`: its lines are lost, {stays}"),
                &format!("replaces log `/aws/lambda/sse-streaming-dev-stream`: its lines are lost, {stays}"),
                "replaces table `sse-streaming-dev-items`: its rows are lost, unless `tables.items.name` is \"sse-streaming-dev-items\"",
                "replaces table `sse-streaming-dev-users`: its rows are lost, unless `tables.users.name` is \"sse-streaming-dev-users\"",
                &format!("replaces topic `sse-streaming-dev-alarms`: whoever it tells must agree again, {stays}"),
            ],
        );
        let edge = "[front]\nkind = \"cloudfront\"\n[project]\nname = ";
        let found = lines(&format!("{edge}\"one\"\n"), &format!("{edge}\"two\"\n")).join("\n");
        assert!(found.contains("replaces bucket `one-dev-page-`: its files are lost, unless"), "{found}");
        assert!(
            found.contains("replaces function `one-dev-stream`: requests fail until the new one is there"),
            "{found}"
        );
        assert!(!found.contains("distribution"), "{found}");
    }

    #[test]
    fn another_way_in_or_package_says_whose_address_goes() {
        let kind = |kind: &str| format!("{NEW}[front]\nkind = \"{kind}\"\n");
        check(
            &kind("cloudfront"),
            &kind("function-url"),
            &[
                "removes bucket `sse-streaming-dev-page-`: its files are lost, unless `front.kind` stays as it is",
                "removes distribution `sse-streaming-dev: page, REST and stream`: its address answers no more, and pages that \
                 know it lose their stream, unless `front.kind` stays as it is",
            ],
        );
        let gone = |role: &str| {
            format!(
                "removes URL of function `sse-streaming-dev-{role}`: pages that know it lose their stream, unless `front.kind` stays as it is"
            )
        };
        check(&kind("function-url"), &kind("api-gateway"), &[&gone("dashboard"), &gone("stream")]);
        // Its URLs stay, and refuse whoever is not CloudFront.
        check(&kind("function-url"), &kind("cloudfront"), &[&gone("dashboard"), &gone("stream")]);
        let found = lines(&kind("api-gateway"), &kind("function-url")).join("\n");
        assert!(found.contains("removes REST API `sse-streaming-dev-front`: its address answers no more"), "{found}");
        let at = |domain: &str| {
            let certificate = "certificate_arn = \"arn:aws:acm:us-east-1:123456789012:certificate/1a2b3c4d-0000-1111-2222-333344445555\"";
            format!("[front]\nkind = \"cloudfront\"\ndomain = \"{domain}\"\n{certificate}\n")
        };
        let lost = "pages that know it lose their stream, unless `front.domain` is \"one.example.com\"";
        let replaces = format!("replaces address `one.example.com`: {lost}");
        check(&at("one.example.com"), &at("two.example.com"), &[&replaces]);
        let removes = format!("removes address `one.example.com`: {lost}");
        check(&at("one.example.com"), "[front]\nkind = \"cloudfront\"\n", &[&removes]);
        check(
            "",
            "[stream]\npackage = \"image\"\n",
            &[
                "replaces function `sse-streaming-dev-stream`: its URL changes, and pages that know the old one lose their stream, \
               unless `stream.package` stays as it is",
            ],
        );
        let own = lines("", "[dashboard]\nlog_group = \"/company/live\"\n");
        assert_eq!(
            own,
            [
                "`generated/terraform` removes log `/aws/lambda/sse-streaming-dev-dashboard`: its lines are lost, unless \
              `dashboard.log_group` is left out"
            ]
        );
    }

    #[test]
    fn keys_repositories_providers_regions_and_states_are_said_too() {
        let keys = |keys: &str| format!("[auth]\nmode = \"session\"\nsession_keys = {keys}\n");
        check(
            &keys("[\"2\", \"1\"]"),
            &keys("[\"2\"]"),
            &[
                "removes key `1`: tokens that it signed are refused, unless `auth.session_keys` names it until they have ended",
            ],
        );
        check(&keys("[\"1\"]"), &keys("[\"2\", \"1\"]"), &[]);
        let image = |more: &str| format!("[stream]\npackage = \"image\"\n[package]\n{more}\n");
        let named = [
            "`generated/bootstrap` replaces repository `one`: its images are lost, unless `package.repository` is \"one\"",
        ];
        check(&image("repository = \"one\""), &image("repository = \"two\""), &named);
        let state = |bucket: &str| format!("[terraform.backend]\nkind = \"s3\"\nbucket = \"{bucket}\"\n");
        let moved = lines(&state("one"), &state("two")).join("\n");
        assert!(moved.contains("`generated/terraform` replaces state `one/sse-streaming/dev/terraform.tfstate`: Terraform makes everything a second time"), "{moved}");
        check("", &state("sse-streaming-dev-state-0123"), &[]);
        let ci = |more: &str| {
            format!("{}[ci]\nprovider = \"github\"\nrepository = \"example/live\"\n{more}\n", state("one"))
        };
        let arn = "oidc_provider_arn = \"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com\"";
        let found = lines(&ci(""), &ci(arn));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("let go first: `terraform state rm aws_iam_openid_connect_provider.github`"),
            "{found:?}"
        );
        let far = lines("", "[project]\nregion = \"eu-west-1\"\n").join("\n");
        assert!(far.contains("replaces everything in us-east-1 by the same in eu-west-1"), "{far}");
    }

    #[test]
    fn what_terraform_changes_in_place_is_not_said() {
        for (before, after) in [
            ("", "[stream]\nmemory = \"512 MiB\"\nlog_retention_days = 30\nreserved_concurrency = 0\n"),
            ("", "[project]\ntags = { team = \"a\" }\ndescription = \"other\"\n"),
            ("", "[tables.items]\ndeletion_protection = false\npoint_in_time_recovery = false\n"),
            ("", "[tables.items]\ncreate = false\n[tables.users]\ncreate = false\n"),
            ("", "[operations]\nalarms = false\nmetrics = \"off\"\ncloudwatch_dashboard = false\n"),
            ("", "[data]\nlabels = [\"good\", \"bad\"]\ntags_max = 10\nwindow = \"12h\"\n"),
            ("", "[history]\nkeep = \"400d\"\n[stream]\nshare_hours = true\n"),
            ("", "[aws]\nrole_path = \"/team/\"\n"),
            (
                "[tables.items]\nimport = true\n",
                "[tables.items]\nimport = true\n[data]\nindex = \"by_label\"\nattributes.key = \"id\"\n",
            ),
            // Providers differ in how an index is written.
            ("", NEW),
            (
                "[front]\nkind = \"cloudfront\"\n",
                "[front]\nkind = \"cloudfront\"\nread_timeout = \"60s\"\naccess_log = true\n",
            ),
        ] {
            check(before, after, &[]);
        }
        check("", "", &[]);
    }
}
