//! The listener: TLS, connections, and the delivery of answers (cut, slow or whole).

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::control::{self, Control};
use crate::envelope::Refusal;
use crate::faults::Effect;
use crate::options::{Options, SpecificationSource};
use crate::pipeline::{self, Outcome, Shared};
use crate::reply::Reply;
use crate::state::World;
use crate::strict::{Catalog, SpecificationError};
use crate::{api, tls};

/// The longest delay that a fault may ask for.
const LONGEST_DELAY: Duration = Duration::from_mins(2);

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The control API has no password, so only loopback addresses may listen.
    #[error("{0} is not a loopback address: the simulator listens on loopback only")]
    NotLoopback(SocketAddr),
    /// More work items than are supported.
    #[error("{0} work items are more than the 1,000,000 that are supported")]
    TooManyItems(u32),
    /// The project that was to get all work items is not among those that are generated.
    #[error("there is no project '{0}' that could get all work items")]
    NoSuchProject(String),
    /// The address cannot be listened on.
    #[error("the address cannot be listened on: {0}")]
    Listen(#[from] std::io::Error),
    /// No certificate could be made.
    #[error(transparent)]
    Tls(#[from] tls::TlsError),
    /// The `OpenAPI` files cannot be used.
    #[error(transparent)]
    Specification(#[from] SpecificationError),
}

/// A running simulator; it stops when dropped. Steered through the methods of [`Control`].
pub struct Simulator {
    control: Control,
    address: SocketAddr,
    ca_pem: String,
    described: bool,
    _stop: DropGuard,
}

impl Deref for Simulator {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Simulator {
    /// Generates the world and begins to listen on the runtime that this is called on.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        if !options.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(options.listen));
        }
        if options.items > 1_000_000 {
            return Err(StartError::TooManyItems(options.items));
        }
        if let Some(name) = options.items_in.as_ref().filter(|name| !World::generates(name)) {
            return Err(StartError::NoSuchProject(name.clone()));
        }
        let catalog = match options.specifications.folder() {
            Some(folder) => Catalog::of_folder(&folder, api::undescribed_operations)?,
            None => Catalog::of_table(api::own_operations()),
        };
        let described = catalog.described();
        if !described && options.specifications == SpecificationSource::Discover {
            eprintln!("ado-simulator: no OpenAPI files found (ADO_SPECS_DIR); the simulator's own route table rules");
        }
        let identity = tls::identity(&options.host_names)?;
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::new(options, catalog));
        let stop = CancellationToken::new();
        let acceptor = TlsAcceptor::from(identity.server);
        tokio::spawn(accept(listener, acceptor, Arc::clone(&shared), stop.clone()));
        let control = Control::new(shared, address);
        Ok(Self { control, address, ca_pem: identity.ca_pem, described, _stop: stop.drop_guard() })
    }

    /// The address listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority to trust, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Whether the `OpenAPI` files are in use; else only the simulator's own route table is.
    pub fn described(&self) -> bool {
        self.described
    }

    /// A handle that outlives nothing: once the simulator is dropped it changes a world that nobody serves.
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

async fn accept(listener: TcpListener, acceptor: TlsAcceptor, shared: Arc<Shared>, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        // A failed accept (no file handles left) passes; waiting a moment keeps it from spinning.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (acceptor, shared, stop) = (acceptor.clone(), Arc::clone(&shared), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = serve(stream, acceptor, shared) => {}
            }
        });
    }
}

/// Serves one connection to its end; errors of a client are its own affair.
async fn serve(stream: TcpStream, acceptor: TlsAcceptor, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| handle(request, Arc::clone(&shared)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_mins(1))
        .serve_connection(TokioIo::new(stream), service);
    let _ = connection.await;
}

type Body = UnsyncBoxBody<Bytes, Broken>;

/// Makes hyper drop the connection.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken on purpose")]
struct Broken;

async fn handle(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Body>, Broken> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, shared.options.body_limit).collect().await else {
        let refusal = Refusal::service(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large.");
        return Ok(whole(refusal.into()));
    };
    let body = body.to_bytes();
    if parts.uri.path().starts_with(control::PREFIX) {
        return Ok(whole(control::http::answer(&shared, &parts, &body)));
    }
    let host = parts.headers.get(http::header::HOST).and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let outcome = shared.answer(&parts, &body, host);
    deliver(outcome).await
}

/// Sends an answer as its fault demands.
async fn deliver(outcome: Outcome) -> Result<Response<Body>, Broken> {
    let Outcome { mut reply, effect } = outcome;
    match effect {
        Some(Effect::Reset | Effect::LoseReply) => Err(Broken),
        Some(Effect::Delay { milliseconds, retry_after }) => {
            let delay = Duration::from_millis(milliseconds).min(LONGEST_DELAY);
            tokio::time::sleep(delay).await;
            if let Some(seconds) = retry_after {
                pipeline::throttled(&mut reply, seconds);
                let text = format!("{:.3}", delay.as_secs_f64());
                reply.insert(http::HeaderName::from_static("x-ratelimit-delay"), &text);
            }
            Ok(whole(reply))
        }
        Some(Effect::CutBody { after_bytes }) => Ok(cut(reply, after_bytes)),
        Some(Effect::Oversized { bytes }) => Ok(oversized(reply, bytes)),
        Some(Effect::SlowBody { interval_milliseconds }) => Ok(slow(reply, interval_milliseconds)),
        _ => Ok(whole(reply)),
    }
}

fn respond(reply: Reply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

fn whole(reply: Reply) -> Response<Body> {
    let body = Full::new(reply.body.clone()).map_err(|never: Infallible| match never {}).boxed_unsync();
    respond(reply, body)
}

/// Announces the whole length, sends a part, and breaks the connection.
fn cut(mut reply: Reply, after: usize) -> Response<Body> {
    let body = reply.body.clone();
    reply.headers.insert(http::header::CONTENT_LENGTH, body.len().into());
    let part = body.slice(..after.min(body.len().saturating_sub(1)));
    // The pause lets the part leave before the connection breaks.
    let frames = stream::iter([Ok(Frame::data(part))]).chain(stream::once(async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Err(Broken)
    }));
    respond(reply, StreamBody::new(frames).boxed_unsync())
}

/// A JSON string of about `bytes` bytes, sent in pieces so that it costs no memory here.
fn oversized(reply: Reply, bytes: u64) -> Response<Body> {
    const PIECE: u64 = 16 * 1024;
    let piece = Bytes::from_static(&[b'x'; 16 * 1024]);
    let head = stream::iter([Bytes::from_static(b"{\"count\":1,\"value\":[\"")]);
    let tail = stream::iter([Bytes::from_static(b"\"]}")]);
    let pieces = stream::iter((0..=bytes / PIECE).map(move |_| piece.clone()));
    let frames = head.chain(pieces).chain(tail).map(|piece| Ok(Frame::data(piece)));
    respond(reply, StreamBody::new(frames).boxed_unsync())
}

/// A body that drips spaces until the client gives up.
fn slow(reply: Reply, interval_milliseconds: u64) -> Response<Body> {
    let interval = Duration::from_millis(interval_milliseconds.max(1));
    let frames = stream::unfold((), move |()| async move {
        tokio::time::sleep(interval).await;
        Some((Ok(Frame::data(Bytes::from_static(b" "))), ()))
    });
    respond(reply, StreamBody::new(frames).boxed_unsync())
}
