//! What kstatus and Argo CD make of an object, judged by their own code.

use std::io::{BufRead as _, BufReader, Error, Result, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::control_plane::ControlPlane;
use crate::root;

/// One judgement.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Judgement {
    /// `Current`, `InProgress`, `Failed`, `Terminating`, …
    pub kstatus: String,
    /// `Healthy`, `Progressing`, `Degraded`, …
    pub argocd: Option<String>,
}

/// The judge: one process for many objects.
pub struct Verdict(Mutex<(Child, ChildStdin, BufReader<ChildStdout>)>);

impl Verdict {
    /// Starts the judge with our health script for Argo CD.
    pub fn start(control_plane: &ControlPlane) -> Result<Self> {
        let script = root().join("charts/ado-operator/files/argocd-health.lua");
        let mut command = control_plane.command("verdict");
        command.arg("--health-script").arg(script);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().ok_or_else(|| Error::other("no standard input"))?;
        let stdout = child.stdout.take().ok_or_else(|| Error::other("no standard output"))?;
        Ok(Self(Mutex::new((child, stdin, BufReader::new(stdout)))))
    }

    /// Judges an object.
    pub fn judge(&self, object: &impl Serialize) -> Result<Judgement> {
        let mut judge = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, stdin, stdout) = &mut *judge;
        let mut line = serde_json::to_string(object)?;
        line.push('\n');
        stdin.write_all(line.as_bytes())?;
        stdin.flush()?;
        line.clear();
        stdout.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }
}
