//! Cargo, started by a program that cargo started.

use std::process::Command;

/// Cargo, without what the outer one told this program about itself. Build scripts watch those variables (that of `ring`
/// does), so that everything above them would be compiled again whenever the outer and the inner one take turns.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new("cargo");
    let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| told.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
    command
}
