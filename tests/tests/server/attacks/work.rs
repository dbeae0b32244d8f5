//! Work that somebody else decides.
