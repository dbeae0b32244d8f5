//! Tells our own shortage from a receiver's failure, by the error of a connection that was not made.

use std::error::Error;
use std::io;

/// What this process or its machine can be short of, by the error number of Linux.
const SHORTAGES: [(i32, &str); 7] = [
    (11, "a moment to try: the system says to try again"), // EAGAIN, of a thread or of a route
    (12, "memory"),                                        // ENOMEM
    (23, "file handles of the machine"),                   // ENFILE
    (24, "file handles"),                                  // EMFILE
    (99, "ports of its own"),                              // EADDRNOTAVAIL
    (100, "a network"),                                    // ENETDOWN
    (105, "buffers"),                                      // ENOBUFS
];

/// Says what we were short of, if that is among an error's causes.
pub(crate) fn shortage_of(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && let Some(short_of) = of_io(error)
        {
            return Some(short_of);
        }
        cause = cause_of(error);
    }
    None
}

fn of_io(error: &io::Error) -> Option<&'static str> {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return Some("memory");
    }
    let number = error.raw_os_error()?;
    SHORTAGES.iter().find(|(known, _)| *known == number).map(|(_, short_of)| *short_of)
}

/// Finds what caused an error. The `source` of an `io::Error` would skip the error that it holds.
fn cause_of<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    match held {
        Some(held) => Some(held),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_lack_is_told_from_what_a_receiver_does() {
        let short_of = |number| shortage_of(&io::Error::from_raw_os_error(number));
        assert_eq!(short_of(24), Some("file handles"));
        assert_eq!(short_of(105), Some("buffers"));
        // Refused, reset, unreachable, timed out.
        for number in [111, 104, 101, 113, 110] {
            assert_eq!(short_of(number), None, "{number}");
        }
    }

    #[test]
    fn a_shortage_is_found_however_deep_it_lies() {
        let inner = io::Error::from_raw_os_error(24);
        let outer = io::Error::other(io::Error::other(inner));
        assert_eq!(shortage_of(&outer), Some("file handles"));
    }
}
