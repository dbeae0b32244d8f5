//! The binary as people run it: the server and the command line, over HTTP.

mod attacks;
mod audit;
mod audit_deliveries;
mod cli;
mod credentials;
mod health;
mod isolation;
mod kill;
mod local;
mod management;
mod profiles;
mod secrets;
mod verify_api;
mod verify_command;
