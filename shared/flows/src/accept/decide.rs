//! What becomes of events before anything is stored: each is read, and matched with the tenant's endpoints. Senders and
//! tenants decide what that costs, so what is more than a little is done where it holds up nobody.

use std::sync::Arc;

use waxseal_domain::endpoint::Endpoint;
use waxseal_domain::endpoint::subscription::{Candidate, Undecided, select};
use waxseal_domain::event::{AcceptedEvent, Event, Submission};
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::limits::{
    EVENT_BYTES_MAX, MATCH_STEPS_IN_PLACE, MATCH_STEPS_MAX, READ_BYTES_IN_PLACE,
};
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;

use crate::ports::{Clock as _, Engine, TenantEndpoints, WorkOwner};
use crate::refusal::Refusal;

/// What one event comes to.
pub(super) type Decision = Result<Decided, Refusal>;

/// An event that can be accepted, as far as it alone is looked at.
pub(super) struct Decided {
    pub(super) accepted: AcceptedEvent,
    /// When it came.
    pub(super) at: Timestamp,
    /// The endpoints that want it, unless nobody can say.
    pub(super) wanting: Result<Vec<EndpointId>, Undecided>,
}

/// How many steps the events of one request may still take in place.
pub(super) struct Room {
    steps: u64,
}

/// An event, and what its acceptance needs beside it.
#[derive(Clone)]
struct Draft<S> {
    submission: S,
    at: Timestamp,
    entropy: u128,
}

impl Room {
    /// Gives room to a request's events; none where they are long.
    pub(super) fn of(submissions: &[Submission]) -> Self {
        let bytes: usize = submissions.iter().map(|submission| submission.text.len()).sum();
        Self { steps: if bytes <= READ_BYTES_IN_PLACE { MATCH_STEPS_IN_PLACE } else { 0 } }
    }
}

/// Decides on some events, in place where that takes few steps, and else when it is the tenant's turn.
pub(super) async fn decide<E: Engine>(
    engine: &E,
    tenant: &TenantName,
    endpoints: &Arc<TenantEndpoints>,
    submissions: &[Submission],
    room: &mut Room,
) -> Vec<Decision> {
    let drafts: Vec<_> = submissions
        .iter()
        .map(|submission| Draft { submission, at: engine.clock().now(), entropy: engine.entropy() })
        .collect();
    if let Some(decisions) = decide_in_place(tenant, endpoints, &drafts, room) {
        return decisions;
    }
    let bytes = submissions.iter().map(|submission| submission.text.len()).sum();
    let owned: Vec<_> = drafts.iter().map(Draft::to_owned_draft).collect();
    let (owner, endpoints) = (tenant.clone(), Arc::clone(endpoints));
    let work = move || {
        let one = |draft: Draft<Submission>| {
            let Draft { submission, at, entropy } = draft;
            let draft = Draft { submission: &submission, at, entropy };
            decide_one(&owner, &endpoints, &draft, MATCH_STEPS_MAX).0
        };
        owned.into_iter().map(one).collect::<Vec<_>>()
    };
    match engine.work(&WorkOwner::Tenant(tenant.clone()), bytes, work).await {
        Ok(decisions) => decisions,
        Err(busy) => drafts.iter().map(|_| Err(Refusal::Busy(busy))).collect(),
    }
}

/// Decides on all events; none where it takes more steps than there is room for.
fn decide_in_place(
    tenant: &TenantName,
    endpoints: &[Endpoint],
    drafts: &[Draft<&Submission>],
    room: &mut Room,
) -> Option<Vec<Decision>> {
    let mut decisions = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if room.steps == 0 {
            return None;
        }
        let (decision, steps) = decide_one(tenant, endpoints, draft, room.steps);
        room.steps = room.steps.saturating_sub(steps);
        let wanting = decision.as_ref().ok().map(|decided| &decided.wanting);
        if let Some(Err(Undecided::TooDear(_))) = wanting {
            return None;
        }
        decisions.push(decision);
    }
    Some(decisions)
}

/// Decides on one event within so many steps, and says how many it took.
fn decide_one(
    tenant: &TenantName,
    endpoints: &[Endpoint],
    draft: &Draft<&Submission>,
    steps: u64,
) -> (Decision, u64) {
    let Draft { submission, at, entropy } = *draft;
    if submission.text.len() > EVENT_BYTES_MAX {
        return (Err(Problem::too_large("an event", EVENT_BYTES_MAX).into()), 0);
    }
    let accepted = match Event::accept(tenant, submission, at, entropy) {
        Ok(accepted) => accepted,
        Err(faults) => return (Err(Problem::unprocessable(faults).into()), 0),
    };
    let candidate = Candidate::new(&accepted.event, steps);
    let wanting = select(endpoints, &candidate);
    let steps = candidate.steps();
    let ids = |found: Vec<usize>| {
        let wanting = found.into_iter().filter_map(|at| endpoints.get(at));
        wanting.map(|endpoint| endpoint.id.clone()).collect()
    };
    let wanting = wanting.map(ids);
    (Ok(Decided { accepted, at, wanting }), steps)
}

impl Draft<&Submission> {
    fn to_owned_draft(&self) -> Draft<Submission> {
        Draft { submission: self.submission.clone(), at: self.at, entropy: self.entropy }
    }
}
