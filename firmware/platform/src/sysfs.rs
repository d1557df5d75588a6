//! Files of `/sys`. The root is an argument everywhere, so that recorded trees
//! can stand in for boards.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Such a file has one short line; what is longer is none.
const LONGEST: usize = 64;

/// The whole number in the text of an attribute, which ends with a line break;
/// `None` if it is none or does not fit.
pub(crate) fn whole(text: &[u8]) -> Option<i64> {
    if text.len() > LONGEST {
        return None;
    }
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// The number in the text of an attribute, decimals allowed; `None` if it is
/// none or not finite.
pub(crate) fn decimal(text: &[u8]) -> Option<f64> {
    if text.len() > LONGEST {
        return None;
    }
    let number: f64 = std::str::from_utf8(text).ok()?.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// The text of an attribute without the line break, for names and labels.
pub(crate) fn text(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    let mut buffer = [0; LONGEST + 1];
    let n = fill(&file, &mut buffer).ok().filter(|n| *n <= LONGEST)?;
    let text = std::str::from_utf8(&buffer[..n]).ok()?.trim();
    (!text.is_empty()).then(|| text.to_string())
}

/// The whole number in a file that is read once.
pub(crate) fn once(path: &Path) -> Option<i64> {
    whole(text(path)?.as_bytes())
}

/// Reads from the start of `file`. An attribute gives all of it at once.
fn fill(file: &File, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read_at(buffer, 0) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            told => return told,
        }
    }
}

/// An attribute that is read again and again. It stays open: to open it anew
/// costs more than to read it.
#[derive(Debug)]
pub(crate) struct Attribute {
    path: PathBuf,
    file: RefCell<Option<File>>,
}

impl Attribute {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: RefCell::new(None),
        }
    }

    /// If it can be opened.
    pub fn existing(path: PathBuf) -> Option<Self> {
        let attribute = Self::new(path);
        let file = File::open(&attribute.path).ok()?;
        // A folder opens as well.
        if !file.metadata().ok()?.is_file() {
            return None;
        }
        attribute.file.replace(Some(file));
        Some(attribute)
    }

    /// The whole number that it tells now; `None` if it can't be read or tells
    /// none.
    pub fn whole(&self) -> Option<i64> {
        self.read(whole)
    }

    /// The number that it tells now, decimals allowed.
    pub fn decimal(&self) -> Option<f64> {
        self.read(decimal)
    }

    fn read<T>(&self, parse: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
        let mut buffer = [0; LONGEST + 1];
        let mut slot = self.file.borrow_mut();
        // A device that went away fails to read, or its file has no name any
        // more; the next one of the name is opened.
        let kept = slot.take().and_then(|file| {
            let there = file.metadata().ok()?.nlink() > 0;
            let n = fill(&file, &mut buffer).ok().filter(|_| there)?;
            Some((file, n))
        });
        let (file, n) = match kept {
            Some(read) => read,
            None => {
                let file = File::open(&self.path).ok()?;
                let n = fill(&file, &mut buffer).ok()?;
                (file, n)
            }
        };
        *slot = Some(file);
        parse(&buffer[..n])
    }
}

/// Folders in `dir` whose name `wanted` likes, in the order of their names;
/// of numbered ones 2 comes before 10.
pub(crate) fn folders(dir: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found: Vec<(usize, String)> = (fs::read_dir(dir).into_iter().flatten().flatten())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| wanted(name))
        .map(|name| (name.len(), name))
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| dir.join(name)).collect()
}

/// The devices of class `class` (`hwmon`) whose file `name` says one of
/// `names`, or all.
pub(crate) fn devices(dir: &Path, names: &[&str]) -> Vec<(PathBuf, String)> {
    (folders(dir, |_| true).into_iter())
        .filter_map(|path| {
            let name = text(&path.join("name"))?;
            names.contains(&name.as_str()).then_some((path, name))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    #[test]
    fn numbers_are_read_as_the_kernel_writes_them() {
        assert_eq!(whole(b"41500\n"), Some(41_500));
        assert_eq!(whole(b"-5\n"), Some(-5));
        for bad in [
            "",
            "\n",
            "much",
            "1 2",
            "1.5",
            "0x10",
            "9e3",
            "99999999999999999999",
        ] {
            assert_eq!(whole(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(whole(&[0xFF, b'1']), None);
        assert_eq!(whole(&[b' '; 200]), None);
        assert_eq!(decimal(b"0.002500000\n"), Some(0.0025));
        assert_eq!(decimal(b"1.25"), Some(1.25));
        for bad in ["nan", "inf", "-inf", "", "1e999", "1,5"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn an_attribute_follows_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("temp");
        let attribute = Attribute::new(path.clone());
        assert_eq!(attribute.whole(), None);
        fs::write(&path, "1\n").unwrap();
        assert_eq!(attribute.whole(), Some(1));
        fs::write(&path, "22\n").unwrap();
        assert_eq!(attribute.whole(), Some(22));
        fs::write(&path, "x".repeat(10_000)).unwrap();
        assert_eq!(attribute.whole(), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(attribute.whole(), None, "not what it was");
        fs::write(&path, "333\n").unwrap();
        assert_eq!(attribute.whole(), Some(333));
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert_eq!(attribute.whole(), None, "a folder");
        assert!(Attribute::existing(path).is_none());
    }

    /// What a kept handle rests on: the kernel makes an attribute's text anew
    /// at every read from its start.
    #[test]
    fn the_kernels_own_attributes_are_read_anew() {
        let path = PathBuf::from("/sys/class/net/lo/statistics/rx_packets");
        let Some(attribute) = Attribute::existing(path) else {
            eprintln!("SKIPPED: there is no loopback device in /sys");
            return;
        };
        let before = attribute.whole().unwrap();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = socket.local_addr().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while attribute.whole().unwrap() == before {
            assert!(std::time::Instant::now() < deadline, "{before} for ever");
            socket.send_to(b"x", to).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    #[test]
    fn folders_come_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        for n in [10, 2, 0] {
            fs::create_dir(dir.path().join(format!("hwmon{n}"))).unwrap();
        }
        let names: Vec<String> = folders(dir.path(), |n| n.starts_with("hwmon"))
            .iter()
            .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["hwmon0", "hwmon2", "hwmon10"]);
    }

    proptest! {
        // The same cases at every run; PROPTEST_RNG_SEED and PROPTEST_CASES choose others.
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_bytes_upset_it(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let (n, d) = (whole(&bytes), decimal(&bytes));
            if let Some(n) = n {
                prop_assert!((d.unwrap() - n as f64).abs() <= (n as f64).abs() * 1e-12);
            }
            prop_assert!(d.is_none_or(f64::is_finite));
        }

        #[test]
        fn whole_numbers_come_back(n in any::<i64>()) {
            prop_assert_eq!(whole(format!("{n}\n").as_bytes()), Some(n));
        }
    }
}
