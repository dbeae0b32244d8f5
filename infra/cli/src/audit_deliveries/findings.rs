//! What an audit has found, for a person or a program.

use serde_json::{Value, json};
use waxseal_api_types::DeliveryStatus;
use waxseal_domain::history::{Standing, Violation};
use waxseal_domain::limits::AUDIT_FINDINGS_MAX;

use crate::failure::{CommandResult, Failure};
use crate::output::{plain, print, print_json_text};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) events: u64,
    delivered: u64,
    failed: u64,
    cancelled: u64,
    open: u64,
    violations: Vec<Violation>,
    /// Those beyond the ones that are kept.
    more: u64,
    is_json: bool,
}

impl Findings {
    pub(super) fn new(is_json: bool) -> Self {
        Self { is_json, ..Self::default() }
    }

    pub(super) fn count(&mut self, status: DeliveryStatus) {
        match status.standing() {
            Standing::Open => self.open += 1,
            Standing::Delivered => self.delivered += 1,
            Standing::Failed => self.failed += 1,
            Standing::Cancelled => self.cancelled += 1,
        }
    }

    pub(super) fn extend(&mut self, violations: impl IntoIterator<Item = Violation>) {
        for violation in violations {
            if self.violations.len() < AUDIT_FINDINGS_MAX {
                self.violations.push(violation);
            } else {
                self.more += 1;
            }
        }
    }

    /// Prints them; `Failure::Said` where a promise is broken.
    pub(super) fn tell(&self) -> CommandResult {
        if self.is_json {
            print_json_text(&self.json().to_string())?;
        } else {
            print(&self.text())?;
        }
        if self.violations.is_empty() { Ok(()) } else { Err(Failure::Said) }
    }

    fn json(&self) -> Value {
        let mut violations = Vec::new();
        for Violation { kind, id, found } in &self.violations {
            violations.push(json!({"kind": kind.as_str(), "id": id, "found": found}));
        }
        let Self { events, delivered, failed, cancelled, open, more, .. } = self;
        json!({
            "events": events,
            "deliveries": {
                "delivered": delivered, "failed": failed, "cancelled": cancelled, "open": open,
            },
            "violations": violations,
            "more": more,
        })
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        for violation in &self.violations {
            lines.push(format!("{}: {}", violation.kind.as_str(), plain(&violation.to_string())));
        }
        let Self { events, delivered, failed, cancelled, open, more, .. } = self;
        let deliveries = delivered + failed + cancelled + open;
        lines.push(format!(
            "{events} events, {deliveries} deliveries: {delivered} delivered, {failed} failed, \
             {cancelled} cancelled, {open} open."
        ));
        let broken = u64::try_from(self.violations.len()).unwrap_or(u64::MAX).saturating_add(*more);
        lines.push(match broken {
            0 => "No promise is broken.".to_owned(),
            1 => "One promise is broken.".to_owned(),
            count if *more > 0 => {
                format!("{count} promises are broken; {more} of them are not listed.")
            }
            count => format!("{count} promises are broken."),
        });
        lines.join("\n")
    }
}
