//! Sources: who sends hooks to our receiver, and the secrets that they sign with.

use serde::Serialize;
use waxseal_adapters::http;
use waxseal_domain::id::SourceName;
use waxseal_domain::json::Json;
use waxseal_domain::limits::{NAME_CHARS_MAX, SECRETS_LIVE_MAX, TOLERANCE_S};
use waxseal_domain::ports::{Clock as _, ConfigStore as _, Engine, KeyVault as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::source::Source;

use crate::body::Body;
use crate::{Answer, Call};

#[derive(Serialize)]
struct SourceView<'a> {
    name: &'a str,
    tenant: &'a str,
    profile: &'a str,
    secrets: usize,
    tolerance_s: u64,
    path: String,
}

impl<'a> SourceView<'a> {
    fn of(source: &'a Source) -> Self {
        Self {
            name: source.name.as_str(),
            tenant: source.tenant.as_str(),
            profile: &source.profile,
            secrets: source.secrets.len(),
            tolerance_s: source.tolerance_s,
            path: format!("/hooks/{}", source.name),
        }
    }
}

/// `PUT`, `GET` and `DELETE …/sources/{source}`.
pub(crate) async fn answer<E: Engine>(call: Call<'_, E>, method: &str, name: &str) -> Answer {
    let name: SourceName = name.parse().map_err(|_| Problem::not_found())?;
    match method {
        "PUT" => put(call, name).await,
        "GET" => {
            let found = call.engine.store().source(&name, 0).await?;
            let source = found.filter(|source| source.tenant == *call.tenant);
            let source = source.ok_or_else(Problem::not_found)?;
            Ok(http::json(200, &SourceView::of(&source)))
        }
        "DELETE" => {
            let removed = call.engine.store().delete_source(call.tenant, &name).await?;
            removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
        }
        _ => Err(Problem::method_not_allowed().into()),
    }
}

async fn put<E: Engine>(call: Call<'_, E>, name: SourceName) -> Answer {
    let mut body = Body::read(call.request)?;
    let profile = body.text("profile", NAME_CHARS_MAX).value();
    let profile = profile.unwrap_or_else(|| STANDARD.to_owned());
    let found = Profile::find(call.engine, &profile).await?;
    if found.is_none() {
        body.fault("profile", "is not known: GET /v1/profiles lists them");
    }
    let known = found.unwrap_or_else(Profile::standard);
    let fits = |text: &str| known.dialect.key(text).is_ok();
    let secrets = read_secrets(&mut body, fits, &known.secret_shape());
    let tolerance_s = body.whole("tolerance_s", 1..=3_600).value().unwrap_or(TOLERANCE_S);
    body.finish()?;
    let context = SecretContext::source(call.tenant, &name);
    let mut sealed = Vec::new();
    for text in secrets {
        let secret = Secret::new(text.into_bytes());
        sealed.push(SealedSecret {
            sealed: call.engine.key_vault().seal(&context, &secret).await?,
            created_at: call.engine.clock().now(),
            until: None,
            public_key: None,
        });
    }
    let source =
        Source { name, tenant: call.tenant.clone(), profile, secrets: sealed, tolerance_s };
    if call.engine.store().put_source(&source).await? {
        Ok(http::json(200, &SourceView::of(&source)))
    } else {
        Err(Problem::conflict("a source's name is unique in the deployment: this one is taken")
            .into())
    }
}

fn read_secrets(body: &mut Body<'_>, fits: impl Fn(&str) -> bool, shape: &str) -> Vec<String> {
    let value = body.member("secrets");
    let items = value.as_ref().and_then(Json::as_array).unwrap_or_default();
    if !(1..=SECRETS_LIVE_MAX).contains(&items.len()) {
        body.fault("secrets", &format!("must be an array of 1 to {SECRETS_LIVE_MAX} secrets"));
        return Vec::new();
    }
    let mut secrets = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().filter(|text| fits(text)) {
            Some(text) => secrets.push(text.to_owned()),
            None => body.fault(&format!("secrets/{index}"), shape),
        }
    }
    secrets
}
