//! The flows on the engines: in virtual time, by hand, over real sockets, and at random.

mod clock;
mod contract_embedded;
mod contract_simulation;
mod deliver;
mod document;
mod fuzz;
mod gate;
mod hostile;
mod priority;
mod recover;
mod schedule;
mod sender;
mod simulation;
mod targets;
mod template;
mod unreadable;
