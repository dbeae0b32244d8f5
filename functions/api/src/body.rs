//! Reading a body member by member: every fault at once, each naming its pointer.

use waxseal_adapters::http::{self, Request};
use waxseal_domain::json::{Fault, Json, escape_pointer};
use waxseal_domain::limits::REQUEST_BYTES_MAX;
use waxseal_domain::problem::Problem;

/// An object's members, those read and those not, and what was wrong.
pub(crate) struct Body<'a> {
    members: Vec<(std::borrow::Cow<'a, str>, Json<'a>)>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
}

impl<'a> Body<'a> {
    /// The request's body, an object; an empty body is one without members.
    pub(crate) fn read(request: &'a Request) -> Result<Self, Problem> {
        let text = http::text(request, REQUEST_BYTES_MAX)?;
        let text = if text.trim().is_empty() { "{}" } else { text };
        let json = Json::parse(text).map_err(|fault| match fault.pointer.as_str() {
            "" => Problem::bad_request(format!("the body {}", fault.detail)),
            _ => Problem::unprocessable(vec![fault]),
        })?;
        match json {
            Json::Object(members) => Ok(Self { members, known: Vec::new(), faults: Vec::new() }),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                let fault = Fault::new("", "must be an object");
                Err(Problem::unprocessable(vec![fault]))
            }
        }
    }

    /// A member; none where it is missing. `Json::Null` is a member.
    pub(crate) fn member(&mut self, name: &'static str) -> Option<Json<'a>> {
        self.known.push(name);
        self.members.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    /// A member that is text; outer none where it is missing or at fault, inner where it is null.
    pub(crate) fn text(&mut self, name: &'static str, chars_max: usize) -> Option<Option<String>> {
        match self.member(name)? {
            Json::Null => Some(None),
            value => {
                let fits = |text: &&str| (1..=chars_max).contains(&text.chars().count());
                let text = value.as_str().filter(fits).map(str::to_owned);
                if text.is_none() {
                    let detail = format!("must be text of 1 to {chars_max} characters");
                    self.fault(name, &detail);
                }
                text.map(Some)
            }
        }
    }

    /// A member that is a whole number in a range; as with [`Self::text`].
    pub(crate) fn whole(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Option<Option<u64>> {
        match self.member(name)? {
            Json::Null => Some(None),
            value => {
                let number = whole(&value).filter(|number| range.contains(number));
                if number.is_none() {
                    let detail =
                        format!("must be a whole number, {} to {}", range.start(), range.end());
                    self.fault(name, &detail);
                }
                number.map(Some)
            }
        }
    }

    /// A member that is true or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        match self.member(name)? {
            Json::Bool(flag) => Some(flag),
            Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                self.fault(name, "must be true or false");
                None
            }
        }
    }

    /// A member that must be there: a fault if it is missing; one at fault is not named twice.
    pub(crate) fn require(&mut self, name: &'static str) {
        if !self.members.iter().any(|(found, _)| found == name) {
            self.fault(name, "is required");
        }
    }

    /// A fault of the member at this path.
    pub(crate) fn fault(&mut self, path: &str, detail: &str) {
        self.faults.push(Fault::new(&format!("/{path}"), detail));
    }

    /// Faults that name their own pointers.
    pub(crate) fn faults(&mut self, faults: Vec<Fault>) {
        self.faults.extend(faults);
    }

    /// 422 if anything was wrong, members that nobody asked for included.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.members {
            if !self.known.iter().any(|known| known == name) {
                let pointer = format!("/{}", escape_pointer(name));
                self.faults.push(Fault::new(&pointer, "is not a member that this takes"));
            }
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::unprocessable(self.faults)) }
    }
}

/// A whole number that is not negative: `5`, but not `5.5` nor `"5"`.
pub(crate) fn whole(value: &Json<'_>) -> Option<u64> {
    match value {
        Json::Number(text) => text.parse().ok(),
        Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
    }
}
