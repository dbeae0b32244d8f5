//! A signature in the body: a top-level member that it cannot cover, cut out of the text.

use std::borrow::Cow;

use crate::json::{Node, javascript, parse, survives, units};

/// A body without its signature member.
pub(crate) struct Cut {
    /// The text as it came, the member and its comma cut out.
    pub(crate) text: String,
    /// Whether the member was there.
    pub(crate) found: bool,
    /// The member's value, where it is text.
    pub(crate) value: Option<String>,
}

/// Cuts the member out. None where the text is no JSON object, or has the member twice: then
/// nobody can say which one a receiver takes.
pub(crate) fn cut(text: &str, name: &str) -> Option<Cut> {
    let Node::Object(members) = parse(text)? else { return None };
    let wanted = units(name);
    let mut found = members.iter().enumerate().filter(|(_, member)| units(member.name) == wanted);
    let Some((index, member)) = found.next() else {
        return Some(Cut { text: text.to_owned(), found: false, value: None });
    };
    if found.next().is_some() {
        return None;
    }
    let previous = index.checked_sub(1).and_then(|index| members.get(index));
    let (from, to) = match (previous, members.get(index + 1)) {
        (Some(previous), _) => (previous.place.end, member.place.end),
        (None, Some(next)) => (member.place.start, next.place.start),
        (None, None) => (member.place.start, member.place.end),
    };
    let value = match member.value {
        Node::Text(raw) => String::from_utf16(&units(raw)).ok(),
        Node::Word(_) | Node::Number(_) | Node::Array(_) | Node::Object(_) => None,
    };
    let text = format!("{}{}", text.get(..from)?, text.get(to..)?);
    Some(Cut { text, found: true, value })
}

/// Appends the member as the last one of a compact object.
pub(crate) fn append(object: &str, name: &str, value: &str) -> Option<String> {
    let open = object.strip_suffix('}')?;
    let comma = if open == "{" { "" } else { "," };
    let value = serde_json::to_string(value).ok()?;
    Some(format!("{open}{comma}\"{name}\":{value}}}"))
}

/// What a signature may cover: the body with the member cut out, and that as JavaScript writes it.
///
/// The second only where JavaScript holds the same values: else a body could be changed (a name
/// twice, a digit that no double has) and still pass.
pub(crate) fn coverable_bodies<'b>(body: &'b [u8], name: Option<&str>) -> Vec<Cow<'b, [u8]>> {
    let Some(name) = name else { return vec![Cow::Borrowed(body)] };
    let found = std::str::from_utf8(body).ok().and_then(|text| cut(text, name));
    let Some(cut) = found else { return vec![Cow::Borrowed(body)] };
    let rewritten = survives(&cut.text).then(|| javascript(&cut.text)).flatten();
    let written = rewritten.filter(|text| *text != cut.text);
    let texts = [Some(cut.text), written];
    texts.into_iter().flatten().map(|text| Cow::Owned(text.into_bytes())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_the_member_and_its_comma_wherever_it_stands() {
        for (text, due) in [
            (r#"{"a":1,"s":"x"}"#, r#"{"a":1}"#),
            (r#"{"s":"x","a":1}"#, r#"{"a":1}"#),
            (r#"{"a":1, "s" : "x" ,"b":{"s":2}}"#, r#"{"a":1 ,"b":{"s":2}}"#),
            (r#"{"s":"x"}"#, "{}"),
            (r#"{"\u0073":"\u0078","a":1}"#, r#"{"a":1}"#),
            ("{\n  \"a\": 1,\n  \"s\": \"x\"\n}", "{\n  \"a\": 1\n}"),
        ] {
            let cut = cut(text, "s").unwrap();
            assert_eq!((cut.text.as_str(), cut.value.as_deref()), (due, Some("x")), "{text}");
        }
        assert_eq!(cut(r#"{"a":1}"#, "s").unwrap().value, None);
        assert_eq!(cut(r#"{"s":1}"#, "s").unwrap().value, None);
    }

    #[test]
    fn refuses_the_member_twice_and_what_is_no_object() {
        for text in [r#"{"s":"x","s":"y"}"#, r#"{"s":"x","\u0073":"x"}"#, "[]", "{", "\"s\""] {
            assert!(cut(text, "s").is_none(), "{text}");
        }
    }

    #[test]
    fn appends_last() {
        assert_eq!(append("{}", "s", "x").unwrap(), r#"{"s":"x"}"#);
        assert_eq!(append(r#"{"a":1}"#, "s", "x").unwrap(), r#"{"a":1,"s":"x"}"#);
        assert_eq!(append("[]", "s", "x"), None);
    }
}
