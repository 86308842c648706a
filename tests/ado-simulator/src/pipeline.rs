//! The way of a request: organization, credential, strictness, scope, handler.

mod refusals;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::request::Parts;
use http::{Method, StatusCode};
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use uuid::Uuid;

use crate::api::{self, Call, Caller, Handler};
use crate::auth::{self, Credential, Scopes};
use crate::envelope::Refusal;
use crate::faults::{Effect, Faults, Struck};
use crate::journal::{Journal, RequestRecord, Violation, ViolationKind};
use crate::options::{Deployment, Options};
use crate::quirks::{MissingScopeStatus, ProbeOrder, Quirks};
use crate::rate_limit::RateLimits;
use crate::reply::{self, Origin, Reply};
use crate::state::{World, random};
use crate::strict::{self, Catalog, Matched, Search};
use crate::target::Target;
pub(crate) use refusals::throttled;

/// Everything that connections and the control API share.
pub(crate) struct Shared {
    pub options: Options,
    pub world: RwLock<World>,
    pub quirks: RwLock<Quirks>,
    pub faults: Mutex<Faults>,
    pub limits: Mutex<RateLimits>,
    pub journal: Mutex<Journal>,
    pub catalog: Arc<Catalog>,
    handlers: HashMap<(Method, String), Handler>,
    pub started: Instant,
    activity: AtomicU64,
    process: Uuid,
}

/// An answer, and what a fault makes of its delivery.
pub(crate) struct Outcome {
    pub reply: Reply,
    pub effect: Option<Effect>,
}

/// A request, read as far as it can be without the world.
struct Request<'a> {
    parts: &'a Parts,
    target: &'a Target,
    body: &'a [u8],
    search: Search<'a>,
}

/// Who sent a request.
#[derive(Clone)]
struct Sender {
    identity: usize,
    id: Uuid,
    account: String,
    label: String,
    scopes: Scopes,
}

impl Shared {
    pub fn new(options: Options, catalog: Arc<Catalog>) -> Self {
        let seed = options.seed;
        Self {
            world: RwLock::new(World::generate(seed, options.items, options.items_in.as_deref())),
            quirks: RwLock::new(options.quirks.clone()),
            faults: Mutex::new(Faults::new(seed)),
            limits: Mutex::default(),
            journal: Mutex::new(Journal::new(options.journal_limit)),
            catalog,
            handlers: api::handlers(),
            started: Instant::now(),
            activity: AtomicU64::new(0),
            process: random::guid(seed, "process", 0),
            options,
        }
    }

    /// Answers a request of the API; never fails, whatever was sent.
    pub fn answer(&self, parts: &Parts, body: &[u8], host: &str) -> Outcome {
        let target = Target::read(&parts.uri, host, self.options.deployment.virtual_directory());
        let search = match strict::search(&self.catalog, &parts.method, &target) {
            Ok(search) => search,
            Err(error) => {
                let refusal = Refusal::service(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
                return Outcome { reply: refusal.into(), effect: None };
            }
        };
        let request = Request { parts, target: &target, body, search };
        let sender = self.sender(&request);
        let route = match &request.search {
            Search::Found(matched) => matched.operation.template.clone(),
            _ => String::new(),
        };
        let struck = Struck {
            method: parts.method.as_str(),
            path: &target.raw_path,
            route: &route,
            identity: sender.as_ref().ok().map(|sender| sender.id),
            body,
        };
        let effect = self.faults.lock().strike(&struck);
        let mut version = String::new();
        let mut reply = match effect.as_ref().and_then(|effect| refusals::replaced(effect, &target)) {
            Some(reply) => reply,
            None if effect == Some(Effect::Reset) => Reply::empty(StatusCode::OK),
            None => self.decide(&request, sender.as_ref(), &mut version),
        };
        if let Some(Effect::Rewrite { texts }) = &effect {
            refusals::rewrite(&mut reply, texts);
        }
        let lost = matches!(effect, Some(Effect::Reset | Effect::LoseReply));
        let status = if lost { 0 } else { reply.status.as_u16() };
        if effect != Some(Effect::ForeignPage) {
            self.finish(&mut reply, &request, sender.as_ref().ok(), &version);
        }
        self.record(&request, sender.ok(), route, status);
        Outcome { reply, effect }
    }

    fn record(&self, request: &Request<'_>, sender: Option<Sender>, route: String, status: u16) {
        let agent = request.parts.headers.get(http::header::USER_AGENT).and_then(|value| value.to_str().ok());
        self.journal.lock().record(RequestRecord {
            sequence: 0,
            at_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            method: request.parts.method.to_string(),
            target: request.parts.uri.to_string(),
            route,
            status,
            identity: sender.as_ref().map(|sender| sender.id),
            pat: sender.map(|sender| sender.label),
            user_agent: agent.map(str::to_owned),
        });
    }

    fn violate(&self, request: &Request<'_>, kind: ViolationKind, detail: String) {
        self.journal.lock().violate(Violation {
            kind,
            method: request.parts.method.to_string(),
            target: request.parts.uri.to_string(),
            detail,
        });
    }

    /// Whose token it is; the error says whether a credential was given at all.
    fn sender(&self, request: &Request<'_>) -> Result<Sender, Credential> {
        let credential = auth::credential(&request.parts.headers);
        let Credential::Token(token) = &credential else { return Err(credential) };
        let world = self.world.read();
        let organization = world.organization_index(request.target.organization());
        let found =
            world.pats.by_token(token).filter(|pat| pat.valid(world.now()) && Some(pat.organization) == organization);
        let Some(pat) = found else { return Err(credential) };
        let identity = &world.organizations[pat.organization].identities[pat.identity];
        Ok(Sender {
            identity: pat.identity,
            id: identity.id,
            account: identity.account.clone(),
            label: pat.label.clone(),
            scopes: pat.scopes.clone(),
        })
    }

    fn decide(&self, request: &Request<'_>, sender: Result<&Sender, &Credential>, version: &mut String) -> Reply {
        if request.target.organization().eq_ignore_ascii_case("_signin") {
            return Reply::sign_in_page().with_status(StatusCode::OK);
        }
        let quirks = self.quirks.read().clone();
        let Some(organization) = self.world.read().organization_index(request.target.organization()) else {
            return refusals::unknown_organization(&request.parts.headers, &request.target.base, &quirks);
        };
        if let Some(reply) = self.stopped(organization) {
            return reply;
        }
        if self.lacks_service(request) {
            return Reply::no_route(&request.target.segments[1..].join("/"));
        }
        let matched = self.check_route(request);
        let checked = matched.and_then(|matched| self.check_request(request, matched, version));
        let caller = match sender {
            Ok(sender) => Caller::Known(sender.identity),
            Err(_) if self.anonymous(request, organization, &quirks) => Caller::Anonymous,
            Err(credential) => {
                return refusals::refuse_credential(&request.parts.headers, &request.target.base, credential, &quirks);
            }
        };
        let (matched, body) = match checked {
            Ok(checked) => checked,
            Err(reply) => return *reply,
        };
        if let Some(reply) = self.over_limit(sender.ok()) {
            return reply;
        }
        let call = Call {
            seed: self.options.seed,
            organization,
            caller,
            target: request.target,
            parameters: &matched.parameters,
            body: &body,
            quirks: &quirks,
            deployment: &self.options.deployment,
            dry: false,
        };
        self.dispatch(request, matched, &call, sender.ok())
    }

    /// 503 TF24668 of a stopped organization: a byte order mark, and none of the service's own headers (recorded).
    fn stopped(&self, organization: usize) -> Option<Reply> {
        let world = self.world.read();
        let organization = world.organizations.get(organization).filter(|organization| organization.stopped)?;
        let message = format!(
            "TF24668: The following team project collection is stopped: {}. Start the collection and then try again.",
            organization.name
        );
        let refusal = Refusal::service(StatusCode::SERVICE_UNAVAILABLE, message.clone());
        let body = [b"\xEF\xBB\xBF".as_slice(), &refusal.json()].concat();
        let mut reply = Reply::text(StatusCode::SERVICE_UNAVAILABLE, "application/json", body);
        reply.service_error(&message);
        reply.front_door = true;
        Some(reply)
    }

    /// A server has no access levels (`ado-api.md` §1). A client that does not know which product it talks to may ask.
    fn lacks_service(&self, request: &Request<'_>) -> bool {
        let Search::Found(matched) = &request.search else { return false };
        let template = matched.operation.template.to_lowercase();
        self.options.deployment != Deployment::Hosted && template.contains("/_apis/userentitlements")
    }

    fn check_route<'r>(&self, request: &'r Request<'_>) -> Result<&'r Matched<'r>, Box<Reply>> {
        match &request.search {
            Search::Found(matched) => Ok(matched),
            Search::WrongMethod => {
                let method = &request.parts.method;
                let detail = format!("The requested resource does not support http method '{method}'.");
                self.violate(request, ViolationKind::UnknownMethod, detail.clone());
                let body = serde_json::json!({"count": 1, "value": {"Message": detail}});
                Err(Box::new(Reply::json(&body).with_status(StatusCode::METHOD_NOT_ALLOWED)))
            }
            Search::Nothing => {
                let path = request.target.raw_path.clone();
                self.violate(request, ViolationKind::UnknownPath, format!("no operation has the path {path}"));
                let below = path.get(1..).and_then(|rest| rest.find('/')).map_or("/", |place| &path[place + 1..]);
                Err(Box::new(Reply::no_route(below)))
            }
        }
    }

    /// Checks query, version and body; each violation is recorded, the first one answered.
    fn check_request<'r>(
        &self,
        request: &Request<'_>,
        matched: &'r Matched<'r>,
        version: &mut String,
    ) -> Result<(&'r Matched<'r>, Value), Box<Reply>> {
        let mut faults = strict::check_query(matched.operation, request.target);
        match strict::check_version(
            matched.operation,
            request.target,
            &request.parts.headers,
            &self.options.api_versions,
        ) {
            Ok(served) => *version = served,
            Err(fault) => faults.push(fault),
        }
        let body = match strict::check_body(matched, &request.parts.headers, request.body) {
            Ok(body) => body,
            Err(fault) => {
                faults.push(fault);
                Value::Null
            }
        };
        let mut first = None;
        for fault in faults {
            self.violate(request, fault.kind, fault.detail);
            first = first.or(Some(fault.refusal));
        }
        match first {
            None => Ok((matched, body)),
            Some(refusal) => Err(Box::new((*refusal).into())),
        }
    }

    /// Whether somebody without a good credential is let in as *Anonymous*.
    fn anonymous(&self, request: &Request<'_>, organization: usize, quirks: &Quirks) -> bool {
        let Search::Found(matched) = &request.search else { return false };
        let public = self.world.read().organizations[organization].public;
        public && quirks.connection_data_anonymous && matched.operation.template == api::CONNECTION_DATA
    }

    fn over_limit(&self, sender: Option<&Sender>) -> Option<Reply> {
        let is_hosted = self.options.deployment == Deployment::Hosted;
        (is_hosted && self.limits.lock().charge(sender?.id)).then(|| refusals::too_many_requests(None))
    }

    fn dispatch(
        &self,
        request: &Request<'_>,
        matched: &Matched<'_>,
        call: &Call<'_>,
        sender: Option<&Sender>,
    ) -> Reply {
        let operation = matched.operation;
        let key = (operation.method.clone(), operation.template.to_lowercase());
        let Some(handler) = self.handlers.get(&key) else {
            let what = format!("{} {}", operation.method, operation.template);
            self.violate(request, ViolationKind::NotImplemented, what.clone());
            return Refusal::not_implemented(&what).into();
        };
        let wanted = api::scopes_wanted(operation, call.quirks);
        let allowed = sender.is_none_or(|sender| sender.scopes.allow_any(&wanted));
        if !allowed {
            return self.missing_scope(request, handler, call);
        }
        match self.run(handler, call) {
            Ok(reply) => reply,
            Err(refusal) => {
                if refusal.status == StatusCode::NOT_IMPLEMENTED {
                    self.violate(request, ViolationKind::NotImplemented, refusal.message.clone());
                }
                refusal.into()
            }
        }
    }

    fn run(&self, handler: &Handler, call: &Call<'_>) -> api::Outcome {
        match handler {
            Handler::Read(read) => read(call, &self.world.read()),
            Handler::Write(write) => write(call, &mut self.world.write()),
        }
    }

    /// The refusal for a missing scope; a probe may be told about its body first (`ado-api.md` §14.2).
    fn missing_scope(&self, request: &Request<'_>, handler: &Handler, call: &Call<'_>) -> Reply {
        let body_first = call.quirks.probe_order == ProbeOrder::BodyFirst && api::is_probe(call);
        if body_first
            && let Err(refusal) = self.run(handler, &Call { dry: true, ..*call })
            && refusal.status == StatusCode::BAD_REQUEST
        {
            return refusal.into();
        }
        match call.quirks.missing_scope {
            MissingScopeStatus::Unauthorized => Reply::challenge(&request.target.base, ""),
            MissingScopeStatus::UnauthorizedList => {
                Reply::challenge(&request.target.base, "{\"count\":0,\"value\":[]}")
            }
            MissingScopeStatus::Forbidden => {
                Refusal::access_denied("The token", "a scope that this operation asks for").into()
            }
        }
    }

    /// Adds the headers of every answer, those of the rate limit among them.
    fn finish(&self, reply: &mut Reply, request: &Request<'_>, sender: Option<&Sender>, version: &str) {
        if let Some(sender) = sender.filter(|_| self.options.deployment == Deployment::Hosted) {
            let now = self.world.read().now().as_second();
            let peek = self.limits.lock().headers(sender.id, now);
            for (name, value) in peek.iter().flatten() {
                if !reply.headers.contains_key(name) {
                    reply.headers.insert(name.clone(), value.clone());
                }
            }
        }
        let activity = self.activity.fetch_add(1, Ordering::Relaxed);
        let origin = Origin {
            user: sender.map(|sender| (sender.id, sender.account.as_str())),
            version,
            session: request.parts.headers.get("x-tfs-session").cloned(),
            activity: random::guid(self.options.seed, "activity", activity),
            process: self.process,
        };
        reply::complete(reply, &origin);
    }
}
