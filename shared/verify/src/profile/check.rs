//! From a file's members to a profile, with every fault named.

use super::document::{Document, FormDocument, Pairs, SecretDocument, VariantDocument};
use super::{Header, Profile, ProfileFault, Segment, Variant};
use crate::algorithm::{Algorithm, Encoding};
use crate::secret::SecretForm;
use crate::template::{Around, Template};

const HEADERS_MAX: usize = 32;
const HEADER_NAME_BYTES_MAX: usize = 64;
const TEMPLATE_BYTES_MAX: usize = 256;
const TITLE_BYTES_MAX: usize = 100;
const ABOUT_BYTES_MAX: usize = 4_000;

const SIGNED: [&str; 3] = ["id", "timestamp", "body"];
/// What a header may hold: ours, and what the caller of `sign` fills in.
const CARRIED: [&str; 14] = [
    "id",
    "timestamp",
    "signatures",
    "type",
    "event_id",
    "attempt",
    "source",
    "subject",
    "time",
    "severity",
    "tenant",
    "endpoint",
    "dataschema",
    "datacontenttype",
];
/// Headers that frame the request are the HTTP client's.
const FRAMING: [&str; 6] =
    ["connection", "content-length", "content-type", "host", "te", "transfer-encoding"];

pub(super) fn check(document: Document) -> Result<Profile, ProfileFault> {
    let mut faults = Faults(Vec::new());
    faults.texts(&document);
    let signed = faults.template("signed", &document.signed, &SIGNED);
    faults.check_signed(&signed);
    let variants = faults.variants(&document.signatures, document.secret.form);
    faults.join(document.join.as_deref(), &variants);
    let secret = faults.secret(document.secret, &variants);
    let join = document.join.as_deref();
    let headers = faults.headers(&document.headers, join, &signed, document.body_member.is_some());
    faults.carriers(&headers, &signed, document.body_member.as_deref());
    if !faults.0.is_empty() {
        return Err(ProfileFault { faults: faults.0 });
    }
    Ok(Profile {
        name: document.name,
        title: document.title,
        about: document.about,
        secret,
        signed,
        variants,
        join: document.join,
        headers,
        body_member: document.body_member,
    })
}

struct Faults(Vec<String>);

impl Faults {
    fn require(&mut self, holds: bool, fault: impl Into<String>) {
        if !holds {
            self.0.push(fault.into());
        }
    }

    fn template(&mut self, place: &str, text: &str, known: &[&str]) -> Template {
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        self.require(printable, format!("{place}: must be printable ASCII"));
        let short = text.len() <= TEMPLATE_BYTES_MAX;
        self.require(short, format!("{place}: is over {TEMPLATE_BYTES_MAX} bytes"));
        Template::parse(text, known).unwrap_or_else(|fault| {
            self.0.push(format!("{place}: {fault}"));
            Template(Vec::new())
        })
    }

    fn texts(&mut self, document: &Document) {
        let name = (1..=32).contains(&document.name.len())
            && document
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        self.require(name, "name: must be 1 to 32 of a-z, 0-9 and -");
        let title = (1..=TITLE_BYTES_MAX).contains(&document.title.len());
        self.require(title, format!("title: must be 1 to {TITLE_BYTES_MAX} bytes"));
        let about = document.about.len() <= ABOUT_BYTES_MAX;
        self.require(about, format!("about: is over {ABOUT_BYTES_MAX} bytes"));
    }

    fn check_signed(&mut self, signed: &Template) {
        if signed.0.is_empty() {
            return;
        }
        self.require(signed.count("body") == 1, "signed: must have {body} once");
        for name in ["id", "timestamp"] {
            self.require(signed.count(name) <= 1, format!("signed: has {{{name}}} twice"));
        }
        self.require(
            !signed.has_touching_variables(),
            "signed: text must stand between two variables, or what is signed is ambiguous",
        );
        let digit = signed
            .after("timestamp")
            .is_some_and(|text| text.starts_with(|char: char| char.is_ascii_digit()));
        self.require(!digit, "signed: a digit must not follow {timestamp}");
    }

    fn variants(&mut self, documents: &[VariantDocument], form: FormDocument) -> Vec<Variant> {
        let mut variants: Vec<Variant> = Vec::new();
        for document in documents {
            let algorithm = document.algorithm;
            let double = variants.iter().any(|variant| variant.algorithm == algorithm);
            self.require(!double, format!("signatures: {algorithm:?} is there twice"));
            let text = form == FormDocument::Text && algorithm == Algorithm::Ed25519;
            self.require(!text, "signatures: ed25519 needs secrets of the form whsec");
            let item = self.template("signatures: item", &document.item, &["signature"]);
            match item.around("signature") {
                Some(Around { before, after }) => {
                    let encoding = document.encoding;
                    variants.push(Variant { algorithm, encoding, before, after });
                }
                None => self.0.push("signatures: item must have {signature} once".to_owned()),
            }
        }
        self.require(!documents.is_empty(), "signatures: must have one at least");
        variants
    }

    fn join(&mut self, join: Option<&str>, variants: &[Variant]) {
        let Some(join) = join else { return };
        let marks = (1..=4).contains(&join.len())
            && join.bytes().all(|byte| {
                (b' '..=b'~').contains(&byte)
                    && !byte.is_ascii_alphanumeric()
                    && !b"+/=_-{}".contains(&byte)
            });
        self.require(marks, "join: must be 1 to 4 marks that no signature has in it");
        let inside = variants.iter().any(|v| v.before.contains(join) || v.after.contains(join));
        self.require(join.is_empty() || !inside, "join: is part of an item");
    }

    fn secret(&mut self, document: SecretDocument, variants: &[Variant]) -> SecretForm {
        let whsec = document.form == FormDocument::Whsec;
        let generate = document.generate.unwrap_or_else(|| "{hex}".to_owned());
        let template = self.template("secret.generate", &generate, &["hex", "base64"]);
        let around = template.around("hex").map(|around| (around, Encoding::Hex));
        let around = around.or(template.around("base64").map(|around| (around, Encoding::Base64)));
        let Some((Around { before, after }, encoding)) = around else {
            self.0.push("secret.generate: must have {hex} or {base64} once".to_owned());
            return SecretForm::default();
        };
        self.require(before.len() + after.len() <= 128, "secret.generate: is over 128 bytes");
        let hmac = variants.iter().any(|variant| variant.algorithm == Algorithm::HmacSha256);
        SecretForm { whsec, hmac, optional: document.optional, before, after, encoding }
    }

    fn headers(
        &mut self,
        pairs: &Pairs,
        join: Option<&str>,
        signed: &Template,
        in_body: bool,
    ) -> Vec<Header> {
        self.require(pairs.0.len() <= HEADERS_MAX, format!("headers: over {HEADERS_MAX}"));
        let mut headers: Vec<Header> = Vec::new();
        for (name, text) in pairs.0.iter().take(HEADERS_MAX) {
            self.require(
                is_header_name(name),
                format!("headers: {name:?} must be a token in lower case"),
            );
            self.require(
                !FRAMING.contains(&name.as_str()),
                format!("headers: {name} is not a profile's to set"),
            );
            let double = headers.iter().any(|header| header.name == *name);
            self.require(!double, format!("headers: {name} is there twice"));
            let template = self.template(&format!("headers: {name}"), text, &CARRIED);
            let segments = self.segments(name, &template, join);
            let required = template.has("timestamp")
                || (template.has("signatures") && !in_body)
                || (template.has("id") && signed.has("id"));
            headers.push(Header { name: name.clone(), template, segments, required });
        }
        headers
    }

    /// How a header is read: cut at `join` where it carries signatures, one variable in each piece.
    fn segments(&mut self, name: &str, template: &Template, join: Option<&str>) -> Vec<Segment> {
        if !["id", "timestamp", "signatures"].iter().any(|variable| template.has(variable)) {
            return Vec::new();
        }
        let pieces = match join {
            Some(join) if template.has("signatures") => template.split(join),
            _ => vec![template.clone()],
        };
        let mut segments = Vec::new();
        for piece in &pieces {
            let found = ["id", "timestamp", "signatures"].iter().find_map(|variable| {
                let Around { before, after } = piece.around(variable)?;
                Some(Segment { before, variable: (*variable).to_owned(), after })
            });
            match found {
                Some(segment) => segments.push(segment),
                None => self.0.push(format!(
                    "headers: {name}: {{id}}, {{timestamp}} and {{signatures}} must each stand alone, or between joins"
                )),
            }
        }
        segments
    }

    fn carriers(&mut self, headers: &[Header], signed: &Template, body_member: Option<&str>) {
        for name in ["id", "timestamp", "signatures"] {
            let carriers: usize = headers.iter().map(|header| header.template.count(name)).sum();
            self.require(carriers <= 1, format!("headers: {{{name}}} is carried twice"));
            let signs = signed.has(name);
            self.require(
                carriers > 0 || !signs,
                format!("headers: {{{name}}} is signed, and no header carries it"),
            );
            let needed = name == "signatures" && body_member.is_none();
            self.require(carriers > 0 || !needed, "headers: none carries {signatures}");
        }
        if let Some(member) = body_member {
            let name = (1..=64).contains(&member.len())
                && member.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            self.require(name, "body_member: must be 1 to 64 of a-z, A-Z, 0-9, _ and -");
        }
    }
}

fn is_header_name(name: &str) -> bool {
    (1..=HEADER_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
        })
}
