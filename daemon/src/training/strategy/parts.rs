//! What the daemon takes out of a strategy that has been checked (pure).

use super::{Format, Strategy, yaml::Node};

/// As the old services count when the file does not say: of no importance once checked, which demands both.
pub(super) fn taken_out(root: &Node, format: Format) -> Strategy {
    let whole = |path: &str| root.at(path).and_then(Node::whole).and_then(|number| u32::try_from(number).ok());
    let of_training = |key: &str| whole(&format!("model.training.{key}")).or_else(|| whole(&format!("training.{key}")));
    Strategy {
        name: root.get("name").and_then(Node::text).unwrap_or_default().to_owned(),
        format,
        symbols: symbols(root, format),
        timeframes: timeframes(root, format),
        epochs: of_training("epochs").unwrap_or_default(),
        batch_size: of_training("batch_size").unwrap_or_default(),
    }
}

/// One or a list, whatever the mode says: the modes of the formats differ in name only.
fn symbols(root: &Node, format: Format) -> Vec<String> {
    chosen(root, format, "symbols", "symbol").into_iter().map(|symbol| symbol.to_uppercase()).collect()
}

fn timeframes(root: &Node, format: Format) -> Vec<String> {
    chosen(root, format, "timeframes", "timeframe")
}

fn chosen(root: &Node, format: Format, many: &str, one: &str) -> Vec<String> {
    let above = if format == Format::V1 { "data" } else { "training_data" };
    let Some(node) = root.at(&format!("{above}.{many}")) else { return Vec::new() };
    let texts = |items: &[Node]| items.iter().filter_map(Node::text).map(str::to_owned).collect::<Vec<_>>();
    if let Some(items) = node.list() {
        return texts(items);
    }
    if let Some(items) = ["list", many].iter().find_map(|key| node.get(key)?.list()) {
        return texts(items);
    }
    node.get(one).and_then(Node::text).map(|text| vec![text.to_owned()]).unwrap_or_default()
}
