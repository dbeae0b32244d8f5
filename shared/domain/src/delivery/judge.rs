//! Judges a message: whether it may make an attempt now. The delivery's row decides, and a message
//! only asks.

use crate::delivery::message::ReceivedMessage;
use crate::delivery::{Delivery, End, FailedReason, OpenState};
use crate::limits::{
    EARLINESS_MS_MAX, EVENT_RETENTION_S, EXPIRY_MARGIN_S, HOLDER_LATENESS_S_MAX, HOLDER_ONLY_S,
    PARK_AT_RECEIVE, WAIT_BY_VISIBILITY_S_MAX,
};
use crate::timestamp::Timestamp;

/// What a message may do with its delivery now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The attempt of this number is to be made now.
    Attempt(u32),
    /// The attempt of this number is to be made, once the message has claimed the row: it is so late that another
    /// message may be about to make it.
    ClaimThenAttempt(u32),
    /// The message must come again at this time, when the next attempt may be made.
    Wait(Timestamp),
    /// The delivery must rest until this time without a message; the sweep sends a new one.
    Park(Timestamp),
    /// The message has nothing to do and is removed.
    Drop,
    /// The endpoint's gate lets nothing through, so the delivery must rest until the gate releases
    /// it.
    Hold,
    /// The delivery must end without an attempt.
    End(End),
}

/// Decides what a message may do, by its delivery's row, the message itself, the time, and how long ago the event
/// was accepted, in time that has passed: a clock that has jumped makes no event older. §4 of the protocol lists the
/// cases in this order.
pub fn judge(
    row: Option<&Delivery>,
    received: &ReceivedMessage,
    now: Timestamp,
    event_age_ms: u64,
) -> Verdict {
    let message = &received.message;
    let row = match row {
        None => return first(event_age_ms),
        // An id may be used again once its event has expired. The row that is left of the earlier
        // event says nothing about this one.
        Some(row) if row.event_accepted_at < message.event_accepted_at => {
            return first(event_age_ms);
        }
        Some(row) if row.event_accepted_at > message.event_accepted_at => return Verdict::Drop,
        Some(row) => row,
    };
    let Some(open) = row.open() else { return Verdict::Drop };
    if is_expiring(event_age_ms) {
        return Verdict::End(End::Failed(FailedReason::Expired));
    }
    let number = row.attempts + 1;
    // A row that a late message has claimed counts from that claim, so that the others leave it
    // alone while the attempt is made.
    let since = open.next_at.max(open.taken_at.unwrap_or_default());
    if open.holder.as_ref() != Some(&message.ticket) {
        // After a backlog that outlasts the leases, every message is outdated when it is received:
        // the sweep has put a newer one into the row. If only the holder could make the attempt,
        // none would ever be made.
        let is_lost = now >= since.plus_s(HOLDER_ONLY_S);
        return if is_lost { Verdict::ClaimThenAttempt(number) } else { Verdict::Drop };
    }
    if now.plus_ms(EARLINESS_MS_MAX) < open.next_at {
        wait(open, received, now)
    // The holder is so late that any other message may soon make this attempt as well. After a
    // backlog they may all be received at once, so the row is claimed first and only one of them
    // goes on.
    } else if now < since.plus_s(HOLDER_LATENESS_S_MAX) {
        Verdict::Attempt(number)
    } else {
        Verdict::ClaimThenAttempt(number)
    }
}

fn first(event_age_ms: u64) -> Verdict {
    if is_expiring(event_age_ms) {
        Verdict::End(End::Failed(FailedReason::Expired))
    } else {
        Verdict::Attempt(1)
    }
}

fn wait(open: &OpenState, received: &ReceivedMessage, now: Timestamp) -> Verdict {
    // A message that waits in the queue takes one of its places in flight, and each time it comes
    // again counts as a receive. So only short waits are made there, and none near the receive at
    // which the queue would give the message up.
    let is_short = open.next_at.since_ms(now) <= WAIT_BY_VISIBILITY_S_MAX * 1_000;
    if is_short && received.receives < PARK_AT_RECEIVE {
        Verdict::Wait(open.next_at)
    } else {
        Verdict::Park(open.next_at)
    }
}

fn is_expiring(event_age_ms: u64) -> bool {
    // Not only once the event has expired: its row might go between this check and the read of its
    // payload.
    event_age_ms >= (EVENT_RETENTION_S - EXPIRY_MARGIN_S) * 1_000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::message::{Message, Receipt};
    use crate::delivery::priority::Priority;
    use crate::delivery::{CancelledReason, DeliveryKey, Status};

    const ACCEPTED_AT: Timestamp = Timestamp::from_ms(1_000_000);

    /// Judges by a clock that has never jumped.
    fn judge(row: Option<&Delivery>, received: &ReceivedMessage, now: Timestamp) -> Verdict {
        super::judge(row, received, now, now.since_ms(ACCEPTED_AT))
    }

    fn key() -> DeliveryKey {
        DeliveryKey {
            tenant: "acme".parse().unwrap(),
            event: "e1".parse().unwrap(),
            endpoint: "ep_1".parse().unwrap(),
        }
    }

    fn receive_message(ticket: &str, receives: u32) -> ReceivedMessage {
        let message = Message::reissue(&key(), ACCEPTED_AT, ticket.parse().unwrap(), ACCEPTED_AT);
        ReceivedMessage {
            message,
            receipt: Receipt { priority: Priority::Normal, handle: "r".into() },
            receives,
        }
    }

    fn open_row(holder: Option<&str>, next_at: Timestamp) -> Delivery {
        let mut row = Delivery::pending(key(), ACCEPTED_AT, Priority::Normal);
        row.attempts = 2;
        let holder = holder.map(|text| text.parse().unwrap());
        row.status = Status::Open(OpenState {
            next_at,
            holder,
            due_at: next_at,
            claims: 0,
            taken_at: None,
            held: false,
        });
        row
    }

    #[test]
    fn no_row_or_an_earlier_events_is_a_first_attempt() {
        assert_eq!(judge(None, &receive_message("t", 1), ACCEPTED_AT), Verdict::Attempt(1));
        let mut old = open_row(Some("x"), ACCEPTED_AT);
        old.event_accepted_at = Timestamp::from_ms(5);
        assert_eq!(judge(Some(&old), &receive_message("t", 1), ACCEPTED_AT), Verdict::Attempt(1));
    }

    #[test]
    fn a_later_events_row_and_a_final_one_drop_the_message() {
        let mut later = open_row(Some("t"), ACCEPTED_AT);
        later.event_accepted_at = ACCEPTED_AT.plus_ms(1);
        assert_eq!(judge(Some(&later), &receive_message("t", 1), ACCEPTED_AT), Verdict::Drop);
        for end in
            [End::Failed(FailedReason::Exhausted), End::Cancelled(CancelledReason::Requested)]
        {
            let ended = open_row(Some("t"), ACCEPTED_AT).end(end);
            assert_eq!(judge(Some(&ended), &receive_message("t", 1), ACCEPTED_AT), Verdict::Drop);
        }
    }

    #[test]
    fn the_holder_drives_when_due_and_a_second_early() {
        let row = open_row(Some("t"), ACCEPTED_AT.plus_s(10));
        let at = |ms| judge(Some(&row), &receive_message("t", 2), ACCEPTED_AT.plus_ms(ms));
        assert_eq!(at(9_000), Verdict::Attempt(3));
        assert_eq!(at(8_999), Verdict::Wait(ACCEPTED_AT.plus_s(10)));
    }

    #[test]
    fn the_holder_parks_a_long_wait_and_any_wait_from_receive_15_on() {
        let longest = open_row(Some("t"), ACCEPTED_AT.plus_s(WAIT_BY_VISIBILITY_S_MAX));
        assert_eq!(
            judge(Some(&longest), &receive_message("t", 2), ACCEPTED_AT),
            Verdict::Wait(ACCEPTED_AT.plus_s(150))
        );
        let long = open_row(Some("t"), ACCEPTED_AT.plus_s(WAIT_BY_VISIBILITY_S_MAX + 1));
        assert_eq!(
            judge(Some(&long), &receive_message("t", 2), ACCEPTED_AT),
            Verdict::Park(ACCEPTED_AT.plus_s(151))
        );
        let short = open_row(Some("t"), ACCEPTED_AT.plus_s(10));
        assert_eq!(
            judge(Some(&short), &receive_message("t", 15), ACCEPTED_AT),
            Verdict::Park(ACCEPTED_AT.plus_s(10))
        );
    }

    #[test]
    fn another_message_drops_until_the_holders_privilege_is_over() {
        for holder in [Some("h"), None] {
            let row = open_row(holder, ACCEPTED_AT);
            let at = |s| judge(Some(&row), &receive_message("t", 1), ACCEPTED_AT.plus_s(s));
            assert_eq!(at(HOLDER_ONLY_S - 1), Verdict::Drop);
            assert_eq!(at(HOLDER_ONLY_S), Verdict::ClaimThenAttempt(3));
        }
    }

    #[test]
    fn a_late_holder_takes_the_row_first_and_what_is_taken_is_left_alone() {
        let mut row = open_row(Some("h"), ACCEPTED_AT);
        let at = |row: &Delivery, ticket: &str, s| {
            judge(Some(row), &receive_message(ticket, 1), ACCEPTED_AT.plus_s(s))
        };
        assert_eq!(at(&row, "h", HOLDER_LATENESS_S_MAX - 1), Verdict::Attempt(3));
        assert_eq!(at(&row, "h", HOLDER_LATENESS_S_MAX), Verdict::ClaimThenAttempt(3));
        if let Status::Open(open) = &mut row.status {
            open.taken_at = Some(ACCEPTED_AT.plus_s(1_000));
        }
        assert_eq!(at(&row, "t", 1_000 + HOLDER_ONLY_S - 1), Verdict::Drop);
        assert_eq!(at(&row, "t", 1_000 + HOLDER_ONLY_S), Verdict::ClaimThenAttempt(3));
        assert_eq!(at(&row, "h", 1_001), Verdict::Attempt(3), "it has taken it itself");
    }

    #[test]
    fn an_event_that_expires_within_the_hour_ends_its_delivery() {
        let late = ACCEPTED_AT.plus_s(EVENT_RETENTION_S - EXPIRY_MARGIN_S);
        let ended = Verdict::End(End::Failed(FailedReason::Expired));
        assert_eq!(
            judge(Some(&open_row(Some("t"), ACCEPTED_AT)), &receive_message("t", 1), late),
            ended
        );
        assert_eq!(judge(None, &receive_message("t", 1), late), ended);
    }

    #[test]
    fn an_event_expires_by_the_time_that_has_passed_and_not_by_what_a_clock_shows() {
        let ahead = ACCEPTED_AT.plus_s(40 * 86_400);
        let row = open_row(Some("t"), ahead);
        let message = receive_message("t", 1);
        assert_eq!(super::judge(Some(&row), &message, ahead, 60_000), Verdict::Attempt(3));
        assert_eq!(super::judge(None, &message, ahead, 60_000), Verdict::Attempt(1));
    }
}
