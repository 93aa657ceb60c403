//! YAML as a tree that knows its lines (pure). Hostile files end here: aliases, which multiply, are refused; depth and
//! size have limits; a key is given once.

use std::{borrow::Cow, collections::HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::Mistake;

const DEPTH_MAX: usize = 32;
const NODES_MAX: usize = 20_000;

/// A value and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// What it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A text; `plain` ones may be numbers.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads the one document of a file.
pub(super) fn read(text: &str) -> Result<Node, Mistake> {
    let mut reader = Reader { parser: Parser::new_from_str(text), nodes: 0, line: 1 };
    let mut document = None;
    loop {
        match reader.next()? {
            Event::StreamEnd => break,
            Event::DocumentStart(_) if document.is_some() => return Err(reader.mistake("a second document begins")),
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            event => document = Some(reader.node(event, 0)?),
        }
    }
    document.ok_or_else(|| Mistake::new(1, "the file is empty"))
}

struct Reader<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    nodes: usize,
    /// Of the last event.
    line: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>, Mistake> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                self.line = span.start.line();
                Ok(event)
            }
            Some(Err(error)) => Err(Mistake::new(error.marker().line(), format!("it is not YAML: {}", error.info()))),
            None => Ok(Event::StreamEnd),
        }
    }

    fn mistake(&self, what: &str) -> Mistake {
        Mistake::new(self.line, what)
    }

    fn node(&mut self, event: Event<'a>, depth: usize) -> Result<Node, Mistake> {
        self.nodes += 1;
        if depth > DEPTH_MAX {
            return Err(self.mistake(&format!("values are nested deeper than {DEPTH_MAX}")));
        }
        if self.nodes > NODES_MAX {
            return Err(self.mistake(&format!("there are more than {NODES_MAX} values")));
        }
        let line = self.line;
        let value = match event {
            Event::Scalar(text, style, _, _) => scalar(text, style),
            Event::SequenceStart(..) => self.list(depth)?,
            Event::MappingStart(..) => self.map(depth)?,
            Event::Alias(_) => return Err(self.mistake("aliases (*name) are not read: write the value out")),
            _ => return Err(self.mistake("the file ends in the middle of a value")),
        };
        Ok(Node { line, value })
    }

    fn list(&mut self, depth: usize) -> Result<Value, Mistake> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(Value::List(items)),
                event => items.push(self.node(event, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Mistake> {
        let (mut entries, mut keys) = (Vec::new(), HashSet::new());
        loop {
            let key = match self.next()? {
                Event::MappingEnd => return Ok(Value::Map(entries)),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err(self.mistake("a key must be a word")),
            };
            if !keys.insert(key.clone()) {
                return Err(self.mistake(&format!("{key} is given twice")));
            }
            let event = self.next()?;
            let node = self.node(event, depth + 1)?;
            entries.push((key, node));
        }
    }
}

fn scalar(text: Cow<'_, str>, style: ScalarStyle) -> Value {
    Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain }
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find(|(other, _)| other == key).map(|(_, node)| node)
    }

    /// Down several keys.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |node, key| node.get(key))
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Scalar { text, plain: true } => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }

    pub(super) fn whole(&self) -> Option<i64> {
        match &self.value {
            Value::Scalar { text, plain: true } => text.parse().ok(),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn map(&self) -> Option<&[(String, Self)]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Not there, as YAML writes it.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines() {
        let node = read("a: 1\nb:\n  - x\n  - {c: 'two', d: 3.5}\n").unwrap();
        assert_eq!(node.get("a").unwrap().whole(), Some(1));
        let items = node.get("b").unwrap().list().unwrap();
        assert_eq!((items[0].text(), items[0].line), (Some("x"), 3));
        assert_eq!((items[1].get("d").unwrap().number(), items[1].get("c").unwrap().line), (Some(3.5), 4));
        assert_eq!(items[1].get("c").unwrap().number(), None, "a quoted text is no number");
    }

    #[test]
    fn hostile_files_are_mistakes_with_a_line() {
        let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n";
        for (text, line, says) in [
            ("", 1, "empty"),
            ("a: 1\na: 2\n", 2, "twice"),
            (bomb, 2, "aliases"),
            ("a: [1, 2\nb: 3\n", 2, "not YAML"),
            ("a: 1\n---\nb: 2\n", 2, "second document"),
            ("? [a]\n: 1\n", 1, "a key must be a word"),
        ] {
            let mistake = read(text).unwrap_err();
            assert!(mistake.what.contains(says), "{text:?}: {mistake:?}");
            assert_eq!(mistake.line, line, "{text:?}: {mistake:?}");
        }
        let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
        assert!(read(&deep).unwrap_err().what.contains("nested"));
        let long = format!("a: [{}]", "1,".repeat(30_000));
        assert!(read(&long).unwrap_err().what.contains("more than"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[-a-c:\\[\\]{},&*#|>'\"!?%@\\n ]{0,80}") {
            drop(read(&text));
        }
    }
}
