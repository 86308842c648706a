//! The document that `init` prints.

use serde_yaml_ng::Value;

use super::proposal::{Proposal, default_types, propose};
use super::{Survey, notes};
use crate::ado::model::ProjectDetails;
use crate::api::{AdoProjectConfig, AdoProjectConfigSpec};
use crate::cli::problem::Problem;
use crate::cli::yaml;
use crate::domain::mapping::same;

/// Longest name of an object that is made of a project's name; labels have as much.
const MAX_NAME: usize = 63;

/// The config of a project: a proposal for everything that the named spec leaves open, with comments.
pub(super) fn written(
    mut named: AdoProjectConfigSpec,
    namespace: Option<String>,
    survey: &Survey,
) -> Result<String, Problem> {
    respell(&mut named.project, &survey.project.name);
    if let (Some(written), Some((found, _))) = (&mut named.team, &survey.metadata.team) {
        respell(written, &found.name);
    }
    let defaults = default_types(&named, &survey.metadata.process);
    let proposal = propose(named, &survey.metadata);
    let notes = notes::notes(survey, &proposal, &defaults);
    let Proposal { spec, .. } = proposal;
    let mut object = AdoProjectConfig::new(&object_name(&survey.project), spec);
    object.metadata.namespace = namespace;
    match serde_yaml_ng::to_value(object) {
        Ok(Value::Mapping(members)) => Ok(yaml::document(&members, &notes)),
        Ok(_) | Err(_) => Err(Problem::Unwritable),
    }
}

/// Takes the service's spelling of a name. An id stays what it is.
fn respell(written: &mut String, found: &str) {
    if same(written, found) {
        found.clone_into(written);
    }
}

/// A name that an object may have, made of a project's: its letters and digits of ASCII, or else its id.
fn object_name(project: &ProjectDetails) -> String {
    let name = project.name.to_lowercase();
    let words: Vec<&str> =
        name.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit()).filter(|word| !word.is_empty()).collect();
    let mut name = words.join("-");
    name.truncate(MAX_NAME);
    let name = name.trim_end_matches('-');
    if name.is_empty() { format!("project-{}", project.id) } else { name.to_owned() }
}
