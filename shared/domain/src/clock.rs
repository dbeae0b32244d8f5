//! Whether a clock is believed. A wall clock may be wrong, and may be set right at any moment: by itself it ends
//! nothing, and what was planned by it before is planned anew once it has jumped.
//!
//! [`Timeline`] compares a wall clock with the time that has passed, which no setting of the clock changes: that is
//! how one process knows of a jump, and by how much. [`Correction`] compares it with a time that others tell, as
//! each answer of AWS does. [`Jumps`] remembers how far a clock was moved, so that an age can be told in time that
//! has passed.

mod correction;
mod jumps;
mod timeline;

pub use correction::Correction;
pub use jumps::{Jump, Jumps};
pub use timeline::{LastSeen, Timeline};
