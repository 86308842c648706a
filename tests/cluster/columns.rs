//! What `kubectl get` shows, as the apiserver prints it.

use std::collections::BTreeMap;

use ado_operator::api::{AdoIntegration, AdoProjectConfig};
use http::header::ACCEPT;
use kube::Resource;
use serde_json::{Value, json};
use support::world::{World, message};

use crate::configs;
use crate::integrations;

/// The form in which kubectl asks for its columns.
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// One row of a table.
struct Printed {
    /// Names of the columns that stand there without `-o wide`.
    plain: Vec<String>,
    /// Names of the columns that come with it.
    wide: Vec<String>,
    /// What stands in each.
    cells: BTreeMap<String, Value>,
}

impl Printed {
    /// What the apiserver prints of one object.
    async fn get<K: Resource<DynamicType = ()>>(world: &World, name: &str) -> Self {
        let path = format!("{}/{name}", K::url_path(&(), Some(&world.namespace)));
        let request = http::Request::get(path).header(ACCEPT, TABLE).body(Vec::new()).unwrap();
        let table: Value = world.client.request(request).await.unwrap();
        let columns = table["columnDefinitions"].as_array().unwrap();
        let names = |wide: bool| {
            let of = columns.iter().filter(|column| (column["priority"] != 0) == wide);
            of.map(|column| column["name"].as_str().unwrap().to_owned()).collect()
        };
        let rows = table["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{table:#}");
        let cells = columns.iter().zip(rows[0]["cells"].as_array().unwrap());
        let cells = cells.map(|(column, cell)| (column["name"].as_str().unwrap().to_owned(), cell.clone())).collect();
        Self { plain: names(false), wide: names(true), cells }
    }

    /// Asserts that exactly this stands in the row; a time is asserted to be a short one.
    fn assert(&self, wanted: &Value) {
        let mut found = json!(self.cells);
        for (name, cell) in found.as_object_mut().unwrap() {
            let is_short = cell.as_str().is_some_and(|text| {
                let number = text.trim_end_matches('s');
                text.ends_with('s') && number.parse::<u32>().is_ok()
            });
            if is_short && matches!(name.as_str(), "Age" | "Last Change") {
                *cell = "some seconds".into();
            }
        }
        assert_eq!(&found, wanted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_integration_shows_state_readiness_organization_and_features() {
    let world = World::new().await;
    let found = integrations::connected(&world).await;
    let printed = Printed::get::<AdoIntegration>(&world, "contoso").await;
    assert_eq!(printed.plain, ["Name", "State", "Ready", "Organization", "Features", "Age"]);
    assert_eq!(printed.wide, ["Message"]);
    printed.assert(&json!({
        "Name": "contoso",
        "State": "Active",
        "Ready": "True",
        "Organization": "contoso",
        "Features": "2/2",
        "Age": "some seconds",
        "Message": message(&found),
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_shows_state_readiness_project_and_counts() {
    let world = configs::connected_small().await;
    configs::apply(&world, json!({"team": "Checkout"})).await;
    let found = configs::active(&world).await;
    let counts = configs::counts(&found);
    let printed = Printed::get::<AdoProjectConfig>(&world, "payments").await;
    let plain = ["Name", "State", "Ready", "Integration", "Project", "Requirements", "Bugs", "Last Change", "Age"];
    assert_eq!(printed.plain, plain);
    assert_eq!(printed.wide, ["Team", "Message"]);
    printed.assert(&json!({
        "Name": "payments",
        "State": "Active",
        "Ready": "True",
        "Integration": "contoso",
        "Project": "Payments",
        "Requirements": counts.requirements,
        "Bugs": counts.bugs,
        "Last Change": "some seconds",
        "Age": "some seconds",
        "Team": "Checkout",
        "Message": "Project Payments is in sync.",
    }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_in_error_shows_the_remedy_in_its_message() {
    let world = World::new().await;
    world.put_token(&world.pat("expired")).await;
    let found = integrations::refused(&world, json!({}), "CredentialRefused", &["put a valid token"]).await;
    let printed = Printed::get::<AdoIntegration>(&world, "contoso").await;
    assert_eq!(printed.cells["State"], "Error");
    assert_eq!(printed.cells["Ready"], "False");
    assert_eq!(printed.cells["Message"], message(&found));
}
