//! [`Guard`] in DynamoDB's words: what `Guard::allows` says, as a condition expression.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use waxseal_domain::delivery::Guard;

use super::item::{ms, number, text};

/// A condition expression and its values. `#status` always stands for `status`, a reserved word.
pub(super) struct Condition {
    pub(super) expression: &'static str,
    pub(super) values: HashMap<String, AttributeValue>,
}

pub(super) fn condition(guard: Guard) -> Condition {
    let open = || (":open", text("open"));
    let (expression, values) = match guard {
        Guard::FirstAttempt { born } => (
            "attribute_not_exists(pk) OR born < :born \
             OR (born = :born AND #status = :open AND attempts = :none)",
            vec![(":born", ms(born)), open(), (":none", number(0))],
        ),
        Guard::NextAttempt { born, attempts } => (
            "born = :born AND #status = :open AND attempts = :attempts",
            vec![(":born", ms(born)), open(), (":attempts", number(attempts))],
        ),
        Guard::Absent => ("attribute_not_exists(pk)", Vec::new()),
        Guard::Seen { born, status, attempts } => (
            "born = :born AND #status = :seen AND attempts = :attempts",
            vec![
                (":born", ms(born)),
                (":seen", text(status.as_str())),
                (":attempts", number(attempts)),
            ],
        ),
        Guard::NotFinal { born } => (
            "attribute_not_exists(pk) OR (born = :born AND #status = :open)",
            vec![(":born", ms(born)), open()],
        ),
    };
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Condition { expression, values }
}

impl Condition {
    /// Whether the expression names `status`.
    pub(super) fn names_status(&self) -> bool {
        self.expression.contains("#status")
    }
}
