//! What a project is at present, as the oracle reads it: asked of the simulator without any code of the operator's.

use serde_json::{Value, json};

use crate::world::Plain;

const SEVERITY: &str = "Microsoft.VSTS.Common.Severity";

/// Fields that the mapping may look at.
const FIELDS: [&str; 12] = [
    "System.WorkItemType",
    "System.State",
    "System.IterationId",
    "System.IterationPath",
    "System.Parent",
    "Microsoft.VSTS.Common.Priority",
    SEVERITY,
    "Microsoft.VSTS.Common.ResolvedDate",
    "Microsoft.VSTS.Common.ClosedDate",
    "Microsoft.VSTS.Scheduling.TargetDate",
    "Microsoft.VSTS.Scheduling.StartDate",
    "Custom.GoLive",
];

/// Most items of one batch read (`ado-api.md` §5).
const BATCH: usize = 200;

/// A project that is looked at.
pub struct Live<'a> {
    pub plain: &'a Plain,
    pub project: &'a str,
}

impl Live<'_> {
    /// The project as a spec is held against it, seen with the eyes of that team.
    pub async fn world(&self, team: Option<&str>) -> Value {
        let types = self.types().await;
        json!({
            "categories": self.categories().await,
            "backlogs": self.backlogs(team).await,
            "fields": self.fields().await,
            "severities": self.severities(&types).await,
            "tree": node(&self.tree().await),
            "team": match team {
                Some(team) => self.team(team).await,
                None => Value::Null,
            },
            "types": types,
        })
    }

    async fn list(&self, path: &[&str], query: &[(&str, &str)]) -> Vec<Value> {
        let answer = self.plain.get(&[&[self.project], path].concat(), query).await;
        answer["value"].as_array().unwrap().clone()
    }

    /// Disabled types count as absent.
    async fn types(&self) -> Vec<Value> {
        let all = self.list(&["_apis", "wit", "workitemtypes"], &[]).await;
        let offered = all.iter().filter(|one| one["isDisabled"] != true);
        let state = |one: &Value| json!({"name": one["name"], "category": one["category"]});
        let shown = offered.map(|one| {
            json!({
                "name": one["name"],
                "referenceName": one["referenceName"],
                "states": each(&one["states"], state),
                "fields": each(&one["fields"], |field| field["referenceName"].clone()),
            })
        });
        shown.collect()
    }

    async fn categories(&self) -> Vec<Value> {
        let all = self.list(&["_apis", "wit", "workitemtypecategories"], &[]).await;
        let shown = |one: &Value| json!({"referenceName": one["referenceName"], "workItemTypes": names(one)});
        all.iter().map(shown).collect()
    }

    async fn backlogs(&self, team: Option<&str>) -> Value {
        let path: Vec<&str> =
            [self.project].into_iter().chain(team).chain(["_apis", "work", "backlogconfiguration"]).collect();
        let answer = self.plain.get(&path, &[]).await;
        let level = |one: &Value| match one {
            Value::Null => Value::Null,
            one => json!({"id": one["id"], "rank": one["rank"], "workItemTypes": names(one)}),
        };
        json!({
            "portfolioBacklogs": each(&answer["portfolioBacklogs"], level),
            "requirementBacklog": level(&answer["requirementBacklog"]),
            "taskBacklog": level(&answer["taskBacklog"]),
            "bugsBehavior": answer["bugsBehavior"],
        })
    }

    async fn fields(&self) -> Vec<Value> {
        let answer = self.plain.get(&["_apis", "wit", "fields"], &[]).await;
        each(&answer["value"], |one| json!({"referenceName": one["referenceName"], "type": one["type"]}))
    }

    async fn severities(&self, types: &[Value]) -> Value {
        let mut offered = json!({});
        let has = |one: &&Value| one["fields"].as_array().unwrap().iter().any(|field| field == SEVERITY);
        for one in types.iter().filter(has) {
            let name = one["name"].as_str().unwrap();
            let path = [self.project, "_apis", "wit", "workitemtypes", name, "fields", SEVERITY];
            let field = self.plain.get(&path, &[("$expand", "allowedValues")]).await;
            offered[name] = field["allowedValues"].clone();
        }
        offered
    }

    /// The iteration tree as the service tells it.
    pub async fn tree(&self) -> Value {
        let path = [self.project, "_apis", "wit", "classificationnodes", "Iterations"];
        self.plain.get(&path, &[("$depth", "14")]).await
    }

    async fn team(&self, name: &str) -> Value {
        let team = self.plain.get(&["_apis", "projects", self.project, "teams", name], &[]).await;
        let nodes = self.list(&[name, "_apis", "work", "teamsettings", "iterations"], &[]).await;
        let nodes: Vec<&Value> = nodes.iter().map(|one| &one["id"]).collect();
        json!({"id": team["id"], "name": team["name"], "nodes": nodes})
    }

    /// Items that can be read, by rising id.
    pub async fn items(&self) -> Vec<Value> {
        let query = "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project ORDER BY [System.Id]";
        let found = self.plain.post(&[self.project, "_apis", "wit", "wiql"], &[], &json!({"query": query})).await;
        let ids = each(&found["workItems"], |one| one["id"].clone());
        let mut items = Vec::new();
        for ids in ids.chunks(BATCH) {
            let body = json!({"ids": ids, "fields": FIELDS, "errorPolicy": "Omit"});
            let batch = self.plain.post(&[self.project, "_apis", "wit", "workitemsbatch"], &[], &body).await;
            items.extend(each(&batch["value"], item));
        }
        items
    }
}

fn item(one: &Value) -> Value {
    let mut shown = json!({"id": one["id"], "fields": one["fields"]});
    if let Some(parent) = one["fields"]["System.Parent"].as_u64() {
        shown["parent"] = json!(parent);
    }
    shown
}

/// A node as the oracle reads it: dates are days.
fn node(one: &Value) -> Value {
    let mut shown = json!({"id": one["id"], "identifier": one["identifier"], "name": one["name"]});
    for name in ["startDate", "finishDate"] {
        if let Some(day) = one["attributes"][name].as_str().and_then(|date| date.get(..10)) {
            shown[name] = json!(day);
        }
    }
    shown["children"] = Value::Array(each(&one["children"], node));
    shown
}

fn names(one: &Value) -> Vec<Value> {
    each(&one["workItemTypes"], |name| name["name"].clone())
}

fn each(list: &Value, shown: impl Fn(&Value) -> Value) -> Vec<Value> {
    list.as_array().map(|all| all.iter().map(shown).collect()).unwrap_or_default()
}
