//! What every boot sees to, provisioned or not.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use scene::Id;
use sha2::{Digest, Sha256};

use super::apply::{Apply, Tell};
use super::disk::{Disk, staged};
use super::keys::Provision;
use super::network::Network;
use super::plan::{self, Places, SLOTS, UNIT, ZONES};
use crate::config::Config;

/// The folders that everything else lies in. The data partition's own is not
/// made: without it, it is not mounted.
pub(super) fn folders(job: &Apply, places: &Places, disk: &mut Disk<'_>) -> io::Result<()> {
    disk.dir(&places.home, 0o700, job.owner)?;
    disk.dir(&places.secrets, 0o700, job.owner)?;
    disk.dir(&places.system, 0o755, None)?;
    disk.dir(&places.networks, 0o755, None)?;
    disk.dir(&places.ssh, 0o700, None)
}

/// Sees to configuration, host name, time zone and network. True if the daemon
/// has a configuration to start with.
pub(super) fn every_boot(
    job: &Apply,
    places: &Places,
    disk: &mut Disk<'_>,
    tell: &mut dyn Tell,
) -> bool {
    let mut usable = true;
    if let Err(error) = defaults(job, places, disk, tell) {
        let data = job.data.display();
        usable = places.config.is_file();
        tell.warn(&match usable {
            true => format!(
                "{data} can't be written: {error:#}; the camera goes on with what is stored"
            ),
            false => format!(
                "{data} can't be written, and no configuration is stored there: {error:#}; \
                 the camera can't watch until its data partition is mounted, writable and has room"
            ),
        });
    }
    if usable && let Err(error) = Config::load(&places.config) {
        tell.warn(&format!("the daemon will not start: {error}"));
    }
    // Last, and without the data partition too: so that it can be reached.
    if let Err(error) = network(job, places, disk) {
        tell.warn(&format!(
            "the network is left as the image has it: {error:#}"
        ));
    }
    if job.set_hostname {
        let name = match fs::read_to_string(&places.hostname) {
            Ok(name) => name.trim().to_owned(),
            Err(_) => plan::hostname(&own_name(places, tell)),
        };
        if let Err(error) = rustix::system::sethostname(name.as_bytes()) {
            tell.warn(&format!("the host can't be called {name}: {error}"));
        }
    }
    usable
}

/// Writes what is not there.
fn defaults(job: &Apply, places: &Places, disk: &mut Disk<'_>, tell: &mut dyn Tell) -> Result<()> {
    if !job.data.is_dir() {
        anyhow::bail!("there is no such folder");
    }
    folders(job, places, disk)?;
    if !places.config.exists() {
        let camera = own_name(places, tell);
        let config = plan::config(
            &Provision::default(),
            camera.clone(),
            board(job, tell),
            SLOTS[0],
        );
        let text = plan::config_text(&config)?;
        disk.create(&staged(&places.config), text.as_bytes(), 0o600, job.owner)?;
        disk.rename(&staged(&places.config), &places.config)?;
        tell.info(&format!(
            "there was no configuration: this camera is {camera}, with defaults"
        ));
    }
    if !places.hostname.exists() {
        let camera = match Config::load(&places.config) {
            Ok(config) => config.camera,
            Err(_) => own_name(places, tell),
        };
        let name = format!("{}\n", plan::hostname(&camera));
        disk.create(&staged(&places.hostname), name.as_bytes(), 0o644, None)?;
        disk.rename(&staged(&places.hostname), &places.hostname)?;
    }
    if places.localtime.symlink_metadata().is_err() {
        disk.symlink(&Path::new(ZONES).join("UTC"), &staged(&places.localtime))?;
        disk.rename(&staged(&places.localtime), &places.localtime)?;
    }
    Ok(())
}

/// Copies the files for systemd-networkd to where it looks, or writes the one
/// for DHCP.
fn network(job: &Apply, places: &Places, disk: &mut Disk<'_>) -> Result<()> {
    let folder = job.run.join("systemd/network");
    for folder in [&job.run.join("systemd"), &folder] {
        disk.dir(folder, 0o755, None)
            .with_context(|| folder.display().to_string())?;
    }
    let mut put = |name: &std::ffi::OsStr, bytes: &[u8]| -> Result<()> {
        let path = folder.join(name);
        if fs::read(&path).ok().as_deref() != Some(bytes) {
            disk.create(&staged(&path), bytes, 0o644, None)?;
            disk.rename(&staged(&path), &path)?;
        }
        Ok(())
    };
    let mut found = false;
    for entry in fs::read_dir(&places.networks).into_iter().flatten() {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "network") && path.is_file() {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            put(path.file_name().unwrap_or_default(), &bytes)?;
            found = true;
        }
    }
    if !found {
        put(UNIT.as_ref(), Network::default().unit().as_bytes())?;
    }
    Ok(())
}

/// The name of a camera that was given none: "camera-" and 6 hex digits of the
/// SHA-256 of its machine id, which itself is not to be told.
pub(super) fn own_name(places: &Places, tell: &mut dyn Tell) -> Id {
    let name = match fs::read_to_string(&places.machine_id) {
        Ok(id) if !id.trim().is_empty() => {
            let hash = Sha256::digest(id.trim().as_bytes());
            format!("camera-{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2])
        }
        _ => {
            let path = places.machine_id.display();
            tell.warn(&format!(
                "there is no {path}: this camera is called like any other, camera"
            ));
            "camera".into()
        }
    };
    Id::new(name).expect("letters, digits and '-'")
}

/// The board that the image says it is for, if its data is there.
pub(super) fn board(job: &Apply, tell: &mut dyn Tell) -> Id {
    let generic = || Id::new("generic").expect("a valid id");
    let Some(name) = &job.board else {
        return generic();
    };
    match Id::new(name.as_str()) {
        Ok(id) if job.share.board(&id).is_dir() => id,
        _ => {
            tell.warn(&format!(
                "the image says it is for {name}, of which it knows nothing; taken as generic"
            ));
            generic()
        }
    }
}
