//! JSON for people: a line for each member, and every number and string as it was written. A parser's
//! numbers would not be: an event's payload is shown as its sender sent it.

use super::output::plain;

/// JSON text, over several lines. What would steer a terminal, or not be seen, is
/// escaped.
pub(crate) fn pretty(json: &str) -> String {
    let (mut text, mut depth, mut in_string, mut is_escaped) =
        (String::new(), 0_usize, false, false);
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            in_string = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            text.push(c);
            continue;
        }
        match c {
            '{' | '[' => {
                text.push(c);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                let is_empty = matches!(chars.peek(), Some('}' | ']'));
                depth += 1;
                if !is_empty {
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !text.ends_with(['{', '[']) {
                    line(&mut text, depth);
                }
                text.push(c);
            }
            ',' => {
                text.push(c);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ if c.is_ascii_whitespace() => {}
            _ => {
                in_string = c == '"';
                text.push(c);
            }
        }
    }
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

fn line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_strings_stay_as_they_are() {
        let json = "{\"n\": 1.50,\"big\":123456789012345678901234567890,\"s\":\"a,{\\\"b\u{9b}:\\\\\",\"e\":[ ],\"a\":[1,{}]}";
        let expected = "{\n  \"n\": 1.50,\n  \"big\": 123456789012345678901234567890,\n  \
            \"s\": \"a,{\\\"b\\u009b:\\\\\",\n  \"e\": [],\n  \"a\": [\n    1,\n    {}\n  ]\n}";
        assert_eq!(pretty(json), expected);
    }
}
