//! Connections: taken as they come, never left waiting, and served each in its place.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use waxseal_adapters::http::{Response, problem};
use waxseal_domain::limits::{ENTERING_MAX, HEAD_BYTES_MAX, REFUSAL_WAIT_MS, REQUEST_READ_S_MAX};
use waxseal_domain::problem::Problem;

use crate::door::{Door, Place};
use crate::paced::{PacedStream, Progress};
use crate::requests::Requests;

/// A moment in which handles may be given back, where there was none for a connection.
const SHORT_PAUSE: Duration = Duration::from_millis(50);
/// How long a connection that gives way may still take to write why.
const GIVE_WAY_MAX: Duration = Duration::from_millis(50);

/// One connection, as its requests know it.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) peer: IpAddr,
    pub(crate) place: Arc<Place>,
    pub(crate) progress: Arc<Progress>,
}

/// Takes connections and has them served until told to stop; then waits for those under way.
pub(crate) async fn accept(
    listener: TcpListener,
    door: Arc<Door>,
    requests: Arc<Requests>,
    mut stopped: watch::Receiver<bool>,
) {
    let entering = Arc::new(Semaphore::new(ENTERING_MAX));
    loop {
        let Ok(turn) = Arc::clone(&entering).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = until_stopped(&mut stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (door, requests) = (Arc::clone(&door), Arc::clone(&requests));
                let stopped = stopped.clone();
                tokio::spawn(async move {
                    let admitted = admit(stream, peer, &door, &requests).await;
                    drop(turn);
                    if let Some((stream, connection)) = admitted {
                        serve(stream, connection, requests, stopped).await;
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                // Out of file handles, most likely.
                door.free_one();
                let never = std::future::pending::<()>();
                let _passed = tokio::time::timeout(SHORT_PAUSE, never).await;
            }
        }
    }
    // Whoever is still entering has a place by then, or none.
    let all = u32::try_from(ENTERING_MAX).unwrap_or(u32::MAX);
    let _turns = entering.acquire_many(all).await;
    door.until_empty().await;
}

/// Gives a connection its place, or refuses it.
async fn admit(
    stream: TcpStream,
    peer: SocketAddr,
    door: &Arc<Door>,
    requests: &Requests,
) -> Option<(TcpStream, Connection)> {
    let address = requests.address_of_peer(peer.ip());
    let Some(place) = door.enter(address).await else {
        let _unheard = refuse(stream).await;
        return None;
    };
    let progress = Arc::new(Progress::default());
    Some((stream, Connection { peer: peer.ip(), place: Arc::new(place), progress }))
}

/// Says that every place is taken by somebody who is served. A client reads no answer before it has asked, so it gets a
/// moment for that; what it asks for is not waited for.
async fn refuse(stream: TcpStream) -> io::Result<()> {
    let moment = Duration::from_millis(REFUSAL_WAIT_MS);
    let _asked = tokio::time::timeout(moment, stream.readable()).await;
    let mut stream = stream.into_std()?;
    stream.write_all(&text_of(&problem(&Problem::busy())))?;
    // What has come is taken: closed with bytes unread, the system would answer with a reset instead.
    let _sent = stream.read(&mut vec![0; HEAD_BYTES_MAX])?;
    Ok(())
}

/// Writes an answer as HTTP/1.1 has it, after which the connection ends.
fn text_of(response: &Response) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {}\r\nconnection: close\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend(format!("content-length: {}\r\n\r\n", response.body().len()).into_bytes());
    text.extend(response.body());
    text
}

async fn serve(
    stream: TcpStream,
    connection: Connection,
    requests: Arc<Requests>,
    mut stopped: watch::Receiver<bool>,
) {
    let _slower = stream.set_nodelay(true);
    let (place, progress) = (Arc::clone(&connection.place), Arc::clone(&connection.progress));
    let idle = Arc::clone(&place);
    let stream = PacedStream::new(stream, Arc::clone(&progress), move || idle.set_busy(false));
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        let (requests, connection) = (Arc::clone(&requests), connection.clone());
        async move { Ok::<_, Infallible>(requests.answer(&connection, request).await.map(body)) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(REQUEST_READ_S_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), answer);
    let mut served = std::pin::pin!(served);
    tokio::select! {
        _ended = served.as_mut() => return,
        () = place.until_told() => {
            if progress.is_reading() {
                // It is told why, by whoever reads its body.
                served.as_mut().graceful_shutdown();
                let _late = tokio::time::timeout(GIVE_WAY_MAX, served).await;
            }
            return;
        }
        () = until_stopped(&mut stopped) => {}
    }
    served.as_mut().graceful_shutdown();
    tokio::select! {
        _ended = served => {}
        () = place.until_told() => {}
    }
}

async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _gone = stopped.wait_for(|stopped| *stopped).await;
}

fn body(bytes: Bytes) -> Full<Bytes> {
    Full::new(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_an_answer_of_http_that_says_when_to_come_again() {
        let text = String::from_utf8(text_of(&problem(&Problem::busy()))).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        for line in ["connection: close", "retry-after: 1", "x-content-type-options: nosniff"] {
            assert!(head.contains(line), "{head}");
        }
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{head}");
    }
}
