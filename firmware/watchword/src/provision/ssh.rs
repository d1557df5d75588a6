//! `[ssh] authorized_keys`: public keys of those who may log in.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Types of public keys that OpenSSH 10 takes.
const TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];

/// The most keys in a file.
pub(super) const MOST_KEYS: usize = 32;

/// Checks one line of an `authorized_keys` file and gives it back without
/// blanks around it; else what to do. The line is never part of the remedy, as
/// it may be a private key.
pub(super) fn public_key(line: &str) -> Result<String, String> {
    let line = line.trim();
    // The second is how the body of OpenSSH's private keys begins in base64.
    if line.contains("PRIVATE KEY")
        || line.contains("b3BlbnNzaC1rZXktdjE")
        || line.contains("PuTTY-User-Key-File")
    {
        return Err(
            "this is a private key: it must never leave your computer; write the line of the \
             file that ends in .pub, and make a new pair, as this one has been copied"
                .into(),
        );
    }
    if line.contains(['\n', '\r']) {
        return Err("a key is one line; write one entry for each key".into());
    }
    if line.chars().any(char::is_control) {
        return Err("it holds a control character; copy the line of the .pub file again".into());
    }
    if line.starts_with("---- BEGIN") {
        return Err("this is a key in RFC 4716 form; convert it with ssh-keygen -i -f FILE".into());
    }
    let mut words = line.split_whitespace();
    let kind = words.next().unwrap_or_default();
    if kind == "ssh-dss" {
        return Err(
            "DSA keys are broken and no longer taken; make one with ssh-keygen -t ed25519".into(),
        );
    }
    if !TYPES.contains(&kind) {
        return Err(format!(
            "a key begins with its type, without options before it; one of {}",
            TYPES.join(", ")
        ));
    }
    let body = words.next().unwrap_or_default();
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        // What is cut off is told as such.
        .with_decode_allow_trailing_bits(true);
    let blob = GeneralPurpose::new(&STANDARD, lenient)
        .decode(body)
        .map_err(|_| "what follows the type is not base64; copy the whole line of the .pub file")?;
    match parts(&blob) {
        Some(parts) if parts.len() >= 2 && parts[0] == kind.as_bytes() => Ok(line.into()),
        Some(parts) if parts.first().is_some_and(|first| *first != kind.as_bytes()) => {
            Err("type and key do not belong together; copy the whole line of the .pub file".into())
        }
        _ => Err("the key is cut off; copy the whole line of the .pub file".into()),
    }
}

/// The strings that make up a public key: each a big-endian length of 4 bytes
/// and as many bytes (RFC 4253, section 6.6). `None` if it does not end where
/// one of them ends.
fn parts(mut blob: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !blob.is_empty() {
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let (part, rest) = rest.split_at_checked(length)?;
        if !parts.is_empty() && part.is_empty() {
            return None;
        }
        parts.push(part);
        blob = rest;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUo1CDSyBUhNpMAjgBUVrbPYyYRoBTFBMoPUTmlQMtr adam@desk";

    #[test]
    fn public_keys_pass() {
        assert_eq!(public_key(&format!("  {GOOD} \r\n")).unwrap(), GOOD);
        let without_comment = GOOD.rsplit_once(' ').unwrap().0;
        assert_eq!(public_key(without_comment).unwrap(), without_comment);
    }

    #[test]
    fn others_are_told_what_to_do() {
        let cut = &GOOD[..50];
        for (line, says) in [
            ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "private key"),
            ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU", "private key"),
            ("PuTTY-User-Key-File-3: ssh-ed25519", "private key"),
            ("---- BEGIN SSH2 PUBLIC KEY ----", "ssh-keygen -i"),
            ("ssh-dss AAAA", "DSA"),
            ("", "type"),
            ("AAAAC3NzaC1lZDI1NTE5", "type"),
            ("no-pty ssh-ed25519 AAAA", "without options"),
            ("ssh-ed25519", "cut off"),
            ("ssh-ed25519 !!!!", "not base64"),
            (cut, "cut off"),
            (&GOOD.replace("ssh-ed25519 ", "ssh-rsa "), "belong together"),
            (&format!("{GOOD}\n{GOOD}"), "one line"),
        ] {
            let error = public_key(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
