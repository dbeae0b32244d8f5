//! Which of a pattern's fields must match: all of some, and one pattern of every `$or`.

use crate::work::{Meter, Metered, any};

/// Fields as bits, by their order in the pattern. More than [`super::ALTERNATIVES_MAX`] there are not.
pub(super) type Fields = u128;

/// The fields that must match: all of `all`, and those of one pattern of each choice.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Formula {
    pub(super) all: Fields,
    pub(super) choices: Vec<Vec<Formula>>,
}

impl Formula {
    /// Adds what `other` asks for to what this formula asks for.
    pub(super) fn and(&mut self, other: Self) {
        self.all |= other.all;
        self.choices.extend(other.choices);
    }

    /// The fields, if there is no `$or`.
    pub(super) fn without_choices(&self) -> Option<Fields> {
        self.choices.is_empty().then_some(self.all)
    }

    /// Whether it holds if these fields match.
    pub(super) fn holds(&self, matching: Fields) -> bool {
        self.all & !matching == 0
            && self.choices.iter().all(|choice| choice.iter().any(|one| one.holds(matching)))
    }

    /// How many combinations there are.
    pub(super) fn combinations(&self) -> usize {
        self.choices
            .iter()
            .map(|choice| choice.iter().map(Self::combinations).fold(0, usize::saturating_add))
            .fold(1, usize::saturating_mul)
    }

    /// Whether some combination passes, of those that have none but the `possible` fields.
    pub(super) fn any_combination(
        &self,
        possible: Fields,
        meter: &Meter,
        passes: &impl Fn(Fields) -> Metered<bool>,
    ) -> Metered<bool> {
        if self.all & !possible != 0 {
            return Ok(false);
        }
        let choices: Vec<_> = self.choices.iter().collect();
        some_combination_passes(self.all, &choices, possible, meter, passes)
    }
}

/// Takes one pattern of the first choice, and goes on with the others and with its own.
fn some_combination_passes(
    chosen: Fields,
    choices: &[&Vec<Formula>],
    possible: Fields,
    meter: &Meter,
    passes: &impl Fn(Fields) -> Metered<bool>,
) -> Metered<bool> {
    let Some((choice, rest)) = choices.split_first() else { return passes(chosen) };
    meter.spend(choices.len() + choice.len())?;
    any(choice.iter().filter(|one| one.holds(possible)), |one| {
        let open: Vec<_> = rest.iter().copied().chain(&one.choices).collect();
        some_combination_passes(chosen | one.all, &open, possible, meter, passes)
    })
}
