//! Lines to fields.

/// The fields of one line, cut at commas, without surrounding blanks and quotes. Borrows; allocates nothing.
#[derive(Debug)]
pub(super) struct Fields<'a>(Option<&'a str>);

/// A line without any comma is one field.
pub(super) fn fields(line: &str) -> Fields<'_> {
    Fields(Some(line))
}

/// Whether it reads as a number, NaN and infinities included.
pub(super) fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let rest = self.0?;
        let end = quoted(rest).or_else(|| rest.bytes().position(|byte| byte == b','));
        let (field, after) = rest.split_at(end.unwrap_or(rest.len()));
        self.0 = after.strip_prefix(',');
        Some(clean(field))
    }
}

/// Where a field ends whose quotes may hold commas. `None` for one without quotes, or whose quotes do not close before
/// a comma: that is then cut as if it had none.
fn quoted(rest: &str) -> Option<usize> {
    let inner = rest.trim_ascii_start().strip_prefix('"')?;
    let mut from = rest.len() - inner.len();
    loop {
        from += rest[from..].find('"')? + 1;
        // a doubled quote stands for one inside
        if !rest[from..].starts_with('"') {
            break;
        }
        from += 1;
    }
    let after = rest[from..].trim_ascii_start();
    (after.is_empty() || after.starts_with(',')).then_some(rest.len() - after.len())
}

fn clean(field: &str) -> &str {
    let field = field.trim_ascii();
    match field.strip_prefix('"').and_then(|field| field.strip_suffix('"')) {
        Some(inner) => inner.trim_ascii(),
        None => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(line: &str) -> Vec<&str> {
        fields(line).collect()
    }

    #[test]
    fn blanks_and_quotes_around_a_field_are_no_part_of_it() {
        assert_eq!(cut("a,b"), ["a", "b"]);
        assert_eq!(cut(" a ,\"b\"\t, \" c \""), ["a", "b", "c"]);
        assert_eq!(cut(",,"), ["", "", ""]);
        assert_eq!(cut(""), [""]);
    }

    #[test]
    fn a_quoted_comma_cuts_nothing() {
        assert_eq!(cut(r#""1,234.5",2"#), ["1,234.5", "2"]);
        assert_eq!(cut(r#""say ""a,b""",2"#), [r#"say ""a,b"""#, "2"]);
    }

    #[test]
    fn quotes_that_do_not_close_are_text() {
        assert_eq!(cut(r#""a,b"#), [r#""a"#, "b"]);
        assert_eq!(cut(r#""a"x,b"#), [r#""a"x"#, "b"]);
        assert_eq!(cut("\""), ["\""]);
    }

    proptest! {
        #[test]
        fn without_quotes_it_is_a_split(line in "[^\"]{0,40}") {
            let expected: Vec<&str> = line.split(',').map(str::trim_ascii).collect();
            prop_assert_eq!(cut(&line), expected);
        }

        #[test]
        fn any_line_ends(line in "[\", aé]{0,20}") {
            prop_assert!(cut(&line).len() <= line.len() + 1);
        }
    }
}
