//! What the journeys share.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use preceptor::client::{Client, Upload};
use preceptor_audit::{Verification, Verifier, VerifyError};
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

/// An org's log as the API gives it.
pub(crate) struct Log {
    size: u64,
    root: Vec<u8>,
    /// Every record with its leaf hash.
    pub(crate) leaves: Vec<(Vec<u8>, Vec<u8>)>,
}

fn bytes(value: &Value, field: &str) -> Vec<u8> {
    STANDARD.decode(value[field].as_str().expect("base 64")).expect("base 64")
}

impl Log {
    /// Reads the whole log.
    pub(crate) async fn read(client: &Client) -> Self {
        let head = client.get("/v1/audit/head").await.expect("a head");
        let size = head["size"].as_u64().expect("a size");
        let mut leaves = Vec::new();
        while (leaves.len() as u64) < size {
            let page = client.get(&format!("/v1/audit/leaves?from={}", leaves.len())).await.expect("leaves");
            assert!(!list(&page, "data").is_empty(), "the log ends early");
            leaves.extend(
                list(&page, "data").iter().map(|leaf| (bytes(leaf, "record"), bytes(leaf, "leaf_hash"))),
            );
        }
        leaves.truncate(size as usize);
        Self { size, root: bytes(&head, "root"), leaves }
    }

    /// Recomputes the root from the records.
    pub(crate) fn verify(&self) -> Result<Verification, VerifyError> {
        let mut verifier = Verifier::default();
        for (index, (record, hash)) in self.leaves.iter().enumerate() {
            verifier.leaf(index as u64, record, hash)?;
        }
        verifier.finish(self.size, &self.root)
    }
}

/// Sends fields as a form of a page does.
pub(crate) trait SendsForm {
    fn fields(self, fields: &[(&str, &str)]) -> Self;
}

impl SendsForm for reqwest::RequestBuilder {
    fn fields(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded").body(body)
    }
}
