//! Opaque cursors: a client cannot build one, so their form may change.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::ApiError;

const VERSION: &str = "1:";

/// The cursor that goes on behind `id`; none when there is nothing behind it.
pub(crate) fn encode(id: &str) -> Option<String> {
    (!id.is_empty()).then(|| URL_SAFE_NO_PAD.encode(format!("{VERSION}{id}")))
}

/// The id that a cursor goes on behind; empty for the beginning.
pub(crate) fn decode(cursor: Option<&str>) -> Result<String, ApiError> {
    let Some(cursor) = cursor.filter(|cursor| !cursor.is_empty()) else { return Ok(String::new()) };
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .and_then(|text| text.strip_prefix(VERSION).map(str::to_owned))
        .ok_or_else(|| ApiError::field("/cursor", "use a cursor as the last page gave it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_and_garbage_is_refused() {
        let cursor = encode("src_1").expect("a cursor");
        assert_eq!(decode(Some(&cursor)).expect("an id"), "src_1");
        assert_eq!(decode(None).expect("the beginning"), "");
        assert_eq!(encode(""), None);
        assert!(decode(Some("c3JjXzE")).is_err());
    }
}
