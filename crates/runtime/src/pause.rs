//! Named points at which a test can stop the process, to kill it or what it talks to there.
//!
//! They cost nothing and do nothing unless the crate is built with the feature `pause-points`, which only the test kit
//! asks for. Then a file `<point>@<key>` in the folder that `PRECEPTOR_PAUSE_FOLDER` names holds the one who comes to that
//! point with that key: the file becomes `<point>@<key>.reached`, and when that is gone, the work goes on.

/// Holds the caller while a test wants it.
#[cfg(not(feature = "pause-points"))]
pub fn at(_point: &'static str, _key: impl std::fmt::Display) -> std::future::Ready<()> {
    std::future::ready(())
}

/// Holds the caller while a test wants it.
#[cfg(feature = "pause-points")]
pub async fn at(point: &'static str, key: impl std::fmt::Display) {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test tells where it puts its files, past every configuration"
    )]
    let Ok(folder) = std::env::var("PRECEPTOR_PAUSE_FOLDER") else { return };
    let wanted = std::path::Path::new(&folder).join(format!("{point}@{key}"));
    let reached = wanted.with_file_name(format!("{point}@{key}.reached"));
    if std::fs::rename(&wanted, &reached).is_err() {
        return;
    }
    while reached.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}
