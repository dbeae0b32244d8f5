//! What the machine tells of itself.

use std::net::{IpAddr, UdpSocket};

/// Whether an address is one of this machine's: only to those can a socket be bound. Nothing is sent, and an interface
/// that was added since the start is known as well. Where the system lets sockets be bound to any address, every
/// address counts as ours.
pub fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_ours_and_a_documents_example_is_not() {
        assert!(is_local("127.0.0.1".parse().unwrap()));
        assert!(is_local("127.0.0.9".parse().unwrap()));
        assert!(!is_local("192.0.2.1".parse().unwrap()));
    }
}
