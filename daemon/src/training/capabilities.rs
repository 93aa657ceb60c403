//! What a training host can do (pure). The version that all of them tell is `1.0.0`, so its routes decide: one look at
//! `/` and one at `/openapi.json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use ktrdr_proto::text::one_line;

/// How a start is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartBody {
    /// Three free-form maps; the file itself does not travel.
    Maps,
    /// The text of the strategy file.
    Yaml,
}

/// Where states are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// `/training/sessions`: all at once, cheap.
    Sessions,
    /// `/api/v1/operations`: all at once.
    Operations,
}

/// How a running session ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopBy {
    /// `POST /training/stop` waits for the end.
    Post,
    /// The cancel route stops it.
    Cancel,
    /// The cancel route says so, and the training goes on to its end.
    Nothing,
}

/// What a host can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "routes that are there or not")]
pub struct Capabilities {
    /// `A` to `E` or `worker`, as `docs/TRAINING.md` lists them.
    pub generation: &'static str,
    /// How a start is written.
    pub start: StartBody,
    /// Where states are read.
    pub poll: Poll,
    /// `/training/status/{id}`: everything about one; expensive.
    pub status: bool,
    /// `/api/v1/operations/{id}`: everything about one; cheap.
    pub operations: bool,
    /// `/training/result/{id}`.
    pub result: bool,
    /// How a running session ends early.
    pub stop: StopBy,
    /// It trains what the file says, on the dates it is given, and keeps the model.
    pub real: bool,
    /// Ended sessions can be taken out.
    pub forget: bool,
}

/// `GET /`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Root {
    service: String,
    worker_id: Option<String>,
    gpu_available: Option<bool>,
    gpu_type: Option<String>,
    gpu_device_count: Option<u64>,
}

impl Root {
    /// Its GPU, or its name.
    pub(super) fn about(&self) -> String {
        let gpu = self.gpu_type.as_deref().filter(|kind| *kind != "None" && self.gpu_available == Some(true));
        match (gpu, &self.worker_id) {
            (Some(kind), _) => format!("{} × {}", self.gpu_device_count.unwrap_or(1), one_line(kind)),
            (None, Some(worker)) => format!("worker {}", one_line(worker)),
            (None, None) if self.gpu_available == Some(false) => "no GPU".into(),
            (None, None) => String::new(),
        }
    }
}

/// `GET /openapi.json`, of it the paths and what a start must have.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OpenApi {
    paths: BTreeMap<String, serde_json::Value>,
    components: Components,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Components {
    schemas: BTreeMap<String, Schema>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Schema {
    required: Vec<String>,
}

impl OpenApi {
    fn has(&self, path: &str) -> bool {
        // parameters have other names in other generations
        let plain = |path: &str| {
            path.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect::<Vec<_>>()
        };
        self.paths.keys().any(|own| plain(own) == plain(path))
    }

    fn start_requires(&self, field: &str) -> bool {
        self.components.schemas.values().any(|schema| schema.required.iter().any(|own| own == field))
    }
}

/// Tells the generations apart; what is none of them is said in the error.
pub(super) fn tell(root: &Root, openapi: &OpenApi) -> Result<Capabilities, String> {
    if !openapi.has("/training/start") {
        let name = if root.service.is_empty() { "it".to_owned() } else { one_line(&root.service) };
        return Err(format!("{name} has no route /training/start: it is no training service"));
    }
    let (maps, yaml) = (openapi.start_requires("model_configuration"), openapi.start_requires("strategy_yaml"));
    let (status, stop) = (openapi.has("/training/status/{id}"), openapi.has("/training/stop"));
    let (operations, result) = (openapi.has("/api/v1/operations/{id}"), openapi.has("/training/result/{id}"));
    let sessions = openapi.has("/training/sessions");
    let worker = root.worker_id.is_some();
    let common = Capabilities {
        generation: "A",
        start: StartBody::Yaml,
        poll: Poll::Sessions,
        status,
        operations,
        result,
        stop: if stop { StopBy::Post } else { StopBy::Nothing },
        real: true,
        forget: true,
    };
    match (maps, yaml) {
        (true, false) if sessions && status && stop => {
            Ok(Capabilities { start: StartBody::Maps, real: false, ..common })
        }
        (false, true) if openapi.has("/training/resume") && !sessions && operations => {
            let stop = StopBy::Cancel;
            Ok(Capabilities { generation: "worker", poll: Poll::Operations, stop, forget: false, ..common })
        }
        (false, true) if sessions && operations && worker => Ok(Capabilities { generation: "E", ..common }),
        (false, true) if sessions && operations && !status && !stop => Ok(Capabilities { generation: "D", ..common }),
        (false, true) if sessions && operations && status => Ok(Capabilities { generation: "C", ..common }),
        (false, true) if sessions && status && result => Ok(Capabilities { generation: "B", ..common }),
        _ => Err("its routes are those of no training service that we know".into()),
    }
}

impl Capabilities {
    /// A running session can be stopped.
    pub fn can_stop(&self) -> bool {
        self.stop != StopBy::Nothing
    }

    /// What a person should know before a start there.
    pub fn notes(&self) -> Vec<String> {
        let no_effect =
            "trains its own network on the last 365 days: dates, indicators and model of the file have no effect";
        let no_stop = "cannot stop a running session: it trains on to its end";
        let mut notes = Vec::new();
        notes.extend((!self.real).then(|| no_effect.to_owned()));
        notes.extend(self.keeps_no_model());
        notes.extend((!self.can_stop()).then(|| no_stop.to_owned()));
        notes
    }

    /// The same of the end.
    pub fn keeps_no_model(&self) -> Option<String> {
        (!self.real).then(|| "keeps no model: figures and curves only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn openapi(paths: &[&str], required: &str) -> OpenApi {
        let paths: serde_json::Map<_, _> = paths.iter().map(|path| ((*path).into(), serde_json::json!({}))).collect();
        let schemas = serde_json::json!({"TrainingStartRequest": {"required": [required]}, "Other": {}});
        serde_json::from_value(serde_json::json!({"paths": paths, "components": {"schemas": schemas}})).unwrap()
    }

    #[test]
    fn the_routes_tell_the_generation() {
        const START: &str = "/training/start";
        const SESSIONS: &str = "/training/sessions";
        const STATUS: &str = "/training/status/{session_id}";
        const STOP: &str = "/training/stop";
        const RESULT: &str = "/training/result/{session_id}";
        const ONE: &str = "/api/v1/operations/{operation_id}";
        let host = Root { service: "Training Host Service".into(), ..Root::default() };
        let worker = Root { service: "Training Worker Service".into(), worker_id: Some("w".into()), ..Root::default() };
        for (root, paths, required, generation, stop) in [
            (&host, &[START, SESSIONS, STATUS, STOP][..], "model_configuration", "A", StopBy::Post),
            (&host, &[START, SESSIONS, STATUS, STOP, RESULT], "strategy_yaml", "B", StopBy::Post),
            (&host, &[START, SESSIONS, STATUS, STOP, RESULT, ONE], "strategy_yaml", "C", StopBy::Post),
            (&host, &[START, SESSIONS, RESULT, ONE], "strategy_yaml", "D", StopBy::Nothing),
            (&worker, &[START, SESSIONS, RESULT, ONE], "strategy_yaml", "E", StopBy::Nothing),
            (&worker, &[START, "/training/resume", ONE], "strategy_yaml", "worker", StopBy::Cancel),
        ] {
            let told = tell(root, &openapi(paths, required)).unwrap();
            assert_eq!((told.generation, told.stop), (generation, stop));
        }
        assert!(tell(&host, &openapi(&["/data/historical"], "x")).unwrap_err().contains("no training service"));
        assert!(tell(&host, &openapi(&[START], "x")).is_err());
        assert!(tell(&Root::default(), &OpenApi::default()).is_err());
    }

    #[test]
    fn a_gpu_that_is_called_none_is_none() {
        let root = |kind: &str, there| Root {
            gpu_available: Some(there),
            gpu_type: Some(kind.into()),
            gpu_device_count: Some(2),
            ..Root::default()
        };
        assert_eq!(root("None", false).about(), "no GPU");
        assert_eq!(root("CUDA", true).about(), "2 × CUDA");
    }
}
