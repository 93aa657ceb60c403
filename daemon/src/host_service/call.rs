//! One call (pure): a route, what goes into its path, and a body.

use bytes::Bytes;
use serde::Serialize;

use super::Route;

/// What is asked of a service.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub(super) route: &'a Route,
    pub(super) path: String,
    pub(super) body: Option<Bytes>,
}

impl<'a> Call<'a> {
    /// What it is a call of.
    pub fn route(&self) -> &'a Route {
        self.route
    }

    /// Without an id and without a body.
    pub fn of(route: &'a Route) -> Self {
        Self { route, path: route.path.to_owned(), body: None }
    }

    /// The id that the route's `{}` stands for.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.path = self.route.path.replacen("{}", &encoded(id), 1);
        self
    }

    /// One more value of the query.
    #[must_use]
    pub fn query(mut self, key: &str, value: &str) -> Self {
        let before = if self.path.contains('?') { '&' } else { '?' };
        self.path = format!("{}{before}{}={}", self.path, encoded(key), encoded(value));
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        // values of ours: maps with text keys, which cannot fail
        self.body = serde_json::to_vec(body).ok().map(Bytes::from);
        self
    }
}

/// Everything but letters, digits and `-_.~` as `%XX`: an id with a slash must not become another path.
fn encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // writing to a string cannot fail
            write!(out, "%{byte:02X}").unwrap_or_default();
        }
    }
    // `.` and `..` are steps of a path, not names
    if out.chars().all(|c| c == '.') { out.replace('.', "%2E") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// Whatever the id, the path has the same number of parts.
        #[test]
        fn ids_stay_one_part_of_the_path(id in ".{1,40}") {
            let route = Route::get("/training/status/{}", 1, 0);
            let path = Call::of(&route).id(&id).path;
            proptest::prop_assert_eq!(path.matches('/').count(), 3, "{}", path);
            proptest::prop_assert!(!path.contains(['?', '#', ' ']) && path.is_ascii());
            proptest::prop_assert!(!path.ends_with("/.") && !path.ends_with("/.."));
        }
    }

    #[test]
    fn queries_follow_the_path() {
        let route = Route::get("/a/{}", 1, 0);
        assert_eq!(Call::of(&route).id("x/y").query("limit", "1 0").query("b", "c").path, "/a/x%2Fy?limit=1%200&b=c");
    }
}
