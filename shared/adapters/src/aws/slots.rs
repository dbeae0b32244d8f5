//! Slots in DynamoDB: an endpoint's are attributes of one row, each `<until, 13 digits>#<holder>`, so
//! that a condition compares their times as text.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use waxseal_domain::flow_control::concurrency::{Lease, Slot, SlotRequest, Slots};
use waxseal_domain::id::{EndpointId, TenantName};
use waxseal_domain::timestamp::Timestamp;
use waxseal_flows::ports::EngineError;

use super::item::{ALONE, Item, key, number, parse, text, unreadable};
use super::{DynamoStore, failure_at};

/// Names of the attributes begin so.
const SLOT: &str = "slot";
/// Another instance may take what was free a moment ago: so often another slot is tried.
const TRIES_MAX: usize = 3;
/// A row that nobody has used for so long is removed, in seconds.
const UNUSED_S: u64 = 24 * 3_600;

impl DynamoStore {
    /// The slot that is offered, by what is known of the others: nothing at first, and after a refusal
    /// all of them.
    pub(super) async fn lease_slot(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        wanted: &SlotRequest,
    ) -> Result<Option<Slot>, EngineError> {
        let mut known = Slots::default();
        for _ in 0..TRIES_MAX {
            let Some(number) = known.offer(wanted) else { return Ok(None) };
            let slot = Slot { number, lease: wanted.lease.clone() };
            if known.0.get(&number) == Some(&wanted.lease) {
                return Ok(Some(slot));
            }
            match self.write_lease(tenant, endpoint, &slot, wanted.now).await? {
                None => return Ok(Some(slot)),
                Some(found) => known = found,
            }
        }
        Ok(None)
    }

    /// Writes a lease under the condition that its slot is free. None where it is written;
    /// otherwise the slots as they are.
    async fn write_lease(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
        now: Timestamp,
    ) -> Result<Option<Slots>, EngineError> {
        let unused_from = slot.lease.until.plus_s(UNUSED_S).seconds();
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(slots_key(tenant, endpoint)))
            .update_expression("SET #slot = :lease, #ttl = :ttl")
            .condition_expression("attribute_not_exists(#slot) OR #slot < :now")
            .expression_attribute_names("#slot", attribute(slot))
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":lease", text(lease_value(&slot.lease)))
            // An attribute is `<until>#<holder>`, and `~` is greater than `#`: so a lease that ends
            // exactly now counts as over.
            .expression_attribute_values(":now", text(format!("{:013}~", now.ms())))
            .expression_attribute_values(":ttl", number(unused_from))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = update.send().await else { return Ok(None) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(refusal)) => {
                refusal.item().map(read).transpose().map(|found| Some(found.unwrap_or_default()))
            }
            _ => Err(failure_at("take slot")(error)),
        }
    }

    /// Gives a slot back. Where another attempt holds it by now, nothing is left to do.
    pub(super) async fn end_lease(
        &self,
        tenant: &TenantName,
        endpoint: &EndpointId,
        slot: &Slot,
    ) -> Result<(), EngineError> {
        let update = self
            .dynamodb()
            .update_item()
            .table_name(self.state_table()?)
            .set_key(Some(slots_key(tenant, endpoint)))
            .update_expression("REMOVE #slot")
            .condition_expression("#slot = :lease")
            .expression_attribute_names("#slot", attribute(slot))
            .expression_attribute_values(":lease", text(lease_value(&slot.lease)));
        let Err(error) = update.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(failure_at("give back slot")(error)),
        }
    }
}

fn slots_key(tenant: &TenantName, endpoint: &EndpointId) -> Item {
    key(format!("C#{tenant}#{endpoint}"), ALONE)
}

fn attribute(slot: &Slot) -> String {
    format!("{SLOT}{}", slot.number)
}

fn lease_value(lease: &Lease) -> String {
    format!("{:013}#{}", lease.until.ms(), lease.holder)
}

fn read(item: &Item) -> Result<Slots, EngineError> {
    let numbered = item
        .iter()
        .filter_map(|(name, value)| name.strip_prefix(SLOT).map(|number| (number, value)));
    let leases = numbered.map(|(number, value)| {
        let number = parse::<u32>(SLOT, number)?;
        let halves = value.as_s().ok().and_then(|written| written.split_once('#'));
        let (until, holder) = halves.ok_or_else(|| unreadable(SLOT, "is not in its form"))?;
        let until = Timestamp::from_ms(parse(SLOT, until)?);
        Ok((number, Lease { holder: parse(SLOT, holder)?, until }))
    });
    leases.collect::<Result<_, EngineError>>().map(Slots)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::item::attributes;

    #[test]
    fn a_lease_is_read_as_it_was_written_and_is_in_order_as_text() {
        let lease = |ms| Lease { holder: "abc".parse().unwrap(), until: Timestamp::from_ms(ms) };
        assert!(lease_value(&lease(999_999_999_999)) < lease_value(&lease(1_790_000_000_000)));
        let item = attributes([("slot7", text(lease_value(&lease(5)))), ("ttl", number(1_u64))]);
        let slots = read(&item).unwrap();
        assert_eq!(slots.0.into_iter().collect::<Vec<_>>(), [(7, lease(5))]);
        assert!(read(&attributes([("slot1", text("x"))])).is_err());
        assert!(
            read(&attributes([("slotx", text(lease_value(&lease(5))))])).is_err(),
            "not one less"
        );
    }
}
