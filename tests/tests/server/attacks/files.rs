//! What lies in the data folder, and who may read it: planted links, lost files, a second server.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;
use waxseal_tests::attack::Attack;
use waxseal_tests::client::Client;
use waxseal_tests::process::{Server, command, free_address, until_it_serves};

const EVENTS: &str = "/v1/tenants/acme/events";

/// Starts a server that must refuse to; what it says.
async fn refusal(mut command: Command) -> String {
    let ended =
        tokio::time::timeout(Duration::from_secs(20), command.stderr(Stdio::piped()).output());
    let ended = ended.await.expect("it serves, where it must refuse to start").unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success(), "{said}");
    said
}

async fn refusal_on(folder: &Path) -> String {
    refusal(command(folder, free_address())).await
}

/// An endpoint that nothing reaches, and one event for it.
async fn store_an_event(client: &Client) {
    let nobody = format!("http://{}/", free_address());
    let draft = json!({"url": nobody, "retry": {"delays_s": [600]}}).to_string();
    client.send("POST", "/v1/tenants/acme/endpoints?ping=false", &[], &draft).await.of(201);
    client.send("POST", EVENTS, &[], r#"{"type":"a.b","id":"kept"}"#).await.of(202);
}

async fn has_the_event(client: &Client) -> bool {
    client.send("GET", &format!("{EVENTS}/kept"), &[], "").await.status == 200
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// The names of what others may read or write: the folder itself, or a file in it.
fn open_to_others(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let all = std::iter::once(folder.to_owned()).chain(files);
    let open = all.filter(|path| std::fs::metadata(path).unwrap().mode() & 0o077 != 0);
    open.map(|path| path.display().to_string()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn whatever_the_umask_is_nothing_is_open_to_others() {
    let home = tempfile::tempdir().unwrap();
    let (folder, address) = (home.path().join("data"), free_address());
    let serve = command(&folder, address);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\""]).arg(serve.as_std().get_program());
    let settings = serve.as_std().get_envs().filter_map(|(name, value)| Some((name, value?)));
    // Without a key that is given, one is made and kept.
    shell.envs(settings).env_remove("WAXSEAL_API_KEY").kill_on_drop(true);
    let mut server = shell.stdout(Stdio::null()).spawn().unwrap();
    let mut client = Client { address, key: String::new(), host: None };
    until_it_serves(&client).await;
    client.key = std::fs::read_to_string(folder.join("operator.key")).unwrap().trim().to_owned();
    store_an_event(&client).await;
    let found = names(&folder);
    for name in ["lock", "operator.key", "secrets.key", "waxseal.db", "waxseal.db-wal"] {
        assert!(found.iter().any(|one| one == name), "{name}: {found:?}");
    }
    let open = open_to_others(&folder);
    println!("{open:?}");
    let attack = Attack { name: "umask 000", counted: "files open to others", bound: 0 };
    attack.took(open.len().try_into().unwrap());
    server.kill().await.unwrap();
}

#[tokio::test]
async fn a_folder_that_others_may_read_is_closed_and_told() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path()).await.stop().await;
    set_mode(folder.path(), 0o755);
    for name in names(folder.path()) {
        set_mode(&folder.path().join(name), 0o644);
    }
    let address = free_address();
    let mut server = command(folder.path(), address).stderr(Stdio::piped()).spawn().unwrap();
    until_it_serves(&Client { address, key: "operator".to_owned(), host: None }).await;
    assert_eq!(open_to_others(folder.path()), Vec::<String>::new());
    server.start_kill().unwrap();
    let said = String::from_utf8(server.wait_with_output().await.unwrap().stderr).unwrap();
    for told in ["open to other users", "secrets.key", "waxseal.db", "755"] {
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[tokio::test]
async fn a_folder_of_others_files_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.txt"), "").unwrap();
    set_mode(folder.path(), 0o755);
    let said = refusal_on(folder.path()).await;
    assert!(said.contains(&folder.path().display().to_string()), "{said}");
    assert!(said.contains("open to other users"), "{said}");
    assert_eq!(names(folder.path()), ["thesis.txt"]);
    assert_eq!(std::fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o755);
}

#[tokio::test]
async fn no_key_goes_through_a_planted_link() {
    let mut escaped = 0;
    for name in ["operator.new", "operator.key", "secrets.new", "secrets.key", "waxseal.db", "lock"]
    {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for target in ["absent", "present"] {
            let target = other.path().join(target);
            if target.ends_with("present") {
                std::fs::write(&target, "").unwrap();
            }
            let link = folder.path().join(name);
            symlink(&target, &link).unwrap();
            let mut command = command(folder.path(), free_address());
            command.env_remove("WAXSEAL_API_KEY");
            let said = refusal(command).await;
            assert!(said.contains(name) && said.contains("planted"), "{said}");
            escaped +=
                std::fs::read(&target).map_or(0, |bytes| u64::try_from(bytes.len()).unwrap());
            assert_eq!(target.exists(), target.ends_with("present"));
            std::fs::remove_file(&link).unwrap();
        }
    }
    Attack { name: "planted links", counted: "bytes outside of the folder", bound: 0 }
        .took(escaped);
}

#[tokio::test]
async fn a_draft_that_a_crash_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["operator.new", "secrets.new"] {
        std::fs::write(folder.path().join(name), "half a k").unwrap();
    }
    let address = free_address();
    let mut command = command(folder.path(), address);
    let mut server = command.env_remove("WAXSEAL_API_KEY").spawn().unwrap();
    until_it_serves(&Client { address, key: String::new(), host: None }).await;
    let key = std::fs::read_to_string(folder.path().join("operator.key")).unwrap();
    assert!(key.starts_with("wxs_") && !key.contains("half"), "{key}");
    assert!(names(folder.path()).iter().all(|name| !name.contains(".new")));
    server.kill().await.unwrap();
}

#[tokio::test]
async fn a_lost_database_is_told_and_no_empty_one_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    store_an_event(&server.client()).await;
    server.stop().await;
    let (database, wal) = (folder.path().join("waxseal.db"), folder.path().join("waxseal.db-wal"));
    let kept = std::fs::read(&database).unwrap();
    std::fs::remove_file(&database).unwrap();
    let left = names(folder.path());
    let said = refusal_on(folder.path()).await;
    assert!(said.contains("waxseal.db is missing beside secrets.key"), "{said}");
    assert_eq!(names(folder.path()), left, "nothing is made in its place");
    std::fs::write(&database, "").unwrap();
    set_mode(&database, 0o600);
    let said = refusal_on(folder.path()).await;
    assert!(said.contains("waxseal.db holds nothing") && said.contains("backup"), "{said}");
    assert_eq!(std::fs::metadata(&database).unwrap().len(), 0, "nothing is written into it");
    std::fs::remove_file(&database).unwrap();
    let secrets = folder.path().join("secrets.key");
    let secrets_kept = std::fs::read(&secrets).unwrap();
    std::fs::remove_file(&secrets).unwrap();
    std::fs::write(&wal, "").unwrap();
    let said = refusal_on(folder.path()).await;
    assert!(said.contains("waxseal.db is missing beside waxseal.db-wal"), "{said}");
    std::fs::remove_file(&wal).unwrap();
    std::fs::write(&database, kept).unwrap();
    std::fs::write(&secrets, secrets_kept).unwrap();
    let server = Server::start(folder.path()).await;
    assert!(has_the_event(&server.client()).await, "brought back, it is all there");
}

#[tokio::test]
async fn a_lost_log_is_told_unless_the_database_was_closed_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    store_an_event(&server.client()).await;
    server.kill().await;
    let wal = folder.path().join("waxseal.db-wal");
    let aside = folder.path().join("secrets.new");
    std::fs::rename(&wal, &aside).unwrap();
    for _ in 0..2 {
        let said = refusal_on(folder.path()).await;
        assert!(said.contains("waxseal.db-wal is missing"), "{said}");
        assert!(!wal.exists(), "none is made that would hide the loss from the next start");
    }
    std::fs::rename(&aside, &wal).unwrap();
    let server = Server::start(folder.path()).await;
    assert!(has_the_event(&server.client()).await, "brought back, it is all there");
    server.stop().await;

    // Closed cleanly, the one file is everything.
    for name in ["waxseal.db-wal", "waxseal.db-shm"] {
        let _absent = std::fs::remove_file(folder.path().join(name));
    }
    let server = Server::start(folder.path()).await;
    assert!(has_the_event(&server.client()).await);
    server.stop().await;
    let file = rusqlite::Connection::open(folder.path().join("waxseal.db")).unwrap();
    let whole: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

#[tokio::test]
async fn a_file_of_a_newer_format_is_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    Server::start(folder.path()).await.stop().await;
    let file = rusqlite::Connection::open(folder.path().join("waxseal.db")).unwrap();
    let format: u32 = file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert!(format >= 1);
    file.pragma_update(None, "user_version", format + 41).unwrap();
    drop(file);
    let before = std::fs::read(folder.path().join("waxseal.db")).unwrap();
    let said = refusal_on(folder.path()).await;
    let (theirs, ours) = (format!("format {}", format + 41), format!("up to {format}"));
    assert!(said.contains(&theirs) && said.contains(&ours), "{said}");
    assert_eq!(std::fs::read(folder.path().join("waxseal.db")).unwrap(), before, "left as it is");
    // A file from before the number was kept is brought to this format.
    let file = rusqlite::Connection::open(folder.path().join("waxseal.db")).unwrap();
    file.pragma_update(None, "user_version", 0).unwrap();
    drop(file);
    Server::start(folder.path()).await.stop().await;
    let file = rusqlite::Connection::open(folder.path().join("waxseal.db")).unwrap();
    let found: u32 = file.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(found, format);
}

#[tokio::test]
async fn a_second_server_is_refused_whatever_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path()).await;
    store_an_event(&server.client()).await;
    let mut second = 0;
    for removed in [None, Some("lock"), Some("lock"), Some("waxseal.db-shm")] {
        if let Some(name) = removed {
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        let link = folder.path().with_extension("other-name");
        symlink(folder.path(), &link).unwrap();
        for name in [folder.path(), &link] {
            let said = refusal_on(name).await;
            second += u64::from(!said.contains("another process uses"));
        }
        std::fs::remove_file(&link).unwrap();
    }
    let attack =
        Attack { name: "the lock is removed", counted: "servers beside the first", bound: 0 };
    attack.took(second);
    assert!(has_the_event(&server.client()).await);
    server.kill().await;
    let next = Server::start(folder.path()).await;
    next.stop().await;
}

#[tokio::test]
async fn a_key_that_can_be_guessed_serves_this_machine_alone() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_address().port();
    for key in ["short-one", "fifteen-of-them"] {
        let mut everywhere = command(folder.path(), ([0, 0, 0, 0], port).into());
        everywhere.env("WAXSEAL_API_KEY", key);
        let said = refusal(everywhere).await;
        assert!(said.contains("fewer than 16 characters") && !said.contains(key), "{said}");
    }
    // One that was written into the file is no better.
    std::fs::write(folder.path().join("operator.key"), "short\n").unwrap();
    set_mode(&folder.path().join("operator.key"), 0o600);
    let mut everywhere = command(folder.path(), ([0, 0, 0, 0], port).into());
    everywhere.env_remove("WAXSEAL_API_KEY");
    let said = refusal(everywhere).await;
    assert!(said.contains("fewer than 16 characters"), "{said}");
    let mut long = command(folder.path(), ([0, 0, 0, 0], port).into());
    let mut server = long.env("WAXSEAL_API_KEY", "sixteen-of-them!").spawn().unwrap();
    let client = Client { address: ([127, 0, 0, 1], port).into(), key: "x".to_owned(), host: None };
    until_it_serves(&client).await;
    server.kill().await.unwrap();
    let address = free_address();
    let mut local = command(folder.path(), address).stderr(Stdio::piped()).spawn().unwrap();
    until_it_serves(&Client { address, key: String::new(), host: None }).await;
    local.start_kill().unwrap();
    let said = String::from_utf8(local.wait_with_output().await.unwrap().stderr).unwrap();
    assert!(said.contains("fewer than 16 characters"), "a warning: {said}");
}

#[tokio::test]
async fn a_file_of_authorities_without_one_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authorities.pem");
    for text in ["", "no certificate at all\n"] {
        std::fs::write(&file, text).unwrap();
        let mut serve = command(&folder.path().join("data"), free_address());
        serve.env("WAXSEAL_CA_FILE", &file);
        let said = refusal(serve).await;
        assert!(said.contains("authorities.pem") && said.contains("no certificate"), "{said}");
    }
    assert!(!folder.path().join("data").exists(), "refused before anything is made");
}
