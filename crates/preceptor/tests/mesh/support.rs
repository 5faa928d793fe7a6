//! What the journeys share.

use std::time::Duration;

use preceptor::client::Upload;
use serde_json::Value;

/// A Markdown file.
pub(crate) fn markdown(name: &str, text: &str) -> Upload {
    Upload { name: name.to_owned(), content: text.as_bytes().to_vec(), ..Upload::default() }
}

/// Three sections about warfarin.
pub(crate) const WARFARIN: &str = "# Warfarin in practice\n\n## Dosing\n\nThe usual starting dose of warfarin is 5 mg once a day. Older adults start with 2.5 mg.\n\n\
    ## Bleeding\n\nStop warfarin when the INR is above 10 and give vitamin K by mouth.\n\n\
    ## Interactions\n\nFluconazole raises the INR, so halve the dose of warfarin when it is started.\n";

/// The list of a field.
pub(crate) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// Looks until `ready` finds what it looks for.
pub(crate) async fn eventually<T>(what: &str, mut ready: impl AsyncFnMut() -> Option<T>) -> T {
    const TRIES: usize = 300;
    for _ in 0..TRIES {
        if let Some(found) = ready().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what} did not happen");
}
