//! One row, as docs/producers.md shows it.
#![expect(clippy::disallowed_methods, reason = "it is a program of somebody else's, with settings of its own")]

use aws_config::BehaviorVersion;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http).load().await;
    let now = OffsetDateTime::now_utc().replace_millisecond(0)?.format(&Rfc3339)?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    aws_sdk_dynamodb::Client::new(&config)
        .put_item()
        .table_name(std::env::var("SENTIMENTS_TABLE")?)
        .item("source_id", text("news-rust"))
        .item("timestamp", AttributeValue::S(now))
        .item("sentiment", text("positive"))
        .item("score", AttributeValue::N("0.75".to_owned()))
        .item("matched_tickers", AttributeValue::Ss(vec!["AAPL".to_owned()]))
        .item("status", text("analyzed"))
        .send()
        .await?;
    Ok(())
}
