//! Hostile clients in a process of their own: `hostile SORT COUNT ADDRESS`. They come from four addresses of loopback,
//! connect again a second after they were closed, and end with their standard input, or after two minutes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use waxseal_tests::fixtures::nap;
use waxseal_tests::hostile::Sort;

/// A byte now and then: often enough that no pause alone tells it.
const BYTE_MS: u64 = 500;
const AGAIN_MS: u64 = 1_000;
const END: Duration = Duration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [sort, count, server] = arguments.as_slice() else { panic!("SORT COUNT ADDRESS") };
    let sort = Sort::find(sort).expect("a sort's name");
    let (count, server): (usize, SocketAddr) = (count.parse().unwrap(), server.parse().unwrap());
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _as_it_is = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let tried = Arc::new(AtomicUsize::new(0));
    for number in 0..count {
        let tried = Arc::clone(&tried);
        tokio::spawn(async move {
            // Not all in one moment: the kernel would drop what exceeds the backlog for a second.
            nap(u64::try_from(number / 4).unwrap()).await;
            for round in 0.. {
                let connected = connect(number, server).await;
                tried.fetch_add(usize::from(round == 0), Ordering::Relaxed);
                if let Ok(stream) = connected {
                    let _closed = misbehave(sort, stream).await;
                }
                nap(AGAIN_MS).await;
            }
        });
    }
    while tried.load(Ordering::Relaxed) < count {
        nap(10).await;
    }
    println!("all have tried");
    let mut nothing = Vec::new();
    let mut input = tokio::io::stdin();
    let _ended = tokio::time::timeout(END, input.read_to_end(&mut nothing)).await;
    // What reads the input cannot be cancelled, and would be waited for.
    std::process::exit(0);
}

async fn connect(number: usize, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4_096)?;
    let last = u8::try_from(number % 4 + 1).unwrap();
    socket.bind((IpAddr::from([127, 0, 0, last]), 0).into())?;
    socket.connect(server).await
}

/// Does what its sort does until the server closes the connection.
async fn misbehave(sort: Sort, mut stream: TcpStream) -> std::io::Result<()> {
    let hook = |length: usize| {
        format!("POST /hooks/hub HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n")
    };
    match sort {
        Sort::Idle => until_closed(&mut stream).await,
        Sort::SlowHead => {
            stream.write_all(b"GET /healthz HTTP/1.1\r\nx-slow: ").await?;
            by_bytes(&mut stream).await
        }
        Sort::SlowBody => {
            stream.write_all(hook(200_000).as_bytes()).await?;
            by_bytes(&mut stream).await
        }
        Sort::NeverRead => {
            let ask = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
            stream.write_all(ask.repeat(50).as_bytes()).await?;
            never(&mut stream).await
        }
        Sort::BadKey => {
            let head = "POST /v1/tenants/acme/events HTTP/1.1\r\nhost: x\r\n\
                        authorization: Bearer none\r\ncontent-length: 990000\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&[b' '; 990_000]).await?;
            until_closed(&mut stream).await
        }
        Sort::BadHook => {
            for _ in 0..5 {
                stream.write_all(format!("{}{{}}", hook(2)).as_bytes()).await?;
                if stream.read(&mut [0; 1_024]).await? == 0 {
                    break;
                }
            }
            Ok(())
        }
        Sort::LargeHook => {
            stream.write_all(hook(250_000).as_bytes()).await?;
            stream.write_all(&[b' '; 249_999]).await?;
            until_closed(&mut stream).await
        }
        Sort::UnreadPages => {
            let ask = "GET /v1/tenants/victim/events?limit=200 HTTP/1.1\r\nhost: x\r\n\
                       authorization: Bearer operator\r\n\r\n";
            stream.write_all(ask.repeat(3).as_bytes()).await?;
            never(&mut stream).await
        }
    }
}

async fn by_bytes(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        stream.write_all(b"a").await?;
        nap(BYTE_MS).await;
    }
}

async fn until_closed(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut bytes = [0; 1_024];
    while stream.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// Reads nothing; a byte now and then tells that the server has closed.
async fn never(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        nap(BYTE_MS).await;
        stream.write_all(b"G").await?;
    }
}
