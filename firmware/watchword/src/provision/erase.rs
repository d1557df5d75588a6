//! Taking secrets off the FAT partition, so that a power cut on the way is
//! noticed and the rest is done at the next boot.

use std::io;
use std::path::Path;

use super::FILE;
use super::disk::{Disk, staged};

/// Erases the provisioning file and then `ca_file`. `note` remembers which, on
/// the data partition, until both are gone.
pub(super) fn erase(
    disk: &mut Disk<'_>,
    esp: &Path,
    ca_file: Option<&str>,
    note: &Path,
) -> io::Result<()> {
    let names = ca_file.unwrap_or_default();
    if std::fs::read(note).ok().as_deref() != Some(names.as_bytes()) {
        disk.create(&staged(note), names.as_bytes(), 0o600, None)?;
        disk.rename(&staged(note), note)?;
    }
    finish(disk, esp, note)
}

/// Whether `bytes` of a provisioning file are what a power cut left of one that
/// was being erased.
pub(super) fn half_erased(bytes: &[u8], note: &Path) -> bool {
    note.exists() && (bytes.is_empty() || bytes.contains(&0))
}

/// Goes on where erasing was interrupted.
pub(super) fn finish(disk: &mut Disk<'_>, esp: &Path, note: &Path) -> io::Result<()> {
    let ca_file = std::fs::read_to_string(note)?;
    // First the file that is asked for at the next boot: if the power goes
    // between the two, it is not there any more to name the other.
    disk.erase(&esp.join(FILE))?;
    if !ca_file.is_empty() && !ca_file.contains('/') {
        disk.erase(&esp.join(ca_file))?;
    }
    disk.remove(note)?;
    let folder = note.parent().unwrap_or(Path::new("/"));
    disk.sync_dir(folder)
}
