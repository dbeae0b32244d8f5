//! Requests: the key first, then the body, each bounded; then the function that answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::Method;
use http::request::Parts;
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout, timeout_at};
use waxseal_adapters::embedded::EmbeddedEngine;
use waxseal_adapters::http::{Request, Response, allow, caller, problem};
use waxseal_adapters::turns::Turns;
use waxseal_api::Need;
use waxseal_domain::api_key::{Caller, Principal, Right};
use waxseal_domain::limits::{EVENT_BYTES_MAX, REQUEST_BYTES_MAX, REQUEST_READ_S_MAX, STALL_S_MAX};
use waxseal_domain::problem::Problem;
use waxseal_domain::source::HookPath;
use waxseal_flows::authenticate::authenticate;
use waxseal_flows::ports::WorkOwner;

use crate::budget::{Budget, Charge, Share};
use crate::client::{ClientAddress, TrustedProxies};
use crate::connections::Connection;
use crate::door::Door;
use crate::places::Places;
use crate::refused::Refused;

/// Answers requests, within bounds that they share.
#[derive(Debug)]
pub(crate) struct Requests {
    engine: Arc<EmbeddedEngine>,
    proxies: TrustedProxies,
    /// Places for requests that come by a proxy and have no key: by the address that it names.
    proxied: Arc<Door>,
    budget: Arc<Budget>,
    /// Whose turn it is to have a long answer made: two at a time, and one of a tenant.
    reads: Turns,
    refused: Refused,
}

/// A request's function, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    /// `POST …/events` of this tenant.
    Ingest(&'a str),
    /// `POST /hooks/…` of a source.
    Hook(HookPath<'a>),
    /// `OPTIONS` of either.
    Allow,
    /// Everything else.
    Api,
}

impl<'a> Route<'a> {
    fn of(method: &Method, path: &'a str) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["v1", "tenants", tenant, "events"]) => Self::Ingest(tenant),
            ("OPTIONS", ["v1", "tenants", _, "events"] | ["hooks", _] | ["hooks", _, _]) => {
                Self::Allow
            }
            ("POST", ["hooks", ..]) => HookPath::parse(path).map_or(Self::Api, Self::Hook),
            _ => Self::Api,
        }
    }

    fn need(self, head: &Parts) -> Need {
        match self {
            Self::Ingest(_) => Need::Key,
            Self::Hook(_) => Need::NoKey,
            Self::Allow => Need::Nothing,
            Self::Api => waxseal_api::need::<EmbeddedEngine>(head.method.as_str(), head.uri.path()),
        }
    }

    /// What a body is called, and how many bytes it may have.
    fn bound(self) -> (&'static str, usize) {
        match self {
            Self::Hook(_) => ("a hook", EVENT_BYTES_MAX),
            Self::Ingest(_) | Self::Allow | Self::Api => ("a request", REQUEST_BYTES_MAX),
        }
    }
}

impl Requests {
    pub(crate) fn new(
        engine: Arc<EmbeddedEngine>,
        proxies: TrustedProxies,
        most_of_address: usize,
    ) -> Self {
        Self {
            engine,
            proxies,
            proxied: Door::new(Places::new(usize::MAX, most_of_address)),
            budget: Arc::default(),
            reads: Turns::default(),
            refused: Refused::default(),
        }
    }

    /// The address that a connection is counted for; none for a proxy's.
    pub(crate) fn address_of_peer(&self, peer: IpAddr) -> Option<ClientAddress> {
        (!self.proxies.contain(peer)).then(|| peer.into())
    }

    /// Answers a request. What is refused is answered before its body is read, wherever its head suffices.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        connection: &Connection,
        request: hyper::Request<Incoming>,
    ) -> Response {
        connection.place.set_busy(true);
        let (head, body) = request.into_parts();
        let client = self.proxies.client_of(connection.peer, &head.headers);
        let is_safe = head.method == Method::GET;
        let answer = self.handle(connection, client, head, body).await;
        let answer = answer.unwrap_or_else(|refused| problem(&refused));
        if answer.status() == http::StatusCode::UNAUTHORIZED {
            let pause = self.refused.count(client);
            let _told = timeout(pause, connection.place.until_told()).await;
        }
        connection.progress.begin_answer();
        self.charge(answer, is_safe)
    }

    async fn handle(
        self: &Arc<Self>,
        connection: &Connection,
        client: ClientAddress,
        head: Parts,
        body: Incoming,
    ) -> Result<Response, Problem> {
        let path = head.uri.path().to_owned();
        let route = Route::of(&head.method, &path);
        let need = route.need(&head);
        let mut unread = Unread { connection, is_read: body.is_end_stream() };
        let mut request = Request::from_parts(head, Bytes::new());
        let mut charge = self.budget.begin(Share::Body);
        let (mut proxied, mut owner) = (None, WorkOwner::Anybody);
        match need {
            Need::Nothing => {}
            Need::Key => {
                let known = authenticate(self.engine.as_ref(), &caller(&request)).await;
                let principal = known.map_err(waxseal_flows::refusal::Refusal::into_problem)?;
                if !connection.place.set_known(&principal.actor) {
                    return Err(Problem::busy());
                }
                owner = owner_of(&principal);
                request.extensions_mut().insert(Caller::Known(principal));
            }
            Need::NoKey => {
                charge = self.budget.begin(Share::KeylessBody);
                if self.proxies.contain(connection.peer) {
                    proxied = Some(self.proxied.try_enter(client).ok_or_else(Problem::busy)?);
                }
            }
        }
        if need != Need::Nothing {
            connection.progress.set_reading(true);
            let read = read_body(body, route.bound(), &mut charge, connection).await;
            connection.progress.set_reading(false);
            *request.body_mut() = read?;
            unread.is_read = true;
        }
        let answer = if need == Need::Key && *request.method() == Method::GET {
            self.read(&owner, request).await?
        } else {
            self.call(route, &request).await
        };
        drop((charge, proxied));
        Ok(answer)
    }

    /// Answers a caller with a key who only reads: few at a time and one of a tenant, since an answer is counted once it
    /// is made, and on threads of their own, since making a long page takes a while in which no connection could be
    /// served.
    async fn read(
        self: &Arc<Self>,
        owner: &WorkOwner,
        request: Request,
    ) -> Result<Response, Problem> {
        let turn = self.reads.take(owner, 0).await?;
        let (requests, runtime) = (Arc::clone(self), Handle::current());
        let answer = tokio::task::spawn_blocking(move || {
            let route = Route::of(request.method(), request.uri().path());
            let answer = runtime.block_on(requests.call(route, &request));
            drop(turn);
            answer
        });
        answer.await.map_err(|panic| {
            tracing::error!(%panic, "a request failed");
            Problem::unavailable()
        })
    }

    async fn call(&self, route: Route<'_>, request: &Request) -> Response {
        let engine = self.engine.as_ref();
        match route {
            Route::Ingest(tenant) => waxseal_ingest::accept(engine, tenant, request).await,
            Route::Hook(path) => waxseal_receiver::receive(engine, path, request).await,
            Route::Allow => allow(request),
            Route::Api => waxseal_api::answer(engine, request).await,
        }
    }

    /// Counts an answer's bytes until the system has taken them. One that can be asked for again is refused where
    /// they do not fit; one that says what was done is not.
    fn charge(&self, answer: Response, is_safe: bool) -> Response {
        let mut charge = self.budget.begin(Share::Answer);
        let answer = if charge.grow(answer.body().len()) {
            answer
        } else {
            let given = if is_safe && answer.status().is_success() {
                problem(&Problem::busy())
            } else {
                answer
            };
            charge.grow_anyway(given.body().len());
            given
        };
        answer.map(|body| Bytes::from_owner(Counted { body, _charge: charge }))
    }
}

/// With whom a caller waits in line.
fn owner_of(principal: &Principal) -> WorkOwner {
    match &principal.right {
        Right::Operator => WorkOwner::Operator,
        Right::Tenant(tenant, _) => WorkOwner::Tenant(tenant.clone()),
    }
}

/// An answer's bytes, counted for as long as anybody has them.
struct Counted {
    body: Bytes,
    _charge: Charge,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

/// Says, once a request is answered, that its body was left unread.
struct Unread<'a> {
    connection: &'a Connection,
    is_read: bool,
}

impl Drop for Unread<'_> {
    fn drop(&mut self) {
        if !self.is_read {
            self.connection.progress.leave_unread();
        }
    }
}

/// Reads a body, bounded in size, in time, in its pauses, and by what others hold. It ends as well where the
/// connection is told to give way.
async fn read_body(
    mut body: Incoming,
    (what, bytes_max): (&str, usize),
    charge: &mut Charge,
    connection: &Connection,
) -> Result<Bytes, Problem> {
    let too_large = || Problem::too_large(what, bytes_max);
    if body.size_hint().lower() > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(too_large());
    }
    let until = Instant::now() + Duration::from_secs(REQUEST_READ_S_MAX);
    let mut read = BytesMut::new();
    loop {
        let stalled = Instant::now() + Duration::from_secs(STALL_S_MAX);
        let frame = tokio::select! {
            frame = timeout_at(stalled.min(until), body.frame()) => frame,
            () = connection.place.until_told() => return Err(Problem::busy()),
        };
        let frame = match frame {
            Ok(Some(Ok(frame))) => frame,
            Ok(None) => return Ok(read.freeze()),
            Ok(Some(Err(_))) => return Err(Problem::bad_request("the body did not come whole")),
            Err(_) => return Err(Problem::bad_request("the body did not come in time")),
        };
        let Ok(data) = frame.into_data() else { continue };
        if read.len() + data.len() > bytes_max {
            return Err(too_large());
        }
        if !charge.grow(data.len()) {
            return Err(Problem::busy());
        }
        read.extend_from_slice(&data);
    }
}
