//! The demo program.

/// The org that the demo makes.
pub(crate) const ORG: &str = "Harbor Medical Education (demo)";

/// Seeds it.
pub(crate) async fn seed(_config: &crate::config::Config) -> anyhow::Result<()> {
    Ok(())
}
