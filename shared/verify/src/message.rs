//! Puts together what is signed: the parts of a profile's template. The body is not copied.

use crate::template::{Part, Template};

/// The bytes that a signature covers.
pub(crate) struct Message<'a>(Vec<&'a [u8]>);

impl<'a> Message<'a> {
    /// Fills the template; a variable without a value counts as empty.
    pub(crate) fn new(
        signed: &'a Template,
        id: Option<&'a str>,
        timestamp: Option<&'a str>,
        body: &'a [u8],
    ) -> Self {
        Self(
            signed
                .0
                .iter()
                .map(|part| match part {
                    Part::Text(text) => text.as_bytes(),
                    Part::Variable(name) => match name.as_str() {
                        "id" => id.unwrap_or_default().as_bytes(),
                        "timestamp" => timestamp.unwrap_or_default().as_bytes(),
                        _ => body,
                    },
                })
                .collect(),
        )
    }

    /// Makes a message of the body without anything else.
    pub(crate) fn body(body: &'a [u8]) -> Self {
        Self(vec![body])
    }

    pub(crate) fn parts(&self) -> &[&'a [u8]] {
        &self.0
    }

    /// All of it in one piece, for algorithms that read it twice.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }
}
