//! Carrying a provisioning file onto the data partition.
//!
//! Everything new is written beside what it replaces first, so that a full
//! medium stops it before anything has changed. Then the configuration takes
//! the place of the old one in one rename, with secrets that were written where
//! the old one does not look, and the rest follows. Only then is the file
//! erased: until that, the next boot finds it and does all again, which changes
//! nothing that is there already.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use scene::Id;

use super::disk::{Disk, staged};
use super::keys::Provision;
use super::plan::{self, Places, SLOTS, ZONES};
use super::problem::Problem;
use super::{DONE_FILE, ERROR_FILE, FILE, boot, erase, read, read_file, tell};
use crate::config::{Config, ConfigError};
use crate::share::Share;

/// To whom a file belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// User number.
    pub uid: u32,
    /// Group number.
    pub gid: u32,
}

/// Hears what is done.
pub trait Tell {
    /// Something is as it should be.
    fn info(&mut self, text: &str);
    /// Something is not.
    fn warn(&mut self, text: &str);
}

/// What [`apply`] works on.
#[derive(Clone, Debug)]
pub struct Apply {
    /// Where the FAT partition is mounted, if there is one.
    pub esp: Option<PathBuf>,
    /// Where the data partition is mounted.
    pub data: PathBuf,
    /// `/run`, where systemd-networkd looks.
    pub run: PathBuf,
    /// The board that the image is for; `generic` if the image does not say.
    pub board: Option<String>,
    /// Pipelines and boards.
    pub share: Share,
    /// The user that the daemon runs as; `None` leaves files with whoever runs
    /// this.
    pub owner: Option<Owner>,
    /// Whether the kernel is told the host's name. Needs root.
    pub set_hostname: bool,
    /// The camera's clock.
    pub now: jiff::Timestamp,
}

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// True if a provisioning file was followed to its end.
    pub provisioned: bool,
    /// True if there is a configuration that the daemon can start with.
    pub usable: bool,
}

/// Follows a provisioning file if there is one, then sees to what every boot
/// needs. Errors are told, not returned: the boot goes on.
pub fn apply(job: &Apply, disk: &mut Disk<'_>, tell: &mut dyn Tell) -> Applied {
    let places = Places::below(&job.data);
    let provisioned = match &job.esp {
        Some(esp) => match from_esp(job, esp, &places, disk, tell) {
            Ok(provisioned) => provisioned,
            Err(error) => {
                tell.warn(&format!(
                    "provisioning stopped: {error:#}; it is tried again at the next start"
                ));
                false
            }
        },
        None => false,
    };
    let usable = boot::every_boot(job, &places, disk, tell);
    Applied {
        provisioned,
        usable,
    }
}

fn from_esp(
    job: &Apply,
    esp: &Path,
    places: &Places,
    disk: &mut Disk<'_>,
    tell: &mut dyn Tell,
) -> Result<bool> {
    let file = esp.join(FILE);
    let bytes = match read_file(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if places.erasing.exists() {
                tell.info("going on with erasing the provisioning file");
                erase::finish(disk, esp, &places.erasing)?;
            }
            let double = esp.join(format!("{FILE}.txt"));
            if double.exists() {
                refuse(esp, &[hidden_ending()], disk, tell)?;
            }
            return Ok(false);
        }
        Err(error) => return Err(error).context(format!("can't read {FILE}")),
    };
    if erase::half_erased(&bytes, &places.erasing) {
        tell.info("going on with erasing the provisioning file");
        erase::finish(disk, esp, &places.erasing)?;
        return Ok(false);
    }
    let provision = match read(&bytes, esp, &job.share) {
        Ok(provision) => provision,
        Err(problems) => {
            refuse(esp, &problems, disk, tell)?;
            return Ok(false);
        }
    };
    if provision.sets_nothing {
        // Most likely a copy that was cut short; it must not undo what is set.
        let problem = Problem {
            key: "the file".into(),
            value: "(sets nothing)".into(),
            remedy: "it has no key that is not behind a #; set one, such as camera".into(),
        };
        refuse(esp, &[problem], disk, tell)?;
        return Ok(false);
    }
    let camera = match &provision.camera {
        Some(camera) => camera.clone(),
        None => boot::own_name(places, tell),
    };
    let board = boot::board(job, tell);
    match store(job, &provision, &camera, board, places, disk) {
        Ok(()) => {}
        Err(Failed::Refused(problems)) => {
            refuse(esp, &problems, disk, tell)?;
            return Ok(false);
        }
        Err(Failed::Stopped(error)) => {
            // What was begun takes room that the camera may need.
            let _ = sweep(places, disk);
            let problem = Problem {
                key: "the data partition".into(),
                value: format!("{error:#}"),
                remedy: "nothing is wrong with the file; it is tried again at the next start"
                    .into(),
            };
            refuse(esp, &[problem], disk, tell)?;
            return Ok(false);
        }
    }
    tell.info(&format!("{FILE} is applied: this camera is {camera}"));
    for note in provision.notes() {
        tell.warn(&note);
    }
    let done = || -> io::Result<()> {
        let done = tell::done(&provision, camera.as_str(), job.now);
        let path = esp.join(DONE_FILE);
        disk.create(&staged(&path), done.as_bytes(), 0o600, None)?;
        disk.rename(&staged(&path), &path)?;
        disk.remove(&esp.join(ERROR_FILE))?;
        erase::erase(
            disk,
            esp,
            provision.mqtt.ca_file.as_deref(),
            &places.erasing,
        )
    }();
    done.with_context(|| {
        format!("{FILE} can't be erased from the FAT partition, so its secrets still lie there")
    })?;
    tell.info("its secrets are erased from the FAT partition");
    Ok(true)
}

/// Windows hides the ending that Notepad adds.
fn hidden_ending() -> Problem {
    Problem {
        key: "the file".into(),
        value: format!("{FILE}.txt"),
        remedy: format!("rename it to {FILE}; Windows hides the .txt that Notepad adds"),
    }
}

/// Says what is wrong, in the log and beside the file.
fn refuse(
    esp: &Path,
    problems: &[Problem],
    disk: &mut Disk<'_>,
    tell: &mut dyn Tell,
) -> Result<()> {
    tell.warn(&format!(
        "{FILE} is not applied, the camera goes on as it was"
    ));
    for problem in problems {
        tell.warn(&problem.to_string());
    }
    let path = esp.join(ERROR_FILE);
    let text = tell::refused(problems);
    // FAT wears and breaks by being written; once is enough.
    if fs::read(&path).ok().as_deref() == Some(text.as_bytes()) {
        return Ok(());
    }
    disk.create(&staged(&path), text.as_bytes(), 0o600, None)
        .and_then(|()| disk.rename(&staged(&path), &path))
        .with_context(|| format!("can't write {ERROR_FILE} on the FAT partition"))
}

/// Why a right file could not be stored.
enum Failed {
    /// This camera can't follow it.
    Refused(Vec<Problem>),
    /// The data partition does not take it.
    Stopped(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Failed::Stopped(error.into())
    }
}

/// Removes what an interrupted attempt left.
fn sweep(places: &Places, disk: &mut Disk<'_>) -> io::Result<()> {
    for path in places.files() {
        disk.remove(&staged(path))?;
    }
    let slot = plan::slot_in_force(&places.config);
    for other in SLOTS.into_iter().filter(|other| Some(*other) != slot) {
        disk.remove_dir(&places.secrets.join(other))?;
    }
    Ok(())
}

/// What a changed file is written as.
enum Change<'a> {
    Write(&'a Path, Vec<u8>, u32),
    Link(&'a Path, PathBuf),
    Remove(&'a Path),
}

fn store(
    job: &Apply,
    provision: &Provision,
    camera: &Id,
    board: Id,
    places: &Places,
    disk: &mut Disk<'_>,
) -> Result<(), Failed> {
    boot::folders(job, places, disk)?;
    sweep(places, disk)?;

    let secrets = plan::secrets(provision);
    let in_force = plan::slot_in_force(&places.config);
    let text_in = |slot: &str| -> Result<String> {
        plan::config_text(&plan::config(
            provision,
            camera.clone(),
            board.clone(),
            slot,
        ))
    };
    // Applied again after a power cut, the same file finds itself stored.
    let first = in_force.unwrap_or(SLOTS[0]);
    let stored = fs::read(&places.config).ok().as_deref() == Some(text_in(first)?.as_bytes())
        && secrets.iter().all(|(name, bytes)| {
            let path = places.secrets.join(first).join(name);
            fs::read(path).ok().as_ref() == Some(bytes)
        });
    if !stored {
        let slot = SLOTS
            .into_iter()
            .find(|slot| Some(*slot) != in_force)
            .unwrap_or(SLOTS[0]);
        if !secrets.is_empty() {
            let folder = places.secrets.join(slot);
            disk.dir(&folder, 0o700, job.owner)?;
            for (name, bytes) in &secrets {
                disk.create(&folder.join(name), bytes, 0o600, job.owner)?;
            }
            disk.sync_dir(&folder)?;
        }
        let new = staged(&places.config);
        disk.create(&new, text_in(slot)?.as_bytes(), 0o600, job.owner)?;
        // As the daemon will read it, with its secrets where they will be.
        let checked = Config::load(&new).and_then(|config| config.check(&job.share));
        if let Err(error) = checked {
            sweep(places, disk)?;
            return Err(Failed::Refused(as_problems(error)));
        }
    }

    let changes = rest(provision, camera, places);
    for change in &changes {
        match change {
            Change::Write(path, bytes, mode) => {
                disk.create(&staged(path), bytes, *mode, None)?;
            }
            Change::Link(path, target) => disk.symlink(target, &staged(path))?,
            Change::Remove(_) => {}
        }
    }
    // From here on the new configuration is in force.
    if !stored {
        disk.rename(&staged(&places.config), &places.config)?;
    }
    for change in &changes {
        match change {
            Change::Write(path, ..) | Change::Link(path, _) => disk.rename(&staged(path), path)?,
            Change::Remove(path) => {
                disk.remove(path)?;
                disk.sync_dir(path.parent().unwrap_or(Path::new("/")))?;
            }
        }
    }
    // The secrets of the configuration before.
    sweep(places, disk)?;
    disk.sync_dir(&places.secrets)?;
    Ok(())
}

/// What of the system changes beside the daemon's configuration.
fn rest<'a>(provision: &Provision, camera: &Id, places: &'a Places) -> Vec<Change<'a>> {
    let zone = provision.time_zone.as_deref().unwrap_or("UTC");
    let mut changes = Vec::new();
    let mut write = |path: &'a Path, text: String, mode| {
        if fs::read(path).ok().as_deref() != Some(text.as_bytes()) {
            changes.push(Change::Write(path, text.into_bytes(), mode));
        }
    };
    write(
        &places.hostname,
        format!("{}\n", plan::hostname(camera)),
        0o644,
    );
    write(&places.network, provision.network.unit(), 0o644);
    if !provision.authorized_keys.is_empty() {
        let lines = provision.authorized_keys.join("\n");
        write(&places.authorized_keys, format!("{lines}\n"), 0o600);
    } else if places.authorized_keys.symlink_metadata().is_ok() {
        changes.push(Change::Remove(&places.authorized_keys));
    }
    let target = Path::new(ZONES).join(zone);
    if fs::read_link(&places.localtime).ok().as_ref() != Some(&target) {
        changes.push(Change::Link(&places.localtime, target));
    }
    changes
}

fn as_problems(error: ConfigError) -> Vec<Problem> {
    let lines = match error {
        ConfigError::Invalid { problems } => problems,
        other => vec![other.to_string()],
    };
    lines
        .iter()
        .map(|line| {
            let (key, rest) = line.split_once(" = ").unwrap_or(("the file", line));
            let (value, remedy) = rest.split_once(": ").unwrap_or(("(not shown)", rest));
            Problem {
                key: key.into(),
                value: value.into(),
                remedy: remedy.into(),
            }
        })
        .collect()
}
