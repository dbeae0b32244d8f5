//! Regular expressions that requests and answers share, as JSON Schema has them.

/// Matches text without control characters.
pub const PRINTABLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// Matches the type of an event that a sender may send: types that begin with `waxseal.` are ours.
pub const EVENT_TYPE: &str = r"^(?!waxseal\.)[^\u0000-\u001f\u007f-\u009f]*$";

/// Matches base 64 with its padding.
pub const BASE64: &str = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$";
