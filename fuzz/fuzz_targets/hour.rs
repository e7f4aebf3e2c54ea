//! Bytes of a shared hour that anybody may have written: refused, or rows that a window takes in and gives back as the same bytes.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use contract::{DataSettings, PollSettings, TableName};
use libfuzzer_sys::fuzz_target;
use stream_core::hour::{self, FORMAT, Version};
use stream_core::shelf::{Errand, Head, Kind};
use stream_core::timestamp::Timestamp;

#[derive(Arbitrary, Debug)]
enum Input {
    /// Whatever a table can hold.
    Raw(Vec<u8>),
    /// What begins as ours.
    Ours(Vec<u8>),
}

fuzz_target!(|input: Input| {
    let bytes = match input {
        Input::Raw(bytes) => bytes,
        Input::Ours(bytes) => [&[FORMAT, 3], &bytes[..]].concat(),
    };
    let Ok(rows) = hour::decode(&bytes, 3) else { return };
    assert!(rows.len() * 18 <= bytes.len(), "rows take bytes");
    // A journal that loads takes it in, whatever is in it.
    let name = |text| TableName::new(text).expect("a name of letters");
    let data = DataSettings::with_tables(name("items"), name("users"));
    let poll = PollSettings::from_env(&|_| None).expect("the defaults are valid");
    let mut journal = stream_core::journal::Journal::new(data, poll).sharing(true, 0.0);
    #[expect(clippy::disallowed_methods, reason = "any instant will do")]
    let instant = std::time::Instant::now();
    let wall = Timestamp::from_millis(1_800_000_000_000);
    journal.begin(stream_core::moment::Now { instant, wall });
    let hour = wall.minus(Duration::from_secs(6 * 3600)).millis() / 3_600_000;
    let head = Head {
        kind: Kind::Rows,
        hour,
        version: Some(Version::of(&bytes)),
        bytes: u32::try_from(bytes.len()).expect("a short input"),
        read_at: wall,
        after: Timestamp::EPOCH,
        claimed_until: Timestamp::EPOCH,
    };
    assert!(matches!(journal.errands()[..], [Errand::Look { .. }]));
    journal.looked(Kind::Rows, vec![head.clone()]);
    assert_eq!(journal.fetched(&head, Some(&bytes)), Ok(()));
    let altered = [&bytes[..], &[0]].concat();
    assert!(journal.fetched(&head, Some(&altered)).is_err());
});
