//! Opening the file: who may be at fault, and what is done about it.

use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::Database;

use crate::{SetAside, StoreError};

/// redb's page cache. Its default of 1 GiB is more than a camera has.
const CACHE_BYTES: usize = 8 << 20;

/// Broken files kept beside the store at most; beyond that the store refuses
/// to open rather than fill the medium or delete evidence.
const MOST_ASIDE: u32 = 100;

/// What went wrong, by whose fault.
pub(crate) enum Fault {
    /// The content: move it aside.
    Broken(String),
    /// The place or another process: tell.
    Place(StoreError),
}

/// The remedy for what the system said about a path.
fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "make its directory writable for this user",
        io::ErrorKind::ReadOnlyFilesystem => {
            "put it on a writable medium: set another path for the store"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some room there",
        _ => "check the path and the medium, or set another path for the store",
    }
}

pub(crate) fn unusable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unusable {
        path: path.to_path_buf(),
        why: error.to_string(),
        remedy: remedy(error),
    }
}

/// Sorts what redb says into content and place.
pub(crate) fn fault(path: &Path, error: redb::Error) -> Fault {
    use redb::Error;
    match error {
        Error::DatabaseAlreadyOpen => Fault::Place(StoreError::Busy {
            path: path.to_path_buf(),
        }),
        // redb reports foreign bytes and short files as these kinds.
        Error::Io(e)
            if matches!(
                e.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            Fault::Broken(e.to_string())
        }
        Error::Io(e) => Fault::Place(unusable(path, &e)),
        Error::Corrupted(_)
        | Error::UpgradeRequired(_)
        | Error::RepairAborted
        | Error::TableTypeMismatch { .. }
        | Error::TableIsMultimap(_)
        | Error::TypeDefinitionChanged { .. } => Fault::Broken(error.to_string()),
        other => Fault::Place(StoreError::Failed {
            path: path.to_path_buf(),
            why: other.to_string(),
        }),
    }
}

/// The words of a panic.
pub(crate) fn panic_words(panic: Box<dyn std::any::Any + Send>) -> String {
    (panic.downcast_ref::<String>().cloned())
        .or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()))
        .unwrap_or_else(|| "it panicked without a word".into())
}

/// Opens and checks what is there; makes a new file if nothing is.
fn open_checked(path: &Path) -> Result<Database, Fault> {
    let there = match fs::metadata(path) {
        Ok(meta) => Some(meta.len()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => None,
        Err(e) => return Err(Fault::Place(unusable(path, &e))),
    };
    if there == Some(0) {
        // redb would silently start afresh in it.
        return Err(Fault::Broken("the file is empty".into()));
    }
    // redb asserts where a hostile file breaks its expectations; a panic in
    // it says that the content is broken.
    let opened = catch_unwind(AssertUnwindSafe(|| -> Result<Database, redb::Error> {
        let mut db = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(path)?;
        // Reads do not verify checksums later, so all of it is verified now:
        // at most the limit of bytes, once a boot.
        if there.is_some() && !db.check_integrity()? {
            tracing::warn!(file = %path.display(), "the store was damaged and has been repaired");
        }
        Ok(db)
    }));
    match opened {
        Ok(Ok(db)) => Ok(db),
        Ok(Err(e)) => Err(fault(path, e)),
        Err(panic) => Err(Fault::Broken(panic_words(panic))),
    }
}

/// Renames a broken file to the first free `<name>.broken-<n>`.
fn set_aside(path: &Path, why: String) -> Result<SetAside, StoreError> {
    for n in 1..=MOST_ASIDE {
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".broken-{n}"));
        let moved_to = PathBuf::from(name);
        // symlink_metadata: a dangling link also takes the name.
        if fs::symlink_metadata(&moved_to).is_ok() {
            continue;
        }
        fs::rename(path, &moved_to).map_err(|e| unusable(path, &e))?;
        tracing::error!(
            file = %path.display(), moved_to = %moved_to.display(), why,
            "the store could not be read; it was moved aside and a fresh one begun"
        );
        return Ok(SetAside { moved_to, why });
    }
    Err(StoreError::Unusable {
        path: path.to_path_buf(),
        why: format!("{MOST_ASIDE} broken files lie beside it and it is broken again ({why})"),
        remedy: "check the medium, save or delete the .broken files",
    })
}

/// Makes the directory's entries durable, where the file system can.
fn sync_dir(path: &Path) {
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty());
    if let Ok(dir) = File::open(dir.unwrap_or(Path::new("."))) {
        let _ = dir.sync_all();
    }
}

/// Opens the file at `path`; a broken one is moved aside first.
pub(crate) fn open(
    path: &Path,
    mut prepare: impl FnMut(&Database) -> Result<(), Fault>,
) -> Result<(Database, Option<SetAside>), StoreError> {
    if let Some(dir) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(dir).map_err(|e| unusable(path, &e))?;
    }
    let mut open = || {
        let db = open_checked(path)?;
        match catch_unwind(AssertUnwindSafe(|| prepare(&db))) {
            Ok(done) => done.map(|()| db),
            Err(panic) => Err(Fault::Broken(panic_words(panic))),
        }
    };
    let (db, aside) = match open() {
        Ok(db) => (db, None),
        Err(Fault::Place(error)) => return Err(error),
        Err(Fault::Broken(why)) => {
            let aside = set_aside(path, why)?;
            let db = open().map_err(|fault| match fault {
                Fault::Place(error) => error,
                Fault::Broken(why) => StoreError::Failed {
                    path: path.to_path_buf(),
                    why,
                },
            })?;
            (db, Some(aside))
        }
    };
    sync_dir(path);
    Ok((db, aside))
}
