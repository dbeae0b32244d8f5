//! The server: HTTP in, the functions behind it, and a clean stop.

use std::convert::Infallible;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use waxseal_adapters::clock::MovableClock;
use waxseal_adapters::embedded::{EmbeddedEngine, Options};
use waxseal_adapters::http::{Request, Response, allow, problem};
use waxseal_adapters::stop::StopSignal;
use waxseal_adapters::tls::read_authorities;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::limits::REQUEST_BYTES_MAX;
use waxseal_domain::problem::Problem;

use crate::settings::{Settings, local_url};
use crate::worker;

/// A client has so long to send a request's head, and then its body.
const READ_MAX: Duration = Duration::from_secs(30);
/// A stop waits so long for what is under way.
const STOP_MAX: Duration = Duration::from_secs(8);

/// A server that is running; it stops when told to.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    engine: Arc<EmbeddedEngine>,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// Serves until Ctrl-C or SIGTERM.
pub async fn run(settings: &Settings) -> Result<(), String> {
    let mut stop = StopSignal::catch()?;
    let server = start(settings).await?;
    // Nobody may be there to read it, and deliveries are owed all the same.
    if let Err(error) = greet(settings, &server) {
        tracing::warn!(%error, "where it serves was not printed");
    }
    stop.wait().await;
    say("stopping; what is owed goes on at the next start");
    server.stop().await;
    Ok(())
}

/// Binds the address, opens the data, and starts to serve and to deliver.
pub async fn start(settings: &Settings) -> Result<Server, String> {
    start_by(settings, MovableClock::default()).await
}

/// Does the same by a clock that the caller may set.
pub async fn start_by(settings: &Settings, clock: MovableClock) -> Result<Server, String> {
    let listener = TcpListener::bind(settings.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    // Port 0 is any free one: which, is known only now.
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let opened = EmbeddedEngine::open(options(settings, address, clock)?);
    let engine = Arc::new(opened.map_err(|error| error.to_string())?);
    let (stop, stopped) = watch::channel(false);
    let max_attempts = usize::try_from(settings.max_attempts).unwrap_or(1);
    let max_connections = usize::try_from(settings.max_connections).unwrap_or(1);
    let deliver =
        |priority| worker::deliver(Arc::clone(&engine), priority, max_attempts, stopped.clone());
    let tasks = vec![
        tokio::spawn(accept(listener, Arc::clone(&engine), max_connections, stopped.clone())),
        tokio::spawn(deliver(Priority::Normal)),
        tokio::spawn(deliver(Priority::Critical)),
        tokio::spawn(worker::follow_clock(Arc::clone(&engine), stopped.clone())),
        tokio::spawn(worker::sweep(Arc::clone(&engine), stopped)),
    ];
    Ok(Server { address, engine, stop, tasks })
}

fn options(
    settings: &Settings,
    address: SocketAddr,
    clock: MovableClock,
) -> Result<Options, String> {
    let breaker = BreakerSettings {
        failures_percent: settings.breaker_percent,
        probe_s: u64::from(settings.probe_s),
        ..BreakerSettings::default()
    };
    // A quarter each: three slow endpoints leave room for the others.
    let attempts_per_endpoint = usize::try_from(settings.max_attempts).unwrap_or(4).div_ceil(4);
    Ok(Options {
        clock,
        attempts_per_endpoint,
        breaker,
        public_url: Some(settings.public_url(address)),
        folder: settings.data.clone(),
        operator_key: settings.api_key.clone(),
        address_rules: settings.address_rules(),
        extra_roots: read_authorities(settings.ca_file.as_deref())?,
    })
}

impl Server {
    /// Where this machine reaches it, without a slash at its end.
    pub fn local_url(&self) -> String {
        local_url(self.address)
    }

    /// The operator's API key.
    pub fn operator_key(&self) -> &str {
        self.engine.operator_key()
    }

    /// Takes nothing new, and waits a while for what is under way.
    pub async fn stop(self) {
        let _gone = self.stop.send(true);
        let all = async {
            for task in self.tasks {
                let _ended = task.await;
            }
        };
        if tokio::time::timeout(STOP_MAX, all).await.is_err() {
            say("some attempts were still under way; they are made again");
        }
    }
}

/// Says something on standard error, to whoever reads it.
fn say(text: &str) {
    let _unheard = writeln!(std::io::stderr(), "waxseal: {text}");
}

/// Says where everything is.
fn greet(settings: &Settings, server: &Server) -> std::io::Result<()> {
    let address = server.address;
    let data = settings.data.display();
    let key = match &settings.api_key {
        Some(_) => "as given".to_owned(),
        None => settings.operator_key_file().display().to_string(),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "Waxseal serves.")?;
    writeln!(out, "  API       http://{address}  (its reference: http://{address}/docs)")?;
    writeln!(out, "  receiver  http://{address}/hooks/{{source}}")?;
    writeln!(out, "  data      {data}")?;
    writeln!(out, "  API key   {key}")?;
    writeln!(out)?;
    writeln!(out, "Watch it work, in another terminal:  cargo run -- demo")?;
    out.flush()
}

async fn accept(
    listener: TcpListener,
    engine: Arc<EmbeddedEngine>,
    max_connections: usize,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(max_connections));
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(&listener, &places) => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Some((stream, place)) = accepted else { continue };
        let (engine, stopped) = (Arc::clone(&engine), stopped.clone());
        tokio::spawn(async move {
            serve(stream, engine, stopped).await;
            drop(place);
        });
    }
    // Every place back: every connection has ended.
    let all = u32::try_from(max_connections).unwrap_or(u32::MAX);
    let _places = places.acquire_many(all).await;
}

async fn accept_one(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            tracing::warn!(%error, "a connection was not accepted");
            // Out of file handles, most likely: a moment lets some be given back.
            tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>())
                .await
                .ok()?;
            None
        }
    }
}

async fn serve(stream: TcpStream, engine: Arc<EmbeddedEngine>, mut stopped: watch::Receiver<bool>) {
    let _slower = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let engine = Arc::clone(&engine);
        async move { Ok::<_, Infallible>(answer(&engine, request).await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ended = connection.await;
}

/// Which function a request is for.
async fn answer(engine: &EmbeddedEngine, request: hyper::Request<Incoming>) -> Response {
    let request = match whole(request).await {
        Ok(request) => request,
        Err(refused) => return problem(&refused),
    };
    let path: Vec<&str> = request.uri().path().split('/').filter(|part| !part.is_empty()).collect();
    match (request.method().as_str(), path.as_slice()) {
        ("POST", ["v1", "tenants", tenant, "events"]) => {
            waxseal_ingest::accept(engine, tenant, &request).await
        }
        ("OPTIONS", ["v1", "tenants", _, "events"] | ["hooks", _]) => allow(&request),
        ("POST", ["hooks", source]) => waxseal_receiver::receive(engine, source, &request).await,
        _ => waxseal_api::answer(engine, &request).await,
    }
}

/// The request with its whole body, bounded in size and time.
async fn whole(request: hyper::Request<Incoming>) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    let read = Limited::new(body, REQUEST_BYTES_MAX).collect();
    let body: Bytes = match tokio::time::timeout(READ_MAX, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(Problem::too_large("a request", REQUEST_BYTES_MAX));
        }
        Ok(Err(_)) => return Err(Problem::bad_request("the body did not come whole")),
        Err(_) => return Err(Problem::bad_request("the body did not come in time")),
    };
    Ok(Request::from_parts(head, body))
}
