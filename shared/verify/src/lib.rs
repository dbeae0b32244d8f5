#![doc = "waxseal-verify"]
pub mod json;
