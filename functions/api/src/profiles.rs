//! Profiles: the wire contracts that endpoints choose from.

use serde::Serialize;
use waxseal_adapters::http::{self, Response};
use waxseal_domain::problem::Problem;
use waxseal_domain::profile::{PROFILES, Profile};

use crate::{Answer, List};

#[derive(Serialize)]
struct ProfileView {
    name: &'static str,
    title: &'static str,
    headers: Vec<&'static str>,
    delays_s: &'static [u32],
    timeout_ms: u32,
    secret: &'static str,
}

impl ProfileView {
    fn of(profile: &'static Profile) -> Self {
        Self {
            name: profile.name,
            title: profile.title,
            headers: profile.headers.iter().map(|(name, _)| *name).collect(),
            delays_s: profile.delays_s,
            timeout_ms: profile.timeout_ms,
            secret: profile.secret.shape(),
        }
    }
}

pub(crate) fn list() -> Response {
    let items: Vec<_> = PROFILES.iter().map(|profile| ProfileView::of(profile)).collect();
    http::json(200, &List { items, cursor: None })
}

pub(crate) fn one(name: &str) -> Answer {
    let profile = Profile::named(name).ok_or_else(Problem::not_found)?;
    Ok(http::json(200, &ProfileView::of(profile)))
}
