use std::path::{Path, PathBuf};
use std::sync::Arc;

use rumqttc::tokio_rustls::rustls::crypto::aws_lc_rs;
use rumqttc::tokio_rustls::rustls::pki_types::pem::PemObject;
use rumqttc::tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rumqttc::tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::LinkError;

/// Where distributions keep the authorities' certificates: Debian and Yocto,
/// Fedora, Alpine.
const SYSTEM_BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// The TLS side of a link. rumqttc's own default panics where a certificate
/// of the system can't be read, hence this.
pub(super) fn client(
    ca: Option<&Path>,
    cert: Option<&Path>,
    key: Option<&Path>,
) -> Result<Arc<ClientConfig>, LinkError> {
    let (what, bundle) = match ca {
        Some(path) => ("the CA file", path.to_owned()),
        None => ("the system's certificate bundle", system_bundle()?),
    };
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(certificates(what, &bundle)?);
    if added == 0 {
        let why = format!("none of its {ignored} certificates is one of an authority");
        return Err(bad(what, &bundle, why));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| bad(what, &bundle, e.to_string()))?
        .with_root_certificates(roots);
    let config = match (cert, key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => {
            return Err(LinkError::HalfCertificate {
                given: "certificate",
            });
        }
        (None, Some(_)) => return Err(LinkError::HalfCertificate { given: "key" }),
        (Some(cert), Some(key)) => {
            let chain = certificates("the client certificate", cert)?;
            let secret = PrivateKeyDer::from_pem_file(key)
                .map_err(|e| bad("the client key", key, e.to_string()))?;
            builder.with_client_auth_cert(chain, secret).map_err(|e| {
                let why = format!("{e} (with the key '{}')", key.display());
                bad("the client certificate", cert, why)
            })?
        }
    };
    Ok(Arc::new(config))
}

fn bad(what: &'static str, path: &Path, why: String) -> LinkError {
    LinkError::Certificate {
        what,
        path: path.to_owned(),
        why,
    }
}

fn certificates(
    what: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, LinkError> {
    let read = std::fs::read(path).map_err(|e| bad(what, path, e.to_string()))?;
    let all: Vec<_> = CertificateDer::pem_slice_iter(&read)
        .collect::<Result<_, _>>()
        .map_err(|e| bad(what, path, e.to_string()))?;
    if all.is_empty() {
        let why = "it holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
        return Err(bad(what, path, why.into()));
    }
    Ok(all)
}

fn system_bundle() -> Result<PathBuf, LinkError> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let candidates = || {
        named
            .clone()
            .into_iter()
            .chain(SYSTEM_BUNDLES.map(PathBuf::from))
    };
    candidates().find(|p| p.is_file()).ok_or_else(|| {
        let looked_at: Vec<_> = candidates().map(|p| p.display().to_string()).collect();
        LinkError::NoSystemCertificates {
            looked_at: looked_at.join(", "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn error(ca: &Path) -> String {
        client(Some(ca), None, None).unwrap_err().to_string()
    }

    #[test]
    fn bad_files_are_named() {
        let e = error(Path::new("/nowhere/ca.pem"));
        assert!(e.contains("the CA file '/nowhere/ca.pem'"), "{e}");
        assert!(e.contains("No such file"), "{e}");

        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"not a certificate").unwrap();
        let e = error(file.path());
        assert!(e.contains("holds no certificate in PEM form"), "{e}");

        let half = client(Some(file.path()), None, None).is_err();
        assert!(half);
    }
}
