//! A profile: one dialect of signatures, as data. A further sender is a further file, and no code.

mod check;
mod document;
mod files;

use std::sync::{Arc, LazyLock};

pub use document::ProfileFault;
pub use files::FILES;

use crate::algorithm::{Algorithm, Encoding};
use crate::secret::SecretForm;
use crate::template::Template;

/// What is signed, how, and where it is carried. Cheap to share by [`Arc`].
#[derive(Clone, Debug)]
pub struct Profile {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) about: String,
    pub(crate) secret: SecretForm,
    pub(crate) signed: Template,
    pub(crate) variants: Vec<Variant>,
    /// Stands between several signatures; none where the header carries one only.
    pub(crate) join: Option<String>,
    pub(crate) headers: Vec<Header>,
    pub(crate) body_member: Option<String>,
}

/// How the signatures of one algorithm are written.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) algorithm: Algorithm,
    pub(crate) encoding: Encoding,
    /// The text before each signature, such as `v1,`.
    pub(crate) before: String,
    /// The text after each signature.
    pub(crate) after: String,
}

/// A header, to write and to read.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) template: Template,
    /// How it is read: its variables, each with the text around it. Empty where a receiver need
    /// not read it.
    pub(crate) segments: Vec<Segment>,
    /// Whether a receiver refuses a hook without it.
    pub(crate) required: bool,
}

/// A variable in a header, with the text around it.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) before: String,
    pub(crate) variable: String,
    pub(crate) after: String,
}

/// The headers of Standard Webhooks.
const STANDARD_HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

static BUILTIN: LazyLock<Vec<Arc<Profile>>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(_, text)| {
            Arc::new(Profile::parse(text).expect("a test reads each of the crate's own files"))
        })
        .collect()
});

impl Profile {
    /// The profile of a file of this crate.
    pub fn find_builtin(name: &str) -> Option<Arc<Self>> {
        BUILTIN.iter().find(|profile| profile.name == name).cloned()
    }

    /// The profiles of this crate's files, `standard` first.
    pub fn builtins() -> &'static [Arc<Self>] {
        &BUILTIN
    }

    /// Returns the profile of the Standard Webhooks specification.
    pub(crate) fn standard() -> &'static Self {
        BUILTIN.first().expect("standard is the first of FILES")
    }

    /// Returns the name by which the profile is chosen.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the profile's name for people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the text that tells people what is signed and what a receiver must hash.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Whether a hook may go out unsigned.
    pub fn secret_is_optional(&self) -> bool {
        self.secret.optional
    }

    /// Returns the algorithms that the profile's signatures may be of.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.variants.iter().map(|variant| variant.algorithm)
    }

    /// Returns the names of the profile's headers, in lower case, in order.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|header| header.name.as_str())
    }

    /// Returns the name of the header that carries the signatures, if one does.
    pub fn signature_header(&self) -> Option<&str> {
        self.carrier("signatures").map(|header| header.name.as_str())
    }

    /// The top-level member of the body that carries the signature, if one does.
    pub fn body_member(&self) -> Option<&str> {
        self.body_member.as_deref()
    }

    /// Whether Standard Webhooks' three headers may stand beside its own: they add nothing where
    /// the id and the time are signed already, and cannot where their names are taken.
    pub fn takes_standard_beside(&self) -> bool {
        let taken = self.header_names().any(|name| STANDARD_HEADERS.contains(&name));
        !(taken || self.signed.has("id") && self.signed.has("timestamp"))
            && self.variant(Algorithm::HmacSha256).is_some()
    }

    pub(crate) fn carrier(&self, variable: &str) -> Option<&Header> {
        self.headers.iter().find(|header| header.template.has(variable))
    }

    pub(crate) fn variant(&self, algorithm: Algorithm) -> Option<&Variant> {
        self.variants.iter().find(|variant| variant.algorithm == algorithm)
    }
}

impl Variant {
    /// What is between its prefix and suffix.
    pub(crate) fn strip<'t>(&self, item: &'t str) -> Option<&'t str> {
        item.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())
    }
}
