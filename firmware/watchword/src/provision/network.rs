//! `[network]`: how the camera gets its address.

use std::net::IpAddr;

use super::problem::{Problems, quoted};

/// How the camera gets its address; by DHCP as `Default`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// An address of its own instead of DHCP.
    pub fixed: Option<Fixed>,
    /// Name servers; beside DHCP's if there is DHCP.
    pub dns: Vec<IpAddr>,
    /// Time servers, names or addresses; beside DHCP's if there is DHCP.
    pub ntp: Vec<String>,
}

/// An address that somebody chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// The camera's.
    pub address: IpAddr,
    /// Bits of the network in it: 1 to 31 of IPv4, 1 to 127 of IPv6.
    pub prefix: u8,
    /// The router's, if other networks can be reached.
    pub gateway: Option<IpAddr>,
}

/// The most servers of one sort; resolvers ask no more than three.
const MOST_SERVERS: usize = 3;

/// The keys as they are written.
#[derive(Default)]
pub(super) struct Written {
    pub address: Option<String>,
    pub gateway: Option<String>,
    pub dns: Vec<String>,
    pub ntp: Vec<String>,
}

impl Network {
    /// Makes sense of the keys, or says what makes none.
    pub(super) fn read(written: &Written, problems: &mut Problems) -> Self {
        let mut fixed = None;
        if let Some(text) = &written.address {
            match address(text) {
                Ok((address, prefix)) => {
                    fixed = Some(Fixed {
                        address,
                        prefix,
                        gateway: None,
                    });
                }
                Err(why) => problems.add("network.address", quoted(text), &why),
            }
        }
        if let Some(text) = &written.gateway {
            if written.address.is_none() {
                let remedy = "it goes with network.address; with DHCP leave it out";
                problems.add("network.gateway", quoted(text), remedy);
            } else if let Some(fixed) = &mut fixed {
                match gateway(text, fixed) {
                    Ok(gateway) => fixed.gateway = Some(gateway),
                    Err(why) => problems.add("network.gateway", quoted(text), &why),
                }
            }
        }
        let mut dns = Vec::new();
        for (i, text) in written.dns.iter().enumerate() {
            match text.parse().map_err(|_| NO_ADDRESS.into()).and_then(host) {
                Ok(server) => dns.push(server),
                Err(why) => problems.add(format!("network.dns[{i}]"), quoted(text), &why),
            }
        }
        let mut ntp = Vec::new();
        for (i, text) in written.ntp.iter().enumerate() {
            match time_server(text) {
                Ok(()) => ntp.push(text.clone()),
                Err(why) => problems.add(format!("network.ntp[{i}]"), quoted(text), &why),
            }
        }
        for (key, count) in [
            ("network.dns", written.dns.len()),
            ("network.ntp", written.ntp.len()),
        ] {
            if count > MOST_SERVERS {
                problems.add(key, format!("({count} servers)"), "name 3 at most");
            }
        }
        Self { fixed, dns, ntp }
    }

    /// The file for systemd-networkd, for every wired Ethernet interface.
    pub fn unit(&self) -> String {
        let mut unit = String::from(
            "# Written by watchword provision; changed by a new provision.toml.\n\
             [Match]\nType=ether\n\n[Network]\n",
        );
        match &self.fixed {
            None => unit.push_str("DHCP=yes\n# IPv4's own address only when DHCP gives none.\nLinkLocalAddressing=yes\n"),
            Some(fixed) => {
                unit.push_str("DHCP=no\nLinkLocalAddressing=ipv6\n");
                unit.push_str(&format!("Address={}/{}\n", fixed.address, fixed.prefix));
                if let Some(gateway) = fixed.gateway {
                    unit.push_str(&format!("Gateway={gateway}\n"));
                }
            }
        }
        for server in &self.dns {
            unit.push_str(&format!("DNS={server}\n"));
        }
        for server in &self.ntp {
            unit.push_str(&format!("NTP={server}\n"));
        }
        if self.fixed.is_none() {
            unit.push_str(
                "\n[DHCPv4]\n# The camera says its name; a DHCP server does not give it one.\n\
                 SendHostname=yes\nUseHostname=no\n\n[DHCPv6]\nUseHostname=no\n",
            );
        }
        unit
    }
}

const NO_ADDRESS: &str = "write an IP address such as 192.168.1.1";

fn address(text: &str) -> Result<(IpAddr, u8), String> {
    let remedy = || "write address and prefix, such as 192.168.1.20/24".to_string();
    let (address, prefix) = text.split_once('/').ok_or_else(remedy)?;
    let address: IpAddr = address.parse().map_err(|_| remedy())?;
    let most = if address.is_ipv4() { 31 } else { 127 };
    // `parse` alone would take "+24".
    if !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return Err(remedy());
    }
    let prefix: u8 = prefix.parse().map_err(|_| remedy())?;
    if !(1..=most).contains(&prefix) {
        return Err(format!(
            "choose a prefix of 1 to {most}; 24 is the usual one"
        ));
    }
    let address = host(address)?;
    if let IpAddr::V4(v4) = address
        && prefix < 31
    {
        let hosts = u32::MAX >> prefix;
        match u32::from(v4) & hosts {
            0 => {
                return Err(
                    "this is the address of the whole network; choose one within it".into(),
                );
            }
            all if all == hosts => {
                return Err("this is the network's broadcast address; choose one within it".into());
            }
            _ => {}
        }
    }
    Ok((address, prefix))
}

/// `address`, if it can be one machine's on a network.
fn host(address: IpAddr) -> Result<IpAddr, String> {
    let sort = if address.is_unspecified() {
        "no address at all"
    } else if address.is_loopback() {
        "the camera itself"
    } else if address.is_multicast() {
        "a multicast group"
    } else if matches!(address, IpAddr::V4(v4) if v4.is_broadcast() || v4.octets()[0] == 0 || v4.octets()[0] >= 240)
    {
        "a reserved address"
    } else {
        return Ok(address);
    };
    Err(format!(
        "this is {sort}; choose the address of one machine on your network"
    ))
}

fn gateway(text: &str, fixed: &Fixed) -> Result<IpAddr, String> {
    let gateway: IpAddr = text.parse().map_err(|_| NO_ADDRESS.to_string())?;
    let gateway = host(gateway)?;
    if gateway == fixed.address {
        return Err("this is the camera's own address; write the router's".into());
    }
    let within = match (gateway, fixed.address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (u32::from(a) ^ u32::from(b)).checked_shr(32 - u32::from(fixed.prefix)) == Some(0)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            a.is_unicast_link_local()
                || (u128::from(a) ^ u128::from(b)) >> (128 - u32::from(fixed.prefix)) == 0
        }
        _ => return Err("network.address is of the other IP version; use one version".into()),
    };
    if within {
        Ok(gateway)
    } else {
        Err(format!(
            "it is not in the network of {}/{}, so the camera could not reach it",
            fixed.address, fixed.prefix
        ))
    }
}

/// A name or address; nothing that could end a line of the unit.
fn time_server(text: &str) -> Result<(), String> {
    if let Ok(address) = text.parse() {
        return host(address).map(drop);
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    // An all-digit last label is a broken address, not a name.
    let broken_address = text
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    if text.len() <= 253 && text.split('.').all(label) && !broken_address {
        Ok(())
    } else {
        Err("write a host name such as pool.ntp.org, or an IP address".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: Option<&str>, gateway: Option<&str>) -> Result<Network, String> {
        let mut problems = Problems::default();
        let written = Written {
            address: address.map(Into::into),
            gateway: gateway.map(Into::into),
            ..Written::default()
        };
        let network = Network::read(&written, &mut problems);
        match problems.into_vec().first() {
            None => Ok(network),
            Some(problem) => Err(problem.to_string()),
        }
    }

    #[test]
    fn good_addresses() {
        for (address, gateway) in [
            ("192.168.1.20/24", Some("192.168.1.1")),
            ("10.0.0.1/31", Some("10.0.0.0")),
            ("172.16.255.255/12", Some("172.31.0.1")),
            ("1.2.3.4/1", Some("100.0.0.1")),
            ("fd00::20/64", Some("fd00::1")),
            ("2001:db8::20/64", Some("fe80::1")),
            ("169.254.7.7/16", None),
        ] {
            let network = read(Some(address), gateway).unwrap();
            let unit = network.unit();
            assert!(unit.contains(&format!("\nAddress={address}\n")), "{unit}");
            assert!(unit.contains("\nDHCP=no\n"), "{unit}");
            assert_eq!(unit.contains("\nGateway="), gateway.is_some(), "{unit}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_remedy() {
        for (address, gateway, says) in [
            (Some("192.168.1.20"), None, "192.168.1.20/24"),
            (Some("192.168.1.300/24"), None, "192.168.1.20/24"),
            (Some("192.168.1.20/33"), None, "1 to 31"),
            (Some("192.168.1.20/+24"), None, "192.168.1.20/24"),
            (Some("192.168.1.20/0"), None, "1 to 31"),
            (Some("192.168.1.0/24"), None, "whole network"),
            (Some("192.168.1.255/24"), None, "broadcast"),
            (Some("127.0.0.1/8"), None, "the camera itself"),
            (Some("224.0.0.1/8"), None, "multicast"),
            (Some("0.0.0.0/8"), None, "no address"),
            (Some("255.255.255.255/8"), None, "reserved"),
            (Some("192.168.1.20/24\nDHCP=yes"), None, "192.168.1.20/24"),
            (None, Some("192.168.1.1"), "network.address"),
            (
                Some("192.168.1.20/24"),
                Some("192.168.2.1"),
                "not in the network",
            ),
            (Some("192.168.1.20/24"), Some("192.168.1.20"), "own address"),
            (Some("192.168.1.20/24"), Some("fd00::1"), "other IP version"),
            (Some("192.168.1.20/24"), Some("router"), "192.168.1.1"),
        ] {
            let error = read(address, gateway).unwrap_err();
            assert!(error.contains(says), "{address:?} {gateway:?}: {error}");
        }
    }

    #[test]
    fn servers_are_names_or_addresses() {
        for good in [
            "pool.ntp.org",
            "10.0.0.1",
            "fd00::1",
            "ntp",
            "0.debian.pool.ntp.org",
        ] {
            time_server(good).unwrap();
        }
        for bad in ["", "10.0.0.300", "a b", "a\nb", "-a", "a..b", "127.0.0.1"] {
            time_server(bad).unwrap_err();
        }
    }

    #[test]
    fn without_keys_it_is_dhcp() {
        let unit = read(None, None).unwrap().unit();
        for line in [
            "Type=ether",
            "DHCP=yes",
            "LinkLocalAddressing=yes",
            "UseHostname=no",
        ] {
            assert!(unit.lines().any(|l| l == line), "{unit}");
        }
    }
}
