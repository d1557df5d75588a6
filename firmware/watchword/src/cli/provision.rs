//! `provision check`, `provision apply`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use super::REFUSED;
use crate::provision::{self, Apply, Disk, Owner, Tell};
use crate::share::Share;

#[derive(Debug, clap::Subcommand)]
pub(super) enum ProvisionCommand {
    /// Print what a camera will do with a provisioning file (exit 0), or
    /// everything that is wrong with it (exit 2). Shows no secret.
    Check {
        /// The provisioning file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Follow a provisioning file if there is one, and see to what every boot
    /// needs. The camera does this by itself; exit 1 only if it can't watch.
    Apply {
        /// Where the FAT partition is mounted; without it only what every boot
        /// needs is done.
        #[arg(long, value_name = "DIR")]
        esp: Option<PathBuf>,
        /// Where the data partition is mounted.
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Where systemd-networkd's run-time files go.
        #[arg(long, value_name = "DIR", default_value = "/run")]
        run: PathBuf,
        /// Says in VARIANT_ID which board the image is for.
        #[arg(long, value_name = "FILE", default_value = "/usr/lib/os-release")]
        os_release: PathBuf,
        /// Tell the kernel the host's name.
        #[arg(long)]
        set_hostname: bool,
    },
}

pub(super) fn run(command: ProvisionCommand) -> Result<ExitCode> {
    match command {
        ProvisionCommand::Check { file, json } => check(&file, json),
        ProvisionCommand::Apply {
            esp,
            data,
            run,
            os_release,
            set_hostname,
        } => {
            let root = rustix::process::geteuid().is_root();
            let mut tell = Lines;
            let owner = if root { daemon_user(&mut tell) } else { None };
            let job = Apply {
                esp,
                data,
                run,
                board: variant_id(&os_release),
                share: Share::find()?,
                owner,
                set_hostname: set_hostname && root,
                now: jiff::Timestamp::now(),
            };
            let applied = provision::apply(&job, &mut Disk::default(), &mut tell);
            Ok(match applied.usable {
                true => ExitCode::SUCCESS,
                false => ExitCode::FAILURE,
            })
        }
    }
}

fn check(file: &Path, json: bool) -> Result<ExitCode> {
    let bytes = provision::read_file(file)
        .with_context(|| format!("can't read the provisioning file {}", file.display()))?;
    let beside = file.parent().unwrap_or(Path::new("."));
    let read = provision::read(&bytes, beside, &Share::find()?);
    if json {
        let (ok, says, notes, files, problems) = match &read {
            Ok(p) => {
                let files = p.mqtt.ca_file.iter().collect::<Vec<_>>();
                (true, p.says(), p.notes(), files, &[][..])
            }
            Err(problems) => (false, vec![], vec![], vec![], &problems[..]),
        };
        let out = json!({
            "v": 1, "ok": ok, "says": says, "notes": notes, "files": files, "problems": problems,
        });
        println!("{out}");
    } else if let Ok(provision) = &read {
        println!("{} is right. The camera will", file.display());
        for line in provision.says() {
            println!("- {line}");
        }
        for note in provision.notes() {
            println!("note: {note}");
        }
    }
    match read {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(problems) => {
            if !json {
                for problem in problems {
                    eprintln!("{problem}");
                }
            }
            Ok(ExitCode::from(REFUSED))
        }
    }
}

/// What is done goes to standard output, what is wrong to standard error.
struct Lines;

impl Tell for Lines {
    fn info(&mut self, text: &str) {
        println!("{text}");
    }
    fn warn(&mut self, text: &str) {
        eprintln!("{text}");
    }
}

/// The user `watchword` of /etc/passwd.
fn daemon_user(tell: &mut dyn Tell) -> Option<Owner> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let owner = user(&users, "watchword");
    if owner.is_none() {
        tell.warn("there is no user watchword; what is written belongs to root");
    }
    owner
}

/// Numbers of a user in a text like /etc/passwd, see passwd(5).
fn user(users: &str, name: &str) -> Option<Owner> {
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let user = users.lines().map(fields).find(|user| user[0] == name)?;
    Some(Owner {
        uid: user.get(2)?.parse().ok()?,
        gid: user.get(3)?.parse().ok()?,
    })
}

/// `VARIANT_ID` of an os-release(5) file.
fn variant_id(path: &Path) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("VARIANT_ID="))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name() {
        let users = "root:x:0:0::/root:/bin/sh\nwatchword:!*:973:972:Watchword:/:/usr/sbin/nologin\nbad:x\n";
        assert_eq!(user(users, "watchword"), Some(Owner { uid: 973, gid: 972 }));
        assert_eq!(user(users, "word"), None);
        assert_eq!(user(users, "bad"), None);
    }

    #[test]
    fn the_board_is_in_os_release() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "ID=watchword\nVARIANT_ID=\"qemu-virt\"\n").unwrap();
        assert_eq!(variant_id(file.path()).as_deref(), Some("qemu-virt"));
        std::fs::write(file.path(), "ID=watchword\n").unwrap();
        assert_eq!(variant_id(file.path()), None);
    }
}
