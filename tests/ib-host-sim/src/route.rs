//! Which route a request asks for, with the answers of the Python framework to wrong ones.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Root,
    Health,
    HealthSlash,
    HealthDetailed,
    Historical,
    Validate,
    SymbolInfo,
    HeadTimestamp,
}

/// Route, method, path, and the name faults know it by.
pub(crate) const ROUTES: [(Route, &str, &str, &str); 8] = [
    (Route::Root, "GET", "/", "root"),
    (Route::Health, "GET", "/health", "health"),
    (Route::HealthSlash, "GET", "/health/", "health"),
    (Route::HealthDetailed, "GET", "/health/detailed", "health"),
    (Route::Historical, "POST", "/data/historical", "historical"),
    (Route::Validate, "POST", "/data/validate", "validate"),
    (Route::SymbolInfo, "GET", "/data/symbol-info/{symbol}", "validate"),
    (Route::HeadTimestamp, "GET", "/data/head-timestamp", "head"),
];

impl Route {
    /// Method and path, as the report counts it.
    pub(crate) fn key(self) -> String {
        ROUTES.iter().find(|row| row.0 == self).map_or_else(String::new, |row| format!("{} {}", row.1, row.2))
    }

    pub(crate) fn fault_name(self) -> &'static str {
        ROUTES.iter().find(|row| row.0 == self).map_or("", |row| row.3)
    }

    /// Asks the gateway for something.
    pub(crate) fn is_data(self) -> bool {
        matches!(self, Self::Historical | Self::Validate | Self::SymbolInfo | Self::HeadTimestamp)
    }
}

/// What a request line leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A route, and the symbol in its path.
    Route(Route, String),
    Nowhere,
    MethodNotAllowed {
        allow: String,
    },
    /// To the same path without its slash at the end.
    Redirect {
        location: String,
    },
}

/// The path as it was sent. It is decoded before it is matched, so a symbol with a slash leads nowhere.
pub(crate) fn find(method: &str, path: &str) -> Found {
    let path = decode(path);
    let matching = matches_of(&path);
    match matching.iter().find(|(row, _)| row.1 == method) {
        Some((row, symbol)) => Found::Route(row.0, symbol.clone()),
        None if !matching.is_empty() => {
            Found::MethodNotAllowed { allow: matching.iter().map(|(row, _)| row.1).collect::<Vec<_>>().join(", ") }
        }
        None => elsewhere(&path),
    }
}

fn elsewhere(path: &str) -> Found {
    match path.strip_suffix('/') {
        Some(shorter) if !matches_of(shorter).is_empty() => Found::Redirect { location: shorter.to_owned() },
        _ => Found::Nowhere,
    }
}

type Row = (Route, &'static str, &'static str, &'static str);

fn matches_of(path: &str) -> Vec<(&'static Row, String)> {
    ROUTES.iter().filter_map(|row| symbol_in(row.2, path).map(|symbol| (row, symbol))).collect()
}

/// The symbol, empty for a pattern without one.
fn symbol_in(pattern: &str, path: &str) -> Option<String> {
    let Some(before) = pattern.strip_suffix("{symbol}") else {
        return (pattern == path).then(String::new);
    };
    let symbol = path.strip_prefix(before)?;
    (!symbol.is_empty() && !symbol.contains('/')).then(|| symbol.to_owned())
}

/// Percent-decoding; what does not decode stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = text.get(at + 1..at + 3).filter(|_| byte == b'%');
        if let Some(escaped) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            decoded.push(escaped);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The value of a key in a query.
pub(crate) fn query_value(query: &str, key: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| decode(&value.replace('+', " ")))
}

#[cfg(test)]
mod tests {
    use super::{Found, Route, decode, find, query_value};

    #[test]
    fn each_request_line_has_its_place() {
        let table = [
            ("GET /data/symbol-info/BRK%20B", Found::Route(Route::SymbolInfo, "BRK B".to_owned())),
            ("GET /data/symbol-info/EUR%2FUSD", Found::Nowhere),
            ("GET /data/symbol-info/", Found::Nowhere),
            ("GET /data/historical", Found::MethodNotAllowed { allow: "POST".to_owned() }),
            ("POST /data/validate/", Found::Redirect { location: "/data/validate".to_owned() }),
            ("GET /health", Found::Route(Route::Health, String::new())),
            ("GET /health/", Found::Route(Route::HealthSlash, String::new())),
            ("GET /", Found::Route(Route::Root, String::new())),
            ("GET /data/nothing", Found::Nowhere),
        ];
        for (line, expected) in table {
            let (method, path) = line.split_once(' ').unwrap();
            assert_eq!(find(method, path), expected, "{line}");
        }
    }

    #[test]
    fn escapes_decode_and_wrong_ones_stay() {
        assert_eq!(decode("a%2Fb%c3%a4%zz%4"), "a/b\u{e4}%zz%4");
        assert_eq!(query_value("a=1&symbol=BRK+B", "symbol").as_deref(), Some("BRK B"));
        assert_eq!(query_value("a=1", "symbol"), None);
    }
}
