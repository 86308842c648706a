//! `kubectl ado init`: from an integration to the config of one of its projects.

mod config;
mod listing;
mod notes;
mod proposal;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;

use super::connection::{Connection, read_manifest};
use super::manifest::{Checked, Manifest};
use super::problem::Problem;
use super::report::Failure;
use super::{Exit, Streams};
use crate::ado::AdoClient;
use crate::ado::model::{ProjectDetails, Team};
use crate::api::{AdoProjectConfigSpec, IntegrationReference, Reason};
use crate::domain::mapping::pins::MappingPins;
use crate::domain::projects::ProjectFilter;
use crate::domain::references::{allows, is_object_name, labels_decide};
use crate::domain::verdict::Cause;
use crate::sync::SyncError;
use crate::sync::look::Look;
use crate::sync::metadata::{Metadata, offered_severities};
use crate::sync::resolve;

const EXAMPLES: &str = "\
Without --project it lists the projects that the integration permits, with their teams. With --project it prints one
AdoProjectConfig for that project, made of what its process has now: types, states, severities, date fields, iterations.
It can be applied as it is; the comments say what each part does and what else there is to choose.

Examples:
  # What is there?
  kubectl ado init --integration contoso -n team-a

  # Write the config of a project, look at it, apply it
  kubectl ado init --integration contoso -n team-a --project Payments > payments.yaml
  kubectl apply -f payments.yaml

  # With the team whose backlog and board count
  kubectl ado init --integration contoso -n team-a --project Payments --team 'Payments Team'

  # Without a cluster: the integration from a file, the token from a password manager
  pass show ado/pat | kubectl ado init -f integration.yaml --pat-file - --project Payments

Nothing is changed, neither in Azure DevOps nor in the cluster.

Exit codes:
  0  projects or a config were printed
  1  the command line, the integration or something that they name is wrong, such as a project that does not exist
  2  Azure DevOps refused the token
  4  no answer: Azure DevOps did not answer, or throttles";

/// Lists the projects of an integration, or prints the whole config of one of them, ready to apply.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Init {
    /// Integration to use, read from the cluster with your own rights, as its Secret is. With -f it is the name of one in
    /// the manifest, where that has several.
    #[arg(long, value_name = "[NAMESPACE/]NAME", required_unless_present = "filename")]
    integration: Option<String>,

    /// Manifest with the integration in place of the cluster, in YAML or JSON; `-` reads standard input. A Secret or
    /// ConfigMap in it is used where the integration refers to it.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    filename: Option<PathBuf>,

    /// Project to print the config of, by name or id.
    #[arg(long, value_name = "NAME")]
    project: Option<String>,

    /// Team of that project, by name or id.
    #[arg(long, value_name = "NAME", requires = "project")]
    team: Option<String>,

    /// Namespace of the config, and of the integration where that names none.
    #[arg(short, long)]
    namespace: Option<String>,

    #[command(flatten)]
    connection: Connection,
}

/// An integration that was found, and a client of its organization.
struct Reached {
    integration: Checked,
    client: AdoClient,
    filter: ProjectFilter,
    /// Where the integration is; unknown if neither the manifest nor the command line says it.
    home: Option<String>,
}

/// What a project has at present.
struct Survey {
    project: ProjectDetails,
    teams: Vec<Team>,
    metadata: Metadata,
    /// Whether labels decide if the integration allows the config's namespace.
    labels_decide: bool,
}

impl Init {
    /// Runs the command and prints its result.
    pub(super) async fn run(&self, streams: Streams<'_>) -> Exit {
        let (text, target, exit) = match Box::pin(self.text(streams.input)).await {
            Ok(text) => (text, streams.output, Exit::Success),
            Err(problem) => {
                let failure = Failure { reason: problem.reason(), message: problem.to_string() };
                (failure.text(), streams.errors, problem.exit())
            }
        };
        // A reader that went away needs no output.
        let _ = target.write_all(text.as_bytes()).and_then(|()| target.flush());
        exit
    }

    async fn text(&self, input: &mut (dyn Read + Send)) -> Result<String, Problem> {
        let reached = Box::pin(self.reach(input)).await?;
        match &self.project {
            None => self.list(&reached).await,
            Some(project) => Box::pin(self.config(&reached, project)).await,
        }
    }

    /// Finds the integration and signs in to its organization.
    async fn reach(&self, input: &mut (dyn Read + Send)) -> Result<Reached, Problem> {
        let (prefix, name) = self.named()?;
        let transport = self.connection.transport()?;
        let place = prefix.or(self.namespace.as_deref()).map(str::to_owned);
        let manifest = match &self.filename {
            Some(path) => {
                self.connection.check_streams(path)?;
                read_manifest(path, input)?
            }
            None => Manifest::default(),
        };
        let integration = match name {
            Some(name) if self.filename.is_none() => {
                let inputs = self.connection.inputs(&manifest, place.clone());
                Checked::new(Box::pin(inputs.integration(name)).await?)?
            }
            name => manifest.integration(name)?,
        };
        let home = integration.object.metadata.namespace.clone().or(place);
        let inputs = self.connection.inputs(&manifest, home.clone());
        let client = self.connection.client(&transport, &inputs, &integration, input).await?;
        client.connection_data().await?;
        let filter = ProjectFilter::new(integration.object.spec.allowed_projects.as_deref());
        Ok(Reached { integration, client, filter, home })
    }

    /// Namespace and name of `--integration`. Neither is repeated where it is none: people paste tokens.
    fn named(&self) -> Result<(Option<&str>, Option<&str>), Problem> {
        if !self.namespace.as_deref().is_none_or(is_object_name) {
            return Err(Problem::Usage("--namespace must be the name of a namespace"));
        }
        let Some(written) = self.integration.as_deref() else { return Ok((None, None)) };
        let (namespace, name) = written.split_once('/').map_or((None, written), |(space, name)| (Some(space), name));
        if !is_object_name(name) || !namespace.is_none_or(is_object_name) {
            return Err(Problem::Usage("--integration must be NAME or NAMESPACE/NAME"));
        }
        Ok((namespace, Some(name)))
    }

    async fn list(&self, reached: &Reached) -> Result<String, Problem> {
        let projects = listing::permitted(&reached.client, &reached.filter).await?;
        let Some(example) = projects.first() else { return Ok(listing::named(&projects) + "\n") };
        let table = listing::table(&reached.client, &projects).await?;
        let command = self.onward(&example.name);
        let (name, url) = (reached.integration.name(), &reached.integration.organization);
        Ok(format!(
            "Integration {name} permits these projects of {url}:\n\n{table}\nTo print the config of one, name it, and if you \
             like a --team:\n  {command}\n"
        ))
    }

    /// The command line that prints the config of a project.
    fn onward(&self, project: &str) -> String {
        let mut words: Vec<String> = ["kubectl", "ado", "init"].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        self.filename.iter().for_each(|path| option("-f", path.display().to_string()));
        self.integration.iter().for_each(|name| option("--integration", name.clone()));
        self.namespace.iter().for_each(|name| option("--namespace", name.clone()));
        words.extend(self.connection.repeated());
        // A value that begins with a hyphen would be taken for an option.
        words.push(format!("--project={project}"));
        words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
    }

    async fn config(&self, reached: &Reached, project: &str) -> Result<String, Problem> {
        let (namespace, labels_decide) = self.place(reached)?;
        let away = reached.home.clone().filter(|home| namespace.as_deref() != Some(home));
        let named = AdoProjectConfigSpec {
            integration_ref: IntegrationReference { name: reached.integration.name(), namespace: away },
            project: project.to_owned(),
            team: self.team.clone(),
            ..AdoProjectConfigSpec::default()
        };
        let survey = reached.survey(&named, labels_decide).await?;
        config::written(named, namespace, &survey)
    }

    /// The namespace of the config, and whether its labels decide if the integration allows it.
    fn place(&self, reached: &Reached) -> Result<(Option<String>, bool), Problem> {
        let namespace = self.namespace.clone().or_else(|| reached.home.clone());
        let (Some(own), Some(other)) = (&reached.home, &namespace) else { return Ok((namespace, false)) };
        let allowed = reached.integration.object.spec.allowed_namespaces.as_ref();
        if labels_decide(allowed, own, other) {
            return Ok((namespace, true));
        }
        if allows(allowed, own, other, &BTreeMap::new()) {
            return Ok((namespace, false));
        }
        let integration = format!("{own}/{}", reached.integration.name());
        Err(Problem::Namespace { integration, namespace: other.clone() })
    }
}

impl Reached {
    /// Reads the project, its teams and its process.
    async fn survey(&self, named: &AdoProjectConfigSpec, labels_decide: bool) -> Result<Survey, Problem> {
        let look = Look::once(self.client.clone());
        let project = self.project(&look, named).await?;
        let pins = MappingPins::default();
        let mut metadata = Metadata::read(&look, named, &project, &pins, false).await?;
        let bugs = proposal::default_types(named, &metadata.process).bug_types;
        metadata.severities = offered_severities(&look, &project, bugs).await?;
        let mut teams = self.client.teams(&project.id).await?;
        listing::sort(&mut teams);
        Ok(Survey { project, teams, metadata, labels_decide })
    }

    /// The project, or a refusal that says which there are.
    async fn project(&self, look: &Look, named: &AdoProjectConfigSpec) -> Result<ProjectDetails, Problem> {
        match resolve::project(look, named, None, &self.filter).await {
            Err(SyncError::Refused(Cause {
                reason: reason @ (Reason::ProjectNotFound | Reason::ProjectNotAllowed),
                message,
            })) => {
                let there = listing::named(&listing::permitted(&self.client, &self.filter).await?);
                Err(SyncError::Refused(Cause::new(reason, format!("{message} {there}"))).into())
            }
            found => Ok(found?),
        }
    }
}

/// A word as a POSIX shell reads it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}
