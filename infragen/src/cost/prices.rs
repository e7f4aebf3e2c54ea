//! What AWS charges: a dated table in the program, and one of the user's laid over it. Knows no quantity.

use std::cell::RefCell;
use std::sync::LazyLock;

use crate::diagnostic::{Diagnostic, Source};
use crate::manifest::Section as _;
use crate::manifest::reader::{ManifestValue, Problem, Reader, section};
use crate::manifest::syntax;
use crate::manifest::tree::{self, Node, Raw};
use crate::manifest::types::Architecture;

/// The table as `--print-prices` prints it.
pub const PRICES_TOML: &str = include_str!("prices.toml");

/// A price in dollars, or another figure of the table: finite and not negative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure(f64);

/// Far above every price: what is larger is a slip of the unit.
const FIGURE_MAX: f64 = 1e9;

impl Figure {
    /// The default of every key; the test `the_table_has_every_price` shows that it is never used.
    const NONE: Self = Self(0.0);

    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl ManifestValue for Figure {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let typed = match &node.value {
            Raw::Integer(number) => number.to_string(),
            Raw::Number(text) => text.replace('_', ""),
            _ => return Err(vec![Problem::kind(node, &Self::rule())]),
        };
        match typed.parse::<f64>() {
            Ok(number) if (0.0..=FIGURE_MAX).contains(&number) => Ok(Self(number)),
            _ => Err(vec![Problem::text(&typed, &format!("it must be {}", Self::rule())).code("out-of-range")]),
        }
    }
    fn rule() -> String {
        "a number from 0 to 1000000000".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "number", "minimum": 0, "maximum": FIGURE_MAX })
    }
    fn examples() -> Vec<toml::Value> {
        vec![0.2.into()]
    }
}

/// A figure that something is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Positive(f64);

impl Positive {
    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl ManifestValue for Positive {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        match node.value {
            Raw::Integer(number @ 1..=1024) => Ok(Self(u16::try_from(number).map_or(1.0, f64::from))),
            Raw::Integer(number) => {
                let rule = format!("it must be {}", Self::rule());
                Err(vec![Problem::text(&number.to_string(), &rule).code("out-of-range")])
            }
            _ => Err(vec![Problem::kind(node, &Self::rule())]),
        }
    }
    fn rule() -> String {
        "a whole number from 1 to 1024".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "integer", "minimum": 1, "maximum": 1024 })
    }
    fn examples() -> Vec<toml::Value> {
        vec![16.into()]
    }
}

/// A short text: the date and the region of the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word(String);

impl Word {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ManifestValue for Word {
    fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        let Raw::String(text) = &node.value else {
            return Err(vec![Problem::kind(node, &Self::rule())]);
        };
        let is_word = (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_word {
            Ok(Self(text.clone()))
        } else {
            Err(vec![Problem::text(text, &format!("it must be {}", Self::rule()))])
        }
    }
    fn rule() -> String {
        "1 to 40 of a-z, A-Z, 0-9 and -".to_owned()
    }
    fn write(&self) -> Option<toml::Value> {
        Some(self.0.clone().into())
    }
    fn schema() -> serde_json::Value {
        serde_json::json!({ "type": "string", "pattern": "^[A-Za-z0-9-]{1,40}$" })
    }
    fn examples() -> Vec<toml::Value> {
        vec!["us-east-1".into()]
    }
}

section! {
    /// Lambda's own prices.
    pub struct LambdaPrices {
        /// A GB-second on arm64.
        "gb_second_arm64" => gb_second_arm64: Figure = Figure::NONE;
        /// A GB-second on x86_64.
        "gb_second_x86_64" => gb_second_x86_64: Figure = Figure::NONE;
        /// A million requests.
        "million_requests" => million_requests: Figure = Figure::NONE;
        /// A GB streamed beyond the first 6 MB of a response.
        "gb_streamed" => gb_streamed: Figure = Figure::NONE;
    }
}

impl LambdaPrices {
    /// Dollars of a GB-second on these processors.
    pub const fn gb_second(&self, architecture: Architecture) -> f64 {
        match architecture {
            Architecture::Arm64 => self.gb_second_arm64.get(),
            Architecture::X86 => self.gb_second_x86_64.get(),
        }
    }
}

section! {
    /// What managed instances cost.
    pub struct InstancePrices {
        /// What Lambda takes on top of EC2's price, percent.
        "management_fee_percent" => management_fee_percent: Figure = Figure::NONE;
        /// Processors of one instance.
        "instance_vcpus" => instance_vcpus: Positive = Positive(1.0);
        /// An hour of an instance, arm64, 2 GiB a processor.
        "hour_arm64_2_gib" => hour_arm64_2_gib: Figure = Figure::NONE;
        /// An hour of an instance, arm64, 4 GiB a processor.
        "hour_arm64_4_gib" => hour_arm64_4_gib: Figure = Figure::NONE;
        /// An hour of an instance, arm64, 8 GiB a processor.
        "hour_arm64_8_gib" => hour_arm64_8_gib: Figure = Figure::NONE;
        /// An hour of an instance, x86_64, 2 GiB a processor.
        "hour_x86_64_2_gib" => hour_x86_64_2_gib: Figure = Figure::NONE;
        /// An hour of an instance, x86_64, 4 GiB a processor.
        "hour_x86_64_4_gib" => hour_x86_64_4_gib: Figure = Figure::NONE;
        /// An hour of an instance, x86_64, 8 GiB a processor.
        "hour_x86_64_8_gib" => hour_x86_64_8_gib: Figure = Figure::NONE;
    }
}

section! {
    /// KMS.
    pub struct KmsPrices {
        /// A key, a month.
        "key_month" => key_month: Figure = Figure::NONE;
        /// A million requests.
        "million_requests" => million_requests: Figure = Figure::NONE;
    }
}

section! {
    /// DynamoDB on demand.
    pub struct DynamoDbPrices {
        /// A million read request units.
        "million_read_units" => million_read_units: Figure = Figure::NONE;
        /// A million write request units.
        "million_write_units" => million_write_units: Figure = Figure::NONE;
        /// A GB that is kept, a month.
        "gb_month" => gb_month: Figure = Figure::NONE;
        /// A GB of a table of which every second can be restored, a month, beside that.
        "gb_month_recoverable" => gb_month_recoverable: Figure = Figure::NONE;
    }
}

section! {
    /// CloudWatch and X-Ray.
    pub struct CloudWatchPrices {
        /// A GB of log taken in.
        "gb_logs" => gb_logs: Figure = Figure::NONE;
        /// An alarm, a month.
        "alarm" => alarm: Figure = Figure::NONE;
        /// A custom metric, a month.
        "custom_metric" => custom_metric: Figure = Figure::NONE;
        /// A dashboard, a month.
        "dashboard" => dashboard: Figure = Figure::NONE;
        /// A million traces recorded.
        "million_traces" => million_traces: Figure = Figure::NONE;
    }
}

section! {
    /// Bytes that leave AWS.
    pub struct TransferPrices {
        /// A GB to the internet.
        "gb_out" => gb_out: Figure = Figure::NONE;
    }
}

section! {
    /// CloudFront.
    pub struct CloudFrontPrices {
        /// A GB to viewers.
        "gb_out" => gb_out: Figure = Figure::NONE;
        /// A million HTTPS requests.
        "million_requests" => million_requests: Figure = Figure::NONE;
    }
}

section! {
    /// REST APIs of API Gateway.
    pub struct RestApiPrices {
        /// A million requests.
        "million_requests" => million_requests: Figure = Figure::NONE;
    }
}

section! {
    /// Containers, and the load balancer before them.
    pub struct ContainerPrices {
        /// An hour of one processor, arm64.
        "vcpu_hour_arm64" => vcpu_hour_arm64: Figure = Figure::NONE;
        /// An hour of a GB of memory, arm64.
        "gb_hour_arm64" => gb_hour_arm64: Figure = Figure::NONE;
        /// An hour of one processor, x86_64.
        "vcpu_hour_x86_64" => vcpu_hour_x86_64: Figure = Figure::NONE;
        /// An hour of a GB of memory, x86_64.
        "gb_hour_x86_64" => gb_hour_x86_64: Figure = Figure::NONE;
        /// An hour of the load balancer.
        "balancer_hour" => balancer_hour: Figure = Figure::NONE;
        /// An hour of one unit of its capacity.
        "balancer_unit_hour" => balancer_unit_hour: Figure = Figure::NONE;
    }
}

section! {
    /// Services that push messages.
    pub struct PushPrices {
        /// AppSync Events: a million minutes of a connection.
        "appsync_million_minutes" => appsync_million_minutes: Figure = Figure::NONE;
        /// AppSync Events: a million messages, published or delivered.
        "appsync_million_messages" => appsync_million_messages: Figure = Figure::NONE;
        /// API Gateway WebSocket: a million minutes of a connection.
        "api_gateway_million_minutes" => api_gateway_million_minutes: Figure = Figure::NONE;
        /// API Gateway WebSocket: a million messages.
        "api_gateway_million_messages" => api_gateway_million_messages: Figure = Figure::NONE;
        /// IoT Core: a million minutes of a connection.
        "iot_million_minutes" => iot_million_minutes: Figure = Figure::NONE;
        /// IoT Core: a million messages.
        "iot_million_messages" => iot_million_messages: Figure = Figure::NONE;
    }
}

section! {
    /// The web application firewall.
    pub struct WafPrices {
        /// A web ACL, a month.
        "acl" => acl: Figure = Figure::NONE;
        /// A rule, a month.
        "rule" => rule: Figure = Figure::NONE;
        /// A million requests looked at.
        "million_requests" => million_requests: Figure = Figure::NONE;
    }
}

section! {
    /// The registry of images.
    pub struct EcrPrices {
        /// A GB of images, a month.
        "gb_month" => gb_month: Figure = Figure::NONE;
    }
}

section! {
    /// What every account has free each month.
    pub struct FreeTier {
        /// GB-seconds of Lambda.
        "lambda_gb_seconds" => lambda_gb_seconds: Figure = Figure::NONE;
        /// Requests of Lambda.
        "lambda_requests" => lambda_requests: Figure = Figure::NONE;
        /// GB streamed by Lambda.
        "lambda_gb_streamed" => lambda_gb_streamed: Figure = Figure::NONE;
        /// GB of log.
        "logs_gb" => logs_gb: Figure = Figure::NONE;
        /// Alarms.
        "alarms" => alarms: Figure = Figure::NONE;
        /// Custom metrics.
        "custom_metrics" => custom_metrics: Figure = Figure::NONE;
        /// Dashboards.
        "dashboards" => dashboards: Figure = Figure::NONE;
        /// Traces recorded.
        "traces" => traces: Figure = Figure::NONE;
        /// GB to the internet.
        "transfer_gb" => transfer_gb: Figure = Figure::NONE;
        /// GB from CloudFront to viewers.
        "cloudfront_gb" => cloudfront_gb: Figure = Figure::NONE;
        /// Requests to CloudFront.
        "cloudfront_requests" => cloudfront_requests: Figure = Figure::NONE;
        /// Requests to KMS.
        "kms_requests" => kms_requests: Figure = Figure::NONE;
    }
}

section! {
    /// The whole table.
    pub struct Prices {
        /// Day on which the figures were read.
        "date" => date: Word = Word::default();
        /// Region that they are of.
        "region" => region: Word = Word::default();
        ..#[doc = "Lambda's own prices."] "lambda" => lambda: LambdaPrices;
        ..#[doc = "What managed instances cost."] "managed_instances" => managed_instances: InstancePrices;
        ..#[doc = "DynamoDB on demand."] "dynamodb" => dynamodb: DynamoDbPrices;
        ..#[doc = "KMS."] "kms" => kms: KmsPrices;
        ..#[doc = "CloudWatch and X-Ray."] "cloudwatch" => cloudwatch: CloudWatchPrices;
        ..#[doc = "Bytes that leave AWS."] "transfer" => transfer: TransferPrices;
        ..#[doc = "CloudFront."] "cloudfront" => cloudfront: CloudFrontPrices;
        ..#[doc = "REST APIs of API Gateway."] "rest_api" => rest_api: RestApiPrices;
        ..#[doc = "Containers, and the load balancer before them."] "container" => container: ContainerPrices;
        ..#[doc = "Services that push messages."] "push" => push: PushPrices;
        ..#[doc = "The web application firewall."] "waf" => waf: WafPrices;
        ..#[doc = "The registry of images."] "ecr" => ecr: EcrPrices;
        ..#[doc = "What every account has free each month."] "free_tier" => free_tier: FreeTier;
    }
}

impl Prices {
    /// The table of the program.
    ///
    /// # Panics
    /// Never: the test `the_table_has_every_price` reads it.
    #[must_use]
    pub fn embedded() -> &'static Self {
        // Read once: a manifest is rendered hundreds of times to find where a line comes from.
        static EMBEDDED: LazyLock<Prices> = LazyLock::new(|| {
            Prices::over(&Source { name: "prices.toml".into(), text: String::new() })
                .expect("the table that the test `the_table_has_every_price` reads")
        });
        &EMBEDDED
    }

    /// Lays a table over that of the program.
    ///
    /// # Errors
    /// Everything that is wrong with it: a key that the program's table has not, a figure that is none.
    pub fn over(source: &Source) -> Result<Self, Vec<Diagnostic>> {
        let own = Source { name: "prices.toml".into(), text: PRICES_TOML.into() };
        let table = tree::merge(syntax::parse(&own)?, &syntax::parse(source)?);
        let log = RefCell::new(Vec::new());
        let prices = <Self as crate::manifest::Section>::read(&Reader::new(&table, &log));
        let mut found = log.into_inner();
        for diagnostic in &mut found {
            // The reader speaks of manifests where a key stands in no table.
            diagnostic.message =
                diagnostic.message.replace("is not a key of the manifest", "is not in the price table");
        }
        found.sort_by(|one, other| one.place().cmp(&other.place()));
        if found.is_empty() { Ok(prices) } else { Err(found) }
    }

    /// Every key of the table, dotted.
    #[must_use]
    pub fn keys() -> Vec<String> {
        <Self as crate::manifest::Section>::docs("").into_iter().map(|doc| doc.path).collect()
    }

    /// The table as values, for programs.
    #[must_use]
    pub fn table(&self) -> toml::Table {
        self.show()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(text: &str) -> Result<Prices, Vec<String>> {
        let source = Source { name: "mine.toml".into(), text: text.into() };
        Prices::over(&source).map_err(|found| found.into_iter().map(|d| d.message).collect())
    }

    #[test]
    fn the_table_has_every_price_and_nothing_else() {
        let own = Source { name: "prices.toml".into(), text: PRICES_TOML.into() };
        let table = syntax::parse(&own).unwrap();
        for key in Prices::keys() {
            assert!(tree::find(&table, &key).is_some(), "`{key}` is not in prices.toml");
        }
        let prices = Prices::embedded();
        assert_eq!(prices.region.as_str(), "us-east-1");
        assert!(prices.lambda.gb_second_arm64.get() > 0.0);
    }

    #[test]
    fn one_key_can_be_replaced_and_the_rest_stays() {
        let prices = over("[lambda]\ngb_second_arm64 = 1_0e-6\nmillion_requests = 1\n").unwrap();
        assert!((prices.lambda.gb_second_arm64.get() - 1e-5).abs() < f64::EPSILON);
        assert!((prices.lambda.million_requests.get() - 1.0).abs() < f64::EPSILON);
        assert_eq!(prices.dynamodb, Prices::embedded().dynamodb);
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let text = "dates = \"x\"\n[lambda]\ngb_second_arm = 1\nmillion_requests = \"0.2\"\n[waf]\nacl = -5\nrule = nan\n\
                    [managed_instances]\ninstance_vcpus = 0\n";
        let expected = [
            "`dates` is not in the price table",
            "`lambda.gb_second_arm` is not a key of `[lambda]`",
            "`lambda.million_requests` is the string `0.2`: it must be a number from 0 to 1000000000",
            "`waf.acl` is `-5`: it must be a number from 0 to 1000000000",
            "`waf.rule` is `nan`: it must be a number from 0 to 1000000000",
            "`managed_instances.instance_vcpus` is `0`: it must be a whole number from 1 to 1024",
        ];
        assert_eq!(over(text).unwrap_err(), expected);
    }
}
