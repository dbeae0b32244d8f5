//! What a hook carries: id, timestamp and signatures, out of its headers and its body.

use crate::member::cut;
use crate::profile::{Header, Profile};
use crate::verify::Fault;

/// Bytes of a header that is read: room for 32 signatures of the longest kind.
const HEADER_BYTES_MAX: usize = 4_096;
/// Signatures that are tried. Two live secrets make two; others' variants may stand beside.
const SIGNATURES_MAX: usize = 32;

/// What was carried, and what was wrong with that.
#[derive(Default)]
pub(crate) struct CarriedParts<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    /// Each with its prefix.
    pub(crate) signatures: Vec<&'a str>,
    /// The signature that was in the body.
    pub(crate) member: Option<String>,
    pub(crate) faults: Vec<Fault>,
}

impl<'a> CarriedParts<'a> {
    /// Reads the profile's headers, and the body where it may hold the signature.
    pub(crate) fn read(
        profile: &Profile,
        header: &impl Fn(&str) -> Option<&'a str>,
        body: &[u8],
    ) -> Self {
        let mut carried = Self::default();
        for one in profile.headers.iter().filter(|one| !one.segments.is_empty()) {
            match header(&one.name).filter(|value| !value.is_empty()) {
                Some(value) if value.len() > HEADER_BYTES_MAX => {
                    carried.faults.push(Fault::TooLong(one.name.clone()));
                }
                Some(value) => carried.header(one, profile.join.as_deref(), value),
                None if one.required => carried.faults.push(Fault::Missing(one.name.clone())),
                None => {}
            }
        }
        if profile.body_member.is_some() {
            carried.member(profile, body);
        }
        if carried.id.is_some_and(|id| profile.is_ambiguous(id)) {
            carried.faults.push(Fault::Id);
        }
        carried
    }

    /// The signatures, the body's among them.
    pub(crate) fn all_signatures(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().copied().chain(self.member.as_deref())
    }

    /// Takes a header apart. In any order: Stripe's own readers do not look at it either.
    fn header(&mut self, header: &Header, join: Option<&str>, value: &'a str) {
        let has_signatures = header.template.has("signatures");
        let pieces: Vec<&str> = match join.filter(|_| has_signatures) {
            Some(join) => value.split(join).take(SIGNATURES_MAX + header.segments.len()).collect(),
            None => vec![value],
        };
        for piece in pieces {
            if !self.variable(header, piece) && has_signatures {
                let (before, after) = header
                    .segments
                    .iter()
                    .find(|segment| segment.variable == "signatures")
                    .map_or(("", ""), |segment| (&segment.before, &segment.after));
                let bare = piece.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                self.signatures.extend(bare);
            }
        }
        self.signatures.truncate(SIGNATURES_MAX);
        let lost = header.segments.iter().any(|segment| match segment.variable.as_str() {
            "id" => header.required && self.id.is_none(),
            "timestamp" => self.timestamp.is_none(),
            _ => self.signatures.is_empty(),
        });
        if lost {
            self.faults.push(Fault::Missing(header.name.clone()));
        }
    }

    /// Takes an id or a timestamp out of a piece, the first that there is.
    fn variable(&mut self, header: &Header, piece: &'a str) -> bool {
        for segment in &header.segments {
            let Some(value) = piece
                .strip_prefix(segment.before.as_str())
                .and_then(|rest| rest.strip_suffix(segment.after.as_str()))
            else {
                continue;
            };
            let place = match segment.variable.as_str() {
                "id" => &mut self.id,
                "timestamp" => &mut self.timestamp,
                _ => continue,
            };
            place.get_or_insert(value);
            return true;
        }
        false
    }

    /// The signature in the body: it must agree with the header's, where both are there.
    fn member(&mut self, profile: &Profile, body: &[u8]) {
        let name = profile.body_member.as_deref().unwrap_or_default();
        let text = std::str::from_utf8(body).unwrap_or_default();
        let cut = cut(text, name);
        let is_other = cut.as_ref().is_some_and(|cut| cut.found && cut.value.is_none());
        self.member = cut.and_then(|cut| cut.value);
        match (self.signatures.first(), &self.member) {
            (Some(header), Some(member)) if header != member => self.faults.push(Fault::Mismatch),
            (Some(_), None) if is_other => self.faults.push(Fault::Mismatch),
            (None, None) => {
                let name = profile.signature_header().unwrap_or(name);
                self.faults.push(Fault::Missing(name.to_owned()));
            }
            _ => {}
        }
    }
}
