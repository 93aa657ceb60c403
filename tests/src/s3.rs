//! A real S3 server as a process.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::{gateway_sim::ready_line, home::Home, http, process::Process, wait};

/// Its one bucket.
pub const BUCKET: &str = "bars";

/// A server with one bucket, in memory.
#[derive(Debug)]
pub struct S3Server {
    process: Process,
    port: u16,
}

impl S3Server {
    /// On a port of one's own, or 0; `python` has the packages of the tests.
    pub fn start(python: &Path, port: u16) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/s3_server.py");
        let mut command = Command::new(python);
        // its own log is of no use to anybody
        command.arg("-B").arg(script).args([BUCKET, &port.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Process::start(command)?;
        let port = ready_line(&mut process).context("the S3 server did not come up")?;
        Ok(Self { process, port })
    }

    /// Where it listens, on loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Gone at once, with all that it held.
    pub fn kill(mut self) -> Result<()> {
        self.process.kill()
    }

    /// All objects: their names, and what the server calls the bytes of each.
    pub fn objects(&self) -> Result<BTreeMap<String, String>> {
        let listed = http::text(self.port, "GET", &format!("/{BUCKET}?list-type=2"), "")?;
        let within = |text: &str, tag: &str| {
            let (_, rest) = text.split_once(&format!("<{tag}>"))?;
            rest.split_once(&format!("</{tag}>")).map(|(value, _)| value.to_owned())
        };
        let objects = listed.split("<Contents>").skip(1);
        Ok(objects.filter_map(|object| within(object, "Key").zip(within(object, "ETag"))).collect())
    }

    /// Names of all objects.
    pub fn names(&self) -> Result<Vec<String>> {
        Ok(self.objects()?.into_keys().collect())
    }

    /// As anybody else with the right to it could.
    pub fn put(&self, name: &str, content: &str) -> Result<()> {
        http::text(self.port, "PUT", &format!("/{BUCKET}/{name}"), content).map(drop)
    }

    /// As anybody else could.
    pub fn delete(&mut self, name: &str) -> Result<()> {
        let stdin = self.process.child().stdin.as_mut().context("no stdin")?;
        writeln!(stdin, "{name}")?;
        wait::until_true("an object to be gone", wait::LIMIT, || Ok(!self.objects()?.contains_key(name)))
    }
}

/// Makes the bucket on that port the data root of a home; `data` in it becomes the working copy.
pub fn use_bucket(home: &mut Home, port: u16, root: &str) {
    for (name, value) in [
        ("KTRDR_DATA_DIR", root.to_owned()),
        ("KTRDR_DATA_LOCAL_DIR", home.data().display().to_string()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
        ("AWS_ALLOW_HTTP", "true".to_owned()),
        ("AWS_ACCESS_KEY_ID", "quant".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "quant-and-secret".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ] {
        home.set(name, value);
    }
}
