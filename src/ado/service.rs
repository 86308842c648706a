//! The services of an organization and the hosts that they are reached at.

use url::{Host, Url};

use super::guard::AllowedHost;
use super::organization::OrganizationUrl;

/// The host of the cloud service's core areas.
pub(crate) const CLOUD_HOST: &str = "dev.azure.com";

/// A group of service areas that the cloud serves from a host of its own (`ado-api.md` §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Projects, work items, boards, tests, hooks, git, security, connection data.
    Core,
    /// The Analytics `OData` service.
    Analytics,
    /// User entitlements (access levels).
    Entitlements,
    /// Graph and identities.
    Graph,
}

impl Service {
    /// The name used in metrics and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Analytics => "analytics",
            Self::Entitlements => "entitlements",
            Self::Graph => "graph",
        }
    }

    fn cloud_host(self) -> &'static str {
        match self {
            Self::Core => CLOUD_HOST,
            Self::Analytics => "analytics.dev.azure.com",
            Self::Entitlements => "vsaex.dev.azure.com",
            Self::Graph => "vssps.dev.azure.com",
        }
    }
}

/// A host and port given in the configuration for one service of organizations outside the cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceHost {
    /// Host name or address.
    pub host: Host<String>,
    /// Port, 443 unless given.
    pub port: u16,
}

/// Why a text names no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be NAME or NAME:PORT, a host name or address without scheme, path or wildcard")]
pub struct InvalidHost;

impl ServiceHost {
    /// Reads `NAME[:PORT]`; an IPv6 address stands in brackets. Without a port it is 443.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if text.is_empty() || text.len() > 260 || !text.chars().all(plain) {
            return Err(InvalidHost);
        }
        let url = Url::parse(&format!("https://{text}/")).map_err(|_| InvalidHost)?;
        let host = url.host().map(|host| host.to_owned()).ok_or(InvalidHost)?;
        Ok(Self { host, port: url.port().unwrap_or(443) })
    }
}

/// Hosts of the services of organizations **outside** the cloud; left out, a service is at the organization's own host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceHosts {
    /// Host of [`Service::Analytics`].
    pub analytics: Option<ServiceHost>,
    /// Host of [`Service::Entitlements`].
    pub entitlements: Option<ServiceHost>,
    /// Host of [`Service::Graph`].
    pub graph: Option<ServiceHost>,
}

/// The host of one service, as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedServiceHost {
    service: Service,
    host: ServiceHost,
}

impl NamedServiceHost {
    /// Reads `SERVICE=NAME[:PORT]`.
    pub fn parse(text: &str) -> Result<Self, InvalidServiceHost> {
        let (name, host) = text.split_once('=').ok_or(InvalidServiceHost)?;
        let service = [Service::Analytics, Service::Entitlements, Service::Graph]
            .into_iter()
            .find(|service| service.as_str() == name)
            .ok_or(InvalidServiceHost)?;
        let host = ServiceHost::parse(host).map_err(|_| InvalidServiceHost)?;
        Ok(Self { service, host })
    }

    /// The host as one that requests may go to.
    #[must_use]
    pub fn permitted(&self) -> AllowedHost {
        AllowedHost::from(self.host.clone())
    }
}

impl FromIterator<NamedServiceHost> for ServiceHosts {
    fn from_iter<I: IntoIterator<Item = NamedServiceHost>>(given: I) -> Self {
        let mut hosts = Self::default();
        for NamedServiceHost { service, host } in given {
            match service {
                // Not to be had from `parse`: the organization URL names it.
                Service::Core => {}
                Service::Analytics => hosts.analytics = Some(host),
                Service::Entitlements => hosts.entitlements = Some(host),
                Service::Graph => hosts.graph = Some(host),
            }
        }
        hosts
    }
}

/// Why a text names no service and host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be SERVICE=NAME or SERVICE=NAME:PORT, with SERVICE analytics, entitlements or graph")]
pub struct InvalidServiceHost;

impl ServiceHosts {
    fn of(&self, service: Service) -> Option<&ServiceHost> {
        match service {
            Service::Core => None,
            Service::Analytics => self.analytics.as_ref(),
            Service::Entitlements => self.entitlements.as_ref(),
            Service::Graph => self.graph.as_ref(),
        }
    }

    /// Where `service` of `organization` is reached.
    pub(crate) fn locate(&self, organization: &OrganizationUrl, service: Service) -> ServiceBase {
        let segments = organization.path_segments(service).into_iter().map(str::to_owned).collect();
        let (host, port) = if organization.is_cloud() {
            match service {
                Service::Core => (organization.host().clone(), organization.port()),
                other => (Host::Domain(other.cloud_host().to_owned()), organization.port()),
            }
        } else {
            match self.of(service) {
                Some(given) => (given.host.clone(), given.port),
                None => (organization.host().clone(), organization.port()),
            }
        };
        ServiceBase { host, port, segments }
    }
}

/// Host, port and leading path segments of one service of one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceBase {
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    pub(crate) segments: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cloud_forms_are_one_organization_and_reach_the_same_services() {
        let hosts = ServiceHosts::default();
        let new = OrganizationUrl::parse("https://dev.azure.com/Contoso").expect("valid");
        let old = OrganizationUrl::parse("https://contoso.visualstudio.com").expect("valid");
        assert_eq!(new.key(), old.key());
        assert_eq!((new.name(), old.name()), ("Contoso", "contoso"));
        for (service, host) in [
            (Service::Analytics, "analytics.dev.azure.com"),
            (Service::Entitlements, "vsaex.dev.azure.com"),
            (Service::Graph, "vssps.dev.azure.com"),
        ] {
            let base = hosts.locate(&old, service);
            assert_eq!((base.host.to_string().as_str(), base.segments), (host, vec!["contoso".to_owned()]));
            assert_eq!(hosts.locate(&new, service).host.to_string(), host);
        }
        assert_eq!(hosts.locate(&old, Service::Core).segments, Vec::<String>::new());
    }

    #[test]
    fn outside_the_cloud_services_share_the_host_unless_the_configuration_names_one() {
        let server = OrganizationUrl::parse("https://tfs.example.com/tfs/Main").expect("valid");
        let same = ServiceHosts::default().locate(&server, Service::Analytics);
        assert_eq!((same.host.to_string().as_str(), same.port, same.segments.len()), ("tfs.example.com", 443, 2));
        let analytics = ServiceHost::parse("analytics.example.com:8443").expect("valid");
        let hosts = ServiceHosts { analytics: Some(analytics), ..ServiceHosts::default() };
        let other = hosts.locate(&server, Service::Analytics);
        assert_eq!((other.host.to_string().as_str(), other.port), ("analytics.example.com", 8443));
        let given = ["analytics=a.example.com", "entitlements=b.example.com:8443", "graph=c.example.com"];
        let given = given.map(|text| NamedServiceHost::parse(text).expect("valid"));
        let hosts: ServiceHosts = given.into_iter().collect();
        assert_eq!(hosts.locate(&server, Service::Analytics).host.to_string(), "a.example.com");
        assert_eq!(hosts.locate(&server, Service::Entitlements).port, 8443);
        assert_eq!(hosts.locate(&server, Service::Core).host.to_string(), "tfs.example.com");
        for text in ["", "core=x", "x", "analytics=https://x", "Analytics=x"] {
            assert_eq!(NamedServiceHost::parse(text), Err(InvalidServiceHost), "{text}");
        }
        for text in ["", "https://x", "a/b", "*.x", "user@x", "x:99999", "x:0x"] {
            assert_eq!(ServiceHost::parse(text), Err(InvalidHost), "{text}");
        }
    }
}
