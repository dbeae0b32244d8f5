//! The flows on the engines: in virtual time, by hand, over real sockets, and at random.

mod bounds;
mod contract_embedded;
mod contract_simulation;
mod deliver;
mod document;
mod fuzz;
mod gate;
mod hostile;
mod priority;
mod recover;
mod returning;
mod schedule;
mod sender;
mod simulation;
mod targets;
mod template;
