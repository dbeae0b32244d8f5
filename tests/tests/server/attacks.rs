//! Each known attack on a running server, with its bound: what `SECURITY.md` promises, tried.

mod clocks;
mod connections;
mod files;
mod loops;
mod work;
