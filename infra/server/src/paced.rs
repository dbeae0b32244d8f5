//! A connection's stream that ends where its client makes no progress: one that asks and never reads, or reads a byte
//! now and then.
//!
//! What it waits for when reading is bounded by whoever reads: a head by `hyper`, a body by `requests`.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Interval, interval_at};
use waxseal_domain::limits::{ANSWER_TAKEN_S_MAX, LINGER_MS, STALL_S_MAX};

/// What the stream and whoever answers its requests tell each other.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// An answer was given, and is not yet all written.
    is_answering: AtomicBool,
    /// A body is being read.
    is_reading: AtomicBool,
    /// A body was not read to its end.
    is_unread: AtomicBool,
}

impl Progress {
    /// Says that an answer is about to be written.
    pub(crate) fn begin_answer(&self) {
        self.is_answering.store(true, Ordering::Release);
    }

    /// Says whether a body is being read.
    pub(crate) fn set_reading(&self, is_reading: bool) {
        self.is_reading.store(is_reading, Ordering::Release);
    }

    /// Whether a body is being read.
    pub(crate) fn is_reading(&self) -> bool {
        self.is_reading.load(Ordering::Acquire)
    }

    /// Says that the body of the last request was left unread.
    pub(crate) fn leave_unread(&self) {
        self.is_unread.store(true, Ordering::Release);
    }
}

/// A TCP stream with bounds for writing. `on_answered` is called once an answer has been written.
pub(crate) struct PacedStream<F> {
    stream: TcpStream,
    progress: Arc<Progress>,
    on_answered: F,
    /// When what is being written was begun, and when the last of it was taken.
    began: Option<(Instant, Instant)>,
    timer: Option<Interval>,
    is_shut: bool,
}

impl<F: Fn() + Unpin> PacedStream<F> {
    pub(crate) fn new(stream: TcpStream, progress: Arc<Progress>, on_answered: F) -> Self {
        Self { stream, progress, on_answered, began: None, timer: None, is_shut: false }
    }

    /// Notes progress, or looks whether there was none for too long.
    fn pace<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let now = Instant::now();
        let (began, taken) = *self.began.get_or_insert((now, now));
        if written.is_ready() {
            self.began = Some((began, now));
            self.timer = None;
            return written;
        }
        let until = (taken + Duration::from_secs(STALL_S_MAX))
            .min(began + Duration::from_secs(ANSWER_TAKEN_S_MAX));
        ready!(self.poll_time(cx, until));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_time(&mut self, cx: &mut Context<'_>, until: Instant) -> Poll<()> {
        let hour = Duration::from_secs(3_600);
        let timer = self.timer.get_or_insert_with(|| interval_at(until, hour));
        timer.poll_tick(cx).map(|_| ())
    }

    /// Takes what is left of a body and throws it away, for a moment: closed with bytes unread, the system would
    /// answer with a reset, and the client might never read why.
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut bytes = [0; 8 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        self.poll_time(cx, Instant::now() + Duration::from_millis(LINGER_MS))
    }
}

impl<F: Fn() + Unpin> AsyncRead for PacedStream<F> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl<F: Fn() + Unpin> AsyncWrite for PacedStream<F> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.pace(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.pace(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        // `hyper` flushes once it has written all that it has.
        (this.began, this.timer) = (None, None);
        if this.progress.is_answering.swap(false, Ordering::AcqRel) {
            (this.on_answered)();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.is_shut {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            (this.is_shut, this.timer) = (true, None);
        }
        if this.progress.is_unread.load(Ordering::Acquire) {
            ready!(this.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
