//! Whether a request is meant for us. Nobody says who they are here, so a page that somebody has open in a browser must not be
//! able to call: neither by an image or a script, nor through a name of its own that leads to this machine.

use std::net::IpAddr;

use http::{HeaderMap, Uri, header, uri::Authority};

/// What was said for whom the request is; none when it is for us.
pub(super) fn stranger(headers: &HeaderMap, names: &[String]) -> Option<String> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST.as_str()).unwrap_or_default();
    if !host.parse().is_ok_and(|host: Authority| is_ours(&host, names)) {
        return Some(format!("the request is for {host:?}, which is none of the names of this service"));
    }
    if let Some(origin) = text(header::ORIGIN.as_str())
        && origin.parse().ok().and_then(|origin: Uri| origin.into_parts().authority).is_none_or(|from| from != host)
    {
        return Some(format!("the request comes from a page of {origin:?}"));
    }
    let site = text("sec-fetch-site").filter(|site| !matches!(*site, "same-origin" | "none"))?;
    Some(format!("the request comes from a page of another site ({site})"))
}

fn is_ours(host: &Authority, names: &[String]) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    is_loopback || name.eq_ignore_ascii_case("localhost") || names.iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn refused(headers: &[(&'static str, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        stranger(&headers.collect(), &["Bars.lan".into(), "10.0.0.7".into()]).is_some()
    }

    #[test]
    fn programs_that_name_us_are_answered_and_pages_of_others_are_not() {
        for host in ["localhost:5001", "LOCALHOST", "127.0.0.1:5001", "[::1]:5001", "bars.lan:5001", "10.0.0.7"] {
            assert!(!refused(&[("host", host)]), "{host}");
        }
        for host in ["evil.test", "evil.test:5001", "127.0.0.1.evil.test", "10.0.0.8", "", "a b", "localhost.evil.test"]
        {
            assert!(refused(&[("host", host)]), "{host}");
        }
        assert!(refused(&[]), "no host");
        let ours = ("host", "localhost:5001");
        for (name, value, wrong) in [
            ("origin", "http://localhost:5001", false),
            ("origin", "http://localhost:3000", true),
            ("origin", "https://evil.test", true),
            ("origin", "null", true),
            ("sec-fetch-site", "none", false),
            ("sec-fetch-site", "same-origin", false),
            ("sec-fetch-site", "same-site", true),
            ("sec-fetch-site", "cross-site", true),
        ] {
            assert_eq!(refused(&[ours, (name, value)]), wrong, "{name}: {value}");
        }
    }
}
