//! `preceptor`: see `preceptor --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    preceptor::commands::main()
}
