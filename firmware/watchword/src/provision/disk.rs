//! Changes of file systems that survive a power cut, one step at a time, so
//! that tests can cut the power before each.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::apply::Owner;

/// Is asked before every step: what is about to be done, and to which path. An
/// error stops it.
type Gate<'a> = Box<dyn FnMut(&'static str, &Path) -> io::Result<()> + 'a>;

/// The only way in which provisioning changes anything.
pub struct Disk<'a> {
    gate: Gate<'a>,
}

impl Default for Disk<'_> {
    fn default() -> Self {
        Self::with_gate(|_, _| Ok(()))
    }
}

/// Bytes that FAT and flash write at once, at the least.
const SECTOR: usize = 512;

impl<'a> Disk<'a> {
    /// Asks `gate` before every step.
    pub fn with_gate(gate: impl FnMut(&'static str, &Path) -> io::Result<()> + 'a) -> Self {
        Self {
            gate: Box::new(gate),
        }
    }

    fn step(&mut self, what: &'static str, path: &Path) -> io::Result<()> {
        (self.gate)(what, path)
    }

    /// Writes a new file, whole and on the medium when this returns; its
    /// folder's entry is not yet (see [`Self::sync_dir`]). What is there under
    /// this name goes. The file has no mode but its own at any time.
    pub(super) fn create(
        &mut self,
        path: &Path,
        bytes: &[u8],
        mode: u32,
        owner: Option<Owner>,
    ) -> io::Result<()> {
        self.remove(path)?;
        self.step("create", path)?;
        // A new one, never through a link that somebody left there.
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let (first, second) = bytes.split_at(bytes.len() / 2);
        for half in [first, second] {
            self.step("write", path)?;
            file.write_all(half)?;
        }
        self.step("own", path)?;
        if let Some(owner) = owner {
            std::os::unix::fs::fchown(&file, Some(owner.uid), Some(owner.gid))?;
        }
        // FAT has no modes, and refuses those that it can't keep.
        if file.metadata()?.mode() & 0o7777 != mode {
            match file.set_permissions(Permissions::from_mode(mode)) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                set => set?,
            }
        }
        self.step("sync", path)?;
        file.sync_all()
    }

    /// Puts a file in the place of another, in the same folder.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", to)?;
        fs::rename(from, to)?;
        self.sync_dir(parent(to))
    }

    pub(super) fn symlink(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        self.remove(path)?;
        self.step("symlink", path)?;
        std::os::unix::fs::symlink(target, path)
    }

    /// Removes a file or link, if it is there.
    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        self.step("remove", path)?;
        fs::remove_file(path)
    }

    /// Removes a folder with all that is in it, if it is there.
    pub(super) fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        let Ok(found) = path.symlink_metadata() else {
            return Ok(());
        };
        if !found.is_dir() {
            return self.remove(path);
        }
        for entry in fs::read_dir(path)? {
            self.remove_dir(&entry?.path())?;
        }
        self.step("remove folder", path)?;
        fs::remove_dir(path)
    }

    /// Sees to it that a folder is there, not a link to one elsewhere. Its mode
    /// and owner are set only where it is made, unless `owner` is given.
    pub(super) fn dir(&mut self, path: &Path, mode: u32, owner: Option<Owner>) -> io::Result<()> {
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            found => {
                if found.is_ok() {
                    self.remove(path)?;
                }
                self.step("make folder", path)?;
                DirBuilder::new().mode(mode).create(path)?;
                // What the umask took away.
                fs::set_permissions(path, Permissions::from_mode(mode))?;
                self.sync_dir(parent(path))?;
            }
        }
        let found = path.symlink_metadata()?;
        if let Some(owner) = owner {
            if (found.uid(), found.gid()) != (owner.uid, owner.gid) {
                self.step("own", path)?;
                std::os::unix::fs::lchown(path, Some(owner.uid), Some(owner.gid))?;
            }
            if found.mode() & 0o7777 != mode {
                self.step("own", path)?;
                fs::set_permissions(path, Permissions::from_mode(mode))?;
            }
        }
        Ok(())
    }

    /// Makes names in a folder durable.
    pub(super) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        self.step("sync folder", path)?;
        File::open(path)?.sync_all()
    }

    /// Writes zeros over a file where it lies, empties it and removes it, each
    /// on the medium before the next. What flash keeps beneath is out of reach.
    pub(super) fn erase(&mut self, path: &Path) -> io::Result<()> {
        self.step("open to erase", path)?;
        let mut file = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            opened => opened?,
        };
        let mut left = file.metadata()?.len();
        while left > 0 {
            let now = left.min(SECTOR as u64) as usize;
            self.step("zero", path)?;
            file.write_all(&[0; SECTOR][..now])?;
            left -= now as u64;
        }
        self.step("sync", path)?;
        file.sync_all()?;
        self.step("empty", path)?;
        file.set_len(0)?;
        file.sync_all()?;
        drop(file);
        self.remove(path)?;
        self.sync_dir(parent(path))
    }
}

/// The folder of a file; every path here has one.
fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

/// Where a file is written before it takes its place.
pub(super) fn staged(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}
