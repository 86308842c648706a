//! Probes of test management (scopes `vso.test`, `vso.test_write`). None leaves anything behind (`ado-api.md` §12).

use serde::Serialize;
use serde::de::IgnoredAny;

use super::client::AdoClient;
use super::error::AdoError;
use super::model::ProjectId;
use super::route::{Call, Route};

pub(super) static RUNS: Route = Route::get("test management", "{project}/_apis/test/runs");
pub(super) static POINTS: Route = Route::ask("test management", "{project}/_apis/test/points");
pub(super) static PLANS: Route = Route::get("test management", "{project}/_apis/testplan/plans").large();

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PointsQuery {
    points_filter: PointsFilter,
}

#[derive(Serialize)]
struct PointsFilter {
    // The service's own spelling.
    #[serde(rename = "testcaseIds")]
    test_case_ids: [u32; 1],
}

impl AdoClient {
    /// Reads one test run: needs `vso.test`.
    pub async fn test_runs_probe(&self, project: &ProjectId) -> Result<(), AdoError> {
        self.probe(Call::new(&RUNS, &[&project.to_string()]).query("$top", 1)).await
    }

    /// Asks for the test points of work item 1, whatever that is: a read that the description puts under
    /// `vso.test_write`; whether the service enforces that scope here is unconfirmed. [`AdoError::NotFound`] means that
    /// the scope sufficed too.
    pub async fn test_points_probe(&self, project: &ProjectId) -> Result<(), AdoError> {
        let body = PointsQuery { points_filter: PointsFilter { test_case_ids: [1] } };
        self.probe(Call::new(&POINTS, &[&project.to_string()]).query("$top", 1).json(&body)).await
    }

    /// Lists test plans: needs `vso.test` and a licence for test plans.
    pub async fn test_plans_probe(&self, project: &ProjectId) -> Result<(), AdoError> {
        self.probe(Call::new(&PLANS, &[&project.to_string()]).query("filterActivePlans", true)).await
    }

    /// Sends a call of which only success or failure counts.
    pub(super) async fn probe(&self, call: Call) -> Result<(), AdoError> {
        self.send::<IgnoredAny>(call).await.map(|_| ())
    }
}
