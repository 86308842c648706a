//! The Analytics `OData` service (scope `vso.analytics`); no published description.

use super::client::AdoClient;
use super::error::AdoError;
use super::model::ProjectId;
use super::route::{Call, Route, Version};
use super::service::Service;

pub(super) static WORK_ITEMS: Route = Route {
    service: Service::Analytics,
    version: Version::InPath,
    ..Route::get("Analytics", "{project}/_odata/v4.0-preview/WorkItems").asked_once()
};

impl AdoClient {
    /// Reads one id from Analytics.
    pub async fn analytics_probe(&self, project: &ProjectId) -> Result<(), AdoError> {
        self.probe(Call::new(&WORK_ITEMS, &[&project.to_string()]).query("$top", 1).query("$select", "WorkItemId"))
            .await
    }
}
