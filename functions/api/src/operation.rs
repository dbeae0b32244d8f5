//! Operations: what the API does, and what the OpenAPI document says of it.
//!
//! Each noun's module lists its own operations: method, path, who may call, what is taken and answered, and
//! the handler. [`all`] is the sum of these lists. Requests are routed by it, and the document is made of it,
//! so that what is not listed is neither served nor described. An operation is a value that holds its
//! handler: one without a handler does not compile.

use std::pin::Pin;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};
use waxseal_domain::api_key::Scope;
use waxseal_domain::limits::{PAGE_DEFAULT, PAGE_MAX};
use waxseal_flows::ports::Engine;

use crate::OperationResult;
use crate::call::{GlobalCall, TenantCall};

/// An operation of the API on an engine.
pub(crate) struct Operation<E: 'static> {
    /// Says what it is: for the router and for the document.
    pub(crate) description: Description,
    /// Answers the calls of the operation.
    pub(crate) handler: Handler<E>,
}

/// An answer that is under way.
pub(crate) type Pending<'a> = Pin<Box<dyn Future<Output = OperationResult> + Send + 'a>>;
/// Answers a call within one tenant. The text is the path's parameter behind the tenant: an id or a name,
/// and empty where the path has none.
pub(crate) type TenantOperation<E> = for<'a> fn(TenantCall<'a, E>, &'a str) -> Pending<'a>;
/// Answers a call outside of any tenant.
pub(crate) type GlobalOperation<E> = for<'a> fn(GlobalCall<'a, E>) -> Pending<'a>;

/// What answers an operation.
pub(crate) enum Handler<E: 'static> {
    /// Answers within a tenant that must be there: 404 otherwise.
    Tenant(TenantOperation<E>),
    /// Answers within a tenant that comes to be when the operator's key first calls it.
    MaybeNewTenant(TenantOperation<E>),
    /// Answers outside of any tenant.
    Global(GlobalOperation<E>),
    /// Is another function, to which the request should have gone: here it is 404.
    Elsewhere,
}

/// What is said of an operation.
pub(crate) struct Description {
    /// Its method and path: `POST /v1/tenants/{tenant}/events`.
    pub(crate) line: &'static str,
    /// Its name in generated clients.
    pub(crate) id: &'static str,
    /// Who may call it.
    pub(crate) access: Access,
    /// What it does, in one line.
    pub(crate) summary: &'static str,
    /// What else a caller should know.
    pub(crate) about: &'static str,
    /// The parameters that it takes in the query and as headers.
    pub(crate) parameters: &'static [Parameter],
    /// The body that it takes.
    pub(crate) body: Option<RequestBody>,
    /// Its answers that are no problems.
    pub(crate) answers: &'static [Success],
    /// The status codes of problems beside those that follow from access, parameters and body.
    pub(crate) problems: &'static [u16],
}

/// Who may call an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody may call, with or without a key.
    Public,
    /// Whoever has a key may call, whatever its scopes.
    Key,
    /// Only the operator may call.
    Operator,
    /// A key of the path's tenant with this scope, and the operator.
    Tenant(Scope),
}

/// Callers with a key that may send events, and the operator.
pub(crate) const INGEST: Access = Access::Tenant(Scope::Ingest);
/// Callers with a key that may do everything else within its tenant, and the operator.
pub(crate) const MANAGE: Access = Access::Tenant(Scope::Manage);

/// A parameter of the query, or a header.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name; only a header's begins with a capital.
    pub(crate) name: &'static str,
    /// The description that the document gives of it.
    pub(crate) about: &'static str,
    /// Writes the JSON Schema of the values that it takes.
    pub(crate) schema: fn() -> Value,
    /// Whether it must be there.
    pub(crate) is_required: bool,
}

/// A body that an operation takes.
#[derive(Clone, Copy)]
pub(crate) struct RequestBody {
    /// What its schema is called.
    pub(crate) name: &'static str,
    /// Writes the JSON Schema of the values that it takes.
    pub(crate) schema: fn() -> Value,
    /// The value of the header `content-type`.
    pub(crate) content_type: &'static str,
    /// Whether it may be left out.
    pub(crate) is_optional: bool,
    /// Shows one; none where there is none to show.
    pub(crate) example: Option<fn() -> Value>,
}

/// An answer of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Success {
    /// The HTTP status of the answer.
    pub(crate) status: u16,
    /// The description that the document gives of the answer.
    pub(crate) about: &'static str,
    /// Its body's JSON Schema; none where it has no body.
    pub(crate) schema: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// The value of the header `content-type`.
    pub(crate) content_type: &'static str,
    /// Shows one; none where there is none to show.
    pub(crate) example: Option<fn() -> Value>,
    /// The operations that it leads to.
    pub(crate) links: &'static [Link],
}

/// Operations that take an id of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// Where in the answer the id stands, as a JSON Pointer.
    pub(crate) pointer: &'static str,
    /// The parameter of their paths that takes it.
    pub(crate) parameter: &'static str,
    /// The names of the operations, as [`Description::id`] has them.
    pub(crate) to: &'static [&'static str],
}

impl Description {
    /// Takes nothing and answers nothing but the problems that follow from who may call. That has no default:
    /// each operation says it.
    pub(crate) const fn plain(access: Access) -> Self {
        Self {
            line: "",
            id: "",
            access,
            summary: "",
            about: "",
            parameters: &[],
            body: None,
            answers: &[],
            problems: &[],
        }
    }

    /// Gives the HTTP method of the operation, in upper case.
    pub(crate) fn method(&self) -> &'static str {
        self.line.split_once(' ').map_or("", |(method, _)| method)
    }

    /// Gives its path, with parameters in braces.
    pub(crate) fn path(&self) -> &'static str {
        self.line.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Gives the path's parameters, where this is a path of the operation's.
    fn read_path<'a>(&self, path: &'a str) -> Option<Vec<&'a str>> {
        let mut parameters = Vec::new();
        let mut expected = self.path().split('/');
        for segment in path.split('/') {
            let expected_segment = expected.next()?;
            if expected_segment.starts_with('{') && !segment.is_empty() {
                parameters.push(segment);
            } else if expected_segment != segment {
                return None;
            }
        }
        expected.next().is_none().then_some(parameters)
    }
}

impl Parameter {
    /// Makes a parameter that may be left out.
    pub(crate) const fn optional(
        name: &'static str,
        about: &'static str,
        schema: fn() -> Value,
    ) -> Self {
        Self { name, about, schema, is_required: false }
    }

    /// Makes a parameter that must be there.
    pub(crate) const fn required(
        name: &'static str,
        about: &'static str,
        schema: fn() -> Value,
    ) -> Self {
        Self { name, about, schema, is_required: true }
    }

    /// Tells whether it is a header.
    pub(crate) fn is_header(&self) -> bool {
        self.name.starts_with(char::is_uppercase)
    }
}

/// Chooses how long a page of a list is.
pub(crate) const LIMIT: Parameter = Parameter::optional(
    "limit",
    "Limits how many entries the page holds.",
    || json!({"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": PAGE_DEFAULT}),
);
/// Chooses where a page of a list begins.
pub(crate) const CURSOR: Parameter = Parameter::optional(
    "cursor",
    "Continues a list: send the `cursor` of the page before. The first page needs none.",
    || json!({"type": "string", "maxLength": 512}),
);
/// Chooses a page of a list.
pub(crate) const PAGE: &[Parameter] = &[LIMIT, CURSOR];

impl RequestBody {
    /// Makes a body in JSON that must be there.
    pub(crate) const fn required(
        name: &'static str,
        schema: fn() -> Value,
        example: fn() -> Value,
    ) -> Self {
        let content_type = "application/json";
        Self { name, schema, content_type, is_optional: false, example: Some(example) }
    }

    /// Makes a body in JSON that may be left out.
    pub(crate) const fn optional(
        name: &'static str,
        schema: fn() -> Value,
        example: fn() -> Value,
    ) -> Self {
        Self { is_optional: true, ..Self::required(name, schema, example) }
    }
}

impl Success {
    /// Makes an answer in JSON of this type.
    pub(crate) const fn json<T: JsonSchema>(status: u16, about: &'static str) -> Self {
        let schema: fn(&mut SchemaGenerator) -> Schema = SchemaGenerator::subschema_for::<T>;
        let content_type = "application/json";
        Self { status, about, schema: Some(schema), content_type, example: None, links: &[] }
    }

    /// Makes an answer without a body.
    pub(crate) const fn empty(about: &'static str) -> Self {
        Self { schema: None, ..Self::json::<()>(204, about) }
    }

    /// Adds an example, which the document shows.
    pub(crate) const fn with_example(self, example: fn() -> Value) -> Self {
        Self { example: Some(example), ..self }
    }

    /// Adds what it leads to.
    pub(crate) const fn with_links(self, links: &'static [Link]) -> Self {
        Self { links, ..self }
    }
}

/// Makes an example's JSON.
pub(crate) fn json_of<T: Serialize>(example: &T) -> Value {
    serde_json::to_value(example).expect("examples are strings, numbers and raw JSON")
}

/// Gives every operation, in the order of the reference.
pub(crate) fn all<E: Engine>() -> impl Iterator<Item = &'static Operation<E>> {
    let nouns = [
        Operation::<E>::ON_EVENTS,
        Operation::ON_ENDPOINTS,
        Operation::ON_DELIVERIES,
        Operation::ON_EVENT_TYPES,
        Operation::ON_SOURCES,
        Operation::ON_TENANTS,
        Operation::ON_KEYS,
        Operation::ON_AUDIT,
        Operation::ON_PROFILES,
        Operation::ON_DEPLOYMENT,
    ];
    nouns.into_iter().flatten()
}

/// What a request asks for.
pub(crate) enum Found<'a, E: 'static> {
    /// This operation, with the path's parameters, still escaped.
    Operation(&'static Operation<E>, Vec<&'a str>),
    /// A path that takes other methods: these.
    Methods(Vec<&'static str>),
    /// No path of the API.
    Nothing,
}

/// Finds the operation of a method and path. Of two paths that fit, the one with fewer parameters counts:
/// `…/endpoints/match` before `…/endpoints/{endpoint}`.
pub(crate) fn find<'a, E: Engine>(method: &str, path: &'a str) -> Found<'a, E> {
    let mut fitting = Vec::new();
    for operation in all::<E>() {
        if let Some(parameters) = operation.description.read_path(path) {
            fitting.push((operation, parameters));
        }
    }
    let fewest = fitting.iter().map(|(_, parameters)| parameters.len()).min().unwrap_or_default();
    fitting.retain(|(_, parameters)| parameters.len() == fewest);
    let methods: Vec<&str> =
        fitting.iter().map(|(operation, _)| operation.description.method()).collect();
    match fitting.into_iter().find(|(operation, _)| operation.description.method() == method) {
        Some((operation, parameters)) => Found::Operation(operation, parameters),
        None if methods.is_empty() => Found::Nothing,
        None => Found::Methods(methods),
    }
}
