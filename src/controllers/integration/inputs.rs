//! What the spec of an integration names: Secret, CA and proxy, read by name each time.

use std::hash::BuildHasher as _;
use std::time::Duration;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::ResourceExt;

use crate::ado::{AdoClient, CaBundle as Authorities, Limits, OrganizationUrl, Pat};
use crate::api::{AdoIntegration, CaBundle, CredentialStatus, KeyReference, Reason};
use crate::controllers::causes::{Meaning, meaning, sentence};
use crate::controllers::context::Context;
use crate::controllers::deadline::within;
use crate::controllers::report::author;
use crate::domain::projects::repeated;
use crate::domain::references::is_object_name;
use crate::domain::verdict::Cause;

/// Key of the certificates where the spec names none.
const DEFAULT_CA_KEY: &str = "ca.crt";

/// A pause that Azure DevOps asks for is waited for within a look if it is no longer than this; for a longer one the
/// object is looked at again when it is over, so that others are looked at meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that a validation needs.
pub struct Inputs {
    /// A client that nothing was sent with yet.
    pub client: AdoClient,
    /// What the status tells about the credential.
    pub credential: CredentialStatus,
    /// Field manager that last wrote the credential's Secret.
    pub secret_author: String,
    /// Names credential, place and way by the versions of the objects that they came from: known after a restart too.
    pub credential_version: String,
    /// Changes whenever the credential, the place that it would be sent to or the way there changes, and not when somebody
    /// only touches the objects that they are kept in. Means nothing outside this process.
    pub credential_digest: String,
}

/// Why there is nothing to validate.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Something does not exist; it may be on its way.
    Absent(Cause),
    /// Something is wrong with what exists.
    Refused(Cause),
    /// What stands in the Secret cannot be a token.
    BadToken(Cause, CredentialStatus),
    /// It could not be told.
    NoVerdict(Cause),
}

/// Reads what the spec names.
pub async fn read(object: &AdoIntegration, ctx: &Context) -> kube::Result<Result<Inputs, Fault>> {
    let organization = match OrganizationUrl::parse(&object.spec.organization_url) {
        Ok(organization) => organization,
        Err(error) => return Ok(Err(refused(Reason::InvalidOrganizationURL, sentence(&error)))),
    };
    if let Some(twice) = repeated(object.spec.allowed_projects.as_deref().unwrap_or_default()) {
        let message = format!("spec.allowedProjects names {twice:?} twice; case does not matter there.");
        return Ok(Err(refused(Reason::InvalidSpec, message)));
    }
    let (token, ca) = futures::try_join!(read_token(object, ctx), read_ca(object, ctx))?;
    Ok(match (token, ca) {
        (Ok(token), Ok(ca)) => assemble(object, ctx, organization, token, ca.as_ref()),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    })
}

/// A token with the version of the Secret that it came from.
struct Token {
    pat: Pat,
    author: String,
    credential: CredentialStatus,
    version: String,
}

/// Certificates with the version of the object that they came from.
struct Ca {
    authorities: Authorities,
    digest: u64,
    version: String,
}

fn assemble(
    object: &AdoIntegration,
    ctx: &Context,
    organization: OrganizationUrl,
    token: Token,
    ca: Option<&Ca>,
) -> Result<Inputs, Fault> {
    let proxy = object.spec.proxy.as_deref();
    let credential_version = format!(
        "{}|{}|{}|{}",
        organization.key(),
        token.version,
        ca.map_or("", |ca| ca.version.as_str()),
        proxy.unwrap_or_default()
    );
    let digest = ctx.digests.hash_one((organization.key(), token.pat.fingerprint(), ca.map(|ca| ca.digest), proxy));
    let budget = ctx.budgets.of_credential(&organization, &token.pat.fingerprint());
    let limits = Limits { deadline: ctx.request_deadline, patience: PATIENCE, ..Limits::default() }
        .for_organization(&organization, &ctx.server_api_version);
    let client = ctx
        .transport
        .http(ca.map(|ca| &ca.authorities), proxy)
        .and_then(|http| AdoClient::new(http, organization, token.pat, budget, limits))
        .map_err(|error| match meaning(&error) {
            Meaning::Refused(cause) => Fault::Refused(cause),
            Meaning::NoVerdict(cause) | Meaning::Throttled(cause, _) => Fault::NoVerdict(cause),
        })?;
    let credential_digest = format!("{digest:016x}");
    Ok(Inputs {
        client,
        credential: token.credential,
        secret_author: token.author,
        credential_version,
        credential_digest,
    })
}

async fn read_token(object: &AdoIntegration, ctx: &Context) -> kube::Result<Result<Token, Fault>> {
    let Some(pat) = object.spec.pat() else {
        let message = "spec.auth names no way to authenticate that this version knows; use spec.auth.pat.";
        return Ok(Err(refused(Reason::InvalidToken, message)));
    };
    let reference = &pat.secret_ref;
    if !is_object_name(&reference.name) {
        return Ok(Err(invalid_name("spec.auth.pat.secretRef.name")));
    }
    let Some(secret) = within(ctx.api::<Secret>(&namespace(object)).get_opt(&reference.name)).await? else {
        let message = format!("Secret {} does not exist; create it with key {}.", reference.name, reference.key);
        return Ok(Err(absent(Reason::SecretNotFound, message)));
    };
    let Some(ByteString(value)) = secret.data.as_ref().and_then(|data| data.get(&reference.key)) else {
        let message = format!(
            "Secret {} has no key {}; add it, or correct spec.auth.pat.secretRef.",
            reference.name, reference.key
        );
        return Ok(Err(absent(Reason::SecretKeyNotFound, message)));
    };
    let resource_version = secret.resource_version().unwrap_or_default();
    let version = format!("{}/{}/{}", secret.uid().unwrap_or_default(), resource_version, reference.key);
    let credential = CredentialStatus { secret_name: reference.name.clone(), resource_version, expires_at: None };
    let pat = match Pat::from_bytes(value) {
        Ok(pat) => pat,
        Err(error) => {
            let message = format!("Secret {}, key {}: {}", reference.name, reference.key, sentence(&error));
            return Ok(Err(Fault::BadToken(Cause::new(Reason::InvalidToken, message), credential)));
        }
    };
    Ok(Ok(Token { pat, author: author(&secret), credential, version }))
}

async fn read_ca(object: &AdoIntegration, ctx: &Context) -> kube::Result<Result<Option<Ca>, Fault>> {
    let Some(CaBundle { config_map_ref, secret_ref }) = &object.spec.ca_bundle else { return Ok(Ok(None)) };
    let found = match (config_map_ref, secret_ref) {
        (Some(reference), _) => ca_of_config_map(object, reference, ctx).await?,
        (None, Some(reference)) => ca_of_secret(object, reference, ctx).await?,
        (None, None) => Err(refused(Reason::InvalidCABundle, "spec.caBundle names neither a ConfigMap nor a Secret.")),
    };
    Ok(found.and_then(|(pem, version)| match Authorities::parse(&pem) {
        Ok(authorities) => Ok(Some(Ca { authorities, digest: ctx.digests.hash_one(&pem), version })),
        Err(error) => Err(refused(Reason::InvalidCABundle, format!("spec.caBundle: {}", sentence(&error)))),
    }))
}

type Pem = Result<(Vec<u8>, String), Fault>;

async fn ca_of_config_map(object: &AdoIntegration, reference: &KeyReference, ctx: &Context) -> kube::Result<Pem> {
    let key = reference.key.as_deref().unwrap_or(DEFAULT_CA_KEY);
    if !is_object_name(&reference.name) {
        return Ok(Err(invalid_name("spec.caBundle.configMapRef.name")));
    }
    let found = within(ctx.api::<ConfigMap>(&namespace(object)).get_opt(&reference.name)).await?;
    let Some(config_map) = found else {
        return Ok(Err(absent(Reason::ConfigMapNotFound, missing_ca("ConfigMap", &reference.name, key))));
    };
    let version = format!("{}/{key}", config_map.resource_version().unwrap_or_default());
    let text = config_map.data.and_then(|mut data| data.remove(key)).map(String::into_bytes);
    let bytes = || config_map.binary_data.and_then(|mut data| data.remove(key)).map(|ByteString(bytes)| bytes);
    let pem = text.or_else(bytes).map(|pem| (pem, version));
    Ok(pem.ok_or_else(|| absent(Reason::ConfigMapNotFound, missing_ca("ConfigMap", &reference.name, key))))
}

async fn ca_of_secret(object: &AdoIntegration, reference: &KeyReference, ctx: &Context) -> kube::Result<Pem> {
    let key = reference.key.as_deref().unwrap_or(DEFAULT_CA_KEY);
    if !is_object_name(&reference.name) {
        return Ok(Err(invalid_name("spec.caBundle.secretRef.name")));
    }
    let Some(secret) = within(ctx.api::<Secret>(&namespace(object)).get_opt(&reference.name)).await? else {
        return Ok(Err(absent(Reason::SecretNotFound, missing_ca("Secret", &reference.name, key))));
    };
    let version = format!("{}/{key}", secret.resource_version().unwrap_or_default());
    let pem = secret.data.and_then(|mut data| data.remove(key)).map(|ByteString(bytes)| (bytes, version));
    Ok(pem.ok_or_else(|| absent(Reason::SecretKeyNotFound, missing_ca("Secret", &reference.name, key))))
}

/// The schema refuses such names; an older one may not. The name is not repeated: people paste tokens.
fn invalid_name(field: &str) -> Fault {
    refused(Reason::InvalidReference, format!("{field} is no name that an object can have; correct it."))
}

fn missing_ca(kind: &str, name: &str, key: &str) -> String {
    format!("spec.caBundle: {kind} {name} with key {key} does not exist; create it, or correct the reference.")
}

fn namespace(object: &AdoIntegration) -> String {
    object.namespace().unwrap_or_default()
}

fn absent(reason: Reason, message: impl Into<String>) -> Fault {
    Fault::Absent(Cause::new(reason, message))
}

fn refused(reason: Reason, message: impl Into<String>) -> Fault {
    Fault::Refused(Cause::new(reason, message))
}
