//! Power cuts: the real embedded engine, in WAL and with its own pragmas and connections, on a simulated disk.
//!
//! `kill -9` cannot show what a power cut does: the operating system keeps what a killed process wrote. Here
//! SQLite calls a file system of ours, which knows what was synced. At a cut everything that was not may be
//! lost, torn, or in another order; then the engine is opened again on what is left.
//!
//! | module | is |
//! | --- | --- |
//! | [`disk`] | files, what of them is on the medium, and what becomes of the rest |
//! | [`locks`] | who holds a file, and who holds a slot of the shared memory |
//! | [`vfs`] | the file system that SQLite calls: it hands each call to a disk |
//! | [`shm`] | the memory that connections share in WAL |
//! | [`machine`] | the engine on such a disk, its receivers and its clock |
//! | [`workload`] | what senders, the queue, the sweep and people do between two cuts |
//! | [`ledger`] | what was promised, and whether it is still there |
//! | [`run`](mod@run) | a seed from its first start to its last check |

pub mod disk;
pub mod ledger;
pub mod locks;
pub mod machine;
pub mod run;
pub mod shm;
pub mod vfs;
pub mod workload;
