//! `run`: the camera, until somebody stops it.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::REFUSED;
use crate::config::Config;
use crate::daemon;
use crate::share::Share;

pub(super) fn run(path: &Path) -> Result<ExitCode> {
    let share = Share::find()?;
    let checked = Config::load(path).and_then(|config| config.check(&share).map(|()| config));
    let config = match checked {
        Ok(config) => config,
        Err(error) => {
            eprintln!("watchword: {error}");
            return Ok(ExitCode::from(REFUSED));
        }
    };
    let runtime = daemon::runtime()?;
    runtime.block_on(async {
        let stop = daemon::stop_on_signals()?;
        daemon::run(config, share, stop).await
    })?;
    // The blocking threads are ours and have been joined; nothing else is
    // worth waiting for.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}
