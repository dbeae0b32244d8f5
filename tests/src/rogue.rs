//! Receivers that speak no proper HTTP, or none at all: raw sockets on loopback, one play each.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::fixtures::nap;

/// Bytes of an endless answer, should nobody ever stop reading.
const ENDLESS_BYTES: usize = 10_000_000_000;
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n";

/// What a receiver does with every connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Accepts, and reads nothing.
    NeverReads,
    /// Reads, and never answers.
    NeverAnswers,
    /// Answers a byte each so many milliseconds, from the first byte of the head on.
    HeadByBytes(u64),
    /// A whole head, then a byte of the body each so many milliseconds.
    BodyByBytes(u64),
    /// A body of ten gigabytes.
    EndlessBody,
    /// Sends header after header, without an end.
    EndlessHeaders,
    /// One header that never ends.
    EndlessHeader,
    /// `100 Continue`, for ever.
    EndlessContinue,
    /// What is not HTTP.
    Gibberish,
    /// A status line, and the connection is closed.
    StatusLineOnly,
    /// Closes the connection with a reset at once.
    ResetAtOnce,
    /// Closes it with a reset once it has read the request.
    ResetAfterRequest,
    /// Closes it with a reset in the middle of the head.
    ResetInHead,
    /// Closes it with a reset in the middle of the body.
    ResetInBody,
    /// Fewer bytes than it said.
    ShortBody,
    /// Chunks whose sizes are none.
    BrokenChunks,
    /// A body that is not what its encoding says.
    FalseGzip,
}

/// Bytes of an endless answer that were taken from it: what the other side can hold of it at most, but for
/// the buffers of the sockets.
pub type TakenBytes = Arc<AtomicUsize>;

/// Listens, and plays for every connection.
pub async fn rogue(play: Play) -> SocketAddr {
    counting_rogue(play).await.0
}

/// The same, and how much was taken of what it says without end.
pub async fn counting_rogue(play: Play) -> (SocketAddr, TakenBytes) {
    let taken = TakenBytes::default();
    let counted = Arc::clone(&taken);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let taken = Arc::clone(&counted);
            // The sender goes away in the middle of most plays: that is no failure here.
            tokio::spawn(async move { perform(play, stream, &taken).await.ok() });
        }
    });
    (address, taken)
}

async fn perform(play: Play, mut stream: TcpStream, taken: &TakenBytes) -> std::io::Result<()> {
    match play {
        Play::NeverReads => return hold().await,
        Play::ResetAtOnce => return reset(&stream),
        _ => read_request(&mut stream).await?,
    }
    match play {
        Play::NeverReads | Play::ResetAtOnce => Ok(()),
        Play::NeverAnswers => hold().await,
        Play::HeadByBytes(ms) => write_byte_by_byte(&mut stream, HEAD.as_bytes(), ms).await,
        Play::BodyByBytes(ms) => {
            say(&mut stream, "content-length: 1000\r\n\r\n").await?;
            write_byte_by_byte(&mut stream, &[b'x'; 1_000], ms).await
        }
        Play::EndlessBody => {
            say(&mut stream, "content-length: 10000000000\r\n\r\n").await?;
            write_endlessly(&mut stream, &[b'x'; 16_384], taken).await
        }
        Play::EndlessHeaders => {
            say(&mut stream, "").await?;
            write_endlessly(&mut stream, b"x-again: and again\r\n", taken).await
        }
        Play::EndlessHeader => {
            say(&mut stream, "x-long: ").await?;
            write_endlessly(&mut stream, &[b'x'; 16_384], taken).await
        }
        Play::EndlessContinue => {
            write_endlessly(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n", taken).await
        }
        Play::Gibberish => stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await,
        Play::StatusLineOnly => stream.write_all(b"HTTP/1.1 200 OK\r\n").await,
        Play::ResetAfterRequest => reset(&stream),
        Play::ResetInHead => {
            stream.write_all(HEAD.as_bytes()).await?;
            nap(50).await;
            reset(&stream)
        }
        Play::ResetInBody => {
            say(&mut stream, "content-length: 100\r\n\r\nhalf a bo").await?;
            nap(50).await;
            reset(&stream)
        }
        Play::ShortBody => say(&mut stream, "content-length: 100\r\n\r\nshort").await,
        Play::BrokenChunks => say(&mut stream, "transfer-encoding: chunked\r\n\r\nzz\r\n").await,
        Play::FalseGzip => {
            say(&mut stream, "content-encoding: gzip\r\ncontent-length: 5\r\n\r\nplain").await
        }
    }
}

async fn say(stream: &mut TcpStream, rest: &str) -> std::io::Result<()> {
    stream.write_all(format!("{HEAD}{rest}").as_bytes()).await
}

async fn hold() -> std::io::Result<()> {
    nap(60_000).await;
    Ok(())
}

/// Everything up to the end of the body `{}`.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut read = Vec::new();
    while !read.ends_with(b"{}") {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}

async fn write_byte_by_byte(stream: &mut TcpStream, bytes: &[u8], ms: u64) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        nap(ms).await;
    }
    hold().await
}

async fn write_endlessly(
    stream: &mut TcpStream,
    part: &[u8],
    taken: &TakenBytes,
) -> std::io::Result<()> {
    let mut left = ENDLESS_BYTES;
    while left > 0 {
        stream.write_all(part).await?;
        left = left.saturating_sub(part.len());
        taken.fetch_add(part.len(), Ordering::Relaxed);
    }
    Ok(())
}

fn reset(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_zero_linger()
}

/// How long an attempt may outlast its time-out.
pub const MARGIN: Duration = Duration::from_secs(2);
