//! The access log of CloudFront, in an account in memory: where it goes, what is in a line, and that it goes again.

use serde_json::json;

use super::account::{Account, ROOT};
use super::apply::{apply_all, state};
use super::terraform::Root;
use super::terraform_tests::PAGE;

const MANIFEST: &str = "[front]\nkind = \"cloudfront\"\naccess_log = true\naccess_log_retention_days = 30\n\
                        [tables.items]\ndeletion_protection = false\n[tables.users]\ndeletion_protection = false\n";

#[test]
fn lines_of_cloudfront_go_to_a_log_of_their_own_without_what_may_have_a_token() {
    let account = Account::new(MANIFEST);
    account.project.run(&["render"]).done();
    account.project.write(PAGE, "<!doctype html>\n");
    let root = Root::new(&account.project, ROOT).in_memory(&account.moto);
    apply_all(&root);
    let made = state(&account.project, ROOT);
    let group = &made["aws_cloudwatch_log_group.access"];
    assert_eq!(
        (&group["name"], &group["retention_in_days"]),
        (&json!("/aws/vendedlogs/cloudfront/sse-streaming-dev"), &json!(30))
    );
    let source = &made["aws_cloudwatch_log_delivery_source.access"];
    assert_eq!(source["resource_arn"], made["aws_cloudfront_distribution.front"]["arn"]);
    let destination = &made["aws_cloudwatch_log_delivery_destination.access"];
    let to = &destination["delivery_destination_configuration"][0]["destination_resource_arn"];
    assert_eq!((to, &destination["output_format"]), (&group["arn"], &json!("json")));
    // As the account has it, and not as Terraform asked for it.
    let deliveries = account.aws(&["logs", "describe-deliveries"])["deliveries"].clone();
    let [delivery] = &deliveries.as_array().unwrap()[..] else { panic!("{deliveries:#}") };
    assert_eq!(delivery["deliveryDestinationType"], "CWL");
    let fields: Vec<&str> =
        delivery["recordFields"].as_array().unwrap().iter().map(|field| field.as_str().unwrap()).collect();
    for wanted in ["c-ip", "cs-method", "cs-uri-stem", "sc-status", "time-taken"] {
        assert!(fields.contains(&wanted), "{fields:?}");
    }
    for secret in ["cs-uri-query", "cs(Cookie)", "cs(Referer)"] {
        assert!(!fields.contains(&secret), "{fields:?}");
    }
    // And whoever asks what runs is told an address that answers.
    let site = format!("https://{}", made["aws_cloudfront_distribution.front"]["domain_name"].as_str().unwrap());
    let status = account.run(&["status"]);
    assert_eq!(status.stdout.matches(&format!(" {site}\n")).count(), 2, "{status:?}");
    let cost = account.project.run(&["cost", "--format", "json"]).done().stdout;
    assert!(cost.contains("\"Access log\""), "{cost}");
    root.done(&["destroy", "-auto-approve"]);
    assert_eq!(account.moto.inventory(), json!({}));
    assert_eq!(account.aws(&["logs", "describe-delivery-sources"])["deliverySources"], json!([]));
}
