//! What a command is given to send: JSON as an argument, in a file (`@file`), or on standard input (`-`).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use serde_json::value::RawValue;

use super::failure::Failure;

/// Bytes of an input: many thousand events.
const INPUT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// The text that an argument stands for.
pub(crate) fn text(argument: &str) -> Result<String, Failure> {
    match argument.strip_prefix('@') {
        Some(path) => file(Path::new(path)),
        None if argument == "-" => file(Path::new("-")),
        None => Ok(argument.to_owned()),
    }
}

/// A file's text; `-` is standard input.
pub(crate) fn file(path: &Path) -> Result<String, Failure> {
    let said = |error: std::io::Error| Failure::Usage(format!("{}: {error}", path.display()));
    let input: Box<dyn Read> = if path == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(said)?)
    };
    let mut text = String::new();
    let length = input.take(INPUT_BYTES_MAX + 1).read_to_string(&mut text).map_err(said)?;
    if u64::try_from(length).is_ok_and(|length| length <= INPUT_BYTES_MAX) {
        Ok(text)
    } else {
        Err(Failure::Usage(format!("{}: longer than {INPUT_BYTES_MAX} bytes", path.display())))
    }
}

/// The JSON that an argument stands for, number for number as it is written.
pub(crate) fn raw(flag: &str, argument: &str) -> Result<Box<RawValue>, Failure> {
    serde_json::from_str(text(argument)?.trim())
        .map_err(|error| Failure::Usage(format!("{flag} is not JSON: {error}")))
}

/// The same, as a value.
pub(crate) fn json(flag: &str, argument: &str) -> Result<Value, Failure> {
    serde_json::from_str(&text(argument)?)
        .map_err(|error| Failure::Usage(format!("{flag} is not JSON: {error}")))
}
