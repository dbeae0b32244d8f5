//! What a request brings beside the members of its body, held against its operation: a parameter that does
//! not fit its schema is refused, and so is a request whose body must be there and is not. What is
//! described is thereby what is taken; handlers read what is left.

use std::borrow::Cow;

use serde_json::Value;
use waxseal_adapters::http::{self, Request};
use waxseal_domain::problem::Problem;
use waxseal_flows::catalogue::read_schema;
use waxseal_flows::ports::{SchemaChecker, SchemaOwner};

use crate::operation::{Description, Parameter};

/// 400 where the request is not as its operation says.
pub(crate) async fn check<C: SchemaChecker>(
    checker: &C,
    operation: &Description,
    request: &Request,
) -> Result<(), Problem> {
    for parameter in operation.parameters {
        match value(parameter, request)? {
            Some(text) => fits(checker, parameter, &text).await?,
            None if parameter.is_required => return Err(refusal(parameter, "is required")),
            None => {}
        }
    }
    let needs_body = operation.body.is_some_and(|body| !body.is_optional);
    if needs_body && request.body().trim_ascii().is_empty() {
        return Err(Problem::bad_request("the body is missing"));
    }
    Ok(())
}

/// What was given, where something was.
fn value<'a>(parameter: &Parameter, request: &'a Request) -> Result<Option<Cow<'a, str>>, Problem> {
    if !parameter.is_header() {
        return Ok(http::query(request, parameter.name));
    }
    let value = request.headers().get(parameter.name);
    let text = value.map(|value| value.to_str().map(Cow::Borrowed)).transpose();
    text.map_err(|_| refusal(parameter, "is not text"))
}

async fn fits<C: SchemaChecker>(
    checker: &C,
    parameter: &Parameter,
    text: &str,
) -> Result<(), Problem> {
    let described = (parameter.schema)();
    let value = match text.parse::<u64>() {
        Ok(number) if described.get("type").is_some_and(|kind| kind == "integer") => number.into(),
        _ => Value::from(text),
    };
    let schema = read_schema(checker, &SchemaOwner::Waxseal, &described.to_string()).await?;
    let schema = schema.map_err(|fault| refusal(parameter, &fault.detail))?;
    match checker.faults(&SchemaOwner::Waxseal, &schema, &value.to_string()).await?.first() {
        Some(fault) => Err(refusal(parameter, &fault.detail)),
        None => Ok(()),
    }
}

fn refusal(parameter: &Parameter, detail: &str) -> Problem {
    Problem::bad_request(format!("{}: {detail}", parameter.name))
}
