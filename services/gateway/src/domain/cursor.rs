//! Cursors: where a list goes on. They are signed, and good only for the list that gave them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use preceptor_core::Kind;
use preceptor_keys::{KeyError, KeyName, Keys, Purpose};

use crate::error::ApiError;

/// The bytes of a signature that a cursor carries: no one guesses 2^128.
const SIGNED: usize = 16;

/// What a cursor is good for: one list, with its filters, as one subject of one org sees it.
#[derive(Debug, Clone)]
pub(crate) struct ListName {
    key: KeyName,
    subject: String,
    path: String,
    filters: Vec<(String, String)>,
}

impl ListName {
    pub(crate) fn new(
        org: preceptor_core::id::OrgId,
        subject: &str,
        path: &str,
        filters: &[(String, String)],
    ) -> Self {
        let mut filters = filters.to_vec();
        filters.sort();
        Self {
            key: KeyName::of_org(Purpose::Cursors, org),
            subject: subject.to_owned(),
            path: path.to_owned(),
            filters,
        }
    }

    /// The same list under other filters.
    pub(crate) fn filtered(&self, filters: &[(String, String)]) -> Self {
        let mut filters = filters.to_vec();
        filters.sort();
        Self { filters, ..self.clone() }
    }

    async fn signature(&self, keys: &dyn Keys, place: &str) -> Result<Vec<u8>, KeyError> {
        // JSON keeps the parts apart, whatever they hold.
        let message =
            serde_json::to_vec(&(&self.subject, &self.path, &self.filters, place)).unwrap_or_default();
        Ok(keys.hmac(self.key, &message).await?[..SIGNED].to_vec())
    }

    /// The cursor that goes on behind `place`; none when there is nothing behind it.
    pub(crate) async fn cursor(&self, keys: &dyn Keys, place: &str) -> Result<Option<String>, ApiError> {
        if place.is_empty() {
            return Ok(None);
        }
        let mut bytes = self.signature(keys, place).await?;
        bytes.extend_from_slice(place.as_bytes());
        Ok(Some(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The place that a cursor goes on behind; empty for the beginning.
    pub(crate) async fn place(&self, keys: &dyn Keys, cursor: &str) -> Result<String, ApiError> {
        if cursor.is_empty() {
            return Ok(String::new());
        }
        let wrong = || {
            ApiError::new(
                Kind::InvalidInput,
                "CURSOR_INVALID",
                "use a cursor as the last page of this list gave it, with the same filters",
            )
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let (signature, place) = bytes.split_at_checked(SIGNED).ok_or_else(wrong)?;
        let place = std::str::from_utf8(place).map_err(|_| wrong())?;
        let expected = self.signature(keys, place).await?;
        // Every byte is looked at, so that the time tells nothing.
        let differs = expected.iter().zip(signature).fold(0, |differs, (one, other)| differs | (one ^ other));
        if differs == 0 && !place.is_empty() { Ok(place.to_owned()) } else { Err(wrong()) }
    }
}

/// One page of a list that was read whole: what comes behind `after`, at most `limit` of it, and the place to go on behind.
pub(crate) fn slice<T>(
    entries: Vec<T>,
    after: &str,
    limit: i32,
    key: impl Fn(&T) -> String,
) -> (Vec<T>, String) {
    let first = if after.is_empty() {
        0
    } else {
        entries.iter().position(|entry| key(entry) == after).map_or(entries.len(), |place| place + 1)
    };
    let rest = entries.len().saturating_sub(first);
    let limit = usize::try_from(limit).unwrap_or_default();
    let page: Vec<T> = entries.into_iter().skip(first).take(limit).collect();
    let next = if rest > limit { page.last().map(key).unwrap_or_default() } else { String::new() };
    (page, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_a_whole_list_have_everything_once() {
        let (mut after, mut seen) = (String::new(), Vec::new());
        loop {
            let (page, next) = slice((0..7).collect(), &after, 3, ToString::to_string);
            seen.extend(page);
            if next.is_empty() {
                break;
            }
            after = next;
        }
        assert_eq!(seen, (0..7).collect::<Vec<i32>>());
        assert_eq!(slice(vec![1, 2], "9", 3, ToString::to_string).0, Vec::<i32>::new());
    }
}
