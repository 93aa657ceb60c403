//! What every command gets: the flags that all commands share, stdout, stderr, and the way to the daemon.

use std::path::Path;

use crate::{
    client::Client,
    failure::{Failure, Stop},
    flags::{Format, Globals},
    output::{Out, Talk},
    wire::Start,
};
use ktrdr_proto::reason;

/// Belongs to one run of one command.
pub(crate) struct Context {
    /// Data.
    pub(crate) out: Out,
    /// Everything else that is said.
    pub(crate) talk: Talk,
    globals: Globals,
    client: Option<Client>,
}

impl Context {
    pub(crate) fn new(globals: Globals) -> Self {
        Self {
            out: Out::new(globals.color),
            talk: Talk::new(globals.quiet, globals.verbose, globals.color),
            globals,
            client: None,
        }
    }

    /// The connection of this process; made once, opened by the first call. Clones share it.
    pub(crate) fn client(&mut self) -> Result<Client, Failure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let start = if self.globals.no_start { Start::Never } else { Start::WhenAbsent };
        self.connect(start)
    }

    /// The same for commands that never start a daemon.
    pub(crate) fn client_of_running(&mut self) -> Result<Client, Failure> {
        self.connect(Start::Never)
    }

    fn connect(&mut self, start: Start) -> Result<Client, Failure> {
        let client = Client::new(self.globals.socket.as_deref(), self.globals.timeout, start)?;
        Ok(self.client.insert(client).clone())
    }

    /// `--socket`, when it was given.
    pub(crate) fn socket_flag(&self) -> Option<&Path> {
        self.globals.socket.as_deref()
    }

    /// Whether errors are documents too.
    pub(crate) fn wants_json(&self) -> bool {
        self.globals.format == Some(Format::Json)
    }

    /// The format asked for.
    pub(crate) fn format(&self) -> Option<Format> {
        self.globals.format
    }

    /// The format asked for, or `default`.
    pub(crate) fn format_or(&self, default: Format) -> Format {
        self.globals.format.unwrap_or(default)
    }

    /// For the many commands that print a table or a document: whether it is the document.
    pub(crate) fn json(&self) -> Result<bool, Stop> {
        match self.globals.format {
            None | Some(Format::Table) => Ok(false),
            Some(Format::Json) => Ok(true),
            Some(other) => {
                let text = format!("this command prints table or json, not {}", other.name());
                Err(Failure::new(&reason::REQUEST_INVALID, text).into())
            }
        }
    }
}
