//! A delivery's row as an item, and back. The only place that knows its attributes.

use waxseal_domain::delivery::priority::Priority;
use waxseal_domain::delivery::{Delivery, DeliveryKey, OpenState, Status, StatusName};
use waxseal_domain::id::{EndpointId, EventId, TenantName, Ticket};
use waxseal_flows::ports::{Due, EngineError};

use super::item::{
    Item, json, key, ms, number, optional_text, parse, read_json, read_ms, read_number, read_text,
    text, unreadable,
};

/// The partition key of an event and its deliveries.
pub(super) fn event_pk(tenant: &TenantName, event: &EventId) -> String {
    format!("E#{tenant}#{event}")
}

/// The key of a delivery's item.
pub(super) fn delivery_key(delivery: &DeliveryKey) -> Item {
    key(event_pk(&delivery.tenant, &delivery.event), format!("D#{}", delivery.endpoint))
}

/// The partition key of an endpoint's list.
pub(super) fn endpoint_key(tenant: &TenantName, endpoint: &EndpointId) -> String {
    format!("{tenant}#{endpoint}")
}

/// The priority that is written; a row without one has the other.
const CRITICAL: &str = "critical";

/// What a held delivery's shard begins with.
const HELD: &str = "H#";

/// The shard of the due index that holds what an endpoint's gate holds.
pub(super) fn held_shard(tenant: &TenantName, endpoint: &EndpointId) -> String {
    format!("{HELD}{tenant}#{endpoint}")
}

/// The shard of the due index that a delivery is in.
pub(super) fn due_shard(key: &DeliveryKey, held: bool) -> String {
    if held { held_shard(&key.tenant, &key.endpoint) } else { key.due_shard().to_string() }
}

/// A delivery's whole item: in the due index while open, in its endpoint's list unless it
/// succeeded at first, and removed by time only once it is final.
pub(super) fn item_of(row: &Delivery) -> Result<Item, EngineError> {
    let mut item = delivery_key(&row.key);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("born", ms(row.event_accepted_at));
    set("status", text(StatusName::from(&row.status).as_str()));
    set("attempts", number(row.attempts));
    set("base", number(row.attempts_before_round));
    set("log", json(&row.log)?);
    if row.priority == Priority::Critical {
        set("lane", text(CRITICAL));
    }
    if let Some(reason) = row.reason_word() {
        set("reason", text(reason));
    }
    if let Some(open) = row.open() {
        set("next_at", ms(open.next_at));
        set("due_shard", text(due_shard(&row.key, open.held)));
        set("due_at", ms(open.due_at));
        set("claims", number(open.claims));
        if let Some(at) = open.taken_at {
            set("taken_at", ms(at));
        }
        if let Some(holder) = &open.holder {
            set("holder", text(holder.as_str()));
        }
    }
    if let Some(at) = row.expires_at() {
        set("ttl", number(at.seconds()));
    }
    if row.is_listed() {
        set("endpoint_key", text(endpoint_key(&row.key.tenant, &row.key.endpoint)));
    }
    Ok(item)
}

/// The row of an item.
pub(super) fn row_of(item: &Item) -> Result<Delivery, EngineError> {
    Ok(Delivery {
        key: key_of(item)?,
        event_accepted_at: read_ms(item, "born")?,
        status: status_of(item)?,
        attempts: read_number(item, "attempts")?,
        attempts_before_round: read_number(item, "base")?,
        log: read_json(item, "log")?,
        priority: priority_of(item)?,
    })
}

/// Which delivery an item of the table, or of an index, is.
pub(super) fn key_of(item: &Item) -> Result<DeliveryKey, EngineError> {
    let (pk, sk) = (read_text(item, "pk")?, read_text(item, "sk")?);
    let mut parts = pk.split('#');
    let (Some("E"), Some(tenant), Some(event), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(unreadable("pk", "is no delivery's"));
    };
    let endpoint = sk.strip_prefix("D#").ok_or_else(|| unreadable("sk", "is no delivery's"))?;
    Ok(DeliveryKey {
        tenant: parse("pk", tenant)?,
        event: parse("pk", event)?,
        endpoint: parse("sk", endpoint)?,
    })
}

/// An entry of the due index.
pub(super) fn due_of(item: &Item) -> Result<Due, EngineError> {
    Ok(Due {
        key: key_of(item)?,
        due_at: read_ms(item, "due_at")?,
        next_at: read_ms(item, "next_at")?,
        claims: read_number(item, "claims")?,
        priority: priority_of(item)?,
    })
}

fn priority_of(item: &Item) -> Result<Priority, EngineError> {
    match optional_text(item, "lane")? {
        Some(CRITICAL) => Ok(Priority::Critical),
        None => Ok(Priority::Normal),
        Some(_) => Err(unreadable("lane", "is none of ours")),
    }
}

fn status_of(item: &Item) -> Result<Status, EngineError> {
    let status = read_text(item, "status")?;
    if status != StatusName::Open.as_str() {
        return Status::read_end(status, optional_text(item, "reason")?)
            .map_err(|error| EngineError::unreadable("read item", error));
    }
    let ticket_text = optional_text(item, "holder")?;
    let holder: Option<Ticket> = ticket_text.map(|ticket| parse("holder", ticket)).transpose()?;
    Ok(Status::Open(OpenState {
        next_at: read_ms(item, "next_at")?,
        holder,
        due_at: read_ms(item, "due_at")?,
        claims: read_number(item, "claims")?,
        held: read_text(item, "due_shard")?.starts_with(HELD),
        taken_at: item.contains_key("taken_at").then(|| read_ms(item, "taken_at")).transpose()?,
    }))
}

#[cfg(test)]
mod tests {
    use waxseal_domain::delivery::{CancelledReason, End, FailedReason};
    use waxseal_domain::timestamp::Timestamp;

    use super::*;
    use crate::aws::item::find_text;

    fn pending_row() -> Delivery {
        let key = DeliveryKey {
            tenant: "acme".parse().unwrap(),
            event: "a_b:c-1".parse().unwrap(),
            endpoint: "ep_1".parse().unwrap(),
        };
        Delivery::pending(key, Timestamp::from_ms(1_000), Priority::Normal)
    }

    #[test]
    fn a_row_is_read_back() {
        let held = pending_row().reopen("t1".parse().unwrap(), Timestamp::from_ms(5_000));
        let ends = [End::Failed(FailedReason::Gone), End::Cancelled(CancelledReason::Requested)];
        let ended = ends.map(|end| pending_row().end(end));
        let delivered = Delivery { status: Status::Delivered, attempts: 1, ..pending_row() };
        let critical = Delivery { priority: Priority::Critical, ..pending_row() };
        assert_eq!(due_of(&item_of(&critical).unwrap()).unwrap().priority, Priority::Critical);
        for row in [vec![pending_row(), critical, held, delivered], ended.to_vec()].concat() {
            assert_eq!(row_of(&item_of(&row).unwrap()).unwrap(), row);
        }
    }

    #[test]
    fn an_attribute_in_another_form_is_an_error_and_not_as_if_it_were_missing() {
        for (name, value) in
            [("lane", text("slow")), ("holder", number(1_u32)), ("base", text("0"))]
        {
            let mut item = item_of(&pending_row()).unwrap();
            item.insert(name.to_owned(), value);
            assert!(row_of(&item).is_err(), "{name}");
        }
    }

    #[test]
    fn an_open_row_is_in_the_due_index_and_never_expires() {
        let item = item_of(&pending_row()).unwrap();
        assert!(item.contains_key("due_shard") && !item.contains_key("ttl"));
        assert_eq!(find_text(&item, "endpoint_key"), Some("acme#ep_1"));
        assert_eq!(due_of(&item).unwrap().key, pending_row().key);
    }

    #[test]
    fn a_first_try_success_is_in_no_index() {
        let row = Delivery { status: Status::Delivered, attempts: 1, ..pending_row() };
        let item = item_of(&row).unwrap();
        let indexed = ["due_shard", "due_at", "endpoint_key"];
        assert!(indexed.iter().all(|name| !item.contains_key(*name)));
        assert!(item.contains_key("ttl"));
    }

    #[test]
    fn an_items_key_reads_in_one_way_only() {
        for (pk, sk) in [("E#a#b#c", "D#ep_1"), ("T#a", "D#ep_1"), ("E#a#b", "#")] {
            assert!(key_of(&key(pk, sk)).is_err(), "{pk} {sk}");
        }
    }
}
