//! Hostile clients: what strangers may do to a server with connections, many at a time, in a process of their own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// What hostile clients do, each with a connection of its own, and again once it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// They connect and say nothing.
    Idle,
    /// They send a request's head a byte at a time.
    SlowHead,
    /// They send a body a byte at a time.
    SlowBody,
    /// They ask, again and again, and never read.
    NeverRead,
    /// They send large bodies with a key that is none.
    BadKey,
    /// They send small hooks that do not verify.
    BadHook,
    /// They send hooks as large as may be, whose last byte does not come.
    LargeHook,
    /// They ask for long pages, with a valid key, and never read.
    UnreadPages,
}

impl Sort {
    /// Every sort.
    pub const ALL: [Self; 8] = [
        Self::Idle,
        Self::SlowHead,
        Self::SlowBody,
        Self::NeverRead,
        Self::BadKey,
        Self::BadHook,
        Self::LargeHook,
        Self::UnreadPages,
    ];

    /// The name of an attack of this sort.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle connections",
            Self::SlowHead => "slow heads",
            Self::SlowBody => "slow bodies",
            Self::NeverRead => "answers that are not read",
            Self::BadKey => "bodies with a bad key",
            Self::BadHook => "hooks that do not verify",
            Self::LargeHook => "large hooks that never end",
            Self::UnreadPages => "pages that are not read",
        }
    }

    /// Finds a sort by its name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }
}

/// A process of hostile clients, ended when it is dropped.
#[derive(Debug)]
pub struct Hostile {
    _child: Child,
    _said: BufReader<ChildStdout>,
}

impl Hostile {
    /// Starts so many clients, and waits until each has tried to connect.
    pub async fn start(program: &Path, sort: Sort, count: usize, server: SocketAddr) -> Self {
        let mut command = Command::new(program);
        command.args([sort.name(), &count.to_string(), &server.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).await.unwrap();
        assert_eq!(line, "all have tried\n", "{sort:?}");
        Self { _child: child, _said: said }
    }
}
