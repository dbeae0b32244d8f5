//! A delivery's guard, as a condition expression of DynamoDB.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use waxseal_domain::delivery::{Guard, StatusName};
use waxseal_domain::timestamp::Timestamp;

use super::item::{Item, ms, number, text};

/// A condition expression with just the names and values that it uses: DynamoDB refuses more.
#[derive(Debug, PartialEq)]
pub(super) struct Condition {
    pub(super) expression: &'static str,
    pub(super) names: Option<HashMap<String, String>>,
    pub(super) values: Option<Item>,
}

const FIRST_ATTEMPT: &str = "attribute_not_exists(pk) OR #born < :born \
    OR (#born = :born AND #status = :status AND #attempts = :attempts)";
const SEEN: &str = "#born = :born AND #status = :status AND #attempts = :attempts";
const ABSENT: &str = "attribute_not_exists(pk)";

/// Writes what [`Guard::allows`] says as a condition expression. The contract suite compares the
/// two on every kind of row.
pub(super) fn condition(guard: Guard) -> Condition {
    match guard {
        Guard::FirstAttempt { event_accepted_at } => {
            unchanged(FIRST_ATTEMPT, event_accepted_at, StatusName::Open, 0)
        }
        Guard::NextAttempt { event_accepted_at, attempts } => {
            unchanged(SEEN, event_accepted_at, StatusName::Open, attempts)
        }
        Guard::Absent => Condition { expression: ABSENT, names: None, values: None },
        Guard::Seen { event_accepted_at, status, attempts } => {
            unchanged(SEEN, event_accepted_at, status, attempts)
        }
    }
}

fn unchanged(
    expression: &'static str,
    event_accepted_at: Timestamp,
    status: StatusName,
    attempts: u32,
) -> Condition {
    let used: [(&str, AttributeValue); 3] = [
        ("born", ms(event_accepted_at)),
        ("status", text(status.as_str())),
        ("attempts", number(attempts)),
    ];
    let names = used.iter().map(|(name, _)| (format!("#{name}"), (*name).to_owned())).collect();
    let values = used.iter().map(|(name, value)| (format!(":{name}"), value.clone())).collect();
    Condition { expression, names: Some(names), values: Some(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: Guard, expression: &str, values: &[(&str, &str)]) {
        let condition = condition(guard);
        assert_eq!(condition.expression, expression);
        let mut found: Vec<(String, String)> = condition
            .values
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| {
                let text = value.as_s().or_else(|_| value.as_n()).unwrap().clone();
                (name, text)
            })
            .collect();
        found.sort();
        let expected: Vec<(String, String)> =
            values.iter().map(|(name, value)| (format!(":{name}"), (*value).to_owned())).collect();
        assert_eq!(found, expected);
        let names = condition.names.unwrap_or_default();
        assert_eq!(names.len(), values.len());
        for (name, _) in values {
            assert_eq!(names[&format!("#{name}")], **name);
            assert!(expression.contains(&format!("#{name} ")), "{name} is used");
        }
    }

    const ACCEPTED_AT: Timestamp = Timestamp::from_ms(7);

    #[test]
    fn a_first_attempt_needs_no_row_an_earlier_one_or_an_untried_one() {
        let expression = "attribute_not_exists(pk) OR #born < :born \
                          OR (#born = :born AND #status = :status AND #attempts = :attempts)";
        let values = [("attempts", "0"), ("born", "7"), ("status", "open")];
        check(Guard::FirstAttempt { event_accepted_at: ACCEPTED_AT }, expression, &values);
    }

    #[test]
    fn a_later_attempt_needs_the_open_row_with_those_before() {
        let expression = "#born = :born AND #status = :status AND #attempts = :attempts";
        let values = [("attempts", "2"), ("born", "7"), ("status", "open")];
        check(
            Guard::NextAttempt { event_accepted_at: ACCEPTED_AT, attempts: 2 },
            expression,
            &values,
        );
    }

    #[test]
    fn absent_needs_no_row() {
        check(Guard::Absent, "attribute_not_exists(pk)", &[]);
    }

    #[test]
    fn seen_needs_the_row_that_was_seen() {
        let expression = "#born = :born AND #status = :status AND #attempts = :attempts";
        for status in [StatusName::Delivered, StatusName::Failed, StatusName::Cancelled] {
            let values = [("attempts", "3"), ("born", "7"), ("status", status.as_str())];
            check(
                Guard::Seen { event_accepted_at: ACCEPTED_AT, status, attempts: 3 },
                expression,
                &values,
            );
        }
    }
}
