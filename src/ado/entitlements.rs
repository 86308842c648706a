//! Access levels (scope `vso.memberentitlementmanagement`, which tokens seldom have; Azure DevOps Server has no such
//! service).

use super::client::AdoClient;
use super::error::AdoError;
use super::model::{Entitlement, IdentityId};
use super::route::{Call, Route};
use super::service::Service;

pub(super) static ENTITLEMENT: Route = Route {
    service: Service::Entitlements,
    ..Route::get("member entitlements", "_apis/userentitlements/{user}").asked_once()
};

impl AdoClient {
    /// The access level of an identity.
    pub async fn entitlement(&self, user: &IdentityId) -> Result<Entitlement, AdoError> {
        self.send(Call::new(&ENTITLEMENT, &[&user.to_string()])).await
    }
}
