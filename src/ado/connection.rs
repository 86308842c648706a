//! Who the credential belongs to, and which organization answers.

use super::client::AdoClient;
use super::error::{AdoError, SignIn};
use super::model::ConnectionData;
use super::route::{Call, Route, Version};

pub(super) static CONNECTION_DATA: Route =
    Route { version: Version::Preview, ..Route::get("connection data", "_apis/connectionData") };

impl AdoClient {
    /// Identity and organization behind the credential: the cheapest check of it. Joins the request budgets of the
    /// identity's credentials.
    ///
    /// Refusals are [`AdoError::CredentialRefused`] (after a second refusal; an anonymous answer too) and
    /// [`AdoError::OrganizationNotFound`].
    pub async fn connection_data(&self) -> Result<ConnectionData, AdoError> {
        let data: ConnectionData = self.send(Call::new(&CONNECTION_DATA, &[])).await.map_err(|error| match error {
            AdoError::Unauthorized { how, .. } => AdoError::CredentialRefused(how),
            AdoError::NotFound(_) => AdoError::OrganizationNotFound,
            other => other,
        })?;
        if data.identity.is_anonymous() {
            return Err(AdoError::CredentialRefused(SignIn::Anonymous));
        }
        self.budget().identify(&data.identity.id);
        Ok(data)
    }
}
