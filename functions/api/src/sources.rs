//! Sources: who sends hooks to our receiver, and the secrets that they sign with.

use serde_json::{Value, json};
use waxseal_adapters::http;
use waxseal_api_types::{self as api, List};
use waxseal_domain::id::SourceName;
use waxseal_domain::json::Fault;
use waxseal_domain::limits::{
    NAME_CHARS_MAX, SECRETS_LIVE_MAX, SOURCES_PER_TENANT_MAX, TOLERANCE_S,
};
use waxseal_domain::ports::{Change, Clock as _, ConfigStore as _, Engine, KeyVault as _};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{Profile, STANDARD};
use waxseal_domain::secret::{SealedSecret, Secret, SecretContext};
use waxseal_domain::source::Source;

use crate::body::{Body, describe};
use crate::{Answer, Call, Refusal, Told, told};

/// Characters of a source's secret.
const SECRET_CHARS_MAX: usize = 256;

/// What of a source a body says.
struct Wanted {
    profile: String,
    secrets: Vec<String>,
    tolerance_s: u64,
}

/// What a source looks like.
pub(crate) fn body() -> Value {
    describe(|body| drop(read(body)))
}

fn read(body: &mut Body<'_>) -> Wanted {
    let profile = body.text("profile", NAME_CHARS_MAX).value();
    body.require("secrets");
    Wanted {
        profile: profile.unwrap_or_else(|| STANDARD.to_owned()),
        secrets: read_secrets(body),
        tolerance_s: body.whole("tolerance_s", 1..=3_600).value().unwrap_or(TOLERANCE_S),
    }
}

fn read_secrets(body: &mut Body<'_>) -> Vec<String> {
    let schema = || {
        json!({
            "type": "array", "minItems": 1, "maxItems": SECRETS_LIVE_MAX,
            "items": {"type": "string", "minLength": 8, "maxLength": SECRET_CHARS_MAX, "pattern": "^[ -~]+$"},
            "description": "Of the profile's form; while one rotates, both",
        })
    };
    let Some(value) = body.member("secrets", schema) else { return Vec::new() };
    let items = value.as_array().unwrap_or_default();
    if !(1..=SECRETS_LIVE_MAX).contains(&items.len()) {
        body.fault("secrets", &format!("must be an array of 1 to {SECRETS_LIVE_MAX} secrets"));
        return Vec::new();
    }
    let fits = |text: &&str| (1..=SECRET_CHARS_MAX).contains(&text.chars().count());
    let mut secrets = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().filter(fits) {
            Some(text) => secrets.push(text.to_owned()),
            None => body.fault(&format!("secrets/{index}"), "must be text of 1 to 256 characters"),
        }
    }
    secrets
}

pub(crate) async fn list<E: Engine>(call: Call<'_, E>) -> Answer {
    let sources = call.engine.store().sources(call.tenant).await?;
    Ok(http::json(200, &List::whole(sources.iter().map(api::Source::from).collect())))
}

pub(crate) async fn one<E: Engine>(call: Call<'_, E>, name: &str) -> Answer {
    let source = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &api::Source::from(&source)))
}

/// The tenant's source of that name.
async fn find<E: Engine>(call: &Call<'_, E>, name: &str) -> Result<Option<Source>, Refusal> {
    let name: SourceName = name.parse().map_err(|_| Problem::not_found())?;
    let found = call.engine.store().source(&name, 0).await?;
    Ok(found.filter(|source| source.tenant == *call.tenant))
}

pub(crate) async fn delete<E: Engine>(call: Call<'_, E>, name: &str) -> Answer {
    let source = find(&call, name).await?.ok_or_else(Problem::not_found)?;
    let before = told(&api::Source::from(&source));
    let told = Told { action: "source.deleted", target: name, before, after: None };
    let removed = call.change(Change::RemoveSource(&source), told).await?;
    removed.then(http::no_content).ok_or_else(|| Problem::not_found().into())
}

pub(crate) async fn put<E: Engine>(call: Call<'_, E>, name: &str) -> Answer {
    let name: SourceName = name.parse().map_err(|_| Problem::not_found())?;
    let mut body = Body::read(call.request)?;
    let Wanted { profile, secrets, tolerance_s } = read(&mut body);
    body.not_null("secrets");
    let found = Profile::find(call.engine, &profile).await?;
    if found.is_none() {
        body.fault("profile", "is not known: GET /v1/profiles lists them");
    }
    let known = found.unwrap_or_else(Profile::standard);
    for (index, text) in secrets.iter().enumerate() {
        if known.dialect.key(text).is_err() {
            body.fault(&format!("secrets/{index}"), &known.secret_shape());
        }
    }
    body.finish()?;
    let before = find(&call, name.as_str()).await?;
    if before.is_none() && is_full(&call).await? {
        let detail = format!("the tenant has {SOURCES_PER_TENANT_MAX} sources, its limit");
        return Err(Problem::unprocessable(vec![Fault::new("", &detail)]).into());
    }
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
    let view = api::Source::from(&source);
    let action = if before.is_some() { "source.updated" } else { "source.created" };
    let before = before.as_ref().and_then(|before| told(&api::Source::from(before)));
    let told = Told { action, target: source.name.as_str(), before, after: told(&view) };
    if call.change(Change::PutSource(&source), told).await? {
        Ok(http::json(200, &view))
    } else {
        Err(Problem::conflict("a source's name is unique in the deployment: this one is taken")
            .into())
    }
}

async fn is_full<E: Engine>(call: &Call<'_, E>) -> Result<bool, Refusal> {
    Ok(call.engine.store().sources(call.tenant).await?.len() >= SOURCES_PER_TENANT_MAX)
}
