//! A hook as a person saved it: headers, and the body's bytes as they are.

/// Headers, names in lower case, and a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hook {
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Hook {
    /// A request: its first line or not, headers, an empty line, the body. Lines may end in either
    /// way; of the body nothing is changed, its last line end included.
    pub(super) fn of_request(bytes: &[u8]) -> Result<Self, String> {
        let mut rest = bytes;
        let mut headers = Vec::new();
        let mut number = 0;
        while !rest.is_empty() {
            let (line, after) = first_line(rest);
            rest = after;
            number += 1;
            if line.is_empty() {
                break;
            }
            let line =
                std::str::from_utf8(line).map_err(|_| format!("line {number} is not text"))?;
            match header(line) {
                Some(header) => headers.push(header),
                None if (number == 1 && is_request_line(line)) || is_pseudo_header(line) => {}
                None => return Err(not_a_header(number)),
            }
        }
        Ok(Self { headers, body: rest.to_vec() })
    }

    /// The value of a header, by its name in lower case: the first, where it is there twice.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// A header on each line; empty lines are passed over.
pub(super) fn headers(text: &str) -> Result<Vec<(String, String)>, String> {
    let numbered = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let lines = numbered.filter(|(_, line)| !is_pseudo_header(line));
    lines.map(|(number, line)| header(line).ok_or_else(|| not_a_header(number))).collect()
}

/// Reads a header line, `Name: value`; the name is returned in lower case. None where the line is
/// no header.
pub(super) fn header(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"(),/;<=>?@[\\]{}".contains(&byte));
    is_name.then(|| (name.to_ascii_lowercase(), value.trim().to_owned()))
}

/// Up to a line's end, and what comes after it.
fn first_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut halves = bytes.splitn(2, |&byte| byte == b'\n');
    let line = halves.next().unwrap_or_default();
    (line.strip_suffix(b"\r").unwrap_or(line), halves.next().unwrap_or_default())
}

/// Whether a line is a request line, as `POST /hooks HTTP/1.1`.
fn is_request_line(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    matches!(words.as_slice(), [method, _, version]
        if method.bytes().all(|byte| byte.is_ascii_uppercase()) && version.starts_with("HTTP/"))
}

/// `:method: POST`, as browsers and proxies show HTTP/2.
fn is_pseudo_header(line: &str) -> bool {
    line.strip_prefix(':').is_some_and(|rest| header(rest).is_some())
}

/// The line itself stays out of it: it may be the body, or a credential.
fn not_a_header(number: usize) -> String {
    format!("line {number} is not a header, 'Name: value'; an empty line ends the headers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Hook, String> {
        Hook::of_request(text.as_bytes())
    }

    #[test]
    fn reads_a_request_with_either_line_end_and_with_its_first_line_or_without() {
        let expected = Hook {
            headers: vec![
                ("host".to_owned(), "example.com:8080".to_owned()),
                ("webhook-id".to_owned(), "a".to_owned()),
            ],
            body: b"{\r\n\n\"a\": 1}\n".to_vec(),
        };
        let headers = "Host: example.com:8080\nWebhook-Id:  a \n\n";
        let body = "{\r\n\n\"a\": 1}\n";
        for first in ["", "POST /hooks HTTP/1.1\n", "POST http://a/b HTTP/2\n", ":method: POST\n"] {
            let head = format!("{first}{headers}");
            let windows = format!("{}{body}", head.replace('\n', "\r\n"));
            assert_eq!(request(&format!("{head}{body}")).as_ref(), Ok(&expected), "{first}");
            assert_eq!(request(&windows).as_ref(), Ok(&expected), "{first}");
        }
    }

    #[test]
    fn a_body_may_be_empty_or_not_text() {
        assert_eq!(request("A: b").unwrap().body, b"");
        assert_eq!(request("A: b\n\n").unwrap().body, b"");
        assert_eq!(Hook::of_request(b"\n\xff\n").unwrap().body, b"\xff\n");
    }

    #[test]
    fn a_line_that_is_no_header_is_named_by_its_number_only() {
        for text in ["A: b\n{\"secret\": 1}\n", "A: b\nPOST / HTTP/1.1\n", "A: b\nno header\n"] {
            let error = request(text).unwrap_err();
            assert!(error.starts_with("line 2 is not a header"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(headers("A: b\r\n\r\nC\r\n").unwrap_err().starts_with("line 3 "));
        assert_eq!(headers("A: b\r\n\r\nC:\r\n").unwrap().len(), 2);
    }

    #[test]
    fn a_header_that_is_there_twice_counts_by_its_first_value() {
        let hook = request("A: 1\na: 2\n\n").unwrap();
        assert_eq!(hook.header("a"), Some("1"));
        assert_eq!(hook.header("b"), None);
    }
}
