//! What was written and not yet synced, and which of it a cut lets reach the medium.

use waxseal_tests::rng::Rng;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A change of a file, since it was synced last.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

/// What a cut leaves of the changes that were not synced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Survival {
    Nothing,
    Everything,
    /// The first ones: they were written in their order.
    Beginning,
    /// Some of them, in any order.
    Some,
    /// Some sectors of some of them, in any order.
    Torn,
}

impl Survival {
    /// One of them at random; a cut tears more often than not.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        use Survival::{Beginning, Everything, Nothing, Some, Torn};
        *rng.pick(&[Nothing, Everything, Beginning, Some, Some, Torn, Torn, Torn])
    }

    /// The changes that reach the medium, in the order in which they do.
    pub(super) fn choose(self, unsynced: &[Change], rng: &mut Rng) -> Vec<Change> {
        let all = || unsynced.iter().cloned();
        match self {
            Self::Nothing => Vec::new(),
            Self::Everything => all().collect(),
            Self::Beginning => {
                let most = rng.below(offset(unsynced.len()) + 1);
                all().take(usize::try_from(most).expect("a length")).collect()
            }
            Self::Some => shuffle(all().filter(|_| rng.one_in(2)).collect(), rng),
            Self::Torn => {
                let mut pieces: Vec<Change> = unsynced.iter().flat_map(Change::sectors).collect();
                let one_in = rng.within(2, 20);
                let loses_most = rng.one_in(2);
                pieces.retain(|_| rng.one_in(one_in) == loses_most);
                shuffle(pieces, rng)
            }
        }
    }
}

impl Change {
    /// The parts of it that a disk writes one by one.
    fn sectors(&self) -> Vec<Self> {
        let Self::Write { at, bytes } = self else { return vec![self.clone()] };
        let mut parts = Vec::new();
        let (mut at, mut rest) = (*at, bytes.as_slice());
        while !rest.is_empty() {
            let length = (SECTOR - at % SECTOR).min(rest.len());
            let (part, after) = rest.split_at(length);
            parts.push(Self::Write { at, bytes: part.to_vec() });
            (at, rest) = (at + length, after);
        }
        parts
    }
}

fn shuffle(mut changes: Vec<Change>, rng: &mut Rng) -> Vec<Change> {
    for last in (1..changes.len()).rev() {
        let other = rng.below(offset(last) + 1);
        changes.swap(last, usize::try_from(other).expect("a length"));
    }
    changes
}

/// Makes a change on the medium. What lies between its end and a write behind it is what the disk had there.
pub(super) fn apply(image: &mut Vec<u8>, change: &Change, filler: u8) {
    match change {
        Change::Write { at, bytes } => {
            let end = at + bytes.len();
            if image.len() < end {
                image.resize(end, filler);
            }
            image[*at..end].copy_from_slice(bytes);
        }
        Change::Resize(length) => image.resize(*length, filler),
    }
}

/// A count as the 64 bits that offsets and random numbers have.
pub(super) fn offset(count: usize) -> u64 {
    u64::try_from(count).expect("a length")
}
