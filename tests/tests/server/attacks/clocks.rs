//! A clock that jumps loses nothing.
