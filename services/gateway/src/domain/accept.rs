//! What a client would rather have (RFC 9110, 12.5.1).

use axum::http::{HeaderMap, header};

/// How much a client wants a media type, in thousandths; nothing when it does not say.
fn weight(headers: &HeaderMap, kind: &str) -> Option<u32> {
    let (own, _) = kind.split_once('/')?;
    let mut found: Option<(u8, u32)> = None;
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    for entry in lines.flat_map(|line| line.split(',')) {
        let mut parts = entry.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        // The most specific range that fits is the one that counts.
        let precision = match range.as_str() {
            "*/*" => 0,
            range if range.strip_suffix("/*") == Some(own) => 1,
            range if range == kind => 2,
            _ => continue,
        };
        let quality =
            parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
        let thousandths = match quality.map(|quality| quality.trim().parse::<f32>()) {
            None => 1000,
            Some(Ok(quality)) if (0.0..=1.0).contains(&quality) => (quality * 1000.0) as u32,
            Some(_) => 0,
        };
        if found.is_none_or(|(known, _)| precision >= known) {
            found = Some((precision, thousandths));
        }
    }
    found.map(|(_, thousandths)| thousandths)
}

/// Whether a client would rather have `kind` than what it gets otherwise. A mere mention beside it is not enough.
pub(crate) fn prefers(headers: &HeaderMap, kind: &str, otherwise: &str) -> bool {
    let is_named = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|line| line.to_str().is_ok_and(|line| line.to_ascii_lowercase().contains(kind)));
    is_named && weight(headers, kind).unwrap_or(0) > weight(headers, otherwise).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_would_rather_have_a_stream_gets_one() {
        let wants = |accept: &str| {
            prefers(
                &[(header::ACCEPT, accept.parse().expect("a value"))].into_iter().collect(),
                "text/event-stream",
                "application/json",
            )
        };
        for stream in [
            "text/event-stream",
            "Text/Event-Stream",
            "text/event-stream, application/json;q=0.9",
            "application/json;q=0.1,text/event-stream;q=0.2",
            "text/event-stream, */*;q=0.1",
        ] {
            assert!(wants(stream), "{stream}");
        }
        for whole in [
            "text/event-stream;q=0",
            "application/json, text/event-stream",
            "application/json, text/event-stream;q=0.5",
            "*/*",
            "text/*",
            "application/json",
            "text/event-stream;q=0, */*",
            "text/event-stream;q=2",
        ] {
            assert!(!wants(whole), "{whole}");
        }
        assert!(!prefers(&HeaderMap::new(), "text/event-stream", "application/json"));
    }
}
