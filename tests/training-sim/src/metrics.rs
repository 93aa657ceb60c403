//! Invented learning: a loss that falls and an accuracy that rises, the same every time.

use serde_json::{Value, json};

use crate::course::{Course, Point};

/// After so many epochs, in parts.
fn loss(epochs: f64) -> f64 {
    0.05 + 1.05 / (1.0 + epochs)
}

fn accuracy(epochs: f64) -> f64 {
    0.35 + 0.6 * epochs / (1.0 + epochs)
}

fn after(course: &Course, epoch: u32, batch: u32) -> f64 {
    f64::from(epoch) + f64::from(batch) / f64::from(course.batches.max(1))
}

/// The arrays of a session's status: the whole history, a value per batch and per epoch.
pub(crate) fn arrays(course: &Course, at: &Point, nan: bool, device: &str) -> Value {
    let number = |value: f64| if nan { Value::Null } else { json!(value) };
    let (epochs, rest) = (at.epochs_done(), at.batches_of_epoch());
    let whole = (0..epochs).flat_map(|epoch| (1..=course.batches).map(move |batch| (epoch, batch)));
    let batches: Vec<f64> = whole
        .chain((1..=rest).map(|batch| (epochs, batch)))
        .map(|(epoch, batch)| after(course, epoch, batch))
        .collect();
    if batches.is_empty() {
        return json!({});
    }
    let devices = vec![device; batches.len() + usize::try_from(epochs).unwrap_or(0)];
    let mut arrays = json!({
        "loss": batches.iter().map(|done| number(loss(*done))).collect::<Vec<_>>(),
        "accuracy": batches.iter().map(|done| accuracy(*done)).collect::<Vec<_>>(),
        "device": devices,
    });
    if epochs > 0 {
        let ends: Vec<f64> = (1..=epochs).map(f64::from).collect();
        arrays["epoch_loss"] = ends.iter().map(|done| number(loss(*done))).collect();
        arrays["epoch_accuracy"] = ends.iter().map(|done| json!(accuracy(*done))).collect();
        arrays["total_batches"] = json!(vec![course.batches; ends.len()]);
    }
    arrays
}

/// The epochs of an operation that is running: null before the first one is over.
pub(crate) fn epochs(course: &Course, at: &Point, epoch_seconds: f64, stamp: &str, nan: bool) -> Value {
    if at.epochs_done() <= course.first {
        return Value::Null;
    }
    let number = |value: f64| if nan { Value::Null } else { json!(value) };
    let rows = (course.first..at.epochs_done()).map(|epoch| {
        let done = f64::from(epoch + 1);
        json!({
            "epoch": epoch, "train_loss": number(loss(done)), "train_accuracy": accuracy(done),
            "val_loss": number(loss(done) * 1.02), "val_accuracy": accuracy(done) * 0.98,
            "learning_rate": 0.002, "duration": epoch_seconds, "timestamp": stamp,
        })
    });
    json!({ "epochs": rows.collect::<Vec<_>>() })
}

/// The figures of a finished training.
pub(crate) fn test_metrics(epochs: u32) -> Value {
    let reached = accuracy(f64::from(epochs));
    json!({
        "test_accuracy": reached * 0.97, "test_loss": loss(f64::from(epochs)) * 1.05,
        "precision": reached * 0.98, "recall": reached * 0.97, "f1_score": reached * 0.975,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::arrays;
    use crate::course::Course;
    use crate::pace::EPOCH;

    const COURSE: Course = Course { epochs: 2, batches: 4, first: 0, pipeline: false, failing: None };

    #[test]
    fn a_value_a_batch_and_a_value_an_epoch() {
        let early = arrays(&COURSE, &COURSE.at(EPOCH / 2), false, "cpu");
        assert_eq!(early["loss"].as_array().unwrap().len(), 3);
        assert!(early.get("epoch_loss").is_none());
        let final_ones = arrays(&COURSE, &COURSE.at(2 * EPOCH), false, "cpu");
        let losses: Vec<f64> =
            final_ones["loss"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect();
        assert_eq!(losses.len(), 8);
        assert!(losses.is_sorted_by(|earlier, later| earlier > later), "{losses:?}");
        assert_eq!(final_ones["device"].as_array().unwrap().len(), 10);
        assert_eq!(final_ones["total_batches"], json!([4, 4]));
    }

    #[test]
    fn not_a_number_is_null_and_nothing_trained_is_nothing_told() {
        assert!(arrays(&COURSE, &COURSE.at(0), true, "cpu")["loss"][0].is_null());
        assert_eq!(arrays(&Course { epochs: 0, ..COURSE }, &COURSE.at(0), false, "cpu")["device"], json!(["cpu"]));
    }
}
