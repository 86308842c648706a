//! What a simulator is started with.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::quirks::Quirks;

/// Where the `OpenAPI` files are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpecificationSource {
    /// `ADO_SPECS_DIR`, else `../shared/ado-specs` beside the workspace; if that folder is absent, the own table.
    Discover,
    /// This folder, laid out as `<area>/7.1/<file>.json`.
    Folder(PathBuf),
    /// The simulator's own route table only.
    OwnTable,
}

impl SpecificationSource {
    /// The folder to read, if there is one.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Discover => {
                let named = std::env::var_os("ADO_SPECS_DIR").map(PathBuf::from);
                let folder = named.unwrap_or_else(|| workspace_root().join("../shared/ado-specs"));
                folder.is_dir().then_some(folder)
            }
            Self::Folder(folder) => Some(folder.clone()),
            Self::OwnTable => None,
        }
    }
}

/// The root of the workspace that this crate was built in.
pub(crate) fn workspace_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Which of the two products is simulated (`ado-api.md` §1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Deployment {
    /// Azure DevOps Services.
    #[default]
    Hosted,
    /// Azure DevOps Server: collections below a virtual directory, no access levels, no rate limit.
    OnPremises {
        /// The first segment of every path, such as `tfs`.
        virtual_directory: String,
    },
}

impl Deployment {
    /// The virtual directory, if there is one.
    pub(crate) fn virtual_directory(&self) -> Option<&str> {
        match self {
            Self::Hosted => None,
            Self::OnPremises { virtual_directory } => Some(virtual_directory),
        }
    }
}

/// How a simulator is set up. [`Default`] gives a small, strict one on a free loopback port.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; anything but a loopback address is refused, since the control API has no password.
    pub listen: SocketAddr,
    /// Everything generated follows from it.
    pub seed: u64,
    /// Work items of organization `contoso`, all projects together; 0 to 1,000,000 (`fabrikam` has at most 20).
    pub items: u32,
    /// The project of `contoso` that gets all of them; left out, they are spread over all.
    pub items_in: Option<String>,
    /// Further names that the certificate is valid for, such as `contoso.visualstudio.com`.
    pub host_names: Vec<String>,
    /// Where the `OpenAPI` files are found.
    pub specifications: SpecificationSource,
    /// Which product it is.
    pub deployment: Deployment,
    /// Released API versions that are served; the newest is the one that the `OpenAPI` files describe.
    pub api_versions: Vec<String>,
    /// How the unconfirmed points of the API are answered at first.
    pub quirks: Quirks,
    /// Requests kept in the journal; older ones are forgotten (counts are not).
    pub journal_limit: usize,
    /// The largest request body in bytes; a larger one is answered with 413.
    pub body_limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: 1,
            items: 100,
            items_in: None,
            host_names: Vec::new(),
            specifications: SpecificationSource::Discover,
            deployment: Deployment::default(),
            api_versions: vec!["7.1".to_owned()],
            quirks: Quirks::default(),
            journal_limit: 20_000,
            body_limit: 4 * 1024 * 1024,
        }
    }
}
