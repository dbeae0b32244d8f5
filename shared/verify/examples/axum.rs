//! A receiver on axum: verifies GitHub's hooks, and says in its log why one did not verify.
//!
//! `WEBHOOK_SECRET=… cargo run -p waxseal-verify --features http --example axum`

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use waxseal_verify::{Key, Profile, Window, headers};

struct Receiver {
    profile: Arc<Profile>,
    secret: String,
    key: Key,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    #[expect(clippy::disallowed_methods, reason = "an example has no settings of its own")]
    let secret = std::env::var("WEBHOOK_SECRET")?;
    let profile = Profile::find_builtin("github").ok_or("no such profile")?;
    let key = profile.key(&secret)?;
    let receiver = Arc::new(Receiver { profile, secret, key });
    let app = Router::new().route("/hooks", post(receive)).with_state(receiver);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app).await?;
    Ok(())
}

/// `Bytes`, not `Json`: what is signed is the bytes.
async fn receive(State(receiver): State<Arc<Receiver>>, map: HeaderMap, body: Bytes) -> StatusCode {
    let window = Window::around(now_s());
    let profile = &receiver.profile;
    match profile.verify(headers(&map), &body, std::slice::from_ref(&receiver.key), window) {
        Ok(hook) => {
            println!("verified {:?}", hook.id);
            StatusCode::NO_CONTENT
        }
        Err(fault) => {
            eprintln!("refused: {fault}");
            let why = profile.explain(headers(&map), &body, &[&receiver.secret], window);
            why.mistakes.iter().for_each(|mistake| eprintln!("{}: {mistake}", mistake.code()));
            StatusCode::UNAUTHORIZED
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "an example has no clock of its own")]
fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs())
}
