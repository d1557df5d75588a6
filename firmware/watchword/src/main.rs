//! The camera's daemon and command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    watchword::cli::main()
}
