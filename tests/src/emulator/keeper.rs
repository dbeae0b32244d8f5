//! `infra/tools/emulator.py`: it keeps an emulator running, and does on it what a cloud or its owner would do.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::oneshot;

/// Calls that are not answered yet, by number.
type CallsUnderWay = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// The running script. The emulator ends with it, and it with us.
#[derive(Debug)]
pub(super) struct Keeper {
    child: Child,
    calls: Mutex<Option<ChildStdin>>,
    number: AtomicU64,
    open: CallsUnderWay,
    /// The group of the emulator's processes.
    pub(super) group: u32,
}

impl Keeper {
    /// Starts the script, whose command holds the emulator's settings.
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let calls = Mutex::new(child.stdin.take());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let group = lines.next().unwrap().unwrap().parse().unwrap();
        let open = CallsUnderWay::default();
        let answered = Arc::clone(&open);
        std::thread::spawn(move || hand_out(lines, &answered));
        Self { child, calls, number: AtomicU64::default(), open, group }
    }

    /// Calls an action of cloud.py.
    pub(super) async fn call(&self, action: &str, argument: &Value) -> Value {
        let (tell, told) = oneshot::channel();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        self.open.lock().unwrap().insert(number, tell);
        let call = json!({"number": number, "action": action, "argument": argument});
        writeln!(self.calls.lock().unwrap().as_ref().unwrap(), "{call}").unwrap();
        let mut answered = told.await.unwrap_or_else(|_| panic!("{action}: the script is gone"));
        assert!(answered["failure"].is_null(), "{action}: {}", answered["failure"]);
        answered["answer"].take()
    }
}

/// Gives each answer to whoever waits for it, until the script ends.
fn hand_out(lines: Lines<BufReader<ChildStdout>>, open: &CallsUnderWay) {
    for line in lines.map_while(Result::ok) {
        let answered: Value = serde_json::from_str(&line).unwrap();
        let asker = open.lock().unwrap().remove(&answered["number"].as_u64().unwrap());
        // A test that has ended waits for nothing.
        let _heard = asker.map(|asker| asker.send(answered));
    }
    open.lock().unwrap().clear();
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The end of its input is its sign to tidy up.
        drop(self.calls.get_mut().unwrap().take());
        let _ended = self.child.wait();
    }
}
