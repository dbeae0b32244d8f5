//! Items with a version: written only over the version that was read.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use waxseal_flows::ports::EngineError;

use super::item::{Item, find_text, number, text};
use super::{DynamoStore, failure_at};
use crate::entropy::entropy;

/// Which version an item has, and which it is written over: none where there must be no item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Version {
    pub(super) new: u64,
    pub(super) over: Option<u64>,
}

impl DynamoStore {
    /// Puts an item; false if the stored one is of another version. `write` names this write: by it a
    /// refusal is known that is only the SDK's repetition, after the answer to the first call was lost.
    pub(super) async fn put_versioned(
        &self,
        step: &'static str,
        table: &str,
        mut item: Item,
        version: Version,
    ) -> Result<bool, EngineError> {
        let write = format!("{:032x}", entropy());
        item.insert("version".to_owned(), number(version.new));
        item.insert("write".to_owned(), text(write.as_str()));
        let put = self
            .dynamodb()
            .put_item()
            .table_name(table)
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match version.over {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(over) => put
                .condition_expression("#version = :over")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":over", number(over)),
        };
        let Err(error) = put.send().await else { return Ok(true) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let found = refusal.item().and_then(|item| find_text(item, "write"));
                Ok(found == Some(write.as_str()))
            }
            _ => Err(failure_at(step)(error)),
        }
    }
}
