//! The addresses from which teammates may use the workspace.
//!
//! Must never lock out the caller, who is on this machine.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult};
use crate::sandbox::workspace::{IpAllowlist, Workspace};

const CALLER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

operations! {
    "getIpAllowlist" => |workspace, _| Ok(document(&workspace.ip_allowlist).into()),
    "updateIpAllowlist" => update,
}

fn document(allowlist: &IpAllowlist) -> Value {
    json!({"type": "ip_allowlist", "enabled": allowlist.is_enabled, "ip_allowlist": allowlist.entries})
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let mut allowlist = workspace.ip_allowlist.clone();
    if let Some(entries) = request.body["ip_allowlist"].as_array() {
        allowlist.entries = entries.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    }
    allowlist.is_enabled = request.flag("enabled").unwrap_or(allowlist.is_enabled);
    let ranges = allowlist.entries.iter().map(|entry| {
        let message = || format!("{entry} is not an IP address or a range in CIDR notation");
        IpRange::parse(entry).ok_or_else(|| ErrorResponse::unprocessable("ip_allowlist", message()))
    });
    let ranges = ranges.collect::<Result<Vec<_>, _>>()?;
    if allowlist.is_enabled && !ranges.iter().any(|range| range.contains(CALLER)) {
        let message = format!("Your IP ({CALLER}) is not on the allowlist, so it would lock you out");
        return Err(ErrorResponse::unprocessable("ip_allowlist", message));
    }
    workspace.ip_allowlist = allowlist;
    Ok(document(&workspace.ip_allowlist).into())
}

/// An address, or those that start with the same bits.
struct IpRange {
    address: IpAddr,
    prefix: u32,
}

impl IpRange {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Some(bits), |prefix| prefix.parse().ok())?;
        (prefix <= bits).then_some(IpRange { address, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= self.prefix
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => {
                (one.to_bits() ^ other.to_bits()).leading_zeros() >= self.prefix
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_the_addresses_that_start_alike() {
        for (range, address, expected) in [
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("0.0.0.0/0", "127.0.0.1", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "127.0.0.1", false),
        ] {
            let range_parsed = IpRange::parse(range).unwrap();
            assert_eq!(range_parsed.contains(address.parse().unwrap()), expected, "{range} {address}");
        }
    }

    #[test]
    fn other_texts_are_not_ranges() {
        for text in ["", "192.0.2", "192.0.2.0/33", "192.0.2.0/", "example.com", "2001:db8::/129"] {
            assert!(IpRange::parse(text).is_none(), "{text}");
        }
    }
}
