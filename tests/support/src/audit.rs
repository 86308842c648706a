//! The apiserver's audit log: who wrote what.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Result, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::control_plane::RELEASE;

/// One request that the apiserver answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, …
    pub verb: String,
    /// Who asked.
    pub user: User,
    /// What was asked about.
    #[serde(default)]
    pub object_ref: ObjectRef,
    /// The client program.
    #[serde(default)]
    pub user_agent: String,
    /// What was answered.
    #[serde(default)]
    pub response_status: ResponseStatus,
}

/// What was answered.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct ResponseStatus {
    /// HTTP status.
    #[serde(default)]
    pub code: u16,
}

/// Who asked.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct User {
    /// Name of the user.
    #[serde(default)]
    pub username: String,
}

/// What was asked about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRef {
    /// API group of the kind; empty for the core's.
    #[serde(default)]
    pub api_group: String,
    /// Plural name of the kind.
    #[serde(default)]
    pub resource: String,
    /// Its namespace.
    #[serde(default)]
    pub namespace: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its subresource.
    #[serde(default)]
    pub subresource: String,
}

impl Entry {
    /// Whether the operator asked, with the account of the chart.
    pub fn is_operators(&self) -> bool {
        self.user.username == format!("system:serviceaccount:{RELEASE}:{RELEASE}")
    }

    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb.as_str(), "get" | "list" | "watch")
    }

    /// Whether the apiserver did what was asked. A write that it refused, for a conflict for instance, changed nothing.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.response_status.code)
    }
}

/// A place in the log.
pub struct Bookmark {
    file: PathBuf,
    offset: u64,
}

impl Bookmark {
    /// The end of the log as it is now.
    pub fn now(file: &Path) -> Result<Self> {
        Ok(Self { file: file.to_owned(), offset: file.metadata()?.len() })
    }

    /// What was logged since.
    pub fn since(&self) -> Result<Vec<Entry>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let lines = BufReader::new(file).lines();
        Ok(lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()).collect())
    }
}
