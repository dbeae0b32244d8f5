//! Third parties: their verifiers, signers, web frameworks, generators and testers against ours.

mod clients;
mod packages;
mod schemathesis;
mod signers;
mod sixth;
mod systems;
