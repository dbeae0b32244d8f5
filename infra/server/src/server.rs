//! The server: HTTP in, the functions behind it, and a clean stop.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use waxseal_adapters::clock::MovableClock;
use waxseal_adapters::embedded::{EmbeddedEngine, Options};
use waxseal_adapters::stop::StopSignal;
use waxseal_adapters::tls::read_authorities;
use waxseal_domain::api_key::is_guessable;
use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::flow_control::breaker::BreakerSettings;
use waxseal_domain::limits::{OPERATOR_KEY_CHARS_MIN, SEND_BUFFER_BYTES};

use crate::client::TrustedProxies;
use crate::connections::accept;
use crate::door::Door;
use crate::handles::{Shares, raise_limit, share_out};
use crate::places::Places;
use crate::requests::Requests;
use crate::settings::{Settings, local_url};
use crate::worker;

/// Connections that the system completes before we take them: a burst is not refused.
const BACKLOG: u32 = 1_024;
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
    let shares = shares(settings)?;
    let listener = listen(settings.listen)
        .map_err(|error| format!("cannot listen on {}: {error}", settings.listen))?;
    // Port 0 is any free one: which, is known only now.
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let opened = EmbeddedEngine::open(options(settings, address)?);
    let engine = Arc::new(opened.map_err(|error| error.to_string())?);
    check_operator_key(engine.operator_key(), address)?;
    let (stop, stopped) = watch::channel(false);
    let max_attempts = usize::try_from(shares.attempts).unwrap_or(1);
    let deliver =
        |priority| worker::deliver(Arc::clone(&engine), priority, max_attempts, stopped.clone());
    let most_of_address = settings.most_of_address(shares.connections);
    let door = Door::new(Places::new(narrow(shares.connections), most_of_address));
    let proxies = TrustedProxies::new(settings.trusted_proxies.clone());
    let requests = Arc::new(Requests::new(Arc::clone(&engine), proxies, most_of_address));
    let tasks = vec![
        tokio::spawn(accept(listener, door, requests, stopped.clone())),
        tokio::spawn(deliver(Priority::Normal)),
        tokio::spawn(deliver(Priority::Critical)),
        tokio::spawn(worker::sweep(Arc::clone(&engine), stopped)),
    ];
    Ok(Server { address, engine, stop, tasks })
}

/// Refuses a key that can be guessed where others than this machine reach the server.
fn check_operator_key(key: &str, address: SocketAddr) -> Result<(), String> {
    if !is_guessable(key) {
        return Ok(());
    }
    let fault = format!("the operator's key has fewer than {OPERATOR_KEY_CHARS_MIN} characters");
    if !address.ip().is_loopback() {
        return Err(format!(
            "{fault}, and {address} is reached from other machines: take a longer one"
        ));
    }
    tracing::warn!("{fault}: it will do on this machine alone");
    Ok(())
}

/// How many attempts and connections there may be, by the handles that there are; said where they are fewer than
/// was asked for.
fn shares(settings: &Settings) -> Result<Shares, String> {
    let limit = raise_limit();
    let wanted = Shares { attempts: settings.max_attempts, connections: settings.max_connections };
    let shares = share_out(limit, wanted)?;
    if let Some(less) = shares.tell_less(wanted, limit) {
        say(&less);
    }
    Ok(shares)
}

/// Listens, with a bound for what the system keeps of answers that are not read.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn narrow(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn options(settings: &Settings, address: SocketAddr) -> Result<Options, String> {
    let breaker = BreakerSettings {
        failures_percent: settings.breaker_percent,
        probe_s: u64::from(settings.probe_s),
        ..BreakerSettings::default()
    };
    // A quarter each: three slow endpoints leave room for the others.
    let attempts_per_endpoint = usize::try_from(settings.max_attempts).unwrap_or(4).div_ceil(4);
    Ok(Options {
        clock: MovableClock::default(),
        attempts_per_endpoint,
        breaker,
        tenant_bounds: settings.tenant_bounds(),
        public_url: Some(settings.public_url(address)),
        folder: settings.data.clone(),
        operator_key: settings.api_key.clone(),
        address_rules: settings.address_rules(address),
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
    writeln!(out, "  receiver  http://{address}/hooks/{{tenant}}/{{source}}")?;
    writeln!(out, "  data      {data}")?;
    writeln!(out, "  API key   {key}")?;
    writeln!(out)?;
    writeln!(out, "Watch it work, in another terminal:  cargo run -- demo")?;
    out.flush()
}
