//! One page of a list, as the handler of an RPC reads it.

/// How many rows a page of a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows(usize);

impl Rows {
    /// As many as `limit` asks for, but at least one and at most `most`; `most` where it asks for none.
    pub fn asked(limit: i32, most: i32) -> Self {
        let rows = if limit == 0 { most } else { limit.clamp(1, most) };
        Self(usize::try_from(rows).unwrap_or(1))
    }

    /// How many rows to read: one more than is shown, to know whether there are more.
    pub fn to_read(self) -> u64 {
        self.0 as u64 + 1
    }

    /// The rows that are shown of those that were read, and the place that the next page begins behind; empty at the end.
    pub fn page<T>(self, mut rows: Vec<T>, place: impl Fn(&T) -> &str) -> (Vec<T>, String) {
        let more = rows.len() > self.0;
        rows.truncate(self.0);
        let last = rows.last().filter(|_| more).map(|row| place(row).to_owned());
        (rows, last.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_what_was_asked_for_in_bounds() {
        let read = |limit| Rows::asked(limit, 100).to_read();
        assert_eq!([0, -5, 1, 20, 100, 1000].map(read), [101, 2, 2, 21, 101, 101]);
    }

    #[test]
    fn the_next_page_begins_behind_the_last_row_that_is_shown() {
        let rows = |count: usize| ["a", "b", "c"][..count].to_vec();
        let page = |count| Rows::asked(2, 100).page(rows(count), |row| row);
        assert_eq!(page(3), (rows(2), "b".to_owned()));
        assert_eq!(page(2), (rows(2), String::new()));
        assert_eq!(page(0), (rows(0), String::new()));
    }
}
