//! This binary as its own child: see `preceptor-sandbox`.

use std::process::ExitCode;

use bytes::Bytes;

/// Does the work of a child process when this process was started as one. Every binary that may run services calls it
/// before anything else.
pub fn run_if_asked() -> Option<ExitCode> {
    preceptor_sandbox::child::run_if_asked(dispatch)
}

/// Every kind of work of every service.
fn dispatch(
    kind: &str,
    request: &[u8],
    file: Bytes,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<u8>, String> {
    let done = preceptor_ingestion::work(kind, request, &file, progress)
        .or_else(|| preceptor_credits::work(kind, &file));
    done.unwrap_or_else(|| Err(format!("there is no work of the kind {kind:?}")))
}
