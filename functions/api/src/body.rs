//! Reading a body member by member: every fault at once, each naming its pointer.
//!
//! The same code says what a body looks like: [`describe`] has a reader go through a body without
//! members and writes down, as JSON Schema, each that it asks for. So the OpenAPI document cannot say
//! other than what is read. What a member means is told by the doc comments of the request's type.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use waxseal_adapters::http::{self, Request};
use waxseal_domain::json::{Fault, Json, escape_pointer};
use waxseal_domain::limits::REQUEST_BYTES_MAX;
use waxseal_domain::problem::Problem;
use waxseal_domain::timestamp::Timestamp;

/// A member of a merge patch. One at fault counts as absent: the faults are the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum PatchValue<T> {
    /// It is not there.
    #[default]
    Absent,
    /// It is null: back to the default.
    Null,
    /// The member has this value.
    Value(T),
}

impl<T> PatchValue<T> {
    /// The value, if there is one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The value made into another; absent where that cannot be.
    pub(crate) fn map<U>(self, make: impl FnOnce(T) -> Option<U>) -> PatchValue<U> {
        match self {
            Self::Absent => PatchValue::Absent,
            Self::Null => PatchValue::Null,
            Self::Value(value) => make(value).map_or(PatchValue::Absent, PatchValue::Value),
        }
    }

    /// What becomes of a member that was `before`.
    pub(crate) fn apply_to(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Absent => before,
            Self::Null => None,
            Self::Value(value) => Some(value),
        }
    }
}

/// An object's members, those read and those not, and what was wrong.
pub(crate) struct Body<'a> {
    text: &'a str,
    members: Vec<(Cow<'a, str>, Json<'a>)>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
    /// Where it is described, not read.
    shape: Option<Shape>,
}

/// What a body looks like.
#[derive(Default)]
struct Shape {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
}

/// Makes the JSON Schema of what a reader takes. The reader says what each member must be like; the request's
/// type `T`, whose doc comments are for callers, says what it means.
pub(crate) fn describe<T: JsonSchema>(read: impl FnOnce(&mut Body<'static>)) -> Value {
    let shape = Some(Shape::default());
    let mut body =
        Body { text: "{}", members: Vec::new(), known: Vec::new(), faults: Vec::new(), shape };
    read(&mut body);
    let Shape { mut properties, required } = body.shape.unwrap_or_default();
    let meant = SchemaGenerator::default().into_root_schema_for::<T>();
    for (name, property) in &mut properties {
        let about = meant.as_value().pointer(&format!("/properties/{name}/description"));
        if let (Value::Object(property), Some(about)) = (property, about) {
            property.insert("description".to_owned(), about.clone());
        }
    }
    let required = (!required.is_empty()).then(|| ("required".to_owned(), json!(required)));
    let about = meant.get("description").cloned().unwrap_or_default();
    let schema = [
        ("description".to_owned(), about),
        ("type".to_owned(), json!("object")),
        ("additionalProperties".to_owned(), json!(false)),
        ("properties".to_owned(), properties.into()),
    ];
    schema.into_iter().chain(required).collect()
}

impl<'a> Body<'a> {
    /// The request's body, an object; an empty body is one without members.
    pub(crate) fn read(request: &'a Request) -> Result<Self, Problem> {
        let sent = http::text(request, REQUEST_BYTES_MAX)?;
        let text = if sent.trim().is_empty() { "{}" } else { sent };
        let json = Json::parse(text).map_err(|fault| match fault.pointer.as_str() {
            "" => Problem::bad_request(format!("the body {}", fault.detail)),
            _ => Problem::unprocessable(vec![fault]),
        })?;
        let Json::Object(members) = json else {
            return Err(Problem::unprocessable(vec![Fault::new("", "must be an object")]));
        };
        Ok(Self { text, members, known: Vec::new(), faults: Vec::new(), shape: None })
    }

    /// A member, of this JSON Schema; none where it is missing. `Json::Null` is a member.
    pub(crate) fn member(
        &mut self,
        name: &'static str,
        schema: impl FnOnce() -> Value,
    ) -> Option<Json<'a>> {
        if let Some(shape) = &mut self.shape {
            shape.properties.insert(name.to_owned(), schema());
        }
        self.known.push(name);
        self.members.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    /// A member, for a look ahead.
    pub(crate) fn peek(&self, name: &str) -> Option<&Json<'a>> {
        self.members.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// A member that is taken and not looked at.
    pub(crate) fn pass_over(&mut self, name: &'static str) {
        self.known.push(name);
    }

    /// A member that is text.
    pub(crate) fn text(&mut self, name: &'static str, chars_max: usize) -> PatchValue<String> {
        self.read_with(
            name,
            || json!({"type": ["string", "null"], "minLength": 1, "maxLength": chars_max}),
            |value| {
                value
                    .as_str()
                    .filter(|text| (1..=chars_max).contains(&text.chars().count()))
                    .map(str::to_owned)
            },
            || format!("must be text of 1 to {chars_max} characters"),
        )
    }

    /// A member that is one of these words.
    pub(crate) fn word(
        &mut self,
        name: &'static str,
        words: &'static [&'static str],
    ) -> PatchValue<&'static str> {
        let read = |value: &Json<'_>| {
            let word = value.as_str()?;
            words.iter().copied().find(|known| *known == word)
        };
        self.read_with(
            name,
            || {
                let words = words.iter().map(|word| json!(word)).chain([Value::Null]);
                json!({"enum": words.collect::<Vec<_>>()})
            },
            read,
            || format!("must be one of {}", words.join(", ")),
        )
    }

    /// A member that is a time.
    pub(crate) fn time(&mut self, name: &'static str) -> PatchValue<Timestamp> {
        let since_1970 = "^(19[7-9][0-9]|[2-9][0-9]{3})-";
        self.read_with(
            name,
            || json!({"type": ["string", "null"], "format": "date-time", "pattern": since_1970}),
            |value| value.as_str().and_then(Timestamp::parse_rfc3339),
            || "must be a time as in RFC 3339".to_owned(),
        )
    }

    /// A member's own text, whatever it is; none where it is missing or null.
    pub(crate) fn raw(
        &mut self,
        name: &'static str,
        schema: impl FnOnce() -> Value,
    ) -> Option<Box<RawValue>> {
        self.member(name, schema).filter(|value| *value != Json::Null)?;
        let members: BTreeMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(self.text).ok()?;
        members.get(name).map(|raw| (*raw).to_owned())
    }

    /// A fault where a member is null; it need not be there.
    pub(crate) fn not_null(&mut self, name: &'static str) {
        if let Some(types) = self.schema_of(name).and_then(|schema| schema.get_mut("type"))
            && let Some(only) = types.as_array().and_then(|types| types.first()).cloned()
        {
            *types = only;
        }
        if self.members.iter().any(|(found, value)| found == name && *value == Json::Null) {
            self.fault(name, "must not be null");
        }
    }

    fn schema_of(&mut self, name: &str) -> Option<&mut Value> {
        self.shape.as_mut()?.properties.get_mut(name)
    }

    /// Says more of a member that was just asked for, where it is described.
    pub(crate) fn about(&mut self, name: &str, more: impl FnOnce() -> Value) {
        if let Some(Value::Object(schema)) = self.schema_of(name)
            && let Value::Object(more) = more()
        {
            schema.extend(more);
        }
    }

    /// A member that is a whole number in a range.
    pub(crate) fn whole(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> PatchValue<u64> {
        let (least, most) = (range.start(), range.end());
        self.read_with(
            name,
            || json!({"type": ["integer", "null"], "minimum": least, "maximum": most}),
            |value| whole(value).filter(|number| range.contains(number)),
            || format!("must be a whole number, {least} to {most}"),
        )
    }

    /// A member that is true or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> PatchValue<bool> {
        self.read_with(
            name,
            || json!({"type": ["boolean", "null"]}),
            Json::as_bool,
            || "must be true or false".to_owned(),
        )
    }

    /// A member that `read` makes something of, or is `null`.
    pub(crate) fn read_with<T>(
        &mut self,
        name: &'static str,
        schema: impl FnOnce() -> Value,
        read: impl FnOnce(&Json<'a>) -> Option<T>,
        shape: impl FnOnce() -> String,
    ) -> PatchValue<T> {
        let Some(value) = self.member(name, schema) else { return PatchValue::Absent };
        if value == Json::Null {
            return PatchValue::Null;
        }
        read(&value).map_or_else(
            || {
                self.fault(name, &shape());
                PatchValue::Absent
            },
            PatchValue::Value,
        )
    }

    /// A member that must be there: a fault if it is missing; one at fault is not named twice.
    pub(crate) fn require(&mut self, name: &'static str) {
        if let Some(shape) = &mut self.shape {
            shape.required.push(name);
            return;
        }
        if !self.members.iter().any(|(found, _)| found == name) {
            self.fault(name, "is required");
        }
    }

    /// A fault of the member at this path; one at fault is not named twice.
    pub(crate) fn fault(&mut self, path: &str, detail: &str) {
        self.fault_once(Fault::new(&format!("/{path}"), detail));
    }

    /// Adds a fault, unless that member is at fault already.
    pub(crate) fn fault_once(&mut self, fault: Fault) {
        if self.faults.iter().all(|found| found.pointer != fault.pointer) {
            self.faults.push(fault);
        }
    }

    /// Faults that name their own pointers.
    pub(crate) fn faults(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// 422 if anything was wrong, members that nobody asked for included.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        self.end()
    }

    /// The same, for a reader that has only borrowed the body.
    pub(crate) fn end(&mut self) -> Result<(), Problem> {
        for (name, _) in &self.members {
            if !self.known.iter().any(|known| known == name) {
                let pointer = format!("/{}", escape_pointer(name));
                self.faults.push(Fault::new(&pointer, "is not a member of this request"));
            }
        }
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Problem::unprocessable(std::mem::take(&mut self.faults)))
        }
    }
}

/// A whole number that is not negative: `5` and `5.0`, as JSON Schema has it, but not `5.5` nor `"5"`.
pub(crate) fn whole(value: &Json<'_>) -> Option<u64> {
    let Json::Number(text) = value else { return None };
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        // Written without its fraction: what is too large for that does not fit any range either.
        (number.fract() == 0.0).then(|| format!("{number:.0}").parse().ok())?
    })
}
