//! `s3://bucket/prefix`.

use std::{fmt, str::FromStr};

/// Where the dataset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketAddress {
    /// Name of the bucket.
    pub bucket: String,
    /// Below which everything is; empty: the bucket is ours alone.
    pub prefix: String,
}

impl BucketAddress {
    /// Whether a data root is meant to be a bucket.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("s3://")
    }

    /// The whole name of an object.
    pub fn object(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }

    /// What comes after the prefix.
    pub fn name<'a>(&self, object: &'a str) -> Option<&'a str> {
        if self.prefix.is_empty() { Some(object) } else { object.strip_prefix(&self.prefix)?.strip_prefix('/') }
    }
}

impl FromStr for BucketAddress {
    type Err = &'static str;

    /// Names of buckets: 3 to 63 of `a-z`, `0-9`, `.`, `-`, as Amazon has them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "s3://BUCKET or s3://BUCKET/PREFIX";
        let rest = text.strip_prefix("s3://").ok_or(FORM)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        let ends = bucket.starts_with(|c: char| c.is_ascii_alphanumeric())
            && bucket.ends_with(|c: char| c.is_ascii_alphanumeric());
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(fits) || !ends {
            return Err(FORM);
        }
        let plain = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '='))
        };
        if !prefix.is_empty() && !prefix.split('/').all(plain) {
            return Err("a prefix of letters, digits, - _ . = and /");
        }
        Ok(Self { bucket: bucket.into(), prefix: prefix.into() })
    }
}

impl fmt::Display for BucketAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, prefix } = self;
        if prefix.is_empty() { write!(f, "s3://{bucket}") } else { write!(f, "s3://{bucket}/{prefix}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown_the_same() {
        for (text, bucket, prefix) in
            [("s3://bars", "bars", ""), ("s3://my.bars/quant/v1", "my.bars", "quant/v1"), ("s3://bars/x/", "bars", "x")]
        {
            let address: BucketAddress = text.parse().unwrap();
            assert_eq!((address.bucket.as_str(), address.prefix.as_str()), (bucket, prefix));
            assert_eq!(address.to_string(), text.trim_end_matches('/'));
        }
        for wrong in
            ["bars", "s3://", "s3://ab", "s3://Bars", "s3://-bars", "s3://bars/a//b", "s3://bars/../x", "s3://bars/a b"]
        {
            assert!(wrong.parse::<BucketAddress>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_comes_back_out_of_its_object() {
        for text in ["s3://bars", "s3://bars/quant/v1"] {
            let address: BucketAddress = text.parse().unwrap();
            assert_eq!(address.name(&address.object("bars/x")), Some("bars/x"));
        }
        let address: BucketAddress = "s3://bars/quant".parse().unwrap();
        assert_eq!(address.name("quantum/bars/x"), None);
    }
}
