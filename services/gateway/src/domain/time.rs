//! Times as the API and the pages write them.

use preceptor_core::Timestamp;

/// RFC 3339 in UTC, or nothing for an instant that has not come.
pub(crate) fn rfc3339(micros: i64) -> Option<String> {
    (micros > 0).then(|| Timestamp::from_micros(micros).to_string())
}

/// RFC 3339 in UTC, of an instant that is always there.
pub(crate) fn instant(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}

/// Minutes and seconds of a recording, with hours when there are any: `1:02:03`, `4:05`.
pub(crate) fn clock(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        assert_eq!(clock(245_900), "4:05");
        assert_eq!(clock(3_723_000), "1:02:03");
        assert_eq!(rfc3339(0), None);
        assert_eq!(rfc3339(1_000_000).as_deref(), Some("1970-01-01T00:00:01.000Z"));
    }
}
