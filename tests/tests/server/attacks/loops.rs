//! Deliveries that come back to us.
