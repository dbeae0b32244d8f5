//! What keeps the flow to an endpoint, or from a key, within bounds.
//!
//! | read | for |
//! | --- | --- |
//! | [`gate`] | what holds the deliveries of an endpoint in trouble, and releases them at a pace |
//! | [`breaker`] | the count of failures that opens a gate |
//! | [`rate`] | attempts a second, counted in one place for all instances |
//! | [`concurrency`] | attempts that are under way at the same time |
//! | [`throttle`] | what an API key, a source or a tenant may do, counted for many at a time |
//! | [`tenant_bounds`] | what every tenant may do at the most |

pub mod breaker;
pub mod concurrency;
pub mod gate;
pub mod rate;
pub mod tenant_bounds;
pub mod throttle;
