//! `[mqtt]`.

use std::path::Path;

use rumqttc::tokio_rustls::rustls::RootCertStore;
use rumqttc::tokio_rustls::rustls::pki_types::CertificateDer;
use rumqttc::tokio_rustls::rustls::pki_types::pem::PemObject;
use toml::Table;
use url::Url;

use super::{Mqtt, login, read_file, take_text};
use crate::provision::problem::{HIDDEN, Problems, quoted};
use crate::provision::{FILE, MAX_BYTES};

pub(super) fn read(table: &mut Table, beside: &Path, problems: &mut Problems) -> Mqtt {
    let mut mqtt = Mqtt::default();
    let written = take_text(table, "mqtt", "url", problems);
    let url = written.as_deref().map(broker);
    match &url {
        Some(Ok(url)) => {
            mqtt.shown = Some(shown(url));
            mqtt.url = written.clone();
        }
        Some(Err(why)) => problems.add("mqtt.url", HIDDEN, why),
        None => {}
    }
    (mqtt.username, mqtt.password) = login("mqtt", table, problems);
    let inline = take_text(table, "mqtt", "ca", problems);
    let file = take_text(table, "mqtt", "ca_file", problems);
    let ca_key = match (&inline, &file) {
        (Some(_), Some(_)) => {
            let remedy = "mqtt.ca is there too; write one of the two";
            problems.add("mqtt.ca_file", HIDDEN, remedy);
            return mqtt;
        }
        (Some(pem), None) => {
            match authorities(pem.as_bytes()) {
                Ok(()) => mqtt.ca = inline.clone(),
                Err(why) => problems.add("mqtt.ca", "(certificates)", &why),
            }
            Some("mqtt.ca")
        }
        (None, Some(name)) => {
            match authorities_in(name, beside) {
                Ok(pem) => {
                    mqtt.ca = Some(pem);
                    mqtt.ca_file = file.clone();
                }
                Err(why) => problems.add("mqtt.ca_file", quoted(name), &why),
            }
            Some("mqtt.ca_file")
        }
        (None, None) => None,
    };
    match (&url, ca_key) {
        (None, Some(key)) => problems.add(key, "(given)", "there is no mqtt.url that it is for"),
        (Some(Ok(url)), Some(key)) if url.scheme() == "mqtt" => {
            problems.add(key, "(given)", "only mqtts:// uses it; change mqtt.url");
        }
        _ => {}
    }
    if url.is_none() && (mqtt.username.is_some() || mqtt.password.is_some()) {
        let remedy = "user name and password need a broker: mqtt://host:1883 or mqtts://host:8883";
        problems.add("mqtt.url", "(absent)", remedy);
    }
    mqtt
}

/// The broker's address; its text is never part of the error, as it may hold a
/// password anywhere.
fn broker(text: &str) -> Result<Url, &'static str> {
    const FORM: &str = "write mqtt://host:1883 or mqtts://host:8883";
    let url = Url::parse(text).map_err(|_| {
        "this is not a URL; write mqtt://host:1883 or mqtts://host:8883, and user name and \
         password under keys of their own"
    })?;
    if !matches!(url.scheme(), "mqtt" | "mqtts") || url.host_str().unwrap_or_default().is_empty() {
        return Err(FORM);
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(
            "nothing may follow host and port; if it is part of a password, write that under \
             mqtt.password",
        );
    }
    if url.password().is_some_and(|p| !p.is_empty()) && url.username().is_empty() {
        return Err("a password needs a user name; write both under keys of their own");
    }
    Ok(url)
}

/// Scheme, host and port.
fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}"));
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{}", url.scheme(), port.unwrap_or_default())
}

fn authorities_in(name: &str, beside: &Path) -> Result<String, String> {
    // A plain name: the file is erased once it is moved, so it must be one that
    // can only have been put there for this.
    if name.is_empty()
        || name.contains(['/', '\\', ':'])
        || name.chars().any(char::is_control)
        || name.starts_with('.')
        || name.eq_ignore_ascii_case(FILE)
    {
        return Err(format!("write the name of a file that lies beside {FILE}"));
    }
    let bytes = read_file(&beside.join(name))
        .map_err(|why| format!("can't be read ({why}); put it beside {FILE}"))?;
    if bytes.len() > MAX_BYTES {
        return Err("it is larger than 64 KiB; write only the broker's authority".into());
    }
    authorities(&bytes)?;
    String::from_utf8(bytes).map_err(|_| "it is not PEM text".into())
}

fn authorities(pem: &[u8]) -> Result<(), String> {
    if pem.windows(11).any(|part| part == b"PRIVATE KEY") {
        return Err(
            "this holds a private key; a camera needs only the authority's certificate".into(),
        );
    }
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| "a certificate in it is not whole; copy the PEM file again".to_string())?;
    let mut roots = RootCertStore::empty();
    match (
        certificates.len(),
        roots.add_parsable_certificates(certificates),
    ) {
        (0, _) => Err("no certificate in PEM form (-----BEGIN CERTIFICATE-----) is in it".into()),
        (_, (_, 0)) => Ok(()),
        (_, _) => Err("not all in it are certificates of an authority".into()),
    }
}
