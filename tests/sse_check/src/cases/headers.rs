//! What the head of the first answer says, and whether its body is framed.

use std::collections::BTreeMap;

use super::{Context, Verdict};
use crate::stream::End;

pub(super) fn status(context: &Context) -> Verdict {
    match context.sample.head.status {
        200 => Verdict::Passed(None),
        other => Verdict::found(format!("the status is {other}")),
    }
}

pub(super) fn content_type(context: &Context) -> Verdict {
    let all = context.sample.head.all("content-type");
    let [text] = &all[..] else {
        return Verdict::found(format!("there are {} Content-Type headers", all.len()));
    };
    let mut parts = text.split(';').map(str::trim);
    if !parts.next().unwrap_or_default().eq_ignore_ascii_case("text/event-stream") {
        return Verdict::found(format!("it is `{text}`"));
    }
    let odd = parts.find(|part| {
        let value = part.to_ascii_lowercase().replace('"', "");
        value != "charset=utf-8"
    });
    match odd {
        Some(part) => Verdict::found(format!("parameter `{part}`: the stream is always UTF-8")),
        None => Verdict::Passed(None),
    }
}

pub(super) fn cache_control(context: &Context) -> Verdict {
    let all = context.sample.head.all("cache-control").join(",").to_ascii_lowercase();
    if all.split(',').map(str::trim).any(|one| ["no-store", "no-cache"].contains(&one)) {
        return Verdict::Passed(None);
    }
    Verdict::found(if all.is_empty() { "there is none".to_owned() } else { format!("it is `{all}`") })
}

pub(super) fn no_length(context: &Context) -> Verdict {
    let all = context.sample.head.all("content-length");
    Verdict::of(all.iter().map(|length| format!("Content-Length: {length}")).collect())
}

pub(super) fn single_headers(context: &Context) -> Verdict {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (name, _) in &context.sample.head.headers {
        *counts.entry(name.to_ascii_lowercase()).or_default() += 1;
    }
    // Cookies cannot be joined; every other header can.
    let twice = counts.into_iter().filter(|(name, count)| *count > 1 && name != "set-cookie" && name != "content-type");
    Verdict::of(twice.map(|(name, count)| format!("`{name}` comes {count} times")).collect())
}

pub(super) fn hop_by_hop(context: &Context) -> Verdict {
    let head = &context.sample.head;
    let names = ["connection", "keep-alive", "upgrade", "proxy-connection"];
    let found = names.iter().flat_map(|name| head.all(name).into_iter().map(move |value| format!("`{name}: {value}`")));
    Verdict::of(found.collect())
}

pub(super) fn framing(context: &Context) -> Verdict {
    match &context.sample.end {
        Some(End::Broken(why)) => Verdict::found(why.clone()),
        Some(End::Cut(why)) => Verdict::found(format!("the first stream broke off: {why}")),
        Some(End::Clean) | None => Verdict::Passed(None),
    }
}
