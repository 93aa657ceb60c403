//! The rules of a strategy file (pure). What the old loader filled in silently is a mistake here: a training that
//! nobody described is worse than none.

use ktrdr_proto::spelling::parse_timeframe;

use super::{Format, Mistake, typos, yaml::Node};

/// Shapes of fuzzy sets, and how many parameters each takes.
const SHAPES: [(&str, usize); 3] = [("triangular", 3), ("trapezoidal", 4), ("gaussian", 2)];

/// All mistakes, in any order.
pub(super) fn all(root: &Node, format: Format) -> Vec<Mistake> {
    let (meant, mistakes) = typos::all(root).into_iter().map(|typo| (typo.meant, typo.mistake)).unzip();
    let mut check = Check { root, mistakes, meant };
    check.top(format);
    check.training_data(format);
    check.indicators(format);
    check.fuzzy_sets(format);
    check.model();
    check.split();
    check.mistakes
}

struct Check<'a> {
    root: &'a Node,
    mistakes: Vec<Mistake>,
    /// Paths that are there under a misspelt name: nothing is missing.
    meant: Vec<String>,
}

impl<'a> Check<'a> {
    fn wrong(&mut self, line: usize, what: impl Into<String>) {
        self.mistakes.push(Mistake::new(line, what));
    }

    /// The node at `path`, or a mistake on the line of the last part that is there.
    fn need(&mut self, path: &str, what: &str) -> Option<&'a Node> {
        let (mut node, mut line) = (self.root, self.root.line);
        let mut walked = Vec::new();
        for key in path.split('.') {
            walked.push(key);
            let Some(next) = node.get(key).filter(|next| !next.is_null()) else {
                let path = walked.join(".");
                if !self.meant.contains(&path) {
                    self.wrong(line, format!("{path} is missing: {what}"));
                }
                return None;
            };
            (node, line) = (next, next.line);
        }
        Some(node)
    }

    fn one_of(&mut self, node: &Node, path: &str, allowed: &[&str]) {
        if !node.text().is_some_and(|text| allowed.contains(&text)) {
            self.wrong(node.line, format!("{path} must be one of {}", allowed.join(", ")));
        }
    }

    fn top(&mut self, format: Format) {
        if let Some(name) = self.need("name", "a name of letters, digits, - and _") {
            let fits = |text: &str| {
                text.len() <= 64
                    && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c))
                    && !text.starts_with('.')
            };
            if !name.text().is_some_and(fits) {
                self.wrong(name.line, "name must be at most 64 letters, digits, spaces, - . and _");
            }
        }
        if let Some(version) = self.need("version", "such as \"2.0\"").filter(|version| version.text().is_none()) {
            self.wrong(version.line, "version must be a text such as \"2.0\"");
        }
        if format == Format::V2 {
            if let Some(scope) = self.need("scope", "universal, symbol_group or symbol_specific") {
                self.one_of(scope, "scope", &["universal", "symbol_group", "symbol_specific"]);
            }
            for (key, what) in [("deployment", "what the model is for"), ("decisions", "how its output is used")] {
                let section = self.need(key, what).filter(|section| section.map().is_none());
                if let Some(section) = section {
                    self.wrong(section.line, format!("{key} must have keys of its own"));
                }
            }
        }
    }

    fn training_data(&mut self, format: Format) {
        let above = if format == Format::V1 { "data" } else { "training_data" };
        let symbols = self.need(&format!("{above}.symbols"), "what to train on");
        if let Some(node) = symbols {
            self.choice(node, &format!("{above}.symbols"), "symbol", &["single", "multi_symbol"]);
        }
        let timeframes = self.need(&format!("{above}.timeframes"), "such as 1h");
        if let Some(node) = timeframes {
            self.choice(node, &format!("{above}.timeframes"), "timeframe", &["single", "multi_timeframe"]);
        }
        let history = self.root.at(&format!("{above}.history_required"));
        if let Some(history) = history.filter(|history| history.whole().is_none_or(|bars| bars < 50)) {
            self.wrong(history.line, "history_required must be a whole number of 50 or more");
        }
    }

    /// `{mode: single, symbol: X}`, `{mode: multi_symbol, list: [X, Y]}`, or a plain list.
    fn choice(&mut self, node: &Node, path: &str, one: &'static str, modes: &[&str]) {
        let many = node.list().or_else(|| ["list", &format!("{one}s")].iter().find_map(|key| node.get(key)?.list()));
        if node.list().is_none() {
            match node.get("mode") {
                Some(mode) => self.one_of(mode, &format!("{path}.mode"), modes),
                None => self.wrong(node.line, format!("{path}.mode is missing: one of {}", modes.join(", "))),
            }
        }
        match (many, node.get(one)) {
            (Some([]), _) => self.wrong(node.line, format!("{path} lists nothing")),
            (Some(items), _) => items.iter().for_each(|item| self.item(item, path, one)),
            (None, Some(item)) => self.item(item, path, one),
            (None, None) if node.get("selection_criteria").is_some() => {}
            (None, None) => self.wrong(node.line, format!("{path} names none: give {one}, or list")),
        }
    }

    fn item(&mut self, item: &Node, path: &str, one: &str) {
        let text = item.text().unwrap_or_default();
        let fits = match one {
            "timeframe" => parse_timeframe(text).is_some(),
            // what the services take: https://docs of theirs are their source, data/<SYMBOL>_<timeframe>.csv
            _ => (1..=20).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)),
        };
        if !fits {
            let allowed = if one == "timeframe" {
                "such as 1m, 15m, 1h, 4h, 1d"
            } else {
                "letters, digits, - . and _, at most 20"
            };
            self.wrong(item.line, format!("{path}: {text:?} is no {one}; allowed: {allowed}"));
        }
    }

    fn indicators(&mut self, format: Format) {
        let Some(node) = self.need("indicators", "what is computed from the bars") else { return };
        match (format, node.list(), node.map()) {
            (Format::V3, _, Some(entries)) if !entries.is_empty() => {
                for (name, indicator) in
                    entries.iter().filter(|(_, one)| one.get("type").and_then(Node::text).is_none())
                {
                    self.wrong(indicator.line, format!("indicators.{name} has no type"));
                }
            }
            (Format::V3, ..) => self.wrong(node.line, "indicators must be a map of name to {type, …}"),
            (_, Some(items), _) if !items.is_empty() => {
                let named =
                    |one: &&Node| ["name", "type"].iter().any(|key| one.get(key).and_then(Node::text).is_some());
                for indicator in items.iter().filter(|one| !named(one)) {
                    self.wrong(indicator.line, "an indicator has no name");
                }
            }
            _ => self.wrong(node.line, "indicators must be a list of {name, …}, with one at least"),
        }
    }

    fn fuzzy_sets(&mut self, format: Format) {
        let Some(node) = self.need("fuzzy_sets", "how indicators become inputs") else { return };
        let Some(sets) = node.map().filter(|sets| !sets.is_empty()) else {
            return self.wrong(node.line, "fuzzy_sets must be a map, with one set at least");
        };
        for (name, set) in sets {
            let Some(members) = set.map().filter(|members| !members.is_empty()) else {
                self.wrong(set.line, format!("fuzzy_sets.{name} must be a map"));
                continue;
            };
            for (member, node) in members
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "indicator" | "scaling_type" | "input_transform"))
            {
                self.membership(&format!("fuzzy_sets.{name}.{member}"), node, format);
            }
        }
    }

    fn membership(&mut self, path: &str, node: &Node, format: Format) {
        let (shape, parameters) = match (node.list(), node.get("parameters").and_then(Node::list)) {
            (Some(items), _) if format == Format::V3 => (None, items),
            (_, Some(items)) => (Some(node.get("type").and_then(Node::text).unwrap_or("triangular")), items),
            _ => return self.wrong(node.line, format!("{path} must have type and parameters")),
        };
        let numbers: Option<Vec<f64>> = parameters.iter().map(Node::number).collect();
        let Some(numbers) = numbers else {
            return self.wrong(node.line, format!("{path}: parameters must be numbers"));
        };
        let expected = shape.map(|shape| SHAPES.iter().find(|(name, _)| *name == shape).map(|(_, count)| *count));
        match expected {
            Some(None) => {
                self.wrong(node.line, format!("{path}.type must be one of triangular, trapezoidal, gaussian"));
            }
            Some(Some(count)) if numbers.len() != count => {
                self.wrong(node.line, format!("{path} has {} parameters, and needs {count}", numbers.len()));
            }
            _ if shape != Some("gaussian") && numbers.windows(2).any(|pair| pair[0] > pair[1]) => {
                self.wrong(node.line, format!("{path}: parameters must not go down"));
            }
            _ => {}
        }
    }

    fn model(&mut self) {
        let kind = self.need("model.type", "mlp");
        if let Some(kind) = kind {
            self.one_of(kind, "model.type", &["mlp"]);
        }
        if let Some(layers) = self.root.at("model.architecture.hidden_layers") {
            let sizes = |items: &[Node]| {
                !items.is_empty()
                    && items.iter().all(|one| one.whole().is_some_and(|size| (1..=10_000).contains(&size)))
            };
            if !layers.list().is_some_and(sizes) {
                self.wrong(
                    layers.line,
                    "model.architecture.hidden_layers must be a list of whole numbers from 1 to 10000",
                );
            }
        }
        self.count("epochs", 100_000);
        self.count("batch_size", 1_000_000);
        let rate = self.root.at("model.training.learning_rate");
        if let Some(rate) = rate.filter(|rate| !rate.number().is_some_and(|rate| rate > 0.0 && rate < 1.0)) {
            self.wrong(rate.line, "model.training.learning_rate must be a number between 0 and 1");
        }
    }

    /// In the first of the two places that has it; both at once is allowed, as the newest format does.
    fn count(&mut self, key: &str, max: i64) {
        let own = format!("model.training.{key}");
        let other = self.root.at(&format!("training.{key}"));
        let node = match self.root.at(&own).or(other) {
            Some(node) => node,
            None => match self.need(&own, &format!("a whole number from 1 to {max}")) {
                Some(node) => node,
                None => return,
            },
        };
        if !node.whole().is_some_and(|number| (1..=max).contains(&number)) {
            self.wrong(node.line, format!("{key} must be a whole number from 1 to {max}"));
        }
    }

    fn split(&mut self) {
        if let Some(method) = self.root.at("training.method") {
            self.one_of(method, "training.method", &["supervised"]);
        }
        let Some(split) = self.root.at("training.data_split") else { return };
        let part = |key: &str| split.get(key).and_then(Node::number);
        let (train, validation, test) = (part("train"), part("validation"), part("test").unwrap_or(0.0));
        let sums = matches!((train, validation), (Some(train), Some(validation))
            if train > 0.0 && validation >= 0.0 && test >= 0.0 && ((train + validation + test) - 1.0).abs() < 1e-6);
        if !sums {
            self.wrong(
                split.line,
                "training.data_split: train, validation and test must be fractions that add up to 1",
            );
        }
    }
}
