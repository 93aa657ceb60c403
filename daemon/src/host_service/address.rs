//! Where a host service is (pure): `http://gpu1:5002`, `https://train.example.org/k-trdr`.

use std::{fmt, net::IpAddr};

use http::Uri;

/// A base address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// TLS.
    pub https: bool,
    /// Name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// What stands before every path; empty, or with a leading slash and without one at its end.
    pub base: String,
}

impl Address {
    /// Reads one. A user and password in it would end up in logs, so they are refused.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let uri: Uri = text.trim().parse().map_err(|_| "it must look like http://host:5002")?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("it must begin with http:// or https://"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("write it without user and password");
        }
        if uri.query().is_some() {
            return Err("write it without a query");
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let colon = authority.as_str().rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        let port = match (authority.port_u16(), colon) {
            (Some(0), _) | (None, true) => return Err("its port must be between 1 and 65535"),
            (Some(port), _) => port,
            (None, false) => {
                if https {
                    443
                } else {
                    80
                }
            }
        };
        let base = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { https, host, port, base })
    }

    /// `host:port`, as the `Host` header wants it.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Nothing leaves this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// What a person should know: the services know no passwords, so anybody on the way reads and changes everything.
    pub fn warning(&self) -> Option<String> {
        let open = !self.https && !self.is_loopback();
        open.then(|| format!("{self} is neither encrypted nor on this machine: keep that network private"))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}{}", if self.https { "s" } else { "" }, self.authority(), self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_and_others_are_refused() {
        for (text, shown) in [
            ("http://gpu1:5002", "http://gpu1:5002"),
            (" http://localhost ", "http://localhost:80"),
            ("https://h/k-trdr/", "https://h:443/k-trdr"),
            ("http://[::1]:5002/", "http://[::1]:5002"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(Address::parse(shown), Ok(address));
        }
        for wrong in
            ["", "gpu1:5002", "ftp://h", "http://", "http://u:p@h", "http://h:0", "http://h:70000", "http://h/?a"]
        {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn open_networks_are_warned_of() {
        let warns = |text: &str| Address::parse(text).unwrap().warning().is_some();
        assert!(warns("http://gpu1:5002"));
        assert!(!warns("https://gpu1") && !warns("http://127.0.0.1:1") && !warns("http://[::1]:1"));
    }
}
