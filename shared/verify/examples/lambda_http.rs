//! A receiver on AWS Lambda, behind a function URL or an HTTP API: verifies Standard Webhooks.
//!
//! `WEBHOOK_SECRET` is `whsec_…`; to verify ed25519, `whpk_…`.

use std::time::UNIX_EPOCH;

use lambda_http::{Body, Error, Request, Response, run, service_fn};
use waxseal_verify::{Key, Profile, Window, headers};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "an example has no settings of its own")]
    let secret = std::env::var("WEBHOOK_SECRET")?;
    let profile = Profile::find_builtin("standard").ok_or("no such profile")?;
    let keys = [profile.key(&secret)?];
    let (profile, keys) = (&*profile, &keys);
    run(service_fn(move |request: Request| async move { receive(profile, keys, &request) })).await
}

/// The body has been decoded already, where the gateway sent it in base64.
fn receive(profile: &Profile, keys: &[Key], request: &Request) -> Result<Response<Body>, Error> {
    let body = request.body().as_ref();
    let window = Window::around(now_s());
    let status = match profile.verify(headers(request.headers()), body, keys, window) {
        Ok(hook) => {
            println!("verified {:?}", hook.id);
            204
        }
        Err(fault) => {
            eprintln!("refused: {fault}");
            401
        }
    };
    Ok(Response::builder().status(status).body(Body::Empty)?)
}

#[expect(clippy::disallowed_methods, reason = "an example has no clock of its own")]
fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs())
}
