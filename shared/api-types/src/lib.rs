//! What goes over the API, once: requests, answers, problems, and an example of each.
//!
//! The server writes these types, the command line reads them, and the OpenAPI document is made of their
//! JSON Schemas and examples. So the three cannot disagree: a member that is renamed here is renamed for
//! all, and whoever still uses the old name does not compile. The doc comments of this crate *are* the
//! descriptions of the document; they are written for people who know nothing of the code.
//!
//! The nouns themselves are the domain's. Where an answer shows one of them, the conversion stands beside
//! the answer's type. What a flow comes to is translated by the function that calls it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`event`], [`delivery`] | what was sent, and what became of it |
//! | [`endpoint`] | where deliveries go; its secrets, tests, matches and recoveries |
//! | [`event_type`], [`source`], [`verify`] | the catalogue, and incoming hooks |
//! | [`tenant`], [`key`], [`audit`], [`profile`], [`deployment`] | what is administered |
//! | [`problem`], [`list`] | how errors and lists look, everywhere |
//!
//! Why these dependencies: `serde` and `serde_json` write and read JSON, raw values keeping a payload's
//! bytes as they came; `schemars` makes the JSON Schemas.

mod word;

pub mod audit;
pub mod delivery;
pub mod deployment;
pub mod endpoint;
pub mod event;
pub mod event_type;
pub mod key;
pub mod list;
pub mod pattern;
pub mod problem;
pub mod profile;
pub mod source;
pub mod tenant;
pub mod verify;

pub use audit::AuditEntry;
pub use delivery::{Attempt, Delivery, DeliveryStatus, Outcome};
pub use deployment::{Check, CheckStatus, KeySet, Serving, Status, WebKey};
pub use endpoint::{CreatedEndpoint, Endpoint, EndpointChanges, NewEndpoint};
pub use event::{Acceptance, Event};
pub use event_type::{EventType, NewEventType};
pub use key::{Identity, Key, NewKey, Scope};
pub use list::List;
pub use problem::{Fault, Problem};
pub use profile::Profile;
pub use source::{NewSource, Source};
pub use tenant::{NewTenant, Tenant};
pub use verify::{Question, Verdict};

use serde_json::value::RawValue;

/// The time at which most examples happen.
const EXAMPLE_TIME: &str = "2026-11-21T12:00:00Z";

/// JSON text of an example, as it is written here.
fn example_json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("examples are JSON")
}
