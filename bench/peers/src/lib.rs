//! What the servers of other people say: the same for each that is written in Rust.

use std::time::SystemTime;

/// The data of an update as long as ours are; `n` is its number.
#[must_use]
pub fn data(n: u64) -> String {
    let at = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_millis();
    let id = format!("microsoft-wins-long-term-contract-{n:010}");
    format!(
        concat!(
            r#"{{"n":{n},"item_id":"{id}","ticker":"MSFT","score":0.642,"label":"positive","confidence":0.871,"#,
            r#""source":"market-brief","at":{at},"title":"Microsoft wins long-term contract","#,
            r#""url":"https://example.com/MSFT/{id}","author":"B. Okafor"}}"#
        ),
        n = n,
        id = id,
        at = at
    )
}
