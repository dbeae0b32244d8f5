//! The demo's receiver: a small HTTP server on a port of its own, as somebody who takes webhooks would write
//! it. It answers 200 to a hook that verifies, and 401 to any other.

use std::collections::HashSet;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use waxseal_adapters::clock::SystemClock;
use waxseal_adapters::entropy::entropy;
use waxseal_domain::secret::random_bytes;
use waxseal_flows::ports::Clock as _;
use waxseal_verify::{Key, Profile, Window};

/// Bytes of a hook: an event has fewer.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A receiver that runs; it ends with the process.
pub(super) struct Receiver {
    address: SocketAddr,
    profile: Arc<Profile>,
    state: watch::Sender<State>,
}

struct State {
    key: Key,
    /// Ids of the hooks that verified.
    verified: HashSet<String>,
    refused: usize,
}

impl Receiver {
    /// Starts on a free port of this machine. Until it is told the right secret it has a wrong one, as a
    /// receiver has that missed a rotation.
    pub(super) async fn start() -> Result<Self, String> {
        let profile = Profile::find_builtin("standard").ok_or("there is no standard profile")?;
        let key = make_key(&profile)?;
        let (state, _) = watch::channel(State { key, verified: HashSet::new(), refused: 0 });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|error| format!("the demo's receiver cannot listen: {error}"))?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        tokio::spawn(accept(listener, Arc::clone(&profile), state.clone()));
        Ok(Self { address, profile, state })
    }

    /// Where hooks are sent to.
    pub(super) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Verifies by this secret from now on.
    pub(super) fn trust(&self, secret: &str) -> Result<(), String> {
        let key = self.profile.key(secret).map_err(|fault| fault.to_string())?;
        self.state.send_modify(|state| state.key = key);
        Ok(())
    }

    /// Whether a delivery came, and verified.
    pub(super) fn has_verified(&self, delivery: &str) -> bool {
        self.state.borrow().verified.contains(delivery)
    }

    /// Waits until so many hooks were refused; false where they were not in time.
    pub(super) async fn wait_for_refusals(&self, count: usize, within: Duration) -> bool {
        let mut watched = self.state.subscribe();
        let refused = watched.wait_for(|state| state.refused >= count);
        tokio::time::timeout(within, refused).await.is_ok()
    }
}

fn make_key(profile: &Profile) -> Result<Key, String> {
    profile
        .key(&profile.generate_secret(random_bytes([entropy(), entropy()])))
        .map_err(|fault| fault.to_string())
}

async fn accept(listener: TcpListener, profile: Arc<Profile>, state: watch::Sender<State>) {
    loop {
        // A connection that fails is the sender's to make again.
        let Ok((stream, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(stream, Arc::clone(&profile), state.clone()));
    }
}

async fn serve(stream: TcpStream, profile: Arc<Profile>, state: watch::Sender<State>) {
    let answer = service_fn(|request| async {
        let mut response = Response::new(Empty::<Bytes>::new());
        *response.status_mut() = receive(&profile, &state, request).await;
        Ok::<_, Infallible>(response)
    });
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}

/// Verifies a hook, and keeps its id.
async fn receive(
    profile: &Profile,
    state: &watch::Sender<State>,
    request: Request<Incoming>,
) -> StatusCode {
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        return StatusCode::BAD_REQUEST;
    };
    let key = state.borrow().key.clone();
    let window = Window::around(SystemClock.now().seconds());
    let verified = profile.verify(
        |name| head.headers.get(name).and_then(|value| value.to_str().ok()),
        &body.to_bytes(),
        &[key],
        window,
    );
    let Ok(hook) = verified else {
        state.send_modify(|state| state.refused += 1);
        return StatusCode::UNAUTHORIZED;
    };
    state.send_modify(|state| state.verified.extend(hook.id));
    StatusCode::OK
}
