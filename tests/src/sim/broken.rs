//! Guards of the protocol, each of which can be removed: the simulation must notice. They are removed
//! in the simulation's own ports, so that the product holds no switch.

/// A guard that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenGuard {
    /// Every message of a delivery has the same ticket, so each is "the holder".
    TicketAsHolder,
    /// What was sent without an answer is sent again under the same ticket.
    NewTicketOnUnknownAnswer,
    /// A row that waits by visibility, or is held, is not in the due index.
    Watch,
    /// A claim takes the row out of the index.
    Lease,
    /// Every claim leases for two minutes.
    DoublingLease,
    /// Nobody but the holder ever drives; and no doubling.
    PrivilegeAndDoubling,
    /// A first receive goes unread however old its message is.
    Fresh,
    /// Attempt 1 is recorded only where there is no row at all.
    AttemptsZero,
    /// A replay opens the row outside of the index.
    ReplayUnderTheIndex,
    /// A refused record acknowledges its message; and there is no watch.
    JudgeOnRefusal,
    /// An event is written over the one of its id.
    Dedupe,
    /// A duplicate is acknowledged without a look at what was never sent.
    ResendOnDuplicate,
    /// A panic ends the whole batch.
    CaughtPanic,
    /// A gate goes as soon as it holds nothing.
    Linger,
    /// What a shut gate meets is acknowledged, and no row says that it is held.
    HoldWritesARow,
    /// An endpoint has as many slots as are asked for.
    Slots,
    /// Nobody sees that an endpoint is paused.
    Pause,
    /// A cancel is written over whatever was recorded meanwhile.
    CancelUnderSeen,
    /// Nobody hears what time the store's answers tell.
    ToldTime,
    /// How old an event is follows from what the clock shows.
    ReckonedAge,
    /// A jump of the clock moves nothing that is planned.
    MovedSchedule,
}

impl BrokenGuard {
    /// Every guard that can be broken.
    pub const ALL: [Self; 21] = [
        Self::TicketAsHolder,
        Self::NewTicketOnUnknownAnswer,
        Self::Watch,
        Self::Lease,
        Self::DoublingLease,
        Self::PrivilegeAndDoubling,
        Self::Fresh,
        Self::AttemptsZero,
        Self::ReplayUnderTheIndex,
        Self::JudgeOnRefusal,
        Self::Dedupe,
        Self::ResendOnDuplicate,
        Self::CaughtPanic,
        Self::Linger,
        Self::HoldWritesARow,
        Self::Slots,
        Self::Pause,
        Self::CancelUnderSeen,
        Self::ToldTime,
        Self::ReckonedAge,
        Self::MovedSchedule,
    ];
}
