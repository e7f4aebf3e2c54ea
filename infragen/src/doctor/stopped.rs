//! Whether a function is stopped, which whoever asks why nothing comes may have forgotten.

use super::{Check, Places};
use crate::manifest::Manifest;

/// Says which functions are stopped, and how they are started again; none where none is.
#[must_use]
pub fn stopped(manifest: &Manifest, places: &Places) -> Option<Check> {
    let reserves =
        [("stream", manifest.stream.reserved_concurrency), ("dashboard", manifest.dashboard.reserved_concurrency)];
    let stopped: Vec<String> = reserves
        .into_iter()
        .filter(|(_, reserve)| reserve.is_some_and(|reserve| reserve.get() == 0))
        .map(|(role, _)| format!("`{role}.reserved_concurrency`"))
        .collect();
    let first = stopped.first()?;
    let found = match stopped.len() {
        1 => format!("{first} is `0`: every request to the function gets 429"),
        _ => format!("{} are `0`: every request to the functions gets 429", stopped.join(" and ")),
    };
    // What was done on purpose is not missing.
    let next = Some(format!("to start again, take the key away, then run `{}` and `{}`", places.render, places.apply));
    Some(Check { next, ..Check::ok("stopped", found) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::aws::tests::loaded;

    #[test]
    fn what_is_stopped_is_named_with_the_way_back() {
        let judge = |text: &str| {
            let loaded = loaded(text);
            stopped(&loaded.manifest, &Places::of(&loaded))
        };
        assert_eq!(judge(""), None);
        assert_eq!(judge("[dashboard]\nreserved_concurrency = 1\n"), None);
        let one = judge("[dashboard]\nreserved_concurrency = 0\n").unwrap();
        assert_eq!(one.found, "`dashboard.reserved_concurrency` is `0`: every request to the function gets 429");
        let next = "to start again, take the key away, then run `infragen render` and `./justw apply`";
        assert_eq!(one.next.as_deref(), Some(next));
        let both = judge("[stream]\nreserved_concurrency = 0\n[dashboard]\nreserved_concurrency = 0\n").unwrap();
        let found = "`stream.reserved_concurrency` and `dashboard.reserved_concurrency` are `0`: every request to the \
                     functions gets 429";
        assert_eq!(both.found, found);
    }
}
