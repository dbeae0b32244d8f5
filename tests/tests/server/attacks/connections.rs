//! What a client without a key can hold.
